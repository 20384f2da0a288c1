#include "server/api/responses_request.h"

namespace server::api {
namespace {

using base::Code;
using base::error;
using base::Json;
using base::OrderedJson;

// Known to OpenAI's clients and without meaning here.
constexpr const char* kHarmless[] = {"user", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"};
constexpr const char* kRead[] = {"model", "input", "instructions", "previous_response_id", "store", "stream", "stream_options", "metadata", "tools", "tool_choice",
                                 "parallel_tool_calls", "text", "reasoning", "include", "truncation", "max_output_tokens", "temperature", "top_p", "top_k", "min_p",
                                 "repetition_penalty", "presence_penalty", "frequency_penalty", "seed", "logit_bias"};
// Known, but not done: saying nothing would be a lie.
constexpr const char* kRefused[] = {"background", "background_options", "conversation", "prompt", "max_tool_calls", "top_logprobs", "context_management", "moderation",
                                    "structured_outputs", "guided_json", "guided_regex", "guided_grammar", "guided_choice", "grammar", "json_schema"};

constexpr std::size_t kMostMetadata = 16, kLongestKey = 64, kLongestValue = 512;  // OpenAI's

void unsupported(FieldReader& r, const std::string& field, const std::string& what) { r.fail(field, error(Code::unsupported, what)); }

Json read_input(FieldReader& r) {
    if (!has(r.json(), "input")) return r.wrong("input", "input is missing: a text, or a list of items"), Json::array();
    const Json& input = r.json()["input"];
    if (input.is_string()) return Json::array({{{"type", "message"}, {"role", "user"}, {"content", input}}});
    if (!input.is_array() || input.empty()) r.wrong("input", "input must be a text or a list with at least one item");
    return input;
}

Json read_metadata(FieldReader& r) {
    const FieldReader metadata = r.inside("metadata");
    const Json& json = metadata.json();
    if (json.size() > kMostMetadata) r.wrong("metadata", "metadata has " + std::to_string(json.size()) + " entries; 16 are the most");
    for (const auto& [key, value] : json.items())
        if (key.size() > kLongestKey || !value.is_string() || value.get<std::string>().size() > kLongestValue)
            r.wrong("metadata." + key, "metadata." + key + " is " + base::dump(value) + " but keys have at most 64 bytes, values are texts of at most 512");
    return json;
}

// Thoughts come whole, as items of their own, and can be sent back: what is asked for by `include` and `summary` is had anyway.
void read_reasoning(FieldReader& r, ResponsesBody& out) {
    FieldReader reasoning = r.inside("reasoning");
    out.chat.model.enable_thinking = read_effort(reasoning, "effort");
    if (has(reasoning.json(), "effort")) out.chat.thinking_field = "reasoning.effort";
    for (const char* field : {"summary", "generate_summary"})
        if (const std::string wish = reasoning.text(field, "auto"); wish != "auto")
            unsupported(reasoning, field, reasoning.named(field) + " is '" + wish + "'; reasoning items hold the whole text, and no other summary than auto");
    out.echo["reasoning"] = {{"effort", reasoning.json().value("effort", Json())}, {"summary", nullptr}};
    if (!has(r.json(), "include")) return;
    const Json& include = r.json()["include"];
    if (!include.is_array()) return r.wrong("include", "include must be a list");
    for (const Json& one : include)
        if (one != "reasoning.encrypted_content") unsupported(r, "include", "include names " + base::dump(one) + "; only reasoning.encrypted_content is supported");
}

void read_truncation(FieldReader& r, ResponsesBody& out) {
    const std::string truncation = r.text("truncation", "disabled");
    if (truncation != "auto" && truncation != "disabled") r.wrong("truncation", "truncation is '" + truncation + "' but must be auto or disabled");
    out.echo["truncation"] = truncation;
}

void read_format(FieldReader& r, const OrderedJson& json, ResponsesBody& out) {
    const FieldReader text = r.inside("text");
    out.echo["text"] = {{"format", {{"type", "text"}}}};
    if (has(text.json(), "verbosity")) out.echo["text"]["verbosity"] = text.json()["verbosity"];
    if (!has(text.json(), "format")) return;
    const OrderedJson& format = json["text"]["format"];
    const OrderedJson type = format.is_object() ? format.value("type", OrderedJson()) : OrderedJson();
    const bool schema = type == "json_schema" && format.contains("schema") && may_be_schema(format["schema"]);
    if (type != "text" && type != "json_object" && !schema) return r.wrong("text.format", "text.format must be of type text, json_object or json_schema with a schema");
    out.chat.model.json_object = type == "json_object";
    if (schema) bind_format(r, format["schema"], kResponsesFields, out.chat.model);
    out.echo["text"]["format"] = text.json()["format"];
}

// As chat completions have it: name, parameters and the like under `function`.
base::Result<OrderedJson> nested(const OrderedJson& tool, std::size_t index) {
    const OrderedJson type = tool.is_object() ? tool.value("type", OrderedJson()) : OrderedJson();
    const std::string where = "tools[" + std::to_string(index) + "]";
    if (!type.is_string()) return error(Code::invalid_argument, where + " must be {\"type\": \"function\", \"name\", \"parameters\"}");
    if (type != "function") return error(Code::unsupported, where + ".type is '" + type.get<std::string>() + "'; only function is supported");
    return OrderedJson{{"type", "function"}, {"function", tool}};
}

base::Error flat(base::Error e) {
    const std::string inner = ".function";
    if (const auto at = e.message.find("]" + inner); at != e.message.npos) e.message.erase(at + 1, inner.size());
    return e;
}

void read_tools(FieldReader& r, const OrderedJson& json, ResponsesBody& out) {
    out.echo["tools"] = Json::array();
    if (!has(json, "tools")) return;
    if (!json["tools"].is_array()) return r.wrong("tools", "tools must be a list");
    OrderedJson list = OrderedJson::array();
    for (const OrderedJson& tool : json["tools"]) {
        auto one = nested(tool, list.size());
        if (!one) return r.fail("tools", std::move(one).error());
        list.push_back(*std::move(one));
    }
    auto tools = router::tools_from_json(list);
    if (!tools) return r.fail("tools", flat(std::move(tools).error()));
    for (const auto& tool : *tools) {
        out.echo["tools"].push_back({{"type", "function"}, {"name", tool.name}, {"parameters", Json(tool.parameters)}, {"strict", nullptr}, {"description", nullptr}});
        if (tool.strict) out.echo["tools"].back()["strict"] = *tool.strict;
        if (!tool.description.empty()) out.echo["tools"].back()["description"] = tool.description;
    }
    take_tools(r, *std::move(tools), kResponsesFields, out.chat.model.tools, out.chat.ignored);
}

void read_tool_choice(FieldReader& r, ResponsesBody& out) {
    using Kind = router::ToolChoice::Kind;
    auto& choice = out.chat.model.tool_choice;
    read_parallel_calls(r, choice);
    out.echo["parallel_tool_calls"] = choice.most != 1;
    const Json value = has(r.json(), "tool_choice") ? r.json()["tool_choice"] : Json("auto");
    out.echo["tool_choice"] = value;
    const Json type = value.is_object() ? value.value("type", Json()) : Json();
    const bool named = type == "function" && value.value("name", Json()).is_string();
    if (named) choice.name = value["name"];
    if (type.is_string() && type != "function")
        return unsupported(r, "tool_choice", "tool_choice is of type '" + type.get<std::string>() + "'; auto, none, required or a function are supported");
    if (!named && value != "auto" && value != "none" && value != "required")
        return r.wrong("tool_choice", "tool_choice must be auto, none, required or a function, found " + base::dump(value));
    choice.kind = named ? Kind::named : value == "auto" ? Kind::automatic : value == "none" ? Kind::none : Kind::required;
}

void echo_values(FieldReader& r, ResponsesBody& out) {
    const auto as_sent = [&](const char* field) { return has(r.json(), field) ? r.json()[field] : Json(); };
    for (const char* field : {"instructions", "max_output_tokens", "previous_response_id", "temperature", "top_p", "user", "safety_identifier", "prompt_cache_key"})
        out.echo[field] = as_sent(field);
    out.echo["model"] = out.chat.model.alias;
    out.echo["store"] = out.store;
    for (const char* field : {"max_tool_calls", "error", "incomplete_details", "usage"}) out.echo[field] = nullptr;
    out.echo.update({{"object", "response"}, {"background", false}, {"service_tier", "default"}, {"top_logprobs", 0}, {"output", Json::array()}});
}

}  // namespace

base::Result<ResponsesBody> read_responses_body(const std::string& text, std::string& param) {
    const auto body = parse_body(text);
    if (!body) return body.error();
    const auto& [ordered, plain] = *body;

    ResponsesBody out;
    out.echo = Json::object();
    std::optional<base::Error> failed;
    FieldReader r(plain, param, failed);
    ChatBody& chat = out.chat;
    chat.names = &kResponsesFields;
    chat.model.alias = r.text("model");
    look_over_fields(r, {kRead, kHarmless, kRefused}, chat);
    out.input = read_input(r);
    out.instructions = r.text("instructions");
    out.previous = r.text("previous_response_id");
    out.store = r.boolean("store", true);
    chat.stream = r.boolean("stream", false);
    (void)r.inside("stream_options");
    out.echo["metadata"] = read_metadata(r);
    read_reasoning(r, out);
    read_truncation(r, out);
    read_sampling(r, chat.model.sampling);
    read_format(r, ordered, out);
    read_tools(r, ordered, out);
    read_tool_choice(r, out);
    check_tool_choice(r, chat.model);
    if (const auto n = r.integer("max_output_tokens", 1, 1 << 24)) {
        chat.model.max_tokens = int(*n);
        chat.limited = true;
    }
    if (failed) return *failed;
    echo_values(r, out);
    return out;
}

}  // namespace server::api
