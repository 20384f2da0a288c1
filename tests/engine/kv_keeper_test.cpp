// An engine that is loaded again goes on with its conversations without computing them anew, and says the same.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "engine/engine.h"
#include "support/fixtures.h"

using namespace engine;
namespace fs = std::filesystem;

namespace {

constexpr double kAlways = 1e12;  // reading a tiny model's keys may well be slower than computing them

std::unique_ptr<Engine> load(const fs::path& model, const fs::path& folder, Profile profile = Profile::fast, double most_of_computing = kAlways, std::optional<KvFormat> format = {}) {
    auto engine = Engine::load({.path = model, .profile = profile, .threads = 2, .kv_format = format, .max_sequences = 2, .kv_store = {.folder = folder, .most_of_computing = most_of_computing}});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

fs::path model(const char* name) { return support::data_dir() / "models" / name; }

struct Said {
    std::vector<TokenId> ids;
    int cached = 0;
};

Said say(Engine& engine, const std::vector<TokenId>& prompt, int n, const std::string& salt) {
    Request request;
    request.prompt = {{.tokens = prompt}};
    request.max_tokens = n;
    request.ignore_eos = true;
    request.cache_salt = salt;
    auto session = engine.start(std::move(request));
    if (!session) throw std::runtime_error(session.error().text());
    Said out;
    while (auto event = (*session)->next())
        if (event->id >= 0) out.ids.push_back(event->id);
    out.cached = (*session)->usage().cached_tokens;
    return out;
}

std::vector<TokenId> some_tokens(int n, int from = 5) {
    std::vector<TokenId> out;
    for (int i = 0; i < n; ++i) out.push_back(TokenId((from + i * 37) % 200));
    return out;
}

std::vector<TokenId> joined(std::vector<TokenId> a, const std::vector<TokenId>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST(KvKeeper, AConversationGoesOnAfterARestart) {
    for (const Profile profile : {Profile::fast, Profile::exact})
        for (const char* name : {"llama_tied.gguf", "qwen3_moe.gguf"}) {
            SCOPED_TRACE(name);
            const support::TempDir folder;
            const auto first = some_tokens(260);
            const auto answer = say(*load(model(name), folder.path(), profile), first, 20, "anna");
            const auto second = joined(joined(first, answer.ids), some_tokens(30, 9));
            const auto fresh = say(*load(model(name), folder.path(), profile), second, 20, "bert");
            EXPECT_EQ(fresh.cached, 0);  // nobody else's
            const auto engine = load(model(name), folder.path(), profile);
            const auto again = say(*engine, second, 20, "anna");
            EXPECT_EQ(again.cached, 256);  // of 279 that were computed the whole blocks
            if (profile == Profile::exact) {
                EXPECT_EQ(again.ids, fresh.ids);
            }
            EXPECT_EQ(engine->load_now().kv_restored_tokens, 256u);
            EXPECT_GT(engine->load_now().kv_disk_bytes, 256 * engine->memory().kv_bytes_per_token);
        }
}

// A turn adds what it computed, and no file holds again what another one has.
TEST(KvKeeper, ATurnAddsItsOwnPart) {
    const support::TempDir folder;
    auto ids = some_tokens(130);
    std::uint64_t bytes = 0, tokens = 0;
    for (int turn = 0; turn < 3; ++turn) {
        const auto engine = load(model("llama_tied.gguf"), folder.path());
        ids = joined(ids, say(*engine, ids, 100, "anna").ids);
        tokens = ids.size();
    }
    const auto engine = load(model("llama_tied.gguf"), folder.path());
    bytes = engine->load_now().kv_disk_bytes;
    EXPECT_LT(bytes, (tokens + 200) * engine->memory().kv_bytes_per_token + 3 * 4096 * 4);
    ids.push_back(1);
    EXPECT_GE(say(*engine, ids, 1, "anna").cached, 128 * 3);
}

TEST(KvKeeper, RecurrentModelsGoOnToo) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"lfm2", "granitemoehybrid", "qwen3_next", "qwen3_5_moe"}) {
        SCOPED_TRACE(name);
        const support::TempDir folder;
        const fs::path file = *golden / name / "model-f16.gguf";
        const auto first = some_tokens(150);
        const auto answer = say(*load(file, folder.path(), Profile::exact), first, 21, "anna");
        const auto second = joined(joined(first, answer.ids), some_tokens(30, 9));
        const auto fresh = say(*load(file, folder.path(), Profile::exact), second, 20, "bert");
        const auto again = say(*load(file, folder.path(), Profile::exact), second, 20, "anna");
        EXPECT_GE(again.cached, 128);  // up to the last message, or to the prompt's end where there is none
        EXPECT_LT(again.cached, 150);
        EXPECT_EQ(again.ids, fresh.ids);
    }
}

