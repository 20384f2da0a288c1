// What loading a model takes, by the kernel's own count.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "engine/engine.h"
#include "support/fixtures.h"
#include "support/vocabularies.h"

using namespace engine;

namespace {

std::uint64_t status_bytes(const std::string& key) {
    std::ifstream in("/proc/self/status");
    for (std::string word; in >> word;)
        if (std::uint64_t value = 0; word == key && in >> value) return value * 1024;
    return 0;
}

}  // namespace

TEST(LoadMemory, WeightsAreNotHeldTwice) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
    const auto path = support::default_model();
    if (!path) GTEST_SKIP() << "no default model; set HEARTH_MODEL";
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
    const std::uint64_t before = status_bytes("VmRSS:");
    auto engine = Engine::load({.path = *path, .threads = 2});
    ASSERT_TRUE(engine);
    const std::uint64_t peak = status_bytes("VmHWM:") - before, weights = (*engine)->memory().weights;
    constexpr std::uint64_t others = 200u << 20;  // vocabulary, what the pool has touched
    EXPECT_LE(peak, weights + others) << "weights planned " << weights;
    EXPECT_GE(peak, weights / 2) << "nothing was loaded";
}

// Whatever of it fails once the plan has been made, it is said which pool could not be had.
TEST(LoadMemory, WhatCannotBeHadIsNamed) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
    constexpr int kLoads = 0, kNamed = 1, kUnnamed = 2, kThrew = 3;
    int named = 0, status = 0;
    for (const rlim_t more : {0, 64 << 10, 1 << 20, 4 << 20, 9 << 20, 12 << 20, 24 << 20, 48 << 20, 1 << 30}) {
        SCOPED_TRACE(more);
        const pid_t child = fork();
        if (child == 0) {
            LoadOptions options{.path = support::data_dir() / "models/llama_tied.gguf", .threads = 3};
            options.admit = [&](const MemoryPlan&) {
                const rlim_t space = status_bytes("VmSize:") + more;
                const rlimit limit{space, space};
                setrlimit(RLIMIT_AS, &limit);
            };
            try {
                const auto engine = Engine::load(std::move(options));
                const auto says = [&](const char* words) { return engine.error().text().find(words) != std::string::npos; };
                _exit(engine ? kLoads : says("of the machine's memory for ") && says(" MiB are available") ? kNamed : kUnnamed);
            } catch (...) {
                _exit(kThrew);
            }
        }
        waitpid(child, &status, 0);
        ASSERT_TRUE(WIFEXITED(status));
        EXPECT_TRUE(WEXITSTATUS(status) == kNamed || WEXITSTATUS(status) == kLoads) << WEXITSTATUS(status);
        named += WEXITSTATUS(status) == kNamed;
    }
    EXPECT_GT(named, 2);
    EXPECT_EQ(WEXITSTATUS(status), kLoads) << "with room enough";
}
