// What people say of times, in English and in French, and what is asked where they could mean two.
#include "agents/when.h"

#include <gmock/gmock.h>

#include "agents/when_words.h"

namespace {

using agents::Question;
using agents::When;
using agents::Zone;
using testing::ElementsAre;
using testing::HasSubstr;

// In Paris it is Wednesday, 4 March 2026, 10:00.
const base::TimePoint kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) + std::chrono::hours(9);
const Zone kParis = Zone::find("Europe/Paris").value();

// The cron expression, or the wall time, or "? " and the question.
std::string read(const std::string& text, base::TimePoint now = kNow) {
    const auto found = agents::read_when(text, now, kParis);
    if (!found) return "! " + found.error().message;
    if (const auto* const question = std::get_if<Question>(&*found)) return "? " + question->text;
    const When& when = std::get<When>(*found);
    return when.once ? agents::wall_text(kParis.local(*when.once)) : when.cron;
}
std::vector<std::string> choices(const std::string& text) {
    return std::get<Question>(agents::read_when(text, kNow, kParis).value()).choices;
}

struct Case {
    const char* said;
    const char* meant;
};

TEST(When, Repeats) {
    for (const Case& one : std::initializer_list<Case>{
             {"every weekday at 8am", "0 8 * * 1-5"},
             {"Every Monday and Thursday at 18:30", "30 18 * * 1,4"},
             {"mondays at 9 a.m.", "0 9 * * 1"},
             {"monday to friday at 07:00", "0 7 * * 1-5"},
             {"every morning", "0 8 * * *"},
             {"every morning at 7", "0 7 * * *"},
             {"every evening at 7", "0 19 * * *"},
             {"daily at noon", "0 12 * * *"},
             {"everyday at 8 pm", "0 20 * * *"},
             {"every day at 9 in the morning", "0 9 * * *"},
             {"on weekends at 10:00 am", "0 10 * * 0,6"},
             {"every 15 minutes", "*/15 * * * *"},
             {"every hour", "0 * * * *"},
             {"hourly", "0 * * * *"},
             {"every two hours", "0 */2 * * *"},
             {"every half hour", "*/30 * * * *"},
             {"on the 1st of every month at noon", "0 12 1 * *"},
             {"every month on the 15th at 6pm", "0 18 15 * *"},
             {"on the last day of every month at 18:00", "0 18 L * *"},
             {"the first monday of every month at 9am", "0 9 * * 1#1"},
             {"the last friday of the month at 5 pm", "0 17 * * 5L"},
             {"every year on March 3 at 08:00", "0 8 3 3 *"},
             {"weekly on friday at 18:00", "0 18 * * 5"},
             {"tous les lundis à 9h", "0 9 * * 1"},
             {"chaque jour à midi", "0 12 * * *"},
             {"tous les jours à 8h30", "30 8 * * *"},
             {"tous les matins", "0 8 * * *"},
             {"tous les soirs à 8h", "0 20 * * *"},
             {"en semaine à 7h30", "30 7 * * 1-5"},
             {"tous les jours de la semaine à 8 heures", "0 8 * * 1-5"},
             {"du lundi au vendredi à 8 heures 15", "15 8 * * 1-5"},
             {"le lundi à 9h", "0 9 * * 1"},
             {"le week-end à 10h", "0 10 * * 0,6"},
             {"le 1er de chaque mois à 9h", "0 9 1 * *"},
             {"le dernier jour du mois à 18h", "0 18 L * *"},
             {"le premier lundi de chaque mois à 9h", "0 9 * * 1#1"},
             {"toutes les 10 minutes", "*/10 * * * *"},
             {"toutes les heures", "0 * * * *"},
             {"toutes les demi-heures", "*/30 * * * *"},
             {"every night at 1am", "0 1 * * *"},
             {"every night at 2", "0 2 * * *"},
             {"every night at 11", "0 23 * * *"},
             {"every day at 8am and 8pm", "0 8,20 * * *"},
             {"every weekday at noon and at 18:00", "0 12,18 * * 1-5"},
             {"every day at half past seven in the evening", "30 19 * * *"},
             {"every day at a quarter to 8 pm", "45 19 * * *"},
             {"every day at 7.30 am", "30 7 * * *"},
             {"every 15 minutes from 9 to 17", "*/15 9-16 * * *"},
             {"every 15 minutes from 9 to 5 on weekdays", "*/15 9-16 * * 1-5"},
             {"every hour between 9:00 and 17:00", "0 9-17 * * *"},
             {"every 2 hours from 8am to 8pm", "0 8-20/2 * * *"},
             {"every hour from 22:00 until 06:00", "0 22-23,0-6 * * *"},
             {"toutes les heures de 9h à 17h", "0 9-17 * * *"},
             {"toutes les 20 minutes entre 9h et midi", "*/20 9-11 * * *"},
             {"tous les jours à huit heures et quart", "15 8 * * *"},
             {"tous les jours à huit heures moins le quart", "45 7 * * *"},
             {"tous les jours à midi et demi", "30 12 * * *"},
             {"quotidiennement à 8h et demie", "30 8 * * *"},
             {"30 8 * * 1-5", "30 8 * * 1-5"},
             {"@daily", "0 0 * * *"},
         })
        EXPECT_EQ(read(one.said), one.meant) << one.said;
}

