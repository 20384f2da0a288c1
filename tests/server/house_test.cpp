// What the operator of a house looks at and changes: people, prompts, what left, secrets, agents, settings.
#include <set>

#include "site_test.h"
#include "store/node_days.h"
#include "store/outbox.h"
#include "store/run_sums.h"
#include "store/senders.h"
#include "tools/registry.h"
#include "tools/rule_book.h"

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

TEST_F(HouseTest, RightsAreThePolicysOwnWord) {
    Site site;
    const tools::Builtins all;
    tools::RuleBook rules;
    EXPECT_EQ(site.ask("GET", "/v1/people/rights").json()["data"], Json::array()) << "a process without tools tells of none";
    site.services->tools = &all;
    site.services->rules = &rules;
    const auto verdict = [](const Json& person, const std::string& tool, const std::string& scope) {
        for (const Json& one : person["tools"])
            if (one["tool"] == tool && one["scope"] == scope) return one["verdict"].get<std::string>() + " " + one["rule"].get<std::string>();
        return std::string();
    };
    ASSERT_EQ(site.ask("POST", "/v1/people", {{"name", "Clara"}, {"role", "guest"}}).status, 201);
    const Json people = site.ask("GET", "/v1/people/rights").json();
    const Json clara = named(people, "Clara");
    EXPECT_EQ(verdict(clara, "remember", "home"), "deny guests_have_no_tools");
    EXPECT_EQ(clara["scopes"], Json::array({"chat"}));
    Json owner;
    for (const Json& one : people["data"])
        if (one["role"] == "owner") owner = one;
    EXPECT_EQ(verdict(owner, "remember", "home"), "allow memory_writes");
    EXPECT_EQ(verdict(owner, "bash", "dev"), "allow workspace_reads") << "of what it touches the first that allows it";
    EXPECT_EQ(verdict(owner, "bash", "home"), "") << "it is not offered there";
    policy::HouseRule quiet;
    quiet.tenant = site.database->owner().tenant;
    quiet.name = "ask_first";
    quiet.verdict = policy::Verdict::ask;
    quiet.tools = {"remember"};
    rules.change({quiet});
    const Json own = Json::parse(site.ask_as(site.make_key({"chat", "admin"}, site.database->member()), "GET", "/v1/people/rights").body)["data"];
    ASSERT_EQ(own.size(), 1u) << "others are the owner's to see";
    EXPECT_EQ(own[0]["id"], site.database->member().person.text());
    EXPECT_EQ(verdict(own[0], "remember", "home"), "ask ask_first");
    const std::string path = "/v1/people/" + clara["id"].get<std::string>() + "/rights";
    const auto rules_kept = [&] { return site.database->sql("select count(*) from house_rule where name like 'right_recall_%' and body->>'verdict' = 'deny'"); };
    EXPECT_EQ(site.ask("POST", path, {{"tool", "recall"}, {"verdict", "deny"}}).json()["verdict"], "deny");
    EXPECT_EQ(rules_kept(), "1");
    EXPECT_EQ(site.ask_as(site.make_key({"chat", "admin"}, site.database->member()), "POST", path, R"({"tool": "recall", "verdict": "shipped"})").status, 403);
    EXPECT_EQ(site.ask("POST", path, {{"tool", "recall"}, {"verdict", "shipped"}}).status, 200);
    EXPECT_EQ(rules_kept(), "0");
    for (const Json& wrong : {Json{{"tool", "nothing"}, {"verdict", "deny"}}, Json{{"tool", "recall"}, {"verdict", "perhaps"}}, Json{{"tool", "recall"}}}) EXPECT_EQ(site.ask("POST", path, wrong).status, 400) << wrong;
    EXPECT_EQ(site.ask("POST", "/v1/people/nobody/rights", {{"tool", "recall"}, {"verdict", "deny"}}).status, 404);
}

TEST_F(HouseTest, RunsAreSummedUpByToolAndDayAndFoundByThem) {
    Site site({calls({{"", "list_dir", "{}"}}), says("seen"), calls({{"", "read_file", R"({"path": "missing"})"}}), says("not there"), says("no tool")});
    std::vector<std::string> runs;
    for (int n = 0; n < 3; ++n) runs.push_back(site.ask("POST", "/v0/dev/chat", {{"messages", {user("look")}}}).json()["run_id"]);
    site.database->sql("update run set started_at = '2019-03-04 10:00:00+00', finished_at = '2019-03-04 10:00:02+00' where id in ('" + runs[0] + "', '" + runs[2] + "')");
    site.database->sql("update step set started_at = '2019-03-04 10:00:00+00', finished_at = '2019-03-04 10:00:00.5+00' where run_id = '" + runs[0] + "' and kind = 'tool'");
    const auto sums = [&](const char* since, const char* until, const std::string& tool) {
        const auto day = [](const char* text) { return *store::parse_day(text); };
        auto read = [&](store::Tx& tx) { return std::pair(store::sum_tools(tx, day(since), day(until)), store::sum_run_days(tx, day(since), day(until), tool)); };
        return site.database->db().run_blocking(site.database->owner(), read);
    };
    const auto [tools, days] = sums("2019-03-04", "2019-03-05", "");
    ASSERT_EQ(tools.size(), 1u);
    EXPECT_EQ(tools[0].key, "list_dir");
    EXPECT_EQ(tools[0].count, 1);
    EXPECT_EQ(tools[0].p50_ms, 500.0);
    ASSERT_EQ(days.size(), 1u);
    EXPECT_EQ(days[0].key, "2019-03-04");
    EXPECT_EQ(days[0].count, 2);
    EXPECT_EQ(days[0].p95_ms, 2000.0);
    EXPECT_EQ(sums("2019-03-04", "2019-03-05", "list_dir").second.at(0).count, 1);
    EXPECT_TRUE(sums("2019-03-03", "2019-03-04", "").second.empty());
    const Json told = site.ask("GET", "/v1/runs/sums?days=1&tool=read_file").json();
    const auto read = std::find_if(told["tools"].begin(), told["tools"].end(), [](const Json& one) { return one["tool"] == "read_file"; });
    ASSERT_NE(read, told["tools"].end());
    EXPECT_GE((*read)["failures"], 1);
    EXPECT_EQ(told["days"].size(), 1u);
    const auto found = [&](const std::string& query) {
        std::set<std::string> out;
        const Json data = site.ask("GET", "/v1/runs?limit=500&" + query).json()["data"];
        for (const Json& one : data) out.insert(one["id"].get<std::string>());
        return out;
    };
    EXPECT_EQ(found("tool=list_dir&since=2019-03-04&until=2019-03-05"), std::set{runs[0]});
    EXPECT_EQ(found("since=2019-03-04&until=2019-03-05"), (std::set{runs[0], runs[2]}));
    EXPECT_TRUE(found("tool=nothing").empty());
    EXPECT_TRUE(found("tool=read_file").contains(runs[1]));
    EXPECT_EQ(site.ask("GET", "/v1/runs?since=yesterday").param(), "since");
    EXPECT_EQ(site.ask("GET", "/v1/runs?tool=%ff").param(), "tool");
    EXPECT_EQ(site.ask("GET", "/v1/runs/sums?days=0").param(), "days");
    EXPECT_EQ(site.ask("GET", "/v1/runs/sums?tool=%00").param(), "tool");
}

}  // namespace
}  // namespace server::testing
