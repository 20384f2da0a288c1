// The store against a real PostgreSQL: what is kept, who sees it, what is refused.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "made_run.h"
#include "on_database.h"
#include "store/conversations.h"
#include "store/facts.h"
#include "store/keys.h"
#include "store/ledger.h"
#include "store/prompts.h"
#include "store/run_writer.h"
#include "store/runs.h"
#include "store/traces.h"
#include "support/run_task.h"

using base::Json;
using store::Tx;

namespace {

struct StoreTest : OnDatabase {
    using Made = MadeRun;
    // Its lease is let go of at once, as by a process that died.
    Made make_run(const store::Identity& who, const Json& content = "hello") {
        Made made = ::make_run(world->db(), who, content);
        made.lease.reset();
        return made;
    }
};

}  // namespace

TEST_F(StoreTest, AnotherPersonsRowsAreInvisibleInEveryTable) {
    const Made made = make_run(world->owner());
    as(world->owner(), [](Tx& tx) { return store::remember(tx, "the bin is emptied on Tuesday", {}); });
    auto lease = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(lease);
    as(world->owner(), [&](Tx& tx) {
        return store::write_intent(tx, {made.run, (*lease)->epoch(), "tool", "bash", "at_most_once", "c1", Json::object()});
    });
    const auto tables = as(world->owner(), [](Tx& tx) {
        return tx.exec("select table_name from information_schema.columns where column_name = 'audience_id' and table_schema = 'public'");
    });
    EXPECT_GE(tables.size(), 9u);
    for (const auto& table : tables) {
        const std::string count = "select count(*) from " + table.text(0) + " where audience_id = $1";
        auto rows = [&](Tx& tx) { return tx.exec(count, {world->owner().person}).at(0).integer(0); };
        EXPECT_EQ(as(world->member(), rows), 0) << table.text(0);
        EXPECT_EQ(as(store::Identity{}, rows), 0) << table.text(0);
    }
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return store::find_run(tx, made.run).has_value(); }));
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::find_run(tx, made.run).has_value(); }));
    // Every table is under forced row-level security, whoever adds one later.
    EXPECT_EQ(world->sql("select string_agg(relname, ',') from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
                         " and relname <> 'schema_migration' and not (relrowsecurity and relforcerowsecurity)"), "");
}

TEST_F(StoreTest, NobodyWritesInAnothersName) {
    auto forge = [&](Tx& tx) {
        return tx.exec("insert into fact (id, audience_id, body) values (gen_random_uuid(), $1, 'forged')", {world->owner().person});
    };
    EXPECT_THROW(as(world->member(), forge), store::DbError);
    EXPECT_THROW(as(store::Identity{}, [](Tx& tx) { return store::remember(tx, "x", {}); }), store::DbError);
    const Made made = make_run(world->owner());
    auto intrude = [&](Tx& tx) { return store::append_message(tx, made.conversation, {}, {{"role", "user"}, {"content", "me too"}}); };
    EXPECT_THROW(as(world->member(), intrude), store::DbError);
    auto give_away = [&](Tx& tx) { return tx.exec("update run set audience_id = $2 where id = $1", {made.run, world->member().person}); };
    EXPECT_THROW(as(world->owner(), give_away), store::DbError);
}

TEST_F(StoreTest, ArgumentsMayHoldAnyCharacter) {
    const Made made = make_run(world->owner());
    auto lease = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(lease);
    const Json odd = {{"text", std::string("a\0b", 3)}, {"number", 1e300}};
    as(world->owner(), [&](Tx& tx) {
        return store::write_intent(tx, {made.run, (*lease)->epoch(), "tool", "bash", "pure", "c", odd});
    });
    as(world->owner(), [&](Tx& tx) { store::save_turn(tx, made.run, (*lease)->epoch(), odd); });
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::list_steps(tx, made.run).at(0).input; }), odd);
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::find_run(tx, made.run)->turn; }), odd);
}

