#include "agents/when.h"

#include <algorithm>
#include <bitset>

#include "agents/when_words.h"
#include "base/split.h"

namespace agents {
namespace {

using base::Code;
using words::Kind;
using words::Word;
using namespace std::chrono;

using Read = std::variant<When, Question>;

constexpr int kEvening = 12;  // parts of the day that begin later are after noon
constexpr int kNight = 22, kSmallHours = 4;  // said of a night, these are behind midnight
constexpr int kMostAhead = 100000;
constexpr int kMostDays = 366;  // or weeks, between two times

struct Clock {
    int hour = 0, minute = 0;
    bool sure = false;
    bool halved = false;  // "am" or "pm" was said
    std::size_t word = 0;
    bool opens = false;   // "from 9", "between 9"
};
struct Span {
    int count = 1;
    Kind unit = Kind::unit_minute;
};

base::Error several_times() { return base::error(Code::invalid_argument, "that names several times of the day", "make a schedule for each of them"); }

// What the words say, each by itself.
struct Said {
    bool every = false, daily = false, monthly = false, weekly = false, last = false, next = false, tonight = false, french = false;
    std::optional<Clock> clock;
    std::vector<Clock> others;  // further ones
    std::optional<int> part;
    std::optional<Span> interval, ahead;
    int stride = 1;  // every second, third, … day or week
    std::bitset<7> weekdays;
    std::size_t weekday_word = 0;
    std::optional<int> number_of_weekday;  // 0: the last
    std::vector<int> days;
    std::optional<int> month, year;
    std::optional<local_days> date;
    std::optional<std::size_t> slashed;
};

class Listener {
public:
    Listener(std::vector<Word> words, local_days today) : words_(std::move(words)), today_(today) {
        for (const Word& word : words_) said_.french |= word.french;
    }
    base::Result<Said> listen() {
        for (at_ = 0; at_ < words_.size(); ++at_)
            if (auto heard = hear(words_[at_]); !heard) return std::move(heard).error();
        return said_;
    }

private:
    // The word so far ahead; behind articles and the like none.
    const Word* peek(std::size_t ahead = 1) const { return at_ + ahead < words_.size() ? &words_[at_ + ahead] : nullptr; }
    bool follows(Kind kind, std::size_t ahead = 1) const { return peek(ahead) && peek(ahead)->kind == kind; }
    bool came(Kind kind) const { return at_ > 0 && words_[at_ - 1].kind == kind; }
    static bool is_unit(Kind kind) { return kind == Kind::unit_minute || kind == Kind::unit_hour || kind == Kind::day || kind == Kind::unit_week || kind == Kind::unit_month; }

    // [articles] [a number] [half [an]] unit, from the next word on.
    std::optional<Span> span() {
        std::size_t i = 1;
        while (follows(Kind::article, i)) ++i;
        Span out;
        if (follows(Kind::number, i)) out.count = peek(i++)->value;
        else if (follows(Kind::at, i) && peek(i)->text == "a") ++i;
        const bool half = follows(Kind::half, i);
        const bool is_whole = half && peek(i)->value == 1;  // demi-heure
        if (half) ++i;
        if (half && !is_whole && follows(Kind::number, i)) ++i;
        if (half && out.count != 1) return std::nullopt;
        if (!is_whole && (!peek(i) || !is_unit(peek(i)->kind) || out.count < 1 || (half && peek(i)->kind != Kind::unit_hour))) return std::nullopt;
        at_ += is_whole ? i - 1 : i;
        if (half) return Span{30, Kind::unit_minute};
        out.unit = words_[at_].kind;
        if (out.unit == Kind::unit_hour && take_and_a_half()) return Span{out.count * 60 + 30, Kind::unit_minute};
        return out;
    }

    // "an hour and a half", "une heure et demie"
    bool take_and_a_half() {
        if (!follows(Kind::filler)) return false;
        std::size_t i = 2;
        if (follows(Kind::at, i) && peek(i)->text == "a") ++i;
        if (!follows(Kind::half, i)) return false;
        at_ += i;
        return true;
    }

