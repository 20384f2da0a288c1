#include "agents/nightly.h"

#include <algorithm>
#include <cmath>

#include "agents/nightly_steps.h"
#include "harness.h"
#include "router/math/random.h"

namespace agents {
namespace {

using namespace std::chrono_literals;
using base::Json;
using std::chrono::days;

const store::Day kToday = store::Day(std::chrono::year(2026) / 3 / 2);

base::TimePoint at(store::Day day, std::chrono::minutes time) { return base::TimePoint(day.time_since_epoch() + time); }

TEST(NightlyDue, IsOnceADayWhateverTheClockIsSetTo) {
    const Zone paris = Zone::find("Europe/Paris").value();
    const auto due = [&](base::TimePoint now) { return nightly_due(now, paris, 5min); };
    const store::Day day(std::chrono::year(2026) / 3 / 10);
    EXPECT_EQ(due(at(day, 0min) - 56min).day, day - days(1));  // 00:04 there
    EXPECT_EQ(due(at(day, 0min) - 55min).day, day);
    EXPECT_EQ(due(at(day, 0min) - 55min).since, at(day, 0min) - 55min);
    EXPECT_EQ(due(at(day, 22h)).day, day);
    // The nights of the two changes, at a time that is left out or comes twice.
    for (const auto time : {5min, std::chrono::minutes(150)}) {
        std::vector<store::Day> fired;
        for (const store::Day change : {store::Day(std::chrono::year(2026) / 3 / 29), store::Day(std::chrono::year(2026) / 10 / 25)}) {
            fired.clear();
            base::TimePoint last{};
            for (base::TimePoint now = at(change - days(1), 12h); now < at(change + days(1), 12h); now += 1min) {
                const NightlyDue one = nightly_due(now, paris, time);
                if (one.since != last && last != base::TimePoint{}) fired.push_back(one.day);
                last = one.since;
            }
            EXPECT_EQ(fired, (std::vector<store::Day>{change, change + days(1)})) << time.count();
        }
    }
}

// A household of its own in the database of the tests, with telemetry as a pipeline leaves it.
class NightlyTest : public testing::TurnTest {
protected:
    void SetUp() override {
        TurnTest::SetUp();
        if (IsSkipped()) return;
        who = {base::TenantId::make(clock.now()), base::PersonId::make(clock.now())};
        sql("insert into tenant (id, name) values ('" + who.tenant.text() + "', 'night')");
        sql("insert into person (id, tenant_id, name, role) values ('" + who.person.text() + "', '" + who.tenant.text() + "', 'Nora', 'owner')");
        make();
    }

    struct At final : base::Clock {
        base::TimePoint now() const override { return time == base::TimePoint{} ? base::SystemClock().now() : time; }
        base::SteadyPoint steady() const override { return base::SystemClock().steady(); }
        base::TimePoint time{};
    };

    void make(std::vector<NightlyStep> further = {}, Zone zone = Zone::utc()) {
        nodes = std::make_unique<router::NodeMetrics>(static_costs(), settings);
        NightlyOptions options{who, zone};
        options.further = std::move(further);
        nightly = std::make_unique<Nightly>(NightlyParts{io.get_executor(), db->db(), *sink, *nodes, blocking, clock, log}, std::move(options));
    }

