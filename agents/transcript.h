// How a prompt is laid out: what never changes first (system, worked examples), then the history,
// then the request. Every later call of the run extends this list, so that a model finds its
// cached prefix.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "router/types.h"
#include "store/conversations.h"

namespace agents {

// What earlier runs did between a request and its answer: by run, the calls and results.
using WorkOfRuns = std::vector<std::pair<base::RunId, std::vector<router::Message>>>;

// Stored messages as a model reads them. A client's system message ranks as the person's words;
// neighbouring messages of the person become one; a run's work stands before its answer; each call has a result.
// Error{invalid_argument} naming the index of a message that is none.
base::Result<std::vector<router::Message>> history_of(const std::vector<store::StoredMessage>& stored, const WorkOfRuns& work);

// Puts `instructions` before the last words of the person.
void instruct(std::vector<router::Message>& history, const std::string& instructions, bool trusted = true);

// How much of a history a prompt repeats: so many tokens in all, by an estimate of three bytes a token, and so many messages (0: any number) beside
// calls and their results. Where there are more, two fifths of it are made free at once.
struct Room {
    int tokens = 0, messages = 0;
};
// system + examples + history; the oldest turns of the history, whole, are left out until it fits. The last turn always stays.
std::vector<router::Message> lay_out(std::string system, const std::vector<router::Message>& examples,
                                     std::vector<router::Message> history, Room room);

// What the tools take of a prompt, by the same estimate.
int tokens_of(const std::vector<router::ToolSchema>& tools);

// `note` as the person's side of the next model call: appended to the last message when that is the
// person's, so that roles alternate in every template, else as a message of its own.
std::vector<router::Message> with_note(std::vector<router::Message> messages, const std::string& note);

// Halves the longest tool result, with a note of it; gives the bytes that went, 0 when all are short.
std::size_t shorten_longest_result(std::vector<router::Message>& messages);

base::Result<std::vector<router::Message>> messages_of(const base::Json& openai);

}  // namespace agents
