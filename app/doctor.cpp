// hearth doctor: every module's probes, and what this machine can carry.
#include <cstdio>

#include "app/backends.h"
#include "app/client.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/keeper.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "app/wire.h"

namespace app {
namespace {

using base::Health;

constexpr std::uint64_t kRoomForAModel = 2ull << 30;

base::Probe model_probe(const Settings& settings) {
    if (!settings.upstream.script.empty()) return {"model", Health::ok, "answers come from backend.script, " + settings.upstream.script, {}};
    const auto file = chosen_model(settings);
    auto plan = engine::Engine::plan(load_options(settings, file));
    if (plan) return {"model", Health::ok, file.string() + ": " + plan->text(), {}};
    const bool spare = !settings.upstream.url.empty() && plan.error().code == base::Code::not_found;
    if (spare) return {"model", Health::ok, "none here; upstream.url answers: " + settings.upstream.url, {}};
    const base::Error error = model_error(plan.error());
    return {"model", Health::failed, error.message, error.remedy};
}

base::Probe state_probe(const Settings& settings) {
    std::error_code ignored;
    if (!std::filesystem::exists(settings.state_folder, ignored) && !ignored)
        return {"state folder", Health::warning, settings.state_folder.string() + " is not there yet", "deploy/run or hearth serve makes it"};
    if (auto usable = prepare_state_folder(settings); !usable) return {"state folder", Health::failed, usable.error().message, usable.error().remedy};
    return {"state folder", Health::ok, settings.state_folder.string(), {}};
}

base::Probe server_probe(const Settings& settings) {
    const std::string address = settings.server.host + ":" + std::to_string(settings.server.port);
    auto reply = ask_server(settings.server.socket, "GET", "/health", nullptr);
    if (!reply) return {"server", Health::warning, "not running (" + address + ")", "deploy/run, or hearth serve"};
    return {"server", reply->status == 200 ? Health::ok : Health::warning, "answers at " + address + " with HTTP " + std::to_string(reply->status), reply->status == 200 ? "" : "wait until the model has loaded, or see what else is named here"};
}

base::Probe disk_probe(const Settings& settings) {
    const auto free = free_bytes(settings.state_folder);
    if (!free) return {"disk", Health::unknown, "the system does not say how much is free for " + settings.state_folder.string(), {}};
    const std::string found = std::to_string(*free >> 20) + " MiB free for " + settings.state_folder.string();
    if (*free < Keeper::kReserve)
        return {"disk", Health::failed, found + "; below " + std::to_string(Keeper::kReserve >> 20) + " MiB nothing new is taken in", "free some space, or move state.folder"};
    if (*free < kRoomForAModel) return {"disk", Health::warning, found, "free some space before fetching a model, or move state.folder"};
    return {"disk", Health::ok, found, {}};
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
    append(launcher ? launcher->probes() : base::Probes{{"sandbox level", Health::failed, no_launcher, "free processes and descriptors, then try again"}});
    append({state_probe(loaded.settings), disk_probe(loaded.settings), database_probe(loaded.settings), model_probe(loaded.settings), server_probe(loaded.settings)});
    int failed = 0;
    base::Json out = base::Json::array();
    for (const auto& p : all) {
        failed += p.health == Health::failed;
        out.push_back({{"name", p.name}, {"health", word(p.health)}, {"found", p.found}, {"remedy", p.remedy}});
        if (json) continue;
        std::printf("%-8s %-22s %s\n", word(p.health), p.name.c_str(), visible(p.found).c_str());
        if (!p.remedy.empty()) std::printf("%-8s %-22s → %s\n", "", "", visible(p.remedy).c_str());
    }
    if (json) print_json(out);
    return failed == 0 ? 0 : 1;
}

}  // namespace app
