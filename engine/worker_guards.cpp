// What the worker does where the machine is short of memory or too hot.
#include "engine/worker.h"

namespace engine {

// Ends the youngest answer where memory is short, so that the system does not end the process with all of them. The next one follows if
// that was not enough.
void Worker::spare_memory() {
    if (running_.empty()) return;
    std::string reason = guard_.short_of(std::chrono::steady_clock::now());
    if (reason.empty()) return;
    finish(*running_.back(), Finish::failed, std::move(reason), base::Code::unavailable);
    running_.pop_back();
    ++memory_stops_;
}

// What is wrong where a file that weights are read from was cut since the load, or "".
std::string Worker::cut_file() const {
    for (const Model* const model : {&runner_->model(), draft_model_ ? &draft_model_->model() : nullptr})
        if (model && model->file && !model->experts && !model->file->is_whole())  // experts that are read one by one tell of it themselves
            return model->file->error("was cut after it was loaded: put the whole file there, and load the model again", base::Code::corrupt).message;
    return {};
}

// Ends the answers, as the system would end the process that reads what is gone of a mapping.
void Worker::end_if_cut() {
    if (running_.empty()) return;
    if (const std::string why = cut_file(); !why.empty()) finish_each(running_, Finish::failed, why, base::Code::unavailable);
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
