// What each type of JSON looks like.
#include <algorithm>
#include <string_view>

#include "text/grammar_rules.h"
#include "text/schema_writer.h"
#include "text/unicode.h"

namespace text {
namespace {

using Json = base::OrderedJson;

constexpr int max_repetition = 10000;

// NAME stands for the root's name and a dash.
struct Builtin {
    std::string_view name, needs, body;
};
constexpr Builtin builtins[] = {
    {"value", "object array string number", "NAMEobject | NAMEarray | NAMEstring | NAMEnumber | \"true\" | \"false\" | \"null\""},
    {"object", "string value", "\"{\" SPACE ( NAMEstring COLON NAMEvalue ( COMMA NAMEstring COLON NAMEvalue )* SPACE )? \"}\""},
    {"array", "value", "\"[\" SPACE ( NAMEvalue ( COMMA NAMEvalue )* SPACE )? \"]\""},
    {"string", "char", R"("\"" NAMEchar* "\"")"},
    // Halves of surrogate pairs only in pairs: readers refuse others. One repetition is one code point.
    {"char", "hex",
     R"([^"\\\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" ( [0-9a-cA-CefEF] NAMEhex{3} | [dD] [0-7] NAMEhex{2} | [dD] [89abAB] NAMEhex{2} "\\u" [dD] [c-fC-F] NAMEhex{2} ) ))"},
    {"hex", "", "[0-9a-fA-F]"},
    {"key", "", R"([^"\\\x00-\x1F]*)"},
    {"wide-key", "key", R"([\U00000080-\U0010FFFF] NAMEkey)"},
    {"number", "", R"("-"? ( "0" | [1-9] [0-9]{0,15} ) ( "." [0-9]{1,16} )? ( [eE] [+-]? [0-9]{1,2} )?)"},
    {"integer", "", R"("0" | "-"? [1-9] [0-9]{0,15})"},
};

void replace_all(std::string& s, std::string_view what, const std::string& by) {
    for (std::size_t at = 0; (at = s.find(what, at)) != s.npos; at += by.size()) s.replace(at, what.size(), by);
}

std::u32string code_points(const std::string& s) {
    std::u32string out;
    for (std::size_t at = 0; at < s.size();) {
        int length = 1;
        out += decode_utf8(s, at, length);
        at += std::size_t(length);
    }
    return out;
}

std::string class_char(char32_t c) {
    constexpr char hex[] = "0123456789ABCDEF";
    std::string out = "\\U";
    for (int shift = 28; shift >= 0; shift -= 4) out += hex[(c >> shift) & 15];
    return out;
}

int count(const Json& schema, const char* key, int otherwise) {
    if (!schema.contains(key)) return otherwise;
    const Json& n = schema[key];
    if (!n.is_number() || n.get<double>() < 0 || n.get<double>() != double(int(std::min(n.get<double>(), 1e9))))
        throw Refused{"expected a whole number as \"" + std::string(key) + "\", found " + n.dump()};
    return n.get<int>();
}

std::string repeat(const std::string& what, int least, int most) {
    if (most == 0) return "";
    if (std::max(least, most) > max_repetition) throw Refused{"a count above " + std::to_string(max_repetition) + " has no grammar"};
    return "( " + what + "){" + std::to_string(least) + "," + (most < 0 ? "" : std::to_string(most)) + "} ";
}

}  // namespace

