// A checkpoint's matrices as the model wants them: where they lie in the file, or made row by row.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "engine/model/checkpoint_tensors.h"

namespace engine {
namespace {

using Kind = Linear::Kind;

// A matrix of a stack: rows of a module from `first` on.
struct Piece {
    std::shared_ptr<const Linear> linear;
    int first = 0;
};

Stored stack(const Safetensors& file, std::string name, int rows, std::vector<Piece> pieces) {
    Stored out;
    out.name = std::move(name);
    const Linear& one = *pieces[0].linear;
    out.format = one.format;
    out.rows = rows, out.cols = one.cols;
    if (one.inputs != one.cols) out.inputs = one.inputs;
    out.eight_bits = one.bits == 8;
    const bool scaled = std::ranges::any_of(pieces, [](const Piece& p) { return p.linear->scale != 1; });
    const bool ordered = std::ranges::any_of(pieces, [](const Piece& p) { return !p.linear->order.empty(); });
    for (const Piece& piece : pieces) {
        const std::uint8_t* const at = piece.linear->in_place();
        out.in_place.push_back(at ? at + row_bytes(out.format, std::size_t(out.cols)) * std::size_t(piece.first) : nullptr);
        if (scaled) out.scales.push_back(piece.linear->scale);
        for (int c = 0; ordered && c < out.cols; ++c) out.order.push_back(piece.linear->order.empty() ? c : piece.linear->order[std::size_t(c)]);
    }
    const auto shared = std::make_shared<const std::vector<Piece>>(std::move(pieces));
    out.read = [shared](int matrix, int begin, int end, std::uint8_t* to) {
        const Piece& piece = (*shared)[std::size_t(matrix)];
        read_rows(*piece.linear, piece.first + begin, piece.first + end, to);
    };
    out.release = [&file, shared, rows](int matrix) {
        const auto& [linear, first] = (*shared)[std::size_t(matrix)];
        const auto all = linear->codes->data;
        const std::size_t whole = std::size_t(linear->rows), from = all.size() * std::size_t(first) / whole;
        file.release(*linear->codes, all.subspan(from, all.size() * std::size_t(first + rows) / whole - from));
    };
    return out;
}

}  // namespace

base::Result<Stored> CheckpointTensors::matrices(const std::string& name, int rows, int cols, int count) {
    const Found found = find(name);
    switch (found.step) {
        case Step::first_half: case Step::second_half: return half(found, rows, cols);
        case Step::head_keys: case Step::head_values: return heads(found, rows, cols, count);
        case Step::delta_qkv: case Step::delta_gate: return delta(found, rows, cols);
        case Step::even_outputs: case Step::odd_outputs:
            return in_blocks(found) ? blocks(found, rows, cols, count) : turned(found, rows, cols, count);
        case Step::transposed:
            if (in_blocks(found)) return blocks(found, rows, cols, count);
            break;
        case Step::as_is: case Step::plus_one: case Step::minus_exp: break;
    }
    const bool one_tensor = found.whole || (count > 1 && !found.of_experts);
    if (!one_tensor) return modules(found, rows, cols, count);
    if (is_quantised_stack(found)) return sliced(found, rows, cols, count);
    return is_turned(found, rows, cols) ? turned(found, rows, cols, count) : fused(found, rows, cols, count);
}

base::Result<Stored> CheckpointTensors::modules(const Found& found, int rows, int cols, int count) {
    std::vector<Piece> pieces;
    for (int e = 0; e < count; ++e) {
        const std::string module = found.of_expert(e);
        auto one = linear(module, rows, cols);
        if (!one) return std::move(one).error();
        if (e > 0 && one->cols != pieces[0].linear->cols) return file_.error(*one->codes, "is stored by other groups or bits than the first expert's", base::Code::unsupported);
        if (e > 0 && one->format != pieces[0].linear->format)
            return file_.error(*one->codes, std::string("is ") + info(one->format).name + ", but the first expert's is " + info(pieces[0].linear->format).name, base::Code::unsupported);
        pieces.push_back({std::make_shared<const Linear>(*std::move(one))});
    }
    return stack(file_, found.tensor(), rows, std::move(pieces));
}

namespace {

// Parts of a stack of modules in one tensor each, by what follows the name of the stack.
struct StackPart {
    const char* ending;
    const SafeTensor* LinearTensors::*part;  // null: of activations
};
constexpr StackPart kStackParts[] = {
    {"_scale", &LinearTensors::weight_scale}, {"_weight_scale", &LinearTensors::weight_scale}, {".weight_scale", &LinearTensors::weight_scale},
    {"_scale_inv", &LinearTensors::weight_scale_inv}, {"_weight_scale_inv", &LinearTensors::weight_scale_inv}, {".weight_scale_inv", &LinearTensors::weight_scale_inv},
    {"_weight_scale_2", &LinearTensors::weight_scale_2}, {".weight_scale_2", &LinearTensors::weight_scale_2},
    {"_weight_packed", &LinearTensors::weight_packed}, {".weight_packed", &LinearTensors::weight_packed},
    {"_weight_global_scale", &LinearTensors::weight_global_scale}, {".weight_global_scale", &LinearTensors::weight_global_scale},
    {"_weight_zero_point", &LinearTensors::weight_zero_point}, {".weight_zero_point", &LinearTensors::weight_zero_point},
    {"_input_scale", nullptr}, {".input_scale", nullptr}, {"_activation_scale", nullptr}, {".input_global_scale", nullptr},
};

}  // namespace

bool CheckpointTensors::is_quantised_stack(const Found& found) const {
    const SafeTensor* const whole = file_.tensor(found.tensor());
    if (whole && (whole->dtype == Dtype::f8_e4m3 || whole->dtype == Dtype::u8 || whole->dtype == Dtype::i8)) return true;
    return std::ranges::any_of(kStackParts, [&](const StackPart& part) { return part.part && file_.tensor(found.name + part.ending); });
}

// Quantised matrices of all experts in one tensor each of codes and scales: the expert comes first. A scale of one value is
// that of them all.
base::Result<Stored> CheckpointTensors::sliced(const Found& found, int rows, int cols, int count) {
    std::vector<LinearTensors> parts(static_cast<std::size_t>(count));
    const auto cut = [&](const std::string& name, const SafeTensor* LinearTensors::*part) -> base::Result<void> {
        const SafeTensor* const whole = use(name);
        if (!whole || !part) return {};
        std::uint64_t values = 1;
        for (const std::uint64_t dim : whole->shape) values *= dim;
        const bool shared = values == 1;
        if (!shared && (whole->shape.empty() || whole->shape[0] != std::uint64_t(count)))
            return file_.error(*whole, "has shape " + shape_text(whole->shape) + ", expected " + std::to_string(count) + " experts first");
        for (int e = 0; e < count; ++e) {
            SafeTensor one = *whole;
            if (!shared) {
                const std::size_t bytes = whole->data.size() / std::size_t(count);
                one.shape.erase(one.shape.begin());
                one.data = whole->data.subspan(std::size_t(e) * bytes, bytes);
            }
            slices_.push_back(std::move(one));
            parts[std::size_t(e)].*part = &slices_.back();
        }
        return {};
    };
    if (auto done = cut(found.tensor(), &LinearTensors::weight); !done) return std::move(done).error();
    for (const StackPart& part : kStackParts)
        if (auto done = cut(found.name + part.ending, part.part); !done) return std::move(done).error();
    std::vector<Piece> pieces;
    for (const LinearTensors& part : parts) {
        if (!part.weight && !part.weight_packed) return base::error(base::Code::corrupt, file_.path().string() + ": tensor '" + found.tensor() + "' is missing", kFetchAgain);
        auto one = check_linear(file_, part, rows, cols, quantisation_.scheme(found.name));
        if (!one) return std::move(one).error();
        if (one->kind == Kind::plain) return file_.error(*one->codes, "has scales beside it and is of plain floats");
        if (const auto wrong = quantisation_.contradiction(found.name, one->kind)) return file_.error(*one->codes, *wrong);
        pieces.push_back({std::make_shared<const Linear>(*std::move(one))});
    }
    return stack(file_, found.tensor(), rows, std::move(pieces));
}

// Methods that take modules only leave a stack as it is.
base::Result<void> CheckpointTensors::check_plain_stack(const Found& found, const SafeTensor& tensor) const {
    if (quantisation_.takes_stacks())
        if (const auto wrong = quantisation_.contradiction(found.name, Kind::plain)) return file_.error(tensor, *wrong);
    return {};
}

// Whether a stack has inputs as rows. Its shape tells, where the two differ; else the family.
bool CheckpointTensors::is_turned(const Found& found, int rows, int cols) const {
    const SafeTensor* const tensor = file_.tensor(found.tensor());
    if (!tensor || tensor->shape.size() != 3 || rows == cols) return found.step == Step::transposed;
    return tensor->shape[1] == std::uint64_t(cols) && tensor->shape[2] == std::uint64_t(rows);
}

// Plain matrices of all experts in one tensor.
base::Result<Stored> CheckpointTensors::fused(const Found& found, int rows, int cols, int count) {
    auto tensor = this->tensor(found.tensor(), {std::uint64_t(cols), std::uint64_t(rows), std::uint64_t(count)});
    if (!tensor) return std::move(tensor).error();
    const auto format = float_format(**tensor);
    if (!format) return format.error();
    if (auto done = check_plain_stack(found, **tensor); !done) return std::move(done).error();
    Linear all;
    all.format = *format;
    all.rows = rows * count, all.cols = all.inputs = cols;
    all.codes = *tensor;
    const auto shared = std::make_shared<const Linear>(all);
    std::vector<Piece> pieces;
    for (int e = 0; e < count; ++e) pieces.push_back({shared, e * rows});
    return stack(file_, found.tensor(), rows, std::move(pieces));
}

// gpt_oss's experts in MXFP4, which are stored with outputs as rows.
base::Result<Stored> CheckpointTensors::blocks(const Found& found, int rows, int cols, int count) {
    const bool second = found.step != Step::transposed;
    auto all = check_mxfp4_experts(file_, found.name + "_blocks", found.name + "_scales", count, second ? 2 * rows : rows, cols,
                                   found.step == Step::odd_outputs, second ? 2 : 1);
    if (!all) return std::move(all).error();
    use(found.name + "_blocks");
    use(found.name + "_scales");
    if (const auto wrong = quantisation_.contradiction(found.name, all->kind)) return file_.error(*all->codes, *wrong);
    const auto shared = std::make_shared<const Linear>(*std::move(all));
    std::vector<Piece> pieces;
    for (int e = 0; e < count; ++e) pieces.push_back({shared, e * rows});
    return stack(file_, found.name, rows, std::move(pieces));
}

base::Result<Stored> CheckpointTensors::half(const Found& found, int rows, int cols) {
    auto both = linear(found.name, 2 * rows, cols);
    if (!both) return std::move(both).error();
    return stack(file_, found.tensor(), rows, {{std::make_shared<const Linear>(*std::move(both)), found.step == Step::second_half ? rows : 0}});
}

namespace {

// A matrix of each of `count` pieces of `inputs` stored rows, turned: row r, column c is the value `first + r * step` of the piece's
// row c, whose own `width` there are.
Stored turned_rows(const Safetensors& file, const SafeTensor& tensor, Format format, int rows, int cols, int count, std::size_t piece_rows,
                   std::size_t width, std::size_t first, std::size_t step) {
    Stored out;
    out.name = tensor.name;
    out.format = format;
    out.rows = rows, out.cols = cols;
    out.in_place.assign(std::size_t(count), nullptr);
    const std::size_t bytes = std::size_t(info(format).bytes);
    const std::uint8_t* const data = tensor.data.data();
    out.read = [=](int matrix, int begin, int end, std::uint8_t* to) {
        for (int r = begin; r < end; ++r)
            for (int c = 0; c < cols; ++c, to += bytes) {
                const std::size_t row = std::size_t(matrix) * piece_rows + std::size_t(c);
                std::memcpy(to, data + (row * width + first + std::size_t(r) * step) * bytes, bytes);
            }
    };
    out.release = [&file, &tensor, piece_rows, width, bytes](int matrix) {
        const std::size_t one = piece_rows * width * bytes;
        file.release(tensor, tensor.data.subspan(std::size_t(matrix) * one, one));
    };
    return out;
}

}  // namespace

// Experts in floats with inputs as rows; gpt_oss's gate and up take turns.
base::Result<Stored> CheckpointTensors::turned(const Found& found, int rows, int cols, int count) {
    const std::size_t step = found.step == Step::even_outputs || found.step == Step::odd_outputs ? 2 : 1, width = std::size_t(rows) * step;
    auto tensor = this->tensor(found.tensor(), {width, std::uint64_t(cols), std::uint64_t(count)});
    if (!tensor) return std::move(tensor).error();
    const auto format = float_format(**tensor);
    if (!format) return format.error();
    if (auto done = check_plain_stack(found, **tensor); !done) return std::move(done).error();
    return turned_rows(file_, **tensor, *format, rows, cols, count, std::size_t(cols), width, found.step == Step::odd_outputs, step);
}

// kv_b holds of each head the rows that make keys, then those that make values.
base::Result<Stored> CheckpointTensors::heads(const Found& found, int rows, int cols, int count) {
    const LatentConfig& l = config_.latent;
    const int of_head = l.plain + l.value;
    auto all = linear(found.name, count * of_head, l.kv_rank);
    if (!all) return std::move(all).error();
    const auto shared = std::make_shared<const Linear>(*std::move(all));
    std::vector<Piece> pieces;
    for (int h = 0; h < count; ++h) pieces.push_back({shared, h * of_head + (found.step == Step::head_values ? l.plain : 0)});
    if (found.step == Step::head_values) return stack(file_, found.tensor(), rows, std::move(pieces));
    if (shared->kind == Kind::plain)
        return turned_rows(file_, *shared->codes, shared->format, rows, cols, count, std::size_t(of_head), std::size_t(l.kv_rank), 0, 1);
    // Blocks run along the rows, so what is turned cannot stay in them.
    Stored keys = stack(file_, found.tensor(), cols, std::move(pieces)), out = keys;
    out.format = Format::f32;
    out.rows = rows, out.cols = cols;
    out.order.clear();
    out.inputs = 0;
    out.eight_bits = false;
    out.read = [keys = std::move(keys), rows, cols](int matrix, int begin, int end, std::uint8_t* to) {
        std::vector<std::uint8_t> blocks(keys.bytes());
        const std::size_t width = std::size_t(keys.cols), inputs = std::size_t(rows);
        std::vector<float> values(std::size_t(cols) * width), met(std::size_t(cols) * inputs), row(static_cast<std::size_t>(cols));
        keys.read(matrix, 0, cols, blocks.data());
        dequantise(keys.format, blocks.data(), values.data(), values.size());
        for (std::size_t i = 0; i < values.size(); ++i) met[i / width * inputs + (keys.order.empty() ? i % width : std::size_t(keys.order[i % width]))] += values[i];
        for (int r = begin; r < end; ++r, to += row.size() * sizeof(float)) {
            for (std::size_t c = 0; c < row.size(); ++c) row[c] = met[c * inputs + std::size_t(r)];
            std::memcpy(to, row.data(), row.size() * sizeof(float));
        }
    };
    return out;
}

// in_proj_qkvz holds of each key head its query, its key, and the values and gates of its value heads.
base::Result<Stored> CheckpointTensors::delta(const Found& found, int rows, int cols) {
    const RecurrentConfig& r = config_.recurrent;
    const int values = r.heads / r.key_heads * r.head_dim, group = 2 * r.key_dim + 2 * values;
    auto all = linear(found.name, r.key_heads * group, cols);
    if (!all) return std::move(all).error();
    std::vector<int> from;
    const auto add = [&](int first, int n) {
        for (int h = 0; h < r.key_heads; ++h)
            for (int i = 0; i < n; ++i) from.push_back(h * group + first + i);
    };
    if (found.step == Step::delta_qkv) {
        add(0, r.key_dim);
        add(r.key_dim, r.key_dim);
        add(2 * r.key_dim, values);
    } else {
        add(2 * r.key_dim + values, values);
    }
    Stored out = stack(file_, found.tensor(), r.key_heads * group, {{std::make_shared<const Linear>(*std::move(all))}});
    out.rows = rows;
    out.in_place = {nullptr};
    out.read = [read = out.read, from = std::move(from), row = row_bytes(out.format, std::size_t(out.cols))](int matrix, int begin, int end, std::uint8_t* to) {
        for (int i = begin; i < end; ++i, to += row) read(matrix, from[std::size_t(i)], from[std::size_t(i)] + 1, to);
    };
    return out;
}

}  // namespace engine
