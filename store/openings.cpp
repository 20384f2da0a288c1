#include "store/openings.h"

#include "store/run_list.h"
#include "store/uuid_array.h"

namespace store {

std::map<base::ConversationId, Opening> openings_of(Tx& tx, const std::vector<base::ConversationId>& conversations) {
    // Of one whose first run nobody has begun there is no message yet.
    static const std::string query =
        std::string("select c.id, coalesce((select ") + kTextOfMessage + " from message m where m.conversation_id = c.id and m.role = 'user' order by m.position limit 1),"
        " (select r.question from run r where r.conversation_id = c.id order by r.id limit 1), ''), " +
        micros("coalesce((select m.created_at from message m where m.conversation_id = c.id order by m.position desc limit 1), c.created_at)") +
        " from conversation c where c.id = any($1::uuid[])";
    std::map<base::ConversationId, Opening> out;
    for (const Row& row : tx.exec(query, {uuid_array(conversations)})) out[row.id<base::ConversationId>(0)] = {row.text(1), row.time(2)};
    return out;
}

}  // namespace store
