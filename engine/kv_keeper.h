// What brings conversations to disk when they end and back into the prefix cache before they go on: the CPU thread between a
// worker and a KvStore.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "engine/kv_store.h"
#include "engine/worker.h"

namespace engine {

class KvKeeper {
public:
    // `log`: hears once that the disk fails, and once that it works again; null: nobody does.
    KvKeeper(std::unique_ptr<KvStore> store, std::shared_ptr<Worker> worker, base::Log* log, std::string model);
    ~KvKeeper();  // writes what waits to be written; what waits to be read goes on without

    // To the worker, by way of the disk where that has more of its beginning than the cache and is quicker than computing it.
    base::Result<void> submit(std::unique_ptr<Sequence> sequence);  // see Worker::submit
    void erase(const std::string& audience);  // for good: what has begun by now is not written either, whenever it ends

    std::uint64_t stored_bytes() const { return store_->bytes(); }
    std::uint64_t restored_tokens() const { return restored_; }
    std::uint64_t failures() const { return failures_; }  // writes and erasures that the disk refused
    std::string trouble() const;                          // why it refused the last one; empty: it did not

private:
    void loop();
    void restore(Sequence& s);
    bool bring(const std::string& audience, BlockKey root, const KvStore::Found& found);  // false: no further
    void save(const Worker::Ended& ended, std::size_t end);
    bool write(const Worker::Ended& ended, std::size_t begin, std::size_t end, std::size_t of);
    void learn(const Usage& usage);
    bool restore_waiting();
    bool is_erased(const Worker::Ended& ended);
    void note(const base::Result<void>& done);

    const std::unique_ptr<KvStore> store_;
    const std::shared_ptr<Worker> worker_;
    const std::size_t block_bytes_;
    double seconds_a_token_ = 0;      // that computing takes, by the conversations that ended; 0: not known
    double read_seconds_a_byte_ = 0;  // 0: not known
    std::atomic<std::uint64_t> restored_{0}, failures_{0};
    base::Log* const log_;
    const std::string model_;

    std::mutex saving_;               // what is being written when it is erased would outlive that
    mutable std::mutex mutex_;        // of what follows
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Sequence>> restores_;
    std::deque<Worker::Ended> saves_;
    std::uint64_t begun_ = 0;                         // conversations that were submitted
    std::map<std::string, std::uint64_t> erased_;     // by audience: how many of them had been, when it was erased
    std::string trouble_;
    bool ending_ = false;
    std::thread thread_;
};

// Of everything that makes keys and values what they are: the model's shape, samples of its weights, target, profile, numbers' form.
std::uint64_t kv_fingerprint(const Runner& runner, bool exact);

}  // namespace engine
