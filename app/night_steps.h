// What a night does beside the steps that callers of its batch wait for (agents/nightly.h): a table.
#pragma once

#include <functional>
#include <vector>

#include "agents/nightly.h"
#include "agents/service.h"
#include "app/quality_night.h"
#include "app/settings.h"

namespace app {

class NightSteps {
public:
    // `parts` and `options`: those of the agents. `busy`: whether somebody waits for an answer of this process. All outlive it.
    NightSteps(const Settings& settings, agents::Agents& agents, const agents::Parts& parts, agents::Options options, store::Identity owner, std::function<bool()> busy);

    // Those that nightly.also names, in the table's order.
    std::vector<agents::NightlyStep> wanted();
    // What the agents' prompts begin with, of whoever may ask them: those who have asked something last first. Its counts.
    net::Task<base::Result<base::Json>> read_ahead(base::StopToken stop);

private:
    net::Task<base::Result<base::Json>> consolidate(base::StopToken stop);  // what people said, of one after the other, and archives it
    base::TimePoint next_morning() const;
    net::Task<base::Result<base::Json>> review();                           // what has failed

    const Settings& settings_;
    agents::Agents& agents_;
    const agents::Parts parts_;
    const agents::Options options_;
    const store::Identity owner_;
    const std::function<bool()> busy_;
    QualityNight quality_;
};

// Their names, as nightly.also has them.
std::vector<std::string> night_step_names();

}  // namespace app
