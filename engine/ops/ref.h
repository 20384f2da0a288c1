// The reference of every op, by name; put together in ops.cpp.
#pragma once

#include "engine/ops/ops.h"

namespace engine::ref {

std::size_t packed_bytes(Format format, int rows, int cols);
void pack(const Weight& plain, std::uint8_t* out);
void embed(Mat out, const Weight& table, const std::int32_t* ids, Exec& exec);
void rms_norm(Mat out, Mat x, const float* w, float eps, Exec& exec);
void matmul(const MatmulJob* jobs, int n_jobs, Mat x, Exec& exec);
void rope(Mat x, const RopeArgs& args, Exec& exec);
void kv_append(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences, Exec& exec);
void attention(const AttentionArgs& args, Exec& exec);
void silu_mul(Mat out, Mat gate, Mat up, Exec& exec);
void moe_route(Mat logits, int used, bool normalise, float scale, std::int32_t* chosen, float* weights, Exec& exec);
void moe_ffn(const MoeArgs& args, Exec& exec);
void add(Mat out, Mat x, Exec& exec);

// Σ x(i) * row(i), the row expanded block by block; row is plain.
double dot(const std::uint8_t* row, Format format, const float* x, int cols);

}  // namespace engine::ref
