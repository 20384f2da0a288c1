// What the SIMD targets do over packed panels and quantised activations: plain functions over plain
// structs; ops.h's table and the compute pool sit above (packed_ops.h). Every function works on a range,
// so that the caller can cut it between CPU threads; nothing here allocates. A target defines each
// function in a namespace of its own and puts them into one table.
//
// A row's result does not depend on its batch: the same additions in the same order whether it is
// computed alone or among others, in decode or in prefill.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/ops/panel.h"
#include "engine/ops/plain_args.h"

namespace engine::packed {

constexpr int group_rows = 8;

// Rows of activations as int8, one scale per 32 columns. Rows are cut into groups of 8, the last may
// be smaller; a group of n rows is stored as [columns/4][n][4] bytes and [columns/32][n] numbers.
struct Activations {
    int rows, columns;
    int8_t* q;        // rows * columns
    float* scale;     // rows * columns/32
    float* scaled;    // rows * columns/32: scale * sum
    int32_t* sum;     // rows * columns/32: sum of q
    int32_t* sum16;   // rows * columns/16
};

// 32 of them before they go to their places.
struct QuantisedBlock {
    alignas(32) int8_t codes[32];
    float scale;
    int sums[2];  // of the codes of its halves
};

size_t activations_bytes(int rows, int columns);
// `memory`: 64-byte aligned, activations_bytes. columns: a multiple of 32.
Activations activations_at(void* memory, int rows, int columns);
// Row r as row `at` of another set of as many columns.
void copy_row(const Activations& from, int r, const Activations& to, int at);

// A packed matrix, or a range of whole panels of it.
struct Panels {
    Format format;
    const uint8_t* data;
    int rows, columns;  // rows as in the file; the last panel is filled up
    float scale;        // a factor of all values
};

// Where results go: element (t, r) at out + t * stride + r, plus bias[r] where given, plus what is
// there already where `accumulate`.
struct Results {
    float* out;
    size_t stride;
    const float* bias;
    bool accumulate;
};

// Keys and values of attention as ops.h has them.
struct AttentionRows {
    const void *k, *v;
    KvFormat format;
    int kv_heads, head_dim;      // head_dim: a multiple of 16, at most 576
    const int32_t* blocks;
    int group;                   // query heads of a key-value head
    float scale;
    size_t stride;               // floats between rows of q and of out
    int window;                  // keys that a row sees, 0: all
    const float* sinks;          // of the group's heads; or null
    int keys;                    // that every row sees; 0: those up to its own
};

constexpr int block_keys = kv_block_positions;
constexpr int piece_keys = 256;  // whose scores a row's kernel holds at once: they stay in the nearest cache, their keys and values in the next
constexpr int most_spans = 16;

// What the row at `position` sees: keys [begin, end); `start` is where the block of the first one begins.
struct Sight {
    int begin, end, start;
    Sight(const AttentionRows& a, int position)
        : begin(a.window > 0 && position >= a.window ? position - a.window + 1 : 0), end(a.keys ? a.keys : position + 1), start(begin & ~(block_keys - 1)) {}
};

// How a row's keys are cut for several CPU threads: by its position alone, so that its result does not depend on how many
// there are. A span is some neighbouring pieces.
class Spans {
public:
    explicit Spans(const Sight& sight) : sight_(sight), first_(sight.start / piece_keys) {
        const int pieces = (sight.end - 1) / piece_keys + 1 - first_;
        each_ = (pieces + most_spans - 1) / most_spans;
        count_ = (pieces + each_ - 1) / each_;
    }
    int count() const { return count_; }
    int begin(int span) const { return span == 0 ? sight_.start : (first_ + span * each_) * piece_keys; }
    int end(int span) const { return span + 1 == count_ ? sight_.end : begin(span + 1); }
    // Where the piece that holds a key ends, or its span.
    int piece_end(int key) const {
        const int end = (key / piece_keys + 1) * piece_keys;
        return end < sight_.end ? end : sight_.end;
    }

private:
    const Sight sight_;
    int first_, each_, count_;
};

// The normal distribution's tail Φ(-a) = t · 2^(P(t) - a²·log2(e)/2) with t = 1 / (1 + kTailFactor·a), for a from 0 to 13: P is
// the least-squares fit at 400 Chebyshev nodes, highest power first; relative error 1e-7.
constexpr float kTailFactor = 0.4f, kHalfLog2e = 0.721347520f;
constexpr int kTailTerms = 9;
constexpr float kTail[kTailTerms] = {0.278141767f, -1.42318487f, 2.84288597f,  -2.56219983f, 0.805982292f,
                                     -0.271551758f, 0.539236724f, 1.43818986f, -2.64750004f};

// What unpacked panels are for the integer tiles: q[columns/4][panels][16][4], scale[columns/S][panels][16]
// minimum[columns/S][panels][16] with S = scale_columns.
struct Unpacked {
    uint8_t* q;
    float* scale;
    float* minimum;
    bool quarters;  // the order of columns: that of quarters (see panel.h), or the file's
};

// Rows of one head of the gated delta rule; decay and beta as the rule's factors. q and k are as projected: made of length 1
// here, q divided by √key_dim.
struct DeltaHead {
    float* state;                // (key_dim, value_dim)
    const float *q, *k, *v;      // of the first row
    size_t in_stride;            // floats to the next row's
    float* out;                  // (rows, value_dim)
    size_t out_stride;
    const float *decay, *beta;   // (rows)
    int rows, key_dim, value_dim;
    float* work;                 // rows * (2 * key_dim + 1) floats; of delta_chunk: delta_chunk_work
};

constexpr int delta_rows = 16;  // at most, that delta_chunk takes
constexpr size_t delta_chunk_work(int key_dim, int value_dim) { return size_t(delta_rows) * size_t(3 * key_dim + value_dim + 2 * delta_rows); }

// Rows of one head of the selective scan, with Δ and exp(Δ a) of each.
struct ScanHead {
    float* state;                // (head_dim, state_size)
    const float *x, *b, *c;      // of the first row
    size_t in_stride;
    float* out;                  // (rows, head_dim)
    size_t out_stride;
    const float *step, *decay;   // (rows)
    float d;
    int rows, head_dim, state_size;
};

constexpr bool has_minimum(Format f) {
    return f == Format::q4_1 || f == Format::q5_1 || f == Format::q4_k || f == Format::q5_k || f == Format::q2_k;
}
// log2 of what the stored codes have to be lowered by; -1: nothing.
constexpr int zero_shift(Format f) {
    return f == Format::q8_0 || has_float_scales(f) || has_e4m3_scales(f) || words_of_block(f) > 0 ? 7 : f == Format::q6_k ? 5 : f == Format::q5_0 ? 4
         : f == Format::q4_0 ? 3 : f == Format::q3_k ? 2 : -1;
}

// Whether one row of int8 is multiplied straight from the panel; of the other formats it meets unpacked panels, as many rows do.
constexpr bool has_matvec(Format f) { return !has_e4m3_scales(f) && words_of_block(f) == 0; }

struct Kernels {
    // Quantises blocks [begin, end) of 32 columns of row r; x is the whole row.
    void (*quantise_blocks)(const float* x, const Activations& to, int r, int begin, int end);

