// Every stored form of a linear module against its definition, value by value. The forms are packed here as their
// formats have it, from codes, zeros and scales that the expectation uses directly.
#include "engine/model/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/ops/ref.h"
#include "support/fixtures.h"

using namespace engine;

namespace {

struct LinearTest : testing::Test {
    support::TempDir folder;
    std::mt19937 random{11};
    nlohmann::json header;
    std::string data;
    std::unique_ptr<Safetensors> file;

    template <class T>
    void add(const std::string& name, const char* dtype, std::vector<std::size_t> shape, const std::vector<T>& values) {
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
        header["m." + name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
    }
    void open() {
        const std::string json = header.dump();
        const std::uint64_t length = json.size();
        std::ofstream out(folder.path() / "model.safetensors", std::ios::binary);
        out.write(reinterpret_cast<const char*>(&length), 8);
        out << json << data;
        out.close();
        auto opened = Safetensors::open(folder.path());
        ASSERT_TRUE(opened) << opened.error().message;
        file = *std::move(opened);
    }

    std::vector<int> integers(std::size_t n, int below) {
        std::vector<int> out(n);
        for (int& v : out) v = int(random() % unsigned(below));
        return out;
    }
    // Scales as halves, and what they mean.
    std::vector<std::uint16_t> halves(std::size_t n) {
        std::vector<std::uint16_t> out(n);
        for (auto& v : out) v = std::uint16_t(0x2000 + random() % 2000);
        return out;
    }
    std::vector<float> floats(std::size_t n) {
        std::vector<float> out(n);
        for (float& v : out) v = std::ldexp(1.0f + float(random() % 1000003) / 1000003, -int(random() % 8));
        return out;
    }

    // What each of the inputs meets, from the blocks.
    static std::vector<float> values(const OwnedWeight& w, int inputs) {
        std::vector<float> out(std::size_t(w.weight.rows) * std::size_t(inputs)), row(std::size_t(w.weight.cols));
        for (int r = 0; r < w.weight.rows; ++r) {
            ref::expand(w.weight, 0, r, 0, w.weight.cols, row.data());
            for (int c = 0; c < w.weight.cols; ++c) out[std::size_t(r) * std::size_t(inputs) + std::size_t(w.weight.order ? w.weight.order[c] : c)] += row[std::size_t(c)];
        }
        return out;
    }

    void expect(int rows, int cols, Format format, const std::function<float(int, int)>& want, const LinearScheme& scheme = {}) {
        open();
        const auto linear = check_linear(*file, "m", rows, cols, scheme);
        ASSERT_TRUE(linear) << linear.error().message;
        EXPECT_EQ(linear->format, format);
        const OwnedWeight w = own(*linear);
        const auto got = values(w, cols);
        int wrong = 0;
        for (int r = 0; r < rows; ++r)
            for (int c = 0; c < cols; ++c) {
                const float v = got[std::size_t(r) * cols + c], e = want(r, c);
                if (v != e && ++wrong < 4) ADD_FAILURE() << "[" << r << ", " << c << "] is " << v << ", expected " << e;
            }
        EXPECT_EQ(wrong, 0);
        // A part of the rows is the part of all rows.
        if (linear->in_place()) return;
        std::vector<std::uint8_t> part(row_bytes(format, std::size_t(w.weight.cols)) * 2);
        read_rows(*linear, rows - 2, rows, part.data());
        EXPECT_EQ(std::memcmp(part.data(), w.bytes.data() + w.bytes.size() - part.size(), part.size()), 0);
    }

    std::string refusal(int rows, int cols) {
        open();
        const auto linear = check_linear(*file, "m", rows, cols, {});
        if (linear) return "accepted";
        const std::string start = (folder.path() / "model.safetensors").string() + ": ";
        EXPECT_EQ(linear.error().message.rfind(start, 0), 0u) << linear.error().message;
        return linear.error().message.substr(start.size());
    }
};

// Words of eight 4-bit or four 8-bit codes; code(i) is code i, the lowest bits first.
std::vector<std::uint32_t> words(std::size_t n, const std::function<int(std::size_t)>& code, std::size_t bits = 4) {
    std::vector<std::uint32_t> out(n);
    const std::size_t each = 32 / bits;
    for (std::size_t i = 0; i < each * n; ++i) out[i / each] |= std::uint32_t(code(i)) << bits * (i % each);
    return out;
}

std::vector<std::uint8_t> bytes(std::size_t n, const std::function<int(std::size_t)>& value) {
    std::vector<std::uint8_t> out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = std::uint8_t(value(i));
    return out;
}

constexpr float kE2m1[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
constexpr std::size_t kAwq[] = {0, 2, 4, 6, 1, 3, 5, 7};

}  // namespace

TEST_F(LinearTest, PlainRowsAreUsedWhereTheyLie) {
    const auto v = halves(6 * 5);
    add("weight", "BF16", {6, 5}, v);
    expect(6, 5, Format::bf16, [&](int r, int c) { return bf16_to_float(v[std::size_t(r * 5 + c)]); });
    EXPECT_EQ(own(*check_linear(*file, "m", 6, 5, {})).weight.data, file->tensor("m.weight")->data.data());
}

TEST_F(LinearTest, Fp8OfOneScaleOfRowsAndOfTilesWithPartialEdges) {
    const std::size_t rows = 160, cols = 288;
    const auto codes = bytes(rows * cols, [&](std::size_t) { const int c = int(random() % 256); return (c & 127) == 127 ? c - 1 : c; });
    const auto code = [&](int r, int c) { return e4m3_to_float(codes[std::size_t(r) * cols + std::size_t(c)]); };
    const auto start = [&] { header.clear(), data.clear(), add("weight", "F8_E4M3", {rows, cols}, codes); };

    const float one = 0.37f;
    start(), add("weight_scale", "F32", {}, std::vector{one});
    expect(int(rows), int(cols), Format::fp8, [&](int r, int c) { return code(r, c) * one; });

    const auto channel = halves(rows);
    start(), add("weight_scale", "BF16", {rows, 1}, channel);
    expect(int(rows), int(cols), Format::fp8, [&](int r, int c) { return code(r, c) * bf16_to_float(channel[std::size_t(r)]); });

    const auto tiles = floats(2 * 3);
    start(), add("weight_scale_inv", "F32", {2, 3}, tiles);
    expect(int(rows), int(cols), Format::fp8, [&](int r, int c) { return code(r, c) * tiles[std::size_t(r / 128 * 3 + c / 128)]; });
}

TEST_F(LinearTest, PackedInt4SymmetricAsymmetricAndInAnotherOrder) {
    const std::size_t rows = 24, cols = 128, groups = 4;
    const auto q = integers(rows * cols, 16), z = integers(rows * groups, 16);
    const auto s = halves(rows * groups);
    std::vector<std::int32_t> g_idx(cols);
    for (std::size_t c = 0; c < cols; ++c) g_idx[c] = std::int32_t(c * 5 % 128 / 32);
    for (const bool zeros : {false, true})
        for (const bool order : {false, true}) {
            header.clear(), data.clear();
            add("weight_packed", "I32", {rows, cols / 8}, words(rows * cols / 8, [&](std::size_t i) { return q[i]; }));
            add("weight_scale", "BF16", {rows, groups}, s);
            add("weight_shape", "I64", {2}, std::vector<std::int64_t>{24, 128});
            if (zeros)  // nibble i of word (row block, group): row 8 * block + i
                add("weight_zero_point", "I32", {rows / 8, groups},
                    words(rows / 8 * groups, [&](std::size_t i) { return z[(i / 8 / groups * 8 + i % 8) * groups + i / 8 % groups]; }));
            if (order) add("weight_g_idx", "I32", {cols}, g_idx);
            expect(int(rows), int(cols), Format::int4, [&](int r, int c) {
                const std::size_t at = std::size_t(r) * groups + std::size_t(order ? g_idx[std::size_t(c)] : c / 32);
                return float(q[std::size_t(r) * cols + std::size_t(c)] - (zeros ? z[at] : 8)) * bf16_to_float(s[at]);
            });
        }
}

// Rows are whole words, the last filled up.
TEST_F(LinearTest, PackedIntegersOfAnyGroupAndWidth) {
    const std::size_t rows = 24;
    const struct {
        std::size_t bits, cols, groups;
    } kCases[] = {{4, 96, 2}, {4, 64, 4}, {4, 100, 1}, {4, 100, 5}, {4, 35, 1}, {8, 64, 1}, {8, 64, 4}, {8, 96, 2}, {8, 99, 1}, {8, 99, 3}};
    for (const auto& shape : kCases)
        for (const bool zeros : {false, true}) {
            const std::size_t bits = shape.bits, cols = shape.cols, groups = shape.groups;  // clang 14 captures no structured binding
            SCOPED_TRACE(std::to_string(bits) + " bits, " + std::to_string(cols) + " columns, " + std::to_string(groups) + " groups");
            header.clear(), data.clear();
            const int most = (1 << bits) - 1;
            const std::size_t each = 32 / bits, in_row = (cols + each - 1) / each;
            const auto q = integers(rows * cols, most + 1), z = integers(rows * groups, most + 1);
            const auto s = halves(rows * groups);
            add("weight_packed", "I32", {rows, in_row}, words(rows * in_row, [&](std::size_t i) { const std::size_t c = i % (in_row * each); return c < cols ? q[i / (in_row * each) * cols + c] : 0; }, bits));
            add("weight_scale", "BF16", {rows, groups}, s);
            if (zeros) add("weight_zero_point", "I32", {rows / each, groups}, words(rows / each * groups, [&](std::size_t i) { return z[(i / each / groups * each + i % each) * groups + i / each % groups]; }, bits));
            expect(int(rows), int(cols), Format::int4, [&, cols = cols, groups = groups](int r, int c) {
                const std::size_t at = std::size_t(r) * groups + std::size_t(c) / (cols / groups);
                return float(q[std::size_t(r) * cols + std::size_t(c)] - (zeros ? z[at] : (most + 1) / 2)) * bf16_to_float(s[at]);
            });
        }
}

TEST_F(LinearTest, BytesOfRowsAndOfGroups) {
    const std::size_t rows = 6, cols = 80;
    const auto q = integers(rows * cols, 256), z = integers(rows * 5, 256);
    const auto less = [](const std::vector<int>& of) { return bytes(of.size(), [&](std::size_t i) { return of[i] - 128; }); };
    for (const std::size_t groups : {std::size_t(1), std::size_t(5)})
        for (const bool zeros : {false, true}) {
            header.clear(), data.clear();
            const auto s = halves(rows * groups);
            add("weight", "I8", {rows, cols}, less(q));
            add("weight_scale", "F16", {rows, groups}, s);
            if (zeros) add("weight_zero_point", "I8", {rows, groups}, less({z.begin(), z.begin() + std::ptrdiff_t(rows * groups)}));
            expect(int(rows), int(cols), Format::int4, [&, groups](int r, int c) {
                const std::size_t at = std::size_t(r) * groups + std::size_t(c) / (cols / groups);
                return float(q[std::size_t(r) * cols + std::size_t(c)] - (zeros ? z[at] : 128)) * half_to_float(s[at]);
            });
        }
}

TEST_F(LinearTest, GptqOf8BitsAndOfSmallGroups) {
    const std::size_t rows = 16, cols = 96;
    for (const std::size_t bits : {std::size_t(4), std::size_t(8)})
        for (const std::size_t groups : {std::size_t(1), std::size_t(2), std::size_t(6)})
            for (const bool v2 : {false, true}) {
                header.clear(), data.clear();
                const int most = (1 << bits) - 1;
                const std::size_t each = 32 / bits;
                const auto q = integers(cols * rows, most + 1), z = integers(groups * rows, most + 1);
                const auto s = halves(groups * rows);
                add("qweight", "I32", {cols / each, rows}, words(cols / each * rows, [&](std::size_t i) { return q[(i / each / rows * each + i % each) * rows + i / each % rows]; }, bits));
                add("qzeros", "I32", {groups, rows / each}, words(groups * rows / each, [&](std::size_t i) { return (z[i] + (v2 ? 0 : most)) & most; }, bits));
                add("scales", "F16", {groups, rows}, s);
                expect(int(rows), int(cols), Format::int4, [&, groups](int r, int c) {
                    const std::size_t at = std::size_t(c) / (cols / groups) * rows + std::size_t(r);
                    return float(q[std::size_t(c) * rows + std::size_t(r)] - z[at]) * half_to_float(s[at]);
                }, {.gptq_v2 = v2});
            }
}

TEST_F(LinearTest, GptqInBothZeroFormsAndInAnotherOrder) {
    const std::size_t rows = 16, cols = 96, groups = 3;
    const auto q = integers(cols * rows, 16), z = integers(groups * rows, 16);  // by input, output
    const auto s = halves(groups * rows);
    std::vector<std::int32_t> g_idx(cols);
    for (std::size_t c = 0; c < cols; ++c) g_idx[c] = std::int32_t(c % 3);
    for (const bool v2 : {false, true})
        for (const bool order : {false, true}) {
            header.clear(), data.clear();
            // nibble i of word (block, output): input 8 * block + i
            add("qweight", "I32", {cols / 8, rows},
                words(cols / 8 * rows, [&](std::size_t i) { return q[(i / 8 / rows * 8 + i % 8) * rows + i / 8 % rows]; }));
            add("qzeros", "I32", {groups, rows / 8}, words(groups * rows / 8, [&](std::size_t i) { return (z[i] + (v2 ? 0 : 15)) % 16; }));
            add("scales", "F16", {groups, rows}, s);
            if (order) add("g_idx", "I32", {cols}, g_idx);
            expect(int(rows), int(cols), Format::int4, [&](int r, int c) {
                const std::size_t at = std::size_t(order ? g_idx[std::size_t(c)] : c / 32) * rows + std::size_t(r);
                return float(q[std::size_t(c) * rows + std::size_t(r)] - z[at]) * half_to_float(s[at]);
            }, {.gptq_v2 = v2});
        }
}

TEST_F(LinearTest, AwqShufflesItsOutputs) {
    const std::size_t rows = 24, cols = 64, groups = 2;
    const auto q = integers(cols * rows, 16), z = integers(groups * rows, 16);
    const auto s = halves(groups * rows);
    const auto shuffled = [&](const std::vector<int>& of) { return [&](std::size_t i) { return of[i / 8 * 8 + kAwq[i % 8]]; }; };
    add("qweight", "I32", {cols, rows / 8}, words(cols * rows / 8, shuffled(q)));
    add("qzeros", "I32", {groups, rows / 8}, words(groups * rows / 8, shuffled(z)));
    add("scales", "F16", {groups, rows}, s);
    expect(int(rows), int(cols), Format::int4, [&](int r, int c) {
        const std::size_t at = std::size_t(c / 32) * rows + std::size_t(r);
        return float(q[std::size_t(c) * rows + std::size_t(r)] - z[at]) * half_to_float(s[at]);
    });
}

TEST_F(LinearTest, Nvfp4OfBothWriters) {
    const std::size_t rows = 6, cols = 48;
    const auto q = integers(rows * cols, 16);
    const auto scales = bytes(rows * cols / 16, [&](std::size_t) { return int(1 + random() % 126); });
    const auto packed = bytes(rows * cols / 2, [&](std::size_t i) { return q[2 * i] | q[2 * i + 1] << 4; });
    const auto value = [&](int r, int c) {
        const std::size_t at = std::size_t(r) * cols + std::size_t(c);
        return kE2m1[q[at]] * e4m3_to_float(scales[at / 16]);
    };
    for (const bool reciprocal : {false, true}) {
        header.clear(), data.clear();
        const float global = reciprocal ? 1536.0f : 0.0123f;
        add(reciprocal ? "weight_packed" : "weight", "U8", {rows, cols / 2}, packed);
        add("weight_scale", "F8_E4M3", {rows, cols / 16}, scales);
        if (reciprocal) add("weight_global_scale", "F32", {1}, std::vector{global});
        else add("weight_scale_2", "F32", {}, std::vector{global});
        expect(int(rows), int(cols), Format::e2m1, [&](int r, int c) { return value(r, c) * (reciprocal ? 1 / global : global); });
    }
}

TEST_F(LinearTest, Mxfp4OfModulesAndOfInterleavedExperts) {
    const std::size_t rows = 8, cols = 64;
    const auto q = integers(rows * cols, 16);
    const auto scales = bytes(rows * cols / 32, [&](std::size_t i) { return i == 0 ? 0 : int(100 + random() % 60); });
    const auto packed = bytes(rows * cols / 2, [&](std::size_t i) { return q[2 * i] | q[2 * i + 1] << 4; });
    const auto value = [&](int r, int c) {
        const std::size_t at = std::size_t(r) * cols + std::size_t(c);
        return kE2m1[q[at]] * std::ldexp(1.0f, int(scales[at / 32]) - 127);
    };
    add("weight_packed", "U8", {rows, cols / 2}, packed);
    add("weight_scale", "U8", {rows, cols / 32}, scales);
    add("gate_up_proj_blocks", "U8", {2, 4, cols / 32, 16}, packed);
    add("gate_up_proj_scales", "U8", {2, 4, cols / 32}, scales);
    expect(int(rows), int(cols), Format::mxfp4, value);
    for (int part : {0, 1}) {  // two experts of two gate rows and two up rows each
        const auto linear = check_mxfp4_experts(*file, "m.gate_up_proj_blocks", "m.gate_up_proj_scales", 2, 4, int(cols), part, 2);
        ASSERT_TRUE(linear) << linear.error().message;
        ASSERT_EQ(linear->rows, 4);
        const auto got = values(own(*linear), int(cols));
        for (int r = 0; r < 4; ++r)
            for (int c = 0; c < int(cols); ++c) ASSERT_EQ(got[std::size_t(r) * cols + std::size_t(c)], value(2 * r + part, c)) << r << " " << c;
    }
}

TEST_F(LinearTest, ErrorsNameTensorExpectedAndFound) {
    const auto start = [&] { header.clear(), data.clear(); };
    add("weight", "F8_E4M3", {4, 32}, std::vector<std::uint8_t>(128));
    EXPECT_EQ(refusal(4, 32), "tensor 'm.weight_scale' is missing, and 'm.weight' is nothing without it");
    EXPECT_EQ(refusal(8, 32), "tensor 'm.weight_scale' is missing, and 'm.weight' is nothing without it");
    add("weight_scale", "F32", {3, 1}, std::vector<float>(3));
    EXPECT_EQ(refusal(4, 64), "tensor 'm.weight' has shape [4, 32], expected [4, 64]");
    EXPECT_EQ(refusal(4, 32), "tensor 'm.weight_scale' has shape [3, 1], expected [1, 1]");
    start(), add("weight", "I8", {4, 32}, std::vector<std::int8_t>(128));
    EXPECT_EQ(refusal(4, 32), "tensor 'm.weight' has dtype I8, expected F32 or F16 or BF16 or F8_E4M3");
    start(), add("other", "U8", {1}, std::vector<std::uint8_t>(1));
    EXPECT_EQ(check_linear((open(), *file), "m", 4, 32, {}).error().message, folder.path().string() + ": tensor 'm.weight' is missing");

    const auto gptq = [&](std::size_t groups, std::vector<std::int32_t> g_idx) {
        start();
        add("qweight", "I32", {8, 8}, std::vector<std::int32_t>(64));
        add("qzeros", "I32", {groups, 1}, std::vector<std::int32_t>(groups));
        add("scales", "F16", {groups, 8}, std::vector<std::uint16_t>(groups * 8));
        if (!g_idx.empty()) add("g_idx", "I32", {g_idx.size()}, g_idx);
        return refusal(8, 64);
    };
    EXPECT_EQ(gptq(2, {}), "accepted");
    EXPECT_EQ(gptq(4, {}), "accepted");
    EXPECT_EQ(gptq(3, {}), "tensor 'm.scales' has 3 groups for rows of 64 values, expected groups of one size");
    EXPECT_EQ(gptq(2, std::vector<std::int32_t>(64, 1)), "tensor 'm.g_idx' puts 0 columns into group 0, expected 32");
    EXPECT_EQ(gptq(2, std::vector<std::int32_t>(64, 2)), "tensor 'm.g_idx' puts column 0 into group 2 of 2");
    EXPECT_EQ(gptq(2, {0, 1}), "tensor 'm.g_idx' has shape [2], expected [64]");
}
