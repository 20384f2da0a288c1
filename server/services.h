// What handlers stand on; built in app/wire, outlives the server.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>
#include <vector>

#include "agents/service.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/probe.h"
#include "base/stop.h"
#include "policy/types.h"
#include "router/gateway.h"
#include "server/auth.h"
#include "server/database_watch.h"
#include "store/db.h"
#include "store/traces.h"

namespace agents {
class Nightly;
}
namespace memory {
class Reader;
}
namespace store {
class BlobFiles;
}
namespace tools {
class RuleBook;
class Source;
}

namespace server {

struct Services {
    router::Gateway& gateway;
    agents::Agents& agents;
    store::Db& db;
    store::TraceSink& traces;
    Auth& auth;
    DatabaseWatch& database;
    boost::asio::thread_pool& blocking;
    const base::Clock& clock;
    base::Log& log;
    base::Metrics& metrics;
    std::vector<std::filesystem::path> masked;                     // what no workspace shows
    std::function<std::string()> metrics_text;                     // Prometheus exposition
    std::function<base::Json(const std::string& level, int limit)> recent_logs;
    std::function<base::Probes()> probes;
    std::string version;
    std::function<base::Result<void>()> may_accept{};      // whether new work can be taken in: not with a full disk
    std::function<std::string()> database_trouble{};       // why the database does not answer; empty when it does
    agents::Nightly* nightly = nullptr;                     // there from when requests are taken on
    std::function<std::string()> address{};                // where browsers find this server: "http://127.0.0.1:8080"
    std::function<base::Json()> settings{};                // a list of each: name, value, from, help
    std::filesystem::path archive{};                       // of what was said, a folder (memory/archive.h)
    base::StopToken closing{};                             // streams that would not end by themselves end with it
    const store::BlobFiles* blobs = nullptr;               // what came with messages
    const tools::Source* tools = nullptr;                  // that agents are offered, and
    const tools::RuleBook* rules = nullptr;                // what the house says of them: both, or nobody is told what he may do
    const memory::Reader* reader = nullptr;                // of files
};

// Until what was emitted so far can be read.
inline net::Task<void> traces_stored(Services& services) {
    auto flush = [&services] { services.traces.flush(); };
    if (!services.traces.flushed()) co_await net::on_pool(services.blocking, flush);
}

}  // namespace server
