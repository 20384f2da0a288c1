#include "memory/evidence.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "memory/stop_words.h"
#include "memory/words.h"

namespace memory {
namespace {

using Stems = std::set<std::string>;

constexpr std::size_t kLongWord = 6;  // bytes: one of them is a quote

// Who speaks, as models name him; what states; what denies.
constexpr std::string_view kPerson[] = {"la", "le", "person", "personne", "s", "the", "user", "utilisateur", "utilisatrice"};
constexpr std::string_view kStates[] = {"ai", "am", "are", "avons", "est", "etait", "had", "has", "have", "i", "is", "j", "je", "nous", "ont", "sommes", "sont", "suis", "was", "we", "were"};
constexpr std::string_view kDenials[] = {"aucun", "aucune", "jamais", "ne", "never", "no", "non", "not", "pas", "sans", "t", "without"};

template <std::size_t N>
bool among(const std::string_view (&words)[N], std::string_view word) {
    return std::binary_search(std::begin(words), std::end(words), word);
}

std::vector<std::string> surfaces(std::string_view text) {
    std::vector<std::string> out;
    for (const Word& word : words_of(text).all) out.push_back(word.surface);
    return out;
}

// Of an unclear language both stems, so that a short quote and a long text meet.
std::vector<std::string> stems_of(const Word& word) { return stems(word, Language::unclear); }

bool means_something(const Word& word) { return !word.stop && !among(kPerson, word.surface) && !among(kDenials, word.surface); }

Stems meaning(std::string_view text) {
    Stems out;
    for (const Word& word : words_of(text).all)
        if (means_something(word))
            for (std::string& stem : stems_of(word)) out.insert(std::move(stem));
    return out;
}

bool has(const Stems& known, const Word& word) {
    const auto stems = stems_of(word);
    return std::any_of(stems.begin(), stems.end(), [&](const std::string& stem) { return known.contains(stem); });
}

bool number_or_name(const Word& word) { return (word.capital && !word.first) || std::any_of(word.surface.begin(), word.surface.end(), [](char c) { return c >= '0' && c <= '9'; }); }

bool denies(std::string_view text) {
    const auto all = surfaces(text);
    return std::any_of(all.begin(), all.end(), [](const std::string& word) { return among(kDenials, word); });
}

}  // namespace

bool quotes(std::string_view quote, std::string_view said) {
    const auto wanted = surfaces(quote), words = surfaces(said);
    if (wanted.empty() || (wanted.size() == 1 && wanted[0].size() < kLongWord)) return false;
    return std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

bool supported(std::string_view sentence, std::string_view quote, std::string_view said) {
    const Stems quoted = meaning(quote), known = meaning(said);
    bool meets = false;
    std::size_t others = 0, found = 0;
    for (const Word& word : words_of(sentence).all) {
        if (!means_something(word)) continue;
        meets |= has(quoted, word);
        const bool was_said = has(known, word);
        if (number_or_name(word) && !was_said) return false;
        ++others;
        found += was_said;
    }
    return meets && 2 * found >= others && denies(sentence) == denies(quote);
}

bool states(std::string_view sentence, std::string_view said) {
    if (sentence.find('?') != std::string_view::npos) return false;
    const auto words = words_of(sentence).all;
    if (std::count_if(words.begin(), words.end(), [](const Word& word) { return means_something(word) && !is_courtesy(word.surface); }) < 2) return false;
    return !quotes(sentence, said) || std::any_of(words.begin(), words.end(), [](const Word& word) { return among(kStates, word.surface); });
}

bool says_all(std::string_view known, std::string_view other) {
    const Stems all = meaning(known);
    const auto words = words_of(other).all;
    return denies(known) == denies(other) && std::all_of(words.begin(), words.end(), [&](const Word& word) { return !means_something(word) || has(all, word); });
}

}  // namespace memory
