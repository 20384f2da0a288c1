// Traces as time goes by, against a database owner who changes them with triggers off.
#include "store/trace_keeping.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "made_run.h"
#include "on_database.h"
#include "store/connection.h"
#include "store/conversations.h"
#include "store/digest.h"
#include "store/run_events.h"
#include "store/runs.h"
#include "store/traces.h"
#include "support/fixtures.h"

namespace {

using base::Json;
using store::Tx;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kSpans = 5;

struct TraceKeepingTest : OnDatabase {
    support::TempDir folder;
    base::NullLog log;

    // Whoever settles what others left finds nothing that was tampered with.
    void TearDown() override {
        if (world) world->sql("update run set state = 'failed', finished_at = now() where state is null");
    }

    // Five spans, the root last, as a run writes them.
    base::RunId traced(std::vector<base::SpanId>* ids = nullptr) {
        const auto now = base::SystemClock().now();
        const auto run = make_run(world->db(), world->owner()).run;
        store::TraceSink sink(world->db(), log);
        const auto root = base::SpanId::make(now);
        for (int i = 0; i < kSpans; ++i) {
            base::Span span;
            const bool last = i == kSpans - 1;
            span.id = last ? root : base::SpanId::make(now);
            span.parent = last ? base::SpanId{} : root;
            span.run = run;
            span.tenant = world->owner().tenant;
            span.person = world->owner().person;
            span.kind = last ? "run" : "tool";
            span.name = "step " + std::to_string(i);
            span.started = now;
            span.attributes = {{"n", i}};
            if (i != 1) span.body = {{"said", i}};  // one has none
            if (ids) ids->push_back(span.id);
            sink.emit(span);
        }
        sink.flush();
        return run;
    }
    // As the cluster's administrator, with triggers and foreign keys off.
    void tamper(const std::string& statements) {
        std::string url = world->admin_url();
        url.replace(url.find("dbname=postgres"), 15, "dbname=hearth");
        store::Connection(url).script("set session_replication_role = replica; begin; " + statements + "; commit");
    }
    void anchor_today() {
        tamper("delete from trace_head where day = (now() at time zone 'UTC')::date; delete from trace_anchor where day = (now() at time zone 'UTC')::date");
        EXPECT_EQ(as(store::Identity{}, [](Tx& tx) { return store::anchor_traces(tx); }), 1);
        EXPECT_EQ(as(store::Identity{}, [](Tx& tx) { return store::anchor_traces(tx); }), 0);  // once a day
    }
    store::RunVerdict verify(base::RunId run) {
        return as(world->owner(), [&](Tx& tx) { return store::verify_run(tx, run); });
    }
    std::vector<std::string> anchor_faults() {
        return as(world->owner(), [&](Tx& tx) { return store::verify_anchors(tx, folder.path()).faults; });
    }
    base::Result<void> witness() {
        return as(store::Identity{}, [&](Tx& tx) { return store::witness_anchors(tx, folder.path()); });
    }
    static std::string at(base::RunId run, int position) { return " where run_id = '" + run.text() + "' and position = " + std::to_string(position); }
};

}  // namespace

TEST_F(TraceKeepingTest, AWholeRunIsSaidToBeWhole) {
    const auto run = traced();
    anchor_today();
    const auto verdict = verify(run);
    EXPECT_FALSE(verdict.fault) << verdict.fault->what;
    EXPECT_EQ(verdict.spans, kSpans);
    EXPECT_EQ(verdict.erased, 0);
    EXPECT_TRUE(verdict.ended);
    EXPECT_EQ(as(world->member(), [&](Tx& tx) { return store::verify_run(tx, run).spans; }), 0);  // another person's is none
}

