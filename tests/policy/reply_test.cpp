// Whoever has written is answered, unless the house says otherwise.
#include "policy/reply.h"

#include <gmock/gmock.h>

namespace policy {
namespace {

using base::Json;
using testing::HasSubstr;

const base::TenantId kHouse = base::TenantId::parse("01900000-0000-7000-8000-000000000001").value();

Principal of(Role role) {
    Principal out;
    out.tenant = kHouse;
    out.role = role;
    return out;
}

Decision decided(Role role, const Json& body, Integrity label = Integrity::trusted, Moment now = {}) {
    std::vector<HouseRule> rules = {house_rule_from_json(kHouse, "ours", body).value()};
    return decide_reply(of(role), label, House{std::make_shared<const std::vector<HouseRule>>(std::move(rules)), now, 0});
}

TEST(DecideReply, WhoeverHasWrittenIsAnsweredAlsoAGuest) {
    for (const Role role : {Role::owner, Role::member, Role::guest})
        for (const Integrity label : {Integrity::trusted, Integrity::untrusted}) {
            const Decision decision = decide_reply(of(role), label);
            EXPECT_EQ(decision.verdict, Verdict::allow) << name(role);
            EXPECT_EQ(decision.rule, "who_has_written_is_answered");
            EXPECT_EQ(decision.message, "");
        }
    EXPECT_EQ(decide_reply(of(Role::peer), Integrity::trusted).verdict, Verdict::deny);
}

TEST(DecideReply, TheHouseKeepsRepliesIn) {
    for (const Role role : {Role::owner, Role::guest}) {
        for (const Json& body : {Json{{"verdict", "deny"}}, Json{{"verdict", "deny"}, {"tools", {"reply"}}}, Json{{"verdict", "ask"}}}) {
            const Decision decision = decided(role, body);
            EXPECT_EQ(decision.verdict, body["verdict"] == "ask" ? Verdict::ask : Verdict::deny) << body;
            EXPECT_EQ(decision.rule, "ours");
            EXPECT_THAT(decision.message, HasSubstr("\"ours\""));
        }
        EXPECT_THAT(decided(role, {{"verdict", "deny"}, {"reason", "Not at night."}}).message, HasSubstr("Not at night."));
        EXPECT_EQ(decided(role, {{"verdict", "allow"}, {"tools", {"reply"}}}).verdict, Verdict::allow);
    }
}

TEST(DecideReply, RulesOfOtherThingsDoNotMatter) {
    EXPECT_EQ(decided(Role::owner, {{"verdict", "deny"}, {"tools", {"bash"}}}).verdict, Verdict::allow);
    EXPECT_EQ(decided(Role::owner, {{"verdict", "deny"}, {"permissions", {"people"}}}).verdict, Verdict::allow);
    EXPECT_EQ(decided(Role::owner, {{"verdict", "deny"}, {"roles", {"member"}}}).verdict, Verdict::allow);
    const Json quoted = {{"verdict", "deny"}, {"labels", {"untrusted"}}};
    EXPECT_EQ(decided(Role::owner, quoted).verdict, Verdict::allow);
    EXPECT_EQ(decided(Role::owner, quoted, Integrity::untrusted).verdict, Verdict::deny);
    const Json night = {{"verdict", "deny"}, {"tools", {"reply"}}, {"hours", "22:00-07:00"}};
    EXPECT_EQ(decided(Role::owner, night, Integrity::trusted, {0, 12 * 60}).verdict, Verdict::allow);
    EXPECT_EQ(decided(Role::owner, night, Integrity::trusted, {0, 23 * 60}).verdict, Verdict::deny);
}

}  // namespace
}  // namespace policy
