// The facts of the people who ask, indexed in memory: each index is filled with what its person may see and nothing else, kept up with the
// database before each question, and given up, the longest unused first, where all of them take too much memory. What a question
// finds is read again by its id under row-level security, so that an index that held too much would still tell nothing.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "memory/rank.h"
#include "store/facts.h"

namespace memory {

struct RecalledFact {
    store::Fact fact;
    double score = 0;
    std::string why;  // it was recalled: memory::why
};

class FactIndexes {
public:
    explicit FactIndexes(std::size_t most_bytes = std::size_t(400) << 20) : most_bytes_(most_bytes) {}

    // Of the facts that the transaction's person may see those that answer the question, the best first. Thread-safe; waits for the database, and
    // for another question of the same person.
    std::vector<RecalledFact> recall(store::Tx& tx, std::string_view question, base::TimePoint now, std::size_t most);

    std::size_t bytes() const;  // of all of them, about

private:
    struct Entry {
        std::mutex mutex;
        Index index;
        std::vector<base::FactId> ids;                       // by the index's numbers
        std::unordered_map<base::FactId, std::uint32_t> numbers;
        store::FactScope scope;                              // as it was read last
        std::size_t counted = 0;                             // facts, when its bytes were
        std::size_t bytes = 0;                               // guarded by the list's mutex, as is
        std::uint64_t used = 0;                              // the greater the later
    };
    using Whose = std::pair<base::TenantId, base::PersonId>;

    std::shared_ptr<Entry> entry_of(const store::Identity& who);
    void keep_up(store::Tx& tx, Entry& entry);
    void account(Entry& entry, std::size_t bytes);

    const std::size_t most_bytes_;
    mutable std::mutex mutex_;
    std::map<Whose, std::shared_ptr<Entry>> entries_;
    std::uint64_t uses_ = 0;
};

}  // namespace memory
