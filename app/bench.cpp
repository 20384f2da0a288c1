// hearth bench: prefill and decode of the embedded engine, with the memory that it took.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "app/backends.h"
#include "app/commands.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "engine/device/pool.h"
#include "engine/engine.h"

namespace app {
namespace {

struct Sample {
    double prefill_tps = 0, decode_tps = 0;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// One request that finds nothing in the cache: its salt is its own.
base::Result<Sample> measure(engine::Engine& engine, const BenchOptions& o, int round) {
    engine::Request request;
    std::vector<engine::TokenId> ids;
    const int vocabulary = engine.info().vocabulary;
    for (int i = 0; i < o.prefill; ++i) ids.push_back((i * 7919 + 17) % std::min(vocabulary, 30000));
    request.prompt = {{.tokens = std::move(ids)}};
    request.max_tokens = o.decode;
    request.ignore_eos = true;
    request.cache_salt = "bench " + std::to_string(round);
    auto session = engine.start(std::move(request));
    if (!session) return std::move(session).error();
    while (auto event = (*session)->next())
        if (event->finish == engine::Finish::failed) return base::error(base::Code::internal, event->error);
    const auto usage = (*session)->usage();
    Sample s;
    s.prefill_tps = usage.prompt_tokens / std::max(1e-9, usage.prefill.count() / 1e6);
    // The first token comes out of the prefill.
    s.decode_tps = std::max(0, usage.output_tokens - 1) / std::max(1e-9, usage.decode.count() / 1e6);
    return s;
}

double load_average() {
    double value = 0;
    std::ifstream("/proc/loadavg") >> value;
    return value;
}

}  // namespace

int bench(const LoadedSettings& loaded, const BenchOptions& o) {
    engine::LoadOptions options = load_options(loaded.settings, o.model.empty() ? chosen_model(loaded.settings) : std::filesystem::path(o.model));
    options.profile = o.profile == "exact" ? engine::Profile::exact : engine::Profile::fast;
    options.threads = o.threads > 0 ? o.threads : engine::usable_cpus();
    options.max_sequences = 1;
    if (on_terminal())
        options.progress = [](const std::string& stage, double fraction) { std::fprintf(stderr, "\r%-12s %3.0f %%", stage.c_str(), fraction * 100); };
    const double load_before = load_average();
    const auto began = std::chrono::steady_clock::now();
    auto engine = engine::Engine::load(options);
    if (!engine) return complain(model_error(engine.error(), loaded.settings, options.path));
    const double load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (on_terminal()) std::fprintf(stderr, "\r\n");
    std::vector<double> prefill, decode;
    for (int i = 0; i < o.repeat; ++i) {
        auto sample = measure(**engine, o, i);
        if (!sample) return complain(sample.error());
        prefill.push_back(sample->prefill_tps);
        decode.push_back(sample->decode_tps);
    }
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto& info = (*engine)->info();
    base::Json out = {{"model", info.name}, {"file", options.path.string()}, {"format", info.format}, {"profile", o.profile},
                      {"threads", options.threads}, {"prefill_tokens", o.prefill}, {"decode_tokens", o.decode},
                      {"prefill_tps", median(prefill)}, {"decode_tps", median(decode)}, {"load_seconds", load_seconds},
                      {"load_average", load_before}, {"peak_rss_bytes", std::uint64_t(used.ru_maxrss) * 1024},
                      {"weight_bytes_per_token", info.weight_bytes_per_token}, {"plan_bytes", (*engine)->memory().total}};
    out["prefill_runs"] = prefill;
    out["decode_runs"] = decode;
    out["decode_gb_per_s"] = median(decode) * double(info.weight_bytes_per_token) / 1e9;
    if (o.json) {
        print_json(out);
        return 0;
    }
    std::printf("%s (%s, %s), %d threads\n", visible(info.name).c_str(), visible(info.format).c_str(), o.profile.c_str(), options.threads);
    std::printf("prefill %6d tokens  %8.1f tokens/s\n", o.prefill, median(prefill));
    std::printf("decode  %6d tokens  %8.1f tokens/s  (%.1f GB/s of weights)\n", o.decode, median(decode), out["decode_gb_per_s"].get<double>());
    std::printf("loaded in %.2f s, peak memory %.0f MiB (plan %.0f MiB), load average before %.2f\n", load_seconds, used.ru_maxrss / 1024.0,
                double((*engine)->memory().total) / 1048576, load_before);
    return 0;
}

}  // namespace app
