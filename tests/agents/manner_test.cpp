// How a person is answered: in the language of the message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"

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

}  // namespace
}  // namespace agents::testing
