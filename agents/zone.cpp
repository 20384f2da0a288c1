#include "agents/zone.h"

#include <date/tz.h>

#include <algorithm>
#include <cstdio>

namespace agents {
namespace {

using base::Code;
using std::chrono::seconds;

// Far from the ends of what the clock can say, which the tz database goes beyond.
constexpr std::int64_t kFirst = -62135596800, kLast = 253402300799;  // years 1 and 9999

base::TimePoint bounded(std::chrono::sys_seconds t) {
    const std::int64_t count = std::clamp<std::int64_t>(t.time_since_epoch().count(), kFirst, kLast);
    return base::TimePoint(seconds(count));
}

// A system that says nothing of its zone goes by UTC.
const date::time_zone* own_zone() {
    try {
        return date::current_zone();
    } catch (const std::exception&) {
        return date::locate_zone("Etc/UTC");
    }
}

}  // namespace

base::Result<Zone> Zone::find(std::string_view name) {
    try {
        return Zone(name.empty() ? own_zone() : date::locate_zone(name));
    } catch (const std::exception& e) {
        if (name.empty()) return base::error(Code::unavailable, std::string("the system has no time zones: ") + e.what(), "apt-get install tzdata");
        return base::error(Code::not_found, "there is no time zone '" + std::string(name) + "'", "use a name of the tz database, such as Europe/Paris or UTC");
    }
}

Zone Zone::utc() { return Zone(date::locate_zone("Etc/UTC")); }

Zone Zone::known(std::string_view name) {
    const auto zone = find(name);
    return zone ? *zone : utc();
}

std::string Zone::name() const { return zone_->name(); }

LocalTime Zone::local(base::TimePoint t) const {
    const auto whole = std::chrono::floor<seconds>(t);
    return LocalTime(whole.time_since_epoch() + zone_->get_info(whole).offset);
}

base::TimePoint Zone::first(LocalTime t) const {
    const date::local_info info = zone_->get_info(date::local_time<seconds>(t.time_since_epoch()));
    if (info.result == date::local_info::nonexistent) return bounded(info.first.end);
    return base::TimePoint(t.time_since_epoch() - info.first.offset);
}

Zone::Stretch Zone::stretch(base::TimePoint t) const {
    const date::sys_info info = zone_->get_info(std::chrono::floor<seconds>(t));
    return {bounded(info.begin), bounded(info.end), info.offset};
}

std::string date_text(std::chrono::local_days day) {
    const std::chrono::year_month_day date(day);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(date.year()), unsigned(date.month()), unsigned(date.day()));
    return text;
}

std::string clock_text(int hour, int minute) {
    char text[24];
    std::snprintf(text, sizeof text, "%02d:%02d", hour, minute);
    return text;
}

std::string minute_text(LocalTime t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::hh_mm_ss time(t - day);
    return date_text(day) + " " + clock_text(int(time.hours().count()), int(time.minutes().count()));
}

std::string wall_text(LocalTime t) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    return kDays[std::chrono::weekday(std::chrono::floor<std::chrono::days>(t)).c_encoding()] + (" " + minute_text(t));
}

}  // namespace agents
