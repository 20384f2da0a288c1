#include "policy/house_rules.h"

#include <gmock/gmock.h>

#include <random>

#include "policy/decide.h"

namespace policy {
namespace {

using base::Json;
using testing::HasSubstr;

const base::TenantId kHouse = base::TenantId::parse("01900000-0000-7000-8000-000000000001").value(), kOther = base::TenantId::parse("01900000-0000-7000-8000-000000000002").value();
const base::PersonId kAda = base::PersonId::parse("01900000-0000-7000-8000-00000000000a").value();
const Action kBash{"bash", Effect::at_most_once, {Permission::execute, Permission::workspace_write}, {Scope::dev}};
const Action kMail{"send_mail", Effect::at_most_once, {Permission::network, Permission::people}, {Scope::dev, Scope::home}};
const Action kSettings{"set_rule", Effect::transactional, {Permission::admin}, {Scope::home}};

HouseRule rule(const Json& body, base::TenantId house = kHouse) { return house_rule_from_json(house, "ours", body).value(); }
Principal owner() {
    Principal out;
    out.tenant = kHouse;
    out.person = kAda;
    out.role = Role::owner;
    out.can_ask = true;
    return out;
}
Decision decided(const Action& action, std::vector<HouseRule> rules, Integrity label = Integrity::trusted, Principal who = owner(), Moment now = {}, std::int64_t calls = 0) {
    return decide(who, action.scopes[0], action, label, House{std::make_shared<const std::vector<HouseRule>>(std::move(rules)), now, calls});
}

TEST(HouseRules, TheyMakeStricter) {
    for (const char* verdict : {"ask", "deny"}) {
        const Decision decision = decided(kBash, {rule({{"verdict", verdict}, {"tools", {"bash"}}, {"reason", "Programs wait for me."}})});
        EXPECT_EQ(name(decision.verdict), verdict);
        EXPECT_EQ(decision.rule, "ours");
        EXPECT_THAT(decision.message, HasSubstr("Programs wait for me."));
    }
    EXPECT_EQ(decided(kBash, {rule({{"verdict", "ask"}})}).verdict, Verdict::ask) << "what names nothing is for all";
    EXPECT_THAT(decided(kBash, {rule({{"verdict", "ask"}})}).message, HasSubstr("\"ours\""));
    Principal alone = owner();
    alone.can_ask = false;
    EXPECT_EQ(decided(kBash, {rule({{"verdict", "ask"}})}, Integrity::trusted, alone).verdict, Verdict::deny);
}

TEST(HouseRules, TheyTakeAwayAQuestionAndNothingElse) {
    const auto allow = [](const Json& more) {
        Json body = {{"verdict", "allow"}};
        body.update(more);
        return rule(body);
    };
    EXPECT_EQ(decided(kMail, {allow({{"tools", {"send_mail"}}})}).verdict, Verdict::allow);
    EXPECT_EQ(decided(kMail, {allow({{"tools", {"send_mail"}}})}).rule, "ours");
    EXPECT_EQ(decided(kMail, {allow({{"permissions", {"network"}}})}).rule, "people_ask") << "that it touches people is still asked about";
    EXPECT_EQ(decided(kMail, {allow({{"permissions", {"network", "people"}}})}).verdict, Verdict::allow);
    EXPECT_EQ(decided(kMail, {allow({{"tools", {"send_mail"}}})}, Integrity::untrusted).verdict, Verdict::ask);
    EXPECT_EQ(decided(kSettings, {allow({{"tools", {"set_rule"}}})}).verdict, Verdict::ask) << "the administration is always asked about";
    Principal member = owner();
    member.role = Role::member;
    EXPECT_EQ(decided(kSettings, {allow({{"tools", {"set_rule"}}})}, Integrity::trusted, member).verdict, Verdict::deny);
    Principal guest = owner();
    guest.role = Role::guest;
    EXPECT_EQ(decided(kMail, {allow({{"tools", {"send_mail"}}})}, Integrity::trusted, guest).rule, "guests_have_no_tools");
}

TEST(HouseRules, TheStrictestCountsInAnyOrder) {
    const HouseRule allow = rule({{"verdict", "allow"}, {"tools", {"send_mail"}}}), ask = rule({{"verdict", "ask"}}), deny = rule({{"verdict", "deny"}, {"permissions", {"people"}}});
    EXPECT_EQ(decided(kMail, {allow, ask}).verdict, Verdict::ask);
    EXPECT_EQ(decided(kMail, {ask, allow}).verdict, Verdict::ask);
    EXPECT_EQ(decided(kMail, {allow, deny, ask}).verdict, Verdict::deny);
}

TEST(HouseRules, EveryColumnNarrows) {
    const auto holds = [](const Json& column, Principal who = owner(), Integrity label = Integrity::trusted) {
        Json body = {{"verdict", "deny"}};
        body.update(column);
        return decided(kBash, {rule(body)}, label, who).rule == "ours";
    };
    Principal member = owner();
    member.role = Role::member;
    member.person = base::PersonId::parse("01900000-0000-7000-8000-00000000000b").value();
    EXPECT_TRUE(holds({{"people", {kAda.text()}}}));
    EXPECT_FALSE(holds({{"people", {kAda.text()}}}, member));
    EXPECT_TRUE(holds({{"roles", {"member", "peer"}}}, member));
    EXPECT_FALSE(holds({{"roles", {"member"}}}));
    EXPECT_FALSE(holds({{"scopes", {"home"}}}));
    EXPECT_FALSE(holds({{"tools", {"read_file"}}}));
    EXPECT_FALSE(holds({{"permissions", {"network"}}}));
    EXPECT_TRUE(holds({{"permissions", {"network", "workspace_write"}}}));
    EXPECT_TRUE(holds({{"labels", {"untrusted"}}}, owner(), Integrity::untrusted));
    EXPECT_FALSE(holds({{"labels", {"untrusted"}}}));
    EXPECT_NE(decided(kBash, {rule({{"verdict", "deny"}}, kOther)}).rule, "ours") << "another house's";
}

TEST(HouseRules, HoursAndWeekdays) {
    struct Case {
        Json columns;
        Moment now;
        bool holds;
    };
    const auto at = [](int weekday, int hour, int minute = 0) { return Moment{weekday, hour * 60 + minute}; };
    const Json night = {{"hours", "22:00-07:30"}}, friday_night = {{"hours", "22:00-07:30"}, {"weekdays", {"fri"}}}, work = {{"hours", "09:00-17:00"}, {"weekdays", {"mon", "tue"}}}, evening = {{"hours", "18:00-24:00"}};
    const Case cases[] = {
        {night, at(0, 22), true}, {night, at(0, 21, 59), false}, {night, at(3, 7, 29), true}, {night, at(3, 7, 30), false},
        {friday_night, at(4, 23), true}, {friday_night, at(5, 3), true}, {friday_night, at(4, 3), false}, {friday_night, at(5, 23), false}, {friday_night, at(0, 3), false},
        {work, at(1, 9), true}, {work, at(1, 17), false}, {work, at(2, 10), false}, {evening, at(6, 23, 59), true}, {evening, at(0, 0), false},
        {{{"weekdays", {"sun"}}}, at(6, 12), true}, {{{"weekdays", {"sun"}}}, at(0, 12), false},
    };
    for (const Case& c : cases) {
        Json body = {{"verdict", "deny"}};
        body.update(c.columns);
        EXPECT_EQ(decided(kBash, {rule(body)}, Integrity::trusted, owner(), c.now).rule == "ours", c.holds) << body.dump() << " " << c.now.weekday << " " << c.now.minute;
    }
}

TEST(HouseRules, FromSoManyCallsOfADayOn) {
    const std::vector<HouseRule> rules = {rule({{"verdict", "deny"}, {"tools", {"bash"}}, {"after_calls", 3}})};
    for (int calls = 0; calls < 6; ++calls) EXPECT_EQ(decided(kBash, rules, Integrity::trusted, owner(), {}, calls).verdict == Verdict::deny, calls >= 3) << calls;
    EXPECT_TRUE(counts_calls(rules, owner(), "bash"));
    EXPECT_FALSE(counts_calls(rules, owner(), "read_file"));
    EXPECT_FALSE(counts_calls({rule({{"verdict", "deny"}})}, owner(), "bash"));
}

TEST(HouseRules, WhatIsWrongIsNamed) {
    const std::pair<Json, const char*> wrong[] = {
        {Json::array(), "object"}, {Json::object(), "verdict"}, {{{"verdict", "maybe"}}, "maybe"}, {{{"verdict", 1}}, "verdict"},
        {{{"verdict", "deny"}, {"tool", {"bash"}}}, "tool"}, {{{"verdict", "deny"}, {"tools", "bash"}}, "tools"}, {{{"verdict", "deny"}, {"tools", Json::array()}}, "tools"},
        {{{"verdict", "deny"}, {"tools", {""}}}, "tools"}, {{{"verdict", "deny"}, {"roles", {"king"}}}, "king"}, {{{"verdict", "deny"}, {"people", {"Ada"}}}, "people"},
        {{{"verdict", "deny"}, {"permissions", {"everything"}}}, "everything"}, {{{"verdict", "deny"}, {"weekdays", {"Monday"}}}, "weekdays"},
        {{{"verdict", "deny"}, {"hours", "22-07"}}, "hours"}, {{{"verdict", "deny"}, {"hours", "22:00-22:00"}}, "hours"}, {{{"verdict", "deny"}, {"hours", "24:01-07:00"}}, "hours"},
        {{{"verdict", "deny"}, {"hours", "22:60-07:00"}}, "hours"}, {{{"verdict", "deny"}, {"hours", 7}}, "hours"}, {{{"verdict", "deny"}, {"after_calls", 0}}, "after_calls"},
        {{{"verdict", "deny"}, {"reason", std::string(301, 'x')}}, "reason"}, {{{"verdict", "allow"}}, "tools or permissions"}, {{{"verdict", "allow"}, {"roles", {"owner"}}}, "tools or permissions"},
        {{{"verdict", "deny"}, {"labels", {"trusted"}}}, "labels"}, {{{"verdict", "allow"}, {"tools", {"bash"}}, {"labels", {"untrusted"}}}, "labels"},
    };
    for (const auto& [body, names] : wrong) {
        const auto parsed = house_rule_from_json(kHouse, "ours", body);
        ASSERT_FALSE(parsed) << body.dump();
        EXPECT_THAT(parsed.error().text(), HasSubstr(names)) << body.dump();
    }
    for (const char* bad : {"", "1st", "a rule", "a-rule", "r\xc3\xa9gle"}) EXPECT_FALSE(house_rule_from_json(kHouse, bad, {{"verdict", "deny"}})) << bad;
}

TEST(HouseRules, TheyAreWrittenAsTheyAreRead) {
    const Json body = {{"verdict", "ask"}, {"reason", "why"}, {"people", {kAda.text()}}, {"roles", {"owner", "member"}}, {"scopes", {"dev"}}, {"tools", {"bash"}}, {"permissions", {"execute"}},
                       {"labels", {"untrusted"}}, {"weekdays", {"mon", "sun"}}, {"hours", "22:00-24:00"}, {"after_calls", 7}};
    EXPECT_EQ(to_json(rule(body)), body);
    EXPECT_EQ(to_json(rule({{"verdict", "deny"}})), Json({{"verdict", "deny"}}));
}

// Whatever rules a house has: nothing that is refused is allowed or asked about, and with a text from outside, or for the
// administration, nothing is done without a word that the shipped rules ask for.
TEST(HouseRules, NoneLoosensMoreThanAQuestion) {
    std::mt19937 random(5);
    const auto pick = [&](int n) { return int(random() % unsigned(n)); };
    const auto strictness = [](const Decision& one) { return one.verdict == Verdict::deny ? 2 : one.verdict == Verdict::ask ? 1 : 0; };
    int loosened = 0, tightened = 0;
    for (int round = 0; round < 20000; ++round) {
        std::vector<HouseRule> rules;
        for (int i = pick(4); i > 0; --i) {
            Json body = {{"verdict", std::vector<const char*>{"allow", "allow", "ask", "deny"}[std::size_t(pick(4))]}, {"permissions", Json::array()}};
            for (int p = 0; p <= int(Permission::admin); ++p)
                if (pick(2)) body["permissions"].push_back(name(Permission(p)));
            if (body["permissions"].empty()) body["permissions"].push_back("network");
            rules.push_back(rule(body));
        }
        const House house{std::make_shared<const std::vector<HouseRule>>(std::move(rules)), {}, 0};
        Action action{"x", Effect::at_most_once, {}, {Scope::dev, Scope::home}};
        bool admin = false;
        for (int p = 0; p <= int(Permission::admin); ++p)
            if (pick(3) == 0) action.permissions.push_back(Permission(p)), admin |= Permission(p) == Permission::admin;
        Principal who = owner();
        who.role = Role(pick(4));
        who.can_ask = pick(2);
        const Scope scope = Scope(pick(2));
        for (const Integrity label : {Integrity::trusted, Integrity::untrusted}) {
            Principal present = who;
            present.can_ask = true;
            const Decision shipped = decide(present, scope, action, label), ours = decide(present, scope, action, label, house), alone = decide(who, scope, action, label, house);
            loosened += strictness(ours) < strictness(shipped);
            tightened += strictness(ours) > strictness(shipped);
            EXPECT_TRUE(shipped.verdict != Verdict::deny || ours.verdict == Verdict::deny);
            EXPECT_TRUE(shipped.verdict != Verdict::ask || ours.verdict != Verdict::allow || (!admin && label == Integrity::trusted));
            EXPECT_EQ(alone.verdict == Verdict::allow, ours.verdict == Verdict::allow) << "nobody present is no way around";
        }
        EXPECT_GE(strictness(decide(who, scope, action, Integrity::untrusted, house)), strictness(decide(who, scope, action, Integrity::trusted, house)));
    }
    EXPECT_GT(loosened, 100);
    EXPECT_GT(tightened, 100);
}

}  // namespace
}  // namespace policy