    // Scratch of one CPU thread for the two below.
    size_t (*scratch_bytes)(int columns);
    // result(t, r) = sum over c of x(t, c) * w(r, c) for panels [begin, end), all rows t. Products of int8
    // activations with the stored integers; float32 between blocks.
    void (*matmul_int8)(const Panels& w, const Activations& x, const Results& to, int begin, int end, void* scratch);
    // The same with float activations and weights as the file's format defines their values; partial sums
    // of 32 columns. Any format, any number of columns that the format allows.
    void (*matmul_float)(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end,
                         void* scratch);

    // Activations to BF16, rounded to nearest even; `to` has room for an even number of columns, an odd one is followed by 0.
    // Null, as the next one is, where a target has no such products: BF16 weights then meet floats.
    void (*to_bf16)(const float* x, int columns, uint16_t* to);
    // The same as matmul_float with BF16 weights and activations. x_stride: even.
    void (*matmul_bf16)(const Panels& w, const uint16_t* x, size_t x_stride, int n_rows, const Results& to, int begin, int end);

    void (*rms_norm)(float* out, const float* x, const float* w, int columns, float eps);  // w null: ones
    void (*layer_norm)(float* out, const float* x, const float* w, const float* b, int columns, float eps);
    void (*activate)(float* out, const float* gate, const float* up, size_t n, Activation activation);
    void (*gelu)(float* x, size_t n);  // in place
    // out += factor * x
    void (*add_scaled)(float* out, const float* x, float factor, size_t n);
    // In place: every head of a row of `columns` floats is rotated as args say. work: args.dim floats.
    void (*rope)(float* row, int columns, const RopeArgs& args, int position, float* work);

    // One row at `position` over one of its Spans, `group` heads of key-value head `kv`; q: the first of those heads.
    // state: attend_span_bytes.
    size_t (*attend_span_bytes)(int head_dim, int group);
    void (*attend_span)(const AttentionRows& a, int kv, int position, int span, const float* q, void* state);
    // The row's result for those heads from the states of all its spans, which lie attend_span_bytes after one another.
    void (*attend_join)(const AttentionRows& a, const void* states, int spans, float* out);
    // Up to tile_rows rows from `position` on, faster and less exact. scratch: attend_tile_bytes.
    int tile_rows;
    size_t (*attend_tile_bytes)(int head_dim, int group);
    void (*attend_tile)(const AttentionRows& a, int kv, int position, int rows, const float* q, float* out, void* scratch);

    void (*delta_head)(const DeltaHead& a);
    void (*delta_chunk)(const DeltaHead& a);  // the same by products of matrices: faster, and a row's last bits depend on the others
    void (*scan_head)(const ScanHead& a);
    // out(c) = Σ_j w(j, c) · in[j](c) + bias(c), without activation. out may not alias an input; bias null: none.
    void (*convolve_row)(float* out, const float* const* in, const float* w, size_t w_stride, const float* bias, int kernel, size_t n);

    double (*peak)(Arithmetic arithmetic, long rounds);  // see ops.h
};

}  // namespace engine::packed
