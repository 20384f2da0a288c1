// hearth bench --speculation: what guessed tokens gain, by pairs of the same answer with and without them, one after the other.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/backends.h"
#include "app/bench_workloads.h"
#include "app/commands.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "engine/device/pool.h"
#include "engine/engine.h"

namespace app {
namespace {

constexpr int kLeastTokens = 16;  // of an answer whose speed says something

struct Answer {
    std::vector<engine::TokenId> ids;
    double tokens_per_second = 0;
    engine::Usage usage;
};

// Of one workload, all its pairs.
struct Figures {
    std::vector<double> logarithms;  // of the ratios
    double without = 0, with = 0;    // tokens/s, the last pair's sums
    int tokens = 0, drafted = 0, accepted = 0, differing = 0;
    engine::DraftCounts sources;     // saved: by what steps without guesses take

    double mean() const {
        double sum = 0;
        for (const double x : logarithms) sum += x;
        return sum / double(logarithms.size());
    }
    // The one-sided 95 % bound of the mean by Student's distribution, back from logarithms.
    double lower() const {
        constexpr double t95[] = {6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753};
        const std::size_t n = logarithms.size();
        if (n < 2) return 0;
        const double m = mean();
        double squares = 0;
        for (const double x : logarithms) squares += (x - m) * (x - m);
        const double t = n - 2 < std::size(t95) ? t95[n - 2] : 1.645 + 1.6 / double(n - 1);
        return std::exp(m - t * std::sqrt(squares / double(n - 1) / double(n)));
    }
};

// As much of its end as the context holds beside the answer.
base::Result<std::vector<engine::TokenId>> prompt_of(const engine::Engine& engine, const Workload& workload, const std::string& ask, int answer) {
    const auto chat = engine.chat_template();
    if (!chat) return base::error(base::Code::unsupported, "the model's file has no chat template", "use an instruction-tuned model");
    base::OrderedJson messages = base::OrderedJson::array();
    for (const auto& text : workload.system) messages.push_back({{"role", "system"}, {"content", text}});
    messages.push_back({{"role", "user"}, {"content", ask}});
    const auto& info = engine.info();
    const base::OrderedJson variables = {{"messages", messages}, {"add_generation_prompt", true}, {"bos_token", info.bos_token}, {"eos_token", info.eos_token}};
    auto text = chat->render(variables, 0);
    if (!text) return std::move(text).error();
    auto tokens = engine.tokenizer()->encode(*text, true);
    const auto room = std::size_t(std::max(1, engine.memory().context - answer));
    if (tokens.size() > room) tokens.erase(tokens.begin(), tokens.end() - std::ptrdiff_t(room));
    return tokens;
}

base::Result<Answer> answer(engine::Engine& engine, const std::vector<engine::TokenId>& prompt, int most, bool drafts) {
    engine::Request request;
    request.prompt = {{.tokens = prompt}};
    request.max_tokens = most;
    request.drafts = drafts;
    auto session = engine.start(std::move(request));
    if (!session) return std::move(session).error();
    Answer out;
    while (auto event = (*session)->next()) {
        if (event->finish == engine::Finish::failed) return base::error(base::Code::internal, event->error);
        if (event->id >= 0) out.ids.push_back(event->id);
    }
    out.usage = (*session)->usage();
    // The first token comes out of the prefill.
    out.tokens_per_second = std::max(0, out.usage.output_tokens - 1) / std::max(1e-9, out.usage.decode.count() / 1e6);
    return out;
}

void add_counts(engine::DraftCounts& sum, const engine::DraftCounts& before, const engine::DraftCounts& after) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i].there = after[i].there, sum[i].off = after[i].off;
        sum[i].guessed += after[i].guessed - before[i].guessed;
        sum[i].accepted += after[i].accepted - before[i].accepted;
        sum[i].saved_seconds += after[i].saved_seconds - before[i].saved_seconds;
    }
}

void print_sources(const engine::DraftCounts& sources) {
    for (std::size_t i = 0; i < sources.size(); ++i)
        if (const auto& s = sources[i]; s.there)
            std::printf("  %-8s %llu of %llu guesses right, %s %.0f ms%s\n", std::string(engine::kDraftSourceNames[i]).c_str(), static_cast<unsigned long long>(s.accepted), static_cast<unsigned long long>(s.guessed),
                        s.saved_seconds < 0 ? "lost" : "saved", std::abs(s.saved_seconds) * 1000, s.off ? ", off by now" : "");
}

