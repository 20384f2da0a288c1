// hearth db, hearth key: what works with and without a running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/table.h"
#include "app/terminal.h"
#include "store/db.h"
#include "store/keys.h"
#include "store/people.h"

namespace app {
namespace {

void say(const std::string& what) { std::fprintf(stderr, "%s\n", what.c_str()); }

}  // namespace

int db_start(const LoadedSettings& loaded) {
    if (!has_private_cluster(loaded.settings)) {
        const auto probe = database_probe(loaded.settings);
        if (probe.health != base::Health::ok) return complain(base::error(base::Code::unavailable, probe.found, probe.remedy));
        std::printf("PostgreSQL %s: nothing to start\n", visible(probe.found).c_str());
        return 0;
    }
    if (auto usable = prepare_state_folder(loaded.settings); !usable) return complain(usable.error());
    auto options = cluster_options(loaded.settings);
    options.progress = say;
    auto status = store::start_cluster(options);
    if (!status) return complain(status.error());
    std::printf("PostgreSQL %s runs (pid %d, socket %s)\n", status->version.c_str(), status->pid, status->socket.c_str());
    return 0;
}

int db_stop(const LoadedSettings& loaded) {
    if (!has_private_cluster(loaded.settings)) {
        std::puts("database.url is set: that PostgreSQL is not ours to stop");
        return 0;
    }
    if (auto stopped = store::stop_cluster(cluster_options(loaded.settings)); !stopped) return complain(stopped.error());
    std::puts("PostgreSQL is stopped");
    return 0;
}

int db_status(const LoadedSettings& loaded, bool json) {
    const bool ours = has_private_cluster(loaded.settings);
    store::ClusterStatus cluster;
    if (ours) {
        auto status = store::cluster_status(cluster_options(loaded.settings));
        if (!status) return complain(status.error());
        cluster = *std::move(status);
    }
    const auto probe = database_probe(loaded.settings);
    const bool ok = probe.health == base::Health::ok;
    if (json) {
        base::Json out = {{"private", ours}, {"usable", ok}, {"found", probe.found}, {"remedy", probe.remedy}};
        if (ours) out.update({{"initialised", cluster.initialised}, {"running", cluster.running}, {"crashed", cluster.crashed},
                              {"version", cluster.version}, {"pid", cluster.pid}, {"socket", cluster.socket}});
        print_json(out);
    } else {
        std::printf("PostgreSQL: %s\n", visible(probe.found).c_str());
        if (!probe.remedy.empty()) std::printf("        → %s\n", visible(probe.remedy).c_str());
    }
    return ok ? 0 : 1;
}

int db_migrate(const LoadedSettings& loaded) {
    auto foundation = prepare_database(loaded.settings, say);
    if (!foundation) {
        const base::Error& lacks = foundation.error();
        const bool wants_owner = !has_private_cluster(loaded.settings) && loaded.settings.database.owner_url.empty() && lacks.remedy.find("hearth db migrate") != std::string::npos;
        if (!wants_owner) return complain(lacks);
        return complain(base::error(lacks.code, lacks.message + ", and database.owner_url is empty: only hearth_owner may change it",
                                    "set HEARTH_DATABASE_OWNER_URL for this command; hearth db roles prints the SQL that makes the roles"));
    }
    if (auto app = store::Db::open({database_urls(loaded.settings).app, 1, foundation->node}); !app) return complain(app.error());
    std::printf("the database is up to date (%zu migrations)\n", store::migrations().size());
    return 0;
}

int db_roles() {
    std::fputs(roles_sql().c_str(), stdout);
    return 0;
}

namespace {

std::string scopes_text(const std::vector<std::string>& scopes) {
    std::string out;
    for (const auto& scope : scopes) out += (out.empty() ? "" : ",") + scope;
    return out;
}

struct PersonsDb {
    std::unique_ptr<store::Db> db;
    store::Identity who;
    std::string name, role = "owner";
};

// In that person's name, as the owner may; empty: in his own.
base::Result<PersonsDb> open_as(const Settings& settings, const std::string& person) {
    auto opened = open_as_owner(settings);
    if (!opened) return std::move(opened).error();
    PersonsDb out{std::move(opened->db), opened->owner, {}};
    if (person.empty()) return out;
    const auto find = [&](store::Tx& tx) { return store::find_person(tx, person); };
    const auto found = out.db->run_blocking(out.who, find, store::Db::Access::read);
    if (!found) return found.error();
    out.who.person = found->id;
    out.name = found->name;
    out.role = found->role;
    return out;
}

// A guest talks and does no more.
base::Result<void> check_scopes(const PersonsDb& of, const std::vector<std::string>& scopes) {
    for (const auto& scope : scopes)
        if (of.role == "guest" && scope != "chat") return base::error(base::Code::permission_denied, of.name + " is a guest, who may not have the scope '" + scope + "'", "use chat");
    return {};
}

}  // namespace

int key_new(const LoadedSettings& loaded, const std::string& person, const std::string& label, const std::vector<std::string>& scopes, bool quiet) {
    for (const auto& scope : scopes)
        if (scope != "chat" && scope != "dev" && scope != "admin")
            return complain(base::error(base::Code::invalid_argument, "there is no scope '" + scope + "'", "use chat, dev and admin, by comma"));
    auto opened = open_as(loaded.settings, person);
    if (!opened) return complain(opened.error());
    if (auto fine = check_scopes(*opened, scopes); !fine) return complain(fine.error());
    auto create = [&](store::Tx& tx) { return store::create_key(tx, opened->who.person, label, scopes); };
    const auto made = opened->db->run_blocking(opened->who, create);
    if (quiet) std::puts(made.secret.c_str());
    else std::printf("%s\nThis is shown once. id %s\n", made.secret.c_str(), made.key.id.text().c_str());
    return 0;
}

int key_list(const LoadedSettings& loaded, const std::string& person, bool json) {
    auto opened = open_as(loaded.settings, person);
    if (!opened) return complain(opened.error());
    auto list = [](store::Tx& tx) { return store::list_keys(tx); };
    base::Json out = base::Json::array();
    Table table({"id", "begins", "label", "scopes", "made (UTC)", "state"});
    for (const auto& key : opened->db->run_blocking(opened->who, list)) {
        const std::string made = base::rfc3339(key.created);
        table.add({key.id.text(), key.prefix + "…", key.label, scopes_text(key.scopes), made.substr(0, 10) + " " + made.substr(11, 8), key.revoked ? "revoked" : "valid"});
        out.push_back({{"id", key.id.text()}, {"prefix", key.prefix}, {"label", key.label}, {"scopes", key.scopes}, {"created", made}, {"revoked", key.revoked}});
    }
    if (json) print_json(out);
    else table.print();
    return 0;
}

int key_revoke(const LoadedSettings& loaded, const std::string& person, const std::string& text) {
    const auto id = base::KeyId::parse(text);
    const base::Error unknown = base::error(base::Code::not_found, "there is no key '" + text + "' that could be revoked", "hearth key list shows them");
    if (!id) return complain(unknown);
    // By the server where one runs, since it remembers for a while which keys it has seen.
    bool done = false;
    if (person.empty()) {
        const auto told = ask_server(loaded.settings.server.socket, "DELETE", "/v1/keys/" + id->text(), nullptr);
        if (told && told->status == 404) return complain(unknown);
        done = told && told->status == 200;
    }
    if (!done) {
        auto opened = open_as(loaded.settings, person);
        if (!opened) return complain(opened.error());
        auto revoke = [&](store::Tx& tx) { return store::revoke_key(tx, *id); };
        if (!opened->db->run_blocking(opened->who, revoke)) return complain(unknown);
    }
    std::puts("revoked");
    if (!person.empty()) say("a server that runs takes the key for up to 5 s more");
    else if (!done) say("no server at " + loaded.settings.server.socket + " was told: one that runs elsewhere on this database takes the key for up to 5 s more");
    else if (!has_private_cluster(loaded.settings)) say("another server on this database takes the key for up to 5 s more");
    return 0;
}

}  // namespace app
