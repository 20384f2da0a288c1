// A target whose memory is not the CPU's: nothing but its operations and its device's calls touches it, and what it computes is what
// the same operations compute in the CPU's memory.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <utility>

#include "engine/ops/op_list.h"
#include "engine/runner.h"
#include "support/fixtures.h"

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

// Two sequences' prompts, a token each, and one of them again from what was kept of it elsewhere.
std::vector<float> logits_of(const std::filesystem::path& file, const Ops& ops, KvFormat kv) {
    auto pool = std::make_shared<Pool>(2);
    auto opened = ModelFile::open(file);
    auto config = (*opened)->config();
    auto model = load_model(*std::move(opened), *config, ops, *pool, {});
    EXPECT_TRUE(model) << model.error().message;
    auto runner = Runner::create(*std::move(model), pool, {.rows = 64, .sequences = 2, .blocks = 8, .kv = kv, .kept_states = 1, .drafts = 1});
    EXPECT_TRUE(runner) << runner.error().message;
    Runner& r = **runner;
    std::vector<float> out;
    const auto keep = [&](int n) {
        for (int i = 0; i < n; ++i) out.insert(out.end(), r.logits(i).begin(), r.logits(i).end());
    };
    std::vector<std::int32_t> text;
    for (int i = 0; i < 45; ++i) text.push_back((i * 37 + 5) % config->vocabulary);
    const std::int32_t first[] = {5, 2}, second[] = {0, 7}, again[] = {3, 4};
    const Runner::Part prompts[] = {{text.data(), 40, 0, first, 1, 0}, {text.data() + 3, 20, 0, second, 2, 1}};
    r.step(prompts);
    keep(3);
    r.keep_state(0, 0);
    std::string whole, part;
    r.copy_out(first[0], kKvBlock, whole);
    r.copy_out(first[1], 8, part);
    const Runner::Part tokens[] = {{text.data() + 40, 1, 40, first, 1, 0}, {text.data() + 23, 1, 20, second, 1, 1}};
    r.step(tokens);
    keep(2);
    r.put_in(again[0], kKvBlock, whole);
    r.put_in(again[1], 8, part);
    r.set_kept_state(0, r.kept_state(0));
    r.resume_state(0, 1);
    const Runner::Part known{text.data() + 40, 1, 40, again, 1, 1};
    r.step({&known, 1});
    keep(1);
    const auto rows = r.all_rows(Runner::Of::logits, std::span(text).first(9), second);
    out.insert(out.end(), rows.begin(), rows.end());
    return out;
}

TEST(ApartDevice, GivesWhatTheCpuGives) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(support::data_dir() / "golden")) {
        if (!std::filesystem::exists(entry.path() / "config.json")) continue;
        ++files;
        for (const KvFormat kv : {KvFormat::f32, KvFormat::int8}) {
            SCOPED_TRACE(entry.path().string());
            GuardedDevice guarded;
            device = &guarded;
            const Ops ops = opened_ops(std::make_index_sequence<std::tuple_size_v<decltype(kStepOps)>>());
            EXPECT_EQ(logits_of(entry.path(), ops, kv), logits_of(entry.path(), ref_ops(), kv));  // bitwise
        }
    }
    EXPECT_GT(files, 3);
}

}  // namespace
}  // namespace engine
