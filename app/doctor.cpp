// hearth doctor: every module's probes, and what this machine can carry.
#include <sys/statvfs.h>

#include <cstdio>

#include "app/backends.h"
#include "app/client.h"
#include "app/commands.h"
#include "app/wire.h"
#include "engine/engine.h"

namespace app {
namespace {

using base::Health;

base::Probe model_probe(const Settings& settings) {
    const auto file = chosen_model(settings);
    if (!std::filesystem::exists(file)) return {"model", Health::failed, "no file at " + file.string(), "hearth model pull"};
    engine::LoadOptions options;
    options.path = file;
    auto plan = engine::Engine::plan(options);
    if (!plan) return {"model", Health::failed, plan.error().message, plan.error().remedy.empty() ? "choose a smaller model (hearth model list)" : plan.error().remedy};
    return {"model", Health::ok, file.string() + ": " + plan->text(), {}};
}

base::Probe database_probe(const Settings& settings) {
    if (!settings.database.url.empty()) return {"PostgreSQL", Health::ok, "database.url is set", {}};
    auto status = store::cluster_status(cluster_options(settings));
    if (!status) return {"PostgreSQL", Health::failed, status.error().message, status.error().remedy};
    if (!status->initialised) return {"PostgreSQL", Health::warning, "no cluster yet", "hearth db start"};
    if (!status->running) return {"PostgreSQL", Health::warning, "stopped", "hearth db start"};
    return {"PostgreSQL", Health::ok, "version " + status->version + " runs, pid " + std::to_string(status->pid), {}};
}

base::Probe server_probe(const Settings& settings) {
    const std::string address = settings.server.host + ":" + std::to_string(settings.server.port);
    auto reply = ask_server(settings.server.socket, "GET", "/health", nullptr);
    if (!reply) return {"server", Health::warning, "not running (" + address + ")", "deploy/run, or hearth serve"};
    return {"server", reply->status == 200 ? Health::ok : Health::warning, "answers at " + address + " with HTTP " + std::to_string(reply->status), reply->status == 200 ? "" : "wait until the model has loaded"};
}

base::Probe disk_probe(const Settings& settings) {
    auto folder = settings.state_folder;
    while (!std::filesystem::exists(folder) && folder.has_parent_path()) folder = folder.parent_path();
    struct statvfs status {};
    if (statvfs(folder.c_str(), &status) != 0) return {"disk", Health::unknown, "cannot look at " + folder.string(), {}};
    const double free_gib = double(status.f_bavail) * double(status.f_frsize) / (1 << 30);
    char text[64];
    std::snprintf(text, sizeof text, "%.1f GiB free for %s", free_gib, settings.state_folder.c_str());
    return {"disk", free_gib < 2 ? Health::warning : Health::ok, text, free_gib < 2 ? "free some space, or move state.folder" : ""};
}

const char* word(Health health) {
    switch (health) {
        case Health::ok: return "ok";
        case Health::warning: return "warning";
        case Health::failed: return "FAILED";
        case Health::unknown: return "unknown";
    }
    return "unknown";
}

}  // namespace

int doctor(const LoadedSettings& loaded, const sandbox::Launcher* launcher, const std::string& no_launcher, bool json) {
    base::Probes all = engine::probes();
    auto append = [&](base::Probes more) { all.insert(all.end(), more.begin(), more.end()); };
    append(launcher ? launcher->probes() : base::Probes{{"sandbox", Health::failed, no_launcher, "apt-get install bubblewrap"}});
    append({database_probe(loaded.settings), model_probe(loaded.settings), disk_probe(loaded.settings), server_probe(loaded.settings)});
    int failed = 0;
    base::Json out = base::Json::array();
    for (const auto& p : all) {
        failed += p.health == Health::failed;
        out.push_back({{"name", p.name}, {"health", word(p.health)}, {"found", p.found}, {"remedy", p.remedy}});
        if (json) continue;
        std::printf("%-8s %-22s %s\n", word(p.health), p.name.c_str(), p.found.c_str());
        if (!p.remedy.empty()) std::printf("%-8s %-22s → %s\n", "", "", p.remedy.c_str());
    }
    if (json) std::puts(base::dump(out).c_str());
    return failed == 0 ? 0 : 1;
}

}  // namespace app
