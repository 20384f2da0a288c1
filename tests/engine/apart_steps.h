// Steps of a model that meet all that a runner does with a device's memory.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/runner.h"
#include "support/fixtures.h"

namespace engine::apart {

// A decoder of each kind: dense and of experts, with windows, sinks, latent keys, recurrent layers, embeddings of their own for each
// layer, integers in the checkpoint. The golden ones where they are.
inline std::vector<std::filesystem::path> checkpoints() {
    std::vector<std::filesystem::path> out{support::data_dir() / "golden/minimax_m2", support::data_dir() / "golden/olmo2"};
    if (const auto golden = support::golden_dir())
        for (const char* name : {"llama_tied", "gpt_oss_mxfp4", "deepseek_v3", "gemma4_moe", "gemma4_ple_shared", "qwen3_next", "lfm2", "granitemoehybrid", "q_qwen3_gptq_desc_act"}) out.push_back(*golden / name);
    return out;
}

// Two sequences' prompts, a token each, and one of them again from what was kept of it elsewhere.
inline std::vector<float> logits_of(const std::filesystem::path& file, const Ops& ops, KvFormat kv) {
    auto pool = std::make_shared<Pool>(2);
    auto opened = ModelFile::open(file);
    auto config = (*opened)->config();
    auto model = load_model(*std::move(opened), *config, ops, *pool, {});
    EXPECT_TRUE(model) << model.error().message;
    auto runner = Runner::create(*std::move(model), pool, {.rows = 64, .sequences = 2, .blocks = 8, .kv = kv, .kept_states = 1, .drafts = 1});
    EXPECT_TRUE(runner) << runner.error().message;
    Runner& r = **runner;
    std::vector<float> out;
    const auto keep = [&](int n) {
        for (int i = 0; i < n; ++i) out.insert(out.end(), r.logits(i).begin(), r.logits(i).end());
    };
    std::vector<std::int32_t> text;
    for (int i = 0; i < 40; ++i) text.push_back((i * 37 + 5) % config->vocabulary);
    const std::int32_t first[] = {5, 2}, second[] = {0, 7}, again[] = {3, 4};
    const Runner::Part prompts[] = {{text.data(), kKvBlock + 2, 0, first, 1, 0}, {text.data() + 3, 3, 0, second, 2, 1}};
    r.step(prompts);
    keep(3);
    const bool recurrent = r.state_bytes() > 0;
    if (recurrent) r.keep_state(0, 0);
    std::string whole, part;
    r.copy_out(first[0], kKvBlock, whole);
    r.copy_out(first[1], 2, part);
    const Runner::Part tokens[] = {{text.data() + kKvBlock + 2, 1, kKvBlock + 2, first, 1, 0}, {text.data() + 6, 1, 3, second, 1, 1}};
    r.step(tokens);
    keep(2);
    r.put_in(again[0], kKvBlock, whole);
    r.put_in(again[1], 2, part);
    if (recurrent) {
        r.set_kept_state(0, r.kept_state(0));
        r.resume_state(0, 1);
    }
    const Runner::Part known{text.data() + kKvBlock + 2, 1, kKvBlock + 2, again, 1, 1};
    r.step({&known, 1});
    keep(1);
    const auto rows = r.all_rows(Runner::Of::logits, std::span(text).first(4), second);
    out.insert(out.end(), rows.begin(), rows.end());
    return out;
}

}  // namespace engine::apart
