// What loading a model takes, by the kernel's own count.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "engine/engine.h"
#include "support/vocabularies.h"

using namespace engine;

namespace {

std::uint64_t status(const std::string& key) {  // bytes
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
    const std::uint64_t before = status("VmRSS:");
    auto engine = Engine::load({.path = *path, .threads = 2});
    ASSERT_TRUE(engine);
    const std::uint64_t peak = status("VmHWM:") - before, weights = (*engine)->memory().weights;
    constexpr std::uint64_t others = 200u << 20;  // vocabulary, what the pool has touched
    EXPECT_LE(peak, weights + others) << "weights planned " << weights;
    EXPECT_GE(peak, weights / 2) << "nothing was loaded";
}