    base::Result<void> hear(const Word& word) {
        switch (word.kind) {
            case Kind::filler:
                if (follows(Kind::part) && (word.text == "this" || word.text.starts_with("ce"))) said_.date = today_;
                return {};
            case Kind::at: case Kind::to: return {};
            case Kind::article:
                if (word.value == 1 && follows(Kind::weekday) && !follows(Kind::number, 2) && !follows(Kind::ordinal, 2) && !follows(Kind::next, 2)) said_.every = true;
                return {};
            case Kind::every: return hear_every();
            case Kind::in: said_.ahead = span(); return {};
            case Kind::number: case Kind::ordinal: case Kind::clock: return hear_number(word);
            case Kind::noon: keep({12, 0, true, true, at_}); return {};
            case Kind::midnight: keep({0, 0, true, true, at_}); return {};
            case Kind::iso_date: return hear_date(word);
            case Kind::slashed: said_.slashed = at_; return {};
            case Kind::month: said_.month = word.value; return {};
            case Kind::part:
                if (said_.part && *said_.part != word.value && !said_.tonight) return several_times();
                said_.part = said_.part.value_or(word.value);
                return {};
            case Kind::today:
                said_.date = today_;
                if (word.value > 0) said_.part = word.value, said_.tonight = true;
                return {};
            case Kind::tomorrow: said_.date = today_ + std::chrono::days(1); return {};
            case Kind::after_tomorrow: said_.date = today_ + std::chrono::days(2); return {};
            case Kind::next:
                if (follows(Kind::weekday) || came(Kind::weekday)) return said_.next = true, base::Result<void>();
                return not_understood(word);
            case Kind::last: said_.last = true; return {};
            default: return hear_day(word);
        }
    }

    base::Result<void> hear_every() {
        said_.every = true;
        if (follows(Kind::other)) {
            ++at_;
            if (follows(Kind::unit_hour) || follows(Kind::unit_minute)) return said_.interval = Span{2, words_[++at_].kind}, base::Result<void>();
            return said_.stride = 2, base::Result<void>();
        }
        const std::size_t before = at_;
        const auto found = span();
        if (!found) return {};
        if (found->unit == Kind::unit_minute || found->unit == Kind::unit_hour) return said_.interval = *found, base::Result<void>();
        if (found->count == 1) return at_ = before, base::Result<void>();
        said_.stride = found->count;
        return hear_day(words_[at_]);
    }

    base::Result<void> hear_date(const Word& word) {
        int y = 0;
        unsigned m = 0, d = 0;
        std::sscanf(word.text.c_str(), "%d-%u-%u", &y, &m, &d);
        const year_month_day date{year(y), month(m), day(d)};
        if (!date.ok()) return base::error(Code::invalid_argument, "there is no day " + word.text);
        said_.date = local_days(date);
        return {};
    }

    base::Result<void> hear_day(const Word& word) {
        const bool of_week = word.kind == Kind::unit_week && word.french && at_ > 0;
        if (word.kind == Kind::weekday) {
            said_.weekdays.set(std::size_t(word.value));
            said_.weekday_word = at_;
            said_.every |= word.plural;
            if (said_.last) said_.number_of_weekday = 0, said_.last = false;
            if (!follows(Kind::to) || !follows(Kind::weekday, 2)) return {};
            for (int day = word.value; day != peek(2)->value; day = (day + 1) % 7) said_.weekdays.set(std::size_t(day));
            said_.every = true;
        } else if (word.kind == Kind::weekdays || (of_week && (words_[at_ - 1].text == "en" || said_.daily))) {
            for (std::size_t day = 1; day <= 5; ++day) said_.weekdays.set(day);
            said_.every = true;
        } else if (word.kind == Kind::weekend) {
            said_.weekdays.set(0).set(6);
            said_.every = true;
        } else if (word.kind == Kind::day) {
            said_.daily = !said_.last;
            said_.every |= word.repeats;
        } else if (word.kind == Kind::unit_month) {
            said_.monthly = said_.every = true;
        } else if (word.kind == Kind::unit_week && (said_.every || word.repeats)) {
            said_.weekly = said_.every = true;
        } else if (word.kind == Kind::unit_hour && (said_.every || word.repeats)) {
            said_.interval = Span{1, Kind::unit_hour};
        } else {
            return not_understood(word);
        }
        return {};
    }