TEST(When, ComesOnce) {
    for (const Case& one : std::initializer_list<Case>{
             {"in 20 minutes", "Wed 2026-03-04 10:20"},
             {"in an hour", "Wed 2026-03-04 11:00"},
             {"in half an hour", "Wed 2026-03-04 10:30"},
             {"in two days", "Fri 2026-03-06 10:00"},
             {"in a week at 8am", "Wed 2026-03-11 08:00"},
             {"in one month", "Sat 2026-04-04 10:00"},
             {"tomorrow at 7:30 pm", "Thu 2026-03-05 19:30"},
             {"tomorrow morning", "Thu 2026-03-05 08:00"},
             {"tonight", "Wed 2026-03-04 19:00"},
             {"tonight at 9", "Wed 2026-03-04 21:00"},
             {"today at 8", "Wed 2026-03-04 20:00"},  // 8 in the morning has passed
             {"at 18:00", "Wed 2026-03-04 18:00"},
             {"at 09:00", "Thu 2026-03-05 09:00"},
             {"friday at 18:00", "Fri 2026-03-06 18:00"},
             {"on wednesday at 9am", "Wed 2026-03-11 09:00"},
             {"next wednesday at 18:00", "Wed 2026-03-11 18:00"},
             {"on 3 March at 10:00", "Wed 2027-03-03 10:00"},
             {"March 5 at 5pm", "Thu 2026-03-05 17:00"},
             {"on the 2nd of April 2026 at noon", "Thu 2026-04-02 12:00"},
             {"2026-07-14 08:00", "Tue 2026-07-14 08:00"},
             {"2026-07-14T08:00", "Tue 2026-07-14 08:00"},
             {"dans 20 minutes", "Wed 2026-03-04 10:20"},
             {"dans une heure", "Wed 2026-03-04 11:00"},
             {"dans deux heures", "Wed 2026-03-04 12:00"},
             {"dans une demi-heure", "Wed 2026-03-04 10:30"},
             {"demain à 7h", "Thu 2026-03-05 07:00"},
             {"demain matin", "Thu 2026-03-05 08:00"},
             {"après-demain à midi", "Fri 2026-03-06 12:00"},
             {"ce soir", "Wed 2026-03-04 19:00"},
             {"aujourd’hui à 14h", "Wed 2026-03-04 14:00"},
             {"vendredi à 18h", "Fri 2026-03-06 18:00"},
             {"le 14 juillet à 8h", "Tue 2026-07-14 08:00"},
             {"le vendredi 6 mars à 18h", "Fri 2026-03-06 18:00"},
             {"in an hour and a half", "Wed 2026-03-04 11:30"},
             {"dans une heure et demie", "Wed 2026-03-04 11:30"},
             {"20 minutes from now", "Wed 2026-03-04 10:20"},
             {"the day after tomorrow at 9am", "Fri 2026-03-06 09:00"},
             {"tomorrow at half past 8 in the morning", "Thu 2026-03-05 08:30"},
             {"at a quarter to 1 pm", "Wed 2026-03-04 12:45"},
             {"this evening at 8", "Wed 2026-03-04 20:00"},
             {"tonight at 1am", "Thu 2026-03-05 01:00"},
             {"tonight at midnight", "Thu 2026-03-05 00:00"},
             {"on 29 March at 02:30 am", "Sun 2026-03-29 03:00"},  // the clock leaps over it
         })
        EXPECT_EQ(read(one.said), one.meant) << one.said;
}

