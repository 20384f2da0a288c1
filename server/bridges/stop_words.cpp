#include "server/bridges/stop_words.h"

#include <algorithm>
#include <string>

#include "server/bridges/bare_words.h"

namespace server::bridges {
namespace {

// English, French, German, Spanish, Italian.
constexpr std::string_view kWords[] = {"stop",   "stop it", "stop now", "cancel", "arrête", "arrete", "arrêtez", "arretez", "annule", "stopp", "halt", "abbrechen",
                                       "anhalten", "aufhören", "para", "detente", "detén", "alto", "basta", "cancela", "ferma", "fermati", "annulla", "fermo"};

constexpr std::size_t kLongest = 64;  // bytes: what is longer says more

}  // namespace

bool is_stop(std::string_view text) {
    if (text.size() > kLongest) return false;
    const std::string words = bare_words(text);
    return std::find(std::begin(kWords), std::end(kWords), words) != std::end(kWords);
}

}  // namespace server::bridges
