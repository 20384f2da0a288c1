// Drills: that what a chain falls back to would work.
#include "router/exercise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/gateway.h"
#include "router/scripted_backend.h"
#include "support/manual_clock.h"
#include "support/run_task.h"

namespace router {
namespace {

using base::Code;
using ::testing::HasSubstr;
using std::chrono::hours;

base::TimePoint at(int hour) { return base::TimePoint(hours(1000000 + hour)); }

TEST(Exercises, TellsWhenEachTrafficLastWorked) {
    Exercises all;
    all.see("a", Traffic::plain, at(0));
    all.see("a", Traffic::plain, at(5));
    ASSERT_EQ(all.list().size(), 1u);
    EXPECT_EQ(all.list()[0].seen, at(0));
    EXPECT_FALSE(all.list()[0].overdue(at(24), hours(24)));
    EXPECT_TRUE(all.list()[0].overdue(at(25), hours(24)));
    all.worked("a", Traffic::plain, at(20));
    EXPECT_FALSE(all.list()[0].overdue(at(25), hours(24)));
    all.failed("a", Traffic::plain, at(30), "no");
    EXPECT_TRUE(all.list()[0].failing());
    all.worked("a", Traffic::plain, at(31));
    EXPECT_FALSE(all.list()[0].failing());
}

TEST(Exercises, WhatIsNewIsSavedOnceAMinute) {
    Exercises all;
    all.worked("a", Traffic::tools, at(0));
    EXPECT_EQ(all.take_unsaved().size(), 1u);
    all.worked("a", Traffic::tools, at(0) + std::chrono::seconds(59));
    EXPECT_TRUE(all.take_unsaved().empty());
    all.worked("a", Traffic::tools, at(0) + std::chrono::seconds(60));
    EXPECT_EQ(all.take_unsaved().size(), 1u);
    all.failed("a", Traffic::tools, at(1), "no");
    EXPECT_EQ(all.take_unsaved().size(), 1u);
    all.worked("a", Traffic::tools, at(1) + std::chrono::seconds(1));  // at once: it was failing
    EXPECT_EQ(all.take_unsaved().size(), 1u);
}

TEST(Exercises, TheLaterWordOfOthersCounts) {
    Exercises all;
    all.worked("a", Traffic::plain, at(10));
    all.learn({{"a", Traffic::plain, at(1), at(5), at(12), "late"}, {"b", Traffic::tools, at(2), at(3), {}, {}}});
    const auto list = all.list();
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].seen, at(1));
    EXPECT_EQ(list[0].worked, at(10));
    EXPECT_TRUE(list[0].failing());
    EXPECT_EQ(list[1].worked, at(3));
}

struct Drilled {
    support::ManualClock clock;
    base::NullLog log;
    base::NullMetrics metrics;
    ScriptedBackend* one = nullptr;
    ScriptedBackend* two = nullptr;
    std::unique_ptr<Gateway> gateway;

    Drilled() {
        std::vector<std::unique_ptr<Backend>> backends;
        backends.push_back(std::make_unique<ScriptedBackend>("one"));
        backends.push_back(std::make_unique<ScriptedBackend>("two"));
        one = static_cast<ScriptedBackend*>(backends[0].get());
        two = static_cast<ScriptedBackend*>(backends[1].get());
        gateway = std::make_unique<Gateway>(std::move(backends), std::vector<Alias>{{"home", {"one", "two"}}}, clock, log, metrics);
    }
    base::Result<ModelReply> drill(const std::string& backend, Traffic traffic) { return support::run_task(gateway->drill(backend, traffic, {}, {})); }
    void ask(bool streamed) {
        ModelRequest request;
        request.alias = "home";
        request.messages.push_back(Message::make(MessageRole::user, "hello"));
        EXPECT_TRUE(support::run_task(gateway->generate(request, streamed ? DeltaSink([](const ModelDelta&) {}) : DeltaSink())));
    }
    Exercise of(const std::string& backend, Traffic traffic) {
        for (const auto& one : gateway->exercises())
            if (one.backend == backend && one.traffic == traffic) return one;
        return {};
    }
    base::Probe probe(const std::string& backend) {
        for (auto& probe : gateway->exercise_probes(hours(24 * 7)))
            if (probe.name == "use of " + backend) return probe;
        return {};
    }
};