TEST(When, AsksWhereTwoThingsCouldBeMeant) {
    EXPECT_EQ(read("at 8"), "? Is that 08:00 or 20:00?");
    EXPECT_THAT(choices("every weekday at 8"), ElementsAre("every weekday at 08:00", "every weekday at 20:00"));
    EXPECT_THAT(choices("tomorrow at 7:30"), ElementsAre("tomorrow at 07:30", "tomorrow at 19:30"));
    EXPECT_EQ(read("next friday at 18:00"), "? Is that 2026-03-06 or 2026-03-13?");
    EXPECT_THAT(choices("vendredi prochain à 18h"), ElementsAre("2026-03-06 a 18h", "2026-03-13 a 18h"));
    EXPECT_EQ(read("every day"), "? At what time?");
    EXPECT_EQ(read("demain"), "? À quelle heure ?");
    EXPECT_EQ(read("every week at 8am"), "? On which day of the week?");
    EXPECT_EQ(read("every month at 8am"), "? On which day of the month?");
    EXPECT_THAT(choices("on 03/04 at 8am"), ElementsAre("on 2026-04-03 at 8am", "on 2026-03-04 at 8am"));
    EXPECT_THAT(choices("on 25/12 at 8am"), ElementsAre("on 2026-12-25 at 8am"));
    EXPECT_THAT(choices("every 45 minutes"), ElementsAre("every 30 minutes"));
    EXPECT_THAT(choices("tomorrow at half past seven"), ElementsAre("tomorrow at 07:30", "tomorrow at 19:30"));
    EXPECT_EQ(read("every 10 minutes between 8 and 9"), "? Does that begin at 08:00 or 20:00?");
    EXPECT_THAT(choices("every 10 minutes between 8 and 9"), ElementsAre("every 10 minutes between 08:00 and 9", "every 10 minutes between 20:00 and 9"));
    const auto late = kNow + std::chrono::hours(11);
    for (const char* over : {"tonight", "this evening"}) EXPECT_EQ(read(over, late), "? At what time?") << over << ": it is nine";
    EXPECT_EQ(read("ce soir", late), "? À quelle heure ?");
    EXPECT_EQ(read("ce soir à 8h", late), "! Wed 2026-03-04 20:00 has passed") << "and not tomorrow's";
    // Each choice is clear.
    for (const char* said : {"at 8", "every weekday at 8", "next friday at 18:00", "vendredi prochain à 18h", "every day", "demain", "every week at 8am", "every month at 8am", "tous les mois à 8h", "toutes les 45 minutes",
                             "tomorrow at half past seven", "every 10 minutes between 8 and 9"})
        for (const auto& choice : choices(said)) EXPECT_THAT(read(choice), testing::AllOf(testing::Not(testing::StartsWith("?")), testing::Not(testing::StartsWith("!")))) << said << " → " << choice;
}

