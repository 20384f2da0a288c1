#include "engine/stream.h"

namespace engine {
namespace {

constexpr std::size_t kTextRoom = 64;

}  // namespace

Stream::Stream(std::function<void()> wake_worker, int logprobs) : ring_(kEvents + kAtOnce + kMostDraft), wake_worker_(std::move(wake_worker)) {
    for (auto& event : ring_) {
        event.text.reserve(kTextRoom);
        event.top.reserve(std::size_t(logprobs));
    }
}

// The callback runs under the lock, so that a reader that takes it away knows it is not running.
void Stream::tell(std::unique_lock<std::mutex>&) {
    changed_.notify_all();
    if (callback_) callback_();
}

void Stream::push(TokenId id, const std::string& text, const std::vector<TokenLogprob>& top) {
    std::unique_lock lock(mutex_);
    const auto count = std::size_t(count_.load(std::memory_order_relaxed));
    TokenEvent& slot = ring_[(first_ + count) % ring_.size()];
    slot.id = id;
    slot.text.assign(text);
    slot.top.assign(top.begin(), top.end());
    count_.store(int(count) + 1, std::memory_order_release);
    tell(lock);
}

void Stream::finish(Finish reason, const std::string& text, std::string error, base::Code code) {
    std::unique_lock lock(mutex_);
    if (last_ || over_) return;
    last_.emplace();
    last_->text = text;
    last_->finish = reason;
    last_->error = std::move(error);
    last_->code = code;
    tell(lock);
}

void Stream::set_usage(const Usage& usage) {
    std::lock_guard lock(mutex_);
    usage_ = usage;
}

std::optional<TokenEvent> Stream::take(std::unique_lock<std::mutex>& lock) {
    const int count = count_.load(std::memory_order_relaxed);
    std::optional<TokenEvent> event;
    if (count > 0) {
        event = ring_[first_];
        first_ = (first_ + 1) % ring_.size();
        count_.store(count - 1, std::memory_order_release);
        if (count == kEvents) {
            lock.unlock();
            wake_worker_();
        }
    } else if (last_) {
        event = std::move(last_);
        last_.reset();
        over_ = true;
    }
    return event;
}

std::optional<TokenEvent> Stream::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_.load() > 0 || last_ || over_; });
    return take(lock);
}

std::optional<TokenEvent> Stream::poll() {
    std::unique_lock lock(mutex_);
    return take(lock);
}

void Stream::on_event(std::function<void()> callback) {
    std::unique_lock lock(mutex_);
    callback_ = std::move(callback);
    if (callback_ && (count_.load() > 0 || last_)) callback_();
}

void Stream::stop() {
    stopped_.store(true);
    wake_worker_();
}

Usage Stream::usage() const {
    std::lock_guard lock(mutex_);
    return usage_;
}

}  // namespace engine
