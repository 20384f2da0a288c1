// The compute pool: CPU threads that share one task's items. Workers spin for a short time between
// tasks, so that a decode step costs no futex wake-up, then sleep. Models that compute at the same time share the machine's CPU
// threads: each then runs on its part of them, for two pools that each want all would wait for one another at every task.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace engine {

// How many of the pools that have it are busy.
using PoolShare = std::atomic<int>;

class Pool {
public:
    // `threads` in all, the caller of run() included; at least 1. `share`: see Busy; null: all of them, whoever else computes.
    explicit Pool(int threads, std::shared_ptr<PoolShare> share = {});
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    int threads() const { return int(workers_.size()) + 1; }

    // While one lives its pool counts among those that share. From one CPU thread at a time, as run().
    class Busy {
    public:
        explicit Busy(Pool& pool) : pool_(pool) {
            if (pool_.share_ && pool_.busy_depth_++ == 0) ++*pool_.share_;
        }
        ~Busy() {
            if (pool_.share_ && --pool_.busy_depth_ == 0) --*pool_.share_;
        }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;

    private:
        Pool& pool_;
    };

    // Calls task(item, thread) for every item in [0, items), each once, on this pool's part of the CPU threads; thread is below
    // threads(), and 0 for the caller. Returns when all are done. Items are handed out one by one, so make each
    // worth some microseconds. No allocation. One caller at a time; not from inside a task.
    template <class F>
    void run(int items, F&& task) {
        using Task = std::remove_reference_t<F>;
        run_erased(items, [](void* context, int item, int thread) { (*static_cast<Task*>(context))(item, thread); },
                   const_cast<void*>(static_cast<const void*>(&task)));
    }

private:
    using Call = void (*)(void* context, int item, int thread);
    void run_erased(int items, Call call, void* context);
    void work(int thread);
    void end();
    void drain(int thread);
    int helpers() const;  // workers of the next task

    const std::shared_ptr<PoolShare> share_;
    int busy_depth_ = 0;
    std::vector<std::thread> workers_;
    Call call_ = nullptr;
    void* context_ = nullptr;
    int items_ = 0;
    alignas(64) std::atomic<int> next_{0};
    alignas(64) std::atomic<int> busy_{0};           // workers still in the current task
    alignas(64) std::atomic<std::uint64_t> round_{0};  // number of the task, and in the lowest bits how many workers it has
    std::unique_ptr<std::atomic<bool>[]> asleep_;      // each worker
    std::atomic<bool> ending_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
};

// CPU threads that this process may use: affinity mask and cgroup quota, at least 1.
int usable_cpus();

}  // namespace engine
