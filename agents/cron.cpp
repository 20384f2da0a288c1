#include "agents/cron.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/split.h"

namespace agents {
namespace {

using base::Code;
using namespace std::chrono;

constexpr unsigned kLongestStride = 366;
constexpr local_days kStrideEpoch{days(4)};  // Monday, 5 January 1970
constexpr int kYears = 50;  // that are looked through

constexpr std::array<const char*, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<const char*, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Nickname {
    const char* name;
    const char* fields;
};
constexpr Nickname kNicknames[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
                                   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

std::vector<std::string> fields_of(std::string_view text) {
    std::vector<std::string> out;
    std::size_t at = 0;
    const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (at < text.size()) {
        while (at < text.size() && space(text[at])) ++at;
        std::size_t end = at;
        while (end < text.size() && !space(text[end])) ++end;
        if (end > at) out.push_back(base::ascii_lower(text.substr(at, end - at)));
        at = end;
    }
    return out;
}

std::optional<unsigned> number_of(std::string_view text) {
    unsigned value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || text.size() > 4 || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_list(std::string_view text) { return !text.empty() && !text.starts_with(',') && !text.ends_with(',') && text.find(",,") == text.npos; }

// The working day that is nearest to the month's end.
bool is_last_working_day(year_month_day date, weekday day) {
    const unsigned last = unsigned(year_month_day_last(date.year() / date.month() / std::chrono::last).day());
    const unsigned number = unsigned(date.day());
    if (day == Saturday || day == Sunday) return false;
    return number == last || (day == Friday && number + 2 >= last);
}

}  // namespace

// What the values of a field are called, and which there are.
struct Cron::Field {
    const char* what;
    unsigned low, high;
    bool names_months = false, names_days = false;

    base::Error wrong(std::string_view part) const {
        return base::error(Code::invalid_argument, "the " + std::string(what) + " '" + std::string(part) + "' of the cron expression is none",
                           "use " + std::to_string(low) + " to " + std::to_string(high) + ", with , for lists, - for ranges and / for steps, such as " + (names_days ? "1-5" : "*/15"));
    }
    std::optional<unsigned> value(std::string_view text) const {
        for (unsigned i = 0; names_months && i < kMonths.size(); ++i)
            if (text == kMonths[i]) return i + 1;
        for (unsigned i = 0; names_days && i < kWeekdays.size(); ++i)
            if (text == kWeekdays[i]) return i;
        const auto number = number_of(text);
        return number && *number >= low && *number <= high ? number : std::nullopt;
    }
    // One part of a list: *, a, a-b, each with a step or without.
    template <std::size_t N>
    base::Result<void> take(std::string_view part, std::bitset<N>& into) const {
        const std::size_t slash = part.find('/');
        unsigned step = 1;
        if (slash != part.npos) {
            const auto given = number_of(part.substr(slash + 1));
            if (!given || *given == 0) return wrong(part);
            step = *given;
        }
        const std::string_view range = part.substr(0, slash);
        unsigned from = low, to = names_days ? 6 : high;
        if (range != "*") {
            const std::size_t dash = range.find('-');
            const auto first = value(range.substr(0, dash));
            const auto end = dash == range.npos ? (slash == part.npos ? first : std::optional(to)) : value(range.substr(dash + 1));
            if (!first || !end || (*end < *first && dash != range.npos)) return wrong(part);
            from = *first;
            to = std::max(*end, *first);
        }
        for (unsigned i = from; i <= to; i += step) into.set(names_days ? i % 7 : i);
        return {};
    }
    template <std::size_t N>
    base::Result<void> take_list(std::string_view text, std::bitset<N>& into) const {
        if (!is_list(text)) return wrong(text);
        for (const auto& part : base::split(text, ','))
            if (auto taken = take(part, into); !taken) return taken;
        return {};
    }
};

base::Result<void> Cron::take_days(std::string_view text) {
    static constexpr Field kField{"day of the month", 1, 31};
    if (!is_list(text)) return kField.wrong(text);
    std::string rest;
    for (const auto& part : base::split(text, ',')) {
        const std::string_view alone = std::string_view(part).substr(0, part.find('/'));
        if (alone == "l" || alone == "lw") (alone == "l" ? last_day_ : last_working_day_) = true;
        else rest += (rest.empty() ? "" : ",") + part;
    }
    if (rest.empty() && (last_day_ || last_working_day_)) return {};
    return kField.take_list(rest == "?" ? "*" : rest, days_);
}

base::Result<void> Cron::take_weekdays(std::string_view text) {
    static constexpr Field kField{"day of the week", 0, 7, false, true};
    if (!is_list(text)) return kField.wrong(text);
    std::string rest;
    for (const auto& part : base::split(text, ',')) {
        const std::size_t hash = part.find('#');
        if (hash != part.npos) {
            const auto day = kField.value(std::string_view(part).substr(0, hash)), number = number_of(std::string_view(part).substr(hash + 1));
            if (!day || !number || *number < 1 || *number > 5) return kField.wrong(part);
            nth_.push_back({*day % 7, int(*number)});
        } else if (part.size() == 2 && part[1] == 'l' && part[0] >= '0' && part[0] <= '7') {
            nth_.push_back({unsigned(part[0] - '0') % 7, 0});
        } else {
            rest += (rest.empty() ? "" : ",") + part;
        }
    }
    if (rest.empty() && !nth_.empty()) return {};
    return kField.take_list(rest == "?" ? "*" : rest, weekdays_);
}

// Of one phase there is one spelling: the day that it would have begun with.
base::Result<void> Cron::take_stride(std::string_view text) {
    const auto wrong = [&] {
        return base::error(Code::invalid_argument, "the sixth field '" + std::string(text) + "' of the cron expression is none", "write how many days or weeks, from when, such as 2d@2026-03-04 or 2w@2026-03-04");
    };
    const std::size_t at = text.find('@');
    if (at == text.npos || at < 2 || text.size() != at + 11) return wrong();
    const auto count = number_of(text.substr(0, at - 1)), y = number_of(text.substr(at + 1, 4)), m = number_of(text.substr(at + 6, 2)), d = number_of(text.substr(at + 9, 2));
    const char unit = text[at - 1];
    if (!count || *count < 1 || *count > kLongestStride || (unit != 'd' && unit != 'w') || !y || !m || !d || text[at + 5] != '-' || text[at + 8] != '-') return wrong();
    const year_month_day date{year(int(*y)), month(*m), day(*d)};
    if (!date.ok()) return wrong();
    const bool in_weeks = unit == 'w';
    local_days from(date);
    if (in_weeks) from -= weekday(from) - Monday;
    const days whole = in_weeks ? days(weeks(*count)) : days(*count);
    from = kStrideEpoch + ((from - kStrideEpoch) % whole + whole) % whole;
    stride_ = Stride{int(*count), in_weeks, from};
    return {};
}

bool Cron::Stride::on(local_days day) const {
    if (!weeks) return (day - from).count() % count == 0;
    const auto apart = (day - (weekday(day) - Monday) - from).count() / 7;
    return apart % count == 0;
}

base::Result<Cron> Cron::parse(std::string_view text) {
    std::vector<std::string> fields = fields_of(text);
    if (fields.size() == 1)
        for (const auto& one : kNicknames)
            if (fields[0] == one.name) return parse(one.fields);
    if (fields.size() == 1 && fields[0].starts_with('@')) {
        std::string names;
        for (const auto& one : kNicknames) names += (names.empty() ? "" : ", ") + std::string(one.name);
        return base::error(Code::invalid_argument, "'" + fields[0].substr(0, 100) + "' is no time", "use " + names);
    }
    const std::string stride = fields.size() == 6 && fields[5].find('@') != std::string::npos ? fields[5] : "";
    if (!stride.empty()) fields.pop_back();
    if (fields.size() != 5)
        return base::error(Code::invalid_argument, "the cron expression '" + std::string(text.substr(0, 100)) + "' has " + std::to_string(fields.size()) + " fields",
                           "write five: minute hour day-of-month month day-of-week, such as 30 8 * * 1-5");
    Cron out;
    if (auto taken = Field{"minute", 0, 59}.take_list(fields[0], out.minutes_); !taken) return std::move(taken).error();
    if (auto taken = Field{"hour", 0, 23}.take_list(fields[1], out.hours_); !taken) return std::move(taken).error();
    if (auto taken = out.take_days(fields[2]); !taken) return std::move(taken).error();
    if (auto taken = Field{"month", 1, 12, true}.take_list(fields[3], out.months_); !taken) return std::move(taken).error();
    if (auto taken = out.take_weekdays(fields[4]); !taken) return std::move(taken).error();
    if (!stride.empty())
        if (auto taken = out.take_stride(stride); !taken) return std::move(taken).error();
    for (auto& field : {&fields[2], &fields[4]})
        if (*field == "?") *field = "*";
    out.both_ = fields[2][0] == '*' || fields[4][0] == '*';
    out.fixed_ = fields[0][0] != '*' && fields[1][0] != '*';
    for (const auto field : {2, 4})
        for (char& c : fields[field]) c = c == 'l' ? 'L' : c == 'w' && field == 2 ? 'W' : c;
    for (const auto& field : fields) out.text_ += (out.text_.empty() ? "" : " ") + field;
    if (out.stride_) out.text_ += " " + std::to_string(out.stride_->count) + (out.stride_->weeks ? "w@" : "d@") + date_text(out.stride_->from);
    // Days that no month of those has, such as 31 of April.
    static constexpr std::array<unsigned, 13> kLongest = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool possible = out.last_day_ || out.last_working_day_ || !out.both_;
    for (unsigned month = 1; month <= 12; ++month)
        for (unsigned day = 1; day <= kLongest[month]; ++day) possible |= out.months_[month] && out.days_[day];
    if (!possible) return base::error(Code::invalid_argument, "no month '" + fields[3] + "' of the cron expression has a day '" + fields[2] + "'", "choose a day that there is");
    return out;
}

bool Cron::on_weekday(local_days day) const {
    const weekday as(day);
    if (weekdays_[as.c_encoding()]) return true;
    const year_month_day date(day);
    const int number = int(unsigned(date.day()) - 1) / 7 + 1;
    const bool is_last = year_month_day(day + weeks(1)).month() != date.month();
    return std::any_of(nth_.begin(), nth_.end(), [&](const Nth& one) { return one.weekday == as.c_encoding() && (one.number == 0 ? is_last : one.number == number); });
}

bool Cron::on(local_days day) const {
    if (stride_ && !stride_->on(day)) return false;
    const year_month_day date(day);
    if (!months_[unsigned(date.month())]) return false;
    const bool is_last = year_month_day(day + days(1)).month() != date.month();
    const bool of_month = days_[unsigned(date.day())] || (last_day_ && is_last) || (last_working_day_ && is_last_working_day(date, weekday(day)));
    return both_ ? of_month && on_weekday(day) : of_month || on_weekday(day);
}

// The first that the wall clock shows from `at` on and before `until`.
std::optional<LocalTime> Cron::from(LocalTime at, LocalTime until) const {
    const LocalTime start = ceil<minutes>(at);
    const auto first_day = floor<days>(start);
    for (local_days day = first_day; day < until; day += days(1)) {
        if (!on(day)) continue;
        const int from = day == first_day ? int(duration_cast<minutes>(start - first_day).count()) : 0;
        for (int minute = from; minute < 24 * 60; ++minute) {
            if (!hours_[std::size_t(minute / 60)]) {
                minute += 59 - minute % 60;
                continue;
            }
            if (!minutes_[std::size_t(minute % 60)]) continue;
            const LocalTime found = day + minutes(minute);
            return found < until ? std::optional(found) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<base::TimePoint> Cron::next(base::TimePoint after, const Zone& zone) const {
    const base::TimePoint bound = after + days(366) * kYears;
    if (fixed_) {
        const LocalTime until = zone.local(bound);
        // The hour that comes again was due the first time.
        LocalTime at = zone.local(after) - hours(3);
        while (const auto found = from(at, until)) {
            const base::TimePoint due = zone.first(*found);
            if (due > after) return due;
            at = *found + minutes(1);
        }
        return std::nullopt;
    }
    base::TimePoint at = after + microseconds(1);
    while (at < bound) {
        const Zone::Stretch stretch = zone.stretch(at);
        const auto wall = [&](base::TimePoint t) { return LocalTime(ceil<seconds>(t).time_since_epoch() + stretch.offset); };
        if (const auto found = from(wall(at), wall(std::min(stretch.end, bound)))) return base::TimePoint(found->time_since_epoch() - stretch.offset);
        at = stretch.end;
    }
    return std::nullopt;
}

std::optional<base::TimePoint> Cron::last(base::TimePoint earliest, base::TimePoint until, const Zone& zone) const {
    // Near ones first: one a minute over a year is not walked through.
    for (const hours back : {hours(1), hours(25), hours(24 * 32), hours(24 * 367), hours(24 * 366 * kYears)}) {
        base::TimePoint at = std::max(earliest, until - back) - microseconds(1);
        std::optional<base::TimePoint> found;
        while (const auto due = next(at, zone)) {
            if (*due > until) break;
            found = at = *due;
        }
        if (found || until - back <= earliest) return found;
    }
    return std::nullopt;
}

}  // namespace agents
