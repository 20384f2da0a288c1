// How an embedded model comes into memory and out of it again.
#include <algorithm>

#include "router/local_backend.h"
#include "text/output_parser.h"

namespace router {
namespace {

using base::Code;

// "matmul, attention: avx512; convolve: ref (no kernel of avx512 for it)"
std::string told_targets(const std::vector<engine::TargetChoice>& choices) {
    std::vector<std::pair<std::string, std::string>> groups;  // what runs them, and which
    for (const auto& one : choices) {
        const std::string runs = one.target + (one.target == "ref" ? " (" + one.reason + ")" : "");
        const auto same = std::ranges::find(groups, runs, &std::pair<std::string, std::string>::first);
        if (same == groups.end()) groups.emplace_back(runs, one.op);
        else same->second += ", " + one.op;
    }
    std::string out;
    for (const auto& [runs, ops] : groups) out += (out.empty() ? "" : "; ") + ops + ": " + runs;
    return out;
}

base::Json facts_of(engine::Engine& engine, const engine::LoadTimes& times) {
    const auto& info = engine.info();
    const auto& plan = engine.memory();
    base::Json targets = base::Json::array();
    for (const auto& t : engine.targets())
        targets.push_back({{"op", t.op}, {"target", t.target}, {"candidates", t.candidates}, {"reason", t.reason}});
    return {{"model", info.name},
            {"architecture", info.architecture},
            {"format", info.format},
            {"profile", engine.profile() == engine::Profile::exact ? "exact" : "fast"},
            {"context", plan.context},
            {"kv_tokens", plan.kv_tokens},
            {"kv_format", engine::name(plan.kv_format)},
            {"memory_bytes", plan.total},
            {"loaded_in", times.text()},
            {"load", {{"seconds", times.seconds}, {"bytes", times.file_bytes}, {"mb_per_s", times.mb_per_s()}, {"disk_bytes", times.disk_bytes ? base::Json(*times.disk_bytes) : base::Json()}, {"kind", times.kind()}}},
            {"plan", {{"weights", plan.weights}, {"kv", plan.kv}, {"kv_bytes_per_token", plan.kv_bytes_per_token}, {"kv_sum", plan.kv_sum}, {"scratch", plan.scratch}, {"limit", plan.limit}, {"percent", plan.percent}, {"available", plan.available}}},
            {"memory", {{"weights", plan.weights}, {"kv", plan.kv}, {"scratch", plan.scratch}, {"limit", plan.limit}}},
            {"targets", targets}};
}

}  // namespace

LocalBackend::LocalBackend(std::string id, engine::LoadOptions options, LocalPools& pools, base::Log& log, At at)
    : id_(std::move(id)), options_(std::move(options)), pools_(pools), log_(log) {
    options_.log = &log_;
    settle(BackendStatus::State::unloaded, how_to_load());
    if (at == At::start) (void)load();
}

LocalBackend::~LocalBackend() {
    closing_ = true;
    if (worker_.joinable()) worker_.join();
}

base::Result<void> LocalBackend::load() {
    std::lock_guard lock(mutex_);
    if (status_.state != BackendStatus::State::unloaded && status_.state != BackendStatus::State::down)
        return base::error(Code::conflict, "'" + id_ + "' is " + std::string(name(status_.state)), status_.state == BackendStatus::State::draining ? "load it when it is unloaded" : "");
    const auto turn = pools_.host.take_turn();
    auto begun = begin(BackendStatus::State::loading, [this, turn] { read(turn); });
    if (!begun) pools_.host.give_up(turn);
    return begun;
}

base::Result<void> LocalBackend::unload() {
    std::lock_guard lock(mutex_);
    if (status_.state != BackendStatus::State::ready) return base::error(Code::conflict, "'" + id_ + "' is " + std::string(name(status_.state)) + ", and only what is ready can be unloaded");
    return begin(BackendStatus::State::draining, [this] { drain(); });
}

// What the worker did before has ended: its last word was the state from which this begins.
base::Result<void> LocalBackend::begin(BackendStatus::State state, std::function<void()> work) {
    if (worker_.joinable()) worker_.join();
    try {
        worker_ = std::thread(std::move(work));
    } catch (const std::system_error& e) {
        return base::error(Code::resource_exhausted, "'" + id_ + "' stays as it is: no CPU thread can be made (" + e.what() + ")");
    }
    status_ = {};
    status_.state = state;
    status_.stage = "opening";
    return {};
}

void LocalBackend::settle(BackendStatus::State state, std::string detail) {
    std::lock_guard lock(mutex_);
    status_.state = state;
    status_.detail = std::move(detail);
}

// Requests that have begun hold the model until they end.
void LocalBackend::drain() {
    std::shared_ptr<engine::Engine> last;
    {
        std::lock_guard lock(mutex_);
        last = std::move(engine_);
        leaving_ = last;
    }
    while (last.use_count() > 1 && !closing_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    {
        const std::lock_guard parting(parting_);
        last.reset();
    }
    log_.info("model unloaded", {{"backend", id_}});
    settle(BackendStatus::State::unloaded, how_to_load());
}

void LocalBackend::read(engine::Host::Turn turn) {
    std::string failure;
    LoadNote note(pools_.load_notes, options_.path);
    if (!note.death().empty()) log_.warn("an earlier load did not end", {{"backend", id_}, {"found", note.death()}});
    engine::LoadOptions options = options_;
    options.progress = [&](const std::string& stage, double fraction) {
        note.reached(stage, fraction, engine::available_memory());
        std::lock_guard lock(mutex_);
        status_.stage = stage;
        status_.fraction = fraction;
    };
    try {
        const engine::LoadWatch watch;
        auto loaded = pools_.host.load(turn, id_, std::move(options));
        if (loaded) {
            const auto times = watch.ended((*loaded)->info().file_bytes);
            note.loaded({{"seconds", times.seconds}, {"mb_per_s", times.mb_per_s()}, {"kind", times.kind()}, {"plan", (*loaded)->memory().text()}});
            return ready(*std::move(loaded), times);
        }
        failure = loaded.error().text();
    } catch (const std::exception& e) {
        failure = e.what();
    }
    note.failed(failure);
    log_.error("model not loaded", {{"backend", id_}, {"error", failure}});
    settle(BackendStatus::State::down, failure);
}

void LocalBackend::ready(std::shared_ptr<engine::Engine> engine, const engine::LoadTimes& times) {
    const auto templated = engine->chat_template();
    const auto& plan = engine->memory();
    const auto targets = engine->targets();
    log_.info("model loaded", {{"backend", id_}, {"file", options_.path.string()}, {"seconds", times.seconds}, {"bytes", times.file_bytes}, {"mb_per_s", times.mb_per_s()}, {"read", times.kind()},
                               {"plan", plan.text()}, {"cache", plan.kv_sum}, {"operations", told_targets(targets)}, {"candidates", targets.empty() ? std::vector<std::string>() : targets[0].candidates}});
    std::lock_guard lock(mutex_);
    dialect_ = templated ? text::detect_dialect(templated->source()) : "none";
    know_controls(*engine->tokenizer());
    sampled_.emplace(plan.kv_tokens);  // what is still in the cache is still here
    status_.facts = facts_of(*engine, times);
    status_.facts["dialect"] = dialect_;
    status_.detail = engine->info().name + ", " + plan.text();
    engine_ = std::move(engine);
    status_.state = BackendStatus::State::ready;
}

void LocalBackend::know_controls(const text::Tokenizer& tokenizer) {
    turn_ends_.clear();
    markup_.clear();
    markup_texts_ = text::markup_of(dialect_);
    std::vector<std::string> controls;
    for (text::TokenId id = 0; id < tokenizer.size(); ++id) {
        if (!tokenizer.is_control(id)) continue;
        const std::string& token = controls.emplace_back(tokenizer.vocabulary().tokens[std::size_t(id)]);
        if (tokenizer.ends_generation(id)) turn_ends_.push_back(token);
        if (!token.empty() && std::ranges::any_of(markup_texts_, [&](const std::string& text) { return text.find(token) != text.npos; })) markup_.push_back(id);
    }
    guard_.emplace(controls);
}

}  // namespace router
