#include "router/math/simtel.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace router::math {
namespace {

constexpr double TOKEN_SLOPE = 0.3;      // of ln(latency) on ln(prompt tokens)
constexpr double TOKEN_DEVIATION = 0.6;  // of ln(prompt tokens)
constexpr double MEDIAN_TOKENS = 1500;
constexpr double UNKNOWN = std::numeric_limits<double>::quiet_NaN();

// ln(latency) about its median, with deviation near 1 in every family.
double scatter(Family family, Rng& rng) {
    switch (family) {
        case Family::log_normal: return rng.normal();
        case Family::student: return rng.student(4);
        case Family::cold_warm: return rng.uniform() < 1.0 / 12 ? rng.normal() + std::log(4.0) / 0.45 : rng.normal();
        case Family::cached: return rng.uniform() < 0.4 ? rng.normal() - std::log(5.0) / 0.45 : rng.normal();
    }
    return 0;
}

}  // namespace

std::string_view name(Family family) {
    switch (family) {
        case Family::log_normal: return "log_normal";
        case Family::student: return "student";
        case Family::cold_warm: return "cold_warm";
        case Family::cached: return "cached";
    }
    return "";
}

std::vector<Family> families() { return {Family::log_normal, Family::student, Family::cold_warm, Family::cached}; }

SimTenant default_tenant(int nodes) {
    const std::vector<SimNode> pipeline = {{"arbiter", 1.5, 0.45, 1, false},  {"intake", 8'000, 0.45, 1, true},     {"retrieve", 5, 0.45, 1, false},
                                           {"thinking", 20'000, 0.45, 0.13, true}, {"recompose", 26'000, 0.45, 1, true}, {"write_memory", 3, 0.45, 1, false},
                                           {"copilot", 6'000, 0.45, 0.5, true}};
    SimTenant tenant;
    for (int i = 0; i < nodes; ++i) {
        SimNode node = pipeline[std::size_t(i) < pipeline.size() ? std::size_t(i) : std::size_t(i) % 3];
        if (std::size_t(i) >= pipeline.size()) node.name += "_" + std::to_string(i);
        tenant.nodes.push_back(std::move(node));
    }
    return tenant;
}

double residual_of(const SimNode& node, const Event& event) {
    const double tokens = event.prompt_tokens > 0 ? TOKEN_SLOPE * std::log(event.prompt_tokens / MEDIAN_TOKENS) : 0;
    return (std::log(std::max(event.latency_ms, 0.1)) - std::log(node.median_ms) - tokens) / node.deviation;
}

Simulator::Simulator(SimTenant tenant, std::string_view seed, Date from) : tenant_(std::move(tenant)), rng_(seed), date_(from) {
    for (std::size_t i = 0; i < tenant_.nodes.size(); ++i) effects_.push_back(rng_.normal());
    shared_ = rng_.normal();
}

Event Simulator::event(const SimNode& node, double effect, const Disturbance& disturbance) {
    Event out;
    double log_latency = std::log(node.median_ms * disturbance.factor) + effect + node.deviation * disturbance.spread * scatter(tenant_.family, rng_);
    if (node.model) {
        const double tokens = TOKEN_DEVIATION * rng_.normal() + std::log(disturbance.tokens);
        out.prompt_tokens = std::max(1, int(std::lround(MEDIAN_TOKENS * std::exp(tokens))));
        log_latency += TOKEN_SLOPE * tokens;
        if (rng_.uniform() < tenant_.cold_start) log_latency += std::log(2.5);
    }
    // No draw where there is nothing to decide: what a seed gives hangs on what happens alone.
    const auto happens = [&](double share) { return share > 0 && rng_.uniform() < share; };
    if (happens(disturbance.outliers)) log_latency += std::log(20);
    out.latency_ms = std::exp(log_latency);
    const double failing = disturbance.error_rate >= 0 ? disturbance.error_rate : tenant_.error_rate;
    if (rng_.uniform() < failing) out.status = Status::error;
    if (node.model && (out.latency_ms > tenant_.limit_ms || rng_.uniform() < disturbance.timeout_rate)) {
        out.status = Status::timeout;
        out.latency_ms = disturbance.untimed ? UNKNOWN : tenant_.limit_ms;
    }
    if (happens(disturbance.zeros)) out.latency_ms = 0;
    if (happens(disturbance.refused)) out.status = Status::error, out.latency_ms = UNKNOWN;
    return out;
}

std::vector<std::vector<Event>> Simulator::next(const std::vector<Disturbance>& disturbances) {
    const double phi = tenant_.day_autocorrelation, fresh = std::sqrt(1 - phi * phi);
    const int requests = rng_.poisson(is_weekend(date_) ? tenant_.weekend : tenant_.weekday);
    shared_ = phi * shared_ + fresh * rng_.normal();
    std::vector<std::vector<Event>> out(tenant_.nodes.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const SimNode& node = tenant_.nodes[i];
        effects_[i] = phi * effects_[i] + fresh * rng_.normal();
        const double effect = tenant_.day_deviation * effects_[i] + (node.model ? disturbances[i].shared * shared_ : 0);
        if (rng_.uniform() < tenant_.missing || disturbances[i].silent) continue;
        const int usual = node.share < 1 ? rng_.binomial(requests, node.share) : requests;
        const int events = int(std::lround(usual * disturbances[i].volume));
        for (int e = 0; e < events; ++e) out[i].push_back(event(node, effect, disturbances[i]));
    }
    date_ += std::chrono::days(1);
    return out;
}

SimHistory::SimHistory(SimTenant tenant, std::string_view seed, Date from, int baseline_days)
    : simulator_(std::move(tenant), seed, from), baseline_days_(baseline_days), rows_(simulator_.tenant().nodes.size()) {}

void SimHistory::day(const std::vector<Disturbance>& disturbances) {
    const Date date = simulator_.date();
    auto events = simulator_.next(disturbances);
    const double limit = simulator_.tenant().limit_ms;
    if (++days_ > baseline_days_) {
        for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].push_back(aggregate(date, events[i], tokens_[i], limit));
        return;
    }
    kept_.push_back(std::move(events));
    if (days_ < baseline_days_) return;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        std::vector<Event> all;
        for (const auto& day : kept_) all.insert(all.end(), day[i].begin(), day[i].end());
        tokens_.push_back(token_model(all));
        for (int d = 0; d < baseline_days_; ++d) rows_[i].push_back(aggregate(date - std::chrono::days(baseline_days_ - 1 - d), kept_[std::size_t(d)][i], tokens_[i], limit));
    }
    kept_.clear();
}

void SimHistory::calm(int days) {
    const std::vector<Disturbance> none(rows_.size());
    for (int d = 0; d < days; ++d) day(none);
}

}  // namespace router::math
