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
    // `busy`: whether somebody waits for an answer of this process. All outlive it.
    NightSteps(const Settings& settings, agents::Agents& agents, store::Db& db, boost::asio::thread_pool& blocking, const base::Clock& clock, store::Identity owner, std::function<bool()> busy);

    // Those that nightly.also names, in the table's order.
    std::vector<agents::NightlyStep> wanted();

private:
    net::Task<base::Result<base::Json>> consolidate(base::StopToken stop);  // what people said, of one after the other, and archives it
    net::Task<base::Result<base::Json>> review();                           // what has failed

    const Settings& settings_;
    agents::Agents& agents_;
    store::Db& db_;
    const base::Clock& clock_;
    const store::Identity owner_;
    QualityNight quality_;
};

// Their names, as nightly.also has them.
std::vector<std::string> night_step_names();

}  // namespace app
