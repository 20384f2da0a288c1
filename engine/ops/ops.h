// Every operation of the engine and its contract. `ref` fills all of Ops plainly, accumulating in
// double; a SIMD target copies ref and replaces entries.
//
// Words: n = rows of the batch (tokens), H hidden, d head size. Matrices are row-major and dense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/device/pool.h"
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

// A weight matrix, or a stack of them (experts): matrix e begins at data + e * stride.
struct Weight {
    Format format = Format::f32;
    Layout layout = Layout::plain;
    int rows = 0, cols = 0;            // of one matrix: outputs, inputs
    const std::uint8_t* data = nullptr;
    std::size_t stride = 0;            // bytes between matrices of a stack; 0 for a single one
    const std::uint8_t* matrix(int e) const { return data + std::size_t(e) * stride; }
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

// What an op runs on. Scratch taken inside an op is given back before it returns.
struct Exec {
    Pool* pool = nullptr;
    Scratch* scratch = nullptr;
};

// out(n, rows) = x(n, cols) · wᵀ [+ bias(rows)] [+ out, when accumulate].
struct MatmulJob {
    const Weight* w = nullptr;
    Mat out;
    const float* bias = nullptr;
    bool accumulate = false;
};

// Paged keys and values of one layer: [block][kv_head][kKvBlock][d], float or half.
inline constexpr int kKvBlock = 32;
struct KvLayer {
    void* k = nullptr;
    void* v = nullptr;
    bool half = false;
    int kv_heads = 0, head_dim = 0;
};

// Consecutive rows of the batch that belong to one sequence: positions context … context+rows-1,
// whose keys and values lie in `blocks` (position p in blocks[p / kKvBlock]).
struct SequenceRows {
    int first_row = 0, rows = 0, context = 0;
    const std::int32_t* blocks = nullptr;
};

struct RopeArgs {
    const std::int32_t* positions = nullptr;  // (n)
    const float* inverse_frequencies = nullptr;  // (dim / 2): angle = position * inverse_frequencies[i]
    int head_dim = 0, dim = 0;                // the first `dim` of each head are rotated
    bool neox = false;                        // pairs (i, i + dim/2), else (2i, 2i+1)
};

struct AttentionArgs {
    Mat out, q;                               // (n, heads * d)
    KvLayer kv;
    const SequenceRows* sequences = nullptr;
    int n_sequences = 0, heads = 0;
    float scale = 0;
};

// out(n, H) += Σ over the chosen experts of weight · down(silu(gate(x)) * up(x)).
struct MoeArgs {
    Mat out, x;
    Weight gate, up, down;                    // stacks of experts
    const std::int32_t* chosen = nullptr;     // (n, used)
    const float* weights = nullptr;           // (n, used)
    int experts = 0, used = 0;
};

struct Ops {
    const char* target = "ref";

    // Bytes of one matrix in the layout that matmul wants; 0: it reads the plain one.
    std::size_t (*packed_bytes)(Format format, int rows, int cols);
    // Writes one plain matrix to `out` (64-byte aligned, packed_bytes long) in that layout.
    void (*pack)(const Weight& plain, std::uint8_t* out);

    // out(r, :) = row ids[r] of table (plain layout), as floats.
    void (*embed)(Mat out, const Weight& table, const std::int32_t* ids, Exec& exec);
    // out(r, c) = x(r, c) * w(c) / sqrt(mean(x(r, :)²) + eps). out may alias x.
    void (*rms_norm)(Mat out, Mat x, const float* w, float eps, Exec& exec);
    // All jobs share x; it is quantised at most once. out may not alias x.
    void (*matmul)(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec);
    // In place, every head of every row of x(n, heads * d).
    void (*rope)(Mat x, const RopeArgs& args, Exec& exec);
    // Stores k and v (n, kv_heads * d) at their positions.
    void (*kv_append)(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences, Exec& exec);
    // Causal softmax attention; the rows' own keys are already appended.
    void (*attention)(const AttentionArgs& args, Exec& exec);
    // out(r, c) = gate / (1 + exp(-gate)) * up. out may alias either.
    void (*silu_mul)(Mat out, Mat gate, Mat up, Exec& exec);
    // Softmax over logits(n, experts), the `used` largest (lowest index first on ties); weights as
    // they are, or divided by their sum; times scale.
    void (*moe_route)(Mat logits, int used, bool normalise, float scale, std::int32_t* chosen, float* weights, Exec& exec);
    void (*moe_ffn)(const MoeArgs& args, Exec& exec);
    // out += x
    void (*add)(Mat out, Mat x, Exec& exec);
};

const Ops& ref_ops();

// What this machine can run, best first; ref is always last. `exact`: float activations and results
// that do not depend on the batch (numeric profile exact).
struct Target {
    std::string name;
    const Ops* ops = nullptr;
    bool available = false;
    std::string reason;  // why not, or what was found
};
std::vector<Target> targets(bool exact);

}  // namespace engine
