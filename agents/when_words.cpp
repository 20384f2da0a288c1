#include "agents/when_words.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/split.h"

namespace agents::words {
namespace {

struct Row {
    std::string_view text;
    Kind kind;
    int value = 0;
    bool french = false;
    bool repeats = false;
};
using K = Kind;
constexpr Row kRows[] = {
    {"every", K::every}, {"each", K::every}, {"everyday", K::day, 0, false, true}, {"daily", K::day, 0, false, true}, {"weekly", K::unit_week, 0, false, true}, {"monthly", K::unit_month, 0, false, true},
    {"hourly", K::unit_hour, 0, false, true}, {"chaque", K::every, 0, true}, {"tous", K::every, 0, true}, {"toutes", K::every, 0, true}, {"quotidien", K::day, 0, true, true}, {"quotidiennement", K::day, 0, true, true}, {"other", K::other}, {"sur", K::other, 0, true},
    {"in", K::in}, {"dans", K::in, 0, true}, {"at", K::at}, {"a", K::at}, {"vers", K::at, 0, true}, {"@", K::at}, {"to", K::to}, {"through", K::to}, {"until", K::to}, {"till", K::to}, {"au", K::to, 0, true}, {"next", K::next}, {"prochain", K::next, 0, true}, {"prochaine", K::next, 0, true},
    {"the", K::article}, {"le", K::article, 1, true}, {"la", K::article, 0, true}, {"les", K::article, 0, true}, {"l", K::article, 0, true},
    {"on", K::filler}, {"of", K::filler}, {"and", K::filler}, {"this", K::filler}, {"from", K::filler}, {"between", K::filler}, {"entre", K::filler, 0, true}, {"o'clock", K::filler}, {"oclock", K::filler}, {"et", K::filler}, {"de", K::filler, 0, true}, {"du", K::filler, 0, true},
    {"des", K::filler, 0, true}, {"en", K::filler, 0, true}, {"ce", K::filler, 0, true}, {"cet", K::filler, 0, true}, {"cette", K::filler, 0, true}, {"d", K::filler, 0, true}, {"s", K::filler}, {"h", K::unit_hour, 0, true},
    {"am", K::past_twelve, 0}, {"a.m", K::past_twelve, 0}, {"pm", K::past_twelve, 12}, {"p.m", K::past_twelve, 12}, {"half", K::half}, {"demi", K::half, 0, true}, {"demie", K::half, 0, true}, {"demi-heure", K::half, 1, true}, {"demi-heures", K::half, 1, true}, {"year", K::filler}, {"annee", K::filler, 0, true}, {"ans", K::filler, 0, true},
    {"minute", K::unit_minute}, {"minutes", K::unit_minute}, {"min", K::unit_minute}, {"mins", K::unit_minute}, {"hour", K::unit_hour}, {"hours", K::unit_hour}, {"heure", K::unit_hour, 0, true}, {"heures", K::unit_hour, 0, true},
    {"day", K::day}, {"days", K::day}, {"jour", K::day, 0, true}, {"jours", K::day, 0, true}, {"week", K::unit_week}, {"weeks", K::unit_week}, {"semaine", K::unit_week, 0, true}, {"semaines", K::unit_week, 0, true},
    {"month", K::unit_month}, {"months", K::unit_month}, {"mois", K::unit_month, 0, true}, {"weekday", K::weekdays}, {"weekdays", K::weekdays}, {"workday", K::weekdays}, {"workdays", K::weekdays}, {"ouvrable", K::weekdays, 0, true},
    {"ouvrables", K::weekdays, 0, true}, {"ouvres", K::weekdays, 0, true}, {"weekend", K::weekend}, {"weekends", K::weekend}, {"week-end", K::weekend, 0, true}, {"week-ends", K::weekend, 0, true},
    {"morning", K::part, 8}, {"mornings", K::part, 8}, {"afternoon", K::part, 15}, {"afternoons", K::part, 15}, {"evening", K::part, 19}, {"evenings", K::part, 19}, {"night", K::part, 22}, {"nights", K::part, 22},
    {"matin", K::part, 8, true}, {"matins", K::part, 8, true}, {"apres-midi", K::part, 15, true}, {"soir", K::part, 19, true}, {"soirs", K::part, 19, true}, {"nuit", K::part, 22, true}, {"tonight", K::today, 19},
    {"today", K::today}, {"aujourd'hui", K::today, 0, true}, {"tomorrow", K::tomorrow}, {"demain", K::tomorrow, 0, true}, {"apres-demain", K::after_tomorrow, 0, true}, {"last", K::last}, {"dernier", K::last, 0, true},
    {"noon", K::noon}, {"midday", K::noon}, {"midi", K::noon, 0, true}, {"midnight", K::midnight}, {"minuit", K::midnight, 0, true},
    {"an", K::number, 1}, {"one", K::number, 1}, {"two", K::number, 2}, {"three", K::number, 3}, {"four", K::number, 4}, {"five", K::number, 5}, {"six", K::number, 6}, {"seven", K::number, 7}, {"eight", K::number, 8},
    {"nine", K::number, 9}, {"ten", K::number, 10}, {"eleven", K::number, 11}, {"twelve", K::number, 12}, {"fifteen", K::number, 15}, {"twenty", K::number, 20}, {"thirty", K::number, 30}, {"un", K::number, 1, true}, {"une", K::number, 1, true},
    {"deux", K::number, 2, true}, {"trois", K::number, 3, true}, {"quatre", K::number, 4, true}, {"cinq", K::number, 5, true}, {"sept", K::number, 7, true}, {"huit", K::number, 8, true}, {"neuf", K::number, 9, true}, {"dix", K::number, 10, true},
    {"onze", K::number, 11, true}, {"douze", K::number, 12, true}, {"quinze", K::number, 15, true}, {"vingt", K::number, 20, true}, {"trente", K::number, 30, true},
    {"first", K::ordinal, 1}, {"second", K::ordinal, 2}, {"third", K::ordinal, 3}, {"fourth", K::ordinal, 4}, {"premier", K::ordinal, 1, true}, {"1er", K::ordinal, 1, true}, {"deuxieme", K::ordinal, 2, true}, {"troisieme", K::ordinal, 3, true}, {"quatrieme", K::ordinal, 4, true},
};
constexpr std::string_view kWeekdays[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
constexpr std::string_view kJours[] = {"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"};
constexpr std::string_view kMonths[] = {"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"};
constexpr std::string_view kMois[] = {"janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre"};
constexpr std::pair<std::string_view, std::string_view> kLetters[] = {{"à", "a"}, {"â", "a"}, {"é", "e"}, {"è", "e"}, {"ê", "e"}, {"û", "u"}, {"ù", "u"}, {"ô", "o"}, {"î", "i"}, {"ç", "c"}, {"À", "a"}, {"É", "e"}, {"’", "'"}, {"\xC2\xA0", " "}, {"\xE2\x80\xAF", " "}};

std::string plain(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto* const letter = std::find_if(std::begin(kLetters), std::end(kLetters), [&](const auto& one) { return text.starts_with(one.first); });
        if (letter != std::end(kLetters)) {
            out += letter->second;
            text.remove_prefix(letter->first.size());
            continue;
        }
        const char c = text[0];
        out += c == ',' || c == ';' || std::isspace(static_cast<unsigned char>(c)) ? ' ' : char(std::tolower(static_cast<unsigned char>(c)));
        text.remove_prefix(1);
    }
    return out;
}

std::optional<int> whole(std::string_view text) {
    int value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || text.size() > 4 || !std::isdigit(static_cast<unsigned char>(text[0])) || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_clock(std::optional<int> hour, std::optional<int> minute) { return hour && minute && *hour <= 24 && *minute < 60 && (*hour < 24 || *minute == 0); }

// 8:30, 08:30, 8.30, 8h, 8h30, 8am, 8:30pm.
bool take_clock(Word& word) {
    std::string_view text = word.text;
    int past = -1;
    for (const auto& [ending, hours] : {std::pair{"am", 0}, {"pm", 12}})
        if (text.ends_with(ending)) past = hours, text.remove_suffix(2);
    const std::size_t mark = text.find_first_of(":h.");
    if (mark == text.npos && past < 0) return false;
    const auto hour = whole(text.substr(0, mark));
    const std::string_view rest = mark == text.npos ? "" : text.substr(mark + 1);
    const auto minute = rest.empty() ? (mark == text.npos || text[mark] == 'h' ? std::optional(0) : std::nullopt) : rest.size() == 2 ? whole(rest) : std::nullopt;
    if (!is_clock(hour, minute) || (past >= 0 && (*hour < 1 || *hour > 12))) return false;
    word.kind = Kind::clock;
    word.minute = *minute;
    word.value = past < 0 ? *hour % 24 : *hour % 12 + past;
    word.french = mark != text.npos && text[mark] == 'h';
    word.halved = past >= 0;
    word.sure = word.halved || word.french || mark == 2 || *hour == 0;  // two digits: the clock has 24 hours
    return true;
}

bool take_number(Word& word) {
    std::string_view text = word.text;
    if (text.size() == 10 && text[4] == '-' && text[7] == '-' && whole(text.substr(0, 4)) && whole(text.substr(5, 2)) && whole(text.substr(8, 2))) return word.kind = Kind::iso_date, true;
    if (text.find('/') != text.npos && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) || c == '/'; })) return word.kind = Kind::slashed, true;
    word.kind = Kind::number;
    for (const char* ending : {"st", "nd", "rd", "th"})
        if (text.size() > 2 && text.ends_with(ending) && whole(text.substr(0, text.size() - 2))) word.kind = Kind::ordinal, text.remove_suffix(2);
    const auto value = whole(text);
    if (!value) return false;
    word.value = *value;
    return true;
}

