// Several models in one process: memory is planned in turns, and what one held is there for the next when it is gone.
#include "engine/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/fixtures.h"

namespace engine {
namespace {

using base::Code;
using testing::HasSubstr;
using testing::Key;
using testing::UnorderedElementsAre;

// `tokens`: of the context and of all sequences; 0: as memory allows.
LoadOptions model(const char* name, int tokens = 64) {
    LoadOptions options;
    options.path = support::data_dir() / "models" / name;
    options.threads = 1;
    options.context = tokens;
    options.kv_tokens = std::uint64_t(tokens);
    return options;
}

std::uint64_t planned(const LoadOptions& options) { return Engine::plan(options).value().total; }

TEST(Host, EachModelHoldsWhatItsPlanSays) {
    Host host;
    const auto first = host.load(host.take_turn(), "chat", model("llama_tied.gguf"));
    const auto second = host.load(host.take_turn(), "vectors", model("bert_minilm.gguf"));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(host.held()["chat"], (*first)->memory().total);
    EXPECT_EQ(host.held()["vectors"], (*second)->memory().total);
    EXPECT_TRUE((*second)->info().encoder);
}

TEST(Host, WhatOneHeldIsThereForTheNextWhenItsLastHolderIsGone) {
    const std::uint64_t need = planned(model("llama_tied.gguf"));
    Host host(need + need / 2);
    auto first = host.load(host.take_turn(), "a", model("llama_tied.gguf"));
    ASSERT_TRUE(first) << first.error().text();
    const auto refused = host.load(host.take_turn(), "b", model("llama_tied.gguf"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::resource_exhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("other models hold"));
    EXPECT_THAT(refused.error().message, HasSubstr("a " ));
    EXPECT_THAT(host.held(), UnorderedElementsAre(Key("a")));

    std::shared_ptr<Engine> user = *first;
    first = base::error(Code::unavailable, "let go");
    EXPECT_FALSE(host.load(host.take_turn(), "b", model("llama_tied.gguf"))) << "somebody still works with it";
    user.reset();
    EXPECT_TRUE(host.load(host.take_turn(), "b", model("llama_tied.gguf")));
}

TEST(Host, WhereNothingIsLeftItSaysWhoHoldsIt) {
    const std::uint64_t need = planned(model("llama_tied.gguf"));
    Host host(need);
    const auto first = host.load(host.take_turn(), "large", model("llama_tied.gguf"));
    ASSERT_TRUE(first) << first.error().text();
    const auto refused = host.load(host.take_turn(), "small", model("bert_minilm.gguf"));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), HasSubstr("nothing is left: large "));
}

TEST(Host, OneNameIsLoadedOnce) {
    Host host;
    auto first = host.load(host.take_turn(), "chat", model("llama_tied.gguf"));
    ASSERT_TRUE(first);
    const auto again = host.load(host.take_turn(), "chat", model("llama_tied.gguf"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::conflict);
    EXPECT_THAT(host.held(), UnorderedElementsAre(Key("chat"))) << "what was refused takes nothing from what is there";
}

TEST(Host, WhatCannotBeLoadedHoldsNothingAndKeepsNobodyWaiting) {
    Host host;
    const Host::Turn bad = host.take_turn(), good = host.take_turn();
    base::Result<std::shared_ptr<Engine>> later = base::error(Code::unavailable, "");
    std::thread other([&] { later = host.load(good, "chat", model("llama_tied.gguf")); });
    EXPECT_FALSE(host.load(bad, "none", model("no_such.gguf")));
    other.join();
    ASSERT_TRUE(later) << later.error().text();
    EXPECT_THAT(host.held(), UnorderedElementsAre(Key("chat")));
}

TEST(Host, ATurnThatIsGivenUpKeepsNobodyWaiting) {
    Host host;
    const Host::Turn first = host.take_turn(), second = host.take_turn(), third = host.take_turn();
    host.give_up(second);
    EXPECT_TRUE(host.load(first, "a", model("llama_tied.gguf")));
    EXPECT_TRUE(host.load(third, "b", model("llama_tied.gguf")));
}

TEST(Host, MemoryIsPlannedInTheOrderOfTurns) {
    LoadOptions open = model("llama_tied.gguf", 0);  // takes what is left, up to its context for each sequence
    const std::uint64_t small = planned(model("bert_minilm.gguf")), all = planned(open);
    Host host(small + all - 1);
    const Host::Turn first = host.take_turn(), second = host.take_turn();
    base::Result<std::shared_ptr<Engine>> chat = base::error(Code::unavailable, "");
    std::thread impatient([&] { chat = host.load(second, "chat", open); });
    const auto vectors = host.load(first, "vectors", model("bert_minilm.gguf"));
    impatient.join();
    ASSERT_TRUE(vectors) << vectors.error().text();
    ASSERT_TRUE(chat) << chat.error().text();
    EXPECT_LT((*chat)->memory().total, all) << "it has what the first left";
}

TEST(Host, AModelOutlivesItsHost) {
    std::shared_ptr<Engine> engine;
    {
        Host host;
        engine = host.load(host.take_turn(), "chat", model("llama_tied.gguf")).value();
    }
    EXPECT_FALSE(engine->tokenizer()->encode("once", false).empty());
}

}  // namespace
}  // namespace engine
