#include "engine/ops/packed_ops.h"

namespace engine::packed {

std::size_t packed_bytes(Format format, int rows, int cols) {
    if (!has_panels(format, cols)) return 0;
    return std::size_t(panels(rows)) * panel_bytes(format, cols);
}

void pack(const Weight& plain, std::uint8_t* out) {
    const std::size_t bytes = row_bytes(plain.format, std::size_t(plain.cols)), panel = panel_bytes(plain.format, plain.cols);
    for (int r = 0; r < plain.rows; r += panel_rows)
        pack_panel(plain.format, plain.data + std::size_t(r) * bytes, bytes, std::min(panel_rows, plain.rows - r), plain.cols,
                   out + std::size_t(r / panel_rows) * panel);
}

void expand_panel(const Weight& w, int e, int panel, int begin, int end, float* to) {
    float row[expanded_columns];
    const int first = panel * panel_rows, lanes = std::min(panel_rows, w.rows - first), n = end - begin;
    if (lanes < panel_rows) std::fill(to, to + std::size_t(n) * panel_rows, 0.0f);
    for (int lane = 0; lane < lanes; ++lane) {
        ref::expand(w, e, first + lane, begin, n, row);
        for (int c = 0; c < n; ++c) to[c * panel_rows + lane] = row[c];
    }
}

int panels_of_item(const Weight& w, int threads) {
    const int all = panels(w.rows);
    if (threads == 1) return all;
    constexpr std::size_t longest = 512 << 10;  // bytes
    const std::size_t panel = w.layout == Layout::panel16 ? panel_bytes(w.format, w.cols) : panel_rows * row_bytes(w.format, std::size_t(w.cols));
    const int most = std::max(2, int(longest / panel));
    const int wanted = std::min(most, (all + threads * 4 - 1) / (threads * 4));
    return std::max(2, (wanted + 1) / 2 * 2);
}

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

int chosen_experts(const MoeArgs& args, const Routing& routing, std::int32_t* experts) {
    int n = 0;
    for (int e = 0; e < args.experts; ++e)
        if (routing.first[e] < routing.first[e + 1]) experts[n++] = e;
    return n;
}

int items_of(const Routing& routing, const std::int32_t* experts, int n, ExpertItem* items) {
    int n_items = 0;
    for (int k = 0; k < n; ++k)
        for (int e = experts[k], i = routing.first[e]; i < routing.first[e + 1]; i += moe_rows) items[n_items++] = {e, i, std::min(i + moe_rows, routing.first[e + 1])};
    return n_items;
}

ExpertScratch expert_scratch(const MoeArgs& args, int rows, std::size_t work) {
    const int h = std::max(args.gate.cols, args.up.cols), inner = std::max(2 * args.gate.rows, args.down.cols), widest = widest_columns(args);
    ExpertScratch s{};
    s.rows = line(std::size_t(rows) * h * sizeof(float));
    s.quantised = line(activations_bytes(rows, widest));
    const bool bf16 = args.gate.format == Format::bf16 || args.up.format == Format::bf16 || args.down.format == Format::bf16;
    s.bf16 = bf16 ? line(std::size_t(rows) * even(widest) * sizeof(std::uint16_t)) : 0;
    s.inner = line(std::size_t(rows) * inner * sizeof(float));
    s.work = line(work);
    s.total = s.rows + s.quantised + s.bf16 + s.inner + s.work;
    return s;
}

int parts_of_expert(const MoeArgs& args, int n, int threads) {
    constexpr int items_of_thread = 4, fewest_panels = 4;
    if (threads == 1 || n == 0 || n >= items_of_thread * threads) return 1;
    const int most = std::min(panels(args.gate.rows), panels(args.out.cols)) / fewest_panels;
    return std::max(1, std::min(most, (items_of_thread * threads + n - 1) / n));
}

}  // namespace engine::packed
