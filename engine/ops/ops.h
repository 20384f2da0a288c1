// Every operation of the engine and its contract. `ref` fills all of Ops plainly, accumulating in
// double; a SIMD target copies ref and replaces entries.
//
// Words: n = rows of the batch (tokens), H hidden, d head size. Matrices are row-major and dense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/device/device.h"
#include "engine/device/pool.h"
#include "engine/ops/expert_supply.h"
#include "engine/ops/plain_args.h"
#include "engine/ops/quant.h"

namespace engine {

// A view of rows × cols floats.
struct Mat {
    float* data = nullptr;
    int rows = 0, cols = 0;
    float* row(int r) const { return data + std::size_t(r) * cols; }
};

// plain: rows of blocks as the file has them. panel16: 16 rows interleaved, see panel.h; rows are
// padded to a multiple of 16.
enum class Layout : std::uint8_t { plain, panel16 };

// A weight matrix, or a stack of them (experts): matrix e begins at data + e * stride, or, where experts come and go, at
// data + places[e] * stride.
struct Weight {
    Format format = Format::f32;
    Layout layout = Layout::plain;
    int rows = 0, cols = 0;            // of one matrix: outputs, inputs
    const std::uint8_t* data = nullptr;
    std::size_t stride = 0;            // bytes between matrices of a stack; 0 for a single one
    // A factor of all values of each matrix; null: 1.
    const float* scales = nullptr;
    // Column c of a matrix meets column order[c] of the input, `cols` of them for each matrix; null: c.
    const std::int32_t* order = nullptr;
    const std::int32_t* places = nullptr;  // changed by an ExpertSupply; null: e

