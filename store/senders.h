// Who writes from elsewhere: which sender of a channel is which person, and how an unknown one becomes known. A sender shows the
// owner a code that he was told; the owner says whose it is. In transactions of the owner, but where it is said otherwise.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "store/people.h"

namespace store {

struct Sender {
    std::string bridge, id;  // as the channel knows them
    std::string chat, label{};  // where they are answered, and what they are called there
    std::string language{};     // as the channel says, such as "fr-CA"; empty: it does not
};
// Nothing: unknown.
std::optional<Person> find_sender(Tx& tx, const std::string& bridge, const std::string& id);

// What the channel says of somebody who is known; empty: nothing new.
void note_language(Tx& tx, const std::string& bridge, const std::string& id, const std::string& language);
// In which language a person is told there what no model has written: as he wants it, else as the channel says of him; empty: nobody has
// said. In a transaction of the person or the owner.
std::string language_in(Tx& tx, base::PersonId person, const std::string& bridge);

struct Pairing {
    Sender sender;
    std::string code;
    base::TimePoint expires{};
};
inline constexpr std::chrono::minutes kPairingTime{60};   // that a code can be approved
inline constexpr std::chrono::minutes kPairingPause{10};  // until the same sender is told again
inline constexpr int kMostPairings = 100;                 // open at a time

// The code that this sender is to be told now; nothing when he was told a moment ago, or too many others wait.
std::optional<std::string> ask_pairing(Tx& tx, const Sender& sender);
std::vector<Pairing> open_pairings(Tx& tx);
// From now on the sender is that person. Error{not_found}: there is no such code, or it has expired.
base::Result<Pairing> approve_pairing(Tx& tx, const std::string& code, const Person& person);

struct KnownSender {
    std::string bridge, id, label;
    Person person;
    std::string language{};  // see Sender
};
std::vector<KnownSender> known_senders(Tx& tx);
// False: it was none.
bool forget_sender(Tx& tx, const std::string& bridge, const std::string& id);

// In a transaction of the person: the conversation that goes on in the chat, made where there is none or it has ended.
// `in_company`: others read there, too, as is kept of the chat from then on.
base::ConversationId conversation_in_chat(Tx& tx, const std::string& bridge, const std::string& chat, bool in_company = false);
// Whether that is held where others read, so that nothing of the person's own belongs into it.
bool is_in_company(Tx& tx, base::ConversationId conversation);
struct ChatPlace {
    bool in_company = false, left = false;  // others read there; this person does no more
};
ChatPlace place_in_chat(Tx& tx, const std::string& bridge, const std::string& chat);
// Where the run was asked for ("telegram", "api", "cli", …); empty where the person has no such run.
std::string channel_of_run(Tx& tx, base::RunId run);

}  // namespace store
