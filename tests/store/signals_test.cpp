// What processes on one database tell each other, and that it arrives after losses too.
#include "store/signals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "on_database.h"
#include "store/house_rules.h"

using store::Signal;
using store::Tx;
using namespace std::chrono_literals;

namespace {

// What a listener heard, in order.
class Heard {
public:
    void operator()(const Signal& signal) {
        const std::lock_guard lock(mutex_);
        all_.push_back(signal);
        changed_.notify_all();
    }
    bool wait(Signal::Kind kind, base::RunId run, int times = 1) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 10s, [&] {
            return std::count_if(all_.begin(), all_.end(), [&](const Signal& s) { return s.kind == kind && s.run == run; }) >= times;
        });
    }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return all_.size();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Signal> all_;
};

struct Signals : OnDatabase {
    Heard heard;
    base::NullLog log;
    std::unique_ptr<store::SignalListener> listen() {
        return std::make_unique<store::SignalListener>(store::app_url(world->cluster()), log, [this](const Signal& s) { heard(s); });
    }
    void send(const Signal& signal) {
        auto work = [&](Tx& tx) { store::send_signal(tx, signal); };
        as(world->owner(), work);
    }
    static base::RunId some_run() { return base::RunId::make(base::SystemClock().now()); }
};

}  // namespace

TEST_F(Signals, WhoChangesTheRulesOfAHouseIsHeard) {
    const auto listener = listen();
    ASSERT_TRUE(heard.wait(Signal::Kind::missed, {}));
    const auto set = [](Tx& tx) { return store::set_rule(tx, "heard", {{"verdict", "ask"}}); };
    const auto remove = [](Tx& tx) { return store::remove_rule(tx, "heard"); };
    ASSERT_TRUE(as(world->owner(), set));
    EXPECT_TRUE(heard.wait(Signal::Kind::rules, {}));
    EXPECT_TRUE(as(world->owner(), remove));
    EXPECT_TRUE(heard.wait(Signal::Kind::rules, {}, 2));
    const auto before = heard.size();
    EXPECT_FALSE(as(world->owner(), remove));
    const auto run = some_run();
    send({Signal::Kind::work, run});
    EXPECT_TRUE(heard.wait(Signal::Kind::work, run));
    EXPECT_EQ(heard.size(), before + 1) << "nothing was changed";
}

TEST_F(Signals, ArriveWithTheCommitAndOnlyWithIt) {
    const auto listener = listen();
    ASSERT_TRUE(heard.wait(Signal::Kind::missed, {}));
    const auto lost = some_run(), kept = some_run();
    auto rolled_back = [&](Tx& tx) -> base::Result<void> {
        store::send_signal(tx, {Signal::Kind::stop, lost});
        return base::error(base::Code::internal, "changed its mind");
    };
    EXPECT_FALSE(as(world->owner(), rolled_back));
    for (const auto kind : {Signal::Kind::input, Signal::Kind::work, Signal::Kind::stop}) send({kind, kept});
    for (const auto kind : {Signal::Kind::input, Signal::Kind::work, Signal::Kind::stop}) EXPECT_TRUE(heard.wait(kind, kept));
    EXPECT_EQ(heard.size(), 4u);
}

TEST_F(Signals, ALostConnectionIsMadeAgainAndSaid) {
    const auto listener = listen();
    ASSERT_TRUE(heard.wait(Signal::Kind::missed, {}));
    auto end_it = [](Tx& tx) { return tx.exec("select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen hearth'").size(); };
    EXPECT_EQ(as({}, end_it), 1u);
    EXPECT_TRUE(heard.wait(Signal::Kind::missed, {}, 2));
    const auto run = some_run();
    send({Signal::Kind::work, run});
    EXPECT_TRUE(heard.wait(Signal::Kind::work, run));
}

TEST_F(Signals, WhatIsNoSignalIsPassedOver) {
    const auto listener = listen();
    ASSERT_TRUE(heard.wait(Signal::Kind::missed, {}));
    auto noise = [](Tx& tx) {
        for (const char* payload : {"", "stop", "stop me", "fly 0190a1b2-0000-7000-8000-000000000000"}) tx.send("select pg_notify('hearth', $1)", {payload});
    };
    as(world->owner(), noise);
    const auto run = some_run();
    send({Signal::Kind::stop, run});
    EXPECT_TRUE(heard.wait(Signal::Kind::stop, run));
    EXPECT_EQ(heard.size(), 2u);
}

TEST_F(Signals, AHandlerThatThrowsHearsTheNext) {
    int calls = 0;
    const store::SignalListener listener(store::app_url(world->cluster()), log, [&](const Signal& s) {
        heard(s);
        if (++calls == 1) throw std::runtime_error("not this one");
    });
    ASSERT_TRUE(heard.wait(Signal::Kind::missed, {}));
    const auto run = some_run();
    send({Signal::Kind::stop, run});
    EXPECT_TRUE(heard.wait(Signal::Kind::stop, run));
}
