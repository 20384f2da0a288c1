#include "app/backends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "net/metrics_registry.h"
#include "support/fixtures.h"
#include "support/run_task.h"
#include "support/stub_server.h"

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct BackendsTest : testing::Test {
    support::TempDir folder;
    base::NullLog log;
    base::SystemClock clock;
    net::HttpClient client;
    router::LocalPools pools;

    Settings settings(std::map<std::string, std::string> flags) {
        flags["state.folder"] = folder.path();
        auto loaded = load_settings(file("hearth.yaml", ""), flags);
        EXPECT_TRUE(loaded) << loaded.error().text();
        return loaded->settings;
    }
    std::string file(const std::string& name, const std::string& text) {
        std::ofstream(folder.path() / name) << text;
        return folder.path() / name;
    }
    std::string refusal(std::map<std::string, std::string> flags) {
        auto made = make_backends(settings(std::move(flags)), client, pools, log);
        return made ? "" : made.error().text();
    }
};

TEST_F(BackendsTest, TheUpstreamAnswersWhereNoModelLies) {
    support::StubServer server([](const support::StubRequest&) {
        support::StubReply reply;
        reply.chunks = {"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"};
        return reply;
    });
    auto made = make_backends(settings({{"upstream.url", server.url("/v1/")}, {"upstream.model", "big"}, {"upstream.key_file", file("key", "sk-7\n")}}), client, pools, log);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_THAT(made->aliases.at(0).chain, ElementsAre("upstream"));
    net::MetricsRegistry metrics;
    router::Gateway gateway(std::move(made->all), made->aliases, clock, log, metrics);
    router::ModelRequest request;
    request.alias = made->aliases[0].name;
    request.messages = {router::Message::make(router::MessageRole::user, "hello")};
    auto reply = support::run_task(gateway.generate(request));
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(server.requests().at(0).target, "/v1/chat/completions");
    EXPECT_EQ(server.requests().at(0).header("authorization"), "Bearer sk-7");
}

TEST_F(BackendsTest, ASecretIsOpenedByNameForTheUpstreamsHost) {
    support::StubServer server([](const support::StubRequest&) { return support::StubReply{}; });
    const SecretOpener secrets = [](std::string name, std::string host) -> net::Task<base::Result<router::UpstreamKey::Held>> {
        std::string text = name + " for " + host;
        co_return std::make_shared<const base::SecretValue>(base::SecretValue::take(text));
    };
    auto made = make_backends(settings({{"upstream.url", server.url("/v1/")}, {"upstream.model", "big"}, {"upstream.key", "secret:openai"}}), client, pools, log, secrets);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_FALSE(support::run_task(made->all.at(0)->generate({}, {})));
    EXPECT_EQ(server.requests().at(0).header("authorization"), "Bearer openai for 127.0.0.1");
}

TEST_F(BackendsTest, TheUpstreamComesAfterTheModel) {
    const std::string script = file("script.jsonl", R"({"when":"","text":"scripted"})");
    auto made = make_backends(settings({{"backend.script", script}, {"upstream.url", "http://127.0.0.1:1/v1"}, {"upstream.model", "big"}}), client, pools, log);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_THAT(made->aliases.at(0).chain, ElementsAre("scripted", "upstream"));
}

