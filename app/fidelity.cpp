// hearth bench --fidelity: how far profile fast is from profile exact on a text.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "app/backends.h"
#include "app/commands.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "engine/device/pool.h"
#include "engine/divergence.h"
#include "engine/engine.h"
#include "prompts/prompts.h"

namespace app {
namespace {

// Tokens that are read at once: their logits, twice, are what it takes of memory.
constexpr std::size_t kPiece = 256;

base::Result<std::string> text_of(const std::string& file) {
    std::string out;
    if (file.empty()) {
        for (const auto& seed : prompts::seeds()) out += seed.body;
        return out;
    }
    std::ifstream in(file, std::ios::binary);
    if (!in) return base::error(base::Code::not_found, "cannot read the text " + file);
    out.assign(std::istreambuf_iterator<char>(in), {});
    return out;
}

base::Result<std::unique_ptr<engine::Engine>> load(engine::LoadOptions options, engine::Profile profile) {
    options.profile = profile;
    return engine::Engine::load(options);
}

}  // namespace

int fidelity(const LoadedSettings& loaded, const BenchOptions& o) {
    engine::LoadOptions options = load_options(loaded.settings, o.model.empty() ? chosen_model(loaded.settings) : std::filesystem::path(o.model));
    options.threads = o.threads > 0 ? o.threads : engine::usable_cpus();
    options.max_sequences = 1;
    const auto text = text_of(o.text);
    if (!text) return complain(text.error());
    auto exact = load(options, engine::Profile::exact);
    if (!exact) return complain(model_error(exact.error(), loaded.settings, options.path));
    auto fast = load(options, engine::Profile::fast);
    if (!fast) return complain(model_error(fast.error(), loaded.settings, options.path));

    const int vocabulary = (*exact)->info().vocabulary;
    auto tokens = (*exact)->tokenizer()->encode(*text, false);
    tokens.resize(std::min(tokens.size(), std::size_t(o.prefill)));
    const std::size_t piece_size = std::min(kPiece, std::size_t((*exact)->memory().context) - 1);
    engine::Divergence all;
    double differing = 0;
    for (std::size_t at = 0; at < tokens.size(); at += piece_size) {
        if (on_terminal()) std::fprintf(stderr, "\r%zu of %zu tokens", at, tokens.size());
        const std::vector<engine::TokenId> piece(tokens.begin() + std::ptrdiff_t(at), tokens.begin() + std::ptrdiff_t(std::min(at + piece_size, tokens.size())));
        const auto p = (*exact)->logits(piece), q = (*fast)->logits(piece);
        if (!p) return complain(p.error());
        if (!q) return complain(q.error());
        const auto d = engine::divergence(*p, *q, vocabulary);
        all.positions += d.positions;
        all.mean_kl += d.mean_kl * d.positions;
        all.largest_kl = std::max(all.largest_kl, d.largest_kl);
        differing += d.top1_disagreement * d.positions;
    }
    if (on_terminal()) std::fprintf(stderr, "\r\n");
    const double n = std::max(1, all.positions);
    const base::Json out = {{"model", (*fast)->info().name}, {"file", options.path.string()}, {"positions", all.positions},
                            {"kl_mean", all.mean_kl / n}, {"kl_largest", all.largest_kl}, {"top1_disagreement", differing / n}};
    if (o.json) {
        print_json(out);
        return 0;
    }
    std::printf("%s: fast against exact at %d positions, each piece of %zu tokens by itself\n", visible((*fast)->info().name).c_str(), all.positions, piece_size);
    std::printf("mean KL %.2e nats (largest %.2e), another most likely token at %.2f %%\n", all.mean_kl / n, all.largest_kl, 100 * differing / n);
    return 0;
}

}  // namespace app