    // Of a number its neighbours say what it is.
    base::Result<void> hear_number(const Word& word) {
        const bool ordinal = word.kind == Kind::ordinal;
        if (ordinal && follows(Kind::weekday)) return said_.number_of_weekday = word.value, base::Result<void>();
        if (word.kind == Kind::number && word.value >= 2000) return said_.year = word.value, base::Result<void>();
        const bool of_month = follows(Kind::month) || came(Kind::month) || (follows(Kind::filler) && follows(Kind::month, 2));
        const bool behind_article = came(Kind::article) && !follows(Kind::unit_hour);
        const bool behind_day = came(Kind::weekday) && follows(Kind::month);
        if (word.kind != Kind::clock && (ordinal || of_month || behind_article || behind_day)) {
            if (word.value < 1 || word.value > 31) return base::error(Code::invalid_argument, "there is no day " + word.text + " of a month");
            said_.days.push_back(word.value);
            return {};
        }
        Clock clock{word.value, word.minute, word.sure, word.halved, at_};
        clock.opens = came(Kind::filler) && is_opening(words_[at_ - 1].text);
        if (follows(Kind::unit_hour)) {
            clock.sure = true;
            ++at_;
            if (follows(Kind::number) && peek()->value < 60) clock.minute = words_[++at_].value;
        }
        if (follows(Kind::past_twelve) && clock.hour >= 1 && clock.hour <= 12) {
            clock.hour = clock.hour % 12 + words_[++at_].value;
            clock.sure = clock.halved = true;
        }
        if (clock.hour > 24 || clock.minute > 59) return not_understood(word);
        clock.hour %= 24;
        clock.sure |= clock.hour > 12 || clock.hour == 0 || said_.french;
        keep(clock);
        return {};
    }

    static bool is_opening(std::string_view text) { return text == "from" || text == "between" || text == "de" || text == "entre"; }

    void keep(Clock clock) {
        if (said_.clock) said_.others.push_back(clock);
        else said_.clock = clock;
    }

    base::Result<void> not_understood(const Word& word) const {
        return base::error(Code::invalid_argument, "'" + word.text + "' is not understood of a time", "say it such as 'every weekday at 8am', 'tomorrow at 18:30', 'in 20 minutes', 'tous les lundis à 9h', or as a cron expression");
    }

    const std::vector<Word> words_;
    const local_days today_;
    std::size_t at_ = 0;
    Said said_;
};

class Reader {
public:
    Reader(std::vector<Word> words, Said said, base::TimePoint now, const Zone& zone) : words_(std::move(words)), said_(std::move(said)), now_(now), zone_(zone), local_(zone.local(now)), today_(floor<days>(local_)) {}

    base::Result<Read> read() {
        if (said_.ahead) return ahead();
        if (said_.interval) return interval();
        if (!said_.others.empty() && !alike()) return several_times();
        if (said_.slashed) return Read(which_order());
        if (said_.next)
            if (auto question = which_week()) return Read(*std::move(question));
        if (auto question = which_half()) return Read(*std::move(question));
        if (said_.every || said_.number_of_weekday || (said_.last && said_.monthly)) return repeated();
        return once();
    }

private:
    bool timed() const { return said_.clock || said_.part; }

    std::string with(std::size_t word, const std::string& text) const {
        std::string out;
        for (std::size_t i = 0; i < words_.size(); ++i) out += (out.empty() ? "" : " ") + (i == word ? text : words_[i].text);
        return out;
    }
    std::string behind(const std::string& text) const { return with(words_.size(), "") + " " + text; }
    const char* tell(const char* english, const char* french) const { return said_.french ? french : english; }

    Question at_what_time() const {
        return {tell("At what time?", "À quelle heure ?"), {behind(tell("at 08:00", "à 8h")), behind(tell("at 18:00", "à 18h"))}};
    }

    // "at 8am and 8pm": hours of one rule.
    bool alike() const {
        const auto fits = [&](const Clock& one) { return one.sure && one.minute == said_.clock->minute; };
        return said_.every && !said_.part && fits(*said_.clock) && std::all_of(said_.others.begin(), said_.others.end(), fits);
    }

    // The hour that a part of the day makes of one that leaves it open.
    int hour_in(int part, int hour) const {
        const bool late = part == kNight || said_.tonight;
        if (late && hour == 12) return 0;
        if (part < kEvening) return hour % 12;
        return hour >= 12 || (late && hour <= kSmallHours) ? hour : hour + 12;
    }

