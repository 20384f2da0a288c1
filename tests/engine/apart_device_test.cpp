// A target whose memory is not the CPU's: nothing but its operations and its device's calls touches it, and what it computes is what
// the same operations compute in the CPU's memory.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "apart_steps.h"
#include "engine/ops/op_list.h"

namespace engine {
namespace {

// Its memory faults but for the time of an operation or a call.
class GuardedDevice final : public Device {
public:
    GuardedDevice() : arena_(static_cast<std::uint8_t*>(mmap(nullptr, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {}
    ~GuardedDevice() override { munmap(arena_, kSize); }

    bool apart() const override { return true; }
    base::Result<DeviceMemory> allocate(std::size_t bytes, const std::string& purpose) override {
        if (used_ + bytes > kSize) return base::error(base::Code::resource_exhausted, "no room for " + purpose);
        DeviceMemory out({}, arena_ + used_, bytes);
        used_ += (bytes + 255) / 256 * 256;
        return out;
    }
    void copy(void* to, const void* from, std::size_t bytes) override { move(to, from, bytes); }
    void write(void* to, const void* from, std::size_t bytes) override { move(to, from, bytes); }
    void read(void* to, const void* from, std::size_t bytes) override { move(to, from, bytes); }
    void clear(void* at, std::size_t bytes) override {
        const std::lock_guard lock(mutex_);
        open(true);
        std::memset(at, 0, bytes);
        open(false);
    }
    void open(bool on) const {
        if (mprotect(arena_, used_, on ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) std::abort();
    }

private:
    static constexpr std::size_t kSize = std::size_t(1) << 30;
    void move(void* to, const void* from, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        open(true);
        std::memcpy(to, from, bytes);
        open(false);
    }
    std::mutex mutex_;
    std::uint8_t* const arena_;
    std::size_t used_ = 0;
};

GuardedDevice* device = nullptr;  // of the operations below

template <std::size_t i, class F = decltype(std::get<i>(kStepOps).op)>
struct Opened;
template <std::size_t i, class... A>
struct Opened<i, void (*Ops::*)(A...)> {
    static void call(A... args) {
        device->open(true);
        (ref_ops().*std::get<i>(kStepOps).op)(args...);
        device->open(false);
    }
};

template <std::size_t... i>
Ops opened_ops(std::index_sequence<i...>) {
    Ops out = ref_ops();
    out.device = device;
    ((out.*std::get<i>(kStepOps).op = Opened<i>::call), ...);
    return out;
}

TEST(ApartDevice, GivesWhatTheCpuGives) {
    for (const auto& file : apart::checkpoints()) {
        for (const KvFormat kv : {KvFormat::f32, KvFormat::int8}) {
            SCOPED_TRACE(file.string());
            GuardedDevice guarded;
            device = &guarded;
            const Ops ops = opened_ops(std::make_index_sequence<std::tuple_size_v<decltype(kStepOps)>>());
            EXPECT_EQ(apart::logits_of(file, ops, kv), apart::logits_of(file, ref_ops(), kv));  // bitwise
        }
    }
}

}  // namespace
}  // namespace engine
