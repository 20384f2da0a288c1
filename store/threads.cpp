#include "store/threads.h"

#include "store/conversations.h"
#include "store/stops.h"

namespace store {
namespace {

constexpr Rule kRules[] = {Rule::queue, Rule::steer, Rule::interrupt, Rule::refuse};
constexpr std::string_view kRuleNames[] = {"queue", "steer", "interrupt", "refuse"};

constexpr const char* kOpen = "(r.state = 'waiting_person' or (r.state is null and r.request is not null))";

const std::string& columns() {
    static const std::string all = [] {
        std::string out = "t.id, t.label, t.rule, t.parent_run, t.parent_call, t.depth, t.output_tokens, t.threads, t.state,"
                          " (select p.conversation_id from run p where p.id = t.parent_run), (select r.id from run r where r.conversation_id = t.id and ";
        out += kOpen;
        out += " order by r.id desc limit 1)";
        for (const char* time : {"t.created_at", "t.ends_at", "t.ended_at"}) out += ", " + micros(time);
        return out;
    }();
    return all;
}

Thread thread_of(const Row& row) {
    Thread out;
    out.id = row.id<base::ConversationId>(0);
    out.as.label = row.text(1);
    out.as.rule = parse_rule(row.text(2)).value();
    out.as.parent_run = row.id<base::RunId>(3);
    out.as.parent_call = row.text_or(4, "");
    out.as.depth = int(row.integer(5));
    if (!row.null(6)) out.as.output_tokens = int(row.integer(6));
    out.as.threads = int(row.integer(7));
    out.parent = row.id<base::ConversationId>(9);
    out.works = row.id<base::RunId>(10);
    out.state = row.text_or(8, out.works.is_nil() ? "idle" : "running");
    out.created = row.time(11);
    if (!row.null(12)) out.ends = row.time(12);
    if (!row.null(13)) out.ended = row.time(13);
    return out;
}

std::vector<Thread> select(Tx& tx, const std::string& rest, std::vector<Param> params) {
    std::vector<Thread> out;
    for (const Row& row : tx.exec("select " + columns() + " from thread t where " + rest, std::move(params))) out.push_back(thread_of(row));
    return out;
}

}  // namespace

std::string_view name(Rule rule) { return kRuleNames[int(rule)]; }

std::optional<Rule> parse_rule(std::string_view text) {
    for (const Rule rule : kRules)
        if (text == name(rule)) return rule;
    return std::nullopt;
}

void create_thread(Tx& tx, base::ConversationId id, const NewThread& thread) {
    const bool child = !thread.parent_run.is_nil();
    tx.send("insert into thread (id, label, rule, parent_run, parent_call, depth, output_tokens, threads, ends_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + make_interval(secs => $9))",
            {id, tx.redactor().redacted(thread.label), name(thread.rule), thread.parent_run, child ? std::optional(thread.parent_call) : std::nullopt, thread.depth,
             thread.output_tokens, thread.threads, thread.seconds});
}

void change_thread(Tx& tx, base::ConversationId id, std::optional<Rule> rule, const std::optional<std::string>& label) {
    if (rule) tx.send("update thread set rule = $2 where id = $1", {id, name(*rule)});
    if (label) tx.send("update thread set label = $2 where id = $1", {id, tx.redactor().redacted(*label)});
}

std::optional<Thread> find_thread(Tx& tx, base::ConversationId id) {
    auto found = select(tx, "t.id = $1", {id});
    if (found.empty()) return std::nullopt;
    return std::move(found[0]);
}

std::vector<Thread> list_threads(Tx& tx, int limit, base::ConversationId before) {
    return select(tx, "$2::uuid is null or (t.created_at, t.id) < (select b.created_at, b.id from thread b where b.id = $2::uuid) order by t.created_at desc, t.id desc limit $1", {limit, before});
}

std::vector<Thread> children_of(Tx& tx, base::ConversationId id) {
    return select(tx, "t.parent_run in (select r.id from run r where r.conversation_id = $1) order by t.created_at, t.id", {id});
}

std::vector<Thread> open_children(Tx& tx, base::RunId parent) { return select(tx, "t.parent_run = $1 and t.state is null order by t.created_at, t.id", {parent}); }

std::vector<OpenRun> open_runs(Tx& tx, base::ConversationId thread) {
    std::string query = "select r.id, r.stop_asked_at is not null from run r where r.conversation_id = $1 and ";
    query += kOpen;
    query += " order by r.id desc";
    std::vector<OpenRun> out;
    for (const Row& row : tx.exec(query, {thread}))
        out.push_back({row.id<base::RunId>(0), row.boolean(1)});
    return out;
}

void end_thread(Tx& tx, base::ConversationId id, const std::string& state) {
    tx.send("update thread set state = $2, ended_at = clock_timestamp() where id = $1 and state is null", {id, state});
}

bool stop_thread(Tx& tx, base::ConversationId id) {
    const auto thread = find_thread(tx, id);
    if (!thread || thread->state == "ended" || thread->state == "cancelled") return false;
    lock_conversation(tx, id);
    const auto runs = open_runs(tx, id);
    for (const OpenRun& run : runs) stop_children(tx, run.id);
    for (const OpenRun& run : runs) stop_alone(tx, run.id);
    end_thread(tx, id, "cancelled");
    return true;
}

void stop_children(Tx& tx, base::RunId parent) {
    const auto below = tx.exec("with recursive tree as (select t.id, t.depth from thread t where t.parent_run = $1"
                               " union all select t.id, t.depth from tree join run r on r.conversation_id = tree.id join thread t on t.parent_run = r.id)"
                               " select id from tree order by depth, id",
                               {parent});
    for (const Row& row : below) lock_conversation(tx, row.id<base::ConversationId>(0));
    for (auto row = below.rbegin(); row != below.rend(); ++row) {
        const auto id = row->id<base::ConversationId>(0);
        for (const OpenRun& run : open_runs(tx, id)) stop_alone(tx, run.id);
        end_thread(tx, id, "cancelled");
    }
}

std::vector<base::RunId> stop_expired_threads(Db& db) {
    const auto stop = [](Tx& tx) { return tx.exec("select hearth_stop_expired_threads()"); };
    std::vector<base::RunId> out;
    for (const Row& row : db.run_blocking({}, stop)) out.push_back(row.id<base::RunId>(0));
    return out;
}

}  // namespace store
