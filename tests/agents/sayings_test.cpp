// What is said without a model: the same in each language, and none left in another.
#include "agents/sayings.h"

#include <gtest/gtest.h>

namespace {

using agents::Saying;
using base::Language;

TEST(AgentSayings, EachHoldsTheSamePlacesInEachLanguage) {
    const auto last = int(Saying::schedule_refused_often);
    for (int what = 0; what <= last; ++what) {
        const std::string english = agents::said(Language::english, Saying(what), {"<first>", "<second>", "<third>"});
        for (std::size_t n = 1; n < base::kLanguages.size(); ++n) {
            const std::string other = agents::said(Language(n), Saying(what), {"<first>", "<second>", "<third>"});
            EXPECT_NE(other, english);
            for (const char* place : {"<first>", "<second>", "<third>"}) EXPECT_EQ(other.find(place) == other.npos, english.find(place) == english.npos) << other;
        }
    }
}

TEST(AgentSayings, ASentenceThatIsQuotedEndsOnce) {
    EXPECT_EQ(agents::said(Language::english, Saying::reminder, {"Get up!"}), "Reminder: Get up!");
    EXPECT_EQ(agents::said(Language::french, Saying::noted, {"Il pleut."}), "C'est retenu : Il pleut.");
    EXPECT_EQ(agents::language_spoken("Rappelle-moi d'acheter du pain"), Language::french);
    EXPECT_EQ(agents::language_spoken("42"), Language::english);
}

}  // namespace
