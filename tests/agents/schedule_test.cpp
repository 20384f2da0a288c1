// What becomes of a schedule whose time has come, and how what came of it is told.
#include "agents/schedule.h"

#include <gmock/gmock.h>

namespace {

using agents::due_of;
using agents::scheduled_words;
using base::TimePoint;
using store::Missed;
using store::Schedule;
using namespace std::chrono_literals;

const TimePoint kEight = std::chrono::sys_days(std::chrono::year(2026) / 3 / 2) + 8h;  // a Monday

Schedule daily(Missed missed) {
    Schedule out;
    out.said = "every day at 08:00";
    out.cron = "0 8 * * *";
    out.zone = "UTC";
    out.missed = missed;
    out.next = kEight;
    return out;
}

std::string text(std::optional<TimePoint> t) { return t ? base::rfc3339(*t).substr(5, 11) : "-"; }
std::string due(const Schedule& schedule, TimePoint now) {
    const auto out = due_of(schedule, now).value();
    return "fires " + text(out.fires) + ", skipped " + text(out.skipped) + ", next " + text(out.next);
}

TEST(Schedule, IsDoneOnTimeWhateverIsMissed) {
    for (const Missed missed : {Missed::skip, Missed::once, Missed::all}) EXPECT_EQ(due(daily(missed), kEight + 2min), "fires 03-02T08:00, skipped -, next 03-03T08:00");
}

TEST(Schedule, IsMadeUpForAsItIsWanted) {
    const TimePoint late = kEight + 50h;  // Wednesday, 10:00
    EXPECT_EQ(due(daily(Missed::skip), late), "fires -, skipped 03-02T08:00, next 03-05T08:00");
    EXPECT_EQ(due(daily(Missed::once), late), "fires 03-04T08:00, skipped 03-02T08:00, next 03-05T08:00");
    EXPECT_EQ(due(daily(Missed::all), late), "fires 03-02T08:00, skipped -, next 03-03T08:00") << "and so on, one after the other";
    EXPECT_EQ(due(daily(Missed::skip), kEight + 48h + 1min), "fires 03-04T08:00, skipped 03-02T08:00, next 03-05T08:00") << "on time";
}

TEST(Schedule, IsNotMadeUpForWithoutEnd) {
    EXPECT_EQ(due(daily(Missed::all), kEight + 23 * 24h), "fires 03-02T08:00, skipped -, next 03-03T08:00") << "as many as are made up for";
    EXPECT_EQ(due(daily(Missed::all), kEight + 24 * 24h), "fires 03-03T08:00, skipped 03-02T08:00, next 03-04T08:00");
    EXPECT_EQ(due_of(daily(Missed::all), kEight + 30 * 24h).value().why, "missed: 7 times are dropped; no more than the last 24 are made up for");
    Schedule often = daily(Missed::all);
    often.cron = "* * * * *";
    EXPECT_EQ(due(often, kEight + 30 * 24h), "fires 04-01T08:00, skipped 03-02T08:00, next 04-01T08:01");
    EXPECT_THAT(due_of(often, kEight + 30 * 24h).value().why, testing::HasSubstr("more than 1000 times"));
}

TEST(Schedule, ComesOnceAndIsOver) {
    Schedule once = daily(Missed::once);
    once.cron.clear();
    EXPECT_EQ(due(once, kEight + 50h), "fires 03-02T08:00, skipped -, next -");
    once.missed = Missed::skip;
    EXPECT_EQ(due(once, kEight + 1min), "fires 03-02T08:00, skipped -, next -");
    EXPECT_EQ(due(once, kEight + 50h), "fires -, skipped 03-02T08:00, next -");
    EXPECT_EQ(text(agents::next_of(once, kEight - 1h).value()), "03-02T08:00");
    EXPECT_EQ(text(agents::next_of(once, kEight).value()), "-");
}

TEST(Schedule, TellsEachTimeThatIsToCome) {
    const auto coming = [](const Schedule& schedule, TimePoint until, std::size_t most = 10) {
        std::string out;
        const auto times = agents::coming_of(schedule, until, most).value();
        for (const TimePoint at : times) out += text(at) + " ";
        return out;
    };
    Schedule schedule = daily(Missed::once);
    EXPECT_EQ(coming(schedule, kEight + 48h), "03-02T08:00 03-03T08:00 03-04T08:00 ") << "both ends included";
    EXPECT_EQ(coming(schedule, kEight + 48h, 1), "03-02T08:00 03-03T08:00 03-04T08:00 ") << "the first of each day";
    schedule.cron = "*/20 * * * *";
    EXPECT_EQ(coming(schedule, kEight + 24h, 2), "03-02T08:00 03-02T08:20 03-03T00:00 03-03T00:20 ") << "what comes often hides no day behind it";
    schedule.cron = "0 8 * * *";
    EXPECT_EQ(coming(schedule, kEight - 1s), "");
    schedule.paused = true;
    EXPECT_EQ(coming(schedule, kEight + 48h), "");
    Schedule once = daily(Missed::once);
    once.cron.clear();
    EXPECT_EQ(coming(once, kEight + 48h), "03-02T08:00 ");
    once.zone = "Europe/Lutetia";
    EXPECT_EQ(agents::coming_of(once, kEight, 1).error().code, base::Code::not_found);
}

TEST(Schedule, WhoseZoneIsGoneSaysSo) {
    Schedule lost = daily(Missed::once);
    lost.zone = "Europe/Lutetia";
    EXPECT_EQ(due_of(lost, kEight).error().code, base::Code::not_found);
}

TEST(Schedule, IsOrderedInWords) {
    const auto made = agents::schedule_of({"every monday at 9am", "  say hello ", "Europe/Paris"}, kEight);
    const auto& schedule = std::get<Schedule>(made.value());
    EXPECT_EQ(schedule.cron + " " + schedule.zone + " " + schedule.prompt + " " + text(schedule.next), "0 9 * * 1 Europe/Paris say hello 03-09T08:00");
    EXPECT_TRUE(std::holds_alternative<agents::Question>(agents::schedule_of({"every monday at 9", "say hello", ""}, kEight).value()));
    EXPECT_THAT(agents::schedule_of({"0 0 30 2 1#1", "say hello", ""}, kEight).value().index(), 0u);
    EXPECT_THAT(agents::schedule_of({"0 0 31 2 *", "say hello", ""}, kEight).error().text(), testing::HasSubstr("31"));
}

TEST(Schedule, IsToldWithoutPhrases) {
    EXPECT_EQ(scheduled_words("Sure! Two trains are late.\n\nWould you like me to look for others?", false), "Two trains are late.");
    EXPECT_EQ(scheduled_words("Two trains are late. Let me know if you need more. Have a great day!", false), "Two trains are late.");
    EXPECT_EQ(scheduled_words("Bien sûr ! Deux trains sont en retard. N'hésitez pas à me demander.", false), "Deux trains sont en retard.");
    EXPECT_EQ(scheduled_words("Call your godfather.", false), "Call your godfather.");
    EXPECT_EQ(scheduled_words("Ask Anna: would you like to come?", false), "Ask Anna: would you like to come?") << "what is meant stays";
    EXPECT_EQ(scheduled_words("Would you like to know more?", false), "Would you like to know more?") << "something is said";
    EXPECT_EQ(scheduled_words("Surely it rains.", false), "Surely it rains.");
    EXPECT_EQ(scheduled_words("Nothing.", true), "");
    EXPECT_EQ(scheduled_words("NOTHING", false), "NOTHING");
    EXPECT_EQ(scheduled_words("Nothing is wrong but the disk.", true), "Nothing is wrong but the disk.");
}

}  // namespace
