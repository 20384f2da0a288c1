// When each backend last showed that it can do what chains want of it, by calls as they come and by drills: a fallback that is never
// exercised is none. Pure: times are given in.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "router/types.h"

namespace router {

enum class Traffic { plain, streamed, tools };
inline constexpr Traffic kAllTraffic[] = {Traffic::plain, Traffic::streamed, Traffic::tools};
std::string_view name(Traffic traffic);
std::optional<Traffic> parse_traffic(std::string_view text);

struct Exercise {
    std::string backend;
    Traffic traffic = Traffic::plain;
    base::TimePoint seen{};    // since when it is known
    base::TimePoint worked{};  // the last time; zero: never
    base::TimePoint failed{};  // of a drill, the last time; zero: never
    std::string failure{};     // of it

    bool failing() const { return failed > worked; }
    // Neither known nor at work within that time.
    bool overdue(base::TimePoint now, std::chrono::hours within) const { return std::max(seen, worked) + within < now; }
};

class Exercises {
public:
    void see(const std::string& backend, Traffic traffic, base::TimePoint now);
    void worked(const std::string& backend, Traffic traffic, base::TimePoint now);
    void failed(const std::string& backend, Traffic traffic, base::TimePoint now, std::string failure);

    std::vector<Exercise> list() const;
    // What others do not know yet: in busy times once a minute of each.
    std::vector<Exercise> take_unsaved();
    // What others know; the later word counts.
    void learn(const std::vector<Exercise>& others);

private:
    struct Entry {
        Exercise now;
        base::TimePoint saved{};  // `worked` as others know it
        bool changed = false;
    };
    Entry& entry(const std::string& backend, Traffic traffic, base::TimePoint now);

    std::map<std::pair<std::string, Traffic>, Entry> entries_;
};

// What a call that was answered exercised: streamed where somebody listened, tools where one was called.
std::vector<Traffic> exercised_by(const ModelReply& reply, bool streamed);

// A drill: a request of a few tokens, and whether its answer is what such traffic wants. Error{corrupt} saying what it is not.
ModelRequest drill_request(Traffic traffic);
base::Result<void> drill_verdict(Traffic traffic, const ModelReply& reply, const std::string& streamed);

}  // namespace router
