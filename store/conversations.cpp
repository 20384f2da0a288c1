#include "store/conversations.h"

#include <algorithm>

namespace store {
namespace {

// Arguments as their value, since clients write JSON anew; else as their text.
base::Json arguments_of(const base::Json& function) {
    const base::Json raw = function.value("arguments", base::Json());
    if (!raw.is_string()) return raw;
    auto value = base::parse_json(raw.get<std::string>());
    return value ? *std::move(value) : raw;
}

// What two messages must agree in to be the same: role, text and calls, not ids that a client drops.
base::Json essence(const base::Json& message) {
    base::Json out;
    const std::string role = message.value("role", "");
    out["role"] = role == "developer" ? "system" : role;
    base::Json content = message.contains("content") ? message["content"] : base::Json();
    if (content.is_array()) {
        std::string joined;
        for (const auto& part : content)
            if (part.is_object()) joined += part.value("text", "");
        content = joined;
    }
    if (content.is_null()) content = "";
    out["content"] = std::move(content);
    for (const auto& call : message.value("tool_calls", base::Json::array()))
        if (call.is_object() && call.contains("function")) out["calls"].push_back({call["function"].value("name", ""), arguments_of(call["function"])});
    return out;
}

}  // namespace

void create_conversation(Tx& tx, base::ConversationId id, const std::string& channel, const std::string& workspace, const NewThread& thread) {
    tx.send("insert into conversation (id, channel, workspace) values ($1, $2, $3)", {id, channel, workspace});
    create_thread(tx, id, thread);
}

void lock_conversation(Tx& tx, base::ConversationId id) { tx.send("select pg_advisory_xact_lock(hashtextextended($1, 8))", {id.text()}); }

std::optional<std::string> conversation_workspace(Tx& tx, base::ConversationId id) {
    const auto rows = tx.exec("select workspace from conversation where id = $1", {id});
    return rows.empty() ? std::nullopt : std::optional(rows[0].text(0));
}

std::vector<StoredMessage> list_messages(Tx& tx, base::ConversationId id) {
    std::vector<StoredMessage> out;
    for (const Row& row : tx.exec("select id, position, run_id, role, body from message where conversation_id = $1"
                                  " order by position", {id}))
        out.push_back({row.id<base::MessageId>(0), row.integer(1), row.id<base::RunId>(2), row.text(3), row.json(4)});
    return out;
}

base::MessageId append_message(Tx& tx, base::ConversationId id, base::RunId run, const base::Json& body) {
    const auto message = base::MessageId::make(base::SystemClock().now());
    lock_conversation(tx, id);  // positions are consecutive when two append at once
    // Foreign keys look past row-level security, so another person's conversation is refused by the join.
    static const std::string insert = require(
        "insert into message (id, conversation_id, position, run_id, role, body)"
        " select $1, c.id, coalesce((select max(position) + 1 from message where conversation_id = c.id), 0), $3, $4, $5"
        " from conversation c where c.id = $2 returning 1",
        DbError::Kind::foreign_key, "$6");
    tx.send(insert, {message, id, run, body.value("role", ""), tx.redactor().without_known(body), "there is no conversation " + id.text()});
    return message;
}

base::Result<std::size_t> match_history(Tx& tx, base::ConversationId id, const std::vector<base::Json>& given) {
    // Who retells the conversation repeats its answers; what a person adds contains none. A conversation
    // that holds no answer yet is retold by whoever repeats all of it.
    const auto is_answer = [](const base::Json& m) { return m.value("role", "") == "assistant"; };
    const bool answers = std::any_of(given.begin(), given.end(), is_answer);
    if (!answers && given.size() < 2) return std::size_t(0);
    const auto stored = list_messages(tx, id);
    const auto same = [&](const base::Json& mine, const StoredMessage& theirs) { return essence(tx.redactor().without_known(mine)) == essence(theirs.body); };
    const bool answered = std::any_of(stored.begin(), stored.end(), [&](const StoredMessage& m) { return is_answer(m.body); });
    const bool repeated = given.size() > stored.size() && std::equal(stored.begin(), stored.end(), given.begin(), [&](const auto& s, const auto& g) { return same(g, s); });
    if (!answers) return !answered && repeated ? stored.size() : std::size_t(0);
    for (std::size_t i = 0; i < std::min(given.size(), stored.size()); ++i)
        if (!same(given[i], stored[i]))
            return base::error(base::Code::conflict,
                               "messages[" + std::to_string(i) + "] differs from what the conversation holds at that place",
                               "send the history as it was, or only the new messages");
    if (given.size() <= stored.size())
        return base::error(base::Code::conflict,
                           "messages[" + std::to_string(given.size() - 1) + "] and all before it are in the conversation already",
                           "add the new message after the whole history, or send only that");
    return stored.size();
}

}  // namespace store
