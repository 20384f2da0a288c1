// What keys and values of eight bits are turned by before they are rounded. One number that is much larger than the others of
// its head (Qwen2.5's keys have some) would set the step of them all; turned, it is spread evenly over them.
#pragma once

#include <algorithm>

#include "engine/ops/ops.h"

namespace engine {

// In place: every head (d numbers) of every row is multiplied by an orthonormal matrix that is its own inverse: in stretches of the
// largest power of two that divides d, Walsh and Hadamard's.
void rotate_heads(Mat x, int d);

// Attention over keys and values that were turned so, by one over what is stored: q·k is what it was when both are turned, and
// the sum of values is turned back.
template <class F>
void attend_turned(const AttentionArgs& args, Exec& exec, F&& attend) {
    if (!has_scales(args.kv.format)) return attend(args);
    const Taken taken(*exec.scratch);
    AttentionArgs turned = args;
    turned.q.data = exec.scratch->take<float>(std::size_t(args.q.rows) * std::size_t(args.q.cols));
    const auto each = [&](auto&& act) {
        for (const SequenceRows* s = args.sequences; s < args.sequences + args.n_sequences; ++s) {
            const auto row = [&](int r, int) { act(s->first_row + r); };
            exec.pool->run(s->rows, row);
        }
    };
    each([&](int r) {
        std::copy_n(args.q.row(r), args.q.cols, turned.q.row(r));
        rotate_heads({turned.q.row(r), 1, args.q.cols}, args.kv.head_dim);
    });
    attend(turned);
    each([&](int r) { rotate_heads({args.out.row(r), 1, args.out.cols}, args.kv.head_dim); });
}

}  // namespace engine
