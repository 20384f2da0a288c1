#include "engine/memory_plan.h"

#include <algorithm>
#include <string>

#include "engine/ops/ops.h"

namespace engine {
namespace {

constexpr std::uint64_t kDefaultPool = 65536;  // tokens

std::uint64_t blocks_up(std::uint64_t tokens) { return (tokens + kKvBlock - 1) / kKvBlock * kKvBlock; }

base::Error too_large(const MemoryPlan& plan, std::uint64_t tokens, const char* what) {
    const std::uint64_t kv = blocks_up(tokens) * plan.kv_bytes_per_token;
    return base::error(base::Code::resource_exhausted,
                       "the model needs " + mib(plan.weights) + " for weights, " + mib(plan.scratch) + " for scratch and " +
                           mib(kv) + " for the KV cache of " + std::to_string(tokens) + " tokens (" + what + "), together " +
                           mib(plan.weights + plan.scratch + kv) + "; the limit is " + mib(plan.limit) + ", available are " +
                           mib(plan.available),
                       "use a smaller model or quantisation, a shorter context, or raise the memory limit (model.utilisation, model.memory_mib)");
}

base::Error context_too_long(int asked, std::uint64_t trained) {
    return base::error(base::Code::invalid_argument,
                       "context " + std::to_string(asked) + " is more than the model was trained for (" + std::to_string(trained) + ")",
                       "ask for at most that");
}

std::uint64_t share_of(const LoadOptions& options, std::uint64_t available) { return available / 100 * std::uint64_t(options.memory_percent); }

void set_limit(MemoryPlan& plan, const LoadOptions& options) {
    plan.limit = memory_limit(options, plan.available);
    plan.percent = plan.limit == share_of(options, plan.available) ? options.memory_percent : 0;
}

MemoryPlan without_kv(const PlanInput& input, const LoadOptions& options) {
    MemoryPlan plan;
    plan.weights = input.weights;
    plan.scratch = input.scratch;
    plan.available = input.available;
    set_limit(plan, options);
    return plan;
}

// What cannot be less may take a larger share than what is planned beside it.
void make_room(MemoryPlan& plan, std::uint64_t needed, LoadOptions options) {
    if (needed <= plan.limit || options.needed_percent <= options.memory_percent || options.memory_limit) return;
    options.memory_percent = options.needed_percent;
    set_limit(plan, options);
}

}  // namespace

std::string mib(std::uint64_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB"; }

base::Result<MemoryPlan> plan_encoder(const PlanInput& input, const LoadOptions& options) {
    MemoryPlan plan = without_kv(input, options);
    plan.total = plan.weights + plan.scratch;
    make_room(plan, plan.total, options);
    if (options.context > input.trained_context) return context_too_long(options.context, input.trained_context);
    plan.context = options.context > 0 ? options.context : input.trained_context;
    if (plan.total <= plan.limit) return plan;
    return base::error(base::Code::resource_exhausted,
                       "the model needs " + mib(plan.weights) + " for weights and " + mib(plan.scratch) + " for scratch, together " + mib(plan.total) +
                           "; the limit is " + mib(plan.limit) + ", available are " + mib(plan.available),
                       "use a smaller model, or raise the memory limit (model.utilisation, model.memory_mib)");
}

base::Result<MemoryPlan> plan_memory(const PlanInput& input, const LoadOptions& options) {
    MemoryPlan plan = without_kv(input, options);
    plan.kv_bytes_per_token = std::max<std::uint64_t>(1, input.kv_bytes_per_token);
    plan.kv_format = kv_format_of(options);
    plan.kv_sum = input.kv_sum;
    const std::uint64_t fixed = plan.weights + plan.scratch;
    const std::uint64_t trained = std::uint64_t(std::max(1, input.trained_context));
    const std::uint64_t least = options.context > 0 ? std::uint64_t(options.context) : std::min<std::uint64_t>(512, trained);
    const std::uint64_t needed = fixed + blocks_up(std::max(least, options.kv_tokens)) * plan.kv_bytes_per_token;
    const bool tight = needed > plan.limit;
    make_room(plan, needed, options);
    if (fixed > plan.limit) return too_large(plan, least, "the least");
    const std::uint64_t most = tight ? std::min(plan.limit, needed) : plan.limit;
    const std::uint64_t room = (std::max(most, fixed) - fixed) / plan.kv_bytes_per_token / kKvBlock * kKvBlock;
    if (options.context > 0 && std::uint64_t(options.context) > trained)
        return context_too_long(options.context, trained);
    if (room < blocks_up(least)) return too_large(plan, least, options.context > 0 ? "as asked" : "the least");
    if (options.kv_tokens > room) return too_large(plan, options.kv_tokens, "as asked");
    std::uint64_t context = options.context > 0 ? std::uint64_t(options.context) : std::min(trained, room);
    std::uint64_t pool = options.kv_tokens;
    if (pool == 0)
        pool = options.fill ? room : std::max(context, std::min(kDefaultPool, context * std::uint64_t(std::max(1, options.max_sequences))));
    pool = std::min(blocks_up(pool), room);
    if (options.kv_tokens && options.context == 0) context = std::min(context, pool);
    if (context > pool) return too_large(plan, context, "one sequence");
    plan.context = int(context);
    plan.kv_tokens = pool;
    plan.kv = pool * plan.kv_bytes_per_token;
    plan.total = fixed + plan.kv;
    return plan;
}

KvFormat kv_format_of(const LoadOptions& options) { return options.kv_format.value_or(options.profile == Profile::fast ? KvFormat::f16 : KvFormat::f32); }

std::string_view name(KvFormat format) {
    switch (format) {
        case KvFormat::f32: return "f32";
        case KvFormat::f16: return "f16";
        case KvFormat::bf16: return "bf16";
        case KvFormat::int8: return "int8";
        case KvFormat::fp8: break;
    }
    return "fp8";
}

std::uint64_t memory_limit(const LoadOptions& options, std::uint64_t available) {
    const std::uint64_t limit = options.memory_limit ? std::min(options.memory_limit, available) : share_of(options, available);
    return options.ceiling ? std::min(limit, options.ceiling) : limit;
}

Capacity capacity(const MemoryPlan& plan) {
    Capacity out;
    if (plan.kv_bytes_per_token > 0)
        out.kv_tokens = (plan.limit - plan.weights - plan.scratch) / plan.kv_bytes_per_token / kKvBlock * kKvBlock;
    out.weights = plan.limit - plan.scratch - plan.kv;
    return out;
}

std::string MemoryPlan::text() const {
    const std::string cache = kv_tokens ? ", KV cache " + mib(kv) + " (" + std::to_string(kv_tokens) + " tokens as " + std::string(name(kv_format)) + ", " + std::to_string(kv_bytes_per_token) + " bytes a token)" : "";
    const std::string some = experts.cached() ? " (" + std::to_string(experts.slots) + " of " + std::to_string(experts.all()) + " experts in memory)" : "";
    return "weights " + mib(weights) + some + cache + ", scratch " + mib(scratch) + ", total " + mib(total) + " of " + mib(limit) + " (" + (percent ? std::to_string(percent) + " % of " : "") + mib(available) +
           " available), context " + std::to_string(context);
}

}  // namespace engine
