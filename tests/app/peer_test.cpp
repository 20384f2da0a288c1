#include "app/peer.h"

#include <gtest/gtest.h>

namespace app {
namespace {

TEST(Peer, IsANameAProgramAndItsFlags) {
    const auto peer = read_peer("ik=/opt/ik/llama-bench -rtr 1  -fmoe 1");
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->name, "ik");
    EXPECT_EQ(peer->program, "/opt/ik/llama-bench");
    EXPECT_EQ(peer->flags, (std::vector<std::string>{"-rtr", "1", "-fmoe", "1"}));
    for (const char* wrong : {"", "/opt/llama-bench", "=x", "name=", "name=  "}) {
        const auto refused = read_peer(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_NE(refused.error().text().find("NAME=PROGRAM"), std::string::npos);
    }
}

// As llama-bench prints them, without the fields that are not read.
TEST(Peer, SpeedsAreThoseOfPromptAndOutput) {
    const auto speeds = speeds_of(R"([{"n_prompt": 512, "n_gen": 0, "avg_ts": 171.5}, {"n_prompt": 0, "n_gen": 128, "avg_ts": 49.25}])");
    ASSERT_TRUE(speeds);
    EXPECT_EQ(speeds->prefill, 171.5);
    EXPECT_EQ(speeds->decode, 49.25);
    for (const char* wrong : {"", "[]", "{}", "[1]", "error", R"([{"n_prompt": 512, "n_gen": 0, "avg_ts": 171.5}])", R"([{"n_prompt": 512, "n_gen": 128, "avg_ts": 171.5}])"})
        EXPECT_FALSE(speeds_of(wrong)) << wrong;
}

TEST(Peer, StreamsAreTheirTokensTogether) {
    const auto speed = streams_of("main: n_kv_max = 640\n\n|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |\n"
                                  "|-------|--------|------|--------|----------|----------|----------|----------|----------|----------|\n"
                                  "|    16 |     64 |    8 |    640 |    0.741 |   172.74 |    6.172 |    82.95 |    6.913 |    92.58 |\n");
    ASSERT_TRUE(speed);
    EXPECT_EQ(*speed, 82.95);
    EXPECT_FALSE(streams_of("| no | row |\n"));
}

TEST(Peer, WhatCannotRunIsNamed) {
    const BenchTask task{.file = "model.gguf"};
    const auto missing = run_peer({"x", "/nowhere/llama-bench", {}}, task);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("/nowhere/llama-bench"), std::string::npos);
    const auto failing = run_peer({"x", "/bin/false", {}}, task);
    ASSERT_FALSE(failing);
    EXPECT_NE(failing.error().message.find("ended with status 1"), std::string::npos);
    EXPECT_FALSE(run_peer({"x", "/bin/echo", {}}, task));  // prints, but no figures
}

}  // namespace
}  // namespace app
