// DailyAggregator and WeeklyAggregator: what is kept of a node's events of one day.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "router/math/matrix.h"

namespace router::math {

using Date = std::chrono::sys_days;  // in the tenant's time zone

bool is_weekend(Date date);

enum class Status : std::uint8_t { ok, error, timeout, cancelled };

// One execution of a node.
struct Event {
    double latency_ms = 0;  // from its being asked to its end; no number, and of a failure 0: not known
    double queue_ms = 0;    // of which it waited
    Status status = Status::ok;
    int prompt_tokens = 0, output_tokens = 0;  // 0: not known
};

// How ln(service latency) follows ln(tokens), so that longer prompts are not taken for a slower node.
struct TokenModel {
    double prompt = 0, output = 0;            // slopes
    double mean_prompt = 0, mean_output = 0;  // of ln tokens, where the correction is zero

    double correction(const Event& event) const;  // what to subtract from ln(latency)
};

// By robust regression over the events that succeeded and whose prompt's tokens are known; no slopes where there are fewer than 30.
TokenModel token_model(std::span<const Event> events);

struct DailyAggregate {
    Date date{};
    // Over the events that were not cancelled, and of those that succeeded the ones whose times are numbers:
    int sample_count = 0;
    double avg_latency_ms = 0;  // of known latencies
    double error_rate = 0;  // of errors and timeouts
    int errors = 0, timeouts = 0;
    int excused = 0;           // timeouts of prompts so much longer than usual that they alone may be why
    int cancelled = 0, invalid = 0;  // counted and nothing else
    // Missing where no event tells it, never zero. Natural logarithms of milliseconds of service (latency - queue).
    std::optional<double> level = {};         // y1: Huber mean
    std::optional<double> level_error = {};   // its standard error within the day
    std::optional<double> spread = {};        // y2: ln(p90/p50), from five events on
    bool spread_censored = false;        // p90 lies at the time limit: y2 is at least that
    std::optional<double> failure_logit = {}; // y3: ln of (k + ½)/(n - k + ½), k failures

    int failures() const { return errors + timeouts - excused; }  // that are the node's
};

// The events of one node and day. A timeout counts as `limit_ms`, where it is right-censored. An error is right-censored too, at its latency: it counts
// as that where it took longer than most that succeeded, and else tells nothing of how long the node takes.
DailyAggregate aggregate(Date date, std::span<const Event> events, const TokenModel& tokens, double limit_ms);

struct WeeklyAggregate {
    int iso_year = 0, iso_week = 0;
    int days_present = 0;
    bool partial = false;  // fewer than five days
    int sample_count = 0, errors = 0, timeouts = 0;
    double avg_latency_ms = 0;  // weighted by the days' counts, as all means here
    double error_rate = 0;
    std::optional<double> level = {}, spread = {};
};

// One row an ISO week that has a day with events; days in any order.
std::vector<WeeklyAggregate> weekly(std::span<const DailyAggregate> days);

}  // namespace router::math
