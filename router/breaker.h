// Whether a backend is worth calling, by how its last calls went. Pure: times are given in.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace router {

class Breaker {
public:
    struct Options {
        int failures = 5;  // within `window` open the circuit
        std::chrono::seconds window{60};
        std::chrono::seconds rest{10};           // of the first opening; each probe that fails doubles it
        std::chrono::seconds longest_rest{300};  // also of what a backend asks for
    };
    enum class State { closed, open, half_open };
    // Of a call that was allowed; handed back with how it went.
    struct Ticket {
        bool probe = false;
        int opening = 0;
    };

    Breaker() = default;
    explicit Breaker(Options options) : options_(options) {}

    // Nothing while the circuit is open, and while a probe of the half-open one is under way.
    std::optional<Ticket> admit(base::SteadyPoint now);
    // An answer closes the circuit, whenever its call began.
    void succeeded();
    // `not_before`: until when the backend asked not to be called. A call from before the opening only tells that.
    void failed(Ticket ticket, base::SteadyPoint now, base::SteadyPoint not_before = {});
    // It ended without telling anything of the backend.
    void abandoned(Ticket ticket);

    State state(base::SteadyPoint now) const;
    std::int64_t seconds_left(base::SteadyPoint now) const;  // until an open circuit is half open

private:
    void open(base::SteadyPoint until);

    Options options_;
    std::deque<base::SteadyPoint> failures_;  // of the window; empty while open
    bool open_ = false, probing_ = false;
    int openings_ = 0;    // numbers them; tickets of earlier ones are stale
    int failed_probes_ = 0;  // since the circuit was closed
    base::SteadyPoint until_{};
};

std::string_view name(Breaker::State state);

}  // namespace router
