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
    // With the tensors of all parts, when the file is one of those that a model was split in: NAME-00001-of-00003.gguf and so on.
    static base::Result<std::unique_ptr<Gguf>> open_whole(const std::filesystem::path& path);
    // The head of a GGUF that lies in memory, which must outlive it: it has no file of its own, so no mapping. `path` begins errors.
    static base::Result<std::unique_ptr<Gguf>> read_head(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

    const std::filesystem::path& path() const { return path_; }
    std::uint64_t file_bytes() const;                      // of all files
    std::size_t files() const { return 1 + parts_.size(); }
    const MappedFile& mapping() const { return *file_; }   // of the first file
    const MappedFile* mapping_of(const GgufTensor& tensor) const;  // of the file that has it
    // The file's head up to the end of the last tensor's entry; behind the first part's entries those of the others.
    std::vector<std::uint8_t> head() const;
    bool is_whole() const;  // see ModelFile
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
    // Of one of its tensors, with the name of the file that has it.
    base::Error error(const GgufTensor& tensor, std::string what, base::Code code = base::Code::corrupt) const;

private:
    Gguf() = default;
    base::Result<void> adopt(std::unique_ptr<Gguf> part);
    std::filesystem::path path_;
    std::unique_ptr<MappedFile> file_;
    std::vector<std::unique_ptr<Gguf>> parts_;  // behind the first
    std::unordered_map<std::string, GgufValue> values_;
    std::vector<GgufTensor> tensors_;
    std::unordered_map<std::string, std::size_t> tensor_index_;
    std::size_t entries_at_ = 0, head_bytes_ = 0;  // where the tensors' entries begin and end
    std::uint32_t version_ = 0;
    friend class GgufReader;
};

}  // namespace engine
