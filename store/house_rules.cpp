#include "store/house_rules.h"

#include "store/signals.h"

namespace store {
namespace {

std::vector<RuleRow> rules_of(const std::vector<Row>& rows) {
    std::vector<RuleRow> out;
    for (const Row& row : rows) out.push_back({row.id<base::TenantId>(0), row.text(1), row.json(2), row.time(3)});
    return out;
}

const std::string kColumns = "tenant_id, name, body, " + micros("changed_at");

}  // namespace

std::vector<RuleRow> list_rules(Tx& tx) { return rules_of(tx.exec("select " + kColumns + " from house_rule order by name")); }

std::vector<RuleRow> all_rules(Tx& tx) { return rules_of(tx.exec("select " + kColumns + " from hearth_house_rules()")); }

base::Result<void> set_rule(Tx& tx, const std::string& name, const base::Json& body) {
    try {
        tx.exec("insert into house_rule (name, body) values ($1, $2::jsonb) on conflict (tenant_id, name)"
                " do update set body = excluded.body, changed_by = excluded.changed_by, changed_at = clock_timestamp()",
                {name, body});
        send_signal(tx, {Signal::Kind::rules, {}});
        return {};
    } catch (const DbError& e) {
        if (e.condition != "42501") throw;  // row-level security
        return base::error(base::Code::permission_denied, "the rules of a house are its owner's to set");
    }
}

bool remove_rule(Tx& tx, const std::string& name) {
    const bool removed = !tx.exec("delete from house_rule where name = $1 returning 1", {name}).empty();
    if (removed) send_signal(tx, {Signal::Kind::rules, {}});
    return removed;
}

std::int64_t count_calls(Tx& tx, const std::string& tool, base::TimePoint since) {
    return tx.exec("select count(*) from step where audience_id = $1 and name = $2 and kind = 'tool' and started_at >= to_timestamp($3::bigint / 1000000.0)",
                   {tx.identity().person, tool, micros_of(since)}).at(0).integer(0);
}

std::int64_t count_calls_alone(Tx& tx, const std::string& tool, base::TimePoint since) {
    tx.send("select pg_advisory_xact_lock(hashtextextended('calls ' || $1 || ' ' || $2, 0))", {tx.identity().person.text(), tool});
    return count_calls(tx, tool, since);
}

}  // namespace store
