#include "router/math/aggregate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr double LEAST_MS = 0.1;  // a clock step may make a latency nothing or less
constexpr double HUBER = 1.5;
constexpr double LONGER = 0.15;  // of ln(latency), by tokens alone

// Whether its time is known. A failure that took nothing was never measured.
bool measured(const Event& e) {
    return std::isfinite(e.latency_ms) && std::isfinite(e.queue_ms) && (e.status == Status::ok ? e.latency_ms >= 0 : e.latency_ms > 0);
}

double log_tokens(int tokens) { return std::log(double(std::max(tokens, 1))); }

double log_service(const Event& e, double limit_ms) {
    const double known = measured(e) ? e.latency_ms : 0, waited = measured(e) ? std::max(e.queue_ms, 0.0) : 0;
    const double latency = e.status == Status::timeout ? std::max(known, limit_ms) : known;
    return std::log(std::clamp(latency - waited, LEAST_MS, std::max(limit_ms, LEAST_MS)));
}

// Standard error of Huber's mean: s·sqrt(mean psi²)/(mean psi'·sqrt n) (Huber and Ronchetti 2009, §6.3).
double huber_error(std::span<const double> values, double centre) {
    const double bound = HUBER * median_deviation(values, median(Vector(values.begin(), values.end())));
    double inside = 0, squares = 0;
    for (double v : values) {
        const double clipped = winsorised(v - centre, bound);
        squares += clipped * clipped;
        inside += std::abs(v - centre) < bound;
    }
    return inside > 0 ? std::sqrt(squares) / inside : 0;
}

// ln(service latency) of the events that tell it: as it was, and with the tokens' share taken off.
struct Times {
    Vector raw, logs;

    void add(const Event& e, const TokenModel& tokens, double limit_ms) {
        raw.push_back(log_service(e, limit_ms));
        logs.push_back(raw.back() - tokens.correction(e));
    }
};

Times times_of(std::span<const Event> events, const TokenModel& tokens, double limit_ms) {
    Times out;
    for (const Event& e : events)
        if (e.status == Status::timeout || (e.status == Status::ok && measured(e))) out.add(e, tokens, limit_ms);
    if (out.raw.empty()) return out;
    const double usual = median(out.raw);
    for (const Event& e : events)
        if (e.status == Status::error && measured(e) && log_service(e, limit_ms) >= usual) out.add(e, tokens, limit_ms);
    return out;
}

void measure(DailyAggregate& out, Vector logs, double limit_ms, double highest_raw) {
    out.level = huber_mean(logs, HUBER);
    out.level_error = huber_error(logs, *out.level);
    if (logs.size() < 5) return;
    std::sort(logs.begin(), logs.end());
    out.spread = sorted_quantile(logs, 0.9) - sorted_quantile(logs, 0.5);
    out.spread_censored = highest_raw >= std::log(std::max(limit_ms, LEAST_MS));
}

std::pair<int, int> iso_week(Date date) {
    using namespace std::chrono;
    const Date thursday = date - (weekday(date) - Monday) + days(3);
    const year_month_day ymd(thursday);
    return {int(ymd.year()), int((thursday - sys_days(ymd.year() / January / 1)).count() / 7 + 1)};
}

}  // namespace

bool is_weekend(Date date) {
    const std::chrono::weekday day(date);
    return day == std::chrono::Saturday || day == std::chrono::Sunday;
}

double TokenModel::correction(const Event& event) const {
    // What failed has often no output tokens: what is not known corrects nothing.
    const double by_prompt = event.prompt_tokens > 0 ? prompt * (log_tokens(event.prompt_tokens) - mean_prompt) : 0;
    const double by_output = event.output_tokens > 0 ? output * (log_tokens(event.output_tokens) - mean_output) : 0;
    return by_prompt + by_output;
}

TokenModel token_model(std::span<const Event> events) {
    std::vector<const Event*> known;
    for (const Event& e : events)
        if (measured(e) && e.status == Status::ok && e.prompt_tokens > 0) known.push_back(&e);
    if (known.size() < 30) return {};
    TokenModel model;
    for (const Event* e : known) {
        model.mean_prompt += log_tokens(e->prompt_tokens) / double(known.size());
        model.mean_output += log_tokens(e->output_tokens) / double(known.size());
    }
    Matrix x(known.size(), 3, 1.0);
    Vector y(known.size());
    for (std::size_t i = 0; i < known.size(); ++i) {
        x(i, 1) = log_tokens(known[i]->prompt_tokens) - model.mean_prompt;
        x(i, 2) = log_tokens(known[i]->output_tokens) - model.mean_output;
        y[i] = log_service(*known[i], known[i]->latency_ms);
    }
    const Vector fit = robust_regression(x, y);
    model.prompt = fit[1];
    model.output = fit[2];
    return model;
}

DailyAggregate aggregate(Date date, std::span<const Event> events, const TokenModel& tokens, double limit_ms) {
    DailyAggregate out{.date = date};
    Vector latencies;
    for (const Event& e : events) {
        if (e.status == Status::cancelled) {
            ++out.cancelled;
        } else if (e.status == Status::ok && !measured(e)) {
            ++out.invalid;
        } else {
            ++out.sample_count;
            out.errors += e.status == Status::error;
            out.timeouts += e.status == Status::timeout;
            out.excused += e.status == Status::timeout && tokens.correction(e) > LONGER;
            if (measured(e)) latencies.push_back(e.latency_ms);
        }
    }
    if (out.sample_count == 0) return out;
    const double n = out.sample_count, k = out.failures();
    if (!latencies.empty()) out.avg_latency_ms = mean_of(latencies);
    out.error_rate = (out.errors + out.timeouts) / n;
    out.failure_logit = std::log((k + 0.5) / (n - k + 0.5));
    Times times = times_of(events, tokens, limit_ms);
    if (!times.logs.empty()) measure(out, std::move(times.logs), limit_ms, quantile(std::move(times.raw), 0.9));
    return out;
}

std::vector<WeeklyAggregate> weekly(std::span<const DailyAggregate> days) {
    std::map<std::pair<int, int>, std::vector<const DailyAggregate*>> weeks;
    for (const DailyAggregate& day : days)
        if (day.sample_count > 0) weeks[iso_week(day.date)].push_back(&day);
    std::vector<WeeklyAggregate> out;
    for (const auto& [key, rows] : weeks) {
        WeeklyAggregate week{.iso_year = key.first, .iso_week = key.second, .days_present = int(rows.size()), .partial = rows.size() < 5};
        double level = 0, level_count = 0, spread = 0, spread_count = 0;
        for (const DailyAggregate* row : rows) {
            const double n = row->sample_count;
            week.sample_count += row->sample_count;
            week.errors += row->errors;
            week.timeouts += row->timeouts;
            week.avg_latency_ms += n * row->avg_latency_ms;
            if (row->level) level += n * *row->level, level_count += n;
            if (row->spread) spread += n * *row->spread, spread_count += n;
        }
        week.avg_latency_ms /= week.sample_count;
        week.error_rate = double(week.errors + week.timeouts) / week.sample_count;
        if (level_count > 0) week.level = level / level_count;
        if (spread_count > 0) week.spread = spread / spread_count;
        out.push_back(week);
    }
    return out;
}

}  // namespace router::math