    const std::uint8_t* matrix(int e) const { return data + std::size_t(places ? places[e] : e) * stride; }
    float scale_of(int e) const { return scales ? scales[e] : 1.0f; }
    const std::int32_t* order_of(int e) const { return order ? order + std::size_t(e) * cols : nullptr; }
};

// Bytes that a step may use and forget; sized at load, so that nothing allocates while decoding.
class Scratch {
public:
    // Memory of any alignment; up to 63 bytes of it are skipped.
    Scratch(std::uint8_t* data, std::size_t size) {
        const std::size_t skip = (64 - reinterpret_cast<std::uintptr_t>(data) % 64) % 64;
        data_ = data + skip;
        size_ = size < skip ? 0 : size - skip;
    }
    // 64-byte aligned. Exhaustion is a planning error of ours: it throws std::logic_error.
    void* take(std::size_t bytes);
    template <class T>
    T* take(std::size_t n) {
        return static_cast<T*>(take(n * sizeof(T)));
    }
    std::size_t used() const { return used_; }
    void rewind(std::size_t used) { used_ = used; }

private:
    std::uint8_t* data_;
    std::size_t size_, used_ = 0;
};

// Gives back at its end what was taken meanwhile.
class Taken {
public:
    explicit Taken(Scratch& scratch) : scratch_(scratch), used_(scratch.used()) {}
    ~Taken() { scratch_.rewind(used_); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;

private:
    Scratch& scratch_;
    std::size_t used_;
};

// What an op runs on. Scratch taken inside an op is given back before it returns.
class OpClock;
struct Exec {
    Pool* pool = nullptr;
    Scratch* scratch = nullptr;
    OpClock* clock = nullptr;  // of a measurement, see op_clock.h
};

// out(n, rows) = x(n, cols) · wᵀ [+ bias(rows)] [+ out, when accumulate].
struct MatmulJob {
    const Weight* w = nullptr;
    Mat out;
    const float* bias = nullptr;
    bool accumulate = false;
};

// Paged keys and values of one layer: [block][kv_head], each kv_head_bytes.
inline constexpr int kKvBlock = kv_block_positions;
struct KvLayer {
    void* k = nullptr;
    void* v = nullptr;
    KvFormat format = KvFormat::f32;
    int kv_heads = 0, head_dim = 0;
};

// Consecutive rows of the batch that belong to one sequence: positions context … context+rows-1,
// whose keys and values lie in `blocks` (position p in blocks[p / kKvBlock]).
struct SequenceRows {
    int first_row = 0, rows = 0, context = 0;
    const std::int32_t* blocks = nullptr;
    float* state = nullptr;                   // of its recurrent layers, zero at context 0; none where the model has no such layer
    bool one_by_one = false;                  // its rows attend as they would in steps of one row, to the bit
};

struct AttentionArgs {
    Mat out, q;                               // (n, heads * d)
    KvLayer kv;
    const SequenceRows* sequences = nullptr;
    int n_sequences = 0, heads = 0;
    float scale = 0;
    int window = 0;                           // a row sees so many positions, its own included; 0: all before it
    const float* sinks = nullptr;             // (heads): a logit of each head that takes weight and gives no value
    bool causal = true;                       // false: a row sees all rows of its sequence; without a window
};

// Depthwise causal convolution: out(t, c) = Σ_j w(j, c) · x(t - K + 1 + j, c) + bias(c), then silu where asked. The rows
// before the step's first lie in the state (K-1, C), which holds the last ones afterwards. out may not alias x.
struct ConvArgs {
    Mat out, x;                               // (n, C)
    const float* w = nullptr;                 // (K, C)
    const float* bias = nullptr;              // (C), or none
    int kernel = 0;
    bool silu = false;
    const SequenceRows* sequences = nullptr;
    int n_sequences = 0;
    std::size_t state = 0;                    // floats into each sequence's state
};

// The gated delta rule (Yang et al. 2024) by its recurrence, for each value head with a state S (Dk, Dv):
//   S ← exp(a · softplus(alpha + dt_bias)) · S;  S ← S + k (sigmoid(beta) · (v - Sᵀk))ᵀ;  out = Sᵀq
// with q and k of length 1, q divided by √Dk.
struct DeltaArgs {
    Mat out;                                  // (n, Hv * Dv)
    Mat qkv;                                  // (n, 2 * Hk * Dk + Hv * Dv): q | k | v
    Mat alpha, beta;                          // (n, Hv)
    const float *a = nullptr, *dt_bias = nullptr;  // (Hv); a is negative
    int key_heads = 0, value_heads = 0, key_dim = 0, value_dim = 0;
    bool tiled = false;                       // value head i reads key head i mod Hk, else i / (Hv / Hk)
    const SequenceRows* sequences = nullptr;
    int n_sequences = 0;
    std::size_t state = 0;
};

// Mamba2's recurrence (Dao and Gu 2024), for each head with a state S (P, N):
//   Δ = softplus(dt + dt_bias);  S ← exp(Δ a) · S + (Δ x) Bᵀ;  out = S C + d · x
struct ScanArgs {
    Mat out;                                  // (n, heads * P)
    Mat xbc;                                  // (n, heads * P + 2 * groups * N): x | B | C
    Mat dt;                                   // (n, heads)
    const float *a = nullptr, *d = nullptr, *dt_bias = nullptr;  // (heads); a is negative
    int heads = 0, head_dim = 0, state_size = 0, groups = 0;
    const SequenceRows* sequences = nullptr;
    int n_sequences = 0;
    std::size_t state = 0;
};

// Softmax over the logits, or a sigmoid of each; the `used` largest of score + bias (lowest index first on ties), where
// groups > 1 only of the `groups_used` groups with the largest sums of their two best. The weights are the scores, divided
// by their sum where `normalise`, times `scale` and the expert's own.
struct RouteArgs {
    Mat logits;                               // (n, experts)
    int used = 0;
    bool sigmoid = false, normalise = false;
    float scale = 1;
    int groups = 1, groups_used = 1;
    const float* bias = nullptr;              // (experts), or none
    const float* expert_scale = nullptr;      // (experts), or none
    std::int32_t* chosen = nullptr;           // out: (n, used)
    float* weights = nullptr;                 // out: (n, used)
};

// out(n, H) += Σ over the chosen experts of weight · down(activation(gate(x), up(x))).
struct MoeArgs {
    Mat out, x;
    Weight gate, up, down;                    // stacks of experts
    const float *gate_bias = nullptr, *up_bias = nullptr, *down_bias = nullptr;  // (experts, outputs), or none
    const std::int32_t* chosen = nullptr;     // (n, used)
    const float* weights = nullptr;           // (n, used)
    int experts = 0, used = 0;
    Activation activation = Activation::silu;
    ExpertSupply* supply = nullptr;           // null: all experts are in memory
    int stack = 0;                            // which this is to the supply
};

struct Ops {
    const char* target = "ref";
    Device* device = &cpu_device();  // in whose memory everything lies that they read and write

