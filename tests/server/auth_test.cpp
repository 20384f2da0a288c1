// Who is let in: keys and scopes, hosts and origins, loopback trust.
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "site_test.h"
#include "store/connection.h"
#include "store/digest.h"

namespace server::testing {
namespace {

using AuthTest = SiteTest;

TEST_F(AuthTest, WithoutAKeyNothingButHealthIsAnswered) {
    Site site;
    for (const char* credentials : {"", "Authorization: Bearer hk_wrong\r\n", "Authorization: Bearer\r\n", "Authorization: Basic dTpw\r\n", "X-Api-Key: x\r\n"}) {
        for (const auto& route : routes()) {
            if (route.access == Access::open) continue;
            const Reply reply = site.ask_as("", route.method, route.path, {}, credentials);
            EXPECT_EQ(reply.status, 401) << route.path << credentials;
            EXPECT_EQ(reply.headers.at("www-authenticate"), "Bearer");
            EXPECT_EQ(reply.code(), "invalid_api_key");
        }
        EXPECT_EQ(site.ask_as("", "GET", "/health", {}, credentials).json(), Json({{"status", "ok"}})) << credentials;
    }
    EXPECT_EQ(site.ask_as("", "GET", "/nothing").status, 404);
    EXPECT_EQ(site.ask_as("", "PUT", "/v1/models").status, 405);
}

TEST_F(AuthTest, AKeyDoesWhatItsScopesSay) {
    Site site;
    const std::pair<std::vector<std::string>, std::vector<Access>> keys[] = {
        {{"chat"}, {Access::user}}, {{"dev"}, {Access::user, Access::dev}}, {{"admin"}, {Access::user, Access::admin}}, {{}, {}}};
    for (const auto& [scopes, allowed] : keys) {
        const std::string key = site.make_key(scopes);
        for (const auto& route : routes()) {
            if (route.access == Access::open || route.path == std::string("/v1/live")) continue;  // that is answered for ever
            const bool may = std::find(allowed.begin(), allowed.end(), route.access) != allowed.end();
            const int status = site.ask_as(key, route.method, route.path).status;
            EXPECT_EQ(status == 403, !may) << route.path << " " << scopes.size();
            EXPECT_NE(status, 401) << route.path;
        }
    }
    const Reply refused = site.ask_as(site.make_key({"chat"}), "GET", "/logs");
    EXPECT_EQ(refused.code(), "forbidden");
    EXPECT_NE(refused.message().find("scope admin"), std::string::npos) << refused.body;
}

TEST_F(AuthTest, ARevokedKeyIsUnknownAtOnce) {
    Site site;
    const Json made = site.ask("POST", "/v1/keys", {{"label", "lost"}, {"scopes", {"chat"}}, {"colour", "red"}}).json();
    const std::string secret = made["secret"];
    EXPECT_EQ(site.ask_as(secret, "GET", "/v1/models").status, 200);
    EXPECT_EQ(site.ask("DELETE", "/v1/keys/" + made["id"].get<std::string>()).status, 200);
    EXPECT_EQ(site.ask_as(secret, "GET", "/v1/models").status, 401);
    EXPECT_EQ(site.ask("DELETE", "/v1/keys/" + made["id"].get<std::string>()).status, 404);
    EXPECT_EQ(site.ask("GET", "/v1/keys").body.find(secret), std::string::npos);
}

constexpr const char* kStopOfNoRun = "/v1/runs/0190a0a0-0000-7000-8000-000000000000/stop";

TEST_F(AuthTest, WhatAnotherProcessHasRevokedStopsNothing) {
    Site site;
    const std::string secret = site.make_key({"chat"});
    EXPECT_EQ(site.ask_as(secret, "POST", kStopOfNoRun).status, 404);
    site.database->sql("update api_key set revoked_at = now() where hash = '" + store::sha256_hex(secret) + "' returning 1");
    EXPECT_EQ(site.ask_as(secret, "POST", kStopOfNoRun).status, 401);
}

TEST_F(AuthTest, AStopDoesNotWaitUntilADatabaseThatHangsSaysWhoAsks) {
    Site site;
    EXPECT_EQ(site.ask("POST", kStopOfNoRun).status, 404);
    store::Connection hanging(store::owner_url(site.database->cluster()));
    hanging.script("begin; lock table api_key in access exclusive mode");
    EXPECT_EQ(site.ask("POST", kStopOfNoRun).status, 404);
}

TEST_F(AuthTest, AnotherPersonsThingsAreNotThere) {
    Site site({says("mine")});
    const Json answer = site.ask("POST", "/v0/dev/chat", {{"messages", {user("hi")}}}).json();
    const std::string run = answer["run_id"], conversation = answer["conversation_id"];
    const std::string other = site.make_key({"chat", "dev", "admin"}, site.database->member());
    EXPECT_EQ(site.ask("GET", "/v1/runs/" + run).status, 200);
    EXPECT_EQ(site.ask_as(other, "GET", "/v1/runs/" + run).status, 404);
    EXPECT_EQ(site.ask_as(other, "POST", "/v1/runs/" + run + "/stop").status, 404);
    EXPECT_EQ(site.ask_as(other, "GET", "/v1/runs").json()["data"], Json::array());
    Json body = {{"messages", {user("and me?")}}, {"conversation_id", conversation}};
    EXPECT_EQ(site.ask_as(other, "POST", "/v0/dev/chat", base::dump(body)).status, 404);
    const Reply over_v1 = site.ask_as(other, "POST", "/v1/chat/completions", base::dump(chat("hearth", {user("and me?")})), "X-Hearth-Conversation: " + conversation + "\r\n");
    EXPECT_EQ(over_v1.status, 404);
    const Json keys = site.ask("GET", "/v1/keys").json();
    for (const auto& key : keys["data"])
        EXPECT_EQ(site.ask_as(other, "DELETE", "/v1/keys/" + key["id"].get<std::string>()).status, 404);
}

int status_with(Site& site, const std::string& host, const std::string& origin, const std::string& path = "/v1/models") {
    Client client = Client::tcp(site.http->port());
    std::string text = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + site.key + "\r\n";
    if (!origin.empty()) text += "Origin: " + origin + "\r\n";
    client.send(text + "\r\n");
    return client.read().status;
}

TEST_F(AuthTest, ForeignHostsAndOriginsAreRefused) {
    AuthOptions options;
    options.hosts = {"home.lan"};
    Site site({}, options);
    const std::string port = std::to_string(site.http->port());
    for (const char* host : {"localhost", "LocalHost:1", "127.0.0.1", "[::1]:8080", "home.lan", "HOME.lan.:443"}) EXPECT_EQ(status_with(site, host, ""), 200) << host;
    for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "home.lan.evil", "[::2]", "xhome.lan", "127.0.0.2"})
        EXPECT_EQ(status_with(site, host, ""), 403) << host;
    EXPECT_EQ(status_with(site, "localhost:" + port, "http://localhost:" + port), 200);
    EXPECT_EQ(status_with(site, "localhost:" + port, "https://home.lan:9000"), 200);
    for (const char* origin : {"http://evil.example", "http://localhost:1", "null", "https://home.lan.evil.example", "localhost", "file://"})
        EXPECT_EQ(status_with(site, "localhost:" + port, origin), 403) << origin;
    EXPECT_EQ(status_with(site, "evil.example", "", "/health"), 403);
    EXPECT_EQ(status_with(site, "localhost", "http://evil.example", "/health"), 403);
}

