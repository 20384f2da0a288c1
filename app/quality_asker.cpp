#include "app/quality_asker.h"

#include "app/case_folder.h"
#include "app/client.h"

namespace app {
namespace {

using agents::quality::Case;
using base::Code;
using base::Json;
using base::OrderedJson;

constexpr int kSeed = 1;  // where a phase samples all the same

std::vector<agents::quality::Call> client_calls_of(const Json& message) {
    std::vector<agents::quality::Call> out;
    for (const Json& call : message.value("tool_calls", Json::array())) {
        auto arguments = base::parse_json(call.at("function").at("arguments").get<std::string>());
        out.push_back({call.at("function").at("name").get<std::string>(), arguments ? *std::move(arguments) : Json()});
    }
    return out;
}

// What the run's steps and root span tell.
void take_run(const Json& run, Asked& out) {
    out.run = run.at("id").get<std::string>();
    out.outcome.state = run.at("status").get<std::string>();
    for (const Json& step : run.at("steps"))
        if (step.at("kind") == "tool") out.outcome.calls.push_back({step.at("name").get<std::string>(), step.at("input")});
    for (const Json& span : run.at("spans")) {
        if (!span.at("parent").is_null()) continue;
        out.model = span.at("attributes").value("model", "");
        out.prompts = span.at("attributes").value("prompts", std::map<std::string, int>{});
    }
}

// Schemas keep the order of their keys: models read it.
std::string body_of(const Case& one, const std::vector<Json>& messages, const std::map<std::string, int>& prompts, const CaseFolder& folder) {
    OrderedJson body = {{"model", one.agent}, {"messages", messages}, {"temperature", 0}, {"seed", kSeed}};
    if (!one.tools.empty()) body["tools"] = one.tools;
    if (!prompts.empty()) body["prompts"] = prompts;
    if (one.agent == "hearth/dev") body["workspace"] = folder.path().string();
    return body.dump();
}

// One turn, and the next one goes on in its conversation; false when the server refused it, which ends the case.
base::Result<bool> ask_turn(Ask& ask, Asked& out) {
    auto reply = ask_server(ask);
    if (!reply) return std::move(reply).error();
    auto answer = base::parse_json(reply->body);
    if (!answer || !answer->is_object()) return base::error(Code::unavailable, "the server broke off before the end of an answer");
    const std::string id = reply->fields["x-hearth-run"];
    const std::string message = reply->status == 200 ? "" : (*answer)["error"].value("message", "HTTP " + std::to_string(reply->status));
    if (id.empty() && reply->status == 400) {
        out.refused = message;
        return false;
    }
    if (id.empty() || reply->status == 503 || reply->status == 429) return base::error(Code::unavailable, message.empty() ? "the server named no run" : message);
    ask.fields["X-Hearth-Conversation"] = reply->fields["x-hearth-conversation"];
    out.outcome.text.clear();
    out.outcome.client_calls.clear();
    if (reply->status == 200) {
        const Json& said = answer->at("choices").at(0).at("message");
        if (const auto text = said.find("content"); text != said.end() && text->is_string()) out.outcome.text = text->get<std::string>();
        out.outcome.client_calls = client_calls_of(said);
    }
    const auto run = ask_server_json(ask.socket, "GET", "/v1/runs/" + id);
    if (!run) return run.error();
    take_run(*run, out);
    return true;
}

}  // namespace

base::Result<Asked> ask_case(const std::string& socket, const Case& one, const std::map<std::string, int>& prompts) {
    auto folder = CaseFolder::make(one.files);
    if (!folder) return std::move(folder).error();
    Asked out;
    Ask ask{socket, "POST", "/v1/chat/completions", {}, one.agent == "hearth/dev" ? (*folder)->fd() : -1};
    for (const auto& messages : one.turns) {
        ask.body = body_of(one, messages, prompts, **folder);
        auto went = ask_turn(ask, out);
        if (!went) return std::move(went).error();
        if (!*went) break;
    }
    out.outcome.files = (*folder)->read();
    return out;
}

}  // namespace app