// Keys and values of another format, which may be as many bytes, are as if they were not there, and stay for when it is back.
TEST(KvKeeper, AFormatReadsWhatItWrote) {
    const support::TempDir folder;
    const auto ids = some_tokens(200);
    std::map<KvFormat, std::vector<TokenId>> said;
    for (const KvFormat format : kv_formats) {
        SCOPED_TRACE(name(format));
        const auto first = say(*load(model("llama_tied.gguf"), folder.path(), Profile::exact, kAlways, format), ids, 8, "anna");
        EXPECT_EQ(first.cached, 0);
        said[format] = first.ids;
    }
    for (const KvFormat format : kv_formats) {
        SCOPED_TRACE(name(format));
        const auto again = say(*load(model("llama_tied.gguf"), folder.path(), Profile::exact, kAlways, format), ids, 8, "anna");
        EXPECT_EQ(again.cached, 192);  // the whole blocks
        EXPECT_EQ(again.ids, said[format]);
    }
}

TEST(KvKeeper, WhatIsForgottenOrDamagedIsComputed) {
    const support::TempDir folder;
    const auto ids = some_tokens(200);
    const auto said = say(*load(model("llama_tied.gguf"), folder.path()), ids, 8, "anna");
    {
        const auto engine = load(model("llama_tied.gguf"), folder.path());
        EXPECT_GT(engine->load_now().kv_disk_bytes, 0u);
        engine->forget("anna");
        EXPECT_EQ(engine->load_now().kv_disk_bytes, 0u);
        EXPECT_EQ(say(*engine, ids, 8, "anna").cached, 0);
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
        if (entry.is_regular_file()) std::fstream(entry.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(2000) << "damage";
    const auto engine = load(model("llama_tied.gguf"), folder.path());
    const auto again = say(*engine, ids, 8, "anna");
    EXPECT_EQ(again.cached, 0);
    EXPECT_EQ(again.ids, said.ids);
}

// Whether it ends before the engine does or with it.
TEST(KvKeeper, WhatHadBegunWhenItWasForgottenIsNotWritten) {
    const support::TempDir folder;
    {
        const auto engine = load(model("llama_tied.gguf"), folder.path());
        Request request;
        request.prompt = {{.tokens = some_tokens(200)}};
        request.max_tokens = 40;
        request.ignore_eos = true;
        request.cache_salt = "anna";
        auto session = engine->start(std::move(request)).value();
        ASSERT_TRUE(session->next());
        engine->forget("anna");
        while (session->next()) {}
        say(*engine, some_tokens(200, 9), 8, "bert");
    }
    EXPECT_FALSE(fs::exists(folder.path() / "anna"));
    EXPECT_TRUE(fs::exists(folder.path() / "bert"));
    {
        const auto engine = load(model("llama_tied.gguf"), folder.path());
        engine->forget("anna");
        say(*engine, some_tokens(200), 8, "anna");
    }
    EXPECT_TRUE(fs::exists(folder.path() / "anna")) << "what is said afterwards is kept";
}

TEST(KvKeeper, DoesNotReadWhatIsQuickerComputed) {
    const support::TempDir folder;
    const auto ids = some_tokens(200);
    say(*load(model("llama_tied.gguf"), folder.path()), ids, 8, "anna");
    EXPECT_LE(say(*load(model("llama_tied.gguf"), folder.path(), Profile::fast, 0), ids, 8, "anna").cached, 32);  // one block is read to know
}

TEST(KvKeeper, OtherModelsAndNamelessRequestsTakeNothing) {
    const support::TempDir folder;
    const auto ids = some_tokens(200);
    say(*load(model("llama_tied.gguf"), folder.path()), ids, 8, "anna");
    EXPECT_EQ(say(*load(model("qwen3_moe.gguf"), folder.path()), ids, 8, "anna").cached, 0);
    EXPECT_EQ(say(*load(model("llama_tied.gguf"), folder.path(), Profile::exact), ids, 8, "anna").cached, 0);
    for (const char* salt : {"", "../x", "a b"}) {
        say(*load(model("llama_tied.gguf"), folder.path() / "kv"), ids, 8, salt);
        EXPECT_EQ(say(*load(model("llama_tied.gguf"), folder.path() / "kv"), ids, 8, salt).cached, 0) << salt;
    }
    EXPECT_FALSE(fs::exists(folder.path() / "x"));
}

// A queue that is full says so at once, whether the conversation lies on disk or not.
TEST(KvKeeper, WhatComesFromDiskWaitsInTheSameQueue) {
    const support::TempDir folder;
    const auto ids = some_tokens(200);
    say(*load(model("llama_tied.gguf"), folder.path()), ids, 8, "anna");
    auto engine = Engine::load({.path = model("llama_tied.gguf"), .threads = 1, .context = 512, .kv_tokens = 2048, .max_sequences = 1, .max_waiting = 3, .max_waiting_each = 2, .kv_store = {.folder = folder.path(), .most_of_computing = kAlways}}).value();
    const auto ask = [&](const std::string& salt, const std::string& person, int tokens) {
        Request request;
        request.prompt = {{.tokens = ids}};
        request.max_tokens = tokens;
        request.ignore_eos = true;
        request.cache_salt = salt;
        request.person = person;
        return engine->start(std::move(request));
    };
    auto running = ask("", "bert", 300).value();
    ASSERT_TRUE(running->next());
    auto first = ask("anna", "anna", 4).value(), second = ask("anna", "anna", 4).value();
    EXPECT_EQ(engine->load_now().waiting, 2);
    auto refused = ask("anna", "anna", 4);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::resource_exhausted);
    auto third = ask("anna", "carla", 4).value();
    refused = ask("anna", "dora", 4);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::resource_exhausted);
    second->stop();
    running->stop();
    for (auto* session : {&first, &third}) {
        int tokens = 0;
        while (const auto event = (*session)->next()) tokens += event->id >= 0;
        EXPECT_EQ(tokens, 4);
        EXPECT_GE((*session)->usage().cached_tokens, 192) << "by way of the disk";
    }
    for (int i = 0; i < 500 && engine->load_now().waiting > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(engine->load_now().waiting, 0);
}

TEST(KvKeeper, ADiskThatFailsIsSaidOnceAndServingGoesOn) {
    struct Lines final : base::Log {
        void write(base::Level level, std::string_view event, const base::Json&) override {
            if (event.find("kept on disk") != event.npos) ++(level == base::Level::warn ? warned : told);
        }
        std::atomic<int> warned{0}, told{0};
    } log;
    const support::TempDir place;
    const fs::path folder = place.path() / "kv", away = place.path() / "away";
    auto engine = Engine::load({.path = model("llama_tied.gguf"), .threads = 2, .kv_store = {.folder = folder, .most_of_computing = kAlways}, .log = &log}).value();
    const auto until = [](auto done) {
        for (int i = 0; i < 500 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return done();
    };
    EXPECT_EQ(engine->load_now().kv_disk_error, "");
    fs::rename(folder, away);
    for (int i = 0; i < 3; ++i) {
        say(*engine, some_tokens(200, 5 + i), 8, "anna");
        EXPECT_TRUE(until([&] { return engine->load_now().kv_disk_failures == std::uint64_t(i) + 1; }));
    }
    EXPECT_NE(engine->load_now().kv_disk_error.find("No such file"), std::string::npos) << engine->load_now().kv_disk_error;
    fs::rename(away, folder);
    say(*engine, some_tokens(200, 50), 8, "anna");
    EXPECT_TRUE(until([&] { return engine->load_now().kv_disk_error.empty(); }));
    EXPECT_EQ(log.warned, 1);
    EXPECT_EQ(log.told, 1);
    EXPECT_EQ(engine->load_now().kv_disk_failures, 3u);
    EXPECT_GT(engine->load_now().kv_disk_bytes, 0u);
    std::ofstream(place.path() / "file") << "no folder";
    const auto without = Engine::load({.path = model("llama_tied.gguf"), .threads = 1, .kv_store = {.folder = place.path() / "file"}}).value();
    EXPECT_NE(without->load_now().kv_disk_error, "");
}

// However little the store may hold, a longer conversation is cut into pieces that go in.
TEST(KvKeeper, ASmallStoreHoldsABeginning) {
    const support::TempDir folder;
    auto engine = Engine::load({.path = model("llama_tied.gguf"), .threads = 2, .kv_tokens = 1024, .kv_store = {.folder = folder.path(), .most_bytes = 100 << 10, .most_of_computing = kAlways}}).value();
    ASSERT_GT(480 * engine->memory().kv_bytes_per_token, 100u << 10);
    const auto ids = some_tokens(480);
    say(*engine, ids, 8, "anna");
    for (int i = 0; i < 500 && engine->load_now().kv_disk_bytes == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_GT(engine->load_now().kv_disk_bytes, 0u);
    EXPECT_LE(engine->load_now().kv_disk_bytes, 100u << 10);
}

// While it is being written others go on, and the same conversation does too.
TEST(KvKeeper, WritesWhileOthersRun) {
    const support::TempDir folder;
    const auto engine = load(model("llama_tied.gguf"), folder.path());
    std::vector<std::thread> people;
    for (int p = 0; p < 4; ++p)
        people.emplace_back([&, p] {
            auto ids = some_tokens(150, p);
            for (int turn = 0; turn < 4; ++turn) ids = joined(ids, say(*engine, ids, 30, "person" + std::to_string(p)).ids);
        });
    for (auto& one : people) one.join();
    // An answer is there a moment before what it took is given back.
    for (int i = 0; i < 500 && engine->load_now().running > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(engine->load_now().running, 0);
}
