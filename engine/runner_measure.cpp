#include <algorithm>
#include <atomic>
#include <cstring>

#include "engine/model/expert_cache.h"
#include "engine/runner.h"
#include "engine/steady_seconds.h"

namespace engine {
namespace {


constexpr double kLeastSeconds = 0.02;  // of a rate: what the clock and the scheduler disturb is then small

// That one CPU thread reads at once.
std::size_t piece_of(std::span<const std::uint8_t> bytes) { return bytes.size() < (1 << 20) ? 4 << 10 : 1 << 20; }

// Reads the bytes once on all CPU threads.
double read_seconds(std::span<const std::uint8_t> bytes, Pool& pool) {
    const std::size_t piece = piece_of(bytes);
    std::atomic<std::uint64_t> all{0};
    const auto part = [&](int item, int) {
        std::uint64_t sum[8] = {}, words[8];
        const std::size_t end = (std::size_t(item) + 1) * piece;
        for (std::size_t i = std::size_t(item) * piece; i < end; i += sizeof words) {
            std::memcpy(words, bytes.data() + i, sizeof words);
            for (int j = 0; j < 8; ++j) sum[j] ^= words[j];
        }
        for (const std::uint64_t s : sum) all += s;
    };
    const double begin = steady_seconds();
    pool.run(int(bytes.size() / piece), part);
    const double seconds = steady_seconds() - begin;
    asm volatile("" : : "r"(all.load()));
    return seconds;
}

// Other operations for a model, until its end.
class Instead {
public:
    Instead(const Ops*& ops, const Ops* others) : ops_(ops), own_(ops) { ops = others; }
    ~Instead() { ops_ = own_; }
    Instead(const Instead&) = delete;
    Instead& operator=(const Instead&) = delete;

private:
    const Ops*& ops_;
    const Ops* const own_;
};

double operations_a_second(const Ops& ops, Arithmetic arithmetic, Pool& pool) {
    for (long rounds = 10'000;; rounds *= 4) {
        std::vector<double> done(std::size_t(pool.threads()));
        const auto part = [&](int item, int) { done[std::size_t(item)] = ops.peak(arithmetic, rounds); };
        const double begin = steady_seconds();
        pool.run(pool.threads(), part);
        const double seconds = steady_seconds() - begin;
        double all = 0;
        for (const double one : done) all += one;
        if (seconds >= kLeastSeconds) return all / seconds;
    }
}

}  // namespace

double Runner::read_rate() {
    const auto weights = model_->ops->device->apart() ? std::span<const std::uint8_t>() : this->weights();
    const double read = double(weights.size() / piece_of(weights) * piece_of(weights));
    double seconds = 0, bytes = 0;
    while (read > 0 && seconds < kLeastSeconds) {
        seconds += read_seconds(weights, *pool_);
        bytes += read;
    }
    return seconds > 0 ? bytes / seconds : 0;
}

Rates Runner::rates() {
    const Ops& ops = *model_->ops;
    return {read_rate(), operations_a_second(ops, Arithmetic::int8, *pool_), operations_a_second(ops, Arithmetic::bf16, *pool_),
            operations_a_second(ops, Arithmetic::float32, *pool_)};
}

void Runner::rate_experts() {
    if (model_->experts) model_->experts->set_computing(double(model_->bytes_per_token) / std::max(1.0, read_rate()));
}

StepTimes Runner::time_steps(const StepShape& shape, int steps, std::span<const std::int32_t> blocks, bool exact) {
    // Pages that were never written would be read from the caches.
    for (const std::int32_t block : blocks) put_in(block, kKvBlock, std::string(kv_bytes(kKvBlock), 0));
    const std::size_t each = blocks.size() / std::size_t(shape.sequences);
    std::vector<std::int32_t> tokens(std::size_t(shape.rows));
    const auto prepare = [&](int step) {
        lists_.clear();
        for (int s = 0; s < shape.sequences; ++s) {
            for (int r = 0; r < shape.rows; ++r) tokens[std::size_t(r)] = std::int32_t((std::int64_t(step) * 613 + (s * shape.rows + r) * 7919 + 17) % std::min(model_->config.vocabulary, 30000));
            lists_.add({tokens.data(), shape.rows, shape.depth, blocks.data() + std::size_t(s) * each, 1, state(s, shape.depth)});
        }
    };
    const auto step = [&](int i, OpClock* clock) {
        prepare(i);
        const double begin = steady_seconds();
        run_wanted(nullptr, clock);
        return steady_seconds() - begin;
    };
    StepTimes out{.shape = shape, .steps = steps};
    const Rates before = rates();
    step(0, nullptr);
    OpClock clock(*model_->ops, exact);
    std::vector<double> seconds;
    for (int i = 1; i <= steps; ++i) {  // by turns, so that both are of the same moments
        seconds.push_back(step(i, nullptr));
        const Instead timed(model_->ops, clock.timed());
        step(i, &clock);
    }
    std::ranges::sort(seconds);
    out.least = seconds.front(), out.seconds = seconds[seconds.size() / 2], out.most = seconds.back();
    out.ops = clock.times();
    const Rates after = rates();
    out.rates = {(before.read + after.read) / 2, (before.int8 + after.int8) / 2, (before.bf16 + after.bf16) / 2, (before.float32 + after.float32) / 2};
    return out;
}

}  // namespace engine
