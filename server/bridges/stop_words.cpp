#include "server/bridges/stop_words.h"

#include <algorithm>
#include <string>

#include "server/bridges/bare_words.h"

namespace server::bridges {
namespace {

// None: it is said in several.
struct Word {
    std::string_view word;
    std::optional<Language> language;
};
using enum Language;
constexpr Word kWords[] = {{"stop", {}},          {"stop it", english},  {"abort", english},  {"cancel", english},   {"arrête", french}, {"arrete", french}, {"arrêtez", french}, {"arretez", french}, {"annule", french},
                           {"stopp", german},     {"halt", german},      {"abbrechen", german},  {"anhalten", german},  {"aufhören", german}, {"para", spanish}, {"detente", spanish}, {"detén", spanish}, {"alto", spanish},
                           {"cancela", spanish},  {"basta", italian},    {"ferma", italian},     {"fermati", italian},  {"annulla", italian}, {"fermo", italian},
                           {"stoppe", french},    {"arrête toi", french}, {"arrêtez vous", french}, {"arrête ça", french}, {"ça suffit", french},  {"hör auf", german},   {"hören sie auf", german}, {"schluss", german}, {"abbruch", german},
                           {"pare", spanish},     {"parar", spanish},    {"párate", spanish},    {"detener", spanish},    {"smettila", italian}, {"basta così", italian},
                           {"pára", {}},          {"parem", {}},         {"стоп", {}},           {"остановись", {}},      {"停止", {}},          {"停", {}},           {"止めて", {}},       {"やめて", {}},       {"멈춰", {}},        {"توقف", {}},        {"sluta", {}}, {"zatrzymaj", {}}};

// They change nothing of what is wished.
constexpr std::string_view kCourtesies[] = {"please", "now", "bitte", "jetzt", "sofort", "s il te plaît", "s il vous plaît", "maintenant", "tout de suite", "por favor", "ya", "ahora", "per favore", "ora", "adesso", "subito"};

constexpr std::size_t kLongest = 64;  // bytes: what is longer says more

// What of it is the wish: without courtesies, and said once.
std::string_view wish_in(std::string_view words) {
    for (bool changed = true; changed;) {
        changed = false;
        for (const std::string_view one : kCourtesies) {
            const bool before = words.size() > one.size() && words.starts_with(one) && words[one.size()] == ' ';
            const bool behind = words.size() > one.size() && words.ends_with(one) && words[words.size() - one.size() - 1] == ' ';
            if (before) words.remove_prefix(one.size() + 1);
            else if (behind) words.remove_suffix(one.size() + 1);
            changed |= before || behind;
        }
    }
    const std::string_view first = words.substr(0, words.find(' '));
    std::string_view rest = words.substr(first.size());
    while (rest.starts_with(' ') && rest.substr(1).starts_with(first) && (rest.size() == first.size() + 1 || rest[first.size() + 1] == ' ')) rest.remove_prefix(first.size() + 1);
    return rest.empty() ? first : words;
}

}  // namespace

std::optional<StopWord> stop_word(std::string_view text) {
    if (text.size() > kLongest) return std::nullopt;
    const std::string all = bare_words(text);
    const std::string_view words = wish_in(all);
    const auto* const found = std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& one) { return one.word == words; });
    return found == std::end(kWords) ? std::nullopt : std::optional(StopWord{found->language});
}

}  // namespace server::bridges
