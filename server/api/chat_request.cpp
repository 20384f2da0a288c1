#include "server/api/chat_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json_schema_words.h"
#include "server/api/prompts_field.h"

namespace server::api {
namespace {

using base::Code;
using base::error;
using base::Json;
using base::OrderedJson;

// Known to OpenAI's clients and without meaning here.
constexpr const char* kHarmless[] = {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "verbosity"};
constexpr const char* kRead[] = {"model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls", "response_format",
                                 "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "seed",
                                 "logit_bias", "max_tokens", "max_completion_tokens", "stop", "n", "enable_thinking", "reasoning_effort",
                                 "include_reasoning", "modalities", "prompts"};
constexpr const char* kOfFolder[] = {"workspace", "read_only"};
// Known, but not done: saying nothing would be a lie.
constexpr const char* kRefused[] = {"functions", "function_call", "audio", "prediction", "web_search_options", "logprobs", "top_logprobs"};

const std::string kFormatSchema = "response_format.json_schema.schema";
std::string parameters_field(std::size_t tool) { return "tools[" + std::to_string(tool) + "].function.parameters"; }

template <std::size_t N>
bool among(const char* const (&names)[N], const std::string& name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Reads fields one by one; the first failure stays, with the field's name.
class Reader {
public:
    Reader(const Json& json, std::string& param) : json_(json), param_(param) {}

    void real(const char* field, double least, double most, std::optional<double>& out) {
        auto value = base::optional_number(json_, field);
        if (!value) return fail(field, std::move(value).error());
        if (!*value) return;
        if (!(**value >= least && **value <= most))
            return fail(field, error(Code::invalid_argument, std::string(field) + " is " + shown(field) + " but must be from " +
                                                                 trimmed(least) + " to " + trimmed(most)));
        out = **value;
    }

    std::optional<std::int64_t> integer(const char* field, std::int64_t least, std::int64_t most) {
        auto value = base::optional_integer(json_, field);
        if (!value) return fail(field, std::move(value).error()), std::nullopt;
        if (*value && (**value < least || **value > most)) {
            fail(field, error(Code::invalid_argument, std::string(field) + " is " + shown(field) + " but must be from " +
                                                          std::to_string(least) + " to " + std::to_string(most)));
            return std::nullopt;
        }
        return *value;
    }

    bool boolean(const char* field, bool otherwise) {
        auto value = base::optional_bool(json_, field);
        if (!value) return fail(field, std::move(value).error()), otherwise;
        return value->value_or(otherwise);
    }

    void fail(const std::string& field, base::Error e) {
        if (failed) return;
        failed = std::move(e);
        param_ = field;
    }
    std::optional<base::Error> failed;

private:
    std::string shown(const char* field) const { return base::dump(json_[field]); }
    static std::string trimmed(double value) { return base::dump(value == std::floor(value) ? Json(std::int64_t(value)) : Json(value)); }
    const Json& json_;
    std::string& param_;
};

void read_sampling(Reader& r, const Json& json, router::SamplingRequest& s) {
    r.real("temperature", 0, 2, s.temperature);
    r.real("top_p", 0, 1, s.top_p);
    r.real("min_p", 0, 1, s.min_p);
    r.real("repetition_penalty", 0.01, 10, s.repetition_penalty);
    r.real("presence_penalty", -2, 2, s.presence_penalty);
    r.real("frequency_penalty", -2, 2, s.frequency_penalty);
    if (const auto k = r.integer("top_k", 0, 1 << 20)) s.top_k = int(*k);
    if (const auto seed = r.integer("seed", INT64_MIN, INT64_MAX)) s.seed = std::uint64_t(*seed);
    if (!json.contains("logit_bias") || json["logit_bias"].is_null()) return;
    if (!json["logit_bias"].is_object()) return r.fail("logit_bias", error(Code::invalid_argument, "logit_bias must be an object of token id to bias"));
    for (const auto& [token, bias] : json["logit_bias"].items()) {
        int id = -1;
        const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), id);
        const bool named = failed == std::errc{} && end == token.data() + token.size() && id >= 0;
        if (!named || !bias.is_number() || std::abs(bias.get<double>()) > 100)
            return r.fail("logit_bias", error(Code::invalid_argument, "logit_bias has the entry '" + token + "': " + base::dump(bias) +
                                                                          " but wants token ids with biases from -100 to 100"));
        s.logit_bias[id] = bias.get<double>();
    }
}

void read_tool_choice(Reader& r, const Json& json, router::ToolChoice& choice) {
    using Kind = router::ToolChoice::Kind;
    const bool parallel = r.boolean("parallel_tool_calls", true);
    if (json.contains("parallel_tool_calls") && !json["parallel_tool_calls"].is_null()) choice.most = parallel ? router::kMostCalls : 1;
    if (!json.contains("tool_choice") || json["tool_choice"].is_null()) return;
    const Json& value = json["tool_choice"];
    if (value == "auto") choice.kind = Kind::automatic;
    else if (value == "none") choice.kind = Kind::none;
    else if (value == "required") choice.kind = Kind::required;
    else if (value.is_object() && value.contains("function") && value["function"].is_object() && value["function"].contains("name") &&
             value["function"]["name"].is_string()) {
        choice.kind = Kind::named;
        choice.name = value["function"]["name"];
    } else {
        r.fail("tool_choice", error(Code::invalid_argument, "tool_choice must be auto, none, required or a function, found " + base::dump(value)));
    }
}

// Models that can think before they answer do so when asked to.
void read_thinking(Reader& r, const Json& json, ChatBody& out) {
    const char* const known[] = {"none", "minimal", "low", "medium", "high", "xhigh"};
    auto effort = base::optional_string(json, "reasoning_effort");
    if (!effort) return r.fail("reasoning_effort", std::move(effort).error());
    const std::string level = effort->value_or("none");
    if (!among(known, level))
        return r.fail("reasoning_effort", error(Code::invalid_argument, "reasoning_effort is '" + level + "' but must be none, minimal, low, medium, high or xhigh"));
    for (const char* field : {"reasoning_effort", "enable_thinking"})
        if (json.contains(field) && !json[field].is_null()) out.thinking_field = field;
    out.model.enable_thinking = r.boolean("enable_thinking", level != "none" && level != "minimal");
    out.include_reasoning = r.boolean("include_reasoning", true);
}

void read_stream_options(Reader& r, const Json& json, ChatBody& out) {
    out.stream = r.boolean("stream", false);
    if (!json.contains("stream_options") || json["stream_options"].is_null()) return;
    const Json& options = json["stream_options"];
    if (!options.is_object()) return r.fail("stream_options", error(Code::invalid_argument, "stream_options must be an object, found " + base::dump(options)));
    auto usage = base::optional_bool(options, "include_usage");
    if (!usage) return r.fail("stream_options", std::move(usage).error());
    out.include_usage = usage->value_or(false);
}

void check_modalities(Reader& r, const Json& json) {
    if (!json.contains("modalities") || json["modalities"].is_null()) return;
    if (json["modalities"] != Json::array({"text"}))
        r.fail("modalities", error(Code::unsupported, "modalities is " + base::dump(json["modalities"]) + "; only [\"text\"] is supported"));
}

void check_tool_choice(Reader& r, const router::ModelRequest& request) {
    using Kind = router::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    if (choice.kind == Kind::required && request.tools.empty())
        r.fail("tool_choice", error(Code::invalid_argument, "tool_choice is required but tools is empty"));
    const bool known = std::any_of(request.tools.begin(), request.tools.end(), [&](const auto& tool) { return tool.name == choice.name; });
    if (choice.kind == Kind::named && !known)
        r.fail("tool_choice", error(Code::invalid_argument, "tool_choice names the function '" + choice.name + "', which is not in tools"));
}

void read_response_format(Reader& r, const OrderedJson& json, router::ModelRequest& out) {
    if (!json.contains("response_format") || json["response_format"].is_null()) return;
    const OrderedJson& format = json["response_format"];
    const std::string type = format.is_object() && format.contains("type") && format["type"].is_string() ? format["type"].get<std::string>() : "";
    if (type == "text") return;
    if (type == "json_object") {
        out.json_object = true;
    } else if (type == "json_schema" && format.contains("json_schema") && format["json_schema"].is_object() &&
               format["json_schema"].contains("schema") && format["json_schema"]["schema"].is_object()) {
        const OrderedJson& schema = format["json_schema"]["schema"];
        if (const auto unknown = base::unknown_words(schema); !unknown.empty()) r.fail(kFormatSchema, error(Code::invalid_argument, kFormatSchema + (": " + unknown.front().text())));
        out.response_schema = schema;
    } else {
        r.fail("response_format", error(Code::invalid_argument, "response_format must be of type text, json_object or json_schema with a schema"));
    }
}

// Arguments are held to what JSON Schema says; a strict tool says nothing else.
void read_tools(Reader& r, const OrderedJson& json, ChatBody& out) {
    if (!json.contains("tools")) return;
    auto tools = router::tools_from_json(json["tools"]);
    if (!tools) return r.fail("tools", std::move(tools).error());
    for (std::size_t i = 0; i < tools->size(); ++i) {
        const router::ToolSchema& tool = (*tools)[i];
        if (tool.strict == false) continue;
        const std::string field = parameters_field(i);
        for (const auto& unknown : base::unknown_words(tool.parameters)) {
            if (tool.strict) return r.fail(field, error(Code::invalid_argument, field + ": " + unknown.text()));
            out.ignored.push_back(field + unknown.place);
        }
    }
    out.model.tools = *std::move(tools);
}

void read_stop(Reader& r, const Json& json, std::vector<std::string>& out) {
    if (!json.contains("stop") || json["stop"].is_null()) return;
    const Json list = json["stop"].is_array() ? json["stop"] : Json::array({json["stop"]});
    for (const auto& text : list) {
        if (!text.is_string() || text.get<std::string>().empty() || list.size() > 16)
            return r.fail("stop", error(Code::invalid_argument, "stop must be a text or up to 16 texts, none of them empty"));
        out.push_back(text);
    }
}

void read_messages(Reader& r, const OrderedJson& json, const Json& plain, ChatBody& out) {
    if (!json.contains("messages") || !json["messages"].is_array() || json["messages"].empty())
        return r.fail("messages", error(Code::invalid_argument, "messages must be a list with at least one message"));
    for (std::size_t i = 0; i < json["messages"].size(); ++i) {
        auto message = router::message_from_json(json["messages"][i], i);
        if (!message) return r.fail("messages", std::move(message).error());
        out.model.messages.push_back(*std::move(message));
        out.messages.push_back(plain["messages"][i]);
    }
}

}  // namespace

