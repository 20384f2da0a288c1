#include "text/call_values.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <vector>

#include "base/json_schema.h"
#include "text/call_tagged.h"
#include "text/grammar.h"
#include "text/grammar_rules.h"
#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;

// Keywords that rules here can keep, beside those that are notes.
constexpr std::string_view kept[] = {"type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "items",
                                     "minItems", "maxItems", "properties", "additionalProperties", "required", "$ref", "anyOf"};

class ValueWriter {
public:
    ValueWriter(const Json& root, std::string rule, const ValueStyle& style) : root_(root), rule_(std::move(rule)), style_(style) {}

    std::string arguments() {
        const Json schema = known(root_);
        if (schema.contains("type") && schema["type"] != "object") throw Refused{"parameters are an object, found the type " + schema["type"].dump()};
        if (schema.contains("enum") || schema.contains("const") || schema.contains("$ref") || schema.contains("anyOf")) throw Refused{"parameters are more than properties"};
        const std::string body = members(schema, true);
        return rule_ + " ::= " + body + "\n" + rules_;
    }

private:
    static constexpr int most_depth = 32;
    static constexpr std::size_t most_work = 4u << 20, of_schema = 64;

    // References are written out where they stand: of schemas that refer to each other often there is no end. `work`:
    // bytes written, those that are put into something larger once more.
    void spend(std::size_t work) {
        if ((spent_ += work) > most_work) throw Refused{"a schema so large, or whose parts refer to each other so often, has no grammar in this dialect"};
    }

    // The keywords that constrain; refused where one cannot be kept.
    static Json known(const Json& schema) {
        if (!schema.is_object()) throw Refused{"expected an object or a boolean as schema, found " + schema.dump().substr(0, 60)};
        Json out = constraints(schema);
        for (const auto& [key, value] : out.items())
            if (std::find(std::begin(kept), std::end(kept), key) == std::end(kept)) throw Refused{"the keyword \"" + key + "\" has no grammar in this dialect"};
        return out;
    }

    std::string value(const Json& schema) {
        if (schema == true) return "value-any ";
        if (schema == false) throw Refused{"it can have no value"};
        spend(of_schema);
        if (++depth_ > most_depth) throw Refused{"schemas nested deeper than " + std::to_string(most_depth) + " have no grammar in this dialect"};
        const Json said = known(schema);
        std::string out;
        if (said.contains("enum") || said.contains("const")) out = literals(said);
        else if (said.contains("$ref")) out = reference(said);
        else if (said.contains("anyOf")) out = choices(said);
        else out = typed(said);
        --depth_;
        spend(out.size());
        return out;
    }

    std::string reference(const Json& said) {
        const std::string target = said["$ref"];
        if (said.size() > 1 || !target.starts_with("#/")) throw Refused{"the reference \"" + target + "\" has no grammar in this dialect"};
        return value(root_.at(Json::json_pointer(target.substr(1))));
    }

    std::string choices(const Json& said) {
        if (said.size() > 1) throw Refused{"\"anyOf\" beside other keywords has no grammar in this dialect"};
        std::string out;
        for (const Json& part : said["anyOf"]) out += (out.empty() ? "" : "| ") + value(part);
        return "( " + out + ") ";
    }

    // Those of the values that the schema takes and that can be written.
    std::string literals(const Json& said) {
        const auto checked = base::Schema::parse(base::Json(said));
        if (!checked) throw Refused{checked.error().message};
        std::string out;
        for (const Json& v : said.contains("const") ? Json::array({said["const"]}) : said["enum"]) {
            const auto text = written(v);
            if (text && checked->validate(base::Json(v))) out += (out.empty() ? "" : "| ") + ebnf_literal(*text) + " ";
        }
        if (out.empty()) throw Refused{"no value of it can be written"};
        return "( " + out + ") ";
    }

