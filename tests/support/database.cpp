#include "support/database.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/connection.h"

namespace support {
namespace {

std::string missing;

}  // namespace

TestDatabase* TestDatabase::get() {
    static const std::unique_ptr<TestDatabase> database = [] {
        std::unique_ptr<TestDatabase> made(new TestDatabase);
        missing = made->start();
        if (!missing.empty()) made.reset();
        return made;
    }();
    return database.get();
}

const std::string& TestDatabase::why_not() { return missing; }

std::string TestDatabase::start() {
    chmod(folder_.path().c_str(), 0711);  // the database's user passes through
    options_.folder = folder_.path() / "pg";
    options_.run_as = geteuid() == 0 ? "nobody" : "";
    if (auto started = store::start_cluster(options_); !started) return started.error().text();
    if (auto done = store::migrate(store::owner_url(options_)); !done) return done.error().text();
    auto foundation = store::lay_foundation(store::owner_url(options_), folder_.path().string());
    if (!foundation) return foundation.error().text();
    foundation_ = *foundation;
    member_ = base::PersonId::make(base::SystemClock().now());
    sql("insert into person (id, tenant_id, name, role) values ('" + member_.text() + "', '" + foundation_.tenant.text() + "', 'member', 'member')");
    auto db = store::Db::open({store::app_url(options_), 4, foundation_.node});
    if (!db) return db.error().text();
    db_ = *std::move(db);
    return {};
}

std::string TestDatabase::sql(const std::string& statement) {
    const auto rows = store::Connection(store::owner_url(options_)).script(statement);
    return rows.empty() ? std::string() : rows[0].text_or(0, "");
}

std::string TestDatabase::admin_url() const {
    const std::string secrets = read_text(options_.folder / "credentials");  // his password is the first line
    return "host=" + (options_.folder / "socket").string() + " port=5432 dbname=postgres user=hearth_admin password=" + secrets.substr(0, secrets.find('\n'));
}

TestDatabase::~TestDatabase() {
    db_.reset();
    if (auto stopped = store::stop_cluster(options_); !stopped) fprintf(stderr, "%s\n", stopped.error().text().c_str());
}

}  // namespace support
