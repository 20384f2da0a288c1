// Builds the parts of a server in order and takes them down in reverse.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "agents/heartbeat.h"
#include "agents/scheduler.h"
#include "app/backends.h"
#include "app/bridges.h"
#include "app/keeper.h"
#include "app/model_copy.h"
#include "app/night_steps.h"
#include "app/reload.h"
#include "app/rule_keeper.h"
#include "agents/nightly.h"
#include "app/settings.h"
#include "app/drills.h"
#include "app/spending.h"
#include "base/redact.h"
#include "base/stop.h"
#include "memory/reader.h"
#include "net/http_client.h"
#include "net/log_sink.h"
#include "net/metrics_registry.h"
#include "net/otlp.h"
#include "net/task.h"
#include "router/local_backend.h"
#include "sandbox/launcher.h"
#include "server/http.h"
#include "server/services.h"
#include "tools/registry.h"
#include "tools/rule_book.h"
#include "tools/secrets.h"

namespace app {

// Where people's archives lie.
std::filesystem::path archive_folder(const Settings& settings);
// What no workspace shows: state, settings, and the files of secrets wherever the settings put them.
std::vector<std::filesystem::path> masked_paths(const Settings& settings);

class World {
public:
    // `again` reads the settings' file anew, as `loaded` was read.
    static base::Result<std::unique_ptr<World>> build(const LoadedSettings& loaded, Reload::Load again, std::unique_ptr<sandbox::Launcher> launcher,
                                                      const std::string& no_launcher);
    ~World();
    // Serves until SIGINT or SIGTERM; SIGHUP reads the roster anew.
    void run();
    int port() const { return http_->port(); }
    const std::string& fingerprint() const { return fingerprint_; }  // of the TLS certificate; empty: plain HTTP
    base::Log& log() { return log_; }

private:
    explicit World(const Settings& settings);
    base::Probes probes() const;
    net::Task<void> stop_when_idle();
    SecretOpener secret_opener(const store::Identity& owner);
    base::Probes sandbox_probes() const;
    std::string surroundings() const;
    base::Result<void> listen();
    std::string address() const;  // where browsers find the server
    base::Result<void> open_bridges(const store::Identity& owner);
    base::Result<void> make_nightly(const store::Identity& owner, const agents::Parts& parts, const agents::Options& options);
    net::Task<void> index_memory(store::Identity owner);
    void note_build(const store::Identity& owner);
    base::Result<void> open_blobs(const store::Identity& owner);
    void keep_schedules(const store::Identity& owner);
    void beat(const store::Identity& owner);
    std::optional<std::vector<std::string>> pieces_of(const std::string& bridge, const std::string& text) const;
    base::Result<void> make_gateway(const LoadedSettings& loaded, Reload::Load again);
    void copy_model();
    net::Task<void> look_at_upstreams();
    void learn_key_files(const Settings& settings);
    void wait_for_hangup();
    void heard(const store::Signal& signal);

    const Settings settings_;
    const std::shared_ptr<base::Redactor> redactor_;
    SecretOpener secrets_;
    net::LogSink log_;
    net::MetricsRegistry metrics_;
    base::SystemClock clock_;
    std::unique_ptr<sandbox::Launcher> launcher_;
    std::string no_launcher_, fingerprint_;
    base::StopSource closing_;  // of streams that would not end by themselves
    // What did not end in time ends with io_, as it is: coroutines are destroyed wherever they wait. All that they
    // stand on lies above it and outlives it.
    std::unique_ptr<store::Db> db_;
    std::unique_ptr<Keeper> keeper_;
    std::unique_ptr<net::OtlpExporter> exporter_;  // null: nobody wants spans
    std::unique_ptr<store::TraceSink> traces_;
    net::HttpClient upstreams_;
    router::LocalPools local_;
    std::unique_ptr<router::Gateway> gateway_;
    std::unique_ptr<ModelCopier> copier_;  // null: no copy is wanted
    std::unique_ptr<Reload> reload_;
    std::unique_ptr<SpendingKeeper> spending_;
    std::unique_ptr<DrillKeeper> drills_;
    tools::Builtins tools_;
    tools::RuleBook rules_;
    std::unique_ptr<tools::Secrets> tool_secrets_;
    std::unique_ptr<RuleKeeper> rule_keeper_;
    std::unique_ptr<router::NodeMetrics> nodes_;
    std::unique_ptr<agents::Agents> agents_;
    std::unique_ptr<NightSteps> night_steps_;
    std::unique_ptr<agents::Nightly> nightly_;
    std::unique_ptr<store::BlobFiles> blobs_;
    std::unique_ptr<memory::Reader> reader_;
    std::unique_ptr<Bridges> bridges_;  // null: no channel is set
    std::unique_ptr<agents::Scheduler> scheduler_;
    std::unique_ptr<agents::Heartbeat> heartbeat_;  // null: it is off
    std::unique_ptr<store::SignalListener> signals_;
    std::unique_ptr<server::Auth> auth_;
    std::unique_ptr<server::Services> services_;
    boost::asio::thread_pool blocking_{8};
    boost::asio::io_context io_;
    boost::asio::signal_set hangup_{io_, SIGHUP};
    std::unique_ptr<server::DatabaseWatch> database_;  // this and the servers have timers and sockets of io_
    std::unique_ptr<server::HttpServer> http_, webhooks_;  // webhooks_ null: nothing is delivered
};

}  // namespace app
