// What a channel delivers, whichever channel it is.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace server::bridges {

struct Arrival {
    enum class Kind {
        message,
        edit,   // of a message that was sent before
        choice, // one of what a message offers was pressed
        receipt,  // how a message of ours fares: `what` it came to, by `text` when it failed
        other,  // nothing that anybody has said
    } kind = Kind::other;
    std::string update;       // the channel's number of it: what it delivers twice has it twice
    std::string what;         // of an `other`, the channel's word for it
    std::string sender;       // as the channel knows them; empty: it does not say
    std::string sender_name;  // what they are called there
    bool from_program = false;
    std::string chat;         // where it was said, and is answered
    bool alone = false;       // nobody but the sender reads there
    std::string text;         // also what is said under a picture or a file
    std::string message;      // the channel's id of it; of a choice, of the message that offers it
    std::string choice;       // the id of what was pressed
    std::string press;        // the channel's id of the pressing, until it is acknowledged
    std::string media;        // "photo", "voice", …: what came beside the text, or in its place
    std::optional<base::TimePoint> said{};  // when, where the channel tells
    std::string ours;         // of a receipt: what was given along with the message
};

}  // namespace server::bridges
