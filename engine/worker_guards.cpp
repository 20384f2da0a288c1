// What the worker does where the machine is short of memory or too hot.
#include "engine/worker.h"

namespace engine {

// Ends the youngest answer where memory is short, so that the system does not end the process with all of them. The next one follows if
// that was not enough.
void Worker::spare_memory() {
    if (running_.empty()) return;
    std::string reason = guard_.short_of(std::chrono::steady_clock::now());
    if (reason.empty()) return;
    finish(*running_.back(), Finish::failed, std::move(reason));
    running_.pop_back();
    ++memory_stops_;
}

// A machine that is too hot computes a quarter of the time, and takes on nothing beside what runs: so it goes on, and is not slowed or
// switched off by force.
void Worker::cool_down(std::chrono::steady_clock::duration step) {
    hot_ = heat_.look(std::chrono::steady_clock::now());
    if (!hot_) return;
    ++heat_pauses_;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, HeatGuard::rest_after(step), [&] { return ending_ || woken_ || !jobs_.empty(); });
}

}  // namespace engine
