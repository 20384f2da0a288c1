#include "text/pre_tokenizer.h"

#include <span>

#include "text/unicode.h"

namespace text {
namespace {

struct Char {
    char32_t c;
    std::uint8_t classes;
};
using Chars = std::span<const Char>;

// Where the match that begins at `at` ends; `at` itself: no match. The span ends where the piece does.
using Matcher = std::size_t (*)(Chars s, std::size_t at);
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
bool falcon_signs(Char c) { return signs(c) || c.c == '`'; }
bool digits(Char c) { return between(c.c, '0', '9'); }
bool east_asian(Char c) { return between(c.c, 0x4E00, 0x9FA5) || between(c.c, 0x0800, 0x4E00) || between(c.c, 0xAC00, 0xD7FF); }
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
std::size_t spaces_at_end(Chars s, std::size_t at) {  // \s+$
    if (at && spaces(s[at - 1])) return at;  // inside a run that was tried from its start
    const std::size_t end = run<spaces>(s, at);
    return end == s.size() ? end : at;
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
template <bool small_needed, bool contractions>
std::size_t cased_word(Chars s, std::size_t at) {
    const auto from = [&](std::size_t begin) {
        const std::size_t capitals = run<capital_like>(s, begin);
        std::size_t end = run<small_like>(s, capitals);
        if (small_needed && end == capitals) {  // give back up to a character that is both
            while (end > begin && !small_like(s[end - 1])) --end;
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

constexpr int max_alternatives = 8, max_stages = 6;
struct Stage {
    Matcher alternatives[max_alternatives] = {};
};

}  // namespace

struct PreTokenizer {
    const char* names;  // separated by spaces
    Stage stages[max_stages] = {};
    bool nfc = false;
    bool whole_words = false;
};

namespace {

constexpr Matcher space_words = after_one<space_char, letters>, space_numbers = after_one<space_char, numbers>,
                  space_others = after_one<space_char, others>;
constexpr Stage gpt2 = {{contraction<false>, space_words, space_numbers, space_others, spaces_before_word, run<spaces>}};

constexpr Stage modern(Matcher words, Matcher digits_of, Matcher signs_of) {
    return {{contraction<true>, words, digits_of, signs_of, to_last_line_end, spaces_before_word, run<spaces>}};
}
constexpr Matcher any_words = after_one<not_word, letters>, signs_and_ends = with_tail<others, line_ends>;

const PreTokenizer schemes[] = {
    {"default", {{{run<signs>}}, gpt2, {{run<numbers>}}, {{exactly<digits, 3>}}}},
    {"gpt-2 mpt phi-2 olmo jais jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code a.x-4.0 mellum trillion granite-docling",
     {gpt2}},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 dbrx smaug-bpe chatglm-bpe glm4",
     {modern(any_words, up_to<numbers, 3>, signs_and_ends)}, false, true},
    {"qwen2 deepseek-r1-qwen megrez stablelm2 hunyuan", {modern(any_words, up_to<numbers, 1>, signs_and_ends)}, true},
    {"qwen35", {modern(after_one<not_word, letters_marks>, up_to<numbers, 1>, with_tail<others_but_marks, line_ends>)}, true},
    {"starcoder refact command-r smollm codeshell exaone minerva-7b", {{{up_to<numbers, 1>}}, gpt2}},
    {"falcon", {{{run<falcon_signs>}}, gpt2, {{exactly<digits, 3>}}}},
    {"deepseek-llm",
     {{{up_to<line_ends, 1>}}, {{after_one<spaces, cased_letters>}}, {{after_one<spaces, wide_signs>}}, {{spaces_at_end}},
      {{run<east_asian>}}, {{run<numbers>}}}},
    {"deepseek-coder",
     {{{up_to<line_ends, 1>}}, {{after_one<spaces, letters>}}, {{after_one<spaces, punctuation>}}, {{run<east_asian>}},
      {{up_to<numbers, 1>}}}},
    {"deepseek-v3 hunyuan-dense",
     {{{up_to<numbers, 3>}},
      {{run<han_kana>}},
      {{sign_and_ascii, after_one<not_word_or_sign, letters_marks>, with_tail<punctuation_symbols, line_ends>, to_last_line_end,
        spaces_before_word, run<spaces>}}}},
    {"gpt-4o llama4",
     {{{cased_word<true, true>, cased_word<false, true>, up_to<numbers, 3>, with_tail<others, line_ends_slash>, to_last_line_end,
        spaces_before_word, run<spaces>}}}},
    {"tekken",
     {{{cased_word<true, false>, cased_word<false, false>, up_to<numbers, 1>, with_tail<others, line_ends_slash>, to_last_line_end,
        spaces_before_word, run<spaces>}}}, false, true},
    {"bloom poro-chat gpt3-finnish", {{{after_one<space_char, bloom_words>}}}},
    {"viking", {{{after_one<space_char, bloom_words>}}, {{up_to<numbers, 1>}}}},
};

bool has_name(std::string_view names, std::string_view wanted) {
    for (std::size_t at = 0; at <= names.size();) {
        const std::size_t end = std::min(names.find(' ', at), names.size());
        if (names.substr(at, end - at) == wanted) return true;
        at = end + 1;
    }
    return false;
}

// Appends the ends (in characters) of the pieces of s, whose first character has the index `base`.
void split_stage(const Stage& stage, Chars s, std::size_t base, std::vector<std::size_t>& ends) {
    std::size_t pending = 0;  // start of what no alternative matched
    for (std::size_t at = 0; at < s.size();) {
        std::size_t end = at;
        for (Matcher m : stage.alternatives) {
            if (!m || (end = m(s, at)) > at) break;
        }
        if (end == at) {
            ++at;
            continue;
        }
        if (pending < at) ends.push_back(base + at);
        ends.push_back(base + end);
        pending = at = end;
    }
    if (pending < s.size()) ends.push_back(base + s.size());
}

}  // namespace

base::Result<const PreTokenizer*> find_pre_tokenizer(std::string_view name) {
    if (name.empty()) name = "default";
    for (const PreTokenizer& scheme : schemes)
        if (has_name(scheme.names, name)) return &scheme;
    return base::error(base::Code::unsupported, "pre-tokenizer \"" + std::string(name) + "\" is not known; " + std::to_string(pre_tokenizer_names().size()) +
                                                    " are, qwen2, llama-bpe and gpt-2 among them",
                       "use a model with another tokenizer.ggml.pre");
}

std::vector<std::string> pre_tokenizer_names() {
    std::vector<std::string> out;
    for (const PreTokenizer& scheme : schemes) {
        const std::string_view names = scheme.names;
        for (std::size_t at = 0; at < names.size();) {
            const std::size_t end = std::min(names.find(' ', at), names.size());
            out.emplace_back(names.substr(at, end - at));
            at = end + 1;
        }
    }
    return out;
}

std::vector<std::size_t> split_words(const PreTokenizer& scheme, std::string_view text) {
    std::vector<Char> chars;
    std::vector<std::size_t> offsets;
    chars.reserve(text.size());
    offsets.reserve(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        chars.push_back({c, c == no_char ? std::uint8_t(0) : classes(c)});
        offsets.push_back(at);
        at += std::size_t(length);
    }
    offsets.push_back(text.size());
    std::vector<std::size_t> ends, next;
    if (!chars.empty()) ends.push_back(chars.size());
    for (const Stage& stage : scheme.stages) {
        if (!stage.alternatives[0]) break;
        next.clear();
        std::size_t begin = 0;
        for (std::size_t end : ends) {
            split_stage(stage, Chars(chars).subspan(begin, end - begin), begin, next);
            begin = end;
        }
        ends.swap(next);
    }
    for (std::size_t& end : ends) end = offsets[end];
    return ends;
}

bool wants_nfc(const PreTokenizer& scheme) { return scheme.nfc; }
bool whole_words_first(const PreTokenizer& scheme) { return scheme.whole_words; }

}  // namespace text
