// The public face: a loaded model (Engine) and one token timeline on it (Session).
//
//   auto engine = engine::Engine::load({.path = "model.gguf"});
//   auto session = (*engine)->start({.prompt = {{.tokens = ids}}, .max_tokens = 64});
//   while (auto event = (*session)->next()) print(event->text);
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/probe.h"
#include "base/result.h"
#include "base/stop.h"
#include "engine/expert_options.h"
#include "engine/device/pool.h"
#include "engine/draft_source.h"
#include "engine/heat.h"
#include "engine/kv_store.h"
#include "engine/measure.h"
#include "engine/model/unsaid.h"
#include "engine/ops/plain_args.h"
#include "engine/request.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace engine {

// exact: float activations, rows independent of their batch (bitwise). fast: activations in the
// compute type of format and target. Fixed at load.
enum class Profile { exact, fast };

struct MemoryPlan;

struct LoadOptions {
    std::filesystem::path path{};
    Profile profile = Profile::fast;
    int threads = 0;                 // CPU threads of the compute pool; 0: from machine and cgroup
    std::shared_ptr<PoolShare> share{};  // with the pools of other models that compute at the same time; null: with none
    std::uint64_t memory_limit = 0;  // bytes for weights, KV and scratch; 0: memory_percent of what is available
    int memory_percent = 90;
    int needed_percent = 0;          // of the same, to which weights, scratch and the least cache may go where that is more
    std::uint64_t ceiling = 0;       // bytes that none of these may go beyond: what other models leave; 0: none
    int context = 0;                 // most tokens of one sequence; 0: the model's, capped by memory
    std::uint64_t kv_tokens = 0;     // size of the KV pool; 0: planned from memory
    bool fill = false;               // that pool then takes all that weights and scratch leave of the limit
    std::optional<KvFormat> kv_format{};  // none: as kv_format_of says
    ExpertOptions experts{};         // of a mixture
    int max_sequences = 8;           // decoded together; more wait
    int max_waiting = 256, max_waiting_each = 64;  // in all, of one person; more are refused
    std::vector<std::pair<std::string, std::filesystem::path>> adapters{};  // name and folder of each; see model/adapter.h
    bool drafts = true;              // guesses at tokens to come, where that is faster, from those of the following that are there
    int draft_length = 0;            // so many wherever there is something to guess; 0: as many as pay
    bool lookups = true, heads = true;  // the sequence's own tokens; the model's head for drafting
    std::filesystem::path draft{};   // a smaller model with the same vocabulary; empty: none
    KvStoreOptions kv_store{};       // of conversations whose salt is an audience's name
    std::uint64_t keep_free = 64ull << 20;  // bytes of the machine's memory; where less is left, generations end one by one
    std::function<std::uint64_t()> memory_left{};  // null: what the machine says
    std::function<Heat()> heat{};    // the same
    std::string target{};            // "" best of the machine, else "ref", "avx512", …; unknown is refused
    std::vector<std::string> plain_ops{};  // that ref computes in the target's place; unknown ones are refused
    std::function<void(const std::string& stage, double fraction)> progress{};
    std::function<void(const MemoryPlan&)> admit{};  // hears the plan before anything is allocated
    std::filesystem::path copy{};    // that convert made of path: loaded in its place; left aside, and removed, where it does not load and path does
    base::Log* log = nullptr;
};

// As the options ask; else half precision where activations are quantised as well, and floats where they are not.
KvFormat kv_format_of(const LoadOptions& options);
std::string_view name(KvFormat format);  // "f32", "f16", "bf16", "int8", "fp8"

// Bytes; every class of allocation is here before anything is loaded.
struct MemoryPlan {
    std::uint64_t weights = 0, kv = 0, scratch = 0, total = 0, limit = 0, available = 0;
    std::uint64_t kv_bytes_per_token = 0, kv_tokens = 0;
    int context = 0;
    KvFormat kv_format = KvFormat::f32;
    int percent = 0;     // of what is available that the limit is; 0: it was given in bytes
    std::string kv_sum;  // "24 layers × 2 heads × 64 × 2 (keys, values) × 2 bytes"
    ExpertPlan experts{};            // its cache is part of `weights`
    std::string text() const;
};

