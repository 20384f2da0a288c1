#include "app/chat_turn.h"

#include <algorithm>
#include <cstdio>

namespace app {

double seconds_since(SteadyClock::time_point start) { return std::chrono::duration<double>(SteadyClock::now() - start).count(); }

void say_faintly(const std::string& line) { std::fprintf(stderr, "%s\n", faint(line).c_str()); }

void ToldOnce::begin_anew() {
    from_ = at_ = 0;
    places_.clear();
}

void ToldOnce::go_back(const std::string& after) {
    const auto id = store::EventId::parse(after);
    const auto next = places_.upper_bound(id.value_or(store::EventId{}));
    from_ = at_ = next == places_.begin() ? 0 : std::prev(next)->second;
    places_.erase(next, places_.end());
}

void ToldOnce::mark(const std::string& event) {
    if (const auto id = store::EventId::parse(event)) places_[*id] = at_;
}

std::string ToldOnce::feed(const std::string& piece) {
    const std::size_t known = std::min(piece.size(), told_.size() - at_);
    const bool same = told_.compare(at_, known, piece, 0, known) == 0;
    const std::string fresh = same ? piece.substr(known) : "\n" + told_.substr(from_, at_ - from_) + piece;
    if (!same) told_.resize(at_);
    told_ += same ? fresh : piece;
    at_ += piece.size();
    return fresh;
}

std::string Turn::state() const { return result.is_object() ? result.value("state", "") : std::string(); }
std::string Turn::run() const { return result.is_object() ? result.value("run_id", "") : std::string(); }

void show_told(const std::string& name, const base::Json& data, Turn& turn) {
    const std::string id = data.value("id", "");
    if (name == "resumed") turn.told.go_back(data.value("after", ""));
    if (name == "text") {
        const std::string fresh = turn.told.feed(data.value("text", ""));
        std::fputs(turn.text.feed(fresh).c_str(), stdout);
        turn.printed |= !fresh.empty();
    } else if (name == "tool_call" && turn.calls.insert(id).second) {
        say_faintly("· " + one_line(data.value("name", ""), 60) + " " + one_line(base::dump(data.value("arguments", base::Json())), 120));
    } else if (name == "tool_result" && turn.results.insert(id).second) {
        say_faintly("  → " + one_line(data.value("text", ""), 120));
    }
    if (name == "input" && turn.inputs.insert(id).second) {
        if (turn.printed) std::fputs("\n", stdout);
        std::fflush(stdout);
        say_faintly("› " + one_line(data.value("text", ""), 120));
    }
    std::fflush(stdout);
}

void show_rest(Turn& turn) {
    const bool waits = turn.state() == "waiting_person";
    std::string rest = turn.printed ? turn.text.finish() : std::string();
    if (turn.printed && waits) rest += "\n";
    if (!turn.printed || waits) rest += visible(turn.result.value("response", ""));
    std::fputs(rest.c_str(), stdout);
    if (turn.printed || !rest.empty()) std::fputs("\n", stdout);
    std::fflush(stdout);
}

}  // namespace app
