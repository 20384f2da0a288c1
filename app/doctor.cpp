// hearth doctor: every module's probes, and what this machine can carry.
#include <algorithm>
#include <cstdio>

#include "app/backends.h"
#include "app/cast.h"
#include "app/client.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/keeper.h"
#include "app/listener.h"
#include "app/model_file.h"
#include "app/terminal.h"
#include "app/wire.h"
#include "engine/memory_plan.h"
#include "memory/reader.h"
#include "router/catalogue.h"
#include "router/load_note.h"
#include "server/http.h"
#include "store/secrets.h"

namespace app {
namespace {

using base::Health;
using engine::mib;

constexpr std::uint64_t kRoomForAModel = 2ull << 30;

using Plan = base::Result<engine::MemoryPlan>;

// The chosen model as a running server has it, whose memory is then not free for another load of it.
struct Served {
    std::string told;         // its plan; empty: none has it
    std::uint64_t limit = 0;  // bytes that its load could take
};

Served served_model(const base::Result<Reply>& health) {
    const auto body = health ? base::parse_json(health->body) : base::Result<base::Json>(health.error());
    if (!body || !body->is_object()) return {};
    const base::Json backend = body->value("backends", base::Json::object()).value("embedded", base::Json::object());
    if (backend.value("state", "") != "ready") return {};
    return {backend.value("detail", ""), backend.value("facts", base::Json::object()).value("plan", base::Json::object()).value("limit", std::uint64_t(0))};
}

base::Probe model_probe(const Settings& settings, const Plan& plan, const Served& served) {
    if (!settings.upstream.script.empty()) return {"model", Health::ok, "answers come from backend.script, " + settings.upstream.script, {}};
    if (plan) return {"model", Health::ok, chosen_model(settings).string() + ": " + plan->text(), {}};
    if (!served.told.empty() && settings.model.memory_mib == 0 && plan.error().code == base::Code::resource_exhausted) return {"model", Health::ok, "the server has it in memory, which leaves too little for a second: " + served.told, {}};
    const bool spare = has_spare_model(settings) && plan.error().code == base::Code::not_found;
    if (spare) return {"model", Health::ok, "none here; upstream.url answers: " + settings.upstream.url, {}};
    const base::Error error = model_error(plan.error(), settings, chosen_model(settings));
    return {"model", Health::failed, error.message, error.remedy};
}

base::Probes embedding_probes(const Settings& settings) {
    if (settings.embedding.path.empty()) return {};
    if (auto usable = check_embedding_model(settings); !usable) return {{"embedding model", Health::failed, usable.error().message, usable.error().remedy}};
    return {{"embedding model", Health::ok, settings.embedding.path + ", served as " + settings.embedding.name, {}}};
}

// What this machine could carry, by the numbers of the chosen model where there is one.
base::Probe capacity_probe(const Settings& settings, const Plan& plan) {
    const auto file = chosen_model(settings);
    const engine::LoadOptions options = load_options(settings, file);
    const std::uint64_t available = plan ? plan->available : engine::available_memory(), limit = plan ? plan->limit : engine::memory_limit(options, available);
    const int percent = plan && plan->percent > 0 ? plan->percent : options.memory_percent;
    const std::string share = std::to_string(percent) + (settings.model.utilisation ? " % (model.utilisation) of " : percent < options.needed_percent ? " % until it has been loaded once, of " : " % of ");
    std::string found = mib(limit) + " for weights, KV cache and scratch (" + (settings.model.memory_mib ? "model.memory_mib; " : share) + mib(available) + " available)";
    std::error_code unreadable;
    const auto bytes = std::filesystem::file_size(file, unreadable);
    if (!plan || unreadable || plan->weights == 0) return {"capacity", Health::ok, found + ": a model's file must be smaller than that", {}};
    const auto most = engine::capacity(*plan);
    found += "; beside this model's weights (" + mib(plan->weights) + ") and scratch (" + mib(plan->scratch) + ") fit " + std::to_string(most.kv_tokens) + " tokens of context; beside a KV cache like its own (" +
             mib(plan->kv) + ", " + std::to_string(plan->kv_tokens) + " tokens) fits a model file of about " + mib(std::uint64_t(double(most.weights) / double(plan->weights) * double(bytes)));
    return {"capacity", Health::ok, found, {}};
}

// Which model of the catalogue this machine could carry, and how to get it.
base::Probes better_model_probes(const Settings& settings, const Served& served) {
    if (!settings.upstream.script.empty()) return {};
    const auto models = router::read_catalogue(catalogue_file(settings));
    if (!models) return {{"best model", Health::warning, models.error().message, models.error().remedy}};
    const std::uint64_t limit = std::max(room_for_a_model(settings), served.limit);
    const auto* best = router::best_model(*models, limit);
    if (!best) return {{"best model", Health::warning, "none of the catalogue fits into " + mib(limit), "free memory, raise model.memory_mib, or set upstream.url"}};
    std::error_code none;
    const auto here = models_folder(settings) / best->file;
    const std::string found = best->name + " (" + best->note + "; about " + mib(best->needs()) + " of memory) is the best of the catalogue that this machine can carry";
    if (std::filesystem::equivalent(here, chosen_model(settings), none)) return {{"best model", Health::ok, found + ", and is chosen", {}}};
    const bool fetched = std::filesystem::exists(here, none);
    return {{"best model", Health::ok, found, (fetched ? "" : "hearth model pull " + best->name + ", then ") + "hearth model use " + best->name}};
}

base::Probe state_probe(const Settings& settings) {
    std::error_code ignored;
    if (!std::filesystem::exists(settings.state_folder, ignored) && !ignored)
        return {"state folder", Health::warning, settings.state_folder.string() + " is not there yet", "deploy/run or hearth serve makes it"};
    if (auto usable = prepare_state_folder(settings); !usable) return {"state folder", Health::failed, usable.error().message, usable.error().remedy};
    return {"state folder", Health::ok, settings.state_folder.string(), {}};
}

// One whose models failed when last called.
base::Probe degraded_server(const std::string& found, const base::Json& failing) {
    std::string why = ": degraded";
    for (const auto& one : failing)
        why += "; " + one.value("alias", "") + " by " + one.value("backend", "") + ", " + std::to_string(one.value("seconds_ago", 0)) + " s ago: " + one.value("error", "");
    return {"server", Health::warning, found + why, "mend what is named here; the next request that is answered ends it"};
}

// What a server that answers says of itself.
base::Probe running_server(const Settings& settings, const Reply& reply) {
    const std::string found = "answers at " + settings.server.socket + " with HTTP " + std::to_string(reply.status);
    auto body = base::parse_json(reply.body);
    const base::Json health = body && body->is_object() ? *body : base::Json::object();
    if (reply.status == 200 && health.value("status", "") != "degraded") return {"server", Health::ok, found, {}};
    if (reply.status == 200) return degraded_server(found, health.value("failing", base::Json::array()));
    std::string why = ": " + health.value("status", "no reason given");
    if (const std::string reason = health.value("reason", ""); !reason.empty()) why += ": " + reason;
    if (health.contains("backends"))
        for (const auto& [id, backend] : health["backends"].items())
            if (const std::string detail = backend.value("detail", ""); !detail.empty()) why += "; " + id + ": " + detail;
    return {"server", Health::warning, found + why, "wait until the model has loaded, or see what else is named here"};
}

// Of what a running server found, that which cannot be seen from here: its settings, backends and chains.
base::Probes told_by_server(const Reply& reply) {
    base::Probes out;
    const auto body = base::parse_json(reply.body);
    if (!body || !body->is_object() || !body->contains("probes")) return out;
    for (const auto& probe : (*body)["probes"]) {
        const std::string name = probe.value("name", ""), health = probe.value("health", "");
        if (name != "settings" && name != "rules" && !name.starts_with("backend ") && !name.starts_with("use of ") && !name.starts_with("model ")) continue;
        out.push_back({name, health == "ok" ? Health::ok : health == "failed" ? Health::failed : Health::warning, probe.value("found", ""), probe.value("remedy", "")});
    }
    return out;
}

base::Probe silent_server(const Settings& settings, const base::Error& error) {
    if (error.code == base::Code::permission_denied) return {"server", Health::warning, error.message, error.remedy};
    server::HttpOptions tcp;
    tcp.host = settings.server.host;
    tcp.port = settings.server.port;
    if (auto free = check_listening(tcp); !free) return {"server", Health::failed, "not running: " + free.error().message, free.error().remedy};
    return {"server", Health::warning, "not running; " + tcp.host + ":" + std::to_string(tcp.port) + " is free", "deploy/run, or hearth serve"};
}

base::Probes server_probes(const Settings& settings, const base::Result<Reply>& reply) {
    if (!reply) return {silent_server(settings, reply.error())};
    base::Probes out = told_by_server(*reply);
    out.insert(out.begin(), running_server(settings, *reply));
    return out;
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

// Only where the database runs: what is wrong with that is told of beside it.
base::Probes secret_probes(const Settings& settings) {
    if (has_private_cluster(settings)) {
        const auto status = store::cluster_status(cluster_options(settings));
        if (!status || !status->running) return {};
    }
    const auto db = store::Db::open({database_urls(settings).app, 1, {}});
    if (!db) return {};
    const auto check = [&](store::Tx& tx) { return store::check_secrets(tx, settings.state_folder); };
    const auto checked = (*db)->run_blocking({}, check, store::Db::Access::read);
    if (!checked) return {{"secrets", Health::failed, checked.error().message, checked.error().remedy}};
    return {{"secrets", Health::ok, "every one opens with the master key", {}}};
}

// What a server would not start with.
base::Probes file_probes(const LoadedSettings& loaded) {
    if (const auto& fault = loaded.file_fault) return {{"settings file", Health::failed, fault->message, fault->remedy.empty() ? "mend it; what is told here is of what could be read" : fault->remedy}};
    if (const auto& fault = loaded.roster_fault) return {{"roster", Health::failed, fault->message, fault->remedy}};
    if (const auto cast = cast_of(loaded.settings); !cast) return {{"agents", Health::failed, cast.error().message, cast.error().remedy}};
    return {};
}

}  // namespace

int doctor(const LoadedSettings& loaded, const sandbox::Launcher* launcher, const std::string& no_launcher, bool json) {
    base::Probes all = engine::probes();
    auto append = [&](base::Probes more) { all.insert(all.end(), more.begin(), more.end()); };
    append(launcher ? launcher->probes() : base::Probes{{"sandbox level", Health::failed, no_launcher, "free processes and descriptors, then try again"}});
    append(memory::reader_probes());
    const auto& settings = loaded.settings;
    const auto plan = engine::Engine::plan(load_options(settings, chosen_model(settings)));
    const auto health = ask_server(settings.server.socket, "GET", "/health", nullptr);
    const Served served = served_model(health);
    append({state_probe(settings), disk_probe(settings), database_probe(settings), model_probe(settings, plan, served), capacity_probe(settings, plan)});
    append(better_model_probes(settings, served));
    append(secret_probes(settings));
    append(file_probes(loaded));
    append(router::LoadNote::probes(load_notes(settings)));
    append(server_probes(settings, health));
    append(embedding_probes(settings));
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
