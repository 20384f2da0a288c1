#include "app/backends.h"

#include <algorithm>
#include <fstream>

#include "agents/service.h"
#include "app/key_file.h"
#include "app/kv_disk.h"
#include "app/model_copy.h"
#include "app/model_file.h"
#include "router/http_backend.h"
#include "router/scripted_backend.h"
#include "store/secrets.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using base::Code;

base::Result<router::Script> read_script(const fs::path& file) {
    std::ifstream in(file);
    if (!in || fs::is_directory(file)) return base::error(Code::not_found, "backend.script: cannot read " + file.string(), "name a readable file, or leave the setting empty");
    return router::script_from_json_lines(std::string(std::istreambuf_iterator<char>(in), {}));
}

// The key that `place`.key names as a secret, or that lies in the file of `place`.key_file.
base::Result<router::UpstreamKey> key_of(const std::string& place, const std::string& secret, const std::string& file, const std::string& url, const SecretOpener& secrets) {
    if (!secret.empty()) {
        if (!file.empty()) return base::error(Code::invalid_argument, place + ".key and " + place + ".key_file are both set", "set one of them");
        auto name = store::secret_name(secret);
        if (!name) return std::move(name).error();
        return router::UpstreamKey([secrets, name = *name, host = net::host_of(url)] { return secrets(name, host); });
    }
    if (file.empty()) return router::UpstreamKey();
    auto key = key_in_file(place + ".key_file", file);
    if (!key) return std::move(key).error();
    return router::UpstreamKey(*std::move(key));
}

// A model writes or makes vectors, whatever its upstream has routes for: to ask the wrong one is the request's fault, which the upstream
// is not even told, and nothing against either.
const router::Dialect* of_writers(const router::Dialect* dialect) {
    static const router::Dialect openai = [] {
        router::Dialect row = router::kOpenai;
        row.embeddings = "";
        return row;
    }();
    return dialect == &router::kOpenai ? &openai : dialect;
}
const router::Dialect* of_vectors() {
    static const router::Dialect openai = [] {
        router::Dialect row = router::kOpenai;
        row.chat = "";
        return row;
    }();
    return &openai;
}

// A model there; `id` is the backend's.
base::Result<router::HttpBackendOptions> upstream(const Settings& s, const char* id, const std::string& model, const SecretOpener& secrets) {
    const std::string& url = s.upstream.url;
    if (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0)
        return base::error(Code::invalid_argument, "upstream.url is '" + url + "', expected an http or https URL", "for example https://host/v1");
    if (s.upstream.model.empty() && s.upstream.embedding_model.empty())
        return base::error(Code::invalid_argument, "upstream.url is set and upstream.model is not", "set upstream.model (or upstream.embedding_model) to a model's name there");
    router::HttpBackendOptions options;
    options.id = id;
    options.url = url.substr(0, url.find_last_not_of('/') + 1);
    options.model = model;
    auto key = key_of("upstream", s.upstream.key, s.upstream.key_file, s.upstream.url, secrets);
    if (!key) return std::move(key).error();
    options.key = *std::move(key);
    return options;
}

