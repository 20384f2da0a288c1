// How a person is answered: in the language of the message, plainly where wanted, with the effort that is set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"
#include "store/people.h"

namespace agents::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Manner : public TurnTest {};

std::string last_of(const Harness& h, std::size_t i) { return h.model->requests().at(i).messages.back().text(); }

TEST_F(Manner, TheReplyIsInTheLanguageOfTheMessageNotOfTheThread) {
    Harness h({says("The weather is fine today, I think."), says("Il fait beau, je crois, et demain aussi."), says("It is fine and warm for you today.")});
    const ChatResult first = h.ask("hearth", "How are you?");
    EXPECT_EQ(last_of(h, 0), "How are you?") << "nothing is said where nothing needs saying";
    const ChatResult second = h.ask("hearth", "Comment vas-tu ?", first.conversation);
    EXPECT_EQ(last_of(h, 1), "Comment vas-tu ?\n\nAnswer in French.");
    EXPECT_EQ(second.response, "Il fait beau, je crois, et demain aussi.");
    h.ask("hearth", "And how are you?", first.conversation);
    EXPECT_THAT(last_of(h, 2), HasSubstr("Answer in English."));
}

TEST_F(Manner, AReplyInAnotherLanguageIsAskedForOnceMore) {
    Harness h({says("I am fine, thank you, and how are you? More."), says("Ça va bien, merci, et toi ?")});
    const ChatResult result = h.ask("hearth", "Comment vas-tu ?");
    EXPECT_EQ(result.response, "Ça va bien, merci, et toi ?");
    EXPECT_EQ(h.streamed(), result.response) << "the wrong one was not shown";
    EXPECT_EQ(last_of(h, 0), "Comment vas-tu ?") << "nothing is said where a model may be right by itself";
    EXPECT_EQ(last_of(h, 1), "Comment vas-tu ?\n\nAnswer in French.");
    EXPECT_THAT(h.nodes(result.run), ElementsAre("arbiter", "retrieve", "recompose", "recompose", "write_memory"));
    Harness stubborn({says("I am fine, thank you, and how are you?"), says("I am still fine, thank you, and how are you?")});
    EXPECT_EQ(stubborn.ask("hearth", "Comment vas-tu ?").response, "I am still fine, thank you, and how are you?") << "once";
}

TEST_F(Manner, ARequestMayNameTheLanguageItself) {
    Harness h({says("Hola, ¿cómo estás tú hoy?")});
    EXPECT_EQ(h.ask("hearth", "Greet me in Spanish").response, "Hola, ¿cómo estás tú hoy?");
}

struct Settled {
    Settled(Harness& h, store::PersonChange change) : harness(h) { set(change); }
    ~Settled() { set({false, "auto"}); }
    void set(const store::PersonChange& change) {
        harness.in_tx([&](store::Tx& tx) { return store::change_person(tx, store::this_person(tx).id.text(), change).value(); });
    }
    Harness& harness;
};

TEST_F(Manner, APersonWhoWantsItPlainGetsItPlain) {
    Harness h({says("## Plan\nThe area is $\\pi r^2$, see `/etc/x/a.txt`. It is **big**.")});
    const Settled settled(h, {true, std::nullopt});
    const ChatResult result = h.ask("hearth", "How are you?");
    EXPECT_EQ(result.response, "Plan\nThe area is π r^2, see a.txt. It is big.");
    EXPECT_EQ(h.streamed(), result.response);
    EXPECT_THAT(last_of(h, 0), HasSubstr("simple sentences"));
}

TEST_F(Manner, APersonsEffortIsTheLeastClassAndTheChangeIsRecorded) {
    Harness h({says(R"({"goal": "x", "tools": false, "class": "normal", "machine": "talk"})"), says("1. Think."), says("Fine.")});
    const Settled settled(h, {std::nullopt, "heavy"});
    const ChatResult result = h.ask("hearth", "Good evening!");
    EXPECT_THAT(h.nodes(result.run), ElementsAre("arbiter", "intake", "retrieve", "thinking", "recompose", "write_memory"));
    const auto changes = h.run(result.run).turn.at("changes");
    ASSERT_EQ(changes.size(), 2u);
    EXPECT_EQ(changes[0]["who"], "admission");
    EXPECT_EQ(changes[0]["class"], "fast");
    EXPECT_EQ(changes[1], Json({{"who", "setting"}, {"class", "heavy"}, {"why", "the person's effort is heavy"}}));
    for (const auto& span : h.spans(result.run)) {
        if (span.name == "arbiter") EXPECT_EQ(span.attributes["class_changes"], changes);
        if (span.name == "recompose") EXPECT_FALSE(span.attributes.contains("class_changes"));
    }
}

}  // namespace
}  // namespace agents::testing
