// Time zones by their names in the tz database of the system, and wall time in them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace date {
class time_zone;
}

namespace agents {

using LocalTime = std::chrono::local_time<std::chrono::seconds>;

// A zone for as long as the process lives; copies are cheap.
class Zone {
public:
    // "Europe/Paris"; empty: the system's own, UTC where it says none. Error{not_found} naming it, {unavailable} where the system has no tz database.
    static base::Result<Zone> find(std::string_view name);
    static Zone utc();
    // find(), and UTC where there is none of that name: that is told of where schedules are made.
    static Zone known(std::string_view name);

    std::string name() const;
    LocalTime local(base::TimePoint t) const;
    // When the wall clock shows it: of two times the first; what it leaps over is the moment of the leap.
    base::TimePoint first(LocalTime t) const;

    // Between changes of the offset.
    struct Stretch {
        base::TimePoint begin, end;  // [begin, end)
        std::chrono::seconds offset;
    };
    Stretch stretch(base::TimePoint t) const;

private:
    explicit Zone(const date::time_zone* zone) : zone_(zone) {}
    const date::time_zone* zone_;
};

// "2026-03-09".
std::string date_text(std::chrono::local_days day);
std::string clock_text(int hour, int minute);  // "08:05"
std::string minute_text(LocalTime t);          // "2026-03-09 08:00"
// As people read it: "Mon 2026-03-09 08:00".
std::string wall_text(LocalTime t);

}  // namespace agents
