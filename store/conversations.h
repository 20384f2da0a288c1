// Conversations and their messages: what was said in one channel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/threads.h"

namespace store {

struct StoredMessage {
    base::MessageId id;
    std::int64_t position = 0;  // 0-based in its conversation
    base::RunId run;            // nil for imported history
    std::string role;           // system | user | assistant | tool
    base::Json body;            // the message in OpenAI shape (content, tool_calls, tool_call_id, …)
};

// With the thread over it.
void create_conversation(Tx& tx, base::ConversationId id, const std::string& channel, const std::string& workspace, const NewThread& thread = {});
// Until the transaction's end nobody else appends to it or begins a turn in it.
void lock_conversation(Tx& tx, base::ConversationId id);
// Empty when it has none of its own; nothing where there is no such conversation of this person: handlers answer 404.
std::optional<std::string> conversation_workspace(Tx& tx, base::ConversationId id);
std::vector<StoredMessage> list_messages(Tx& tx, base::ConversationId id);
base::MessageId append_message(Tx& tx, base::ConversationId id, base::RunId run, const base::Json& body);

// Compares `given` (OpenAI messages) with what is stored; returns how many of `given` are already
// there: all of the history when `given` retells it (holds an assistant's message, or repeats all), else 0. Error
// {conflict} naming the index of the first that differs, or when nothing new follows.
base::Result<std::size_t> match_history(Tx& tx, base::ConversationId id, const std::vector<base::Json>& given);

}  // namespace store
