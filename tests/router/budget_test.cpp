#include "router/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "router/gateway.h"
#include "router/scripted_backend.h"
#include "support/manual_clock.h"
#include "support/run_task.h"

namespace router {
namespace {

using base::Code;
using namespace std::chrono_literals;
using testing::HasSubstr;

const base::TenantId kTenant = base::TenantId::make(base::TimePoint{});
const base::TimePoint kNow = support::ManualClock().now();

BudgetClaim claim(const std::string& name, Budget budget) { return {{kTenant, name}, budget, "the " + name}; }

TEST(Budgets, CutAnAnswerToWhatIsLeftAndThenRefuse) {
    Budgets budgets;
    const std::vector claims = {claim("alias big", {{}, {1000, 0}})};
    auto hold = budgets.hold(claims, {300, 500, {}}, kNow);
    ASSERT_TRUE(hold);
    EXPECT_EQ(hold->max_tokens, 500);
    budgets.settle(*hold, {700, 0}, kNow);
    hold = budgets.hold(claims, {100, 500, {}}, kNow);
    ASSERT_TRUE(hold);
    EXPECT_EQ(hold->max_tokens, 200);
    const auto beside = budgets.hold(claims, {1, 500, {}}, kNow);
    ASSERT_FALSE(beside) << "what a call under way may take is taken";
    budgets.settle(*hold, {250, 0}, kNow);
    const auto refused = budgets.hold(claims, {50, 500, {}}, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::resource_exhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("the budget of the alias big is used up: 950 of 1000 tokens of the day"));
    EXPECT_THAT(refused.error().remedy, HasSubstr("2026-03-11T00:00Z"));
    EXPECT_TRUE(budgets.hold(claims, {50, 500, {}}, kNow + 15h)) << "the day is over";
}

TEST(Budgets, CostCountsByThePricesOfTheBackend) {
    Budgets budgets;
    const Prices dear{3, 0.3, 15}, none{};
    const std::vector claims = {claim("person p", {{0, 0.002}, {0, 0.004}})};
    auto hold = budgets.hold(claims, {100, 4000, dear}, kNow);
    ASSERT_TRUE(hold);
    EXPECT_EQ(hold->max_tokens, 113) << "0.002 less 100 tokens at 3 a million, at 15 a million";
    EXPECT_FALSE(budgets.hold(claims, {700, 4000, dear}, kNow)) << "the prompt alone costs 0.0021";
    budgets.settle(*hold, {213, 0.0039}, kNow);
    const auto refused = budgets.hold(claims, {100, 4000, dear}, kNow);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("0.0039 of the day's 0.004"));
    EXPECT_TRUE(budgets.hold(claims, {100, 4000, none}, kNow)) << "what runs here costs nothing";
}

TEST(Budgets, ARequestHasOneOfItsOwn) {
    Budgets budgets;
    const std::vector claims = {claim("alias big", {{400, 0}, {}})};
    EXPECT_EQ(budgets.hold(claims, {300, 500, {}}, kNow)->max_tokens, 100);
    const auto refused = budgets.hold(claims, {400, 500, {}}, kNow);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("a request may take 400 tokens"));
}

TEST(Budgets, SumsAreSharedBetweenProcesses) {
    Budgets here, there;
    const std::vector claims = {claim("alias big", {{}, {1000, 0}})};
    const BudgetSubject subject = claims[0].subject;
    std::map<BudgetSubject, Amount> shared;
    const auto exchange = [&](Budgets& budgets) {
        auto entries = budgets.take_unsaved(true);
        for (auto& entry : entries) entry.amount = shared[entry.subject] += entry.amount;
        budgets.learn(entries, kNow);
    };
    here.settle(*here.hold(claims, {100, 300, {}}, kNow), {400, 0}, kNow);
    there.settle(*there.hold(claims, {100, 300, {}}, kNow), {350, 0}, kNow);
    exchange(here), exchange(there), exchange(here);
    EXPECT_EQ(here.spent(subject, kNow).tokens, 750);
    EXPECT_EQ(there.spent(subject, kNow).tokens, 750);
    here.settle(*here.hold(claims, {100, 50, {}}, kNow), {150, 0}, kNow);
    const auto taken = here.take_unsaved(false);
    ASSERT_EQ(taken.size(), 1u);
    here.give_back(taken);  // the database was away
    EXPECT_EQ(here.spent(subject, kNow).tokens, 900);
    exchange(here);
    EXPECT_EQ(shared[subject].tokens, 900) << "nothing is lost and nothing counts twice";
}

TEST(Budgets, WhatADayLeftUnsavedIsSavedForThatDay) {
    Budgets budgets;
    const std::vector claims = {claim("alias big", {{}, {1000, 0}})};
    const auto hold = budgets.hold(claims, {100, 300, {}}, kNow);
    budgets.settle(*hold, {200, 0}, kNow);
    const auto later = budgets.hold(claims, {100, 300, {}}, kNow + 24h);
    const auto entries = budgets.take_unsaved(false);
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].day, hold->day);
    EXPECT_EQ(entries[0].amount.tokens, 200);
}