    // Morning or evening?
    std::optional<Question> which_half() {
        if (!said_.clock) return std::nullopt;
        Clock& clock = *said_.clock;
        const bool by_part = said_.part && !clock.halved && (*said_.part >= kEvening || !clock.sure);  // "ce soir à 8h", too
        if (by_part) clock.hour = hour_in(*said_.part, clock.hour);
        if (said_.part) return std::nullopt;
        if (clock.sure) return std::nullopt;
        const int early = clock.hour % 12, late = early + 12;
        if (said_.date && *said_.date == today_ && zone_.first(today_ + hours(early) + minutes(clock.minute)) <= now_) return clock.hour = late, std::nullopt;
        const std::string morning = clock_text(early, clock.minute), evening = clock_text(late, clock.minute);
        return Question{"Is that " + morning + " or " + evening + "?", {with(clock.word, morning), with(clock.word, evening)}};
    }

    // The coming one, or the one in the week after?
    std::optional<Question> which_week() const {
        const int wanted = int(words_[said_.weekday_word].value), today = int(weekday(today_).c_encoding());
        if (wanted == today) return std::nullopt;
        const local_days coming = today_ + days((wanted - today + 7) % 7);
        const std::string first = date_text(coming), second = date_text(coming + weeks(1));
        std::vector<std::string> choices;
        for (const auto& date : {first, second}) {
            std::string text;
            for (std::size_t i = 0; i < words_.size(); ++i)
                if (words_[i].kind != Kind::next) text += (text.empty() ? "" : " ") + (i == said_.weekday_word ? date : words_[i].text);
            choices.push_back(std::move(text));
        }
        return Question{std::string(tell("Is that ", "Est-ce le ")) + first + tell(" or ", " ou le ") + second + tell("?", " ?"), std::move(choices)};
    }

    Question which_order() const {
        const std::vector<std::string> parts = base::split(words_[*said_.slashed].text, '/');
        std::vector<std::string> choices;
        if (parts.size() >= 2 && parts.size() <= 3)
            for (const auto& [d, m] : {std::pair{0, 1}, {1, 0}}) {
                const int y = parts.size() == 3 && parts[2].size() == 4 ? std::atoi(parts[2].c_str()) : int(year_month_day(today_).year());
                const year_month_day date{year(y), month(unsigned(std::atoi(parts[std::size_t(m)].c_str()))), day(unsigned(std::atoi(parts[std::size_t(d)].c_str())))};
                if (date.ok()) choices.push_back(with(*said_.slashed, date_text(local_days(date))));
            }
        return {tell("Which day is that?", "Quel jour est-ce ?"), std::move(choices)};
    }

    base::Result<Read> ahead() const {
        const Span& span = *said_.ahead;
        if (span.count > kMostAhead) return base::error(Code::invalid_argument, "that is too far ahead", "say it with a date");
        if (span.unit == Kind::unit_minute) return Read(When{"", now_ + minutes(span.count)});
        if (span.unit == Kind::unit_hour) return Read(When{"", now_ + hours(span.count)});
        local_days day = today_ + (span.unit == Kind::unit_week ? weeks(span.count) : days(span.count));
        if (span.unit == Kind::unit_month) {
            year_month_day date = year_month_day(today_) + months(span.count);
            day = local_days(date.ok() ? date : year_month_day(date.year() / date.month() / std::chrono::last));
        }
        LocalTime at = day + (local_ - today_);
        if (said_.clock) at = day + hours(said_.clock->hour) + minutes(said_.clock->minute);
        else if (said_.part) at = day + hours(*said_.part);
        return Read(When{"", zone_.first(at)});
    }

    base::Result<Read> interval() const {
        const Span& span = *said_.interval;
        const int whole = span.unit == Kind::unit_minute ? 60 : 24;
        if (span.count >= whole || whole % span.count != 0) {
            const char* const unit = span.unit == Kind::unit_minute ? tell(" minutes", " minutes") : tell(" hours", " heures");
            Question out{std::to_string(span.count) + unit + tell(" do not divide ", " ne divisent pas ") + (whole == 60 ? tell("an hour", "une heure") : tell("a day", "un jour")) + tell(": which instead?", " : lesquelles ?"), {}};
            for (int count = std::min(span.count, whole - 1); count > 0 && out.choices.empty(); --count)
                if (whole % count == 0) out.choices.push_back(std::string(tell("every ", "toutes les ")) + std::to_string(count) + unit);
            return Read(std::move(out));
        }
        if (said_.part || said_.date || said_.month || said_.monthly || said_.last || said_.number_of_weekday || !said_.days.empty() || (said_.clock && (!said_.clock->opens || said_.others.size() != 1)))
            return base::error(Code::invalid_argument, "with 'every so often' go weekdays and hours alone", "say it such as 'every 15 minutes from 9:00 to 17:00 on weekdays', or as a cron expression");
        const std::string step = span.count == 1 ? "" : "/" + std::to_string(span.count);
        const std::string days = said_.weekdays.any() ? weekday_list() : "*";
        if (said_.clock) return within_hours(span, step, days);
        return checked(span.unit == Kind::unit_minute ? "*" + step + " * * * " + days : "0 *" + step + " * * " + days);
    }

