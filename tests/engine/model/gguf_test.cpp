#include "engine/model/gguf.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "support/fixtures.h"
#include "support/gguf_writer.h"
#include "support/safetensors.h"

namespace {

using Writer = support::GgufWriter;

struct GgufTest : testing::Test {
    support::TempDir folder;
    base::Result<std::unique_ptr<engine::Gguf>> open(const Writer& w) {
        const auto path = folder.path() / "m.gguf";
        std::ofstream(path, std::ios::binary) << w.bytes;
        return engine::Gguf::open(path);
    }
};

}  // namespace

TEST_F(GgufTest, ReadsValuesAndTensors) {
    Writer w(2, 2);
    w.text("general.name"), w.u32(8), w.text("tiny");
    w.text("sizes"), w.u32(9), w.u32(4), w.u64(2), w.u32(7), w.u32(9);
    w.tensor("a", 8, 0, 0);
    w.tensor("b", 32, 8, 32);
    w.pad();
    w.bytes.append(32, '\0');   // a: 8 floats
    w.bytes.append(34, '\1');   // b: one Q8_0 block
    auto gguf = open(w);
    ASSERT_TRUE(gguf) << gguf.error().message;
    EXPECT_EQ(**(*gguf)->text("general.name"), "tiny");
    EXPECT_EQ(**(*gguf)->integers("sizes"), (std::vector<std::int64_t>{7, 9}));
    EXPECT_FALSE((*gguf)->integer("general.name"));
    EXPECT_EQ(*(*gguf)->integer("absent"), std::nullopt);
    ASSERT_TRUE((*gguf)->tensor("b"));
    EXPECT_EQ((*gguf)->tensor("b")->data.size(), 34u);
    EXPECT_EQ((*gguf)->tensor("b")->data[0], 1);
}

TEST_F(GgufTest, ErrorsNameFileThingExpectedAndFound) {
    Writer far(1, 0);
    far.tensor("blk.0.attn_q.weight", 32, 8, 64);
    far.pad();
    far.bytes.append(200, '\0');
    EXPECT_EQ(open(far).error().message, (folder.path() / "m.gguf").string() +
                                             ": tensor 'blk.0.attn_q.weight' is at offset 64, expected 0");
    Writer type(1, 0);
    type.tensor("x", 256, 15, 0);
    auto refused = open(type);
    EXPECT_EQ(refused.error().code, base::Code::unsupported);
    EXPECT_NE(refused.error().message.find("type Q8_K (15)"), std::string::npos) << refused.error().message;
}

TEST_F(GgufTest, RowsThatAreNoWholeBlocksAreRefusedByName) {
    for (int f = 0; f < engine::kFormatCount; ++f) {
        const auto& format = engine::info(engine::Format(f));
        if (format.values == 1 || format.ggml_type < 0) continue;
        Writer w(1, 0);
        w.tensor("blk.0.ffn_up.weight", std::uint64_t(format.values) * 3 / 2, std::uint32_t(format.ggml_type), 0);
        w.pad();
        w.bytes.append(1024, '\0');
        const auto refused = open(w);
        ASSERT_FALSE(refused) << format.name;
        EXPECT_EQ(refused.error().message,
                  (folder.path() / "m.gguf").string() + ": tensor 'blk.0.ffn_up.weight' of type " + format.name + " has rows of " +
                      std::to_string(format.values * 3 / 2) + ", expected a multiple of " + std::to_string(format.values));
    }
}

TEST_F(GgufTest, EveryTruncationIsAnError) {
    Writer w(1, 1);
    w.text("k"), w.u32(8), w.text("value");
    w.tensor("a", 8, 0, 0);
    w.pad();
    w.bytes.append(32, '\0');
    ASSERT_TRUE(open(w));
    const std::string whole = w.bytes;
    for (std::size_t n = 0; n < whole.size(); ++n) {
        w.bytes = whole.substr(0, n);
        EXPECT_FALSE(open(w)) << n;
    }
}

TEST(GgufGolden, RowsOfEveryTypeAreBitExact) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    auto gguf = engine::Gguf::open(*golden / "gguf_mixed_types/model.gguf");
    ASSERT_TRUE(gguf) << gguf.error().message;
    int compared = 0;
    const std::string prefix = "deq_first4rows.";
    for (const auto& [name, rows] : support::read_safetensors(*golden / "gguf_mixed_types/golden.safetensors")) {
        if (name.rfind(prefix, 0) != 0) continue;
        const auto* tensor = (*gguf)->tensor(name.substr(prefix.size()));
        ASSERT_TRUE(tensor) << name;
        SCOPED_TRACE(name + " " + engine::info(tensor->format).name);
        std::vector<float> out(rows.values.size());
        engine::dequantise(tensor->format, tensor->data.data(), out.data(), out.size());
        EXPECT_EQ(std::memcmp(out.data(), rows.values.data(), out.size() * sizeof(float)), 0);
        ++compared;
    }
    EXPECT_GE(compared, 15);
}
