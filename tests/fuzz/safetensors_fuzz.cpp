// A safetensors file, or with an odd first byte the index of two shards: tensors tile the data, each is found by its
// name, and an error begins with the file's name.
#include <cstring>
#include <fstream>
#include <map>

#include "engine/model/safetensors.h"
#include "fuzz.h"
#include "support/fixtures.h"

namespace {

using fuzz::require;

void check_tensor(const engine::SafeTensor& tensor) {
    std::uint64_t bytes = std::uint64_t(engine::info(tensor.dtype).bytes);
    for (const std::uint64_t size : tensor.shape) require(!__builtin_mul_overflow(bytes, size, &bytes), "a shape does not overflow");
    require(bytes == tensor.data.size(), "a tensor has the bytes of its shape");
}

void check_file(std::string_view input) {
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());  // on the heap, exactly as long
    const auto tensors = engine::read_safetensors_header(bytes, "model");
    if (!tensors) return require(tensors.error().message.starts_with("model: "), "an error begins with the name: " + tensors.error().message);
    std::map<const std::uint8_t*, std::size_t> extents;
    std::map<std::string, int> names;
    for (const engine::SafeTensor& tensor : *tensors) {
        check_tensor(tensor);
        require(++names[tensor.name] == 1, "no name comes twice");
        if (!tensor.data.empty()) require(extents.emplace(tensor.data.data(), tensor.data.size()).second, "no two tensors begin together");
    }
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::uint8_t* expected = bytes.data() + 8 + header;
    for (const auto& [begin, extent] : extents) {
        require(begin == expected, "tensors tile the data");
        expected += extent;
    }
    require(expected == bytes.data() + bytes.size(), "tensors take all of the data");
}

std::string shard(const std::string& header, std::size_t data) {
    const std::uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + std::string(data, '\1');
}

// model-1 holds a and b, model-2 another b and c.
void check_index(std::string_view input) {
    static const support::TempDir folder;
    static const bool written = [] {
        std::ofstream(folder.path() / "model-1") << shard(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", 3);
        std::ofstream(folder.path() / "model-2") << shard(R"({"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"c":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]}})", 6);
        return true;
    }();
    require(written, "the shards are there");
    const auto index = folder.path() / "model.safetensors.index.json";
    std::ofstream(index, std::ios::binary) << input;
    const auto model = engine::Safetensors::open(index);
    if (!model) return require(model.error().message.find(folder.path().string()) != std::string::npos, "an error names the file: " + model.error().message);
    require((*model)->tensors().size() <= 3, "a tensor comes from one shard");
    for (const engine::SafeTensor& tensor : (*model)->tensors()) {
        check_tensor(tensor);
        require((*model)->tensor(tensor.name) == &tensor, "a tensor is found by its name");
        require(input.find(tensor.name) != input.npos || input.find('\\') != input.npos, "only what the index names is there");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    fuzz::take_byte(input) % 2 ? check_index(input) : check_file(input);
    return 0;
}
