// Operations that fail at the start, or are switched off, are computed by ref, and the report says why.
#include "engine/op_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/engine.h"
#include "engine/target_choice.h"
#include "support/fixtures.h"

using namespace engine;
using testing::HasSubstr;

namespace {

void nothing(Mat, Mat, const float*, float, Exec&) {}
void not_numbers(const MatmulJob* jobs, int n, Mat, Exec&) {
    for (int i = 0; i < n; ++i) std::fill_n(jobs[i].out.data, std::size_t(jobs[i].out.rows) * jobs[i].out.cols, NAN);
}
void thrown(const AttentionArgs&, Exec&) { throw std::logic_error("no such instruction"); }

std::vector<TokenId> said(const LoadOptions& options) {
    auto engine = Engine::load(options);
    if (!engine) throw std::runtime_error(engine.error().text());
    Request request;
    request.prompt = {{.tokens = {1, 5, 9, 12}}};
    request.max_tokens = 24;
    request.ignore_eos = true;
    auto session = *(*engine)->start(std::move(request));
    std::vector<TokenId> out;
    while (auto event = session->next())
        if (event->id >= 0) out.push_back(event->id);
    return out;
}

}  // namespace

TEST(OpCheck, EveryTargetPasses) {
    Pool pool(2);
    for (const bool exact : {false, true})
        for (const Target& target : targets(exact))
            for (const FailedOp& one : target.available ? failed_ops(*target.ops, exact, pool) : std::vector<FailedOp>()) ADD_FAILURE() << target.name << ": " << one.name << ": " << one.reason;
}

TEST(OpCheck, WhatIsWrongIsFoundAndNothingElse) {
    Pool pool(1);
    Ops ops = ref_ops();
    ops.rms_norm = nothing;
    ops.matmul = not_numbers;
    ops.attention = thrown;
    const auto failed = failed_ops(ops, true, pool);
    ASSERT_EQ(failed.size(), 3u);
    EXPECT_EQ(failed[0].name, "matmul");
    EXPECT_THAT(failed[0].reason, HasSubstr("was off by nan"));
    EXPECT_EQ(failed[1].name, "attention");
    EXPECT_THAT(failed[1].reason, HasSubstr("no such instruction"));
    EXPECT_EQ(failed[2].name, "rms_norm");
    for (const FailedOp& one : failed) EXPECT_TRUE(leave_to_ref(ops, one.name));
    EXPECT_TRUE(failed_ops(ops, true, pool).empty());
    EXPECT_FALSE(leave_to_ref(ops, "nonsense"));
}

TEST(OpCheck, SwitchedOffOperationsAreComputedByRef) {
    const auto best = choose_target({.profile = Profile::exact});
    ASSERT_TRUE(best);
    if (best->name == "ref") GTEST_SKIP() << "this processor has ref alone";
    LoadOptions options{.path = support::data_dir() / "models" / "qwen3_moe.gguf", .profile = Profile::exact, .threads = 2};
    const auto plain = said(options);
    options.plain_ops = switchable_ops();
    EXPECT_EQ(said(options), plain);
    auto engine = Engine::load(options);
    ASSERT_TRUE(engine);
    for (const TargetChoice& one : (*engine)->targets())
        if (one.op == "matmul" || one.op == "moe_ffn" || one.op == "attention") {
            EXPECT_EQ(one.target, "ref") << one.op;
            EXPECT_EQ(one.reason, "switched off") << one.op;
        }
    options.plain_ops = {"attention", "nonsense"};
    const auto refused = Engine::load(options);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), HasSubstr("'nonsense'"));
    EXPECT_THAT(refused.error().text(), HasSubstr("known are matmul, attention"));
}
