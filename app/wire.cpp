#include "app/wire.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "app/backends.h"
#include "app/build_id.h"
#include "app/check.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/heartbeat.h"
#include "app/listener.h"
#include "app/model_file.h"
#include "app/model_metrics.h"
#include "app/nightly.h"
#include "app/version.h"
#include "base/split.h"
#include "engine/machine.h"
#include "memory/warm.h"
#include "net/certificate.h"
#include "net/config.h"
#include "server/routes.h"
#include "router/load_note.h"
#include "router/usage.h"
#include "store/issues.h"
#include "store/schedules.h"
#include "store/secrets.h"

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr auto kBetweenLooks = std::chrono::seconds(30);  // at upstreams
constexpr auto kStopTime = std::chrono::seconds(3);

// The hosts that requests may name beside loopback's: those of the settings, and the address itself.
std::vector<std::string> served_hosts(const Settings& s) {
    std::vector<std::string> hosts = base::split(s.server.public_host, ',');
    for (auto& host : hosts)
        std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    const bool every = s.server.host == "0.0.0.0" || s.server.host == "::";
    if (!every && !server::is_loopback(s.server.host)) hosts.push_back(s.server.host.find(':') == std::string::npos ? s.server.host : "[" + s.server.host + "]");
    return hosts;
}

// Beyond loopback keys cross the network only under TLS.
base::Result<void> choose_certificate(const Settings& s, server::HttpOptions& http) {
    http.certificate = s.server.certificate;
    http.key = s.server.certificate_key;
    if (!http.certificate.empty() || server::is_loopback(s.server.host)) return {};
    std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
    for (const auto& host : served_hosts(s)) names.push_back(host[0] == '[' ? host.substr(1, host.size() - 2) : host);
    auto own = net::own_certificate(s.state_folder / "tls", names);
    if (!own) return std::move(own).error();
    http.certificate = own->certificate;
    http.key = own->key;
    return {};
}

server::AuthOptions auth_options(const Settings& s, const store::Identity& owner) {
    server::AuthOptions options;
    options.hosts = served_hosts(s);
    options.trust_loopback = s.auth.loopback == "trust";
    options.tls = !s.server.certificate.empty() || !server::is_loopback(s.server.host);
    options.owner_uids = {unsigned(geteuid())};
    if (s.auth.installer_uid >= 0) options.owner_uids.push_back(unsigned(s.auth.installer_uid));
    options.owner = owner;
    return options;
}

server::HttpOptions http_options(const Settings& s) {
    server::HttpOptions http;
    http.host = s.server.host;
    http.port = s.server.port;
    http.socket = s.server.socket;
    if (s.auth.installer_uid >= 0 && unsigned(s.auth.installer_uid) != geteuid()) http.socket_users = {unsigned(s.auth.installer_uid)};
    http.max_connections = s.server.max_connections;
    http.body_bytes = std::size_t(s.server.body_mib) << 20;
    return http;
}

agents::Options agent_options(const Settings& s, std::shared_ptr<const agents::Cast> cast) {
    agents::Options options;
    options.cast = std::move(cast);
    options.model = s.model.name;
    if (has_embedding(s)) options.embedding = s.embedding.name;
    options.phase_alias = s.phase_backend;
    options.default_discipline = s.agents.discipline == "free" ? agents::ToolDiscipline::free : agents::ToolDiscipline::guided;
    options.window = s.agents.window;
    options.max_rounds = s.agents.rounds;
    options.max_output_tokens = s.agents.output_tokens;
    options.run_deadline = std::chrono::seconds(s.agents.deadline_seconds);
    options.workspace_root = s.workspace_root;
    options.shared_workspaces = s.shared_workspaces;
    options.masked = masked_paths(s);
    return options;
}

}  // namespace

fs::path archive_folder(const Settings& s) { return s.state_folder / "archive"; }

std::vector<fs::path> masked_paths(const Settings& s) {
    std::vector<fs::path> out = {s.state_folder, net::xdg_folders().config, "/etc/hearth"};
    for (const std::string& file : {s.upstream.key_file, s.server.certificate_key})
        if (!file.empty()) out.push_back(fs::absolute(file));
    for (const auto& upstream : s.roster.upstreams)
        if (!upstream.key_file.empty()) out.push_back(fs::absolute(upstream.key_file));
    return out;
}

