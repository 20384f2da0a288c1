// Every setting of the product: one table of name, type, default, bounds, help.
// File (hearth.yaml) < environment (HEARTH_…) < flags.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "router/roster_file.h"

namespace app {

struct Settings {
    struct {
        std::string host, socket, public_host, certificate, certificate_key;
        int port, max_connections, body_mib;
    } server;
    struct {
        std::string loopback;
        int installer_uid;
    } auth;
    std::filesystem::path state_folder, workspace_root, catalogue, quality_cases;
    bool shared_workspaces = false;
    struct {
        std::string url, owner_url, binaries, run_as;
        int connections;
    } database;
    struct {
        std::string path, draft, name, profile, target, speculation, kv_format, adapters, plain_ops;
        int threads, context, speculation_length, max_sequences, max_waiting, max_waiting_each, memory_mib, utilisation, kv_disk_mib;
        std::string copy;
    } model;
    struct {
        std::string place;
        std::uint64_t memory;  // bytes
    } experts;
    struct {
        std::string path, name;
    } embedding;
    struct {
        std::string url, model, embedding_model, key, key_file, script;  // key: a secret's handle
    } upstream;
    std::map<std::string, std::string> phase_backend;  // phase → alias
    struct {
        std::string discipline;
        int rounds, window, output_tokens, deadline_seconds;
        std::filesystem::path file;  // of rows beside the shipped ones; empty: none
    } agents;
    struct {
        int keep_days, keep_mib;
        std::string otlp_endpoint, otlp_content;
    } traces;
    struct {
        std::string token, url, webhook_secret, webhook_url;  // both secrets: handles
    } telegram;
    struct {
        std::string token, app_secret, verify_token, number, form, url;  // the first three: handles of secrets
    } whatsapp;
    std::filesystem::path file_folder;  // of the channel of files; empty: none
    struct {
        std::string host;
        int port;
    } webhooks;
    struct {
        int messages_per_minute, chats_per_hour, keep_days;
    } outbox;
    struct {
        int most_mib, person_mib;
    } blobs;
    struct {
        int days;
        bool automatic;
    } drills;
    struct {
        std::string zone, at, also;  // zone: a name of the tz database; empty: the machine's. at: "00:05", or "off". also: names by comma
    } nightly;
    std::string mathcore_rule;
    bool mathcore_probes;
    struct {
        int minutes;
        std::string channel, silence;  // kinds, by comma
    } heartbeat;
    struct {
        std::string level, format;
    } log;
    router::RosterFile roster;    // of the file's own sections
    std::filesystem::path file;   // that was read, or would have been
};

enum class SettingType { text, integer, choice, path, secret };  // secret: the handle of one, "secret:NAME"

struct SettingRow {
    const char* name;      // "server.port"; the environment's is HEARTH_SERVER_PORT
    SettingType type;
    const char* otherwise;  // default, as text; "$state" and "$config" stand for the folders
    std::int64_t least, most;
    const char* choices;   // "off,trust"
    const char* help;
    bool restart;          // takes effect at the next start only
    void (*set)(Settings&, const std::string&);
};
const std::vector<SettingRow>& setting_rows();

// "server.port" → "HEARTH_SERVER_PORT"
std::string environment_name(const std::string& setting);

struct Origin {
    std::string value, source;  // source: "default", "/etc/hearth.yaml", "HEARTH_SERVER_PORT", "--set"
};

struct LoadedSettings {
    Settings settings;
    std::optional<base::Error> file_fault{};    // what of the file could not be read, where it was not needed
    std::optional<base::Error> roster_fault{};  // why the roster is empty here, where it was not needed
    std::map<std::string, Origin> origins;  // by name: what `hearth config show` prints
};

// `file` empty: hearth.yaml of the configuration folder, if there; /etc/hearth/hearth.yaml for who has neither
// that nor a state folder. `flags`: name → value.
// A bad value or unknown name is an error that names setting, value, source and what is allowed.
// What cannot be read of the file is an error for whom it is needed: for a server, all of it; for what asks a server or works on its
// database, where these are; for what uses no setting, nothing. A server goes on with what it has, and is to be reached all the same.
enum class FileUse { whole, places, none };
base::Result<LoadedSettings> load_settings(const std::filesystem::path& file, const std::map<std::string, std::string>& flags, FileUse use = FileUse::whole);

}  // namespace app