TEST_F(StoreTest, ParallelStepsOfARunAreNumberedOnce) {
    const Made made = make_run(world->owner());
    auto lease = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(lease);
    std::vector<std::thread> workers;
    std::atomic<int> failed = 0;
    for (int w = 0; w < 4; ++w)
        workers.emplace_back([&, w] {
            for (int i = 0; i < 10; ++i)
                try {
                    as(world->owner(), [&](Tx& tx) {
                        return store::write_intent(tx, {made.run, (*lease)->epoch(), "tool", "t", "pure", std::to_string(100 * w + i), Json::object()});
                    });
                } catch (const store::DbError&) {
                    ++failed;
                }
        });
    for (auto& worker : workers) worker.join();
    EXPECT_EQ(failed, 0);
    const auto steps = as(world->owner(), [&](Tx& tx) { return store::list_steps(tx, made.run); });
    ASSERT_EQ(steps.size(), 40u);
    for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i].position, std::int64_t(i));
}

TEST_F(StoreTest, AnEffectKeyIsUsedOnceInItsRun) {
    const Made made = make_run(world->owner()), other = make_run(world->owner());
    auto lease = store::acquire_lease(world->db(), world->owner(), made.run), second = store::acquire_lease(world->db(), world->owner(), other.run);
    ASSERT_TRUE(lease && second);
    auto begin = [&](base::RunId run, std::int64_t epoch) {
        return as(world->owner(), [&](Tx& tx) { return store::write_intent(tx, {run, epoch, "tool", "bash", "at_most_once", "call_1", Json::object()}); });
    };
    begin(made.run, (*lease)->epoch());
    try {
        begin(made.run, (*lease)->epoch());
        FAIL() << "the effect was begun twice";
    } catch (const store::DbError& e) {
        EXPECT_EQ(e.kind, store::DbError::Kind::unique);
        EXPECT_NE(std::string(e.what()).find("'call_1'"), std::string::npos) << e.what();
    }
    begin(other.run, (*second)->epoch());  // another run has keys of its own
    // A database in which that had not been held is brought to it.
    world->sql("drop index step_effect; insert into step select gen_random_uuid(), tenant_id, audience_id, node_id, run_id, position + 1, epoch,"
               " kind, name, effect, effect_key, state, input, outcome, started_at, finished_at from step where run_id = '" + made.run.text() + "'");
    world->sql(store::migrations().at(2).sql);
    const auto steps = as(world->owner(), [&](Tx& tx) { return store::list_steps(tx, made.run); });
    ASSERT_EQ(steps.size(), 2u);
    EXPECT_EQ(steps[0].effect_key, "call_1");
    EXPECT_NE(steps[1].effect_key, "call_1");
}

TEST_F(StoreTest, HistoryIsMatchedOrRefusedByIndex) {
    const Made made = make_run(world->owner());
    const Json first = {{"role", "user"}, {"content", "hello"}}, other = {{"role", "user"}, {"content", "goodbye"}};
    auto match = [&](std::vector<Json> given) {
        return as(world->owner(), [&](Tx& tx) { return store::match_history(tx, made.conversation, given); });
    };
    const Json answer = {{"role", "assistant"}, {"content", "good day"}};
    as(world->owner(), [&](Tx& tx) { return store::append_message(tx, made.conversation, {}, answer); });
    EXPECT_EQ(match({first, answer, other}).value(), 2u);
    EXPECT_EQ(match({other}).value(), 0u);         // no answer among them: only what is new
    EXPECT_EQ(match({first, other}).value(), 0u);
    const auto differs = match({other, answer, first}), nothing_new = match({first, answer});
    ASSERT_FALSE(differs);
    EXPECT_EQ(differs.error().code, base::Code::conflict);
    EXPECT_NE(differs.error().message.find("messages[0]"), std::string::npos);
    ASSERT_FALSE(nothing_new);
    EXPECT_NE(nothing_new.error().message.find("messages[1]"), std::string::npos);
}

