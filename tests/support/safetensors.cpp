#include "support/safetensors.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "support/fixtures.h"

namespace support {

std::map<std::string, GoldenTensor> read_safetensors(const std::filesystem::path& file) {
    const std::string bytes = read_text(file);
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    std::map<std::string, GoldenTensor> out;
    const auto index = nlohmann::json::parse(bytes.substr(8, header));
    for (const auto& [name, entry] : index.items()) {
        const bool integers = name != "__metadata__" && entry["dtype"] == "I32";
        if (name == "__metadata__" || (!integers && entry["dtype"] != "F32")) continue;
        GoldenTensor tensor;
        tensor.shape = entry["shape"].get<std::vector<std::size_t>>();
        const std::size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
        tensor.values.resize((end - begin) / 4);
        std::memcpy(tensor.values.data(), bytes.data() + 8 + header + begin, end - begin);
        if (integers)
            for (float& value : tensor.values) value = float(std::bit_cast<std::int32_t>(value));
        out.emplace(name, std::move(tensor));
    }
    return out;
}

}  // namespace support
