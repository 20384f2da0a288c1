// UTF-8 and the Unicode properties that tokenizers, templates and grammars need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace base {

enum class Category : std::uint8_t {
    unassigned, Lu, Ll, Lt, Lm, Lo, Mn, Mc, Me, Nd, Nl, No, Pc, Pd, Ps, Pe, Pi, Pf, Po, Sm, Sc, Sk, So, Zs, Zl, Zp, Cc, Cf, Cs, Co
};

Category category(char32_t c);
bool is_space(char32_t c);        // White_Space property
char32_t to_lower(char32_t c);    // simple mapping
char32_t to_upper(char32_t c);

// Coarse classes as bits, for scanners.
enum Class : std::uint8_t {
    letter = 1, number = 2, punctuation = 4, symbol = 8, mark = 16, space = 32, upper_case = 64 /* Lu, Lt */, lower_case = 128
};
std::uint8_t classes(char32_t c);  // O(1)

constexpr char32_t no_char = 0xFFFFFFFF;

// The code point at text[at] and its length in `length`. An invalid byte gives no_char, length 1.
char32_t decode_utf8(std::string_view text, std::size_t at, int& length);
void append_utf8(std::string& out, char32_t c);
std::string utf8(char32_t c);

// Normalization Form C; text that is in it already (all ASCII is) is returned as it came.
std::string to_nfc(std::string_view text);
std::string to_nfd(std::string_view text);  // Normalization Form D
std::string to_nfkc(std::string_view text);  // Forms KC and KD
std::string to_nfkd(std::string_view text);

}  // namespace base
