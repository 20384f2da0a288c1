#include "store/db.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "store/connection.h"
#include "store/failure.h"
#include "store/migrate.h"

namespace store {
namespace {

using Kind = DbError::Kind;

constexpr auto kLongestWait = std::chrono::seconds(60);  // for a free connection

class PooledTx final : public Tx {
public:
    PooledTx(Connection& connection, const Identity& who, const Db::Options& options, Db::Access access)
        : connection_(connection), who_(who), node_(options.node), redactor_(*options.redactor), reads_(access == Db::Access::read) {
        const auto text = [](const auto& id) { return id.is_nil() ? std::string() : id.text(); };
        connection_.send(reads_ ? "begin read only" : "begin");
        connection_.send("select set_config('hearth.tenant', $1, true), set_config('hearth.person', $2, true), set_config('hearth.node', $3, true)",
                         {text(who.tenant), text(who.person), text(node_)});
    }
    ~PooledTx() override {
        connection_.discard();
        if (!begun_ || ended_) return;
        try {
            connection_.exec("rollback");
        } catch (const std::exception&) {  // the session is gone, and the transaction with it
        }
    }

    std::vector<Row> exec(std::string_view sql, std::vector<Param> params) override {
        begun_ = true;
        const bool earlier = std::exchange(failed_, true);
        auto rows = connection_.exec(sql, std::move(params));
        failed_ = earlier;
        return rows;
    }
    void send(std::string_view sql, std::vector<Param> params) override { connection_.send(sql, std::move(params)); }
    const Identity& identity() const override { return who_; }
    base::NodeId node() const override { return node_; }
    const base::Redactor& redactor() const override { return redactor_; }

    void commit() {
        // PostgreSQL answers such a commit with a rollback, which nobody would notice.
        if (failed_) throw DbError(Kind::other, "a statement of the transaction had failed: nothing of it was committed");
        begun_ = true;
        const bool all_answered = !connection_.queued();
        connection_.send("commit");
        try {
            if (reads_ && all_answered)
                connection_.post();
            else
                connection_.settle();
        } catch (const DbError& e) {
            if (e.kind != Kind::connection) throw;
            throw DbError(Kind::connection, std::string("the database went away during a commit, whose outcome is unknown: ") + e.what());
        }
        ended_ = true;
    }

private:
    Connection& connection_;
    Identity who_;
    base::NodeId node_;
    const base::Redactor& redactor_;
    bool reads_ = false, begun_ = false, failed_ = false, ended_ = false;
};

// All statements are planned once a session: what the policies compare with is known only when they run, so
// that a plan made for given values would be no better.
std::unique_ptr<Connection> connect(const std::string& url) {
    auto connection = std::make_unique<Connection>(url);
    connection->script("set statement_timeout = '60s'; set lock_timeout = '20s'; set plan_cache_mode = force_generic_plan");
    return connection;
}

bool lock_call(Connection& connection, const char* function, base::RunId run) {
    return connection.exec(std::string("select ") + function + "(hearth_lock_key($1))", {run}).at(0).boolean(0);
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

    // One that stands already, before any is taken.
    void keep(std::unique_ptr<Connection> connection) { free_.back() = std::move(connection); }

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
        if (held.count(run) || !lock_call(*lock_connection, "pg_try_advisory_lock", run)) return false;
        held.insert(run);
        return true;
    }

    // Opens the session when there is none, and takes again what the lost one held.
    void restore_locks() {
        if (lock_connection && lock_connection->open()) return;
        auto fresh = connect(options_.url);
        std::set<base::RunId> again;
        for (const auto& run : held)
            if (lock_call(*fresh, "pg_try_advisory_lock", run)) again.insert(run);
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
    PooledLease(Connections& pool, const Identity& who, Db::Access access) : pool_(pool), connection_(pool.take()) {
        try {
            // It may have died while it lay idle.
            if (!connection_ || !connection_->still_open()) connection_ = connect(pool_.options().url);
        } catch (...) {
            pool_.give_back(nullptr);
            throw;
        }
        tx_.emplace(*connection_, who, pool_.options(), access);
    }
    ~PooledLease() override {
        tx_.reset();
        pool_.give_back(connection_->open() ? std::move(connection_) : nullptr);
    }
    Tx& tx() override { return *tx_; }
    void commit() override { tx_->commit(); }

private:
    Connections& pool_;
    std::unique_ptr<Connection> connection_;
    std::optional<PooledTx> tx_;
};

}  // namespace

bool interrupts(const DbError& e) { return e.kind == Kind::connection || e.kind == Kind::serialization || e.kind == Kind::disk_full; }

std::string require(std::string_view sql, DbError::Kind kind, std::string_view parameter) {
    const char* condition = kind == Kind::unique ? "23505" : kind == Kind::foreign_key ? "23503" : "40001";
    return "with touched as (" + std::string(sql) + ") select hearth_require(exists (select from touched), '" + condition + "', " + std::string(parameter) + ")";
}

base::Result<std::unique_ptr<Db>> Db::open(Options options) {
    try {
        auto probe = connect(options.url);
        const auto powers = probe->exec(
            "select case when rolsuper then 'a superuser' when rolbypassrls then 'a role that bypasses row-level security'"
            " when pg_get_userbyid(c.relowner) = current_user then 'the owner of the tables' else '' end"
            " from pg_roles r left join pg_class c on c.oid = to_regclass('public.run') where r.rolname = current_user").at(0).text(0);
        if (!powers.empty())
            return base::error(base::Code::permission_denied, "the database URL belongs to " + powers + "; row-level security would not hold",
                               "use the role hearth_app");
        if (auto migrated = check_migrated(*probe); !migrated) return std::move(migrated).error();
        std::unique_ptr<Db> db(new Db(std::move(options)));
        db->connections_->keep(std::move(probe));
        return db;
    } catch (const DbError& e) {
        return failure("opening the database", e);
    }
}

Db::Db(Options options)
    : connections_(std::make_unique<Connections>(options)), pool_(std::size_t(options.connections)) {}

Db::~Db() { join(); }

std::unique_ptr<Db::Lease> Db::begin(const Identity& who, Access access) {
    return std::make_unique<PooledLease<Connections>>(*connections_, who, access);
}

base::NodeId Db::node() const { return connections_->options().node; }

const base::Redactor& Db::redactor() const { return *connections_->options().redactor; }

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
        if (connections_->lock_connection) lock_call(*connections_->lock_connection, "pg_advisory_unlock", run);
    } catch (const DbError&) {
        connections_->lock_connection.reset();  // the session's end frees its locks
    }
}

void Db::restore_locks() {
    std::lock_guard lock(connections_->lock_mutex);
    try {
        if (connections_->lock_connection) connections_->lock_connection->exec("select 1");
    } catch (const DbError&) {
        connections_->lock_connection.reset();
    }
    connections_->restore_locks();
}

base::Probes Db::probes() {
    try {
        auto version = [](Tx& tx) { return tx.exec("select version()").at(0).text(0); };
        return {{"database", base::Health::ok, run_blocking({}, version, Access::read), {}}};
    } catch (const DbError& e) {
        return {{"database", base::Health::failed, e.what(), "hearth db start"}};
    }
}

}  // namespace store
