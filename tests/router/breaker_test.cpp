#include "router/breaker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace router {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

const base::SteadyPoint kStart{1000h};
const Breaker::Options kOptions{3, 60s, 10s, 100s};

Breaker opened_at(base::SteadyPoint now) {
    Breaker breaker(kOptions);
    for (int i = 0; i < kOptions.failures; ++i) breaker.failed(*breaker.admit(now), now);
    return breaker;
}

TEST(Breaker, OpensAfterEnoughFailuresOfTheWindow) {
    Breaker breaker(kOptions);
    breaker.failed(*breaker.admit(kStart), kStart);
    breaker.failed(*breaker.admit(kStart + 1s), kStart + 1s);
    EXPECT_EQ(breaker.state(kStart + 1s), State::closed);
    breaker.failed(*breaker.admit(kStart + 60s), kStart + 60s);
    EXPECT_EQ(breaker.state(kStart + 60s), State::closed) << "the first has left the window";
    breaker.failed(*breaker.admit(kStart + 60s), kStart + 60s);
    EXPECT_EQ(breaker.state(kStart + 60s), State::open);
    EXPECT_FALSE(breaker.admit(kStart + 69s));
}

TEST(Breaker, OneProbeTriesAHalfOpenCircuit) {
    Breaker breaker = opened_at(kStart);
    const auto probe = breaker.admit(kStart + 10s);
    ASSERT_TRUE(probe);
    EXPECT_TRUE(probe->probe);
    EXPECT_FALSE(breaker.admit(kStart + 10s));
    breaker.succeeded();
    EXPECT_EQ(breaker.state(kStart + 10s), State::closed);
    EXPECT_TRUE(breaker.admit(kStart + 10s));
}

TEST(Breaker, EachProbeThatFailsDoublesTheRest) {
    Breaker breaker = opened_at(kStart);
    auto now = kStart;
    for (const auto rest : {10s, 20s, 40s, 80s, 100s, 100s}) {
        EXPECT_FALSE(breaker.admit(now + rest - 1ms)) << rest.count();
        now += rest;
        const auto probe = breaker.admit(now);
        ASSERT_TRUE(probe) << rest.count();
        breaker.failed(*probe, now);
    }
}

TEST(Breaker, RespectsWhatTheBackendAsksFor) {
    Breaker breaker(kOptions);
    breaker.failed(*breaker.admit(kStart), kStart, kStart + 7s);
    EXPECT_FALSE(breaker.admit(kStart + 6999ms)) << "one refusal is enough when it names a time";
    EXPECT_TRUE(breaker.admit(kStart + 7s));
    Breaker lied_to(kOptions);
    lied_to.failed(*lied_to.admit(kStart), kStart, kStart + 1000h);
    EXPECT_TRUE(lied_to.admit(kStart + kOptions.longest_rest)) << "no backend shuts itself out for good";
}

TEST(Breaker, CallsFromBeforeTheOpeningDoNotCountAgainstTheProbe) {
    Breaker breaker(kOptions);
    const auto late = breaker.admit(kStart);
    for (int i = 0; i < kOptions.failures; ++i) breaker.failed(*breaker.admit(kStart), kStart);
    const auto probe = breaker.admit(kStart + 10s);
    breaker.failed(*late, kStart + 10s);
    breaker.abandoned(*late);
    EXPECT_FALSE(breaker.admit(kStart + 10s)) << "the probe is still under way";
    breaker.abandoned(*probe);
    EXPECT_TRUE(breaker.admit(kStart + 10s)) << "a probe that told nothing makes room for the next";
}

// Random histories of calls side by side, against what must always hold.
TEST(Breaker, HoldsItsPromisesOverRandomHistories) {
    for (unsigned seed = 0; seed < 10'000; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](int n) { return int(random() % unsigned(n)); };
        Breaker breaker(kOptions);
        std::vector<Breaker::Ticket> calls;
        auto now = kStart;
        base::SteadyPoint asked{};  // not before
        for (int step = 0; step < 60; ++step) {
            now += std::chrono::milliseconds(below(3) ? below(2000) : below(120'000));
            const auto before = breaker.state(now);
            const auto probes = std::count_if(calls.begin(), calls.end(), [](const Breaker::Ticket& call) { return call.probe; });
            if (const auto ticket = breaker.admit(now)) {
                ASSERT_NE(before, State::open) << seed;
                ASSERT_GE(now, asked) << seed << ": called before the time it asked for";
                ASSERT_EQ(ticket->probe, before == State::half_open) << seed;
                calls.push_back(*ticket);
            } else {
                ASSERT_NE(before, State::closed) << seed << ": a closed circuit refuses nobody";
                ASSERT_TRUE(before == State::open || probes > 0) << seed << ": a half-open circuit without a probe must take one";
            }
            if (calls.empty() || below(2)) continue;
            const auto which = std::size_t(below(int(calls.size())));
            const auto ticket = calls[which];
            calls.erase(calls.begin() + std::ptrdiff_t(which));
            switch (below(4)) {
                case 0:
                    breaker.succeeded();
                    ASSERT_EQ(breaker.state(now), State::closed) << seed;
                    asked = {};
                    // Probes of an earlier opening are nobody's probes any more.
                    for (auto& call : calls) call.probe = false;
                    break;
                case 1: breaker.abandoned(ticket); break;
                default: {
                    const auto wait = below(3) ? 0s : std::chrono::seconds(below(90));
                    breaker.failed(ticket, now, now + wait);
                    if (wait > 0s && breaker.state(now) == State::open) asked = std::max(asked, now + wait);
                }
            }
        }
        // Whatever happened, once the calls have ended it is tried again within the longest rest.
        for (const auto& call : calls) breaker.abandoned(call);
        ASSERT_TRUE(breaker.admit(now + kOptions.longest_rest)) << seed;
    }
}

}  // namespace
}  // namespace router
