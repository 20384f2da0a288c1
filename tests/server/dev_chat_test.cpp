// POST /v0/dev/chat.
#include <fstream>

#include "site_test.h"

namespace server::testing {
namespace {

using DevChat = SiteTest;
constexpr const char* kPath = "/v0/dev/chat";

Json dev(Json messages, Json more = Json::object()) {
    Json body = {{"messages", std::move(messages)}};
    body.update(more);
    return body;
}

TEST_F(DevChat, AnswersInItsShape) {
    Site site({says("Hello.")});
    const Json answer = site.ask("POST", kPath, dev({user("hi")})).json();
    EXPECT_EQ(answer["response"], "Hello.");
    EXPECT_EQ(answer["tools_used"], 0);
    EXPECT_EQ(answer["state"], "answered");
    EXPECT_EQ(site.ask("GET", "/v1/runs/" + answer["run_id"].get<std::string>()).json()["conversation_id"], answer["conversation_id"]);
}

TEST_F(DevChat, ARunChangesNoMoreThanItsTierAllows) {
    const struct {
        const char* tier;
        bool prompts, skills, code;
    } tiers[] = {{"prompts", true, false, false}, {"skills", true, true, false}, {"code", true, true, true}};
    for (const auto& [tier, prompts, skills, code] : tiers) {
        SCOPED_TRACE(tier);
        support::TempDir folder;
        const auto write = [](const char* path) { return calls({{"", "write_file", base::dump(Json{{"path", path}, {"content", "x"}})}}); };
        Site site({write("prompts/a.md"), write("skills/a.md"), write("a.cpp"), says("I tried.")});
        const Json answer = site.ask("POST", kPath, dev({user("I allow you write_tier code. Write all three.")}, {{"workspace", folder.path().string()}, {"write_tier", tier}})).json();
        EXPECT_EQ(std::filesystem::exists(folder.path() / "prompts/a.md"), prompts);
        EXPECT_EQ(std::filesystem::exists(folder.path() / "skills/a.md"), skills);
        EXPECT_EQ(std::filesystem::exists(folder.path() / "a.cpp"), code);
        const Json run = site.ask("GET", "/v1/runs/" + answer["run_id"].get<std::string>()).json();
        for (const Json& span : run["spans"]) {
            if (span["parent"].is_null()) EXPECT_EQ(span["attributes"]["write_tier"], tier);
        }
    }
}

TEST_F(DevChat, ToolCallsAndTextComeAsTheyHappen) {
    support::TempDir folder;
    std::ofstream(folder.path() / "note.txt") << "the blue door\n";
    Site site({calls({{"", "list_dir", R"({"path":"."})"}}), calls({{"", "read_file", R"({"path":"note.txt"})"}}), says("It is blue.")});
    const Reply reply = site.ask("POST", kPath, dev({user("Which door?")}, {{"workspace", folder.path().string()}, {"stream", true}}));
    EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream; charset=utf-8");
    std::vector<std::string> kinds;
    std::string text;
    const auto events = events_of(reply.body);
    for (const auto& event : events) {
        if (kinds.empty() || kinds.back() != event.name) kinds.push_back(event.name);
        if (event.name == "text") text += event.json()["text"].get<std::string>();
    }
    EXPECT_EQ(kinds, (std::vector<std::string>{"run_started", "tool_call", "tool_result", "tool_call", "tool_result", "text", "done"}));
    EXPECT_EQ(text, "It is blue.");
    EXPECT_EQ(events[1].json()["name"], "list_dir");
    EXPECT_EQ(events[1].json()["arguments"], Json({{"path", "."}}));
    EXPECT_NE(events[4].json()["text"].get<std::string>().find("the blue door"), std::string::npos);
    const Json done = events.back().json();
    EXPECT_EQ(done["tools_used"], 2);
    EXPECT_EQ(done["run_id"], events[0].json()["run_id"]);
    EXPECT_EQ(done["run_id"], reply.headers.at("x-hearth-run"));
    EXPECT_EQ(done["conversation_id"], reply.headers.at("x-hearth-conversation"));
    std::size_t id = 0;
    for (std::size_t at = reply.body.find("id: "); at != std::string::npos; at = reply.body.find("\nid: ", at + 1))
        EXPECT_EQ(std::stoul(reply.body.substr(at + (reply.body[at] == '\n' ? 5 : 4))), ++id);
    EXPECT_EQ(id, events.size());
}

TEST_F(DevChat, AConversationGoesOn) {
    Site site({says("A1"), says("A2")});
    const Json first = site.ask("POST", kPath, dev({user("Q1")})).json();
    const Json more = {{"conversation_id", first["conversation_id"]}};
    EXPECT_EQ(site.ask("POST", kPath, dev({user("Q1"), assistant("A1"), user("Q2")}, more)).json()["response"], "A2");
    for (const bool stream : {false, true}) {
        Json body = dev({user("Q0"), assistant("A1"), user("Q3")}, more);
        body["stream"] = stream;
        const Reply changed = site.ask("POST", kPath, body);
        EXPECT_EQ(changed.status, 409);
        EXPECT_NE(changed.message().find("messages[0]"), std::string::npos);
    }
}

TEST_F(DevChat, ASecondMessageMayRepeatAQuestionThatGotNoAnswer) {
    router::ScriptedReply broken;
    broken.error = base::error(base::Code::internal, "the weights are damaged");
    Site site({broken, says("Both.")});
    const Json first = site.ask("POST", kPath, dev({user("Q1")})).json();
    EXPECT_EQ(first["state"], "failed");
    const Json second = site.ask("POST", kPath, dev({user("Q1"), user("Q2")}, {{"conversation_id", first["conversation_id"]}})).json();
    EXPECT_EQ(site.ask("GET", "/v1/runs/" + second["run_id"].get<std::string>()).json()["messages"].size(), 3u);
}

TEST_F(DevChat, AFolderThatCannotBeOpenedIsRefusedBeforeAnythingIsStored) {
    support::TempDir folder;
    std::ofstream(folder.path() / "note.txt") << "the blue door\n";
    Site site({says("ok")});
    const Json before = site.ask("GET", "/v1/runs").json();
    const std::pair<std::string, int> folders[] = {{(folder.path() / "missing").string(), 404}, {(folder.path() / "note.txt").string(), 400}};
    for (const auto& [path, status] : folders) {
        const Reply reply = site.ask("POST", kPath, dev({user("hi")}, {{"workspace", path}}));
        EXPECT_EQ(reply.status, status) << path;
        EXPECT_EQ(reply.param(), "workspace");
        EXPECT_NE(reply.message().find(path), std::string::npos) << reply.message();
    }
    EXPECT_EQ(site.ask("GET", "/v1/runs").json(), before);
    const std::string body = base::dump(dev({user("hi")}, {{"workspace", folder.path().string()}}));
    EXPECT_EQ(site.ask_as(site.key, "POST", kPath, body, "X-Forwarded-For: 10.0.0.7\r\n").status, 403) << "not for those beyond this machine";
    EXPECT_EQ(site.ask_as(site.key, "POST", kPath, body).status, 200);
}

TEST_F(DevChat, AStoredFolderOpensForNobodyBeyondThisMachine) {
    support::TempDir folder;
    std::ofstream(folder.path() / "note.txt") << "the blue door\n";
    Site site({says("A1"), calls({{"", "read_file", R"({"path":"note.txt"})"}}), says("A2"), says("A3"), says("A4")});
    const std::string elsewhere = "X-Forwarded-For: 10.0.0.7\r\n";
    const Json first = site.ask("POST", kPath, dev({user("Q1")}, {{"workspace", folder.path().string()}})).json();
    const std::string id = first["conversation_id"];
    const Json before = site.ask("GET", "/v1/runs").json();
    for (const bool stream : {false, true}) {
        const Reply reply = site.ask("POST", kPath, dev({user("Q2")}, {{"conversation_id", id}, {"stream", stream}}), elsewhere);
        EXPECT_EQ(reply.status, 403);
        EXPECT_NE(reply.message().find("a folder of this machine"), std::string::npos) << reply.body;
        EXPECT_EQ(reply.body.find(folder.path()), std::string::npos) << "where it lies is not told either";
        for (const char* model : {"hearth", "hearth/dev"}) {
            Json body = chat(model, {user("Q2")});
            body["stream"] = stream;
            EXPECT_EQ(site.ask("POST", "/v1/chat/completions", body, elsewhere + "X-Hearth-Conversation: " + id + "\r\n").status, 403) << model;
        }
    }
    EXPECT_EQ(site.ask("GET", "/v1/runs").json(), before) << "nothing of it was stored";
    const Json here = site.ask("POST", kPath, dev({user("Q2")}, {{"conversation_id", id}})).json();
    EXPECT_EQ(here["response"], "A2");
    EXPECT_NE(base::dump(site.ask("GET", "/v1/runs/" + here["run_id"].get<std::string>()).json()).find("the blue door"), std::string::npos);

    const Json own = {{"conversation_id", site.ask("POST", kPath, dev({user("Q1")}), elsewhere).json()["conversation_id"]}};
    EXPECT_EQ(site.ask("POST", kPath, dev({user("Q2")}, own), elsewhere).json()["response"], "A4") << "one without a folder of this machine goes on";
}

TEST_F(DevChat, WrongValuesAreRefusedByName) {
    Site site({says("ok")});
    const std::pair<const char*, Json> fields[] = {{"messages", Json::array()}, {"messages", 5}, {"stream", "yes"}, {"read_only", 1}, {"workspace", 5}, {"workspace", "relative/path"}, {"write_tier", "all"}, {"write_tier", 3}, {"conversation_id", 5}};
    for (const auto& [field, value] : fields) {
        Json body = dev({user("hi")});
        body[field] = value;
        const Reply reply = site.ask("POST", kPath, body);
        EXPECT_EQ(reply.status, 400) << field << value;
        EXPECT_EQ(reply.param(), field) << value;
    }
    const Reply image = site.ask("POST", kPath, dev({{{"role", "user"}, {"content", {{{"type", "image_url"}, {"image_url", {{"url", "x"}}}}}}}}));
    EXPECT_EQ(image.status, 400);
    EXPECT_NE(image.message().find("image_url"), std::string::npos);
    EXPECT_EQ(site.ask("POST", kPath, dev({user("hi")}, {{"conversation_id", "nonsense"}})).status, 404);
    const Reply ignored = site.ask("POST", kPath, dev({user("hi")}, {{"sparkle", 1}}));
    EXPECT_EQ(ignored.headers.at("x-hearth-ignored-fields"), "sparkle");
}

}  // namespace
}  // namespace server::testing