TEST_F(BackendsTest, RefusalsNameTheSetting) {
    EXPECT_THAT(refusal({}), HasSubstr("hearth model pull"));
    EXPECT_THAT(refusal({{"model.path", "/no/such.gguf"}, {"upstream.url", "http://h/v1"}, {"upstream.model", "m"}}), HasSubstr("/no/such.gguf"));
    EXPECT_THAT(refusal({{"upstream.url", "host/v1"}}), HasSubstr("upstream.url is 'host/v1'"));
    EXPECT_THAT(refusal({{"upstream.url", "http://host/v1"}}), HasSubstr("upstream.model"));
    EXPECT_THAT(refusal({{"upstream.url", "http://h/v1"}, {"upstream.model", "m"}, {"upstream.key_file", file("empty", "\n")}}), HasSubstr("is empty"));
    EXPECT_THAT(refusal({{"upstream.url", "http://h/v1"}, {"upstream.model", "m"}, {"upstream.key_file", file("key", "k")}, {"upstream.key", "secret:k"}}), HasSubstr("both set"));
    EXPECT_THAT(refusal({{"backend.script", "/no/script"}}), HasSubstr("backend.script: cannot read /no/script"));
    EXPECT_THAT(refusal({{"upstream.url", "http://h/v1"}, {"upstream.model", "m"}, {"backend.thinking", "big"}}), HasSubstr("backend.thinking is 'big'"));
    EXPECT_THAT(refusal({{"upstream.url", "http://h/v1"}, {"upstream.model", "m"}, {"model.name", "hearth/dev"}}), HasSubstr("an agent's name"));
}

TEST_F(BackendsTest, AnEmbeddingModelHasAnAliasOfItsOwn) {
    const std::string script = file("script.jsonl", R"({"when":"","text":"scripted"})"), model = support::data_dir() / "models/bert_minilm.gguf";
    auto made = make_backends(settings({{"backend.script", script}, {"embedding.path", model}}), client, pools, log);
    ASSERT_TRUE(made) << made.error().text();
    ASSERT_EQ(made->aliases.size(), 2u);
    EXPECT_EQ(made->aliases[1].name, "embedding");
    EXPECT_THAT(made->aliases[1].chain, ElementsAre("embedding"));
    net::MetricsRegistry metrics;
    router::Gateway gateway(std::move(made->all), made->aliases, clock, log, metrics);
    while (gateway.backends()["embedding"].status.state == router::BackendStatus::State::loading) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_TRUE(gateway.capabilities("embedding").embeddings);
    router::EmbeddingRequest request;
    request.alias = "embedding";
    request.inputs = {"the quick brown fox"};
    const auto reply = support::run_task(gateway.embed(request));
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->width, 64);
    EXPECT_EQ(reply->usage.prompt_tokens, 11);
    EXPECT_EQ(reply->model, "bert_minilm");
    EXPECT_EQ(reply->profile, "fast");
    request.dimensions = 64;
    EXPECT_TRUE(support::run_task(gateway.embed(request)));
    request.dimensions = 32;
    const auto narrow = support::run_task(gateway.embed(request));
    ASSERT_FALSE(narrow);
    EXPECT_EQ(narrow.error().code, base::Code::unsupported);
    router::ModelRequest chat;
    chat.alias = "embedding";
    chat.messages = {router::Message::make(router::MessageRole::user, "hello")};
    const auto said = support::run_task(gateway.generate(chat));
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, base::Code::unsupported);
    EXPECT_THAT(said.error().message, HasSubstr("'embedding' is an embedding model"));
}

TEST_F(BackendsTest, TheChosenModelKeepsTheNameItWasChosenBy) {
    namespace fs = std::filesystem;
    const fs::path models = folder.path() / "models", named = folder.path() / "m-00001-of-00002.gguf";
    fs::create_directories(models);
    EXPECT_EQ(chosen_model(settings({})), models / "current.gguf") << "none yet";
    fs::create_symlink(file("0a1b2c", "x"), named);  // as caches keep what they fetched
    fs::create_symlink(named, models / "current.gguf");
    EXPECT_EQ(chosen_model(settings({})), named);
    fs::remove(models / "current.gguf");
    std::ofstream(models / "current.gguf") << "x";
    EXPECT_EQ(chosen_model(settings({})), models / "current.gguf") << "a file of that name";
}

