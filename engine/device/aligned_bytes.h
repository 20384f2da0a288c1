// Bytes that begin where packed matrices do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

class AlignedBytes {
public:
    explicit AlignedBytes(std::size_t size) : memory_(size + kLine - 1), size_(size) {}
    std::uint8_t* data() { return memory_.data() + (kLine - reinterpret_cast<std::uintptr_t>(memory_.data()) % kLine) % kLine; }
    std::size_t size() const { return size_; }

private:
    static constexpr std::size_t kLine = 64;
    std::vector<std::uint8_t> memory_;
    std::size_t size_;
};

}  // namespace engine