TEST_F(TraceKeepingTest, RunsOfOneLookAreToldApart) {
    std::vector<base::RunId> runs;
    for (int i = 0; i < 5; ++i) runs.insert(runs.begin(), traced());
    tamper("update span set name = 'other'" + at(runs[2], 1) + "; delete from span where run_id = '" + runs[3].text() + "'");
    const auto verify_after = [&](std::optional<base::RunId> before, int limit) { return as(world->owner(), [&](Tx& tx) { return store::verify_runs(tx, before, limit); }); };
    const auto all = verify_after(std::nullopt, 5);
    ASSERT_EQ(all.size(), 5u);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].run, runs[i]);
        EXPECT_EQ(all[i].fault.has_value(), i == 2) << i;
        EXPECT_EQ(all[i].spans, i == 3 ? 0 : kSpans) << i;
    }
    const auto page = verify_after(runs[1], 2);
    ASSERT_EQ(page.size(), 2u);
    EXPECT_EQ(page[0].run, runs[2]);
    tamper("delete from step where run_id = any('{" + runs[2].text() + "," + runs[3].text() + "}'); delete from span where run_id = '" + runs[2].text() + "'; delete from run where id = any('{" + runs[2].text() + "," + runs[3].text() + "}')");
}

TEST_F(TraceKeepingTest, EveryChangedColumnOfEverySpanIsFound) {
    const std::string changes[] = {
        "id = gen_random_uuid()", "parent_id = gen_random_uuid()", "run_id = gen_random_uuid()", "tenant_id = gen_random_uuid()", "audience_id = gen_random_uuid()", "node_id = gen_random_uuid()",
        "node_id = null", "position = position + 100", "kind = 'phase'", "name = name || ' '", "started_us = started_us + 1", "duration_us = duration_us + 1", "error = 'x'",
        "attributes = '{\"n\": 9}'", "details_digest = repeat('0', 64)", "body_digest = repeat('0', 64)", "hash = '2:' || repeat('0', 64)",
    };
    const std::string columns = world->sql("select string_agg(column_name, ',') from information_schema.columns where table_name = 'span' and table_schema = 'public'");
    for (std::size_t from = 0; from < columns.size();) {  // a new column wants a case here
        const std::string column = columns.substr(from, columns.find(',', from) - from);
        EXPECT_THAT(changes, Contains(testing::StartsWith(column + " ="))) << column;
        from += column.size() + 1;
    }
    for (const auto& change : changes)
        for (const int position : {0, 2, kSpans - 1}) {
            SCOPED_TRACE(change + " at " + std::to_string(position));
            const auto run = traced();
            anchor_today();
            tamper("update span set " + change + at(run, position));
            const auto fault = verify(run).fault;
            ASSERT_TRUE(fault);
            EXPECT_EQ(fault->position, position) << fault->what;
            EXPECT_THAT(fault->what, HasSubstr(run.text()));
        }
}

TEST_F(TraceKeepingTest, EveryOtherOrderIsFound) {
    for (int i = 0; i < kSpans; ++i)
        for (int j = i + 1; j < kSpans; ++j) {
            std::vector<base::SpanId> ids;
            const auto run = traced(&ids);
            tamper("update span set position = -1" + at(run, i) + "; update span set position = " + std::to_string(i) + at(run, j) + "; update span set position = " + std::to_string(j) + at(run, -1));
            const auto fault = verify(run).fault;
            ASSERT_TRUE(fault);
            EXPECT_EQ(fault->position, i);
            EXPECT_EQ(fault->span, ids[std::size_t(i)]);
            EXPECT_THAT(fault->what, HasSubstr("reordered"));
        }
}

TEST_F(TraceKeepingTest, EverySpanThatIsGoneIsMissed) {
    for (int gone = 0; gone < kSpans; ++gone)
        for (const bool closed_up : {false, true}) {
            SCOPED_TRACE(std::to_string(gone) + (closed_up ? ", closed up" : ""));
            const auto run = traced();
            anchor_today();
            tamper("delete from span" + at(run, gone) + (closed_up ? "; update span set position = position - 1 where run_id = '" + run.text() + "' and position > " + std::to_string(gone) : ""));
            const auto fault = verify(run).fault;
            ASSERT_TRUE(fault);
            EXPECT_EQ(fault->position, gone) << fault->what;
        }
}

