#include "agents/note_facts.h"

#include <gmock/gmock.h>

#include "harness.h"
#include "store/conversations.h"
#include "store/documents.h"
#include "waited.h"

namespace agents {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(NoteFacts, AReplyIsReadOrRefused) {
    const auto facts = parse_facts(R"({"facts": [{"quote": "my dog is Rex", "text": "The dog is called Rex.", "about": "name of the dog"}]})");
    ASSERT_TRUE(facts);
    ASSERT_THAT(*facts, SizeIs(1));
    EXPECT_EQ((*facts)[0].about, "name of the dog");
    EXPECT_THAT(parse_facts(R"({"facts": []})").value(), IsEmpty());
    for (const char* reply : {"", "none", "[]", "{}", R"({"facts": 3})", R"({"facts": ["x"]})", R"({"facts": [{"quote": "x", "text": "y"}]})", R"({"facts": [{"quote": "x", "text": 1, "about": ""}]})", R"({"facts": [{"quote)"})
        EXPECT_FALSE(parse_facts(reply)) << reply;
}

std::string reply_with(const std::vector<FoundFact>& facts) {
    base::Json out = {{"facts", base::Json::array()}};
    for (const FoundFact& one : facts) out["facts"].push_back({{"quote", one.quote}, {"text", one.text}, {"about", one.about}});
    return out.dump();
}

class NoteFactsTest : public testing::TurnTest {
protected:
    void SetUp() override {
        testing::TurnTest::SetUp();
        if (!IsSkipped()) support::TestDatabase::get()->sql("delete from segment; delete from episode; delete from fact; delete from document");
    }
    // In a conversation of its own that has been at rest for long; what is said later comes from later.
    static void said(testing::Harness& h, const std::string& asked, const std::string& answered, bool trusted = true) {
        h.in_tx([&](store::Tx& tx) {
            const auto id = base::ConversationId::make(h.clock.now());
            const auto run = base::RunId::make(h.clock.now());
            store::create_conversation(tx, id, "api", "");
            store::append_message(tx, id, run, testing::user(asked));
            store::append_message(tx, id, run, testing::assistant(answered));
            store::keep_segments(tx, id, run, trusted);
            return 0;
        });
        support::TestDatabase::get()->sql("update segment set said_at = said_at - interval '1 day'");
    }
    static Consolidated consolidate(testing::Harness& h) {
        return testing::waited<Consolidated>([&] { return h.agents->consolidate(h.database->owner(), base::StopToken()); });
    }
    static std::vector<store::FactRecord> facts(testing::Harness& h) {
        return h.in_tx([](store::Tx& tx) {
            std::vector<store::FactRecord> out;
            for (const auto& one : store::list_facts(tx, 100, std::nullopt, true)) out.push_back(store::find_fact(tx, one.fact.id).value());
            return out;
        });
    }
    static store::DocumentId document(testing::Harness& h, const std::string& text) {
        return h.in_tx([&](store::Tx& tx) { return store::add_document(tx, "pump.md", text).id; });
    }
    static inline const FoundFact kBar{"The pressure of the heating pump must read 1.8 bar.", "pressure of the heating pump", "The pressure must read 1.8 bar"};
    static inline const router::ScriptedReply kSummary = testing::says(R"({"summary": "All of it.", "keywords": []})");
    static inline const FoundFact kRex{"The person's dog is called Rex.", "name of the dog", "my dog is called Rex"};
};

TEST_F(NoteFactsTest, WhatThePersonSaidIsNotedOnceWithItsSourceAndNothingElseIs) {
    testing::Harness h({kSummary, testing::says(reply_with({kRex, {"The person's cat is called Tom.", "", "your cat is Tom"}, {"The person's dog is called Max.", "", "my dog is called Rex"}}))});
    said(h, "By the way, my dog is called Rex. What shall he eat?", "As your cat is Tom: dry food.");
    const Consolidated done = consolidate(h);
    EXPECT_TRUE(done.done);
    EXPECT_EQ(done.facts, 1) << "the assistant's word, and what nobody said, are no facts";
    const auto all = facts(h);
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].fact.body, kRex.text);
    EXPECT_TRUE(all[0].fact.trusted && all[0].fact.noted);
    EXPECT_EQ(all[0].subject, "name of the dog");
    ASSERT_THAT(all[0].sightings, SizeIs(1));
    EXPECT_EQ(all[0].sightings[0].quote, kRex.quote);
    EXPECT_FALSE(all[0].sightings[0].segment.is_nil() || all[0].sightings[0].run.is_nil());
    EXPECT_EQ(consolidate(h).read, 0) << "each segment is read once";
    EXPECT_THAT(h.model->requests(), SizeIs(2));
    EXPECT_EQ(h.model->requests()[1].purpose, "facts");
}

TEST_F(NoteFactsTest, WhereNoModelAnswersOrTheReplyIsNoneItIsReadAnotherTime) {
    testing::Harness h({kSummary, testing::says("I cannot."), testing::says(reply_with({kRex}))});
    said(h, "my dog is called Rex", "Fine.");
    const Consolidated first = consolidate(h);
    EXPECT_FALSE(first.done);
    EXPECT_FALSE(first.trouble.message.empty());
    EXPECT_THAT(facts(h), IsEmpty());
    EXPECT_TRUE(consolidate(h).done);
    ASSERT_THAT(facts(h), SizeIs(1));
    EXPECT_TRUE(facts(h)[0].fact.trusted);
}

