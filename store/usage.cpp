#include "store/usage.h"

#include "store/nullable.h"

namespace store {
namespace {

constexpr const char* kTime = "to_timestamp($1::bigint / 1000000.0)";

}  // namespace

void insert_call(Tx& tx, const ModelCall& c) {
    tx.send(std::string("insert into model_usage (started_at, id, run_id, alias, purpose, backend, model, profile, finish, error, fallbacks,"
                        " duration_us, queued_us, prefill_us, decode_us, prompt_tokens, cached_tokens, output_tokens, agent, conversation_id, cost, forced_tokens)"
                        " values (") + kTime + ", $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
            {micros_of(c.started), c.id, c.run, c.alias, c.purpose, c.backend, c.model, c.profile, c.finish, tx.redactor().redacted(c.error), tx.redactor().redacted(c.fallbacks),
             std::int64_t(c.duration.count()), std::int64_t(c.queued.count()), std::int64_t(c.prefill.count()), std::int64_t(c.decode.count()),
             c.prompt_tokens, c.cached_tokens, c.output_tokens, c.agent, c.conversation, c.cost, c.forced_tokens});
}

std::vector<ModelCall> list_calls(Tx& tx, base::TimePoint since, int limit) {
    std::vector<ModelCall> out;
    const std::string select = "select id, run_id, alias, purpose, backend, model, profile, finish, error, fallbacks, " + micros("started_at") +
                               ", duration_us, queued_us, prefill_us, decode_us, prompt_tokens, cached_tokens, output_tokens, agent, conversation_id, cost, forced_tokens"
                               " from model_usage where started_at >= " + kTime + " order by started_at desc, id desc limit $2";
    for (const Row& row : tx.exec(select, {micros_of(since), limit})) {
        const auto time = [&](int column) { return std::chrono::microseconds(row.integer(column)); };
        ModelCall c{row.id<base::SpanId>(0), tx.identity().tenant, tx.identity().person, row.id<base::RunId>(1), row.text(2), row.text(3),
                    row.text(4), row.text(5), row.text(6), row.text(7), row.text(8), row.json(9), row.time(10), time(11), time(12), time(13), time(14),
                    int(row.integer(15)), int(row.integer(16)), int(row.integer(17)), row.text(18), row.id<base::ConversationId>(19), row.real(20), int(row.integer(21))};
        out.push_back(std::move(c));
    }
    return out;
}

std::vector<UsageSum> sum_usage(Tx& tx, base::TimePoint since) {
    std::vector<UsageSum> out;
    const std::string select = std::string("select to_char(started_at at time zone 'UTC', 'YYYY-MM-DD') as day, alias, purpose, count(*),"
                                           " count(*) filter (where error <> ''), sum(prompt_tokens), sum(cached_tokens), sum(output_tokens), sum(cost)"
                                           " from model_usage where started_at >= ") + kTime + " group by 1, 2, 3 order by 1 desc, 2, 3";
    for (const Row& row : tx.exec(select, {micros_of(since)}))
        out.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4), row.integer(5), row.integer(6), row.integer(7), row.real(8)});
    return out;
}

namespace {

const char* column_of(UsageBy by) {
    switch (by) {
        case UsageBy::agent: return "agent";
        case UsageBy::conversation: return "conversation_id::text";
        case UsageBy::model: return "alias";
        case UsageBy::backend: return "backend";
    }
    return "alias";
}

UsageShare share_of(const Row& row) { return {row.text_or(0, ""), row.integer(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5), row.real(6)}; }

Spending spending_of(const Row& row) { return {row.text(0), int(row.integer(1)), row.integer(2), row.real(3)}; }

}  // namespace

std::vector<UsageShare> usage_by(Tx& tx, UsageBy by, base::TimePoint since, int limit) {
    std::vector<UsageShare> out;
    const std::string select = std::string("select ") + column_of(by) + ", count(*), count(*) filter (where error <> ''), sum(prompt_tokens), sum(cached_tokens), sum(output_tokens), sum(cost)"
                               " from model_usage where started_at >= " + kTime + " group by 1 order by sum(cost) desc, sum(prompt_tokens + output_tokens) desc, 1 limit $2";
    for (const Row& row : tx.exec(select, {micros_of(since), limit})) out.push_back(share_of(row));
    return out;
}

std::vector<UsageShare> usage_by_person(Tx& tx, base::TimePoint since) {
    std::vector<UsageShare> out;
    for (const Row& row : tx.exec(std::string("select * from hearth_usage_by_person(") + kTime + ")", {micros_of(since)})) out.push_back(share_of(row));
    return out;
}

std::vector<UsageDay> usage_days(Tx& tx, base::TimePoint since, bool everybody) {
    std::vector<UsageDay> out;
    for (const Row& row : tx.exec(std::string("select * from hearth_usage_days(") + kTime + ", $2)", {micros_of(since), everybody}))
        out.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5), row.real(6), real_of(row, 7), real_of(row, 8), real_of(row, 9)});
    return out;
}

std::vector<Spending> add_spending(Tx& tx, const std::vector<Spending>& more) {
    std::vector<Spending> out;
    for (const Spending& s : more)
        for (const Row& row : tx.exec("insert into spending (subject, day, tokens, cost) values ($1, $2, $3, $4)"
                                      " on conflict (tenant_id, day, subject) do update set tokens = spending.tokens + excluded.tokens, cost = spending.cost + excluded.cost"
                                      " returning subject, day, tokens, cost",
                                      {s.subject, s.day, s.tokens, s.cost}))
            out.push_back(spending_of(row));
    return out;
}

std::vector<Spending> list_spending(Tx& tx, int day) {
    std::vector<Spending> out;
    for (const Row& row : tx.exec("select subject, day, tokens, cost from spending where day = $1", {day})) out.push_back(spending_of(row));
    return out;
}

}  // namespace store
