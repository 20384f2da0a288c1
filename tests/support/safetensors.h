// A minimal reader of safetensors files for golden data: tensors of F32, and of I32 as floats, by name.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace support {

struct GoldenTensor {
    std::vector<std::size_t> shape;
    std::vector<float> values;
};

// Throws when the file is not as expected; tensors of other types are left out.
std::map<std::string, GoldenTensor> read_safetensors(const std::filesystem::path& file);

}  // namespace support
