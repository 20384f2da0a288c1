// All routes on a real database with a scripted model, called without a socket: as the owner does it
// over the Unix socket.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "net/log_sink.h"
#include "router/scripted_backend.h"
#include "server/failure.h"
#include "server/routes.h"
#include "support/database.h"
#include "support/run_task.h"
#include "tools/registry.h"

namespace server::testing {

class Routes : public ::testing::Test {
protected:
    void SetUp() override {
        if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
        database = support::TestDatabase::get();
        auto scripted = std::make_unique<router::ScriptedBackend>("scripted");
        model = scripted.get();
        std::vector<std::unique_ptr<router::Backend>> backends;
        backends.push_back(std::move(scripted));
        gateway = std::make_unique<router::Gateway>(std::move(backends), std::vector<router::Alias>{{"default", {"scripted"}}}, clock, log, metrics);
        traces = std::make_unique<store::TraceSink>(database->db(), log);
        agents::Options options;
        options.workspace_root = folder.path();
        agents = std::make_unique<agents::Agents>(agents::Parts{*gateway, database->db(), *traces, tools, nullptr, blocking, clock, log, metrics}, options);
        AuthOptions auth_options;
        auth_options.owner = database->owner();
        auth_options.owner_uids = {0};
        auth = std::make_unique<Auth>(database->db(), auth_options);
        watch = std::make_unique<DatabaseWatch>(io.get_executor(), database->db());
        services = std::make_unique<Services>(Services{*gateway, *agents, database->db(), *traces, *auth, *watch, blocking, clock, log, metrics, {},
                                                       [] { return std::string(); }, [](const std::string&, int) { return base::Json::array(); },
                                                       [] { return base::Probes{}; }, "test"});
    }

    Response call(const std::string& method, const std::string& path, const base::Json& body = nullptr, const std::string& query = {}) {
        Request request;
        request.method = method;
        request.path = request.raw_path = path;
        request.query = query;
        request.peer.unix_socket = true;
        if (!body.is_null()) request.body = base::dump(body);
        return support::run_task(answer(std::move(request)));
    }
    // Its events too, when it is a stream.
    net::Task<Response> answer(Request request) {
        Response response = co_await dispatcher(*services)(std::move(request));
        struct Collect final : BodyWriter {
            std::string text;
            net::Task<bool> write(std::string piece) override {
                text += piece;
                co_return true;
            }
        } collect;
        if (response.stream) co_await response.stream(collect);
        response.stream = nullptr;  // its queue has a timer, which must not outlive the io_context
        response.body += collect.text;
        co_return response;
    }
    static base::Json json(const Response& response) { return base::parse_json(response.body).value(); }
    static base::Json bare(bool stream = false) {
        return {{"model", "default"}, {"messages", base::Json::array({{{"role", "user"}, {"content", "a secret question"}}})}, {"stream", stream}};
    }
    void says(const std::string& text) {
        router::ScriptedReply reply;
        reply.text = text;
        model->push(reply);
    }

    support::TestDatabase* database = nullptr;
    base::SystemClock clock;
    net::LogSink log{base::Level::error, false};
    base::NullMetrics metrics;
    boost::asio::thread_pool blocking{2};
    router::ScriptedBackend* model = nullptr;
    std::unique_ptr<router::Gateway> gateway;
    std::unique_ptr<store::TraceSink> traces;
    tools::Builtins tools;
    support::TempDir folder;
    std::unique_ptr<agents::Agents> agents;
    std::unique_ptr<Auth> auth;
    // Asked of nothing here: /health is told of trouble by the services.
    boost::asio::io_context io;
    std::unique_ptr<DatabaseWatch> watch;
    std::unique_ptr<Services> services;
};

}  // namespace server::testing
