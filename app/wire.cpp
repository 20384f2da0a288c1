#include "app/wire.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "app/backends.h"
#include "app/version.h"
#include "base/split.h"
#include "net/config.h"
#include "server/routes.h"
#include "store/runs.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr auto kStopTime = std::chrono::seconds(3);

server::AuthOptions auth_options(const Settings& s, const store::Identity& owner) {
    server::AuthOptions options;
    options.hosts = base::split(s.server.public_host, ',');
    options.trust_loopback = s.auth.loopback == "trust";
    options.owner_uids = {unsigned(geteuid())};
    if (s.auth.installer_uid >= 0) options.owner_uids.push_back(unsigned(s.auth.installer_uid));
    options.owner = owner;
    return options;
}

agents::Options agent_options(const Settings& s) {
    agents::Options options;
    options.model = s.model.name;
    options.phase_alias = s.phase_backend;
    options.default_discipline = s.agents.discipline == "free" ? agents::ToolDiscipline::free : agents::ToolDiscipline::guided;
    options.max_rounds = s.agents.rounds;
    options.max_output_tokens = s.agents.output_tokens;
    options.run_deadline = std::chrono::seconds(s.agents.deadline_seconds);
    options.workspace_root = s.workspace_root;
    options.masked = masked_folders(s);
    return options;
}

}  // namespace

store::ClusterOptions cluster_options(const Settings& s) {
    store::ClusterOptions options;
    options.folder = s.state_folder / "pg";
    options.binaries = s.database.binaries;
    options.run_as = geteuid() == 0 ? s.database.run_as : "";
    return options;
}

DatabaseUrls database_urls(const Settings& s) {
    if (!s.database.url.empty()) return {"", s.database.url};
    const auto cluster = cluster_options(s);
    return {store::owner_url(cluster), store::app_url(cluster)};
}

base::Result<store::Foundation> prepare_database(const Settings& s, const std::function<void(const std::string&)>& progress) {
    if (!s.database.url.empty())
        return base::error(Code::unsupported, "database.url is set: this build prepares its private cluster only", "leave database.url empty");
    std::error_code failed;
    fs::create_directories(s.state_folder, failed);
    if (failed)
        return base::error(Code::io, "cannot make the state folder " + s.state_folder.string() + ": " + failed.message(), "set state.folder (HEARTH_STATE_FOLDER)");
    auto cluster = cluster_options(s);
    cluster.progress = progress;
    auto started = store::start_cluster(cluster);
    if (!started) return std::move(started).error();
    const auto urls = database_urls(s);
    auto migrated = store::migrate(urls.owner);
    if (!migrated) return std::move(migrated).error();
    if (progress && !migrated->applied.empty()) progress("applied " + std::to_string(migrated->applied.size()) + " migrations");
    return store::lay_foundation(urls.owner, s.state_folder.string());
}

std::vector<fs::path> masked_folders(const Settings& s) { return {s.state_folder, net::xdg_folders().config}; }

World::World(const Settings& settings)
    : settings_(settings), log_(net::parse_level(settings.log.level), settings.log.format == "json") {}

base::Probes World::probes() const {
    base::Probes all = gateway_->probes();
    for (const auto& more : {db_->probes(), launcher_ ? launcher_->probes() : base::Probes{{"sandbox", base::Health::failed, no_launcher_, "install bubblewrap"}}})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

base::Result<std::unique_ptr<World>> World::build(const Settings& settings, std::unique_ptr<sandbox::Launcher> launcher, const std::string& no_launcher) {
    std::unique_ptr<World> w(new World(settings));
    w->launcher_ = std::move(launcher);
    w->no_launcher_ = no_launcher;
    if (!w->launcher_) w->log_.warn("no sandbox: tools that run programs are refused", {{"reason", no_launcher}});
    auto foundation = prepare_database(settings, [&](const std::string& what) { w->log_.info(what); });
    if (!foundation) return std::move(foundation).error();
    store::Db::Options db_options{database_urls(settings).app, settings.database.connections, foundation->node};
    auto db = store::Db::open(db_options);
    if (!db) return std::move(db).error();
    w->db_ = *std::move(db);
    for (const auto& run : store::settle_interrupted(*w->db_)) w->log_.warn("run was interrupted", {{"run", run.text()}});
    w->traces_ = std::make_unique<store::TraceSink>(*w->db_, w->log_);
    std::error_code ignored;
    fs::create_directories(settings.workspace_root, ignored);

    auto backends = make_backends(settings, w->upstreams_, w->log_);
    if (!backends) return std::move(backends).error();
    w->gateway_ = std::make_unique<router::Gateway>(std::move(backends->all), std::move(backends->aliases), w->log_, w->metrics_);
    agents::Parts parts{*w->gateway_, *w->db_, *w->traces_, w->tools_, w->launcher_.get(), w->blocking_, w->clock_, w->log_, w->metrics_};
    w->agents_ = std::make_unique<agents::Agents>(parts, agent_options(settings));
    w->auth_ = std::make_unique<server::Auth>(*w->db_, auth_options(settings, {foundation->tenant, foundation->owner}));
    World* self = w.get();
    w->services_ = std::make_unique<server::Services>(server::Services{
        *w->gateway_, *w->agents_, *w->db_, *w->traces_, *w->auth_, w->blocking_, w->clock_, w->log_, w->metrics_, masked_folders(settings),
        [self] { return self->metrics_.text(); },
        [self](const std::string& level, int limit) { return self->log_.recent(level.empty() ? base::Level::debug : net::parse_level(level), limit); },
        [self] { return self->probes(); }, kVersion});
    server::HttpOptions http;
    http.host = settings.server.host;
    http.port = settings.server.port;
    http.socket = settings.server.socket;
    http.max_connections = settings.server.max_connections;
    http.body_bytes = std::size_t(settings.server.body_mib) << 20;
    auto listening = server::HttpServer::start(w->io_.get_executor(), http, server::dispatcher(*w->services_), w->log_, w->metrics_);
    if (!listening) return std::move(listening).error();
    w->http_ = *std::move(listening);
    return w;
}

void World::run() {
    boost::asio::signal_set signals(io_, SIGINT, SIGTERM);
    signals.async_wait([this](const boost::system::error_code& failed, int) {
        if (failed) return;
        log_.info("stopping");
        http_->stop();
        agents_->stop_all();
        net::spawn(io_.get_executor(), stop_when_idle(), [this](std::exception_ptr) { io_.stop(); });
    });
    io_.run();
}

// Runs and answers end within moments of their stop; what does not is settled at the next start.
net::Task<void> World::stop_when_idle() {
    const auto until = std::chrono::steady_clock::now() + kStopTime;
    boost::asio::steady_timer timer(io_);
    while ((agents_->active() > 0 || http_->connections() > 0) && std::chrono::steady_clock::now() < until) {
        timer.expires_after(std::chrono::milliseconds(10));
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    io_.stop();
}

World::~World() {
    if (agents_) agents_->stop_all();
    blocking_.join();
}

}  // namespace app
