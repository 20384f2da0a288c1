// Responses of the API of that name: what later requests of the same person go on from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using ResponseId = base::Id<struct ResponseTag>;

struct StoredResponse {
    ResponseId id;
    ResponseId previous{};                // that it goes on from; nil: none
    base::RunId run{};                    // this and the conversation: nil of a bare model's
    base::ConversationId conversation{};
    base::Json input;                     // its own input items
    base::Json body;                      // the response as it was answered
};

// Kept anew, or with another body. What must not be written down in clear is taken out.
void keep_response(Tx& tx, const StoredResponse& response);
// The same for one that has only begun: nothing where it was kept already.
void keep_beginning(Tx& tx, const StoredResponse& response);
std::optional<StoredResponse> find_response(Tx& tx, ResponseId id);
// It and all that it goes on from, the oldest first. Error{not_found} naming the one that is not there.
base::Result<std::vector<StoredResponse>> response_chain(Tx& tx, ResponseId id);
bool remove_response(Tx& tx, ResponseId id);
// Of everybody, those that were begun before `before`, at most `most`; how many.
std::int64_t erase_responses(Tx& tx, base::TimePoint before, int most);

// "resp_…", as clients know it.
std::string public_id(ResponseId id);
std::optional<ResponseId> parse_response_id(std::string_view text);
base::Error no_such_response(std::string_view id);

}  // namespace store
