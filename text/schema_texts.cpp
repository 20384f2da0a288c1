// Texts: strings, and the names of properties.
#include <algorithm>
#include <map>
#include <utility>

#include "text/grammar_rules.h"
#include "text/schema_formats.h"
#include "text/schema_writer.h"
#include "text/unicode.h"

namespace text {
namespace {

using Json = base::OrderedJson;
constexpr char32_t last_char = 0x10FFFF, first_wide = 0x80;

std::u32string code_points(const std::string& s) {
    std::u32string out;
    for (std::size_t at = 0; at < s.size();) {
        int length = 1;
        out += decode_utf8(s, at, length);
        at += std::size_t(length);
    }
    return out;
}

}  // namespace

Texts texts_with(const std::string& pattern) {
    auto expression = base::parse_regex(pattern);
    if (!expression) throw Refused{expression.error().message};
    return Texts::of(*expression, true);
}

Texts texts_among(const Json& values) {
    std::vector<std::u32string> texts;
    for (const Json& v : values)
        if (v.is_string()) texts.push_back(code_points(v.get<std::string>()));
    return Texts::of_values(texts);
}

namespace {

// The patterns that a text must match, formats among them.
std::vector<std::string> patterns_of(const Json& schema) {
    std::vector<std::string> out;
    for (const Json& p : every(schema, "pattern")) out.push_back(p.get<std::string>());
    for (const Json& f : every(schema, "format"))
        if (std::string p = f.is_string() ? pattern_of_format(f.get<std::string>()) : ""; !p.empty()) out.push_back(std::move(p));
    return out;
}

// All that the schema says of texts.
Texts texts_of(const Json& schema) {
    if (schema.contains("enum")) return texts_among(schema["enum"]);
    Texts out = Texts::of_lengths(count(schema, "minLength", 0), count(schema, "maxLength", -1));
    for (const std::string& p : patterns_of(schema)) out = out & texts_with(p);
    for (const Json& no : every(schema, "not")) {
        if (no.contains("pattern")) out = out - texts_with(no["pattern"].get<std::string>());
        if (no.contains("enum")) out = out - texts_among(no["enum"]);
    }
    return out;
}

// Names have one spelling: without escapes.
const std::vector<base::CharRange>& name_characters(bool less) {
    static const std::vector<base::CharRange> all = {{' ', '!'}, {'#', '['}, {']', last_char}}, without_less = {{' ', '!'}, {'#', ';'}, {'=', '['}, {']', last_char}};
    return less ? all : without_less;
}

}  // namespace

SchemaWriter::Expr SchemaWriter::text(const Json& schema) {
    const int least = count(schema, "minLength", 0), most = count(schema, "maxLength", -1);
    if (most >= 0 && most < least) return std::nullopt;
    const auto patterns = patterns_of(schema);
    if (patterns.size() <= 1 && every(schema, "not").empty()) {
        if (patterns.empty()) return least || most >= 0 ? counted_text(least, most) : builtin("string");
        if (const auto e = regex_json_ebnf(patterns[0], {least, most, options_.plain_less_than})) return e->empty() ? Expr() : Expr(*e + " ");
    }
    const Texts texts = texts_of(schema);
    if (texts.empty()) return std::nullopt;
    return R"("\"" )" + texts_ebnf(texts, Spelling::value);
}

std::string SchemaWriter::counted_text(int least, int most) {
    constexpr long states = 32, most_states = 380000;  // of one character; of all, less than an automaton may have
    weight_ += states * std::max(least, most);
    if (weight_ > most_states) throw Refused{"the counts of the schema are together too large for a grammar"};
    return R"("\"" )" + repeat_ebnf(builtin("char"), least, most) + R"("\"" )";
}

// The names of properties that all of the schemas accept.
Texts SchemaWriter::names_under(const std::vector<Json>& schemas) {
    Texts out = Texts::of_characters(name_characters(options_.plain_less_than));
    for (const Json& schema : schemas) {
        Texts some = Texts::of_values({});
        for (const Json& one : plain_.of(schema)) {
            const auto types = types_of(one);
            if (one.contains("enum") || std::find(types.begin(), types.end(), "string") != types.end()) some = some | texts_of(one);
        }
        out = out & some;
    }
    return out;
}

