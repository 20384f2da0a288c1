// What a channel delivers, whichever channel it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace server::bridges {

// What came beside a text, or in its place. It stays where it is until it is fetched.
struct ArrivedFile {
    std::string id;          // by which the channel hands it out
    std::string name, type;  // of a document: what it is called, and its media type; as its sender says
    std::int64_t bytes = 0;  // as the channel says
};

// What is no text and no file, in words: a place, a contact, a poll. Empty: it is neither, or words cannot tell it.
struct MediaWords {
    std::string text;
    bool own = false;  // nothing in it is of anybody's writing: where somebody is, a sticker, a throw of dice
};

struct Arrival {
    enum class Kind {
        message,
        edit,     // of a message that was sent before
        choice,   // one of what a message offers was pressed
        receipt,  // how a message of ours fares: `what` it came to, by `text` when it failed
        moved,    // the chat goes on under another id
        left,     // the sender reads in the chat no more: by himself, or as others wanted it
        other,    // nothing that anybody has said
    } kind = Kind::other;
    std::string update;       // the channel's number of it: what it delivers twice has it twice
    std::string what;         // of an `other`, the channel's word for it
    std::string sender;       // as the channel knows them; empty: it does not say
    std::string sender_name;  // what they are called there
    std::string language{};   // of its sender, as the channel says, such as "fr-CA"; then as he is answered; empty: nobody has said
    bool from_program = false;
    std::string chat;         // where it was said, and is answered
    bool alone = false;       // nobody but the sender reads there
    bool addressed = false;   // among others: it was said to us
    std::string moved_to;     // of a moved chat
    std::string text;         // also what is said under a picture or a file
    bool forwarded = false;   // the text is another's, handed on
    std::string author{};     // of what was forwarded, where the channel says
    std::string album{};      // of several that were sent at once: the channel's id of all
    std::string message;      // the channel's id of it; of a choice, of the message that offers it
    std::string choice;       // the id of what was pressed
    std::string press;        // the channel's id of the pressing, until it is acknowledged
    // What it answers, or the part of that which it quotes.
    struct Quote {
        std::string text;
        std::string sender, sender_name;  // see above
        std::string message;              // the channel's id of it
        std::string media;                // see below
        ArrivedFile file;
        MediaWords says{};
    } quoted;
    std::string media;        // "photo", "voice", …: what came beside the text, or in its place
    MediaWords says{};
    ArrivedFile file;         // of it, where the channel hands it out
    std::optional<base::TimePoint> said{};  // when, where the channel tells
    std::string ours;         // of a receipt: what was given along with the message
};

}  // namespace server::bridges
