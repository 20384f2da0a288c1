#include "engine/engine.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <map>
#include <random>

#include "engine/broken_template.h"
#include "engine/cache_need.h"
#include "engine/draft_file.h"
#include "engine/embedding_input.h"
#include "engine/encoder_engine.h"
#include "engine/expert_plan.h"
#include "engine/expert_record.h"
#include "engine/expert_report.h"
#include "engine/inspect.h"
#include "engine/kv_keeper.h"
#include "engine/memory_plan.h"
#include "engine/model/adapter.h"
#include "engine/model/converted_file.h"
#include "engine/model/encoder_file.h"
#include "engine/out_of_memory.h"
#include "engine/target_choice.h"
#include "engine/worker.h"

namespace engine {
namespace {

// A recurrent model keeps states for what may come again: as many as an eighth of the weights' memory holds, within these
// bounds for each sequence. A turn of a conversation leaves two.
constexpr std::uint64_t kLeastKept = 2, kMostKept = 8;
constexpr int kSpareStates = 1;  // sequences of a recurrent model whose tokens are guessed in one step
constexpr int kRows = 512;  // of one step: what keeps a layer's activations in the cache

// A file read and measured, before anything is allocated.
struct Opened {
    std::unique_ptr<ModelFile> file;
    std::vector<std::pair<std::string, std::unique_ptr<AdapterFile>>> adapters;
    Config config;
    text::Vocabulary vocabulary;
    ModelInfo info;
    Target target;
    int threads = 1;
    RunnerShape shape;
    std::optional<Config> head;      // for drafting, where it is used
    std::optional<DraftFile> draft;
    RunnerShape draft_shape;
    MemoryPlan plan;
};

int kept_states(const Config& config, std::uint64_t weights, int sequences) {
    if (config.state_values == 0) return 0;
    const std::uint64_t n = std::uint64_t(sequences);
    return int(std::clamp(weights / 8 / (config.state_values * sizeof(float)), kLeastKept * n, kMostKept * n));
}

base::Result<void> check(const LoadOptions& options) {
    if (options.max_sequences < 1 || options.max_sequences > 256)
        return base::error(base::Code::invalid_argument,
                           "max_sequences is " + std::to_string(options.max_sequences) + ", expected 1 to 256");
    if (options.draft_length < 0 || options.draft_length > kMostDraft)
        return base::error(base::Code::invalid_argument, "draft_length is " + std::to_string(options.draft_length) + ", expected 0 to " + std::to_string(kMostDraft));
    if (options.max_waiting < 1 || options.max_waiting_each < 1) return base::error(base::Code::invalid_argument, "max_waiting and max_waiting_each must be at least 1");
    if (options.context < 0 || options.threads < 0 || options.threads > 1024)
        return base::error(base::Code::invalid_argument, "context and threads must not be negative, threads at most 1024");
    return {};
}

using Adapters = std::map<std::string, std::unique_ptr<Adapter>>;
using Tokens = std::pair<std::shared_ptr<const text::Tokenizer>, std::shared_ptr<const text::TokenTable>>;

base::Result<Adapters> load_adapters(const Opened& opened, const Model& model) {
    Adapters out;
    for (const auto& [name, file] : opened.adapters) {
        auto adapter = Adapter::load(*file, model);
        if (!adapter) return std::move(adapter).error();
        if (!out.emplace(name, *std::move(adapter)).second) return base::error(base::Code::invalid_argument, "two adapters are named '" + name + "'", "give each a name of its own");
    }
    return out;
}

base::Result<void> check_adapters(const Opened& opened, const Model& model) {
    for (const auto& [name, file] : opened.adapters)
        if (auto fits = Adapter::check(*file, model); !fits) return fits;
    return {};
}

// What guesses beside the model, and what it takes.
base::Result<void> open_sources(const LoadOptions& options, Opened& out, PlanInput& input) {
    // A head that this engine does not run is left out, as the description of the file says.
    if (auto head = draft_head_config(*out.file, out.config); options.heads && head && *head) {
        auto bytes = measure_draft_head(*out.file, out.config, *out.target.ops);
        if (!bytes) return std::move(bytes).error();
        out.head = *std::move(head);
        input.weights += bytes->packed + bytes->mapped;
        input.scratch += head_scratch(*out.head, out.shape, out.threads);
        add_cache(input, *out.head, out.shape.kv, " + of the head ");
    }
    if (options.draft.empty()) return {};
    auto draft = open_draft(options.draft, *out.target.ops, out.vocabulary, out.config.name.empty() ? options.path.string() : out.config.name);
    if (!draft) return std::move(draft).error();
    out.draft_shape = {.rows = kRows, .sequences = out.shape.sequences, .kv = out.shape.kv};
    input.weights += draft->weights;
    input.scratch += runner_scratch(draft->config, out.draft_shape, out.threads);
    add_cache(input, draft->config, out.shape.kv, " + of the draft ");
    out.draft = *std::move(draft);
    return {};
}

HeatGuard heat_guard(const LoadOptions& options, const std::string& model) {
    std::function<Heat()> read = options.heat;
    if (!read) read = [sensors = std::make_shared<const HeatSensors>()] { return sensors->hottest(); };
    return HeatGuard(std::move(read), [log = options.log, model](const Heat& heat, bool hot) {
        if (!log) return;
        const base::Json fields = {{"model", model}, {"zone", std::string(heat.zone)}, {"celsius", heat.celsius}, {"limit", heat.limit}};
        if (hot) log->warn("the machine is too hot: answers are computed slowly, and nothing is begun beside them", fields);
        else log->info("the machine has cooled down: answers are computed as before", fields);
    });
}

base::Result<Opened> open(const LoadOptions& options) {
    if (auto ok = check(options); !ok) return std::move(ok).error();
    Opened out;
    auto file = ModelFile::open(options.path);
    if (!file) return std::move(file).error();
    out.file = *std::move(file);
    auto head = read_head(*out.file);
    if (!head) return std::move(head).error();
    out.config = std::move(head->config);
    out.vocabulary = std::move(head->vocabulary);
    auto info = describe(*out.file, out.config, out.vocabulary);
    if (!info) return std::move(info).error();
    out.info = *std::move(info);
    auto target = choose_target(options);
    if (!target) return std::move(target).error();
    out.target = *std::move(target);
    out.threads = options.threads ? options.threads : usable_cpus();
    PlanInput input;
    for (const auto& [name, folder] : options.adapters) {
        auto adapter = AdapterFile::open(folder);
        if (!adapter) return std::move(adapter).error();
        input.weights += (*adapter)->bytes();
        out.adapters.emplace_back(name, *std::move(adapter));
    }
    auto measured = measure_model(*out.file, out.config, *out.target.ops, [&](const Model& model) { return check_adapters(out, model); });
    if (!measured) return std::move(measured).error();
    out.config.widest = measured->widest;
    const std::uint64_t weights = measured->bytes.packed + measured->bytes.mapped;
    out.shape = {.rows = kRows, .sequences = options.max_sequences, .kv = kv_format_of(options), .kept_states = kept_states(out.config, input.weights + weights, options.max_sequences)};
    if (options.drafts) {
        out.shape.drafts = kMostDraftRows;
        out.shape.spare_states = out.config.state_values ? kSpareStates : 0;
    }
    input.scratch = runner_scratch(out.config, out.shape, out.threads);
    add_cache(input, out.config, out.shape.kv);
    if (options.drafts)
        if (auto sources = open_sources(options, out, input); !sources) return std::move(sources).error();
    input.available = available_memory();
    input.trained_context = out.config.trained_context;
    auto plan = plan_model({*out.file, out.config, *out.target.ops}, input, weights, options);
    if (!plan) return std::move(plan).error();
    out.plan = *std::move(plan);
    out.shape.blocks = out.draft_shape.blocks = int(out.plan.kv_tokens / kKvBlock);
    return out;
}

class StreamSession final : public Session {
public:
    explicit StreamSession(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    ~StreamSession() override {
        stream_->on_event({});
        stream_->stop();
    }
    std::optional<TokenEvent> next() override { return stream_->next(); }
    std::optional<TokenEvent> poll() override { return stream_->poll(); }
    void on_event(std::function<void()> callback) override { stream_->on_event(std::move(callback)); }
    void stop() override { stream_->stop(); }
    Usage usage() const override { return stream_->usage(); }

private:
    std::shared_ptr<Stream> stream_;
};

base::Error invalid(std::string message, std::string remedy = {}) {
    return base::error(base::Code::invalid_argument, std::move(message), std::move(remedy));
}

base::Result<void> check_sampling(const Sampling& s, int vocabulary) {
    const std::pair<const char*, float> finite[] = {{"temperature", s.temperature},
                                                    {"repetition_penalty", s.repetition_penalty},
                                                    {"presence_penalty", s.presence_penalty},
                                                    {"frequency_penalty", s.frequency_penalty}};
    for (const auto& [name, value] : finite)
        if (!std::isfinite(value)) return invalid(std::string(name) + " is not a finite number");
    if (s.temperature < 0) return invalid("temperature is " + std::to_string(s.temperature) + ", expected 0 or more");
    if (!(s.top_p > 0 && s.top_p <= 1)) return invalid("top_p is " + std::to_string(s.top_p) + ", expected above 0 and at most 1");
    if (!(s.min_p >= 0 && s.min_p <= 1)) return invalid("min_p is " + std::to_string(s.min_p) + ", expected 0 to 1");
    if (s.top_k < 0) return invalid("top_k is " + std::to_string(s.top_k) + ", expected 0 or more");
    if (s.repetition_penalty <= 0)
        return invalid("repetition_penalty is " + std::to_string(s.repetition_penalty) + ", expected more than 0");
    for (const auto& [id, bias] : s.logit_bias) {
        if (id < 0 || id >= vocabulary)
            return invalid("logit_bias names token " + std::to_string(id) + ", expected 0 to " + std::to_string(vocabulary - 1));
        if (std::isnan(bias)) return invalid("logit_bias of token " + std::to_string(id) + " is not a number");
    }
    return {};
}

std::uint64_t kernel_seed() {
    std::random_device device;
    return (std::uint64_t(device()) << 32 | device()) | 1;
}

class LocalEngine final : public Engine {
public:
    LocalEngine(ModelInfo info, MemoryPlan plan, Profile profile, Target target, Adapters adapters, std::unique_ptr<Worker> worker,
                const Tokens& tokens)
        : info_(std::move(info)),
          plan_(std::move(plan)),
          profile_(profile),
          target_(std::move(target)),
          adapters_(std::move(adapters)),
          tokenizer_(tokens.first),
          table_(tokens.second),
          worker_(std::move(worker)) {
        if (info_.chat_template.empty()) return;
        auto parsed = text::ChatTemplate::parse(info_.chat_template);
        if (parsed)
            template_ = *std::move(parsed);
        else
            template_ = std::make_shared<BrokenTemplate>(info_.chat_template, std::move(parsed).error());
    }

