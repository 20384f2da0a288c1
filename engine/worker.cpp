#include "engine/worker.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <future>
#include <random>

#include "engine/kv_rows.h"
#include "engine/model/expert_cache.h"
#include "engine/steady_seconds.h"

namespace engine {
namespace {

using Clock = std::chrono::steady_clock;
// How soon a deadline is noticed while nothing computes.
constexpr std::chrono::milliseconds kIdleCheck{10};
constexpr std::chrono::seconds kUntilCooler{1};  // looks of a hot machine that has nothing to do
// States of a recurrent model are kept at least so often along a prompt: what an edit in its midst costs.
constexpr int kStateStride = 2048;

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t(device()) << 32 | device();
}

// Lets go of blocks at its end.
class Held {
public:
    Held(KvBlocks& all, const std::vector<std::int32_t>& table) : all_(all), table_(table) {}
    ~Held() { all_.release(table_); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

private:
    KvBlocks& all_;
    const std::vector<std::int32_t>& table_;
};

std::chrono::microseconds since(Clock::time_point begin, Clock::time_point end) {
    return std::chrono::duration_cast<std::chrono::microseconds>(end - begin);
}

}  // namespace

Worker::Worker(std::unique_ptr<Runner> runner, std::unique_ptr<DraftModel> draft, std::shared_ptr<const text::Tokenizer> tokenizer, const WorkerLimits& limits, MemoryGuard guard, HeatGuard heat)
    : runner_(std::move(runner)),
      tokenizer_(std::move(tokenizer)),
      seed_(random_seed()),
      limits_{limits.sequences, runner_->shape().rows, runner_->shape().blocks},
      most_(limits),
      blocks_(runner_->shape().blocks, kKvBlock),
      states_(runner_->shape().kept_states),
      guard_(std::move(guard)),
      heat_(std::move(heat)),
      sampling_(std::max(runner_->model().config.vocabulary, tokenizer_->size())),
      draft_model_(std::move(draft)) {
    if (runner_->head()) head_drafter_ = std::make_unique<HeadDrafter>(*runner_, tokenizer_->size());
    token_begin_.reserve(std::size_t(tokenizer_->size()) + 1);
    for (TokenId id = 0; id < tokenizer_->size(); ++id) {
        token_begin_.push_back(std::uint32_t(token_bytes_.size()));
        token_bytes_ += tokenizer_->bytes(id, true);
    }
    token_begin_.push_back(std::uint32_t(token_bytes_.size()));
    const auto sequences = std::size_t(limits.sequences);
    for (int slot = limits.sequences - 1; slot >= 0; --slot) free_slots_.push_back(slot);
    running_.reserve(sequences);
    progress_.reserve(sequences);
    plan_.reserve(sequences);
    parts_.reserve(sequences);
    draftable_.reserve(sequences);
    drafting_.reserve(sequences);
    wanted_.reserve(sequences);
    wanting_.reserve(sequences);
    followed_.reserve(sequences);
    text_.reserve(4096);
    top_.reserve(32);
    thread_ = std::thread([this] { loop(); });
}

Worker::~Worker() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Worker::wake() {
    {
        std::lock_guard lock(mutex_);
        woken_ = true;
    }
    changed_.notify_all();
}

void Worker::between_steps(std::function<void()> job) {
    std::promise<void> done;
    {
        std::lock_guard lock(mutex_);
        jobs_.push_back([&] {
            try {
                job();
                done.set_value();
            } catch (...) {
                done.set_exception(std::current_exception());
            }
        });
    }
    changed_.notify_all();
    done.get_future().get();
}

base::Result<std::vector<std::int32_t>> Worker::take_blocks(std::size_t tokens, int tables) {
    std::vector<std::int32_t> out;
    const std::size_t needed = (tokens + kKvBlock - 1) / kKvBlock * std::size_t(tables);
    if (needed > std::size_t(blocks_.available()))
        return base::error(base::Code::resource_exhausted, "the KV cache has " + std::to_string(blocks_.available() * kKvBlock) + " free tokens, " +
                                                               std::to_string(tokens * std::size_t(tables)) + " wanted");
    for (std::size_t i = 0; i < needed; ++i) out.push_back(blocks_.take());
    return out;
}

base::Result<std::vector<float>> Worker::all_rows(Runner::Of what, const std::vector<TokenId>& tokens) {
    base::Result<std::vector<float>> out = std::vector<float>();
    between_steps([&] {
        if (std::string why = cut_file(); !why.empty()) return void(out = base::error(base::Code::unavailable, std::move(why)));
        auto table = take_blocks(tokens.size(), 1);
        if (!table) return void(out = std::move(table).error());
        const Held held(blocks_, *table);
        const Pool::Busy busy(runner_->pool());
        out = runner_->all_rows(what, tokens, table->data());
    });
    return out;
}

base::Result<StepTimes> Worker::time_steps(const StepShape& shape, int steps, bool exact) {
    if (shape.sequences < 1 || shape.sequences > runner_->shape().sequences || shape.rows < 1 || shape.depth < 0 || shape.sequences * shape.rows > runner_->shape().rows)
        return base::error(base::Code::invalid_argument, "a step of " + std::to_string(shape.sequences) + " sequences of " + std::to_string(shape.rows) + " tokens is not one of this engine, which takes " +
                                                             std::to_string(runner_->shape().sequences) + " sequences and " + std::to_string(runner_->shape().rows) + " tokens at once");
    base::Result<StepTimes> out = StepTimes();
    between_steps([&] {
        if (!running_.empty()) return void(out = base::error(base::Code::conflict, "requests are running, and would be measured with it"));
        auto table = take_blocks(std::size_t(shape.depth) + std::size_t(shape.rows), shape.sequences);
        if (!table) return void(out = std::move(table).error());
        const Held held(blocks_, *table);
        out = runner_->time_steps(shape, steps, *table, exact);
    });
    return out;
}

Rates Worker::rates() {
    Rates out;
    between_steps([&] { out = runner_->rates(); });
    return out;
}

Engine::Load Worker::load() const {
    const Clock::time_point oldest{Clock::duration(oldest_)};
    const auto wait = oldest_ == 0 ? std::chrono::microseconds(0) : since(oldest, Clock::now());
    Engine::Load out{n_running_, n_waiting_, most_.waiting, wait, std::uint64_t(held_) * kKvBlock, std::uint64_t(cached_), steps_, forced_};
    out.drafts = draft_counts();
    for (const DraftCount& one : out.drafts) out.drafted_tokens += one.guessed, out.accepted_tokens += one.accepted;
    for (std::size_t i = 0; i < out.of.size(); ++i) out.of[i] = {running_of_[i], waiting_of_[i]};
    out.memory_stops = memory_stops_, out.heat_pauses = heat_pauses_, out.hot = hot_;
    if (const auto& experts = runner_->model().experts) out.experts = experts->report();
    return out;
}

void Worker::remember_load() {
    n_running_ = int(running_.size());
    for (std::size_t i = 0; i < running_of_.size(); ++i) {
        const auto is = [&](const auto& s) { return std::size_t(s->urgency) == i; };
        running_of_[i] = int(std::ranges::count_if(running_, is));
        waiting_of_[i] = int(std::ranges::count_if(waiting_, is));
    }
    held_ = blocks_.held();
    cached_ = blocks_.cached_tokens();
    auto oldest = Clock::time_point::max();
    for (const auto& s : waiting_) oldest = std::min(oldest, s->queued);
    oldest_ = waiting_.empty() ? 0 : oldest.time_since_epoch().count();
}

bool Worker::collect() {
    std::vector<std::function<void()>> jobs;
    {
        std::lock_guard lock(mutex_);
        if (ending_) return false;
        jobs.swap(jobs_);
        for (auto& s : inbox_) waiting_.push_back(std::move(s));
        inbox_.clear();
        woken_ = false;
    }
    for (auto& job : jobs) job();
    return true;
}

void Worker::loop() {
    std::optional<Pool::Busy> busy;  // while there is a step to come
    while (collect()) {
        bool idle = true;
        const auto began = Clock::now();
        try {
            drop_stopped(running_);
            drop_stopped(waiting_);
            spare_memory();
            join_waiting();
            end_if_cut();
            if (!running_.empty() && !busy) busy.emplace(runner_->pool());
            idle = !step();
            if (!idle) cool_down(Clock::now() - began);
            else if (hot_) hot_ = heat_.look(Clock::now());
        } catch (const UnreadableExpert& e) {
            finish_each(running_, Finish::failed, e.what(), base::Code::unavailable);
        } catch (const std::exception& e) {
            finish_all(Finish::failed, e.what());
        }
        remember_load();
        if (!idle) continue;
        busy.reset();
        std::unique_lock lock(mutex_);
        const auto due = [&] { return ending_ || woken_ || !inbox_.empty() || !jobs_.empty(); };
        if (running_.empty() && waiting_.empty() && !hot_)
            changed_.wait(lock, due);
        else if (running_.empty() && waiting_.empty())
            changed_.wait_for(lock, kUntilCooler, due);
        else
            changed_.wait_for(lock, kIdleCheck, due);
    }
    {
        std::lock_guard lock(mutex_);
        for (auto& s : inbox_) waiting_.push_back(std::move(s));
        inbox_.clear();
    }
    finish_all(Finish::cancelled, {});
}

void Worker::drop_stopped(std::vector<std::unique_ptr<Sequence>>& from) {
    for (auto& s : from) {
        auto reason = s->stop.reason();  // before the session's own stop, which is often its consequence
        if (reason == base::StopReason::none && s->stream->stopped()) reason = base::StopReason::cancelled;
        if (reason == base::StopReason::none) continue;
        finish(*s, reason == base::StopReason::deadline ? Finish::deadline : Finish::cancelled);
        if (&from == &waiting_) left_queue(*s);
        s.reset();
    }
    std::erase(from, nullptr);
}

void Worker::join_waiting() {
    if (waiting_.empty() || int(running_.size()) >= limits_.sequences || (heat_.hot() && !running_.empty())) return;
    int needed = 0;
    std::vector<std::uint64_t> running;
    std::vector<Waiting> waiting;
    std::vector<int> joining;
    for (const auto& s : running_) needed += s->blocks_needed, running.push_back(s->person);
    for (const auto& s : waiting_) {
        const auto turn = turns_.find(s->person);
        waiting.push_back({s->blocks_needed, s->person, turn == turns_.end() ? 0 : turn->second, s->urgency});
    }
    admit(limits_, running, needed, waiting, joining);
    for (const int i : joining) {
        Sequence& s = *running_.emplace_back(std::move(waiting_[std::size_t(i)]));
        left_queue(s);
        turns_[s.person] = ++turn_;
        join(s);
        append_forced(s);
        if (s.max_tokens == 0) running_.pop_back();  // finished
    }
    std::erase(waiting_, nullptr);
    if (waiting_.empty()) turns_.clear();  // nobody has been made to wait for another's turn
}

// Finds the longest cached beginning; the last prompt token is always computed, for its logits.
void Worker::join(Sequence& s) {
    s.joined = Clock::now();
    s.usage.queued = since(s.queued, s.joined);
    s.slot = free_slots_.back();
    free_slots_.pop_back();
    const BlockKey root = s.chain;
    begin_guessing(s, root);
    auto found = blocks_.hold_prefix(root, std::span(s.tokens).first(std::size_t(s.prompt) - 1), s.table);
    if (recurrent()) found = up_to_state(s, root, found);
    s.chain = found.chain;
    s.computed = hold_tail(blocks_, *runner_, found, s.table);
    s.usage.cached_tokens = s.computed;
}

// A recurrent model can go on only from where a state was kept, so the prefix is cut to there. Marks where this prompt leaves
// what came before (whoever begins like both will leave it there too) and where its last message begins: the next turn of a
// conversation repeats everything up to there, however this turn's answer will be written in it.
KvBlocks::Prefix Worker::up_to_state(Sequence& s, BlockKey root, KvBlocks::Prefix found) {
    const int cached = int(s.table.size()) * kKvBlock + found.tail_tokens;
    const auto kept = states_.find(root, std::span(s.tokens).first(std::size_t(cached)));
    if (kept.state >= 0) runner_->resume_state(kept.state, s.slot);
    s.branch = cached;
    s.turn = s.prompt - 1;
    while (s.turn > 0 && !tokenizer_->is_control(s.tokens[std::size_t(s.turn)])) --s.turn;
    if (s.turn == 0) s.turn = s.prompt - 1;

    const std::size_t whole = std::size_t(kept.tokens / kKvBlock);
    const KvBlocks::Prefix out{next_key(root, std::span(s.tokens).first(whole * kKvBlock)), whole < s.table.size() ? s.table[whole] : found.tail,
                               kept.tokens % kKvBlock};
    blocks_.release(std::span(s.table).subspan(whole));
    s.table.resize(whole);
    return out;
}

// Where the next chunk of its prompt must end, so that the state there can be kept; 0: nowhere.
int Worker::next_mark(const Sequence& s) const {
    if (!recurrent()) return 0;
    int next = (s.computed / kStateStride + 1) * kStateStride;
    for (const int mark : {s.branch, s.turn})
        if (mark > s.computed) next = std::min(next, mark);
    return next < s.prompt ? next : 0;
}

void Worker::keep_state(const Sequence& s) {
    if (!recurrent() || s.computed == 0) return;
    const auto rest = std::span(s.tokens).first(std::size_t(s.computed)).subspan(std::size_t(s.computed / kKvBlock * kKvBlock));
    const int kept = states_.take(next_key(s.chain, rest), s.computed);
    if (kept >= 0) runner_->keep_state(s.slot, kept);
}

bool Worker::step() {
    progress_.clear();
    for (const auto& s : running_) progress_.push_back({s->computed, int(s->tokens.size()), s->stream->full(), next_mark(*s), s->computed >= s->prompt, s->person, s->urgency});
    plan_step(limits_, progress_, plan_);
    if (plan_.empty()) return false;
    const double began = steady_seconds();
    guess();
    parts_.clear();
    int rows = 0, logits = 0;
    for (const StepPart& part : plan_) {
        Sequence& s = *running_[part.sequence];
        hold_rows(blocks_, s.table, s.computed + part.rows);
        const bool last = s.computed + part.rows == int(s.tokens.size());
        parts_.push_back({s.tokens.data() + s.computed, part.rows, s.computed, s.table.data(), last ? 1 + s.drafts : 0, s.slot, s.adapter});
        rows += part.rows;
        logits += parts_.back().logits;
    }
    runner_->step(parts_);
    ++steps_;
    const bool decoded = rows == logits;  // and no prompt or forced text went with it
    logits = 0;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        auto& s = running_[plan_[i].sequence];
        if (parts_[i].logits > 0) {
            verify(*s, plan_[i].rows, logits);
            logits += parts_[i].logits;
        } else {
            computed(*s, plan_[i].rows);
            if (s->computed == progress_[plan_[i].sequence].until) keep_state(*s);
        }
        if (s->max_tokens == 0) s.reset();  // finished
    }
    follow();
    account(rows, int(plan_.size()), decoded, steady_seconds() - began);
    std::erase(running_, nullptr);
    return true;
}

