#include "engine/model/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numeric>

#include "support/fixtures.h"

namespace {

using engine::Safetensors;

std::string file_of(const std::string& header, std::size_t data) {
    const std::uint64_t length = header.size();
    std::string out(reinterpret_cast<const char*>(&length), 8);
    out += header;
    for (std::size_t i = 0; i < data; ++i) out += char(i);
    return out;
}

const std::string kValid = file_of(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[8,20]},)"
                                   R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"e":{"dtype":"I64","shape":[0],"data_offsets":[20,20]}})",
                                   20);

struct SafetensorsTest : testing::Test {
    support::TempDir folder;

    std::filesystem::path write(const std::string& name, const std::string& bytes) {
        const auto path = folder.path() / name;
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }
    std::string refusal(const std::string& header, std::size_t data) {
        const auto path = write("m.safetensors", file_of(header, data));
        const auto file = Safetensors::open(path);
        if (file) return "accepted";
        EXPECT_EQ(file.error().message.rfind(path.string() + ": ", 0), 0u) << file.error().message;
        EXPECT_FALSE(file.error().remedy.empty());
        return file.error().message.substr(path.string().size() + 2);
    }
};

// What a caller does with a file; under AddressSanitizer a span beyond the bytes shows.
std::size_t touch(std::span<const std::uint8_t> bytes) {
    const auto tensors = engine::read_safetensors_header(bytes, "m");
    if (!tensors) return 0;
    std::size_t sum = 1;
    for (const auto& tensor : *tensors) sum += std::accumulate(tensor.data.begin(), tensor.data.end(), std::size_t(tensor.shape.size()));
    return sum;
}

std::size_t touch(const std::string& bytes) {  // on the heap, exactly as long
    const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    return touch(std::span(copy));
}

}  // namespace