    // `thinking`, `recompose`: seconds, in the median; one row an event, as (node, class) of the tenant's person.
    void live(store::Day from, store::Day until, double thinking, double recompose = 8, int a_day = 20) {
        router::math::Rng rng("nightly_test|" + store::day_text(from));
        std::string rows;
        for (store::Day day = from; day <= until; day += days(1))
            for (int i = 0; i < a_day; ++i) {
                const auto add = [&](const char* node, double seconds) {
                    const double ms = std::min(119'000.0, 1000 * seconds * std::exp(0.3 * rng.normal()));  // none is ended at its limit
                    rows += std::string(rows.empty() ? "" : ",") + "('GRAPH_NODE_DONE', '" + node + "', " + std::to_string(ms) + ", '" + who.tenant.text() + "', '" + who.person.text() +
                            "', gen_random_uuid(), '" + store::day_text(day) + " 08:00+00'::timestamptz + interval '" + std::to_string(20 * i) + " minutes', 'ok', 'heavy')";
                };
                add("intake", 2);
                if (thinking > 0) add("thinking", thinking);
                add("recompose", recompose);
            }
        sql("insert into telemetry_event (event, node_id, latency_ms, tenant_id, audience_id, run_id, created_at, status, class) values " + rows);
    }

    void event(const std::string& node, double ms, const std::string& time, const std::string& status = "ok", const std::string& execution = "normal") {
        sql("insert into telemetry_event (event, node_id, latency_ms, error, tenant_id, audience_id, run_id, created_at, status, class) values ('GRAPH_NODE_DONE', '" + node + "', " + std::to_string(ms) + ", '" +
            (status == "ok" ? "" : status) + "', '" + who.tenant.text() + "', '" + who.person.text() + "', gen_random_uuid(), '" + time + "', '" + status + "', '" + execution + "')");
    }

    base::Result<store::NightlyBatch> batch(store::Day day, std::chrono::minutes time = 5min) {
        clock.time = at(day, time);
        std::optional<base::Result<store::NightlyBatch>> out;
        const auto task = [&]() -> net::Task<void> { out.emplace(co_await nightly->batch(day, {})); };
        net::spawn(io.get_executor(), task(), [](std::exception_ptr e) { std::rethrow_exception(e); });
        io.restart();
        io.run();
        return std::move(*out);
    }
    store::NightRow night() {
        const auto read = [](store::Tx& tx) { return store::newest_night(tx).value(); };
        return db->db().run_blocking(who, read);
    }
    store::NodeNightRow node(const std::string& name) {
        for (auto& one : night().nodes)
            if (one.node == name) return one;
        throw std::logic_error("no node " + name);
    }
    std::string sql(const std::string& statement) { return db->sql(statement); }
    std::string of_tenant(const std::string& select) { return sql(select + " where tenant_id = '" + who.tenant.text() + "'"); }

    support::TestDatabase* db = support::TestDatabase::get();
    store::Identity who;
    At clock;
    base::NullLog log;
    boost::asio::io_context io;
    boost::asio::thread_pool blocking{2};
    std::unique_ptr<store::TraceSink> sink = db ? std::make_unique<store::TraceSink>(db->db(), log) : nullptr;
    router::DepthSettings settings;
    std::unique_ptr<router::NodeMetrics> nodes;
    std::unique_ptr<Nightly> nightly;
};

TEST_F(NightlyTest, ADayWithoutTelemetryIsToldAsSuch) {
    const auto done = batch(kToday).value();
    const Json expected = {{"batch_id", "nightly-2026-03-02"}, {"run_id", done.run.text()}, {"daily", {{"events_processed", 0}, {"node_count", 0}, {"tenant_count", 1}}}, {"weekly", {{"status", "ok"}}},
                           {"pipeline", {{"status", "insufficient_data"}, {"nodes_analyzed", 0}}}, {"warmup", {{"samples", 0}, {"nodes", 0}}}};
    EXPECT_EQ(done.answer, expected);
    for (const auto& one : night().nodes) EXPECT_TRUE(one.gate == "insufficient_data" && one.weight == 0 && one.reason == "no events") << one.node;
    EXPECT_EQ(night().nodes.size(), static_costs().size());  // all of the pipeline, neutral
    EXPECT_EQ(night().signal, "");
}

TEST_F(NightlyTest, MakesExactRowsOfADay) {
    // Paris is an hour ahead in winter and two from 29 March on.
    make({}, Zone::find("Europe/Paris").value());
    event("recompose", 100, "2026-03-27 22:59:59+00");
    event("recompose", 1000, "2026-03-27 23:00:00+00");
    event("recompose", 3000, "2026-03-28 12:00:00+00", "error", "heavy");
    event("recompose", 500, "2026-03-28 12:00:00+00", "cancelled", "heavy");
    event("recompose", 2000, "2026-03-28 23:30:00+00");
    event("recompose", 4000, "2026-03-29 21:59:59+00");
    event("recompose", 700, "2026-03-29 22:00:00+00");
    const auto done = batch(store::Day(std::chrono::year(2026) / 3 / 30)).value();
    EXPECT_EQ(done.answer["daily"], (Json{{"events_processed", 6}, {"node_count", 1}, {"tenant_count", 1}}));
    const auto rows = [&](const std::string& execution) {
        return sql("select string_agg(date || ' ' || sample_count || ' ' || avg_latency_ms || ' ' || error_rate || ' ' || cancelled, ', ' order by date) from daily_aggregate where tenant_id = '" + who.tenant.text() +
                   "' and class = '" + execution + "'");
    };
    EXPECT_EQ(rows(""), "2026-03-27 1 100 0 0, 2026-03-28 2 2000 0.5 1, 2026-03-29 2 3000 0 0");
    EXPECT_EQ(rows("heavy"), "2026-03-28 1 3000 1 1");
    EXPECT_EQ(sql("select string_agg(iso_year || ' ' || iso_week || ' ' || sample_count || ' ' || avg_latency_ms || ' ' || partial, ', ' order by iso_week) from weekly_aggregate where tenant_id = '" + who.tenant.text() + "'"),
              "2026 13 5 2020 true");  // by their counts: not the mean of three means
    const auto others = [](store::Tx& tx) { return store::list_daily(tx, store::Day(std::chrono::year(2026) / 3 / 1), store::Day(std::chrono::year(2026) / 4 / 1)).size(); };
    EXPECT_EQ(db->db().run_blocking(db->owner(), others), 0U);  // another tenant's
}

// In Havana the clock goes back from one to midnight: the night is made at 00:05 of the first hour, in which a node begins.
TEST_F(NightlyTest, ADayWhoseMidnightComesTwiceIsWhole) {
    make({}, Zone::find("America/Havana").value());
    event("recompose", 100, "2026-11-01 03:59:59+00");
    event("recompose", 200, "2026-11-01 04:02:00+00");
    event("thinking", 300, "2026-11-01 04:02:00+00");
    const store::Day change(std::chrono::year(2026) / 11 / 1);
    EXPECT_EQ(batch(change, 4h + 5min).value().answer["daily"], (Json{{"events_processed", 1}, {"node_count", 1}, {"tenant_count", 1}}));
    event("recompose", 600, "2026-11-01 05:30:00+00");
    event("thinking", 900, "2026-11-02 04:59:59+00");
    EXPECT_EQ(batch(change + days(1), 5h + 5min).value().answer["daily"], (Json{{"events_processed", 5}, {"node_count", 2}, {"tenant_count", 1}}));
    EXPECT_EQ(sql("select string_agg(node_id || ' ' || date || ' ' || sample_count || ' ' || avg_latency_ms, ', ' order by node_id, date) from daily_aggregate where tenant_id = '" + who.tenant.text() + "' and class = ''"),
              "recompose 2026-10-31 1 100, recompose 2026-11-01 2 400, thinking 2026-11-01 2 600");
}

TEST_F(NightlyTest, ASecondCallOfTheDayIsTheSameBatch) {
    live(kToday - days(10), kToday - days(1), 5);
    const auto first = batch(kToday).value();
    const std::string rows = of_tenant("select md5(string_agg(d::text, '|' order by d::text)) from daily_aggregate d");
    const auto second = batch(kToday).value();
    EXPECT_EQ(second.run, first.run);
    EXPECT_EQ(second.answer, first.answer);
    EXPECT_EQ(of_tenant("select md5(string_agg(d::text, '|' order by d::text)) from daily_aggregate d"), rows);
    EXPECT_EQ(of_tenant("select count(*) from nightly_batch"), "1");
    EXPECT_EQ(of_tenant("select state from nightly_batch"), "done");
    // The run has a step and a span for each part, and its chain holds.
    const auto read = [&](store::Tx& tx) { return store::read_trace(tx, first.run); };
    const store::Trace trace = db->db().run_blocking(who, read);
    EXPECT_TRUE(trace.chain.ok());
    std::vector<std::string> names;
    for (const auto& span : trace.spans) names.push_back(span.name);
    EXPECT_EQ(names, (std::vector<std::string>{"nightly.daily", "nightly.weekly", "nightly.pipeline", "nightly.warmup", "nightly"}));
    EXPECT_FALSE(batch(kToday).value().answer.is_null());
    EXPECT_EQ(batch(kToday + days(1)).value().answer["batch_id"], "nightly-2026-03-03");
}

TEST_F(NightlyTest, CallersAtTheSameTimeShareOneBatch) {
    live(kToday - days(3), kToday - days(1), 5);
    clock.time = at(kToday, 5min);
    std::vector<base::RunId> runs;
    const auto task = [&]() -> net::Task<void> {
        auto done = co_await nightly->batch(kToday, {});
        runs.push_back(done.value().run);
    };
    for (int i = 0; i < 5; ++i) net::spawn(io.get_executor(), task(), [](std::exception_ptr e) { std::rethrow_exception(e); });
    io.run();
    ASSERT_EQ(runs.size(), 5U);
    for (const auto& run : runs) EXPECT_EQ(run, runs[0]);
    EXPECT_EQ(of_tenant("select count(*) from run"), "1");
}

TEST_F(NightlyTest, AFailedStepStopsThoseBehindItAndIsGoneOnWith) {
    live(kToday - days(3), kToday - days(1), 5);
    const std::vector<std::pair<std::string, std::string>> faults = {{"daily", "daily_aggregate"}, {"weekly", "weekly_aggregate"}, {"pipeline", "mathcore_night"}};
    store::Day day = kToday;
    for (const auto& [step, table] : faults) {
        sql("revoke insert on " + table + " from hearth_app");
        const auto broken = batch(day).value();
        sql("grant insert on " + table + " to hearth_app");
        EXPECT_EQ(broken.answer[step]["status"], "failed") << broken.answer;
        EXPECT_NE(broken.answer["error"].get<std::string>().find("the step " + step + " failed"), std::string::npos);
        bool behind = false;
        for (const char* one : {"daily", "weekly", "pipeline", "warmup"}) {
            if (behind) {
                EXPECT_EQ(broken.answer[one], (Json{{"status", "skipped"}})) << one;
            }
            behind |= one == step;
        }
        EXPECT_EQ(sql("select state || ' ' || (error like '%" + step + "%') from run where id = '" + broken.run.text() + "'"), "failed true");
        const auto mended = batch(day).value();
        EXPECT_FALSE(mended.answer.contains("error")) << mended.answer;
        EXPECT_NE(mended.run, broken.run);
        EXPECT_EQ(mended.answer["batch_id"], broken.answer["batch_id"]);
        day += days(1);
    }
    EXPECT_EQ(of_tenant("select string_agg(attempts::text, ',' order by day) from nightly_batch"), "2,2,2");
}

// The process goes away behind each step in turn; the next one makes no step again whose outcome was written.
TEST_F(NightlyTest, GoesOnWhereAnotherProcessLeft) {
    live(kToday - days(3), kToday - days(1), 5);
    int asked = 0, again = 0;
    Nightly* leaving = nullptr;
    const auto step = [&](std::string name, bool leave) {
        return NightlyStep{std::move(name), 60s, [&, leave](store::Day, base::StopToken) -> net::Task<base::Result<Json>> {
            ++asked;
            if (leave && leaving) std::exchange(leaving, nullptr)->leave();
            co_return Json{{"asked", asked}};
        }};
    };
    make({step("first", false), step("second", true), step("third", false)});
    leaving = nightly.get();
    const auto done = batch(kToday).value();
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(of_tenant("select state from nightly_batch"), "running");
    make({step("first", false), step("second", true), step("third", false)});
    again = asked;
    net::spawn(io.get_executor(), nightly->watch(), {});
    io.restart();
    io.run_for(2s);
    EXPECT_EQ(asked - again, 2);  // the second, whose outcome was never written, and the third
    EXPECT_EQ(of_tenant("select state from nightly_batch"), "done");
    EXPECT_EQ(sql("select state || ' ' || epoch from run where id = '" + done.run.text() + "'"), "answered 2");
    EXPECT_EQ(sql("select count(*) from step where run_id = '" + done.run.text() + "' and name = 'nightly.daily'"), "1");
}

TEST_F(NightlyTest, WhatIsBehindTheAnswerGoesOnWhateverBecameOfTheRest) {
    std::vector<std::string> seen;
    const auto step = [&](std::string name, base::Result<Json> result) {
        return NightlyStep{name, 60s, [&, name, result](store::Day, base::StopToken) -> net::Task<base::Result<Json>> {
            seen.push_back(name);
            co_return result;
        }};
    };
    make({step("breaks", base::error(base::Code::unavailable, "no model")), step("works", Json{{"n", 3}})});
    sql("revoke insert on mathcore_night from hearth_app");
    const auto done = batch(kToday).value();
    sql("grant insert on mathcore_night to hearth_app");
    EXPECT_EQ(seen, (std::vector<std::string>{"breaks", "works"}));
    EXPECT_TRUE(done.answer.contains("error"));
    const std::string told = sql("select body from message where run_id = '" + done.run.text() + "' order by position desc limit 1");
    EXPECT_NE(told.find("breaks: failed, no model"), std::string::npos) << told;
    EXPECT_NE(told.find("works: {\\\"n\\\":3}"), std::string::npos) << told;
}

// A person stops the night behind its answer: who asks again is told the same, and what was stopped is not begun anew.
TEST_F(NightlyTest, StoppedBehindItsAnswerItKeepsIt) {
    int begun = 0;
    const auto stop = [&](store::Day, base::StopToken) -> net::Task<base::Result<Json>> {
        ++begun;
        sql("update run set stop_asked_at = now() where tenant_id = '" + who.tenant.text() + "'");
        co_return Json::object();
    };
    make({{"stopped", 60s, stop}, {"left", 60s, stop}});
    const auto told = batch(kToday).value();
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(sql("select state from run where id = '" + told.run.text() + "'"), "cancelled");
    EXPECT_EQ(of_tenant("select state from nightly_batch"), "done");
    const auto again = batch(kToday).value();
    EXPECT_EQ(again.run, told.run);
    EXPECT_EQ(again.answer, told.answer);
    EXPECT_EQ(begun, 1);
}

// MTH-09, MTH-10: slow thinking is seen in the night, and heavy questions go round it until it is well again.
TEST_F(NightlyTest, ADriftMakesHeavyNormalAndARecoveryBringsItBack) {
    const auto heavy = [&](const std::string& seed) { return nodes->choose(0.375, seed, clock.now()); };
    live(kToday - days(45), kToday - days(1), 20);
    ASSERT_FALSE(batch(kToday).value().answer.contains("error"));
    EXPECT_NE(night().regime, "degraded");
    EXPECT_EQ(night().signal, "[MathCore | regime: " + night().regime + night().signal.substr(20 + night().regime.size()));
    EXPECT_EQ(node("thinking").gate, "full");
    EXPECT_EQ(node("thinking").weight, 0);
    EXPECT_TRUE(heavy("a").heavy);
    EXPECT_EQ(heavy("a").why, "worth_it");

    live(kToday, kToday + days(6), 70);
    const store::Day drifted = kToday + days(7);
    batch(drifted).value();
    EXPECT_EQ(night().regime, "degraded");
    EXPECT_GT(node("thinking").drift_score, 1);
    EXPECT_GT(node("thinking").weight, 0.2);
    EXPECT_LT(node("recompose").drift_score, 1);
    const auto avoided = [&] {
        int n = 0;
        for (int i = 0; i < 50; ++i) n += !heavy(std::to_string(i)).heavy;
        return n;
    };
    EXPECT_GT(avoided(), 40);  // the rest are probes
    EXPECT_EQ(nightly->today(), drifted);
    // A process that begins now knows it from its first question on.
    make();
    EXPECT_TRUE(heavy("b").heavy);  // nothing is known yet
    nightly->warm_up();
    EXPECT_GT(avoided(), 40);

    live(drifted, drifted + days(13), 20);
    batch(drifted + days(4)).value();
    EXPECT_EQ(avoided(), 0);  // the costs follow at once, the charts once they are calm for three nights
    batch(drifted + days(14)).value();
    EXPECT_EQ(node("thinking").weight, 0);
    EXPECT_EQ(avoided(), 0);
}

// MTH-11, MTH-12.
TEST_F(NightlyTest, ActsFromTheSeventhDayOn) {
    live(kToday, kToday + days(14), 70, 8, 20);
    const auto choice = [&] { return nodes->choose(0.2, "x", clock.now()).why; };
    batch(kToday + days(6)).value();
    EXPECT_EQ(night().regime, "insufficient_data");
    EXPECT_EQ(choice(), "insufficient_data");
    batch(kToday + days(7)).value();
    EXPECT_EQ(node("thinking").gate, "advisory");
    EXPECT_EQ(night().alpha, 0);
    EXPECT_NE(choice(), "insufficient_data");
    batch(kToday + days(14)).value();
    EXPECT_EQ(node("thinking").gate, "half");
    EXPECT_EQ(night().alpha, 0.5);
}

}  // namespace
}  // namespace agents
