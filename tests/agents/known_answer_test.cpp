// Which plain questions one thing answers that was told.
#include "agents/known_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string known(std::string_view question, const std::vector<const char*>& bodies, const std::vector<std::string>& earlier = {}) {
    std::vector<memory::RecalledFact> facts;
    for (const char* body : bodies) {
        memory::RecalledFact one;
        one.fact.body = body;
        one.fact.trusted = true;
        one.fact.created += std::chrono::hours(facts.size());  // each told later
        facts.push_back(one);
    }
    std::string out;
    for (const memory::RecalledFact& one : agents::known_answers(question, facts, std::chrono::sys_days(std::chrono::year(2026) / 3 / 4), earlier)) out += (out.empty() ? "" : " / ") + one.fact.body;
    return out.empty() ? "-" : out;
}

struct KnownCase {
    const char *question, *fact;
};

TEST(KnownAnswer, IsAFactThatHasWhatTheQuestionIsAboutAndWhatItAsksFor) {
    for (const KnownCase& one : {KnownCase{"When do the bins go out?", "The bins go out on Thursdays."},
                                 {"Where is the boiler?", "The boiler is in the cellar"},
                                 {"Où est la chaudière ?", "La chaudière est à la cave"},
                                 {"Quand passe le facteur ?", "Le facteur passe à 10h"},
                                 {"How many eggs does Anna want?", "Anna wants twelve eggs"},
                                 {"What is my cat called?", "My cat is called Miso"},
                                 {"What is the code of the garage?", "The code of the garage is 4711"},
                                 {"Comment s'appelle le chien de Paul ?", "Le chien de Paul s'appelle Rex"}})
        EXPECT_EQ(known(one.question, {one.fact}), one.fact) << one.question;
    EXPECT_EQ(known("When do the bins go out?", {"The cat eats at six", "The bins go out on Thursdays"}), "The bins go out on Thursdays");
}

TEST(KnownAnswer, IsNoneWhereMoreOrSomethingElseIsAsked) {
    for (const KnownCase& one : {KnownCase{"When do the bins go out?", "The bins go out at the gate"},          // no time
                                 {"Where do the bins go?", "The bins go out every Thursday"},                    // no place
                                 {"What is bread?", "Anna likes bread"},                                         // one word, and of no kind
                                 {"When is Anna's birthday party?", "Anna's birthday is on 3 March"},            // of the party nothing is known
                                 {"Why do the bins go out?", "The bins go out on Thursdays"},                    // no such question
                                 {"Do the bins go out on Thursdays?", "The bins go out on Thursdays"},
                                 {"When did we talk about the bins?", "The bins go out on Thursdays"},
                                 {"What was the former code of the garage?", "The code of the garage is 4711"},
                                 {"When do the bins go out? And the paper?", "The bins go out on Thursdays"},
                                 {"", "The bins go out on Thursdays"}})
        EXPECT_EQ(known(one.question, {one.fact}), "-") << one.question;
    EXPECT_EQ(known("Where is the key?", {"The key is in the shed", "The key is under the pot"}), "The key is under the pot / The key is in the shed") << "the newest first";
    EXPECT_EQ(known("Wheres the key?", {"The key is in the shed"}), "The key is in the shed");
    EXPECT_EQ(known("Where is Milo's food?", {"Milo's food is in the box 1", "Milo's food is in the box 2", "Milo's food is in the box 3", "Milo's food is in the box 4"}), "-") << "too many";
}

TEST(KnownAnswer, ASumIsNotAboutWhatWasTold) {
    EXPECT_TRUE(agents::is_about("The code of the garage is 4711", "What is the code of the garage?", {}));
    EXPECT_FALSE(agents::is_about("The rent is 80 euros", "How much is 15 % of 80?", {}));
    EXPECT_FALSE(agents::is_about("My cat is called Miso", "How much is 15 % of 80?", {}));
    EXPECT_FALSE(agents::is_about("The code of the garage is 4711", "Write a poem about the code of the garage", {}));
    EXPECT_FALSE(agents::is_about("", "What is the code of the garage?", {}));
}

TEST(KnownAnswer, IsThePersonsOwnAndHolds) {
    memory::RecalledFact fact;
    fact.fact.body = "The bins go out on Thursdays";
    const auto found = [&] { return !agents::known_answers("When do the bins go out?", {fact}, {}, {}).empty(); };
    EXPECT_FALSE(found()) << "from outside";
    fact.fact.trusted = true;
    EXPECT_TRUE(found());
    fact.fact.until = base::TimePoint{};
    EXPECT_FALSE(found()) << "it was replaced";
    fact.fact.until.reset();
    fact.fact.noted = true;
    EXPECT_FALSE(found()) << "a model has worded it";
}

TEST(KnownAnswer, IsNoneWhereTheConversationHasNews) {
    constexpr const char *question = "Where is the dentist?", *fact = "The dentist is in Oak street";
    EXPECT_EQ(known(question, {fact}, {"The dentist moved to Elm street"}), "-");
    EXPECT_EQ(known(question, {fact}, {"Remember that the dentist moved to Elm street?"}), "-");
    EXPECT_EQ(known(question, {fact}, {"Remember that The dentist is in Oak street.", "The bins moved to the gate", question}), fact);
}

}  // namespace
