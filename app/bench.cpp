// hearth bench: how fast the embedded engine is, beside peers and beside what the machine allows, and the memory that it took.
#include "app/bench.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "app/backends.h"
#include "app/bench_adapters.h"
#include "app/bench_turns.h"
#include "app/foreign_load.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "engine/available_memory.h"
#include "engine/device/pool.h"
#include "engine/expert_report.h"
#include "engine/load_times.h"

namespace app {
namespace {

constexpr int kLeastPairs = 5;
constexpr int kStreamPrompt = 16;
constexpr int kSteps = 15;          // of one shape, timed
constexpr int kDepths[] = {128, 4096, 32768};

// One request that finds nothing in the cache: its salt is its own.
base::Result<std::unique_ptr<engine::Session>> begin(engine::Engine& engine, int prompt, int output, const std::string& salt, int first) {
    engine::Request request;
    request.prompt = {{.tokens = some_tokens(prompt, first, engine.info().vocabulary)}};
    request.max_tokens = output;
    request.ignore_eos = true;
    request.drafts = false;  // as peers decode, a token a step; --speculation tells what guesses gain
    // One that goes in circles, as the likeliest tokens of random weights do, would use the same few experts for ever.
    if (engine.memory().experts.cached()) request.sampling = {.temperature = 1, .seed = std::uint64_t(first) + 1};
    request.cache_salt = salt;
    return engine.start(std::move(request));
}

base::Result<engine::Usage> finish(engine::Session& session) {
    while (auto event = session.next())
        if (event->finish == engine::Finish::failed) return base::error(base::Code::internal, event->error);
    return session.usage();
}

// The first token comes out of the prefill.
double decode_speed(const engine::Usage& usage) { return std::max(0, usage.output_tokens - 1) / std::max(1e-9, double(usage.decode.count()) / 1e6); }

// Streams begin together and decode together, so what each does in its own time adds up.
base::Result<double> stream_speed(engine::Engine& engine, const BenchTask& task, int round) {
    std::vector<std::unique_ptr<engine::Session>> sessions;
    for (int i = 0; i < task.streams; ++i) {
        auto session = begin(engine, kStreamPrompt, task.decode, "stream " + std::to_string(round) + " " + std::to_string(i), i);
        if (!session) return std::move(session).error();
        sessions.push_back(*std::move(session));
    }
    double all = 0;
    for (auto& session : sessions) {
        auto usage = finish(*session);
        if (!usage) return std::move(usage).error();
        all += decode_speed(*usage);
    }
    return all;
}

base::Result<Speeds> run_ours(engine::Engine& engine, const BenchTask& task, int round) {
    auto session = begin(engine, task.prefill, task.decode, "bench " + std::to_string(round), 0);
    if (!session) return std::move(session).error();
    auto usage = finish(**session);
    if (!usage) return std::move(usage).error();
    Speeds out{usage->prompt_tokens / std::max(1e-9, double(usage->prefill.count()) / 1e6), decode_speed(*usage), 0};
    if (task.streams == 0) return out;
    auto streams = stream_speed(engine, task, round);
    if (!streams) return std::move(streams).error();
    out.streams = *streams;
    return out;
}

base::Result<Round> run_round(engine::Engine& engine, const std::vector<Peer>& peers, const BenchTask& task, int round) {
    const ForeignLoad load;
    Round out;
    out.peers.resize(peers.size());
    const auto before = engine.rates();
    if (!before) return before.error();
    // By turns first and last, so that a machine that grows slower or faster favours nobody.
    const std::size_t place = round % 2 == 0 ? 0 : peers.size();
    for (std::size_t i = 0; i <= peers.size(); ++i) {
        if (i == place) {
            auto ours = run_ours(engine, task, round);
            if (!ours) return std::move(ours).error();
            out.ours = *ours;
        }
        if (i == peers.size()) break;
        auto theirs = run_peer(peers[i], task);
        if (!theirs) return std::move(theirs).error();
        out.peers[i] = *theirs;
    }
    const auto after = engine.rates();
    if (!after) return after.error();
    out.read = (before->read + after->read) / 2;
    out.foreign = load.cores();
    return out;
}

base::Result<void> measure_steps(engine::Engine& engine, const BenchOptions& o, Measurement& out) {
    const auto add = [&](std::vector<engine::StepTimes>& to, const engine::StepShape& shape) -> base::Result<void> {
        if (shape.depth + shape.rows > engine.memory().context) return {};
        auto times = engine.time_steps(shape, shape.rows > 1 ? 3 : kSteps);
        if (!times) return std::move(times).error();
        to.push_back(*std::move(times));
        return {};
    };
    for (const int depth : kDepths)  // the last one as far as a context of that many tokens goes
        if (auto done = add(out.depths, {1, 1, depth == engine.memory().context ? depth - 1 : depth}); !done) return done;
    if (!o.ops) return {};
    std::vector<engine::StepShape> shapes = {{1, 1, std::min(kDepths[0], engine.memory().context - 1)}};
    if (o.streams > 1) shapes.push_back({o.streams, 1, shapes[0].depth});
    shapes.push_back({1, std::min({o.prefill, 512, engine.memory().context}), 0});
    if (o.turns)
        for (const Turn& turn : turns_of(o.prefill, engine.memory().context)) shapes.push_back({1, std::min(turn.added, 512), turn.known});
    for (const auto& shape : shapes)
        if (auto done = add(out.steps, shape); !done) return done;
    return {};
}

// Since the program began, by the kernel's clock of hundredths.
double seconds_of_life() {
    std::ifstream stat("/proc/self/stat"), uptime("/proc/uptime");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
    std::string skipped;
    for (int i = 3; i < 22; ++i) fields >> skipped;  // proc(5): the 22nd is when it began, in ticks since the boot
    double began = 0, now = 0;
    fields >> began;
    uptime >> now;
    return now - began / double(sysconf(_SC_CLK_TCK));
}

void print_experts(const engine::ExpertReport& report, const engine::ExpertPlan& plan) {
    const engine::ExpertUse& use = report.use;
    std::printf("experts: %s\n", engine::summary(report.forecast, plan).c_str());
    std::printf("         measured over %llu tokens: %.0f %% found, %.2f MiB read a token, %.3g tokens/s\n", static_cast<unsigned long long>(use.tokens), use.hits() * 100, use.bytes_per_token() / 1048576,
                use.tokens_per_second());
}

double load_average() {
    double value = 0;
    std::ifstream("/proc/loadavg") >> value;
    return value;
}

}  // namespace

std::vector<engine::TokenId> some_tokens(int n, int first, int vocabulary) {
    std::vector<engine::TokenId> ids;
    for (int i = 0; i < n; ++i) ids.push_back(((i + first) * 7919 + 17) % std::min(vocabulary, 30000));
    return ids;
}

base::Result<Measurement> measure(engine::Engine& engine, std::vector<Peer> peers, const BenchOptions& o, const BenchTask& task) {
    Measurement out;
    out.peers = std::move(peers);
    const int rounds = out.peers.empty() ? o.repeat : std::max(kLeastPairs, o.repeat);
    for (int i = 0; i < rounds; ++i) {
        if (on_terminal()) std::fprintf(stderr, "\rround %d of %d ", i + 1, rounds);
        auto round = run_round(engine, out.peers, task, i);
        if (!round) return std::move(round).error();
        out.rounds.push_back(*std::move(round));
    }
    out.experts = engine.load_now().experts;
    if (auto done = measure_steps(engine, o, out); !done) return std::move(done).error();
    const auto rates = engine.rates();
    if (!rates) return rates.error();
    out.rates = *rates;
    return out;
}

int bench(const LoadedSettings& loaded, const BenchOptions& o) {
    std::vector<Peer> peers;
    for (const std::string& text : o.against) {
        auto peer = read_peer(text);
        if (!peer) return complain(peer.error());
        peers.push_back(*std::move(peer));
    }
    engine::LoadOptions options = load_options(loaded.settings, o.model.empty() ? chosen_model(loaded.settings) : std::filesystem::path(o.model));
    options.profile = o.profile == "exact" ? engine::Profile::exact : engine::Profile::fast;
    options.threads = o.threads > 0 ? o.threads : engine::usable_cpus();
    options.max_sequences = std::max(1, o.streams);
    if (on_terminal())
        options.progress = [](const std::string& stage, double fraction) { std::fprintf(stderr, "\r%-12s %3.0f %%", stage.c_str(), fraction * 100); };
    const double load_before = load_average();
    const engine::LoadWatch watch;
    auto engine = engine::Engine::load(options);
    if (!engine) return complain(model_error(engine.error(), loaded.settings, options.path));
    const engine::LoadTimes load = watch.ended((*engine)->info().file_bytes);
    if (on_terminal()) std::fprintf(stderr, "\r\n");
    if (const int context = (*engine)->memory().context; o.prefill + o.decode > context)
        return complain(base::error(base::Code::invalid_argument, "prompts of " + std::to_string(o.prefill) + " tokens with answers of " + std::to_string(o.decode) + " are more than the context of " + std::to_string(context),
                                    "ask for fewer by --prefill and --decode, or set model.context"));
    auto first = begin(**engine, kStreamPrompt, 1, "first", 0);
    if (!first) return complain(first.error());
    if (auto usage = finish(**first); !usage) return complain(usage.error());
    const double first_token = seconds_of_life();
    auto measured = measure(**engine, std::move(peers), o, {options.path.string(), options.threads, o.prefill, o.decode, o.streams});
    if (on_terminal()) std::fprintf(stderr, "\r\n");
    if (!measured) return complain(measured.error());
    const std::uint64_t peak = engine::peak_resident_memory();
    base::Result<std::vector<TurnTimes>> turns = std::vector<TurnTimes>();
    if (o.turns) turns = measure_turns(**engine, turns_of(o.prefill, (*engine)->memory().context), o.repeat);
    if (!turns) return complain(turns.error());
    const auto switches = measure_switches(**engine, o.repeat);
    if (!switches) return complain(switches.error());
    const auto& info = (*engine)->info();
    if (o.json) {
        base::Json out = {{"model", info.name}, {"file", options.path.string()}, {"format", info.format}, {"profile", o.profile},
                          {"threads", options.threads}, {"prefill_tokens", o.prefill}, {"decode_tokens", o.decode}, {"load_seconds", load.seconds}, {"load_kind", load.kind()}, {"load_mb_per_s", load.mb_per_s()}, {"first_token_seconds", first_token},
                          {"load_average", load_before}, {"peak_rss_bytes", peak}, {"file_bytes", info.file_bytes},
                          {"weight_bytes_per_token", info.weight_bytes_per_token}, {"plan_bytes", (*engine)->memory().total}};
        out.update(to_json(*measured, info));
        out["expert_cache"] = measured->experts ? engine::to_json(*measured->experts, (*engine)->memory().experts) : base::Json(nullptr);
        if (o.turns) out["turns"] = to_json(*turns);
        if (!switches->switched.empty()) out["adapters"] = to_json(*switches);
        print_json(out);
        return 0;
    }
    std::printf("%s (%s, %s), %d threads\n", visible(info.name).c_str(), visible(info.format).c_str(), o.profile.c_str(), options.threads);
    std::printf("prompts of %d tokens, answers of %d\n", o.prefill, o.decode);
    print_measurement(*measured, info);
    if (measured->experts) print_experts(*measured->experts, (*engine)->memory().experts);
    print_turns(*turns);
    print_switches(*switches);
    std::printf("loaded in %s, first token %.2f s after the program began, peak memory %.0f MiB (plan %.0f MiB, file %.0f MiB), load average before %.2f\n", load.text().c_str(), first_token, double(peak) / (1 << 20),
                double((*engine)->memory().total) / 1048576, double(info.file_bytes) / 1048576, load_before);
    return 0;
}

}  // namespace app
