#include "server/api/answer_form.h"

namespace server::api {
namespace {

using base::Json;
using base::OrderedJson;
using Rules = text::GivenRules;

constexpr const char* kStructured = "structured_outputs";

enum class Binds { format, schema, object, regex, ebnf, choice };

struct Way {
    const char* member;  // of structured_outputs where `inside`
    bool inside;
    Binds binds;
    FieldNames names;
};

constexpr FieldNames named(const char* path) { return {path, path, kChatFields.parameters}; }

constexpr Way kWays[] = {
    {"response_format", false, Binds::format, kChatFields},
    {"json", true, Binds::schema, named("structured_outputs.json")},
    {"json_object", true, Binds::object, named("structured_outputs.json_object")},
    {"regex", true, Binds::regex, named("structured_outputs.regex")},
    {"grammar", true, Binds::ebnf, named("structured_outputs.grammar")},
    {"choice", true, Binds::choice, named("structured_outputs.choice")},
    {"guided_json", false, Binds::schema, named("guided_json")},
    {"guided_regex", false, Binds::regex, named("guided_regex")},
    {"guided_grammar", false, Binds::ebnf, named("guided_grammar")},
    {"guided_choice", false, Binds::choice, named("guided_choice")},
    {"grammar", false, Binds::ebnf, named("grammar")},
    {"json_schema", false, Binds::schema, named("json_schema")},
};

void read_format(FieldReader& r, const OrderedJson& format, router::ModelRequest& out) {
    const std::string type = format.is_object() && format.contains("type") && format["type"].is_string() ? format["type"].get<std::string>() : "";
    if (type == "text") return;
    if (type == "json_object") {
        out.json_object = true;
    } else if (type == "json_schema" && format.contains("json_schema") && format["json_schema"].is_object() && format["json_schema"].contains("schema") &&
               may_be_schema(format["json_schema"]["schema"])) {
        bind_format(r, format["json_schema"]["schema"], kChatFields, out);
    } else {
        r.wrong("response_format", "response_format must be of type text, json_object or json_schema with a schema");
    }
}

// As what it is, or as its text.
void read_schema(FieldReader& r, const OrderedJson& value, const FieldNames& names, router::ModelRequest& out) {
    const std::string path = names.format;
    OrderedJson schema = value;
    if (value.is_string()) {
        auto parsed = base::parse_ordered_json(value.get<std::string>());
        if (!parsed) return r.wrong(path, path + ": " + parsed.error().message);
        schema = *std::move(parsed);
    }
    if (!may_be_schema(schema)) return r.wrong(path, path + " must be a JSON Schema, found " + base::dump(Json(schema)));
    bind_format(r, schema, names, out);
}

void read_rules(FieldReader& r, const OrderedJson& value, Rules::Kind kind, const std::string& path, router::ModelRequest& out) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) return r.wrong(path, path + " must be a text that is not empty, found " + base::dump(Json(value)));
    out.response_rules = Rules{kind, {value.get<std::string>()}};
}

void read_choice(FieldReader& r, const OrderedJson& value, const std::string& path, router::ModelRequest& out) {
    const bool texts = value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const OrderedJson& one) { return one.is_string() && !one.get_ref<const std::string&>().empty(); });
    if (!texts) return r.wrong(path, path + " must be a list of texts, none of them empty, found " + base::dump(Json(value)));
    out.response_rules = Rules{Rules::Kind::choice, value.get<std::vector<std::string>>()};
}

void read_way(FieldReader& r, const OrderedJson& value, const Way& way, router::ModelRequest& out) {
    const std::string path = way.names.format;
    switch (way.binds) {
        case Binds::format: return read_format(r, value, out);
        case Binds::schema: return read_schema(r, value, way.names, out);
        case Binds::object:
            if (!value.is_boolean()) return r.wrong(path, path + " must be true or false, found " + base::dump(Json(value)));
            out.json_object = value.get<bool>();
            return;
        case Binds::regex: return read_rules(r, value, Rules::Kind::regex, path, out);
        case Binds::ebnf: return read_rules(r, value, Rules::Kind::ebnf, path, out);
        case Binds::choice: return read_choice(r, value, path, out);
    }
}

// What structured_outputs says beside the ways that are known here.
void look_over_structured(FieldReader& r, const OrderedJson& structured, std::vector<std::string>& ignored) {
    if (!structured.is_object()) return r.wrong(kStructured, std::string(kStructured) + " must be an object, found " + base::dump(Json(structured)));
    for (const auto& [member, value] : structured.items()) {
        const auto is_member = [&member = member](const Way& way) { return way.inside && way.member == member; };
        if (value.is_null() || std::any_of(std::begin(kWays), std::end(kWays), is_member)) continue;
        const std::string path = std::string(kStructured) + "." + member;
        if (member == "structural_tag") r.fail(path, base::error(base::Code::unsupported, "the field '" + path + "' is not supported"));
        ignored.push_back(path);
    }
}

}  // namespace

void read_answer_form(FieldReader& r, const OrderedJson& json, ChatBody& out) {
    static const OrderedJson nothing = OrderedJson::object();
    const OrderedJson& structured = has(json, kStructured) ? json[kStructured] : nothing;
    look_over_structured(r, structured, out.ignored);
    const Way* bound = nullptr;
    for (const Way& way : kWays) {
        const OrderedJson& around = way.inside ? structured : json;
        if (!around.is_object() || !has(around, way.member)) continue;
        const OrderedJson& value = around[way.member];
        const bool binds = !(way.binds == Binds::format && value.is_object() && value.value("type", OrderedJson()) == "text") && !(way.binds == Binds::object && value == false);
        if (binds && bound) {
            const std::string second = way.names.format;
            return r.wrong(second, second + " is given beside " + bound->names.format + ", and one of them alone can say what the answer is");
        }
        if (binds) bound = &way, out.names = &way.names;
        read_way(r, value, way, out.model);
    }
}

}  // namespace server::api
