// What went wrong elsewhere, tried on every route: credentials and authority that the caller claims, other people's
// things, pages of strangers. tests/data/incidents.txt says which test is for what.
#include <gmock/gmock.h>

#include "server/routes.h"
#include "site_test.h"
#include "store/approvals.h"
#include "store/conversations.h"
#include "store/ledger.h"
#include "store/runs.h"

namespace server::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kCanary = "canary-4b7d-of-the-owner";

using Incidents = SiteTest;

TEST_F(Incidents, EveryRouteButHealthWantsAKeyThatIsRight) {
    Site site;
    for (const Route& route : routes()) {
        if (route.access == Access::open) continue;
        const std::string path = route.path;
        for (const std::string& key : {std::string(), std::string("hk_"), std::string("hk_00000000000000000000000000000000"), site.key.substr(0, site.key.size() - 1), site.key + "0"})
            EXPECT_EQ(site.ask_as(key, route.method, path, "{}").status, 401) << route.method << " " << path << " with \"" << key << "\"";
        for (const char* scheme : {"Authorization: Basic aGVhcnRoOmhlYXJ0aA==", "Authorization: Bearer", "Authorization: Bearer ", "X-API-Key: anything", "Cookie: session=owner"})
            EXPECT_EQ(site.ask_as("", route.method, path, "{}", std::string(scheme) + "\r\n").status, 401) << route.method << " " << path << " with " << scheme;
    }
}

TEST_F(Incidents, AKeyInTheAddressCountsForNothing) {
    Site site;
    for (const char* name : {"key", "api_key", "access_token", "token", "authorization"}) {
        EXPECT_EQ(site.ask_as("", "GET", "/v1/models?" + std::string(name) + "=" + site.key).status, 401) << name;
        EXPECT_EQ(site.ask_as("", "GET", "/v1/models?" + std::string(name) + "=Bearer%20" + site.key).status, 401) << name;
    }
}

TEST_F(Incidents, AuthorityIsTheKeysAndNotWhatTheCallerSays) {
    Site site({says("no more than before")});
    const std::string chat_only = site.make_key({"chat"});
    for (const char* claim : {"X-Hearth-Scopes: chat,dev,admin", "X-Hearth-Role: owner", "X-Hearth-Person: 1", "X-Forwarded-User: owner", "X-Forwarded-For: 127.0.0.1", "X-Original-URL: /v1/models"}) {
        const std::string headers = std::string(claim) + "\r\n";
        EXPECT_EQ(site.ask_as(chat_only, "GET", "/logs", {}, headers).status, 403) << claim;
        EXPECT_EQ(site.ask_as(chat_only, "POST", "/v0/dev/chat", base::dump(Json{{"messages", {user("hi")}}}), headers).status, 403) << claim;
    }
    Json body = {{"messages", {user("hi")}}, {"scopes", {"admin"}}, {"role", "owner"}, {"principal", {{"role", "owner"}}}, {"person", site.database->owner().person.text()}};
    EXPECT_EQ(site.ask_as(chat_only, "POST", "/v0/dev/chat", base::dump(body)).status, 403);
    body["model"] = "hearth";
    const std::string member = site.make_key({"chat"}, site.database->member());
    const Reply answered = site.ask_as(member, "POST", "/v1/chat/completions", base::dump(body));
    EXPECT_EQ(answered.status, 200) << answered.body;
    const std::string run = site.ask_as(member, "GET", "/v1/runs?limit=1").json()["data"][0]["id"];
    EXPECT_EQ(site.ask_as(site.key, "GET", "/v1/runs/" + run).status, 404) << "the run is the member's";
    const Json shown = site.ask_as(member, "GET", "/v1/runs/" + run).json();
    for (const auto& span : shown["spans"])
        if (span["parent"].is_null()) {
            EXPECT_EQ(span["attributes"]["role"], "member");
        }
}

TEST_F(Incidents, AKeyMakesNoneThatMayMore) {
    Site site;
    const auto wish = [](const Json& scopes) { return base::dump(Json{{"label", "more"}, {"scopes", scopes}}); };
    const std::string admin = site.make_key({"admin"}), chat = site.make_key({"chat", "dev"});
    EXPECT_EQ(site.ask_as(admin, "POST", "/v1/keys", wish({"chat"})).status, 403);
    EXPECT_EQ(site.ask_as(admin, "POST", "/v1/keys", wish({"admin", "dev"})).status, 403);
    EXPECT_EQ(site.ask_as(admin, "POST", "/v1/keys", wish({"admin"})).status, 201);
    EXPECT_EQ(site.ask_as(admin, "POST", "/v1/keys", "{}").status, 400) << "chat, which is given else, it has not";
    EXPECT_EQ(site.ask_as(admin, "POST", "/v1/keys", wish(Json::array())).status, 201) << "a key that may nothing";
    EXPECT_EQ(site.ask_as(chat, "POST", "/v1/keys", wish({"chat"})).status, 403) << "only a key with the scope admin makes keys";
    EXPECT_EQ(site.ask("POST", "/v1/keys", {{"scopes", {"chat", "dev", "admin"}}}).status, 201);
}

