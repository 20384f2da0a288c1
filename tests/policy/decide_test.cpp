#include "policy/decide.h"

#include <gtest/gtest.h>

namespace policy {
namespace {

const Action kRead{"read_file", Effect::pure, {Permission::workspace_read}, {Scope::dev, Scope::home}};
const Action kWrite{"write_file", Effect::idempotent, {Permission::workspace_write}, {Scope::dev}};
const Action kBash{"bash", Effect::at_most_once, {Permission::execute, Permission::workspace_write}, {Scope::dev}};
const Action kBashAnywhere{"bash", Effect::at_most_once, {Permission::workspace_read, Permission::execute}, {Scope::dev, Scope::home}};
const Action kMail{"send_mail", Effect::at_most_once, {Permission::network, Permission::people}, {Scope::home}};
const Action kTime{"time", Effect::pure, {}, {Scope::home}};
const Action kVague{"vague", Effect::at_most_once, {}, {Scope::home}};
const Action kRemember{"remember", Effect::transactional, {Permission::memory_write}, {Scope::home}};
const Action kSpawn{"spawn_thread", Effect::transactional, {Permission::threads}, {Scope::dev, Scope::home}};
const Action kBashWithSecret{"bash", Effect::at_most_once, {Permission::execute, Permission::secret}, {Scope::dev}};
const Action kAdmin{"set_policy", Effect::transactional, {Permission::admin}, {Scope::home}};

struct Case {
    Role role;
    bool present;
    Scope scope;
    const Action* action;
    Integrity label;
    Verdict verdict;
    const char* rule;
};

TEST(Decide, ByTable) {
    const auto trusted = Integrity::trusted, untrusted = Integrity::untrusted;
    const Case cases[] = {
        {Role::owner, false, Scope::dev, &kRead, trusted, Verdict::allow, "workspace_reads"},
        {Role::member, false, Scope::home, &kRead, untrusted, Verdict::allow, "workspace_reads"},
        {Role::guest, true, Scope::home, &kRead, trusted, Verdict::deny, "guests_have_no_tools"},
        {Role::guest, true, Scope::home, &kTime, trusted, Verdict::deny, "guests_have_no_tools"},
        {Role::peer, true, Scope::home, &kTime, trusted, Verdict::deny, "peers_have_no_tools"},
        {Role::member, false, Scope::dev, &kWrite, untrusted, Verdict::allow, "dev_writes_its_workspace"},
        {Role::owner, true, Scope::home, &kWrite, trusted, Verdict::deny, "not_in_scope"},
        {Role::owner, false, Scope::dev, &kBash, trusted, Verdict::allow, "dev_executes_in_the_sandbox"},
        {Role::member, false, Scope::dev, &kBashWithSecret, trusted, Verdict::allow, "dev_executes_in_the_sandbox"},
        {Role::owner, true, Scope::dev, &kBashWithSecret, untrusted, Verdict::ask, "untrusted_text_asks_for_secrets"},
        {Role::owner, false, Scope::dev, &kBashWithSecret, untrusted, Verdict::deny, "untrusted_text_asks_for_secrets"},
        {Role::owner, true, Scope::home, &kBash, trusted, Verdict::deny, "not_in_scope"},
        {Role::owner, true, Scope::home, &kBashAnywhere, trusted, Verdict::deny, "home_executes_nothing"},
        {Role::owner, true, Scope::home, &kMail, trusted, Verdict::ask, "leaving_the_machine_asks"},
        {Role::owner, true, Scope::home, &kMail, untrusted, Verdict::ask, "untrusted_text_asks"},
        {Role::owner, false, Scope::home, &kMail, trusted, Verdict::deny, "leaving_the_machine_asks"},
        {Role::owner, false, Scope::home, &kTime, untrusted, Verdict::allow, "pure_touches_nothing"},
        {Role::owner, true, Scope::home, &kVague, trusted, Verdict::ask, "effect_without_permission"},
        {Role::member, true, Scope::home, &kAdmin, trusted, Verdict::deny, "members_do_not_administer"},
        {Role::owner, true, Scope::home, &kAdmin, trusted, Verdict::ask, "owner_administers"},
        {Role::member, true, Scope::home, &kAdmin, untrusted, Verdict::deny, "members_do_not_administer"},
        {Role::member, true, Scope::home, &kRemember, trusted, Verdict::allow, "memory_writes"},
        {Role::member, false, Scope::home, &kSpawn, untrusted, Verdict::allow, "threads_do_what_their_parent_may"},
        {Role::guest, true, Scope::home, &kSpawn, trusted, Verdict::deny, "guests_have_no_tools"},
        {Role::member, true, Scope::home, &kRemember, untrusted, Verdict::allow, "untrusted_text_is_remembered_as_such"},
    };
    for (const Case& c : cases) {
        Principal who;
        who.role = c.role;
        who.can_ask = c.present;
        const Decision decision = decide(who, c.scope, *c.action, c.label);
        SCOPED_TRACE(c.action->name + " by " + std::string(name(c.role)) + " in " + std::string(name(c.scope)));
        EXPECT_EQ(name(decision.verdict), name(c.verdict));
        EXPECT_EQ(decision.rule, c.rule);
        EXPECT_EQ(decision.message.empty(), c.verdict == Verdict::allow);
    }
}

TEST(Decide, AnAskWithNobodyPresentSaysWhyItWasNotDone) {
    Principal alone;
    alone.role = Role::owner;
    const Decision decision = decide(alone, Scope::home, kMail, Integrity::trusted);
    EXPECT_NE(decision.message.find("Nobody is present"), std::string::npos) << decision.message;
    EXPECT_NE(decision.message.find("send_mail"), std::string::npos) << decision.message;
}

TEST(Decide, TheStrictestPermissionCounts) {
    Principal who;
    who.role = Role::owner;
    who.can_ask = true;
    Action mixed = kRead;
    mixed.permissions.push_back(Permission::money);
    EXPECT_EQ(decide(who, Scope::dev, mixed, Integrity::trusted).verdict, Verdict::ask);
}

TEST(Decide, EveryPermissionHasADefaultRuleForAnOwner) {
    Principal who;
    who.role = Role::owner;
    who.can_ask = true;
    for (int p = 0; p <= int(Permission::admin); ++p)
        for (Scope scope : {Scope::home, Scope::dev}) {
            const Action action{"x", Effect::pure, {Permission(p)}, {scope}};
            EXPECT_NE(decide(who, scope, action, Integrity::trusted).rule, "no_rule") << name(Permission(p));
        }
}

// Whoever gets strangers' text into the context has no more rights than before.
TEST(Decide, UntrustedTextNeverWidensWhatIsAllowed) {
    const auto strictness = [](const Decision& one) { return one.verdict == Verdict::deny ? 2 : one.verdict == Verdict::ask ? 1 : 0; };
    for (Role role : {Role::owner, Role::member, Role::guest, Role::peer})
        for (bool present : {true, false})
            for (Scope scope : {Scope::home, Scope::dev})
                for (unsigned set = 0; set < 1u << (int(Permission::admin) + 1); ++set) {
                    Action action{"x", Effect::at_most_once, {}, {scope}};
                    for (int p = 0; p <= int(Permission::admin); ++p)
                        if (set >> p & 1) action.permissions.push_back(Permission(p));
                    Principal who;
                    who.role = role;
                    who.can_ask = present;
                    const Decision before = decide(who, scope, action, Integrity::trusted), after = decide(who, scope, action, Integrity::untrusted);
                    EXPECT_GE(strictness(after), strictness(before)) << name(role) << " " << name(scope) << " permissions " << set << ": " << before.rule << ", " << after.rule;
                }
}

TEST(Names, IntegrityIsUntrustedUnlessSaid) {
    EXPECT_EQ(parse_integrity(name(Integrity::trusted)), Integrity::trusted);
    for (const char* other : {"", "untrusted", "Trusted"}) EXPECT_EQ(parse_integrity(other), Integrity::untrusted);
}

TEST(Names, RolesReadBack) {
    for (Role role : {Role::owner, Role::member, Role::guest, Role::peer}) EXPECT_EQ(parse_role(name(role)), role);
    EXPECT_FALSE(parse_role("king"));
}

}  // namespace
}  // namespace policy
