#include "policy/reply.h"

namespace policy {

Decision decide_reply(const Principal& to, Integrity label, const House& house) {
    if (to.role == Role::peer) return {Verdict::deny, "peers_have_no_chat", "Another household's assistant is answered by its own way in, in no chat."};
    const HouseRule* const rule = find_house_rule(house, to, Scope::home, kReply, std::nullopt, label);
    if (!rule || rule->verdict == Verdict::allow) return {Verdict::allow, "who_has_written_is_answered", ""};
    const std::string why = rule->reason.empty() ? "The rule \"" + rule->name + "\" of this house says so." : rule->reason;
    return {rule->verdict, rule->name, (rule->verdict == Verdict::ask ? "it waits for the owner's word: " : "the reply is kept in: ") + why};
}

}  // namespace policy
