// One question to the agent and what is heard of its run, shown as it comes.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "app/terminal.h"
#include "base/json.h"

namespace app {

using SteadyClock = std::chrono::steady_clock;
double seconds_since(SteadyClock::time_point start);

// The text of a run, which is told again from its beginning when the run is gone on with: what is new of each piece.
class ToldOnce {
public:
    void begin_anew() { at_ = 0; }
    std::string feed(const std::string& piece);

private:
    std::string told_;
    std::size_t at_ = 0;  // how far the present telling is
};

// What one question gave.
struct Turn {
    base::Json result;         // the server's last event
    std::string conversation;  // known as soon as the question is accepted
    bool ended = false;        // a run came to its end or to rest, whatever that was; else result holds an error
    bool printed = false;
    VisibleStream text;
    ToldOnce told;
    std::set<std::string> calls, results;  // that were shown, by the calls' ids
    SteadyClock::time_point began = SteadyClock::now(), tool_began;
    double seconds = 0, tool_seconds = 0;

    std::string state() const;     // of the run, where it is known
    std::string run() const;
};

// Prints what an event tells: text plainly, tools on lines of their own.
void show_told(const std::string& name, const base::Json& data, Turn& turn);
// What is left to print of the answer, and the end of its line.
void show_rest(Turn& turn);

void say_faintly(const std::string& line);  // on standard error

}  // namespace app