bool take_name(Word& word) {
    const std::string_view text = word.text;
    const auto find = [&](const auto& names, std::size_t shortest, bool french) {
        for (std::size_t i = 0; i < std::size(names); ++i) {
            const bool plural = text == std::string(names[i]) + "s";
            const bool brief = !french && text.size() >= shortest && text.size() <= 4 && names[i].starts_with(text);
            if (!plural && !brief && text != names[i]) continue;
            word.value = int(i);
            word.plural = plural;
            word.french = french;
            return true;
        }
        return false;
    };
    if (find(kWeekdays, 3, false) || find(kJours, 9, true)) return word.kind = Kind::weekday, true;
    if (find(kMonths, 3, false) || find(kMois, 9, true)) return ++word.value, word.kind = Kind::month, true;
    return false;
}

Word word_of(std::string text) {
    Word word;
    word.text = std::move(text);
    for (const Row& row : kRows)
        if (row.text == word.text) {
            word.kind = row.kind;
            word.value = row.value;
            word.french = row.french;
            word.repeats = row.repeats;
            return word;
        }
    if (take_clock(word) || take_number(word) || take_name(word)) return word;
    word.kind = Kind::unknown;
    return word;
}

struct Offset {
    int minutes = 0;
    std::size_t words = 0;  // that say so; 0: none do
};

