#include "memory/person_indexes.h"

#include <algorithm>

namespace memory {
namespace {

constexpr int kPage = 10000;  // rows that are read at once

std::chrono::sys_days day_of(base::TimePoint time) { return std::chrono::floor<std::chrono::days>(time); }

// All rows behind that place, a page after the other.
template <class Read, class Take>
void read_on(store::MemoryPlace place, const base::StopToken& stop, Read read, Take take) {
    for (bool more = true; more && !stop.stopped();) {
        const auto rows = read(place);
        for (const auto& row : rows) take(row);
        more = rows.size() == kPage;
        if (more) place = rows.back().place;
    }
}

// What an index has for the question, read again by its id, the best first. Where something is not there any more, or not for this person, the
// index is made anew and asked again.
template <class Row, class Shelf, class KeepUp, class Hide, class Stand, class ById>
std::vector<std::pair<Row, Hit>> find(const Shelf& shelf, const Question& asked, std::size_t most, KeepUp keep_up, Hide hide, Stand stand, ById by_id) {
    for (bool anew = false;; anew = true) {
        keep_up(anew);
        const std::vector<bool> hidden = hide();
        Cut cut;
        cut.items = most;
        cut.own = true;
        cut.hidden = hidden.empty() ? nullptr : &hidden;
        const std::optional<Standing> meant = stand();
        cut.meant = meant ? &*meant : nullptr;
        const Recalled recalled = memory::recall(shelf.index, asked, cut);
        std::vector<decltype(Row::id)> ids;
        for (const Hit& hit : recalled.hits) ids.push_back({shelf.ids[hit.item].value});
        std::vector<Row> rows = by_id(ids);
        if (rows.size() < ids.size() && !anew) continue;
        std::vector<std::pair<Row, Hit>> out;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.id == ids[i]; });
            if (row != rows.end()) out.emplace_back(std::move(*row), recalled.hits[i]);
        }
        return out;
    }
}

}  // namespace

// Whether it was not there yet; of one that was it may be over by now.
bool PersonIndexes::Shelf::add(const base::Uuid& id, const Item& item, bool is_over, base::ConversationId conversation) {
    const auto [known, fresh] = numbers.try_emplace(AnyId{id}, std::uint32_t(ids.size()));
    if (!fresh) {
        over[known->second] = is_over;
        return false;
    }
    ids.push_back({id});
    over.push_back(is_over);
    conversations.push_back(conversation);
    index.add(item);
    return true;
}

std::shared_ptr<PersonIndexes::Entry> PersonIndexes::entry_of(const store::Identity& who, base::AudienceId only) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[{who.tenant, only.is_nil() ? base::AudienceId{who.person.value} : only}];
    if (!entry) entry = std::make_shared<Entry>();
    entry->used = ++uses_;
    return entry;
}

