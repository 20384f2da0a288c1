#include "memory/fact_indexes.h"

#include <algorithm>

namespace memory {
namespace {

constexpr int kPage = 10000;  // facts that are read at once

void add(Index& index, const store::Fact& fact) {
    const std::string session = fact.source.is_nil() ? "" : fact.source.text();
    index.add({fact.body, "", session, std::chrono::floor<std::chrono::days>(fact.created)});
}

}  // namespace

std::shared_ptr<FactIndexes::Entry> FactIndexes::entry_of(const store::Identity& who) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[{who.tenant, who.person}];
    if (!entry) entry = std::make_shared<Entry>();
    entry->used = ++uses_;
    return entry;
}

// Facts that one transaction wrote and the last reading did not see are behind its mark, and so are some that it did see.
void FactIndexes::keep_up(store::Tx& tx, Entry& entry) {
    store::FactScope scope = store::fact_scope(tx);
    if (scope.audiences != entry.scope.audiences) {
        entry.index = Index();
        entry.ids.clear();
        entry.numbers.clear();
        entry.scope.next = {};
        entry.counted = 0;
    }
    for (const base::AudienceId audience : scope.audiences) {
        store::FactPlace place = entry.scope.next;
        for (bool more = true; more;) {
            const auto facts = store::facts_behind(tx, audience, place, kPage);
            for (const store::Fact& fact : facts) {
                if (!entry.numbers.try_emplace(fact.id, std::uint32_t(entry.ids.size())).second) continue;
                entry.ids.push_back(fact.id);
                add(entry.index, fact);
            }
            more = facts.size() == kPage;
            if (more) place = facts.back().place;
        }
    }
    entry.scope = std::move(scope);
    // Counting walks over all words, so a few facts more are let pass.
    if (entry.counted > 0 && entry.ids.size() <= entry.counted + entry.counted / 16) return;
    entry.counted = entry.ids.size();
    account(entry, entry.index.bytes() + entry.ids.size() * 80);
}

void FactIndexes::account(Entry& entry, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    entry.bytes = bytes;
    std::size_t all = 0;
    for (const auto& [whose, one] : entries_) all += one->bytes;
    while (all > most_bytes_ && entries_.size() > 1) {
        const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) { return a.second->used < b.second->used; });
        if (oldest->second.get() == &entry) break;
        all -= oldest->second->bytes;
        entries_.erase(oldest);
    }
}

std::size_t FactIndexes::bytes() const {
    const std::lock_guard lock(mutex_);
    std::size_t out = 0;
    for (const auto& [whose, entry] : entries_) out += entry->bytes;
    return out;
}

std::vector<RecalledFact> FactIndexes::recall(store::Tx& tx, std::string_view question, base::TimePoint now, std::size_t most) {
    const std::shared_ptr<Entry> entry = entry_of(tx.identity());
    const std::lock_guard lock(entry->mutex);
    const Question asked = question_of(question, std::chrono::floor<std::chrono::days>(now));
    Cut cut;
    cut.items = most;
    cut.own = true;
    for (bool again = true;; again = false) {
        keep_up(tx, *entry);
        const Recalled found = memory::recall(entry->index, asked, cut);
        std::vector<base::FactId> ids;
        for (const Hit& hit : found.hits) ids.push_back(entry->ids[hit.item]);
        std::vector<store::Fact> facts = store::facts_by_id(tx, ids);
        // One that is not there any more, or not for this person: the index is made anew.
        if (facts.size() < ids.size() && again) {
            entry->scope = {};
            continue;
        }
        std::vector<RecalledFact> out;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto fact = std::find_if(facts.begin(), facts.end(), [&](const store::Fact& one) { return one.id == ids[i]; });
            if (fact != facts.end()) out.push_back({std::move(*fact), found.hits[i].score, why(entry->index, found.hits[i])});
        }
        return out;
    }
}

}  // namespace memory
