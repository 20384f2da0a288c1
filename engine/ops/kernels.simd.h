// The kernels of a target that NAME.simd.h make, in its namespace; contracts in kernels.h. HEARTH_TARGET: the namespace.
#pragma once

#include "engine/ops/kernels.h"

namespace engine::HEARTH_TARGET {

using namespace packed;

void quantise_blocks(const float* x, const Activations& to, int r, int begin, int end);
size_t scratch_bytes(int columns);
void matmul_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end, void* scratch);
void matmul_float(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end,
                  void* scratch);
void rms_norm(float* out, const float* x, const float* w, int columns, float eps);
void layer_norm(float* out, const float* x, const float* w, const float* b, int columns, float eps);
void activate(float* out, const float* gate, const float* up, size_t n, Activation activation);
void gelu(float* x, size_t n);
void add_scaled(float* out, const float* x, float factor, size_t n);
void rope(float* row, int columns, const RopeArgs& args, int position, float* work);
size_t attend_span_bytes(int head_dim, int group);
void attend_span(const AttentionRows& a, int kv, int position, int span, const float* q, void* state);
void attend_join(const AttentionRows& a, const void* states, int spans, float* out);
size_t attend_tile_bytes(int head_dim, int group);
void attend_tile(const AttentionRows& a, int kv, int position, int rows, const float* q, float* out, void* scratch);
void delta_head(const DeltaHead& a);
void delta_chunk(const DeltaHead& a);
void scan_head(const ScanHead& a);
void convolve_row(float* out, const float* const* in, const float* w, size_t w_stride, const float* bias, int kernel, size_t n);
double peak(Arithmetic arithmetic, long rounds);

// Among each other.

// Unpacks one panel as member `p` of `n_panels`. minimum is negated for the K formats, so that the tile adds.
void unpack_int8(Format format, const uint8_t* panel, int columns, const Unpacked& to, int p, int n_panels);
// The same for panels that keep words of the file's blocks.
void unpack_words(Format format, const uint8_t* panel, int columns, const Unpacked& to, int p, int n_panels);
// A few rows of activations, on avx512 one group; rows of the last panel that are no rows of the matrix are not written.
void matvec_int8(const Panels& w, const Activations& x, const Results& to, int begin, int end);
// The same with weights that has_float_values tells of.
void matvec_float(const Panels& w, const float* x, size_t x_stride, int n_rows, const Results& to, int begin, int end);

}  // namespace engine::HEARTH_TARGET