// Behind the last anchor nothing but the root says where a trace ends.
TEST_F(TraceKeepingTest, AnEndThatIsGoneIsMissedOfARunThatHasEnded) {
    for (const int kept : {kSpans - 1, 1, 0}) {
        const auto run = traced();
        tamper("delete from span where run_id = '" + run.text() + "' and position >= " + std::to_string(kept));
        EXPECT_FALSE(verify(run).fault) << "it may work still";
        tamper("update run set state = 'waiting_person' where id = '" + run.text() + "'");
        EXPECT_FALSE(verify(run).fault) << "or go on one day";
        tamper("update run set state = 'answered' where id = '" + run.text() + "'");
        const auto fault = verify(run).fault;
        ASSERT_TRUE(fault) << kept;
        EXPECT_EQ(fault->position, kept);
        EXPECT_THAT(fault->what, HasSubstr("no root"));
    }
}

TEST_F(TraceKeepingTest, AnErasedBodyIsFineAndAChangedOneIsNot) {
    std::vector<base::SpanId> ids;
    const auto run = traced(&ids);
    tamper("delete from span_body where span_id = '" + ids[2].text() + "'");
    EXPECT_FALSE(verify(run).fault);
    EXPECT_EQ(verify(run).erased, 1);
    tamper("update span_body set body = body || ' ' where span_id = '" + ids[3].text() + "'");
    const auto fault = verify(run).fault;
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->span, ids[3]);
    EXPECT_THAT(fault->what, HasSubstr("the body of span " + ids[3].text()));
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, run).chain.ok(); }));
}

TEST_F(TraceKeepingTest, ForgottenAttributesAreFineAndChangedOnesAreNot) {
    const auto run = traced();
    world->sql("update span set attributes = '{\"forgotten\":true}'" + at(run, 2));  // as hearth_forget does
    EXPECT_FALSE(verify(run).fault);
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, run).spans.at(2).attributes; }), (Json{{"forgotten", true}}));
    EXPECT_THROW(world->sql("update span set attributes = '{}'" + at(run, 3)), std::exception) << "nothing else may be written there, by nobody";
    EXPECT_THROW(world->sql("update span set attributes = '{\"forgotten\":true}', error = 'x'" + at(run, 3)), std::exception);
    tamper("update span set error = 'x'" + at(run, 2));
    EXPECT_EQ(verify(run).fault->position, 2);
}

TEST_F(TraceKeepingTest, AChainWhoseHashesWereMadeAnewIsFoundByItsAnchor) {
    const auto run = traced();
    anchor_today();
    auto spans = as(world->owner(), [&](Tx& tx) { return store::read_spans(tx, {run}); });
    std::string previous, statements;
    for (auto& s : spans) {
        if (s.position == 3) s.span.name = "nothing happened";
        s.hash = previous = store::chain_hash(previous, s);
        statements += (statements.empty() ? "" : "; ") + ("update span set name = '" + s.span.name + "', hash = '" + s.hash + "'" + at(run, int(s.position)));
    }
    tamper(statements);
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, run).chain.ok(); }));  // the chain alone cannot tell
    const auto fault = verify(run).fault;
    ASSERT_TRUE(fault);
    EXPECT_THAT(fault->what, HasSubstr("the anchor of "));
    EXPECT_THAT(anchor_faults(), Contains(HasSubstr(run.text())));
}

TEST_F(TraceKeepingTest, SpansOfBeforeAreVerifiedAsTheyWereHashed) {
    const auto run = traced();
    auto spans = as(world->owner(), [&](Tx& tx) { return store::read_spans(tx, {run}); });
    std::string previous, statements;
    for (const auto& s : spans) {
        const Json fields = {previous, s.span.id.text(), s.span.parent.text(), run.text(), s.span.kind, s.span.name, store::micros_of(s.span.started), s.span.duration.count(), s.span.error, s.attributes, s.body_digest};
        previous = store::sha256_hex(fields.dump());
        statements += (statements.empty() ? "" : "; ") + ("update span set hash = '" + previous + "'" + at(run, int(s.position)));
    }
    tamper(statements);
    EXPECT_FALSE(verify(run).fault);
    tamper("update span set kind = 'phase'" + at(run, 2));
    EXPECT_EQ(verify(run).fault->position, 2);
}