TEST_F(BackendsTest, TheUpstreamMayEmbedAlone) {
    const std::string script = file("script.jsonl", R"({"when":"","text":"scripted"})");
    auto made = make_backends(settings({{"backend.script", script}, {"upstream.url", "http://127.0.0.1:1/v1"}, {"upstream.embedding_model", "vectors"}, {"embedding.name", "v"}}),
                              client, pools, log);
    ASSERT_TRUE(made) << made.error().text();
    ASSERT_EQ(made->aliases.size(), 2u);
    EXPECT_THAT(made->aliases[0].chain, ElementsAre("scripted"));
    EXPECT_EQ(made->aliases[1].name, "v");
    EXPECT_THAT(made->aliases[1].chain, ElementsAre("upstream-embedding"));
}

TEST_F(BackendsTest, ToAskTheWrongModelIsNoFaultOfAnUpstream) {
    support::StubServer server([](const support::StubRequest&) {
        support::StubReply reply;
        reply.status = 404;
        return reply;
    });
    const auto loaded = load_settings(file("roster.yaml", "upstreams:\n  box: {url: \"" + server.url("/v1") + "\", model: m}\nroster:\n  boxed: {chain: [box]}\n"),
                                      {{"state.folder", folder.path()}, {"upstream.url", server.url("/v1")}, {"upstream.model", "m"}, {"upstream.embedding_model", "vectors"}});
    ASSERT_TRUE(loaded) << loaded.error().text();
    auto made = make_backends(loaded->settings, client, pools, log);
    ASSERT_TRUE(made) << made.error().text();
    auto roster = make_roster(loaded->settings, made->aliases, client);
    ASSERT_TRUE(roster) << roster.error().text();
    net::MetricsRegistry metrics;
    router::Gateway gateway(std::move(made->all), made->aliases, clock, log, metrics);
    gateway.change(*std::move(roster));
    for (const char* writer : {"default", "boxed"}) {
        router::EmbeddingRequest request;
        request.alias = writer;
        request.inputs = {"x"};
        const auto vectors = support::run_task(gateway.embed(request));
        ASSERT_FALSE(vectors);
        EXPECT_EQ(vectors.error().code, base::Code::unsupported) << vectors.error().text();
        EXPECT_THAT(vectors.error().message, HasSubstr("is a chat model"));
    }
    router::ModelRequest chat;
    chat.alias = "embedding";
    chat.messages = {router::Message::make(router::MessageRole::user, "hello")};
    const auto said = support::run_task(gateway.generate(chat));
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, base::Code::unsupported) << said.error().text();
    EXPECT_THAT(said.error().message, HasSubstr("'embedding' is an embedding model"));
    EXPECT_TRUE(server.requests().empty());
    for (const auto& [id, state] : gateway.backends()) EXPECT_FALSE(state.failure) << id;
    EXPECT_TRUE(gateway.capabilities("embedding").embeddings);
    EXPECT_FALSE(gateway.capabilities("default").embeddings);
}

TEST_F(BackendsTest, RefusalsNameTheEmbeddingSetting) {
    const std::string script = file("script.jsonl", R"({"when":"","text":"scripted"})"), model = support::data_dir() / "models/bert_minilm.gguf";
    const auto said = [&](std::map<std::string, std::string> flags) {
        flags["backend.script"] = script;
        return refusal(std::move(flags));
    };
    EXPECT_THAT(said({{"embedding.path", "/no/such.gguf"}}), HasSubstr("/no/such.gguf"));
    EXPECT_THAT(said({{"embedding.path", model}, {"embedding.name", "default"}}), HasSubstr("embedding.name is 'default', which is another model's name"));
    EXPECT_THAT(said({{"embedding.path", model}, {"embedding.name", "hearth"}}), HasSubstr("embedding.name is 'hearth'"));
    EXPECT_THAT(said({{"upstream.embedding_model", "m"}}), HasSubstr("upstream.url is not"));
    EXPECT_THAT(said({{"embedding.path", model}, {"upstream.url", "http://h/v1"}, {"upstream.embedding_model", "m"}}), HasSubstr("cannot be compared"));
    EXPECT_THAT(refusal({{"upstream.url", "http://h/v1"}, {"upstream.embedding_model", "m"}}), HasSubstr("hearth model pull"));  // it does not chat
}

}  // namespace
}  // namespace app
