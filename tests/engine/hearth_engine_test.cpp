// The C API gives what the C++ one gives.
#include "engine/hearth_engine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/engine.h"
#include "support/fixtures.h"

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