base::Result<ChatBody> read_chat_body(const std::string& text, std::string& param) {
    auto ordered = base::parse_ordered_json(text);
    if (!ordered) return std::move(ordered).error();
    if (!ordered->is_object()) return error(Code::invalid_argument, "the body must be a JSON object");
    auto plain = base::parse_json(text);
    if (!plain) return std::move(plain).error();

    ChatBody out;
    Reader r(*plain, param);
    auto model = base::optional_string(*plain, "model");
    if (!model) r.fail("model", std::move(model).error());
    else out.model.alias = model->value_or("");
    const bool works_in_a_folder = out.model.alias == "hearth/dev";
    for (const auto& [field, value] : plain->items()) {
        if (works_in_a_folder && among(kOfFolder, field)) continue;
        const bool said = !value.is_null() && value != Json(false) && value != Json(0);
        if (among(kRefused, field) && said) r.fail(field, error(Code::unsupported, "the field '" + field + "' is not supported"));
        if (!among(kRead, field) && !among(kHarmless, field) && !among(kRefused, field)) out.ignored.push_back(field);
    }
    if (works_in_a_folder) {
        std::string at;
        auto workspace = read_workspace(*plain, at);
        if (!workspace) r.fail(at, std::move(workspace).error());
        else out.workspace = *std::move(workspace);
    }
    if (auto prompts = read_prompts(*plain); !prompts) r.fail("prompts", std::move(prompts).error());
    else out.prompts = *std::move(prompts);
    if (!out.prompts.empty() && !agents::is_agent(out.model.alias))
        r.fail("prompts", error(Code::unsupported, "prompts is not supported by '" + out.model.alias + "': agents alone read prompts"));
    read_stream_options(r, *plain, out);
    read_thinking(r, *plain, out);
    check_modalities(r, *plain);
    read_messages(r, *ordered, *plain, out);
    read_sampling(r, *plain, out.model.sampling);
    read_tool_choice(r, *plain, out.model.tool_choice);
    read_response_format(r, *ordered, out.model);
    read_stop(r, *plain, out.model.stop_texts);
    read_tools(r, *ordered, out);
    check_tool_choice(r, out.model);
    for (const char* field : {"max_tokens", "max_completion_tokens"})
        if (const auto n = r.integer(field, 1, 1 << 24)) {
            out.model.max_tokens = int(*n);
            out.limited = true;
        }
    if (const auto n = r.integer("n", 1, 128); n && *n != 1)
        r.fail("n", error(Code::unsupported, "n is " + std::to_string(*n) + "; only 1 is supported"));
    if (r.failed) return *r.failed;
    return out;
}

std::string field_at_fault(const base::Error& error, const router::ToolMenu& tools) {
    if (error.message.starts_with("response_format: ")) return kFormatSchema;
    for (std::size_t i = 0; i < tools.size(); ++i)
        if (error.message.starts_with("the tool '" + tools[i].name + "'")) return parameters_field(i);
    return {};
}

}  // namespace server::api
