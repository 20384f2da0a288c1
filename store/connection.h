// One connection to PostgreSQL: libpq behind a handle.
//
// Statements are pipelined: send() only queues one, and the next call that waits sends all of them in one
// message. Of a message PostgreSQL skips everything behind the first statement that fails, so a `commit` at
// its end is reached only when all before it went well.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/db.h"

struct pg_conn;
struct pg_result;

namespace store {

// What another session told a channel that this one listens to.
struct Notice {
    std::string channel, payload;
};

// Whatever fails is a DbError.
class Connection {
public:
    explicit Connection(const std::string& url);  // as libpq takes it; see url.h

    // The parameters are $1, $2, … of the statement, which is prepared when it first comes.
    void send(std::string_view sql, std::vector<Param> params = {});
    // Sends what is queued and waits for all of it; the rows of the last statement.
    std::vector<Row> settle();
    std::vector<Row> exec(std::string_view sql, std::vector<Param> params = {});  // send() and settle()
    // Sends what is queued and waits for nothing; whether it went well, nobody hears.
    void post();
    bool queued() const { return !queue_.empty(); }
    void discard() { queue_.clear(); }  // what is queued and was not sent
    // Several statements without parameters, by semicolon; the rows of the last one.
    std::vector<Row> script(const std::string& sql);

    bool open() const;
    // Whether a connection that lay idle still stands: asks the server only when something came from it meanwhile.
    bool still_open();

    // What came since last asked; waits for nothing. The descriptor is readable when there may be something.
    std::vector<Notice> notices();
    int descriptor() const;

    std::string database() const;
    std::string quoted(const std::string& text) const;       // as a literal
    std::string quoted_name(const std::string& name) const;  // as an identifier

private:
    struct Close {
        void operator()(pg_conn* connection) const;
        void operator()(pg_result* result) const;
    };
    using Result = std::unique_ptr<pg_result, Close>;
    struct Statement {
        std::string sql;
        std::vector<Param> params;
    };

    // What the server has to answer in one message, in order: the statement that it prepares; of one that it runs, nothing.
    using Awaited = std::vector<std::string>;

    void pipelining(bool on);
    Awaited dispatch();  // what is queued
    void put(const Statement& statement, Awaited& awaited);
    std::vector<Row> answers(const Awaited& awaited);
    void forget_posted();
    DbError failure_of(const pg_result* result) const;
    [[noreturn]] void lost();

    std::unique_ptr<pg_conn, Close> connection_;
    std::vector<Statement> queue_;
    std::vector<Awaited> posted_;  // messages whose answers are still to come
    std::unordered_map<std::string, std::string> prepared_;  // name by statement
    std::size_t names_ = 0;
};

}  // namespace store
