#include "engine/device/device.h"

#include <cstring>

#include "engine/device/huge_memory.h"

namespace engine {
namespace {

class Cpu final : public Device {
public:
    bool apart() const override { return false; }
    base::Result<DeviceMemory> allocate(std::size_t bytes, const std::string& purpose) override {
        auto memory = HugeMemory::allocate(bytes, purpose);
        if (!memory) return std::move(memory).error();
        const auto owner = std::make_shared<HugeMemory>(*std::move(memory));
        return DeviceMemory(owner, owner->data(), owner->size());
    }
    void copy(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
    void clear(void* at, std::size_t bytes) override { std::memset(at, 0, bytes); }
    void write(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
    void read(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
};

}  // namespace

Device& cpu_device() {
    static Cpu cpu;
    return cpu;
}

base::Result<BothMemory> BothMemory::allocate(Device& device, std::size_t bytes, const std::string& purpose) {
    BothMemory out;
    out.on_ = &device;
    auto memory = device.allocate(bytes, purpose);
    if (!memory) return std::move(memory).error();
    out.device_ = *std::move(memory);
    if (!device.apart()) {
        out.host_ = out.device_;
        return out;
    }
    auto host = cpu_device().allocate(bytes, purpose);
    if (!host) return std::move(host).error();
    out.host_ = *std::move(host);
    return out;
}

void BothMemory::to_device(std::size_t bytes) {
    if (on_->apart()) on_->write(device(), host(), bytes);
}

void BothMemory::to_host(std::size_t bytes) {
    if (on_->apart()) on_->read(host(), device(), bytes);
}

}  // namespace engine
