// Cron expressions of five fields (minute hour day-of-month month day-of-week) and when they come due. Pure.
//
//   * , - /    as everywhere; names of months and days; 7 is Sunday, too; ? is * in the fields of days
//   L          the last day of the month; LW its last working day; 5L its last Friday; 1#2 its second Monday
//   2d@2026-03-04, as a sixth field: of those days every second one, counted from that; 3w@…: those of every third week (Monday to Sunday)
//   @hourly @daily @midnight @weekly @monthly @yearly @annually
//
// Where both fields of days are restricted and neither begins with *, one of them is enough (Vixie's rule, as Debian's cron has it).
// So is daylight saving time: what names its minutes and hours is due once a day, at the end of an hour that is left out, the first
// time in one that comes twice; what has * in either goes by the clock on the wall, leaps and all.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/zone.h"

namespace agents {

class Cron {
public:
    // Error{invalid_argument} naming the field, what stands in it, and what may.
    static base::Result<Cron> parse(std::string_view text);

    // The first after it; nothing: in fifty years none.
    std::optional<base::TimePoint> next(base::TimePoint after, const Zone& zone) const;
    // The last one of [from, until]; nothing: there is none.
    std::optional<base::TimePoint> last(base::TimePoint from, base::TimePoint until, const Zone& zone) const;
    // Its fields as they are kept: of one spelling, so that equal texts are equal times.
    const std::string& text() const { return text_; }

private:
    struct Nth {
        unsigned weekday;
        int number;  // 1…5; 0: the last
    };
    struct Stride {
        int count;
        bool weeks;
        std::chrono::local_days from;  // the first there was, or its Monday
        bool on(std::chrono::local_days day) const;
    };
    struct Field;
    base::Result<void> take_days(std::string_view text);
    base::Result<void> take_weekdays(std::string_view text);
    base::Result<void> take_stride(std::string_view text);
    bool on_weekday(std::chrono::local_days day) const;
    bool on(std::chrono::local_days day) const;
    std::optional<LocalTime> from(LocalTime at, LocalTime until) const;

    std::string text_;
    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<7> weekdays_;  // from Sunday
    std::vector<Nth> nth_;
    std::optional<Stride> stride_;
    bool last_day_ = false, last_working_day_ = false;
    bool both_ = false;   // fields of days must hold
    bool fixed_ = false;  // names its minutes and hours
};

}  // namespace agents
