// Regret of routing heavy questions, against an oracle that knows the true means.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "router/math/bench.h"
#include "router/math/belief.h"
#include "router/math/recommend.h"
#include "router/math/route.h"
#include "router/math/robust.h"

namespace router::math {
namespace {

constexpr int CALM = 30, RUN = 60;        // days of baseline, and of the run that is judged
constexpr int FROM = 5, RECOVERED = 35;   // of the run: when the change comes and, where it does, goes
constexpr double HANGS = 100;             // a factor that no event survives
constexpr double HEAVY = 0.13;            // share of requests
// Chosen so that going deep always costs little while all is well and much when thinking is three times as slow.
constexpr double GAIN_MEAN = 0.375, GAIN_DEVIATION = 0.15;  // of ΔQ over heavy questions
constexpr double DEVIATION = 0.45, THINKING_MS = 31'000, RECOMPOSE_MS = 26'000, LIMIT_MS = 120'000;

struct Course {
    std::string name;
    double (*thinking)(int day);
    double (*recompose)(int day);
    int recovers = 0;  // the day, of those that end well
};

double one(int) { return 1; }

// Those that the mean regret is of.
std::vector<Course> courses() {
    return {
        {"no change", one, one},
        {"thinking x3", [](int d) { return d >= FROM ? 3.0 : 1; }, one},
        {"thinking x3, recovers", [](int d) { return d >= FROM && d < RECOVERED ? 3.0 : 1; }, one, RECOVERED},
        {"all x2", [](int d) { return d >= FROM ? 2.0 : 1; }, [](int d) { return d >= FROM ? 2.0 : 1; }},
        {"ramp 3 %/day", [](int d) { return std::pow(1.03, std::max(0, d - FROM)); }, one},
        {"all x0.6", [](int d) { return d >= FROM ? 0.6 : 1; }, [](int d) { return d >= FROM ? 0.6 : 1; }},
        {"x6 every third day", [](int d) { return d >= FROM && d % 3 == 0 ? 6.0 : 1; }, one},
    };
}

// What else happens to a node. None may do worse than going deep always.
std::vector<Course> other_courses() {
    return {
        {"hangs for a week", [](int d) { return d >= FROM && d < FROM + 7 ? HANGS : 1; }, one, FROM + 7},
        {"recovers in steps", [](int d) { return d < FROM ? 1 : d < 15 ? 4.0 : d < 25 ? 2.0 : d < RECOVERED ? 1.4 : 1; }, one, RECOVERED},
        {"drifts up and back, 3 %/day", [](int d) { return std::pow(1.03, std::max(0, d < 30 ? d - FROM : 55 - d)); }, one},
        {"x3 on five days of seven", [](int d) { return d >= FROM && d % 7 < 5 ? 3.0 : 1; }, one},
        {"both nodes x3 for a month", [](int d) { return d >= FROM && d < RECOVERED ? 3.0 : 1; }, [](int d) { return d >= FROM && d < RECOVERED ? 3.0 : 1; }, RECOVERED},
        {"bad for one day", [](int d) { return d == FROM ? 6.0 : 1; }, one, FROM + 1},
    };
}

// What thinking truly costs at a factor: the mean over many draws of the events' scatter.
class Truth {
public:
    Truth() {
        Rng rng("simtel|truth");
        for (int i = 0; i < 4'000; ++i) scatter_.push_back(DEVIATION * rng.student(4));
    }
    double price_at(double factor, const RouteSettings& s) const {
        double sum = 0, late = 0;
        for (double x : scatter_) {
            const double ms = THINKING_MS * factor * std::exp(x);
            sum += std::min(ms, LIMIT_MS);
            late += ms > LIMIT_MS;
        }
        const double n = double(scatter_.size());
        return s.price_per_second * sum / n / 1000 + s.price_of_timeout * late / n;
    }

private:
    Vector scatter_;
};

struct Policy {
    std::string name;
    bool always = false;  // static: every heavy question goes deep
    bool probes = true;
    Rule rule = Rule::utility;
};

// Seconds a node took, day by day, as the plain rule sees them: the mean of the last seven days that have events.
class DailyMeans {
public:
    void add(double ms) { sum_ += ms, ++count_; }
    void night() {
        if (count_) means_.push_back(sum_ / count_ / 1000);
        sum_ = count_ = 0;
    }
    double seconds() const { return means_.empty() ? 0 : mean_of(std::span(means_).last(std::min<std::size_t>(7, means_.size()))); }

private:
    double sum_ = 0;
    int count_ = 0;
    Vector means_;
};

// One node's events: AR(1) days, t4 scatter.
class Source {
public:
    Source(double median_ms, const SimTenant& tenant, Rng& rng) : median_(median_ms), tenant_(tenant), rng_(rng), effect_(rng.normal()) {}
    void next_day() { effect_ = tenant_.day_autocorrelation * effect_ + std::sqrt(1 - std::pow(tenant_.day_autocorrelation, 2)) * rng_.normal(); }
    double draw(double factor) { return std::min(LIMIT_MS, median_ * factor * std::exp(tenant_.day_deviation * effect_ + DEVIATION * rng_.student(4))); }

private:
    double median_;
    const SimTenant& tenant_;
    Rng& rng_;
    double effect_;
};

struct Result {
    double regret = 0;            // a heavy question
    double back_after = 0;        // days from the recovery until half of what the oracle sends deep goes deep again
};

class Run {
public:
    Run(const BenchOptions& o, const Course& s, const Policy& p, const Truth& truth, int repetition)
        : scenario_(s), policy_(p), truth_(truth), tenant_(bench_tenant(o, Family::student)),
          rng_(bench_seed(o, "route " + s.name, repetition)), coin_(bench_seed(o, "probes " + s.name, repetition)),
          thinking_(THINKING_MS, tenant_, rng_), recompose_(RECOMPOSE_MS, tenant_, rng_), start_(bench_start(repetition)) {
        settings_.rule = p.rule;
        if (!p.probes) settings_.probe_floor = 0;
    }