std::string_view text_at(const std::vector<Word>& all, std::size_t at) { return at < all.size() ? std::string_view(all[at].text) : std::string_view(); }

// "half past", "quarter to", "ten past".
Offset before_hour(const std::vector<Word>& all, std::size_t at) {
    const bool past = text_at(all, at + 1) == "past", to = text_at(all, at + 1) == "to";
    if (text_at(all, at) == "half" && past) return {30, 2};
    if (text_at(all, at) == "quarter" && (past || to)) return {past ? 15 : -15, 2};
    if (all[at].kind == Kind::number && all[at].value < 60 && past) return {all[at].value, 2};
    return {};
}

// "et demie", "et quart", "moins le quart".
Offset behind_hour(const std::vector<Word>& all, std::size_t at) {
    const std::string_view next = text_at(all, at + 1);
    if (text_at(all, at) == "et" && (next == "demi" || next == "demie")) return {30, 2};
    if (text_at(all, at) == "et" && next == "quart") return {15, 2};
    if (text_at(all, at) == "moins" && next == "le" && text_at(all, at + 2) == "quart") return {-15, 3};
    return {};
}

// The words of an hour, with which the clock is filled; 0: there is none.
std::size_t take_hour(const std::vector<Word>& all, std::size_t at, Word& clock) {
    if (at >= all.size()) return 0;
    const Word& word = all[at];
    const bool named = word.kind == Kind::noon || word.kind == Kind::midnight;
    const bool spelled = at + 1 < all.size() && all[at + 1].kind == Kind::unit_hour;
    if (!named && word.kind != Kind::clock && (word.kind != Kind::number || word.value > 24)) return 0;
    clock = word;
    clock.kind = Kind::clock;
    if (named) clock.value = word.kind == Kind::noon ? 12 : 0;
    clock.sure |= named || spelled;
    return spelled ? 2 : 1;
}

