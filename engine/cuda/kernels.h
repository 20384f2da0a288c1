// The operations on CUDA, by name; put together in cuda_ops.cu. Matrices, ids and arrays are memory of the device; tables of jobs and
// sequences are the host's and travel in the arguments of the launches, so that no copy precedes them.
#pragma once

#include "engine/ops/ops.h"

namespace engine::cuda {

void embed(Mat out, const Weight& table, const std::int32_t* ids, Exec& exec);
void rms_norm(Mat out, Mat x, const float* w, float eps, Exec& exec);
void group_norm(Mat out, Mat x, const float* w, int groups, float eps, Exec& exec);
void layer_norm(Mat out, Mat x, const float* w, const float* b, float eps, Exec& exec);
void matmul(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec);
void rope(Mat x, const RopeArgs& args, Exec& exec);
void kv_append(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences, Exec& exec);
void attention(const AttentionArgs& args, Exec& exec);
void convolve(const ConvArgs& args, Exec& exec);
void gated_delta(const DeltaArgs& args, Exec& exec);
void selective_scan(const ScanArgs& args, Exec& exec);
void activate(Mat out, Mat gate, Mat up, Activation activation, Exec& exec);
void gelu(Mat x, Exec& exec);
void moe_route(const RouteArgs& args, Exec& exec);
void moe_ffn(const MoeArgs& args, Exec& exec);
void add_scaled(Mat out, Mat x, float factor, Exec& exec);
void scale(Mat x, float factor, Exec& exec);
void scale_rows(Mat x, Mat gate, Exec& exec);
void softcap(Mat x, float cap, Exec& exec);
void subtract_row(Mat x, const float* row, Exec& exec);
void copy_columns(Mat out, int at, Mat x, int from, int columns, Exec& exec);
void gather_rows(Mat out, Mat x, const std::int32_t* rows, Exec& exec);
void clear(Mat x, Exec& exec);

// Sequences as an argument of a kernel: so many a launch.
struct Sequences {
    static constexpr int most = 32;
    SequenceRows of[most];
    int n = 0, most_rows = 0;
};
// one(some of them) until all were handed on.
template <class One>
void each_sequences(const SequenceRows* sequences, int n_sequences, One&& one) {
    for (int begin = 0; begin < n_sequences; begin += Sequences::most) {
        Sequences some;
        for (int i = begin; i < n_sequences && some.n < Sequences::most; ++i) {
            some.of[some.n++] = sequences[i];
            if (sequences[i].rows > some.most_rows) some.most_rows = sequences[i].rows;
        }
        one(some);
    }
}

}  // namespace engine::cuda
