// One linear module of a safetensors file, whatever quantised it: which tensors it has, what they must look like, and
// their rows as blocks that matmul reads. The weights stay quantised in memory; what a block holds is exactly what the
// stored tensors say, in float32: (q - z) * s for integers, code * s for small floats.
//
//   stored as                                                        | read as
//   F32, F16, BF16 `weight`                                          | the same, where it lies
//   FP8 `weight` + `weight_scale` or `weight_scale_inv`              | FP8: one scale, one a row, or one a tile
//   compressed-tensors `weight_packed` (I32) + `weight_scale`, 4 or 8 bits | INT4
//   compressed-tensors `weight` (I8) + `weight_scale`                | INT4
//   GPTQ of 4 or 8 bits, AWQ: `qweight`, `qzeros`, `scales`, `g_idx` | INT4
//   NVFP4 of modelopt (`weight_scale_2`), compressed-tensors (`weight_global_scale`) | E2M1 and the matrix's scale
//   MXFP4 of compressed-tensors, and of gpt_oss's experts            | MXFP4
// Rows are outputs. Where columns belong to groups in another order (`g_idx`), they are stored group by group, and
// `order` says which input each one meets. No block of 32 columns spans two groups: a group that 32 does not divide is filled
// up with columns of zeros. 8 bits are two columns of 4, the high ones of all inputs before the low ones, with 16 times the
// scale: (q - z) * s = (q_high - z_high) * 16 s + (q_low - z_low) * s.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"
#include "engine/ops/ops.h"

namespace engine {

// What the tensors do not say themselves, from the model's quantization_config.
struct LinearScheme {
    bool gptq_v2 = false;                   // checkpoint_format gptq_v2: zeros are stored as they are, else less 1
    int tile_rows = 128, tile_cols = 128;   // weight_block_size of FP8; 0 rows: there is none
    bool inverse_scales = false;            // FP8's are called weight_scale_inv
    // What it says that the tensors show too; what they do not show alike is refused.
    int bits = 0;                           // 0: it says nothing
    int group = 0;                          // columns of one; -1: all of a row; 0: it says nothing
    std::optional<bool> zeros = {};         // whether integers have zero points
    std::optional<bool> order = {};         // whether columns are listed by their group
    std::string strategy = {};              // of FP8's scales: "tensor", "channel" or "block"
};

// The tensors of a module by the last part of their names; null where the file has none.
struct LinearTensors {
    const SafeTensor *weight = nullptr, *weight_scale = nullptr, *weight_scale_inv = nullptr, *weight_scale_2 = nullptr;
    const SafeTensor *weight_packed = nullptr, *weight_global_scale = nullptr, *weight_zero_point = nullptr;
    const SafeTensor *weight_shape = nullptr, *weight_g_idx = nullptr;
    const SafeTensor *qweight = nullptr, *qzeros = nullptr, *scales = nullptr, *g_idx = nullptr;
};
// `module`: "model.layers.0.mlp.up_proj"
LinearTensors find_linear(const Safetensors& file, const std::string& module);

// A module that was checked: everything but the values.
struct Linear {
    enum class Kind { plain, fp8, packed, bytes, gptq, awq, nvfp4, mxfp4 };
    Kind kind = Kind::plain;
    Format format = Format::f32;
    int rows = 0, cols = 0;                 // cols: as they are laid out
    int inputs = 0;                         // columns of the module
    // Row r is the stored row first_row + r * row_step: parts that a file interleaves.
    int first_row = 0, row_step = 1;
    float scale = 1;                        // of the whole matrix, see Weight::scales
    std::vector<std::int32_t> order;        // of `cols`, or empty; see Weight::order

    const SafeTensor *codes = nullptr, *scales = nullptr, *zeros = nullptr;
    int group = 0;                          // columns that share a scale
    int padded = 0;                         // of integers: columns that a group takes
    int bits = 4;                           // of integers
    int tile_rows = 1;                      // rows that do; 0: all
    bool zero_less_one = false;

    std::size_t bytes() const { return row_bytes(format, std::size_t(cols)) * std::size_t(rows); }
    // Rows that need no work may be used where they lie in the file.
    const std::uint8_t* in_place() const { return kind == Kind::plain ? codes->data.data() : nullptr; }
};

// `rows`, `cols`: what the model's configuration wants. Errors name file, tensor, expected and found.
base::Result<Linear> check_linear(const Safetensors& file, const LinearTensors& tensors, int rows, int cols, const LinearScheme& scheme);
base::Result<Linear> check_linear(const Safetensors& file, const std::string& module, int rows, int cols, const LinearScheme& scheme);
// gpt_oss: blocks (experts, stored rows, cols / 32, 16) and scales (experts, stored rows, cols / 32); the result is the
// experts' rows one after another. first_row 0 and 1 with row_step 2 are gate and up of its gate_up_proj.
base::Result<Linear> check_mxfp4_experts(const Safetensors& file, const std::string& blocks, const std::string& scales, int experts,
                                         int stored_rows, int cols, int first_row, int row_step);

// Writes rows [begin, end) as blocks to `out`, row `begin` first.
void read_rows(const Linear& linear, int begin, int end, std::uint8_t* out);

// A weight with all that it points to, for where memory is not planned.
struct OwnedWeight {
    Weight weight;
    std::vector<std::uint8_t> bytes;
    std::vector<float> scales;
    std::vector<std::int32_t> order;
};
OwnedWeight own(const Linear& linear);

}  // namespace engine
