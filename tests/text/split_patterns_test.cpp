// Each matcher finds what a real engine for regular expressions finds by the pattern's text.
#include "text/split_patterns.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/unicode.h"
#include "text/pre_tokenizer.h"

#ifdef HEARTH_ONIGURUMA
#define ONIG_ESCAPE_REGEX_T_COLLISION
#define re_registers onig_re_registers  // POSIX's <regex.h>, which gmock includes, has one too
#include <oniguruma.h>
#undef re_registers
#endif

namespace text {
namespace {

TEST(SplitPatterns, AnUnknownOneIsRefusedByItsText) {
    const auto refused = PreTokenizer::create({{.pattern = "[a-z]+(?=x)"}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, base::Code::unsupported);
    EXPECT_NE(refused.error().message.find("[a-z]+(?=x)"), std::string::npos);
}

TEST(SplitPatterns, LineEndsAndQuotesMayBeWrittenEitherWay) {
    EXPECT_EQ(find_split_pattern("[\r\n]"), find_split_pattern("[\\r\\n]"));
    ASSERT_NE(find_split_pattern("[\r\n]"), nullptr);
    std::string quoted = patterns::deepseek_v3;
    quoted.insert(quoted.find('"'), "\\");
    EXPECT_EQ(find_split_pattern(quoted), find_split_pattern(patterns::deepseek_v3));
}

std::vector<std::string> words(const SplitterStep& step, const std::string& text) {
    const auto pre_tokenizer = PreTokenizer::create({step});
    std::vector<std::string> out;
    for (const Word& w : pre_tokenizer->split(text)) out.push_back(text.substr(w.begin, w.end - w.begin));
    return out;
}

TEST(SplitPatterns, BehaviorsAreThoseOfTokenizerJson) {
    using Behavior = SplitterStep::Behavior;
    const auto by = [](Behavior behavior, bool invert = false) {
        return words({.pattern = "-", .literal = true, .behavior = behavior, .invert = invert}, "the-final--countdown");
    };
    using Words = std::vector<std::string>;
    EXPECT_EQ(by(Behavior::removed), (Words{"the", "final", "countdown"}));
    EXPECT_EQ(by(Behavior::isolated), (Words{"the", "-", "final", "-", "-", "countdown"}));
    EXPECT_EQ(by(Behavior::merged_with_previous), (Words{"the-", "final-", "-", "countdown"}));
    EXPECT_EQ(by(Behavior::merged_with_next), (Words{"the", "-final", "-", "-countdown"}));
    EXPECT_EQ(by(Behavior::contiguous), (Words{"the", "-", "final", "--", "countdown"}));
    EXPECT_EQ(by(Behavior::removed, true), (Words{"-", "-", "-"}));
}

#ifdef HEARTH_ONIGURUMA

struct Oracle {
    explicit Oracle(const char* pattern) {
        const auto* begin = reinterpret_cast<const OnigUChar*>(pattern);
        OnigErrorInfo why;
        const int rc = onig_new(&regex, begin, begin + std::char_traits<char>::length(pattern), ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_ONIGURUMA, &why);
        if (rc != ONIG_NORMAL) {
            OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
            onig_error_code_to_str(text, rc, &why);
            throw std::runtime_error(std::string(pattern) + ": " + reinterpret_cast<char*>(text));
        }
    }
    ~Oracle() { onig_free(regex); }
    Oracle(const Oracle&) = delete;
    Oracle& operator=(const Oracle&) = delete;

    // Matches and what lies between.
    std::vector<std::string> words(const std::string& text) const {
        std::vector<std::string> out;
        const auto* begin = reinterpret_cast<const OnigUChar*>(text.data());
        const auto* end = begin + text.size();
        OnigRegion* region = onig_region_new();
        std::size_t pending = 0;
        while (onig_search(regex, begin, end, begin + pending, end, region, ONIG_OPTION_NONE) >= 0) {
            const auto from = std::size_t(region->beg[0]), to = std::size_t(region->end[0]);
            if (to == from) break;
            if (from > pending) out.push_back(text.substr(pending, from - pending));
            out.push_back(text.substr(from, to - from));
            pending = to;
        }
        onig_region_free(region, 1);
        if (pending < text.size()) out.push_back(text.substr(pending));
        return out;
    }
    OnigRegex regex = nullptr;
};

// Texts in which each alternative of the patterns meets the others: few kinds of characters, many mixtures.
std::string mixture(std::mt19937& random) {
    static const std::vector<std::string> parts = {
        " ", " ", "  ", "\n", "\r\n", "\t", "\u00A0", "\u3000", "\u2028", "a", "b", "s", "S", "T", "t", "'", "'s", "'LL", "'re", "'\u017F", "\u2019", "D",
        "é", "ß", "ǅ", "ʰ", "ª", "中", "龥", "々", "〇", "⺀", "豈", "か", "ー", "한", "ก", "अ", "ि", "\u0301", "\u20DD", "ა", "Ა", "1", "23", "4567", "٣", "Ⅷ", "½", "²", "_", "-", ".",
        "!", "?!", "/", "//", "\\", "<", "|", ">", "$", "+", "`", "~", "«", "…", "。", "，", "！", "「", "€", "😀", "👍🏽", "\u200D", "\uFE0F", "\u200B", "\x01", "\uFFFD", "(", ")",
        "\u0964", "\u060C", "\uE000", "\U00020000", "\U0001D7D8"};
    std::string out;
    for (unsigned n = 1 + random() % 24; n; --n) out += parts[random() % parts.size()];
    return out;
}

class AgainstOniguruma : public testing::TestWithParam<int> {};

TEST_P(AgainstOniguruma, FindsTheSameMatches) {
    const SplitPattern& pattern = split_patterns()[std::size_t(GetParam())];
    SCOPED_TRACE(pattern.regex);
    const Oracle oracle(pattern.regex);
    std::mt19937 random(unsigned(GetParam()) + 1);
    for (int round = 0; round < 20000 && !HasFailure(); ++round) {
        const std::string text = mixture(random);
        ASSERT_EQ(words({.pattern = pattern.regex}, text), oracle.words(text));
    }
}

// Every character alone and between two words: the classes are the same.
TEST_P(AgainstOniguruma, SeesEveryCharacterAlike) {
    const SplitPattern& pattern = split_patterns()[std::size_t(GetParam())];
    SCOPED_TRACE(pattern.regex);
    const Oracle oracle(pattern.regex);
    int different = 0;
    for (char32_t c = 1; c < 0x30000; ++c) {
        // Unassigned here may be assigned in the Unicode of the library.
        if (base::category(c) == base::Category::unassigned || (c >= 0xD800 && c < 0xE000)) continue;
        const std::string text = "a1" + base::utf8(c) + "b 2";
        if (words({.pattern = pattern.regex}, text) != oracle.words(text) && ++different <= 5) ADD_FAILURE() << "U+" << std::hex << std::uint32_t(c);
    }
    EXPECT_EQ(different, 0);
}

INSTANTIATE_TEST_SUITE_P(SplitPatterns, AgainstOniguruma, testing::Range(0, int(split_patterns().size())));

#else

TEST(SplitPatterns, AgainstOniguruma) { GTEST_SKIP() << "built without Oniguruma: install libonig-dev"; }

#endif

}  // namespace
}  // namespace text
