// Checks of a module's tensors against each other and against the model's shape.
#include "engine/model/linear.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "engine/model/linear_read.h"

namespace engine {
namespace {

using base::Code;
using Kind = Linear::Kind;

// The least multiple that a row's columns and groups have, so that no block spans two groups.
constexpr int kGroupStep = 32;
constexpr std::int64_t kMostColumns = 1 << 24;  // as they are laid out

std::string dtypes_text(std::initializer_list<Dtype> dtypes) {
    std::string out;
    for (const Dtype d : dtypes) out += (out.empty() ? "" : " or ") + std::string(info(d).name);
    return out;
}

struct Checker {
    const Safetensors& file;
    const LinearTensors& t;
    const LinearScheme& scheme;
    Linear out;

    // Parts of a stack follow its name, as "experts.down_proj_weight_scale".
    base::Error missing(const SafeTensor& beside, const char* what) const {
        SafeTensor absent = beside;
        const std::size_t dot = beside.name.rfind('.');
        const std::string_view part = std::string_view(beside.name).substr(dot == std::string::npos ? 0 : dot + 1);
        const bool of_module = part == "weight" || part == "weight_packed" || part == "qweight";
        absent.name = (of_module ? beside.name.substr(0, beside.name.size() - part.size()) : beside.name + "_") + what;
        return file.error(absent, "is missing, and '" + beside.name + "' is nothing without it");
    }

    std::optional<base::Error> no_zeros_said(const char* key, const char* value) const {
        if (!out.zeros || scheme.zeros.value_or(true)) return std::nullopt;
        return file.error(*out.zeros, std::string("is there, but key '") + key + "' of the quantisation's configuration is " + value);
    }

    // Columns that are grouped out of turn, where the configuration says that none is.
    std::optional<base::Error> order_said(const SafeTensor* index) const {
        if (!index || scheme.order.value_or(true)) return std::nullopt;
        for (int c = 0; c < out.inputs; ++c)
            if (const std::int64_t group = read::integer(*index, std::size_t(c)); group != c / out.group)
                return file.error(*index, "puts column " + std::to_string(c) + " into group " + std::to_string(group) + ", expected " + std::to_string(c / out.group) +
                                              " since key 'desc_act' of the quantisation's configuration is false");
        return std::nullopt;
    }

    // What FP8's scales are of, by the configuration and by their shape; one of all may be a row's or a tile's too.
    std::optional<base::Error> scaled_otherwise() const {
        const std::string& said = scheme.strategy;
        if (out.kind != Kind::fp8 || (said != "tensor" && said != "channel" && said != "block")) return std::nullopt;
        const bool one = out.tile_rows == 0, row = out.tile_rows == 1 && out.group == out.cols;
        const bool fits = said == "tensor" ? one : said == "channel" ? row || (one && out.rows == 1) : one ? out.rows <= scheme.tile_rows && out.cols <= scheme.tile_cols : !row || scheme.tile_rows == 1;
        if (fits) return std::nullopt;
        return file.error(*out.scales, "has shape " + shape_text(out.scales->shape) + ", " + (one ? "one scale of the matrix" : row ? "a scale a row" : "a scale a tile") +
                                           ", but key 'strategy' of the quantisation's configuration is '" + said + "'");
    }

    // The configuration against the tensors.
    std::optional<base::Error> said_otherwise() const {
        const bool integers = out.kind == Kind::packed || out.kind == Kind::bytes || out.kind == Kind::gptq || out.kind == Kind::awq;
        if (out.kind == Kind::plain) return std::nullopt;
        if (auto e = scaled_otherwise()) return e;
        const int bits = integers ? out.bits : out.kind == Kind::fp8 ? 8 : 4;
        if (scheme.bits != 0 && scheme.bits != bits)
            return file.error(*out.codes, "is stored in " + std::to_string(bits) + " bits a weight, but the configuration says " + std::to_string(scheme.bits));
        if (scheme.group == 0 || out.kind == Kind::fp8 || out.group == (scheme.group < 0 ? out.inputs : std::min(scheme.group, out.inputs))) return std::nullopt;
        return file.error(*out.scales, "is of groups of " + std::to_string(out.group) + " columns, but the configuration says " +
                                           (scheme.group < 0 ? "one group a row" : "group_size " + std::to_string(scheme.group)));
    }

    std::optional<base::Error> dtype(const SafeTensor& tensor, std::initializer_list<Dtype> allowed) const {
        if (std::find(allowed.begin(), allowed.end(), tensor.dtype) != allowed.end()) return std::nullopt;
        return file.error(tensor, std::string("has dtype ") + info(tensor.dtype).name + ", expected " + dtypes_text(allowed),
                          Code::unsupported);
    }

