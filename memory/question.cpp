#include "memory/question.h"

#include <algorithm>
#include <iterator>

#include "memory/stop_words.h"

namespace memory {
namespace {

struct Marks {
    std::string_view open, close;
};
constexpr Marks kQuotes[] = {{"\"", "\""}, {"“", "”"}, {"«", "»"}, {"„", "“"}};

std::vector<std::string> surfaces(const std::vector<Word>& words) {
    std::vector<std::string> out;
    for (const Word& word : words) out.push_back(word.surface);
    return out;
}

void add_quoted(std::string_view text, std::vector<std::vector<std::string>>& out) {
    for (const auto& [open, close] : kQuotes)
        for (std::size_t at = text.find(open); at != std::string_view::npos;) {
            const std::size_t begin = at + open.size(), end = text.find(close, begin);
            if (end == std::string_view::npos) break;
            if (auto phrase = surfaces(words_of(text.substr(begin, end - begin)).all); !phrase.empty()) out.push_back(std::move(phrase));
            at = text.find(open, end + close.size());
        }
}

// Words with capitals in a row; what begins a sentence has one anyway.
void add_names(const std::vector<Word>& words, std::vector<std::vector<std::string>>& out) {
    for (std::size_t begin = 0; begin < words.size();) {
        std::size_t end = begin;
        while (end < words.size() && words[end].capital && !words[end].stop && (end == begin || !words[end].first)) ++end;
        if (end - begin >= 2) out.push_back(surfaces({words.begin() + std::ptrdiff_t(begin), words.begin() + std::ptrdiff_t(end)}));
        begin = std::max(end, begin + 1);
    }
}

Sought sought(const Word& word, Language language) {
    Sought out{word.surface, stems(word, language), {}, 1, word.capital && !word.first};
    if (language != Language::unclear) out.others = stems(word, language == Language::english ? Language::french : Language::english);
    return out;
}

}  // namespace

Question question_of(std::string_view text, std::chrono::sys_days today) {
    const Words words = words_of(text);
    Question out;
    for (const Word& word : words.all) {
        if (word.stop || is_courtesy(word.surface)) continue;
        const auto known = std::find_if(out.words.begin(), out.words.end(), [&](const Sought& one) { return one.surface == word.surface; });
        if (known != out.words.end()) {
            ++known->count;
            known->name |= word.capital && !word.first;
            continue;
        }
        out.words.push_back(sought(word, words.language));
    }
    out.dates = dates_in(words, today);
    add_quoted(text, out.phrases);
    add_names(words.all, out.phrases);
    return out;
}

}  // namespace memory
