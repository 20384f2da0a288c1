#include "server/api/request_fields.h"

#include <charconv>
#include <cmath>

#include "base/json_schema_words.h"

namespace server::api {
namespace {

using base::Code;
using base::error;
using base::Json;

const Json kNothing = Json::object();
const std::string kFormatOfRouter = "response_format";

std::string trimmed(double value) { return base::dump(value == std::floor(value) ? Json(std::int64_t(value)) : Json(value)); }

std::string beyond(const std::string& field, const Json& value, const std::string& least, const std::string& most) {
    return field + " is " + base::dump(value) + " but must be from " + least + " to " + most;
}

}  // namespace

base::Result<void> check_text(const std::string& field, const std::string& text, std::size_t most_bytes) {
    if (text.find('\0') != text.npos) return base::error(base::Code::invalid_argument, field + " holds a NUL, which no text that is kept does", "leave it out");
    if (text.size() <= most_bytes) return {};
    return base::error(base::Code::invalid_argument, field + " has " + std::to_string(text.size()) + " bytes and must have at most " + std::to_string(most_bytes));
}

base::Result<ParsedBody> parse_body(const std::string& text) {
    auto ordered = base::parse_ordered_json(text);
    if (!ordered) return std::move(ordered).error();
    if (!ordered->is_object()) return error(Code::invalid_argument, "the body must be a JSON object");
    auto plain = base::parse_json(text);
    if (!plain) return std::move(plain).error();
    return ParsedBody{*std::move(ordered), *std::move(plain)};
}

void FieldReader::real(const char* field, double least, double most, std::optional<double>& out) {
    auto value = base::optional_number(json_, field);
    if (!value) return fail(field, std::move(value).error());
    if (!*value) return;
    if (!(**value >= least && **value <= most)) return wrong(field, beyond(named(field), json_[field], trimmed(least), trimmed(most)));
    out = **value;
}

std::optional<std::int64_t> FieldReader::integer(const char* field, std::int64_t least, std::int64_t most) {
    auto value = base::optional_integer(json_, field);
    if (!value) return fail(field, std::move(value).error()), std::nullopt;
    if (*value && (**value < least || **value > most))
        return wrong(field, beyond(named(field), json_[field], std::to_string(least), std::to_string(most))), std::nullopt;
    return *value;
}

bool FieldReader::boolean(const char* field, bool otherwise) {
    auto value = base::optional_bool(json_, field);
    if (!value) return fail(field, std::move(value).error()), otherwise;
    return value->value_or(otherwise);
}

std::string FieldReader::text(const char* field, const std::string& otherwise) {
    auto value = base::optional_string(json_, field);
    if (!value) return fail(field, std::move(value).error()), otherwise;
    return value->value_or(otherwise);
}

FieldReader FieldReader::inside(const char* field) {
    const bool there = has(json_, field);
    if (there && !json_[field].is_object()) wrong(field, named(field) + " must be an object, found " + base::dump(json_[field]));
    return {there && json_[field].is_object() ? json_[field] : kNothing, param_, failed_, prefix_ + field + "."};
}

void FieldReader::fail(const std::string& field, base::Error e) {
    if (failed_) return;
    const std::string bare = "field '" + field + "'";
    if (!prefix_.empty() && e.message.starts_with(bare)) e.message.replace(0, bare.size(), "field '" + prefix_ + field + "'");
    failed_ = std::move(e);
    param_ = prefix_ + field;
}

void FieldReader::wrong(const std::string& field, const std::string& what) { fail(field, error(Code::invalid_argument, what)); }

void read_sampling(FieldReader& r, router::SamplingRequest& s) {
    const Json& json = r.json();
    r.real("temperature", 0, 2, s.temperature);
    r.real("top_p", 0, 1, s.top_p);
    r.real("min_p", 0, 1, s.min_p);
    r.real("repetition_penalty", 0.01, 10, s.repetition_penalty);
    r.real("presence_penalty", -2, 2, s.presence_penalty);
    r.real("frequency_penalty", -2, 2, s.frequency_penalty);
    if (const auto k = r.integer("top_k", 0, 1 << 20)) s.top_k = int(*k);
    if (const auto seed = r.integer("seed", INT64_MIN, INT64_MAX)) s.seed = std::uint64_t(*seed);
    if (!has(json, "logit_bias")) return;
    if (!json["logit_bias"].is_object()) return r.wrong("logit_bias", "logit_bias must be an object of token id to bias");
    for (const auto& [token, bias] : json["logit_bias"].items()) {
        int id = -1;
        const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), id);
        const bool named = failed == std::errc{} && end == token.data() + token.size() && id >= 0;
        if (!named || !bias.is_number() || std::abs(bias.get<double>()) > 100)
            return r.wrong("logit_bias", "logit_bias has the entry '" + token + "': " + base::dump(bias) + " but wants token ids with biases from -100 to 100");
        s.logit_bias[id] = bias.get<double>();
    }
}

