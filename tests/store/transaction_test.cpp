// Transactions: what is sent and not waited for, what fails, what only reads.
#include <gtest/gtest.h>

#include "on_database.h"
#include "store/facts.h"

using store::Tx;

namespace {

using TransactionTest = OnDatabase;

}  // namespace

TEST_F(TransactionTest, ATransactionWithAFailedStatementIsNotTakenForCommitted) {
    auto careless = [](Tx& tx) {
        store::remember(tx, "kept only by a whole transaction", {});
        try {
            tx.exec("select no_such_function()");
        } catch (const store::DbError&) {
        }
    };
    EXPECT_THROW(as(world->owner(), careless), store::DbError);
    EXPECT_EQ(world->sql("select count(*) from fact where body like 'kept only%'"), "0");
}

TEST_F(TransactionTest, WhatIsOnlySentFailsTheCommit) {
    auto lost = [](Tx& tx) {
        store::remember(tx, "kept only with the rest", {});
        tx.send("select 1 / 0");
    };
    EXPECT_THROW(as(world->owner(), lost), store::DbError);
    EXPECT_EQ(world->sql("select count(*) from fact where body like 'kept only with%'"), "0");
    // The transaction that sent nothing more has an end too, and the connection goes on.
    auto thrown = [](Tx& tx) {
        store::remember(tx, "kept only with the rest", {});
        throw std::runtime_error("changed its mind");
    };
    EXPECT_THROW(as(world->owner(), thrown), std::runtime_error);
    auto kept = [](Tx& tx) {
        store::remember(tx, "kept with what follows", {});
        tx.send("select pg_sleep(0)");
    };
    as(world->owner(), kept);
    EXPECT_EQ(world->sql("select string_agg(body, ',') from fact where body like 'kept %'"), "kept with what follows");
    auto left_open = [](Tx& tx) { return tx.exec("select count(*) from pg_stat_activity where usename = current_user and state like 'idle in transaction%'").at(0).integer(0); };
    EXPECT_EQ(as({}, left_open), 0);
}

TEST_F(TransactionTest, WhatSaysThatItReadsCannotWrite) {
    auto write = [](Tx& tx) { store::remember(tx, "written by a reader", {}); };
    EXPECT_THROW(world->db().run_blocking(world->owner(), write, store::Db::Access::read), store::DbError);
    auto count = [](Tx& tx) { return tx.exec("select count(*) from fact where body = 'written by a reader'").at(0).integer(0); };
    for (int i = 0; i < 3; ++i) EXPECT_EQ(world->db().run_blocking(world->owner(), count, store::Db::Access::read), 0);
}

// Of a prepared statement whose limit it does not know PostgreSQL expects a share of the table, and would compile for seconds what takes a millisecond.
TEST_F(TransactionTest, NothingIsCompiledForRowsThatNobodyAsksFor) {
    auto plan = [](Tx& tx) { return tx.exec("select setting from pg_settings where name = 'jit'").at(0).text(0); };
    EXPECT_EQ(world->db().run_blocking(world->owner(), plan, store::Db::Access::read), "off");
}

TEST_F(TransactionTest, ARowThatMustBeTouchedIsRequiredByItsKind) {
    using Kind = store::DbError::Kind;
    for (const auto kind : {Kind::unique, Kind::foreign_key, Kind::serialization})
        try {
            as(world->owner(), [&](Tx& tx) { tx.send(store::require("select 1 from fact where id = gen_random_uuid()", kind, "$1"), {"nothing there"}); });
            FAIL() << "committed";
        } catch (const store::DbError& e) {
            EXPECT_EQ(e.kind, kind);
            EXPECT_STREQ(e.what(), "nothing there");
        }
    as(world->owner(), [](Tx& tx) { tx.send(store::require("select 1", Kind::unique, "$1"), {"nothing there"}); });
}