// What one transaction wrote and the last reading did not see is behind its mark, and so is some that it did see.
void PersonIndexes::keep_up(store::Tx& tx, Entry& entry, bool anew, const base::StopToken& stop, base::AudienceId only) {
    store::MemoryScope scope = store::memory_scope(tx, entry.scope.next);
    if (!only.is_nil()) std::erase_if(scope.audiences, [&](base::AudienceId one) { return one != only; });  // none is left to whoever is not in it
    if (anew || scope.audiences != entry.scope.audiences || scope.erased != entry.scope.erased) {
        for (Shelf* shelf : {&entry.facts, &entry.said, &entry.episodes, &entry.sections}) *shelf = Shelf();
        entry.scope.next = {};
        entry.counted = 0;
        scope.facts = scope.segments = scope.episodes = scope.sections = true;
    }
    for (const base::AudienceId audience : scope.audiences) {
        const auto facts = [&](const store::MemoryPlace& place) { return store::facts_behind(tx, audience, place, kPage); };
        const auto add_fact = [&](const store::Fact& fact) {
            const std::string session = fact.source.is_nil() ? "" : fact.source.text();
            entry.facts.add(fact.id.value, {fact.body, "", session, day_of(fact.created)}, fact.until.has_value(), {});
        };
        if (scope.facts) read_on(entry.scope.next, stop, facts, add_fact);
        const auto said = [&](const store::MemoryPlace& place) { return store::segments_behind(tx, audience, place, kPage); };
        const auto add_said = [&](const store::Segment& one) {
            const std::string text = one.asked + "\n" + one.answered, session = one.conversation.text();
            entry.said.add(one.id.value, {text, "", session, day_of(one.said)}, false, one.conversation);
        };
        if (scope.segments) read_on(entry.scope.next, stop, said, add_said);
        const auto episodes = [&](const store::MemoryPlace& place) { return store::episodes_behind(tx, audience, place, kPage); };
        const auto add_episode = [&](const store::Episode& one) {
            const std::string text = one.summary + "\n" + one.keywords;
            entry.episodes.add(one.id.value, {text, "", "", day_of(one.ended)}, false, one.conversation);
        };
        if (scope.episodes) read_on(entry.scope.next, stop, episodes, add_episode);
        const auto sections = [&](const store::MemoryPlace& place) { return store::sections_behind(tx, audience, place, kPage); };
        const auto add_section = [&](const store::DocumentSection& one) {
            const std::string text = one.heading + "\n" + one.body, session = one.document.text();
            entry.sections.add(one.id.value, {text, "", session, day_of(one.added)}, false, {});
        };
        if (scope.sections) read_on(entry.scope.next, stop, sections, add_section);
    }
    if (stop.stopped()) return;  // whoever reads next reads the same again
    entry.scope = std::move(scope);
    // Counting walks over all words, so a few rows more are let pass.
    std::size_t rows = 0;
    for (const Shelf* shelf : {&entry.facts, &entry.said, &entry.episodes, &entry.sections}) rows += shelf->ids.size();
    if (entry.counted > 0 && rows <= entry.counted + entry.counted / 16) return;
    entry.counted = rows;
    std::size_t bytes = rows * 100;
    for (const Shelf* shelf : {&entry.facts, &entry.said, &entry.episodes, &entry.sections}) bytes += shelf->index.bytes() + shelf->meanings.bytes();
    account(entry, bytes);
}

// Of those whose vectors the question's model made, his own and each group's for themselves. What has come since is read first.
std::optional<Standing> PersonIndexes::stand(store::Tx& tx, Entry& entry, Shelf& shelf, store::VectorOf kind, const Meaning* question) {
    if (!question) return std::nullopt;
    std::vector<base::AudienceId> alike;
    for (const store::VectorProbe& one : store::vector_probes(tx, question->model))
        if (cosine(one.probe, question->probe) >= kSameModel) alike.push_back(one.audience);
    if (alike.empty()) return std::nullopt;
    if (shelf.meant_by != question->model || shelf.meant_of != alike) {
        shelf.meanings = {};
        shelf.meanings_from = {};
        shelf.meant_by = question->model;
        shelf.meant_of = alike;
    }
    const auto take = [&](const store::StoredVector& one) {
        const auto known = shelf.numbers.find(AnyId{one.of});
        if (known == shelf.numbers.end()) return;
        shelf.meanings.set(known->second, one.bytes);
        entry.counted = 0;
    };
    for (const base::AudienceId audience : alike) {
        const auto read = [&](const store::MemoryPlace& place) { return store::vectors_behind(tx, kind, question->model, audience, place, kPage); };
        read_on(shelf.meanings_from, {}, read, take);
    }
    shelf.meanings_from = entry.scope.next;
    return standing(shelf.meanings.near(question->bytes, shelf.ids.size()));
}

net::Task<std::optional<Meaning>> PersonIndexes::meaning_of(std::string text, store::Identity who, base::StopToken stop) const {
    if (!embedder_) co_return std::nullopt;
    co_return co_await embedder_(std::move(text), who, std::move(stop));
}

void PersonIndexes::account(Entry& entry, std::size_t bytes) {
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

bool PersonIndexes::prepare(store::Tx& tx, const base::StopToken& stop) {
    const std::shared_ptr<Entry> entry = entry_of(tx.identity());
    const std::lock_guard lock(entry->mutex);
    keep_up(tx, *entry, false, stop);
    return bytes() < most_bytes_ / 4 * 3;
}

void PersonIndexes::forget(const base::TenantId& tenant) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& one) { return one.first.first == tenant; });
}

