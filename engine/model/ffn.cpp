// Feed-forward networks: dense, of experts, and both beside each other.
#include "engine/model/blocks.h"
#include "engine/model/expert_cache.h"

namespace engine {
namespace {

// out [+]= down · activation(gate · in, up · in)
void dense_ffn(const Model& m, const Ffn& ffn, Mat in, Mat out, bool accumulate, Activations& a, Exec& exec) {
    const Ops& ops = *m.ops;
    const Mat gate = reshaped(a.gate, ffn.gate.rows), up = reshaped(a.up, ffn.gate.rows);
    const MatmulJob jobs[] = {{&ffn.gate, gate, nullptr, false}, {&ffn.up, up, nullptr, false}};
    project(m, jobs, 2, in, *a.batch, exec);
    ops.activate(gate, gate, up, m.config.family->activation, exec);
    const MatmulJob down{&ffn.down, out, nullptr, accumulate};
    project(m, &down, 1, gate, *a.batch, exec);
}

// out += the chosen experts' results for `in`, chosen by `router_in`, and the shared one's.
void experts_ffn(const Model& m, int index, Mat router_in, Mat in, Mat out, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Experts& l = m.layers[std::size_t(index)].experts;
    const Ops& ops = *m.ops;
    const Taken taken(*exec.scratch);
    const int n = in.rows;
    const Mat logits = take(*exec.scratch, n, c.experts);
    std::int32_t* const chosen = exec.scratch->take<std::int32_t>(std::size_t(n) * std::size_t(c.experts_used));
    float* const weights = exec.scratch->take<float>(std::size_t(n) * std::size_t(c.experts_used));
    const MatmulJob route{&l.router, logits, l.router_bias, false};
    ops.matmul(&route, 1, router_in, exec);
    const RouteArgs routing{logits, c.experts_used, c.sigmoid_router, c.normalise_experts, c.expert_scale, c.expert_groups, c.expert_groups_used,
                            l.choice_bias, l.scale, chosen, weights};
    ops.moe_route(routing, exec);
    if (a.observer) a.observer->routed(routing);
    MoeArgs args{out, in, l.gate, l.up, l.down, l.gate_bias, l.up_bias, l.down_bias, chosen, weights, c.experts, c.experts_used, c.family->activation};
    if (m.experts) {
        args.supply = m.experts.get();
        args.stack = m.experts->stack_of(index);
        m.experts->routed(args.stack, chosen, n);
    }
    ops.moe_ffn(args, exec);
    if (m.experts) m.experts->settle();
    if (!l.shared.gate.rows) return;
    if (!l.shared_gate.rows) return dense_ffn(m, l.shared, in, out, true, a, exec);
    const Mat result = take(*exec.scratch, n, c.hidden), factor = take(*exec.scratch, n, 1);
    dense_ffn(m, l.shared, in, result, false, a, exec);
    const MatmulJob gate{&l.shared_gate, factor, nullptr, false};
    ops.matmul(&gate, 1, in, exec);
    ops.scale_rows(result, factor, exec);
    ops.add_scaled(out, result, 1, exec);
}

// gemma4: branch = norm(dense(norm(x))) + norm(experts(norm(x))), the router reading x by a norm of its own.
void dense_beside_experts(const Model& m, int index, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const Ops& ops = *m.ops;
    const Taken taken(*exec.scratch);
    const Mat experts = take(*exec.scratch, a.x.rows, c.hidden), router_in = take(*exec.scratch, a.x.rows, c.hidden);
    dense_ffn(m, l.ffn, a.normed, a.branch, false, a, exec);
    ops.rms_norm(a.branch, a.branch, l.dense_post_norm, c.norm_epsilon, exec);
    ops.rms_norm(a.normed, a.x, l.experts_norm, c.norm_epsilon, exec);
    ops.rms_norm(router_in, a.x, l.experts.router_norm, c.norm_epsilon, exec);
    ops.clear(experts, exec);
    experts_ffn(m, index, router_in, a.normed, experts, a, exec);
    ops.rms_norm(experts, experts, l.experts_post_norm, c.norm_epsilon, exec);
    ops.add_scaled(a.branch, experts, 1, exec);
}

}  // namespace

std::size_t ffn_row(const Config& c) { return c.experts ? std::size_t(c.experts + 2 * c.experts_used + 3 * c.hidden + 1) : 0; }

void ffn_block(const Model& m, int index, Activations& a, Exec& exec) {
    const Config& c = m.config;
    const Layer& l = m.layers[std::size_t(index)];
    const bool at_once = adds_at_once(c);
    const Mat out = at_once ? a.x : a.branch;
    read_branch(m, l.ffn_norm, a, exec);
    if (l.experts_norm) {
        dense_beside_experts(m, index, a, exec);
    } else if (c.layer[std::size_t(index)].moe) {
        if (!at_once) m.ops->clear(out, exec);
        experts_ffn(m, index, a.normed, a.normed, out, a, exec);
    } else {
        dense_ffn(m, l.ffn, a.normed, out, at_once, a, exec);
    }
    if (!at_once) add_branch(m, l.ffn_post_norm, a, exec);
}

}  // namespace engine
