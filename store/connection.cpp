#include "store/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <deque>
#include <optional>
#include <utility>

#include "store/failure.h"
#include "store/storable.h"
#include "store/url.h"

namespace store {
namespace {

using Kind = DbError::Kind;

// PostgreSQL reads and plans a prepared statement once a session. Text that varies would fill its memory,
// so only so many are.
constexpr std::size_t kMostPrepared = 256;

// What PostgreSQL's condition codes mean to us (appendix A of its manual).
Kind kind_of(const std::string& condition) {
    if (condition == "23505") return Kind::unique;
    if (condition == "23503") return Kind::foreign_key;
    if (condition == "23514" || condition == "23502") return Kind::check;
    if (condition == "40001" || condition == "40P01") return Kind::serialization;
    if (condition == "53100" || condition == "58030") return Kind::disk_full;
    if (condition.rfind("08", 0) == 0 || condition.rfind("57P", 0) == 0) return Kind::connection;
    return Kind::other;
}

// Null where libpq itself failed, which sent nothing or lost the answer: the connection is of no use any more, although
// libpq calls it good until it has read its end.
const char* condition_of(const PGresult* result) { return PQresultErrorField(result, PG_DIAG_SQLSTATE); }

bool went_well(const PGresult* result) {
    const auto status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

std::vector<Row> rows_of(const PGresult* result) {
    std::vector<Row> rows;
    const int n = PQntuples(result), columns = PQnfields(result);
    rows.reserve(std::size_t(n));
    for (int r = 0; r < n; ++r) {
        std::vector<std::optional<std::string>> cells;
        for (int c = 0; c < columns; ++c)
            cells.push_back(PQgetisnull(result, r, c) ? std::nullopt : std::optional(std::string(PQgetvalue(result, r, c), std::size_t(PQgetlength(result, r, c)))));
        rows.emplace_back(std::move(cells));
    }
    return rows;
}

constexpr int kSilence = 3000;               // ms without an answer, after which the server is asked whether it lives
constexpr const char* kSilenceOfPing = "4";  // s

// A statement may take its time, and may wait for a lock; a server that does not even greet has been stopped, or its machine has.
bool greets(const PGconn* connection) {
    const char* const keywords[] = {"host", "port", "connect_timeout", nullptr};
    const char* const values[] = {PQhost(connection), PQport(connection), kSilenceOfPing, nullptr};
    return PQpingParams(keywords, values, 0) != PQPING_NO_RESPONSE;
}

// False: there is none, and will be none.
bool answer_arrives(PGconn* connection) {
    while (PQisBusy(connection)) {
        pollfd arrived{PQsocket(connection), POLLIN, 0};
        if (poll(&arrived, 1, kSilence) == 0 && !greets(connection)) return false;
        if (!PQconsumeInput(connection)) return true;  // the result tells of it
    }
    return true;
}

std::string taken(char* text) {
    const std::unique_ptr<char, void (*)(void*)> owner(text, PQfreemem);
    return text ? std::string(text) : std::string();
}

}  // namespace

void Connection::Close::operator()(pg_conn* connection) const { PQfinish(connection); }
void Connection::Close::operator()(pg_result* result) const { PQclear(result); }

Connection::Connection(const std::string& url) : connection_(PQconnectdb(with_timeout(url).c_str())) {
    if (!open()) throw DbError(Kind::connection, reason_of(PQerrorMessage(connection_.get())));
    PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);  // libpq's own writes to stderr
    // A prepared list is planned for an unknown share of its table, and compiled for that: two seconds for what reads fifty rows.
    script("set jit = off");
}

void Connection::send(std::string_view sql, std::vector<Param> params) { queue_.push_back({std::string(sql), std::move(params)}); }

std::vector<Row> Connection::exec(std::string_view sql, std::vector<Param> params) {
    send(sql, std::move(params));
    return settle();
}

std::vector<Row> Connection::settle() {
    if (queue_.empty()) return {};
    const Awaited awaited = dispatch();
    forget_posted();
    return answers(awaited);
}

void Connection::post() {
    if (!queue_.empty()) posted_.push_back(dispatch());
}

void Connection::forget_posted() {
    for (const Awaited& awaited : std::exchange(posted_, {})) {
        try {
            answers(awaited);
        } catch (const DbError&) {
            if (!open()) throw;
        }
    }
}

Connection::Awaited Connection::dispatch() {
    const std::vector<Statement> statements = std::exchange(queue_, {});
    pipelining(true);
    Awaited awaited;
    for (const Statement& statement : statements) put(statement, awaited);
    if (!PQpipelineSync(connection_.get())) lost();
    return awaited;
}

void Connection::put(const Statement& statement, Awaited& awaited) {
    auto found = prepared_.find(statement.sql);
    if (found == prepared_.end() && prepared_.size() < kMostPrepared) {
        found = prepared_.emplace(statement.sql, "s" + std::to_string(names_++)).first;
        if (!PQsendPrepare(connection_.get(), found->second.c_str(), statement.sql.c_str(), 0, nullptr)) lost();
        awaited.push_back(statement.sql);
    }
    std::vector<const char*> values;  // a null pointer is an SQL null
    std::deque<std::string> mended;
    for (const Param& param : statement.params) {
        const std::string* text = param.text() ? &*param.text() : nullptr;
        if (text && !is_storable(*text)) text = &mended.emplace_back(storable(*text));
        values.push_back(text ? text->c_str() : nullptr);
    }
    const int n = int(values.size());
    const int sent = found == prepared_.end()
                         ? PQsendQueryParams(connection_.get(), statement.sql.c_str(), n, nullptr, values.data(), nullptr, nullptr, 0)
                         : PQsendQueryPrepared(connection_.get(), found->second.c_str(), n, values.data(), nullptr, nullptr, 0);
    if (!sent) lost();
    awaited.emplace_back();
}

std::vector<Row> Connection::answers(const Awaited& awaited) {
    std::optional<DbError> failed;
    Result last;
    const auto next = [this] {
        if (answer_arrives(connection_.get())) return Result(PQgetResult(connection_.get()));
        connection_.reset();
        throw DbError(Kind::connection, "the database does not answer");
    };
    for (const std::string& preparing : awaited) {
        last = next();
        if (!last) lost();
        if (!went_well(last.get())) {
            if (!failed && !condition_of(last.get())) lost();
            if (!failed) failed = failure_of(last.get());
            if (!preparing.empty()) prepared_.erase(preparing);
        }
        if (!open()) lost();
        const Result end = next();  // null: that was all of this statement
    }
    const Result sync = next();
    if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) lost();
    if (failed) throw *failed;
    return rows_of(last.get());
}