World::World(const Settings& settings)
    : settings_(settings), redactor_(std::make_shared<base::Redactor>()), log_(net::parse_level(settings.log.level), settings.log.format == "json", 2000, redactor_) {}

// What settings name is the household's: its owner's, or everybody's.
SecretOpener World::secret_opener(const store::Identity& owner) {
    return [this, owner](std::string name, std::string host) -> net::Task<base::Result<router::UpstreamKey::Held>> {
        const auto open = [&](store::Tx& tx) -> base::Result<base::SecretValue> {
            auto keys = store::master_keys(tx, settings_.state_folder);
            if (!keys) return std::move(keys).error();
            return store::open_secret(tx, *keys, name, host);
        };
        auto value = co_await db_->run(owner, open);
        if (!value) co_return std::move(value).error();
        redactor_->add(redactor_->forms_of(value->reveal()));  // the keeper may not have seen it yet
        co_return std::make_shared<const base::SecretValue>(*std::move(value));
    };
}

void World::learn_key_files(const Settings& settings) {
    for (const auto& key : keys_of_files(settings)) redactor_->add(redactor_->forms_of(key.reveal()));
}

base::Probes World::sandbox_probes() const {
    if (launcher_) return launcher_->probes();
    return {{"sandbox level", base::Health::failed, no_launcher_, "restart hearth"}};
}