    std::optional<base::Error> shape(const SafeTensor& tensor, std::initializer_list<std::uint64_t> expected) const {
        const std::vector<std::uint64_t> wanted(expected);
        if (tensor.shape == wanted) return std::nullopt;
        return file.error(tensor, "has shape " + shape_text(tensor.shape) + ", expected " + shape_text(wanted));
    }

    std::optional<base::Error> columns(const SafeTensor& tensor, int step) const {
        if (out.cols % step == 0) return std::nullopt;
        return file.error(tensor, "has rows of " + std::to_string(out.cols) + " values, expected a multiple of " + std::to_string(step),
                          Code::unsupported);
    }

    // Groups of equal size along a row.
    std::optional<base::Error> groups(const SafeTensor& tensor, std::uint64_t n) {
        if (n > 0 && std::uint64_t(out.inputs) % n == 0) {
            out.group = int(std::uint64_t(out.inputs) / n);
            return std::nullopt;
        }
        return file.error(tensor, "has " + std::to_string(n) + " groups for rows of " + std::to_string(out.inputs) + " values, expected groups of one size", Code::unsupported);
    }

    std::uint64_t n_groups() const { return std::uint64_t(out.inputs / out.group); }

    // Words of 32 bits that n values take.
    std::uint64_t words(std::uint64_t n) const { return (n * std::uint64_t(out.bits) + 31) / 32; }

    // Where columns go: sorted by their group, each group filled up, 8 bits twice.
    std::optional<base::Error> lay_columns_out(const SafeTensor* index) {
        const int n = int(n_groups());
        out.padded = (out.group + kGroupStep - 1) / kGroupStep * kGroupStep;
        const std::int64_t wide = std::int64_t(n) * out.padded * (out.bits / 4);
        if (wide > kMostColumns) return file.error(*out.codes, "has groups of " + std::to_string(out.group) + " columns, which take too much room", Code::unsupported);
        out.cols = int(wide);
        std::vector<std::vector<std::int32_t>> of(static_cast<std::size_t>(n));
        if (index) {
            if (auto e = dtype(*index, {Dtype::i32, Dtype::i64})) return e;
            if (auto e = shape(*index, {std::uint64_t(out.inputs)})) return e;
        }
        for (int c = 0; c < out.inputs; ++c) {
            const std::int64_t group = index ? read::integer(*index, std::size_t(c)) : c / out.group;
            if (group < 0 || group >= n)
                return file.error(*index, "puts column " + std::to_string(c) + " into group " + std::to_string(group) + " of " + std::to_string(n));
            of[std::size_t(group)].push_back(c);
        }
        for (int g = 0; g < n; ++g) {
            const auto& members = of[std::size_t(g)];
            if (int(members.size()) != out.group)
                return file.error(*index, "puts " + std::to_string(members.size()) + " columns into group " + std::to_string(g) + ", expected " + std::to_string(out.group));
            out.order.insert(out.order.end(), members.begin(), members.end());
            out.order.insert(out.order.end(), std::size_t(out.padded - out.group), 0);
        }
        if (out.bits == 8) out.order.insert(out.order.end(), out.order.begin(), out.order.end());
        if (out.cols == out.inputs && std::is_sorted(out.order.begin(), out.order.end())) out.order.clear();
        return std::nullopt;
    }

    std::optional<base::Error> plain() {
        out.kind = Kind::plain;
        out.format = t.weight->dtype == Dtype::f32 ? Format::f32 : t.weight->dtype == Dtype::f16 ? Format::f16 : Format::bf16;
        out.codes = t.weight;
        return shape(*t.weight, {std::uint64_t(out.rows), std::uint64_t(out.cols)});
    }

