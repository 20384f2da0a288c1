#include "memory/dates.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace memory {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

struct Month {
    std::string_view name;
    unsigned number;
    bool word_too;  // also another word, so that it counts as a month beside a number or as a name alone
};
constexpr Month kMonths[] = {
    {"january", 1, false}, {"jan", 1, false},      {"janvier", 1, false},  {"february", 2, false}, {"feb", 2, false},     {"fevrier", 2, false},  {"march", 3, true},
    {"mars", 3, true},     {"april", 4, false},    {"apr", 4, false},      {"avril", 4, false},    {"may", 5, true},      {"mai", 5, false},      {"june", 6, false},
    {"jun", 6, false},     {"juin", 6, false},     {"july", 7, false},     {"jul", 7, false},      {"juillet", 7, false}, {"august", 8, false},   {"aug", 8, false},
    {"aout", 8, false},    {"september", 9, false}, {"sep", 9, false},     {"sept", 9, true},      {"septembre", 9, false}, {"october", 10, false}, {"oct", 10, false},
    {"octobre", 10, false}, {"november", 11, false}, {"nov", 11, false},   {"novembre", 11, false}, {"december", 12, false}, {"dec", 12, false},  {"decembre", 12, false}};

enum class Unit { day, week, month, year };
struct UnitName {
    std::string_view name;
    Unit unit;
};
constexpr UnitName kUnits[] = {{"day", Unit::day},    {"days", Unit::day},      {"jour", Unit::day},   {"jours", Unit::day},    {"week", Unit::week},   {"weeks", Unit::week},
                               {"semaine", Unit::week}, {"semaines", Unit::week}, {"month", Unit::month}, {"months", Unit::month}, {"mois", Unit::month},  {"year", Unit::year},
                               {"years", Unit::year},   {"an", Unit::year},       {"ans", Unit::year},    {"annee", Unit::year},   {"annees", Unit::year}};

// The number that a word is, with or without an ordinal's ending ("7th", "1er"); nothing of another word.
std::optional<int> number(const std::string& word) {
    const std::size_t end = std::min(word.find_first_not_of("0123456789"), word.size());
    if (end == 0 || end > 4) return std::nullopt;
    const std::string_view rest = std::string_view(word).substr(end);
    constexpr std::string_view endings[] = {"", "st", "nd", "rd", "th", "er", "e"};
    if (std::find(std::begin(endings), std::end(endings), rest) == std::end(endings)) return std::nullopt;
    return std::stoi(word.substr(0, end));
}

bool is_year(std::optional<int> n) { return n && *n >= 1900 && *n < 2100; }
bool is_day(std::optional<int> n) { return n && *n >= 1 && *n <= 31; }

Dates range(sys_days from, sys_days until) {
    Dates out;
    out.from = from;
    out.until = until;
    return out;
}

// The whole day, week, month or year that lies `back` before the one that `today` is in.
Dates whole(Unit unit, int back, sys_days today) {
    using namespace std::chrono;
    const year_month_day date(today);
    switch (unit) {
        case Unit::day: return range(today - days(back), today - days(back - 1));
        case Unit::week: {
            const sys_days monday = today - days(weekday(today).iso_encoding() - 1) - days(7 * back);
            return range(monday, monday + days(7));
        }
        case Unit::month: {
            const year_month first = date.year() / date.month() - months(back);
            return range(sys_days(first / 1), sys_days((first + months(1)) / 1));
        }
        case Unit::year: {
            const year of = date.year() - years(back);
            return range(sys_days(of / 1 / 1), sys_days((of + years(1)) / 1 / 1));
        }
    }
    return {};
}

class Reader {
public:
    Reader(const std::vector<Word>& words, sys_days today) : words_(words), today_(today) {}

    std::vector<Dates> read() {
        while (at_ < words_.size())
            if (!iso() && !of_month() && !year_alone() && !relative()) ++at_;
        return std::move(out_);
    }

private:
    const std::string& word(std::size_t ahead) const {
        static const std::string none;
        return at_ + ahead < words_.size() ? words_[at_ + ahead].surface : none;
    }
    std::optional<int> number_at(std::size_t ahead) const { return number(word(ahead)); }
    bool take(Dates dates, std::size_t words) {
        out_.push_back(dates);
        at_ += words;
        return true;
    }

