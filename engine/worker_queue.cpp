// The worker's queue: who may wait, and who waits no more.
#include "engine/worker.h"

namespace engine {

base::Result<void> Worker::book(const Sequence& sequence) {
    std::lock_guard lock(mutex_);
    const auto found = waiting_each_.find(sequence.person);
    const int own = found == waiting_each_.end() ? 0 : found->second;
    const bool full = n_waiting_ >= most_.waiting;
    if (full || own >= most_.waiting_each)
        return base::error(base::Code::resource_exhausted,
                           std::to_string(full ? int(n_waiting_) : own) + " requests" + (full ? "" : " of this person") + " wait for the model already, which is the most",
                           "try again when some of them have been answered");
    ++waiting_each_[sequence.person];
    ++n_waiting_;
    return {};
}

void Worker::enter(std::unique_ptr<Sequence> sequence) {
    {
        std::lock_guard lock(mutex_);
        inbox_.push_back(std::move(sequence));
    }
    changed_.notify_all();
}

base::Result<void> Worker::submit(std::unique_ptr<Sequence> sequence) {
    auto booked = book(*sequence);
    if (booked) enter(std::move(sequence));
    return booked;
}

void Worker::left_queue(const Sequence& s) {
    std::lock_guard lock(mutex_);
    --n_waiting_;
    if (const auto own = waiting_each_.find(s.person); --own->second == 0) waiting_each_.erase(own);
}

}  // namespace engine
