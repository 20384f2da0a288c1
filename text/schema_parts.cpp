// What each type of JSON looks like.
#include <algorithm>
#include <cmath>
#include <string_view>

#include "text/grammar_rules.h"
#include "text/schema_writer.h"

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

}  // namespace

int count(const Json& schema, const char* key, int otherwise) {
    if (!schema.contains(key)) return otherwise;
    const Json& n = schema[key];
    if (!n.is_number() || n.get<double>() < 0 || n.get<double>() != double(int(std::min(n.get<double>(), 1e9))))
        throw Refused{"expected a whole number as \"" + std::string(key) + "\", found " + n.dump()};
    return n.get<int>();
}

std::string repeat_ebnf(const std::string& what, int least, int most) {
    if (most == 0) return "";
    if (std::max(least, most) > max_repetition) throw Refused{"a count above " + std::to_string(max_repetition) + " has no grammar"};
    return "( " + what + "){" + std::to_string(least) + "," + (most < 0 ? "" : std::to_string(most)) + "} ";
}

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

SchemaWriter::Expr SchemaWriter::number(const Json& schema, bool integer) {
    std::optional<Bound> low, high;
    const auto bound = [&](const char* key, bool exclusive) -> std::optional<Bound> {
        if (!schema.contains(key)) return std::nullopt;
        const Json& v = schema[key];
        // Beyond 64 bits a number has been read as a double, which is not the one that was written.
        if (v.is_number_float() && std::fabs(v.get<double>()) >= 0x1p63) throw Refused{"the bound " + v.dump() + " has no grammar: it has too many digits"};
        auto digits = without_exponent(v.dump());
        if (!digits) throw Refused{"the bound " + v.dump() + " has no grammar: it has too many digits"};
        return Bound{std::move(*digits), exclusive};
    };
    low = bound("minimum", false);
    high = bound("maximum", false);
    const auto x_low = bound("exclusiveMinimum", true), x_high = bound("exclusiveMaximum", true);
    if (x_low && (!low || schema["exclusiveMinimum"] >= schema["minimum"])) low = x_low;
    if (x_high && (!high || schema["exclusiveMaximum"] <= schema["maximum"])) high = x_high;
    const std::vector<Json> multiples = every(schema, "multipleOf"), others = every(schema, "not");
    if (!low && !high && multiples.empty() && others.empty()) return builtin(integer ? "integer" : "number");
    const std::string e = integer ? integer_ebnf(low, high) : number_ebnf(low, high);
    if (e.empty()) return std::nullopt;
    if (multiples.empty() && others.empty()) return rule(e);
    // Programs read numbers as doubles, which tell numbers of so many digits apart.
    const Texts exact = Texts::of(base::parse_regex(R"(-?(?:[0-9]\.?){1,15})").value(), false);
    Texts numbers = exact & Texts::of(regex_of(parse_ebnf("root ::= " + e).value().nodes[0]), false);
    for (const Json& m : multiples) numbers = numbers & multiples_of(m.dump());
    for (const Json& no : others) {
        if (no.contains("multipleOf")) numbers = numbers - multiples_of(no["multipleOf"].dump());
        if (no.contains("enum"))
            for (const Json& v : no["enum"])
                if (v.is_number()) numbers = numbers - spellings_of(v.dump());
    }
    if (numbers.empty()) return std::nullopt;
    return texts_ebnf(numbers, Spelling::plain);
}

}  // namespace text
