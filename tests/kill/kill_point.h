// Where a process can be killed: around every durable write, seen from below, where the calls of libpq pass, and around every
// effect of a tool.
#pragma once

#include <sys/types.h>

#include <string>

namespace kill_matrix {

enum class Moment { before, sent, answered };  // of a commit: not sent yet, sent, answered; of an effect: before it, -, after it
inline constexpr const char* kMoments[] = {"before", "sent", "answered"};

inline constexpr int kLabelSize = 40, kMostLabels = 40;
inline constexpr const char* kAnyWrite = "*";

struct Plan {
    char label[kLabelSize] = "";  // of the write or effect; "": nothing is killed
    int occurrence = 0;           // of that label in the process, from 0
    Moment moment = Moment::before;
    int delay_us = 0;             // after sending
    pid_t victim = 0;             // 0: the process itself
};

// Lies in memory that the process shares with whoever judges it.
struct Record {
    Plan resuming, beginning;   // while a run is gone on with, and while one is begun
    Plan plan;                  // of now
    bool hit = false;
    char hit_label[kLabelSize] = "";
    struct Seen {
        char label[kLabelSize];
        int times;
    } seen[kMostLabels] = {};
    int labels = 0;
    char run[40] = "";          // of which the client has heard
    bool ended = false;         // and whose end
    bool resumed = false;       // what was left has ended
    bool crashed = false;       // something threw
};

// From now on this process keeps to that plan, and counts from 0.
void watch(Record& record, const Plan& plan);
// An effect takes place now (before), or has (answered).
void pass(const std::string& label, Moment moment);

}  // namespace kill_matrix
