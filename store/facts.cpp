#include "store/facts.h"

namespace store {

base::FactId remember(Tx& tx, const std::string& body, base::RunId source, base::FactId id, bool trusted) {
    tx.send("insert into fact (id, body, source_run_id, trusted) values ($1, $2, $3, $4)", {id, tx.redactor().without_known(body), source, trusted});
    return id;
}

std::vector<Fact> similar_facts(Tx& tx, const std::string& query, int limit) {
    std::vector<Fact> out;
    for (const Row& row : tx.exec("select id, body, greatest(similarity(body, $1), word_similarity(body, $1), word_similarity($1, body)) as score, " +
                                      micros("created_at") + ", trusted from fact order by score desc, id desc limit $2", {query, limit}))
        out.push_back({row.id<base::FactId>(0), row.text(1), row.real(2), row.time(3), row.boolean(4)});
    return out;
}

}  // namespace store