TEST_F(Incidents, AKeyThatIsAStatementOfSqlIsUnknown) {
    Site site;
    for (const char* key : {"' or '1'='1", "hk_' or true --", "hk_x'); delete from api_key; --", "hk_$1", "hk_\\'", "hk_%"}) EXPECT_EQ(site.ask_as(key, "GET", "/v1/models").status, 401) << key;
    for (const char* id : {"'%20or%20'1'='1", "0');delete%20from%20run;--"}) {
        EXPECT_EQ(site.ask("GET", std::string("/v1/runs/") + id).status, 404) << id;
        EXPECT_EQ(site.ask("GET", std::string("/v1/runs?before=") + id).status, 400) << id;
    }
    EXPECT_EQ(site.ask("GET", "/v1/models").status, 200);
}

// Every table as its owner sees it, and the log.
TEST_F(Incidents, TheKeyOfARequestIsNeitherStoredNorLogged) {
    Site site({says("fine")});
    const std::string wrong = "hk_0123456789abcdef0123456789abcdef01234567";
    site.ask_as(wrong, "GET", "/v1/models");
    ASSERT_EQ(site.ask("POST", "/v0/dev/chat", {{"messages", {user("hi")}}}).status, 200);
    site.traces.flush();
    const std::string look = "create or replace function pg_temp.holds(what text) returns text language plpgsql as $$ declare t text; n bigint; found text := ''; begin"
                             " for t in select tablename from pg_tables where schemaname = 'public' loop"
                             "  execute format('select count(*) from %I x where x::text like ''%%'' || $1 || ''%%''', t) into n using what;"
                             "  if n > 0 then found := found || t || ' '; end if; end loop; return found; end $$; select pg_temp.holds('";
    EXPECT_THAT(site.database->sql(look + "fine')"), HasSubstr("message")) << "what is stored is found";
    for (const std::string& key : {site.key, wrong}) {
        EXPECT_EQ(site.database->sql(look + key + "')"), "");
        EXPECT_THAT(site.ask("GET", "/logs?level=debug&limit=1000").body, Not(HasSubstr(key)));
        EXPECT_THAT(site.ask("GET", "/metrics").body, Not(HasSubstr(key)));
    }
}

TEST_F(Incidents, AFormIsNoJson) {
    Site site;
    const std::string form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"/etc/passwd\"\r\n\r\n{\"messages\": []}\r\n--x--\r\n";
    for (const Route& route : routes()) {
        if (!*route.body) continue;
        std::string path = route.path;
        if (const auto at = path.find("{id}"); at != path.npos) path.replace(at, 4, "01900000-0000-7000-8000-000000000000");
        const int status = site.ask_as(site.key, route.method, path, form, "Content-Type: multipart/form-data; boundary=x\r\n").status;
        EXPECT_TRUE(status == 400 || status == 404) << path << " " << status;
    }
    EXPECT_EQ(site.model->requests().size(), 0u);
}

