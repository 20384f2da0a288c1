// The memory that a target's operations work in. CPU targets work in the process's own; that of others is reached from the CPU by
// these calls alone, which take effect in the order in which they and the operations were begun by a CPU thread. Several may call at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace engine {

// A piece of it, given back at its end.
class DeviceMemory {
public:
    DeviceMemory() = default;
    // `owner` gives it back.
    DeviceMemory(std::shared_ptr<void> owner, std::uint8_t* data, std::size_t size) : owner_(std::move(owner)), data_(data), size_(size) {}
    std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    std::shared_ptr<void> owner_;
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

class Device {
public:
    virtual ~Device() = default;

    // Whether the CPU must not follow its pointers.
    virtual bool apart() const = 0;
    // Zero-filled, 64-byte aligned. The error names the purpose and how much was wanted.
    virtual base::Result<DeviceMemory> allocate(std::size_t bytes, const std::string& purpose) = 0;
    virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
    virtual void clear(void* at, std::size_t bytes) = 0;
    // From the CPU's memory, which may change once it returns.
    virtual void write(void* to, const void* from, std::size_t bytes) = 0;
    // To the CPU's memory; done when it returns.
    virtual void read(void* to, const void* from, std::size_t bytes) = 0;
};

Device& cpu_device();

// Bytes that both have: the CPU's and the device's are the same memory where the device is not apart, else one is brought over
// to the other.
class BothMemory {
public:
    BothMemory() = default;
    static base::Result<BothMemory> allocate(Device& device, std::size_t bytes, const std::string& purpose);
    std::uint8_t* host() const { return host_.data(); }
    std::uint8_t* device() const { return device_.data(); }
    void to_device(std::size_t bytes);
    void to_host(std::size_t bytes);

private:
    Device* on_ = nullptr;
    DeviceMemory host_, device_;
};

}  // namespace engine
