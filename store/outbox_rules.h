// What the owner says of the outbox as a whole, and of what waits for him there.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/outbox.h"
#include "store/people.h"

namespace store {

// Nothing leaves the house, whoever wants it to, until that time or until it is taken back; what is written meanwhile stays queued.
struct Silence {
    std::optional<base::TimePoint> until;
};
void silence_outbox(Tx& tx, const Silence& silence);
bool resume_outbox(Tx& tx);  // whether there was silence
// In a transaction that knows the tenant; of no person.
std::optional<Silence> silence_of_outbox(Tx& tx);

// When a person wants nothing but answers to what he has just written; minutes of the day in his time zone.
struct QuietHours {
    int from = 0, to = 0;
    std::string zone;  // "Europe/Berlin"
};
// Nothing: no hours are quiet. Error{invalid_argument}: there is no such zone.
base::Result<void> set_quiet_hours(Tx& tx, base::PersonId person, const std::optional<QuietHours>& hours);
// Of each who has some, as far as the person of the transaction may know: of everybody for the owner, of nobody for others.
std::map<base::PersonId, QuietHours> quiet_hours(Tx& tx);
std::string hours_text(const QuietHours& hours);  // "22:00-07:00"

// The owner's word on a message that waits for it, with all its parts. Error{not_found}: none of that id waits.
base::Result<void> release_outgoing(Tx& tx, const std::string& id, bool may_leave);

// His word on a message that is `unknown`: it has arrived, it has not, or it has not and is sent once more, where the house still lets
// it. Error{not_found}: there is none of that id for him; {conflict}: its end is known, or its text is not to be sent any more.
enum class Told { sent, unsent, again };
base::Result<void> tell_outgoing(Tx& tx, const std::string& id, Told word);
std::string_view name(Told word);

// Forgets what messages said that were done with so many days ago, of 0 days none; how many. Secrets (Reply::secret) that came too late end, and are forgotten. In a transaction
// that knows the tenant; of no person.
int erase_outbox(Tx& tx, int days);

}  // namespace store