    const ModelInfo& info() const override { return info_; }
    const MemoryPlan& memory() const override { return plan_; }
    Profile profile() const override { return profile_; }
    std::vector<std::string> adapters() const override {
        std::vector<std::string> names;
        for (const auto& [name, adapter] : adapters_) names.push_back(name);
        return names;
    }
    std::shared_ptr<const text::Tokenizer> tokenizer() const override { return tokenizer_; }
    std::shared_ptr<const text::ChatTemplate> chat_template() const override { return template_; }
    std::shared_ptr<const text::TokenTable> token_table() const override { return table_; }
    Load load_now() const override {
        Load out = worker_->load();
        out.kv_disk_error = keeper_ ? keeper_->trouble() : not_kept_;
        if (keeper_) out.kv_disk_bytes = keeper_->stored_bytes(), out.kv_restored_tokens = keeper_->restored_tokens(), out.kv_disk_failures = keeper_->failures();
        return out;
    }
    void forget(const std::string& salt) override {
        if (keeper_) keeper_->erase(salt);
    }
    void keep_on_disk(base::Result<std::unique_ptr<KvStore>> store, base::Log* log) {
        if (store) {
            keeper_ = std::make_unique<KvKeeper>(*std::move(store), worker_, log, info_.name);
            return;
        }
        not_kept_ = store.error().text();
        if (log) log->warn("conversations are not kept on disk", {{"model", info_.name}, {"error", not_kept_}});
    }

