#include "store/db.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <pqxx/pqxx>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/failure.h"
#include "store/migrate.h"
#include "store/url.h"

namespace store {
namespace {

using Kind = DbError::Kind;

// Statements are prepared as they come: PostgreSQL reads and plans each once a session. Text that varies would
// fill the session's memory, so only so many are.
struct Connection : pqxx::connection {
    using pqxx::connection::connection;
    std::unordered_map<std::string, std::string> prepared;  // name by statement
};
constexpr std::size_t kMostPrepared = 256;

constexpr auto kLongestWait = std::chrono::seconds(60);  // for a free connection

// What PostgreSQL's condition codes mean to us (appendix A of its manual).
Kind kind_of(const std::string& sqlstate) {
    if (sqlstate == "23505") return Kind::unique;
    if (sqlstate == "23503") return Kind::foreign_key;
    if (sqlstate == "23514" || sqlstate == "23502") return Kind::check;
    if (sqlstate == "40001" || sqlstate == "40P01") return Kind::serialization;
    if (sqlstate == "53100" || sqlstate == "58030") return Kind::disk_full;
    if (sqlstate.rfind("08", 0) == 0 || sqlstate.rfind("57P", 0) == 0) return Kind::connection;
    return Kind::other;
}

// Runs `f`; libpqxx's exceptions become DbError.
template <class F>
auto translated(F f) {
    try {
        return f();
    } catch (const pqxx::broken_connection& e) {
        throw DbError(Kind::connection, "the database connection is gone: " + reason_of(e));
    } catch (const pqxx::usage_error& e) {  // libpqxx's word for a closed connection
        throw DbError(Kind::connection, "the database connection is closed: " + reason_of(e));
    } catch (const pqxx::sql_error& e) {
        throw DbError(kind_of(e.sqlstate()), reason_of(e));
    } catch (const pqxx::failure& e) {
        throw DbError(Kind::other, reason_of(e));
    }
}

// The name of the prepared statement; empty when there are too many.
std::string prepared(Connection& connection, const std::string& sql) {
    if (const auto found = connection.prepared.find(sql); found != connection.prepared.end()) return found->second;
    if (connection.prepared.size() >= kMostPrepared) return {};
    std::string name = "s" + std::to_string(connection.prepared.size());
    connection.prepare(name, sql);
    return connection.prepared.emplace(sql, std::move(name)).first->second;
}

pqxx::result execute(Connection& connection, pqxx::nontransaction& session, const std::string& sql, const std::vector<Param>& params) {
#if PQXX_VERSION_MAJOR < 7
    std::vector<const char*> values;  // a null pointer is an SQL null
    for (const auto& param : params) values.push_back(param.text() ? param.text()->c_str() : nullptr);
    const auto texts = pqxx::prepare::make_dynamic_params(values);
#else
    pqxx::params texts;
    for (const auto& param : params) {
        if (param.text())
            texts.append(*param.text());
        else
            texts.append();
    }
#endif
    const std::string name = prepared(connection, sql);
    return name.empty() ? session.exec_params(sql, texts) : session.exec_prepared(name, texts);
}

// BEGIN and the identity are one message to the server and COMMIT another, which libpqxx's own transactions
// would send apart.
class PqxxTx final : public Tx {
public:
    PqxxTx(Connection& connection, const Identity& who, base::NodeId node)
        : connection_(connection), session_(translated([&] { return std::make_unique<pqxx::nontransaction>(connection); })), who_(who), node_(node) {
        const auto setting = [](const char* name, const auto& id) {
            return std::string("set_config('hearth.") + name + "', '" + (id.is_nil() ? std::string() : id.text()) + "', true)";
        };
        const std::string begin = "begin; select " + setting("tenant", who.tenant) + ", " + setting("person", who.person) + ", " + setting("node", node);
        translated([&] { session_->exec(begin); });
    }
    ~PqxxTx() override {
        if (ended_) return;
        try {
            session_->exec("rollback");
        } catch (const std::exception&) {  // the session is gone, and the transaction with it
        }
    }

    std::vector<Row> exec(std::string_view sql, std::initializer_list<Param> params) override {
        return exec(sql, std::vector<Param>(params));
    }