std::size_t PersonIndexes::bytes() const {
    const std::lock_guard lock(mutex_);
    std::size_t out = 0;
    for (const auto& [whose, entry] : entries_) out += entry->bytes;
    return out;
}

std::vector<RecalledFact> PersonIndexes::recall(store::Tx& tx, const Asked& question, base::TimePoint now, std::size_t most, base::AudienceId only) {
    const std::shared_ptr<Entry> entry = entry_of(tx.identity(), only);
    const std::lock_guard lock(entry->mutex);
    const Question asked = question_of(question.text, day_of(now));
    Shelf& shelf = entry->facts;
    std::vector<RecalledFact> out;
    for (auto& [fact, hit] : find<store::Fact>(shelf, asked, most, [&](bool anew) { keep_up(tx, *entry, anew, {}, only); }, [&] { return asked.past ? std::vector<bool>() : shelf.over; },
                                               [&] { return stand(tx, *entry, shelf, store::VectorOf::fact, question.meaning); }, [&](const auto& ids) { return store::facts_by_id(tx, ids); }))
        out.push_back({std::move(fact), hit.score, why(shelf.index, hit)});
    return out;
}

std::vector<RecalledSegment> PersonIndexes::recall_said(store::Tx& tx, const Asked& question, base::TimePoint now, std::size_t most, base::ConversationId conversation) {
    const std::shared_ptr<Entry> entry = entry_of(tx.identity());
    const std::lock_guard lock(entry->mutex);
    const Question asked = question_of(question.text, day_of(now));
    Shelf& shelf = entry->said;
    const auto elsewhere = [&] {
        std::vector<bool> hidden;
        if (!asked.talk && !conversation.is_nil())
            for (const auto& of : shelf.conversations) hidden.push_back(of != conversation);
        return hidden;
    };
    std::vector<RecalledSegment> out;
    for (auto& [segment, hit] : find<store::Segment>(shelf, asked, most, [&](bool anew) { keep_up(tx, *entry, anew); }, elsewhere,
                                                     [&] { return stand(tx, *entry, shelf, store::VectorOf::segment, question.meaning); }, [&](const auto& ids) { return store::segments_by_id(tx, ids); }))
        out.push_back({std::move(segment), hit.score, why(shelf.index, hit), hit.own});
    return out;
}

std::vector<RecalledEpisode> PersonIndexes::recall_episodes(store::Tx& tx, std::string_view question, base::TimePoint now, std::size_t most) {
    const Question asked = question_of(question, day_of(now));
    if (!asked.talk) return {};
    const std::shared_ptr<Entry> entry = entry_of(tx.identity());
    const std::lock_guard lock(entry->mutex);
    const Shelf& shelf = entry->episodes;
    std::vector<RecalledEpisode> out;
    for (auto& [episode, hit] : find<store::Episode>(shelf, asked, most, [&](bool anew) { keep_up(tx, *entry, anew); }, [] { return std::vector<bool>(); },
                                                     [] { return std::nullopt; }, [&](const auto& ids) { return store::episodes_by_id(tx, ids); }))
        out.push_back({std::move(episode), hit.score, why(shelf.index, hit)});
    return out;
}

std::vector<RecalledSection> PersonIndexes::recall_sections(store::Tx& tx, std::string_view question, base::TimePoint now, std::size_t most) {
    const std::shared_ptr<Entry> entry = entry_of(tx.identity());
    const std::lock_guard lock(entry->mutex);
    const Question asked = question_of(question, day_of(now));
    const Shelf& shelf = entry->sections;
    std::vector<RecalledSection> out;
    for (auto& [section, hit] : find<store::DocumentSection>(shelf, asked, most, [&](bool anew) { keep_up(tx, *entry, anew); }, [] { return std::vector<bool>(); },
                                                             [] { return std::nullopt; }, [&](const auto& ids) { return store::sections_by_id(tx, ids); }))
        out.push_back({std::move(section), hit.score, why(shelf.index, hit), hit.own});
    return out;
}

}  // namespace memory
