#include "memory/rank.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

namespace memory {
namespace {

using Posting = Index::Posting;
using Postings = std::vector<Posting>;

// A word of the question as the index knows it.
struct Term {
    const Sought* word;
    std::span<const Posting> items{};  // that have it themselves
    Postings joined{};   // them, where they are in no list of the index
    double trust = 1;    // less for a word that was taken for a mistyped one
    double rarity = 0;   // its idf
};

// In a scope of few facts every word is rare or in all of them; beside a thousand others its weight in the question shows.
constexpr std::size_t kOthers = 1000;

// A common word leads to more items than anybody wants: where rarer ones have led to enough it only counts in those.
constexpr std::size_t kEnough = 1000;

double idf(std::size_t all, std::size_t with) { return std::log(1 + (double(all) - double(with) + 0.5) / (double(with) + 0.5)); }

Postings union_of(std::span<const Posting> a, std::span<const Posting> b) {
    Postings out;
    out.reserve(a.size() + b.size());
    auto at = a.begin();
    for (const Posting& other : b) {
        while (at != a.end() && at->item < other.item) out.push_back(*at++);
        if (at != a.end() && at->item == other.item) out.push_back({other.item, std::max(other.count, (at++)->count)});
        else out.push_back(other);
    }
    out.insert(out.end(), at, a.end());
    return out;
}

// The items that have any of the stems: of a text of unclear language both stand in the index for one word.
void find_items(const Index& index, const std::vector<std::string>& stems, Term& term) {
    for (const std::string& stem : stems) {
        const Postings* const list = index.postings(stem);
        if (!list) continue;
        if (!term.items.empty()) term.joined = union_of(term.items, *list);
        term.items = term.items.empty() ? std::span<const Posting>(*list) : std::span<const Posting>(term.joined);
    }
}

class Ranker {
public:
    Ranker(const Index& index, const Question& question, const Ranking& ranking)
        : index_(index), question_(question), ranking_(ranking), scores_(index.size()), scratch_(index.size()), session_scores_(index.sessions()), session_counts_(index.sessions()) {}

    Recalled recall(const Cut& cut) {
        find_speakers();
        for (const Sought& word : question_.words)
            if (!names_a_speaker(word)) add_term(word);
        std::vector<const Term*> rarest;
        for (const Term& term : terms_) rarest.push_back(&term);
        std::stable_sort(rarest.begin(), rarest.end(), [](const Term* a, const Term* b) { return a->items.size() < b->items.size(); });
        for (const Term* term : rarest) {
            if (found_.size() >= kEnough) {
                count_in_found(*term);
                continue;
            }
            add_text(*term);
            if (ranking_.priors.session != 0) add_sessions(*term);
        }
        meant_ = cut.meant;
        std::vector<Hit> hits = best_hits(cut);
        keep(hits, cut);
        return {std::move(hits), std::move(repaired_)};
    }

private:
    void find_speakers() {
        if (ranking_.plain) return;
        for (const Sought& word : question_.words)
            for (const std::uint32_t speaker : index_.speakers_called(word.surface)) speakers_.push_back({speaker, &word});
        // A question of names alone looks for them as for any other word.
        if (std::all_of(question_.words.begin(), question_.words.end(), [&](const Sought& word) { return names_a_speaker(word); })) by_name_only_ = true;
    }
    bool names_a_speaker(const Sought& word) const {
        return !by_name_only_ && std::any_of(speakers_.begin(), speakers_.end(), [&](const auto& one) { return one.second == &word; });
    }

    void add_term(const Sought& word) {
        Term term{&word};
        find_items(index_, word.stems, term);
        if (!ranking_.plain) find_accented(word.surface, term);
        if (term.items.empty() && !ranking_.plain) {
            find_items(index_, word.others, term);
            if (term.items.empty()) mend(term);
        }
        sought_weight_ += weight_of(term);
        if (term.items.empty()) return;
        term.rarity = idf(index_.size(), term.items.size());
        terms_.push_back(std::move(term));
    }

    // In the question, found or not.
    double weight_of(const Term& term) const { return idf(index_.size() + kOthers, std::max<std::size_t>(term.items.size(), 1)); }

    // A word's stem may go by its accents, which who asks leaves out: "chaudiere", "chaudière".
    void find_accented(const std::string& surface, Term& term) {
        if (const std::string* const spelled = index_.accented(surface)) find_spelled(*spelled, term);
    }
    void find_spelled(const std::string& spelled, Term& term) {
        Word as_word;
        as_word.lower = spelled;
        find_items(index_, stems(as_word, Language::unclear), term);
    }

    void mend(Term& term) {
        find_spelled(term.word->surface, term);  // without accents that the question has
        if (!term.items.empty()) return;
        const auto meant = index_.vocabulary().repair(term.word->surface);
        if (!meant) return;
        const std::string& taken = index_.vocabulary().word(*meant);
        find_spelled(taken, term);
        find_accented(taken, term);
        term.trust = ranking_.priors.repaired;
        if (!term.items.empty()) repaired_.push_back({term.word->surface, taken});
    }

