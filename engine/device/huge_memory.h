// Large blocks of memory of our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace engine {

// Anonymous memory on huge pages where the kernel gives them; zero-filled, 2 MiB aligned.
class HugeMemory {
public:
    HugeMemory() = default;
    static base::Result<HugeMemory> allocate(std::size_t bytes, const std::string& purpose);
    HugeMemory(HugeMemory&& other) noexcept;
    HugeMemory& operator=(HugeMemory&& other) noexcept;
    ~HugeMemory();
    std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    void* mapping_ = nullptr;
    std::size_t mapped_ = 0;
};

}  // namespace engine
