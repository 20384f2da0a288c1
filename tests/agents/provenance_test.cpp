// Where the last answer was from, where that is asked.
#include "agents/provenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"
#include "store/facts.h"

namespace agents::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using reply::Language;

class Provenance : public TurnTest {};

TEST(AsksWhereFrom, IsAWholeMessageInOneOfFiveLanguages) {
    for (const char* text : {"Why do you know this?", "how do you know that", "Who told you that?!"}) EXPECT_EQ(asks_where_from(text), Language::english) << text;
    for (const char* text : {"Pourquoi sais-tu ça ?", "D'où le sais-tu ?", "Comment le savez-vous ?", "Qui te l’a dit ?"}) EXPECT_EQ(asks_where_from(text), Language::french) << text;
    for (const char* text : {"Woher weißt du das?", "WER HAT DIR DAS GESAGT?"}) EXPECT_EQ(asks_where_from(text), Language::german) << text;
    for (const char* text : {"Woher weisst du das?", "Wieso weißt du das?"}) EXPECT_EQ(asks_where_from(text), Language::german) << text;
    for (const char* text : {"¿Cómo lo sabes?", "como lo sabes", "¿Por qué sabes eso?", "¡¿Quién te lo dijo?!"}) EXPECT_EQ(asks_where_from(text), Language::spanish) << text;
    for (const char* text : {"Come lo sai?", "Perché lo sai?", "perche lo sai", "Chi te l’ha detto?", "Chi te l'ha detto?"}) EXPECT_EQ(asks_where_from(text), Language::italian) << text;
    for (const char* text : {"Who told you that \"x\"?", "¿Cómo sabes si está maduro?", "Come sai se è maturo?", "How do you know if a melon is ripe?", "Why do you know this town so well?", "\"Why do you know this?\"", "", "Why?"}) EXPECT_EQ(asks_where_from(text), std::nullopt) << text;
}

TEST_F(Provenance, TheFactsOfTheLastAnswerAreToldWithDayAndChannelAndNoModelIsAsked) {
    Harness h({says("Good evening!"), says("Zephyr!")});
    ChatRequest told = h.request("hearth", {user("Good evening!")});
    told.channel = "telegram";
    const auto first = h.chat(std::move(told));
    ASSERT_TRUE(first);
    h.in_tx([&](store::Tx& tx) { return store::remember(tx, {.body = "The canoe is called Zephyr", .run = first->run, .trusted = true, .quote = "Note that the canoe is called Zephyr"}); });
    const ChatResult answer = h.ask("hearth", "How is the canoe called?");
    const std::size_t asked = h.model->requests().size();
    const ChatResult why = h.ask("hearth", "Why do you know this?", answer.conversation);
    EXPECT_EQ(why.final_state, "answered");
    EXPECT_THAT(why.response, AllOf(StartsWith("For my last answer I was reminded of this:\n- “The canoe is called Zephyr”: told on 20"), HasSubstr(", through telegram, as “Note that the canoe is called Zephyr”")));
    EXPECT_EQ(h.streamed(), why.response);
    EXPECT_EQ(h.ask("hearth", "Who told you that?", answer.conversation).response, why.response) << "it is asked again";
    EXPECT_THAT(h.ask("hearth", "Woher weißt du das?", answer.conversation).response, AllOf(StartsWith("Für meine letzte Antwort"), HasSubstr(": gesagt am 20"), HasSubstr(", über telegram")));
    EXPECT_THAT(h.ask("hearth", "¿Cómo lo sabes?", answer.conversation).response, AllOf(StartsWith("Para mi última respuesta se me recordó esto:"), HasSubstr(": dicho el 20"), HasSubstr(", por el canal telegram")));
    EXPECT_THAT(h.ask("hearth", "Come lo sai?", answer.conversation).response, AllOf(StartsWith("Per la mia ultima risposta mi è stato ricordato questo:"), HasSubstr(": detto il 20"), HasSubstr(", tramite telegram")));
    EXPECT_EQ(h.model->requests().size(), asked);
    const auto said_of_it = [](store::Tx& tx) { return tx.exec("select string_agg(asked || answered, '|') from segment where asked = 'Why do you know this?'").at(0).text(0); };
    EXPECT_EQ(h.in_tx(said_of_it), "Why do you know this?") << "what was told is not found as if it had been said again";
    EXPECT_THAT(h.nodes(why.run), ::testing::ElementsAre("arbiter", "retrieve", "write_memory"));
}

TEST_F(Provenance, WhatAPlainQuestionAsksForIsSaidBackToASmallModelsPerson) {
    for (const ToolDiscipline discipline : {ToolDiscipline::guided, ToolDiscipline::free}) {
        Options options;
        options.default_discipline = discipline;
        Harness h({says("I do not know.")}, options);
        h.in_tx([](store::Tx& tx) { return store::remember(tx, {.body = "The yacht in the harbour is named Nora", .trusted = true}); });
        const bool guided = discipline == ToolDiscipline::guided;
        const ChatResult answer = h.ask("hearth", "How is the yacht in the harbour named?");
        EXPECT_EQ(answer.response, guided ? "“The yacht in the harbour is named Nora”" : "I do not know.");
        EXPECT_EQ(h.streamed(), answer.response);
        EXPECT_EQ(h.model->requests().empty(), guided);
        EXPECT_THAT(h.ask("hearth", "Why do you know this?", answer.conversation).response, HasSubstr("“The yacht in the harbour is named Nora”: told on 20"));
    }
}

TEST_F(Provenance, AnAnswerOfTheModelAloneIsSaidToBeOne) {
    Harness h({says("Good evening!")});
    const ChatResult answer = h.ask("hearth", "Good evening!");
    EXPECT_THAT(h.ask("hearth", "How do you know?", answer.conversation).response, StartsWith("I was reminded of nothing for my last answer"));
    EXPECT_THAT(h.ask("hearth", "How do you know?").response, StartsWith("I was reminded of nothing")) << "there was none";
}

TEST_F(Provenance, WhatWasForgottenSinceIsNotTold) {
    Harness h({says("Nanette!")});
    const auto fact = h.in_tx([&](store::Tx& tx) { return store::remember(tx, "The ferry of the island is called Nanette", {}); });
    const ChatResult answer = h.ask("hearth", "How is the ferry of the island called?");
    h.in_tx([&](store::Tx& tx) { return store::forget_facts(tx, {fact}, true); });
    EXPECT_THAT(h.ask("hearth", "Why do you know this?", answer.conversation).response, AllOf(StartsWith("I was reminded of nothing"), Not(HasSubstr("Nanette"))));
}

}  // namespace
}  // namespace agents::testing
