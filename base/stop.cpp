#include "base/stop.h"

#include <map>

namespace base {

class StopState {
public:
    explicit StopState(std::shared_ptr<StopState> parent = nullptr,
                       std::optional<std::chrono::steady_clock::time_point> deadline = {})
        : parent_(std::move(parent)), deadline_(deadline) {}

    StopReason reason() const {
        if (requested_.load(std::memory_order_acquire)) return StopReason::cancelled;
        if (parent_) {
            if (const auto why = parent_->reason(); why != StopReason::none) return why;
        }
        if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) return StopReason::deadline;
        return StopReason::none;
    }

    std::optional<std::chrono::steady_clock::time_point> deadline() const {
        auto outer = parent_ ? parent_->deadline() : std::nullopt;
        if (!deadline_) return outer;
        return outer ? std::min(*outer, *deadline_) : deadline_;
    }

    void request() {
        std::map<std::size_t, std::function<void()>> callbacks;
        {
            std::lock_guard lock(mutex_);
            if (requested_.exchange(true, std::memory_order_acq_rel)) return;
            callbacks.swap(callbacks_);
        }
        for (auto& [key, callback] : callbacks) callback();
    }

    // Key 0 means that the callback has already run.
    std::size_t add(std::function<void()> callback) {
        {
            std::lock_guard lock(mutex_);
            if (!requested_.load(std::memory_order_acquire)) {
                callbacks_.emplace(++last_key_, std::move(callback));
                return last_key_;
            }
        }
        callback();
        return 0;
    }

    void remove(std::size_t key) {
        std::lock_guard lock(mutex_);
        callbacks_.erase(key);
    }

    // Hangs this state from its parent: the parent's request becomes ours.
    static void chain(const std::shared_ptr<StopState>& state) {
        if (!state->parent_) return;
        std::weak_ptr<StopState> weak = state;
        auto forward = [weak] {
            if (auto strong = weak.lock()) strong->request();
        };
        state->parent_guard_ = StopToken::Guard(state->parent_, state->parent_->add(forward));
    }

private:
    std::shared_ptr<StopState> parent_;
    std::optional<std::chrono::steady_clock::time_point> deadline_;
    std::atomic<bool> requested_{false};
    std::mutex mutex_;
    std::size_t last_key_ = 0;
    std::map<std::size_t, std::function<void()>> callbacks_;
    StopToken::Guard parent_guard_;
};

StopReason StopToken::reason() const { return state_ ? state_->reason() : StopReason::none; }

std::optional<std::chrono::steady_clock::time_point> StopToken::deadline() const {
    return state_ ? state_->deadline() : std::nullopt;
}

Error StopToken::error(const std::string& what) const {
    if (reason() == StopReason::deadline) return {Code::deadline, what + " ran out of time", {}};
    return {Code::cancelled, what + " was stopped", {}};
}

StopToken::Guard StopToken::on_stop(std::function<void()> callback) const {
    if (!state_) return {};
    const auto key = state_->add(std::move(callback));
    return key == 0 ? Guard{} : Guard(state_, key);
}

StopToken::Guard& StopToken::Guard::operator=(Guard&& other) noexcept {
    if (this != &other) {
        release();
        state_ = std::move(other.state_);
        key_ = other.key_;
    }
    return *this;
}

void StopToken::Guard::release() {
    if (state_) state_->remove(key_);
    state_.reset();
}

StopSource::StopSource() : state_(std::make_shared<StopState>()) {}

StopSource::StopSource(const StopToken& parent) : state_(std::make_shared<StopState>(parent.state_)) {
    StopState::chain(state_);
}

StopSource::StopSource(const StopToken& parent, std::chrono::steady_clock::time_point deadline)
    : state_(std::make_shared<StopState>(parent.state_, deadline)) {
    StopState::chain(state_);
}

void StopSource::request_stop() { state_->request(); }

}  // namespace base
