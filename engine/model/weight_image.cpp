#include "engine/model/weight_image.h"

#include <algorithm>
#include <atomic>

#include "engine/device/aligned_bytes.h"
#include "engine/model/checksum.h"
#include "engine/model/model_file.h"

namespace engine {
namespace {

std::uint64_t hash(const std::vector<std::uint64_t>& words) {
    return xxh64({reinterpret_cast<const std::uint8_t*>(words.data()), words.size() * sizeof(std::uint64_t)});
}

}  // namespace

std::uint64_t packing_print(const Ops& ops, const std::array<std::uint64_t, kFormatCount>& values) {
    constexpr int rows = 24, cols = 512;  // panels that are full and that are not, of every format's blocks
    std::vector<std::uint64_t> out;
    for (int f = 0; f < kFormatCount; ++f) {
        if (values[std::size_t(f)] == 0) continue;
        const Format format = Format(f);
        std::vector<std::uint8_t> plain(row_bytes(format, cols) * rows);
        std::uint32_t state = 1;
        for (std::uint8_t& byte : plain) byte = std::uint8_t((state = state * 1664525 + 1013904223) >> 24);
        AlignedBytes packed(ops.packed_bytes(format, rows, cols));
        if (packed.size() > 0) {
            ops.pack({format, Layout::plain, rows, cols, plain.data(), plain.size()}, packed.data());
            out.push_back(xxh64({packed.data(), packed.size()}));
        }
        out.push_back(std::uint64_t(f));
    }
    return hash(out);
}

std::uint64_t layout_print(const ModelLayout& layout) {
    std::vector<std::uint64_t> out{layout.bytes.packed};
    for (const ModelLayout::Packing& p : layout.packings) {
        const Stored& stored = layout.stored[p.stored];
        for (const std::uint64_t word : {std::uint64_t(p.offset), std::uint64_t(p.pack), std::uint64_t(stored.format), std::uint64_t(stored.rows), std::uint64_t(stored.cols)})
            out.push_back(word);
    }
    return hash(out);
}

std::vector<std::size_t> image_pieces(const ModelLayout& layout) {
    std::vector<std::size_t> ends;
    std::size_t at = 0;
    const auto between = [&](std::size_t end) {
        while (at < end) ends.push_back(at = std::min(end, at + WeightImage::chunk));
    };
    for (const ModelLayout::ExpertStack& stack : layout.stacks) {
        between(stack.at);
        const auto experts = std::size_t(layout.stored[layout.packings[stack.packings].stored].count());
        for (std::size_t e = 0; e < experts; ++e) ends.push_back(at += stack.stride);
    }
    between(layout.bytes.packed);
    return ends;
}

base::Result<void> check_image(const ModelFile& file, const ModelLayout& layout, const Ops& ops) {
    const WeightImage& image = *file.image();
    const char* const remedy = "convert its source again: hearth model convert SOURCE FILE, on this machine or with the same model.target";
    const auto refuse = [&](const std::string& what) {
        base::Error error = file.error(what, base::Code::unsupported);
        error.remedy = remedy;
        return error;
    };
    if (image.packing != packing_print(ops, layout.values))
        return refuse("was converted for the kernels of " + image.target + ", those of " + ops.target + (image.target == ops.target ? " of this version" : "") + " want weights laid out otherwise");
    if (image.layout != layout_print(layout) || image.bytes.size() != layout.bytes.packed)
        return refuse("was converted by another version, which laid its weights out otherwise");
    return {};
}

base::Result<void> read_image(const ModelFile& file, Pool& pool, const std::function<void(double)>& progress) {
    const WeightImage& image = *file.image();
    const int n = int(image.checksums.size()), batch = std::max(pool.threads(), n / 50);
    std::atomic<int> damaged{n};
    for (int first = 0; first < n; first += batch) {
        auto one = [&](int item, int) {
            const std::size_t begin = std::size_t(first + item) * WeightImage::chunk;
            const auto part = image.bytes.subspan(begin, std::min(WeightImage::chunk, image.bytes.size() - begin));
            if (xxh64(part) != image.checksums[std::size_t(first + item)]) damaged = std::min(damaged.load(), first + item);
        };
        pool.run(std::min(batch, n - first), one);
        if (progress) progress(double(std::min(n, first + batch)) / n);
    }
    if (damaged == n) return {};
    return file.error("is damaged: the checksum of its weights from byte " + std::to_string(std::size_t(damaged) * WeightImage::chunk) + " on is wrong", base::Code::corrupt);
}

}  // namespace engine
