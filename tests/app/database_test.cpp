// A PostgreSQL of one's own: the test's cluster, reached by URL as if it were foreign.
#include "app/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "app/keeper.h"
#include "net/log_sink.h"
#include "store/bootstrap.h"
#include "store/conversations.h"
#include "store/runs.h"
#include "support/database.h"

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The same URL, for another database or with another password.
std::string with(std::string url, const std::string& key, const std::string& value) {
    const auto at = url.find(key + "=") + key.size() + 1;
    return url.replace(at, std::min(url.find(' ', at), url.size()) - at, value);
}

struct OwnDatabase : testing::Test {
    support::TestDatabase* cluster = support::TestDatabase::get();
    support::TempDir folder;
    std::string owner, app;

    void SetUp() override {
        if (!cluster) GTEST_SKIP() << support::TestDatabase::why_not();
        const std::string name = std::string("own_") + std::to_string(++count);
        owner = with(store::owner_url(cluster->cluster()), "dbname", name);
        app = with(store::app_url(cluster->cluster()), "dbname", name);
        ASSERT_TRUE(store::make_roles(cluster->admin_url(), "", "", name));
    }
    app::Settings settings(const std::string& url, const std::string& owner_url, const std::string& state = "state") {
        auto loaded = app::load_settings({}, {{"database.url", url}, {"database.owner_url", owner_url}, {"state.folder", (folder.path() / state).string()}});
        return loaded.value().settings;
    }
    static inline int count = 0;
};

}  // namespace

TEST_F(OwnDatabase, IsMigratedAsTheOwnerAndServedWithout) {
    const auto unmigrated = app::prepare_database(settings(app, ""), {});
    ASSERT_FALSE(unmigrated);
    EXPECT_THAT(unmigrated.error().message, HasSubstr("'own_"));
    EXPECT_EQ(unmigrated.error().remedy, "hearth db migrate");
    const auto made = app::prepare_database(settings(app, owner), {});
    ASSERT_TRUE(made) << made.error().text();
    const auto served = app::prepare_database(settings(app, ""), {});
    ASSERT_TRUE(served) << served.error().text();
    EXPECT_EQ(served->node, made->node);
    EXPECT_EQ(served->owner, made->owner);
    EXPECT_EQ(served->tenant, made->tenant);
    auto db = store::Db::open({app, 1, served->node});
    ASSERT_TRUE(db) << db.error().text();
    auto remembered = [](store::Tx& tx) { return tx.exec("select name from prompt").size(); };
    EXPECT_GT((*db)->run_blocking({served->tenant, served->owner}, remembered), 0u);
}

TEST_F(OwnDatabase, ANodeIsKnownByItsKey) {
    const auto first = app::prepare_database(settings(app, owner), {});
    ASSERT_TRUE(first) << first.error().text();
    const auto stranger = app::prepare_database(settings(app, "", "elsewhere"), {});
    ASSERT_FALSE(stranger);
    EXPECT_EQ(stranger.error().code, base::Code::not_found);
    EXPECT_THAT(stranger.error().text(), HasSubstr("does not know this node"));
    const auto second = app::prepare_database(settings(app, owner, "elsewhere"), {});
    ASSERT_TRUE(second) << second.error().text();
    EXPECT_NE(second->node, first->node);
    EXPECT_EQ(second->owner, first->owner);
    EXPECT_EQ(app::prepare_database(settings(app, owner), {})->node, first->node);
}

TEST_F(OwnDatabase, WrongRolesAreRefusedByName) {
    const std::string admin = with(cluster->admin_url(), "dbname", "postgres");
    const auto as_admin = app::prepare_database(settings(app, admin), {});
    ASSERT_FALSE(as_admin);
    EXPECT_EQ(as_admin.error().code, base::Code::permission_denied);
    EXPECT_THAT(as_admin.error().text(), HasSubstr("'hearth_admin', which is a superuser"));
    EXPECT_THAT(as_admin.error().text(), HasSubstr("hearth db roles"));
    const auto as_app = app::prepare_database(settings(app, app), {});
    ASSERT_FALSE(as_app);
    EXPECT_THAT(as_app.error().text(), HasSubstr("must belong to hearth_owner"));
    ASSERT_TRUE(app::prepare_database(settings(app, owner), {}));
    EXPECT_EQ(store::Db::open({admin, 1, {}}).error().code, base::Code::permission_denied);
    EXPECT_EQ(store::Db::open({owner, 1, {}}).error().code, base::Code::permission_denied);
}

