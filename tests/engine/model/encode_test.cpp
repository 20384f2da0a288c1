// Hidden states of every layer and the vectors of texts against transformers, on every target of the exact profile.
#include "engine/model/encode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/model/encoder_file.h"
#include "support/fixtures.h"
#include "support/golden_record.h"
#include "support/safetensors.h"

using namespace engine;
using nlohmann::json;

namespace {

class Encoding {
public:
    Encoding(const std::filesystem::path& path, const Ops& ops) : pool_(2) {
        auto file = open_encoder(path);
        if (!file) throw std::runtime_error(file.error().message);
        auto encoder = load_encoder(*std::move(file), ops, pool_, {});
        if (!encoder) throw std::runtime_error(encoder.error().message);
        encoder_ = *std::move(encoder);
        layers_ = std::move(encoder_->layers);
    }

    // Hidden states of all texts behind the first `layers` layers, (n, H).
    std::vector<float> hidden(const std::vector<std::vector<std::int32_t>>& texts, int layers) {
        std::vector<std::int32_t> tokens;
        std::vector<int> lengths;
        for (const auto& text : texts) {
            tokens.insert(tokens.end(), text.begin(), text.end());
            lengths.push_back(int(text.size()));
        }
        encoder_->layers.assign(layers_.begin(), layers_.begin() + layers);
        const int n = int(tokens.size()), h = config().hidden;
        std::vector<std::uint8_t> memory(encode_scratch(config(), n, key_blocks(lengths), pool_.threads()));
        Scratch scratch(memory.data(), memory.size());
        Exec exec{&pool_, &scratch};
        std::vector<float> out(std::size_t(n) * std::size_t(h));
        encode(*encoder_, {tokens.data(), n, lengths}, {out.data(), n, h}, exec);
        EXPECT_EQ(scratch.used(), 0u);
        return out;
    }
    const EncoderConfig& config() const { return encoder_->config; }
    int layers() const { return int(layers_.size()); }

private:
    Pool pool_;
    std::unique_ptr<Encoder> encoder_;
    std::vector<EncoderLayer> layers_;
};

double largest_difference(std::span<const float> a, const std::vector<float>& b) {
    double most = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) most = std::max(most, double(std::abs(a[i] - b[i])));
    return most;
}

void check_golden(const std::filesystem::path& folder, const std::filesystem::path& file, const Target& target) {
    SCOPED_TRACE(file.filename().string() + " on " + target.name);
    const json golden = json::parse(support::read_text(folder / "golden.json"));
    const auto tensors = support::read_safetensors(folder / "golden.safetensors");
    const double tolerance = golden["suggested_tolerance_embedding_fp32"], of_hidden = 5e-5;  // of states of size 1 to 4
    Encoding encoding(file, *target.ops);
    support::GoldenRecord record(folder, file, target.name);
    const int h = encoding.config().hidden;
    std::vector<std::vector<std::int32_t>> texts;
    std::vector<float> vector(std::size_t(h), 0.0f);
    for (const auto& text : golden["texts"]) {
        const std::string number = std::to_string(texts.size()), t = "t" + number + ".hidden_";
        texts.push_back(text["ids"]);
        for (int l = 0; l <= encoding.layers(); ++l)
            EXPECT_LE(largest_difference(encoding.hidden({texts.back()}, l), tensors.at(t + std::to_string(l)).values), of_hidden) << "text " << number << " layer " << l;
        auto states = encoding.hidden({texts.back()}, encoding.layers());
        pool_rows(encoding.config().pooling, encoding.config().normalise, {states.data(), int(texts.back().size()), h}, vector.data());
        EXPECT_LE(record.difference("vectors", largest_difference(vector, tensors.at("embedding_" + number).values), tolerance), tolerance) << "text " << number;
    }
    ASSERT_EQ(texts.size(), 5u);
    // Together: the same bits as alone.
    auto together = encoding.hidden(texts, encoding.layers());
    const auto& batch = tensors.at("embedding_batch").values;
    std::size_t row = 0;
    for (std::size_t i = 0; i < texts.size(); ++i, row += texts[i - 1].size()) {
        const auto alone = encoding.hidden({texts[i]}, encoding.layers());
        EXPECT_EQ(std::vector<float>(together.begin() + std::ptrdiff_t(row) * h, together.begin() + std::ptrdiff_t(row + texts[i].size()) * h), alone) << "text " << i;
        pool_rows(encoding.config().pooling, encoding.config().normalise, {together.data() + row * std::size_t(h), int(texts[i].size()), h}, vector.data());
        EXPECT_LE(largest_difference(vector, {batch.begin() + std::ptrdiff_t(i) * h, batch.begin() + std::ptrdiff_t(i + 1) * h}), tolerance) << "text " << i;
    }
}

}  // namespace

TEST(Encode, TheGoldenCheckpointAgreesOnEveryExactTarget) {
    std::vector<std::filesystem::path> folders = {support::data_dir() / "golden/encoders/xlm_roberta"};
    if (const auto golden = support::golden_dir()) folders.push_back(*golden / "bert_minilm");
    for (const Target& target : targets(true))
        for (const auto& folder : folders)
            for (const auto& file : {folder / "model-f16.gguf", folder})
                if (target.available) check_golden(folder, file, target);
}

TEST(Encode, TextsOfXlmRobertaHaveItsIdsFromBothContainers) {
    const auto folder = support::data_dir() / "golden/encoders/xlm_roberta";
    const json golden = json::parse(support::read_text(folder / "golden.json"));
    for (const auto& path : {folder / "model-f16.gguf", folder}) {
        const auto file = open_encoder(path);
        ASSERT_TRUE(file) << file.error().message;
        EXPECT_EQ((*file)->config.positions, 64);
        const auto tokenizer = text::Tokenizer::create((*file)->vocabulary);
        ASSERT_TRUE(tokenizer) << tokenizer.error().message;
        const text::Vocabulary& v = (*tokenizer)->vocabulary();
        ASSERT_TRUE(v.add_bos && v.add_eos) << path;
        for (const auto& text : golden["texts"]) {
            auto ids = (*tokenizer)->encode(text["text"].get<std::string>(), false);
            ids.insert(ids.begin(), v.bos);
            ids.push_back(v.eos);
            EXPECT_EQ(ids, text["ids"].get<std::vector<text::TokenId>>()) << path << " " << text["text"];
        }
    }
}
