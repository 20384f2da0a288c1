// A run's calls of models, asked again.
#include "agents/replay.h"

#include <tuple>

#include "server/api/body.h"
#include "server/api/handlers.h"

namespace server::api {
namespace {

using base::Code;

struct Wanted {
    base::SpanId span;
    std::string alias, prompt, version;
    std::vector<std::string> ignored;
};

base::Result<Wanted> read_body(const std::string& body, std::string& param) {
    const auto json = object_of(body);
    if (!json) return json.error();
    Wanted out;
    std::map<std::string, std::string> texts;
    for (const char* field : {"span_id", "model", "prompt"}) {
        auto text = base::optional_string(*json, field);
        param = field;
        if (!text) return std::move(text).error();
        if (*text) texts[field] = **std::move(text);
    }
    param = "span_id";
    const auto span = base::SpanId::parse(texts["span_id"]);
    if (!span) return base::error(Code::invalid_argument, "span_id must be the id of one of the run's spans, found '" + texts["span_id"] + "'");
    out.span = *span;
    out.alias = texts["model"];
    param = "prompt";
    if (const std::string& prompt = texts["prompt"]; !prompt.empty()) {
        auto parts = store::split_version(prompt);
        if (!parts) return base::error(Code::invalid_argument, "prompt must be NAME@VERSION, found '" + prompt + "'", "for example recompose@draft");
        std::tie(out.prompt, out.version) = *std::move(parts);
    }
    for (const auto& [field, value] : json->items())
        if (!texts.contains(field) && !value.is_null()) out.ignored.push_back(field);
    return out;
}

}  // namespace

net::Task<Response> replay_call(Request request, Caller caller, Services& services) {
    const auto run = base::RunId::parse(request.parameters["id"]);
    if (!run) co_return error_response(404, "there is no such run", "not_found");
    std::string param;
    const auto wanted = read_body(request.body, param);
    if (!wanted) co_return error_response(wanted.error(), param);
    if (!wanted->alias.empty() && !services.gateway.has(wanted->alias)) co_return error_response(404, "there is no model '" + wanted->alias + "'", "model_not_found", "model");
    if (!wanted->prompt.empty() && !caller.may(Access::admin))
        co_return error_response(403, "a call is asked again under another version of a prompt for a key with the scope admin", "forbidden", "prompt");
    co_await traces_stored(services);
    agents::ReplayRequest asked{caller.principal, *run, wanted->span, wanted->alias, wanted->prompt, wanted->version, request.gone};
    const auto replay = co_await agents::replay(services.gateway, services.db, services.traces, services.clock, std::move(asked));
    if (!replay) co_return error_response(replay.error());
    Response response = json_response({{"object", "replay"}, {"run_id", run->text()}, {"span_id", wanted->span.text()}, {"purpose", replay->purpose}, {"was", replay->was},
                                       {"now", replay->now}, {"same", replay->same}, {"places", replay->places}});
    name_ignored(response, wanted->ignored);
    co_return response;
}

}  // namespace server::api
