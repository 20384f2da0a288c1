// The one cancellation: a StopToken says whether, and why, work should end. Engine flags, Asio
// slots, upstream transfers and sandbox deaths hang from it through on_stop().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"

namespace base {

enum class StopReason { none, cancelled, deadline };

class StopState;

// Cheap to copy. Thread-safe.
class StopToken {
public:
    StopToken() = default;  // never stops
    explicit StopToken(std::shared_ptr<StopState> state) : state_(std::move(state)) {}

    StopReason reason() const;
    bool stopped() const { return reason() != StopReason::none; }
    // The earliest deadline of this token and its parents; none if unbounded.
    std::optional<std::chrono::steady_clock::time_point> deadline() const;
    // Error{cancelled|deadline} naming `what`; call only when stopped().
    Error error(const std::string& what) const;

    // Runs `callback` once: at once if already requested, else on the CPU thread that requests the
    // stop. The returned guard unregisters. Deadlines do not fire callbacks: whoever waits, waits
    // with deadline().
    class Guard;
    [[nodiscard]] Guard on_stop(std::function<void()> callback) const;

private:
    friend class StopSource;
    std::shared_ptr<StopState> state_;
};

class StopSource {
public:
    StopSource();                                  // stops only by request_stop()
    explicit StopSource(const StopToken& parent);  // also when the parent does
    StopSource(const StopToken& parent, std::chrono::steady_clock::time_point deadline);

    void request_stop();
    StopToken token() const { return StopToken(state_); }

private:
    std::shared_ptr<StopState> state_;
};

class StopToken::Guard {
public:
    Guard() = default;
    Guard(std::shared_ptr<StopState> state, std::size_t key) : state_(std::move(state)), key_(key) {}
    Guard(Guard&& other) noexcept = default;
    Guard& operator=(Guard&& other) noexcept;
    ~Guard() { release(); }
    void release();

private:
    std::shared_ptr<StopState> state_;
    std::size_t key_ = 0;
};

}  // namespace base
