#include "store/responses.h"

namespace store {
namespace {

constexpr std::string_view kPrefix = "resp_";
const std::string kColumns = "id, previous_id, run_id, conversation_id, input, body";

StoredResponse response_of(const Row& row) {
    return {row.id<ResponseId>(0), row.id<ResponseId>(1), row.id<base::RunId>(2), row.id<base::ConversationId>(3), row.json(4), row.json(5)};
}

void insert(Tx& tx, const StoredResponse& response, const std::string& otherwise) {
    tx.send("insert into response (id, previous_id, run_id, conversation_id, input, body) values ($1, $2, $3, $4, $5, $6) on conflict (id) do " + otherwise,
            {response.id, response.previous, response.run, response.conversation, tx.redactor().without_known(response.input),
             tx.redactor().without_known(response.body)});
}

}  // namespace

void keep_response(Tx& tx, const StoredResponse& response) { insert(tx, response, "update set body = excluded.body"); }
void keep_beginning(Tx& tx, const StoredResponse& response) { insert(tx, response, "nothing"); }

std::optional<StoredResponse> find_response(Tx& tx, ResponseId id) {
    const auto rows = tx.exec("select " + kColumns + " from response where id = $1", {id});
    return rows.empty() ? std::nullopt : std::optional(response_of(rows[0]));
}

base::Result<std::vector<StoredResponse>> response_chain(Tx& tx, ResponseId id) {
    std::vector<StoredResponse> out;
    for (const Row& row : tx.exec("with recursive chain as (select r.*, 0 as depth from response r where id = $1"
                                  " union all select r.*, c.depth + 1 from response r join chain c on r.id = c.previous_id)"
                                  " select " + kColumns + " from chain order by depth desc", {id}))
        out.push_back(response_of(row));
    if (out.empty()) return no_such_response(public_id(id));
    if (!out.front().previous.is_nil()) return no_such_response(public_id(out.front().previous));
    return out;
}

bool remove_response(Tx& tx, ResponseId id) { return !tx.exec("delete from response where id = $1 returning 1", {id}).empty(); }

std::int64_t erase_responses(Tx& tx, base::TimePoint before, int most) {
    return tx.exec("select hearth_erase_responses(to_timestamp($1::bigint / 1000000.0), $2)", {micros_of(before), most}).at(0).integer(0);
}

std::string public_id(ResponseId id) { return std::string(kPrefix) + id.text(); }

std::optional<ResponseId> parse_response_id(std::string_view text) {
    if (!text.starts_with(kPrefix)) return std::nullopt;
    return ResponseId::parse(text.substr(kPrefix.size()));
}

base::Error no_such_response(std::string_view id) {
    return base::error(base::Code::not_found, "there is no response '" + std::string(id) + "'",
                       "it was not stored, was deleted, or is another person's: send the whole conversation as input");
}

}  // namespace store
