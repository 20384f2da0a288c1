// What the people who ask may know, indexed in memory: facts, and what was said in conversations, whole and summed up, and
// sections of documents. Each index is filled with what its person may see and nothing
// else, kept up with the database before each question, and given up, the longest unused first, where all of them take too much memory. What a question
// finds is read again by its id under row-level security, so that an index that held too much would still tell nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/stop.h"
#include "memory/rank.h"
#include "store/documents.h"
#include "store/episodes.h"
#include "store/facts.h"
#include "net/task.h"
#include "store/segments.h"
#include "store/vectors.h"

namespace memory {

struct RecalledFact {
    store::Fact fact;
    double score = 0;
    std::string why;  // it was recalled: memory::why
};
struct RecalledSegment {
    store::Segment segment;
    double score = 0;
    std::string why;
    std::vector<std::string> words;  // of the question, that it has
};
struct RecalledEpisode {
    store::Episode episode;
    double score = 0;
    std::string why;
};
struct RecalledSection {
    store::DocumentSection section;
    double score = 0;
    std::string why;
    std::vector<std::string> words;  // of the question, that it has
};

// What is asked, and what that means where a model of vectors is there.
struct Asked {
    Asked(const char* t) : text(t) {}
    Asked(const std::string& t) : text(t) {}
    Asked(std::string_view t, const std::optional<Meaning>& m = std::nullopt) : text(t), meaning(m ? &*m : nullptr) {}
    std::string_view text;
    const Meaning* meaning = nullptr;
};
// None: there is no such model, or it does not answer; recall is by words then.
using Embedder = std::function<net::Task<std::optional<Meaning>>(std::string text, store::Identity who, base::StopToken stop)>;

class PersonIndexes {
public:
    explicit PersonIndexes(std::size_t most_bytes = std::size_t(400) << 20) : most_bytes_(most_bytes) {}

    void embed_with(Embedder embedder) { embedder_ = std::move(embedder); }  // before the first question
    net::Task<std::optional<Meaning>> meaning_of(std::string text, store::Identity who, base::StopToken stop) const;

    // Of the facts that the transaction's person may see those that answer the question, the best first; what was replaced only where it asks for
    // what was. Thread-safe; waits for the database, and for another question of the same person.
    // `only`: a group of his, whose facts alone count; nil: all that he may see.
    std::vector<RecalledFact> recall(store::Tx& tx, const Asked& question, base::TimePoint now, std::size_t most, base::AudienceId only = {});
    // The same of what was said in that conversation; in all of the person's where it is nil, or the question asks for what was talked about.
    std::vector<RecalledSegment> recall_said(store::Tx& tx, const Asked& question, base::TimePoint now, std::size_t most, base::ConversationId conversation);

    // Summaries of what was said; none where the question asks for no time and for nothing that was talked about.
    std::vector<RecalledEpisode> recall_episodes(store::Tx& tx, std::string_view question, base::TimePoint now, std::size_t most);

    // Sections of documents.
    std::vector<RecalledSection> recall_sections(store::Tx& tx, std::string_view question, base::TimePoint now, std::size_t most);

    // Reads what the transaction's person may see, so that his first question does not wait for it; breaks off at `stop`. → whether there is room for another person's.
    bool prepare(store::Tx& tx, const base::StopToken& stop);

    // Of what was forgotten no word stays here. Other processes notice at their next question (store::MemoryScope::erased).
    void forget(const base::TenantId& tenant);

    std::size_t bytes() const;  // of all of them, about

private:
    using AnyId = base::Id<struct ShelfTag>;
    struct Shelf {  // by the index's numbers
        Index index;
        std::vector<AnyId> ids;
        std::vector<bool> over;                              // replaced by something newer
        std::vector<base::ConversationId> conversations;     // of what was said
        std::unordered_map<AnyId, std::uint32_t> numbers;
        Meanings meanings;
        std::string meant_by;                                // the model of them
        std::vector<base::AudienceId> meant_of;              // whose they are
        store::MemoryPlace meanings_from;                    // those that are read come before

        bool add(const base::Uuid& id, const Item& item, bool is_over, base::ConversationId conversation);
    };
    struct Entry {
        std::mutex mutex;
        Shelf facts, said, episodes, sections;
        store::MemoryScope scope;                            // as it was read last
        std::size_t counted = 0;                             // rows, when their bytes were
        std::size_t bytes = 0;                               // guarded by the list's mutex, as is
        std::uint64_t used = 0;                              // the greater the later
    };
    using Whose = std::pair<base::TenantId, base::AudienceId>;  // a person with his groups, or a group alone

    std::shared_ptr<Entry> entry_of(const store::Identity& who, base::AudienceId only = {});
    void keep_up(store::Tx& tx, Entry& entry, bool anew, const base::StopToken& stop = {}, base::AudienceId only = {});
    void account(Entry& entry, std::size_t bytes);
    std::optional<Standing> stand(store::Tx& tx, Entry& entry, Shelf& shelf, store::VectorOf kind, const Meaning* question);

    const std::size_t most_bytes_;
    mutable std::mutex mutex_;
    std::map<Whose, std::shared_ptr<Entry>> entries_;
    std::uint64_t uses_ = 0;
    Embedder embedder_;
};

}  // namespace memory