    std::vector<TargetChoice> targets() const override { return target_choices(target_, profile_, kStepOps); }

    base::Result<std::unique_ptr<Session>> start(Request request, base::StopToken stop) override {
        auto sequence = std::make_unique<Sequence>();
        Sequence& s = *sequence;
        for (const PromptSpan& span : request.prompt) {
            if (!span.embeddings.empty())
                return base::error(base::Code::unsupported, "the prompt has embedding rows, which this model does not take");
            s.tokens.insert(s.tokens.end(), span.tokens.begin(), span.tokens.end());
        }
        if (auto ok = check_tokens(s.tokens); !ok) return std::move(ok).error();
        if (auto ok = check_sampling(request.sampling, info_.vocabulary); !ok) return std::move(ok).error();
        if (request.max_tokens < 1)
            return invalid("max_tokens is " + std::to_string(request.max_tokens) + ", expected at least 1");
        if (request.logprobs < 0 || request.logprobs > 20)
            return invalid("logprobs is " + std::to_string(request.logprobs) + ", expected 0 to 20");
        if (request.grammar) {
            try {
                s.grammar = text::GrammarState::create(request.grammar, table_, request.grammar_trigger, request.grammar_heads);
            } catch (const std::invalid_argument& e) {
                return invalid(e.what());
            }
        }
        s.prompt = int(s.tokens.size());
        s.max_tokens = std::min(request.max_tokens, plan_.context - s.prompt);
        const auto most = std::size_t(s.prompt + s.max_tokens);
        s.blocks_needed = int((most + kKvBlock - 1) / kKvBlock);
        s.tokens.reserve(most + 1);
        s.table.reserve(std::size_t(s.blocks_needed) + 1);
        if (!request.adapter.empty()) {
            const auto found = adapters_.find(request.adapter);
            if (found == adapters_.end()) return invalid("the model has no adapter '" + request.adapter + "'");
            s.adapter = found->second.get();
        }
        // What an adapter computed is no beginning for anyone else.
        s.chain = worker_->root(request.adapter.empty() ? request.cache_salt : request.cache_salt + '\n' + request.adapter);
        s.person = worker_->root(request.person).a;
        s.urgency = request.urgency;
        if (keeper_ && request.adapter.empty()) s.salt = request.cache_salt;
        s.stop = std::move(stop);
        s.logprobs = request.logprobs;
        s.ignore_eos = request.ignore_eos;
        s.guesses = request.drafts && worker_->runner().shape().drafts > 0;
        if (s.guesses) {
            s.lookup = PromptLookup(most);
            s.lookup.find(s.tokens);  // enters the prompt here, and not on the worker
        }
        s.sampler = Sampler(std::move(request.sampling), kernel_seed());
        s.shown = std::move(request.shown);
        s.emitter = Emitter(std::move(request.stop));
        s.usage.prompt_tokens = s.prompt;
        s.queued = std::chrono::steady_clock::now();
        s.stream = std::make_shared<Stream>([worker = std::weak_ptr(worker_)] {
            if (const auto alive = worker.lock()) alive->wake();
        }, s.logprobs);
        s.stream->set_usage(s.usage);
        auto session = std::make_unique<StreamSession>(s.stream);
        if (auto queued = keeper_ ? keeper_->submit(std::move(sequence)) : worker_->submit(std::move(sequence)); !queued) return std::move(queued).error();
        return std::unique_ptr<Session>(std::move(session));
    }

