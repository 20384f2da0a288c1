#include "engine/device/pool.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>

namespace engine {
namespace {

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Longer than the gaps inside a decode step, far shorter than a scheduler slice.
constexpr auto kSpin = std::chrono::microseconds(60);

constexpr std::uint64_t kHelpers = 0xffff, kRound = kHelpers + 1;  // in Pool::round_

// Spins until `done` or the time is up; true when done.
template <class F>
bool spin_until(F done) {
    for (int i = 0; i < 200; ++i) {
        if (done()) return true;
        relax();
    }
    const auto end = std::chrono::steady_clock::now() + kSpin;
    while (std::chrono::steady_clock::now() < end) {
        for (int i = 0; i < 50; ++i) {
            if (done()) return true;
            relax();
        }
    }
    return done();
}

}  // namespace

Pool::Pool(int threads, std::shared_ptr<PoolShare> share) : share_(std::move(share)), asleep_(new std::atomic<bool>[std::size_t(std::max(1, threads))]()) {
    try {
        for (int i = 1; i < std::max(1, threads); ++i) workers_.emplace_back([this, i] { work(i); });
    } catch (...) {
        end();
        throw;
    }
}

Pool::~Pool() { end(); }

void Pool::end() {
    ending_ = true;
    {
        std::lock_guard lock(mutex_);
        round_.fetch_add(kRound);
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
}

void Pool::drain(int thread) {
    for (int item; (item = next_.fetch_add(1, std::memory_order_relaxed)) < items_;) call_(context_, item, thread);
}

int Pool::helpers() const {
    const int sharing = share_ ? std::max(1, share_->load(std::memory_order_relaxed)) : 1;
    return std::max(1, threads() / sharing) - 1;
}

void Pool::run_erased(int items, Call call, void* context) {
    const int helpers = items > 1 ? this->helpers() : 0;
    if (helpers == 0) {
        for (int item = 0; item < items; ++item) call(context, item, 0);
        return;
    }
    call_ = call;
    context_ = context;
    items_ = items;
    next_.store(0, std::memory_order_relaxed);
    busy_.store(helpers, std::memory_order_relaxed);
    round_.store((round_.load(std::memory_order_relaxed) / kRound + 1) * kRound + std::uint64_t(helpers), std::memory_order_seq_cst);
    bool sleeping = false;
    for (int i = 1; i <= helpers; ++i) sleeping = sleeping || asleep_[std::size_t(i)].load(std::memory_order_seq_cst);
    if (sleeping) {
        std::lock_guard lock(mutex_);
        wake_.notify_all();
    }
    drain(0);
    auto finished = [this] { return busy_.load(std::memory_order_acquire) == 0; };
    while (!spin_until(finished)) std::this_thread::yield();
}

void Pool::work(int thread) {
    std::uint64_t seen = 0;
    for (;;) {
        // A task without this worker may end, and the next begin, before it has seen either.
        auto called = [&] {
            const std::uint64_t now = round_.load(std::memory_order_seq_cst);
            return now != seen && (std::uint64_t(thread) <= (now & kHelpers) || ending_);
        };
        if (!spin_until(called)) {
            std::unique_lock lock(mutex_);
            asleep_[std::size_t(thread)].store(true, std::memory_order_seq_cst);
            wake_.wait(lock, called);
            asleep_[std::size_t(thread)].store(false, std::memory_order_seq_cst);
        }
        if (ending_) return;
        seen = round_.load(std::memory_order_acquire);
        drain(thread);
        busy_.fetch_sub(1, std::memory_order_release);
    }
}

int usable_cpus() {
    int cpus = 1;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = CPU_COUNT(&set);
    // cgroup v2 "quota period", then v1; the quota may be "max" or -1.
    std::string quota;
    double period = 0;
    if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period) {
    } else {
        std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
        q >> quota;
        p >> period;
    }
    const double allowed = std::atof(quota.c_str());
    if (allowed > 0 && period > 0) cpus = std::min(cpus, std::max(1, int(std::ceil(allowed / period))));
    return std::max(1, cpus);
}

}  // namespace engine
