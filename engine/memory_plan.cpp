#include "engine/memory_plan.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

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
                       "use a smaller model or quantisation, a shorter context, or raise the memory limit");
}

base::Error context_too_long(int asked, std::uint64_t trained) {
    return base::error(base::Code::invalid_argument,
                       "context " + std::to_string(asked) + " is more than the model was trained for (" + std::to_string(trained) + ")",
                       "ask for at most that");
}

// A file of the kernel's. It is read while answers are written, so nothing is allocated.
class SmallFile {
public:
    explicit SmallFile(const char* path) {
        const int file = ::open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) return;
        for (ssize_t n = 0; size_ < sizeof text_ && (n = ::read(file, text_ + size_, sizeof text_ - size_)) > 0;) size_ += std::size_t(n);
        ::close(file);
    }
    std::string_view text() const { return {text_, size_}; }

private:
    char text_[8192];
    std::size_t size_ = 0;
};

std::uint64_t number_at(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::uint64_t value = 0;
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc() ? value : UINT64_MAX;
}

// A number in a one-value file; UINT64_MAX when there is none ("max" included).
std::uint64_t number_in(const char* path) { return number_at(SmallFile(path).text()); }

std::uint64_t proc_value(const char* path, std::string_view key) {  // kB lines of /proc
    const SmallFile file(path);
    const auto at = file.text().find(key);
    const std::uint64_t value = at == std::string_view::npos ? UINT64_MAX : number_at(file.text().substr(at + key.size()));
    return value == UINT64_MAX ? value : value * 1024;
}

MemoryPlan without_kv(const PlanInput& input, const LoadOptions& options) {
    MemoryPlan plan;
    plan.weights = input.weights;
    plan.scratch = input.scratch;
    plan.available = input.available;
    plan.limit = memory_limit(options, input.available);
    return plan;
}

}  // namespace

std::string mib(std::uint64_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB"; }

base::Result<MemoryPlan> plan_encoder(const PlanInput& input, const LoadOptions& options) {
    MemoryPlan plan = without_kv(input, options);
    plan.total = plan.weights + plan.scratch;
    if (options.context > input.trained_context) return context_too_long(options.context, input.trained_context);
    plan.context = options.context > 0 ? options.context : input.trained_context;
    if (plan.total <= plan.limit) return plan;
    return base::error(base::Code::resource_exhausted,
                       "the model needs " + mib(plan.weights) + " for weights and " + mib(plan.scratch) + " for scratch, together " + mib(plan.total) +
                           "; the limit is " + mib(plan.limit) + ", available are " + mib(plan.available),
                       "use a smaller model, or raise the memory limit");
}

base::Result<MemoryPlan> plan_memory(const PlanInput& input, const LoadOptions& options) {
    MemoryPlan plan = without_kv(input, options);
    plan.kv_bytes_per_token = std::max<std::uint64_t>(1, input.kv_bytes_per_token);
    plan.kv_format = kv_format_of(options);
    const std::uint64_t fixed = plan.weights + plan.scratch;
    const std::uint64_t trained = std::uint64_t(std::max(1, input.trained_context));
    const std::uint64_t least = options.context > 0 ? std::uint64_t(options.context) : std::min<std::uint64_t>(512, trained);
    if (fixed > plan.limit) return too_large(plan, least, "the least");
    const std::uint64_t room = (plan.limit - fixed) / plan.kv_bytes_per_token / kKvBlock * kKvBlock;
    if (options.context > 0 && std::uint64_t(options.context) > trained)
        return context_too_long(options.context, trained);
    if (room < blocks_up(least)) return too_large(plan, least, options.context > 0 ? "as asked" : "the least");
    if (options.kv_tokens > room) return too_large(plan, options.kv_tokens, "as asked");
    std::uint64_t context = options.context > 0 ? std::uint64_t(options.context) : std::min(trained, room);
    std::uint64_t pool = options.kv_tokens;
    if (pool == 0)
        pool = std::max(context, std::min(kDefaultPool, context * std::uint64_t(std::max(1, options.max_sequences))));
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
        case KvFormat::int8: break;
    }
    return "int8";
}

std::uint64_t memory_limit(const LoadOptions& options, std::uint64_t available) {
    return options.memory_limit ? std::min(options.memory_limit, available) : available / 10 * 9;
}

Capacity capacity(const MemoryPlan& plan) {
    Capacity out;
    if (plan.kv_bytes_per_token > 0)
        out.kv_tokens = (plan.limit - plan.weights - plan.scratch) / plan.kv_bytes_per_token / kKvBlock * kKvBlock;
    out.weights = plan.limit - plan.scratch - plan.kv;
    return out;
}

std::uint64_t available_memory() {
    std::uint64_t out = proc_value("/proc/meminfo", "MemAvailable:");
    const std::uint64_t most = number_in("/sys/fs/cgroup/memory.max"), used = number_in("/sys/fs/cgroup/memory.current");
    if (most != UINT64_MAX && used != UINT64_MAX) out = std::min(out, most > used ? most - used : 0);
    rlimit space{};
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
        const std::uint64_t taken = proc_value("/proc/self/status", "VmSize:");
        if (taken != UINT64_MAX) out = std::min<std::uint64_t>(out, space.rlim_cur > taken ? space.rlim_cur - taken : 0);
    }
    return out == UINT64_MAX ? std::uint64_t(1) << 30 : out;
}

std::string MemoryPlan::text() const {
    const std::string cache = kv_tokens ? ", KV cache " + mib(kv) + " (" + std::to_string(kv_tokens) + " tokens as " + std::string(name(kv_format)) + ")" : "";
    return "weights " + mib(weights) + cache + ", scratch " + mib(scratch) + ", total " + mib(total) + " of " + mib(limit) + " (available " + mib(available) + "), context " +
           std::to_string(context);
}

}  // namespace engine
