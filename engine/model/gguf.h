// The GGUF container, versions 2 and 3, over a read-only mapping. Every count, length and offset is
// checked against the file before it is used; nothing is allocated by a number that the file could
// not hold. Errors name file, key or tensor, what was expected and what was found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/model/mapped_file.h"
#include "engine/ops/quant.h"

namespace engine {

// Value types as numbered in the file.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
std::string_view name(GgufType type);

// A metadata value; views point into the mapping.
struct GgufValue {
    GgufType type = GgufType::u8;
    GgufType element = GgufType::u8;       // of an array
    std::uint64_t count = 1;               // of an array
    std::span<const std::uint8_t> bytes;   // scalar: its bytes; string: its characters; array: all elements
};

struct GgufTensor {
    std::string name;
    std::vector<std::uint64_t> dims;       // fastest first, as in the file
    Format format = Format::f32;
    std::span<const std::uint8_t> data;
    std::uint64_t values() const;
    std::uint64_t bytes() const { return values() / std::uint64_t(info(format).values) * std::uint64_t(info(format).bytes); }
    std::string shape() const;             // "[896, 151936]"
};

class Gguf {
public:
    // all: tensors with their data. head: names and shapes, without data. keys: metadata alone, whatever follows it.
    enum class Part { all, head, keys };
    static base::Result<std::unique_ptr<Gguf>> open(const std::filesystem::path& path, Part part = Part::all);
    // The head of a GGUF that lies in memory, which must outlive it: it has no file of its own, so no mapping. `path` begins errors.
    static base::Result<std::unique_ptr<Gguf>> read_head(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

    const std::filesystem::path& path() const { return path_; }
    std::uint64_t file_bytes() const { return file_->bytes().size(); }
    const MappedFile& mapping() const { return *file_; }
    std::size_t head_bytes() const { return head_bytes_; }   // up to the end of the last tensor's entry
    std::uint32_t version() const { return version_; }
    const std::vector<GgufTensor>& tensors() const { return tensors_; }
    const GgufTensor* tensor(std::string_view name) const;

    // nullopt when the key is absent; an error when it is there with another type or out of range.
    base::Result<std::optional<std::string>> text(std::string_view key) const;
    base::Result<std::optional<std::int64_t>> integer(std::string_view key) const;  // any integer type
    base::Result<std::optional<double>> real(std::string_view key) const;           // f32, f64 or integer
    base::Result<std::optional<bool>> boolean(std::string_view key) const;
    base::Result<std::optional<std::vector<std::string>>> texts(std::string_view key) const;
    base::Result<std::optional<std::vector<std::int64_t>>> integers(std::string_view key) const;
    base::Result<std::optional<std::vector<float>>> reals(std::string_view key) const;
    const GgufValue* value(std::string_view key) const;

    // An error that begins with the file's name.
    base::Error error(std::string what, base::Code code = base::Code::corrupt) const;

private:
    Gguf() = default;
    std::filesystem::path path_;
    std::unique_ptr<MappedFile> file_;
    std::unordered_map<std::string, GgufValue> values_;
    std::vector<GgufTensor> tensors_;
    std::unordered_map<std::string, std::size_t> tensor_index_;
    std::size_t head_bytes_ = 0;
    std::uint32_t version_ = 0;
    friend class GgufReader;
};

}  // namespace engine
