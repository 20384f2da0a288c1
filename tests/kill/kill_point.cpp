#include "kill_point.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace kill_matrix {
namespace {

// A transaction on its way to the server.
struct Session {
    std::map<std::string, std::string> statements;  // by name, as prepared
    bool writes = false, commits = false;
    int rank = 0;
    std::string label;
    int awaited = 0;      // answers to messages
    int until_kill = 0;   // of which so many, then the kill
};

std::mutex mutex;
std::map<const PGconn*, Session> sessions;
std::map<std::string, std::string> effects;  // by step
Record* record = nullptr;

void strike(const std::string& label) {
    record->hit = true;
    std::strncpy(record->hit_label, label.c_str(), kLabelSize - 1);
    const pid_t victim = record->plan.victim;
    record->plan.label[0] = '\0';
    kill(victim ? victim : getpid(), SIGKILL);
    if (!victim)
        for (;;) pause();
}

bool is_planned(const std::string& label, int occurrence) {
    return occurrence == record->plan.occurrence && (label == record->plan.label || std::strcmp(record->plan.label, kAnyWrite) == 0);
}

// How often it was seen.
int& times(const std::string& label) {
    for (int i = 0; i < record->labels; ++i)
        if (label == record->seen[i].label) return record->seen[i].times;
    if (record->labels == kMostLabels) abort();
    auto& fresh = record->seen[record->labels++];
    std::strncpy(fresh.label, label.c_str(), kLabelSize - 1);
    return fresh.times = 0;
}

int writes_seen() {
    int sum = 0;
    for (int i = 0; i < record->labels; ++i)
        if (std::strncmp(record->seen[i].label, "effect", 6) != 0) sum += record->seen[i].times;
    return sum;
}

struct Kind {
    const char* sql;  // in the statement
    int rank;         // of several in a transaction the highest names it
    const char* label;
};
constexpr Kind kKinds[] = {
    {"insert into run ", 9, "input"},
    {"state = $3, error = $4, usage = $5", 8, "end"},
    {"hearth_begin_step(", 7, "intent"},
    {"hearth_end_step(", 6, "outcome"},
    {"update run set epoch = epoch + 1", 5, "takeover"},
    {"update run set turn = ", 4, "turn"},
    {"insert into span ", 3, "span"},
    {"update run set attempts = 0", 2, "progress"},
    {"insert into section ", 1, "sections"},
    {"insert into episode ", 1, "episode"},
    {" set read_at = ", 1, "facts"},
    {"insert into archive_key ", 1, "keys of the archive"},
    {" set archived = true", 1, "archive"},
};

void note(Session& session, const std::string& sql, int n, const char* const* values) {
    if (sql.rfind("begin", 0) == 0) {
        session.writes = sql == "begin";
        session.rank = 0;
        session.label = "other";
    }
    session.commits |= sql == "commit";
    for (const Kind& kind : kKinds) {
        if (sql.find(kind.sql) == sql.npos) continue;
        if (kind.rank == 7 && n > 5) effects[values[0]] = std::string(values[5]) + " " + values[3];
        if (kind.rank <= session.rank) return;
        session.rank = kind.rank;
        session.label = kind.label;
        const auto known = n > 0 && values[0] ? effects.find(values[0]) : effects.end();
        if (kind.rank == 7 || kind.rank == 6) session.label += " " + (known == effects.end() ? "of another" : known->second);
        return;
    }
}

template <class F>
F* real(F*, const char* name) {
    static_assert(std::is_function_v<F>);
    return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void watch(Record& shared, const Plan& plan) {
    const std::lock_guard lock(mutex);
    record = &shared;
    record->plan = plan;
    record->labels = 0;
}

void pass(const std::string& label, Moment moment) {
    const std::lock_guard lock(mutex);
    if (!record) return;
    const int n = moment == Moment::before ? times(label)++ : times(label) - 1;
    const Moment planned = record->plan.moment == Moment::before ? Moment::before : Moment::answered;
    if (planned == moment && label == record->plan.label && n == record->plan.occurrence) strike(label);
}

}  // namespace kill_matrix

// The program's own calls of libpq come here first.
extern "C" {

int PQsendPrepare(PGconn* connection, const char* name, const char* sql, int n, const Oid* types) {
    using namespace kill_matrix;
    static auto* const next = real(&PQsendPrepare, "PQsendPrepare");
    {
        const std::lock_guard lock(mutex);
        if (record) sessions[connection].statements[name] = sql;
    }
    return next(connection, name, sql, n, types);
}

int PQsendQueryPrepared(PGconn* connection, const char* name, int n, const char* const* values, const int* lengths, const int* formats, int result) {
    using namespace kill_matrix;
    static auto* const next = real(&PQsendQueryPrepared, "PQsendQueryPrepared");
    {
        const std::lock_guard lock(mutex);
        if (record) note(sessions[connection], sessions[connection].statements[name], n, values);
    }
    return next(connection, name, n, values, lengths, formats, result);
}

int PQpipelineSync(PGconn* connection) {
    using namespace kill_matrix;
    static auto* const next = real(&PQpipelineSync, "PQpipelineSync");
    bool kills = false;
    Moment moment{};
    int delay = 0;
    std::string label;
    {
        const std::lock_guard lock(mutex);
        if (record) {
            Session& session = sessions[connection];
            ++session.awaited;
            const bool durable = session.writes && session.commits;
            session.commits = false;
            if (durable) {
                label = session.label;
                const int before = writes_seen(), n = times(label)++;
                kills = is_planned(label, std::strcmp(record->plan.label, kAnyWrite) == 0 ? before : n);
                moment = record->plan.moment;
                delay = record->plan.delay_us;
                if (kills && moment == Moment::before) strike(label);
                if (kills && moment == Moment::answered) session.until_kill = session.awaited;
            }
        }
    }
    const int sent = next(connection);
    if (kills && moment == Moment::sent) {
        usleep(useconds_t(delay));
        const std::lock_guard lock(mutex);
        strike(label);
    }
    return sent;
}

PGresult* PQgetResult(PGconn* connection) {
    using namespace kill_matrix;
    static auto* const next = real(&PQgetResult, "PQgetResult");
    PGresult* const result = next(connection);
    if (!result || PQresultStatus(result) != PGRES_PIPELINE_SYNC) return result;
    const std::lock_guard lock(mutex);
    if (!record) return result;
    Session& session = sessions[connection];
    --session.awaited;
    if (session.until_kill > 0 && --session.until_kill == 0) strike(session.label);
    return result;
}

void PQfinish(PGconn* connection) {
    using namespace kill_matrix;
    static auto* const next = real(&PQfinish, "PQfinish");
    {
        const std::lock_guard lock(mutex);
        sessions.erase(connection);  // another one may get its address
    }
    next(connection);
}

}  // extern "C"