    // "from 9 to 17". Minutes end before the last hour, which itself would go on until its end.
    base::Result<Read> within_hours(const Span& span, const std::string& step, const std::string& days) const {
        Clock from = *said_.clock, to = said_.others.front();
        if (from.minute != 0 || to.minute != 0) return base::error(Code::invalid_argument, "that begins or ends within an hour", "say whole hours, such as from 9:00 to 17:00");
        if (!to.sure && to.hour <= from.hour) to.hour += 12, to.sure = true;  // "from 9 to 5"
        if (!from.sure && !to.sure) {
            const std::string early = clock_text(from.hour % 12, 0), late = clock_text(from.hour % 12 + 12, 0);
            return Read(Question{tell("Does that begin at ", "Est-ce à partir de ") + early + tell(" or ", " ou ") + late + tell("?", " ?"), {with(from.word, early), with(from.word, late)}});
        }
        const int last = (span.unit == Kind::unit_minute ? to.hour + 23 : to.hour) % 24;
        if (from.hour > last && !step.empty() && span.unit == Kind::unit_hour) return base::error(Code::invalid_argument, "such hours over midnight are no rule that can be kept", "name them, as a cron expression: '0 22,0,2,4 * * *'");
        const std::string hours = from.hour <= last ? std::to_string(from.hour) + "-" + std::to_string(last) : std::to_string(from.hour) + "-23,0-" + std::to_string(last);
        return checked(span.unit == Kind::unit_minute ? "*" + step + " " + hours + " * * " + days : "0 " + hours + step + " * * " + days);
    }

    std::string weekday_list() const {
        if (said_.weekdays == std::bitset<7>(0b0111110)) return "1-5";
        std::string out;
        for (int day = 0; day < 7; ++day)
            if (said_.weekdays[std::size_t(day)]) out += (out.empty() ? "" : ",") + std::to_string(day) + (said_.number_of_weekday ? (*said_.number_of_weekday == 0 ? "L" : "#" + std::to_string(*said_.number_of_weekday)) : "");
        return out;
    }

    base::Result<Read> checked(const std::string& text) const {
        const auto cron = Cron::parse(text);
        if (!cron) return cron.error();
        return Read(When{cron->text(), std::nullopt});
    }

    base::Result<Read> repeated() const {
        std::string day = "*", month = "*", weekday = "*";
        if (said_.last) day = "L";
        for (const int one : said_.days) day = (day == "*" ? "" : day + ",") + std::to_string(one);
        if (said_.month) month = std::to_string(*said_.month);
        if (said_.weekdays.any()) weekday = weekday_list();
        if (said_.weekly && weekday == "*") return Read(Question{tell("On which day of the week?", "Quel jour de la semaine ?"), {behind(tell("on Monday", "le lundi"))}});
        if ((said_.monthly || said_.month) && day == "*" && weekday == "*") return Read(Question{tell("On which day of the month?", "Quel jour du mois ?"), {behind(tell("on the 1st", "le 1er"))}});
        if (!timed()) return Read(at_what_time());
        const int hour = said_.clock ? said_.clock->hour : *said_.part, minute = said_.clock ? said_.clock->minute : 0;
        std::string at = std::to_string(hour);
        for (const Clock& other : said_.others) at += "," + std::to_string(other.hour);
        const std::string cron = std::to_string(minute) + " " + at + " " + day + " " + month + " " + weekday;
        return said_.stride == 1 ? checked(cron) : strided(cron);
    }

