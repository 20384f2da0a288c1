// Everything that leaves for a person: written down before it leaves, and with how that ended. The only writer of the outbox.
//
//   (prepared →) queued → in_flight → delivered | failed | unknown
//
// A message is prepared where the house wants the owner's word first. A queued one waits for its turn, for the end of silence or of
// quiet hours (store/outbox_rules.h), or until it is within the caps: nothing else sends, so there it is held in one place.
// Policy decides when a row is written and again when it leaves (server/bridges/outbound). No channel takes a key by which it would
// know a message again, so what was being sent when its sender broke off is `unknown`, and is never sent again by itself.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "policy/reply.h"
#include "store/db.h"

namespace store {

using OutboxId = base::Id<struct OutboxTag>;

// What a message offers to be pressed, or typed where a channel has nothing to press.
struct Choice {
    std::string id;     // that comes back; at most 64 bytes
    std::string label;
};

inline constexpr std::chrono::hours kReplyTime{24};  // older than that a reply is not sent any more, unless it says otherwise

// A text for whoever has written, where he has written.
struct Reply {
    std::string bridge, chat;
    std::string emitter;             // what it answers: "run:ID", "telegram:UPDATE"; of each there is one reply, however often it is written
    std::vector<std::string> parts;  // in order, each as long as the channel takes it
    policy::Integrity label = policy::Integrity::trusted;  // of what it was made from
    std::chrono::seconds lifetime = kReplyTime;
    std::vector<Choice> choices{};                         // under the last part
    std::string replaces{};                                // an emitter: this stands in place of its last part, where that has arrived
    bool markdown = false;                                 // the text is marked so; else it stands as it is
    std::string answers{};                                 // the channel's id of a message that the first part is shown to answer; empty: none
    bool secret = false;                                   // nobody is shown the text here, and it is erased with its end
};
// In a transaction of the person for whom it is; of an unknown sender the owner's, and `to` is a guest. What policy denies is
// written as failed, with the rule, and does not leave; of what it asks about the owner is asked.
policy::Decision write_reply(Tx& tx, const policy::Principal& to, const policy::House& house, const Reply& reply);

// What may leave now, held by who takes it; see hearth_take_outgoing. In a transaction that knows the tenant; of no person.
struct Outgoing {
    OutboxId id;
    policy::Principal to;
    std::string chat, emitter, content;
    policy::Integrity label = policy::Integrity::untrusted;
    int attempts = 0;  // with this one
    std::vector<Choice> choices{};
    bool markdown = false;   // see Reply
    std::string answers{};
    std::string replaces{};  // the id there of the message in whose place it stands; empty: it is one of its own
    std::optional<base::TimePoint> heard{};  // when somebody last wrote in the chat
    bool released = false;                   // the owner has said yes
};
struct OutboxCaps {
    int messages_per_minute = 120;  // of the whole house
    int chats_per_hour = 20;        // that nobody has written in within the hour
};
std::vector<Outgoing> take_outgoing(Tx& tx, const std::string& bridge, int most, std::chrono::seconds hold, const OutboxCaps& caps = {});

struct Sending {
    enum class End {
        delivered,
        failed,   // it was refused, and would be again
        unknown,  // it may have arrived
        again,    // it did not leave: later
        held,     // it did not leave: the owner is asked first
    } end = End::unknown;
    std::string why{};               // unless delivered
    std::chrono::milliseconds wait{0};
    std::string there{};             // its id there, when delivered
    std::string moved_to{};          // the chat goes on under this id; again
};
// False: somebody has settled it meanwhile.
bool settle_outgoing(Tx& tx, OutboxId id, const Sending& sending);

// Of what was made what was sent there to this person as the message of that id; nothing: it was not.
std::optional<policy::Integrity> label_sent(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& there);
// Its words, unless they are forgotten.
std::optional<std::string> text_sent(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& there);
// The run of another person whose answer was sent there as the message of that id; nothing: there is none.
std::optional<base::RunId> others_answer(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& there);
// The last part of what was written there for this person as an answer to that; nothing: there is none.
std::optional<OutboxId> find_reply(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& emitter);

// What answers were written there for this person whose emitter begins so; the newest first, a hundred at most.
std::vector<std::string> emitters_in_chat(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& beginning);

// What a channel says later of a message that it took. Comes twice, out of order, and of messages that are none of ours.
struct Receipt {
    std::string there;                // its id there
    std::optional<OutboxId> ours{};   // where the channel gives back what went along
    std::string state;                // "delivered", "read", "failed"
    std::string why{};                // of one that failed
};
bool note_receipt(Tx& tx, const std::string& bridge, const Receipt& receipt);

// Somebody has written in the chat; at that time, or, where the channel tells none, now.
void note_heard(Tx& tx, const std::string& bridge, const std::string& chat, std::optional<base::TimePoint> at);

struct OutboxRow {
    OutboxId id;
    base::PersonId person;
    std::string bridge, chat, emitter;
    int part = 0;
    std::optional<std::string> content;  // of one's own
    std::string rule, state, error;
    std::string waits;    // of a queued one: "quiet hours", "messages a minute", "chats an hour"
    std::string digest;   // SHA-256 of the content, once that was erased
    std::string told, told_by;  // by the owner, of one that was unknown: "sent", "unsent", "again"; and his name
    std::string receipt;  // what the channel has said since: "delivered", "read", "failed"
    int attempts = 0;
    base::TimePoint created{};
};
// The newest first: one's own, of the owner everybody's.
std::vector<OutboxRow> list_outbox(Tx& tx, int most);

}  // namespace store
