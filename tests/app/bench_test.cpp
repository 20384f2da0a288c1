// What a bench makes of its rounds.
#include "app/bench.h"

#include <gtest/gtest.h>

#include <thread>

#include "app/foreign_load.h"

namespace app {
namespace {

Round round(double ours, double theirs, double foreign) { return {{2 * ours, ours, 0}, {{2 * theirs, theirs, 0}}, 1e9, foreign}; }

TEST(Rounds, RatiosAreOfPairs) {
    const std::vector<Round> rounds = {round(60, 40, 0), round(90, 45, 0), round(30, 30, 0)};
    const Figure f = figure(ratios(rounds, 0, &Speeds::decode));
    EXPECT_EQ(f.median, 1.5);  // 90 and 40 are of different minutes
    EXPECT_EQ(f.least, 1);
    EXPECT_EQ(f.most, 2);
    EXPECT_TRUE(ratios(rounds, 0, &Speeds::streams).empty());
}

TEST(Rounds, VoidOnesAreLeftOutWhereOthersCount) {
    const std::vector<Round> mixed = {round(60, 40, 0.02), round(10, 40, 0.6), round(60, 30, -1)};
    EXPECT_EQ(ratios(mixed, 0, &Speeds::decode), (std::vector<double>{1.5, 2}));
    EXPECT_EQ(values(mixed, &Speeds::decode), (std::vector<double>{60, 60}));
    const std::vector<Round> busy = {round(60, 40, 0.5)};
    EXPECT_TRUE(busy[0].is_void());
    EXPECT_EQ(ratios(busy, 0, &Speeds::decode), (std::vector<double>{1.5}));
}

// What this process does itself is no foreign load.
TEST(ForeignLoad, LeavesOutOurOwn) {
    const ForeignLoad load;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    std::thread other([&] {
        while (std::chrono::steady_clock::now() < until) {
        }
    });
    while (std::chrono::steady_clock::now() < until) {
    }
    other.join();
    const double cores = load.cores();
    if (cores < 0) GTEST_SKIP() << "/proc/stat does not say";
    EXPECT_LE(cores, double(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace app