    // Bytes of one matrix in the layout that matmul wants; 0: it reads the plain one.
    std::size_t (*packed_bytes)(Format format, int rows, int cols);
    // Writes one plain matrix to `out` (64-byte aligned, packed_bytes long) in that layout.
    void (*pack)(const Weight& plain, std::uint8_t* out);

    // out(r, :) = row ids[r] of table (plain layout), as floats.
    void (*embed)(Mat out, const Weight& table, const std::int32_t* ids, Exec& exec);
    // out(r, c) = x(r, c) * w(c) / sqrt(mean(x(r, :)²) + eps); w null: all ones. out may alias x.
    void (*rms_norm)(Mat out, Mat x, const float* w, float eps, Exec& exec);
    // The same of each of a row's `groups` equal parts by itself; w has a row's length.
    void (*group_norm)(Mat out, Mat x, const float* w, int groups, float eps, Exec& exec);
    // out(r, c) = (x(r, c) - mean(x(r, :))) * w(c) / sqrt(variance(x(r, :)) + eps) + b(c). out may alias x.
    void (*layer_norm)(Mat out, Mat x, const float* w, const float* b, float eps, Exec& exec);
    // All jobs share x; it is quantised at most once. out may not alias x.
    void (*matmul)(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec);
    // In place, every head of every row of x(n, heads * d).
    void (*rope)(Mat x, const RopeArgs& args, Exec& exec);
    // Stores k and v (n, kv_heads * d) at their positions.
    void (*kv_append)(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences, Exec& exec);
    // Softmax attention; the rows' own keys are already appended.
    void (*attention)(const AttentionArgs& args, Exec& exec);
    void (*convolve)(const ConvArgs& args, Exec& exec);
    void (*gated_delta)(const DeltaArgs& args, Exec& exec);
    void (*selective_scan)(const ScanArgs& args, Exec& exec);
    // out = activation(gate, up), value by value. out may alias either.
    void (*activate)(Mat out, Mat gate, Mat up, Activation activation, Exec& exec);
    // x = x * Φ(x), Φ the normal distribution: by the error function, not its tanh form.
    void (*gelu)(Mat x, Exec& exec);
    void (*moe_route)(const RouteArgs& args, Exec& exec);
    void (*moe_ffn)(const MoeArgs& args, Exec& exec);
    // out += factor * x
    void (*add_scaled)(Mat out, Mat x, float factor, Exec& exec);
    // x *= factor
    void (*scale)(Mat x, float factor, Exec& exec);
    // x(r, :) *= sigmoid(gate(r, 0))
    void (*scale_rows)(Mat x, Mat gate, Exec& exec);
    // x = cap * tanh(x / cap)
    void (*softcap)(Mat x, float cap, Exec& exec);
    // x(r, c) -= row(c)
    void (*subtract_row)(Mat x, const float* row, Exec& exec);
    // out(r, at + c) = x(r, from + c) for c below `columns`. out may not alias x.
    void (*copy_columns)(Mat out, int at, Mat x, int from, int columns, Exec& exec);
    // out(r, :) = x(rows[r], :). out may not alias x.
    void (*gather_rows)(Mat out, Mat x, const std::int32_t* rows, Exec& exec);
    // x = 0
    void (*clear)(Mat x, Exec& exec);

    // Does on registers alone what the target's matrix products of that arithmetic do, `rounds` times, and returns how many
    // operations that was, a product and a sum being two: what one core can give.
    double (*peak)(Arithmetic arithmetic, long rounds);
};

const Ops& ref_ops();

// What this machine can run, best first; ref is always last. `exact`: float activations and results
// that do not depend on the batch (numeric profile exact).
struct Target {
    std::string name;
    const Ops* ops = nullptr;
    bool available = false;
    std::string reason;  // why not, or what was found
    // Operations that ref computes in its place, and why; `changed` is then what `ops` points to.
    struct Left {
        std::string op, reason;
    };
    std::vector<Left> left{};
    std::shared_ptr<const Ops> changed{};
};
std::vector<Target> targets(bool exact);

}  // namespace engine
