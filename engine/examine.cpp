#include "engine/examine.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "engine/cache_need.h"
#include "engine/expert_record.h"
#include "engine/inspect.h"
#include "engine/memory_plan.h"
#include "engine/model/encoder_file.h"
#include "engine/model/weights.h"
#include "engine/runner.h"
#include "engine/target_choice.h"
#include "text/output_parser.h"

namespace engine {
namespace {

using Kind = text::Vocabulary::Kind;

const char* name_of(Kind kind) {
    switch (kind) {
        case Kind::bpe: return "byte-level BPE";
        case Kind::character_bpe: return "BPE of characters";
        case Kind::spm: return "SentencePiece BPE";
        case Kind::unigram: return "SentencePiece unigram";
        case Kind::word_piece: return "WordPiece";
    }
    return "?";
}

// What templates write or ask for where a model reasons before it answers.
constexpr const char* kReasoning[] = {"<think>", "<seed:think>", "<longcat_think>", "[THINK]", "<|channel|>", "<|channel>", "reasoning_content",
                                      "enable_thinking", "reasoning_effort", "thinking_budget"};

Examination::Tokens tokens_of(const text::Vocabulary& v) {
    Examination::Tokens out;
    out.kind = name_of(v.kind);
    if (!v.pre.empty()) out.kind += ", " + v.pre;
    out.count = int(v.tokens.size());
    const auto text = [&](text::TokenId id) { return id >= 0 && id < out.count ? v.tokens[std::size_t(id)] : std::string(); };
    if (v.add_bos) out.bos = text(v.bos);
    out.eos = text(v.eos);
    for (const text::TokenId id : v.end_of_generation)
        if (id != v.eos) out.ends.push_back(text(id));
    return out;
}

Examination::Template template_of(const std::string& source) {
    Examination::Template out;
    out.dialect = text::detect_dialect(source);
    for (const char* mark : kReasoning)
        if (source.find(mark) != source.npos) out.reasoning.push_back(mark);
    if (const auto parsed = text::ChatTemplate::parse(source); !parsed) out.broken = parsed.error().message;
    return out;
}

std::string shown(double number) {
    char out[32];
    std::snprintf(out, sizeof out, "%.6g", number);
    return out;
}

std::string scaling_of(const RopeConfig& rope, const Outline& file) {
    constexpr float kStill = 1e29f;  // see read_rope
    if (rope.scale != 1) return "linear by " + shown(rope.scale);
    if (rope.yarn_factor != 1) return "yarn by " + shown(rope.yarn_factor) + " from " + shown(rope.yarn_original) + " tokens";
    if (!rope.divisor.empty()) {
        const auto turning = std::ranges::count_if(rope.divisor, [](float d) { return d < kStill; });
        if (turning < std::ssize(rope.divisor)) return "proportional: " + std::to_string(turning) + " of " + std::to_string(rope.divisor.size()) + " pairs turn";
        return "llama3 by " + shown(*std::ranges::max_element(rope.divisor));
    }
    const bool in_file = std::ranges::any_of(file.tensors, [](const TensorShare& share) { return share.kind == "positions"; });
    return rope.divisors_in_file && in_file ? "by the file's rope_freqs" : "";
}

Examination::Attention attention_of(const Config& config, const Outline& file) {
    Examination::Attention out;
    std::set<int> heads;
    std::map<int, int> windows;
    std::vector<int> turned(config.ropes.size(), 0);
    for (const LayerConfig& layer : config.layer) {
        if (layer.mixer != Mixer::attention) continue;
        ++out.layers;
        heads.insert(config.latent.kv_rank > 0 ? config.latent.plain + config.latent.rotated : layer.head_dim);
        if (layer.window > 0) ++windows[layer.window];
        if (layer.rope < 0) ++out.without_positions;
        else ++turned[std::size_t(layer.rope)];
    }
    out.head_sizes.assign(heads.begin(), heads.end());
    out.windows.assign(windows.begin(), windows.end());
    for (std::size_t i = 0; i < turned.size(); ++i)
        if (turned[i] > 0) out.ropes.push_back({config.ropes[i].base, config.ropes[i].dim, turned[i], scaling_of(config.ropes[i], file)});
    return out;
}

// What the file has and a text model of this engine leaves out.
void note_what_is_left_out(const Examination& e, std::vector<std::string>& notes) {
    for (const char* kind : {"vision", "audio", "speech", "drafting"}) {
        std::uint64_t tensors = 0, bytes = 0;
        for (const TensorShare& share : e.file.tensors)
            if (share.kind == kind) tensors += share.tensors, bytes += share.bytes;
        if (tensors == 0) continue;
        const std::string what = std::to_string(tensors) + " tensors of " + mib(bytes);
        if (std::string_view(kind) == "drafting") notes.push_back("has a head for drafting (multi-token prediction, " + what + "), which " + (e.has_head ? "guesses tokens to come" : "is left out"));
        else notes.push_back("has a part for " + std::string(kind) + " (" + what + "), which is left out: text goes in and comes out");
    }
}

void note_what_it_lacks(const Examination& e, std::vector<std::string>& notes) {
    if (!e.info || e.info->encoder) return;
    if (e.info->pooling.empty()) {
        if (!e.chat_template) notes.push_back("has no chat template: it cannot chat");
        else if (!e.chat_template->broken.empty()) notes.push_back("has a chat template that cannot be used: " + e.chat_template->broken);
        else if (e.chat_template->dialect == "none" && e.info->chat_template.find("tools") != std::string::npos)
            notes.push_back("has a chat template that offers tools in a form that this engine does not know: the agent needs them");
        else if (e.chat_template->dialect == "none") notes.push_back("has a chat template that knows no tools: the agent needs them");
    }
    if (e.tokens && e.tokens->eos.empty() && e.tokens->ends.empty()) notes.push_back("does not say which token ends a reply");
}

void note_speed(const Examination& e, std::vector<std::string>& notes) {
    if (!e.needs || !e.info) return;
    std::uint64_t all = 0, floats = 0;
    for (const auto& [format, values] : e.needs->values) {
        all += values;
        if (format == "F32" || format == "F16" || format == "BF16") floats += values;
    }
    if (2 * floats > all && e.info->file_bytes > (1u << 30))
        notes.push_back("is mostly of 16 or 32 bits a weight, and each token reads them all: a 4-bit file of the same model has a quarter to read or less");
}

// Its head for drafting, which is loaded with it unless the options leave it out.
base::Result<void> add_head(const LoadOptions& options, const ModelFile& file, const Config& config, const Ops& ops, Examination::Needs& needs, bool& has_head) {
    const auto head = draft_head_config(file, config);
    has_head = head && *head;
    if (!has_head || !options.drafts || !options.heads) return {};
    const auto bytes = measure_draft_head(file, config, ops);
    if (!bytes) return bytes.error();
    needs.laid_out += bytes->packed, needs.mapped += bytes->mapped;
    add_cache(needs, **head, kv_format_of(options), " + of the head ");
    return {};
}

// What a load needs, told of a model that is too large for this machine too.
base::Result<void> look_inside(const LoadOptions& options, Examination& out) {
    auto file = ModelFile::open(options.path);
    if (!file) return std::move(file).error();
    auto head = read_head(**file);
    if (!head) return std::move(head).error();
    out.tokens = tokens_of(head->vocabulary);
    auto target = choose_target(options);
    if (!target) return std::move(target).error();
    auto measured = measure_model(**file, head->config, *target->ops);
    if (!measured) return std::move(measured).error();
    auto info = describe(**file, head->config, head->vocabulary);
    if (!info) return std::move(info).error();
    Examination::Needs needs;
    needs.target = target->name;
    needs.laid_out = measured->bytes.packed, needs.mapped = measured->bytes.mapped;
    add_cache(needs, head->config, kv_format_of(options));
    if (auto added = add_head(options, **file, head->config, *target->ops, needs, out.has_head); !added) return added;
    needs.state_bytes = head->config.state_values * sizeof(float);
    measured->values[std::size_t(Format::int4)] -= measured->eight_bits;
    if (measured->eight_bits > 0) needs.values.emplace_back("INT8", measured->eight_bits);
    for (int f = 0; f < kFormatCount; ++f)
        if (measured->values[std::size_t(f)] > 0) needs.values.emplace_back(shown_name(Format(f)), measured->values[std::size_t(f)]);
    std::ranges::stable_sort(needs.values, [](const auto& a, const auto& b) { return a.second > b.second; });
    out.needs = std::move(needs);
    out.attention = attention_of(head->config, out.file);
    // Containers call latent attention's heads differently: all of them share one key.
    out.file.kv_heads = head->config.largest_kv_heads();
    out.info = *std::move(info);
    return {};
}

base::Result<void> look_inside_encoder(const LoadOptions& options, Examination& out) {
    auto info = Engine::inspect(options.path);
    if (!info) return std::move(info).error();
    out.info = *std::move(info);
    if (const auto file = open_encoder(options.path)) out.tokens = tokens_of((*file)->vocabulary);
    return {};
}

}  // namespace

Examination examine(const LoadOptions& options) {
    Examination out;
    out.file = read_outline(options.path);
    auto looked = is_encoder(options.path) ? look_inside_encoder(options, out) : look_inside(options, out);
    auto plan = Engine::plan(options);
    if (plan) out.plan = *std::move(plan);
    if (out.plan.experts.cached() && out.info) out.experts = forecast(out.plan.experts, ExpertRecord(options.experts.folder, *out.info, out.plan.experts));
    if (!plan) out.refused = std::move(plan).error();
    else if (!looked) out.refused = std::move(looked).error();
    const std::string& source = out.info ? out.info->chat_template : out.file.chat_template;
    if (!source.empty()) out.chat_template = template_of(source);
    if (!out.file.contradicted.empty()) out.notes.push_back("contradicts itself: " + out.file.contradicted);
    note_what_is_left_out(out, out.notes);
    note_what_it_lacks(out, out.notes);
    note_speed(out, out.notes);
    return out;
}

}  // namespace engine
