// hearth bench.
#include "app/subcommands.h"

namespace app {

void add_bench(CLI::App& root, Arguments& a, Action& chosen) {
    auto* bench = command(root, "bench", "Measure the engine on a model", "hearth bench --threads 2 --json", chosen,
                          [&a](const auto& s) { return a.bench.fidelity ? app::fidelity(s, a.bench) : a.bench.speculation ? app::bench_speculation(s, a.bench) : app::bench(s, a.bench); });
    bench->add_option("--model", a.bench.model, "GGUF file, or folder of a checkpoint; default: the chosen model");
    bench->add_option("--threads", a.bench.threads, "CPU threads; 0: all usable")->check(CLI::Range(0, 1024));
    bench->add_option("--prefill", a.bench.prefill, "prompt tokens")->check(CLI::Range(1, 1 << 20));
    bench->add_option("--decode", a.bench.decode, "tokens to generate")->check(CLI::Range(1, 1 << 20));
    bench->add_option("--repeat", a.bench.repeat, "runs; the median counts. With --against at least 5 pairs of runs")->check(CLI::Range(1, 1000));
    bench->add_option("--against", a.bench.against, "NAME=PROGRAM, then its own flags: a llama-bench that runs the same file by turns with us")->delimiter(',');
    bench->add_option("--streams", a.bench.streams, "so many answers at once as well, all their tokens a second")->check(CLI::Range(1, 64));
    bench->add_flag("--turns", a.bench.turns, "time to the first token where most of a prompt is known, beside all of it new");
    bench->add_flag("--ops", a.bench.ops, "each operation of a step by its shape, beside what memory and arithmetic would take for it");
    bench->add_option("--profile", a.bench.profile, "fast or exact")->check(CLI::IsMember({"fast", "exact"}));
    auto* speculation = bench->add_flag("--speculation", a.bench.speculation, "with guessed tokens against without, in pairs over prose, tool calls and edits of code, instead of speed");
    bench->add_option("--draft", a.bench.draft, "smaller model that guesses for it; default: model.draft, for the chosen model")->needs(speculation);
    auto* fidelity = bench->add_flag("--fidelity", a.bench.fidelity, "how far profile fast is from exact, over that many prompt tokens, instead of speed");
    bench->add_option("--text", a.bench.text, "file to read them from; default: the program's own prompts")->needs(fidelity);
    bench->add_flag("--json", a.bench.json, "as JSON, for scripts");
}

}  // namespace app