// The phases' aliases are ours to know, and no agent is called as a model is.
base::Result<void> check_aliases(const Settings& s) {
    if (s.model.name.empty() || agents::is_agent(s.model.name))
        return base::error(Code::invalid_argument, "model.name is '" + s.model.name + "'" + (s.model.name.empty() ? "" : ", which is an agent's name"), "choose another, for example default");
    auto adapters = adapters_of(s);
    if (!adapters) return std::move(adapters).error();
    const auto is_beside = [&](const std::string& alias) { return std::ranges::any_of(s.roster.models, [&](const auto& row) { return row.id == alias; }); };
    for (const auto& [name, folder] : *adapters)
        if (name == s.model.name || name == s.embedding.name || agents::is_agent(name) || is_beside(name))
            return base::error(Code::invalid_argument, "model.adapters names '" + name + "', which is another model's or an agent's name", "choose another");
    const auto is_served = [&](const std::string& alias) {
        return alias == s.model.name || is_beside(alias) || std::ranges::any_of(*adapters, [&](const auto& adapter) { return adapter.first == alias; }) || std::ranges::any_of(s.roster.rows, [&](const auto& row) { return row.alias.name == alias; });
    };
    for (const auto& row : s.roster.rows)
        if (agents::is_agent(row.alias.name))
            return base::error(Code::invalid_argument, s.file.string() + ", line " + std::to_string(row.line) + ": roster." + row.alias.name + " is an agent's name", "choose one that does not begin with hearth/");
    for (const auto& row : s.roster.rows)
        if (const std::string& shadow = row.alias.shadow.model; !shadow.empty() && !is_served(shadow))
            return base::error(Code::invalid_argument, s.file.string() + ", line " + std::to_string(row.line) + ": roster." + row.alias.name + ".shadow.model is '" + shadow + "', and no model is served under that name", "name '" + s.model.name + "' or a model of the roster");
    for (const auto& [phase, alias] : s.phase_backend)
        if (!is_served(alias))
            return base::error(Code::invalid_argument, "backend." + phase + " is '" + alias + "', and no model is served under that name", "leave it empty, or name '" + s.model.name + "' or a model of the roster");
    return {};
}

base::Result<router::HttpBackendOptions> options_of(const router::UpstreamRow& row, const SecretOpener& secrets) {
    router::HttpBackendOptions options{row.id, row.url, row.model, {}};
    options.section = "upstreams." + row.id;
    options.dialect = of_writers(router::find_dialect(row.dialect));
    options.context = row.context;
    options.prices = row.prices;
    options.continues = row.continues;
    options.silence_timeout = std::chrono::seconds(row.silence_seconds);
    auto key = key_of(options.section, row.key, row.key_file, row.url, secrets);
    if (!key) return std::move(key).error();
    options.key = *std::move(key);
    return options;
}

// The row with its whole chain; `here`: the backend that runs in this process, empty where there is none.
base::Result<router::Alias> alias_of(const router::RosterRow& row, const std::string& here, const Settings& s) {
    router::Alias alias = row.alias;
    const bool named = std::find(alias.chain.begin(), alias.chain.end(), here) != alias.chain.end();
    if (row.local_end && !here.empty() && !named) alias.chain.push_back(here);
    if (!alias.chain.empty()) return alias;
    return base::error(Code::invalid_argument, s.file.string() + ", line " + std::to_string(row.line) + ": roster." + alias.name + " has no chain", "name a backend in roster." + alias.name + ".chain");
}

base::Result<void> check_roster(const Settings& s) {
    for (const auto& row : s.roster.upstreams)
        if (auto options = options_of(row, {}); !options) return std::move(options).error();
    std::error_code unreadable;
    const std::string here = !s.upstream.script.empty() ? "scripted" : fs::exists(chosen_model(s), unreadable) ? "embedded" : "";
    for (const auto& row : s.roster.rows)
        if (auto alias = alias_of(row, here, s); !alias) return std::move(alias).error();
    return {};
}

// What serves a row of `models`: as model.* says, but for the row's own words.
engine::LoadOptions options_of(const router::ModelRow& row, const Settings& s) {
    constexpr std::uint64_t kept_unasked = 8192;  // tokens; what is left is for the other models
    engine::LoadOptions options = load_options(s, row.path);
    options.adapters.clear();
    options.draft = guesses_from(s, "draft") ? row.draft : "";
    options.fill = false;  // the others are to have room
    options.context = row.context;
    options.kv_tokens = row.context ? 0 : kept_unasked;
    options.memory_limit = std::uint64_t(row.memory_mib) << 20;
    options.threads = row.threads ? row.threads : s.model.threads;
    options.max_sequences = row.sequences;
    return options;
}

