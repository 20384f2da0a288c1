// Writes GGUF version 3 field by field.
#pragma once

#include <cstdint>
#include <string>

namespace support {

struct GgufWriter {
    std::string bytes = "GGUF";

    GgufWriter(std::uint64_t tensors, std::uint64_t values) { u32(3), u64(tensors), u64(values); }
    void u32(std::uint32_t v) { bytes.append(reinterpret_cast<const char*>(&v), 4); }
    void u64(std::uint64_t v) { bytes.append(reinterpret_cast<const char*>(&v), 8); }
    void f32(float v) { bytes.append(reinterpret_cast<const char*>(&v), 4); }
    void text(const std::string& s) { u64(s.size()), bytes += s; }
    void pad() { bytes.resize((bytes.size() + 31) / 32 * 32); }
    void tensor(const std::string& name, std::uint64_t cols, std::uint32_t type, std::uint64_t offset) {
        text(name), u32(1), u64(cols), u32(type), u64(offset);
    }
    void value(const std::string& key, std::uint32_t v) { text(key), u32(4), u32(v); }
    void value(const std::string& key, float v) { text(key), u32(6), f32(v); }
    void value(const std::string& key, const std::string& v) { text(key), u32(8), text(v); }
};

}  // namespace support