    base::Result<std::vector<float>> logits(const std::vector<TokenId>& tokens) override {
        if (auto ok = check_tokens(tokens); !ok) return std::move(ok).error();
        return worker_->all_rows(Runner::Of::logits, tokens);
    }

    base::Result<Embeddings> embed(const EmbeddingRequest& request, base::StopToken stop) override {
        const auto pooling = worker_->runner().model().config.pooling;
        if (!pooling)
            return base::error(base::Code::unsupported, "the model '" + info_.name + "' (" + info_.architecture + ") writes text and makes no vectors of it",
                               "use an embedding model");
        auto texts = embedding_tokens(request.inputs, *tokenizer_, {info_.vocabulary, plan_.context, request.truncate});
        if (!texts) return std::move(texts).error();
        Embeddings out;
        out.width = info_.hidden;
        for (const auto& text : *texts) {
            if (stop.stopped()) return stop.error("the embedding");
            auto states = worker_->all_rows(Runner::Of::states, text);
            if (!states) return std::move(states).error();
            out.values.resize(out.values.size() + std::size_t(out.width));
            pool_rows(*pooling, true, {states->data(), int(text.size()), out.width}, out.values.data() + out.values.size() - std::size_t(out.width));
            out.tokens += int(text.size());
        }
        return out;
    }

