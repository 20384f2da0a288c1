#include "store/shadow.h"

namespace store {

void insert_shadow(Tx& tx, const ShadowCall& c) {
    tx.send("insert into shadow_call (alias, shadow, purpose, error, same_calls, likeness, prompt_tokens, output_tokens, cost, duration_us,"
            " shadow_prompt_tokens, shadow_output_tokens, shadow_cost, shadow_duration_us) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            {c.alias, c.shadow, c.purpose, tx.redactor().redacted(c.error), c.same_calls, c.likeness, c.was.prompt_tokens, c.was.output_tokens, c.was.cost, std::int64_t(c.was.duration.count()),
             c.now.prompt_tokens, c.now.output_tokens, c.now.cost, std::int64_t(c.now.duration.count())});
}

std::vector<ShadowSum> sum_shadows(Tx& tx, base::TimePoint since) {
    std::vector<ShadowSum> out;
    for (const Row& row : tx.exec("select alias, shadow, purpose, count(*), count(*) filter (where error <> ''), count(*) filter (where error = '' and same_calls),"
                                  " coalesce(avg(likeness) filter (where error = ''), 0), coalesce(sum(cost) filter (where error = ''), 0), sum(shadow_cost),"
                                  " coalesce(avg(duration_us) filter (where error = ''), 0) / 1000.0, coalesce(avg(shadow_duration_us) filter (where error = ''), 0) / 1000.0"
                                  " from shadow_call where at >= to_timestamp($1::bigint / 1e6) group by alias, shadow, purpose order by alias, shadow, purpose", {micros_of(since)}))
        out.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4), row.integer(5), row.real(6), row.real(7), row.real(8), row.real(9), row.real(10)});
    return out;
}

}  // namespace store
