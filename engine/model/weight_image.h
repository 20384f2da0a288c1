// Weights as a target's kernels want them, in one piece: what lay_out places and a converted file holds.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/device/pool.h"
#include "engine/model/builder.h"

namespace engine {

class MappedFile;
class ModelFile;

struct WeightImage {
    static constexpr std::size_t chunk = 16 << 20;   // bytes that have a checksum of their own

    std::string target;                   // that it was made for
    std::uint64_t packing = 0, layout = 0;  // packing_print and layout_print of who made it
    std::vector<std::uint64_t> checksums; // of its chunks
    std::vector<std::uint64_t> piece_checksums;  // see image_pieces; none in files that were converted without them
    std::span<const std::uint8_t> bytes;  // of the file's mapping
    const MappedFile* mapping = nullptr;
};

// What is read by itself where experts are: where each piece of an image ends. A piece is an expert, or a chunk of what lies
// between two layers' experts.
std::vector<std::size_t> image_pieces(const ModelLayout& layout);

// How a target packs the formats that are used: equal for those that read each other's weights, and another one when the
// layout changes, by whatever change of the code.
std::uint64_t packing_print(const Ops& ops, const std::array<std::uint64_t, kFormatCount>& values);
// Which matrix lies where.
std::uint64_t layout_print(const ModelLayout& layout);

// Whether these kernels read the file's image.
base::Result<void> check_image(const ModelFile& file, const ModelLayout& layout, const Ops& ops);
// Reads it once, so that no request waits for the disk: damaged chunks are refused.
base::Result<void> read_image(const ModelFile& file, Pool& pool, const std::function<void(double)>& progress);

}  // namespace engine