base::Result<void> check_models(const Settings& s) {
    for (const auto& row : s.roster.models) {
        const std::string place = s.file.string() + ", line " + std::to_string(row.line) + ": models." + row.id;
        for (const auto& [key, path] : {std::pair(".path", row.path), std::pair(".draft", row.draft)})
            if (std::error_code unreadable; !path.empty() && !fs::exists(path, unreadable))
                return base::error(Code::not_found, place + key + " names " + path + ", where nothing is", "name a GGUF file, or the folder of a checkpoint");
        if (row.id == s.model.name || agents::is_agent(row.id)) return base::error(Code::invalid_argument, place + " has the name of " + (row.id == s.model.name ? "model.name" : "an agent"), "choose another");
    }
    return {};
}

}  // namespace

bool has_embedding(const Settings& s) { return !s.embedding.path.empty() || !s.upstream.embedding_model.empty(); }

namespace {

base::Result<void> check_embedding(const Settings& s) {
    const std::string& name = s.embedding.name;
    const auto wrong = [](const std::string& what, const std::string& remedy) { return base::error(Code::invalid_argument, what, remedy); };
    if (!has_embedding(s)) return {};
    if (name.empty() || name == s.model.name || agents::is_agent(name))
        return wrong("embedding.name is '" + name + "'" + (name.empty() ? "" : ", which is another model's name"), "choose another, for example embedding");
    // Vectors of two models cannot be compared: none stands in for the other.
    if (!s.embedding.path.empty() && !s.upstream.embedding_model.empty())
        return wrong("embedding.path and upstream.embedding_model are both set, and vectors of two models cannot be compared", "set one of them");
    if (s.embedding.path.empty() && s.upstream.url.empty()) return wrong("upstream.embedding_model is set and upstream.url is not", "set upstream.url");
    if (std::error_code unreadable; !s.embedding.path.empty() && !fs::exists(s.embedding.path, unreadable))
        return base::error(Code::not_found, "there is no model at " + s.embedding.path, "set embedding.path to a GGUF file or a folder of an embedding model");
    return {};
}

base::Error no_model(const fs::path& file) {
    return base::error(Code::not_found, "there is no model at " + file.string(), "fetch one with hearth model pull, or set model.path or upstream.url");
}

}  // namespace

bool has_spare_model(const Settings& s) { return !s.upstream.url.empty() && (!s.upstream.model.empty() || s.upstream.embedding_model.empty()); }

fs::path chosen_model(const Settings& s) {
    if (!s.model.path.empty()) return s.model.path;
    std::error_code ignored;
    const fs::path folder = s.state_folder / "models", link = folder / "current.gguf";
    if (!fs::exists(link, ignored) || !fs::is_symlink(link, ignored)) return link;
    return folder / fs::read_symlink(link, ignored);  // itself a link perhaps, whose name finds the other parts of a split model
}

std::vector<base::SecretValue> keys_of_files(const Settings& settings) {
    std::vector<std::pair<std::string, std::string>> files = {{"upstream.key_file", settings.upstream.key_file}};
    for (const auto& row : settings.roster.upstreams) files.emplace_back("upstreams." + row.id + ".key_file", row.key_file);
    std::vector<base::SecretValue> out;
    for (const auto& [setting, file] : files) {
        if (file.empty()) continue;
        if (auto key = key_in_file(setting, file)) out.push_back(base::SecretValue::take(*key));
    }
    return out;
}

base::Result<void> check_backends(const Settings& s) {
    for (const auto& check : {check_aliases, check_models, check_roster})
        if (auto fine = check(s); !fine) return fine;
    if (!s.upstream.script.empty())
        if (auto script = read_script(s.upstream.script); !script) return std::move(script).error();
    if (!s.upstream.url.empty())
        if (auto options = upstream(s, "upstream", s.upstream.model, {}); !options) return std::move(options).error();
    if (auto fine = check_embedding(s); !fine) return fine;
    std::error_code unreadable;
    if (s.upstream.script.empty() && !s.model.path.empty() && !fs::exists(s.model.path, unreadable)) return no_model(s.model.path);
    return {};
}

