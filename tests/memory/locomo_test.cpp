#include "memory/locomo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/fixtures.h"

namespace memory::locomo {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;

Json small() {
    return {{"sample_id", "conv-1"},
            {"conversation",
             {{"session_1_date_time", "1:56 pm on 8 May, 2023"},
              {"session_1", {{{"speaker", "Anna"}, {"dia_id", "D1:1"}, {"text", "Look at my dog!"}, {"blip_caption", "a photo of a poodle"}}, {{"speaker", "Bob"}, {"dia_id", "D1:2"}, {"text", "Nice"}}}},
              {"session_2_date_time", "9 am on 1 June, 2023"},
              {"session_2", {{{"speaker", "Bob"}, {"dia_id", "D2:1"}, {"text", "I am a baker"}}, {{"speaker", "Anna"}, {"dia_id", "D2:2"}, {"text", "I know"}}}},
              {"session_3_date_time", "9 am on 2 June, 2023"}}},
            {"qa",
             {{{"question", "What is Bob?"}, {"category", 4}, {"evidence", {"D2:1", "D:1:02"}}},
              {{"question", "Two in one"}, {"category", 1}, {"evidence", {"D2:1; D1:1", "D9:9", "D"}}},
              {{"question", "Nobody knows"}, {"category", 3}, {"evidence", Json::array()}}}}};
}

TEST(Locomo, IsReadWithCaptionsDaysAndEvidence) {
    const auto read = locomo::read(small());
    ASSERT_TRUE(read) << read.error().text();
    const Conversation& c = read->at(0);
    EXPECT_EQ(c.id, "conv-1");
    ASSERT_EQ(c.turns.size(), 4u);
    EXPECT_EQ(c.turns[0].text, "Look at my dog! a photo of a poodle");
    EXPECT_EQ(c.turns[2].session, "session_2");
    EXPECT_EQ(c.turns[1].said, std::chrono::sys_days(std::chrono::year(2023) / 5 / 8));
    ASSERT_EQ(c.questions.size(), 2u) << "one without evidence is not asked";
    EXPECT_THAT(c.questions[0].evidence, ElementsAre(1, 2));
    EXPECT_THAT(c.questions[1].evidence, ElementsAre(0, 2));
    EXPECT_EQ(locomo::read(Json::array({small(), small()}))->size(), 2u);
}

TEST(Locomo, WhatIsWrongIsNamed) {
    const auto refused = [](auto spoil) {
        Json json = small();
        spoil(json);
        const auto read = locomo::read(json);
        return read ? std::string("read") : read.error().text();
    };
    EXPECT_THAT(refused([](Json& j) { j = Json::array({1}); }), HasSubstr("number 1"));
    EXPECT_THAT(refused([](Json& j) { j.erase("qa"); }), HasSubstr("a list qa is expected"));
    EXPECT_THAT(refused([](Json& j) { j["conversation"]["session_1_date_time"] = "some day"; }), HasSubstr("conversation 'conv-1': session_1_date_time is 'some day'"));
    EXPECT_THAT(refused([](Json& j) { j["conversation"].erase("session_2_date_time"); }), HasSubstr("session_2_date_time"));
    EXPECT_THAT(refused([](Json& j) { j["conversation"]["session_1"][0].erase("speaker"); }), HasSubstr("speaker"));
    EXPECT_THAT(refused([](Json& j) { j["conversation"] = Json::object(); }), HasSubstr("session_1 is missing"));
    EXPECT_THAT(refused([](Json& j) { j["qa"][0].erase("category"); }), HasSubstr("category"));
    EXPECT_THAT(refused([](Json& j) { j["qa"][0]["evidence"] = {3}; }), HasSubstr("'What is Bob?'"));
}

std::vector<Hit> hits(std::vector<std::uint32_t> items) {
    std::vector<Hit> out;
    for (const std::uint32_t item : items) {
        out.emplace_back();
        out.back().item = item;
    }
    return out;
}

// Gains 1 at the first and 1/log2(4) at the third place of an ideal of 1 + 1/log2(3).
TEST(Locomo, ScoresAsCalculatedByHand) {
    const Conversation c = locomo::read(small())->at(0);
    const Score s = score(c, c.questions[0], hits({2, 0, 1, 3}));
    EXPECT_NEAR(s.ndcg_10, 1.5 / 1.6309297535714575, 1e-12);
    EXPECT_EQ(s.recall_10, 1);
    EXPECT_EQ(s.session_10, 1);
    const Score half = score(c, c.questions[0], hits({3, 2}));
    EXPECT_NEAR(half.ndcg_10, 0.6309297535714575 / 1.6309297535714575, 1e-12);
    EXPECT_EQ(half.recall_5, 0.5);
    EXPECT_EQ(half.session_5, 0.5);
    EXPECT_EQ(score(c, c.questions[0], {}).ndcg_10, 0);
}

TEST(Locomo, TheMeanOverCategoriesWeighsEachAlike) {
    Score good, bad;
    good.category = 1, good.ndcg_10 = 1;
    bad.category = 2, bad.ndcg_10 = 0;
    const Summary s = summary({good, good, good, bad});
    EXPECT_DOUBLE_EQ(s.ndcg_10, 0.5);
    EXPECT_DOUBLE_EQ(s.micro.ndcg_10, 0.75);
    EXPECT_EQ(s.questions, 4u);
}

// One conversation, so that a part of the whole measurement (hearth memory bench) is always made.
TEST(Locomo, RecallIsBetterThanBm25OnAConversationOfTheVectors) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    std::ifstream in(*vectors / "memory_bench/locomo/locomo_dev5.json");
    if (!in) GTEST_SKIP() << "no memory_bench/locomo among the vectors";
    const auto all = locomo::read(Json::parse(in));
    ASSERT_TRUE(all) << all.error().text();
    const Conversation& c = all->at(1);
    const Index index = index_of(c, {}), bare = index_of(c, {0, 0});
    std::vector<Score> ours, plain;
    for (const Asked& asked : c.questions) {
        const Question question = question_of(asked.text, c.ended);
        ours.push_back(score(c, asked, recall(index, question, kAll).hits));
        plain.push_back(score(c, asked, recall(bare, question, kAll, kPlain).hits));
    }
    const Summary us = summary(ours), them = summary(plain);
    EXPECT_GE(us.ndcg_10, 0.50);
    EXPECT_GE(us.micro.session_10, 0.94);
    EXPECT_GE(us.ndcg_10, them.ndcg_10 + 0.05);
}

}  // namespace
}  // namespace memory::locomo
