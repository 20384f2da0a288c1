#include "store/issues.h"

#include <algorithm>
#include <cctype>

namespace store {
namespace {

using base::Code;

constexpr std::size_t kMostEvidence = 20;

std::string time_of(const char* parameter) { return "to_timestamp(" + std::string(parameter) + "::bigint / 1000000.0)"; }

const std::string& columns() {
    static const std::string all = "id, signature, title, count, array_to_json(runs), " + micros("first_at") + ", " + micros("last_at") + ", state, first_build, fixed_build, regressed_build";
    return all;
}

Issue issue_of(const Row& row) {
    Issue out;
    out.id = row.id<IssueId>(0);
    out.seen.signature = row.text(1);
    out.seen.title = row.text(2);
    out.seen.count = row.integer(3);
    for (const auto& run : row.json(4)) out.seen.runs.push_back(base::RunId::parse(run.get<std::string>()).value());
    out.seen.first = row.time(5);
    out.seen.last = row.time(6);
    out.state = row.text(7);
    out.first_build = row.text(8);
    out.fixed_build = row.text_or(9, "");
    out.regressed_build = row.text_or(10, "");
    return out;
}

std::string array_of(const std::vector<base::RunId>& runs) {
    std::string out = "{";
    const std::size_t from = runs.size() > kMostEvidence ? runs.size() - kMostEvidence : 0;
    for (std::size_t i = from; i < runs.size(); ++i) out += (i > from ? "," : "") + runs[i].text();
    return out + "}";
}

}  // namespace

std::vector<Failure> failures_between(Tx& tx, base::TimePoint since, base::TimePoint until) {
    std::vector<Failure> out;
    for (const Row& row : tx.exec("select run_id, of, name, state, error, at_us from hearth_failures($1, $2)", {micros_of(since), micros_of(until)}))
        out.push_back({row.id<base::RunId>(0), row.text(1), row.text(2), row.text(3), row.text(4), row.time(5)});
    return out;
}

std::optional<base::TimePoint> hold_review(Tx& tx) {
    tx.exec("select pg_advisory_xact_lock(hashtextextended('review ' || hearth_tenant(), 0))");
    const auto rows = tx.exec("select " + micros("until") + " from review");
    return rows.empty() ? std::nullopt : std::optional(rows[0].time(0));
}

void end_review(Tx& tx, base::TimePoint until) {
    tx.send("insert into review (until) values (" + time_of("$1") + ") on conflict (tenant_id) do update set until = excluded.until", {micros_of(until)});
}

Filed file_issue(Tx& tx, const Cluster& cluster, const std::string& build) {
    const auto known = tx.exec("select " + columns() + ", state = 'deployed' and exists (select from deploy d where d.build = fixed_build and d.first_at < " + time_of("$2") + ")"
                               " from issue where signature = $1 for update", {cluster.signature, micros_of(cluster.last)});
    if (known.empty()) {
        tx.send("insert into issue (id, signature, title, count, runs, first_at, last_at, first_build) values ($1, $2, $3, $4, $5::uuid[], " + time_of("$6") + ", " + time_of("$7") + ", $8)",
                {IssueId::make(base::SystemClock().now()), cluster.signature, tx.redactor().redacted(cluster.title), cluster.count, array_of(cluster.runs), micros_of(cluster.first), micros_of(cluster.last), build});
        return Filed::fresh;
    }
    Issue issue = issue_of(known[0]);
    const bool is_back = known[0].boolean(11);
    issue.seen.runs.insert(issue.seen.runs.end(), cluster.runs.begin(), cluster.runs.end());
    tx.send("update issue set count = count + $2, runs = $3::uuid[], last_at = " + time_of("$4") + ", state = case when $5 then 'needs-triage' else state end,"
            " regressed_build = case when $5 then $6 else regressed_build end, changed_at = case when $5 then clock_timestamp() else changed_at end where id = $1",
            {issue.id, cluster.count, array_of(issue.seen.runs), micros_of(cluster.last), is_back, build});
    return is_back ? Filed::back : Filed::known;
}

std::vector<Issue> list_issues(Tx& tx, bool closed) {
    std::vector<Issue> out;
    for (const Row& row : tx.exec("select " + columns() + " from issue where $1 or state not in ('closed', 'deployed')"
                                  " order by array_position(array['needs-triage', 'ready-to-fix', 'fixed-locally', 'deployed', 'closed'], state), count desc, id limit 500", {closed}))
        out.push_back(issue_of(row));
    return out;
}

base::Result<Issue> find_issue(Tx& tx, const std::string& id) {
    const bool possible = id.size() >= 4 && id.size() <= 36 && std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isxdigit(c) || c == '-'; });
    std::vector<Row> rows;
    if (possible) rows = tx.exec("select " + columns() + " from issue where starts_with(id::text, lower($1)) limit 2", {id});
    if (rows.empty()) return base::error(Code::not_found, "there is no issue '" + id + "'", "hearth review list --all shows them");
    if (rows.size() > 1) return base::error(Code::conflict, "several issues begin with '" + id + "'", "give more of the id");
    return issue_of(rows[0]);
}

base::Result<void> mark_issue(Tx& tx, IssueId id, const std::string& state) {
    const bool known = std::find(std::begin(kIssueStates), std::end(kIssueStates), state) != std::end(kIssueStates);
    if (!known || state == "deployed")
        return base::error(Code::invalid_argument, "'" + state + "' is no state that an issue is given by hand", "use needs-triage, ready-to-fix, fixed-locally or closed; deployed it is with the next build that runs");
    tx.send("update issue set state = $2, changed_at = clock_timestamp() where id = $1", {id, state});
    return {};
}

bool note_deploy(Tx& tx, const std::string& build, const std::string& version) {
    if (tx.exec("insert into deploy (build, version) values ($1, $2) on conflict do nothing returning 1", {build, version}).empty()) return false;
    tx.send("update issue set state = 'deployed', fixed_build = $1, changed_at = clock_timestamp() where state = 'fixed-locally'", {build});
    return true;
}

}  // namespace store
