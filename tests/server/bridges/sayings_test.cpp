#include "server/bridges/sayings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/bridges/pieces.h"
#include "server/bridges/typed_words.h"

using namespace server::bridges;

namespace {

std::vector<Language> languages() {
    std::vector<Language> out;
    for (std::size_t n = 0; n < base::kLanguages.size(); ++n) out.push_back(Language(n));
    return out;
}

std::vector<Saying> sayings() {
    std::vector<Saying> out;
    for (int n = 0; n <= int(Saying::broke_off); ++n) out.push_back(Saying(n));
    return out;
}

}  // namespace

TEST(Sayings, EachHoldsTheSameInEachLanguage) {
    for (const Saying what : sayings())
        for (const char* place : {"{0}", "{1}"})
            for (const Language language : languages())
                EXPECT_EQ(saying(language, what).find(place) != std::string_view::npos, saying(Language::english, what).find(place) != std::string_view::npos) << saying(language, what) << " " << place;
    EXPECT_EQ(said(Language::french, Saying::welcome, "Zoé"), "Maintenant je vous connais, Zoé. Écrivez-moi.");
    EXPECT_EQ(said(Language::german, Saying::stopped, "a {0} and {1}"), "Angehalten: a {0} and {1}.");
}

TEST(Sayings, NoneIsLeftInAnotherLanguage) {
    for (const Saying what : sayings())
        for (const Language language : languages())
            EXPECT_EQ(saying(language, what) == saying(Language::english, what), language == Language::english);
}

TEST(Sayings, LabelsFitWhereTheyArePressedAndWhatIsToBeTypedIsUnderstood) {
    for (const Language language : languages()) {
        for (const Saying label : {Saying::allow_once, Saying::deny}) EXPECT_LE(units_of(saying(language, label)), 20u) << saying(language, label);
        const std::string all = said(language, Saying::until, "then", "K7Q2");
        const std::size_t first = all.find("K7Q2"), second = all.rfind("K7Q2");
        ASSERT_NE(first, second);
        for (const std::size_t end : {first, second}) {
            const std::size_t begin = all.find_last_of(" ", end - 2) + 1;
            const auto word = typed_word(all.substr(begin, end + 4 - begin));
            ASSERT_TRUE(word) << all.substr(begin, end + 4 - begin);
            EXPECT_EQ(word->grant, end == first);
        }
    }
}

TEST(Sayings, ALanguageIsKnownByItsTag) {
    EXPECT_EQ(language_of("fr-CA"), Language::french);
    EXPECT_EQ(language_of("DE_at"), Language::german);
    EXPECT_EQ(language_of("it"), Language::italian);
    for (const char* other : {"", "auto", "pt-br", "frr", "-fr"}) EXPECT_EQ(base::parse_language(other), std::nullopt) << other;
    EXPECT_EQ(language_of("pt-br"), Language::english);
}
