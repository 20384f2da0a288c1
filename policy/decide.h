// The one decision: may this principal do this action, and which rule, shipped or of the house, says so. Pure: no clock, no
// I/O. Called where a tool is dispatched, where something is put into the outbox, and where it leaves.
#pragma once

#include <string>
#include <vector>

#include "policy/house_rules.h"
#include "policy/types.h"

namespace policy {

// The integrity of things together.
inline Integrity meet(Integrity one, Integrity other) { return one == Integrity::trusted ? other : one; }

// What is about to happen.
struct Action {
    std::string name;                     // tool or delivery: "bash"
    Effect effect = Effect::pure;
    std::vector<Permission> permissions;  // all that it touches
    std::vector<Scope> scopes;            // where it is offered at all
    bool on_menu = true;                  // of the agent that wants it
};

// A row of the table. Unset columns match everything. The first row that matches a permission
// decides it; of an action's permissions the strictest verdict counts.
struct Rule {
    const char* name;
    std::vector<Role> roles;
    std::vector<Scope> scopes;
    std::vector<Permission> permissions;
    std::vector<Integrity> labels;
    Verdict verdict;
    const char* message;  // for person and model, when not allowed
};

const std::vector<Rule>& default_rules();

// `label` is the turn's: untrusted as soon as text of strangers is in its context. An ask with
// nobody present (principal.can_ask is false) becomes a deny that says so.
Decision decide(const Principal& principal, Scope scope, const Action& action, Integrity label, const House& house = {});

}  // namespace policy
