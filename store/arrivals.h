// What channels deliver: kept once, however often it comes, before the channel is told that it was taken; and acted on until it is
// settled, by whichever process comes to it. For a transaction that knows the tenant; of no person.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct Arrived {
    std::string bridge, update;  // the channel's own number of it
    std::string body;            // as it was delivered
};
// False: it came before.
bool keep_arrival(Tx& tx, const Arrived& arrived);
// Those that nobody has settled or set to work, in the order of their coming; nobody else takes them for so long.
std::vector<Arrived> take_arrivals(Tx& tx, int most, std::chrono::seconds hold);

// What is remembered of a message that a run is about to answer; of no use to whoever has settled it.
struct ArrivalNote {
    std::string bridge, update, chat;
    std::string message;      // the channel's id of it
    std::string digest;       // of what it says
    bool in_company = false;  // others read there too
};
void note_arrival(Tx& tx, const ArrivalNote& note);

// What came of the newest arrival that was noted as that message.
struct NotedArrival {
    std::string update;
    bool waits = false;  // nobody has set a run to work on it yet
    base::RunId run;
    base::PersonId person;
    std::string digest;
};
std::optional<NotedArrival> find_noted(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& message);
// It says something else now.
void redigest_arrival(Tx& tx, const std::string& bridge, const std::string& update, const std::string& digest);

// The chat goes on under another id: so does what is to be answered or sent there, and the conversations in it.
void move_chat(Tx& tx, const std::string& bridge, const std::string& from, const std::string& to);

// A run answers it. What it said is forgotten here: the conversation has it.
struct WorkingArrival {
    std::string bridge, update, chat;
    base::PersonId person;
    std::string role{};  // the person's
    base::RunId run;
    std::string message{};    // see ArrivalNote
    bool in_company = false;
};
void arrival_works(Tx& tx, const WorkingArrival& arrival);
std::vector<WorkingArrival> working_arrivals(Tx& tx);
// What others asked in a chat and were answered there for all to read, since this person last was, who has spoken there himself; the last
// ones, the oldest first. In a transaction of the person.
struct Exchange {
    std::string name, asked, answered;
    base::RunId run{};
};
std::vector<Exchange> group_talk(Tx& tx, const std::string& bridge, const std::string& chat, int most);
// Messages of the person's run that tell what was said in those runs of others: whoever forgets it there forgets it here, too (hearth_forget_told).
struct ToldWords {
    std::string text;                 // of the message
    std::vector<base::RunId> of{};
};
void note_told(Tx& tx, base::RunId run, const std::vector<ToldWords>& told);
// The run has ended: what was forgotten of it meanwhile goes.
void erase_told_at_end(Tx& tx, base::RunId run);
// Nothing more comes of it. `outcome`: what came, for whoever looks; not what was said.
void settle_arrival(Tx& tx, const std::string& bridge, const std::string& update, const std::string& outcome);

// Whether `holder` alone may ask the channel for what is new, for so long from now on, as long as its process lives: which has locked it (Db::try_lock).
bool hold_poll(Tx& tx, const std::string& bridge, base::RunId holder, std::chrono::seconds hold);

}  // namespace store
