// After warm-up a decode step allocates nothing: every allocation of the process is counted while
// sessions decode and nobody reads.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>

#include "engine/engine.h"
#include "support/fixtures.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<long> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
    if (counting.load(std::memory_order_relaxed)) ++allocations;
    void* p = alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                                                   : std::malloc(bytes ? bytes : 1);
    if (!p) throw std::bad_alloc();
    return p;
}

}  // namespace

void* operator new(std::size_t n) { return counted(n, 1); }
void* operator new[](std::size_t n) { return counted(n, 1); }
void* operator new(std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

using namespace engine;

TEST(Allocations, NoneInADecodeStep) {
    for (const Profile profile : {Profile::fast, Profile::exact}) {
        auto engine = Engine::load({.path = support::data_dir() / "models/qwen3_moe.gguf", .profile = profile, .threads = 2});
        ASSERT_TRUE(engine);
        if ((*engine)->targets().front().target == "ref") GTEST_SKIP() << "the plain target allocates";
        std::vector<std::unique_ptr<Session>> sessions;
        for (int i = 0; i < 3; ++i) {
            Request r;
            r.prompt.emplace_back();
            for (int t = 0; t < 20; ++t) r.prompt.back().tokens.push_back((7 * t + i) % 300);
            r.sampling = {.temperature = i ? 0.8f : 0, .top_p = 0.9f, .repetition_penalty = 1.1f, .seed = 5};
            r.max_tokens = 250;
            r.ignore_eos = true;
            r.logprobs = i;
            sessions.push_back(*(*engine)->start(r));
        }
        for (auto& s : sessions)
            for (int i = 0; i < 20; ++i) ASSERT_TRUE(s->next());
        const int before = sessions[0]->usage().output_tokens;
        allocations = 0;
        counting = true;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (sessions[0]->usage().output_tokens < 200 && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        counting = false;
        const int steps = sessions[0]->usage().output_tokens - before;
        EXPECT_GE(sessions[0]->usage().output_tokens, 200);
        EXPECT_GT(steps, 20) << "too little was decoded while counting";
        EXPECT_EQ(allocations.load(), 0) << "in " << steps << " steps";
    }
}