base::Result<Figures> measure(engine::Engine& engine, const Workload& workload, const BenchOptions& o) {
    Figures out;
    std::vector<std::vector<engine::TokenId>> prompts;
    for (const auto& ask : workload.asks) {
        auto prompt = prompt_of(engine, workload, ask, o.decode);
        if (!prompt) return std::move(prompt).error();
        auto warm = answer(engine, *prompt, 8, false);  // its prompt is in the cache from here on
        if (!warm) return std::move(warm).error();
        prompts.push_back(*std::move(prompt));
    }
    for (int round = 0; round < o.repeat; ++round)
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const bool first = (round + int(i)) % 2 == 0;
            const auto before = engine.load_now().drafts;
            auto a = answer(engine, prompts[i], o.decode, first);
            if (!a) return std::move(a).error();
            auto b = answer(engine, prompts[i], o.decode, !first);
            if (!b) return std::move(b).error();
            add_counts(out.sources, before, engine.load_now().drafts);
            if (!first) std::swap(*a, *b);
            if (std::min(a->usage.output_tokens, b->usage.output_tokens) < kLeastTokens) continue;
            out.logarithms.push_back(std::log(a->tokens_per_second / b->tokens_per_second));
            out.with += a->tokens_per_second, out.without += b->tokens_per_second;
            out.tokens += a->usage.output_tokens;
            out.drafted += a->usage.drafted_tokens, out.accepted += a->usage.accepted_tokens;
            out.differing += a->ids != b->ids;
            if (on_terminal()) std::fprintf(stderr, "\r%s: %zu pairs ", workload.name.c_str(), out.logarithms.size());
        }
    if (on_terminal()) std::fprintf(stderr, "\r\n");
    return out;
}

}  // namespace

int bench_speculation(const LoadedSettings& loaded, const BenchOptions& o) {
    engine::LoadOptions options = load_options(loaded.settings, o.model.empty() ? chosen_model(loaded.settings) : std::filesystem::path(o.model));
    options.profile = o.profile == "exact" ? engine::Profile::exact : engine::Profile::fast;
    options.threads = o.threads > 0 ? o.threads : engine::usable_cpus();
    options.max_sequences = 1;
    options.drafts = true;
    if (!o.draft.empty()) options.draft = o.draft;
    auto engine = engine::Engine::load(options);
    if (!engine) return complain(model_error(engine.error(), loaded.settings, options.path));
    base::Json out = {{"model", (*engine)->info().name}, {"file", options.path.string()}, {"profile", o.profile}, {"threads", options.threads}, {"workloads", base::Json::array()}};
    if (!o.json) std::printf("%s (%s), %d threads; tokens/s with guesses over without, pairs of the same answer\n", visible((*engine)->info().name).c_str(), o.profile.c_str(), options.threads);
    for (const Workload& workload : speculation_workloads()) {
        auto figures = measure(**engine, workload, o);
        if (!figures) return complain(figures.error());
        const Figures& f = *figures;
        if (f.logarithms.empty())
            return complain(base::error(base::Code::unsupported, "no answer to '" + workload.name + "' had " + std::to_string(kLeastTokens) + " tokens", "raise --decode, or use an instruction-tuned model"));
        const double n = double(f.logarithms.size()), ratio = std::exp(f.mean());
        base::Json runs = base::Json::array();
        for (const double x : f.logarithms) runs.push_back(std::exp(x));
        out["workloads"].push_back({{"name", workload.name}, {"pairs", f.logarithms.size()}, {"ratio", ratio}, {"lower_95", f.lower()}, {"ratios", runs},
                                    {"with_tps", f.with / n}, {"without_tps", f.without / n}, {"tokens", f.tokens}, {"drafted_tokens", f.drafted}, {"accepted_tokens", f.accepted}, {"differing_texts", f.differing}, {"sources", engine::to_json(f.sources)}});
        if (o.json) continue;
        std::printf("%-10s %5.2f (95 %% above %.2f, %.0f pairs)  %.1f against %.1f tokens/s, %d of %d guesses right, %d of %d texts differ\n", workload.name.c_str(), ratio, f.lower(), n, f.with / n,
                    f.without / n, f.accepted, f.drafted, f.differing, int(n));
        print_sources(f.sources);
    }
    if (o.json) print_json(out);
    return 0;
}

}  // namespace app
