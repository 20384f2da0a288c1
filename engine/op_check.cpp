#include "engine/op_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>

#include "engine/device/huge_memory.h"

namespace engine {
namespace {

// Activations of int8 or BF16, of evenly spread values; sums of float32 in another order.
constexpr double kMostRounded = 0.05, kMostFloat = 1e-3;
constexpr int kRows = 5, kColumns = 64, kOutputs = 48;

// Numbers that are spread evenly and the same everywhere.
std::vector<float> numbers(std::size_t n, unsigned seed) {
    std::vector<float> out;
    for (std::size_t i = 0; i < n; ++i) {
        seed = seed * 1664525u + 1013904223u;
        out.push_back(float(int(seed >> 8 & 0xffff) - 0x8000) / 0x8000);
    }
    return out;
}

struct Table {
    const char* name;
    void (*to_ref)(Ops& ops, const Ops& ref);
    std::vector<float> (*run)(const Ops& ops, Exec& exec);  // what it gives for fixed inputs
    bool rounds;                          // its activations, in profile fast
};

std::vector<float> matmul(const Ops& ops, Exec& exec) {
    const std::size_t row = row_bytes(Format::q8_0, kColumns);
    std::vector<std::uint8_t> plain(row * kOutputs);
    const auto codes = numbers(plain.size(), 3);
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = std::uint8_t(std::int8_t(codes[i] * 127));
    const std::uint16_t scale = float_to_half(0.01f);
    for (std::size_t at = 0; at < plain.size(); at += std::size_t(info(Format::q8_0).bytes)) std::memcpy(&plain[at], &scale, 2);
    Weight w{Format::q8_0, Layout::plain, kOutputs, kColumns, plain.data(), plain.size()};
    const std::size_t packed = ops.packed_bytes(w.format, w.rows, w.cols);
    auto memory = HugeMemory::allocate(std::max<std::size_t>(packed, 64), "checking operations");
    if (!memory) throw std::bad_alloc();
    if (packed > 0) {
        ops.pack(w, memory->data());
        w.layout = Layout::panel16, w.data = memory->data();
    }
    auto x = numbers(kRows * kColumns, 5);
    std::vector<float> out(kRows * kOutputs);
    const MatmulJob job{&w, {out.data(), kRows, kOutputs}, nullptr, false};
    ops.matmul(&job, 1, {x.data(), kRows, kColumns}, exec);
    return out;
}

std::vector<float> rms_norm(const Ops& ops, Exec& exec) {
    auto x = numbers(kRows * kColumns, 7);
    const auto w = numbers(kColumns, 9);
    ops.rms_norm({x.data(), kRows, kColumns}, {x.data(), kRows, kColumns}, w.data(), 1e-6f, exec);
    return x;
}

std::vector<float> rope(const Ops& ops, Exec& exec) {
    auto x = numbers(kRows * kColumns, 11);
    const std::int32_t positions[kRows] = {0, 1, 77, 4096, 99};
    float frequencies[kColumns / 2];
    for (int i = 0; i < kColumns / 2; ++i) frequencies[i] = float(std::pow(1e4, -2.0 * i / kColumns));
    ops.rope({x.data(), kRows, kColumns}, {positions, frequencies, kColumns, kColumns, true, 1}, exec);
    return x;
}

std::vector<float> activate(const Ops& ops, Exec& exec) {
    auto gate = numbers(kRows * kColumns, 13), up = numbers(kRows * kColumns, 17);
    ops.activate({gate.data(), kRows, kColumns}, {gate.data(), kRows, kColumns}, {up.data(), kRows, kColumns}, Activation::silu, exec);
    return gate;
}

std::vector<float> add_scaled(const Ops& ops, Exec& exec) {
    auto out = numbers(kRows * kColumns, 19), x = numbers(kRows * kColumns, 23);
    ops.add_scaled({out.data(), kRows, kColumns}, {x.data(), kRows, kColumns}, -0.5f, exec);
    return out;
}

std::vector<float> attention(const Ops& ops, Exec& exec) {
    constexpr int rows = 12;  // as many as are computed together
    auto k = numbers(kKvBlock * kColumns, 29), v = numbers(kKvBlock * kColumns, 31), q = numbers(rows * 2 * kColumns, 37);
    std::vector<float> out(q.size());
    const std::int32_t block = 0;
    const SequenceRows sequence{0, rows, kKvBlock - rows, &block};
    ops.attention({{out.data(), rows, 2 * kColumns}, {q.data(), rows, 2 * kColumns}, {k.data(), v.data(), KvFormat::f32, 1, kColumns}, &sequence, 1, 2, 0.125f}, exec);
    return out;
}

std::vector<float> convolve(const Ops& ops, Exec& exec) {
    constexpr int kernel = 4;
    auto x = numbers(kRows * kColumns, 41), w = numbers(kernel * kColumns, 43), state = numbers((kernel - 1) * kColumns, 47);
    std::vector<float> out(x.size());
    const SequenceRows sequence{0, kRows, 3, nullptr, state.data()};
    ops.convolve({{out.data(), kRows, kColumns}, {x.data(), kRows, kColumns}, w.data(), nullptr, kernel, true, &sequence, 1}, exec);
    return out;
}

std::vector<float> gated_delta(const Ops& ops, Exec& exec) {
    constexpr int dim = 16, heads = 2;
    auto qkv = numbers(kRows * 3 * heads * dim, 53), alpha = numbers(kRows * heads, 59), beta = numbers(kRows * heads, 61), state = numbers(heads * dim * dim, 67);
    const float a[heads] = {-0.5f, -1}, bias[heads] = {0.1f, 0.2f};
    std::vector<float> out(std::size_t(kRows) * heads * dim);
    const SequenceRows sequence{0, kRows, 3, nullptr, state.data()};
    DeltaArgs args{.out = {out.data(), kRows, heads * dim}, .qkv = {qkv.data(), kRows, 3 * heads * dim}, .alpha = {alpha.data(), kRows, heads}, .beta = {beta.data(), kRows, heads}, .a = a, .dt_bias = bias};
    args.key_heads = args.value_heads = heads, args.key_dim = args.value_dim = dim, args.sequences = &sequence, args.n_sequences = 1;
    ops.gated_delta(args, exec);
    return out;
}

std::vector<float> selective_scan(const Ops& ops, Exec& exec) {
    constexpr int heads = 2, dim = 16, states = 16;
    auto xbc = numbers(kRows * (heads * dim + 2 * states), 71), dt = numbers(kRows * heads, 73), state = numbers(heads * dim * states, 79);
    const float a[heads] = {-0.5f, -1}, d[heads] = {1, 0.5f}, bias[heads] = {0.1f, 0.2f};
    std::vector<float> out(std::size_t(kRows) * heads * dim);
    const SequenceRows sequence{0, kRows, 3, nullptr, state.data()};
    ScanArgs args{.out = {out.data(), kRows, heads * dim}, .xbc = {xbc.data(), kRows, heads * dim + 2 * states}, .dt = {dt.data(), kRows, heads}, .a = a, .d = d, .dt_bias = bias};
    args.heads = heads, args.head_dim = dim, args.state_size = states, args.groups = 1, args.sequences = &sequence, args.n_sequences = 1;
    ops.selective_scan(args, exec);
    return out;
}

// Experts lie as matrices do, so the two go together.
constexpr Table kTable[] = {
    {"matmul", [](Ops& o, const Ops& ref) { o.matmul = ref.matmul, o.moe_ffn = ref.moe_ffn, o.packed_bytes = ref.packed_bytes, o.pack = ref.pack; }, matmul, true},
    {"attention", [](Ops& o, const Ops& ref) { o.attention = ref.attention; }, attention, true},
    {"rms_norm", [](Ops& o, const Ops& ref) { o.rms_norm = ref.rms_norm; }, rms_norm, false},
    {"rope", [](Ops& o, const Ops& ref) { o.rope = ref.rope; }, rope, false},
    {"activate", [](Ops& o, const Ops& ref) { o.activate = ref.activate; }, activate, false},
    {"add_scaled", [](Ops& o, const Ops& ref) { o.add_scaled = ref.add_scaled; }, add_scaled, false},
    {"convolve", [](Ops& o, const Ops& ref) { o.convolve = ref.convolve; }, convolve, false},
    {"gated_delta", [](Ops& o, const Ops& ref) { o.gated_delta = ref.gated_delta; }, gated_delta, false},
    {"selective_scan", [](Ops& o, const Ops& ref) { o.selective_scan = ref.selective_scan; }, selective_scan, false},
};

double relative_error(const std::vector<float>& got, const std::vector<float>& want) {
    double error = 0, size = 0;
    for (std::size_t i = 0; i < want.size(); ++i) error += std::pow(double(got[i]) - want[i], 2), size += std::pow(double(want[i]), 2);
    return std::sqrt(error / size);
}

}  // namespace

std::vector<std::string> switchable_ops() {
    std::vector<std::string> out;
    for (const Table& one : kTable) out.push_back(one.name);
    return out;
}

bool leave_to_ref(Ops& ops, const std::string& name) {
    const auto* found = std::ranges::find(kTable, name, &Table::name);
    if (found == std::end(kTable)) return false;
    found->to_ref(ops, ref_ops());
    return true;
}

std::vector<FailedOp> failed_ops(const Ops& ops, bool exact, Pool& pool) {
    std::vector<FailedOp> out;
    std::vector<std::uint8_t> memory(std::size_t(16) << 20);
    for (const Table& one : kTable) {
        Scratch scratch(memory.data(), memory.size());
        Exec exec{&pool, &scratch};
        try {
            const double error = relative_error(one.run(ops, exec), one.run(ref_ops(), exec)), most = one.rounds && !exact ? kMostRounded : kMostFloat;
            if (error <= most) continue;  // and not, where it is not a number
            char text[96];
            std::snprintf(text, sizeof text, "its check at the start was off by %.2g, %.2g allowed", error, most);
            out.push_back({one.name, text});
        } catch (const std::exception& e) {
            out.push_back({one.name, std::string("its check at the start failed: ") + e.what()});
        }
    }
    return out;
}

}  // namespace engine
