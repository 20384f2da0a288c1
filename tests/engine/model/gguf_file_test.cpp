// What a GGUF says of itself, held against what it has: what is no model, or contradicts itself, is refused by name.
#include "engine/model/gguf_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "engine/examine.h"
#include "support/fixtures.h"
#include "support/gguf_copy.h"

using namespace engine;
using support::GgufCopy;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

LoadOptions options_of(const fs::path& path) { return {.path = path, .profile = Profile::exact, .threads = 1, .max_sequences = 1}; }

GgufCopy of(const char* model) { return GgufCopy(support::data_dir() / "models" / model); }

class GgufFileTest : public testing::Test {
protected:
    Examination told(const GgufCopy& copy) const {
        copy.write(path_);
        return examine(options_of(path_));
    }
    // What a plan of it says; "" where it would load.
    std::string refusal(const GgufCopy& copy) const {
        copy.write(path_);
        const auto plan = Engine::plan(options_of(path_));
        return plan ? "" : plan.error().text();
    }
    support::TempDir folder_;
    fs::path path_ = folder_.path() / "m.gguf";
};

}  // namespace

TEST_F(GgufFileTest, IsWrittenAnewWithoutChange) {
    for (const char* model : {"llama_tied.gguf", "qwen3_moe.gguf", "bert_minilm.gguf"}) EXPECT_EQ(refusal(of(model)), "") << model;
}

TEST_F(GgufFileTest, WhatIsNoModelIsRefusedByWhatItIs) {
    const struct {
        const char *key, *value, *what, *remedy;
    } kCases[] = {
        {"general.type", "adapter", "an adapter", "merged"},
        {"general.architecture", "controlvector", "an adapter", "merged"},
        {"general.type", "mmproj", "a projector", "beside it"},
        {"general.type", "projector", "a projector", "beside it"},
        {"general.architecture", "clip", "a projector", "beside it"},
        {"general.type", "imatrix", "an importance matrix", "quantised by it"},
        {"general.type", "vocab", "is no model", "general.type is 'model'"},
    };
    for (const char* model : {"llama_tied.gguf", "bert_minilm.gguf"})
        for (const auto& [key, value, what, remedy] : kCases) {
            SCOPED_TRACE(std::string(model) + ": " + value);
            GgufCopy copy = of(model);
            copy.set(key, std::string(value));
            EXPECT_THAT(refusal(copy), AllOf(HasSubstr("m.gguf: is "), HasSubstr(what), HasSubstr("(key '" + std::string(key) + "' is '" + value + "')"), HasSubstr(remedy)));
            const Examination e = told(copy);
            ASSERT_TRUE(e.refused);
            EXPECT_THAT(e.refused->message, HasSubstr(what));
            EXPECT_EQ(e.file.container, "GGUF version 3");
        }
    GgufCopy unsaid = of("llama_tied.gguf");
    ASSERT_EQ(unsaid.keys.erase("general.type"), 1u);
    EXPECT_EQ(refusal(unsaid), "");
}

TEST_F(GgufFileTest, AFileTypeThatTheTensorsAreNotIsToldAsThat) {
    constexpr std::uint32_t kF16 = 1, kQ4KM = 15, kUnknown = 1025;
    GgufCopy copy = of("llama_tied.gguf");
    const auto told_of = [&](std::uint32_t type) {
        copy.set("general.file_type", type);
        const Examination e = told(copy);
        std::string notes;
        for (const std::string& note : e.notes) notes += note + "\n";
        return std::pair(e.info->format, notes);
    };
    EXPECT_THAT(told_of(kF16), testing::Pair("F16", testing::Not(HasSubstr("file_type"))));
    EXPECT_THAT(told_of(kQ4KM), testing::Pair("F16", AllOf(HasSubstr("'general.file_type' says Q4_K_M (15)"), HasSubstr("more weights of its layers are F16 than anything else"))));
    EXPECT_THAT(told_of(kUnknown), testing::Pair("F16", testing::Not(HasSubstr("file_type"))));
    // Rows that are no multiple of 256 are Q5_0 in a Q4_K_M.
    constexpr std::uint32_t kQ5_0 = 6;
    constexpr std::size_t kBlock = 32, kBytes = 22;
    for (auto& [name, tensor] : copy.tensors)
        if (name.starts_with("blk.") && tensor.dims.size() > 1) {
            std::size_t values = 1;
            for (const std::uint64_t dim : tensor.dims) values *= dim;
            tensor.type = kQ5_0, tensor.data = std::string(values / kBlock * kBytes, '\0');
        }
    EXPECT_THAT(told_of(kQ4KM), testing::Pair("Q4_K_M", testing::Not(HasSubstr("file_type"))));
    EXPECT_THAT(told_of(kF16), testing::Pair("Q5_0", HasSubstr("says F16 (1), but more weights of its layers are Q5_0")));
}

TEST_F(GgufFileTest, APreTokenizerIsToldOfBytePairsOnly) {
    for (const auto& [model, kind, said] : {std::tuple{"bert_minilm.gguf", "WordPiece", "bert"}, {"qwen3_moe.gguf", "byte-level BPE, qwen2", "gpt2 (qwen2)"}}) {
        SCOPED_TRACE(model);
        GgufCopy copy = of(model);
        copy.set("tokenizer.ggml.pre", std::string("qwen2"));
        const Examination e = told(copy);
        ASSERT_TRUE(e.tokens);
        EXPECT_EQ(e.tokens->kind, kind);
        EXPECT_EQ(e.file.tokenizer, said);
    }
}

