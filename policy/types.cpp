#include "policy/types.h"

namespace policy {

std::string_view name(Role role) {
    switch (role) {
        case Role::owner: return "owner";
        case Role::member: return "member";
        case Role::guest: return "guest";
        case Role::peer: return "peer";
    }
    return "unknown";
}

std::string_view name(Scope scope) { return scope == Scope::dev ? "dev" : scope == Scope::admin ? "admin" : "home"; }

std::string_view name(Effect effect) {
    switch (effect) {
        case Effect::pure: return "pure";
        case Effect::idempotent: return "idempotent";
        case Effect::transactional: return "transactional";
        case Effect::at_most_once: return "at_most_once";
    }
    return "unknown";
}

std::string_view name(Permission permission) {
    switch (permission) {
        case Permission::workspace_read: return "workspace_read";
        case Permission::workspace_write: return "workspace_write";
        case Permission::execute: return "execute";
        case Permission::memory_read: return "memory_read";
        case Permission::memory_write: return "memory_write";
        case Permission::network: return "network";
        case Permission::people: return "people";
        case Permission::money: return "money";
        case Permission::threads: return "threads";
        case Permission::secret: return "secret";
        case Permission::admin: return "admin";
    }
    return "unknown";
}

std::string_view name(Verdict verdict) {
    switch (verdict) {
        case Verdict::allow: return "allow";
        case Verdict::ask: return "ask";
        case Verdict::deny: return "deny";
    }
    return "unknown";
}

std::string_view name(Integrity integrity) { return integrity == Integrity::trusted ? "trusted" : "untrusted"; }

Integrity parse_integrity(std::string_view text) { return text == name(Integrity::trusted) ? Integrity::trusted : Integrity::untrusted; }

std::optional<Scope> parse_scope(std::string_view text) {
    for (Scope scope : {Scope::home, Scope::dev, Scope::admin})
        if (text == name(scope)) return scope;
    return std::nullopt;
}

std::optional<Role> parse_role(std::string_view text) {
    for (Role role : {Role::owner, Role::member, Role::guest, Role::peer})
        if (text == name(role)) return role;
    return std::nullopt;
}

}  // namespace policy
