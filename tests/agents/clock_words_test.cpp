// The time of day where a message asks for nothing else.
#include "agents/clock_words.h"

#include <gtest/gtest.h>

namespace {

using base::Language;

TEST(ClockWords, AreForWhoAsksForTheTimeAlone) {
    EXPECT_EQ(agents::asks_for_time("What time is it?"), Language::english);
    EXPECT_EQ(agents::asks_for_time("what's the time"), Language::english);
    EXPECT_EQ(agents::asks_for_time("Quelle heure est-il ?"), Language::french);
    EXPECT_EQ(agents::asks_for_time("Wie spät ist es?"), Language::german);
    EXPECT_EQ(agents::asks_for_time("¿Qué hora es?"), Language::spanish);
    EXPECT_EQ(agents::asks_for_time("Che ore sono?"), Language::italian);
    for (const char* message : {"What time is it in Tokyo?", "What time does the train leave?", "What day is it?", "", "time"}) EXPECT_EQ(agents::asks_for_time(message), std::nullopt) << message;
}

TEST(ClockWords, TellItByTheHouseholdsClock) {
    const base::TimePoint summer(std::chrono::sys_days(std::chrono::year(2026) / 7 / 1) + std::chrono::hours(23));
    EXPECT_EQ(agents::time_words(Language::german, summer, agents::Zone::find("Europe/Paris").value()), "Es ist 01:00 (2026-07-02, Europe/Paris).");
}

}  // namespace
