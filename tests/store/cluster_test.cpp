// Starting the private cluster where something is in the way.
#include "store/cluster.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "store/connection.h"
#include "support/database.h"

namespace {

store::ClusterOptions options_in(const std::filesystem::path& folder) {
    store::ClusterOptions options;
    options.folder = folder / "pg";
    options.run_as = geteuid() == 0 ? "nobody" : "";
    chmod(folder.c_str(), 0711);
    return options;
}

}  // namespace

TEST(Cluster, ErrorsNameWhatIsWrongAndWhatToDo) {
    const support::TempDir folder;
    auto options = options_in(folder.path());
    options.binaries = "/nonexistent/bin";
    const auto no_programs = store::start_cluster(options);
    ASSERT_FALSE(no_programs);
    EXPECT_NE(no_programs.error().message.find("/nonexistent/bin"), std::string::npos);
    EXPECT_NE(no_programs.error().remedy.find("apt-get install postgresql"), std::string::npos);
    if (geteuid() == 0) {
        options = options_in(folder.path());
        options.run_as = "";
        EXPECT_EQ(store::start_cluster(options).error().code, base::Code::permission_denied);
    }
    if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    options = options_in(folder.path() / std::string(120, 'x'));
    const auto too_long = store::start_cluster(options);
    ASSERT_FALSE(too_long);
    EXPECT_NE(too_long.error().message.find("too long"), std::string::npos);
}

TEST(Cluster, AFolderThatItsUserCannotReachIsNamed) {
    if (geteuid() != 0) GTEST_SKIP() << "only root starts the cluster as another user";
    const support::TempDir folder;
    const auto options = options_in(folder.path());
    chmod(folder.path().c_str(), 0700);
    const auto closed = store::start_cluster(options);
    ASSERT_FALSE(closed);
    EXPECT_NE(closed.error().message.find("'nobody', who runs PostgreSQL, cannot pass through " + folder.path().string()), std::string::npos) << closed.error().message;
}

TEST(Cluster, OfABrokenOneItIsSaidThatNobodyStoppedIt) {
    if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    const support::TempDir folder;
    const auto options = options_in(folder.path());
    const auto started = store::start_cluster(options);
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_FALSE(started->crashed);
    kill(started->pid, SIGKILL);
    for (int i = 0; i < 100 && store::cluster_status(options)->running; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(store::cluster_status(options)->crashed);
    const auto again = store::start_cluster(options);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_NE(again->pid, started->pid);
    ASSERT_TRUE(store::stop_cluster(options));
    const auto stopped = store::cluster_status(options);
    EXPECT_TRUE(stopped && !stopped->running && !stopped->crashed);
}

// For a moment it still looks alive, and its socket stays behind.
TEST(Cluster, OneThatWasKilledThisMomentIsStartedAnew) {
    if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    const support::TempDir folder;
    const auto options = options_in(folder.path());
    auto started = store::start_cluster(options);
    ASSERT_TRUE(started) << started.error().text();
    for (int i = 0; i < 10; ++i) {
        const int killed = started->pid;
        kill(killed, SIGKILL);
        started = store::start_cluster(options);
        ASSERT_TRUE(started) << "try " << i << ": " << started.error().text();
        EXPECT_NE(started->pid, killed);
    }
    EXPECT_TRUE(store::stop_cluster(options));
}

// One that was told to fetch its log from elsewhere takes its time, as one that broke off with much of it unread.
TEST(Cluster, OneThatReadsItsLogIsWaitedFor) {
    if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    const support::TempDir folder;
    auto options = options_in(folder.path());
    ASSERT_TRUE(store::start_cluster(options));
    ASSERT_TRUE(store::stop_cluster(options));
    std::ofstream(options.folder / "data/postgresql.conf", std::ios::app) << "hot_standby = off\nrestore_command = 'sleep 2; false'\n";
    std::ofstream(options.folder / "data/recovery.signal") << "";
    options.patience = std::chrono::seconds(1);
    const auto too_soon = store::start_cluster(options);
    ASSERT_FALSE(too_soon) << "it is not ready within a second";
    EXPECT_TRUE(store::cluster_status(options)->running);
    std::vector<std::string> told;
    options.progress = [&](const std::string& word) { told.push_back(word); };
    options.patience = std::chrono::minutes(5);
    const auto started = store::start_cluster(options);
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_TRUE(started->running);
    EXPECT_FALSE(told.empty());
    EXPECT_TRUE(store::stop_cluster(options));
}

TEST(Cluster, ALockThatAnotherProcessSeemsToHoldIsNoObstacle) {
    if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    const support::TempDir folder;
    const auto options = options_in(folder.path());
    ASSERT_TRUE(store::start_cluster(options));
    ASSERT_TRUE(store::stop_cluster(options));
    std::ofstream(options.folder / "data/postmaster.pid") << getpid() << "\n" << (options.folder / "data").string() << "\n1\n5432\n";  // its number is ours now
    EXPECT_FALSE(store::cluster_status(options)->running);
    const auto started = store::start_cluster(options);
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_TRUE(store::stop_cluster(options));
}

TEST(Cluster, OneThatIsHeldIsGivenUpAndASlowStatementIsNot) {
    if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    store::Connection slow(support::TestDatabase::get()->admin_url());
    EXPECT_EQ(slow.exec("select pg_sleep(4), 7").at(0).integer(1), 7);

    const support::TempDir folder;
    const auto options = options_in(folder.path());
    const auto started = store::start_cluster(options);
    ASSERT_TRUE(started) << started.error().text();
    store::Connection connection(store::owner_url(options));
    const int session = int(connection.exec("select pg_backend_pid()").at(0).integer(0));
    for (const int pid : {started->pid, session}) kill(pid, SIGSTOP);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_THROW(connection.exec("select 1"), store::DbError);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));
    EXPECT_FALSE(connection.open());
    for (const int pid : {session, started->pid}) kill(pid, SIGCONT);
    EXPECT_TRUE(store::stop_cluster(options));
}

TEST(Cluster, AHalfMadeClusterIsMadeAgainAndTwoStartsAreOne) {
    if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    const support::TempDir folder;
    const auto options = options_in(folder.path());
    std::filesystem::create_directories(options.folder / "data.new" / "base");  // a power cut in the middle of initdb
    std::ofstream(options.folder / "data.new" / "PG_VERSION") << "15\n";
    base::Result<store::ClusterStatus> first = base::error(base::Code::internal, ""), second = first;
    std::thread other([&] { second = store::start_cluster(options); });
    first = store::start_cluster(options);
    other.join();
    ASSERT_TRUE(first) << first.error().text();
    ASSERT_TRUE(second) << second.error().text();
    EXPECT_EQ(first->pid, second->pid);
    EXPECT_TRUE(store::stop_cluster(options));
    EXPECT_FALSE(store::cluster_status(options).value().running);
    EXPECT_TRUE(store::stop_cluster(options));
}
