// The agents of one process on a database of its own connections, with a model that answers by a script.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "agents/service.h"
#include "router/gateway.h"
#include "router/scripted_backend.h"
#include "store/traces.h"

namespace support {

struct ScriptedAgents {
    // `tools` and `rules` outlive it.
    ScriptedAgents(std::unique_ptr<store::Db> own_db, const tools::Source& tools, router::Script script, const std::filesystem::path& folder, agents::Options options = {},
                   const tools::RuleBook* rules = nullptr)
        : db(std::move(own_db)) {
        auto scripted = std::make_unique<router::ScriptedBackend>("scripted", std::vector<router::ScriptedReply>{}, std::move(script));
        model = scripted.get();
        std::vector<std::unique_ptr<router::Backend>> backends;
        backends.push_back(std::move(scripted));
        gateway = std::make_unique<router::Gateway>(std::move(backends), std::vector<router::Alias>{{"default", {"scripted"}}}, clock, log, metrics);
        options.workspace_root = folder;
        options.default_discipline = agents::ToolDiscipline::free;
        agents = std::make_unique<agents::Agents>(agents::Parts{*gateway, *db, traces, tools, nullptr, blocking, clock, log, metrics, rules}, std::move(options));
    }

    std::unique_ptr<store::Db> db;
    base::SystemClock clock;
    base::NullLog log;
    base::NullMetrics metrics;
    store::TraceSink traces{*db, log};
    router::ScriptedBackend* model = nullptr;
    std::unique_ptr<router::Gateway> gateway;
    boost::asio::thread_pool blocking{2};
    std::unique_ptr<agents::Agents> agents;
};

}  // namespace support