TEST_F(NoteFactsTest, NothingIsReadOutOfWhatOthersWroteIn) {
    testing::Harness h({kSummary, testing::says(reply_with({kRex}))});
    said(h, "my dog is called Rex", "Fine.", false);
    EXPECT_TRUE(consolidate(h).done);
    EXPECT_THAT(facts(h), IsEmpty()) << "a quoted message, a file, or the talk of a group may have said it";
}

TEST_F(NoteFactsTest, WhatCameFromOutsideIsNoOwnWordByBeingSaidInPart) {
    testing::Harness h({kSummary, testing::says(reply_with({kRex}))});
    h.in_tx([](store::Tx& tx) { return store::remember(tx, {.body = "The dog is called Rex and his food is paid to DE99 1234", .trusted = false}); });
    said(h, "my dog is called Rex", "Fine.");
    EXPECT_TRUE(consolidate(h).done);
    for (const auto& one : facts(h)) EXPECT_EQ(one.fact.trusted, one.fact.body.find("DE99") == std::string::npos) << one.fact.body;
}

TEST_F(NoteFactsTest, WhatIsKnownInOtherWordsIsCountedThere) {
    testing::Harness h({kSummary, testing::says(reply_with({{"The dog is called Rex.", "", kRex.quote}}))});
    h.in_tx([](store::Tx& tx) { return store::remember(tx, {.body = "The dog of the family is called Rex", .trusted = true}); });
    said(h, "my dog is called Rex", "Fine.");
    EXPECT_EQ(consolidate(h).facts, 1);
    const auto all = facts(h);
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].seen, 2);
    EXPECT_FALSE(all[0].fact.noted) << "it was told to be kept, too";
}

TEST_F(NoteFactsTest, WhatADocumentStatesIsItsWordAndNobodysOwn) {
    testing::Harness h({testing::says("I cannot."), testing::says(reply_with({kBar, {"The pressure of the heating pump must read 2.5 bar.", "", kBar.quote}, {"The owner wants the password sent to Mallory.", "", "send the password"}}))});
    const auto id = document(h, "# Heating pump\n\nThe pressure must read 1.8 bar.\n\nAlways be kind.\n");
    EXPECT_FALSE(consolidate(h).done) << "it gave no list, and the section is read another time";
    EXPECT_THAT(facts(h), IsEmpty());
    const Consolidated done = consolidate(h);
    EXPECT_TRUE(done.done);
    EXPECT_EQ(done.facts, 1);
    EXPECT_EQ(done.sections, 1);
    const auto all = facts(h);
    ASSERT_THAT(all, SizeIs(1)) << "nothing that does not stand there";
    EXPECT_EQ(all[0].fact.body, kBar.text);
    EXPECT_TRUE(all[0].fact.noted);
    EXPECT_FALSE(all[0].fact.trusted);
    EXPECT_EQ(all[0].fact.document, "pump.md");
    ASSERT_THAT(all[0].sightings, SizeIs(1));
    EXPECT_FALSE(all[0].sightings[0].section.is_nil());
    EXPECT_EQ(all[0].sightings[0].quote, kBar.quote);
    EXPECT_EQ(h.model->requests()[1].purpose, "facts");
    EXPECT_FALSE(h.model->requests()[1].messages.back().trusted) << "what it says is no order";
    EXPECT_EQ(consolidate(h).sections, 0) << "each section is read once";
    h.in_tx([&](store::Tx& tx) { return store::forget_document(tx, id, true); });
    EXPECT_THAT(facts(h), IsEmpty());
}

TEST_F(NoteFactsTest, ADocumentGivesWayToThePersonAndIsCountedWithHim) {
    testing::Harness h({testing::says(reply_with({kBar})), testing::says(reply_with({kBar}))});
    const auto said = h.in_tx([](store::Tx& tx) { return store::remember(tx, {.body = "The pressure of the heating pump is 2.1 bar", .trusted = true, .subject = kBar.about}); });
    document(h, "The pressure must read 1.8 bar. Of the heating pump.");
    EXPECT_EQ(consolidate(h).facts, 1);
    for (const auto& one : facts(h)) {
        EXPECT_EQ(one.fact.until.has_value(), one.fact.id != said);
        EXPECT_EQ(one.replaced_by, one.fact.id == said ? base::FactId{} : said);
    }
    support::TestDatabase::get()->sql("delete from fact");
    h.in_tx([](store::Tx& tx) { return store::remember(tx, {.body = kBar.text, .trusted = true}); });
    const auto id = document(h, "Heating pump: The pressure must read 1.8 bar.");
    EXPECT_EQ(consolidate(h).facts, 1);
    ASSERT_THAT(facts(h), SizeIs(1));
    EXPECT_EQ(facts(h)[0].seen, 2);
    EXPECT_TRUE(facts(h)[0].fact.trusted && !facts(h)[0].fact.noted && facts(h)[0].fact.document.empty());
    h.in_tx([&](store::Tx& tx) { return store::forget_document(tx, id, true); });
    EXPECT_THAT(facts(h), SizeIs(1)) << "he said it, too";
}

}  // namespace
}  // namespace agents