TEST_F(TraceKeepingTest, ARunThatIsGoneIsMissed) {
    const auto run = traced();
    anchor_today();
    EXPECT_THAT(anchor_faults(), testing::Not(Contains(HasSubstr(run.text()))));
    tamper("delete from span_body where span_id in (select id from span where run_id = '" + run.text() + "'); delete from span where run_id = '" + run.text() + "'; delete from run where id = '" + run.text() + "'");
    EXPECT_THAT(anchor_faults(), Contains(HasSubstr("run " + run.text() + ", which the anchor of ")));
    EXPECT_THAT(as(world->member(), [&](Tx& tx) { return store::verify_anchors(tx, folder.path()).faults; }), Contains(HasSubstr(run.text())));  // whoever looks
}

TEST_F(TraceKeepingTest, AnchorsAreChainedAndHaveAWitnessOutside) {
    const auto day_faults = [&] {
        std::vector<std::string> out;
        for (const auto& fault : anchor_faults())
            if (fault.starts_with("the anchor")) out.push_back(fault);
        return out;
    };
    const auto run = traced();
    anchor_today();
    // Two days pass: what is anchored moves into the past.
    const auto a_day_passes = [&] {
        for (const char* table : {"trace_head", "trace_anchor"})  // far away and back: no two of a day on the way
            tamper(std::string("update ") + table + " set day = day - 10000; update " + table + " set day = day + 9999");
        std::string previous;
        for (int i = 0;; ++i) {
            const std::string which = "(select day from trace_anchor order by day offset " + std::to_string(i) + " limit 1)";
            if (world->sql("select day from trace_anchor order by day offset " + std::to_string(i) + " limit 1").empty()) break;
            tamper("update trace_anchor set previous = '" + previous + "' where day = " + which);
            tamper("update trace_anchor a set hash = encode(sha256(convert_to(hearth_anchor_text(a.tenant_id, a.day, a.previous), 'UTF8')), 'hex') where day = " + which);
            previous = world->sql("select hash from trace_anchor where day = " + which);
        }
        EXPECT_EQ(as(store::Identity{}, [](Tx& tx) { return store::anchor_traces(tx); }), 1);
    };
    a_day_passes();
    traced();
    a_day_passes();
    ASSERT_GE(std::stoi(world->sql("select count(*) from trace_anchor")), 3);
    ASSERT_TRUE(witness());
    ASSERT_TRUE(witness());  // nothing new
    std::ifstream in(folder.path() / "trace-anchors");
    EXPECT_EQ(std::to_string(std::count(std::istreambuf_iterator<char>(in), {}, '\n')), world->sql("select count(*) from trace_anchor"));
    EXPECT_THAT(day_faults(), IsEmpty());

    tamper("create table kept_anchor as select * from trace_anchor; create table kept_head as select * from trace_head");
    const auto restore = [&] { tamper("delete from trace_head; delete from trace_anchor; insert into trace_anchor select * from kept_anchor; insert into trace_head select * from kept_head"); };
    const std::string first = "day = (select min(day) from trace_anchor)", last = "day = (select max(day) from trace_anchor)";
    for (const std::string& change : {"update trace_anchor set hash = repeat('0', 64) where " + first, "update trace_anchor set runs = runs + 1 where " + last,
                                      "update trace_anchor set previous = '' where " + last, "update trace_head set hash = repeat('0', 64) where run_id = '" + run.text() + "'",
                                      "update trace_head set position = 0 where run_id = '" + run.text() + "'", "delete from trace_head where run_id = '" + run.text() + "'",
                                      "delete from trace_anchor where " + first, "delete from trace_head where " + last + "; delete from trace_anchor where " + last}) {
        SCOPED_TRACE(change);
        tamper(change);
        EXPECT_THAT(day_faults(), testing::Not(IsEmpty()));
        restore();
        EXPECT_THAT(day_faults(), IsEmpty());
    }
    // All of them made anew, as if the last day had never been, fit together: the witness does not.
    tamper("delete from trace_head; delete from trace_anchor");
    EXPECT_EQ(as(store::Identity{}, [](Tx& tx) { return store::anchor_traces(tx); }), 1);
    EXPECT_THAT(day_faults(), testing::Not(IsEmpty()));
    const auto told = witness();
    ASSERT_FALSE(told);
    EXPECT_THAT(told.error().text(), HasSubstr("trace-anchors"));
    restore();
    tamper("drop table kept_anchor; drop table kept_head");
    // Nobody changes them who is not the administrator.
    EXPECT_THROW(world->sql("delete from trace_anchor"), store::DbError);
    EXPECT_THROW(as(world->owner(), [](Tx& tx) { return tx.exec("insert into trace_anchor select * from trace_anchor"); }), store::DbError);
}

