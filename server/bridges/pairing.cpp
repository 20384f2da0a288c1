#include "server/bridges/pairing.h"

#include "server/bridges/sayings.h"
#include "store/outbox.h"

namespace server::bridges {

base::Result<store::KnownSender> pair(store::Tx& tx, const std::string& code, const std::string& who) {
    auto person = store::find_person(tx, who);
    if (!person) return std::move(person).error();
    auto paired = store::approve_pairing(tx, code, *person);
    if (!paired) return std::move(paired).error();
    const store::Sender& sender = paired->sender;
    const auto role = policy::parse_role(person->role).value_or(policy::Role::guest);
    // The house's rules are asked about it by the server, which sends it.
    store::write_reply(tx, {tx.identity().tenant, person->id, role, sender.bridge, false}, {}, {sender.bridge, sender.chat, "pairing:" + paired->code, {said(language_of(store::language_in(tx, person->id, sender.bridge)), Saying::welcome, person->name)}});
    return store::KnownSender{sender.bridge, sender.id, sender.label, *std::move(person)};
}

}  // namespace server::bridges
