// What a person is asked is told in his language, whichever shipped rule asks.
#include "policy/reasons.h"

#include <gtest/gtest.h>

#include "policy/decide.h"

namespace {

using base::Language;

std::string asked(const std::string& why, Language language) { return policy::reason_in(language, "bash", "bash needs a person's approval: " + why); }

TEST(Reasons, EachShippedRuleThatAsksIsToldInEachLanguage) {
    int rules = 0;
    for (const policy::Rule& rule : policy::default_rules()) {
        if (rule.verdict != policy::Verdict::ask) continue;
        ++rules;
        EXPECT_EQ(asked(rule.message, Language::english), "bash needs a person's approval: " + std::string(rule.message)) << rule.name;
        for (const Language language : {Language::french, Language::german, Language::spanish, Language::italian})
            EXPECT_EQ(asked(rule.message, language).find(rule.message), std::string::npos) << rule.name;
    }
    EXPECT_GE(rules, 6);
    EXPECT_EQ(asked("It costs money.", Language::german), "bash braucht die Zustimmung eines Menschen: Es kostet Geld.");
}

TEST(Reasons, TheHousesOwnWordsStayAsTheyAre) {
    EXPECT_EQ(asked("Only after supper.", Language::french), "bash a besoin de l'accord d'une personne : Only after supper.");
    EXPECT_EQ(policy::reason_in(Language::french, "bash", "it is so"), "it is so");
}

}  // namespace
