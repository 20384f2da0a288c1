// The whole server on a real database, with a scripted model, over a real socket.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>

#include "agents/nightly.h"
#include "net/log_sink.h"
#include "net/metrics_registry.h"
#include "router/scripted_backend.h"
#include "server/routes.h"
#include "store/keys.h"
#include "support/database.h"
#include "support/http_client.h"
#include "tools/registry.h"

namespace server::testing {

using base::Json;
using support::Client;
using support::Reply;

inline router::ScriptedReply says(const std::string& text) {
    router::ScriptedReply reply;
    reply.text = text;
    return reply;
}
inline router::ScriptedReply calls(std::vector<router::ToolCall> calls) {
    router::ScriptedReply reply;
    reply.tool_calls = std::move(calls);
    return reply;
}
inline Json user(const std::string& text) { return {{"role", "user"}, {"content", text}}; }
inline Json assistant(const std::string& text) { return {{"role", "assistant"}, {"content", text}}; }
inline Json result_of(const std::string& id, const std::string& text) { return {{"role", "tool"}, {"tool_call_id", id}, {"content", text}}; }
inline Json chat(const std::string& model, Json messages) { return {{"model", model}, {"messages", std::move(messages)}}; }
inline Json function(const std::string& name) {
    const Json parameters = {{"type", "object"}, {"properties", {{"city", {{"type", "string"}}}}}};
    return {{"type", "function"}, {"function", {{"name", name}, {"description", "d"}, {"parameters", parameters}}}};
}

// The events of a stream: name (or "message") and data.
struct Event {
    std::string name, data;
    Json json() const { return base::parse_json(data).value(); }
};
inline std::vector<Event> events_of(const std::string& body) {
    std::vector<Event> out;
    Event now{"message", ""};
    for (std::size_t at = 0; at < body.size();) {
        const auto end = std::min(body.find('\n', at), body.size());
        const std::string line = body.substr(at, end - at);
        if (line.rfind("event: ", 0) == 0) now.name = line.substr(7);
        if (line.rfind("data: ", 0) == 0) now.data += line.substr(6);
        if (line.empty() && !now.data.empty()) out.push_back(std::exchange(now, {"message", ""}));
        at = end + 1;
    }
    return out;
}

// PostgreSQL must be there: support::TestDatabase::get() is not null.
struct Site {
    // `others`: names of further aliases, each with a backend of that name.
    explicit Site(std::vector<router::ScriptedReply> replies = {}, AuthOptions auth_options = {}, HttpOptions http_options = {},
                  router::Script script = {}, const std::vector<std::string>& others = {}) {
        auto scripted = std::make_unique<router::ScriptedBackend>("scripted", std::move(replies), std::move(script));
        model = scripted.get();
        std::vector<std::unique_ptr<router::Backend>> backends;
        backends.push_back(std::move(scripted));
        std::vector<router::Alias> aliases = {{"default", {"scripted"}}};
        for (const std::string& name : others) {
            auto other = std::make_unique<router::ScriptedBackend>(name);
            other_models.push_back(other.get());
            backends.push_back(std::move(other));
            aliases.push_back({name, {name}});
        }
        gateway = std::make_unique<router::Gateway>(std::move(backends), std::move(aliases), clock, log, metrics);
        agents::Options options;
        options.workspace_root = folder.path();
        options.default_discipline = agents::ToolDiscipline::free;
        agents::Parts parts{*gateway, database->db(), traces, tools, nullptr, blocking, clock, log, metrics};
        agents = std::make_unique<agents::Agents>(parts, options);
        auth_options.owner = database->owner();
        auth = std::make_unique<Auth>(database->db(), auth_options);
        watch = std::make_unique<DatabaseWatch>(io.get_executor(), database->db());
        services.reset(new Services{*gateway, *agents, database->db(), traces, *auth, *watch, blocking, clock, log, metrics, {},
                                    [this] { return metrics.text(); },
                                    [this](const std::string& level, int limit) { return log.recent(level.empty() ? base::Level::debug : net::parse_level(level), limit); },
                                    [] { return base::Probes{{"sandbox", base::Health::ok, "T2", ""}}; }, "test"});
        const agents::NightlyParts night{io.get_executor(), database->db(), traces, nodes, blocking, clock, log};
        nightly = std::make_unique<agents::Nightly>(night, agents::NightlyOptions{database->owner(), agents::Zone::utc()});
        services->nightly = nightly.get();
        http_options.port = 0;
        http_options.gate = gate(*services);
        http = HttpServer::start(io.get_executor(), http_options, dispatcher(*services), log, metrics).value();
        key = make_key({"chat", "dev", "admin"});
        thread = std::thread([this] { io.run(); });
    }
    ~Site() {
        agents->stop_all();
        boost::asio::post(io, [this] { http->stop(); });
        for (int i = 0; i < 1000 && agents->active() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        io.stop();
        thread.join();
        blocking.join();
    }

    std::string make_key(const std::vector<std::string>& scopes, std::optional<store::Identity> who = {}) {
        const store::Identity person = who.value_or(database->owner());
        auto create = [&](store::Tx& tx) { return store::create_key(tx, person.person, "test", scopes).secret; };
        return database->db().run_blocking(person, create);
    }
    Reply ask(const std::string& method, const std::string& path, const Json& body = {}, const std::string& headers = {}) {
        return ask_as(key, method, path, body.is_null() ? std::string() : base::dump(body), headers);
    }
    Reply ask_as(const std::string& with_key, const std::string& method, const std::string& path, const std::string& body = {}, const std::string& headers = {}) {
        Client client = Client::tcp(http->port());
        client.send(support::request_text(method, path, body, with_key, headers));
        return client.read();
    }

    support::TestDatabase* database = support::TestDatabase::get();
    base::SystemClock clock;
    net::LogSink log{base::Level::error, false};
    net::MetricsRegistry metrics;
    boost::asio::io_context io;
    boost::asio::thread_pool blocking{2};
    support::TempDir folder;
    router::ScriptedBackend* model = nullptr;
    std::vector<router::ScriptedBackend*> other_models;
    std::unique_ptr<router::Gateway> gateway;
    store::TraceSink traces{database->db(), log};
    tools::Builtins tools;
    std::unique_ptr<agents::Agents> agents;
    router::NodeMetrics nodes{agents::static_costs()};
    std::unique_ptr<agents::Nightly> nightly;
    std::unique_ptr<Auth> auth;
    std::unique_ptr<DatabaseWatch> watch;
    std::unique_ptr<Services> services;
    std::unique_ptr<HttpServer> http;
    std::string key;
    std::thread thread;
};

}  // namespace server::testing
