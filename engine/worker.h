// The one CPU thread that owns a model: takes requests in, steps all running sequences together,
// writes tokens into their rings.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "engine/kv_blocks.h"
#include "engine/runner.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "engine/state_cache.h"

namespace engine {

struct WorkerLimits {
    int sequences = 8, waiting = 256, waiting_each = 64;  // each: of one person
};

class Worker {
public:
    Worker(std::unique_ptr<Runner> runner, std::shared_ptr<const text::Tokenizer> tokenizer, const WorkerLimits& limits);
    ~Worker();  // ends what runs as cancelled

    base::Result<void> submit(std::unique_ptr<Sequence> sequence);  // Error{resource_exhausted}: too many wait
    void wake();
    // Runs on the worker between two steps; blocks until it has. Fails when too few blocks are free.
    base::Result<std::vector<float>> all_rows(Runner::Of what, const std::vector<TokenId>& tokens);

    BlockKey root(const std::string& salt) const { return root_key(seed_, salt); }
    Engine::Load load() const;
    const Runner& runner() const { return *runner_; }

private:
    void loop();
    bool collect();  // new requests and jobs; false: end
    void drop_stopped(std::vector<std::unique_ptr<Sequence>>& from);
    void join_waiting();
    void left_queue(const Sequence& s);
    void join(Sequence& s);
    KvBlocks::Prefix up_to_state(Sequence& s, BlockKey root, KvBlocks::Prefix found);
    int next_mark(const Sequence& s) const;
    void keep_state(const Sequence& s);
    bool step();  // false: nothing to compute
    void computed(Sequence& s, int rows);
    void guess();                 // lengthens parts of the plan
    void verify(Sequence& s, int rows, int logits);
    void go_on(Sequence& s, int rows);
    void settle(Sequence& s);
    void catch_up(Sequence& s);
    void decide(Sequence& s, std::span<float> logits);
    void append_forced(Sequence& s);
    void emit(Sequence& s, TokenId id);
    void finish(Sequence& s, Finish reason, std::string error = {});
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
    SamplerScratch sampling_;
    std::string token_bytes_;                  // of all tokens, one after another
    std::vector<std::uint32_t> token_begin_;   // (V + 1)

    std::vector<std::unique_ptr<Sequence>> running_, waiting_;  // a finished one is null until the step ends
    std::vector<Progress> progress_;
    std::vector<StepPart> plan_;
    std::vector<Runner::Part> parts_;
    std::vector<Draftable> draftable_;
    std::vector<int> drafting_;   // parts of the plan that draftable_ is of
    Acceptance acceptance_;       // of all sequences
    StepCost cost_;
    std::vector<TokenLogprob> top_;
    std::vector<int> free_slots_;  // of recurrent states
    std::string text_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Sequence>> inbox_;
    std::vector<std::function<void()>> jobs_;
    bool ending_ = false, woken_ = false;
    std::unordered_map<std::uint64_t, int> waiting_each_;  // by person
    std::atomic<int> n_running_{0}, n_waiting_{0}, held_{0};
    std::atomic<std::int64_t> cached_{0}, oldest_{0};
    std::atomic<std::uint64_t> steps_{0}, forced_{0}, drafted_{0}, accepted_{0};
    std::thread thread_;
};

}  // namespace engine
