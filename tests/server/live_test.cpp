// What goes on for somebody is told for as long as he listens and is known.
#include "site_test.h"

namespace server::testing {
namespace {

using LiveTest = SiteTest;

TEST_F(LiveTest, ARunIsToldWhenItComesAndWhenItIsOver) {
    Site site;
    Client client = Client::tcp(site.http->port());
    client.send(support::request_text("GET", "/v1/live", {}, site.make_key({"chat"}, site.database->member())));
    const std::string first = client.read_until("\n\n");
    EXPECT_NE(first.find("200 OK"), std::string::npos) << first;
    EXPECT_NE(first.find("\"runs\":[]"), std::string::npos) << first;
    const std::string key = site.make_key({"chat"}, site.database->member());
    const std::string others = site.ask("POST", "/v1/runs", {{"input", "of the owner"}}).json()["id"];
    const std::string mine = Json::parse(site.ask_as(key, "POST", "/v1/runs", R"({"input": "of the member"})").body)["id"];
    const std::string told = client.read_until("\n\n");
    EXPECT_NE(told.find(mine), std::string::npos) << told;
    EXPECT_EQ(told.find(others), std::string::npos) << "another person's";
    site.ask_as(key, "POST", "/v1/runs/" + mine + "/stop");
    site.ask("POST", "/v1/runs/" + others + "/stop");
    // What is asked to stop is told, and goes when it has ended, which nobody sees to here.
    EXPECT_NE(client.read_until("\n\n").find("stop_asked"), std::string::npos);
    site.database->sql("update run set state = 'cancelled', finished_at = now() where id in ('" + mine + "', '" + others + "')");
    EXPECT_NE(client.read_until("\n\n").find("\"runs\":[]"), std::string::npos);
}

TEST_F(LiveTest, WhoIsNotKnownAnyMoreHearsNoMore) {
    Site site;
    const Json made = site.ask("POST", "/v1/keys", {{"label", "lost"}, {"scopes", {"chat"}}}).json();
    Client client = Client::tcp(site.http->port());
    client.send(support::request_text("GET", "/v1/live", {}, made["secret"]));
    client.read_until("event: live");
    EXPECT_EQ(site.ask("DELETE", "/v1/keys/" + made["id"].get<std::string>()).status, 200);
    EXPECT_TRUE(client.read_until("\r\n0\r\n\r\n").ends_with("\r\n0\r\n\r\n")) << "the body ends as it should";
}

}  // namespace
}  // namespace server::testing
