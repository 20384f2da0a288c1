// Checkpoints of 8-bit integers and of groups that 32 does not divide, quantised here from golden ones by the definition of
// their formats (compressed-tensors, GPTQ), against twins that hold the same values as floats.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "checkpoint_folder.h"
#include "engine/convert.h"
#include "engine/engine.h"
#include "engine/ops/ops.h"

using namespace engine;
using namespace checkpoints;

namespace {

float bf16(float value) { return bf16_to_float(float_to_bf16(value)); }

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

struct Form {
    const char* name;
    int bits, group;      // group 0: all of a row
    bool zeros;           // that differ from group to group
    enum { packed, bytes, gptq } kind;
};
constexpr Form kForms[] = {
    {"bytes of channels", 8, 0, false, Form::bytes}, {"bytes of groups", 8, 16, true, Form::bytes},
    {"packed 8 bits", 8, 32, false, Form::packed},   {"packed 8 bits with zeros", 8, 16, true, Form::packed},
    {"packed 4 bits of 16", 4, 16, true, Form::packed}, {"packed 4 bits of 8", 4, 8, false, Form::packed},
    {"gptq of 8 bits", 8, 32, true, Form::gptq},     {"gptq of 4 bits of 16", 4, 16, true, Form::gptq}};

// `value(i)` is value i of words that hold 32 / bits each.
std::string words(std::size_t n, int bits, const std::function<int(std::size_t)>& value) {
    std::vector<std::uint32_t> out((n * std::size_t(bits) + 31) / 32);
    for (std::size_t i = 0; i < n; ++i) out[i * std::size_t(bits) / 32] |= std::uint32_t(value(i)) << i * std::size_t(bits) % 32;
    return bytes_of(out);
}

// The module of both folders: integers, and the floats that they stand for.
void quantise(Folder& integers, Folder& floats, const std::string& module, const Form& form) {
    const json tensor = integers.header[module + ".weight"];
    const std::string from = integers.data.at(module + ".weight");
    const std::size_t rows = tensor["shape"][0], cols = tensor["shape"][1], group = form.group ? std::size_t(form.group) : cols, groups = cols / group;
    const int most = (1 << form.bits) - 1, in_word = 32 / form.bits;
    std::vector<int> q(rows * cols), z(rows * groups);
    std::vector<float> s(rows * groups), values(rows * cols);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t g = 0; g < groups; ++g) {
            const auto at = [&](std::size_t i) {
                std::uint16_t half;
                std::memcpy(&half, from.data() + 2 * (r * cols + g * group + i), 2);
                return bf16_to_float(half);
            };
            float largest = 1e-6f;
            for (std::size_t i = 0; i < group; ++i) largest = std::max(largest, std::fabs(at(i)));
            const float scale = s[r * groups + g] = bf16(largest / float(most / 2));
            const int zero = z[r * groups + g] = (most + 1) / 2 - (form.zeros ? int((r + 3 * g) % 4) : 0);
            for (std::size_t i = 0; i < group; ++i) {
                const int code = std::clamp(int(std::lround(at(i) / scale)) + zero, 0, most);
                q[r * cols + g * group + i] = code;
                values[r * cols + g * group + i] = float(code - zero) * scale;
            }
        }
    floats.header[module + ".weight"]["dtype"] = "F32", floats.data[module + ".weight"] = bytes_of(values);

    integers.header.erase(module + ".weight");
    const auto put = [&](const char* part, const char* dtype, std::vector<std::size_t> shape, std::string bytes) {
        integers.header[module + "." + part] = {{"dtype", dtype}, {"shape", shape}};
        integers.data[module + "." + part] = std::move(bytes);
    };
    const auto scales = [&](bool by_row) {
        std::vector<std::uint16_t> out(rows * groups);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = float_to_bf16(by_row ? s[i] : s[i % rows * groups + i / rows]);
        return bytes_of(out);
    };
    const std::size_t each = std::size_t(in_word);
    if (form.kind == Form::gptq) {
        put("qweight", "I32", {cols / each, rows}, words(rows * cols, form.bits, [&](std::size_t i) { return q[i / each % rows * cols + i / each / rows * each + i % each]; }));
        put("qzeros", "I32", {groups, rows / each}, words(rows * groups, form.bits, [&](std::size_t i) { return (z[i % rows * groups + i / rows] + most) & most; }));
        put("scales", "BF16", {groups, rows}, scales(false));
        return;
    }
    put("weight_scale", "BF16", {rows, groups}, scales(true));
    if (form.kind == Form::bytes) {
        const auto signed_bytes = [](const std::vector<int>& of) {
            std::string out;
            for (const int v : of) out += char(v - 128);
            return out;
        };
        put("weight", "I8", {rows, cols}, signed_bytes(q));
        if (form.zeros) put("weight_zero_point", "I8", {rows, groups}, signed_bytes(z));
        return;
    }
    put("weight_packed", "I32", {rows, cols / each}, words(rows * cols, form.bits, [&](std::size_t i) { return q[i]; }));
    if (form.zeros)
        put("weight_zero_point", "I32", {rows / each, groups}, words(rows * groups, form.bits, [&](std::size_t i) { return z[(i / each / groups * each + i % each) * groups + i / each % groups]; }));
}