TEST_F(AuthTest, APageOfAHostOfOursMayReadTheAnswer) {
    AuthOptions options;
    options.hosts = {"home.lan"};
    Site site({}, options);
    Client client = Client::tcp(site.http->port());
    client.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://home.lan\r\nAccess-Control-Request-Method: POST\r\n"
                "Access-Control-Request-Headers: authorization,x-stainless-os\r\n\r\n");
    const Reply asked = client.read();
    EXPECT_EQ(asked.status, 204);
    EXPECT_EQ(asked.headers.at("access-control-allow-origin"), "https://home.lan");
    EXPECT_EQ(asked.headers.at("access-control-allow-headers"), "authorization,x-stainless-os");
    EXPECT_EQ(asked.headers.at("access-control-allow-methods"), "POST, OPTIONS");
    client.send(support::request_text("GET", "/v1/models", {}, site.key, "Origin: https://home.lan\r\n"));
    EXPECT_EQ(client.read().headers.at("access-control-allow-origin"), "https://home.lan");
    client.send(support::request_text("GET", "/v1/models", {}, site.key));
    EXPECT_FALSE(client.read().headers.contains("access-control-allow-origin"));
}

TEST_F(AuthTest, LoopbackIsTrustedOnlyWhenAskedForAndNeverForAdmin) {
    EXPECT_EQ(Site().ask_as("", "GET", "/v1/models").status, 401);
    AuthOptions options;
    options.trust_loopback = true;
    Site site({says("hello")}, options);
    EXPECT_EQ(site.ask_as("", "GET", "/v1/models").status, 200);
    EXPECT_EQ(site.ask_as("", "POST", "/v0/dev/chat", base::dump(Json{{"messages", {user("hi")}}})).status, 200);
    for (const char* path : {"/logs", "/v1/keys"}) EXPECT_EQ(site.ask_as("", "GET", path).status, 401) << path;
    for (const char* header : {"Forwarded: for=1.2.3.4", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https", "X-Real-IP: 127.0.0.1", "Via: 1.1 proxy"})
        EXPECT_EQ(site.ask_as("", "GET", "/v1/models", {}, std::string(header) + "\r\n").status, 401) << header;
    EXPECT_EQ(site.ask_as("hk_wrong", "GET", "/v1/models").status, 401);
}

// The status that a process of that uid gets over the Unix socket; 0 when it cannot connect.
int status_as(unsigned uid, const std::string& path, const std::string& key) {
    const pid_t child = fork();
    if (child == 0) {
        if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) _exit(1);
        try {
            Client client = Client::local(path);
            client.send(support::request_text("GET", "/v1/keys", {}, key));
            _exit(client.read().status / 10);  // an exit status has 8 bits
        } catch (const std::exception&) {
            _exit(0);
        }
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) * 10;
}

TEST_F(AuthTest, OnTheUnixSocketTheUserIsTheCredential) {
    if (getuid() != 0) GTEST_SKIP() << "only root can become another user";
    support::TempDir folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0711));
    AuthOptions options;
    options.owner_uids = {12345};
    HttpOptions http;
    http.socket = folder.path() / "run" / "hearth.sock";
    http.socket_users = {12345, 12346};
    Site site({}, options, http);
    EXPECT_EQ(status_as(0, http.socket, ""), 200);
    EXPECT_EQ(status_as(12345, http.socket, ""), 200);
    EXPECT_EQ(status_as(12346, http.socket, ""), 400) << "403: a user who is nobody's";
    EXPECT_EQ(status_as(12347, http.socket, ""), 0);
    EXPECT_EQ(status_as(12346, http.socket, site.key), 200) << "a key says who it is";
    EXPECT_EQ(status_as(0, http.socket, "hk_wrong"), 400);
    Client client = Client::local(http.socket);
    client.send(support::request_text("GET", "/v1/runs"));
    EXPECT_EQ(client.read().status, 200);
}

}  // namespace
}  // namespace server::testing