    Result play() {
        for (int d = -CALM; d < RUN; ++d) day(d);
        return {regret_ / std::max(1, asked_), back_after_};
    }

private:
    void day(int d) {
        thinking_.next_day();
        recompose_.next_day();
        const Date date = start_ + std::chrono::days(d + CALM);
        const double slow = d < 0 ? 1 : scenario_.thinking(d), other = d < 0 ? 1 : scenario_.recompose(d);
        per_day_ = is_weekend(date) ? tenant_.weekend : tenant_.weekday;
        const int requests = rng_.poisson(per_day_);
        const double price_now = truth_.price_at(slow, settings_);
        int deep = 0, oracle = 0;
        events_.clear();
        for (int r = 0; r < requests; ++r) {
            recompose_events(other);
            if (rng_.uniform() >= HEAVY) continue;
            const double gain = GAIN_MEAN + GAIN_DEVIATION * rng_.normal(), latency = thinking_.draw(slow);
            const bool went = d < 0 || heavy(gain, latency);
            if (went) observe(latency, d < 0);
            if (d < 0) continue;
            ++asked_;
            deep += went;
            oracle += gain > price_now;
            regret_ += std::max(0.0, gain - price_now) - (went ? gain - price_now : 0);
        }
        night(date, d);
        if (scenario_.recovers && d >= scenario_.recovers && back_after_ == 0 && 2 * deep >= oracle && oracle > 0) back_after_ = d - scenario_.recovers + 1;
        if (scenario_.recovers && d == RUN - 1 && back_after_ == 0) back_after_ = RUN;
    }

    void recompose_events(double factor) { recompose_means_.add(recompose_.draw(factor)); }

    bool heavy(double gain, double latency) {
        if (policy_.always) return true;
        NodeCost thinking{.seconds = belief_->mean_ms() / 1000, .weight = weight_, .timeout = belief_->timeout_probability(), .baseline_seconds = base_thinking_};
        if (settings_.rule != Rule::utility) thinking.seconds = thinking_means_.seconds();
        const NodeCost recompose{.seconds = recompose_means_.seconds(), .baseline_seconds = base_recompose_};
        const Decision decision = decide(gain, thinking, recompose, per_day_ * HEAVY, prober_, coin_, settings_);
        if (decision.why == Why::probe && !policy_.probes) return false;
        if (decision.why == Why::probe) prober_.learnt((std::log(latency) - belief_->log_mean()) / DEVIATION);
        return decision.heavy;
    }

    void observe(double latency, bool calm) {
        events_.push_back({.latency_ms = latency, .status = latency >= LIMIT_MS ? Status::timeout : Status::ok});
        thinking_means_.add(latency);
        if (calm)
            logs_.push_back(std::log(latency));
        else
            belief_->add(latency, latency >= LIMIT_MS);
    }

