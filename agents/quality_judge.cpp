#include <algorithm>

#include "agents/quality.h"
#include "agents/reply/language.h"
#include "base/language.h"
#include "base/trim.h"
#include "base/unicode.h"

namespace agents::quality {
namespace {

using base::Json;

std::string folded(const std::string& text) {
    std::string out;
    int length = 1;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length)) {
        const char32_t c = base::decode_utf8(text, at, length);
        if (c == base::no_char) out += text[at];
        else base::append_utf8(out, c == U'’' ? U'\'' : base::to_lower(c));
    }
    return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// `phrase` is folded already; "12" does not stand in "312".
bool holds(const std::string& text, const std::string& phrase) {
    for (std::size_t at = text.find(phrase); at != text.npos; at = text.find(phrase, at + 1)) {
        const std::size_t end = at + phrase.size();
        const bool cut_before = at > 0 && is_digit(phrase.front()) && is_digit(text[at - 1]);
        const bool cut_after = end < text.size() && is_digit(phrase.back()) && is_digit(text[end]);
        if (!cut_before && !cut_after) return true;
    }
    return false;
}

// As the leaderboard compares texts: without case, blanks and some marks.
std::string bare(const std::string& text) {
    std::string out;
    for (const char c : folded(text))
        if (std::string_view(" ,./-_*^").find(c) == std::string_view::npos) out += c == '\'' ? '"' : c;
    return out;
}

bool has_arguments(const Json& arguments, const Json& accepted, bool only);

// Members of an object are named with the values accepted for each.
bool is_value(const Json& value, const Json& wanted) {
    if (value.is_object()) return wanted.is_object() && has_arguments(value, wanted, true);
    if (value.is_array())
        return wanted.is_array() && wanted.size() == value.size() && std::equal(value.begin(), value.end(), wanted.begin(), is_value);
    if (value.is_string()) return wanted.is_string() && bare(value.get<std::string>()) == bare(wanted.get<std::string>());
    return value.type() == wanted.type() || (value.is_number() && wanted.is_number()) ? value == wanted : false;
}

bool has_arguments(const Json& arguments, const Json& accepted, bool only) {
    if (!arguments.is_object()) return false;
    for (const auto& [name, value] : arguments.items())
        if (only && !accepted.contains(name)) return false;
    for (const auto& [name, values] : accepted.items()) {
        const auto given = arguments.find(name);
        if (given == arguments.end() ? std::find(values.begin(), values.end(), Json("")) == values.end()
                                     : std::none_of(values.begin(), values.end(), [&](const Json& one) { return is_value(*given, one); }))
            return false;
    }
    return true;
}

std::string shown(const std::vector<Call>& calls) {
    std::string out;
    for (const Call& call : calls) out += (out.empty() ? "" : ", ") + call.name + " " + base::dump(call.arguments);
    return out.empty() ? "none" : out;
}

// Each wanted call takes the first that fits; those that found none.
std::vector<const WantedCall*> missing(const std::vector<WantedCall>& wanted, std::vector<Call>& left, bool only) {
    std::vector<const WantedCall*> out;
    for (const WantedCall& one : wanted) {
        const auto found = std::find_if(left.begin(), left.end(), [&](const Call& call) { return call.name == one.name && has_arguments(call.arguments, one.arguments, only); });
        if (found == left.end()) out.push_back(&one);
        else left.erase(found);
    }
    return out;
}

void judge_calls(const Expectation& expect, const Outcome& outcome, std::vector<std::string>& wrong) {
    std::vector<Call> left = outcome.calls;
    for (const WantedCall* one : missing(expect.calls, left, false))
        wrong.push_back("did not call " + one->name + " " + base::dump(one->arguments) + "; called " + shown(outcome.calls));
    if (expect.no_calls && !outcome.calls.empty()) wrong.push_back("called " + shown(outcome.calls));
    for (const Call& call : outcome.calls)
        if (std::count(expect.never_calls.begin(), expect.never_calls.end(), call.name) > 0) wrong.push_back("called " + shown({call}));
    if (expect.some_client_call && outcome.client_calls.empty()) wrong.push_back("asked for no call");
    if (!expect.client_calls) return;
    left = outcome.client_calls;
    for (const WantedCall* one : missing(*expect.client_calls, left, true))
        wrong.push_back("did not ask for " + one->name + " " + base::dump(one->arguments) + "; asked for " + shown(outcome.client_calls));
    if (!left.empty()) wrong.push_back("asked for " + shown(left) + " too");
}

// As cases name languages; empty for none.
std::string_view code_of(reply::Language language) {
    if (const auto known = reply::spoken(language)) return base::tag_of(*known);
    return language == reply::Language::other ? "another" : "";
}

void judge_text(const Expectation& expect, const Outcome& outcome, std::vector<std::string>& wrong) {
    const std::string text = folded(outcome.text);
    const auto in_text = [&](const std::string& phrase) { return holds(text, folded(phrase)); };
    for (const std::string& phrase : expect.says)
        if (!in_text(phrase)) wrong.push_back("does not say '" + phrase + "'");
    if (!expect.says_one_of.empty() && std::none_of(expect.says_one_of.begin(), expect.says_one_of.end(), in_text)) {
        std::string all;
        for (const std::string& phrase : expect.says_one_of) all += (all.empty() ? "'" : ", '") + phrase + "'";
        wrong.push_back("says none of " + all);
    }
    for (const std::string& phrase : expect.never)
        if (in_text(phrase)) wrong.push_back("says '" + phrase + "'");
    if (expect.language.empty()) return;
    if (const std::string language(code_of(reply::language_of(outcome.text))); language != expect.language)
        wrong.push_back("speaks " + (language.empty() ? "no certain language" : language) + ", not " + expect.language);
}

void judge_files(const Expectation& expect, const Outcome& outcome, std::vector<std::string>& wrong) {
    for (const auto& [name, wanted] : expect.leaves) {
        const auto found = outcome.files.find(name);
        const bool there = found != outcome.files.end();
        if (wanted.is_null()) {
            if (there) wrong.push_back(name + " is there");
        } else if (!there) {
            wrong.push_back(name + " is not there");
        } else if (wanted.is_string() ? base::trimmed_right(found->second) != base::trimmed_right(wanted.get_ref<const std::string&>()) : base::trimmed(found->second).empty()) {
            wrong.push_back(name + " holds " + base::dump(found->second));
        }
    }
}

}  // namespace

std::vector<std::string> judge(const Expectation& expect, const Outcome& outcome) {
    std::vector<std::string> wrong;
    if (!expect.states.empty() && std::count(expect.states.begin(), expect.states.end(), outcome.state) == 0)
        wrong.push_back("ended " + outcome.state + ", not " + expect.states.front());
    judge_calls(expect, outcome, wrong);
    judge_text(expect, outcome, wrong);
    judge_files(expect, outcome, wrong);
    return wrong;
}

}  // namespace agents::quality
