#include "router/math/bench.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <thread>

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

double median_delay(Vector delays) {
    std::sort(delays.begin(), delays.end());
    return delays.empty() ? NEVER : delays[delays.size() / 2];
}

BenchBaselines bench_baselines(const SimHistory& history, int days) {
    BenchBaselines out;
    for (const auto& rows : history.rows()) out.nodes.push_back(baseline_of(rows, rows.front().date, days));
    out.autocorrelation = day_autocorrelation(out.nodes);
    return out;
}

SimHistory bench_history(const BenchOptions& options, int nodes, int days) {
    BenchOptions sized = options;
    sized.nodes = nodes;
    SimHistory history(bench_tenant(sized, bench_family(options)), bench_seed(options, "nightly", 0), bench_start(0), options.baseline_days);
    const std::vector<Disturbance> calm(static_cast<std::size_t>(nodes));
    for (int d = 0; d < days; ++d) history.day(calm);
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
        const std::vector<Disturbance> calm(history.tenant().nodes.size());
        for (int d = 0; d < options.baseline_days + DAYS; ++d) history.day(calm);
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
