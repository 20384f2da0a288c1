// Numbers and checksums of what goes to disk as it lies in memory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/model/checksum.h"

namespace engine::raw {

inline std::uint64_t checksum(std::string_view bytes) { return xxh64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}); }

// Sixteen digits.
inline std::string hex(std::uint64_t value) {
    char out[17];
    std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(value));
    return out;
}

template <class T>
void append(std::string& to, const T& value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T value_at(std::string_view bytes, std::size_t at) {
    T out;
    std::memcpy(&out, bytes.data() + at, sizeof out);
    return out;
}

}  // namespace engine::raw