json configuration(const Form& form) {
    if (form.kind == Form::gptq) return {{"quant_method", "gptq"}, {"bits", form.bits}, {"group_size", form.group}, {"checkpoint_format", "gptq"}};
    return {{"quant_method", "compressed-tensors"}, {"format", form.kind == Form::bytes ? "int-quantized" : "pack-quantized"},
            {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", {{"num_bits", form.bits}, {"type", "int"}}}}}}}};
}

std::vector<float> logits(const fs::path& path, const std::string& target, Profile profile) {
    auto engine = Engine::load({.path = path, .profile = profile, .threads = 2, .max_sequences = 1, .target = target});
    if (!engine) throw std::runtime_error(engine.error().text());
    std::vector<TokenId> ids;
    for (int i = 0; i < 150; ++i) ids.push_back((i * 37 + 5) % 300);
    return *(*engine)->logits(ids);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    double out = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) out = std::max(out, std::fabs(double(a[i]) - b[i]));
    return out;
}

// The median over positions of the largest difference there: a token whose router hesitates goes to another expert, and that
// position says nothing of the arithmetic.
double typical_difference(const std::vector<float>& a, const std::vector<float>& b, int vocabulary) {
    std::vector<double> out;
    for (std::size_t at = 0; at < a.size(); at += std::size_t(vocabulary)) {
        double most = 0;
        for (std::size_t i = at; i < at + std::size_t(vocabulary); ++i) most = std::max(most, std::fabs(double(a[i]) - b[i]));
        out.push_back(most);
    }
    std::nth_element(out.begin(), out.begin() + std::ptrdiff_t(out.size() / 2), out.end());
    return out[out.size() / 2];
}

}  // namespace

TEST(Integers, AreTheFloatsThatTheyStandForOnEveryTarget) {
    const auto dense = golden_folder("qwen3"), experts = golden_folder("qwen3_moe");
    if (!dense || !experts) GTEST_SKIP() << "no golden checkpoints";
    for (const fs::path& from : {*dense, *experts})
        for (const Form& form : kForms) {
            SCOPED_TRACE(from.filename().string() + ", " + form.name);
            Folder integers(from), floats(from);
            std::vector<std::string> modules;
            for (const auto& [name, tensor] : floats.header.items())
                if (name.ends_with("_proj.weight")) modules.push_back(name.substr(0, name.size() - std::strlen(".weight")));
            for (const std::string& module : modules) quantise(integers, floats, module, form);
            integers.config["quantization_config"] = configuration(form);
            integers.write_all();
            floats.write_all();
            const auto info = Engine::inspect(integers.path()), twin = Engine::inspect(floats.path());
            ASSERT_TRUE(info) << info.error().message;
            EXPECT_EQ(info->parameters, twin->parameters);
            EXPECT_EQ(info->active_parameters, twin->active_parameters);
            EXPECT_EQ(info->format.substr(0, 4), form.bits == 8 ? "INT8" : "INT4");
            const fs::path converted = floats.path() / "model.hearth";
            ASSERT_TRUE(convert({.path = integers.path()}, converted, {}));
            EXPECT_EQ(logits(converted, "", Profile::exact), logits(integers.path(), "", Profile::exact));
            for (const Target& target : targets(true)) {
                if (!target.available) continue;
                SCOPED_TRACE(target.name);
                const auto expected = logits(floats.path(), target.name, Profile::exact);
                EXPECT_LT(largest_difference(logits(integers.path(), target.name, Profile::exact), expected), 5e-4);
                EXPECT_LT(typical_difference(logits(integers.path(), target.name, Profile::fast), expected, twin->vocabulary), 0.4);
            }
        }
}

TEST(Integers, OtherBitsAreRefusedByName) {
    const auto from = golden_folder("q_qwen3_ct_w4a16_g128");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    Folder folder(*from);
    folder.config["quantization_config"]["config_groups"]["group_0"]["weights"]["num_bits"] = 3;
    folder.write_all();
    const auto plan = Engine::plan({.path = folder.path()});
    ASSERT_FALSE(plan);
    EXPECT_NE(plan.error().message.find("num_bits"), std::string::npos) << plan.error().message;
    EXPECT_NE(plan.error().message.find("4 or 8"), std::string::npos) << plan.error().message;
}
