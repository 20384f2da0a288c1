// The languages in which texts are said that no model has written: the one list of them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace base {

enum class Language { english, french, german, spanish, italian };

inline constexpr std::array<std::string_view, 5> kLanguages = {"en", "fr", "de", "es", "it"};  // their tags

// A text in each of them, in their order.
using InLanguages = std::array<std::string_view, kLanguages.size()>;
constexpr std::string_view in(Language language, const InLanguages& text) { return text[std::size_t(language)]; }

constexpr std::string_view tag_of(Language language) { return kLanguages[std::size_t(language)]; }

// Of a tag as channels give it: "fr", "fr-CA", "FR_ca"; nothing: none of these.
inline std::optional<Language> parse_language(std::string_view tag) {
    const std::string first = ascii_lower(tag.substr(0, tag.find_first_of("-_")));
    for (std::size_t n = 0; n < kLanguages.size(); ++n)
        if (kLanguages[n] == first) return Language(n);
    return std::nullopt;
}
// As parse_language(); English where that knows none.
inline Language language_of(std::string_view tag) { return parse_language(tag).value_or(Language::english); }

// What a person's setting may be: the tags, and before them "auto", as the channel says.
inline constexpr std::string_view kLanguageOfChannel = "auto";
constexpr std::array<std::string_view, kLanguages.size() + 1> language_choices() {
    std::array<std::string_view, kLanguages.size() + 1> out{kLanguageOfChannel};
    for (std::size_t n = 0; n < kLanguages.size(); ++n) out[n + 1] = kLanguages[n];
    return out;
}

// "auto, en, fr, …"
inline std::string listed_language_choices() {
    std::string out;
    for (const std::string_view one : language_choices()) out += (out.empty() ? "" : ", ") + std::string(one);
    return out;
}

}  // namespace base