bool read_effort(FieldReader& r, const char* field) {
    const char* const known[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
    const std::string level = r.text(field, "none");
    if (!among(known, level)) r.wrong(field, r.named(field) + " is '" + level + "' but must be none, minimal, low, medium, high, xhigh or max");
    return level != "none" && level != "minimal";
}

void read_parallel_calls(FieldReader& r, router::ToolChoice& choice) {
    const bool parallel = r.boolean("parallel_tool_calls", true);
    if (has(r.json(), "parallel_tool_calls")) choice.most = parallel ? router::kMostCalls : 1;
}

void check_tool_choice(FieldReader& r, const router::ModelRequest& request) {
    using Kind = router::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    if (choice.kind == Kind::required && request.tools.empty()) r.wrong("tool_choice", "tool_choice is required but tools is empty");
    const bool known = std::any_of(request.tools.begin(), request.tools.end(), [&](const auto& tool) { return tool.name == choice.name; });
    if (choice.kind == Kind::named && !known) r.wrong("tool_choice", "tool_choice names the function '" + choice.name + "', which is not in tools");
}

bool may_be_schema(const base::OrderedJson& json) { return json.is_object() || json.is_boolean(); }

void bind_format(FieldReader& r, const base::OrderedJson& schema, const FieldNames& names, router::ModelRequest& out) {
    if (schema.is_boolean()) {
        if (!schema.get<bool>()) return r.wrong(names.format_schema, names.format_schema + std::string(" is false, which no value satisfies; true takes every JSON value"));
        out.response_schema = base::OrderedJson::object();  // it means the same, and other servers know it
        return;
    }
    if (const auto unknown = base::unknown_words(schema); !unknown.empty()) r.wrong(names.format_schema, names.format_schema + (": " + unknown.front().text()));
    out.response_schema = schema;
}

void take_tools(FieldReader& r, std::vector<router::ToolSchema> tools, const FieldNames& names, router::ToolMenu& out, std::vector<std::string>& ignored) {
    for (std::size_t i = 0; i < tools.size(); ++i) {
        if (tools[i].strict == false) continue;
        const std::string field = names.parameters_of(i);
        for (const auto& unknown : base::unknown_words(tools[i].parameters)) {
            if (tools[i].strict) return r.wrong(field, field + ": " + unknown.text());
            ignored.push_back(field + unknown.place);
        }
    }
    out = std::move(tools);
}

void name_loose(Response& response, const std::vector<text::LooseTool>& loose, const FieldNames& names) {
    std::vector<std::string> fields;
    for (const auto& one : loose) fields.push_back(names.parameters_of(one.tool) + one.place);
    name_fields(response, "X-Hearth-Loose-Tools", fields);
}

Response refusal_of(const base::Error& error, const router::ToolMenu& tools, const FieldNames& names) {
    const std::string beginning = kFormatOfRouter + ": ";
    if (error.message.starts_with(beginning)) {
        base::Error told = error;
        told.message.replace(0, kFormatOfRouter.size(), names.format);
        return error_response(told, names.format_schema);
    }
    for (std::size_t i = 0; i < tools.size(); ++i)
        if (error.message.starts_with("the tool '" + tools[i].name + "'")) return error_response(error, names.parameters_of(i));
    return error_response(error, error.message.starts_with("tools ") ? "tools" : "");
}

}  // namespace server::api
