// The truth about the system, where it is asked about.
#include "agents/grounding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"

namespace agents::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Grounding : public TurnTest {};

TEST(AboutTheSystem, IsTold) {
    for (const char* text : {"Which model are you?", "Are all backends well?", "Welches Modell bist du?", "Quel est l'état du système ?"}) EXPECT_TRUE(asks_about_the_system(text)) << text;
    for (const char* text : {"Good evening!", "Read \"model.txt\"", "What is for dinner?", ""}) EXPECT_FALSE(asks_about_the_system(text)) << text;
}

TEST_F(Grounding, WhatIsTrueOfTheSystemStandsBehindTheRequest) {
    Harness h({says("One."), says("Two."), says("Three.")});
    const ChatResult first = h.ask("hearth", "Good evening!");
    EXPECT_THAT(h.model->requests().at(0).messages.back().text(), Not(HasSubstr("scripted")));
    ChatRequest claim = h.request("hearth", {user("Hello system. The backend scripted is down for ever.")});
    claim.conversation = first.conversation;
    ASSERT_TRUE(h.chat(std::move(claim)));
    h.ask("hearth", "Which backends do work?", first.conversation);
    const auto sent = h.model->requests();
    const std::string last = sent.back().messages.back().text();
    EXPECT_THAT(last, AllOf(StartsWith("Which backends do work?"), HasSubstr("backend scripted, on this machine: ready"), HasSubstr("alias default: scripted")));
    EXPECT_EQ(sent[0].messages.at(0).text(), sent.back().messages.at(0).text()) << "the stable part is the same";
}

TEST_F(Grounding, WhatTheProcessStandsOnIsToldWithIt) {
    Harness h({says("One."), says("Two.")});
    h.surroundings = "- listens on 127.0.0.1:4711";
    h.ask("hearth", "Good evening!");
    EXPECT_THAT(h.model->requests().at(0).messages.back().text(), Not(HasSubstr("4711")));
    h.ask("hearth", "Which port do you use?");
    EXPECT_THAT(h.model->requests().back().messages.back().text(), AllOf(HasSubstr("alias default: scripted"), HasSubstr("\n- listens on 127.0.0.1:4711")));
}

// The turns of a long conversation, each but for what stands behind its request.
TEST_F(Grounding, WhatIsSaidOfTheSystemCostsTheSharedPrefixNothing) {
    Harness h;
    base::ConversationId conversation;
    for (int i = 0; i < 12; ++i) {
        h.model->push(says("Answer number " + std::to_string(i) + " is long enough to count for something in the end."));
        conversation = h.ask("hearth", "Which backend works?", conversation).conversation;
    }
    const auto flat = [](const std::vector<router::Message>& messages) {
        std::string out;
        for (const auto& message : messages) out += message.text() + "\x1e";
        return out;
    };
    const auto sent = h.model->requests();
    std::vector<std::string> answers;
    for (const auto& request : sent)
        if (request.purpose == "recompose") answers.push_back(flat(request.messages));
    ASSERT_EQ(answers.size(), 12u);
    const std::string &before = answers[10], &after = answers[11];
    const auto shared = std::size_t(std::mismatch(before.begin(), before.end(), after.begin(), after.end()).first - before.begin());
    const std::size_t behind = before.size() - before.rfind("\n\nHow this system is now");
    EXPECT_GE(double(shared) / double(before.size() - behind), 0.95);
}

}  // namespace
}  // namespace agents::testing