// Two people; every route, with the ids of what the owner has.
TEST_F(Incidents, NoRouteShowsAnotherPersonsThings) {
    Site site({says(std::string("It says ") + kCanary)});
    const Json answer = site.ask("POST", "/v0/dev/chat", {{"messages", {user(std::string("What is ") + kCanary + "?")}}}).json();
    const std::string run = answer["run_id"], conversation = answer["conversation_id"];
    const auto ask_for = [&](store::Tx& tx) {
        return store::ask_approval(tx, {base::RunId::parse(run).value(), "call_x", "send_mail", {{"to", kCanary}}, "people_ask", "It touches other people."}, std::chrono::seconds(600)).value().id.text();
    };
    const std::string approval = site.database->db().run_blocking(site.database->owner(), ask_for);
    const std::string key = site.ask("POST", "/v1/keys", {{"label", kCanary}, {"scopes", {"chat"}}}).json()["id"];
    const std::string span = site.ask("GET", "/v1/runs/" + run).json()["spans"][0]["id"];
    const std::string other = site.make_key({"chat", "dev", "admin"}, site.database->member());
    // What any of the routes wants: none is refused for its body before it is asked whose the thing is.
    const std::string all = base::dump(Json{{"messages", Json::array()}, {"input", Json::array()}, {"conversation_id", conversation}, {"decision", "grant"}, {"text", "more"}, {"step", "1"}, {"span_id", span}});
    int seen_by_owner = 0;
    for (const Route& route : routes()) {
        std::string path = route.path;
        if (path == "/logs" || path == "/openapi.json" || path == "/v1/live") continue;  // the first two hold nothing of a person, the last has no end (live_test.cpp)
        const std::string id = path.starts_with("/v1/runs") ? run : path.starts_with("/v1/approvals") ? approval : path.starts_with("/v1/keys") ? key : "default";
        for (const char* mark : {"{id}", "{id*}"})
            if (const auto at = path.find(mark); at != path.npos) path.replace(at, std::string(mark).size(), id);
        const std::string body = *route.body ? all : "";
        const Reply reply = site.ask_as(other, route.method, path, body, "X-Hearth-Conversation: " + conversation + "\r\n");
        SCOPED_TRACE(std::string(route.method) + " " + path);
        for (const std::string& mine : {std::string(kCanary), run, conversation, approval, key, span})
            if (path.find(mine) == path.npos) {
                EXPECT_THAT(reply.body, Not(HasSubstr(mine)));
            }
        EXPECT_THAT(reply.body, Not(HasSubstr(kCanary)));
        if (std::string(route.path).find("{id}") != std::string::npos) {
            EXPECT_EQ(reply.status, 404) << reply.body;
        }
        if (std::string(route.method) == "GET") seen_by_owner += site.ask("GET", path).body.find(kCanary) != std::string::npos;
    }
    EXPECT_GE(seen_by_owner, 3) << "the run, the approval and the key are there for whose they are";
    const auto state = [&](store::Tx& tx) { return store::approvals_of(tx, base::RunId::parse(run).value()).at(0).state; };
    EXPECT_EQ(site.database->db().run_blocking(site.database->owner(), state), store::Approval::State::open);
    EXPECT_EQ(site.ask("DELETE", "/v1/keys/" + key).status, 200) << "nobody else has revoked it";
}

// Eight megabytes are announced and none is sent: who is let in is waited for, who is not hears so at once.
TEST_F(Incidents, AStrangersBodyIsNotTakenIn) {
    Site site;
    const auto begin = [&](const std::string& path, const std::string& key, const std::string& more) {
        Client client = Client::tcp(site.http->port());
        client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key + "\r\n" + more + "\r\n");
        return client;
    };
    const std::string length = "Content-Length: 8000000\r\n", pieces = "Transfer-Encoding: chunked\r\n", wait = "Expect: 100-continue\r\n";
    for (const std::string& more : {length, pieces, length + wait, pieces + wait}) {
        EXPECT_EQ(begin("/v1/chat/completions", "hk_wrong", more).read().status, 401) << more;
        EXPECT_EQ(begin("/v0/dev/chat", site.make_key({"chat"}), more).read().status, 403) << more;
        EXPECT_EQ(begin("/v1/nowhere", site.key, more).read().status, 404) << more;
        EXPECT_EQ(begin("/v1/chat/completions", site.key, more + "Origin: https://evil.example\r\n").read().status, 403) << more;
    }
    Client known = begin("/v1/chat/completions", site.key, length + wait);
    EXPECT_THAT(known.read_until("\r\n\r\n"), HasSubstr("100 Continue"));
}

// A page of strangers in the browser of somebody who is trusted by his address, and what it can send without asking.
TEST_F(Incidents, APageOfStrangersStartsNothing) {
    AuthOptions options;
    options.trust_loopback = true;
    Site site({says("for the person alone")}, options);
    const std::string body = base::dump(Json{{"messages", {user("hi")}}}), port = std::to_string(site.http->port());
    const auto sent = [&](const std::string& headers) {
        Client client = Client::tcp(site.http->port());
        client.send("POST /v0/dev/chat HTTP/1.1\r\n" + headers + "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        return client.read();
    };
    const std::string host = "Host: localhost:" + port + "\r\n";
    for (const char* origin : {"https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example"}) EXPECT_EQ(sent(host + "Origin: " + origin + "\r\n").status, 403) << origin;
    EXPECT_EQ(sent("Host: evil.example\r\n").status, 403) << "a name that was turned to this address";
    EXPECT_EQ(sent(host + "Origin: https://evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n").status, 403);
    EXPECT_EQ(site.model->requests().size(), 0u);
    const Reply own = sent(host + "Origin: http://localhost:" + port + "\r\nCookie: session=fixed\r\n");
    EXPECT_EQ(own.status, 200);
    EXPECT_FALSE(own.headers.contains("set-cookie")) << "there is no session to fix";
}

}  // namespace
}  // namespace server::testing