base::Result<Backends> make_backends(const Settings& s, net::HttpClient& client, router::LocalPools& pools, base::Log& log, const SecretOpener& secrets) {
    for (const auto& check : {check_aliases, check_models, check_embedding})
        if (auto fine = check(s); !fine) return std::move(fine).error();
    Backends out;
    router::Alias alias{s.model.name, {}};
    std::vector<router::Alias> adapted;
    const auto add = [&](router::Alias& to, std::unique_ptr<router::Backend> backend) {
        to.chain.push_back(backend->id());
        out.all.push_back(std::move(backend));
    };
    const auto add_upstream = [&](router::Alias& to, const char* id, const std::string& model, const router::Dialect* dialect) -> base::Result<void> {
        auto options = upstream(s, id, model, secrets);
        if (!options) return std::move(options).error();
        options->dialect = dialect;
        add(to, std::make_unique<router::HttpBackend>(*std::move(options), client));
        return {};
    };
    // Memory is planned in this order: model.path has what the others leave.
    std::vector<router::Alias> beside;
    for (const auto& row : s.roster.models) {
        const auto at = row.loaded ? router::LocalBackend::At::start : router::LocalBackend::At::request;
        add(beside.emplace_back(router::Alias{row.id, {}}), std::make_unique<router::LocalBackend>(row.id, options_of(row, s), pools, log, at));
    }
    const fs::path file = chosen_model(s);
    std::error_code ignored;
    if (!s.upstream.script.empty()) {
        auto script = read_script(s.upstream.script);
        if (!script) return std::move(script).error();
        add(alias, std::make_unique<router::ScriptedBackend>("scripted", std::vector<router::ScriptedReply>{}, *std::move(script)));
    } else if (fs::exists(file, ignored)) {
        auto options = load_options(s, file);
        options.kv_store = kv_store_options(s, log);
        options.copy = copy_of_model(s, file);
        for (const auto& [name, folder] : options.adapters) adapted.push_back({name, {"embedded"}});
        add(alias, std::make_unique<router::LocalBackend>("embedded", std::move(options), pools, log));
    } else if (!has_spare_model(s) || !s.model.path.empty()) {
        return no_model(file);
    }
    if (has_spare_model(s))
        if (auto added = add_upstream(alias, "upstream", s.upstream.model, of_writers(&router::kOpenai)); !added) return std::move(added).error();
    out.aliases.push_back(std::move(alias));
    std::ranges::move(adapted, std::back_inserter(out.aliases));
    std::ranges::move(beside, std::back_inserter(out.aliases));
    if (!has_embedding(s)) return out;
    router::Alias vectors{s.embedding.name, {}};
    if (s.embedding.path.empty()) {
        if (auto added = add_upstream(vectors, "upstream-embedding", s.upstream.embedding_model, of_vectors()); !added) return std::move(added).error();
    } else {
        add(vectors, std::make_unique<router::LocalBackend>("embedding", embedding_options(s), pools, log));
    }
    out.aliases.push_back(std::move(vectors));
    return out;
}

base::Result<router::Gateway::Roster> make_roster(const Settings& s, const std::vector<router::Alias>& own, net::HttpClient& client, const SecretOpener& secrets) {
    if (auto fine = check_aliases(s); !fine) return std::move(fine).error();
    router::Gateway::Roster out;
    out.person = s.roster.person;
    for (const auto& row : s.roster.upstreams) {
        auto options = options_of(row, secrets);
        if (!options) return std::move(options).error();
        out.backends.push_back(std::make_unique<router::HttpBackend>(*std::move(options), client));
    }
    out.aliases = own;
    const std::string& first = own.front().chain.front();
    const std::string here = first == "upstream" ? "" : first;
    for (const auto& row : s.roster.rows) {
        auto alias = alias_of(row, here, s);
        if (!alias) return std::move(alias).error();
        const auto same = std::find_if(out.aliases.begin(), out.aliases.end(), [&](const auto& other) { return other.name == alias->name; });
        if (same != out.aliases.end()) *same = *std::move(alias);
        else out.aliases.push_back(*std::move(alias));
    }
    return out;
}

}  // namespace app
