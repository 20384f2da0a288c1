// A converted model up to the plan of its load: index and parts are the input, the checksum fits, the image is of zeros. An
// error names the file; what is accepted is consistent.
#include <cstring>

#include "engine/engine.h"
#include "engine/model/checksum.h"
#include "engine/model/converted_file.h"
#include "fuzz.h"

namespace {

using engine::ConvertedFile;
using fuzz::require;

// Index up to the first NUL, then the parts. One buffer for all: fresh pages for each input would be a sixth of the time.
const std::string& file_of(std::string_view input) {
    const std::string_view index = fuzz::take_part(input);
    const auto up = [](std::size_t n, std::size_t to) { return (n + to - 1) / to * to; };
    const std::size_t parts = up(ConvertedFile::kPreamble + index.size(), ConvertedFile::kPartAlignment), begin = up(parts + input.size(), ConvertedFile::kImageAlignment);
    constexpr std::size_t image = 4096;
    static std::string out;
    out.assign(begin + image, '\0');
    std::memcpy(out.data(), ConvertedFile::kMagic.data(), ConvertedFile::kMagic.size());
    std::memcpy(out.data() + ConvertedFile::kPreamble, index.data(), index.size());
    std::memcpy(out.data() + parts, input.data(), input.size());
    const std::uint64_t numbers[] = {index.size(), begin, image};
    std::memcpy(out.data() + ConvertedFile::kSummed, numbers, sizeof numbers);
    const std::uint64_t sum = engine::xxh64({reinterpret_cast<const std::uint8_t*>(out.data()) + ConvertedFile::kSummed, begin - ConvertedFile::kSummed});
    std::memcpy(out.data() + 8, &sum, sizeof sum);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::File file("model.hearth");
    file.write(file_of(fuzz::text_of(data, size)));
    const auto named = [&](const base::Error& error) {
        require(error.message.find(file.path()) != std::string::npos || error.code == base::Code::resource_exhausted, "an error names the file: " + error.message);
    };
    require(ConvertedFile::is_one(file.path()), "a converted file is known by its beginning");
    const auto opened = ConvertedFile::open(file.path());
    if (!opened) {
        named(opened.error());
        return 0;
    }
    const auto& converted = static_cast<const ConvertedFile&>(**opened);
    for (const auto& [name, m] : converted.record().matrices) {
        require(m.rows > 0 && m.cols > 0 && m.count > 0, "a matrix has a size");
        require(m.scales.empty() || m.scales.size() == std::size_t(m.count), "there is a scale for each matrix");
        for (const std::int32_t column : m.order) require(column >= 0 && column < m.cols, "an order names columns");
    }
    if (size % 2 == 0) return 0;  // a plan opens the file once more
    const auto plan = engine::Engine::plan({.path = file.path(), .threads = 1, .memory_limit = std::uint64_t(1) << 30});
    if (!plan) named(plan.error());
    return 0;
}
