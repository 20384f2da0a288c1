// Normalization Forms KC and KD against Python's unicodedata: every assigned character, and mixtures whose marks reorder.
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/unicode.h"
#include "support/fixtures.h"

namespace base {
namespace {

const Json& recorded() {
    static const Json all = Json::parse(support::read_text(support::data_dir() / "tokenizers/normalization.json"));
    return all;
}

// FNV-1a, as tests/data/tokenizers/make.py has it.
std::string digest(std::string (*form)(std::string_view)) {
    std::uint64_t value = 0xCBF29CE484222325u;
    for (char32_t c = 0; c < 0x110000; ++c) {
        if ((c >= 0xD800 && c < 0xE000) || category(c) == Category::unassigned) continue;
        for (const char byte : form(utf8(c))) value = (value ^ std::uint8_t(byte)) * 0x100000001B3u;
    }
    char text[17];
    std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
    return text;
}

TEST(Normalization, EveryCharacterIsAsUnicodeHasIt) {
    EXPECT_EQ(digest(to_nfkc), recorded()["every"]["nfkc"]);
    EXPECT_EQ(digest(to_nfkd), recorded()["every"]["nfkd"]);
}

TEST(Normalization, MixturesAreAsUnicodeHasThem) {
    ASSERT_GT(recorded()["texts"].size(), 100u);
    for (const Json& one : recorded()["texts"]) {
        EXPECT_EQ(to_nfkc(one["text"].get<std::string>()), one["nfkc"]);
        EXPECT_EQ(to_nfkd(one["text"].get<std::string>()), one["nfkd"]);
    }
}

TEST(Normalization, InvalidBytesStay) { EXPECT_EQ(to_nfkc("\xEF\xAC\x81\xFF\xEF\xAC"), "fi\xFF\xEF\xAC"); }

}  // namespace
}  // namespace base
