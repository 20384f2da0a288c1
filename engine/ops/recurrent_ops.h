// Mixers that carry a state from row to row, cut into items for the compute pool: heads, or channels of a convolution. Included
// by packed_ops.h.
#pragma once

#include <algorithm>
#include <cmath>

#include "engine/ops/convolution.h"
#include "engine/ops/kernels.h"
#include "engine/ops/ops.h"
#include "engine/ops/ref.h"

namespace engine::packed {

template <const Kernels& k>
struct RecurrentOps {
    static constexpr int rows_together = 32;  // of one head: their vectors stay near
    static constexpr int fewest_of_chunk = 8;  // rows of a sequence: fewer are as fast one after another
    static constexpr int kernel_most = 16;

    static void convolve(const ConvArgs& args, Exec& exec) {
        if (args.kernel > kernel_most) return ref::convolve(args, exec);
        convolve_rows(args, exec, [&](float* out, const auto& row, int begin, int n) {
            const float* in[kernel_most];
            for (int j = 0; j < args.kernel; ++j) in[j] = row(j);
            k.convolve_row(out, in, args.w + begin, std::size_t(args.x.cols), args.bias ? args.bias + begin : nullptr, args.kernel, std::size_t(n));
            if (args.silu) k.activate(out, out, out, std::size_t(n), Activation::sigmoid);
        });
    }

    template <bool exact>
    static void gated_delta(const DeltaArgs& args, Exec& exec) {
        const int dk = args.key_dim, dv = args.value_dim, repeat = args.value_heads / args.key_heads;
        const Taken taken(*exec.scratch);
        const std::size_t room = std::max(std::size_t(rows_together) * std::size_t(2 * dk + 1), delta_chunk_work(dk, dv));
        float* const memory = exec.scratch->take<float>(room * std::size_t(exec.pool->threads()));
        exec.pool->run(args.n_sequences * args.value_heads, [&](int item, int thread) {
            const SequenceRows& s = args.sequences[item / args.value_heads];
            const int head = item % args.value_heads, key_head = args.tiled ? head % args.key_heads : head / repeat;
            float decay[rows_together], beta[rows_together];
            const bool chunks = !exact && !s.one_by_one && s.rows >= fewest_of_chunk;
            const int together = chunks ? delta_rows : rows_together;
            for (int done = 0; done < s.rows; done += together) {
                const int first = s.first_row + done, n = std::min(together, s.rows - done);
                for (int r = 0; r < n; ++r) {
                    decay[r] = std::exp(args.a[head] * ref::softplus(args.alpha.row(first + r)[head] + args.dt_bias[head]));
                    beta[r] = ref::sigmoid(args.beta.row(first + r)[head]);
                }
                const float* const in = args.qkv.row(first);
                const DeltaHead rows{.state = s.state + args.state + std::size_t(head) * dk * dv,
                                     .q = in + std::size_t(key_head) * dk,
                                     .k = in + std::size_t(args.key_heads + key_head) * dk,
                                     .v = in + std::size_t(2 * args.key_heads) * dk + std::size_t(head) * dv,
                                     .in_stride = std::size_t(args.qkv.cols),
                                     .out = args.out.row(first) + std::size_t(head) * dv,
                                     .out_stride = std::size_t(args.out.cols),
                                     .decay = decay,
                                     .beta = beta,
                                     .rows = n,
                                     .key_dim = dk,
                                     .value_dim = dv,
                                     .work = memory + room * std::size_t(thread)};
                chunks ? k.delta_chunk(rows) : k.delta_head(rows);
            }
        });
    }

    static void selective_scan(const ScanArgs& args, Exec& exec) {
        const int p = args.head_dim, n = args.state_size, inner = args.heads * p;
        exec.pool->run(args.n_sequences * args.heads, [&](int item, int) {
            const SequenceRows& s = args.sequences[item / args.heads];
            const int head = item % args.heads, group = head * args.groups / args.heads;
            float step[rows_together], decay[rows_together];
            for (int done = 0; done < s.rows; done += rows_together) {
                const int first = s.first_row + done, rows = std::min(rows_together, s.rows - done);
                for (int r = 0; r < rows; ++r) {
                    step[r] = ref::softplus(args.dt.row(first + r)[head] + args.dt_bias[head]);
                    decay[r] = std::exp(step[r] * args.a[head]);
                }
                const float* const in = args.xbc.row(first);
                const float* const b = in + inner + std::size_t(group) * n;
                k.scan_head({.state = s.state + args.state + std::size_t(head) * p * n,
                             .x = in + std::size_t(head) * p,
                             .b = b,
                             .c = b + std::size_t(args.groups) * n,
                             .in_stride = std::size_t(args.xbc.cols),
                             .out = args.out.row(first) + std::size_t(head) * p,
                             .out_stride = std::size_t(args.out.cols),
                             .step = step,
                             .decay = decay,
                             .d = args.d[head],
                             .rows = rows,
                             .head_dim = p,
                             .state_size = n});
            }
        });
    }
};

}  // namespace engine::packed
