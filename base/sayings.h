// Tables of what is said without a model, in each language, with places that are filled in. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/language.h"

namespace base {

template <class Saying>
struct SayingRow {
    Saying what;
    InLanguages in;  // with {0}, {1}, …
};

// Whether the table has a row for each up to `last`, in their order: for a static_assert beside it.
template <class Saying, std::size_t rows>
constexpr bool in_order(const SayingRow<Saying> (&table)[rows], Saying last) {
    for (std::size_t n = 0; n < rows; ++n)
        if (std::size_t(table[n].what) != n) return false;
    return rows == std::size_t(last) + 1;
}

// With what stands for {0}, {1}, …: as it is, places in it too.
inline std::string filled(std::string_view text, std::initializer_list<std::string_view> places) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool place = text[at] == '{' && at + 2 < text.size() && text[at + 2] == '}';
        if (!place) out += text[at];
        else out += places.begin()[text[at + 1] - '0'], at += 2;
    }
    return out;
}

}  // namespace base