    std::vector<Row> exec(std::string_view sql, const std::vector<Param>& params) override {
        const bool earlier = std::exchange(failed_, true);
        const pqxx::result result = translated([&] { return execute(connection_, *session_, std::string(sql), params); });
        failed_ = earlier;
        affected_ = std::int64_t(result.affected_rows());
        std::vector<Row> rows;
        rows.reserve(result.size());
        for (const auto& tuple : result) {
            std::vector<std::optional<std::string>> cells;
            for (const auto& field : tuple)
                cells.push_back(field.is_null() ? std::nullopt : std::optional(std::string(field.c_str(), field.size())));
            rows.emplace_back(std::move(cells));
        }
        return rows;
    }

    std::int64_t affected() const override { return affected_; }
    const Identity& identity() const override { return who_; }
    base::NodeId node() const override { return node_; }
    void commit() {
        // PostgreSQL answers such a commit with a rollback, which nobody would notice.
        if (failed_) throw DbError(Kind::other, "a statement of the transaction had failed: nothing of it was committed");
        ended_ = true;
        try {
            translated([&] { session_->exec("commit"); });
        } catch (const DbError& e) {
            if (e.kind != Kind::connection) throw;
            throw DbError(Kind::connection, std::string("the database went away during a commit, whose outcome is unknown: ") + e.what());
        }
    }

private:
    Connection& connection_;
    std::unique_ptr<pqxx::nontransaction> session_;
    Identity who_;
    base::NodeId node_;
    std::int64_t affected_ = 0;
    bool failed_ = false, ended_ = false;
};

std::unique_ptr<Connection> connect(const std::string& url) {
    return translated([&] {
        auto connection = std::make_unique<Connection>(with_timeout(url));
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        connection->inhibit_reactivation(true);  // a silent new session would have lost locks and identity
#pragma GCC diagnostic pop
#endif
        pqxx::nontransaction(*connection).exec("set statement_timeout = '60s'; set lock_timeout = '20s'");
        return connection;
    });
}

std::string one_value(Connection& connection, const std::string& sql) {
    return translated([&] {
        pqxx::nontransaction work(connection);
        return std::string(work.exec(sql)[0][0].c_str());
    });
}

std::string lock_call(const char* function, base::RunId run) {
    return std::string("select ") + function + "(hearth_lock_key('" + run.text() + "'))";
}

}  // namespace

// A fixed number of connections, opened when first needed and again after a loss.
class Db::Connections {
public:
    explicit Connections(Options options) : options_(std::move(options)), free_(std::size_t(options_.connections)) {}

    const Options& options() const { return options_; }

    std::unique_ptr<Connection> take() {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, kLongestWait, [&] { return !free_.empty(); }))
            throw DbError(Kind::connection, "all " + std::to_string(options_.connections) + " database connections were busy for 60 s");
        auto connection = std::move(free_.back());
        free_.pop_back();
        return connection;
    }

    // A null pointer stands for a connection that is to be opened again.
    void give_back(std::unique_ptr<Connection> connection) {
        {
            std::lock_guard lock(mutex_);
            free_.push_back(std::move(connection));
        }
        changed_.notify_one();
    }

    // The session that holds the advisory locks; under lock_mutex. Null after a loss.
    std::mutex lock_mutex;
    std::unique_ptr<Connection> lock_connection;
    std::set<base::RunId> held;

    bool lock(base::RunId run) {
        if (held.count(run) || one_value(*lock_connection, lock_call("pg_try_advisory_lock", run)) != "t") return false;
        held.insert(run);
        return true;
    }

    // Opens the session when there is none, and takes again what the lost one held.
    void restore_locks() {
        if (lock_connection && lock_connection->is_open()) return;
        auto fresh = connect(options_.url);
        std::set<base::RunId> again;
        for (const auto& run : held)
            if (one_value(*fresh, lock_call("pg_try_advisory_lock", run)) == "t") again.insert(run);
        held = std::move(again);
        lock_connection = std::move(fresh);
    }

private:
    Options options_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Connection>> free_;
};