void move(Word& clock, int minutes) {
    constexpr int kDay = 24 * 60;
    const int since = (clock.value * 60 + clock.minute + minutes + kDay) % kDay;
    const bool wraps = since < 60 && minutes < 0 && !clock.sure;  // a quarter to one is of twelve, whichever half of the day is meant
    clock.value = wraps ? 12 : since / 60;
    clock.minute = since % 60;
    clock.text = (clock.sure && clock.value < 10 ? "0" : "") + std::to_string(clock.value) + (clock.minute < 10 ? ":0" : ":") + std::to_string(clock.minute);
}

// What several words say becomes the one that says the same.
std::vector<Word> joined(std::vector<Word> all) {
    if (all.size() > 2 && text_at(all, all.size() - 2) == "from" && text_at(all, all.size() - 1) == "now") {  // "20 minutes from now"
        all.resize(all.size() - 2);
        all.insert(all.begin(), word_of("in"));
    }
    std::vector<Word> out;
    for (std::size_t at = 0; at < all.size();) {
        Word clock;
        const Offset before = before_hour(all, at);
        const std::size_t hour = take_hour(all, at + before.words, clock);
        const bool lasts = at > 0 && all[at - 1].kind == Kind::in;
        const Offset offset = before.words > 0 || hour == 0 || lasts ? before : behind_hour(all, at + hour);
        if (hour > 0 && offset.words > 0) {
            move(clock, offset.minutes);
            out.push_back(std::move(clock));
            at += hour + offset.words;
        } else if (text_at(all, at) == "day" && text_at(all, at + 1) == "after" && text_at(all, at + 2) == "tomorrow") {
            out.push_back(word_of("apres-demain"));
            out.back().french = false;
            at += 3;
        } else {
            out.push_back(std::move(all[at++]));
        }
    }
    return out;
}

}  // namespace

std::vector<Word> read(std::string_view text) {
    std::vector<Word> out;
    for (std::string part : base::split(plain(text), ' ')) {
        while (part.size() > 1 && (part.back() == '.' || part.back() == '!' || part.back() == '?')) part.pop_back();
        // "l'apres-midi", "d'avril", but "aujourd'hui" and "o'clock".
        if (part.size() > 2 && part[1] == '\'' && (part[0] == 'l' || part[0] == 'd')) out.push_back(word_of(part.substr(0, 1))), part.erase(0, 2);
        if (const std::size_t t = part.find('t'); t == 10 && part.size() > 11) out.push_back(word_of(part.substr(0, 10))), part.erase(0, 11);  // 2026-03-09t08:00
        out.push_back(word_of(std::move(part)));
    }
    return joined(std::move(out));
}

bool speak_of_later(std::string_view message) {
    static constexpr std::string_view kOrders[] = {"remind", "reminder", "reminders", "schedule", "schedules", "scheduled", "rappelle", "rappelle-moi", "rappelez-moi", "rappel", "rappels", "planifie", "programme"};
    const std::vector<Word> all = read(message);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Word& word = all[i];
        const bool repeats = word.kind == Kind::every || word.repeats || (word.kind == Kind::weekday && word.plural);
        const bool later = word.kind == Kind::tomorrow || word.kind == Kind::after_tomorrow || (word.kind == Kind::in && i + 1 < all.size() && all[i + 1].kind == Kind::number);
        if (repeats || later || std::find(std::begin(kOrders), std::end(kOrders), word.text) != std::end(kOrders)) return true;
    }
    return false;
}

}  // namespace agents::words