TEST_F(SafetensorsTest, ReadsTensors) {
    const auto file = Safetensors::open(write("model.safetensors", kValid));
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_EQ((*file)->tensors().size(), 3u);
    const auto* b = (*file)->tensor("b");
    ASSERT_TRUE(b);
    EXPECT_EQ(b->dtype, engine::Dtype::bf16);
    EXPECT_EQ(b->shape, (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(b->data.size(), 12u);
    EXPECT_EQ(b->data[0], 8);
    EXPECT_EQ((*file)->tensor("e")->data.size(), 0u);
    EXPECT_FALSE((*file)->tensor("c"));
    EXPECT_TRUE(Safetensors::open(folder.path()));  // which holds it
}

TEST_F(SafetensorsTest, AHeaderMayHaveAnyLength) {
    for (const std::size_t length : {640u, 8508u}) {  // 0x280 and 0x213C: as a pickle and a web page begin
        std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
        header.resize(length, ' ');
        EXPECT_EQ(refusal(header, 8), "accepted");
    }
    std::ofstream(folder.path() / "pickle.safetensors", std::ios::binary) << "\x80\x02}q\x01(X\x04";
    EXPECT_NE(Safetensors::open(folder.path() / "pickle.safetensors").error().message.find("a Python pickle"), std::string::npos);
}

TEST_F(SafetensorsTest, ErrorsNameTensorExpectedAndFound) {
    const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return "{\"w\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
    };
    EXPECT_EQ(refusal(one("\"F32\"", "[2]", "[0,4]"), 4), "tensor 'w' of F32 [2] has data_offsets [0, 4], expected 8 bytes");
    EXPECT_EQ(refusal(one("\"F32\"", "[2]", "[8,0]"), 8), "tensor 'w' begins at offset 8, expected 0");
    EXPECT_EQ(refusal(one("\"F32\"", "[2]", "[0,8]"), 4), "tensor 'w' ends at offset 8, the file has 4 bytes of data");
    EXPECT_EQ(refusal(one("\"F32\"", "[2]", "[0,8]"), 9), "has 9 bytes of data, its tensors take 8");
    EXPECT_EQ(refusal(one("\"F4\"", "[2]", "[0,1]"), 1), "tensor 'w' has dtype 'F4', which this engine does not read");
    EXPECT_EQ(refusal(one("7", "[2]", "[0,1]"), 1), "tensor 'w' has dtype 7, expected a string");
    EXPECT_EQ(refusal(one("\"F32\"", "[-2]", "[0,8]"), 8), "tensor 'w' has shape -2, expected an array of integers from 0");
    EXPECT_EQ(refusal(one("\"F32\"", "[4294967296,4294967296]", "[0,8]"), 8),
              "tensor 'w' has a shape whose size overflows: [4294967296, 4294967296]");
    EXPECT_EQ(refusal(one("\"F32\"", "[2]", "[0]"), 8), "tensor 'w' has fewer than two data_offsets");
    EXPECT_EQ(refusal(R"({"w":{"dtype":"U8","shape":[]}})", 1), "tensor 'w' has no data_offsets");
    EXPECT_EQ(refusal(R"({"w":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[],"data_offsets":[1,2]}})", 2),
              "names 'w' twice");
    EXPECT_EQ(refusal(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"v":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", 3),
              "tensor 'v' begins at offset 1, expected 2");
    EXPECT_EQ(refusal("{]", 0), "has a header that is not JSON at byte 10");
}

TEST_F(SafetensorsTest, ShardsComeFromTheIndex) {
    write("model-1.safetensors", file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", 3));
    write("model-2.safetensors", file_of(R"({"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4));
    const auto index = [&](const std::string& json) {
        write("model.safetensors.index.json", json);
        return Safetensors::open(folder.path());
    };
    const auto file = index(R"({"metadata":{"total_size":6,"more":[{}]},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}})");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ((*file)->tensors().size(), 2u);
    EXPECT_EQ((*file)->tensor("b")->data.size(), 4u);  // the index decides
    const auto* a = (*file)->tensor("a");
    EXPECT_EQ((*file)->error(*a, "is odd").message, (folder.path() / "model-1.safetensors").string() + ": tensor 'a' is odd");

    const auto refused = [&](const std::string& json) { return index(json).error().message; };
    const std::string named = (folder.path() / "model.safetensors.index.json").string() + ": ";
    EXPECT_EQ(refused(R"({"weight_map":{"c":"model-1.safetensors"}})"), named + "puts tensor 'c' into model-1.safetensors, which does not hold it");
    EXPECT_EQ(refused(R"({"weight_map":{"a":"../model-1.safetensors"}})"), named + "puts tensor 'a' into '../model-1.safetensors', expected a file beside it");
    EXPECT_EQ(refused(R"({"weight_map":{"a":"m","a":"n"}})"), named + "names tensor 'a' twice");
    EXPECT_EQ(refused(R"({"weight_map":["a"]})"), named + "has a weight_map that is an array, expected an object");
    EXPECT_EQ(refused(R"({"weight_map":{"a":1}})"), named + "has weight_map entry 'a' that is a number, expected a file name");
    EXPECT_EQ(refused(R"({"metadata":{}})"), named + "has no weight_map");
    EXPECT_NE(refused(R"({"weight_map":{"a":"model-3.safetensors"}})").find("model-3.safetensors"), std::string::npos);
}

TEST(SafetensorsDamage, NoTruncationIsAccepted) {
    ASSERT_GT(touch(kValid), 1u);
    for (std::size_t n = 0; n < kValid.size(); ++n) EXPECT_EQ(touch(kValid.substr(0, n)), 0u) << n;
}

// Whatever a byte becomes, the file is refused or every tensor lies inside it.
TEST(SafetensorsDamage, NoFlippedByteIsUsedUnchecked) {
    int refused = 0;
    for (std::size_t at = 0; at < kValid.size(); ++at)
        for (int flip = 1; flip < 256; ++flip) {
            std::string bytes = kValid;
            bytes[at] = char(bytes[at] ^ flip);
            refused += touch(bytes) == 0;
        }
    EXPECT_GT(refused, 10000);  // most of the header's bytes matter
}

TEST(SafetensorsDamage, NoSplicedFileIsUsedUnchecked) {
    unsigned random = 1;
    const auto next = [&](std::size_t n) { return std::size_t((random = random * 1664525u + 1013904223u) >> 8) % n; };
    int accepted = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string bytes = kValid;
        for (std::size_t edits = 1 + next(3); edits > 0; --edits) {
            const std::size_t from = next(bytes.size()), to = next(bytes.size()), n = 1 + next(12);
            next(2) ? bytes.insert(to, bytes.substr(from, n)) : bytes.erase(to, n);
            if (bytes.size() > 8) bytes[0] = char(bytes[0] + int(next(3)) - 1);
        }
        if (bytes.size() > 28 && next(2)) {  // a header length that fits lets more of them through
            const std::uint64_t length = bytes.size() - 28;
            std::memcpy(bytes.data(), &length, 8);
        }
        accepted += touch(bytes) > 0;
    }
    EXPECT_GT(accepted, 0);
}