    void touch(std::uint32_t item, double count) {
        if (scratch_[item] == 0) touched_.push_back(item);
        scratch_[item] += count;
    }

    double in_context(std::uint32_t distance) const { return distance == 0 ? 1 : distance == 1 ? index_.context().next : index_.context().second; }

    void add_text(const Term& term) {
        for (const auto& [item, count] : term.items) {
            const std::uint32_t session = index_.place(item).session;
            const auto [first, last] = around(item);
            for (std::uint32_t other = first; other <= last; ++other) {
                const double weight = in_context(other > item ? other - item : item - other);
                if (weight > 0 && index_.place(other).session == session) touch(other, weight * count);
            }
        }
        for (const std::uint32_t item : touched_) {
            if (scores_[item] == 0) found_.push_back(item);
            add_score(term, item, scratch_[item]);
            scratch_[item] = 0;
        }
        touched_.clear();
    }

    void count_in_found(const Term& term) {
        for (const std::uint32_t item : found_)
            if (const double count = weighted_count(term, item); count > 0) add_score(term, item, count);
    }

    void add_score(const Term& term, std::uint32_t item, double count) {
        scores_[item] += term.word->count * term.trust * term.rarity * saturated(count, index_.place(item).length, index_.mean_length());
    }

    // The places whose words an item may have a part of; an item without session has its own alone.
    std::pair<std::uint32_t, std::uint32_t> around(std::uint32_t item) const {
        if (index_.place(item).session == Index::kNone) return {item, item};
        return {item < 2 ? 0 : item - 2, std::min(item + 2, std::uint32_t(index_.size()) - 1)};
    }

    double weighted_count(const Term& term, std::uint32_t item) const {
        const auto [first, last] = around(item);
        double out = 0;
        for (auto at = behind(term, first); at != term.items.end() && at->item <= last; ++at)
            if (index_.place(at->item).session == index_.place(item).session) out += at->count * in_context(at->item > item ? at->item - item : item - at->item);
        return out;
    }

    double saturated(double count, double length, double mean) const {
        return count * (ranking_.k1 + 1) / (count + ranking_.k1 * (1 - ranking_.b + ranking_.b * length / mean));
    }

    // BM25 again, with whole sessions as the texts.
    void add_sessions(const Term& term) {
        for (const auto& [item, count] : term.items) {
            const std::uint32_t session = index_.place(item).session;
            if (session == Index::kNone) continue;
            if (session_counts_[session] == 0) touched_.push_back(session);
            session_counts_[session] += count;
        }
        const double weight = term.word->count * term.trust * idf(index_.sessions(), touched_.size());
        for (const std::uint32_t session : touched_) {
            session_scores_[session] += weight * saturated(session_counts_[session], index_.session_length(session), index_.mean_session());
            session_counts_[session] = 0;
        }
        touched_.clear();
    }

    double date_of(std::uint32_t item) const {
        double best = 0;
        for (const Dates& dates : question_.dates) best = std::max(best, closeness(dates, index_.entry(item).said));
        return best;
    }
    // That time speaks for an item by itself, where the question does not only say that it is now.
    bool of_time(std::uint32_t item) const {
        return ranking_.priors.date != 0 && std::any_of(question_.dates.begin(), question_.dates.end(), [&](const Dates& dates) { return !dates.now && closeness(dates, index_.entry(item).said) > 0; });
    }
    double meant(std::uint32_t item) const { return meant_ && item < meant_->worth.size() ? meant_->worth[item] : 0; }
    // That its vector speaks for an item by itself.
    bool stands_out(std::uint32_t item) const { return ranking_.priors.meaning != 0 && meant_ && meant(item) >= meant_->alone; }
    bool named(std::uint32_t speaker) const {
        return speaker != Index::kNone && std::any_of(speakers_.begin(), speakers_.end(), [&](const auto& one) { return one.first == speaker; });
    }

    Hit hit_of(std::uint32_t item) const {
        const Index::Entry& entry = index_.entry(item);
        const Priors& priors = ranking_.priors;
        Hit hit;
        hit.item = item;
        hit.text = best_ > 0 ? scores_[item] / best_ : 0;
        if (const std::uint32_t session = index_.place(item).session; session != Index::kNone && best_session_ > 0) hit.session = priors.session * session_scores_[session] / best_session_;
        if (named(entry.speaker)) hit.speaker = priors.speaker;
        hit.date = priors.date * date_of(item);
        hit.question = priors.question * entry.asks;
        for (const auto& phrase : question_.phrases)
            if (priors.phrase != 0 && index_.has(item, phrase)) hit.phrase = priors.phrase;
        hit.meaning = priors.meaning * meant(item);
        hit.score = hit.text + hit.session + hit.speaker + hit.date + hit.phrase + hit.question + hit.meaning;
        return hit;
    }

