// The avx512 target: cuts each operation into ranges for the compute pool and hands them to the
// kernels of the .avx512.cpp files.
#include "engine/ops/avx512_ops.h"

#if defined(__x86_64__)

#include <algorithm>
#include <stdexcept>

#include "engine/ops/kernels.h"
#include "engine/ops/ref.h"

namespace engine {
namespace {

using namespace avx512;

// Gives back what was taken inside an op.
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

std::size_t line(std::size_t bytes) { return (bytes + 63) & ~std::size_t(63); }
int panels(int rows) { return (rows + panel_rows - 1) / panel_rows; }
bool is_float(Format f) { return info(f).values == 1; }

std::size_t packed_bytes(Format format, int rows, int cols) {
    return std::size_t(panels(rows)) * panel_bytes(format, cols);
}

void pack(const Weight& plain, std::uint8_t* out) {
    const std::size_t bytes = row_bytes(plain.format, std::size_t(plain.cols)), panel = panel_bytes(plain.format, plain.cols);
    for (int r = 0; r < plain.rows; r += panel_rows)
        pack_panel(plain.format, plain.data + std::size_t(r) * bytes, bytes, std::min(panel_rows, plain.rows - r), plain.cols,
                   out + std::size_t(r / panel_rows) * panel);
}

Panels panels_of(const Weight& w, int expert = 0) { return {w.format, w.matrix(expert), w.rows, w.cols}; }

// Runs task(item, thread); a single item does not wake the pool.
template <class F>
void run(Exec& exec, int items, F&& task) {
    if (items == 1)
        task(0, 0);
    else
        exec.pool->run(items, task);
}

// Rows of activations as kernels want them: floats always, int8 where some weight needs it.
struct Input {
    const float* x;
    std::size_t stride;
    int rows;
    Activations q;
};

template <bool exact>
void multiply(const Panels& w, const Input& in, const Results& to, int begin, int end, void* scratch) {
    if (exact || is_float(w.format))
        matmul_float(w, in.x, in.stride, in.rows, to, begin, end, scratch);
    else
        matmul_int8(w, in.q, to, begin, end, scratch);
}

Activations quantised(Mat x, Exec& exec) {
    const Activations q = activations_at(exec.scratch->take(activations_bytes(x.rows, x.cols)), x.rows, x.cols);
    const int items = (x.rows + group_rows - 1) / group_rows;
    run(exec, items, [&](int i, int) {
        quantise(x.data, std::size_t(x.cols), q, i * group_rows, std::min(x.rows, (i + 1) * group_rows));
    });
    return q;
}

// ---- matmul

// Panels of a job that one item takes: even, so that tiles are full; a few items a CPU thread, and none
// so long that the others wait for it at the end.
int panels_of_item(const Weight& w, int threads) {
    const int all = panels(w.rows);
    if (threads == 1) return all;
    constexpr std::size_t longest = 512 << 10;  // bytes
    const int most = std::max(2, int(longest / panel_bytes(w.format, w.cols)));
    const int wanted = std::min(most, (all + threads * 4 - 1) / (threads * 4));
    return std::max(2, (wanted + 1) / 2 * 2);
}

template <bool exact>
void matmul(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec) {
    const Taken taken(*exec.scratch);
    const int threads = exec.pool->threads();
    bool any_int8 = false;
    int items = 0;
    for (int j = 0; j < n_jobs; ++j) {
        const int all = panels(jobs[j].w->rows), each = panels_of_item(*jobs[j].w, threads);
        items += (all + each - 1) / each;
        any_int8 = any_int8 || !(exact || is_float(jobs[j].w->format));
    }
    const Input in{x.data, std::size_t(x.cols), x.rows, any_int8 ? quantised(x, exec) : Activations{}};
    const std::size_t bytes = line(scratch_bytes(x.cols));
    char* scratch = static_cast<char*>(exec.scratch->take(bytes * threads));
    run(exec, items, [&](int item, int thread) {
        int j = 0, all = 0, each = 0;
        for (;; ++j) {
            all = panels(jobs[j].w->rows);
            each = panels_of_item(*jobs[j].w, threads);
            const int of_job = (all + each - 1) / each;
            if (item < of_job) break;
            item -= of_job;
        }
        const MatmulJob& job = jobs[j];
        const Results to{job.out.data, std::size_t(job.out.cols), job.bias, job.accumulate};
        multiply<exact>(panels_of(*job.w), in, to, item * each, std::min(all, (item + 1) * each), scratch + bytes * thread);
    });
}

// ---- mixture of experts

constexpr int moe_rows = 128;  // of one expert, computed together

// Which rows chose which expert: position `at[t * used + k]` in the list sorted by expert.
struct Routing {
    std::int32_t *at, *row, *first;  // row[position] = t; first[expert] … first[expert + 1]
};

Routing routing_of(const MoeArgs& args, Scratch& scratch) {
    const int pairs = args.x.rows * args.used;
    Routing r{scratch.take<std::int32_t>(pairs), scratch.take<std::int32_t>(pairs), scratch.take<std::int32_t>(args.experts + 1)};
    std::fill(r.first, r.first + args.experts + 1, 0);
    for (int i = 0; i < pairs; ++i) ++r.first[args.chosen[i] + 1];
    for (int e = 0; e < args.experts; ++e) r.first[e + 1] += r.first[e];
    for (int i = 0; i < pairs; ++i) {
        const int position = r.first[args.chosen[i]]++;
        r.at[i] = position;
        r.row[position] = i / args.used;
    }
    for (int e = args.experts; e > 0; --e) r.first[e] = r.first[e - 1];
    r.first[0] = 0;
    return r;
}

void add_experts(const MoeArgs& args, const Routing& routing, const float* down, Exec& exec) {
    const int h = args.out.cols, rows_of_item = 16;
    run(exec, (args.out.rows + rows_of_item - 1) / rows_of_item, [&](int item, int) {
        for (int t = item * rows_of_item; t < std::min(args.out.rows, (item + 1) * rows_of_item); ++t)
            for (int k = 0; k < args.used; ++k) {
                const int i = t * args.used + k;
                add_scaled(args.out.row(t), down + std::size_t(routing.at[i]) * h, args.weights[i], std::size_t(h));
            }
    });
}

// What one CPU thread needs for up to moe_rows rows of an expert.
struct ExpertScratch {
    std::size_t rows, x, gate, up, hidden, work, total;
};
ExpertScratch expert_scratch(const MoeArgs& args, int rows) {
    const int h = args.x.cols, inner = args.gate.rows;
    ExpertScratch s{};
    s.rows = line(std::size_t(rows) * h * sizeof(float));
    s.x = line(activations_bytes(rows, h));
    s.gate = s.up = line(std::size_t(rows) * inner * sizeof(float));
    s.hidden = line(activations_bytes(rows, inner));
    s.work = line(scratch_bytes(std::max(h, inner)));
    s.total = s.rows + s.x + s.gate + s.up + s.hidden + s.work;
    return s;
}

// Rows [begin, end) of the routing, all of expert e.
template <bool exact>
void expert(const MoeArgs& args, const Routing& routing, int e, int begin, int end, float* down, char* memory,
            const ExpertScratch& sizes) {
    const int n = end - begin, h = args.x.cols, inner = args.gate.rows;
    float* rows = reinterpret_cast<float*>(memory);
    void* q_memory = memory + sizes.rows;
    float* gate = reinterpret_cast<float*>(memory + sizes.rows + sizes.x);
    float* up = reinterpret_cast<float*>(memory + sizes.rows + sizes.x + sizes.gate);
    void* hidden_memory = memory + sizes.rows + sizes.x + sizes.gate + sizes.up;
    void* work = memory + sizes.total - sizes.work;

    const bool floats = exact || is_float(args.gate.format) || is_float(args.up.format);
    const bool int8 = !exact && !(is_float(args.gate.format) && is_float(args.up.format));
    Input in{rows, std::size_t(h), n, activations_at(q_memory, n, h)};
    for (int i = 0; i < n; ++i) {
        const float* x = args.x.row(routing.row[begin + i]);
        if (floats) std::copy(x, x + h, rows + std::size_t(i) * h);
        if (int8) quantise_blocks(x, in.q, i, 0, h / 32);
    }
    const std::size_t stride = std::size_t(inner);
    multiply<exact>(panels_of(args.gate, e), in, {gate, stride, nullptr, false}, 0, panels(inner), work);
    multiply<exact>(panels_of(args.up, e), in, {up, stride, nullptr, false}, 0, panels(inner), work);
    silu_mul(gate, gate, up, std::size_t(n) * inner);
    Input middle{gate, stride, n, activations_at(hidden_memory, n, inner)};
    if (!exact && !is_float(args.down.format)) quantise(gate, stride, middle.q, 0, n);
    multiply<exact>(panels_of(args.down, e), middle, {down + std::size_t(begin) * h, std::size_t(h), nullptr, false}, 0,
                    panels(h), work);
}

template <bool exact>
void moe_ffn(const MoeArgs& args, Exec& exec) {
    const Taken taken(*exec.scratch);
    const int threads = exec.pool->threads(), pairs = args.x.rows * args.used;
    const Routing routing = routing_of(args, *exec.scratch);
    // One item: up to moe_rows rows of one expert.
    std::int32_t* items = exec.scratch->take<std::int32_t>(std::size_t(args.experts) + pairs / moe_rows + 1);
    std::int32_t* starts = exec.scratch->take<std::int32_t>(std::size_t(args.experts) + pairs / moe_rows + 1);
    int n_items = 0;
    for (int e = 0; e < args.experts; ++e)
        for (int i = routing.first[e]; i < routing.first[e + 1]; i += moe_rows) {
            items[n_items] = e;
            starts[n_items++] = i;
        }
    float* down = exec.scratch->take<float>(std::size_t(pairs) * args.out.cols);
    const ExpertScratch sizes = expert_scratch(args, std::min(moe_rows, args.x.rows));
    char* memory = static_cast<char*>(exec.scratch->take(sizes.total * threads));
    run(exec, n_items, [&](int item, int thread) {
        const int e = items[item], begin = starts[item];
        expert<exact>(args, routing, e, begin, std::min(begin + moe_rows, routing.first[e + 1]), down,
                      memory + sizes.total * thread, sizes);
    });
    add_experts(args, routing, down, exec);
}

// ---- rows

void rms_norm(Mat out, Mat x, const float* w, float eps, Exec& exec) {
    constexpr int rows = 16;
    run(exec, (x.rows + rows - 1) / rows, [&](int item, int) {
        for (int r = item * rows; r < std::min(x.rows, (item + 1) * rows); ++r)
            avx512::rms_norm(out.row(r), x.row(r), w, x.cols, eps);
    });
}

// Cuts n values into items of a few ten microseconds.
template <class F>
void each_range(Exec& exec, std::size_t n, F&& task) {
    constexpr std::size_t values = 1 << 15;
    run(exec, int((n + values - 1) / values), [&](int item, int) {
        const std::size_t begin = std::size_t(item) * values;
        task(begin, std::min(values, n - begin));
    });
}

void silu_mul(Mat out, Mat gate, Mat up, Exec& exec) {
    each_range(exec, std::size_t(out.rows) * out.cols, [&](std::size_t at, std::size_t n) {
        avx512::silu_mul(out.data + at, gate.data + at, up.data + at, n);
    });
}

void add(Mat out, Mat x, Exec& exec) {
    each_range(exec, std::size_t(out.rows) * out.cols,
               [&](std::size_t at, std::size_t n) { avx512::add(out.data + at, x.data + at, n); });
}

void rope(Mat x, const RopeArgs& args, Exec& exec) {
    constexpr int rows = 16, most = 512;  // dimensions of a head
    if (args.dim > most) return ref::rope(x, args, exec);
    run(exec, (x.rows + rows - 1) / rows, [&](int item, int) {
        float work[most];
        for (int r = item * rows; r < std::min(x.rows, (item + 1) * rows); ++r)
            avx512::rope(x.row(r), x.cols, args.head_dim, args.dim, args.neox, args.positions[r], args.inverse_frequencies, work);
    });
}

// ---- attention

constexpr int attention_tile = 32, fewest_tile_rows = 8;

template <bool exact>
void attend(const AttentionArgs& args, const SequenceRows& s, Exec& exec) {
    const KvLayer& kv = args.kv;
    const int d = kv.head_dim, group = args.heads / kv.kv_heads;
    const AttentionRows a{kv.k, kv.v, kv.half, kv.kv_heads, d, s.blocks, group, args.scale, std::size_t(args.q.cols)};
    const bool tiles = !exact && s.rows >= fewest_tile_rows;
    const Taken taken(*exec.scratch);
    const std::size_t keys = std::size_t(s.context + s.rows + 31) / 32 * 32;
    const std::size_t bytes = line(tiles ? attend_tile_bytes(d, group) : keys * group * sizeof(float));
    char* memory = static_cast<char*>(exec.scratch->take(bytes * exec.pool->threads()));
    const int step = tiles ? attention_tile : 1, steps = (s.rows + step - 1) / step;
    run(exec, steps * kv.kv_heads, [&](int item, int thread) {
        // The last rows see most keys: they come first, so that the items at the end are short.
        const int h = item % kv.kv_heads, r = (steps - 1 - item / kv.kv_heads) * step;
        const float* q = args.q.row(s.first_row + r) + std::size_t(h) * group * d;
        float* out = args.out.row(s.first_row + r) + std::size_t(h) * group * d;
        char* scratch = memory + bytes * thread;
        if (tiles)
            attend_tile(a, h, s.context + r, std::min(step, s.rows - r), q, out, scratch);
        else
            attend_row(a, h, s.context + r, q, out, reinterpret_cast<float*>(scratch));
    });
}

template <bool exact>
void attention(const AttentionArgs& args, Exec& exec) {
    if (args.kv.head_dim % 16 != 0) return ref::attention(args, exec);
    for (int i = 0; i < args.n_sequences; ++i) attend<exact>(args, args.sequences[i], exec);
}

template <bool exact>
Ops table() {
    Ops ops = ref_ops();
    ops.target = "avx512";
    ops.packed_bytes = packed_bytes;
    ops.pack = pack;
    ops.rms_norm = rms_norm;
    ops.matmul = matmul<exact>;
    ops.rope = rope;
    ops.attention = attention<exact>;
    ops.silu_mul = silu_mul;
    ops.moe_ffn = moe_ffn<exact>;
    ops.add = add;
    return ops;
}

}  // namespace

const Ops* avx512_ops(bool exact) {
    static const Ops fast_table = table<false>(), exact_table = table<true>();
    return exact ? &exact_table : &fast_table;
}

std::string avx512_missing() {
    __builtin_cpu_init();
    std::string missing;
    auto need = [&](bool there, const char* name) {
        if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
    };
    need(__builtin_cpu_supports("avx512f"), "avx512f");
    need(__builtin_cpu_supports("avx512bw"), "avx512bw");
    need(__builtin_cpu_supports("avx512dq"), "avx512dq");
    need(__builtin_cpu_supports("avx512vl"), "avx512vl");
    need(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
    need(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
    need(__builtin_cpu_supports("fma"), "fma");
    return missing;
}

}  // namespace engine

#else

namespace engine {

const Ops* avx512_ops(bool) { return nullptr; }
std::string avx512_missing() { return "an x86-64 processor"; }

}  // namespace engine

#endif