    base::Result<StepTimes> time_steps(const StepShape& shape, int steps) override { return worker_->time_steps(shape, steps, profile_ == Profile::exact); }
    base::Result<Rates> rates() override { return worker_->rates(); }

private:
    base::Result<void> check_tokens(const std::vector<TokenId>& tokens) const {
        if (tokens.empty()) return invalid("the prompt is empty");
        if (tokens.size() >= std::size_t(plan_.context))
            return base::error(base::Code::context_length_exceeded,
                               "the prompt has " + std::to_string(tokens.size()) + " tokens, the context holds " + std::to_string(plan_.context),
                               "shorten the prompt or load the model with a larger context");
        for (const TokenId id : tokens)
            if (id < 0 || id >= info_.vocabulary)
                return invalid("the prompt has token " + std::to_string(id) + ", expected 0 to " +
                               std::to_string(info_.vocabulary - 1));
        return {};
    }

    ModelInfo info_;
    MemoryPlan plan_;
    Profile profile_;
    Target target_;
    Adapters adapters_;  // before the worker, which uses them
    std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::shared_ptr<const text::ChatTemplate> template_;
    std::shared_ptr<const text::TokenTable> table_;
    std::shared_ptr<Worker> worker_;
    std::unique_ptr<KvKeeper> keeper_;  // null: nothing is kept on disk
    std::string not_kept_;              // why, where that was asked for
};

}  // namespace

base::Result<MemoryPlan> Engine::plan(const LoadOptions& options) {
    if (is_encoder(options.path)) return plan_encoder_engine(options);
    auto opened = open(options);
    if (!opened) return std::move(opened).error();
    return opened->plan;
}

base::Result<ModelInfo> Engine::inspect(const std::filesystem::path& path) {
    if (is_encoder(path)) return inspect_encoder(path);
    auto file = ModelFile::open(path);
    if (!file) return std::move(file).error();
    auto head = read_head(**file);
    if (!head) return std::move(head).error();
    return describe(**file, head->config, head->vocabulary);
}

namespace {

base::Result<Tokens> make_tokens(text::Vocabulary vocabulary) {
    auto tokenizer = text::Tokenizer::create(std::move(vocabulary));
    if (!tokenizer) return std::move(tokenizer).error();
    return Tokens{*tokenizer, text::make_token_table(*tokenizer)};
}

base::Result<std::unique_ptr<Engine>> load_file(const LoadOptions& options) {
    const auto tell = [&](const char* stage, double fraction) {
        if (options.progress) options.progress(stage, fraction);
    };
    tell("reading", 0);
    auto opened = open(options);
    if (!opened) return std::move(opened).error();
    if (options.admit) options.admit(opened->plan);
    keep_telling(opened->info.unsaid, opened->plan.context);
    // Beside the weights: of a converted file either takes as long as the other.
    auto making = std::async(std::launch::async, make_tokens, std::move(opened->vocabulary));
    const auto pool = std::make_shared<Pool>(opened->threads, options.share);
    const Pool::Busy loading(*pool);
    const auto read = [&](double done) { tell("weights", done); };
    const ExpertPlan& cache = opened->plan.experts;
    auto model = cache.cached() ? load_model(std::move(opened->file), opened->config, *opened->target.ops, *pool, cache, ExpertRecord(options.experts.folder, opened->info, cache), read)
                                : load_model(std::move(opened->file), opened->config, *opened->target.ops, *pool, read);
    if (!model) return std::move(model).error();
    auto adapters = load_adapters(*opened, **model);
    if (!adapters) return std::move(adapters).error();
    tell("tokenizer", 1);
    const auto tokens = making.get();
    if (!tokens) return tokens.error();
    base::Result<std::unique_ptr<DraftModel>> draft = std::unique_ptr<DraftModel>();
    if (opened->draft) draft = load_draft(*std::move(opened->draft), *opened->target.ops, opened->draft_shape, **model, pool, tokens->first->size());
    if (!draft) return std::move(draft).error();
    base::Result<std::unique_ptr<DraftHead>> head = std::unique_ptr<DraftHead>();
    if (opened->head) head = load_draft_head(**model, *pool);
    if (!head) return std::move(head).error();
    auto runner = Runner::create(*std::move(model), pool, opened->shape, *std::move(head));
    if (!runner) return std::move(runner).error();
    (*runner)->rate_experts();
    auto worker = std::make_unique<Worker>(*std::move(runner), *std::move(draft), tokens->first, WorkerLimits{options.max_sequences, options.max_waiting, options.max_waiting_each, options.draft_length, options.lookups},
                                           MemoryGuard(options.memory_left ? options.memory_left : available_memory, options.keep_free), heat_guard(options, opened->info.name));
    tell("ready", 1);
    if (options.log) {
        for (const Unsaid& one : opened->info.unsaid)
            options.log->warn(one.left_out ? "the model's file says something that is not followed" : "the model's file leaves something unsaid", {{"model", opened->info.name}, {"key", one.key}, {"taken", one.taken}, {"remedy", one.remedy}});
        for (const Target::Left& left : opened->target.left)
            options.log->warn("an operation is computed plainly, and slowly", {{"model", opened->info.name}, {"operation", left.op}, {"target", opened->target.name}, {"reason", left.reason}});
        options.log->info("model loaded", {{"model", opened->info.name}, {"target", opened->target.name},
                                           {"profile", options.profile == Profile::exact ? "exact" : "fast"},
                                           {"speculation", names_of(worker->load().drafts, ", ")}, {"memory", opened->plan.text()}});
    }
    const bool keeps = !options.kv_store.folder.empty();
    const std::uint64_t fingerprint = keeps ? kv_fingerprint(worker->runner(), options.profile == Profile::exact) : 0;
    auto out = std::make_unique<LocalEngine>(std::move(opened->info), opened->plan, options.profile, opened->target, *std::move(adapters), std::move(worker), *tokens);
    if (keeps) out->keep_on_disk(KvStore::open(options.kv_store, fingerprint, kKvBlock), options.log);
    if (const auto experts = out->load_now().experts; experts && options.log)
        options.log->info("not all experts of the model are in memory", {{"model", out->info().name}, {"experts", summary(experts->forecast, out->memory().experts)}});
    return std::unique_ptr<Engine>(std::move(out));
}

base::Result<std::unique_ptr<Engine>> load_chosen(const LoadOptions& options) {
    if (is_encoder(options.path)) return load_encoder_engine(options);
    if (!options.copy.empty() && ConvertedFile::is_one(options.copy)) {
        LoadOptions of_copy = options;
        of_copy.path = options.copy;
        auto loaded = load_file(of_copy);
        if (loaded || (loaded.error().code != base::Code::corrupt && loaded.error().code != base::Code::unsupported)) return loaded;
        auto of_source = load_file(options);
        if (!of_source) return of_source;  // then a setting or another file may be at fault, and the copy whole
        std::error_code kept;
        std::filesystem::remove(options.copy, kept);
        if (options.log) options.log->warn("the model's copy is left aside, and its file read", {{"copy", options.copy.string()}, {"file", options.path.string()}, {"error", loaded.error().text()}});
        return of_source;
    }
    return load_file(options);
}

}  // namespace

base::Result<std::unique_ptr<Engine>> Engine::load(LoadOptions options) { return with_memory_errors(std::move(options), load_chosen); }

}  // namespace engine