    bool iso() {
        const auto year = number_at(0), month = number_at(1), day = number_at(2);
        if (!is_year(year) || word(1).size() != 2 || word(2).size() != 2 || !month || *month < 1 || *month > 12 || !is_day(day)) return false;
        Dates dates;
        dates.year = *year;
        dates.month = unsigned(*month);
        dates.day = unsigned(*day);
        return take(dates, 3);
    }

    const Month* month_at(std::size_t ahead) const {
        const auto found = std::find_if(std::begin(kMonths), std::end(kMonths), [&](const Month& one) { return one.name == word(ahead); });
        return found == std::end(kMonths) ? nullptr : &*found;
    }

    // "7 May 2023", "7th of May", "May 7, 2023", "May 2023", "May".
    bool of_month() {
        Dates dates;
        std::size_t used = 0;
        if (const auto day = number_at(0); is_day(day)) {
            const std::size_t of = word(1) == "of" ? 2 : 1;
            if (!month_at(of)) return false;
            dates.day = unsigned(*day);
            used = of;
        }
        const Month* const month = month_at(used);
        if (!month) return false;
        const Word& named = words_[at_ + used];
        dates.month = month->number;
        ++used;
        if (const auto day = number_at(used); !dates.day && is_day(day)) {
            dates.day = unsigned(*day);
            ++used;
        }
        if (const auto year = number_at(used); is_year(year)) {
            dates.year = *year;
            ++used;
        }
        const bool alone = !dates.day && !dates.year;
        if (alone && month->word_too && (named.first || !named.capital)) return false;
        return take(dates, used);
    }

    bool year_alone() {
        const auto year = number_at(0);
        if (!is_year(year) || word(0).size() != 4) return false;
        Dates dates;
        dates.year = *year;
        return take(dates, 1);
    }

    static std::optional<Unit> unit(const std::string& word) {
        const auto found = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const UnitName& one) { return one.name == word; });
        return found == std::end(kUnits) ? std::nullopt : std::optional(found->unit);
    }

    bool relative() {
        const std::string& one = word(0);
        if (one == "yesterday" || one == "hier") return take(whole(Unit::day, 1, today_), 1);
        if (one == "today" || (one == "aujourd" && word(1) == "hui")) return take(present(Unit::day), 1);
        const auto behind = unit(word(1)), here = unit(one);
        if (behind && behind != Unit::day && one == "last") return take(whole(*behind, 1, today_), 2);
        if (behind && (one == "this" || one == "cette" || one == "ce")) return take(present(*behind), 2);
        if (here && (word(1) == "dernier" || word(1) == "derniere" || word(1) == "passe" || word(1) == "passee")) return take(whole(*here, 1, today_), 2);
        const auto n = number_at(0);
        return n && counted(*n);
    }

    Dates present(Unit unit) const {
        Dates out = whole(unit, 0, today_);
        out.now = true;
        return out;
    }

    // "3 days ago", "il y a 3 jours"
    bool counted(int n) {
        const auto of = unit(word(1));
        if (!of) return false;
        const bool french = at_ >= 3 && words_[at_ - 3].surface == "il" && words_[at_ - 2].surface == "y" && words_[at_ - 1].surface == "a";
        return (word(2) == "ago" || french) && take(whole(*of, n, today_), 2);
    }

    const std::vector<Word>& words_;
    const sys_days today_;
    std::size_t at_ = 0;
    std::vector<Dates> out_;
};

}  // namespace

std::vector<Dates> dates_in(const Words& question, sys_days today) { return Reader(question.all, today).read(); }

double closeness(const Dates& dates, sys_days said) {
    if (dates.from < dates.until) return said >= dates.from && said < dates.until ? 1 : 0;
    const std::chrono::year_month_day date(said);
    if (!dates.day) return (!dates.year || int(date.year()) == dates.year) && (!dates.month || unsigned(date.month()) == dates.month) ? 1 : 0;
    double best = 0;
    const int year = dates.year ? dates.year : int(date.year());
    for (const int of : {year, dates.year ? year : year - 1}) {
        const std::chrono::year_month_day meant{std::chrono::year(of), std::chrono::month(dates.month), std::chrono::day(dates.day)};
        if (!meant.ok()) continue;
        const auto after = (said - sys_days(meant)).count();
        best = std::max(best, after >= 0 && after <= 7 ? 1.0 : after >= 0 && after <= 21 ? 0.5 : 0.0);
    }
    return best;
}

}  // namespace memory