TEST_F(StoreTest, StepsAreFencedByTheEpoch) {
    const Made made = make_run(world->owner());
    auto lease = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(lease);
    EXPECT_FALSE(store::acquire_lease(world->db(), world->owner(), made.run));
    const std::int64_t epoch = (*lease)->epoch();
    const store::StepIntent intent{made.run, epoch, "tool", "bash", "at_most_once", "c1", {{"command", "ls"}}};
    const auto step = as(world->owner(), [&](Tx& tx) { return store::write_intent(tx, intent); });
    lease = base::error(base::Code::cancelled, "let go");
    auto second = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(second);
    EXPECT_EQ((*second)->epoch(), epoch + 1);
    auto late = [&](Tx& tx) { store::write_outcome(tx, intent, step, "done", Json::object()); };
    EXPECT_THROW(as(world->owner(), late), store::DbError);
    auto stale = [&](Tx& tx) { return store::write_intent(tx, {made.run, epoch, "model", "default", "pure", "m2", Json::object()}); };
    EXPECT_THROW(as(world->owner(), stale), store::DbError);
    auto finish = [&](Tx& tx) { store::finish_run(tx, made.run, epoch + 1, "answered", "", {{"output_tokens", 3}}, Json::object()); };
    as(world->owner(), finish);
    const auto run = as(world->owner(), [&](Tx& tx) { return *store::find_run(tx, made.run); });
    EXPECT_EQ(run.status, "answered");
    EXPECT_THROW(as(world->owner(), finish), store::DbError);  // an end is final
    auto after = [&](Tx& tx) { return store::write_intent(tx, {made.run, epoch + 1, "tool", "t", "pure", "late", Json::object()}); };
    EXPECT_THROW(as(world->owner(), after), store::DbError);
    EXPECT_EQ(run.usage["output_tokens"], 3);
}

TEST_F(StoreTest, OnlyThePureOutcomeWaitsForTheNextWrite) {
    const Made made = make_run(world->owner());
    auto lease = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(lease);
    store::RunWriter writer(world->db(), world->owner(), made.run, (*lease)->epoch());
    const auto steps = [&] { return as(world->owner(), [&](Tx& tx) { return store::list_steps(tx, made.run); }); };
    const store::StepIntent model{{}, 0, "model", "default", "pure", "model:0", Json::object()}, tool{{}, 0, "tool", "bash", "at_most_once", "c1", Json::object()};

    const auto asked = support::run_task(writer.begin(model));
    EXPECT_EQ(steps().at(0).state, "intent");
    support::run_task(writer.end(model, asked, "done", {{"said", "call"}}));
    writer.defer_turn({{"phase", "retrieve"}});
    writer.defer_turn({{"phase", "copilot"}});
    EXPECT_EQ(steps().at(0).state, "intent");
    const auto called = support::run_task(writer.begin(tool));  // what it was asked for is committed before it is dispatched
    EXPECT_EQ(steps().at(0).state, "done");
    EXPECT_EQ(steps().at(0).outcome["said"], "call");
    EXPECT_EQ(steps().at(1).state, "intent");
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::find_run(tx, made.run)->turn; })["phase"], "copilot");
    support::run_task(writer.end(tool, called, "done", Json::object()));  // an effect's is not left to luck
    EXPECT_EQ(steps().at(1).state, "done");

    // What cannot be written is gone with its transaction, so that the end of the run still can.
    writer.defer([](Tx& tx) { tx.send("select 1 / 0"); });
    EXPECT_THROW(support::run_task(writer.finish("answered", "", Json::object(), Json::object())), store::DbError);
    support::run_task(writer.finish("failed", "why", Json::object(), {{"phase", "done"}}));
    const auto run = as(world->owner(), [&](Tx& tx) { return *store::find_run(tx, made.run); });
    EXPECT_EQ(run.status, "failed");
    EXPECT_EQ(run.turn["phase"], "done");
}

TEST_F(StoreTest, WhatAnInterruptedProcessLeftIsSettledOnce) {
    const Made left = make_run(world->owner()), held = make_run(world->owner());
    auto lease = store::acquire_lease(world->db(), world->owner(), held.run);
    {
        auto dying = store::acquire_lease(world->db(), world->owner(), left.run);
        for (const char* effect : {"pure", "at_most_once"})
            as(world->owner(), [&](Tx& tx) { return store::write_intent(tx, {left.run, (*dying)->epoch(), "tool", "t", effect, effect, Json::object()}); });
    }
    auto status = [&](base::RunId id) { return as(world->owner(), [&](Tx& tx) { return store::find_run(tx, id)->status; }); };
    EXPECT_EQ(status(left.run), "interrupted");
    EXPECT_EQ(status(held.run), "running");
    const auto settled = store::settle_interrupted(world->db());
    EXPECT_NE(std::find(settled.begin(), settled.end(), left.run), settled.end());
    EXPECT_EQ(std::find(settled.begin(), settled.end(), held.run), settled.end());
    EXPECT_EQ(status(left.run), "unknown_effect");
    const auto steps = as(world->owner(), [&](Tx& tx) { return store::list_steps(tx, left.run); });
    EXPECT_EQ(steps.at(0).state, "failed");
    EXPECT_EQ(steps.at(1).state, "unknown");
    const store::Trace trace = as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, left.run); });
    EXPECT_TRUE(trace.chain) << trace.chain.error().text();
    ASSERT_EQ(trace.spans.size(), 1u) << "the root, and only once";
    EXPECT_TRUE(trace.spans[0].parent.is_nil());
    EXPECT_EQ(trace.spans[0].kind, "run");
    EXPECT_EQ(trace.spans[0].attributes.at("final_state"), "unknown_effect");
    EXPECT_EQ(trace.spans[0].error, as(world->owner(), [&](Tx& tx) { return store::find_run(tx, left.run)->error; }));
    const auto again = store::settle_interrupted(world->db());
    EXPECT_EQ(std::find(again.begin(), again.end(), left.run), again.end());
}

