#include "app/bench_adapters.h"

#include <algorithm>
#include <cstdio>

#include "app/bench_turns.h"

namespace app {

base::Result<SwitchTimes> measure_switches(engine::Engine& engine, int rounds) {
    constexpr int prompt = 16;
    SwitchTimes out;
    std::vector<std::string> names = engine.adapters();
    if (names.empty()) return out;
    names.emplace_back();  // the model as it is
    const int tokens = std::min(prompt, engine.memory().context / 2);
    const auto ask = [&](const std::string& name) { return first_token(engine, tokens, "switches", name); };
    for (int round = -1; round < rounds; ++round)  // the first fills the cache
        for (const std::string& name : names) {
            const auto switched = ask(name), stayed = ask(name);
            if (!switched) return switched.error();
            if (!stayed) return stayed.error();
            if (round < 0) continue;
            out.switched.push_back(*switched);
            out.stayed.push_back(*stayed);
        }
    return out;
}

void print_switches(const SwitchTimes& times) {
    if (times.switched.empty()) return;
    const Figure switched = figure(times.switched), stayed = figure(times.stayed);
    std::printf("after another adapter the first token of a known prompt comes after %.2f ms (%.2f-%.2f), of the same one again after %.2f ms (%.2f-%.2f)\n", switched.median * 1e3, switched.least * 1e3, switched.most * 1e3,
                stayed.median * 1e3, stayed.least * 1e3, stayed.most * 1e3);
}

base::Json to_json(const SwitchTimes& times) {
    return {{"switched_seconds", times.switched}, {"stayed_seconds", times.stayed}, {"median_switch_seconds", figure(times.switched).median - figure(times.stayed).median}};
}

}  // namespace app
