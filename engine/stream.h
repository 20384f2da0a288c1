// The bounded ring between the worker and one reader. The worker never waits for a reader: when the
// ring is full that sequence rests, and the first read afterwards wakes the worker.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/draft_choice.h"
#include "engine/request.h"

namespace engine {

class Stream {
public:
    Stream(std::function<void()> wake_worker, int logprobs);

    static constexpr int kEvents = 256, kAtOnce = 64;
    // Worker's side. While it is not full there is room for a token, kMostDraft guessed ones and kAtOnce forced ones; always for the
    // last event.
    bool full() const { return count_.load(std::memory_order_acquire) >= kEvents; }
    void push(TokenId id, const std::string& text, const std::vector<TokenLogprob>& top);
    void finish(Finish reason, const std::string& text, std::string error = {}, base::Code code = base::Code::internal);
    void set_usage(const Usage& usage);

    // Reader's side.
    std::optional<TokenEvent> next();
    std::optional<TokenEvent> poll();
    void on_event(std::function<void()> callback);
    void stop();
    Usage usage() const;

    bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

private:
    std::optional<TokenEvent> take(std::unique_lock<std::mutex>& lock);
    void tell(std::unique_lock<std::mutex>& lock);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<TokenEvent> ring_;  // slots keep the room of their texts
    std::size_t first_ = 0;
    std::atomic<int> count_{0};
    std::optional<TokenEvent> last_;
    bool over_ = false;             // the last event was handed out
    std::atomic<bool> stopped_{false};
    Usage usage_;
    std::function<void()> callback_, wake_worker_;
};

}  // namespace engine
