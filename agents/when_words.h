// The words of agents/when, and the clock times and numbers among them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agents::words {

enum class Kind {
    unknown, filler, number, ordinal, clock, iso_date, slashed, month, weekday, weekdays, weekend, day, every, other, in, at, next, past_twelve, half,
    unit_minute, unit_hour, unit_week, unit_month, part, today, tomorrow, after_tomorrow, last, noon, midnight, article, to,
};

struct Word {
    Kind kind = Kind::unknown;
    std::string text;      // small letters, without accents
    int value = 0;         // of a number, ordinal, month (1…12), weekday (0…6 from Sunday), an hour; of past_twelve 0 or 12; of part its usual hour
    int minute = 0;        // of a clock
    bool sure = false;     // of a clock: of 24 hours
    bool halved = false;   // of a clock: "am" or "pm" was said
    bool french = false;
    bool plural = false;   // of a weekday: each of them
    bool repeats = false;  // of a unit: "daily", "hourly" say that it is each
};

std::vector<Word> read(std::string_view text);
// Whether a message asks for something at another time: "remind me", "every", "tomorrow", "in 20 minutes".
bool speak_of_later(std::string_view message);

}  // namespace agents::words
