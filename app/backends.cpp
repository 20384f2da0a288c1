#include "app/backends.h"

#include <fstream>

#include "app/model_file.h"
#include "router/http_backend.h"
#include "router/local_backend.h"
#include "router/scripted_backend.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using base::Code;
using BackendOr = base::Result<std::unique_ptr<router::Backend>>;

base::Result<std::string> read_file(const char* setting, const fs::path& path) {
    std::ifstream in(path);
    if (!in || fs::is_directory(path))
        return base::error(Code::not_found, std::string(setting) + ": cannot read " + path.string(), "name a readable file, or leave the setting empty");
    return std::string(std::istreambuf_iterator<char>(in), {});
}

BackendOr scripted(const fs::path& file) {
    auto text = read_file("backend.script", file);
    if (!text) return std::move(text).error();
    auto script = router::script_from_json_lines(*text);
    if (!script) return std::move(script).error();
    return BackendOr(std::make_unique<router::ScriptedBackend>("scripted", std::vector<router::ScriptedReply>{}, *std::move(script)));
}

std::unique_ptr<router::Backend> embedded(const Settings& s, const fs::path& file, base::Log& log) {
    return std::make_unique<router::LocalBackend>("embedded", load_options(s, file), log);
}

BackendOr upstream(const Settings& s, net::HttpClient& client) {
    const std::string& url = s.upstream.url;
    if (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0)
        return base::error(Code::invalid_argument, "upstream.url is '" + url + "', expected an http or https URL", "for example https://host/v1");
    if (s.upstream.model.empty())
        return base::error(Code::invalid_argument, "upstream.url is set and upstream.model is not", "set upstream.model to a model's name there");
    router::HttpBackendOptions options;
    options.id = "upstream";
    options.url = url.substr(0, url.find_last_not_of('/') + 1);
    options.model = s.upstream.model;
    if (!s.upstream.key.empty()) {
        auto key = read_file("upstream.key_file", s.upstream.key);
        if (!key) return std::move(key).error();
        const auto last = key->find_last_not_of(" \r\n\t");
        if (last == key->npos) return base::error(Code::invalid_argument, "upstream.key_file: " + s.upstream.key + " is empty", "put the API key into it");
        options.key = key->substr(0, last + 1);
    }
    return BackendOr(std::make_unique<router::HttpBackend>(std::move(options), client));
}

}  // namespace

fs::path chosen_model(const Settings& s) {
    if (!s.model.path.empty()) return s.model.path;
    std::error_code ignored;
    const fs::path link = s.state_folder / "models" / "current.gguf";
    return fs::exists(link, ignored) ? fs::canonical(link, ignored) : link;
}

base::Result<Backends> make_backends(const Settings& s, net::HttpClient& client, base::Log& log) {
    Backends out;
    router::Alias alias{s.model.name, {}};
    const auto add = [&](std::unique_ptr<router::Backend> backend) {
        alias.chain.push_back(backend->id());
        out.all.push_back(std::move(backend));
    };
    const fs::path file = chosen_model(s);
    std::error_code ignored;
    if (!s.upstream.script.empty()) {
        auto backend = scripted(s.upstream.script);
        if (!backend) return std::move(backend).error();
        add(*std::move(backend));
    } else if (fs::exists(file, ignored)) {
        add(embedded(s, file, log));
    } else if (s.upstream.url.empty() || !s.model.path.empty()) {
        return base::error(Code::not_found, "there is no model at " + file.string(), "fetch one with hearth model pull, or set model.path or upstream.url");
    }
    if (!s.upstream.url.empty()) {
        auto backend = upstream(s, client);
        if (!backend) return std::move(backend).error();
        add(*std::move(backend));
    }
    out.aliases.push_back(std::move(alias));
    return out;
}

}  // namespace app
