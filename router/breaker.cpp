#include "router/breaker.h"

#include <algorithm>

namespace router {

Breaker::State Breaker::state(base::SteadyPoint now) const {
    if (!open_) return State::closed;
    return now < until_ ? State::open : State::half_open;
}

std::int64_t Breaker::seconds_left(base::SteadyPoint now) const {
    return state(now) == State::open ? std::chrono::ceil<std::chrono::seconds>(until_ - now).count() : 0;
}

std::optional<Breaker::Ticket> Breaker::admit(base::SteadyPoint now) {
    switch (state(now)) {
        case State::closed: return Ticket{false, openings_};
        case State::open: return std::nullopt;
        case State::half_open: break;
    }
    if (probing_) return std::nullopt;
    probing_ = true;
    return Ticket{true, openings_};
}

void Breaker::succeeded() {
    open_ = probing_ = false;
    failed_probes_ = 0;
    until_ = {};
    failures_.clear();
}

void Breaker::failed(Ticket ticket, base::SteadyPoint now, base::SteadyPoint not_before) {
    not_before = std::min(not_before, now + options_.longest_rest);
    const bool stale = ticket.opening != openings_ || (open_ && !ticket.probe);
    if (stale) {
        if (open_) until_ = std::max(until_, not_before);
        return;
    }
    if (ticket.probe) {
        const int doublings = std::min(++failed_probes_, 16);
        const auto rest = std::min<std::chrono::seconds>(options_.rest * (1 << doublings), options_.longest_rest);
        return open(std::max(now + rest, not_before));
    }
    failures_.push_back(now);
    while (failures_.front() + options_.window <= now) failures_.pop_front();
    if (not_before > now) return open(not_before);
    if (int(failures_.size()) >= options_.failures) open(now + options_.rest);
}

void Breaker::abandoned(Ticket ticket) {
    if (ticket.probe && ticket.opening == openings_) probing_ = false;
}

std::string_view name(Breaker::State state) {
    switch (state) {
        case Breaker::State::closed: return "closed";
        case Breaker::State::open: return "open";
        case Breaker::State::half_open: return "half_open";
    }
    return "closed";
}

void Breaker::open(base::SteadyPoint until) {
    open_ = true;
    probing_ = false;
    ++openings_;
    until_ = std::max(until_, until);  // a call from before may have told of a later time
    failures_.clear();
}

}  // namespace router
