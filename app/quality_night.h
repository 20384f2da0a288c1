// The scripted cases of hearth quality run, asked by the nightly batch in the server's own process.
#pragma once

#include <functional>

#include "agents/quality.h"
#include "agents/service.h"
#include "app/settings.h"
#include "store/nightly.h"
#include "store/quality.h"

namespace app {

class QualityNight {
public:
    // `busy`: whether somebody waits for an answer: the next case waits then. All outlive it.
    QualityNight(const Settings& settings, agents::Agents& agents, store::Db& db, boost::asio::thread_pool& blocking, store::Identity owner, std::function<bool()> busy);

    // A step of the batch (agents/nightly.h). One case is asked in any case: it tells which model answers. Where what is live was measured with that model, no more are; a whole
    // round is kept as hearth quality run keeps it, one that was cut short is not.
    net::Task<base::Result<base::Json>> run(base::StopToken stop);

private:
    struct Asked;
    net::Task<base::Result<Asked>> ask(const agents::quality::Case& one, base::StopToken stop);
    net::Task<base::Result<agents::ChatResult>> ask_turns(const agents::quality::Case& one, const std::string& folder, base::StopToken stop);
    net::Task<bool> measured(const store::QualityRun& row);

    const Settings& settings_;
    agents::Agents& agents_;
    store::Db& db_;
    boost::asio::thread_pool& blocking_;
    const store::Identity owner_;
    const std::function<bool()> busy_;
};

}  // namespace app
