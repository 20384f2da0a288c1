// What agents, schedules and the heartbeat say without a model, in the languages of base/language.h. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/language.h"

namespace agents {

enum class Saying {
    noted,              // {0}: the fact
    reminder_set,       // {0}: when, {1}: of what
    reminder_repeats,   // {0}: when in the person's words, {1}: the next time, {2}: of what
    when,               // asked
    reminder,           // {0}: of what
    not_done,           // {0}: why
    known,              // {0}: what was recalled
    not_known,
    cut_before,         // the time was used up before an answer
    cut_within,         // and before its rest
    schedule_failed,    // {0}: when in the person's words, {1}: why
    runs_failed,        // {0}: the agent
    runs_failed_often,  // {0}: the agent, {1}: how many
    effect_unknown,     // {0}: the run
    word_wanted,        // {0}: the tool
    not_delivered,      // {0}: the channel
    not_delivered_often,  // {0}: the channel, {1}: how many
    schedule_skipped,
    schedule_skipped_often,  // {0}: how many
    schedule_refused,
    schedule_refused_often,  // {0}: how many
};
// With what stands for {0}, {1}, ….
std::string said(base::Language language, Saying what, std::initializer_list<std::string_view> places = {});

// Of a message's own words; English where they do not tell.
base::Language language_spoken(std::string_view message);

}  // namespace agents