namespace {

// Holds a connection for one transaction.
template <class Connections>
class PooledLease final : public Db::Lease {
public:
    PooledLease(Connections& pool, const Identity& who, base::NodeId node) : pool_(pool), connection_(pool.take()) {
        try {
            begin(who, node);
        } catch (...) {
            pool_.give_back(nullptr);
            throw;
        }
    }
    ~PooledLease() override {
        tx_.reset();
        const bool alive = connection_ && connection_->is_open() && !broken_;
        pool_.give_back(alive ? std::move(connection_) : nullptr);
    }
    Tx& tx() override { return *tx_; }
    void commit() override {
        try {
            tx_->commit();
        } catch (const DbError& e) {
            broken_ = e.kind == Kind::connection;
            throw;
        }
    }

private:
    // A connection may have died while it lay idle: then one fresh attempt, since no work has begun.
    void begin(const Identity& who, base::NodeId node) {
        const bool idle = connection_ != nullptr;
        for (int attempt = 0;; ++attempt) {
            try {
                if (!connection_) connection_ = connect(pool_.options().url);
                tx_.emplace(*connection_, who, node);
                return;
            } catch (const DbError& e) {
                tx_.reset();
                connection_.reset();
                if (e.kind != Kind::connection || !idle || attempt > 0) throw;
            }
        }
    }

    Connections& pool_;
    std::unique_ptr<Connection> connection_;
    std::optional<PqxxTx> tx_;
    bool broken_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Db>> Db::open(Options options) {
    try {
        auto probe = connect(options.url);
        const std::string powers = one_value(
            *probe,
            "select case when rolsuper then 'a superuser' when rolbypassrls then 'a role that bypasses row-level security'"
            " when pg_get_userbyid(c.relowner) = current_user then 'the owner of the tables' else '' end"
            " from pg_roles r left join pg_class c on c.oid = to_regclass('public.run') where r.rolname = current_user");
        if (!powers.empty())
            return base::error(base::Code::permission_denied, "the database URL belongs to " + powers + "; row-level security would not hold",
                               "use the role hearth_app");
        probe.reset();
        if (auto migrated = check_migrated(options.url); !migrated) return std::move(migrated).error();
        return std::unique_ptr<Db>(new Db(std::move(options)));
    } catch (const DbError& e) {
        return failure("opening the database", e);
    }
}

Db::Db(Options options)
    : connections_(std::make_unique<Connections>(options)), pool_(std::size_t(options.connections)) {}

Db::~Db() { join(); }

std::unique_ptr<Db::Lease> Db::begin(const Identity& who) {
    return std::make_unique<PooledLease<Connections>>(*connections_, who, node());
}

base::NodeId Db::node() const { return connections_->options().node; }

bool Db::try_lock(base::RunId run) {
    std::lock_guard lock(connections_->lock_mutex);
    for (int attempt = 0;; ++attempt) {
        try {
            connections_->restore_locks();
            return connections_->lock(run);
        } catch (const DbError& e) {
            // The session may have died since its last use: one fresh attempt.
            if (e.kind != Kind::connection || attempt > 0) throw;
            connections_->lock_connection.reset();
        }
    }
}

void Db::unlock(base::RunId run) {
    std::lock_guard lock(connections_->lock_mutex);
    if (!connections_->held.erase(run)) return;
    try {
        if (connections_->lock_connection) one_value(*connections_->lock_connection, lock_call("pg_advisory_unlock", run));
    } catch (const DbError&) {
        connections_->lock_connection.reset();  // the session's end frees its locks
    }
}

void Db::restore_locks() {
    std::lock_guard lock(connections_->lock_mutex);
    try {
        if (connections_->lock_connection) one_value(*connections_->lock_connection, "select 1");
    } catch (const DbError&) {
        connections_->lock_connection.reset();
    }
    connections_->restore_locks();
}

base::Probes Db::probes() {
    try {
        auto version = [](Tx& tx) { return tx.exec("select version()").at(0).text(0); };
        return {{"database", base::Health::ok, run_blocking({}, version), {}}};
    } catch (const DbError& e) {
        return {{"database", base::Health::failed, e.what(), "hearth db start"}};
    }
}

}  // namespace store
