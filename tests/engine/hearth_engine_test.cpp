// The C API gives what the C++ one gives.
#include "engine/hearth_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "support/fixtures.h"

namespace {

std::string tiny_model() { return (support::data_dir() / "models/llama_tied.gguf").string(); }

struct CEngine {
    explicit CEngine(hearth_load_options options = {.exact = 1, .threads = 1, .context = 0, .memory_limit = 0}) {
        char error[200] = "";
        engine = hearth_engine_load(tiny_model().c_str(), &options, error, sizeof error);
        if (!engine) throw std::runtime_error(error);
    }
    ~CEngine() { hearth_engine_free(engine); }
    CEngine(const CEngine&) = delete;
    hearth_engine* engine = nullptr;
};

hearth_request greedy(int max_tokens) { return {.max_tokens = max_tokens, .temperature = 0, .top_k = 0, .top_p = 0, .min_p = 0, .seed = 0}; }

// How it ended and after how many tokens.
std::pair<int, int> rest_of(hearth_session* session) {
    int count = 0, finish = HEARTH_RUNNING;
    int32_t id = 0;
    while (hearth_session_next(session, &id, nullptr, &finish)) count += id >= 0;
    return {finish, count};
}

}  // namespace

TEST(CApi, GeneratesWhatTheEngineGenerates) {
    const std::string path = (support::data_dir() / "models/llama_tied.gguf").string();
    const hearth_load_options options{.exact = 1, .threads = 1, .context = 0, .memory_limit = 0};
    char error[200] = "";
    hearth_engine* engine = hearth_engine_load(path.c_str(), &options, error, sizeof error);
    ASSERT_TRUE(engine) << error;
    const std::vector<int32_t> prompt{5, 9, 100, 42};
    const hearth_request request{.max_tokens = 12, .temperature = 0, .top_k = 0, .top_p = 0, .min_p = 0, .seed = 0};
    hearth_session* session = hearth_session_start(engine, prompt.data(), int(prompt.size()), &request, error, sizeof error);
    ASSERT_TRUE(session) << error;
    std::vector<int32_t> ids;
    int32_t id = 0;
    int finish = 0;
    const char* text = nullptr;
    while (hearth_session_next(session, &id, &text, &finish))
        if (id >= 0) ids.push_back(id);
    EXPECT_NE(finish, HEARTH_RUNNING);
    hearth_session_free(session);

    auto same = engine::Engine::load({.path = path, .profile = engine::Profile::exact, .threads = 1});
    ASSERT_TRUE(same);
    engine::Request r;
    r.prompt.emplace_back();
    r.prompt.back().tokens = prompt;
    r.max_tokens = 12;
    auto other = *(*same)->start(r);
    std::vector<int32_t> expected;
    while (auto event = other->next())
        if (event->id >= 0) expected.push_back(event->id);
    EXPECT_EQ(ids, expected);
    EXPECT_FALSE(ids.empty());
    EXPECT_EQ(hearth_engine_vocabulary(engine), (*same)->info().vocabulary);

    EXPECT_FALSE(hearth_session_start(engine, prompt.data(), 0, &request, error, sizeof error));
    EXPECT_STREQ(error, "the prompt is empty");
    hearth_engine_free(engine);
}

TEST(CApi, ALoadThatFailsSaysWhy) {
    char error[16] = "";
    EXPECT_FALSE(hearth_engine_load("/nowhere/model.gguf", nullptr, error, sizeof error));
    EXPECT_EQ(std::string(error).size(), 15u);  // cut to the room, zero at the end
    EXPECT_FALSE(hearth_engine_load("/nowhere/model.gguf", nullptr, nullptr, 0));
}

TEST(CApi, AStopFromAnotherThreadEndsASession) {
    constexpr int most = 450;  // more than the ring between engine and reader holds, so that the engine waits for the reader
    const CEngine c;
    const std::vector<int32_t> prompt{5, 9, 100, 42};
    const hearth_request request = greedy(most);
    char error[200] = "";
    const auto start = [&] { return hearth_session_start(c.engine, prompt.data(), int(prompt.size()), &request, error, sizeof error); };
    hearth_session* whole = start();
    ASSERT_TRUE(whole) << error;
    EXPECT_EQ(rest_of(whole), std::make_pair(int(HEARTH_LENGTH), most)) << "unstopped it goes on to its length";
    hearth_session_free(whole);

    hearth_session* stopped = start();
    ASSERT_TRUE(stopped) << error;
    int finish = -1;
    ASSERT_EQ(hearth_session_next(stopped, nullptr, nullptr, &finish), 1);
    EXPECT_EQ(finish, HEARTH_RUNNING);
    std::thread([&] { hearth_session_stop(stopped); }).join();
    const auto [ended, count] = rest_of(stopped);
    EXPECT_EQ(ended, HEARTH_CANCELLED);
    EXPECT_LT(count, most - 1);
    EXPECT_EQ(hearth_session_next(stopped, nullptr, nullptr, nullptr), 0) << "the last event came once";
    hearth_session_stop(stopped);  // of what has ended, without effect
    hearth_session_free(stopped);

    hearth_session* unread = start();
    ASSERT_TRUE(unread) << error;
    hearth_session_free(unread);  // stops it
    hearth_session* next = start();
    ASSERT_TRUE(next) << error;
    EXPECT_EQ(rest_of(next).first, HEARTH_LENGTH) << "the engine serves on";
    hearth_session_free(next);
}

