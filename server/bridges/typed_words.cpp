#include "server/bridges/typed_words.h"

#include <algorithm>
#include <cctype>

#include "server/bridges/bare_words.h"
#include "store/digest.h"

namespace server::bridges {
namespace {

struct Verb {
    std::string_view word;
    bool grant;
};
constexpr Verb kVerbs[] = {{"allow", true},     {"allow once", true}, {"autorise", true}, {"autoriser", true}, {"erlaube", true}, {"erlauben", true}, {"permitir", true}, {"consenti", true},
                           {"deny", false},     {"refuse", false},    {"refuser", false}, {"ablehnen", false}, {"lehne ab", false}, {"denegar", false}, {"nega", false}};

// Without those that are taken for one another. With digits between the letters a code is no word that somebody might say.
constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ", kDigits = "23456789";
constexpr std::size_t kShortest = 3, kCodeLength = 4, kLongest = 5;  // one too few or too many is a code that was mistyped
constexpr std::size_t kLongestText = 64;  // bytes: what is longer says more

bool is_code(std::string_view text) {
    const auto is = [](int (*kind)(int)) { return [kind](unsigned char c) { return c < 0x80 && kind(c) != 0; }; };
    return text.size() >= kShortest && text.size() <= kLongest && std::all_of(text.begin(), text.end(), is(std::isalnum)) && std::any_of(text.begin(), text.end(), is(std::isdigit)) &&
           std::any_of(text.begin(), text.end(), is(std::isalpha));
}

}  // namespace

std::string code_of(store::ApprovalId id) {
    const std::string digest = store::sha256_hex(id.text());
    std::string out;
    for (std::size_t at = 0; at < kCodeLength; ++at) {
        const std::string_view from = at % 2 == 0 ? kLetters : kDigits;
        out += from[std::stoul(digest.substr(at * 8, 8), nullptr, 16) % from.size()];
    }
    return out;
}

std::optional<TypedWord> typed_word(std::string_view text) {
    if (text.size() > kLongestText) return std::nullopt;
    const std::string words = bare_words(text);
    for (const Verb& verb : kVerbs) {
        if (!words.starts_with(verb.word) || words.size() <= verb.word.size() || words[verb.word.size()] != ' ') continue;
        std::string code = words.substr(verb.word.size());
        std::erase(code, ' ');
        if (!is_code(code)) continue;
        std::transform(code.begin(), code.end(), code.begin(), [](unsigned char c) { return char(std::toupper(c)); });
        return TypedWord{verb.grant, std::move(code)};
    }
    return std::nullopt;
}

}  // namespace server::bridges
