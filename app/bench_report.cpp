// What hearth bench says of its measurement: as lines, and as JSON.
#include <algorithm>
#include <cstdio>

#include "app/bench.h"
#include "app/foreign_load.h"
#include "app/terminal.h"

namespace app {
namespace {

struct Kind {
    const char* name;
    double Speeds::*of;
};
constexpr Kind kKinds[] = {{"prefill", &Speeds::prefill}, {"decode", &Speeds::decode}, {"streams", &Speeds::streams}};

std::vector<Round> that_count(const std::vector<Round>& rounds) {
    std::vector<Round> out;
    for (const Round& round : rounds)
        if (!round.is_void()) out.push_back(round);
    return out.empty() ? rounds : out;
}

// Of the weights that a token reads, over what memory gave in the same round.
std::vector<double> shares_of_memory(const std::vector<Round>& rounds, const engine::ModelInfo& info) {
    std::vector<double> out;
    for (const Round& round : that_count(rounds))
        if (round.read > 0) out.push_back(round.ours.decode * double(info.weight_bytes_per_token) / round.read);
    return out;
}

double share(const engine::OpTime& op, const engine::Rates& rates) { return op.seconds > 0 ? engine::bound(op.cost, rates) * op.calls / op.seconds : 0; }

const char* limit_of(const engine::OpCost& cost, const engine::Rates& rates) {
    if (cost.bytes == 0 && cost.operations == 0) return "-";
    if (rates.read > 0 && cost.bytes / rates.read >= engine::bound(cost, rates)) return "memory";
    switch (cost.arithmetic) {
        case engine::Arithmetic::int8: return "int8";
        case engine::Arithmetic::bf16: return "bf16";
        case engine::Arithmetic::float32: break;
    }
    return "float";
}

base::Json to_json(const Figure& f) { return {{"median", f.median}, {"least", f.least}, {"most", f.most}}; }

base::Json to_json(const Speeds& s) { return {{"prefill_tps", s.prefill}, {"decode_tps", s.decode}, {"streams_tps", s.streams}}; }

base::Json to_json(const engine::StepTimes& step) {
    const engine::Rates& rates = step.rates;
    const double bound = step.bound();
    base::Json ops = base::Json::array();
    for (const engine::OpTime& op : step.ops)
        ops.push_back({{"op", op.op}, {"format", op.cost.formats}, {"m", op.cost.rows}, {"n", op.cost.outputs}, {"k", op.cost.inputs}, {"calls_a_step", double(op.calls) / step.steps},
                       {"seconds_a_call", op.seconds / op.calls}, {"bytes", op.cost.bytes}, {"operations", op.cost.operations}, {"limit", limit_of(op.cost, rates)}, {"share_of_roofline", share(op, rates)}});
    return {{"sequences", step.shape.sequences}, {"rows", step.shape.rows}, {"depth", step.shape.depth}, {"seconds", step.seconds}, {"least", step.least}, {"most", step.most},
            {"read_gb_per_s", rates.read / 1e9}, {"bound_seconds", bound}, {"over_bound", bound > 0 ? step.seconds / bound : 0}, {"ops", std::move(ops)}};
}

void print_ratios(const Measurement& m) {
    for (std::size_t i = 0; i < m.peers.size(); ++i) {
        std::printf("against %-12s", m.peers[i].name.c_str());
        for (const Kind& kind : kKinds) {
            const auto found = ratios(m.rounds, i, kind.of);
            if (found.empty()) continue;
            std::vector<double> theirs;
            for (const Round& round : that_count(m.rounds)) theirs.push_back(round.peers[i].*kind.of);
            const Figure f = figure(found);
            std::printf("  %s %.2f (%.2f-%.2f; %.1f tokens/s)", kind.name, f.median, f.least, f.most, figure(theirs).median);
        }
        std::printf("\n");
    }
}

void print_ops(const engine::StepTimes& step) {
    const engine::Rates& rates = step.rates;
    std::printf("\nstep of %d x %d tokens after %d: %.3f ms (%.3f-%.3f), bound %.3f ms\n", step.shape.sequences, step.shape.rows, step.shape.depth, step.seconds * 1e3, step.least * 1e3, step.most * 1e3, step.bound() * 1e3);
    std::printf("%-15s %-12s %5s %7s %6s %6s %10s %7s %9s  %s\n", "op", "format", "M", "N", "K", "calls", "us a call", "% step", "roofline", "limit");
    double all = 0;
    for (const engine::OpTime& op : step.ops) all += op.seconds;
    for (const engine::OpTime& op : step.ops) {
        const bool has_bound = op.cost.bytes > 0 || op.cost.operations > 0;
        char roofline[16] = "-";
        if (has_bound) std::snprintf(roofline, sizeof roofline, "%.0f %%", 100 * share(op, rates));
        std::printf("%-15s %-12s %5d %7d %6d %6d %10.1f %7.1f %9s  %s\n", op.op.c_str(), op.cost.formats.c_str(), op.cost.rows, op.cost.outputs, op.cost.inputs, op.calls / step.steps, op.seconds / op.calls * 1e6,
                    100 * op.seconds / std::max(1e-12, all), roofline, limit_of(op.cost, rates));
    }
}

}  // namespace

bool Round::is_void() const { return foreign > kMostForeign; }

Figure figure(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    return {values[values.size() / 2], values.front(), values.back()};
}

std::vector<double> values(const std::vector<Round>& rounds, double Speeds::*of) {
    std::vector<double> out;
    for (const Round& round : that_count(rounds))
        if (round.ours.*of > 0) out.push_back(round.ours.*of);
    return out;
}

std::vector<double> ratios(const std::vector<Round>& rounds, std::size_t peer, double Speeds::*of) {
    std::vector<double> out;
    for (const Round& round : that_count(rounds))
        if (round.peers.at(peer).*of > 0) out.push_back(round.ours.*of / (round.peers[peer].*of));
    return out;
}

void print_measurement(const Measurement& m, const engine::ModelInfo& info) {
    for (const Kind& kind : kKinds) {
        const Figure f = figure(values(m.rounds, kind.of));
        if (f.median > 0) std::printf("%-8s %9.1f tokens/s (%.1f-%.1f)\n", kind.name, f.median, f.least, f.most);
    }
    const Figure memory = figure(shares_of_memory(m.rounds, info));
    std::printf("decode reads %.1f GB/s of weights, %.0f %% (%.0f-%.0f) of what memory gave in the same round\n", figure(values(m.rounds, &Speeds::decode)).median * double(info.weight_bytes_per_token) / 1e9,
                memory.median * 100, memory.least * 100, memory.most * 100);
    print_ratios(m);
    std::printf("this machine: memory %.1f GB/s where the weights lie, int8 %.0f, bf16 %.0f, float %.0f GOP/s\n", m.rates.read / 1e9, m.rates.int8 / 1e9, m.rates.bf16 / 1e9, m.rates.float32 / 1e9);
    for (const engine::StepTimes& step : m.depths) {
        const double bound = step.bound();
        std::printf("after %6d tokens one more takes %8.3f ms, its operations at least %8.3f ms (%.2f times that)\n", step.shape.depth, step.seconds * 1e3, bound * 1e3, bound > 0 ? step.seconds / bound : 0);
    }
    int voided = 0;
    double foreign = 0;
    for (const Round& round : m.rounds) voided += round.is_void(), foreign = std::max(foreign, round.foreign);
    std::printf("others had at most %.2f CPU cores; %d of %zu rounds are void%s\n", foreign, voided, m.rounds.size(),
                voided == 0 ? "" : voided == int(m.rounds.size()) ? ": no figure above counts but for the ratios" : " and left out");
    for (const engine::StepTimes& step : m.steps) print_ops(step);
}

base::Json to_json(const Measurement& m, const engine::ModelInfo& info) {
    base::Json rounds = base::Json::array(), against = base::Json::object(), depths = base::Json::array(), steps = base::Json::array();
    for (const Round& round : m.rounds) {
        base::Json peers = base::Json::object();
        for (std::size_t i = 0; i < m.peers.size(); ++i) peers[m.peers[i].name] = to_json(round.peers[i]);
        rounds.push_back({{"ours", to_json(round.ours)}, {"peers", peers}, {"read_gb_per_s", round.read / 1e9}, {"foreign_cores", round.foreign}, {"void", round.is_void()}});
    }
    for (std::size_t i = 0; i < m.peers.size(); ++i) {
        base::Json one = {{"program", m.peers[i].program}, {"flags", m.peers[i].flags}};
        for (const Kind& kind : kKinds)
            if (const auto found = ratios(m.rounds, i, kind.of); !found.empty()) one[kind.name] = to_json(figure(found));
        against[m.peers[i].name] = std::move(one);
    }
    for (const engine::StepTimes& step : m.depths) depths.push_back(to_json(step));
    for (const engine::StepTimes& step : m.steps) steps.push_back(to_json(step));
    const auto decode = values(m.rounds, &Speeds::decode), prefill = values(m.rounds, &Speeds::prefill), streams = values(m.rounds, &Speeds::streams);
    base::Json out = {{"prefill_tps", figure(prefill).median}, {"decode_tps", figure(decode).median}, {"prefill_runs", prefill}, {"decode_runs", decode},
                      {"decode_gb_per_s", figure(decode).median * double(info.weight_bytes_per_token) / 1e9}, {"share_of_memory", to_json(figure(shares_of_memory(m.rounds, info)))},
                      {"read_gb_per_s", m.rates.read / 1e9}, {"peak_gops", {{"int8", m.rates.int8 / 1e9}, {"bf16", m.rates.bf16 / 1e9}, {"float32", m.rates.float32 / 1e9}}},
                      {"rounds", std::move(rounds)}, {"against", std::move(against)}, {"depths", std::move(depths)}, {"steps", std::move(steps)}};
    if (!streams.empty()) out.update({{"streams_tps", figure(streams).median}, {"streams_runs", streams}});
    return out;
}

}  // namespace app
