// The reference of every op, by name; put together in ops.cpp.
#pragma once

#include <cmath>

#include "engine/ops/ops.h"

namespace engine::ref {

std::size_t packed_bytes(Format format, int rows, int cols);
void pack(const Weight& plain, std::uint8_t* out);
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
double peak(Arithmetic arithmetic, long rounds);

inline float softplus(float x) { return x > 20 ? x : std::log1p(std::exp(x)); }
inline float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }
double activated(Activation activation, double gate, double up);

// Columns [begin, begin + n) of a row of matrix e, a plain one: whole blocks.
void expand(const Weight& w, int e, int row, int begin, int n, float* out);
// Σ x(order(i)) * row(i) of matrix e.
double dot(const Weight& w, int e, int row, const float* x);

}  // namespace engine::ref
