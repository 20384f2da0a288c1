// The words of what is remembered, and where they stand: an inverted index in memory. It holds what one person may see and
// nothing else, so that its statistics tell nobody of what is another's. Pure; not for two CPU threads at once.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "memory/vocabulary.h"
#include "memory/words.h"

namespace memory {

struct Item {
    std::string_view text;
    std::string_view speaker = {};  // who said it; empty: nobody in particular
    std::string_view session = {};  // items of one session that are added one after another are each other's context; empty: it has none
    std::chrono::sys_days said{};
};

// How much of a neighbour's words an item has too, of those one and two places off.
struct Context {
    double next = 0.3, second = 0.25;
};

class Index {
public:
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;
    struct Posting {
        std::uint32_t item, count;
    };
    // What each posting of a word is weighed by: apart from the rest, so that more of it is in the processor's cache.
    struct Place {
        double length = 0;                    // words that are indexed, with the neighbours' part
        std::uint32_t session = kNone;
    };
    struct Entry {
        std::uint32_t speaker = kNone;
        std::uint32_t words = 0;              // that are indexed
        std::uint32_t begin = 0, end = 0;     // of its surfaces
        std::chrono::sys_days said{};
        double asks = 0;                      // 1: a question and nothing else; 1/2: it ends as one
    };

    explicit Index(Context context = {}) : context_(context) {}
    Index(Index&&) = default;
    Index& operator=(Index&&) = default;

    // → its number, counted from 0 in the order of adding.
    std::uint32_t add(const Item& item);

    std::size_t size() const { return entries_.size(); }
    const Entry& entry(std::uint32_t item) const { return entries_[item]; }
    const Place& place(std::uint32_t item) const { return places_[item]; }
    const Context& context() const { return context_; }
    double mean_length() const { return entries_.empty() ? 0 : weighted_ / double(entries_.size()); }

    // Of a stem, by item; nullptr: no item has it.
    const std::vector<Posting>* postings(const std::string& stem) const;
    const Vocabulary& vocabulary() const { return surfaces_; }
    // The word as some item spells it with accents, by which its stem goes; nullptr: none does.
    const std::string* accented(const std::string& surface) const;
    // Whether the item has these words in a row.
    bool has(std::uint32_t item, const std::vector<std::string>& phrase) const;

    std::size_t sessions() const { return session_lengths_.size(); }
    std::uint32_t session_length(std::uint32_t session) const { return session_lengths_[session]; }
    double mean_session() const { return sessions() == 0 ? 0 : double(in_sessions_) / double(sessions()); }
    // The speakers one of whose names is that.
    std::vector<std::uint32_t> speakers_called(const std::string& surface) const;
    const std::string& speaker(std::uint32_t number) const { return speakers_[number].name; }

    std::size_t bytes() const;  // about what it takes of the memory

private:
    struct Speaker {
        std::string name;
        std::vector<std::string> surfaces;
    };
    using Lists = std::vector<std::vector<Posting>*>;
    const Lists& lists_of(const Word& word, Language language);
    void give_context(std::uint32_t item);
    std::uint32_t speaker_number(std::string_view name);
    std::uint32_t session_number(std::string_view session);

    Context context_;
    std::vector<Entry> entries_;
    std::vector<Place> places_;
    std::vector<std::uint32_t> text_;  // surfaces of all items, one after another
    std::unordered_map<std::string, std::vector<Posting>> postings_;
    std::array<std::unordered_map<std::string, Lists>, 3> lists_;  // by language and word: those of its stems, so that each word is stemmed once
    Vocabulary surfaces_;
    std::unordered_map<std::uint32_t, std::string> accented_;  // of surfaces
    std::vector<Speaker> speakers_;
    std::unordered_map<std::string, std::uint32_t> sessions_;
    std::vector<std::uint32_t> session_lengths_;
    double weighted_ = 0;
    std::uint64_t in_sessions_ = 0;  // words
};

}  // namespace memory