    std::optional<base::Error> fp8() {
        out.kind = Kind::fp8;
        out.format = Format::fp8;
        out.codes = t.weight;
        out.scales = t.weight_scale ? t.weight_scale : t.weight_scale_inv;
        if (!out.scales) return missing(*t.weight, scheme.inverse_scales ? "weight_scale_inv" : "weight_scale");
        if (auto e = shape(*t.weight, {std::uint64_t(out.rows), std::uint64_t(out.cols)})) return e;
        if (auto e = dtype(*out.scales, {Dtype::f32, Dtype::bf16, Dtype::f16})) return e;
        if (auto e = columns(*t.weight, kGroupStep)) return e;
        const auto& found = out.scales->shape;
        std::uint64_t values = 1;
        for (const std::uint64_t dim : found) values *= dim;
        out.group = out.cols;
        if (values == 1) {  // of the matrix
            out.tile_rows = 0;
            return std::nullopt;
        }
        if (values == std::uint64_t(out.rows) && !found.empty() && found[0] == values) return std::nullopt;  // of each row
        if (scheme.tile_rows < 1) return file.error(*out.scales, "has shape " + shape_text(found) + ", a scale a tile, but the quantisation's configuration has no key 'weight_block_size'");
        out.tile_rows = scheme.tile_rows;
        out.group = scheme.tile_cols;
        if (out.tile_rows < 1 || out.group < 1 || out.group % kGroupStep != 0)
            return file.error(*out.scales, "has tiles of " + std::to_string(out.tile_rows) + " x " + std::to_string(out.group) +
                                               ", expected columns in a multiple of " + std::to_string(kGroupStep),
                              Code::unsupported);
        return shape(*out.scales, {std::uint64_t((out.rows + out.tile_rows - 1) / out.tile_rows),
                                   std::uint64_t((out.cols + out.group - 1) / out.group)});
    }

    // Of the module's scales: one of all, of each row, or of each row's groups.
    std::optional<base::Error> scales_by_row(const SafeTensor& scales) {
        if (auto e = dtype(scales, {Dtype::f16, Dtype::bf16, Dtype::f32})) return e;
        if (auto e = groups(scales, scales.shape.size() == 2 ? scales.shape[1] : 1)) return e;
        return shape(scales, {std::uint64_t(out.rows), n_groups()});
    }

    // The parts of compressed-tensors' integers.
    std::optional<base::Error> take_integers(Kind kind, const SafeTensor* codes) {
        out.kind = kind;
        out.format = Format::int4;
        out.codes = codes;
        out.scales = t.weight_scale;
        out.zeros = t.weight_zero_point;
        if (!out.scales) return missing(*codes, "weight_scale");
        if (!out.zeros && scheme.zeros.value_or(false)) return missing(*codes, "weight_zero_point");
        if (auto e = no_zeros_said("symmetric", "true")) return e;
        if (!t.weight_g_idx && scheme.order.value_or(false)) return missing(*codes, "weight_g_idx");
        return std::nullopt;
    }

    std::optional<base::Error> packed() {
        if (auto e = take_integers(Kind::packed, t.weight_packed)) return e;
        if (t.weight_shape) {
            if (auto e = dtype(*t.weight_shape, {Dtype::i32, Dtype::i64})) return e;
            if (auto e = shape(*t.weight_shape, {2})) return e;
            const std::int64_t rows = read::integer(*t.weight_shape, 0), cols = read::integer(*t.weight_shape, 1);
            if (rows != out.rows || cols != out.inputs)
                return file.error(*t.weight_shape, "says [" + std::to_string(rows) + ", " + std::to_string(cols) + "], expected [" +
                                                       std::to_string(out.rows) + ", " + std::to_string(out.inputs) + "]");
        }
        const std::uint64_t rows = std::uint64_t(out.rows), found = out.codes->shape.size() == 2 ? out.codes->shape[1] : 0;
        out.bits = 8;
        if (found != words(std::uint64_t(out.inputs))) out.bits = 4;
        if (auto e = shape(*out.codes, {rows, words(std::uint64_t(out.inputs))})) return e;
        if (auto e = scales_by_row(*out.scales)) return e;
        if (out.zeros) {
            if (auto e = dtype(*out.zeros, {Dtype::i32})) return e;
            if (auto e = shape(*out.zeros, {words(rows), n_groups()})) return e;
        }
        return lay_columns_out(t.weight_g_idx);
    }

    // A byte a value, with its sign.
    std::optional<base::Error> bytes() {
        out.bits = 8;
        if (auto e = take_integers(Kind::bytes, t.weight)) return e;
        if (auto e = shape(*out.codes, {std::uint64_t(out.rows), std::uint64_t(out.inputs)})) return e;
        if (auto e = scales_by_row(*out.scales)) return e;
        if (out.zeros) {
            if (auto e = dtype(*out.zeros, {Dtype::i8})) return e;
            if (auto e = shape(*out.zeros, {std::uint64_t(out.rows), n_groups()})) return e;
        }
        return lay_columns_out(t.weight_g_idx);
    }

