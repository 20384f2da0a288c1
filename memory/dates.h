// The days that a question speaks of, in English and in French. Pure.
#pragma once

#include <chrono>
#include <vector>

#include "memory/words.h"

namespace memory {

// A date with parts left open ("in May"), or days counted from today ("last week").
struct Dates {
    int year = 0;                    // 0: any
    unsigned month = 0, day = 0;     // 0: any
    std::chrono::sys_days from{}, until{};  // where from < until: these days, `until` excluded
    bool now = false;                // "today", "this week": said of the present, mostly without asking for what was told then
};

// "7 May 2023", "May 7th", "in June", "2023", "2023-05-07", "yesterday", "last week", "3 days ago"; "le 7 mai", "en juin", "hier", "la semaine
// dernière", "il y a 3 jours". A week begins on Monday.
std::vector<Dates> dates_in(const Words& question, std::chrono::sys_days today);

// 1: said on those days; of a single day also in the week after it, when people tell of it; 1/2 until three weeks after; else 0.
double closeness(const Dates& dates, std::chrono::sys_days said);

}  // namespace memory
