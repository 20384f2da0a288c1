// Looks, from time to time, whether there is something for the owner to act on, and says each such thing once. It looks and does nothing
// else: no model is asked, no agent, no tool; what it says are sentences of agents/sayings.h, in the owner's language.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/language.h"
#include "base/log.h"
#include "base/probe.h"
#include "net/task.h"
#include "policy/types.h"
#include "store/findings.h"
#include "tools/rule_book.h"

namespace agents {

// Everything that is not well, but for the kinds in `silenced`, said in the language. Pure.
std::vector<store::Finding> findings_of(const std::vector<store::Surveyed>& surveyed, const base::Probes& probes, const std::set<std::string>& silenced, base::Language language);
// The kinds that there are, by comma.
std::string finding_kinds();
// What is told of those that were not told yet; empty: nothing.
std::string heartbeat_words(const std::vector<store::Finding>& findings);

class Heartbeat {
public:
    struct Parts {  // all outlive it
        store::Db& db;
        const tools::RuleBook& rules;
        const base::Clock& clock;
        base::Log& log;
        store::Identity owner;
        std::function<base::Probes()> probes;
        std::function<std::optional<std::vector<std::string>>(const std::string& bridge, const std::string& text)> pieces;  // as in Scheduler
    };
    struct Options {
        std::chrono::seconds between;
        std::string channel;             // empty: nothing is said, hearth heartbeat shows it
        std::set<std::string> silenced;  // kinds
    };
    Heartbeat(Parts parts, Options options) : parts_(std::move(parts)), options_(std::move(options)) {}

    net::Task<void> watch();
    // Whether it was this process's turn.
    net::Task<bool> beat();

private:
    net::Task<void> tell(std::vector<store::Finding> untold);

    Parts parts_;
    Options options_;
    std::string trouble_;
};

}  // namespace agents
