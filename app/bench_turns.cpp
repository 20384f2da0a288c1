#include "app/bench_turns.h"

#include <algorithm>
#include <cstdio>

#include "app/terminal.h"

namespace app {
namespace {

constexpr int kChunk = 512;  // tokens whose operations are counted

// What a prompt costs: once, for each token, and more for each token before it.
struct Arithmetic {
    double once = 0, each = 0, each_before = 0;
    double of(double known, double all) const { return once + (all - known) * each + (all * all - known * known) / 2 * each_before; }
};

base::Result<Arithmetic> arithmetic(engine::Engine& engine) {
    const int rows = std::min(kChunk, engine.memory().context / 2);
    const auto operations = [&](int n, int depth) -> base::Result<double> {
        const auto step = engine.time_steps({1, n, depth}, 1);
        if (!step) return step.error();
        double sum = 0;
        for (const engine::OpTime& op : step->ops) sum += op.cost.operations * op.calls / step->steps;
        return sum;
    };
    const auto whole = operations(rows, 0), deep = operations(rows, rows), half = operations(rows / 2, 0);
    for (const auto* one : {&whole, &deep, &half})
        if (!*one) return one->error();
    Arithmetic out;
    const double n = rows, m = rows / 2;
    out.each_before = (*deep - *whole) / (n * n);
    out.each = (*whole - *half - (n * n - m * m) / 2 * out.each_before) / (n - m);
    out.once = *whole - n * out.each - n * n / 2 * out.each_before;
    return out;
}

}  // namespace

base::Result<double> first_token(engine::Engine& engine, int n, const std::string& salt, const std::string& adapter) {
    engine::Request request;
    request.prompt = {{.tokens = some_tokens(n, 0, engine.info().vocabulary)}};
    request.max_tokens = 1;
    request.ignore_eos = true;
    request.cache_salt = salt;
    request.adapter = adapter;
    const auto began = std::chrono::steady_clock::now();
    auto session = engine.start(std::move(request));
    if (!session) return std::move(session).error();
    double seconds = 0;
    while (auto event = (*session)->next()) {
        if (event->finish == engine::Finish::failed) return base::error(base::Code::internal, event->error);
        if (seconds == 0) seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    }
    return seconds;
}

std::vector<double> TurnTimes::gains() const {
    std::vector<double> out;
    for (std::size_t i = 0; i < fresh.size(); ++i) out.push_back(fresh[i] / std::max(1e-9, warm[i]));
    return out;
}

std::vector<Turn> turns_of(int prefill, int context) {
    std::vector<Turn> out;
    for (const Turn& turn : {Turn{1016, 24}, Turn{prefill - prefill / 10, prefill / 10}, Turn{8192, 256}})
        if (turn.added > 0 && turn.known + turn.added < context) out.push_back(turn);
    return out;
}

base::Result<std::vector<TurnTimes>> measure_turns(engine::Engine& engine, const std::vector<Turn>& turns, int rounds) {
    std::vector<TurnTimes> out;
    if (turns.empty()) return out;
    const auto work = arithmetic(engine);
    if (!work) return work.error();
    for (const Turn& turn : turns) {
        TurnTimes times{turn, {}, {}};
        const int all = turn.known + turn.added;
        for (int round = 0; round < rounds; ++round) {
            if (on_terminal()) std::fprintf(stderr, "\rturn of %d tokens after %d, round %d of %d ", turn.added, turn.known, round + 1, rounds);
            const std::string salt = "turn " + std::to_string(turn.known) + " " + std::to_string(round);
            const auto fresh = first_token(engine, all, salt + " fresh");
            if (!fresh) return fresh.error();
            if (const auto known = first_token(engine, turn.known, salt + " known"); !known) return known.error();
            const auto warm = first_token(engine, all, salt + " known");
            if (!warm) return warm.error();
            times.fresh.push_back(*fresh);
            times.warm.push_back(*warm);
        }
        const double rest = work->of(turn.known, all);
        times.ideal = rest > 0 ? work->of(0, all) / rest : 0;
        out.push_back(std::move(times));
    }
    return out;
}

void print_turns(const std::vector<TurnTimes>& turns) {
    for (const TurnTimes& one : turns) {
        const Figure warm = figure(one.warm), fresh = figure(one.fresh), gain = figure(one.gains());
        std::printf("%5d tokens after %5d known: first token after %8.1f ms (%.1f-%.1f), all of them new %9.1f ms: %.1f times (%.1f-%.1f), by arithmetic %.1f\n", one.turn.added, one.turn.known, warm.median * 1e3,
                    warm.least * 1e3, warm.most * 1e3, fresh.median * 1e3, gain.median, gain.least, gain.most, one.ideal);
    }
}

base::Json to_json(const std::vector<TurnTimes>& turns) {
    base::Json out = base::Json::array();
    for (const TurnTimes& one : turns)
        out.push_back({{"known", one.turn.known}, {"added", one.turn.added}, {"fresh_seconds", one.fresh}, {"warm_seconds", one.warm}, {"gain", figure(one.gains()).median}, {"ideal_gain", one.ideal}});
    return out;
}

}  // namespace app
