// Encoders out of folders: what their files say, and what is refused. The folders are made here: a small model of zeroes.
#include "engine/model/encoder_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "support/fixtures.h"

using namespace engine;
using nlohmann::json;
using testing::HasSubstr;

namespace {

constexpr int kHidden = 8, kInner = 16, kPositions = 12;
const std::vector<std::string> kTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "wor", "##ld", "!"};

struct Folder : testing::Test {
    support::TempDir temporary;
    const std::filesystem::path& path = temporary.path();
    json config = {{"model_type", "bert"}, {"hidden_act", "gelu"}, {"hidden_size", kHidden}, {"intermediate_size", kInner}, {"num_attention_heads", 2},
                   {"num_hidden_layers", 1}, {"vocab_size", kTokens.size()}, {"max_position_embeddings", kPositions}, {"type_vocab_size", 2}, {"layer_norm_eps", 1e-12}};
    json modules = json::array({{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}}, {{"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}}});
    json pooling = {{"word_embedding_dimension", kHidden}, {"pooling_mode_cls_token", true}, {"pooling_mode_mean_tokens", false}};
    std::string prefix, dtype = "F32", extra;

    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary) << text;
    }

    // Every value is 0 but those of the words, which count up.
    std::string tensors() const {
        json header;
        std::string data;
        const auto add = [&](const std::string& name, std::vector<int> shape) {
            std::size_t values = 1;
            for (const int n : shape) values *= std::size_t(n);
            const std::size_t begin = data.size();
            for (std::size_t i = 0; i < values; ++i) {
                const float value = name.find("word_embeddings") == name.npos ? 0.0f : float(i);
                data.append(reinterpret_cast<const char*>(&value), dtype == "F32" ? 4 : 2);
            }
            header[prefix + name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
        };
        const auto dense = [&](const std::string& name, int rows, int cols) { add(name + ".weight", {rows, cols}), add(name + ".bias", {rows}); };
        const auto norm = [&](const std::string& name) { add(name + ".weight", {kHidden}), add(name + ".bias", {kHidden}); };
        add("embeddings.word_embeddings.weight", {int(kTokens.size()), kHidden});
        add("embeddings.position_embeddings.weight", {kPositions, kHidden});
        add("embeddings.token_type_embeddings.weight", {2, kHidden});
        norm("embeddings.LayerNorm");
        const std::string layer = "encoder.layer.0.";
        for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}) dense(layer + name, kHidden, kHidden);
        norm(layer + "attention.output.LayerNorm");
        dense(layer + "intermediate.dense", kInner, kHidden);
        dense(layer + "output.dense", kHidden, kInner);
        norm(layer + "output.LayerNorm");
        if (!extra.empty()) add(extra, {1});
        const std::string text = header.dump();
        const std::uint64_t size = text.size();
        return std::string(reinterpret_cast<const char*>(&size), 8) + text + data;
    }

    base::Result<std::unique_ptr<EncoderFile>> open() const {
        write("config.json", config.dump());
        if (!modules.is_null()) write("modules.json", modules.dump());
        write("1_Pooling/config.json", pooling.dump());
        write("model.safetensors", tensors());
        std::string list;
        for (const auto& token : kTokens) list += token + "\n";
        write("vocab.txt", list);
        return open_encoder(path);
    }
    std::string refusal() const {
        const auto file = open();
        return file ? "" : file.error().message;
    }
};

}  // namespace

TEST_F(Folder, SaysWhatItsFilesSay) {
    EXPECT_FALSE(is_encoder(path));
    write("sentence_bert_config.json", R"({"max_seq_length": 10, "do_lower_case": false})");
    const auto file = open();
    ASSERT_TRUE(file) << file.error().text();
    EXPECT_TRUE(is_encoder(path));
    const EncoderConfig& c = (*file)->config;
    EXPECT_EQ(c.hidden, kHidden);
    EXPECT_EQ(c.positions, kPositions);
    EXPECT_EQ(c.context, 10);
    EXPECT_EQ(c.pooling, Pooling::cls);
    EXPECT_FALSE(c.normalise);
    EXPECT_EQ((*file)->find("blk.0.ffn_up.weight")->shape, (std::vector<std::uint64_t>{kInner, kHidden}));
    EXPECT_EQ((*file)->find("token_embd.weight")->shape, (std::vector<std::uint64_t>{kTokens.size(), kHidden}));
    EXPECT_FALSE((*file)->find("blk.1.ffn_up.weight"));
}

