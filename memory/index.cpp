#include "memory/index.h"

#include <algorithm>

#include "base/trim.h"

namespace memory {
namespace {

// Who asks tells nothing; the answer comes after.
double asks(std::string_view text) {
    if (!base::trimmed_right(text).ends_with('?')) return 0;
    const auto ends = std::count_if(text.begin(), text.end(), [](char c) { return c == '.' || c == '!' || c == '?'; });
    return ends == 1 ? 1 : 0.5;
}

}  // namespace

std::uint32_t Index::add(const Item& item) {
    const auto number = std::uint32_t(entries_.size());
    Entry entry;
    entry.speaker = speaker_number(item.speaker);
    Place place;
    place.session = session_number(item.session);
    entry.said = item.said;
    entry.asks = asks(item.text);
    entry.begin = std::uint32_t(text_.size());
    const Words words = words_of(item.text);
    for (const Word& word : words.all) {
        text_.push_back(surfaces_.add(word.surface, word.stop));
        if (word.lower != word.surface) accented_.try_emplace(text_.back(), word.lower);
        if (word.stop) continue;
        ++entry.words;
        for (std::vector<Posting>* list : lists_of(word, words.language)) {
            if (list->empty() || list->back().item != number) list->push_back({number, 0});
            ++list->back().count;
        }
    }
    entry.end = std::uint32_t(text_.size());
    place.length = entry.words;
    weighted_ += entry.words;
    if (place.session != kNone) {
        session_lengths_[place.session] += entry.words;
        in_sessions_ += entry.words;
    }
    entries_.push_back(entry);
    places_.push_back(place);
    give_context(number);
    return number;
}

const Index::Lists& Index::lists_of(const Word& word, Language language) {
    const auto [at, fresh] = lists_[std::size_t(language)].try_emplace(word.lower);
    if (fresh)
        for (const std::string& stem : stems(word, language)) at->second.push_back(&postings_[stem]);
    return at->second;
}

void Index::give_context(std::uint32_t item) {
    Place& late = places_[item];
    const double weights[] = {context_.next, context_.second};
    for (std::uint32_t back = 1; back <= 2 && back <= item && late.session != kNone; ++back) {
        Place& early = places_[item - back];
        if (early.session != late.session) continue;
        const std::uint32_t before = entries_[item - back].words, after = entries_[item].words;
        late.length += weights[back - 1] * before;
        early.length += weights[back - 1] * after;
        weighted_ += weights[back - 1] * (before + after);
    }
}

std::uint32_t Index::speaker_number(std::string_view name) {
    if (name.empty()) return kNone;
    const auto found = std::find_if(speakers_.begin(), speakers_.end(), [&](const Speaker& one) { return one.name == name; });
    if (found != speakers_.end()) return std::uint32_t(found - speakers_.begin());
    Speaker speaker{std::string(name), {}};
    for (const Word& word : words_of(name).all) speaker.surfaces.push_back(word.surface);
    speakers_.push_back(std::move(speaker));
    return std::uint32_t(speakers_.size() - 1);
}

std::uint32_t Index::session_number(std::string_view session) {
    if (session.empty()) return kNone;
    const auto [at, fresh] = sessions_.try_emplace(std::string(session), std::uint32_t(session_lengths_.size()));
    if (fresh) session_lengths_.push_back(0);
    return at->second;
}

const std::vector<Index::Posting>* Index::postings(const std::string& stem) const {
    const auto found = postings_.find(stem);
    return found == postings_.end() ? nullptr : &found->second;
}

const std::string* Index::accented(const std::string& surface) const {
    const auto number = surfaces_.find(surface);
    const auto found = number ? accented_.find(*number) : accented_.end();
    return found == accented_.end() ? nullptr : &found->second;
}

bool Index::has(std::uint32_t item, const std::vector<std::string>& phrase) const {
    std::vector<std::uint32_t> wanted;
    for (const std::string& word : phrase) {
        const auto number = surfaces_.find(word);
        if (!number) return false;
        wanted.push_back(*number);
    }
    const auto begin = text_.begin() + entries_[item].begin, end = text_.begin() + entries_[item].end;
    return !wanted.empty() && std::search(begin, end, wanted.begin(), wanted.end()) != end;
}

std::vector<std::uint32_t> Index::speakers_called(const std::string& surface) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < speakers_.size(); ++i)
        if (std::count(speakers_[i].surfaces.begin(), speakers_[i].surfaces.end(), surface) > 0) out.push_back(i);
    return out;
}

std::size_t Index::bytes() const {
    std::size_t out = entries_.capacity() * sizeof(Entry) + places_.capacity() * sizeof(Place) + text_.capacity() * sizeof(text_[0]) + surfaces_.bytes();
    for (const auto& [stem, list] : postings_) out += list.capacity() * sizeof(Posting) + stem.capacity() + 64;
    for (const auto& words : lists_)
        for (const auto& [word, lists] : words) out += word.capacity() + lists.capacity() * sizeof(lists[0]) + 64;
    for (const auto& [session, number] : sessions_) out += session.capacity() + 64;
    for (const auto& [number, word] : accented_) out += word.capacity() + 64;
    return out;
}

}  // namespace memory
