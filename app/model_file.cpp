#include "app/model_file.h"

#include <algorithm>

#include "app/backends.h"
#include "app/deployed_file.h"
#include "base/split.h"
#include "base/trim.h"
#include "engine/memory_plan.h"
#include "engine/model/draft.h"
#include "engine/model/encoder_file.h"
#include "router/catalogue.h"
#include "router/load_note.h"
#include "router/roster_file.h"

namespace app {

namespace fs = std::filesystem;
using base::Code;

fs::path catalogue_file(const Settings& settings) { return deployed_file(settings.catalogue, "models.yaml"); }

fs::path models_folder(const Settings& settings) { return settings.state_folder / "models"; }

namespace {

// The catalogue's name for a file that hearth model pull would write; empty for one that somebody put there.
std::string pulled_as(const Settings& settings, const fs::path& file) {
    const auto models = router::read_catalogue(catalogue_file(settings));
    if (!models) return {};
    std::error_code none;
    for (const auto& model : *models)
        if (fs::equivalent(models_folder(settings) / model.file, file, none)) return model.name;
    return {};
}

}  // namespace

fs::path load_notes(const Settings& settings) { return settings.state_folder / "loads"; }

namespace {

// Of what is available. A file that has not been loaded here leaves more free, but for what it cannot do without: what a plan does not know of shows in a first load.
void share_memory(const Settings& s, engine::LoadOptions& options) {
    constexpr int first = 75, proven = 90;
    options.memory_percent = s.model.utilisation > 0 ? s.model.utilisation : router::LoadNote::ended_well(load_notes(s), options.path) ? proven : first;
    options.needed_percent = s.model.utilisation > 0 ? 0 : proven;
    options.fill = s.model.utilisation > 0;
}

}  // namespace

engine::LoadOptions load_options(const Settings& s, const std::filesystem::path& file) {
    engine::LoadOptions options;
    options.path = file;
    share_memory(s, options);
    options.profile = s.model.profile == "exact" ? engine::Profile::exact : engine::Profile::fast;
    options.threads = s.model.threads;
    options.context = s.model.context;
    options.max_sequences = s.model.max_sequences;
    options.max_waiting = s.model.max_waiting;
    options.max_waiting_each = s.model.max_waiting_each;
    options.memory_limit = std::uint64_t(s.model.memory_mib) << 20;
    options.target = s.model.target;
    for (const std::string& op : base::split(s.model.plain_ops, ',')) options.plain_ops.emplace_back(base::trimmed(op));
    options.drafts = s.model.speculation != "off";
    options.lookups = guesses_from(s, "prompt");
    options.heads = guesses_from(s, "head");
    if (file == chosen_model(s)) {  // what goes with it fits no other
        if (auto adapters = adapters_of(s)) options.adapters = *std::move(adapters);
        if (guesses_from(s, "draft")) options.draft = s.model.draft;
    }
    options.draft_length = s.model.speculation_length;
    for (const auto format : engine::kv_formats)
        if (s.model.kv_format == engine::name(format)) options.kv_format = format;
    using engine::ExpertPlace;
    options.experts.place = s.experts.place == "mapped" ? ExpertPlace::mapped : s.experts.place == "resident" ? ExpertPlace::resident : ExpertPlace::automatic;
    options.experts.memory = s.experts.memory;
    options.experts.folder = s.state_folder / "experts";
    return options;
}

std::uint64_t room_for_a_model(const Settings& s) {
    engine::LoadOptions options = load_options(s, {});
    options.memory_percent = std::max(options.memory_percent, options.needed_percent);
    return engine::memory_limit(options, engine::available_memory());
}

bool guesses_from(const Settings& s, std::string_view source) { return s.model.speculation == "auto" || s.model.speculation == source; }

base::Result<std::vector<std::pair<std::string, fs::path>>> adapters_of(const Settings& s) {
    std::vector<std::pair<std::string, fs::path>> out;
    const auto refused = [](const std::string& what, const char* remedy) { return base::error(Code::invalid_argument, "model.adapters " + what, remedy); };
    for (const std::string& part : base::split(s.model.adapters, ',')) {
        const std::string one(base::trimmed(part));
        const auto equals = std::min(one.find('='), one.size());
        const std::string name = one.substr(0, equals), folder = one.substr(std::min(equals + 1, one.size()));
        if (name.empty() || folder.empty()) return refused("has '" + one + "', expected NAME=FOLDER", "name each adapter and its folder, several by comma");
        if (!router::is_model_name(name)) return refused("names '" + name + "'", "choose a name of letters, digits, -, _ and dots");
        if (std::ranges::count(out, name, &std::pair<std::string, fs::path>::first) > 0) return refused("names '" + name + "' twice", "give each adapter a name of its own");
        out.emplace_back(name, folder);
    }
    return out;
}

engine::LoadOptions embedding_options(const Settings& s) {
    engine::LoadOptions options;
    options.path = s.embedding.path;
    share_memory(s, options);
    options.max_sequences = 1;
    options.profile = s.model.profile == "exact" ? engine::Profile::exact : engine::Profile::fast;
    options.threads = s.model.threads;
    options.target = s.model.target;
    return options;
}

base::Error model_error(base::Error e, const Settings& s, const fs::path& file) {
    // What begins with the file that a setting names, or could not open it.
    const auto is_about = [&](const std::string& named) { return !named.empty() && (e.message.starts_with(named) || e.message.starts_with("cannot open " + named) || e.message.starts_with("cannot read " + named)); };
    const auto of_setting = [&](const std::string& setting) {
        e.message = "setting " + setting + ": " + e.message;
        if (e.remedy.empty() || e.code == Code::corrupt || e.code == Code::not_found) e.remedy = "name another there, or leave it out of " + setting;
        return e;
    };
    if (is_about(s.model.draft)) return of_setting("model.draft");
    if (const auto adapters = adapters_of(s))
        for (const auto& [name, folder] : *adapters)
            if (is_about(folder.string())) return of_setting("model.adapters");
    if (!s.model.target.empty() && e.message.rfind("target '" + s.model.target + "'", 0) == 0) e.message = "setting model.target: " + e.message;
    if (e.message.rfind("there is no operation '", 0) == 0) e.message = "setting model.plain_ops: " + e.message;
    if (std::error_code none; e.code == Code::not_found && !fs::exists(file, none)) e.remedy = "hearth model pull fetches one, hearth model use chooses one; or set model.path (HEARTH_MODEL_PATH)";
    if (e.code == Code::corrupt) {
        const std::string name = pulled_as(s, file);
        e.remedy = name.empty() ? "the file is damaged or not whole: put a whole one there, or choose another with hearth model use"
                                : "the file is damaged or was not fetched whole: hearth model pull " + name + " fetches it again";
    }
    if (e.code == Code::unsupported && e.remedy.empty()) e.remedy = "hearth model list names models that run here";
    if (e.code == Code::resource_exhausted && e.remedy.empty()) e.remedy = "hearth model list names smaller ones";
    if (e.remedy.empty()) e.remedy = "choose another file: hearth model use, or model.path (HEARTH_MODEL_PATH)";
    return e;
}

bool has_head_for_drafting(const fs::path& path) {
    const auto file = engine::ModelFile::open(path);
    if (!file) return false;
    const auto config = (*file)->config();
    if (!config) return false;
    const auto head = engine::draft_head_config(**file, *config);
    return head && *head;
}

base::Error encoder_error(const fs::path& file) {
    return base::error(Code::unsupported, file.string() + " is an encoder: it makes vectors of texts and does not chat",
                       "name it in embedding.path, and a chat model by hearth model use or in model.path");
}

namespace {

// That what alone is to guess is there.
base::Result<void> check_speculation(const Settings& s) {
    const char* const remedy = "leave model.speculation at auto: it guesses from whatever there is";
    const bool beside = std::ranges::any_of(s.roster.models, [](const auto& row) { return !row.draft.empty(); });
    if (s.model.speculation == "draft" && s.model.draft.empty() && !beside) return base::error(Code::invalid_argument, "model.speculation is draft, and model.draft names no model that guesses", remedy);
    if (s.model.speculation == "head" && !has_head_for_drafting(chosen_model(s)))
        return base::error(Code::invalid_argument, "model.speculation is head, and " + chosen_model(s).string() + " has no head for drafting that this engine runs", remedy);
    return {};
}

}  // namespace

base::Result<void> check_model(const Settings& s) {
    if (!s.upstream.script.empty()) return {};
    if (engine::is_encoder(chosen_model(s))) return encoder_error(chosen_model(s));
    if (has_spare_model(s)) return {};
    auto plan = engine::Engine::plan(load_options(s, chosen_model(s)));
    if (!plan) return model_error(std::move(plan).error(), s, chosen_model(s));
    return check_speculation(s);
}

base::Result<void> check_embedding_model(const Settings& s) {
    if (s.embedding.path.empty()) return {};
    const auto refuse = [&](base::Error e) {
        e.message = "embedding.path: " + e.message;
        if (e.remedy.empty()) e.remedy = "name an embedding model, or leave it empty";
        return e;
    };
    auto info = engine::Engine::inspect(s.embedding.path);
    if (!info) return refuse(std::move(info).error());
    if (info->pooling.empty()) return refuse(base::error(Code::unsupported, s.embedding.path + " writes text and makes no vectors of it"));
    auto plan = engine::Engine::plan(embedding_options(s));
    if (!plan) return refuse(std::move(plan).error());
    return {};
}

}  // namespace app
