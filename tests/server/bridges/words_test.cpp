#include "server/bridges/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace server::bridges;

namespace {

store::Run ended(const char* status, const char* answer) {
    store::Run run;
    run.status = status;
    run.turn = {{"answer", answer}};
    return run;
}

}  // namespace

TEST(BridgeWords, AnEndIsToldByItsAnswerElseByItsState) {
    EXPECT_EQ(end_words(ended("answered", "At ten.")), "At ten.");
    EXPECT_EQ(end_words(ended("partial", "At ten, and")), "At ten, and") << "what there is says itself how far it came";
    EXPECT_THAT(end_words(ended("no_backend", " \n")), testing::HasSubstr("No model"));
    for (const char* half : {"", "At ten, and"}) EXPECT_EQ(end_words(ended("cancelled", half)), "") << "whoever stopped it knows";
    for (const char* state : {"answered", "partial", "refused", "unknown_effect", "failed", "a state of the future"}) EXPECT_NE(end_words(ended(state, "")), "") << state;
    store::Run bare;
    bare.status = "failed";
    EXPECT_NE(end_words(bare), "");
}

TEST(BridgeWords, AStopSaysWhatStopped) {
    EXPECT_EQ(stopped_words({"Water the garden"}), "Stopped: “Water the garden”.");
    EXPECT_EQ(stopped_words({"one\ntwo", std::string(100, 'x')}), "Stopped: “one…”, “" + std::string(80, 'x') + "…”.");
    EXPECT_THAT(stopped_words({}), testing::HasSubstr("Nothing"));
}

TEST(BridgeWords, WhatCannotBeReadIsNamed) {
    Arrival arrival;
    arrival.text = "What is this?";
    EXPECT_EQ(said_with(arrival), "What is this?");
    arrival.media = "photo";
    EXPECT_EQ(said_with(arrival), "What is this?\n\n[photo came with this message; it cannot be read]");
    EXPECT_THAT(text_alone_words("voice"), testing::HasSubstr("(voice)"));
    EXPECT_THAT(pairing_words("ABCD-EFGH"), testing::HasSubstr("ABCD-EFGH"));
}
