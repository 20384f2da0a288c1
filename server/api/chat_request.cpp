#include "server/api/chat_request.h"

#include "server/api/answer_form.h"
#include "server/api/prompts_field.h"

namespace server::api {
namespace {

using base::Code;
using base::error;
using base::Json;
using base::OrderedJson;

// Known to OpenAI's clients and without meaning here.
constexpr const char* kHarmless[] = {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "verbosity"};
constexpr const char* kRead[] = {"model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls",
                                 "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "seed",
                                 "logit_bias", "max_tokens", "max_completion_tokens", "stop", "n", "enable_thinking", "reasoning_effort",
                                 "include_reasoning", "modalities", "prompts"};
// Known, but not done: saying nothing would be a lie.
constexpr const char* kRefused[] = {"functions", "function_call", "audio", "prediction", "web_search_options", "logprobs", "top_logprobs"};

// Models that can think before they answer do so when asked to.
void read_thinking(FieldReader& r, ChatBody& out) {
    const bool thinks = read_effort(r, "reasoning_effort");
    for (const char* field : {"reasoning_effort", "enable_thinking"})
        if (has(r.json(), field)) out.thinking_field = field;
    out.model.enable_thinking = r.boolean("enable_thinking", thinks);
    out.include_reasoning = r.boolean("include_reasoning", true);
}

void read_tool_choice(FieldReader& r, router::ToolChoice& choice) {
    using Kind = router::ToolChoice::Kind;
    read_parallel_calls(r, choice);
    if (!has(r.json(), "tool_choice")) return;
    const Json& value = r.json()["tool_choice"];
    if (value == "auto") choice.kind = Kind::automatic;
    else if (value == "none") choice.kind = Kind::none;
    else if (value == "required") choice.kind = Kind::required;
    else if (value.is_object() && value.contains("function") && value["function"].is_object() && value["function"].contains("name") &&
             value["function"]["name"].is_string()) {
        choice.kind = Kind::named;
        choice.name = value["function"]["name"];
    } else {
        r.wrong("tool_choice", "tool_choice must be auto, none, required or a function, found " + base::dump(value));
    }
}

void read_stream_options(FieldReader& r, ChatBody& out) {
    out.stream = r.boolean("stream", false);
    if (!has(r.json(), "stream_options")) return;
    const Json& options = r.json()["stream_options"];
    if (!options.is_object()) return r.wrong("stream_options", "stream_options must be an object, found " + base::dump(options));
    auto usage = base::optional_bool(options, "include_usage");
    if (!usage) return r.fail("stream_options", std::move(usage).error());
    out.include_usage = usage->value_or(false);
}

void check_modalities(FieldReader& r) {
    if (!has(r.json(), "modalities")) return;
    const Json& asked = r.json()["modalities"];
    if (asked != Json::array({"text"})) r.fail("modalities", error(Code::unsupported, "modalities is " + base::dump(asked) + "; only [\"text\"] is supported"));
}

void read_tools(FieldReader& r, const OrderedJson& json, ChatBody& out) {
    if (!json.contains("tools")) return;
    auto tools = router::tools_from_json(json["tools"]);
    if (!tools) return r.fail("tools", std::move(tools).error());
    take_tools(r, *std::move(tools), kChatFields, out.model.tools, out.ignored);
}

void read_stop(FieldReader& r, std::vector<std::string>& out) {
    if (!has(r.json(), "stop")) return;
    const Json& stop = r.json()["stop"];
    const Json list = stop.is_array() ? stop : Json::array({stop});
    for (const auto& text : list) {
        if (!text.is_string() || text.get<std::string>().empty() || list.size() > 16)
            return r.wrong("stop", "stop must be a text or up to 16 texts, none of them empty");
        out.push_back(text);
    }
}

void read_messages(FieldReader& r, const OrderedJson& json, ChatBody& out) {
    if (!json.contains("messages") || !json["messages"].is_array() || json["messages"].empty())
        return r.wrong("messages", "messages must be a list with at least one message");
    for (std::size_t i = 0; i < json["messages"].size(); ++i) {
        auto message = router::message_from_json(json["messages"][i], i);
        if (!message) return r.fail("messages", std::move(message).error());
        out.model.messages.push_back(*std::move(message));
        out.messages.push_back(r.json()["messages"][i]);
    }
}

}  // namespace

void look_over_fields(FieldReader& r, const KnownFields& known, ChatBody& out) {
    const bool works_in_a_folder = agents::is_agent(out.model.alias) && out.model.alias != "hearth";  // or is refused by its row
    for (const auto& [field, value] : r.json().items()) {
        if (works_in_a_folder && std::count(std::begin(kWorkspaceFields), std::end(kWorkspaceFields), field) > 0) continue;
        const bool said = !value.is_null() && value != Json(false) && value != Json(0);
        const bool refused = among(known.refused, field);
        if (refused && said) r.fail(field, error(Code::unsupported, "the field '" + field + "' is not supported"));
        if (!refused && !among(known.read, field) && !among(known.bind, field) && !among(known.harmless, field)) out.ignored.push_back(field);
    }
    if (!works_in_a_folder) return;
    std::string at;
    auto workspace = read_workspace(r.json(), at);
    if (!workspace) return r.fail(at, std::move(workspace).error());
    out.workspace = *std::move(workspace);
}

base::Result<ChatBody> read_chat_body(const std::string& text, std::string& param) {
    const auto body = parse_body(text);
    if (!body) return body.error();
    const auto& [ordered, plain] = *body;

    ChatBody out;
    std::optional<base::Error> failed;
    FieldReader r(plain, param, failed);
    out.model.alias = r.text("model");
    look_over_fields(r, {kRead, kHarmless, kRefused, kAnswerForms}, out);
    if (auto prompts = read_prompts(plain); !prompts) r.fail("prompts", std::move(prompts).error());
    else out.prompts = *std::move(prompts);
    if (!out.prompts.empty() && !agents::is_agent(out.model.alias))
        r.fail("prompts", error(Code::unsupported, "prompts is not supported by '" + out.model.alias + "': agents alone read prompts"));
    read_stream_options(r, out);
    read_thinking(r, out);
    check_modalities(r);
    read_messages(r, ordered, out);
    read_sampling(r, out.model.sampling);
    read_tool_choice(r, out.model.tool_choice);
    read_answer_form(r, ordered, out);
    read_stop(r, out.model.stop_texts);
    read_tools(r, ordered, out);
    check_tool_choice(r, out.model);
    for (const char* field : {"max_tokens", "max_completion_tokens"})
        if (const auto n = r.integer(field, 1, 1 << 24)) {
            out.model.max_tokens = int(*n);
            out.limited = true;
        }
    if (const auto n = r.integer("n", 1, 128); n && *n != 1)
        r.fail("n", error(Code::unsupported, "n is " + std::to_string(*n) + "; only 1 is supported"));
    if (failed) return *failed;
    return out;
}

}  // namespace server::api