    std::optional<std::string> written(const Json& v) const {
        if (v.is_structured()) return std::nullopt;
        if (v.is_boolean()) return word(v.get<bool>() ? "true" : "false");
        if (v.is_null()) return word("null");
        if (v.is_number()) return v.dump();
        const std::string text = v;
        const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= ' ' && c != 0x7F; });
        if (!style_.python()) return text.find(style_.quote) == text.npos ? std::optional(quoted(text)) : std::nullopt;
        return plain && text.find_first_of("\"\\") == text.npos ? std::optional("\"" + text + "\"") : std::nullopt;
    }

    std::string quoted(const std::string& text) const { return std::string(style_.quote) + text + std::string(style_.quote); }
    std::string word(std::string text) const {
        if (style_.python()) return text == "true" ? "True" : text == "false" ? "False" : "None";
        return text;
    }

    std::string typed(const Json& said) {
        const std::vector<std::string> types = written_types(said);
        if (types.empty()) return "value-any ";
        std::string out;
        for (const std::string& type : types) out += (out.empty() ? "" : "| ") + of_type(type, said);
        return types.size() == 1 ? out : "( " + out + ") ";
    }

    std::string of_type(const std::string& type, const Json& said) {
        if (type == "string") return text(said);
        if (type == "boolean") return "( " + ebnf_literal(word("true")) + " | " + ebnf_literal(word("false")) + " ) ";
        if (type == "null") return ebnf_literal(word("null")) + " ";
        if (type == "array") return array(said);
        if (type == "object") return object(said);
        Json number = {{"type", type}};
        for (const char* key : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
            if (said.contains(key)) number[key] = said[key];
        return scalar(number);
    }

    // A rule of its own for a number, which every dialect writes as JSON does.
    std::string scalar(const Json& schema) {
        const std::string name = rule_ + "-n" + std::to_string(n_++);
        auto source = Grammar::schema_to_ebnf(schema, name);
        if (!source) throw Refused{source.error().message};
        add_rules(*source);
        return name + " ";
    }

    void add_rules(const std::string& rules) {
        spend(rules.size());
        rules_ += rules + "\n";
    }

    static void check_count(const Json& said, const char* least, const char* most) {
        constexpr int too_many = 10000;
        if (count(said, least, 0) > count(said, most, too_many) || count(said, most, 0) > too_many)
            throw Refused{std::string("\"") + least + "\" and \"" + most + "\" leave nothing, or more than " + std::to_string(too_many)};
    }

    std::string text(const Json& said) const {
        const bool counted = said.contains("minLength") || said.contains("maxLength");
        std::string character = style_.python() ? "value-character " : counted ? "[^<] " : "raw-0 ";
        if (counted) {
            check_count(said, "minLength", "maxLength");
            const std::string most = said.contains("maxLength") ? std::to_string(count(said, "maxLength", 0)) : "";
            character += "{" + std::to_string(count(said, "minLength", 0)) + "," + most + "} ";
        } else if (style_.python()) {
            character += "* ";
        }
        const std::string quote = ebnf_literal(style_.python() ? "\"" : std::string(style_.quote)) + " ";
        return quote + character + quote;
    }

    std::string array(const Json& said) {
        check_count(said, "minItems", "maxItems");
        const int least = count(said, "minItems", 0), most = count(said, "maxItems", -1);
        if (most == 0) return "\"[]\" ";
        const std::string item = value(said.value("items", Json(true)));
        const std::string more = "( " + comma() + item + ")";
        const std::string rest = more + "{" + std::to_string(std::max(least - 1, 0)) + "," + (most < 0 ? "" : std::to_string(most - 1)) + "} ";
        return "\"[\" " + (least > 0 ? item + rest : "( " + item + rest + ")? ") + "\"]\" ";
    }

    std::string object(const Json& said) { return "\"{\" " + members(said, false) + "\"}\" "; }

    std::string comma() const { return ebnf_literal(std::string(style_.separator)) + " "; }

    // KEY EQUALS VALUE of each property, in order; those that may be left out too. `outer`: of the call itself.
    std::string members(const Json& said, bool outer) {
        const Json none = Json::object();
        const Json& properties = said.contains("properties") ? said["properties"] : none;
        std::set<std::string> required;
        if (said.contains("required"))
            for (const Json& name : said["required"]) required.insert(name.get<std::string>());
        const Json others = said.contains("additionalProperties") ? said["additionalProperties"] : Json(true);
        if (properties.empty() && required.empty() && others != false) {
            const std::string any = std::string(outer || !style_.python() ? "value-name " : "\"\\\"\" value-name \"\\\"\" ") + equals(outer) + value(others);
            return "( " + any + "( " + comma() + any + ")* )? ";
        }
        std::vector<std::pair<std::string, bool>> parts;  // and whether they are needed
        for (const auto& [name, schema] : properties.items()) {
            const bool needed = required.erase(name) > 0;
            const auto one = member(name, schema, outer, needed);
            if (one) parts.emplace_back(*one, needed);
        }
        if (!required.empty()) throw Refused{"the required parameter '" + *required.begin() + "' is not described"};
        return sequence(parts);
    }

    std::string equals(bool outer) const { return ebnf_literal(std::string(outer ? style_.equals : style_.python() ? ": " : ":")) + " "; }

    std::optional<std::string> member(const std::string& name, const Json& schema, bool outer, bool needed) {
        const auto fits = [&](unsigned char c) { return std::isalnum(c) || c == '_' || (c == '-' && !(style_.python() && outer)); };
        const int depth = depth_;
        const std::size_t rules = rules_.size();
        try {
            if (name.empty() || !std::all_of(name.begin(), name.end(), fits) || (style_.python() && outer && std::isdigit(static_cast<unsigned char>(name[0]))))
                throw Refused{"its name cannot be written in this dialect"};
            return ebnf_literal(style_.python() && !outer ? "\"" + name + "\"" : name) + " " + equals(outer) + value(schema);
        } catch (const Refused& r) {
            if (needed || spent_ > most_work) throw Refused{"parameter '" + name + "': " + r.what};
            depth_ = depth;  // an optional one can be left out
            rules_.resize(rules);
            return std::nullopt;
        }
    }

    // A comma goes before all but the first that is written.
    std::string sequence(const std::vector<std::pair<std::string, bool>>& parts) {
        std::string begun = "\"\" ", fresh = begun;  // what may follow where one was written, and where none was
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            const auto& [one, needed] = *part;
            fresh = part_rule(one + begun + (needed ? "" : "| " + fresh));
            if (part + 1 != parts.rend()) begun = part_rule((needed ? comma() + one : "( " + comma() + one + ")? ") + begun);
        }
        return fresh;
    }

    std::string part_rule(const std::string& body) {
        const std::string name = rule_ + "-s" + std::to_string(n_++) + " ";
        add_rules(name + "::= " + body);
        return name;
    }

    const Json& root_;
    const std::string rule_;
    const ValueStyle& style_;
    std::string rules_;
    std::size_t spent_ = 0;
    int n_ = 0, depth_ = 0;
};

}  // namespace

