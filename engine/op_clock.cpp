#include "engine/op_clock.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "engine/ops/op_list.h"
#include "engine/ops/panel.h"
#include "engine/steady_seconds.h"

namespace engine {
namespace {

double bytes_of(const Weight& w, const Ops& ops) {
    const std::size_t packed = w.layout == Layout::panel16 ? ops.packed_bytes(w.format, w.rows, w.cols) : 0;
    return double(packed ? packed : row_bytes(w.format, std::size_t(w.cols)) * std::size_t(w.rows));
}

Arithmetic arithmetic_of(const Weight& w, const OpClock& clock) {
    if (clock.exact() || w.layout == Layout::plain) return Arithmetic::float32;
    if (w.format == Format::bf16) return Arithmetic::bf16;
    return has_float_values(w.format) ? Arithmetic::float32 : Arithmetic::int8;
}

void add_format(std::string& list, Format format) {
    const std::string name = info(format).name;
    if (("+" + list + "+").find("+" + name + "+") == std::string::npos) list += (list.empty() ? "" : "+") + name;
}

OpCost cost(const OpClock& clock, const MatmulJob* jobs, int n_jobs, const Mat& x, Exec&) {
    OpCost out{.rows = x.rows, .inputs = x.cols, .arithmetic = arithmetic_of(*jobs->w, clock)};
    for (const MatmulJob* job = jobs; job < jobs + n_jobs; ++job) {
        add_format(out.formats, job->w->format);
        out.outputs += job->w->rows;
        out.bytes += bytes_of(*job->w, clock.inner());
        out.operations += 2.0 * x.rows * job->w->rows * job->w->cols;
    }
    return out;
}

OpCost cost(const OpClock& clock, const MoeArgs& args, Exec&) {
    OpCost out{.rows = args.x.rows, .outputs = args.gate.rows, .inputs = args.x.cols, .arithmetic = arithmetic_of(args.gate, clock)};
    const int pairs = args.x.rows * args.used;
    const std::set<std::int32_t> chosen(args.chosen, args.chosen + pairs);
    for (const Weight* w : {&args.gate, &args.up, &args.down}) {
        add_format(out.formats, w->format);
        out.bytes += double(chosen.size()) * bytes_of(*w, clock.inner());
        out.operations += 2.0 * pairs * w->rows * w->cols;
    }
    return out;
}

OpCost cost(const OpClock& clock, const AttentionArgs& args, Exec&) {
    constexpr const char* formats[] = {"F32", "F16", "INT8", "BF16", "FP8"};  // by KvFormat
    OpCost out{.formats = formats[int(args.kv.format)], .rows = args.q.rows, .outputs = args.q.cols};
    double seen = 0, keys = 0;
    for (const SequenceRows* s = args.sequences; s < args.sequences + args.n_sequences; ++s) {
        const int end = s->context + s->rows, begin = args.window > 0 ? std::max(0, s->context + 1 - args.window) : 0;
        keys += end - begin;
        for (int r = 0; r < s->rows; ++r) {
            const int before = args.causal ? s->context + r + 1 : end;
            seen += args.window > 0 ? std::min(args.window, before) : before;
        }
        if (s->rows > 1 && !clock.exact()) out.arithmetic = Arithmetic::bf16;
    }
    out.inputs = args.q.rows > 0 ? int(seen / args.q.rows) : 0;
    out.bytes = keys / kKvBlock * args.kv.kv_heads * double(kv_head_bytes(args.kv.format, args.kv.head_dim)) * (args.kv.k == args.kv.v ? 1 : 2);
    out.operations = 4 * seen * args.q.cols;
    return out;
}

// Recurrences read and write the state of each sequence, in float.
OpCost state_cost(int rows, int sequences, int heads, int keys, int values, int operations) {
    const double state = double(heads) * keys * values;
    return {"F32", rows, heads * values, keys, sequences * state * sizeof(float) * 2, rows * state * operations};
}

// Decay, Sᵀk, the rank-one sum and Sᵀq: one operation and three times two for each value of the state.
OpCost cost(const OpClock&, const DeltaArgs& a, Exec&) { return state_cost(a.qkv.rows, a.n_sequences, a.value_heads, a.key_dim, a.value_dim, 7); }

// Decay, the rank-one sum and S C.
OpCost cost(const OpClock&, const ScanArgs& a, Exec&) { return state_cost(a.xbc.rows, a.n_sequences, a.heads, a.state_size, a.head_dim, 5); }

// The others work on what is in the caches.
template <class... A>
OpCost cost(const OpClock&, const A&...) {
    return {};
}


// Operation i of the list, with the clock around it.
template <std::size_t i, class F = decltype(std::get<i>(kStepOps).op)>
struct Timed;
template <std::size_t i, class... A>
struct Timed<i, void (*Ops::*)(A...)> {
    static void call(A... args) {
        OpClock& clock = *std::get<sizeof...(A) - 1>(std::tie(args...)).clock;
        const double begin = steady_seconds();
        (clock.inner().*std::get<i>(kStepOps).op)(args...);
        const double seconds = steady_seconds() - begin;
        clock.add(std::get<i>(kStepOps).name, cost(clock, args...), seconds);
    }
};

template <std::size_t... i>
void time_all(Ops& ops, std::index_sequence<i...>) {
    ((ops.*std::get<i>(kStepOps).op = Timed<i>::call), ...);
}

}  // namespace

OpClock::OpClock(const Ops& ops, bool exact) : inner_(ops), exact_(exact), timed_(ops) {
    time_all(timed_, std::make_index_sequence<std::tuple_size_v<decltype(kStepOps)>>());
}

void OpClock::add(const char* op, const OpCost& cost, double seconds) {
    OpTime& time = times_[{op, cost.formats, cost.rows, cost.outputs, cost.inputs}];
    if (time.calls == 0) time.op = op, time.cost = cost;
    const double calls = ++time.calls;
    time.seconds += seconds;
    time.cost.bytes += (cost.bytes - time.cost.bytes) / calls;  // steps choose different experts
    time.cost.operations += (cost.operations - time.cost.operations) / calls;
}

std::vector<OpTime> OpClock::times() const {
    std::vector<OpTime> out;
    for (const auto& [key, time] : times_) out.push_back(time);
    std::ranges::sort(out, std::greater<>(), &OpTime::seconds);
    return out;
}

}  // namespace engine
