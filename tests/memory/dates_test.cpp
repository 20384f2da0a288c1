#include "memory/dates.h"

#include <gtest/gtest.h>

namespace memory {
namespace {

using namespace std::chrono;

constexpr sys_days kToday = 2026y / March / 11;  // a Wednesday

// How near the question is to that day.
double near(const char* question, sys_days said) {
    double best = 0;
    for (const Dates& dates : dates_in(words_of(question), kToday)) best = std::max(best, closeness(dates, said));
    return best;
}

TEST(Dates, AMonthAYearOrBoth) {
    EXPECT_EQ(near("What did Anna buy in May 2023?", 2023y / May / 31), 1);
    EXPECT_EQ(near("What did Anna buy in May 2023?", 2022y / May / 31), 0);
    EXPECT_EQ(near("Qu'a-t-elle acheté en février ?", 2024y / February / 29), 1);
    EXPECT_EQ(near("the plans for 2025", 2025y / January / 1), 1);
    EXPECT_EQ(near("the plans for 2025", 2024y / December / 31), 0);
    EXPECT_EQ(near("bus 2025000", 2025y / January / 1), 0);
}

TEST(Dates, ADayAndTheWeekInWhichItIsToldOf) {
    for (const char* question : {"on 7 May 2023", "on May 7th, 2023", "the 7th of May 2023", "le 7 mai 2023", "on 2023-05-07"}) {
        EXPECT_EQ(near(question, 2023y / May / 7), 1) << question;
        EXPECT_EQ(near(question, 2023y / May / 14), 1) << question;
        EXPECT_EQ(near(question, 2023y / May / 15), 0.5) << question;
        EXPECT_EQ(near(question, 2023y / May / 29), 0) << question;
        EXPECT_EQ(near(question, 2023y / May / 6), 0) << question;
    }
    EXPECT_EQ(near("on December 30", 2025y / January / 2), 1) << "told in the next year";
    EXPECT_EQ(near("on 31 February 2023", 2023y / March / 3), 0);
}

TEST(Dates, WordsThatAreMonthsOnlySometimes) {
    EXPECT_EQ(near("May I come in?", 2023y / May / 7), 0);
    EXPECT_EQ(near("you may come", 2023y / May / 7), 0);
    EXPECT_EQ(near("was it in May?", 2023y / May / 7), 1);
    EXPECT_EQ(near("the march of 3 bands", 2023y / March / 7), 0);
    EXPECT_EQ(near("on march 3", 2023y / March / 3), 1);
}

TEST(Dates, CountedFromToday) {
    struct Case {
        const char* text;
        sys_days first, last;
    };
    const Case cases[] = {{"yesterday", 2026y / March / 10, 2026y / March / 10},      {"hier", 2026y / March / 10, 2026y / March / 10},
                          {"aujourd'hui", kToday, kToday},                            {"last week", 2026y / March / 2, 2026y / March / 8},
                          {"la semaine dernière", 2026y / March / 2, 2026y / March / 8}, {"this week", 2026y / March / 9, 2026y / March / 15},
                          {"last month", 2026y / February / 1, 2026y / February / 28}, {"le mois passé", 2026y / February / 1, 2026y / February / 28},
                          {"last year", 2025y / January / 1, 2025y / December / 31},  {"cette année", 2026y / January / 1, 2026y / December / 31},
                          {"3 days ago", 2026y / March / 8, 2026y / March / 8},       {"il y a 2 mois", 2026y / January / 1, 2026y / January / 31}};
    for (const Case& one : cases) {
        const std::string question = std::string("What was it ") + one.text;
        EXPECT_EQ(near(question.c_str(), one.first), 1) << one.text;
        EXPECT_EQ(near(question.c_str(), one.last), 1) << one.text;
        EXPECT_EQ(near(question.c_str(), one.first - days(1)), 0) << one.text;
        EXPECT_EQ(near(question.c_str(), one.last + days(1)), 0) << one.text;
    }
    for (const char* text : {"there are 3 days", "the last day of school", "all these days passed"})
        for (int back = 0; back < 9; ++back) EXPECT_EQ(near(text, kToday - days(back)), 0) << text;
    EXPECT_TRUE(dates_in(words_of("this week"), kToday).at(0).now);
    EXPECT_FALSE(dates_in(words_of("last week"), kToday).at(0).now);
}

}  // namespace
}  // namespace memory