TEST_F(GgufFileTest, AHeadForDraftingAmongTheLayersIsRefusedAndToldAsThat) {
    const auto drafting = [](const Examination& e) {
        std::uint64_t out = 0;
        for (const TensorShare& share : e.file.tensors) out += share.kind == "drafting" ? share.tensors : 0;
        return out;
    };
    GgufCopy copy = of("qwen3_moe.gguf");
    const Examination whole = told(copy);
    const std::string last = "blk." + std::to_string(whole.info->layers - 1) + ".";
    const auto of_last = [&](const auto& tensor) { return tensor.first.starts_with(last); };
    copy.copy(last + "attn_q.weight", last + "nextn.eh_proj.weight");
    const Examination e = told(copy);
    ASSERT_TRUE(e.refused);
    EXPECT_THAT(e.refused->message, AllOf(HasSubstr("'" + last + "nextn.eh_proj.weight' is of a head for drafting"), HasSubstr("'qwen3moe.nextn_predict_layers' does not count it")));
    EXPECT_EQ(drafting(e), std::uint64_t(std::ranges::count_if(copy.tensors, of_last)));
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"qwen3_next", "qwen3_5", "qwen3_5_moe"}) {
        SCOPED_TRACE(name);
        GgufCopy published(*golden / name / "model-f16.gguf");
        const Examination before = told(published);
        ASSERT_FALSE(before.refused) << before.refused->message;
        for (auto& [key, value] : published.keys)
            if (key.ends_with("nextn_predict_layers")) published.set(key, 0u);
        EXPECT_THAT(refusal(published), AllOf(HasSubstr(".nextn."), HasSubstr("is of a head for drafting")));
        EXPECT_EQ(drafting(told(published)), drafting(before));
        // Without the head's own tensors nothing but the key says that the block is one.
        for (auto& [key, value] : published.keys)
            if (key.ends_with("nextn_predict_layers")) published.set(key, 1u);
        std::erase_if(published.tensors, [](const auto& tensor) { return tensor.first.find(".nextn.") != std::string::npos; });
        EXPECT_THAT(refusal(published), AllOf(HasSubstr("nextn_predict_layers' counts as a head for drafting"), HasSubstr("none of the block's tensors")));
    }
}

TEST_F(GgufFileTest, WhatNoLayerHasIsRefusedByItsKey) {
    constexpr std::uint32_t kWindow = 16, kLong = 1 << 20, kExperts = 8, kUsed = 2;
    GgufCopy windowed = of("qwen3_moe.gguf");
    windowed.set("qwen3moe.attention.sliding_window", kWindow);
    EXPECT_THAT(refusal(windowed), AllOf(HasSubstr("key 'qwen3moe.attention.sliding_window' is 16"), HasSubstr("not followed"), HasSubstr("folder of safetensors")));
    windowed.set("qwen3moe.attention.sliding_window", kLong);
    EXPECT_EQ(refusal(windowed), "") << "longer than any text";
    GgufCopy llama = of("llama_tied.gguf");
    llama.set("llama.attention.sliding_window", kWindow);
    EXPECT_EQ(refusal(llama), "") << "which is told";
    GgufCopy dense = of("llama_tied.gguf");
    dense.set("llama.expert_count", kExperts), dense.set("llama.expert_used_count", kUsed);
    EXPECT_THAT(refusal(dense), AllOf(HasSubstr("key 'llama.expert_count' is 8"), HasSubstr("no layer has experts")));
}

TEST_F(GgufFileTest, ARerankerIsRefusedByName) {
    constexpr std::uint32_t kLast = 3, kRank = 4;
    GgufCopy copy = of("qwen3_moe.gguf");
    copy.set("qwen3moe.pooling_type", kLast);
    EXPECT_EQ(refusal(copy), "");
    copy.set("qwen3moe.pooling_type", kRank);
    EXPECT_THAT(refusal(copy), AllOf(HasSubstr("'qwen3moe.pooling_type' is 4"), HasSubstr("ranks texts")));
}

TEST_F(GgufFileTest, PartsForImagesAndSoundsAreToldAndNotCounted) {
    GgufCopy copy = of("llama_tied.gguf");
    const Examination before = told(copy);
    for (const char* name : {"v.patch_embd.weight", "v.blk.0.attn_q.weight", "mm.0.weight", "a.position_embd.weight"}) copy.copy("blk.0.attn_q.weight", name);
    const Examination e = told(copy);
    ASSERT_FALSE(e.refused) << e.refused->message;
    EXPECT_EQ(e.info->parameters, before.info->parameters);
    EXPECT_EQ(e.info->weight_bytes_per_token, before.info->weight_bytes_per_token);
    EXPECT_THAT(e.notes, AllOf(testing::Contains(HasSubstr("a part for vision (3 tensors")), testing::Contains(HasSubstr("a part for audio (1 tensor"))));
}
