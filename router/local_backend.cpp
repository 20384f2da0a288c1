#include "router/local_backend.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <algorithm>
#include <random>

#include "engine/expert_report.h"
#include "router/circles.h"
#include "router/prompt.h"
#include "text/output_parser.h"

namespace router {
namespace {

using base::Code;

// The engine draws a seed of its own for 0; a request's 0 is a seed like any other.
constexpr std::uint64_t kSeedOfZero = 0x9e3779b97f4a7c15ull;

engine::Sampling sampling_of(const SamplingRequest& wish, engine::Sampling s) {
    auto set = [](const std::optional<double>& from, float& to) {
        if (from) to = float(*from);
    };
    set(wish.temperature, s.temperature);
    set(wish.top_p, s.top_p);
    set(wish.min_p, s.min_p);
    set(wish.repetition_penalty, s.repetition_penalty);
    set(wish.presence_penalty, s.presence_penalty);
    set(wish.frequency_penalty, s.frequency_penalty);
    if (wish.top_k) s.top_k = *wish.top_k;
    if (wish.top_p == 0.0) s.top_p = 1, s.top_k = 1;  // the nucleus of the one best token
    if (wish.seed) s.seed = *wish.seed ? *wish.seed : kSeedOfZero;
    for (const auto& [id, bias] : wish.logit_bias) s.logit_bias[id] = float(bias);
    return s;
}

FinishReason finish_of(engine::Finish finish) {
    switch (finish) {
        case engine::Finish::length: return FinishReason::length;
        case engine::Finish::cancelled: return FinishReason::cancelled;
        case engine::Finish::deadline: return FinishReason::deadline;
        case engine::Finish::none:
        case engine::Finish::stop:
        case engine::Finish::failed: break;
    }
    return FinishReason::stop;
}

// Here and not in the engine, so that the trace has it and a call can be repeated.
std::uint64_t drawn_seed() {
    std::random_device source;
    return 1 + source();
}

// Wakes a coroutine from the engine's CPU thread. Shared with the callback, which may outlive it.
struct Wake {
    explicit Wake(net::asio::any_io_executor e) : executor(e), timer(e) {}
    net::asio::any_io_executor executor;
    net::asio::steady_timer timer;
    std::atomic<bool> posted{false};
};

net::Task<void> wait_for_event(std::shared_ptr<Wake> wake) {
    // The timer's end is only a net under a lost wake-up.
    wake->timer.expires_after(std::chrono::milliseconds(200));
    boost::system::error_code woken;
    co_await wake->timer.async_wait(net::asio::redirect_error(net::asio::use_awaitable, woken));
}

void wake_on_events(engine::Session& session, std::shared_ptr<Wake> wake) {
    session.on_event([wake] {
        if (wake->posted.exchange(true)) return;
        net::asio::post(wake->executor, [wake] {
            wake->posted = false;
            wake->timer.cancel();
        });
    });
}

// Parser's pieces to the caller's, with ids for the calls.
class Deltas {
public:
    // `known`: bytes of content to come that were delivered already.
    Deltas(const DeltaSink& sink, std::string prefix, std::size_t known) : sink_(sink), prefix_(std::move(prefix)), known_(known) {}
    void send(const std::vector<text::Delta>& pieces) {
        if (!sink_) return;
        for (const auto& piece : pieces) {
            const std::size_t known = piece.kind == text::Delta::Kind::content ? std::min(known_, piece.text.size()) : 0;
            known_ -= known;
            if (known > 0 && known == piece.text.size()) continue;
            ModelDelta delta;
            using Kind = text::Delta::Kind;
            delta.kind = piece.kind == Kind::content     ? ModelDelta::Kind::content
                         : piece.kind == Kind::reasoning ? ModelDelta::Kind::reasoning
                         : piece.kind == Kind::tool_call_started ? ModelDelta::Kind::tool_call_started
                                                                 : ModelDelta::Kind::tool_arguments;
            delta.text = piece.text.substr(known);
            delta.tool_index = piece.tool_index;
            if (piece.kind == Kind::tool_call_started) delta.tool_id = call_id(piece.tool_index);
            sink_(delta);
        }
    }
    std::string call_id(int index) const { return prefix_ + std::to_string(index); }

private:
    const DeltaSink& sink_;
    std::string prefix_;
    std::size_t known_;
};

// Its prompt is there before another CPU thread has woken up.
bool is_short(const ModelRequest& request) {
    constexpr std::size_t most_bytes = 4096;
    std::size_t bytes = 0;
    for (const auto& message : request.messages)
        for (const auto& part : message.parts) bytes += part.text.size();
    return bytes <= most_bytes && request.tools.empty() && !request.response_schema && !request.response_rules && request.answer_rules.empty();
}

std::size_t blanks_before(const std::string& text) { return std::min(text.find_first_not_of(" \n\r\t"), text.size()); }

// The parser reads what an answer began with as if the model had written it, for what follows depends on it: blanks count only
// within an answer. Gives the bytes of it that are still to come, held back or to be written again. Error{unsupported}: it is more than text in this dialect.
base::Result<std::size_t> enter(text::OutputParser& parser, const std::string& before, const std::string& begun) {
    if (begun.empty()) return std::size_t(0);
    std::size_t told = blanks_before(begun);
    for (const auto& piece : parser.feed(before)) told += piece.text.size();
    const auto& parsed = parser.result();
    if (!parsed.tool_calls.empty() || !parsed.reasoning.empty() || !parsed.notices.empty())
        return base::error(Code::unsupported, "the answer began with markup, and cannot be gone on with");
    return begun.size() - std::min(told, begun.size());
}

// Whether a turn may be given to the model again token by token: nothing was cut from it, and its control tokens are
// the dialect's markup; one that came as somebody's text would have a power there that text has not.
bool is_whole(const text::Tokenizer& tokenizer, const std::vector<text::TokenId>& tokens, const std::string& written, const text::ParsedOutput& parsed) {
    std::string all, said = parsed.content + '\n' + parsed.reasoning;
    for (const auto& call : parsed.tool_calls) said += '\n' + call.name + '\n' + call.arguments;
    for (const text::TokenId id : tokens) {
        const std::string text = tokenizer.bytes(id, true);
        if (tokenizer.is_control(id) && said.find(text) != said.npos) return false;
        all += text;
    }
    return all == written;
}

void tell_of(const std::vector<text::Notice>& notices, const std::string& backend, const std::string& dialect, base::Log& log) {
    using Kind = text::Notice::Kind;
    for (const auto& notice : notices) {
        const bool other = notice.kind == Kind::other_dialect;
        const std::string what = other                                 ? "the model calls tools in another dialect than its template"
                                 : notice.kind == Kind::no_calls       ? "markup of calls without a call"
                                 : notice.kind == Kind::beside_call    ? "a call holds more than its name and arguments"
                                                                       : "a broken call became content";
        log.warn(what, {{"backend", backend}, {"dialect", dialect}, {other ? "found" : "text", notice.text}});
    }
}

// What a session has told to its end.
struct Heard {
    engine::Finish finish = engine::Finish::none;
    bool in_circles = false;  // the model said the same again and again, and was stopped
    std::string failure, written;
    Code code = Code::internal;  // of the failure
    std::vector<text::TokenId> tokens;
};

net::Task<Heard> listen(engine::Session& session, const ModelRequest& request, text::OutputParser& parser, Deltas& deltas) {
    auto wake = std::make_shared<Wake>(co_await net::asio::this_coro::executor);
    wake_on_events(session, wake);
    Heard out;
    Circles circles;
    while (out.finish == engine::Finish::none) {
        auto event = session.poll();
        if (!event) {
            if (request.stop.stopped()) session.stop();
            co_await wait_for_event(wake);
            continue;
        }
        if (request.end_circles && !out.in_circles && circles.feed(event->text)) {
            out.in_circles = true;
            session.stop();
        }
        if (event->id >= 0) out.tokens.push_back(event->id);
        out.written += event->text;
        deltas.send(parser.feed(event->text));
        out.finish = event->finish;
        out.failure = event->error;
        out.code = event->code;
    }
    co_return out;
}

// Behind what the answer had begun with; without who made it, and what it took.
ModelReply reply_of(const text::ParsedOutput& parsed, const Heard& heard, const ModelRequest& request, const Deltas& deltas) {
    ModelReply reply;
    const std::size_t known = std::min(request.begun.size() - blanks_before(request.begun), parsed.content.size());
    reply.message = Message::make(MessageRole::assistant, parsed.content.substr(known));
    if (parsed.content.size() == known) reply.message.parts.clear();
    reply.message.reasoning = parsed.reasoning;
    for (std::size_t i = 0; i < parsed.tool_calls.size(); ++i)
        reply.message.tool_calls.push_back({deltas.call_id(int(i)), parsed.tool_calls[i].name, parsed.tool_calls[i].arguments});
    reply.finish = finish_of(heard.finish);
    if (heard.in_circles && reply.finish == FinishReason::cancelled && !request.stop.stopped()) reply.finish = FinishReason::length;
    if (reply.finish == FinishReason::stop && !reply.message.tool_calls.empty()) reply.finish = FinishReason::tool_calls;
    return reply;
}

base::Json guesses_of(const engine::Engine::Load& load) {
    return {{"method", engine::names_of(load.drafts, "+")}, {"drafted_tokens", load.drafted_tokens}, {"accepted_tokens", load.accepted_tokens}, {"sources", engine::to_json(load.drafts)}};
}

}  // namespace

struct LocalBackend::Prompt {
    text::SampledTurns::Place place;
    engine::Request request;
    text::ParserOptions parser;
    std::string before;  // what stands in the prompt of an answer that has begun
    std::vector<text::LooseTool> loose;
};

std::shared_ptr<engine::Engine> LocalBackend::engine() const {
    std::lock_guard lock(mutex_);
    return engine_;
}

base::Error LocalBackend::not_loaded() const {
    const auto state = status().state;
    return base::error(Code::unavailable, state == BackendStatus::State::loading ? "the model is still loading" : "the model is not loaded", state == BackendStatus::State::unloaded ? how_to_load() : "");
}

void LocalBackend::forget(const std::string& audience) {
    const std::lock_guard parting(parting_);
    std::shared_ptr<engine::Engine> held;
    {
        std::lock_guard lock(mutex_);
        held = engine_ ? engine_ : leaving_.lock();
    }
    if (held) return held->forget(audience);
    if (auto erased = engine::erase_kept(options_.kv_store.folder, audience); !erased) log_.warn("what is kept on disk of a conversation stays", {{"backend", id_}, {"error", erased.error().text()}});
}

BackendStatus LocalBackend::status() const {
    std::lock_guard lock(mutex_);
    BackendStatus status = status_;
    if (engine_) {
        const auto load = engine_->load_now();
        status.facts["running"] = load.running;
        status.facts["waiting"] = load.waiting;
        status.facts["max_waiting"] = load.max_waiting;
        status.facts["longest_wait_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(load.longest_wait).count();
        status.facts["kv_tokens"] = engine_->memory().kv_tokens;
        status.facts["kv_used_tokens"] = load.kv_used_tokens;
        status.facts["kv_cached_tokens"] = load.kv_cached_tokens;
        for (const auto& [name, urgency] : {std::pair("people", Urgency::person), std::pair("schedules", Urgency::schedule), std::pair("night", Urgency::night)}) {
            const auto& of = load.of[std::size_t(urgency)];
            status.facts["urgency"][name] = {{"running", of.running}, {"waiting", of.waiting}};
        }
        status.facts["steps"] = load.steps;
        status.facts["forced_tokens"] = load.forced_tokens;
        status.facts["speculative"] = guesses_of(load);
        status.facts["memory_stops"] = load.memory_stops;
        status.facts["heat_pauses"] = load.heat_pauses;
        status.facts["hot"] = load.hot;
        status.facts["kv_disk_bytes"] = load.kv_disk_bytes;
        status.facts["kv_restored_tokens"] = load.kv_restored_tokens;
        status.facts["kv_disk_failures"] = load.kv_disk_failures;
        status.facts["kv_disk_error"] = load.kv_disk_error.empty() ? base::Json() : base::Json(load.kv_disk_error);
        if (load.experts) status.facts["experts"] = to_json(*load.experts, engine_->memory().experts);
    }
    return status;
}

Capabilities LocalBackend::capabilities() const {
    std::lock_guard lock(mutex_);
    if (!engine_) return {};
    const engine::ModelInfo& info = engine_->info();
    if (info.encoder) return {.embeddings = true, .context = engine_->memory().context, .writes = false};
    return {dialect_ != "none", engine_->token_table() != nullptr, !info.pooling.empty(), engine_->memory().context, true, true};
}

base::Result<LocalBackend::Prompt> LocalBackend::prepare(engine::Engine& e, const ModelRequest& request) const {
    if (e.info().encoder)
        return base::error(Code::unsupported, "'" + request.alias + "' is an embedding model: it makes vectors of texts and does not chat", "name a chat model, or use POST /v1/embeddings");
    const auto templated = e.chat_template();
    if (!templated) return base::error(Code::unsupported, "the model's file has no chat template", "use an instruction-tuned model");
    const auto& info = e.info();
    auto input = render_input(request, info.bos_token, info.eos_token);
    sampled_->add_reasoning(input.messages, request.cache_salt);
    auto composed = sampled_->compose(*templated, input, {*guard_, turn_ends_, markup_texts_, dialect_, request.cache_salt});
    if (!composed) return std::move(composed).error();
    Prompt out;
    out.place = std::move(composed->place);
    const auto tokenizer = e.tokenizer();
    out.parser = parser_options(request, dialect_, composed->pieces);
    const bool goes_on = !request.begun.empty();
    if (goes_on && out.parser.reasoning_open) return base::error(Code::unsupported, "the model thinks before it answers, and cannot go on from an answer that has begun");
    const bool may_think = !goes_on && request.enable_thinking && templated->source().find("<think>") != std::string::npos;
    if (goes_on) out.parser.bare_calls = false;
    auto bound = output_bound(request, dialect_, grammars_, out.parser.reasoning_open, may_think);
    if (!bound) return std::move(bound).error();
    if (goes_on && bound->grammar && bound->trigger.empty()) return base::error(Code::unsupported, "a grammar that holds an answer from its first character cannot be entered in the middle of it");
    if (goes_on) {
        std::string again = bound->grammar ? std::string() : last_word(request.begun);
        if (!again.empty()) {
            auto held = output_beginning_with(again, grammars_);
            if (held) bound = std::move(held);
            else again.clear();
        }
        out.before = request.begun.substr(0, request.begun.size() - again.size());
        composed->pieces.push_back({out.before});
    }
    auto tokens = tokenizer->encode(composed->pieces);
    const auto& vocabulary = tokenizer->vocabulary();
    if (vocabulary.add_bos && vocabulary.bos >= 0 && (tokens.empty() || tokens[0] != vocabulary.bos))
        tokens.insert(tokens.begin(), vocabulary.bos);
    if (const int context = e.memory().context; tokens.size() + std::size_t(request.reply_room) > std::size_t(context))
        return base::error(Code::context_length_exceeded,
                           "the prompt has " + std::to_string(tokens.size()) + " tokens, the context of " + std::to_string(context) +
                               " leaves too few for a reply",
                           "shorten the prompt or load the model with a larger context (model.context)");
    out.request.prompt = {{.tokens = std::move(tokens)}};
    out.request.grammar = bound->grammar;
    out.request.grammar_trigger = bound->trigger;
    if (!goes_on) out.request.grammar_heads = bound->heads;
    out.loose = bound->loose;
    out.request.sampling = sampling_of(request.sampling, info.default_sampling);
    if (out.request.sampling.seed == 0) out.request.sampling.seed = drawn_seed();
    out.request.max_tokens = request.max_tokens;
    out.request.stop = request.stop_texts;
    out.request.shown = markup_;
    out.request.cache_salt = request.cache_salt;
    if (std::ranges::count(e.adapters(), request.alias) > 0) out.request.adapter = request.alias;
    out.request.person = request.on_behalf.person.text();
    static_assert(int(Urgency::person) == int(engine::Urgency::person) && int(Urgency::schedule) == int(engine::Urgency::schedule) && int(Urgency::night) == int(engine::Urgency::night));
    out.request.urgency = engine::Urgency(request.urgency);
    return out;
}

net::Task<base::Result<LocalBackend::Prompt>> LocalBackend::prepared(engine::Engine& engine, const ModelRequest& request) const {
    if (is_short(request)) co_return prepare(engine, request);
    auto work = [&] { return prepare(engine, request); };
    co_return co_await net::on_pool(pools_.prompts, work);
}

net::Task<base::Result<ModelReply>> LocalBackend::generate(ModelRequest request, DeltaSink sink) {
    const auto e = engine();
    if (!e) co_return not_loaded();
    auto prompt = co_await prepared(*e, request);
    if (!prompt) co_return std::move(prompt).error();
    if (request.loose) *request.loose = std::move(prompt->loose);
    auto parser = text::OutputParser::create(prompt->parser);
    if (!parser) co_return std::move(parser).error();
    const auto held_back = enter(**parser, prompt->before, request.begun);
    if (!held_back) co_return held_back.error();
    const std::uint64_t seed = prompt->request.sampling.seed;
    auto started = e->start(std::move(prompt->request), request.stop);
    if (!started && started.error().code == Code::resource_exhausted) co_return base::error(Code::unavailable, started.error().message, started.error().remedy);  // another backend may have room
    if (!started) co_return std::move(started).error();
    const auto session = *std::move(started);
    Deltas deltas(sink, "call_" + base::Uuid::v7(base::SystemClock().now()).text().substr(24) + "_", *held_back);
    Heard heard = co_await listen(*session, request, **parser, deltas);
    if (heard.finish == engine::Finish::failed) co_return base::error(heard.code, "the model failed: " + heard.failure);
    deltas.send((*parser)->finish());
    const auto& parsed = (*parser)->result();
    tell_of(parsed.notices, id_, dialect_, log_);
    ModelReply reply = reply_of(parsed, heard, request, deltas);
    if (heard.finish == engine::Finish::stop && request.begun.empty() && is_whole(*e->tokenizer(), heard.tokens, heard.written, parsed)) sampled_->remember(prompt->place, parsed, std::move(heard.tokens), request.cache_salt);
    const auto usage = session->usage();
    reply.usage = {usage.prompt_tokens, usage.cached_tokens, usage.output_tokens, usage.queued, usage.prefill, usage.decode, 0, usage.forced_tokens};
    reply.backend = id_;
    reply.seed = seed;
    reply.model = e->info().name;
    reply.profile = e->profile() == engine::Profile::exact ? "exact" : "fast";
    co_return reply;
}

net::Task<base::Result<void>> LocalBackend::look() {
    if (!engine()) co_return not_loaded();
    co_return base::Result<void>();
}

net::Task<base::Result<EmbeddingReply>> LocalBackend::embed(EmbeddingRequest request) {
    const auto e = engine();
    if (!e) co_return not_loaded();
    const int width = e->info().hidden;
    if (request.dimensions > 0 && request.dimensions != width && !e->info().pooling.empty())
        co_return base::error(Code::unsupported, "dimensions is " + std::to_string(request.dimensions) + ", but '" + request.alias + "' makes vectors of " + std::to_string(width),
                              "leave dimensions out");
    const engine::EmbeddingRequest asked{std::move(request.inputs), request.truncate};
    const auto queued = std::chrono::steady_clock::now();
    auto began = queued;
    auto work = [&] {
        began = std::chrono::steady_clock::now();
        return e->embed(asked, request.stop);
    };
    auto made = co_await net::on_pool(pools_.embedding, work);
    if (!made) co_return std::move(made).error();
    EmbeddingReply reply;
    reply.width = made->width;
    reply.values = std::move(made->values);
    reply.usage.prompt_tokens = made->tokens;
    reply.usage.queued = std::chrono::duration_cast<std::chrono::microseconds>(began - queued);
    reply.usage.prefill = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    reply.backend = id_;
    reply.model = e->info().name;
    reply.profile = e->profile() == engine::Profile::exact ? "exact" : "fast";
    co_return reply;
}

net::Task<base::Result<int>> LocalBackend::count(ModelRequest request) {
    const auto e = engine();
    if (!e) co_return not_loaded();
    auto prompt = co_await prepared(*e, request);
    if (!prompt) co_return std::move(prompt).error();
    co_return int(prompt->request.prompt[0].tokens.size());
}

}  // namespace router