TEST(CApi, TokenizesAsTheEngineDoes) {
    const CEngine c;
    const auto same = engine::Engine::load({.path = tiny_model(), .profile = engine::Profile::exact, .threads = 1});
    ASSERT_TRUE(same);
    const auto tokenizer = (*same)->tokenizer();
    const std::string control = tokenizer->vocabulary().tokens.at(std::size_t(tokenizer->vocabulary().eos));
    const std::string text = "Good day, w\xc3\xb6rld" + control + "!";
    const auto plain = tokenizer->encode(text, false), special = tokenizer->encode(text, true);
    ASSERT_NE(plain, special);
    for (const auto& [parse, expected] : {std::pair(0, plain), std::pair(1, special)}) {
        std::vector<int32_t> ids(expected.size() + 5, -7);
        ASSERT_EQ(hearth_tokenize(c.engine, text.c_str(), parse, ids.data(), int(ids.size())), int(expected.size()));
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), ids.begin()));
        EXPECT_EQ(ids[expected.size()], -7) << "nothing is written behind them";
    }
    std::vector<int32_t> three(5, -7);
    EXPECT_EQ(hearth_tokenize(c.engine, text.c_str(), 0, three.data(), 3), int(plain.size())) << "how many there are, not how many fit";
    EXPECT_EQ(three, (std::vector<int32_t>{plain[0], plain[1], plain[2], -7, -7}));
    EXPECT_EQ(hearth_tokenize(c.engine, text.c_str(), 0, nullptr, 0), int(plain.size()));
    EXPECT_EQ(hearth_tokenize(c.engine, "", 0, nullptr, 0), 0);
    EXPECT_EQ(hearth_tokenize(c.engine, nullptr, 0, nullptr, 0), 0);
}

TEST(CApi, TheContextIsTheOneThatWasAskedForAndHolds) {
    const auto trained = engine::Engine::inspect(tiny_model());
    ASSERT_TRUE(trained);
    EXPECT_EQ(hearth_engine_context(CEngine().engine), trained->trained_context);
    const CEngine small({.exact = 1, .threads = 1, .context = 64, .memory_limit = 0});
    EXPECT_EQ(hearth_engine_context(small.engine), 64);
    const std::vector<int32_t> prompt(65, 9);
    const hearth_request request = greedy(1);
    char error[200] = "";
    EXPECT_FALSE(hearth_session_start(small.engine, prompt.data(), 65, &request, error, sizeof error));
    EXPECT_NE(std::string(error).find("64"), std::string::npos) << error;
}

TEST(CApi, AnAnswerThatFailsSaysWhy) {
    support::TempDir dir;
    const auto damaged = dir.path() / "damaged.gguf";
    std::filesystem::copy_file(tiny_model(), damaged);
    constexpr int last_weights = 4096;
    std::fstream file(damaged, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(-last_weights, std::ios::end);
    file << std::string(last_weights, '\xff');  // no numbers, whatever their format
    file.close();
    char error[200] = "";
    hearth_engine* engine = hearth_engine_load(damaged.c_str(), nullptr, error, sizeof error);
    ASSERT_TRUE(engine) << error;
    const int32_t prompt[] = {5, 9, 100, 42};
    const hearth_request request = greedy(8);
    hearth_session* session = hearth_session_start(engine, prompt, 4, &request, error, sizeof error);
    ASSERT_TRUE(session) << error;
    EXPECT_STREQ(hearth_session_error(session), "");
    EXPECT_EQ(rest_of(session).first, HEARTH_FAILED);
    EXPECT_NE(std::string(hearth_session_error(session)).find("not a number"), std::string::npos) << hearth_session_error(session);
    hearth_session_free(session);
    hearth_engine_free(engine);
}

TEST(CApi, WhatIsNullHasNothing) {
    EXPECT_EQ(hearth_tokenize(nullptr, "text", 0, nullptr, 0), -1);
    EXPECT_EQ(hearth_engine_vocabulary(nullptr), -1);
    EXPECT_EQ(hearth_engine_context(nullptr), -1);
    EXPECT_EQ(hearth_session_next(nullptr, nullptr, nullptr, nullptr), 0);
    EXPECT_STREQ(hearth_session_error(nullptr), "");
    hearth_session_stop(nullptr);
    hearth_session_free(nullptr);
    hearth_engine_free(nullptr);
}
