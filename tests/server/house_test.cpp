// What the operator of a house looks at and changes: people, prompts, what left, secrets, agents, settings.
#include "site_test.h"
#include "store/outbox.h"
#include "store/senders.h"

namespace server::testing {
namespace {

struct HouseTest : SiteTest {
    ~HouseTest() override {
        if (auto* database = support::TestDatabase::get())
            database->sql("update person set replies = 'full', effort = 'auto', tone = ''; delete from outbox; delete from pairing; delete from channel_identity; delete from person where name = 'Clara'");
    }
};

Json named(const Json& list, const std::string& name) {
    for (const auto& one : list["data"])
        if (one.value("name", "") == name) return one;
    return nullptr;
}

TEST_F(HouseTest, TheOwnerTakesPeopleInAndSaysHowTheyAreAnswered) {
    Site site;
    const Reply added = site.ask("POST", "/v1/people", {{"name", "Clara"}});
    ASSERT_EQ(added.status, 201) << added.body;
    const std::string id = added.json()["id"];
    EXPECT_EQ(site.ask("POST", "/v1/people", {{"name", "Clara"}}).status, 409);
    EXPECT_EQ(site.ask("POST", "/v1/people", {{"name", "Mallory"}, {"role", "owner"}}).param(), "role");
    EXPECT_EQ(site.ask("POST", "/v1/people/" + id, {{"replies", "plain"}, {"tone", "in rhymes"}}).json()["tone"], "in rhymes");
    EXPECT_EQ(site.ask("POST", "/v1/people/" + id, {{"effort", "much"}}).param(), "effort");
    EXPECT_EQ(site.ask("POST", "/v1/people/" + id, {{"tone", "two\nlines"}}).status, 400);
    const Json clara = named(site.ask("GET", "/v1/people").json(), "Clara");
    EXPECT_EQ(clara["replies"], "plain");
    EXPECT_EQ(clara["role"], "member");
    const std::string member = site.make_key({"chat", "admin"}, site.database->member()), own = site.database->member().person.text();
    EXPECT_EQ(site.ask_as(member, "POST", "/v1/people", R"({"name": "Mallory"})").status, 403);
    EXPECT_EQ(site.ask_as(member, "POST", "/v1/people/" + id, R"({"effort": "heavy"})").status, 404);
    EXPECT_EQ(site.ask_as(member, "POST", "/v1/people/" + own, R"({"effort": "heavy"})").json()["effort"], "heavy");
    EXPECT_EQ(site.ask("POST", "/v1/people/nobody", Json::object()).status, 404);
}

TEST_F(HouseTest, WhoWritesFromElsewhereIsSaidToBeSomebody) {
    Site site;
    const store::Sender sender{"telegram", "77", "77", "Clara H."};
    auto ask = [&](store::Tx& tx) { return store::ask_pairing(tx, sender); };
    const auto code = site.database->db().run_blocking(site.database->owner(), ask);
    ASSERT_TRUE(code);
    const Reply waiting = site.ask("GET", "/v1/pairings");
    EXPECT_EQ(waiting.json()["waiting"][0]["label"], "Clara H.");
    EXPECT_EQ(waiting.body.find(*code), std::string::npos) << "who approves has it from whoever was told it";
    const std::string member = site.database->member().person.text();
    EXPECT_EQ(site.ask("POST", "/v1/pairings", {{"code", "AAAA-AAAA"}, {"person", member}}).status, 404);
    EXPECT_EQ(site.ask("POST", "/v1/pairings", {{"code", *code}, {"person", member}}).json()["sender"], "77");
    EXPECT_EQ(site.ask("GET", "/v1/pairings").json()["known"][0]["person_id"], member);
    const Json left = site.ask("GET", "/v1/outbox").json()["data"];
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0]["state"], "queued");
    EXPECT_EQ(left[0]["bridge"], "telegram");
    EXPECT_EQ(Json::parse(site.ask_as(site.make_key({"chat"}, site.database->member()), "GET", "/v1/outbox").body)["data"], Json::array()) << "the owner has had it sent";
    EXPECT_EQ(site.ask("GET", "/v1/outbox?limit=0").param(), "limit");
}

