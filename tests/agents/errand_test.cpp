// What is asked for in plain words: over phrases of which one half was for choosing the words and the other was kept apart.
#include "agents/errand.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/split.h"
#include "support/fixtures.h"

namespace {

using agents::Errand;

// kind, message, text, time; "-" for a time that is not told.
struct Phrase {
    std::string message;
    std::optional<Errand> wanted;  // to_do is not said
};

std::vector<Phrase> phrases(const char* file) {
    std::vector<Phrase> out;
    std::ifstream in(support::data_dir() / "errands" / file);
    for (std::string line; std::getline(in, line);) {
        const auto parts = base::split(line, '\t');
        Phrase one{parts.at(1), std::nullopt};
        if (parts[0] == "remember") one.wanted = Errand{Errand::Kind::remember, parts.at(2)};
        if (parts[0] == "schedule") one.wanted = Errand{Errand::Kind::remind, parts.at(3), parts[2] == "-" ? "" : parts[2]};
        out.push_back(std::move(one));
    }
    return out;
}

struct Counts {
    int wished = 0, right = 0, false_calls = 0;
};

Counts measured(const char* file) {
    Counts out;
    for (const Phrase& one : phrases(file)) {
        auto found = agents::errand_of(one.message);
        if (found) found->to_do = false, found->language.reset();
        out.wished += one.wanted.has_value();
        out.right += one.wanted && found == one.wanted;
        const bool wrong = found && found != one.wanted;
        out.false_calls += wrong;
        if (found != one.wanted) std::printf("%s %s: %s\n", wrong ? "WRONG " : "missed", file, one.message.c_str());
        if (wrong) std::printf("       text '%s', when '%s'\n", found->text.c_str(), found->when.c_str());
    }
    std::printf("%s: %d of %d, %d false\n", file, out.right, out.wished, out.false_calls);
    return out;
}

TEST(Errand, IsFoundInPlainWordsAndNotWhereNothingIsAskedFor) {
    const Counts chosen = measured("chosen.tsv"), held_out = measured("held_out.tsv");
    ASSERT_GE(chosen.wished + held_out.wished, 60);
    EXPECT_EQ(chosen.false_calls + held_out.false_calls, 0);
    EXPECT_GE(chosen.right, chosen.wished * 9 / 10);
    EXPECT_GE(held_out.right, held_out.wished * 9 / 10);
}

TEST(Errand, TheAskingTellsItsLanguage) {
    using base::Language;
    const std::pair<const char*, std::optional<Language>> cases[] = {
        {"Retiens que le code est 7788.", Language::french}, {"Recuerda que el código es 7788", Language::spanish}, {"Ricorda che il codice è 7788", Language::italian},
        {"Merke dir, dass der Code 7788 ist", Language::german}, {"Remember that the code is 7788", Language::english}, {"Note: the code is 7788", std::nullopt},
        {"Rappelle-moi d'appeler Anna à 18h30", Language::french}, {"Remind me to call Anna at 18:30", Language::english}, {"Demain à 9h rappelle-moi d'appeler Anna", Language::french}};
    for (const auto& [message, language] : cases) EXPECT_EQ(agents::errand_of(message).value().language, language) << message;
}

TEST(Errand, AReminderThatComesDueKeepsATimeInItsText) {
    using base::Language;
    const std::pair<const char*, Language> cases[] = {{"Remind me on Friday at 8am to pay the rent on Monday", Language::english}, {"Rappelle-moi vendredi à 8h de payer le loyer lundi", Language::french}};
    for (const auto& [message, language] : cases) {
        const Errand asked = agents::errand_of(message).value();
        const auto due = agents::reminder_of(agents::reminder_order(asked.text, language));
        ASSERT_TRUE(due) << message;
        EXPECT_EQ(due->text, asked.text);
        EXPECT_EQ(due->when, "");
        EXPECT_EQ(due->language, language);
    }
    EXPECT_EQ(agents::reminder_of("Remind me: pay the rent on Monday")->text, "pay the rent on Monday");
}

TEST(Errand, ThanksAreLeftOutOnlyWhereTheyStandApart) {
    EXPECT_EQ(agents::errand_of("Remind me at 6pm to say thanks")->text, "say thanks");
    EXPECT_EQ(agents::errand_of("Remember that the Italian for thanks is grazie")->text, "the Italian for thanks is grazie");
    EXPECT_EQ(agents::errand_of("Remember that the code is 7788, thanks")->text, "the code is 7788");
    EXPECT_EQ(agents::errand_of("Remind me at 6pm to call Anna. Thank you!")->text, "call Anna");
    EXPECT_EQ(agents::errand_of("Remind me at 6pm to call Anna please")->text, "call Anna");
}

TEST(Errand, AReminderThatComesDueIsReadWithoutATime) {
    EXPECT_EQ(agents::reminder_of("Remind me: take the bins out")->text, "take the bins out");
    EXPECT_EQ(agents::reminder_of("Rappelle-moi les poubelles.")->text, "les poubelles");
    for (const char* other : {"What is in the news?", "Remind me tomorrow at 8am to go", "Remember that I like tea."}) EXPECT_EQ(agents::reminder_of(other), std::nullopt) << other;
    EXPECT_EQ(agents::reminder_of("Remind me: is the oven off?"), std::nullopt);
    EXPECT_EQ(agents::reminder_of("Remind me: the weather, then tell me the news"), std::nullopt) << "it asks for more";
    EXPECT_EQ(agents::time_alone("20:00 thanks"), "20:00");
    EXPECT_EQ(agents::time_alone("In the evening, please."), "In the evening");
    EXPECT_EQ(agents::time_alone("20:00"), "20:00");
    EXPECT_EQ(agents::time_alone("the evening news"), std::nullopt);
}

}  // namespace
