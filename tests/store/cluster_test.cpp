// Starting the private cluster where something is in the way.
#include "store/cluster.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

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