TEST_F(OwnDatabase, AWrongUrlIsNamedWithoutItsPassword) {
    for (const std::string& url : {with(app, "password", "not-the-secret"), with(app, "dbname", "nowhere"), std::string("postgresql://hearth_app:not-the-secret@127.0.0.1:1/x"),
                                   std::string("postgresql://hearth_app:not-the-secret@127.0.0.1:port/x"), std::string("not-the-secret")}) {
        const auto wrong = app::prepare_database(settings(url, ""), {});
        ASSERT_FALSE(wrong) << url;
        EXPECT_FALSE(wrong.error().remedy.empty()) << wrong.error().message;
        EXPECT_THAT(wrong.error().message, Not(HasSubstr("\n")));
        if (url != "not-the-secret") {
            EXPECT_THAT(wrong.error().text(), Not(HasSubstr("not-the-secret")));
        }
    }
    EXPECT_THAT(app::prepare_database(settings("", owner), {}).error().text(), HasSubstr("database.url is not"));
}

TEST_F(OwnDatabase, ItsAdministratorGetsTheSqlForTheRoles) {
    const std::string sql = app::roles_sql();
    EXPECT_THAT(sql, HasSubstr("create role hearth_app login password '"));
    EXPECT_THAT(sql, HasSubstr("create database hearth owner hearth_owner"));
    EXPECT_NE(sql, app::roles_sql()) << "passwords are fresh";
}

namespace {

// A private cluster that a test may break.
struct KeeperTest : testing::Test {
    support::TempDir folder;
    app::Settings settings;
    net::LogSink log{base::Level::error, false};

    void SetUp() override {
        if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
        chmod(folder.path().c_str(), 0711);
        settings = app::load_settings({}, {{"state.folder", folder.path().string()}, {"database.run_as", "nobody"}}).value().settings;
    }
    void TearDown() override {
        if (!settings.state_folder.empty() && !store::stop_cluster(app::cluster_options(settings))) ADD_FAILURE() << "the cluster cannot be stopped";
    }
};

}  // namespace

TEST_F(KeeperTest, ABrokenClusterIsStartedAgainAndAStoppedOneIsNot) {
    const auto cluster = app::cluster_options(settings);
    const auto foundation = app::prepare_database(settings, {});
    ASSERT_TRUE(foundation) << foundation.error().text();
    auto db = store::Db::open({app::database_urls(settings).app, 2, foundation->node});
    ASSERT_TRUE(db) << db.error().text();
    app::Keeper keeper(settings, **db, log);
    keeper.look();
    EXPECT_EQ(keeper.trouble(), "");
    EXPECT_TRUE(keeper.may_accept());

    const store::Identity who{foundation->tenant, foundation->owner};
    const auto now = base::SystemClock().now();
    const auto run = base::RunId::make(now), held = base::RunId::make(now);
    const auto begin = [&](base::RunId id, const store::RunLease& lease) {
        auto insert = [&](store::Tx& tx) {
            const auto conversation = base::ConversationId::make(now);
            store::create_conversation(tx, conversation, "api", "");
            store::create_run(tx, lease, conversation, store::append_message(tx, conversation, {}, {{"role", "user"}, {"content", "hello"}}), "hearth");
            return id;
        };
        (*db)->run_blocking(who, insert);
    };
    begin(run, *store::lease_new_run(**db, run));  // nobody works on it any more
    const auto lease = store::lease_new_run(**db, held);
    begin(held, *lease);

    const auto before = store::cluster_status(cluster);
    ASSERT_TRUE(before && before->running);
    kill(before->pid, SIGKILL);
    for (int i = 0; i < 100 && store::cluster_status(cluster)->running; ++i) usleep(20000);
    EXPECT_TRUE(store::cluster_status(cluster)->crashed);
    keeper.look();
    EXPECT_THAT(keeper.trouble(), testing::AnyOf(HasSubstr("broke off"), HasSubstr("not yet accepting")));  // a busy machine reads the log for longer than a look waits
    for (int i = 0; i < 3000 && !keeper.trouble().empty(); ++i) keeper.look(), usleep(20000);
    EXPECT_EQ(keeper.trouble(), "");
    EXPECT_TRUE(store::cluster_status(cluster)->running);
    const auto status = [&](base::RunId id) {
        auto find = [&](store::Tx& tx) { return store::find_run(tx, id)->status; };
        return (*db)->run_blocking(who, find);
    };
    EXPECT_EQ(status(run), "failed");
    EXPECT_EQ(status(held), "running");

    ASSERT_TRUE(store::stop_cluster(cluster));
    keeper.look();
    EXPECT_THAT(keeper.trouble(), HasSubstr("hearth db start"));
    keeper.look();
    EXPECT_FALSE(store::cluster_status(cluster)->running) << "somebody stopped it on purpose";
    ASSERT_TRUE(store::start_cluster(cluster));
    keeper.look();
    EXPECT_EQ(keeper.trouble(), "");
}