TEST_F(StoreTest, ARunTellsTheBeginningOfItsQuestion) {
    std::string wide, cut;
    for (int n = 0; n < 400; ++n) wide += "é", cut += n < 300 ? "é" : "";
    const Json parts = Json::array({{{"type", "text"}, {"text", "one"}}, {{"type", "text"}, {"text", "two"}}});
    const std::pair<Json, std::string> questions[] = {{"who\nam \"I\"?", "who\nam \"I\"?"}, {parts, "one two"}, {wide, cut}, {std::string("a\0b", 3), ""}, {nullptr, ""}};
    for (const auto& [content, shown] : questions) {
        const Made made = make_run(world->owner(), content);
        EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::find_run(tx, made.run)->question; }), shown);
        EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::list_runs(tx, 1, std::nullopt).at(0).question; }), shown);
    }
}

TEST_F(StoreTest, ARunThatJustBeganIsNotTakenForInterrupted) {
    auto other = store::Db::open({store::app_url(world->cluster()), 1, world->foundation().node});  // a second process
    ASSERT_TRUE(other);
    const auto id = base::RunId::make(base::SystemClock().now());
    base::ConversationId conversation;
    {
        const auto lease = store::lease_new_run(world->db(), id);
        as(world->owner(), [&](Tx& tx) {
            conversation = base::ConversationId::make(base::SystemClock().now());
            store::create_conversation(tx, conversation, "api", "");
            const auto input = store::append_message(tx, conversation, {}, {{"role", "user"}, {"content", "hello"}});
            store::create_run(tx, *lease, conversation, input, "hearth");
        });
        const auto settled = store::settle_interrupted(**other);  // it starts right after the commit
        EXPECT_EQ(std::find(settled.begin(), settled.end(), id), settled.end());
        EXPECT_FALSE(store::acquire_lease(**other, world->owner(), id));
        const auto busy = [&](Tx& tx) { return store::busy_run(tx, conversation); };
        EXPECT_EQ((*other)->run_blocking(world->owner(), busy), id);
        EXPECT_EQ(as(world->member(), busy), base::RunId{});
        as(world->owner(), [&](Tx& tx) { return store::write_intent(tx, {id, lease->epoch(), "model", "default", "pure", "model:0", Json::object()}); });
    }
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::busy_run(tx, conversation); }), base::RunId{});
    const auto settled = store::settle_interrupted(**other);
    EXPECT_NE(std::find(settled.begin(), settled.end(), id), settled.end());
}

TEST_F(StoreTest, TracesAreChainedAndAppendOnly) {
    const Made made = make_run(world->owner());
    base::NullLog log;
    store::TraceSink sink(world->db(), log);
    for (int i = 0; i < 5; ++i) {
        base::Span span;
        span.id = base::SpanId::make(base::SystemClock().now());
        span.run = made.run;
        span.tenant = world->owner().tenant;
        span.person = world->owner().person;
        span.kind = "tool";
        span.name = "step " + std::to_string(i);
        span.started = base::SystemClock().now();
        span.body = {{"input", "ä\xff"}, {"n", i}};
        sink.emit(span);
    }
    sink.emit(store::TelemetryEvent{"GRAPH_NODE_DONE", "copilot", 12.5, "", world->owner().tenant, made.run, world->owner().person});
    sink.flush();
    EXPECT_EQ(sink.dropped(), 0u);
    auto spans = as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, made.run).spans; });
    ASSERT_EQ(spans.size(), 5u);
    EXPECT_EQ(spans[3].body["n"], 3);
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::list_events(tx, made.run); }).at(0).node, "copilot");
    auto verify = [&] { return as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, made.run).chain; }); };
    EXPECT_TRUE(verify());
    EXPECT_THROW(as(world->owner(), [&](Tx& tx) { return tx.exec("update span set name = 'other' where run_id = $1", {made.run}); }), store::DbError);
    EXPECT_THROW(as(world->owner(), [&](Tx& tx) { return tx.exec("delete from span where run_id = $1", {made.run}); }), store::DbError);
    const std::string third = spans[2].id.text();
    world->sql("delete from span_body where span_id = '" + third + "'");  // a body may be erased
    EXPECT_TRUE(verify());
    EXPECT_THROW(world->sql("update span set name = 'tampered' where id = '" + third + "'"), std::exception);  // not even the owner
    world->sql("alter table span disable trigger user");
    world->sql("update span set name = 'tampered' where id = '" + third + "'");
    world->sql("alter table span enable trigger user");
    auto broken = verify();
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find(third), std::string::npos);
}

