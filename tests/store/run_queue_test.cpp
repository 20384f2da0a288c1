// What is kept of runs that are taken in: nothing in which a secret's value can be read.
#include "store/run_queue.h"

#include <gmock/gmock.h>

#include "made_run.h"
#include "on_database.h"
#include "store/directives.h"

namespace {

using base::Json;
using store::Tx;
using testing::HasSubstr;

const std::string kSecret = "correct-horse-battery";

struct RunQueueTest : OnDatabase {
    std::unique_ptr<store::Db> db;
    std::vector<base::RunId> runs;

    void SetUp() override {
        OnDatabase::SetUp();
        if (!world) return;
        const auto redactor = std::make_shared<base::Redactor>();
        redactor->add(redactor->forms_of(kSecret));
        auto opened = store::Db::open({store::app_url(world->cluster()), 1, world->foundation().node, redactor});
        ASSERT_TRUE(opened) << opened.error().text();
        db = *std::move(opened);
    }
    void TearDown() override {
        if (!world) return;
        for (const auto& run : runs) world->sql("update run set state = 'failed', finished_at = now() where id = '" + run.text() + "'");
        world->sql("delete from directive");
        world->sql("delete from run_key");
    }
    template <class F>
    auto here(F work) {
        return db->run_blocking(world->owner(), work);
    }
    // In its clear or any other form.
    std::string rows_with_it(const std::string& table) { return world->sql("select count(*) from " + table + " where " + table + "::text like '%" + kSecret + "%'"); }
    base::RunId queue(const Json& metadata) {
        const auto now = base::SystemClock().now();
        const auto run = base::RunId::make(now);
        const auto conversation = base::ConversationId::make(now);
        runs.push_back(run);
        here([&](Tx& tx) {
            store::create_conversation(tx, conversation, "api", "");
            store::queue_run(tx, {run, conversation, "hearth", {{"instructions", "say " + kSecret}}, false, "what is " + kSecret, metadata});
        });
        return run;
    }
};

TEST_F(RunQueueTest, WhatNobodyHasBegunMayBeAskedSomethingElse) {
    const auto run = queue({});
    const Json other = {{"messages", {{{"role", "user"}, {"content", "the other way"}}}}};
    EXPECT_TRUE(here([&](Tx& tx) { return store::amend_queued(tx, run, other, "the other way"); }));
    EXPECT_EQ(here([&](Tx& tx) { return store::run_request(tx, run); }), other);
    EXPECT_EQ(here([&](Tx& tx) { return store::find_run(tx, run).value().question; }), "the other way");
    const auto amend = [&](Tx& tx) { return store::amend_queued(tx, run, other, ""); };
    EXPECT_FALSE(db->run_blocking(world->member(), amend)) << "another person's";
    {
        auto lease = store::acquire_lease(*db, world->owner(), run);
        ASSERT_TRUE(lease);
        EXPECT_FALSE(here([&](Tx& tx) { return store::amend_queued(tx, run, {}, ""); })) << "somebody is about to begin it";
    }
    EXPECT_TRUE(here([&](Tx& tx) { return store::amend_queued(tx, run, other, "x"); })) << "and let go of it";
    here([&](Tx& tx) {
        const auto kept = store::find_run(tx, run).value();
        const auto input = store::append_message(tx, kept.conversation, {}, {{"role", "user"}, {"content", "hello"}});
        store::begin_run(tx, run, kept.epoch, input, {}, false);
    });
    EXPECT_FALSE(here([&](Tx& tx) { return store::amend_queued(tx, run, {}, ""); })) << "it has begun";
}

TEST_F(RunQueueTest, ARunKeepsNoSecret) {
    const auto run = queue({{"note", "it is " + kSecret}, {kSecret, "x"}, {"plain", "kept"}});
    const auto begun = here([&](Tx& tx) {
        const auto kept = store::find_run(tx, run).value();
        const auto input = store::append_message(tx, kept.conversation, {}, {{"role", "user"}, {"content", "hello"}});
        store::begin_run(tx, run, kept.epoch, input, {{"standing", "say " + kSecret}}, false);
        return store::find_run(tx, run).value();
    });
    EXPECT_EQ(begun.metadata["plain"], "kept");
    EXPECT_EQ(begun.metadata["note"], "it is [redacted: secret]");
    auto made = make_run(*db, world->owner(), "hello", {{{"standing", "say " + kSecret}}, false});
    runs.push_back(made.run);
    EXPECT_EQ(here([&](Tx& tx) { return store::run_request(tx, made.run); })["standing"], "say [redacted: secret]");
    EXPECT_EQ(rows_with_it("run"), "0");
}

TEST_F(RunQueueTest, AKeyWithASecretIsKeptByItsDigestAndFoundAgain) {
    const auto run = queue(nullptr), other = queue(nullptr);
    const std::string key = "k-" + kSecret;
    EXPECT_FALSE(here([&](Tx& tx) { return store::claim_key(tx, key, "a", run); }));
    EXPECT_FALSE(here([&](Tx& tx) { return store::claim_key(tx, key + "-2", "a", other); })) << "another key";
    const auto again = here([&](Tx& tx) { return store::claim_key(tx, key, "a", other); });
    ASSERT_TRUE(again);
    EXPECT_EQ(again->run, run);
    EXPECT_TRUE(again->same);
    here([&](Tx& tx) { store::move_key(tx, key, other); });
    EXPECT_EQ(here([&](Tx& tx) { return store::find_key(tx, key, "b"); })->run, other);
    EXPECT_EQ(rows_with_it("run_key"), "0");
    here([&](Tx& tx) { store::claim_key(tx, "plain", "a", run); });
    EXPECT_EQ(world->sql("select count(*) from run_key where key = 'plain'"), "1");
}

TEST_F(RunQueueTest, ADirectiveKeepsNoSecret) {
    const auto added = here([&](Tx& tx) { return store::add_directive(tx, "door", "The code is " + kSecret + ".", {}, std::chrono::days(3)); });
    ASSERT_TRUE(added) << added.error().text();
    EXPECT_EQ(added->text, "The code is [redacted: secret].");
    EXPECT_EQ(rows_with_it("directive"), "0");
    const auto named = here([&](Tx& tx) { return store::add_directive(tx, kSecret, "Whisper.", {}, std::chrono::days(3)); });
    ASSERT_FALSE(named);
    EXPECT_EQ(named.error().message.find(kSecret), std::string::npos);
}

}  // namespace