TEST_F(HouseTest, TheOwnerSaysHowWhatIsUnknownEnded) {
    Site site;
    const policy::Principal to{site.database->owner().tenant, site.database->owner().person, policy::Role::owner, "telegram", false};
    auto write = [&](store::Tx& tx) { store::write_reply(tx, to, {}, {"telegram", "7", "run:7", {"Hello"}}); };
    site.database->db().run_blocking(site.database->owner(), write);
    const std::string id = site.ask("GET", "/v1/outbox").json()["data"][0]["id"], path = "/v0/admin/outbox/" + id;
    EXPECT_EQ(site.ask("POST", path + "/sent").status, 409) << "it has not left";
    site.database->sql("update outbox set state = 'unknown'");
    EXPECT_EQ(site.ask_as(site.make_key({"chat", "dev"}), "POST", path + "/sent", "").status, 403);
    EXPECT_EQ(site.ask_as(site.make_key({"chat", "admin"}, site.database->member()), "POST", path + "/sent", "").status, 404) << "the owner's word alone counts";
    EXPECT_EQ(site.ask("POST", "/v0/admin/outbox/nothing/sent").status, 404);
    EXPECT_EQ(site.ask("POST", path + "/again").json()["told"], "again");
    Json row = site.ask("GET", "/v1/outbox").json()["data"][0];
    EXPECT_EQ(row["state"], "queued");
    EXPECT_NE(row["told_by"], "");
    site.database->sql("update outbox set state = 'unknown'");
    EXPECT_EQ(site.ask("POST", path + "/unsent").json()["told"], "unsent");
    EXPECT_EQ(site.ask("GET", "/v1/outbox").json()["data"][0]["state"], "failed");
}

TEST_F(HouseTest, APromptIsSavedReleasedAndRolledBack) {
    Site site;
    const auto live = [&] { return named(site.ask("GET", "/v1/prompts").json(), "tone")["live"].get<int>(); };
    const int before = live();
    const Json versions = site.ask("GET", "/v1/prompts/tone").json()["versions"];
    const std::string text = versions[0]["text"];
    const Reply saved = site.ask("POST", "/v1/prompts/tone", {{"text", text + "\nGreet the cat."}});
    ASSERT_EQ(saved.status, 201) << saved.body;
    const int version = saved.json()["version"];
    EXPECT_EQ(site.ask("POST", "/v1/prompts/tone", {{"text", "{{nobody_fills_this}}"}}).param(), "text");
    EXPECT_EQ(live(), before);
    EXPECT_EQ(site.ask("POST", "/v1/prompts/tone/release", {{"version", version}}).status, 409) << "nothing was measured";
    EXPECT_EQ(site.ask("POST", "/v1/prompts/tone/release", {{"version", 999}, {"override", "x"}}).status, 404);
    EXPECT_EQ(site.ask("POST", "/v1/prompts/tone/release", {{"version", version}, {"override", "the cat"}}).json()["live"], version);
    EXPECT_EQ(live(), version);
    EXPECT_EQ(site.ask("POST", "/v1/prompts/tone/rollback").json()["live"], before);
    for (const char* name : {"nothing", "%00", "%ff"}) EXPECT_EQ(site.ask("GET", std::string("/v1/prompts/") + name).status, 404) << name;
}

TEST_F(HouseTest, ListsTellWhatOneMaySee) {
    Site site;
    const Json agents = site.ask("GET", "/v1/agents").json();
    EXPECT_EQ(named(agents, "hearth/dev")["scope"], "dev");
    const Json chats = Json::parse(site.ask_as(site.make_key({"chat"}), "GET", "/v1/agents").body);
    EXPECT_NE(named(chats, "hearth"), nullptr);
    EXPECT_EQ(named(chats, "hearth/dev"), nullptr) << "only those that the key may call";
    EXPECT_EQ(site.ask("GET", "/v1/secrets").json()["data"], Json::array());
    site.services->settings = [] { return Json::array({{{"name", "server.port"}, {"value", "0"}}}); };
    EXPECT_EQ(named(site.ask("GET", "/v1/settings").json(), "server.port")["value"], "0");
    EXPECT_EQ(site.ask_as(site.make_key({"chat"}), "GET", "/v1/settings").status, 403);
}

TEST_F(HouseTest, RunsAreFoundByStateAgentAndWords) {
    Site site({says("mine")});
    const std::string run = site.ask("POST", "/v0/dev/chat", {{"messages", {user("Where is the Needle?")}}}).json()["run_id"];
    const auto found = [&](const std::string& query) {
        const Json data = site.ask("GET", "/v1/runs?limit=500&" + query).json()["data"];
        return std::any_of(data.begin(), data.end(), [&](const Json& one) { return one["id"] == run; });
    };
    EXPECT_TRUE(found("status=answered&agent=hearth/dev&text=needle"));
    for (const char* query : {"status=failed", "status=open", "agent=hearth", "text=haystack", "text=%25"}) EXPECT_FALSE(found(query)) << query;
    EXPECT_EQ(site.ask("GET", "/v1/runs?status=lost").param(), "status");
    EXPECT_EQ(site.ask("GET", "/v1/runs?text=%00").param(), "text");
    EXPECT_EQ(site.ask("GET", "/v1/runs?agent=%ff").param(), "agent");
    const std::string thread = site.ask("GET", "/v1/runs/" + run).json()["conversation_id"];
    const Json told = site.ask("GET", "/v1/threads/" + thread).json();
    EXPECT_EQ(told["opening"], "Where is the Needle?");
    EXPECT_EQ(told["messages"].size(), 2u);
    EXPECT_EQ(told["messages"][0]["run_id"], run);
}

}  // namespace
}  // namespace server::testing