    // From the next time that the rule without it comes due.
    base::Result<Read> strided(const std::string& cron) const {
        const bool weeks = said_.weekdays.any();
        const bool others = said_.monthly || said_.month || said_.last || said_.number_of_weekday || !said_.days.empty() || said_.weekdays == std::bitset<7>(0b0111110) || !(weeks || said_.daily);
        if (others || said_.stride > kMostDays)
            return base::error(Code::invalid_argument, "every " + std::to_string(said_.stride) + " of these is no rule that can be kept", "every other day, Monday or weekend can be, or name the days, such as 'every Monday and Thursday at 8am'");
        const auto first = Cron::parse(cron).value().next(now_, zone_);
        if (!first) return checked(cron);
        return checked(cron + " " + std::to_string(said_.stride) + (weeks ? "w@" : "d@") + date_text(floor<days>(zone_.local(*first))));
    }

    // The day that is meant, of a time that is still to come where the words leave that open.
    std::optional<local_days> day_of(minutes time) const {
        const bool past = zone_.first(today_ + time) <= now_;
        if (said_.date) return said_.date;
        if (said_.weekdays.any()) {
            const int wanted = int(words_[said_.weekday_word].value), today = int(weekday(today_).c_encoding());
            const int ahead = (wanted - today + 7) % 7;
            return today_ + days(ahead == 0 && (past || said_.next) ? 7 : ahead);
        }
        if (said_.days.empty()) return said_.month ? std::nullopt : std::optional(today_ + days(past ? 1 : 0));
        const year_month_day now(today_);
        for (int later = 0; later < 12 * 9; ++later) {  // until the next leap year
            const year_month candidate = now.year() / now.month() + months(later);
            const year_month_day date = candidate / day(unsigned(said_.days[0]));
            const bool fits = date.ok() && (!said_.month || unsigned(date.month()) == unsigned(*said_.month)) && (!said_.year || int(date.year()) == *said_.year);
            if (fits && (said_.year || zone_.first(local_days(date) + time) > now_)) return local_days(date);
        }
        return std::nullopt;
    }

    base::Result<Read> once() const {
        if (!timed()) {
            const bool dated = said_.date || said_.weekdays.any() || !said_.days.empty();
            if (dated) return Read(at_what_time());
            return base::error(Code::invalid_argument, "that says no time", "say it such as 'every weekday at 8am', 'tomorrow at 18:30', 'in 20 minutes', 'tous les lundis à 9h', or as a cron expression");
        }
        const minutes time = said_.clock ? hours(said_.clock->hour) + minutes(said_.clock->minute) : minutes(hours(*said_.part));
        auto day = day_of(time);
        const bool small_hours = said_.date == today_ && (said_.tonight || said_.part == kNight) && said_.clock && said_.clock->hour <= kSmallHours;
        if (small_hours) day = today_ + days(1);  // "tonight at 1 am"
        if (!day) return base::error(Code::invalid_argument, "there is no such day");
        const base::TimePoint at = zone_.first(*day + time);
        if (at <= now_ && !said_.clock) return Read(Question{at_what_time().text, {}});  // of what is left of today
        if (at <= now_) return base::error(Code::invalid_argument, wall_text(zone_.local(at)) + " has passed", "say a time that is still to come");
        return Read(When{"", at});
    }

    const std::vector<Word> words_;
    Said said_;
    const base::TimePoint now_;
    const Zone zone_;
    const LocalTime local_;
    const local_days today_;
};

}  // namespace

std::string Question::all() const {
    std::string out = text;
    for (const auto& choice : choices) out += (&choice == &choices.front() ? " (" : ", ") + ("'" + choice + "'");
    return choices.empty() ? out : out + ")";
}

base::Result<std::variant<When, Question>> read_when(std::string_view text, base::TimePoint now, const Zone& zone) {
    if (auto cron = Cron::parse(text)) return Read(When{cron->text(), std::nullopt});
    std::vector<Word> said = words::read(text);
    const bool of_fields = std::all_of(text.begin(), text.end(), [](char c) { return std::string_view("0123456789*,-/# L").find(c) != std::string_view::npos; });
    const bool like_cron = (of_fields && (said.size() == 5 || text.find('*') != text.npos)) || text.starts_with('@');
    if (like_cron) return Cron::parse(text).error();
    Listener listener(said, floor<days>(zone.local(now)));
    auto heard = listener.listen();
    if (!heard) return std::move(heard).error();
    return Reader(std::move(said), *std::move(heard), now, zone).read();
}

}  // namespace agents
