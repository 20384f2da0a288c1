// Browsers that sign in: what their cookie may do, for whom, and for which page.
#include "server/dashboard.h"

#include <set>

#include "site_test.h"

namespace server::testing {
namespace {

using SessionTest = SiteTest;

const std::string kOwn = "Sec-Fetch-Site: same-origin\r\n";

struct Browser {
    Site& site;
    std::string cookie{}, csrf{};

    // As the dashboard asks, unless `headers` say where it comes from.
    Reply ask(const std::string& method, const std::string& path, const std::string& body = {}, const std::string& headers = kOwn) {
        return bare(method, path, body, headers + "X-Hearth-CSRF: " + csrf + "\r\n");
    }
    Reply bare(const std::string& method, const std::string& path, const std::string& body, const std::string& headers) {
        return site.ask_as("", method, path, body, headers + (cookie.empty() ? "" : "Cookie: other=1; " + cookie + "\r\n"));
    }
    Reply sign_in(const Json& body) {
        Reply reply = bare("POST", "/v1/session", base::dump(body), kOwn);
        if (reply.status == 200) {
            const std::string set = reply.headers.at("set-cookie");
            cookie = set.substr(0, set.find(';'));
            csrf = reply.json()["csrf"];
        }
        return reply;
    }
};

std::string link_of(Site& site, const Json& body = Json::object()) {
    const Reply made = site.ask("POST", "/v1/session/links", body);
    EXPECT_EQ(made.status, 201) << made.body;
    const std::string url = made.json().value("url", "");
    return url.substr(url.find("#link=") + 6);
}

Browser signed_in(Site& site, const Json& body = Json::object()) {
    Browser browser{site};
    EXPECT_EQ(browser.sign_in({{"link", link_of(site, body)}}).status, 200);
    return browser;
}

struct Clean : SessionTest {
    ~Clean() override {
        if (auto* database = support::TestDatabase::get()) database->sql("delete from password; delete from browser_session; delete from sign_in_link");
    }
};

TEST_F(Clean, ALinkSignsInOnceAndWhoeverOpensItFirst) {
    Site site;
    const std::string link = link_of(site);
    Browser browser{site};
    const Reply begun = browser.sign_in({{"link", link}});
    ASSERT_EQ(begun.status, 200) << begun.body;
    const std::string cookie = begun.headers.at("set-cookie");
    for (const char* part : {"; Path=/", "; HttpOnly", "; SameSite=Strict"}) EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
    EXPECT_EQ(begun.json()["person"]["role"], "owner");
    EXPECT_EQ(begun.json()["session"]["way"], "link");
    EXPECT_EQ(begun.body.find(browser.cookie.substr(browser.cookie.find('=') + 1)), std::string::npos) << "no script sees the secret";
    EXPECT_EQ(browser.ask("GET", "/v1/runs").status, 200);
    EXPECT_EQ(browser.ask("GET", "/logs").status, 200);
    EXPECT_EQ((Browser{site}.sign_in({{"link", link}}).code()), "link_used");
    EXPECT_EQ((Browser{site}.sign_in({{"link", "guessed"}}).status), 401);
}

TEST_F(Clean, ALinkIsOverAfterAQuarterOfAnHour) {
    Site site;
    const std::string link = link_of(site);
    site.database->sql("update sign_in_link set expires_at = now() - interval '1 second'");
    EXPECT_EQ((Browser{site}.sign_in({{"link", link}}).status), 401);
    EXPECT_EQ(site.database->sql("select count(*) from sign_in_link"), "0");
}

TEST_F(Clean, NothingThatSignsInLiesInTheDatabase) {
    Site site;
    const std::string link = link_of(site);
    EXPECT_EQ(site.database->sql("select count(*) from sign_in_link where hash = '" + link + "'"), "0");
    Browser browser{site};
    browser.sign_in({{"link", link}});
    EXPECT_EQ(browser.ask("POST", "/v1/session/password", base::dump(Json{{"password", "four words make one"}})).status, 200);
    const std::string secret = browser.cookie.substr(browser.cookie.find('=') + 1);
    EXPECT_EQ(site.database->sql("select count(*) from browser_session where hash = '" + secret + "'"), "0");
    EXPECT_EQ(site.database->sql("select left(hash, 10) from password"), "$argon2id$");
}

// Each method of each route: a foreign page, a page of another port, one that says nothing, one that does not know the token.
TEST_F(Clean, ACookieIsForTheDashboardsOwnPageAlone) {
    Site site;
    Browser browser = signed_in(site);
    const std::string token = "X-Hearth-CSRF: " + browser.csrf + "\r\n";
    const std::string foreign[] = {token, "Sec-Fetch-Site: cross-site\r\n" + token, "Sec-Fetch-Site: same-site\r\n" + token, "Sec-Fetch-Site: none\r\n" + token,
                                   "Sec-Fetch-Site: same-origin\r\nOrigin: http://evil.example\r\n" + token, "Origin: null\r\n" + token,
                                   "Origin: http://localhost:1\r\n" + token};
    const std::string untold[] = {kOwn, kOwn + "X-Hearth-CSRF: \r\n", kOwn + "X-Hearth-CSRF: " + std::string(64, '0') + "\r\n"};
    for (const auto& route : routes()) {
        if (route.access == Access::open) continue;
        for (const auto& headers : foreign) EXPECT_EQ(browser.bare(route.method, route.path, "{}", headers).status, 403) << route.method << route.path << headers;
        const bool asks_for_token = route.path == std::string("/v1/session") && route.method == std::string("GET");
        for (const auto& headers : untold) EXPECT_EQ(browser.bare(route.method, route.path, "{}", headers).status == 403, !asks_for_token) << route.method << route.path << headers;
    }
    EXPECT_EQ(browser.ask("GET", "/v1/session").json()["csrf"], browser.csrf);
    EXPECT_EQ(browser.ask("GET", "/v1/runs", "", "Origin: http://127.0.0.1\r\n").status, 200) << "of browsers without Sec-Fetch";
    EXPECT_EQ(browser.bare("POST", "/v1/session", base::dump(Json{{"link", link_of(site)}}), "Sec-Fetch-Site: cross-site\r\n").status, 403) << "nor does a foreign page sign in";
}

TEST_F(Clean, APasswordSignsInWhoSetIt) {
    Site site;
    Browser browser = signed_in(site);
    const auto set = [](Browser& by, const Json& body) { return by.ask("POST", "/v1/session/password", base::dump(body)); };
    const std::string name = browser.ask("GET", "/v1/session").json()["person"]["name"];
    EXPECT_EQ((Browser{site}.sign_in({{"name", name}, {"password", "four words make one"}}).status), 401) << "there is none yet";
    EXPECT_EQ(set(browser, {{"password", "short"}}).status, 400);
    EXPECT_EQ(set(browser, {{"password", "four words make one"}}).status, 200);
    Browser other{site};
    const Reply begun = other.sign_in({{"name", name}, {"password", "four words make one"}});
    ASSERT_EQ(begun.status, 200) << begun.body;
    EXPECT_EQ(begun.json()["session"]["way"], "password");
    EXPECT_EQ(begun.json()["has_password"], true);
    EXPECT_EQ(set(other, {{"password", "another one of mine"}}).status, 403) << "who signed in by it says it again";
    EXPECT_EQ(set(other, {{"password", "another one of mine"}, {"current", "four words make one"}}).status, 200);
    EXPECT_EQ((Browser{site}.sign_in({{"name", name}, {"password", "four words make one"}}).code()), "wrong_password");
    EXPECT_EQ((Browser{site}.sign_in({{"name", std::string("a\0b", 3)}, {"password", "x"}}).status), 401);
    EXPECT_EQ(site.ask("POST", "/v1/session/password", {{"password", "set by a key alone"}}).status, 409);
}

TEST_F(Clean, PasswordsAreTriedAFewTimes) {
    Site site;
    const auto attempt = [&](const std::string& name) { return Browser{site}.sign_in({{"name", name}, {"password", "a guess of mine"}}); };
    for (int i = 0; i < Tries::kAtOnce; ++i) EXPECT_EQ(attempt("owner").status, 401);
    const Reply refused = attempt("owner");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.code(), "too_many_tries");
    EXPECT_GT(std::stoi(refused.headers.at("retry-after")), 0);
    EXPECT_EQ(attempt("somebody else").status, 429) << "from the same address";
    EXPECT_EQ((Browser{site}.sign_in({{"link", link_of(site)}}).status), 200) << "a link is never guessed";
}

TEST_F(Clean, WhoSignsOutIsOutAtOnceAndEverywhereIfWanted) {
    Site site;
    Browser one = signed_in(site), two = signed_in(site);
    const Json sessions = one.ask("GET", "/v1/sessions").json()["data"];
    ASSERT_EQ(sessions.size(), 2u);
    const Json& other = sessions[0]["current"] == true ? sessions[1] : sessions[0];
    EXPECT_EQ(two.ask("GET", "/v1/runs").status, 200);
    EXPECT_EQ(one.ask("DELETE", "/v1/sessions/" + other["id"].get<std::string>()).status, 200);
    EXPECT_EQ(two.ask("GET", "/v1/runs").code(), "signed_out");
    const Reply ended = one.ask("DELETE", "/v1/session");
    EXPECT_EQ(ended.status, 200);
    EXPECT_NE(ended.headers.at("set-cookie").find("Max-Age=0"), std::string::npos);
    EXPECT_EQ(one.ask("GET", "/v1/runs").status, 401);
    Browser three = signed_in(site), four = signed_in(site);
    EXPECT_EQ(three.ask("POST", "/v1/session/password", base::dump(Json{{"password", "four words make one"}})).status, 200);
    EXPECT_EQ(three.ask("GET", "/v1/runs").status, 200);
    EXPECT_EQ(four.ask("GET", "/v1/runs").status, 401) << "a new password ends the others";
    site.database->sql("update browser_session set expires_at = now()");
    site.auth->forget_keys();
    EXPECT_EQ(three.ask("GET", "/v1/runs").status, 401);
}

TEST_F(Clean, EverybodySeesTheirOwn) {
    Site site({says("mine")});
    const std::string member = site.database->member().person.text();
    const std::string run = site.ask("POST", "/v0/dev/chat", {{"messages", {user("hi")}}}).json()["run_id"];
    Browser owner = signed_in(site), other = signed_in(site, {{"person", member}});
    EXPECT_EQ(owner.ask("GET", "/v1/runs/" + run).status, 200);
    EXPECT_EQ(other.ask("GET", "/v1/session").json()["person"]["role"], "member");
    EXPECT_EQ(other.ask("GET", "/v1/runs/" + run).status, 404);
    EXPECT_EQ(other.ask("GET", "/v1/sessions").json()["data"].size(), 1u);
    for (const char* path : {"/logs", "/v1/keys"}) EXPECT_EQ(other.ask("GET", path).status, 403) << path;
    EXPECT_EQ(other.ask("POST", "/v1/session/links", "{}").status, 403);
    const std::string sessions = owner.ask("GET", "/v1/sessions").json()["data"][0]["id"];
    EXPECT_EQ(other.ask("DELETE", "/v1/sessions/" + sessions).status, 404);
    const std::string key = site.make_key({"chat", "dev", "admin"}, site.database->member());
    EXPECT_EQ(site.ask_as(key, "POST", "/v1/session/links", base::dump(Json{{"person", site.database->owner().person.text()}})).status, 403);
    EXPECT_EQ(site.ask_as(site.make_key({"admin"}), "POST", "/v1/session/links", "{}").status, 403) << "no link of a key that may less";
    EXPECT_EQ(site.ask("POST", "/v1/session/links", {{"person", "nobody"}}).status, 404);
}

TEST_F(Clean, AStrangerSendsNoLargeBody) {
    Site site;
    EXPECT_EQ(site.ask_as("", "POST", "/v1/session", std::string(100000, ' '), kOwn).status, 413);
}

TEST_F(Clean, ThePageIsServedToAnybodyAndLoadsNothingFromElsewhere) {
    Site site;
    const Reply page = site.ask_as("", "GET", "/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_NE(page.headers.at("content-security-policy").find("default-src 'self'"), std::string::npos);
    EXPECT_EQ(page.headers.at("x-content-type-options"), "nosniff");
    for (const char* path : {"/runs", "/runs/0190", "/chat/", "/system"}) EXPECT_EQ(site.ask_as("", "GET", path).status, 200) << path;
    for (const char* path : {"/runsx", "/ui/", "/ui/nothing.js", "/ui/../routes.cpp", "/v1"}) EXPECT_EQ(site.ask_as("", "GET", path).status, 404) << path;
    EXPECT_EQ(site.ask_as("", "GET", "/", {}, "If-None-Match: " + page.headers.at("etag") + "\r\n").status, 304);
    EXPECT_EQ(site.ask_as("", "GET", "/", {}, "If-None-Match: \"other\"\r\n").status, 200);
    EXPECT_EQ(site.ask_as("", "POST", "/runs").status, 405);
    EXPECT_EQ(site.ask_as("", "GET", "/ui/main.js").headers.at("content-type"), "text/javascript; charset=utf-8");
    // What follows `before` in a text, up to the next quotation mark.
    const auto named = [](const std::string& text, const std::string& before) {
        std::vector<std::string> out;
        for (std::size_t at = text.find(before); at != text.npos; at = text.find(before, at + 1)) {
            const std::size_t from = at + before.size();
            out.push_back(text.substr(from, text.find('"', from) - from));
        }
        return out;
    };
    const std::string views = site.ask_as("", "GET", "/ui/views.js").body;
    EXPECT_GT(named(views, "{ name: \"").size(), 5u);
    // Each view's page names its module and whatever that needs, so that they are asked for at once.
    const auto names = named(views, "{ name: \""), modules = named(views, "import(\"./");
    ASSERT_EQ(names.size(), modules.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto preloaded = named(site.ask_as("", "GET", "/" + names[i]).body, "modulepreload\" href=\"/ui/");
        const std::set<std::string> there(preloaded.begin(), preloaded.end());
        EXPECT_EQ(there.size(), preloaded.size()) << names[i];
        EXPECT_TRUE(there.count(modules[i]) && there.count("shell.js")) << names[i];
        for (const auto& module : preloaded) {
            const Reply file = site.ask_as("", "GET", "/ui/" + module);
            EXPECT_EQ(file.status, 200) << module;
            for (const auto& other : named(file.body, "from \"./")) EXPECT_TRUE(there.count(other)) << names[i] << ": " << other << " of " << module;
        }
    }
    EXPECT_EQ(page.body.find("turn.js"), std::string::npos) << "an empty conversation needs none";
    EXPECT_NE(site.ask_as("", "GET", "/chat/0190").body.find("turn.js"), std::string::npos);
    for (const auto& file : named(page.body, "=\"/ui/")) EXPECT_EQ(site.ask_as("", "GET", "/ui/" + file).status, 200) << file;
    // Whatever a page of ours names, it takes from here.
    for (const char* outside : {"http://", "https://", "//cdn"}) EXPECT_EQ(page.body.find(outside), std::string::npos);
}

TEST_F(Clean, WhereThereIsNothingABrowserIsShownSoAndAProgramTold) {
    Site site;
    const char* const browsers = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n";
    for (const char* path : {"/nowhere", "/v1/nothing", "/ui/nothing.js"}) {
        const Reply page = site.ask_as("", "GET", path, {}, browsers);
        EXPECT_EQ(page.status, 404) << path;
        EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
        EXPECT_NE(page.headers.at("content-security-policy").find("default-src 'self'"), std::string::npos);
        EXPECT_NE(page.body.find("href=\"/\""), std::string::npos) << "the way back";
        EXPECT_EQ(page.body.find("nowhere"), std::string::npos) << "nothing of the address";
        for (const char* programs : {"", "Accept: application/json\r\n", "Accept: */*\r\n"}) EXPECT_EQ(site.ask_as("", "GET", path, {}, programs).json()["error"]["code"], "not_found") << path;
    }
    EXPECT_EQ(site.ask_as("", "POST", "/nowhere", "{}", browsers).json()["error"]["code"], "not_found");
    EXPECT_EQ(site.ask_as("", "GET", "/v1/runs", {}, browsers).status, 401) << "there is something";
}

TEST(TriesTest, AFewAtOnceThenOneAtATime) {
    Tries tries;
    const Tries::Time now{};
    for (int i = 0; i < Tries::kAtOnce; ++i) EXPECT_EQ(tries.take("a", now).count(), 0);
    EXPECT_EQ(tries.take("a", now), Tries::kPause);
    EXPECT_EQ(tries.take("b", now).count(), 0) << "of each";
    EXPECT_EQ(tries.take("a", now + std::chrono::seconds(20)).count(), 10);
    EXPECT_EQ(tries.take("a", now + Tries::kPause).count(), 0);
    EXPECT_EQ(tries.take("a", now + Tries::kPause), Tries::kPause);
    EXPECT_EQ(tries.take("a", now + std::chrono::hours(1)).count(), 0);
    tries.forget("a");
    for (int i = 0; i < Tries::kAtOnce; ++i) EXPECT_EQ(tries.take("a", now).count(), 0);
}

TEST(TriesTest, StrangersDoNotFillTheMemory) {
    Tries tries;
    const Tries::Time now{};
    for (std::size_t i = 0; i < Tries::kMost; ++i) tries.take(std::to_string(i), now);
    EXPECT_EQ(tries.take("new", now), Tries::kPause);
    EXPECT_EQ(tries.take("7", now).count(), 0) << "who is known is not shut out by others";
    EXPECT_EQ(tries.take("new", now + std::chrono::hours(1)).count(), 0);
}

}  // namespace
}  // namespace server::testing
