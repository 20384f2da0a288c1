// The one CPU thread that owns a model: takes requests in, steps all running sequences together,
// writes tokens into their rings.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/draft_model.h"
#include "engine/engine.h"
#include "engine/head_drafter.h"
#include "engine/heat.h"
#include "engine/kv_blocks.h"
#include "engine/memory_guard.h"
#include "engine/runner.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "engine/state_cache.h"

namespace engine {

struct WorkerLimits {
    int sequences = 8, waiting = 256, waiting_each = 64;  // each: of one person
    int draft_length = 0;                                 // see LoadOptions
    bool lookups = true;
};

class Worker {
public:
    // `draft`: a smaller model's, null where none guesses.
    Worker(std::unique_ptr<Runner> runner, std::unique_ptr<DraftModel> draft, std::shared_ptr<const text::Tokenizer> tokenizer, const WorkerLimits& limits, MemoryGuard guard, HeatGuard heat);
    ~Worker();  // ends what runs as cancelled

    // A place in the queue, which counts as waiting from then on. Error{resource_exhausted}: too many wait.
    base::Result<void> book(const Sequence& sequence);
    void enter(std::unique_ptr<Sequence> sequence);  // one that is booked
    base::Result<void> submit(std::unique_ptr<Sequence> sequence);  // both
    void wake();
    // Runs on the worker between two steps; blocks until it has. Fails when too few blocks are free.
    base::Result<std::vector<float>> all_rows(Runner::Of what, const std::vector<TokenId>& tokens);

    // The same of a bench, while no sequence runs.
    base::Result<StepTimes> time_steps(const StepShape& shape, int steps, bool exact);
    Rates rates();

    // What ended with something in the cache, and wants to be kept. Told on the worker, between two steps; at most one listens.
    struct Ended {
        std::string salt;
        BlockKey root;
        std::vector<TokenId> tokens;  // whose keys and values are there
        int turn = 0;                 // of a recurrent model: where a state may have been kept beside the one at the end; 0: nowhere
        Usage usage;
        std::uint64_t begun = 0;      // Sequence::begun
    };
    void on_ended(std::function<void(Ended)> told);
    // Of the beginning of a conversation, from other CPU threads. How much of it is cached; the blocks of tokens[first, end),
    // none where one has left the cache; the other way round, false where there is no room.
    int cached(BlockKey root, std::span<const TokenId> tokens);
    std::vector<std::string> copy_out(BlockKey root, std::span<const TokenId> tokens, std::size_t first);
    bool put_in(BlockKey root, std::span<const TokenId> tokens, std::size_t first, std::span<const std::string> blocks);
    // The state of a recurrent model after just these tokens; empty: it is not kept.
    std::string copy_state(BlockKey root, std::span<const TokenId> tokens);
    void put_in_state(BlockKey root, std::span<const TokenId> tokens, const std::string& state);