std::string value_common_rules(const ValueStyle& style) {
    std::string rules = "value-name ::= [a-zA-Z_] [a-zA-Z0-9_]*\n";
    std::string words = "\"true\" | \"false\" | \"null\"", text;
    if (style.python()) {
        rules += "value-character ::= [^\"\\\\\\x00-\\x1F\\x7F] | \"\\\\\" [nrt\"\\\\]\n";
        words = "\"True\" | \"False\" | \"None\"";
        text = "\"\\\"\" value-character* \"\\\"\"";
    } else {
        rules += tagged_common_rules({"", "", "", {style.quote}});
        text = ebnf_literal(std::string(style.quote)) + " raw-0 " + ebnf_literal(std::string(style.quote));
    }
    return rules + "value-any ::= " + text + " | " + words + " | value-number\n" + Grammar::schema_to_ebnf({{"type", "number"}}, "value-number").value() + "\n";
}

base::Result<std::string> value_arguments(const Json& parameters, const std::string& rule, const ValueStyle& style) {
    const auto unsupported = [](const std::string& what) { return base::error(base::Code::unsupported, "JSON schema as grammar: " + what); };
    try {
        if (const auto well_formed = base::Schema::parse(base::Json(parameters)); !well_formed)
            return base::error(base::Code::invalid_argument, "JSON schema as grammar: " + well_formed.error().message);
        return ValueWriter(parameters, rule, style).arguments();
    } catch (const Refused& r) {
        return unsupported(r.what);
    } catch (const Json::exception& e) {  // a reference that leads nowhere
        return unsupported(e.what());
    }
}

}  // namespace text
