// hearth mathcore bench: MathCore against simulated tenants, each bar with what was measured.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "app/commands.h"
#include "app/terminal.h"
#include "engine/available_memory.h"
#include "engine/device/pool.h"
#include "router/math/bench.h"
#include "router/math/distributions.h"
#include "router/math/nightly.h"

namespace app {
namespace {

namespace math = router::math;
using base::Json;

struct Part {
    const char* name;
    std::vector<math::Figure> (*measure)(const math::BenchOptions&);
};

// What a report says, whole: a rerun has to give these very bytes.
std::string bytes_of(const math::NightReport& report) {
    Json nodes = Json::array();
    for (const auto& node : report.nodes) {
        const auto& night = node.night.night;
        nodes.push_back({node.node, int(node.gate), node.days, node.events, night.score, night.level, night.spread, night.errors, node.drift_score,
                         std::string(math::name(node.label)), node.distance.value_or(-1), node.weight, node.reason});
    }
    return Json{report.signal, report.lambda_max, report.coupling ? report.coupling->gamma.values : math::Vector{}, nodes, report.curves, report.components, report.clusters}.dump();
}

// One night of 20 nodes and a year, twice: the processor's time and the memory of the first, and whether the second is the same. On one CPU thread.
std::vector<math::Figure> nightly(const math::BenchOptions& options) {
    constexpr int NODES = 20, DAYS = 365;
    const auto history = math::bench_history(options, NODES, DAYS);
    const auto nodes = math::bench_nodes(history, options.baseline_days);
    const auto once = [&](double& seconds) {
        math::LimitTable table;
        const std::clock_t began = std::clock();
        const auto report = math::analyse("bench", nodes, history.last(), table);
        seconds = double(std::clock() - began) / CLOCKS_PER_SEC;
        return bytes_of(report);
    };
    double first = 0, second = 0;
    const bool same = once(first) == once(second);
    return {{"nightly", "20 nodes, 365 days, on one core", first, "s", 2.0},
            {"nightly", "peak memory of the process", double(engine::peak_resident_memory()) / (1 << 20), "MiB", 200.0},
            {"nightly", "rerun is the same, byte by byte", same ? 1.0 : 0.0, "", 1.0, true}};
}

// Nightly first: the peak of memory is the process's.
constexpr Part PARTS[] = {{"nightly", nightly},
                          {"false-alarms", math::bench_false_alarms},
                          {"detection", math::bench_detection},
                          {"happenings", math::bench_happenings},
                          {"rare", math::bench_rare},
                          {"intraday", math::bench_intraday},
                          {"labels", math::bench_labels},
                          {"routing", math::bench_routing}};

std::string value_text(const math::Figure& f) {
    char text[64];
    std::snprintf(text, sizeof text, f.value >= 1000 ? "%.0f" : "%.3f", f.value);
    return text;
}

void print(const math::Figure& f) {
    char bound[32] = "";
    if (f.bound) std::snprintf(bound, sizeof bound, "%s %g", f.at_least ? ">=" : "<=", *f.bound);
    char interval[48] = "";
    if (const auto [low, high] = math::share_interval(f.value, f.of); f.of) std::snprintf(interval, sizeof interval, "of %d: %.3f to %.3f", f.of, low, high);
    std::printf("%-64s %10s %-14s %-9s %-5s%s\n", (f.group + ": " + f.name).c_str(), value_text(f).c_str(), f.unit.c_str(), bound, f.bound ? (f.holds() ? "pass" : "MISS") : "", interval);
    std::fflush(stdout);
}

Json to_json(const math::Figure& f) {
    Json out = {{"group", f.group}, {"name", f.name}, {"value", f.value}, {"unit", f.unit}};
    if (f.bound) out[f.at_least ? "at_least" : "at_most"] = *f.bound, out["pass"] = f.holds();
    if (f.of) {
        const auto [low, high] = math::share_interval(f.value, f.of);
        out["of"] = f.of, out["interval"] = {low, high};
    }
    return out;
}

}  // namespace

std::vector<std::string> mathcore_parts() {
    std::vector<std::string> out;
    for (const Part& part : PARTS) out.emplace_back(part.name);
    return out;
}

int mathcore_bench(const MathcoreBenchOptions& o) {
    const math::BenchOptions options{.seed = o.seed, .seeds = o.seeds, .months = o.months, .repetitions = o.repetitions, .threads = o.threads > 0 ? o.threads : engine::usable_cpus(), .nodes = o.nodes,
                                     .weekday = double(o.requests), .baseline_days = o.baseline_days, .family = o.family};
    Json all = Json::array();
    int missed = 0;
    for (const Part& part : PARTS) {
        if (!o.parts.empty() && std::find(o.parts.begin(), o.parts.end(), part.name) == o.parts.end()) continue;
        for (const math::Figure& f : part.measure(options)) {
            missed += !f.holds();
            if (o.json) all.push_back(to_json(f));
            else print(f);
        }
    }
    if (o.json) print_json({{"seed", o.seed}, {"seeds", o.seeds}, {"figures", all}, {"missed", missed}}, 2);
    else std::printf("seed %s%s: %d of the bars missed\n", visible(o.seed).c_str(), o.seeds > 1 ? (" and the " + std::to_string(o.seeds - 1) + " behind it").c_str() : "", missed);
    return missed ? 1 : 0;
}

}  // namespace app
