// What of the remembered lies in the person's archive (memory/archive.h), and the keys that open it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/episodes.h"

namespace store {

struct Archivable {
    std::string kind;                // "segment", "episode"
    base::Uuid id;
    base::ConversationId conversation;
    base::RunId run;                 // of a segment; nil: none
    base::TimePoint began{}, ended{};
    std::string text;                // Markdown
    std::string key;                 // of its conversation
};

// Nobody else writes the person's archive until the transaction's end.
void lock_archive(Tx& tx);
// Keys for the conversations of the next ones, where they have none. Committed before anything is sealed, else a killed process would leave what nothing opens.
void make_archive_keys(Tx& tx, int most);
// Of the person those that are not in it yet and whose conversations have keys; nobody forgets them until the transaction's end.
std::vector<Archivable> next_archivable(Tx& tx, int most);
void mark_archived(Tx& tx, const std::vector<Archivable>& items);

// None: it was forgotten, or is not this person's.
std::optional<std::string> archive_key(Tx& tx, base::ConversationId conversation);

}  // namespace store