TEST_F(Folder, AListOfWordsIsATokenizer) {
    const auto file = open();
    ASSERT_TRUE(file) << file.error().text();
    const auto tokenizer = text::Tokenizer::create((*file)->vocabulary);
    ASSERT_TRUE(tokenizer);
    EXPECT_EQ((*tokenizer)->encode("Hello, WORLD!", false), (std::vector<text::TokenId>{5, 1, 6, 7, 8}));
    const text::Vocabulary& v = (*tokenizer)->vocabulary();
    EXPECT_TRUE(v.add_bos && v.add_eos);
    EXPECT_EQ(v.bos, 2);
    EXPECT_EQ(v.eos, 3);
    write("tokenizer_config.json", R"({"do_lower_case": false})");
    const auto cased = text::Tokenizer::create((*open())->vocabulary);
    EXPECT_EQ((*cased)->encode("Hello hello", false), (std::vector<text::TokenId>{1, 5}));
}

// A reader of a pipe that nobody writes to waits for ever.
TEST_F(Folder, WhatIsNoRegularFileIsRefusedByName) {
    for (const char* name : {"config.json", "modules.json", "1_Pooling/config.json", "tokenizer_config.json", "sentence_bert_config.json", "vocab.txt", "tokenizer.json"}) {
        SCOPED_TRACE(name);
        ASSERT_TRUE(open());
        std::filesystem::remove(path / name);
        ASSERT_EQ(mkfifo((path / name).c_str(), 0600), 0);
        EXPECT_EQ(is_encoder(path), std::string_view(name) != "config.json");
        const auto file = open_encoder(path);
        ASSERT_FALSE(file);
        EXPECT_THAT(file.error().message, HasSubstr((path / name).string() + " is not a regular file"));
        const auto model = Engine::plan({.path = path, .profile = Profile::exact, .threads = 1});
        ASSERT_FALSE(model);
        EXPECT_THAT(model.error().message, HasSubstr((path / name).string() + " is not a regular file"));
        std::filesystem::remove(path / name);
    }
}

TEST_F(Folder, EveryWayOfPoolingIsRead) {
    const std::pair<json, Pooling> ways[] = {{{{"pooling_mode_mean_tokens", true}}, Pooling::mean},
                                             {{{"pooling_mode_max_tokens", true}, {"pooling_mode_mean_tokens", false}}, Pooling::max},
                                             {{{"pooling_mode_lasttoken", true}}, Pooling::last},
                                             {{{"pooling_mode", "cls"}}, Pooling::cls},
                                             {json::object(), Pooling::mean}};
    for (const auto& [said, way] : ways) {
        pooling = said;
        const auto file = open();
        ASSERT_TRUE(file) << said << file.error().text();
        EXPECT_EQ((*file)->config.pooling, way) << said;
    }
    pooling = {{"pooling_mode_mean_sqrt_len_tokens", true}};
    EXPECT_THAT(refusal(), HasSubstr("'pooling_mode_mean_sqrt_len_tokens' is true; this engine knows cls, mean, max and lasttoken"));
    pooling = {{"pooling_mode_mean_tokens", true}, {"pooling_mode_cls_token", true}};
    EXPECT_THAT(refusal(), HasSubstr("one way of pooling, and 'cls' is another"));
}

TEST_F(Folder, NormalisesWhereModulesSaySo) {
    modules.push_back({{"path", "2_Normalize"}, {"type", "sentence_transformers.models.Normalize"}});
    EXPECT_TRUE((*open())->config.normalise);
    modules.push_back({{"path", "3_Dense"}, {"type", "sentence_transformers.models.Dense"}});
    EXPECT_THAT(refusal(), HasSubstr("key '[3].type' is \"sentence_transformers.models.Dense\"; this engine knows Transformer, Pooling and Normalize"));
}

TEST_F(Folder, ABareModelPoolsByTheMean) {
    modules = nullptr;
    const auto file = open();
    ASSERT_TRUE(file) << file.error().text();
    EXPECT_EQ((*file)->config.pooling, Pooling::mean);
    EXPECT_FALSE((*file)->config.normalise);
}

TEST_F(Folder, ACheckpointWithAHeadHasAPrefix) {
    prefix = "bert.";
    const auto file = open();
    ASSERT_TRUE(file) << file.error().text();
    EXPECT_TRUE(measure_encoder(**file, ref_ops()));
}

