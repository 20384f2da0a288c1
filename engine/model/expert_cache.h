// Experts of a model that is larger than the memory: as many as there are slots, the others read when a step chooses them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "engine/device/huge_memory.h"
#include "engine/expert_record.h"
#include "engine/model/expert_file.h"

namespace engine {

// Ends the step that needed it; the model can go on.
class UnreadableExpert : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// One CPU thread computes and calls everything but wait() and report(); readers of its own fill slots meanwhile.
class ExpertCache final : public ExpertSupply {
public:
    static constexpr int kReaders = 4;

    // `file` was opened for `model`, which gets its trunk by this.
    static base::Result<std::unique_ptr<ExpertCache>> create(std::unique_ptr<ExpertFile> file, const ExpertPlan& plan, ExpertRecord record, Model& model, Pool& pool);
    ~ExpertCache() override;

    // Fills the slots, the most chosen experts first, and learns what a read takes. `progress` is told the share done.
    base::Result<void> fill(const std::function<void(double)>& progress);
    // The time that the weights of one token take where all of them are in memory; after it forecast() tells speed.
    void set_computing(double seconds);

    int stack_of(int layer) const { return file_->stack_of(layer); }
    void routed(int stack, const std::int32_t* chosen, int rows);  // before the operation that uses them
    int begin(int stack, std::int32_t* experts, int n) override;
    bool wait(int stack, std::int32_t expert) override;
    void settle();                                   // after that operation; throws UnreadableExpert
    void stepped(double seconds);                    // a step of one token ended

    ExpertReport report() const;                     // from any CPU thread

private:
    struct Job {
        int stack = 0;
        std::int32_t expert = 0, slot = 0;
    };
    enum State : std::uint32_t { empty, reading, ready, failed };
    // A ring of slots, the least recently used last; `slots` is its head. Pinned ones are in none.
    struct Link {
        std::int32_t before, behind;
    };

    ExpertCache(std::unique_ptr<ExpertFile> file, const ExpertPlan& plan, ExpertRecord record);
    std::int32_t& place(int stack, std::int32_t expert) { return places_[std::size_t(stack) * std::size_t(plan_.experts) + std::size_t(expert)]; }
    std::uint8_t* memory(std::int32_t slot) const { return slots_.data() + std::size_t(slot) * plan_.slot_bytes; }
    void unlink(std::int32_t slot);
    void link(std::int32_t slot, std::int32_t behind);
    void use(std::int32_t slot);
    void fetch(int stack, std::int32_t expert, std::int32_t slot);
    void read_on();
    void keep_record();

    const std::unique_ptr<ExpertFile> file_;
    const ExpertPlan plan_;
    ExpertRecord record_;
    ExpertForecast forecast_;
    HugeMemory slots_;
    std::vector<std::int32_t> places_;               // (stacks, experts): the slot, or -1
    std::vector<Job> held_;                          // of each slot: which expert it has
    std::vector<std::atomic<std::uint32_t>> states_;  // of each slot
    std::vector<Link> links_;                        // (slots + 1)
    std::vector<std::uint64_t> used_;                // of each slot: in which call of begin() last
    std::vector<bool> pinned_;
    std::uint64_t call_ = 0;
    bool one_row_ = false;
    double kept_tokens_ = 0;                         // of the record, when it was kept last

    std::mutex mutex_;                               // of what follows
    std::condition_variable due_, arrived_;
    std::vector<Job> jobs_;                          // a ring
    std::size_t next_job_ = 0, n_jobs_ = 0;
    std::optional<base::Error> failure_;
    bool ending_ = false;
    std::atomic<bool> any_failed_ = false;
    std::atomic<std::uint64_t> tokens_ = 0, wanted_ = 0, found_ = 0, bytes_ = 0, nanoseconds_ = 0;
    std::vector<std::thread> readers_;
};

}  // namespace engine