std::string SchemaWriter::builtin(const std::string& name) {
    const std::string full = root_ + "-" + name + " ";
    if (!builtins_.insert(name).second) return full;
    for (const Builtin& b : builtins) {
        if (b.name != name) continue;
        std::string body(b.body);
        if (!options_.plain_less_than) replace_all(body, R"([^"\\)", R"([^<"\\)");
        replace_all(body, "NAME", root_ + "-");
        replace_all(body, "SPACE", space());
        replace_all(body, "COLON", colon());
        replace_all(body, "COMMA", comma());
        rules_ += full + "::= " + body + "\n";
        std::string needs(b.needs);
        for (std::size_t at = 0; at < needs.size();) {
            const std::size_t end = std::min(needs.find(' ', at), needs.size());
            builtin(needs.substr(at, end - at));
            at = end + 1;
        }
    }
    return full;
}

// The rest of a key that begins with the `depth` first characters of `names` and is none of them.
// Without escapes: a name has one spelling. Where keys have left the names they share their rules, so that
// they also share what is found out about them.
std::string SchemaWriter::other_key(const std::set<std::u32string>& names, std::size_t depth) {
    if (names.empty()) return builtin("key");
    std::map<char32_t, std::set<std::u32string>> next;
    bool may_end = true;
    for (const std::u32string& name : names) {
        if (name.size() == depth)
            may_end = false;
        else
            next[name[depth]].insert(name);
    }
    std::string others = options_.plain_less_than ? "" : "<", out;
    bool wide = false;
    for (const auto& [c, those] : next) {
        others += class_char(c);
        wide = wide || c > 0x7F;
        if (c >= 0x20 && c != '"' && c != '\\' && c != no_char && (c != '<' || options_.plain_less_than)) out += "[" + class_char(c) + "] " + other_key(those, depth + 1) + "| ";
    }
    out += "[^\\\"\\\\\\x00-\\x1F" + others + (wide ? "" : "\\U00000080-\\U0010FFFF") + "] " + builtin("key");
    if (!wide) out += "| " + builtin("wide-key");
    if (may_end) out = "( " + out + ")? ";
    return rule(out);
}

SchemaWriter::Expr SchemaWriter::object(const Json& schema) {
    struct Member {
        std::string text;
        bool required;
    };
    std::vector<Member> members;
    std::vector<std::string> required;
    if (schema.contains("required"))
        for (const Json& name : schema["required"]) required.push_back(name.get<std::string>());
    const auto needed = [&](const std::string& name) { return std::find(required.begin(), required.end(), name) != required.end(); };
    const Json none = Json::object();
    const Json& properties = schema.contains("properties") ? schema["properties"] : none;
    const Json additional = schema.contains("additionalProperties") ? schema["additionalProperties"] : Json(options_.allow_additional || properties.empty());
    std::set<std::u32string> names;
    const auto add = [&](const std::string& name, const Json& of, const std::string& step) {
        names.insert(code_points(name));
        const Expr e = inner(of, step);
        if (e) members.push_back({rule(literal(name) + colon() + *e), needed(name)});
        return e || !needed(name);
    };
    for (const auto& [name, of] : properties.items())
        if (!add(name, of, "/properties" + pointer_step(name))) return std::nullopt;
    for (const std::string& name : required)
        if (!properties.contains(name) && !names.contains(code_points(name)) && !add(name, additional, "/additionalProperties")) return std::nullopt;

    const int least = count(schema, "minProperties", 0), most = count(schema, "maxProperties", -1);
    const auto n_required = int(std::count_if(members.begin(), members.end(), [](const Member& m) { return m.required; }));
    if (most >= 0 && most < n_required) return std::nullopt;
    Expr other;
    if (const Expr e = most == 0 ? std::nullopt : inner(additional, "/additionalProperties"))
        other = (names.empty() ? builtin("string") : R"("\"" )" + other_key(names, 0) + R"("\"" )") + colon() + *e;
    const bool counted = members.empty();  // only then can a number be kept
    if (!counted && least > n_required) throw Refused{"\"minProperties\" beside optional properties has no grammar"};
    if (!counted && most >= 0 && (other || most < int(members.size()))) throw Refused{"\"maxProperties\" beside optional properties has no grammar"};
    if (!other && least > int(members.size())) return std::nullopt;
    // Nothing keeps two names that the schema does not know from being the same.
    if (counted && least > 1) throw Refused{"\"minProperties\" above 1 of properties without names has no grammar"};

    std::string first, tail;
    if (other) {
        const std::string one = rule(*other);
        first = one + repeat(comma() + one, counted ? std::max(least - 1, 0) : 0, counted && most > 0 ? most - 1 : -1);
        if (!counted || least == 0) first = "( " + first + ")? ";
        if (!counted) tail = rule("( " + comma() + one + ")* ");
    }
    for (std::size_t i = members.size(); i-- > 0;) {
        const Member& m = members[i];
        first = m.required ? m.text + tail : "( " + m.text + tail + (first.empty() ? ")? " : "| " + first + ") ");
        if (i > 0) first = rule(first);
        tail = rule((m.required ? comma() + m.text : "( " + comma() + m.text + ")? ") + tail);
    }
    return "\"{\" " + space() + first + (first.empty() ? "" : space()) + "\"}\" ";
}

SchemaWriter::Expr SchemaWriter::array(const Json& schema) {
    std::vector<std::string> prefix;
    const Json rest = schema.contains("items") ? schema["items"] : Json(true);
    const Json first = schema.contains("prefixItems") ? schema["prefixItems"] : Json::array();
    const int least = count(schema, "minItems", 0);
    int most = count(schema, "maxItems", -1);
    for (const Json& part : first) {
        const Expr e = most >= 0 && int(prefix.size()) >= most ? std::nullopt : inner(part, "/prefixItems/" + std::to_string(prefix.size()));
        if (!e) {  // the array must end before this one
            most = int(prefix.size());
            break;
        }
        prefix.push_back(*e);
    }
    const auto n = int(prefix.size());
    const Expr item = most >= 0 && most <= n ? std::nullopt : inner(rest, "/items");
    if (!item) most = most < 0 ? n : std::min(most, n);
    if (most >= 0 && most < least) return std::nullopt;
    const std::string one = item ? rule(*item) : "";
    std::string body;
    if (n == 0) {
        if (item) body = one + repeat(comma() + one, std::max(least - 1, 0), most < 0 ? -1 : most - 1);
    } else {
        if (item) body = repeat(comma() + one, std::max(least - n, 0), most < 0 ? -1 : most - n);
        for (int i = n; i-- > 0;) {
            body = (i > 0 ? comma() : "") + prefix[std::size_t(i)] + body;
            if (i > 0 && i >= least) body = "( " + body + ")? ";
        }
    }
    if (body.empty()) return "\"[\" " + space() + "\"]\" ";
    if (least == 0) body = "( " + body + space() + ")? ";
    return "\"[\" " + space() + body + (least ? space() : "") + "\"]\" ";
}

SchemaWriter::Expr SchemaWriter::text(const Json& schema) {
    const int least = count(schema, "minLength", 0), most = count(schema, "maxLength", -1);
    if (most >= 0 && most < least) return std::nullopt;
    if (schema.contains("pattern")) {
        auto e = regex_json_ebnf(schema["pattern"].get<std::string>(), {least, most, options_.plain_less_than});
        if (!e) throw Refused{e.error().message};
        return e->empty() ? Expr() : Expr(*e + " ");
    }
    if (least == 0 && most < 0) return builtin("string");
    constexpr long states = 32, most_states = 380000;  // of one character; of all, less than an automaton may have
    weight_ += states * std::max(least, most);
    if (weight_ > most_states) throw Refused{"the counts of the schema are together too large for a grammar"};
    return R"("\"" )" + repeat(builtin("char"), least, most) + R"("\"" )";
}

SchemaWriter::Expr SchemaWriter::number(const Json& schema, bool integer) {
    std::optional<Bound> low, high;
    const auto bound = [&](const char* key, bool exclusive) -> std::optional<Bound> {
        if (!schema.contains(key)) return std::nullopt;
        const Json& v = schema[key];
        auto digits = without_exponent(v.dump());
        if (!digits) throw Refused{"the bound " + v.dump() + " has no grammar: it has too many digits"};
        return Bound{std::move(*digits), exclusive};
    };
    low = bound("minimum", false);
    high = bound("maximum", false);
    const auto x_low = bound("exclusiveMinimum", true), x_high = bound("exclusiveMaximum", true);
    if (x_low && (!low || schema["exclusiveMinimum"] >= schema["minimum"])) low = x_low;
    if (x_high && (!high || schema["exclusiveMaximum"] <= schema["maximum"])) high = x_high;
    if (!low && !high) return builtin(integer ? "integer" : "number");
    const std::string e = integer ? integer_ebnf(low, high) : number_ebnf(low, high);
    if (e.empty()) return std::nullopt;
    return rule(e);
}

}  // namespace text