TEST_F(TraceKeepingTest, WhatRunsToldGoesByAgeOnceTheyHaveEnded) {
    world->sql("delete from run_event");
    const auto now = base::SystemClock().now();
    const auto told = [&](const char* state) {
        const auto run = traced();
        as(world->owner(), [&](Tx& tx) {
            for (int i = 1; i <= 3; ++i) store::append_events(tx, run, {{1, i}, {1, i}, Json::array({{{"event", "text"}}})});
        });
        world->sql("update run set state = " + std::string(state) + ", finished_at = case when " + state + " is null then null else now() end where id = '" + run.text() + "'");
        return run;
    };
    const auto ended = told("'answered'"), waits = told("'waiting_person'"), works = told("null");
    const auto left = [&](base::RunId run) { return std::stoi(world->sql("select count(*) from run_event where run_id = '" + run.text() + "'")); };
    const auto erase = [&](base::TimePoint before, int most) { return as(store::Identity{}, [&](Tx& tx) { return store::erase_events(tx, before, most); }); };
    EXPECT_EQ(erase(now - std::chrono::hours(1), 100), 0);
    EXPECT_EQ(erase({}, 100), 0) << "0 days: for ever";
    EXPECT_EQ(erase(now + std::chrono::hours(1), 2), 2);
    EXPECT_EQ(left(ended), 1);
    EXPECT_EQ(erase(now + std::chrono::hours(1), 100), 1);
    EXPECT_EQ(left(ended), 0);
    EXPECT_EQ(left(waits) + left(works), 6);
    world->sql("update run set state = 'failed', finished_at = now() where id in ('" + waits.text() + "', '" + works.text() + "')");
}

TEST_F(TraceKeepingTest, BodiesGoByAgeAndBySizeTheOldestFirst) {
    world->sql("delete from span_body");
    const auto run = traced();
    const auto left = [&] { return std::stoi(world->sql("select count(*) from span_body")); };
    const auto erase = [&](base::TimePoint before, std::int64_t keep, int most = 100) { return as(store::Identity{}, [&](Tx& tx) { return store::erase_bodies(tx, before, keep, most); }); };
    const auto now = base::SystemClock().now();
    EXPECT_EQ(left(), kSpans - 1);
    EXPECT_EQ(erase(now - std::chrono::hours(1), 0).bodies, 0);
    const auto bytes = std::stoll(world->sql("select sum(bytes) from span_body"));
    EXPECT_EQ(erase({}, bytes).bodies, 0);
    const std::string oldest = world->sql("select span_id from span_body order by span_id limit 1");
    const auto one = erase({}, bytes - 1);
    EXPECT_EQ(one.bodies, 1);
    EXPECT_EQ(one.bytes, std::stoll(world->sql("select " + std::to_string(bytes) + " - sum(bytes) from span_body")));
    EXPECT_EQ(world->sql("select count(*) from span_body where span_id = '" + oldest + "'"), "0");
    EXPECT_EQ(erase(now + std::chrono::hours(1), 0, 2).bodies, 2);
    EXPECT_EQ(erase(now + std::chrono::hours(1), 0, 2).bodies, 1);
    EXPECT_EQ(left(), 0);
    EXPECT_FALSE(verify(run).fault);
    EXPECT_EQ(verify(run).erased, kSpans - 1);
}