    // GPTQ packs inputs into a word, AWQ eight outputs.
    std::optional<base::Error> qweight() {
        out.format = Format::int4;
        out.codes = t.qweight;
        out.scales = t.scales;
        out.zeros = t.qzeros;
        if (!out.scales) return missing(*out.codes, "scales");
        if (!out.zeros) return missing(*out.codes, "qzeros");
        if (auto e = dtype(*out.codes, {Dtype::i32})) return e;
        const std::uint64_t rows = std::uint64_t(out.rows), cols = std::uint64_t(out.inputs);
        out.kind = out.codes->shape == std::vector<std::uint64_t>{cols, rows / 8} ? Kind::awq : Kind::gptq;
        if (out.kind == Kind::gptq && out.codes->shape == std::vector<std::uint64_t>{cols / 4, rows}) out.bits = 8;
        const std::uint64_t in_word = 32 / std::uint64_t(out.bits);
        if (rows % in_word != 0) return file.error(*out.codes, "has " + std::to_string(rows) + " outputs, expected a multiple of " + std::to_string(in_word), Code::unsupported);
        if (out.kind == Kind::gptq) {
            if (auto e = columns(*out.codes, int(in_word))) return e;
            if (auto e = shape(*out.codes, {cols / in_word, rows})) return e;
            out.zero_less_one = !scheme.gptq_v2;
            if (!t.g_idx && scheme.order.value_or(false)) return missing(*out.codes, "g_idx");
        }
        if (auto e = dtype(*out.scales, {Dtype::f16, Dtype::bf16, Dtype::f32})) return e;
        if (auto e = groups(*out.scales, out.scales->shape.empty() ? 0 : out.scales->shape[0])) return e;
        if (auto e = shape(*out.scales, {n_groups(), rows})) return e;
        if (auto e = dtype(*out.zeros, {Dtype::i32})) return e;
        if (auto e = shape(*out.zeros, {n_groups(), rows / in_word})) return e;
        if (out.kind == Kind::awq) {
            if (auto e = no_zeros_said("zero_point", "false")) return e;
            return lay_columns_out(nullptr);
        }
        if (auto e = lay_columns_out(t.g_idx)) return e;
        return order_said(t.g_idx);
    }

    std::optional<base::Error> nvfp4(const SafeTensor& codes, const SafeTensor* factor, const char* factor_name) {
        out.kind = Kind::nvfp4;
        out.format = Format::e2m1;
        out.codes = &codes;
        out.scales = t.weight_scale;
        out.group = 16;
        if (!out.scales) return missing(codes, "weight_scale");
        if (!factor) return missing(codes, factor_name);
        const SafeTensor& global = *factor;
        if (auto e = columns(codes, 16)) return e;
        if (auto e = dtype(codes, {Dtype::u8})) return e;
        if (auto e = shape(codes, {std::uint64_t(out.rows), std::uint64_t(out.cols) / 2})) return e;
        if (auto e = dtype(*out.scales, {Dtype::f8_e4m3})) return e;
        if (auto e = shape(*out.scales, {std::uint64_t(out.rows), std::uint64_t(out.cols) / 16})) return e;
        if (auto e = dtype(global, {Dtype::f32})) return e;
        if (global.data.size() != 4) return file.error(global, "has shape " + shape_text(global.shape) + ", expected one value");
        out.scale = read::number(global, 0);
        if (&global == t.weight_global_scale) out.scale = 1.0f / out.scale;  // stored as its reciprocal
        return std::nullopt;
    }

    std::optional<base::Error> mxfp4() {
        out.kind = Kind::mxfp4;
        out.format = Format::mxfp4;
        out.codes = t.weight_packed;
        out.scales = t.weight_scale;
        out.group = 32;
        if (!out.scales) return missing(*out.codes, "weight_scale");
        if (auto e = columns(*out.codes, 32)) return e;
        if (auto e = shape(*out.codes, {std::uint64_t(out.rows), std::uint64_t(out.cols) / 2})) return e;
        if (auto e = dtype(*out.scales, {Dtype::u8, Dtype::f8_e8m0})) return e;
        return shape(*out.scales, {std::uint64_t(out.rows), std::uint64_t(out.cols) / 32});
    }

