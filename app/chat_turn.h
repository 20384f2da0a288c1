// One question to the agent and what is heard of its run, shown as it comes.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "app/terminal.h"
#include "base/json.h"
#include "store/run_events.h"

namespace app {

using SteadyClock = std::chrono::steady_clock;
double seconds_since(SteadyClock::time_point start);

// The text of a run, of which a part is told again when the run is gone on with: what is new of each piece. Where it is told in
// other words than before, those stand above it, and it begins on a line of its own.
class ToldOnce {
public:
    void begin_anew();                         // from the first event
    void go_back(const std::string& after);    // from behind that event, EPOCH.NUMBER
    void mark(const std::string& event);       // what was fed until now was told up to that event
    std::string feed(const std::string& piece);

private:
    std::string told_;
    std::size_t from_ = 0, at_ = 0;  // where the present telling began, and how far it is
    std::map<store::EventId, std::size_t> places_;  // how far it was at each event
};

// What one question gave.
struct Turn {
    base::Json result;         // the server's last event
    std::string conversation;  // known as soon as the question is accepted
    bool ended = false;        // a run came to its end or to rest, whatever that was; else result holds an error
    bool printed = false;
    VisibleStream text;
    ToldOnce told;
    std::set<std::string> calls, results, inputs;  // that were shown, by their ids
    std::set<std::string> approvals;               // that it came to rest for, and was seen to
    std::string last_event;                        // that was heard from GET /v1/runs/{id}/events
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
