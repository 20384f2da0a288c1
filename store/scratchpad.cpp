#include "store/scratchpad.h"

#include "base/utf8.h"
#include "store/storable.h"

namespace store {

std::optional<Scratchpad> find_scratchpad(Tx& tx, base::ConversationId conversation) {
    const auto rows = tx.exec("select body, trusted from scratchpad where conversation_id = $1 and audience_id = hearth_person()", {conversation});
    if (rows.empty()) return std::nullopt;
    return Scratchpad{rows[0].text(0), rows[0].boolean(1)};
}

void set_scratchpad(Tx& tx, base::RunId run, const Scratchpad& scratchpad) {
    if (scratchpad.text.empty()) return tx.send("delete from scratchpad s using run r where r.id = $1 and s.conversation_id = r.conversation_id", {run});
    // What stands for a secret or a byte that no text may hold can be longer than that.
    const std::string body = storable(tx.redactor().without_known(scratchpad.text));
    tx.send("insert into scratchpad (conversation_id, body, trusted, run_id) select r.conversation_id, $2, $3, r.id from run r where r.id = $1"
            " on conflict (conversation_id) do update set body = excluded.body, trusted = excluded.trusted, run_id = excluded.run_id, changed_at = clock_timestamp()",
            {run, std::string(base::beginning(body, kScratchpadBytes)), scratchpad.trusted});
}

}  // namespace store
