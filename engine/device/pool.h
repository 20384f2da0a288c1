// The compute pool: CPU threads that share one task's items. Workers spin for a short time between
// tasks, so that a decode step costs no futex wake-up, then sleep.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace engine {

class Pool {
public:
    // `threads` in all, the caller of run() included; at least 1.
    explicit Pool(int threads);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    int threads() const { return int(workers_.size()) + 1; }

    // Calls task(item, thread) for every item in [0, items), each once, on all CPU threads; thread is
    // 0 for the caller. Returns when all are done. Items are handed out one by one, so make each
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
    void drain(int thread);

    std::vector<std::thread> workers_;
    Call call_ = nullptr;
    void* context_ = nullptr;
    int items_ = 0;
    alignas(64) std::atomic<int> next_{0};
    alignas(64) std::atomic<int> busy_{0};           // workers still in the current task
    alignas(64) std::atomic<std::uint64_t> round_{0};  // raised for each task
    std::atomic<int> sleeping_{0};
    std::atomic<bool> ending_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
};

// CPU threads that this process may use: affinity mask and cgroup quota, at least 1.
int usable_cpus();

}  // namespace engine