void Worker::computed(Sequence& s, int rows) {
    enter_rows(blocks_, s.table, s.chain, s.tokens, s.computed, s.computed + rows);
    s.computed += rows;
}

void Worker::decide(Sequence& s, std::span<float> logits) {
    const auto now = Clock::now();
    if (s.decoding == Sequence::Time{}) {
        s.decoding = now;
        s.usage.prefill = since(s.joined, now);
    }
    for (const float x : logits)
        if (std::isnan(x)) return finish(s, Finish::failed, "the model computed a logit that is not a number: its weights are damaged");
    top_.clear();
    if (s.logprobs > 0) top_logprobs(logits, s.logprobs, sampling_, top_);
    // Ids past the tokenizer's stand for nothing.
    const auto real = logits.first(std::min(logits.size(), std::size_t(tokenizer_->size())));
    std::span<const std::uint64_t> mask;
    if (s.grammar && s.grammar->mask(sampling_.mask)) mask = std::span(sampling_.mask).first((real.size() + 63) / 64);
    const TokenId id = s.sampler.sample(real, s.tokens, mask, sampling_);
    // A sentence that is complete ends by itself where the vocabulary has no token to say so.
    if (id < 0 && s.grammar && s.grammar->may_end()) return finish(s, Finish::stop);
    if (id < 0) return finish(s, Finish::failed, "no token is possible here: every logit is masked or infinite");
    ++s.usage.output_tokens;
    s.usage.decode = since(s.decoding, now);
    if (!s.ignore_eos && tokenizer_->ends_generation(id)) return finish(s, Finish::stop);
    if (s.grammar && !s.grammar->accept(id)) return finish(s, Finish::failed, "the grammar refused a token that its mask allowed");
    s.tokens.push_back(id);
    emit(s, id);
    if (s.max_tokens > 0) append_forced(s);
}