ScriptedReply says(const std::string& text) {
    ScriptedReply reply;
    reply.text = text;
    return reply;
}
ScriptedReply calls(const std::string& tool, const std::string& arguments) {
    ScriptedReply reply;
    reply.tool_calls.push_back({"", tool, arguments});
    return reply;
}

TEST(Drills, AnAnswerOfEachKindIsOne) {
    Drilled d;
    d.two->push(says("ready"));
    EXPECT_TRUE(d.drill("two", Traffic::plain));
    d.two->push(says("ready"));
    EXPECT_TRUE(d.drill("two", Traffic::streamed));
    d.two->push(calls("report_state", R"({"state":"ready"})"));
    EXPECT_TRUE(d.drill("two", Traffic::tools));
    EXPECT_EQ(d.two->requests().back().tool_choice.kind, ToolChoice::Kind::required);
    for (const Traffic traffic : kAllTraffic) EXPECT_EQ(d.of("two", traffic).worked, d.clock.now()) << name(traffic);
    EXPECT_TRUE(d.one->requests().empty()) << "another backend was asked";
    EXPECT_EQ(d.probe("two").health, base::Health::ok);
}

TEST(Drills, WhatIsNoSuchAnswerFailsAndSaysWhy) {
    Drilled d;
    ScriptedReply away;
    away.error = base::error(Code::unavailable, "nobody there");
    for (const auto& [reply, traffic, why] : {std::tuple{says(""), Traffic::plain, "no text"}, {away, Traffic::plain, "nobody there"}, {says("I would"), Traffic::tools, "called none"},
                                              {calls("report_state", R"({"state":7})"), Traffic::tools, "it called report_state"}, {calls("other", "{}"), Traffic::tools, "called other"}}) {
        d.one->push(reply);
        const auto done = d.drill("one", traffic);
        ASSERT_FALSE(done) << why;
        EXPECT_THAT(done.error().message, HasSubstr(why));
        EXPECT_TRUE(d.of("one", traffic).failing());
        d.clock.move(std::chrono::seconds(1));
    }
    EXPECT_EQ(d.probe("one").health, base::Health::failed);
    EXPECT_THAT(d.probe("one").found, HasSubstr("called other"));
    EXPECT_THAT(d.probe("one").remedy, HasSubstr("hearth drill one"));
    EXPECT_EQ(d.drill("three", Traffic::plain).error().code, Code::not_found);
}

TEST(Drills, AReplyThatWasNotStreamedAsItIsFails) {
    ModelReply reply;
    reply.message = Message::make(MessageRole::assistant, "ready");
    EXPECT_TRUE(drill_verdict(Traffic::streamed, reply, "ready"));
    EXPECT_FALSE(drill_verdict(Traffic::streamed, reply, ""));
    EXPECT_FALSE(drill_verdict(Traffic::streamed, reply, "read"));
}

TEST(Drills, CallsAsTheyComeCountToo) {
    Drilled d;
    d.gateway->exercises();
    d.clock.move(hours(24 * 8));
    EXPECT_EQ(d.probe("one").health, base::Health::failed) << "seen a week ago and never used";
    d.one->push(says("hi"));
    d.ask(false);
    d.one->push(calls("x", "{}"));
    d.ask(true);
    EXPECT_EQ(d.probe("one").health, base::Health::ok);
    EXPECT_EQ(d.probe("two").health, base::Health::failed) << "what nobody falls back to";
    d.clock.move(hours(24 * 7 + 1));
    EXPECT_EQ(d.probe("one").health, base::Health::failed);
    EXPECT_EQ(d.gateway->exercise_probes(hours(0))[0].health, base::Health::ok);
}

}  // namespace
}  // namespace router
