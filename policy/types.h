// Who, with what authority, wants to do what.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"

namespace policy {

enum class Role { owner, member, guest, peer };

// dev: the coder's tools. home: those of the household. admin: what tells of the machine and its runs.
enum class Scope { home, dev, admin };

// What doing it twice means.
enum class Effect { pure, idempotent, transactional, at_most_once };

// What an action touches; a tool lists all that apply. threads: it has another run work, whose own actions are decided on by themselves.
// secret: this very call names one.
enum class Permission { workspace_read, workspace_write, execute, memory_read, memory_write, network, people, money, threads, secret, admin };

// trusted: the person's own words and our prompts. untrusted: tool output, web, documents, strangers, peers.
enum class Integrity { trusted, untrusted };

struct Principal {
    base::TenantId tenant;
    base::PersonId person;
    Role role = Role::guest;
    std::string via;       // "key:abcd1234", "socket", "schedule", "peer:…"
    bool can_ask = false;  // somebody is there to answer an approval
};

enum class Verdict { allow, ask, deny };

struct Decision {
    Verdict verdict = Verdict::deny;
    std::string rule;     // the rule that decided, recorded in the trace
    std::string message;  // for person and model, when not allowed
};

// Of two verdicts on the same thing the stricter counts.
inline int strictness(Verdict verdict) { return verdict == Verdict::deny ? 2 : verdict == Verdict::ask ? 1 : 0; }

std::string_view name(Role role);
std::string_view name(Scope scope);
std::string_view name(Effect effect);
std::string_view name(Permission permission);
std::string_view name(Verdict verdict);
std::string_view name(Integrity integrity);
std::optional<Scope> parse_scope(std::string_view text);  // what name(Scope) gives
std::optional<Role> parse_role(std::string_view text);  // what name(Role) gives
Integrity parse_integrity(std::string_view text);       // untrusted unless it says the contrary

}  // namespace policy
