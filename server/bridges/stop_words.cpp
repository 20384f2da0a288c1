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
constexpr Word kWords[] = {{"stop", {}},          {"stop it", english},  {"stop now", english},  {"cancel", english},   {"arrête", french}, {"arrete", french}, {"arrêtez", french}, {"arretez", french}, {"annule", french},
                           {"stopp", german},     {"halt", german},      {"abbrechen", german},  {"anhalten", german},  {"aufhören", german}, {"para", spanish}, {"detente", spanish}, {"detén", spanish}, {"alto", spanish},
                           {"cancela", spanish},  {"basta", italian},    {"ferma", italian},     {"fermati", italian},  {"annulla", italian}, {"fermo", italian}};

constexpr std::size_t kLongest = 64;  // bytes: what is longer says more

}  // namespace

std::optional<StopWord> stop_word(std::string_view text) {
    if (text.size() > kLongest) return std::nullopt;
    const std::string words = bare_words(text);
    const auto* const found = std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& one) { return one.word == words; });
    return found == std::end(kWords) ? std::nullopt : std::optional(StopWord{found->language});
}

}  // namespace server::bridges
