#include "engine/model/file_type.h"

#include <algorithm>
#include <array>

namespace engine {
namespace {

// llama.cpp's types by number: what most weights of the layers are, and what they are where rows do not divide into its blocks.
struct TypeRow {
    std::int64_t number;
    const char* name;
    Format most, otherwise;
};
constexpr TypeRow kTypes[] = {
    {0, "F32", Format::f32, Format::f32}, {1, "F16", Format::f16, Format::f16}, {32, "BF16", Format::bf16, Format::bf16},
    {2, "Q4_0", Format::q4_0, Format::q4_0}, {3, "Q4_1", Format::q4_1, Format::q4_1}, {8, "Q5_0", Format::q5_0, Format::q5_0},
    {9, "Q5_1", Format::q5_1, Format::q5_1}, {7, "Q8_0", Format::q8_0, Format::q8_0},
    {10, "Q2_K", Format::q2_k, Format::iq4_nl}, {21, "Q2_K_S", Format::q2_k, Format::iq4_nl},
    {11, "Q3_K_S", Format::q3_k, Format::iq4_nl}, {12, "Q3_K_M", Format::q3_k, Format::iq4_nl}, {13, "Q3_K_L", Format::q3_k, Format::iq4_nl},
    {14, "Q4_K_S", Format::q4_k, Format::q5_0}, {15, "Q4_K_M", Format::q4_k, Format::q5_0},
    {16, "Q5_K_S", Format::q5_k, Format::q5_1}, {17, "Q5_K_M", Format::q5_k, Format::q5_1}, {18, "Q6_K", Format::q6_k, Format::q8_0},
    {24, "IQ1_S", Format::iq1_s, Format::iq4_nl}, {31, "IQ1_M", Format::iq1_m, Format::iq4_nl},
    {19, "IQ2_XXS", Format::iq2_xxs, Format::iq4_nl}, {20, "IQ2_XS", Format::iq2_xs, Format::iq4_nl}, {28, "IQ2_S", Format::iq2_xs, Format::iq4_nl},
    {29, "IQ2_M", Format::iq2_s, Format::iq4_nl}, {23, "IQ3_XXS", Format::iq3_xxs, Format::iq4_nl}, {22, "IQ3_XS", Format::iq3_s, Format::iq3_xxs},
    {26, "IQ3_S", Format::iq3_s, Format::iq4_nl}, {27, "IQ3_M", Format::iq3_s, Format::iq4_nl},
    {25, "IQ4_NL", Format::iq4_nl, Format::iq4_nl}, {30, "IQ4_XS", Format::iq4_xs, Format::iq4_nl},
    {36, "TQ1_0", Format::tq1_0, Format::q4_0}, {37, "TQ2_0", Format::tq2_0, Format::q4_0},
    {38, "MXFP4", Format::mxfp4, Format::mxfp4}, {39, "NVFP4", Format::nvfp4, Format::nvfp4},
};

// Of matrices in layers, since embeddings and the output are kept in more bits; of all tensors where there are none.
Format format_of_most(const Gguf& gguf) {
    std::array<std::uint64_t, kFormatCount> all{}, layers{};
    for (const GgufTensor& tensor : gguf.tensors()) {
        all[std::size_t(tensor.format)] += tensor.values();
        if (tensor.name.starts_with("blk.") && tensor.dims.size() > 1) layers[std::size_t(tensor.format)] += tensor.values();
    }
    const auto& counted = std::ranges::count(layers, 0u) == kFormatCount ? all : layers;
    return Format(std::ranges::max_element(counted) - counted.begin());
}

}  // namespace

base::Result<FileType> file_type_of(const Gguf& gguf) {
    const auto said = gguf.integer("general.file_type");
    if (!said) return said.error();
    const Format most = format_of_most(gguf);
    FileType out{info(most).name, ""};
    const auto row = std::ranges::find_if(kTypes, [&](const TypeRow& one) { return *said == one.number; });
    if (row == std::end(kTypes)) return out;
    if (most == row->most || most == row->otherwise) out.shown = row->name;
    else out.contradicted = "key 'general.file_type' says " + std::string(row->name) + " (" + std::to_string(**said) + "), but more weights of its layers are " + out.shown + " than anything else";
    return out;
}

}  // namespace engine