TEST_F(Folder, WhatIsNotComputedIsRefused) {
    const struct {
        json change;
        const char* says;
    } cases[] = {{{{"hidden_act", "relu"}}, "key 'hidden_act' is \"relu\"; this engine knows \"gelu\" only"},
                 {{{"position_embedding_type", "relative_key"}}, "position_embedding_type"},
                 {{{"is_decoder", true}}, "is_decoder"},
                 {{{"num_attention_heads", 3}}, "expected a divisor of hidden_size 8"},
                 {{{"num_hidden_layers", 0}}, "num_hidden_layers"},
                 {{{"vocab_size", 5}}, "has a tokenizer of 9 tokens but embeddings of only 5"}};
    const json whole = config;
    for (const auto& c : cases) {
        config = whole;
        config.update(c.change);
        EXPECT_THAT(refusal(), HasSubstr(c.says));
    }
    config = whole;
    write("config_sentence_transformers.json", R"({"default_prompt_name": "query"})");
    EXPECT_THAT(refusal(), HasSubstr("default_prompt_name"));
    write("config_sentence_transformers.json", R"({"default_prompt_name": null})");
    dtype = "I16";
    EXPECT_THAT(refusal(), HasSubstr("is I16; this engine runs encoders of F32, F16 and BF16"));
}

TEST_F(Folder, AClassThatScoresIsRefusedWhereNothingListsWhatItIsFor) {
    config["architectures"] = {"BertForSequenceClassification"};
    EXPECT_EQ(refusal(), "");
    modules = nullptr;
    std::filesystem::remove(path / "modules.json");
    EXPECT_THAT(refusal(), HasSubstr("config.json: key 'architectures' says BertForSequenceClassification"));
    config["architectures"] = {"BertForMaskedLM"};
    EXPECT_EQ(refusal(), "");
}

TEST_F(Folder, ATensorOfAnotherShapeIsNamed) {
    config["intermediate_size"] = 24;
    const auto file = open();
    ASSERT_TRUE(file);
    const auto size = measure_encoder(**file, ref_ops());
    ASSERT_FALSE(size);
    EXPECT_THAT(size.error().message, HasSubstr("tensor 'blk.0.ffn_up.weight' has shape [16, 8], expected [24, 8]"));
    config["num_hidden_layers"] = 2;
    config["intermediate_size"] = kInner;
    EXPECT_THAT(measure_encoder(**open(), ref_ops()).error().message, HasSubstr("tensor 'blk.1.attn_q.weight' is missing"));
}

TEST_F(Folder, ALayerThatNothingCountsIsRefused) {
    for (const char* before : {"", "bert."}) {
        prefix = before;
        extra = "encoder.layer.1.output.dense.bias";
        EXPECT_THAT(refusal(), testing::AllOf(HasSubstr(prefix + extra), HasSubstr("the file holds 2")));
    }
}

TEST_F(Folder, ATensorThatNothingUsesIsRefused) {
    const auto said = [&](const char* name) {
        extra = name;
        const auto file = open();
        if (!file) return file.error().message;
        const auto size = measure_encoder(**file, ref_ops());
        return size ? "" : size.error().message;
    };
    for (const char* before : {"", "bert."}) {
        prefix = before;
        for (const char* name : {"encoder.layer.0.attention.self.query_norm.weight", "encoder.layer.0.output.dense.weight_scale", "embeddings.other.weight", "encoder.relative_attention_bias.weight"})
            EXPECT_THAT(said(name), HasSubstr("tensor '" + prefix + name + "' is used by nothing"));
        for (const char* name : {"pooler.dense.bias", "embeddings.position_ids", "cls.predictions.bias"}) EXPECT_EQ(said(name), "") << name;
    }
}

TEST_F(Folder, AFileThatIsNoJsonIsNamed) {
    ASSERT_TRUE(open());
    write("1_Pooling/config.json", "{");
    const auto file = open_encoder(path);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, base::Code::corrupt);
    EXPECT_THAT(file.error().message, HasSubstr("1_Pooling/config.json"));
    std::filesystem::remove(path / "vocab.txt");
    write("1_Pooling/config.json", "{}");
    EXPECT_THAT(open_encoder(path).error().message, HasSubstr("has neither tokenizer.json nor vocab.txt"));
}

TEST_F(Folder, AnEngineOfItEmbeds) {
    ASSERT_TRUE(open());
    const auto engine = Engine::load({.path = path, .threads = 1});
    ASSERT_TRUE(engine) << engine.error().text();
    EXPECT_EQ((*engine)->info().format, "F32");
    EXPECT_EQ((*engine)->info().pooling, "cls");
    const auto vectors = (*engine)->embed({.inputs = {"hello world!"}});
    ASSERT_TRUE(vectors) << vectors.error().text();
    EXPECT_EQ(vectors->width, kHidden);
    EXPECT_EQ(vectors->tokens, 6);
}