TEST_F(StoreTest, KeysAreShownOnceAndRevocable) {
    const auto made = as(world->owner(), [&](Tx& tx) { return store::create_key(tx, world->owner().person, "laptop", {"chat", "dev"}); });
    EXPECT_EQ(made.secret.size(), 46u);
    auto found = store::authenticate(world->db(), made.secret);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->identity.person, world->owner().person);
    EXPECT_EQ((*found)->role, "owner");
    EXPECT_EQ((*found)->key.scopes, (std::vector<std::string>{"chat", "dev"}));
    EXPECT_FALSE(*store::authenticate(world->db(), "hk_wrong"));
    EXPECT_EQ(world->sql("select count(*) from api_key where hash like '%" + made.secret.substr(3) + "%'"), "0");
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return store::revoke_key(tx, made.key.id); }));
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::revoke_key(tx, made.key.id); }));
    EXPECT_FALSE(*store::authenticate(world->db(), made.secret));
}

TEST_F(StoreTest, FactsAreReadOnFromAPlace) {
    const base::AudienceId member{world->member().person.value};
    const auto scope = as(world->member(), [](Tx& tx) { return store::memory_scope(tx); });
    for (const char* body : {"first", "second", "third"}) as(world->member(), [&](Tx& tx) { return store::remember(tx, body, {}); });
    const auto behind = [&](const store::MemoryPlace& place, int most) { return as(world->member(), [&](Tx& tx) { return store::facts_behind(tx, member, place, most); }); };
    const auto two = behind(scope.next, 2);
    ASSERT_EQ(two.size(), 2u);
    EXPECT_EQ(two[0].body, "first");
    const auto rest = behind(two[1].place, 2);
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].body, "third");
    EXPECT_TRUE(as(world->member(), [&](Tx& tx) { return store::facts_by_id(tx, {}); }).empty());
    EXPECT_EQ(as(world->member(), [&](Tx& tx) { return store::facts_by_id(tx, {rest[0].id, two[0].id}); }).size(), 2u);
}

TEST_F(StoreTest, AMissingPromptFailsLoudly) {
    const auto live = [&](std::vector<std::string> names) { return as(world->owner(), [&](Tx& tx) { return store::live_prompts(tx, names); }); };
    const auto two = live({"intake", "copilot"});
    ASSERT_TRUE(two);
    EXPECT_EQ(two->size(), 2u);
    EXPECT_EQ(two->at("intake").name, "intake");
    EXPECT_FALSE(two->at("copilot").body.empty());
    EXPECT_THAT(live({"intake", "nothing"}).error().message, testing::HasSubstr("'nothing'"));
}

TEST_F(StoreTest, OwnersAndSuperusersAreRefused) {
    auto opened = store::Db::open({store::owner_url(world->cluster()), 1, {}});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::permission_denied);
}

TEST_F(StoreTest, DurabilityIsOn) {
    auto setting = [](const char* name) { return [name](Tx& tx) { return tx.exec("select current_setting($1)", {name}).at(0).text(0); }; };
    EXPECT_EQ(as({}, setting("fsync")), "on");
    EXPECT_EQ(as({}, setting("synchronous_commit")), "on");
}

TEST_F(StoreTest, MigrationsRefuseWhatDiffers) {
    auto changed = store::migrations();
    changed[0].sql += " ";
    EXPECT_EQ(store::migrate(store::owner_url(world->cluster()), changed).error().code, base::Code::conflict);
    EXPECT_EQ(store::migrate(store::owner_url(world->cluster()), {}).error().code, base::Code::conflict);
    auto again = store::migrate(store::owner_url(world->cluster()));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->applied.empty());
}

