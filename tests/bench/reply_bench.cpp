// What the deterministic analyses of a turn cost: admission of a message, its language, the gate of a reply.
#include <benchmark/benchmark.h>

#include <string>

#include "agents/reply/language.h"
#include "agents/reply/plain.h"
#include "agents/reply/sentence_gate.h"
#include "router/admission.h"

namespace {

const std::string kShort = "Could you please read notes.txt and tell Anna what is on the list?";

std::string long_text(std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += "The kiln is hot, and the glaze of the bowl has been on the shelf since Monday. ";
    return out;
}

void admission(benchmark::State& state) {
    const std::string text = state.range(0) == 0 ? kShort : long_text(std::size_t(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(router::admit({.text = text}));
}
BENCHMARK(admission)->Arg(0)->Arg(2000)->Arg(16000)->Unit(benchmark::kMicrosecond);

void language(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(agents::reply::language_of(kShort));
}
BENCHMARK(language)->Unit(benchmark::kMicrosecond);

// Four bytes a piece, as tokens come.
void gate(benchmark::State& state) {
    const std::string text = long_text(std::size_t(state.range(0)));
    for (auto _ : state) {
        agents::reply::SentenceGate gate(agents::reply::Evidence(kShort, {}), agents::reply::SentenceGate::Then::correct);
        agents::reply::Plain plain;
        std::size_t out = 0;
        for (std::size_t at = 0; at < text.size(); at += 4) out += plain.take(gate.take(std::string_view(text).substr(at, 4))).size();
        benchmark::DoNotOptimize(out + plain.take(gate.finish()).size());
    }
}
BENCHMARK(gate)->Arg(1000)->Arg(8000)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
