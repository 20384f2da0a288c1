// What runs ask people for, asked in the chat where they work; and the word that comes back. See store/approvals.h.
#pragma once

#include <optional>
#include <string_view>

#include "policy/reply.h"
#include "server/bridges/transport.h"
#include "server/bridges/typed_words.h"
#include "store/approvals.h"
#include "store/runs.h"

namespace server::bridges {

struct Word {
    store::ApprovalId approval;
    bool grant = false;
};
// Of what was pressed; nothing: it is no answer to such a question.
std::optional<Word> word_of(std::string_view choice);

// In a transaction of the person, as often as one likes: what the run asks is written for the chat once, and once what came of it,
// which stands in place of the question.
void write_questions(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, const std::string& chat, const store::Run& run);

struct Given {
    std::string outcome;      // of the arrival
    bool counts = false;      // the run goes on by it
    std::string answer = {};  // to whoever typed it, where it does not count
    bool known = true;        // it was about something that was asked
};
// Gives the person's word on what was asked in that chat, and writes what came of it.
Given take_typed(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, const std::string& chat, const TypedWord& typed);
// The same by what was pressed; the outcome.
std::string take_word(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, const Arrival& pressed);

}  // namespace server::bridges
