// The safetensors container over read-only mappings: one file, or the shards that an index names. Every
// field of a header is checked against the file before it is used. Errors name file, tensor, what was
// expected and what was found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/model/mapped_file.h"

namespace engine {

enum class Dtype : std::uint8_t { f64, f32, f16, bf16, f8_e4m3, f8_e5m2, f8_e8m0, i64, i32, i16, i8, u64, u32, u16, u8, boolean };
struct DtypeInfo {
    const char* name;  // as in the file
    int bytes;
};
const DtypeInfo& info(Dtype dtype);

struct SafeTensor {
    std::string name;
    Dtype dtype = Dtype::f32;
    std::vector<std::uint64_t> shape;     // slowest first, as in the file
    std::span<const std::uint8_t> data;   // of any alignment
    std::size_t file = 0;                 // which mapping it lies in
};
// "[896, 151936]"
std::string shape_text(std::span<const std::uint64_t> shape);

class Safetensors {
public:
    // A .safetensors file, a .safetensors.index.json beside its shards, or a folder that holds model.safetensors
    // or model.safetensors.index.json.
    static base::Result<std::unique_ptr<Safetensors>> open(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    std::uint64_t file_bytes() const;  // of all files
    bool is_whole() const;  // see ModelFile
    std::size_t files() const { return files_.size(); }
    const std::vector<SafeTensor>& tensors() const { return tensors_; }
    const SafeTensor* tensor(std::string_view name) const;
    // Gives the memory of a part of a tensor back; see MappedFile.
    void release(const SafeTensor& tensor, std::span<const std::uint8_t> part) const { files_[tensor.file]->release(part); }

    // An error that begins with the name of the tensor's file.
    base::Error error(const SafeTensor& tensor, std::string what, base::Code code = base::Code::corrupt) const;

private:
    Safetensors() = default;
    base::Result<void> open_one(const std::filesystem::path& path);
    base::Result<void> open_shards(const std::filesystem::path& index);

    std::filesystem::path path_;
    std::vector<std::unique_ptr<MappedFile>> files_;
    std::vector<std::filesystem::path> names_;  // of the files
    std::vector<SafeTensor> tensors_;
    std::unordered_map<std::string, std::size_t> index_;
};

// The tensors of one file's bytes. `name` begins the errors.
base::Result<std::vector<SafeTensor>> read_safetensors_header(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace engine