TEST_F(StoreTest, ProcessesThatMigrateAtOnceTakeTurns) {
    auto known = store::migrations();
    known.push_back({98, "turns", "select pg_sleep(0.2); create table turns (n integer)"});
    std::vector<std::thread> processes;
    std::atomic<int> applied = 0, good = 0;
    for (int i = 0; i < 4; ++i)
        processes.emplace_back([&] {
            const auto report = store::migrate(store::owner_url(world->cluster()), known);
            good += report.ok();
            if (report) applied += int(report->applied.size());
        });
    for (auto& process : processes) process.join();
    EXPECT_EQ(good, 4);
    EXPECT_EQ(applied, 1);
    // A number that arrives later than a higher one is still applied; one that fails leaves nothing.
    known.insert(known.begin() + 1, {97, "late", "create table late (n integer)"});
    EXPECT_EQ(store::migrate(store::owner_url(world->cluster()), known).value().applied, (std::vector<int>{97}));
    known.push_back({99, "broken", "create table half (n integer); select 1 / 0"});
    const auto broken = store::migrate(store::owner_url(world->cluster()), known);
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find("99 (broken)"), std::string::npos);
    EXPECT_EQ(world->sql("select to_regclass('half') is null"), "t");
    world->sql("drop table turns, late; delete from schema_migration where number in (97, 98)");
}

TEST_F(StoreTest, ALeaseEndsWithItsConnectionAndItsHolderIsFenced) {
    const Made made = make_run(world->owner());
    auto lost = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(lost);
    auto other = store::Db::open({store::app_url(world->cluster()), 1, world->foundation().node});
    ASSERT_TRUE(other);
    EXPECT_FALSE(store::acquire_lease(**other, world->owner(), made.run));
    // The holder's sessions end, as by a cut line: the owner may not end another role's, so one of hearth_app does it.
    as({}, [](Tx& tx) { return tx.exec("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"); });
    auto taken = store::acquire_lease(**other, world->owner(), made.run);
    for (int i = 0; i < 50 && !taken; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        taken = store::acquire_lease(**other, world->owner(), made.run);
    }
    ASSERT_TRUE(taken) << taken.error().text();
    auto late = [&](Tx& tx) { store::finish_run(tx, made.run, (*lost)->epoch(), "answered", "", Json::object(), Json::object()); };
    EXPECT_THROW(as(world->owner(), late), store::DbError);
    const Made next = make_run(world->owner());  // the process goes on with a new session
    EXPECT_TRUE(store::acquire_lease(world->db(), world->owner(), next.run));
}

TEST_F(StoreTest, ALeaseThatNobodyElseTookIsTakenAgainAfterALoss) {
    const Made made = make_run(world->owner());
    auto lease = store::acquire_lease(world->db(), world->owner(), made.run);
    ASSERT_TRUE(lease);
    as({}, [](Tx& tx) { return tx.exec("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"); });
    auto status = [&] { return as(world->owner(), [&](Tx& tx) { return store::find_run(tx, made.run)->status; }); };
    for (int i = 0; i < 50 && status() != "interrupted"; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_EQ(status(), "interrupted");
    world->db().restore_locks();
    EXPECT_EQ(status(), "running");
    const auto settled = store::settle_interrupted(world->db());
    EXPECT_EQ(std::find(settled.begin(), settled.end(), made.run), settled.end());
    as(world->owner(), [&](Tx& tx) { store::finish_run(tx, made.run, (*lease)->epoch(), "answered", "", Json::object(), Json::object()); });
    lease = base::error(base::Code::cancelled, "let go");
    EXPECT_TRUE(store::acquire_lease(world->db(), world->owner(), made.run));  // it was freed once and for all
}

TEST_F(StoreTest, ZConnectionsComeBackAfterTheServerDied) {
    auto one = [](Tx& tx) { return tx.exec("select 1").at(0).integer(0); };
    const auto status = store::cluster_status(world->cluster());
    ASSERT_TRUE(status && status->running);
    kill(status->pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_THROW(as({}, one), store::DbError);
    auto restarted = store::start_cluster(world->cluster());
    ASSERT_TRUE(restarted) << restarted.error().text();
    EXPECT_EQ(as({}, one), 1);
}