// Counted from the next time that there is.
TEST(When, EveryOtherDayOrWeek) {
    for (const Case& one : std::initializer_list<Case>{
             {"every other day at 8am", "0 8 * * * 2d@1970-01-06"},    // from tomorrow, Thursday, 5 March: it is past eight
             {"every other day at noon", "0 12 * * * 2d@1970-01-05"},  // from today
             {"every 2 days at noon", "0 12 * * * 2d@1970-01-05"},
             {"every 3 days in the morning", "0 8 * * * 3d@1970-01-07"},
             {"tous les deux jours à midi", "0 12 * * * 2d@1970-01-05"},
             {"every other monday at 8am", "0 8 * * 1 2w@1970-01-12"},
             {"every other weekend at 10:00", "0 10 * * 0,6 2w@1970-01-05"},
             {"every 3 weeks on friday at noon", "0 12 * * 5 3w@1970-01-19"},
             {"toutes les deux semaines le vendredi à 18h", "0 18 * * 5 2w@1970-01-05"},
             {"every other hour", "0 */2 * * *"},
         })
        EXPECT_EQ(read(one.said), one.meant) << one.said;
    EXPECT_THAT(read("every other week at 08:00"), HasSubstr("which day of the week"));
    EXPECT_EQ(read("every other week at 08:00 on monday"), "0 8 * * 1 2w@1970-01-12");
    EXPECT_THAT(read("every other day"), HasSubstr("At what time"));
}

TEST(When, IsHeardInAMessage) {
    for (const char* later : {"Remind me to water the plants every morning.", "Tell me the news tomorrow", "Wake me in 20 minutes", "Rappelle-moi d'appeler Anna", "Dis-moi bonjour tous les lundis à 9h", "What have you scheduled?"})
        EXPECT_TRUE(agents::words::speak_of_later(later)) << later;
    for (const char* now : {"What is in shopping.txt?", "Hello!", "What time is it?", "Where is the key in the house?", "Compare a.txt with b.txt", "Qui a appelé hier ?"})
        EXPECT_FALSE(agents::words::speak_of_later(now)) << now;
}

TEST(When, SaysWhatIsNotUnderstood) {
    EXPECT_EQ(read("when pigs fly"), "! 'when' is not understood of a time");
    EXPECT_EQ(read("today at 7am"), "! Wed 2026-03-04 07:00 has passed");
    for (const char* no : {"every other weekday at 8am", "every other month on the 1st at noon", "every 3 months on the 1st at noon", "every other year on March 3 at 08:00", "every 400 days at noon"}) EXPECT_THAT(read(no), HasSubstr("no rule that can be kept")) << no;
    for (const char* no : {"every morning at 7 and every evening at 7", "every day at 7 and 9", "tomorrow at 8am and 9am", "every day in the morning and in the evening", "every day at 8am and 8:30pm"})
        EXPECT_EQ(read(no), "! that names several times of the day") << no;
    for (const char* no : {"every 15 minutes at 9am", "every hour tomorrow", "every 2 hours in the morning", "every 15 minutes on the 1st"}) EXPECT_THAT(read(no), HasSubstr("weekdays and hours alone")) << no;
    EXPECT_THAT(read("every 15 minutes from 9:30 to 17:00"), HasSubstr("within an hour"));
    EXPECT_THAT(read("every 2 hours from 22:00 to 06:00"), HasSubstr("over midnight"));
    EXPECT_THAT(read("0 25 * * *"), HasSubstr("the hour '25'"));
    EXPECT_EQ(read(""), "! that says no time");
    for (const char* no : {"* * * * * *", "0 */2 * *", "*"}) EXPECT_THAT(read(no), HasSubstr("the cron expression '" + std::string(no) + "' has ")) << no;
    EXPECT_EQ(read("@reboot"), "! '@reboot' is no time");
    EXPECT_EQ(read("2026-02-30 at 8am"), "! there is no day 2026-02-30");
}

}  // namespace
