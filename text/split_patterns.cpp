#include "text/split_patterns.h"

#include "text/unicode.h"

namespace text {
namespace {

using Set = bool (*)(Char c);

bool letters(Char c) { return c.classes & Class::letter; }
bool numbers(Char c) { return c.classes & Class::number; }
bool spaces(Char c) { return c.classes & Class::space; }
bool line_ends(Char c) { return c.c == '\r' || c.c == '\n'; }
bool others(Char c) { return !(c.classes & (Class::space | Class::letter | Class::number)); }
bool letters_marks(Char c) { return c.classes & (Class::letter | Class::mark); }
bool others_but_marks(Char c) { return others(c) && !(c.classes & Class::mark); }
bool punctuation(Char c) { return c.classes & Class::punctuation; }
bool punctuation_symbols(Char c) { return c.classes & (Class::punctuation | Class::symbol); }
bool not_word(Char c) { return !(c.classes & (Class::letter | Class::number)) && !line_ends(c); }
bool not_word_or_sign(Char c) {
    return !(c.classes & (Class::letter | Class::punctuation | Class::symbol)) && !line_ends(c);
}
bool line_ends_slash(Char c) { return line_ends(c) || c.c == '/'; }
bool capital_like(Char c) {  // Lu Lt Lm Lo M
    return c.classes & Class::mark || (c.classes & Class::letter && !(c.classes & Class::lower_case));
}
bool small_like(Char c) {  // Ll Lm Lo M
    return c.classes & Class::mark || (c.classes & Class::letter && !(c.classes & Class::upper_case));
}
bool ascii_letters(Char c) { return (c.c | 32) >= 'a' && (c.c | 32) <= 'z' && c.c < 128; }
bool one_of(char32_t c, std::string_view set) { return c < 128 && c && set.find(char(c)) != set.npos; }
bool between(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }
bool signs(Char c) { return punctuation(c) || one_of(c.c, "$+<=>^~|"); }
bool ascii_or_other_punctuation(Char c) {
    return c.classes & Class::punctuation || (c.c < 128 && c.classes & Class::symbol);
}
bool falcon_signs(Char c) { return signs(c) || c.c == '`'; }
bool digits(Char c) { return between(c.c, '0', '9'); }
bool east_asian(Char c) { return between(c.c, 0x4E00, 0x9FA5) || between(c.c, 0x0800, 0x4E00) || between(c.c, 0xAC00, 0xD7FF); }
// The script, by Scripts.txt of Unicode.
bool han(Char c) {
    constexpr char32_t ranges[][2] = {{0x2E80, 0x2E99}, {0x2E9B, 0x2EF3}, {0x2F00, 0x2FD5}, {0x3005, 0x3005}, {0x3007, 0x3007}, {0x3021, 0x3029}, {0x3038, 0x303B},
                                      {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xF900, 0xFA6D}, {0xFA70, 0xFAD9}, {0x16FE2, 0x16FE3}, {0x16FF0, 0x16FF1}, {0x20000, 0x2A6DF},
                                      {0x2A700, 0x2B739}, {0x2B740, 0x2B81D}, {0x2B820, 0x2CEA1}, {0x2CEB0, 0x2EBE0}, {0x2EBF0, 0x2EE5D}, {0x2F800, 0x2FA1D}, {0x30000, 0x3134A},
                                      {0x31350, 0x323AF}};
    if (c.c < 0x2E80) return false;
    for (const auto& [low, high] : ranges)
        if (between(c.c, low, high)) return true;
    return false;
}
bool capital_but_han(Char c) { return capital_like(c) && !han(c); }
bool small_but_han(Char c) { return small_like(c) && !han(c); }
bool han_kana(Char c) { return between(c.c, 0x4E00, 0x9FA5) || between(c.c, 0x3040, 0x30FF); }
// Letters with case, less Georgian, which had none when the model's list was made.
bool cased_letters(Char c) {
    return c.classes & (Class::upper_case | Class::lower_case) && !between(c.c, 0x10D0, 0x10FF);
}
bool wide_signs(Char c) {
    return between(c.c, '!', '/') || between(c.c, ':', '~') || between(c.c, 0xFF01, 0xFF0F) ||
           between(c.c, 0xFF1A, 0xFF5E) || between(c.c, 0x2018, 0x201F) || between(c.c, 0x3000, 0x3002);
}
bool bloom_words(Char c) {
    constexpr char32_t stops[] = {'(', '|', '.', ',', '!', '?', ')', 0x2026, 0x3002, 0xFF0C, 0x3001, 0x0964, 0x06D4, 0x060C};
    for (char32_t stop : stops)
        if (c.c == stop) return false;
    return !spaces(c);
}

template <Set in>
std::size_t run(Chars s, std::size_t at) {  // in+
    while (at < s.size() && in(s[at])) ++at;
    return at;
}
template <Set in, int most>
std::size_t up_to(Chars s, std::size_t at) {  // in{1,most}
    for (int n = 0; n < most && at < s.size() && in(s[at]); ++n) ++at;
    return at;
}
template <Set in, int count>
std::size_t exactly(Chars s, std::size_t at) {
    const std::size_t end = up_to<in, count>(s, at);
    return end - at == count ? end : at;
}
template <Set before, Set in>
std::size_t after_one(Chars s, std::size_t at) {  // before?in+
    const std::size_t from = at < s.size() && before(s[at]) ? at + 1 : at;
    const std::size_t end = run<in>(s, from);
    if (end > from) return end;
    return run<in>(s, at);
}
bool space_char(Char c) { return c.c == ' '; }
template <Set in, Set tail>
std::size_t with_tail(Chars s, std::size_t at) {  // " ?in+tail*"
    const std::size_t end = after_one<space_char, in>(s, at);
    return end == at ? at : run<tail>(s, end);
}
std::size_t to_last_line_end(Chars s, std::size_t at) {  // \s*[\r\n]+
    std::size_t end = run<spaces>(s, at);
    while (end > at && !line_ends(s[end - 1])) --end;
    return end;
}
std::size_t spaces_before_word(Chars s, std::size_t at) {  // \s+(?!\S)
    const std::size_t end = run<spaces>(s, at);
    return end == s.size() || end == at ? end : end - 1;
}
std::size_t spaces_at_end(Chars s, std::size_t at) {  // \s+$, where $ is the end or stands before a line's end
    if (at && spaces(s[at - 1])) return at;  // inside a run that was tried from its start
    std::size_t end = run<spaces>(s, at);
    if (end == s.size()) return end;
    while (end > at && s[end].c != '\n') --end;
    return end;
}
template <bool any_case>
std::size_t contraction(Chars s, std::size_t at) {  // 's 't 're 've 'm 'll 'd
    if (at + 1 >= s.size() || s[at].c != '\'') return at;
    const auto letter = [&](std::size_t i) -> char32_t {
        if (i >= s.size()) return 0;
        const char32_t c = s[i].c;
        if (any_case && c == 0x17F) return 's';  // case folding: the long s
        return any_case ? to_lower(c) : c;
    };
    const char32_t a = letter(at + 1), b = letter(at + 2);
    if (one_of(a, "stmd")) return at + 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return at + 3;
    return at;
}
// [^\r\n\p{L}\p{N}]? capitals* small+ contraction?  (or capitals+ small*)
template <bool small_needed, bool contractions, Set capital = capital_like, Set small = small_like>
std::size_t cased_word(Chars s, std::size_t at) {
    const auto from = [&](std::size_t begin) {
        const std::size_t capitals = run<capital>(s, begin);
        std::size_t end = run<small>(s, capitals);
        if (small_needed && end == capitals) {  // give back up to a character that is both
            while (end > begin && !small(s[end - 1])) --end;
        } else if (!small_needed && capitals == begin) {
            end = begin;
        }
        return end == begin || !contractions ? end : contraction<true>(s, end);
    };
    if (at < s.size() && not_word(s[at]))
        if (const std::size_t end = from(at + 1); end > at + 1) return end;
    return from(at);
}
std::size_t sign_and_ascii(Chars s, std::size_t at) {  // [ASCII punctuation][A-Za-z]+
    if (at >= s.size() || !(between(s[at].c, '!', '/') || between(s[at].c, ':', '@') || between(s[at].c, '[', '`') ||
                            between(s[at].c, '{', '~')))
        return at;
    const std::size_t end = run<ascii_letters>(s, at + 1);
    return end == at + 1 ? at : end;
}

constexpr Matcher space_words = after_one<space_char, letters>, space_numbers = after_one<space_char, numbers>,
                  space_others = after_one<space_char, others>;
constexpr Matcher any_words = after_one<not_word, letters>, signs_and_ends = with_tail<others, line_ends>;

constexpr SplitPattern modern(const char* regex, Matcher words, Matcher digits_of, Matcher signs_of) {
    return {regex, {contraction<true>, words, digits_of, signs_of, to_last_line_end, spaces_before_word, run<spaces>}};
}

const SplitPattern table[] = {
    {patterns::gpt2, {contraction<false>, space_words, space_numbers, space_others, spaces_before_word, run<spaces>}},
    modern(patterns::llama3, any_words, up_to<numbers, 3>, signs_and_ends),
    modern(patterns::qwen2, any_words, up_to<numbers, 1>, signs_and_ends),
    modern(patterns::seed, any_words, up_to<numbers, 1>, space_others),
    modern(patterns::qwen35, after_one<not_word, letters_marks>, up_to<numbers, 1>, with_tail<others_but_marks, line_ends>),
    {patterns::gpt4o,
     {cased_word<true, true>, cased_word<false, true>, up_to<numbers, 3>, with_tail<others, line_ends_slash>, to_last_line_end,
      spaces_before_word, run<spaces>}},
    {patterns::tekken,
     {cased_word<true, false>, cased_word<false, false>, up_to<numbers, 1>, with_tail<others, line_ends_slash>, to_last_line_end,
      spaces_before_word, run<spaces>}},
    {patterns::kimi_k2,
     {run<han>, cased_word<true, true, capital_but_han, small_but_han>, cased_word<false, true, capital_but_han, small_but_han>, up_to<numbers, 3>, signs_and_ends, to_last_line_end,
      spaces_before_word, run<spaces>}},
    {patterns::numbers_3, {up_to<numbers, 3>}},
    {patterns::han_kana, {run<han_kana>}},
    {patterns::deepseek_v3,
     {sign_and_ascii, after_one<not_word_or_sign, letters_marks>, with_tail<punctuation_symbols, line_ends>, to_last_line_end,
      spaces_before_word, run<spaces>}},
    {patterns::number, {up_to<numbers, 1>}},
    {patterns::numbers, {run<numbers>}},
    {patterns::ascii_digits_3, {exactly<digits, 3>}},
    {patterns::signs, {run<signs>}},
    {patterns::falcon_signs, {run<falcon_signs>}},
    {patterns::line_end, {up_to<line_ends, 1>}},
    {patterns::cased_words, {after_one<spaces, cased_letters>}},
    {patterns::wide_signs, {after_one<spaces, wide_signs>}},
    {patterns::spaces_at_end, {spaces_at_end}},
    {patterns::east_asian, {run<east_asian>}},
    {patterns::space_words, {after_one<spaces, letters>}},
    {patterns::space_punctuation, {after_one<spaces, punctuation>}},
    {patterns::bloom, {after_one<space_char, bloom_words>}},
    {patterns::spaces, {run<spaces>}},
    {patterns::punctuation, {up_to<ascii_or_other_punctuation, 1>}},
};

// One spelling for line ends and quotes, which files write with a backslash or as they are.
std::string plain_spelling(std::string_view regex) {
    std::string out;
    for (std::size_t i = 0; i < regex.size(); ++i) {
        if (regex[i] == '\\' && i + 1 < regex.size() && regex[i + 1] == '"') continue;
        if (regex[i] == '\\' && i + 1 < regex.size()) out += regex[i++];
        if (regex[i] == '\r' || regex[i] == '\n')
            out += regex[i] == '\r' ? "\\r" : "\\n";
        else
            out += regex[i];
    }
    return out;
}

}  // namespace

const SplitPattern* find_split_pattern(std::string_view regex) {
    const std::string plain = plain_spelling(regex);
    for (const SplitPattern& pattern : table)
        if (plain == pattern.regex) return &pattern;
    return nullptr;
}

std::span<const SplitPattern> split_patterns() { return table; }

}  // namespace text