    // The charts' part of the weight, as a night computes it.
    void night(Date date, int d) {
        thinking_means_.night();
        recompose_means_.night();
        rows_.push_back(aggregate(date, events_, {}, LIMIT_MS));
        if (d < -1) return;
        if (d == -1) {
            const double middle = median(logs_);
            belief_.emplace(LatencyPrior{.log_mean = huber_mean(logs_), .log_deviation = median_deviation(logs_, middle), .limit_ms = LIMIT_MS});
            baseline_ = baseline_of(rows_, start_, CALM);
            base_thinking_ = thinking_means_.seconds();
            base_recompose_ = recompose_means_.seconds();
            LimitTable table;
            if (!policy_.always && policy_.rule == Rule::utility) charts_.emplace(baseline_, table.of(baseline_, tenant_.day_autocorrelation, 7));
            return;
        }
        if (!charts_) return;
        nights_.push_back(charts_->advance(date, &rows_.back()));
        acting_.update(nights_.back().score, confirmed(nights_));
        weight_ = limited(weight_, acting_.on ? weight_adjustment(0, nights_.back().score, 1) : 0);
    }

    const Course& scenario_;
    const Policy& policy_;
    const Truth& truth_;
    SimTenant tenant_;
    Rng rng_, coin_;
    Source thinking_, recompose_;
    Date start_;
    RouteSettings settings_;
    DailyMeans thinking_means_, recompose_means_;
    std::optional<LatencyBelief> belief_;
    Prober prober_;
    Vector logs_;
    std::vector<Event> events_;
    std::vector<DailyAggregate> rows_;
    Baseline baseline_;
    std::optional<Charts> charts_;
    std::vector<Night> nights_;
    Switch acting_;
    double per_day_ = 0;  // requests of such a day
    double weight_ = 0, base_thinking_ = 0, base_recompose_ = 0;
    double regret_ = 0, back_after_ = 0;
    int asked_ = 0;
};

struct Average {
    double regret = 0;
    double back_median = 0, back_worst = 0;  // 0: nothing recovers
};

Average average(const BenchOptions& o, const Course& s, const Policy& p, const Truth& truth) {
    std::vector<Result> all(static_cast<std::size_t>(o.repetitions));
    each_of(o.repetitions, o.threads, [&](int i) { all[std::size_t(i)] = Run(o, s, p, truth, i).play(); });
    Vector regrets, back;
    for (const Result& r : all) regrets.push_back(r.regret), back.push_back(r.back_after);
    return {mean_of(regrets), median(back), quantile(back, 0.9)};
}

}  // namespace

namespace {

const std::vector<Policy> POLICIES = {{"utility with probes"}, {"static", true}, {"plain rule", false, false, Rule::absolute}};

void tell_of_recovery(const Course& s, const Average& ours, std::vector<Figure>& out) {
    if (!s.recovers) return;
    out.push_back({"routing", s.name + ": heavy is back, median", ours.back_median, "days", 3.0});
    out.push_back({"routing", s.name + ": heavy is back, nine in ten", ours.back_worst, "days", 3.0});
}

}  // namespace

std::vector<Figure> bench_routing(const BenchOptions& o) {
    const Truth truth;
    std::vector<Figure> out;
    double sums[3] = {0, 0, 0}, most_over = -1;
    for (const Course& s : courses()) {
        Average by[3];
        for (std::size_t p = 0; p < POLICIES.size(); ++p) {
            by[p] = average(o, s, POLICIES[p], truth);
            sums[p] += by[p].regret / double(courses().size());
            out.push_back({"routing", s.name + ": " + POLICIES[p].name, by[p].regret, "regret"});
        }
        most_over = std::max(most_over, by[0].regret - by[1].regret);
        tell_of_recovery(s, by[0], out);
    }
    for (std::size_t p = 0; p < POLICIES.size(); ++p)
        out.push_back({"routing", "mean: " + POLICIES[p].name, sums[p], "regret", p == 0 ? std::optional<double>(0.022) : std::nullopt});
    out.push_back({"routing", "mean over the plain rule's", sums[2] > 0 ? sums[0] / sums[2] : 0, "times", 0.40});
    for (const Course& s : other_courses()) {
        const Average ours = average(o, s, POLICIES[0], truth);
        const double over = ours.regret - average(o, s, POLICIES[1], truth).regret;
        most_over = std::max(most_over, over);
        out.push_back({"routing", s.name + ": above static", over, "regret", 0.005});
        tell_of_recovery(s, ours, out);
    }
    out.push_back({"routing", "most above static", most_over, "regret", 0.005});
    return out;
}

}  // namespace router::math
