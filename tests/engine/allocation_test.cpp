// After warm-up a decode step allocates nothing: every allocation of the process is counted while
// sessions decode and nobody reads.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

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
// A sanitizer has its own of these, which would not fit the deletes below.
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 1); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 1); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

using namespace engine;

namespace {

std::unique_ptr<Engine> load(Profile profile) {
    auto engine = Engine::load({.path = support::data_dir() / "models/qwen3_moe.gguf", .profile = profile, .threads = 2});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

bool is_plain(const Engine& engine) {
    for (const auto& choice : engine.targets())
        if (choice.op == "matmul") return choice.target == "ref";
    return true;
}

Request request(int i) {
    Request r;
    r.prompt.emplace_back();
    for (int t = 0; t < 20; ++t) r.prompt.back().tokens.push_back((7 * t + i) % 300);
    r.sampling = {.temperature = i ? 0.8f : 0, .top_p = 0.9f, .repetition_penalty = 1.1f, .seed = 5};
    r.max_tokens = 250;
    r.ignore_eos = true;
    r.logprobs = i;
    return r;
}

std::vector<std::unique_ptr<Session>> begun(Engine& engine, const std::vector<Request>& requests) {
    std::vector<std::unique_ptr<Session>> sessions;
    for (const auto& r : requests) sessions.push_back(*engine.start(r));
    for (auto& s : sessions)
        for (int i = 0; i < 20; ++i) EXPECT_TRUE(s->next());
    return sessions;
}

// Decodes all of them; counts while each has said between 20 and 200 tokens. Nobody reads meanwhile.
long allocations_while_decoding(Engine& engine, const std::vector<Request>& requests) {
    auto sessions = begun(engine, requests);
    // On a busy machine they may be through before this thread is back: then once more.
    for (int again = 0; again < 50 && sessions[0]->usage().output_tokens > 150; ++again) sessions = begun(engine, requests);
    const int before = sessions[0]->usage().output_tokens;
    allocations = 0;
    counting = true;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (sessions[0]->usage().output_tokens < 200 && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    counting = false;
    EXPECT_GE(sessions[0]->usage().output_tokens, 200);
    EXPECT_GT(sessions[0]->usage().output_tokens - before, 20) << "too little was decoded while counting";
    return allocations.load();
}

}  // namespace

TEST(Allocations, NoneInADecodeStep) {
    for (const Profile profile : {Profile::fast, Profile::exact}) {
        auto engine = load(profile);
        if (is_plain(*engine)) GTEST_SKIP() << "the plain target allocates";
        for (const int sessions : {1, 3, 8}) {
            std::vector<Request> requests;
            for (int i = 0; i < sessions; ++i) requests.push_back(request(i));
            EXPECT_EQ(allocations_while_decoding(*engine, requests), 0) << sessions << " sessions";
        }
    }
}

// What a grammar allows at a place is found out once and kept for all that it binds; then a step allocates nothing.
TEST(Allocations, NoneUnderAGrammarThatIsKnown) {
    auto engine = load(Profile::fast);
    if (is_plain(*engine)) GTEST_SKIP() << "the plain target allocates";
    const auto grammar = text::Grammar::from_ebnf("root ::= (\"{\" [a-z]* \"}\" [0-9]*)* ").value();
    std::vector<Request> requests;
    for (int i = 0; i < 4; ++i) {
        requests.push_back(request(i));
        if (i == 3) continue;  // one that is free among them
        requests.back().grammar = grammar;
    }
    allocations_while_decoding(*engine, requests);
    EXPECT_EQ(allocations_while_decoding(*engine, requests), 0);
}