std::vector<Row> Connection::script(const std::string& sql) {
    settle();
    forget_posted();
    pipelining(false);
    const Result result(PQexec(connection_.get(), sql.c_str()));
    if (!open() || (!went_well(result.get()) && !condition_of(result.get()))) lost();
    if (!went_well(result.get())) throw failure_of(result.get());
    return rows_of(result.get());
}

void Connection::pipelining(bool on) {
    if ((PQpipelineStatus(connection_.get()) != PQ_PIPELINE_OFF) == on) return;
    if (!(on ? PQenterPipelineMode(connection_.get()) : PQexitPipelineMode(connection_.get()))) lost();
}

DbError Connection::failure_of(const pg_result* result) const {
    const char* condition = condition_of(result);
    const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string code = condition ? condition : "";
    return {kind_of(code), reason_of(message ? message : PQresultErrorMessage(result)), code};
}

void Connection::lost() {
    const std::string why = reason_of(PQerrorMessage(connection_.get()));
    connection_.reset();
    throw DbError(Kind::connection, "the database connection is gone: " + why);
}

bool Connection::open() const { return PQstatus(connection_.get()) == CONNECTION_OK; }

bool Connection::still_open() {
    if (!open()) return false;
    try {
        forget_posted();
        pollfd arrived{PQsocket(connection_.get()), POLLIN, 0};
        if (poll(&arrived, 1, 0) != 0) exec("select 1");
        return true;
    } catch (const DbError&) {
        return false;
    }
}

std::vector<Notice> Connection::notices() {
    if (!PQconsumeInput(connection_.get())) lost();
    std::vector<Notice> out;
    while (const std::unique_ptr<PGnotify, void (*)(void*)> notice{PQnotifies(connection_.get()), PQfreemem}) out.push_back({notice->relname, notice->extra});
    return out;
}

int Connection::descriptor() const { return PQsocket(connection_.get()); }

std::string Connection::database() const { return PQdb(connection_.get()); }

std::string Connection::quoted(const std::string& text) const { return taken(PQescapeLiteral(connection_.get(), text.data(), text.size())); }

std::string Connection::quoted_name(const std::string& name) const { return taken(PQescapeIdentifier(connection_.get(), name.data(), name.size())); }

}  // namespace store