    // What the module is shows in the tensors it has: lists of ignored modules are not to be relied on.
    std::optional<base::Error> any() {
        if (t.qweight) return qweight();
        if (t.weight_packed) {
            if (auto e = dtype(*t.weight_packed, {Dtype::i32, Dtype::u8})) return e;
            if (t.weight_packed->dtype == Dtype::i32) return packed();
            const bool by_16 = t.weight_global_scale || (t.weight_scale && t.weight_scale->dtype == Dtype::f8_e4m3);
            return by_16 ? nvfp4(*t.weight_packed, t.weight_global_scale, "weight_global_scale") : mxfp4();
        }
        if (t.weight->dtype == Dtype::f8_e4m3) return fp8();
        if (t.weight->dtype == Dtype::i8 && (t.weight_scale || scheme.bits == 8)) return bytes();
        if (t.weight->dtype == Dtype::u8 && (t.weight_scale || t.weight_scale_2)) return nvfp4(*t.weight, t.weight_scale_2, "weight_scale_2");
        if (auto e = dtype(*t.weight, {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::f8_e4m3})) return e;
        return plain();
    }
};

}  // namespace

LinearTensors find_linear(const Safetensors& file, const std::string& module) {
    const auto find = [&](const char* part) { return file.tensor(module + "." + part); };
    LinearTensors t;
    t.weight = find("weight");
    t.weight_scale = find("weight_scale");
    t.weight_scale_inv = find("weight_scale_inv");
    t.weight_scale_2 = find("weight_scale_2");
    t.weight_packed = find("weight_packed");
    t.weight_global_scale = find("weight_global_scale");
    t.weight_zero_point = find("weight_zero_point");
    t.weight_shape = find("weight_shape");
    t.weight_g_idx = find("weight_g_idx");
    t.qweight = find("qweight");
    t.qzeros = find("qzeros");
    t.scales = find("scales");
    t.g_idx = find("g_idx");
    return t;
}

base::Result<Linear> check_linear(const Safetensors& file, const std::string& module, int rows, int cols, const LinearScheme& scheme) {
    const LinearTensors tensors = find_linear(file, module);
    if (!tensors.weight && !tensors.weight_packed && !tensors.qweight) {
        const bool packed = tensors.weight_shape || tensors.weight_global_scale || (tensors.weight_scale && tensors.weight_scale->dtype == Dtype::u8);
        const char* const codes = tensors.qzeros || tensors.scales || tensors.g_idx ? ".qweight" : packed ? ".weight_packed" : ".weight";
        return base::error(Code::corrupt, file.path().string() + ": tensor '" + module + codes + "' is missing", kFetchAgain);
    }
    return check_linear(file, tensors, rows, cols, scheme);
}

base::Result<Linear> check_linear(const Safetensors& file, const LinearTensors& tensors, int rows, int cols, const LinearScheme& scheme) {
    Checker checker{file, tensors, scheme, {}};
    checker.out.rows = rows;
    checker.out.cols = checker.out.inputs = cols;
    if (auto error = checker.any()) return *std::move(error);
    if (auto error = checker.said_otherwise()) return *std::move(error);
    return std::move(checker.out);
}

base::Result<Linear> check_mxfp4_experts(const Safetensors& file, const std::string& blocks, const std::string& scales, int experts,
                                         int stored_rows, int cols, int first_row, int row_step) {
    const LinearTensors tensors;
    const LinearScheme scheme;
    Checker checker{file, tensors, scheme, {}};
    Linear& out = checker.out;
    out.kind = Kind::mxfp4;
    out.format = Format::mxfp4;
    out.rows = experts * (stored_rows / row_step);
    out.cols = out.inputs = cols;
    out.first_row = first_row;
    out.row_step = row_step;
    for (const std::string& name : {blocks, scales})
        if (!file.tensor(name)) return base::error(Code::corrupt, file.path().string() + ": tensor '" + name + "' is missing", kFetchAgain);
    out.codes = file.tensor(blocks);
    out.scales = file.tensor(scales);
    out.group = 32;
    const std::uint64_t e = std::uint64_t(experts), r = std::uint64_t(stored_rows), c = std::uint64_t(cols) / 32;
    if (auto error = checker.columns(*out.codes, 32)) return *std::move(error);
    if (auto error = checker.dtype(*out.codes, {Dtype::u8})) return *std::move(error);
    if (auto error = checker.shape(*out.codes, {e, r, c, 16})) return *std::move(error);
    if (auto error = checker.dtype(*out.scales, {Dtype::u8, Dtype::f8_e8m0})) return *std::move(error);
    if (auto error = checker.shape(*out.scales, {e, r, c})) return *std::move(error);
    if (stored_rows % row_step != 0)
        return file.error(*out.codes, "has " + std::to_string(stored_rows) + " rows, expected a multiple of " + std::to_string(row_step));
    return std::move(out);
}

OwnedWeight own(const Linear& linear) {
    OwnedWeight out;
    out.weight = {linear.format, Layout::plain, linear.rows, linear.cols, linear.in_place()};
    if (!out.weight.data) {
        out.bytes.resize(linear.bytes());
        read_rows(linear, 0, linear.rows, out.bytes.data());
        out.weight.data = out.bytes.data();
    }
    if (linear.scale != 1) {
        out.scales = {linear.scale};
        out.weight.scales = out.scales.data();
    }
    if (!linear.order.empty()) {
        out.order = linear.order;
        out.weight.order = out.order.data();
    }
    return out;
}

}  // namespace engine
