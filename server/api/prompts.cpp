// What agents are told: versions of each prompt, and which is live.
#include <algorithm>

#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/request_fields.h"
#include "store/prompts.h"
#include "store/quality.h"

namespace server::api {
namespace {

using base::Code;
using base::Json;

constexpr std::size_t kMostBytes = 256 << 10;  // of a prompt
constexpr std::size_t kLongestReason = 1000;   // bytes

Json version_json(const store::PromptVersion& one) {
    return {{"version", one.prompt.version}, {"labels", one.labels}, {"created", base::rfc3339(one.created)}, {"released", one.released}, {"quality", nullptr}, {"text", one.prompt.body}};
}

// What the cases have found of a draft beside what is live, or how to find it.
std::string quality_of(store::Tx& tx, const std::string& name, int version) {
    const auto grounds = store::quality_grounds(tx, name, version);
    return grounds ? *grounds : grounds.error().text();
}

// Names are words of ASCII: another one is nobody's, and may be no text that PostgreSQL takes.
bool may_be_name(const std::string& name) {
    return std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > ' ' && c < 127; });
}

Response no_such_prompt(const std::string& name) { return error_response(404, "there is no prompt '" + name + "'", "not_found"); }

Response live_response(const std::string& name, int version) { return json_response({{"name", name}, {"live", version}}); }

}  // namespace

net::Task<Response> list_prompts(Request, Caller caller, Services& services) {
    auto list = [](store::Tx& tx) { return store::list_prompts(tx); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list))
        data.push_back({{"name", one.name}, {"object", "prompt"}, {"live", one.live}, {"newest", one.newest}, {"shipped", one.shipped}});
    co_return list_response(std::move(data));
}

net::Task<Response> get_prompt(Request request, Caller caller, Services& services) {
    const std::string name = request.parameters["name"];
    if (!may_be_name(name)) co_return no_such_prompt(name);
    auto read = [&](store::Tx& tx) -> base::Result<Json> {
        const auto versions = store::prompt_versions(tx, name);
        if (!versions) return versions.error();
        Json out = Json::array();
        for (const auto& one : *versions) {
            out.push_back(version_json(one));
            if (std::find(one.labels.begin(), one.labels.end(), "draft") != one.labels.end()) out.back()["quality"] = quality_of(tx, name, one.prompt.version);
        }
        return out;
    };
    auto versions = co_await services.db.read(agents::identity_of(caller.principal), read);
    if (!versions) co_return error_response(versions.error());
    co_return json_response({{"name", name}, {"object", "prompt"}, {"versions", *std::move(versions)}});
}

net::Task<Response> save_prompt(Request request, Caller caller, Services& services) {
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    const auto text = base::string_field(*body, "text");
    if (!text) co_return error_response(text.error(), "text");
    if (const auto fine = check_text("text", *text, kMostBytes); !fine) co_return error_response(fine.error(), "text");
    const std::string name = request.parameters["name"];
    if (!may_be_name(name)) co_return no_such_prompt(name);
    auto save = [&](store::Tx& tx) { return store::save_prompt(tx, name, *text); };
    const auto version = co_await services.db.run(agents::identity_of(caller.principal), save);
    if (!version) co_return error_response(version.error(), version.error().code == Code::invalid_argument ? "text" : "");
    co_return json_response({{"name", name}, {"version", *version}, {"labels", {"draft"}}}, 201);
}

net::Task<Response> release_prompt(Request request, Caller caller, Services& services) {
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    const auto version = base::integer_field(*body, "version");
    if (!version) co_return error_response(version.error(), "version");
    if (*version < 1 || *version > 1'000'000'000) co_return error_response(404, "there is no such version", "not_found", "version");
    const auto reason = base::optional_string(*body, "override");
    if (!reason) co_return error_response(reason.error(), "override");
    if (*reason)
        if (const auto fine = check_text("override", **reason, kLongestReason); !fine) co_return error_response(fine.error(), "override");
    const std::string name = request.parameters["name"];
    if (!may_be_name(name)) co_return no_such_prompt(name);
    const auto grounds = *reason ? store::Grounds::override_ : store::Grounds::quality;
    auto release = [&](store::Tx& tx) { return store::release_prompt(tx, name, int(*version), grounds, reason->value_or("")); };
    const auto released = co_await services.db.run(agents::identity_of(caller.principal), release);
    if (!released) co_return error_response(released.error());
    co_return live_response(name, int(*version));
}

net::Task<Response> roll_back_prompt(Request request, Caller caller, Services& services) {
    const std::string name = request.parameters["name"];
    if (!may_be_name(name)) co_return no_such_prompt(name);
    auto roll = [&](store::Tx& tx) { return store::roll_back_prompt(tx, name); };
    const auto version = co_await services.db.run(agents::identity_of(caller.principal), roll);
    if (!version) co_return error_response(version.error());
    co_return live_response(name, *version);
}

}  // namespace server::api
