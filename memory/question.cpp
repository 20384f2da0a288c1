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

// Words of what was, by themselves; some speak of it only where nothing follows ("where did she live before?").
constexpr std::string_view kPast[] = {"ancien", "ancienne", "anciennes", "anciens", "anciennement", "auparavant", "autrefois", "changed", "former", "formerly", "history", "historique",
                                      "jadis", "originally", "precedemment", "precedent", "precedente", "previous", "previously", "replaced", "superseded"};
constexpr std::string_view kPastAtTheEnd[] = {"avant", "before", "earlier"};

bool asks_for_the_past(const std::vector<Word>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i].surface;
        if (std::binary_search(std::begin(kPast), std::end(kPast), word)) return true;
        if (i + 1 == words.size() && std::binary_search(std::begin(kPastAtTheEnd), std::end(kPastAtTheEnd), word)) return true;
        if (i + 1 < words.size() && ((word == "used" && words[i + 1].surface == "to") || (word == "no" && words[i + 1].surface == "longer"))) return true;
        if (word == "old" && i > 0 && words[i - 1].surface != "how") return true;
    }
    return false;
}

// Of what was said, and by whom; words in a row, by blanks.
constexpr std::string_view kTalk[] = {
    "did we", "we talked", "we talk about", "we discussed", "we said", "we agreed", "we decided", "last time", "you told", "you said", "you mentioned", "you suggested", "you recommended", "did you say",
    "did you tell", "did you suggest", "did you recommend", "did you mention", "did i say", "did i tell", "did i ask", "did i mention", "i told you", "i asked you", "our conversation", "our last conversation",
    "do you remember", "remember when",
    "avons nous", "nous avons dit", "nous avons parle", "on a dit", "on a parle", "derniere fois", "tu as dit", "tu m as dit", "as tu dit", "vous avez dit", "te souviens", "vous souvenez", "t ai dit", "vous ai dit", "notre conversation"};

bool asks_of_talk(const std::vector<Word>& words) {
    std::string text = " ";
    for (const Word& word : words) text += word.surface + " ";
    return std::any_of(std::begin(kTalk), std::end(kTalk), [&](std::string_view phrase) { return text.find(" " + std::string(phrase) + " ") != std::string::npos; });
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
    out.past = asks_for_the_past(words.all);
    const auto is_over = [&](const Dates& one) { return !one.now && one.from < one.until && one.until <= today; };
    out.talk = asks_of_talk(words.all) || std::any_of(out.dates.begin(), out.dates.end(), is_over);
    add_quoted(text, out.phrases);
    add_names(words.all, out.phrases);
    return out;
}

}  // namespace memory
