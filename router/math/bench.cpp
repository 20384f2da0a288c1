#include "router/math/bench.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <thread>
#include <utility>

#include "router/math/fpca.h"
#include "router/math/robust.h"

namespace router::math {

void each_of(int n, int threads, const std::function<void(int)>& work) {
    std::atomic<int> next = 0;
    const auto take = [&] {
        for (int i = next++; i < n; i = next++) work(i);
    };
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(take);
    take();
    for (std::thread& t : others) t.join();
}

Family bench_family(const BenchOptions& options) {
    for (Family f : families())
        if (options.family == name(f)) return f;
    return Family::student;
}

SimTenant bench_tenant(const BenchOptions& options, Family family) {
    SimTenant tenant = default_tenant(options.nodes);
    tenant.family = family;
    tenant.weekday = options.weekday;
    tenant.weekend = options.weekday * 25 / 60;
    return tenant;
}

namespace {

// The seed by so many behind the first: of a number the next ones, of a word the word with a number.
std::string seed_behind(const std::string& first, int by) {
    int number = 0;
    const auto [end, wrong] = std::from_chars(first.data(), first.data() + first.size(), number);
    if (by == 0) return first;
    return wrong == std::errc() && end == first.data() + first.size() ? std::to_string(number + by) : first + '+' + std::to_string(by);
}

}  // namespace

std::string bench_seed(const BenchOptions& options, const std::string& part, int repetition) {
    const int seeds = std::max(1, options.seeds);
    return "simtel|" + seed_behind(options.seed, repetition % seeds) + '|' + part + '|' + std::to_string(repetition / seeds);
}

Date bench_start(int repetition) { return Date(std::chrono::year(2026) / 1 / 5) + std::chrono::days(repetition % 7); }

int bench_change(const BenchOptions& options) { return std::max(45, options.baseline_days + 15); }

void live_through(SimHistory& history, const Scenario& scenario, int change) {
    for (int d = 0; d < change + scenario.watched; ++d)
        history.day(disturbances(scenario, history.tenant().nodes, d - change, history.last() + std::chrono::days(1)));
}

double share_within(const Vector& delays, double days) {
    return delays.empty() ? 0 : double(std::count_if(delays.begin(), delays.end(), [&](double d) { return d <= days; })) / double(delays.size());
}

Figure share_figure(std::string group, const std::string& name, const Vector& delays, int days, std::optional<double> bound, bool at_least) {
    return {std::move(group), name + ": within " + std::to_string(days) + " days", share_within(delays, days), "share", bound, at_least, int(delays.size())};
}

double median_delay(Vector delays) {
    std::sort(delays.begin(), delays.end());
    return delays.empty() ? NEVER : delays[delays.size() / 2];
}

std::vector<NodeHistory> bench_nodes(const SimHistory& history, int baseline_days) {
    std::vector<NodeHistory> out;
    for (std::size_t i = 0; i < history.rows().size(); ++i) out.push_back({history.tenant().nodes[i].name, history.rows()[i], {.baseline_days = baseline_days}});
    return out;
}

BenchCharts::BenchCharts(const SimHistory& history, int baseline_days) : history_(history) {
    for (const auto& rows : history.rows()) baselines_.push_back(baseline_of(rows, rows.front().date, baseline_days));
    autocorrelation_ = day_autocorrelation(baselines_);
}

std::vector<Night> BenchCharts::nights(std::size_t node) {
    const Limits limits = table_.of(baselines_[node], autocorrelation_, int(baselines_.size()));
    return run_charts(history_.rows()[node], baselines_[node], limits, history_.last());
}

SimHistory bench_history(const BenchOptions& options, int nodes, int days) {
    BenchOptions sized = options;
    sized.nodes = nodes;
    SimHistory history(bench_tenant(sized, bench_family(options)), bench_seed(options, "nightly", 0), bench_start(0), options.baseline_days);
    history.calm(days);
    return history;
}

Vector plain_statistic(const std::vector<DailyAggregate>& rows, int baseline_days) {
    constexpr std::size_t WEEK = 7;
    const std::size_t baseline = std::size_t(baseline_days);
    // A missing day repeats the one before: the method knows no other way.
    Matrix days(rows.size(), 2);
    for (std::size_t d = 0; d < rows.size(); ++d) {
        const bool seen = rows[d].sample_count > 0;
        days(d, 0) = seen ? rows[d].avg_latency_ms : d ? days(d - 1, 0) : 0;
        days(d, 1) = seen ? rows[d].error_rate : d ? days(d - 1, 1) : 0;
    }
    Matrix windows(rows.size() - WEEK + 1, 2 * WEEK);
    for (std::size_t q = 0; q < 2; ++q) {
        Vector usual;
        for (std::size_t d = 0; d < baseline; ++d) usual.push_back(days(d, q));
        const double mean = mean_of(usual);
        for (double& v : usual) v = (v - mean) * (v - mean);
        const double deviation = std::max(std::sqrt(mean_of(usual)), 1e-9);
        for (std::size_t w = 0; w < windows.rows; ++w)
            for (std::size_t t = 0; t < WEEK; ++t) windows(w, q * WEEK + t) = (days(w + t, q) - mean) / deviation;
    }
    Matrix known(baseline - WEEK + 1, windows.cols);
    std::copy_n(windows.values.begin(), known.values.size(), known.values.begin());
    const Fpca model = fpca(known, Vector(windows.cols, 1.0), 3);
    Vector out;
    for (std::size_t w = baseline - WEEK + 1; w < windows.rows; ++w) {
        const Vector scores = project(model, windows.row(w));
        double squared = 0;
        for (std::size_t k = 0; k < scores.size(); ++k)
            if (model.eigenvalues[k] > 1e-12) squared += scores[k] * scores[k] / model.eigenvalues[k];
        out.push_back(std::sqrt(squared));
    }
    return out;
}

double plain_threshold(const BenchOptions& options) {
    constexpr int TENANTS = 100, DAYS = 60;
    std::vector<std::vector<Vector>> statistics(TENANTS);
    each_of(TENANTS, options.threads, [&](int i) {
        SimHistory history(bench_tenant(options, bench_family(options)), bench_seed(options, "seed", i), bench_start(i), options.baseline_days);
        history.calm(options.baseline_days + DAYS);
        for (const auto& rows : history.rows()) statistics[std::size_t(i)].push_back(plain_statistic(rows, options.baseline_days));
    });
    const auto alarms = [&](double threshold) {
        int count = 0;
        for (const auto& tenant : statistics)
            for (const Vector& node : tenant) {
                Switch drifting;
                for (double value : node) {
                    const bool before = drifting.on;
                    drifting.update(value / threshold, value > threshold);
                    count += drifting.on && !before;
                }
            }
        return double(count) * 30 / (TENANTS * DAYS);
    };
    double low = 0.5, high = 200;
    for (int i = 0; i < 40; ++i) {
        const double middle = (low + high) / 2;
        (alarms(middle) > 1 ? low : high) = middle;
    }
    return high;
}

}  // namespace router::math
