// The operations of a SIMD target: each is cut into ranges for the compute pool, and the ranges are
// handed to the target's kernels. Included by the NAME_ops.cpp of those targets.
#pragma once

#include <algorithm>

#include "engine/ops/kernels.h"
#include "engine/ops/recurrent_ops.h"
#include "engine/ops/ref.h"
#include "engine/ops/rotation.h"

namespace engine::packed {

inline std::size_t line(std::size_t bytes) { return (bytes + 63) & ~std::size_t(63); }
inline int panels(int rows) { return (rows + panel_rows - 1) / panel_rows; }
// Whether a product with the weight has float activations in profile fast.
inline bool is_float(const Weight& w) { return has_float_values(w.format) || w.layout == Layout::plain; }
inline int even(int columns) { return (columns + 1) & ~1; }

std::size_t packed_bytes(Format format, int rows, int cols);
void pack(const Weight& plain, std::uint8_t* out);

// Columns [begin, end) of a panel of matrix e, of plain rows, as an F32 panel; at most expanded_columns of them, whole
// blocks.
constexpr int expanded_columns = 512;
constexpr std::size_t expanded_bytes = sizeof(float) * panel_rows * expanded_columns;
void expand_panel(const Weight& w, int e, int panel, int begin, int end, float* to);

// out(c) = x(order(c)), or a copy without an order.
inline void gather(const float* x, const std::int32_t* order, int columns, float* out) {
    if (!order) std::copy(x, x + columns, out);
    else for (int c = 0; c < columns; ++c) out[c] = x[order[c]];
}

// Runs task(item, thread); a single item does not wake the pool.
template <class F>
void run(Exec& exec, int items, F&& task) {
    if (items == 1)
        task(0, 0);
    else
        exec.pool->run(items, task);
}

// Cuts n rows into items of 16.
template <class F>
void each_row(Exec& exec, int n, F&& task) {
    constexpr int rows = 16;
    run(exec, (n + rows - 1) / rows, [&](int item, int) {
        for (int r = item * rows; r < std::min(n, (item + 1) * rows); ++r) task(r);
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

// Rows of activations as kernels want them: floats always, int8 or BF16 where some weight needs it.
struct Input {
    const float* x;
    std::size_t stride;
    int rows;
    Activations q;
    std::uint16_t* bf16;  // (rows, even(columns))
};

// Panels of a job that one item takes: even, so that tiles are full; a few items a CPU thread, and none
// so long that the others wait for it at the end.
int panels_of_item(const Weight& w, int threads);

constexpr int moe_rows = 128;  // of one expert, computed together
constexpr std::size_t attention_bytes = 4 << 20;  // that one CPU thread takes for several heads together

// Which rows chose which expert: position `at[t * used + k]` in the list sorted by expert.
struct Routing {
    std::int32_t *at, *row, *first;  // row[position] = t; first[expert] … first[expert + 1]
};
Routing routing_of(const MoeArgs& args, Scratch& scratch);
// Those that some row chose, rising; returns how many.
int chosen_experts(const MoeArgs& args, const Routing& routing, std::int32_t* experts);

// Rows [begin, end) of the routing, all of expert e.
struct ExpertItem {
    int e, begin, end;
};
// Of so many experts, at most moe_rows rows each; returns how many.
int items_of(const Routing& routing, const std::int32_t* experts, int n, ExpertItem* items);

// Of an expert's matrices, whose columns may be more than their inputs (see Weight::order).
inline int widest_columns(const MoeArgs& args) { return std::max({args.gate.cols, args.up.cols, args.down.cols}); }

// What one CPU thread needs for up to moe_rows rows of an expert.
struct ExpertScratch {
    std::size_t rows, quantised, bf16, inner, work, total;  // inner: gate and up
};
ExpertScratch expert_scratch(const MoeArgs& args, int rows, std::size_t work);

// Into how many parts each of n items is cut, so that no CPU thread is left without work: a few rows
// choose fewer experts than there are threads.
int parts_of_expert(const MoeArgs& args, int n, int threads);

template <const Kernels& k>
struct PackedOps {
    // Scratch of one CPU thread for `multiply`.
    static std::size_t work_bytes(int columns) { return line(k.scratch_bytes(columns)) + expanded_bytes; }

    // Whether a weight meets activations of BF16.
    template <bool exact>
    static bool is_bf16(const Weight& w) { return !exact && w.format == Format::bf16 && w.layout == Layout::panel16 && k.matmul_bf16; }

    static std::uint16_t* take_bf16(int rows, int columns, Exec& exec) {
        return exec.scratch->take<std::uint16_t>(std::size_t(rows) * std::size_t(even(columns)));
    }

    // Plain weights are expanded a piece at a time, and each piece serves all rows.
    static void multiply_plain(const Weight& w, int e, const Input& in, const Results& to, int begin, int end, char* scratch) {
        float* piece = reinterpret_cast<float*>(scratch);
        for (int p = begin; p < end; ++p)
            for (int c = 0; c < w.cols; c += expanded_columns) {
                const int c_end = std::min(w.cols, c + expanded_columns), row = p * panel_rows;
                expand_panel(w, e, p, c, c_end, piece);
                const Panels part{Format::f32, reinterpret_cast<const std::uint8_t*>(piece), std::min(panel_rows, w.rows - row), c_end - c, 1};
                // Bias with the first columns, later ones add to what is there.
                const Results at{to.out + row, to.stride, to.bias && c == 0 ? to.bias + row : nullptr, to.accumulate || c > 0};
                k.matmul_float(part, in.x + c, in.stride, in.rows, at, 0, 1, scratch + expanded_bytes);
            }
    }

    // Panels [begin, end) of matrix e.
    template <bool exact>
    static void multiply(const Weight& w, int e, const Input& in, const Results& to, int begin, int end, char* scratch) {
        const Panels panels{w.format, w.matrix(e), w.rows, w.cols, w.scale_of(e)};
        if (w.layout == Layout::plain)
            multiply_plain(w, e, in, to, begin, end, scratch);
        else if (is_bf16<exact>(w))
            k.matmul_bf16(panels, in.bf16, std::size_t(even(w.cols)), in.rows, to, begin, end);
        else if (exact || is_float(w))
            k.matmul_float(panels, in.x, in.stride, in.rows, to, begin, end, scratch);
        else
            k.matmul_int8(panels, in.q, to, begin, end, scratch);
    }

    // The columns of x as a weight with an order of its own meets them.
    static Mat in_order(Mat x, const Weight& w, Exec& exec) {
        const Mat out{exec.scratch->take<float>(std::size_t(x.rows) * w.cols), x.rows, w.cols};
        each_row(exec, x.rows, [&](int r) { gather(x.row(r), w.order, w.cols, out.row(r)); });
        return out;
    }

    template <bool exact>
    static void matmul(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec) {
        const auto ordered = [](const MatmulJob& job) { return job.w->order != nullptr; };
        if (std::none_of(jobs, jobs + n_jobs, ordered)) return matmul_as_stored<exact>(jobs, n_jobs, x, exec);
        for (int j = 0; j < n_jobs; ++j) {
            const Taken taken(*exec.scratch);
            const Mat in = ordered(jobs[j]) ? in_order(x, *jobs[j].w, exec) : x;
            matmul_as_stored<exact>(&jobs[j], 1, in, exec);
        }
    }

    static void quantise(const float* x, std::size_t stride, const Activations& to, int begin, int end) {
        for (int r = begin; r < end; ++r) k.quantise_blocks(x + std::size_t(r) * stride, to, r, 0, to.columns / 32);
    }

    static Activations quantised(Mat x, Exec& exec) {
        const Activations q = activations_at(exec.scratch->take(activations_bytes(x.rows, x.cols)), x.rows, x.cols);
        const int items = (x.rows + group_rows - 1) / group_rows;
        run(exec, items, [&](int i, int) {
            quantise(x.data, std::size_t(x.cols), q, i * group_rows, std::min(x.rows, (i + 1) * group_rows));
        });
        return q;
    }

    template <bool exact>
    static void matmul_as_stored(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec) {
        const Taken taken(*exec.scratch);
        const int threads = exec.pool->threads();
        bool any_int8 = false, any_bf16 = false;
        int items = 0;
        for (int j = 0; j < n_jobs; ++j) {
            const int all = panels(jobs[j].w->rows), each = panels_of_item(*jobs[j].w, threads);
            items += (all + each - 1) / each;
            any_int8 = any_int8 || !(exact || is_float(*jobs[j].w));
            any_bf16 = any_bf16 || is_bf16<exact>(*jobs[j].w);
        }
        const Input in{x.data, std::size_t(x.cols), x.rows, any_int8 ? quantised(x, exec) : Activations{},
                       any_bf16 ? take_bf16(x.rows, x.cols, exec) : nullptr};
        if (any_bf16) each_row(exec, x.rows, [&](int r) { k.to_bf16(x.row(r), x.cols, in.bf16 + std::size_t(r) * even(x.cols)); });
        const std::size_t bytes = work_bytes(x.cols);
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
            multiply<exact>(*job.w, 0, in, to, item * each, std::min(all, (item + 1) * each), scratch + bytes * thread);
        });
    }

    static void add_experts(const MoeArgs& args, const Routing& routing, const float* down, Exec& exec) {
        const int h = args.out.cols;
        each_row(exec, args.out.rows, [&](int t) {
            for (int c = 0; c < args.used; ++c) {
                const int i = t * args.used + c;
                k.add_scaled(args.out.row(t), down + std::size_t(routing.at[i]) * h, args.weights[i], std::size_t(h));
            }
        });
    }

    // Which panels of a matrix part `part` of `parts` computes.
    struct PanelRange {
        int begin, end;
        PanelRange(int rows, int part, int parts) : begin(panels(rows) * part / parts), end(panels(rows) * (part + 1) / parts) {}
    };

    // The rows that experts choose as int8, once for all of them; none where they are not wanted, or each expert orders their columns.
    template <bool exact>
    static Activations quantised_for_experts(const MoeArgs& args, Exec& exec) {
        const bool wanted = !exact && !(is_float(args.gate) && is_float(args.up)) && !args.gate.order && !args.up.order;
        return wanted ? quantised(args.x, exec) : Activations{};
    }

    // hidden(row, c) = activation(gate · x, up · x), for the columns of one part.
    template <bool exact>
    static void gate_up(const MoeArgs& args, const Activations& quantised, const Routing& routing, const ExpertItem& item, const PanelRange& part, float* hidden,
                        char* memory, const ExpertScratch& sizes) {
        const int n = item.end - item.begin, inner = args.gate.rows;
        float* rows = reinterpret_cast<float*>(memory);
        float* gate = reinterpret_cast<float*>(memory + sizes.rows + sizes.quantised + sizes.bf16);
        float* up = gate + std::size_t(n) * inner;
        char* work = memory + sizes.total - sizes.work;

        const bool floats = exact || is_float(args.gate) || is_float(args.up);
        const bool int8 = !exact && !(is_float(args.gate) && is_float(args.up));
        const bool bf16 = is_bf16<exact>(args.gate) || is_bf16<exact>(args.up);
        const auto bring = [&](const Weight& w) {
            const std::int32_t* order = w.order_of(item.e);
            const int h = w.cols;
            const Input in{rows, std::size_t(h), n, activations_at(memory + sizes.rows, n, h), reinterpret_cast<std::uint16_t*>(memory + sizes.rows + sizes.quantised)};
            for (int i = 0; i < n; ++i) {
                const float* x = args.x.row(routing.row[item.begin + i]);
                float* row = rows + std::size_t(i) * h;
                if (floats || order) gather(x, order, h, row);
                if (quantised.rows > 0) copy_row(quantised, routing.row[item.begin + i], in.q, i);
                else if (int8) k.quantise_blocks(order ? row : x, in.q, i, 0, h / 32);
                if (bf16) k.to_bf16(order ? row : x, h, in.bf16 + std::size_t(i) * even(h));
            }
            return in;
        };
        const std::size_t stride = std::size_t(inner);
        const auto bias = [&](const float* of_all) { return of_all ? of_all + std::size_t(item.e) * stride : nullptr; };
        Input in = bring(args.gate);
        multiply<exact>(args.gate, item.e, in, {gate, stride, bias(args.gate_bias), false}, part.begin, part.end, work);
        if (args.up.order != args.gate.order) in = bring(args.up);
        multiply<exact>(args.up, item.e, in, {up, stride, bias(args.up_bias), false}, part.begin, part.end, work);
        const std::size_t first = std::size_t(part.begin) * panel_rows, last = std::min(stride, std::size_t(part.end) * panel_rows);
        for (std::size_t at = first; at < std::size_t(n) * stride; at += stride)
            k.activate(hidden + std::size_t(item.begin) * stride + at, gate + at, up + at, last - first, args.activation);
    }

    // down(row, c) = down · hidden, for the columns of one part.
    template <bool exact>
    static void down(const MoeArgs& args, const ExpertItem& item, const PanelRange& part, const float* hidden, float* out, char* memory,
                     const ExpertScratch& sizes) {
        const int n = item.end - item.begin, h = args.out.cols, width = args.gate.rows, inner = args.down.cols;
        const float* rows = hidden + std::size_t(item.begin) * width;
        if (const std::int32_t* order = args.down.order_of(item.e)) {
            float* ordered = reinterpret_cast<float*>(memory + sizes.rows + sizes.quantised + sizes.bf16);  // gate and up are done with
            for (int i = 0; i < n; ++i) gather(rows + std::size_t(i) * width, order, inner, ordered + std::size_t(i) * inner);
            rows = ordered;
        }
        Input in{rows, std::size_t(inner), n, activations_at(memory + sizes.rows, n, inner), reinterpret_cast<std::uint16_t*>(memory + sizes.rows + sizes.quantised)};
        if (!exact && !is_float(args.down)) quantise(rows, std::size_t(inner), in.q, 0, n);
        if (is_bf16<exact>(args.down))
            for (int i = 0; i < n; ++i) k.to_bf16(rows + std::size_t(i) * inner, inner, in.bf16 + std::size_t(i) * even(inner));
        const float* bias = args.down_bias ? args.down_bias + std::size_t(item.e) * h : nullptr;
        multiply<exact>(args.down, item.e, in, {out + std::size_t(item.begin) * h, std::size_t(h), bias, false}, part.begin,
                        part.end, memory + sizes.total - sizes.work);
    }

    template <bool exact>
    static void moe_ffn(const MoeArgs& args, Exec& exec) {
        const Taken taken(*exec.scratch);
        const int threads = exec.pool->threads(), pairs = args.x.rows * args.used, inner = args.gate.rows;
        const Routing routing = routing_of(args, *exec.scratch);
        ExpertItem* items = exec.scratch->take<ExpertItem>(std::size_t(args.experts) + pairs / moe_rows + 1);
        float* hidden = exec.scratch->take<float>(std::size_t(pairs) * inner);
        float* out = exec.scratch->take<float>(std::size_t(pairs) * args.out.cols);
        const std::size_t work = work_bytes(widest_columns(args));
        const ExpertScratch sizes = expert_scratch(args, std::min(moe_rows, args.x.rows), work);
        char* memory = static_cast<char*>(exec.scratch->take(sizes.total * threads));
        std::int32_t* experts = exec.scratch->take<std::int32_t>(std::size_t(args.experts));
        const int n_experts = chosen_experts(args, routing, experts);
        const Activations quantised = quantised_for_experts<exact>(args, exec);
        for (int first = 0, now = n_experts; first < n_experts; first += now) {
            if (args.supply) now = args.supply->begin(args.stack, experts + first, n_experts - first);
            const int n = items_of(routing, experts + first, now, items), parts = parts_of_expert(args, n, threads);
            const auto there = [&](int i) { return !args.supply || args.supply->wait(args.stack, items[i].e); };
            run(exec, n * parts, [&](int i, int thread) {
                if (!there(i / parts)) return;
                char* mine = memory + sizes.total * thread;
                gate_up<exact>(args, quantised, routing, items[i / parts], {inner, i % parts, parts}, hidden, mine, sizes);
                if (parts == 1) down<exact>(args, items[i], {args.out.cols, 0, 1}, hidden, out, mine, sizes);
            });
            if (parts > 1)
                run(exec, n * parts, [&](int i, int thread) {
                    if (there(i / parts)) down<exact>(args, items[i / parts], {args.out.cols, i % parts, parts}, hidden, out, memory + sizes.total * thread, sizes);
                });
        }
        add_experts(args, routing, out, exec);
    }

    static void rms_norm(Mat out, Mat x, const float* w, float eps, Exec& exec) {
        each_row(exec, x.rows, [&](int r) { k.rms_norm(out.row(r), x.row(r), w, x.cols, eps); });
    }

    static void group_norm(Mat out, Mat x, const float* w, int groups, float eps, Exec& exec) {
        const int cols = x.cols / groups;
        each_row(exec, x.rows, [&](int r) {
            for (int i = 0; i < groups; ++i) k.rms_norm(out.row(r) + i * cols, x.row(r) + i * cols, w + i * cols, cols, eps);
        });
    }

    static void layer_norm(Mat out, Mat x, const float* w, const float* b, float eps, Exec& exec) {
        each_row(exec, x.rows, [&](int r) { k.layer_norm(out.row(r), x.row(r), w, b, x.cols, eps); });
    }

    static void activate(Mat out, Mat gate, Mat up, Activation activation, Exec& exec) {
        each_range(exec, std::size_t(out.rows) * out.cols, [&](std::size_t at, std::size_t n) {
            k.activate(out.data + at, gate.data + at, up.data + at, n, activation);
        });
    }

    static void gelu(Mat x, Exec& exec) {
        each_range(exec, std::size_t(x.rows) * x.cols, [&](std::size_t at, std::size_t n) { k.gelu(x.data + at, n); });
    }

    static void add_scaled(Mat out, Mat x, float factor, Exec& exec) {
        each_range(exec, std::size_t(out.rows) * out.cols,
                   [&](std::size_t at, std::size_t n) { k.add_scaled(out.data + at, x.data + at, factor, n); });
    }

    static void rope(Mat x, const RopeArgs& args, Exec& exec) {
        constexpr int most = 512;  // dimensions of a head
        if (args.dim > most) return ref::rope(x, args, exec);
        each_row(exec, x.rows, [&](int r) {
            float work[most];
            k.rope(x.row(r), x.cols, args, args.positions[r], work);
        });
    }

    // Heads [first, first + group) of a sequence's rows, which share key-value head h.
    static AttentionRows attention_rows(const AttentionArgs& args, const SequenceRows& s, int first, int group) {
        const KvLayer& kv = args.kv;
        return {kv.k, kv.v, kv.format, kv.kv_heads, kv.head_dim, s.blocks, group, args.scale, std::size_t(args.q.cols),
                args.window, args.sinks ? args.sinks + first : nullptr, args.causal ? 0 : s.context + s.rows};
    }

    // The query heads of a key-value head go together, so that its keys are read once, as far as memory and the number of CPU
    // threads allow: `items` of them, each with bytes_of(heads) of memory.
    template <class F>
    static int heads_together(int group, int items, int threads, F&& bytes_of) {
        int each = group;
        while (each > 1 && (bytes_of(each) > attention_bytes || items * ((group + each - 1) / each) < threads)) each = (each + 1) / 2;
        return each;
    }

    // One row of the heads that go together.
    struct RowItem {
        AttentionRows a;
        int kv, position, spans;
        const float* q;
        float* out;
        char* states;
        std::size_t state_bytes;
    };

    // Row by row, each cut into spans of its keys, so that CPU threads share even one row of one key-value head.
    static void attend_rows(const AttentionArgs& args, const SequenceRows& s, Exec& exec) {
        const Taken taken(*exec.scratch);
        const int d = args.kv.head_dim, kv_heads = args.kv.kv_heads, group = args.heads / kv_heads;
        const auto spans_of = [&](int r) { return Spans(Sight(attention_rows(args, s, 0, group), s.context + r)).count(); };
        int spans = 0;
        for (int r = 0; r < s.rows; ++r) spans = std::max(spans, spans_of(r));
        const auto bytes_of = [&](int heads) { return line(k.attend_span_bytes(d, heads) * std::size_t(spans)); };
        const int each = heads_together(group, s.rows * kv_heads * spans, exec.pool->threads(), bytes_of), parts = (group + each - 1) / each;
        const int of_row = kv_heads * parts, together = std::clamp(int(attention_bytes / (bytes_of(each) * std::size_t(of_row))), 1, s.rows);
        char* const memory = static_cast<char*>(exec.scratch->take(bytes_of(each) * std::size_t(of_row * together)));
        for (int begin = 0; begin < s.rows; begin += together) {
            const auto item_of = [&](int i) -> RowItem {
                const int r = begin + i / of_row, kv = i % of_row / parts, part = i % parts * each, heads = std::min(each, group - part), first = kv * group + part;
                const std::size_t at = std::size_t(first) * std::size_t(d);
                return {attention_rows(args, s, first, heads), kv, s.context + r, spans_of(r), args.q.row(s.first_row + r) + at, args.out.row(s.first_row + r) + at,
                        memory + bytes_of(each) * std::size_t(i), k.attend_span_bytes(d, heads)};
            };
            const int items = std::min(together, s.rows - begin) * of_row;
            run(exec, items * spans, [&](int i, int) {
                const RowItem row = item_of(i / spans);
                if (const int span = i % spans; span < row.spans) k.attend_span(row.a, row.kv, row.position, span, row.q, row.states + row.state_bytes * std::size_t(span));
            });
            run(exec, items, [&](int i, int) {
                const RowItem row = item_of(i);
                k.attend_join(row.a, row.states, row.spans, row.out);
            });
        }
    }

    static void attend_tiles(const AttentionArgs& args, const SequenceRows& s, Exec& exec) {
        const int d = args.kv.head_dim, group = args.heads / args.kv.kv_heads, threads = exec.pool->threads();
        const Taken taken(*exec.scratch);
        const int step = k.tile_rows, steps = (s.rows + step - 1) / step;
        const auto bytes_of = [&](int heads) { return line(k.attend_tile_bytes(d, heads)); };
        const int each = heads_together(group, steps * args.kv.kv_heads, threads, bytes_of), parts = (group + each - 1) / each;
        const std::size_t bytes = bytes_of(each);
        char* memory = static_cast<char*>(exec.scratch->take(bytes * threads));
        run(exec, steps * args.kv.kv_heads * parts, [&](int item, int thread) {
            // The last rows see most keys: they come first, so that the items at the end are short.
            const int part = item % parts * each, h = item / parts % args.kv.kv_heads, r = (steps - 1 - item / parts / args.kv.kv_heads) * step;
            const int first = h * group + part, row = s.first_row + r;
            const std::size_t at = std::size_t(first) * d;
            k.attend_tile(attention_rows(args, s, first, std::min(each, group - part)), h, s.context + r, std::min(step, s.rows - r), args.q.row(row) + at,
                          args.out.row(row) + at, memory + bytes * thread);
        });
    }

    template <bool exact>
    static void attention(const AttentionArgs& args, Exec& exec) {
        if (args.kv.head_dim % 16 != 0 || args.kv.head_dim > 576) return ref::attention(args, exec);
        constexpr int fewest_tile_rows = 8;
        attend_turned(args, exec, [&](const AttentionArgs& turned) {
            for (int i = 0; i < turned.n_sequences; ++i) {
                const SequenceRows& s = turned.sequences[i];
                if (!exact && !s.one_by_one && s.rows >= fewest_tile_rows) attend_tiles(turned, s, exec);
                else attend_rows(turned, s, exec);
            }
        });
    }

    template <bool exact>
    static Ops table(const char* target) {
        Ops ops = ref_ops();
        ops.target = target;
        ops.packed_bytes = packed_bytes;
        ops.pack = pack;
        ops.rms_norm = rms_norm;
        ops.group_norm = group_norm;
        ops.layer_norm = layer_norm;
        ops.matmul = matmul<exact>;
        ops.rope = rope;
        ops.attention = attention<exact>;
        ops.convolve = RecurrentOps<k>::convolve;
        ops.gated_delta = RecurrentOps<k>::template gated_delta<exact>;
        ops.selective_scan = RecurrentOps<k>::selective_scan;
        ops.activate = activate;
        ops.gelu = gelu;
        ops.moe_ffn = moe_ffn<exact>;
        ops.add_scaled = add_scaled;
        ops.peak = k.peak;
        return ops;
    }
};

}  // namespace engine::packed
