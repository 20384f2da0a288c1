#include "agents/cron_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "agents/zone.h"
#include "base/ascii.h"
#include "base/split.h"

namespace agents {
namespace {

using MaybeWords = std::optional<std::string>;  // nothing: there are no short ones

constexpr std::array<std::string_view, 7> kDayNames = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonthNames = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};
constexpr std::array<std::string_view, 6> kNumberNames = {"last", "first", "second", "third", "fourth", "fifth"};
constexpr std::size_t kMostNamed = 4;  // times of a day

// A number, or a name by its first three letters, of which the first counts as `first`.
template <std::size_t N>
std::optional<int> value_named(std::string_view text, const std::array<std::string_view, N>& names, int first) {
    int value = first;
    for (const std::string_view name : names) {
        if (text == base::ascii_lower(name.substr(0, 3))) return value;
        ++value;
    }
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// "1,4-6" → 1 4 5 6; nothing of what has steps or *.
template <std::size_t N>
std::optional<std::vector<int>> values_of(const std::string& field, const std::array<std::string_view, N>& names, int first) {
    std::vector<int> out;
    for (const auto& part : base::split(field, ',')) {
        const std::size_t dash = part.find('-');
        const auto from = value_named(std::string_view(part).substr(0, dash), names, first);
        const auto to = dash == part.npos ? from : value_named(std::string_view(part).substr(dash + 1), names, first);
        if (!from || !to) return std::nullopt;
        for (int value = *from; value <= *to; ++value) out.push_back(value);
    }
    return out;
}

constexpr std::array<std::string_view, 0> kNoNames{};

std::string listed_words(const std::vector<std::string>& parts) {
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) out += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
    return out;
}

std::string ordinal_words(int n) {
    const bool teens = n % 100 / 10 == 1;
    return std::to_string(n) + (teens ? "th" : n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th");
}

// "*/15" → 15, "*" → 1; of "9-17/2" what is before the stroke in `range`.
std::optional<int> step_of(const std::string& field, std::string& range) {
    const std::size_t stroke = field.find('/');
    range = field.substr(0, stroke);
    return stroke == field.npos ? std::optional(1) : value_named(std::string_view(field).substr(stroke + 1), kNoNames, 0);
}

std::string each(int count, const char* unit) { return count == 1 ? std::string("every ") + unit : "every " + std::to_string(count) + " " + unit + "s"; }

struct DayTime {
    std::string words;
    bool repeats = false;  // "every 15 minutes", behind which the days stand
};

std::optional<DayTime> day_time(const std::string& minute, const std::string& hour) {
    const auto minutes = values_of(minute, kNoNames, 0), hours = values_of(hour, kNoNames, 0);
    if (minutes && minutes->size() == 1 && hours && hours->size() <= kMostNamed && hour.find('-') == hour.npos) {
        std::vector<std::string> times;
        for (const int one : *hours) times.push_back(clock_text(one, minutes->front()));
        return DayTime{listed_words(times)};
    }
    std::string range;
    const auto hour_step = step_of(hour, range);
    const std::size_t dash = range.find('-');
    const auto from = value_named(std::string_view(range).substr(0, dash), kNoNames, 0);
    const auto to = dash == range.npos ? std::nullopt : value_named(std::string_view(range).substr(dash + 1), kNoNames, 0);
    const bool whole_day = range == "*";
    if (!hour_step || (!whole_day && (!from || !to))) return std::nullopt;
    const auto within = [&](int last_minute) { return whole_day ? std::string() : " from " + clock_text(*from, 0) + " to " + clock_text(*to, last_minute); };
    if (minute == "0") return DayTime{each(*hour_step, "hour") + within(0), true};
    std::string whole_hour;
    const auto minute_step = step_of(minute, whole_hour);
    if (!minute_step || whole_hour != "*" || *hour_step != 1) return std::nullopt;
    return DayTime{each(*minute_step, "minute") + within(59), true};
}

// "Monday and Thursday", "weekday", "last Friday of each month"; `every`: "every " belongs before it.
MaybeWords weekday_words(const std::string& field, bool& every) {
    if (field == "1-5" || field == "mon-fri") return every = true, MaybeWords("weekday");
    std::vector<std::string> out;
    for (const auto& part : base::split(field, ',')) {
        const std::size_t nth = part.find_first_of("#L");
        const auto days = values_of(nth == part.npos ? part : part.substr(0, nth), kDayNames, 0);
        if (!days) return std::nullopt;
        const int number = nth == part.npos ? -1 : part[nth] == 'L' ? 0 : part[nth + 1] - '0';
        for (const int day : *days) out.push_back((number < 0 ? "" : "the " + std::string(kNumberNames.at(std::size_t(number))) + " ") + std::string(kDayNames.at(std::size_t(day % 7))));
    }
    every = field.find_first_of("#L") == field.npos;
    return listed_words(out) + (every ? "" : " of each month");
}

MaybeWords month_day_words(const std::string& field, const std::string& month) {
    std::string of = " of each month";
    if (month != "*") {
        const auto months = values_of(month, kMonthNames, 1);
        if (!months) return std::nullopt;
        std::vector<std::string> names;
        for (const int one : *months) names.emplace_back(kMonthNames.at(std::size_t(one - 1)));
        of = " of " + listed_words(names);
    }
    if (field == "L") return "the last day" + of;
    if (field == "LW") return "the last working day" + of;
    const auto days = values_of(field, kNoNames, 0);
    if (!days) return std::nullopt;
    std::vector<std::string> names;
    for (const int one : *days) names.push_back(ordinal_words(one));
    return "the " + listed_words(names) + of;
}

// Empty: every day. `every` as above.
MaybeWords day_words(const std::vector<std::string>& fields, bool& every) {
    const bool any_month = fields[3] == "*", any_date = fields[2] == "*", any_weekday = fields[4] == "*";
    if (any_month && any_date && any_weekday) return std::string();
    if (any_month && any_date) return weekday_words(fields[4], every);
    if (any_weekday && !any_date) return month_day_words(fields[2], fields[3]);
    return std::nullopt;
}

// "2w@1970-01-12" → "every other week"
std::string stride_words(const std::string& field) {
    const std::size_t at = field.find('@');
    const int count = value_named(std::string_view(field).substr(0, at - 1), kNoNames, 0).value_or(0);
    const std::string unit = field[at - 1] == 'w' ? "week" : "day";
    return count == 2 ? "every other " + unit : each(count, unit.c_str());
}

}  // namespace

std::string cron_words(const std::string& cron) {
    std::vector<std::string> fields = base::split(cron, ' ');
    std::string stride;
    if (fields.size() == 6) {
        stride = stride_words(fields[5]);
        fields.pop_back();
    }
    if (fields.size() != 5) return cron;
    bool every = false;
    const auto time = day_time(fields[0], fields[1]);
    const auto days = time ? day_words(fields, every) : std::nullopt;
    if (!days) return stride.empty() ? cron : stride + ", " + cron.substr(0, cron.rfind(' '));
    const std::string named = *days + (*days == "weekday" && (time->repeats || !stride.empty()) ? "s" : "");
    if (time->repeats) return (stride.empty() ? "" : stride + ", ") + time->words + (days->empty() ? "" : ", " + named);
    if (!stride.empty()) return stride + ", " + (days->empty() ? "" : named + " ") + time->words;
    return (days->empty() ? "every day" : every ? "every " + *days : *days) + " " + time->words;
}

}  // namespace agents
