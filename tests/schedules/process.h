// Two things that schedules need: a process that works on runs until it is killed, and what its tools did outside of it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "support/listed_tools.h"
#include "support/scripted_agents.h"

namespace schedules {

// How often each command of a run took effect, in whichever process.
using Effects = std::map<base::RunId, std::map<std::string, int>>;
Effects& effects();

// Destroyed as a process is killed: what its pools have begun still happens, and nobody hears of it.
class Process {
public:
    struct Setting {
        std::string url;  // of role hearth_app
        base::NodeId node;
        std::filesystem::path folder;
    };
    explicit Process(const Setting& setting);
    ~Process();

    agents::Agents& agents() { return *on_.agents; }
    boost::asio::io_context& io() { return io_; }
    void look_for_runs();

private:
    class Tools final : public support::ListedTools {
    public:
        Tools();
    };

    Tools tools_;
    support::ScriptedAgents on_;
    boost::asio::io_context io_;  // first to go, and with it whatever waits
};

}  // namespace schedules