    // Below it the text of none is among the best so many, whatever else speaks for it and against them.
    double least_score(std::size_t most) const {
        if (found_.size() <= std::max(most, kEnough)) return 0;
        std::vector<double> scores;
        for (const std::uint32_t item : found_) scores.push_back(scores_[item]);
        std::nth_element(scores.begin(), scores.begin() + std::ptrdiff_t(most), scores.end(), std::greater<>());
        const Priors& p = ranking_.priors;
        const double most_more = (best_session_ > 0 ? p.session : 0) + (speakers_.empty() ? 0 : p.speaker) + (question_.dates.empty() ? 0 : p.date) + (question_.phrases.empty() ? 0 : p.phrase) + (meant_ ? p.meaning : 0);
        return scores[most] - best_ * (most_more - p.question);
    }

    std::vector<Hit> best_hits(const Cut& cut) {
        if (cut.all || !question_.dates.empty()) {
            found_.resize(index_.size());
            std::iota(found_.begin(), found_.end(), 0u);
        }
        for (std::uint32_t item = 0; meant_ && item < meant_->worth.size(); ++item)
            if (stands_out(item) && scores_[item] == 0 && !cut.all && question_.dates.empty()) found_.push_back(item);
        if (cut.hidden) std::erase_if(found_, [&](std::uint32_t item) { return (*cut.hidden)[item]; });
        for (const std::uint32_t item : found_) best_ = std::max(best_, scores_[item]);
        for (const double score : session_scores_) best_session_ = std::max(best_session_, score);
        const double least = least_score(cut.items);
        std::vector<std::pair<double, std::uint32_t>> found;
        for (const std::uint32_t item : found_)
            if (scores_[item] < least && !stands_out(item)) continue;
            else if (const Hit hit = hit_of(item); cut.all || hit.text > 0 || of_time(item) || stands_out(item)) found.emplace_back(hit.score, item);
        const std::size_t kept = std::min(cut.items, found.size());
        std::partial_sort(found.begin(), found.begin() + std::ptrdiff_t(kept), found.end(), std::greater<>());
        std::vector<Hit> out;
        for (std::size_t i = 0; i < kept; ++i) out.push_back(hit_of(found[i].second));
        return out;
    }

    void keep(std::vector<Hit>& hits, const Cut& cut) const {
        if (cut.all) return;
        const double least = hits.empty() ? 0 : cut.share * hits.front().score;
        std::erase_if(hits, [&](Hit& hit) {
            const double covered = explain(hit);
            const bool told_of = hit.phrase > 0 || of_time(hit.item) || has_name(hit.item) || stands_out(hit.item);
            return hit.score < least || (!told_of && covered < cut.covered) || (cut.own && hit.own.empty() && !told_of);
        });
    }

    // Names the words that found it. → their share of the question's, by rarity.
    double explain(Hit& hit) const {
        double covered = 0;
        for (const Term& term : terms_) {
            const bool own = has(term, hit.item);
            if (!own && weighted_count(term, hit.item) == 0) continue;
            (own ? hit.own : hit.near).push_back(term.word->surface);
            covered += term.trust * weight_of(term);
        }
        return sought_weight_ > 0 ? covered / sought_weight_ : 0;
    }
    bool has_name(std::uint32_t item) const {
        return std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) { return term.word->name && term.trust == 1 && has(term, item); });
    }
    // Its first posting from that item on.
    static std::span<const Posting>::iterator behind(const Term& term, std::uint32_t item) {
        return std::lower_bound(term.items.begin(), term.items.end(), item, [](const Posting& p, std::uint32_t i) { return p.item < i; });
    }
    static bool has(const Term& term, std::uint32_t item) {
        const auto at = behind(term, item);
        return at != term.items.end() && at->item == item;
    }

    const Index& index_;
    const Question& question_;
    const Ranking& ranking_;
    std::vector<Term> terms_;
    double sought_weight_ = 0;                                        // of all words, found or not
    std::vector<std::pair<std::uint32_t, const Sought*>> speakers_;   // whom the question names, and by which word
    bool by_name_only_ = false;
    std::vector<double> scores_, scratch_;                            // by item
    std::vector<double> session_scores_, session_counts_;
    double best_ = 0, best_session_ = 0;
    const Standing* meant_ = nullptr;
    std::vector<std::uint32_t> touched_, found_;                      // items that a term touches; that any did
    std::vector<Repair> repaired_;
};

std::string listed(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

}  // namespace

Recalled recall(const Index& index, const Question& question, const Cut& cut, const Ranking& ranking) { return Ranker(index, question, ranking).recall(cut); }

std::string why(const Index& index, const Hit& hit) {
    std::vector<std::string> reasons;
    if (!hit.own.empty()) reasons.push_back("has " + listed(hit.own));
    if (!hit.near.empty()) reasons.push_back("near " + listed(hit.near));
    if (hit.phrase > 0) reasons.push_back("has the phrase");
    if (hit.speaker > 0) reasons.push_back("said by " + index.speaker(index.entry(hit.item).speaker));
    if (hit.date > 0) reasons.push_back("of that time");
    if (hit.meaning > 0) reasons.push_back("close in meaning");
    std::string out;
    for (const std::string& reason : reasons) out += (out.empty() ? "" : "; ") + reason;
    return out;
}

}  // namespace memory
