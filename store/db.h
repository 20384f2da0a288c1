// PostgreSQL: connections, transactions under row-level security, the pool behind Db::run.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "base/probe.h"
#include "base/redact.h"
#include "base/result.h"
#include "net/task.h"

namespace store {

// What the current transaction may see. Absent person: rows of no person (and no tenant: none at all).
struct Identity {
    base::TenantId tenant;
    base::PersonId person;
};

// A statement parameter; null, text, integer, real, boolean, uuid. JSON goes in as text and is cast.
class Param {
public:
    Param(std::nullptr_t) {}
    Param(std::string v) : text_(std::move(v)) {}
    Param(std::string_view v) : text_(std::string(v)) {}
    Param(const char* v) : text_(v) {}
    Param(bool v) : text_(v ? "true" : "false") {}
    Param(std::int64_t v) : text_(std::to_string(v)) {}
    Param(int v) : text_(std::to_string(v)) {}
    Param(double v);
    Param(const base::Json& v) : text_(base::dump(v)) {}
    template <class Tag>
    Param(const base::Id<Tag>& id) : text_(id.is_nil() ? std::nullopt : std::optional(id.text())) {}
    template <class T>
    Param(const std::optional<T>& v) {
        if (v) text_ = Param(*v).text_;
    }
    const std::optional<std::string>& text() const { return text_; }

private:
    std::optional<std::string> text_;
};

// One row of a result; columns by index. A conversion that fails is a broken invariant: it throws.
class Row {
public:
    explicit Row(std::vector<std::optional<std::string>> cells) : cells_(std::move(cells)) {}
    bool null(int column) const { return !cells_.at(column); }
    const std::string& text(int column) const;
    std::string text_or(int column, std::string other) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    bool boolean(int column) const;
    base::Json json(int column) const;
    base::TimePoint time(int column) const;  // timestamptz selected with store::kMicros(column)
    template <class IdType>
    IdType id(int column) const {
        return null(column) ? IdType{} : IdType::parse(text(column)).value();
    }

private:
    std::vector<std::optional<std::string>> cells_;
};

// The SQL for a timestamptz as integer microseconds since 1970, as Row::time reads it.
std::string micros(std::string_view column);
// The same number of a time point, as a parameter.
std::int64_t micros_of(base::TimePoint t);

// A transaction. Not for other CPU threads; never kept across Db::run.
class Tx {
public:
    virtual ~Tx() = default;
    virtual std::vector<Row> exec(std::string_view sql, std::vector<Param> params = {}) = 0;
    // For a statement whose rows nobody needs: it goes out with the next one that is waited for, at the
    // latest with the commit, in order; that then throws what goes wrong. See store::require.
    virtual void send(std::string_view sql, std::vector<Param> params = {}) = 0;
    virtual const Identity& identity() const = 0;
    virtual base::NodeId node() const = 0;
    // What must not be written down in clear: for whoever writes what people, models and programs have said.
    virtual const base::Redactor& redactor() const = 0;
};

// Thrown for a lost or refused database; statements' own failures (unique violation …) too, by kind.
struct DbError : std::runtime_error {
    enum class Kind { connection, unique, foreign_key, check, serialization, disk_full, other } kind;
    std::string condition;  // PostgreSQL's code; empty when the refusal is not its own
    DbError(Kind k, const std::string& message, std::string code = {}) : std::runtime_error(message), kind(k), condition(std::move(code)) {}
};

// Whether what broke off with it can be gone on with later: the database went away or is full, or another process was faster.
bool interrupts(const DbError& e);

// The SQL of a statement that must touch a row, else it fails as DbError of `kind` (unique, foreign_key,
// serialization) with the text in `parameter` ("$3"): so that nobody has to wait for the count before the
// commit. `sql` returns something of each row that it touches.
std::string require(std::string_view sql, DbError::Kind kind, std::string_view parameter);

class Db {
public:
    struct Options {
        std::string url;   // of role hearth_app; a superuser and the tables' owner are refused at open
        int connections = 4;
        base::NodeId node;
        std::shared_ptr<const base::Redactor> redactor = std::make_shared<base::Redactor>();
    };
    // A database that lacks tables of this program is refused by name.
    static base::Result<std::unique_ptr<Db>> open(Options options);
    ~Db();

    // `read`: PostgreSQL refuses whatever would write, so nobody has to wait for the transaction's end.
    enum class Access { write, read };

    // Begins, sets the identity for the transaction, runs work(tx), commits; rolls back when it
    // throws or returns a failed Result. What was only sent goes out with the commit. Blocking.
    template <class F>
    std::invoke_result_t<F&, Tx&> run_blocking(const Identity& who, F& work, Access access = Access::write) {
        auto lease = begin(who, access);
        if constexpr (std::is_void_v<std::invoke_result_t<F&, Tx&>>) {
            work(lease->tx());
            lease->commit();
        } else {
            auto result = work(lease->tx());
            if (succeeded(result)) lease->commit();
            return result;
        }
    }
    // The same on the database's own CPU threads; the caller resumes on its executor.
    // `work` is a named lvalue that lives across the call.
    template <class F>
    net::Task<std::invoke_result_t<F&, Tx&>> run(Identity who, F& work, Access access = Access::write) {
        auto job = [this, who, &work, access] { return run_blocking(who, work, access); };
        if constexpr (std::is_void_v<std::invoke_result_t<F&, Tx&>>) {
            co_await net::on_pool(pool_, job);
        } else {
            co_return co_await net::on_pool(pool_, job);
        }
    }
    template <class F>
    net::Task<std::invoke_result_t<F&, Tx&>> read(Identity who, F& work) {
        return run(who, work, Access::read);
    }

    // Waits for what run() was given; what it is given from now on does not run.
    void join() { pool_.join(); }

    base::NodeId node() const;
    const base::Redactor& redactor() const;  // as in Tx
    base::Probes probes();

    // The one connection that holds session-level advisory locks of this process, one a run. True
    // when the lock was free; false when another process, or this one, holds it.
    bool try_lock(base::RunId run);
    void unlock(base::RunId run);
    // After a loss of that connection: takes the locks again that nobody else has taken since. What
    // another one took is fenced by its epoch. Throws DbError while the database is out of reach.
    void restore_locks();

    class Lease {  // of a connection, for one transaction
    public:
        virtual ~Lease() = default;  // rolls back unless committed
        virtual Tx& tx() = 0;
        virtual void commit() = 0;
    };

private:
    explicit Db(Options options);
    std::unique_ptr<Lease> begin(const Identity& who, Access access);
    template <class T>
    static bool succeeded(const T&) { return true; }
    template <class T>
    static bool succeeded(const base::Result<T>& r) { return r.ok(); }

    class Connections;
    std::unique_ptr<Connections> connections_;
    boost::asio::thread_pool pool_;  // one CPU thread a connection: whoever waits, waits here
};

}  // namespace store