    BlockKey root(const std::string& salt) const { return root_key(seed_, salt); }
    Engine::Load load() const;
    const Runner& runner() const { return *runner_; }

private:
    void loop();
    void between_steps(std::function<void()> job);  // blocks until it has run
    base::Result<std::vector<std::int32_t>> take_blocks(std::size_t tokens, int tables);  // so many tokens in each
    bool collect();  // new requests and jobs; false: end
    void drop_stopped(std::vector<std::unique_ptr<Sequence>>& from);
    void spare_memory();
    std::string cut_file() const;
    void end_if_cut();
    void cool_down(std::chrono::steady_clock::duration step);
    void join_waiting();
    void left_queue(const Sequence& s);
    void join(Sequence& s);
    KvBlocks::Prefix up_to_state(Sequence& s, BlockKey root, KvBlocks::Prefix found);
    int next_mark(const Sequence& s) const;
    void keep_state(const Sequence& s);
    bool step();  // false: nothing to compute
    void computed(Sequence& s, int rows);
    void guess();                 // lengthens parts of the plan
    void write_guesses();
    void compute_guesses(DraftSource source);
    void saw(Sequence& s, int i, bool guessed, bool is_right, TokenId came);
    void begin_guessing(Sequence& s, BlockKey root);
    std::optional<Draftable> draftable(const Sequence& s, DraftSource source, int together) const;
    Draftable best_source(Sequence& s, int rows, int tokens, int together);
    void learn(Sequence& s, DraftSource source, Draftable& chosen, int rows, int tokens);
    void follow();
    DraftCounts draft_counts() const;
    void account(int rows, int tokens, bool decoded, double seconds);
    Drafter* drafter(DraftSource source) const;
    void verify(Sequence& s, int rows, int logits);
    void go_on(Sequence& s, int rows);
    void settle(Sequence& s);
    void catch_up(Sequence& s);
    void decide(Sequence& s, std::span<float> logits);
    void append_forced(Sequence& s);
    void emit(Sequence& s, TokenId id);
    void finish(Sequence& s, Finish reason, std::string error = {}, base::Code code = base::Code::internal);
    void tell_of_end(const Sequence& s);
    void finish_each(std::vector<std::unique_ptr<Sequence>>& list, Finish reason, const std::string& error, base::Code code = base::Code::internal);
    void finish_all(Finish reason, const std::string& error);
    void remember_load();
    std::string_view bytes(TokenId id) const;
    bool recurrent() const { return runner_->model().config.state_values > 0; }

    std::unique_ptr<Runner> runner_;
    std::shared_ptr<const text::Tokenizer> tokenizer_;
    const std::uint64_t seed_;
    SchedulerLimits limits_;
    const WorkerLimits most_;
    std::unordered_map<std::uint64_t, std::uint64_t> turns_;  // by person, of those that run or wait
    std::uint64_t turn_ = 0;
    KvBlocks blocks_;
    StateCache states_;
    MemoryGuard guard_;
    HeatGuard heat_;
    SamplerScratch sampling_;
    std::string token_bytes_;                  // of all tokens, one after another
    std::vector<std::uint32_t> token_begin_;   // (V + 1)

    std::vector<std::unique_ptr<Sequence>> running_, waiting_;  // a finished one is null until the step ends
    std::vector<Progress> progress_;
    std::vector<StepPart> plan_;
    std::vector<Runner::Part> parts_;
    std::vector<Draftable> draftable_;
    std::vector<int> drafting_;   // parts of the plan that draftable_ is of
    struct Source {
        Acceptance acceptance;         // of all sequences
        double worth = 1;              // how often of late its guesses would have paid
        int barred = 0;                // sequences that began while they would not
        int step_guessed = 0, step_accepted = 0;  // of the running step
        double step_seconds = 0;
        std::atomic<bool> off{false};
        std::atomic<std::uint64_t> guessed{0}, accepted{0};
        std::atomic<double> saved{0};
    };
    std::array<Source, kDraftSources.size()> sources_;
    Source& of(DraftSource source) { return sources_[std::size_t(source)]; }
    std::unique_ptr<DraftModel> draft_model_;
    std::unique_ptr<HeadDrafter> head_drafter_;
    std::vector<Wanted> wanted_;       // of one source
    std::vector<int> wanting_;         // parts of the plan that they are of
    std::vector<HeadDrafter::Followed> followed_;
    StepCost cost_;
    std::vector<TokenLogprob> top_;
    std::vector<int> free_slots_;  // of recurrent states
    std::string text_;
    std::function<void(Ended)> told_of_ended_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Sequence>> inbox_;
    std::vector<std::function<void()>> jobs_;
    bool ending_ = false, woken_ = false;
    std::unordered_map<std::uint64_t, int> waiting_each_;  // by person
    std::array<std::atomic<int>, kUrgencies> running_of_{}, waiting_of_{};  // each urgency
    std::atomic<int> n_running_{0}, n_waiting_{0}, held_{0};
    std::atomic<std::int64_t> cached_{0}, oldest_{0};
    std::atomic<std::uint64_t> steps_{0}, forced_{0};
    std::atomic<std::uint64_t> memory_stops_{0}, heat_pauses_{0};
    std::atomic<bool> hot_{false};
    std::thread thread_;
};

}  // namespace engine