// What the grammar forces goes through the model with the next step, as a chunk of a prompt does: many tokens for little more
// than the time of one. Whoever asked for logprobs or a bias of such a token has it sampled.
void Worker::append_forced(Sequence& s) {
    if (!s.grammar || s.logprobs > 0) return;
    top_.clear();
    for (int n = 0; n < Stream::kAtOnce;) {
        const auto forced = s.grammar->forced();
        if (forced.empty()) break;
        for (const TokenId id : forced) {
            if (n++ == Stream::kAtOnce || s.sampler.is_biased(id)) return;
            if (!s.grammar->accept(id)) return finish(s, Finish::failed, "the grammar refused a token that it forces");
            ++s.usage.output_tokens;
            ++s.usage.forced_tokens;
            ++forced_;
            s.tokens.push_back(id);
            emit(s, id);
            if (s.max_tokens == 0) return;  // finished
        }
    }
    if (s.ignore_eos || tokenizer_->vocabulary().end_of_generation.empty() || !s.grammar->finished()) return;
    ++s.usage.output_tokens;  // the token that says so
    ++s.usage.forced_tokens;
    ++forced_;
    finish(s, Finish::stop);
}

std::string_view Worker::bytes(TokenId id) const {
    return std::string_view(token_bytes_).substr(token_begin_[id], token_begin_[id + 1] - token_begin_[id]);
}

