// hearth model inspect: what a file is, what it would take, and what would be refused and why.
#include <cstdio>

#include "app/backends.h"
#include "app/commands.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "engine/examine.h"
#include "engine/expert_report.h"
#include "engine/memory_plan.h"

namespace app {
namespace {

using engine::Examination;

double mib(std::uint64_t bytes) { return double(bytes) / 1048576; }
std::string size(std::uint64_t bytes) {
    char out[32];
    std::snprintf(out, sizeof out, bytes < 10u << 20 ? "%.2f MiB" : "%.0f MiB", mib(bytes));
    return out;
}
double millions(std::uint64_t n) { return double(n) / 1e6; }

base::Json text_or_null(const std::string& text) { return text.empty() ? base::Json(nullptr) : base::Json(text); }
base::Json number_or_null(std::uint64_t n) { return n == 0 ? base::Json(nullptr) : base::Json(n); }

base::Json tensors_json(const Examination& e) {
    base::Json out = base::Json::array();
    for (const auto& t : e.file.tensors) out.push_back({{"kind", t.kind}, {"format", t.format}, {"tensors", t.tensors}, {"values", t.values}, {"bytes", t.bytes}});
    return out;
}

base::Json attention_json(const Examination::Attention& a) {
    base::Json windows = base::Json::array(), ropes = base::Json::array();
    for (const auto& [tokens, layers] : a.windows) windows.push_back({{"tokens", tokens}, {"layers", layers}});
    for (const auto& r : a.ropes) ropes.push_back({{"theta", r.theta}, {"dimensions", r.dimensions}, {"layers", r.layers}, {"scaling", text_or_null(r.scaling)}});
    return {{"layers", a.layers}, {"head_sizes", a.head_sizes}, {"windows", windows}, {"ropes", ropes}, {"layers_without_positions", a.without_positions}};
}

// Keys that a file says nothing of are null.
base::Json to_json(const Examination& e, const std::optional<base::Error>& refused) {
    const auto& f = e.file;
    base::Json out = {{"name", text_or_null(f.name)}, {"architecture", text_or_null(f.architecture)}, {"container", text_or_null(f.container)},
                      {"quantisation", text_or_null(f.quantisation)}, {"file_bytes", f.bytes}, {"layers", number_or_null(f.layers)}, {"hidden", number_or_null(f.hidden)},
                      {"heads", number_or_null(f.heads)}, {"kv_heads", number_or_null(f.kv_heads)}, {"vocabulary", number_or_null(f.vocabulary)},
                      {"experts", f.experts}, {"experts_used", f.experts_used}, {"trained_context", number_or_null(f.context)},
                      {"parameters", number_or_null(f.values())}, {"tensors", tensors_json(e)}, {"chat_template", !f.chat_template.empty()}, {"notes", e.notes}};
    if (e.info)
        out.update({{"name", e.info->name}, {"architecture", e.info->architecture}, {"format", e.info->format}, {"parameters", e.info->parameters},
                    {"active_parameters", e.info->active_parameters}, {"layers", e.info->layers}, {"hidden", e.info->hidden}, {"vocabulary", e.info->vocabulary},
                    {"experts", e.info->experts}, {"experts_used", e.info->experts_used}, {"trained_context", e.info->trained_context}, {"file_bytes", e.info->file_bytes},
                    {"chat_template", !e.info->chat_template.empty()}, {"kind", e.info->encoder ? "encoder" : "decoder"}, {"pooling", text_or_null(e.info->pooling)},
                    {"bytes_per_token", e.info->weight_bytes_per_token}});
    out["attention"] = e.attention ? attention_json(*e.attention) : base::Json(nullptr);
    out["tokenizer"] = e.tokens ? base::Json({{"kind", e.tokens->kind}, {"tokens", e.tokens->count}, {"bos", text_or_null(e.tokens->bos)}, {"eos", text_or_null(e.tokens->eos)}})
                                : text_or_null(f.tokenizer);
    out["template"] = e.chat_template ? base::Json({{"dialect", e.chat_template->dialect}, {"reasoning", e.chat_template->reasoning}, {"broken", text_or_null(e.chat_template->broken)}})
                                      : base::Json(nullptr);
    if (e.chat_template && e.info)
        out["template"].update({{"names", e.info->templates.names}, {"plain", text_or_null(e.info->templates.plain)}, {"with_tools", text_or_null(e.info->templates.with_tools)}});
    if (e.needs) {
        base::Json computed = base::Json::object();
        for (const auto& [format, values] : e.needs->values) computed[format] = values;
        out["needs"] = {{"target", e.needs->target}, {"laid_out_bytes", e.needs->laid_out}, {"mapped_bytes", e.needs->mapped},
                        {"kv_bytes_per_token", e.needs->kv_bytes_per_token}, {"kv_sum", e.needs->kv_sum}, {"state_bytes", e.needs->state_bytes}, {"computed_in", std::move(computed)}};
    }
    out["unsaid"] = base::Json::array();
    if (e.info)
        for (const engine::Unsaid& one : e.info->unsaid) out["unsaid"].push_back({{"key", one.key}, {"taken", one.taken}, {"remedy", one.remedy}, {"left_out", one.left_out}});
    out["loads"] = !refused;
    out["memory"] = refused ? base::Json(nullptr) : base::Json(e.plan.text());
    const engine::MemoryPlan& m = e.plan;
    out["plan"] = refused ? base::Json(nullptr)
                          : base::Json({{"weights", m.weights}, {"kv", m.kv}, {"scratch", m.scratch}, {"total", m.total}, {"limit", m.limit}, {"available", m.available}, {"context", m.context}, {"kv_tokens", m.kv_tokens},
                                        {"kv_bytes_per_token", m.kv_bytes_per_token}, {"kv_sum", m.kv_sum}, {"kv_format", engine::name(m.kv_format)}, {"percent", m.percent}, {"most_kv_tokens", engine::capacity(m).kv_tokens}});
    out["expert_cache"] = refused || !e.experts ? base::Json(nullptr) : engine::to_json(*e.experts, m.experts);
    out["refused"] = refused ? base::Json({{"code", base::name(refused->code)}, {"message", refused->message}, {"remedy", refused->remedy}}) : base::Json(nullptr);
    return out;
}

void line(const char* what, const std::string& text) { std::printf("  %-13s %s\n", what, visible(text).c_str()); }

template <class... Args>
std::string formatted(const char* format, Args... args) {
    char out[256];
    std::snprintf(out, sizeof out, format, args...);
    return out;
}

// What a file says that this engine does not run.
void print_outline(const engine::Outline& f) {
    std::string facts = f.architecture.empty() ? "not said" : f.architecture;
    const std::pair<const char*, int> numbers[] = {{"layers", f.layers}, {"hidden", f.hidden}, {"heads", f.heads}, {"heads of keys", f.kv_heads}, {"vocabulary", f.vocabulary}};
    for (const auto& [what, n] : numbers)
        if (n > 0) facts += ", " + std::string(what) + " " + std::to_string(n);
    line("architecture", facts);
    if (f.values() > 0) line("parameters", formatted("%.1f M stored", millions(f.values())) + (f.experts > 0 ? formatted(" (%d of %d experts)", f.experts_used, f.experts) : ""));
    line("format", (f.quantisation.empty() ? "" : f.quantisation + ", ") + size(f.bytes) + " (" + f.container + ")");
    if (f.context > 0) line("context", formatted("trained for %d tokens", f.context));
    if (!f.tokenizer.empty()) line("tokenizer", f.tokenizer);
}

void print_info(const Examination& e) {
    const engine::ModelInfo& i = *e.info;
    const engine::Outline& f = e.file;
    std::string facts = i.architecture + (f.architecture.empty() || f.architecture == i.architecture ? "" : " (model_type " + f.architecture + ")");
    facts += formatted(", %d layers, hidden %d, vocabulary %d", i.layers, i.hidden, i.vocabulary);
    if (f.heads > 0) facts += formatted(", %d heads", f.heads) + (f.kv_heads > 0 ? formatted(" over %d of keys", f.kv_heads) : "");
    line("architecture", facts);
    line("parameters", formatted("%.1f M, %.1f M of them active per token", millions(i.parameters), millions(i.active_parameters)) +
                           (i.experts > 0 ? formatted(" (%d of %d experts)", i.experts_used, i.experts) : ""));
    line("format", i.format + ", " + size(i.file_bytes) + " (" + e.file.container + ")");
    line("context", formatted("trained for %d tokens", i.trained_context));
}

void print_attention(const Examination::Attention& a) {
    if (a.layers == 0) return;
    std::string heads = "in " + std::to_string(a.layers) + (a.layers == 1 ? " layer" : " layers") + "; heads of";
    for (const int size : a.head_sizes) heads += (size == a.head_sizes[0] ? " " : " and ") + std::to_string(size);
    for (const auto& [tokens, layers] : a.windows) heads += formatted("; %d see the last %d tokens", layers, tokens);
    line("attention", heads);
    std::string positions;
    for (const auto& r : a.ropes) {
        positions += (positions.empty() ? "" : "; ") + formatted("theta %.10g over %d dimensions", r.theta, r.dimensions);
        if (!r.scaling.empty()) positions += ", scaled " + r.scaling;
        if (r.layers < a.layers) positions += formatted(" (%d layers)", r.layers);
    }
    if (a.without_positions > 0) positions += (positions.empty() ? "" : "; ") + std::string("none in ") + std::to_string(a.without_positions) + " layers";
    line("rope", positions);
}

void print_tensors(const std::vector<engine::TensorShare>& tensors) {
    if (tensors.empty()) return;
    line("tensors", formatted("%-16s %-10s %8s %14s %12s", "", "stored as", "number", "values", "MiB"));
    for (const auto& t : tensors)
        line("", formatted("%-16s %-10s %8llu %12.2f M %12.2f", t.kind.c_str(), t.format.c_str(), (unsigned long long)t.tensors, millions(t.values), mib(t.bytes)));
}

void print_words(const Examination& e) {
    if (e.tokens) {
        std::string words = e.tokens->kind + "; " + std::to_string(e.tokens->count) + " tokens";
        if (!e.tokens->bos.empty()) words += "; begins with " + e.tokens->bos;
        if (!e.tokens->eos.empty()) words += "; ends with " + e.tokens->eos;
        for (const auto& end : e.tokens->ends) words += " or " + end;
        line("tokenizer", words);
    }
    if (e.info && !e.info->pooling.empty())
        line("embeddings", formatted("vectors of %d, pooling %s", e.info->hidden, e.info->pooling.c_str()) + (e.info->encoder ? "; an encoder: it does not chat" : ""));
    if (!e.chat_template) {
        if (e.file.architecture.empty() || (e.info && !e.info->pooling.empty())) return;
        return line("chat template", "none");
    }
    std::string words = "in the file; tool calls: " + e.chat_template->dialect;
    for (const auto& mark : e.chat_template->reasoning) words += (&mark == &e.chat_template->reasoning[0] ? "; reasoning: " : " ") + mark;
    line("chat template", words);
    if (!e.info || (e.info->templates.names.size() < 2 && !e.info->templates.plain.empty())) return;
    const auto& t = e.info->templates;
    const auto shown = [](const std::string& name) { return name.empty() ? "none" : name; };
    std::string names;
    for (const std::string& name : t.names) names += (names.empty() ? "" : ", ") + name;
    line("", "of " + names + ": " + shown(t.plain) + (t.with_tools == t.plain ? ", with tools and without" : " without tools, " + t.with_tools + " with them"));
}

void print_needs(const Examination& e) {
    if (!e.refused) line("memory", e.plan.text());
    if (!e.refused && e.experts) line("experts", engine::summary(*e.experts, e.plan.experts));
    if (!e.needs || !e.info) return;
    const auto& n = *e.needs;
    // With the cache of what guesses for it, where it can be loaded.
    const std::uint64_t each = e.refused ? n.kv_bytes_per_token : e.plan.kv_bytes_per_token;
    std::string cache = (e.refused ? n.kv_sum : e.plan.kv_sum) + " = " + std::to_string(each) + " bytes a token";
    for (const int tokens : {4096, 32768, 131072})
        if (tokens <= e.info->trained_context) cache += ", " + size(each * std::uint64_t(tokens)) + " at " + std::to_string(tokens);
    if (n.state_bytes > 0) cache += "; a state of " + size(n.state_bytes) + " a sequence";
    line("KV cache", cache);
    if (!e.refused) line("fit", std::to_string(e.plan.kv_tokens) + " tokens of all requests together, " + std::to_string(e.plan.context) + " of one; " + std::to_string(engine::capacity(e.plan).kv_tokens) + " would, if the cache had all that is left");
    line("weights", size(n.laid_out) + " laid out at the start for " + n.target + ", " + size(n.mapped) + " used as they lie in the file");
    std::string speed = "a token reads " + size(e.info->weight_bytes_per_token) + " of weights; matrices of";
    for (const auto& [format, values] : n.values) speed += (&format == &n.values[0].first ? " " : ", ") + format + formatted(" (%.1f M)", millions(values));
    line("speed", speed);
}

void print(const Examination& e) {
    if (e.file.container.empty()) return;  // what it is not, the refusal says
    const std::string name = e.info ? e.info->name : e.file.name;
    std::printf("%s\n", name.empty() ? "(without a name)" : visible(name).c_str());
    if (e.info) print_info(e);
    else print_outline(e.file);
    if (e.attention) print_attention(*e.attention);
    print_tensors(e.file.tensors);
    print_words(e);
    print_needs(e);
    if (e.info)
        for (const engine::Unsaid& one : e.info->unsaid) line(one.left_out ? "left out" : "unsaid", one.key + ": " + one.taken), line("", "→ " + one.remedy);
    for (const auto& note : e.notes) line("note", note);
    line("loads", e.refused ? "no" : "yes");
}

}  // namespace

int model_inspect(const LoadedSettings& loaded, const std::string& file, bool json) {
    const engine::LoadOptions options = load_options(loaded.settings, file.empty() ? chosen_model(loaded.settings) : std::filesystem::path(file));
    const Examination found = engine::examine(options);
    std::optional<base::Error> refused = found.refused;
    if (refused) refused = model_error(*std::move(refused), loaded.settings, options.path);
    if (json) print_json(to_json(found, refused));
    else print(found);
    std::fflush(stdout);  // before what standard error says of it
    return refused ? complain(*refused) : 0;
}

}  // namespace app