// Calls side by side in any order, each taking at most what it was allowed: a day's budget is never overdrawn.
TEST(Budgets, AreNeverOverdrawn) {
    for (unsigned seed = 0; seed < 10'000; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](int n) { return int(random() % unsigned(n)); };
        Budgets budgets;
        const Prices prices{double(below(5)), 0, double(below(20))};
        const Budget person{{}, {500 + below(2000), 0}}, alias{{300 + below(1000), 0}, {0, 0.001 + below(100) / 1000.0}};
        const std::vector claims = {claim("person p", person), claim("alias a", alias)};
        std::vector<std::pair<Budgets::Hold, int>> open;
        auto now = kNow;
        for (int step = 0; step < 40; ++step) {
            if (below(2)) {
                const int prompt = 1 + below(200);
                auto hold = budgets.hold(claims, {prompt, 1 + below(500), prices}, now);
                if (!hold) continue;
                ASSERT_GE(hold->max_tokens, 1) << seed;
                open.emplace_back(*std::move(hold), prompt);
            } else if (!open.empty()) {
                const auto [hold, prompt] = open.back();
                open.pop_back();
                Usage usage;
                usage.prompt_tokens = below(4) ? prompt : 0;
                usage.output_tokens = usage.prompt_tokens ? below(hold.max_tokens + 1) : 0;
                budgets.settle(hold, {std::int64_t(usage.prompt_tokens) + usage.output_tokens, prices.of(usage)}, now);
            }
            ASSERT_LE(budgets.spent(claims[0].subject, now).tokens, person.day.tokens) << seed;
            ASSERT_LE(budgets.spent(claims[1].subject, now).cost, alias.day.cost + 1e-9) << seed;
        }
    }
}

// Through the gateway: who pays, and where the chain leads when a budget is used up.
struct BudgetedGateway : testing::Test {
    base::NullLog log;
    base::NullMetrics metrics;
    support::ManualClock clock;
    ScriptedBackend *dear = nullptr, *here = nullptr;
    std::unique_ptr<Gateway> gateway;
    OnBehalf alice{kTenant, base::PersonId::make(kNow), {}, {}}, bob{kTenant, base::PersonId::make(kNow + 1s), {}, {}};

    BudgetedGateway() {
        std::vector<std::unique_ptr<Backend>> backends;
        for (auto [id, to] : {std::pair{"dear", &dear}, {"here", &here}}) {
            auto made = std::make_unique<ScriptedBackend>(id, std::vector<ScriptedReply>{}, [](const ModelRequest&) {
                ScriptedReply reply;
                reply.text = "four words of answer";
                return reply;
            });
            *to = made.get();
            backends.push_back(std::move(made));
        }
        dear->set_prices({1000, 1000, 1000});
        dear->set_local(false);
        gateway = std::make_unique<Gateway>(std::move(backends), std::vector<Alias>{{"home", {"dear", "here"}}}, clock, log, metrics);
    }
    void allow(Budget alias, Budget person) {
        Gateway::Roster roster;
        roster.aliases = {{"home", {"dear", "here"}}};
        roster.aliases[0].budget = alias;
        roster.person = person;
        gateway->change(std::move(roster));
    }
    base::Result<ModelReply> ask(const OnBehalf& who, const std::string& purpose = "api") {
        ModelRequest request;
        request.alias = "home";
        request.on_behalf = who;
        request.purpose = purpose;
        request.messages = {Message::make(MessageRole::user, std::string(300, 'x'))};
        request.max_tokens = 20;
        return support::run_task(gateway->generate(std::move(request)));
    }
};

TEST_F(BudgetedGateway, TokensOfAPersonEndForThatPersonAlone) {
    allow({}, {{}, {250, 0}});
    ASSERT_TRUE(ask(alice));
    const std::size_t called = dear->requests().size() + here->requests().size();
    base::Result<ModelReply> last = ask(alice, "heartbeat");
    while (last) last = ask(alice, "heartbeat");
    EXPECT_EQ(last.error().code, Code::resource_exhausted) << "calls that nobody sees count too";
    EXPECT_THAT(last.error().message, HasSubstr("the budget of this person is used up"));
    EXPECT_THAT(last.error().remedy, HasSubstr("it begins anew at 2026-03-11T00:00Z"));
    const std::size_t calls = dear->requests().size() + here->requests().size();
    EXPECT_GE(calls, called);
    EXPECT_FALSE(ask(alice));
    EXPECT_EQ(dear->requests().size() + here->requests().size(), calls) << "it is checked before the call";
    EXPECT_TRUE(ask(bob));
    clock.move(15h);
    EXPECT_TRUE(ask(alice));
}

TEST_F(BudgetedGateway, MoneyThatIsSpentLeadsToTheModelThatCostsNothing) {
    allow({{}, {0, 0.2}}, {});
    std::string backend = "dear";
    int asked = 0;
    for (; backend == "dear" && asked < 20; ++asked) {
        const auto reply = ask(alice);
        ASSERT_TRUE(reply) << reply.error().text();
        backend = reply->backend;
        if (backend == "here") {
            EXPECT_THAT(reply->fallbacks.at(0).reason, HasSubstr("the budget of the model 'home' is used up"));
            EXPECT_EQ(reply->usage.cost, 0);
        } else {
            EXPECT_GT(reply->usage.cost, 0);
        }
    }
    EXPECT_EQ(backend, "here");
    EXPECT_GT(asked, 1);
    const auto states = gateway->budgets(alice);
    ASSERT_EQ(states.size(), 1u);
    EXPECT_EQ(states[0].of, "model home");
    EXPECT_GT(states[0].spent.cost, 0);
    EXPECT_LE(states[0].spent.cost, 0.2);
}

TEST_F(BudgetedGateway, AFailedCallGivesBackWhatItHeld) {
    allow({{}, {200, 0}}, {});
    ScriptedReply failing;
    failing.error = base::error(Code::unavailable, "away");
    for (int i = 0; i < 20; ++i) {
        dear->push(failing);
        here->push(failing);
        ASSERT_EQ(ask(alice).error().code, Code::unavailable) << i;
        clock.move(10min);
    }
    EXPECT_TRUE(ask(alice));
}

}  // namespace
}  // namespace router