// One rule for each state that is led to from several places or from itself; the others stand where they are led to.
class SchemaWriter::TextsWriter {
public:
    TextsWriter(SchemaWriter& writer, const Texts& texts, Spelling spelling) : writer_(writer), states_(texts.states()), spelling_(spelling) {
        std::vector<int> leading(states_.size(), 0);
        for (std::size_t s = 0; s < states_.size(); ++s)
            for (const auto& [to, unused] : steps(int(s))) leading[std::size_t(to)] += to != int(s);
        names_.resize(states_.size());
        // What is led back to from behind itself is led to twice, but for the first. Of names each state is a rule, so that
        // what a token may hold is known without what follows the name.
        for (std::size_t s = 0; s < states_.size(); ++s)
            if (spelling_ == Spelling::key || (leading[s] > (s > 0 ? 1 : 0) && !states_[s].next.empty())) names_[s] = writer_.fresh_name();
    }

    std::string write() {
        for (std::size_t s = 0; s < states_.size(); ++s)
            if (!names_[s].empty() && !is_everything(int(s))) writer_.add_rule(names_[s], body(int(s)));
        return state(0);
    }

private:
    static constexpr int max_inline = 30;

    // The characters that lead to each state.
    std::map<int, std::vector<base::CharRange>> steps(int s) const {
        std::map<int, std::vector<base::CharRange>> out;
        for (const auto& e : states_[std::size_t(s)].next) out[e.to].push_back({e.first, e.last});
        return out;
    }

    // Any characters may follow, or none.
    bool is_everything(int s) const {
        const auto next = steps(s);
        if (spelling_ == Spelling::plain || !states_[std::size_t(s)].ends || next.size() != 1 || next.begin()->first != s) return false;
        return next.begin()->second == (spelling_ == Spelling::key ? name_characters(writer_.options_.plain_less_than) : std::vector<base::CharRange>{{0, last_char}});
    }

    std::string state(int s) {
        if (is_everything(s)) return spelling_ == Spelling::key ? writer_.builtin("key") : writer_.builtin("char") + "* " + end();
        if (!names_[std::size_t(s)].empty()) return names_[std::size_t(s)];
        if (depth_ < max_inline) return body(s);
        const int outer = std::exchange(depth_, 0);
        const std::string out = writer_.rule(body(s));
        depth_ = outer;
        return out;
    }

    std::string body(int s) {
        ++depth_;
        std::string again, out;
        int n = 0;
        const auto add = [&](const std::string& one) { out += (n++ ? "| " : "") + one; };
        for (const auto& [to, ranges] : steps(s)) {
            if (to == s) {
                again = "( " + spelled(ranges) + ")* ";
                continue;
            }
            std::vector<base::CharRange> those = ranges;
            // The characters beyond ASCII before any name share one rule, and what is found out about it.
            if (spelling_ == Spelling::key && is_everything(to) && those.back().second == last_char && those.back().first <= first_wide) {
                add(writer_.builtin("wide-key"));
                if (those.back().first == first_wide)
                    those.pop_back();
                else
                    those.back().second = first_wide - 1;
            }
            if (!those.empty()) add(spelled(those) + state(to));
        }
        --depth_;
        const bool ends = states_[std::size_t(s)].ends;
        if (n == 0) return again + end();
        if (!ends) return again + (n > 1 ? "( " + out + ") " : out);
        return again + "( " + out + (end().empty() ? ")? " : "| " + end() + ") ");
    }

    // A string's closing quote belongs to its rules, so that none of them may end between characters.
    std::string end() const { return spelling_ == Spelling::value ? R"("\"" )" : ""; }

    std::string spelled(const std::vector<base::CharRange>& ranges) {
        if (spelling_ != Spelling::value) return char_class_ebnf(ranges);
        const auto [it, fresh] = writer_.characters_.try_emplace(ranges);
        if (fresh) it->second = writer_.rule(json_char_ebnf(ranges, writer_.options_.plain_less_than));
        return it->second;
    }

    SchemaWriter& writer_;
    const std::vector<Texts::State>& states_;
    Spelling spelling_;
    std::vector<std::string> names_;  // [states] of those that are rules
    int depth_ = 0;
};

std::string SchemaWriter::texts_ebnf(const Texts& texts, Spelling spelling) {
    spend(texts);
    return TextsWriter(*this, texts, spelling).write();
}

void SchemaWriter::spend(const Texts& texts) {
    if ((spent_ += texts.work()) > Texts::max_work) throw Refused{"the patterns and names of the schema together take too long"};
}

}  // namespace text
