// The regular expressions by which published tokenizers cut text into words, each with a matcher of its
// own that finds the same matches in linear time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace text {

struct Char {
    char32_t c;
    std::uint8_t classes;
};
using Chars = std::span<const Char>;

// Where the match that begins at `at` ends; `at` itself: no match. The span ends where the piece does.
using Matcher = std::size_t (*)(Chars s, std::size_t at);

struct SplitPattern {
    static constexpr int most = 8;
    const char* regex;                 // in the syntax of Oniguruma
    Matcher alternatives[most] = {};   // in order, up to the first null

    std::size_t match(Chars s, std::size_t at) const {
        for (const Matcher m : alternatives) {
            if (!m) break;
            if (const std::size_t end = m(s, at); end > at) return end;
        }
        return at;
    }
};

// Null when no matcher is known for it. Line ends and quotes may be escaped or not.
const SplitPattern* find_split_pattern(std::string_view regex);
std::span<const SplitPattern> split_patterns();

// The expressions that GGUF's names and tokenizer.json's named splitters stand for.
namespace patterns {

inline constexpr const char* gpt2 = R"~('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)~";
inline constexpr const char* llama3 =
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* qwen2 =
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* seed =
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* qwen35 =
    R"~((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* gpt4o =
    R"~([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* tekken =
    R"~([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* kimi_k2 =
    R"~([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* numbers_3 = R"~(\p{N}{1,3})~";
inline constexpr const char* han_kana = R"~([一-龥぀-ゟ゠-ヿ]+)~";
inline constexpr const char* deepseek_v3 =
    R"~([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)~";
inline constexpr const char* number = R"~(\p{N})~";
inline constexpr const char* numbers = R"~(\p{N}+)~";
inline constexpr const char* ascii_digits_3 = R"~([0-9][0-9][0-9])~";
inline constexpr const char* signs = R"~([\p{P}\$\+<=>\^~\|]+)~";
inline constexpr const char* falcon_signs = R"~([\p{P}\$\+<=>\^~\|`]+)~";
inline constexpr const char* line_end = R"~([\r\n])~";
inline constexpr const char* cased_words = R"~(\s?[[\p{Lu}\p{Lt}\p{Ll}]&&[^\x{10D0}-\x{10FF}]]+)~";
inline constexpr const char* wide_signs = R"~(\s?[!-/:-~！-／：-～‘-‟　-。]+)~";
inline constexpr const char* spaces_at_end = R"~(\s+$)~";
inline constexpr const char* east_asian = R"~([一-龥ࠀ-一가-\x{D7FF}]+)~";
inline constexpr const char* space_words = R"~(\s?\p{L}+)~";
inline constexpr const char* space_punctuation = R"~(\s?\p{P}+)~";
inline constexpr const char* bloom = R"~( ?[^(\s|.,!?…。，、।۔،)]+)~";
inline constexpr const char* spaces = R"~(\s+)~";
inline constexpr const char* punctuation = R"~([\p{P}$+<=>^`|~])~";
}  // namespace patterns

}  // namespace text