void Worker::emit(Sequence& s, TokenId id) {
    text_.clear();
    const bool hidden = tokenizer_->is_control(id) && !std::binary_search(s.shown.begin(), s.shown.end(), id);
    const bool stopped = s.emitter.push(hidden ? std::string_view() : bytes(id), text_);
    s.stream->push(id, text_, top_);
    if (stopped) return finish(s, Finish::stop);
    if (s.output() >= s.max_tokens) return finish(s, Finish::length);
    s.stream->set_usage(s.usage);
}

// Afterwards max_tokens is 0: the mark of a finished one.
void Worker::finish(Sequence& s, Finish reason, std::string error, base::Code code) {
    text_.clear();
    s.emitter.flush(text_);
    if (reason != Finish::failed && s.slot >= 0) {
        catch_up(s);
        keep_state(s);
    }
    if (reason != Finish::failed) tell_of_end(s);
    blocks_.release(s.table);
    s.table.clear();
    for (const DraftSource source : kDraftSources)
        if (Drafter* const drafts = drafter(source); drafts && s.slot >= 0) drafts->end(s.slot);
    if (s.slot >= 0) free_slots_.push_back(s.slot);
    s.slot = -1;
    s.max_tokens = 0;
    s.stream->set_usage(s.usage);
    s.stream->finish(reason, text_, std::move(error), code);
}

void Worker::finish_each(std::vector<std::unique_ptr<Sequence>>& list, Finish reason, const std::string& error, base::Code code) {
    for (auto& s : list)
        if (s && s->max_tokens > 0) finish(*s, reason, error, code);
    list.clear();
}

void Worker::finish_all(Finish reason, const std::string& error) {
    for (const auto& s : waiting_)
        if (s) left_queue(*s);
    for (auto* list : {&running_, &waiting_}) finish_each(*list, reason, error);
}

}  // namespace engine