base::Probes World::probes() const {
    base::Probes all = gateway_->probes();
    const auto used = gateway_->exercise_probes(std::chrono::hours(24 * settings_.drills.days));
    all.insert(all.end(), used.begin(), used.end());
    if (const auto lost = traces_->dropped(); lost > 0)
        all.push_back({"traces", base::Health::warning, std::to_string(lost) + " trace records were lost while the database was away",
                       "see the log for when; what is answered and stored is not touched"});
    all.push_back(reload_->probe());
    all.push_back(rule_keeper_->probe());
    all.push_back(nightly_->probe());
    if (bridges_)
        for (auto& probe : bridges_->probes()) all.push_back(std::move(probe));
    if (exporter_ && exporter_->dropped() > 0)
        all.push_back({"OTLP export", base::Health::warning, std::to_string(exporter_->dropped()) + " spans were not taken by " + settings_.traces.otlp_endpoint,
                       "see the log for why, or set traces.otlp_endpoint"});
    for (const auto& more : {db_->probes(), sandbox_probes(), memory::reader_probes(), engine::machine_probes(), router::LoadNote::probes(load_notes(settings_))})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

// The parts that an answer about the system itself may need, beside the models.
std::string World::surroundings() const {
    const std::string& host = settings_.server.host;
    std::string out = "- hearth " + std::string(kVersion) + " listens on " + (fingerprint_.empty() ? "http" : "https") + "://" +
                      (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(http_->port());
    if (!settings_.server.socket.empty()) out += " and on a socket of this machine";
    out += "\n- ways in: the dev chat, the OpenAI-compatible routes, the command line";
    if (bridges_) out += ", " + bridges_->names();
    out += std::string("\n- database: ") + (keeper_->trouble().empty() ? "answers" : "does not answer");
    for (const auto& probe : sandbox_probes()) out += "\n- " + probe.name + ": " + probe.found;
    return out;
}

base::Result<std::unique_ptr<World>> World::build(const LoadedSettings& loaded, Reload::Load again, std::unique_ptr<sandbox::Launcher> launcher, const std::string& no_launcher) {
    const Settings& settings = loaded.settings;
    std::unique_ptr<World> w(new World(settings));
    w->launcher_ = std::move(launcher);
    w->no_launcher_ = no_launcher;
    for (const auto& probe : w->sandbox_probes())
        if (probe.health == base::Health::failed) w->log_.warn("tools that run programs are refused", {{"reason", probe.found}, {"remedy", probe.remedy}});
    auto checked = check_settings(settings);
    if (!checked) return std::move(checked).error();
    if (auto usable = prepare_state_folder(settings); !usable) return std::move(usable).error();
    if (auto free = check_listening(http_options(settings)); !free) return std::move(free).error();
    if (listens_for_webhooks(settings))
        if (auto free = check_listening(webhook_options(settings)); !free) return std::move(free).error();
    for (const auto& check : {check_model, check_embedding_model})
        if (auto model = check(settings); !model) return std::move(model).error();
    auto foundation = prepare_database(settings, [&](const std::string& what) { w->log_.info(what); });
    if (!foundation) return std::move(foundation).error();
    store::Db::Options db_options{database_urls(settings).app, settings.database.connections, foundation->node, w->redactor_};
    auto db = store::Db::open(db_options);
    if (!db) return std::move(db).error();
    w->db_ = *std::move(db);
    w->keeper_ = std::make_unique<Keeper>(settings, *w->db_, w->log_, w->redactor_);
    w->keeper_->look();
    const auto open_all = [&](store::Tx& tx) { return store::check_secrets(tx, settings.state_folder); };
    if (auto opened = w->db_->run_blocking({}, open_all, store::Db::Access::read); !opened) {
        if (opened.error().code != base::Code::conflict) return std::move(opened).error();
        w->log_.error("secrets do not open", {{"reason", opened.error().message}, {"remedy", opened.error().remedy}});
    }
    if (!settings.traces.otlp_endpoint.empty())
        w->exporter_ = std::make_unique<net::OtlpExporter>(net::OtlpOptions{settings.traces.otlp_endpoint, settings.traces.otlp_content == "on", kVersion}, w->log_);
    w->traces_ = std::make_unique<store::TraceSink>(*w->db_, w->log_, w->exporter_.get());
    std::error_code ignored;
    fs::create_directories(settings.workspace_root, ignored);

    w->secrets_ = w->secret_opener({foundation->tenant, foundation->owner});
    if (auto made = w->make_gateway(loaded, std::move(again)); !made) return std::move(made).error();
    w->spending_ = std::make_unique<SpendingKeeper>(*w->gateway_, *w->db_, store::Identity{foundation->tenant, foundation->owner}, w->clock_, w->log_);
    w->spending_->read();
    const store::Identity owner{foundation->tenant, foundation->owner};
    w->drills_ = std::make_unique<DrillKeeper>(*w->gateway_, *w->db_, *w->traces_, owner, w->clock_, w->log_, DrillOptions{settings.drills.days, settings.drills.automatic});
    w->drills_->read();
    w->gateway_->on_shadow([self = w.get()](const router::ShadowDelta& delta) { self->traces_->emit(router::shadow_call_of(delta)); });
    w->rule_keeper_ = std::make_unique<RuleKeeper>(w->rules_, *w->db_, w->log_);
    if (auto rules = w->rule_keeper_->read(); !rules) return std::move(rules).error();
    w->tool_secrets_ = std::make_unique<tools::Secrets>(*w->db_, settings.state_folder, w->redactor_);
    w->nodes_ = std::make_unique<router::NodeMetrics>(agents::static_costs(), depth_settings(settings));
    agents::Parts parts{*w->gateway_, *w->db_, *w->traces_, w->tools_, w->launcher_.get(), w->blocking_, w->clock_, w->log_, w->metrics_, &w->rules_, w->tool_secrets_.get(), [self = w.get()] { return self->surroundings(); }, w->nodes_.get()};
    const agents::Options options = agent_options(settings, std::move(checked->cast));
    w->agents_ = std::make_unique<agents::Agents>(parts, options);
    w->signals_ = std::make_unique<store::SignalListener>(db_options.url, w->log_, [self = w.get()](const store::Signal& signal) { self->heard(signal); });
    w->auth_ = std::make_unique<server::Auth>(*w->db_, auth_options(settings, {foundation->tenant, foundation->owner}));
    if (auto made = w->make_nightly(owner, parts, options); !made) return std::move(made).error();
    if (auto opened = w->open_blobs(owner); !opened) return std::move(opened).error();
    w->reader_ = std::make_unique<memory::Reader>(w->launcher_.get(), w->blocking_, [self = w.get()] { return self->gateway_->capabilities(self->settings_.model.name).context; });
    w->database_ = std::make_unique<server::DatabaseWatch>(w->io_.get_executor(), *w->db_);
    World* self = w.get();
    w->services_ = std::make_unique<server::Services>(server::Services{
        *w->gateway_, *w->agents_, *w->db_, *w->traces_, *w->auth_, *w->database_, w->blocking_, w->clock_, w->log_, w->metrics_, masked_paths(settings),
        [self] {
            self->metrics_.set("hearth_trace_records_lost", double(self->traces_->dropped()), {});
            if (self->exporter_) self->metrics_.set("hearth_otlp_spans_dropped", double(self->exporter_->dropped()), {});
            set_model_metrics(self->metrics_, *self->gateway_);
            return self->metrics_.text();
        },
        [self](const std::string& level, int limit) { return self->log_.recent(level.empty() ? base::Level::debug : net::parse_level(level), limit); },
        [self] { return self->probes(); }, kVersion, [self] { return self->keeper_->may_accept(); }, [self] { return self->keeper_->trouble(); }, w->nightly_.get(),
        [self] { return self->address(); }, [loaded] { return settings_json(loaded); }, archive_folder(settings), w->closing_.token(), w->blobs_.get(), &w->tools_, &w->rules_, w->reader_.get()});
    if (auto listening = w->listen(); !listening) return std::move(listening).error();
    if (auto opened = w->open_bridges(owner); !opened) return std::move(opened).error();
    w->note_build(owner);
    w->keep_schedules(owner);
    w->beat(owner);
    net::spawn(w->io_.get_executor(), w->keeper_->watch(w->blocking_, [self] { return self->agents_->resume_interrupted(); }),
               [self](std::exception_ptr) { self->log_.error("the database is no longer watched"); });
    const auto ended = [self](const char* what) { return [self, what](std::exception_ptr) { self->log_.error(what); }; };
    net::spawn(w->io_.get_executor(), w->reload_->watch(), ended("the settings' file is no longer watched"));
    net::spawn(w->io_.get_executor(), w->rule_keeper_->watch(w->blocking_), ended("the rules of the house are no longer read"));
    net::spawn(w->io_.get_executor(), w->spending_->watch(), ended("spending is no longer written"));
    net::spawn(w->io_.get_executor(), w->drills_->watch(), ended("backends are no longer drilled"));
    net::spawn(w->io_.get_executor(), w->nightly_->watch(), ended("nightly batches are no longer looked after"));
    net::spawn(w->io_.get_executor(), w->look_at_upstreams(), ended("upstreams are no longer looked at"));
    net::spawn(w->io_.get_executor(), w->index_memory(owner), [self](std::exception_ptr failed) {
        if (failed) self->log_.warn("what is remembered could not be indexed; each person's first question does it");
    });
    w->wait_for_hangup();
    return w;
}

base::Result<void> World::make_gateway(const LoadedSettings& loaded, Reload::Load again) {
    local_.load_notes = load_notes(settings_);
    auto backends = make_backends(settings_, upstreams_, local_, log_, secrets_);
    if (!backends) return std::move(backends).error();
    auto roster = make_roster(settings_, backends->aliases, upstreams_, secrets_);
    if (!roster) return std::move(roster).error();
    gateway_ = std::make_unique<router::Gateway>(std::move(backends->all), backends->aliases, clock_, log_, metrics_);
    gateway_->change(*std::move(roster));
    learn_key_files(settings_);
    reload_ = std::make_unique<Reload>(loaded, std::move(again), masked_paths(settings_), std::move(backends->aliases), *gateway_, upstreams_, log_, secrets_,
                                       [this](const Settings& settings) { learn_key_files(settings); });
    copy_model();
    return {};
}

void World::copy_model() {
    const std::string served = "embedded";
    if (!gateway_->backends().contains(served)) return;
    auto options = load_options(settings_, chosen_model(settings_));
    options.copy = copy_of_model(settings_, options.path);
    if (options.copy.empty()) return;
    const auto ready = [this, served] { return gateway_->backends().at(served).status.state == router::BackendStatus::State::ready; };
    copier_ = std::make_unique<ModelCopier>(std::move(options), settings_.model.copy == "always", ready, log_);
}

base::Result<void> World::make_nightly(const store::Identity& owner, const agents::Parts& parts, const agents::Options& options) {
    const auto zone = agents::Zone::find(settings_.nightly.zone);
    if (!zone) return zone.error();
    const auto busy = [this] { return agents_->active() > 0; };
    night_steps_ = std::make_unique<NightSteps>(settings_, *agents_, parts, options, owner, busy);
    const auto read_ahead = [this](base::StopToken stop) { return night_steps_->read_ahead(std::move(stop)); };
    agents::NightlyOptions nightly{owner, *zone, nightly_time(settings_), night_steps_->wanted(), read_ahead, busy};
    nightly_ = std::make_unique<agents::Nightly>(agents::NightlyParts{io_.get_executor(), *db_, *traces_, *nodes_, blocking_, clock_, log_}, std::move(nightly));
    nightly_->warm_up();
    return {};
}

// On the listener's CPU thread.
void World::heard(const store::Signal& signal) {
    using Kind = store::Signal::Kind;
    agents_->heard(signal);
    if (signal.kind == Kind::rules || signal.kind == Kind::missed) boost::asio::post(blocking_, [this] { rule_keeper_->look(); });
    if (signal.kind != Kind::work) return;
    const auto failed = [this](std::exception_ptr) { log_.warn("runs that wait were not looked for; the next look follows within a second"); };
    boost::asio::post(io_, [this, failed] { net::spawn(io_.get_executor(), agents_->resume_interrupted(), failed); });
}

void World::wait_for_hangup() {
    hangup_.async_wait([this](const boost::system::error_code& failed, int) {
        if (failed) return;
        reload_->now();
        wait_for_hangup();
    });
}

net::Task<void> World::look_at_upstreams() {
    boost::asio::steady_timer timer(io_);
    for (;;) {
        co_await gateway_->look();
        timer.expires_after(kBetweenLooks);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

base::Result<void> World::listen() {
    server::HttpOptions http = http_options(settings_);
    if (auto chosen = choose_certificate(settings_, http); !chosen) return std::move(chosen).error();
    if (!http.certificate.empty()) {
        const auto print = net::certificate_fingerprint(http.certificate);
        if (!print) return print.error();
        fingerprint_ = *print;
    }
    if (!server::is_loopback(settings_.server.host) && served_hosts(settings_).empty())
        log_.warn("only requests to localhost are answered: server.public_host names no host", {{"host", settings_.server.host}});
    http.gate = server::gate(*services_);
    auto listening = server::HttpServer::start(io_.get_executor(), http, server::dispatcher(*services_), log_, metrics_);
    if (!listening) return std::move(listening).error();
    http_ = *std::move(listening);
    return {};
}

std::string World::address() const {
    const auto hosts = served_hosts(settings_);
    const std::string& host = settings_.server.host;
    const bool every = host == "0.0.0.0" || host == "::";
    const std::string own = every ? "localhost" : host.find(':') == std::string::npos ? host : "[" + host + "]";
    return (fingerprint_.empty() ? "http://" : "https://") + (hosts.empty() ? own : hosts[0]) + ":" + std::to_string(http_->port());
}

base::Result<void> World::open_bridges(const store::Identity& owner) {
    auto made = Bridges::make(settings_, {*agents_, *db_, rules_, upstreams_, clock_, log_, metrics_, owner, secrets_, blocking_, *blobs_, *reader_,
                                          [this] { return server::is_loopback(settings_.server.host) || served_hosts(settings_).empty() ? std::string() : address(); }});
    if (!made) return std::move(made).error();
    bridges_ = *std::move(made);
    if (!bridges_) return {};
    auto listener = bridges_->start(io_.get_executor());
    if (!listener) return std::move(listener).error();
    webhooks_ = *std::move(listener);
    return {};
}

// What a process that was killed has left is put right: files that nobody counts on go, those that are missed are named.
base::Result<void> World::open_blobs(const store::Identity& owner) {
    const auto in_bytes = [](int mib) { return std::int64_t(mib) << 20; };
    auto files = store::BlobFiles::open(settings_.state_folder, {in_bytes(settings_.blobs.most_mib), in_bytes(settings_.blobs.person_mib)});
    if (!files) return std::move(files).error();
    blobs_ = std::make_unique<store::BlobFiles>(*std::move(files));
    const auto sweep = [this](store::Tx& tx) { return blobs_->sweep_all(tx); };
    const auto swept = db_->run_blocking({owner.tenant, {}}, sweep);
    if (swept.removed > 0) log_.info("files that nothing counts on any more were removed", {{"folder", "blobs"}, {"files", swept.removed}});
    for (const std::string& name : swept.lost) log_.warn("a file that came with a message is gone", {{"file", (settings_.state_folder / "blobs" / name).string()}, {"remedy", "restore it from a backup, or hearth blob forget its row"}});
    return {};
}

net::Task<void> World::index_memory(store::Identity owner) {
    const auto began = clock_.steady();
    const int people = co_await memory::warm(*db_, agents_->memory(), owner, closing_.token());
    const std::chrono::duration<double> took = clock_.steady() - began;
    log_.info("what is remembered is indexed", {{"people", people}, {"seconds", took.count()}, {"bytes", agents_->memory().bytes()}});
}

void World::note_build(const store::Identity& owner) {
    const auto note = [](store::Tx& tx) { return store::note_deploy(tx, build_id(), kVersion); };
    const auto tell_zone = [this](store::Tx& tx) { store::set_household_zone(tx, settings_.nightly.zone); };
    db_->run_blocking(owner, tell_zone);
    if (db_->run_blocking(owner, note)) log_.info("this build runs for the first time", {{"build", build_id()}});
}

std::optional<std::vector<std::string>> World::pieces_of(const std::string& bridge, const std::string& text) const {
    if (!bridges_) return std::nullopt;
    return bridges_->outbound().pieces(bridge, text);
}

void World::beat(const store::Identity& owner) {
    if (settings_.heartbeat.minutes == 0) return;
    const auto seen = [this] {
        base::Probes all = probes();
        if (const auto room = keeper_->may_accept(); !room) all.push_back({"disk", base::Health::failed, room.error().message, room.error().remedy});
        return all;
    };
    const auto pieces = [this](const std::string& bridge, const std::string& text) { return pieces_of(bridge, text); };
    heartbeat_ = std::make_unique<agents::Heartbeat>(agents::Heartbeat::Parts{*db_, rules_, clock_, log_, owner, seen, pieces}, heartbeat_options(settings_).value());
    net::spawn(io_.get_executor(), heartbeat_->watch(), [this](std::exception_ptr) { log_.error("the heartbeat has stopped"); });
}

void World::keep_schedules(const store::Identity& owner) {
    const auto pieces = [this](const std::string& bridge, const std::string& text) { return pieces_of(bridge, text); };
    const auto may_begin = [this] { return keeper_->may_accept().ok(); };
    scheduler_ = std::make_unique<agents::Scheduler>(agents::Scheduler::Parts{*agents_, *db_, rules_, clock_, log_, {owner.tenant, {}}, pieces, may_begin});
    net::spawn(io_.get_executor(), scheduler_->watch(), [this](std::exception_ptr) { log_.error("schedules are no longer looked at"); });
}

void World::run() {
    boost::asio::signal_set signals(io_, SIGINT, SIGTERM);
    signals.async_wait([this](const boost::system::error_code& failed, int) {
        if (failed) return;
        log_.info("stopping");
        closing_.request_stop();
        http_->stop();
        if (webhooks_) webhooks_->stop();
        if (bridges_) bridges_->close();
        agents_->leave_all();
        nightly_->leave();
        net::spawn(io_.get_executor(), stop_when_idle(), [this](std::exception_ptr) { io_.stop(); });
    });
    io_.run();
}

// Runs are left within moments of their stop, to be gone on with at the next start; a program that runs for one of them
// may end within that time, else nobody will know what it did.
net::Task<void> World::stop_when_idle() {
    const auto until = std::chrono::steady_clock::now() + kStopTime;
    boost::asio::steady_timer timer(io_);
    const auto busy = [this] { return agents_->active() > 0 || nightly_->working() > 0 || http_->connections() > 0 || (webhooks_ && webhooks_->connections() > 0) || (bridges_ && bridges_->sending() > 0); };
    while (busy() && std::chrono::steady_clock::now() < until) {
        timer.expires_after(std::chrono::milliseconds(10));
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    if (bridges_) co_await bridges_->leave();
    io_.stop();
}

World::~World() {
    signals_.reset();
    if (agents_) agents_->stop_all();
    // No job may go on in a coroutine that is being destroyed.
    blocking_.join();
    local_.join();
    if (spending_) spending_->write();
    if (db_) db_->join();
}

}  // namespace app
