#include "server/bridges/stop_words.h"

#include <algorithm>
#include <string>

#include "base/unicode.h"

namespace server::bridges {
namespace {

// English, French, German, Spanish, Italian.
constexpr std::string_view kWords[] = {"stop",   "stop it", "stop now", "cancel", "arrête", "arrete", "arrêtez", "arretez", "annule", "stopp", "halt", "abbrechen",
                                       "anhalten", "aufhören", "para", "detente", "detén", "alto", "basta", "cancela", "ferma", "fermati", "annulla", "fermo"};

constexpr std::size_t kLongest = 64;  // bytes: what is longer says more

// Letters in small, everything that is none a single blank.
std::string letters_of(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = base::decode_utf8(text, at, length);
        at += std::size_t(length);
        if (c == base::no_char) base::append_utf8(out, U'\uFFFD');
        else if ((base::classes(c) & (base::letter | base::mark | base::number)) != 0) base::append_utf8(out, base::to_lower(c));
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

}  // namespace

bool is_stop(std::string_view text) {
    if (text.size() > kLongest) return false;
    const std::string words = base::to_nfc(letters_of(text));
    return std::find(std::begin(kWords), std::end(kWords), words) != std::end(kWords);
}

}  // namespace server::bridges