struct ModelInfo {
    std::string name, architecture, format;  // "Qwen2.5 …", "qwen2", "Q4_K_M"
    std::uint64_t parameters = 0, active_parameters = 0, file_bytes = 0;
    int layers = 0, hidden = 0, vocabulary = 0, experts = 0, experts_used = 0, trained_context = 0;
    std::uint64_t weight_bytes_per_token = 0;  // what one decode step must read
    Sampling default_sampling;                 // from the model's own configuration
    std::string chat_template;
    struct Templates {
        std::vector<std::string> names;     // that the file has
        std::string plain, with_tools;      // which of them is for requests without tools, and with them
    } templates;
    std::string bos_token, eos_token;
    bool encoder = false;      // makes vectors of texts and writes none
    std::vector<Unsaid> unsaid;  // by the file, and of consequence in the context that was loaded, else in the trained one
    std::string pooling;       // of a model that makes vectors of texts: "mean", "cls", "last", "max"; else empty
};

// Per op: the target that runs it, those that could, and why.
struct TargetChoice {
    std::string op, target, reason;
    std::vector<std::string> candidates;
};

// One request's timeline. next() blocks, so call it from a CPU thread that may wait; or use
// on_event to be told that poll() has something. Destroying a Session stops it.
class Session {
public:
    virtual ~Session() = default;
    virtual std::optional<TokenEvent> next() = 0;  // nullopt after the last event
    virtual std::optional<TokenEvent> poll() = 0;  // nullopt when nothing is there yet
    virtual void on_event(std::function<void()> callback) = 0;  // from the worker; must not block nor call the Session
    virtual void stop() = 0;                       // ends within one token
    virtual Usage usage() const = 0;
};

class Engine {
public:
    // Reads sizes only; says what a load would take.
    static base::Result<MemoryPlan> plan(const LoadOptions& options);
    static base::Result<ModelInfo> inspect(const std::filesystem::path& path);
    // A GGUF file, or of an encoder a folder as sentence-transformers writes it too.
    static base::Result<std::unique_ptr<Engine>> load(LoadOptions options);
    virtual ~Engine() = default;

    virtual const ModelInfo& info() const = 0;
    virtual const MemoryPlan& memory() const = 0;
    virtual Profile profile() const = 0;
    virtual std::vector<std::string> adapters() const = 0;  // their names
    virtual std::vector<TargetChoice> targets() const = 0;
    virtual std::shared_ptr<const text::Tokenizer> tokenizer() const = 0;
    // Null when the file has none.
    virtual std::shared_ptr<const text::ChatTemplate> chat_template() const = 0;
    virtual std::shared_ptr<const text::TokenTable> token_table() const = 0;

    // Refuses what can never run (an encoder, prompt longer than the context, empty prompt); else queues.
    virtual base::Result<std::unique_ptr<Session>> start(Request request, base::StopToken stop = {}) = 0;
    // Logits of every position, [n, vocabulary]: for golden tests and perplexity.
    virtual base::Result<std::vector<float>> logits(const std::vector<TokenId>& tokens) = 0;

    // One vector an input, each as if it were alone. Blocks until they are there; from any CPU thread.
    // {unsupported}: the model makes no vectors. {context_length_exceeded}: an input is too long.
    virtual base::Result<Embeddings> embed(const EmbeddingRequest& request, base::StopToken stop = {}) = 0;

    // For benches, while no request runs: what steps of that shape take, operation by operation, and what the machine gives
    // just now. They cost the prefix cache what room they need.
    virtual base::Result<StepTimes> time_steps(const StepShape& shape, int steps) = 0;
    virtual base::Result<Rates> rates() = 0;

    struct Held {
        int running = 0, waiting = 0;
    };
    struct Load {
        int running = 0, waiting = 0, max_waiting = 0;
        std::chrono::microseconds longest_wait{0};  // of those that wait
        std::uint64_t kv_used_tokens = 0, kv_cached_tokens = 0;
        std::uint64_t steps = 0, forced_tokens = 0, drafted_tokens = 0, accepted_tokens = 0;  // since the load
        std::uint64_t kv_disk_bytes = 0, kv_restored_tokens = 0;  // of what is kept on disk, and came from there since the load
        std::uint64_t kv_disk_failures = 0;  // writes and erasures that the disk refused since the load
        std::string kv_disk_error = {};      // why it keeps nothing just now; empty: it does, or is not asked to
        std::array<Held, kUrgencies> of = {};  // each urgency
        DraftCounts drafts = {};               // of each source
        std::uint64_t memory_stops = 0, heat_pauses = 0;  // answers ended and steps rested after since the load, see memory_guard.h and heat.h
        bool hot = false;
        std::optional<ExpertReport> experts{};  // where not all of them are in memory
    };
    virtual Load load_now() const = 0;

    // Erases what is kept on disk of requests with that salt.
    virtual void forget(const std::string& salt) = 0;
};

// CPU features, memory, NUMA, huge pages, GPU: what this machine can carry.
base::Probes probes();

}  // namespace engine
