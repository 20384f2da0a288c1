#include "agents/cron_words.h"

#include <gmock/gmock.h>

#include "agents/cron.h"

namespace {

std::string words(const char* text) {
    const auto cron = agents::Cron::parse(text);
    return cron ? agents::cron_words(cron->text()) : cron.error().message;
}

TEST(CronWords, SayWhatPeopleWouldSay) {
    for (const auto& [cron, said] : std::vector<std::pair<const char*, const char*>>{
             {"0 8 * * *", "every day 08:00"},
             {"0 8,20 * * *", "every day 08:00 and 20:00"},
             {"30 7 * * 1-5", "every weekday 07:30"},
             {"30 7 * * MON-FRI", "every weekday 07:30"},
             {"0 9 * * 1", "every Monday 09:00"},
             {"30 18 * * 1,4", "every Monday and Thursday 18:30"},
             {"0 10 * * 6,7", "every Saturday and Sunday 10:00"},
             {"0 9 * * 1#2", "the second Monday of each month 09:00"},
             {"0 9 * * 5L", "the last Friday of each month 09:00"},
             {"0 12 1 * *", "the 1st of each month 12:00"},
             {"0 12 1,15 * *", "the 1st and 15th of each month 12:00"},
             {"0 12 11-13 * *", "the 11th, 12th and 13th of each month 12:00"},
             {"0 18 L * *", "the last day of each month 18:00"},
             {"0 18 LW * *", "the last working day of each month 18:00"},
             {"0 8 14 7 *", "the 14th of July 08:00"},
             {"0 8 14 jul *", "the 14th of July 08:00"},
             {"@yearly", "the 1st of January 00:00"},
             {"@hourly", "every hour"},
             {"* * * * *", "every minute"},
             {"*/15 * * * *", "every 15 minutes"},
             {"*/15 9-16 * * 1-5", "every 15 minutes from 09:00 to 16:59, weekdays"},
             {"0 */2 * * *", "every 2 hours"},
             {"0 9-17/2 * * 1", "every 2 hours from 09:00 to 17:00, Monday"},
         })
        EXPECT_EQ(words(cron), said) << cron;
}

TEST(CronWords, AStrideIsNeverShownByWhereItBegins) {
    EXPECT_EQ(words("0 8 * * 1 2w@2027-03-04"), "every other week, Monday 08:00");
    EXPECT_EQ(words("0 12 * * 5 3w@2027-03-04"), "every 3 weeks, Friday 12:00");
    EXPECT_EQ(words("0 8 * * * 2d@2027-03-04"), "every other day, 08:00");
    EXPECT_EQ(words("0 8,20 * * * 3d@2027-03-04"), "every 3 days, 08:00 and 20:00");
    EXPECT_EQ(words("0 10 * * 0,6 2w@2027-03-04"), "every other week, Sunday and Saturday 10:00");
    EXPECT_EQ(words("0 8 * * 1-5 2w@2027-03-04"), "every other week, weekdays 08:00");
    EXPECT_EQ(words("*/20 8 * * 2 2w@2027-03-04"), "every other week, */20 8 * * 2");
}

TEST(CronWords, WhatHasNoShortWordsStaysAsItIsWritten) {
    for (const char* cron : {"7-40/3 8 * * *", "0 8 1 * 1", "0 8 * 3 *", "0 8 */2 * *", "5 * * * *", "0 8 * * */2", "0 1,2,3,4,5 * * *"}) EXPECT_EQ(words(cron), cron);
}

}  // namespace
