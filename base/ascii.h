// Texts whose case matters in A to Z alone: names of the protocols, words of commands.
#pragma once

#include <string>
#include <string_view>

namespace base {

// Other bytes stay as they are, whatever the locale.
inline std::string ascii_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return out;
}

}  // namespace base
