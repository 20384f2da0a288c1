// hearth and hearth/dev over /v1: conversations, the client's own tools, what they cannot do.
#include <fstream>

#include "site_test.h"

namespace server::testing {
namespace {

using AgentApi = SiteTest;
constexpr const char* kPath = "/v1/chat/completions";

std::string in(const std::string& conversation) { return "X-Hearth-Conversation: " + conversation + "\r\n"; }

Json with_tools(Json body, std::vector<std::string> names = {"weather"}) {
    for (const auto& name : names) body["tools"].push_back(function(name));
    return body;
}

TEST_F(AgentApi, AnswersAndNamesRunAndConversation) {
    for (const bool stream : {false, true}) {
        Site site({says("Hello, dear friend.")});
        Json body = chat("hearth/dev", {user("hi")});
        body["stream"] = stream;
        body["stream_options"] = {{"include_usage", true}};
        const Reply reply = site.ask("POST", kPath, body);
        ASSERT_EQ(reply.status, 200) << reply.body;
        const std::string run = reply.headers.at("x-hearth-run");
        Json facts;
        if (stream) {
            const auto events = events_of(reply.body);
            facts = events.at(events.size() - 3).json()["hearth"];
            EXPECT_EQ(events[0].json()["id"], "chatcmpl-" + run);
            EXPECT_EQ(events.at(events.size() - 2).json()["usage"]["completion_tokens"], 3);
        } else {
            facts = reply.json()["hearth"];
            EXPECT_EQ(reply.json()["id"], "chatcmpl-" + run);
            EXPECT_EQ(reply.json()["choices"][0]["message"]["content"], "Hello, dear friend.");
        }
        EXPECT_EQ(facts["run_id"], run);
        EXPECT_EQ(facts["conversation_id"], reply.headers.at("x-hearth-conversation"));
        EXPECT_EQ(facts["state"], "answered");
        EXPECT_EQ(site.ask("GET", "/v1/runs/" + run).json()["status"], "answered");
    }
}

TEST_F(AgentApi, TheCoderWorksInTheFolderThatIsNamed) {
    support::TempDir folder;
    std::ofstream(folder.path() / "door.txt") << "7";
    const auto look = [] { return server::testing::calls({{"", "list_dir", R"({"path":"."})"}}); };
    Site site({look(), says("seen"), look(), says("seen"), says("hi")});
    for (const bool stream : {false, true}) {
        Json body = chat("hearth/dev", {user("Which files?")});
        body.update({{"workspace", folder.path().string()}, {"read_only", true}, {"stream", stream}});
        const Reply reply = site.ask("POST", kPath, body);
        ASSERT_EQ(reply.status, 200) << reply.body;
        EXPECT_FALSE(reply.headers.contains("x-hearth-ignored-fields"));
        const std::string run = site.ask("GET", "/v1/runs/" + reply.headers.at("x-hearth-run")).body;
        EXPECT_NE(run.find("door.txt"), std::string::npos);
    }
    for (const Json& workspace : {Json("relative"), Json("/missing/folder"), Json(5)}) {
        Json body = chat("hearth/dev", {user("hi")});
        body["workspace"] = workspace;
        const Reply reply = site.ask("POST", kPath, body);
        EXPECT_GE(reply.status, 400);
        EXPECT_EQ(reply.param(), "workspace");
    }
    Json home = chat("hearth", {user("hi")});
    home["workspace"] = folder.path().string();
    EXPECT_EQ(site.ask("POST", kPath, home).headers.at("x-hearth-ignored-fields"), "workspace") << "a household's folder is not the request's to choose";
}

TEST_F(AgentApi, AConversationGoesOnWithTheNewMessagesOrTheWholeHistory) {
    Site site({says("A1"), says("A2"), says("A3")});
    const Reply first = site.ask("POST", kPath, chat("hearth/dev", {user("Q1")}));
    const std::string id = first.headers.at("x-hearth-conversation");
    EXPECT_EQ(site.ask("POST", kPath, chat("hearth/dev", {user("Q2")}), in(id)).status, 200);
    const Json parts = {{"role", "user"}, {"content", {{{"type", "text"}, {"text", "Q"}}, {{"type", "text"}, {"text", "2"}}}}};
    const Reply third = site.ask("POST", kPath, chat("hearth/dev", {user("Q1"), assistant("A1"), parts, assistant("A2"), user("Q3")}), in(id));
    ASSERT_EQ(third.status, 200) << third.body;
    std::vector<std::string> said;
    const Json run = site.ask("GET", "/v1/runs/" + third.headers.at("x-hearth-run")).json();
    for (const auto& message : run["messages"]) said.push_back(message["content"]);
    EXPECT_EQ(said, (std::vector<std::string>{"Q1", "A1", "Q2", "A2", "Q3", "A3"}));

    const Reply changed = site.ask("POST", kPath, chat("hearth/dev", {user("Q1"), assistant("A1"), user("Q9"), assistant("A2"), user("Q4")}), in(id));
    EXPECT_EQ(changed.status, 409);
    EXPECT_NE(changed.message().find("messages[2]"), std::string::npos) << changed.body;
    Json streamed = chat("hearth/dev", {user("Q1"), assistant("other"), user("Q4")});
    streamed["stream"] = true;
    const Reply in_stream = site.ask("POST", kPath, streamed, in(id));
    EXPECT_EQ(in_stream.status, 409) << "a stream that cannot begin is no stream";
    EXPECT_NE(in_stream.message().find("messages[1]"), std::string::npos);
    EXPECT_EQ(site.ask("POST", kPath, chat("hearth/dev", {user("Q1"), assistant("A1")}), in(id)).status, 400);
    for (const char* unknown : {"nonsense", "01900000-0000-7000-8000-000000000000"})
        EXPECT_EQ(site.ask("POST", kPath, chat("hearth/dev", {user("Q")}), in(unknown)).status, 404) << unknown;
}

TEST_F(AgentApi, AClientsToolEndsTheTurnAndItsResultResumesIt) {
    const std::string arguments = R"({ "city":"Oslo" })";
    for (const char* alias : {"hearth/dev"})
        for (const bool stream : {false, true}) {
            Site site({calls({{"", "weather", arguments}}), says("It is cold.")});
            Json body = with_tools(chat(alias, {user("Which weather has the file?")}));
            body["stream"] = stream;
            const Reply asked = site.ask("POST", kPath, body);
            ASSERT_EQ(asked.status, 200) << asked.body;
            Json call, facts;
            std::string finish;
            if (stream) {
                for (const auto& event : events_of(asked.body)) {
                    if (event.data == "[DONE]") continue;
                    const Json chunk = event.json();
                    if (chunk["choices"][0]["delta"].contains("tool_calls")) call = chunk["choices"][0]["delta"]["tool_calls"][0];
                    if (chunk["choices"][0]["finish_reason"].is_string()) finish = chunk["choices"][0]["finish_reason"], facts = chunk["hearth"];
                }
            } else {
                call = asked.json()["choices"][0]["message"]["tool_calls"][0];
                finish = asked.json()["choices"][0]["finish_reason"];
                facts = asked.json()["hearth"];
            }
            EXPECT_EQ(finish, "tool_calls");
            EXPECT_EQ(facts["state"], "waiting_client");
            EXPECT_EQ(call["function"]["name"], "weather");
            EXPECT_EQ(call["function"]["arguments"], arguments);
            const std::string id = call["id"], conversation = asked.headers.at("x-hearth-conversation");

            const Reply stranger = site.ask("POST", kPath, with_tools(chat(alias, {result_of("call_other", "-5 °C")})), in(conversation));
            EXPECT_EQ(stranger.status, 400);
            EXPECT_NE(stranger.message().find("call_other"), std::string::npos);
            const Reply resumed = site.ask("POST", kPath, with_tools(chat(alias, {result_of(id, "-5 °C")})), in(conversation));
            ASSERT_EQ(resumed.status, 200) << resumed.body;
            EXPECT_EQ(resumed.json()["choices"][0]["message"]["content"], "It is cold.");
            const auto seen = site.model->requests().back().messages;
            EXPECT_EQ(seen.back().role, router::MessageRole::tool);
            EXPECT_EQ(seen.back().text(), "-5 °C");
            EXPECT_FALSE(seen.back().trusted);
            EXPECT_EQ(seen.at(seen.size() - 2).tool_calls.at(0).id, id);
            EXPECT_EQ(seen.at(seen.size() - 2).tool_calls.at(0).arguments, arguments);
        }
}

TEST_F(AgentApi, AHistoryWithCallsNeedsNoConversation) {
    Site site({says("It is cold.")});
    const Json call = {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", {{{"id", "c1"}, {"type", "function"}, {"function", {{"name", "weather"}, {"arguments", "{}"}}}}}}};
    const Reply good = site.ask("POST", kPath, with_tools(chat("hearth/dev", {user("weather?"), call, result_of("c1", "-5 °C")})));
    EXPECT_EQ(good.status, 200) << good.body;
    const Reply orphan = site.ask("POST", kPath, with_tools(chat("hearth/dev", {user("weather?"), result_of("c1", "-5 °C")})));
    EXPECT_EQ(orphan.status, 400);
    EXPECT_NE(orphan.message().find("messages[1].tool_call_id is 'c1'"), std::string::npos) << orphan.body;
}

TEST_F(AgentApi, ACallThatTheClientGaveUpDoesNotBreakTheConversation) {
    Site site({calls({{"", "weather", "{}"}, {"", "weather", R"({"city":"Rome"})"}}), says("As you like.")});
    const Reply asked = site.ask("POST", kPath, with_tools(chat("hearth/dev", {user("weather?")})));
    const Json made = asked.json()["choices"][0]["message"]["tool_calls"];
    ASSERT_EQ(made.size(), 2u) << asked.body;
    EXPECT_EQ(site.ask("POST", kPath, chat("hearth/dev", {user("never mind")}), in(asked.headers.at("x-hearth-conversation"))).status, 200);
    std::vector<std::string> answered;
    const router::ModelRequest last = site.model->requests().back();
    for (const auto& message : last.messages)
        if (message.role == router::MessageRole::tool) answered.push_back(message.tool_call_id);
    EXPECT_EQ(answered, (std::vector<std::string>{made[0]["id"], made[1]["id"]}));
}

TEST_F(AgentApi, AToolOfTheClientMayNotTakeABuiltInName) {
    Site site({says("unreached")});
    for (const auto& tool : tools::builtin_tools())
        for (const bool stream : {false, true}) {
            Json body = with_tools(chat("hearth/dev", {user("hi")}), {"weather", tool.name});
            body["stream"] = stream;
            const Reply reply = site.ask("POST", kPath, body);
            EXPECT_EQ(reply.status, 400) << tool.name;
            EXPECT_NE(reply.message().find("\"" + tool.name + "\""), std::string::npos) << reply.body;
        }
    EXPECT_TRUE(site.model->requests().empty());
    EXPECT_EQ(site.ask("POST", kPath, with_tools(chat("default", {user("hi")}), {"bash"})).status, 200) << "a bare model has no tools of its own";
}

TEST_F(AgentApi, ThoughtsComeWithTheWholeAnswerToo) {
    router::ScriptedReply thought = says("Blue.");
    thought.reasoning = "The sky.";
    for (const char* alias : {"hearth", "hearth/dev"}) {
        Site site({thought, thought});
        EXPECT_EQ(site.ask("POST", kPath, chat(alias, {user("hi")})).json()["choices"][0]["message"]["reasoning_content"], "The sky.") << alias;
        Json without = chat(alias, {user("hi")});
        without["include_reasoning"] = false;
        EXPECT_FALSE(site.ask("POST", kPath, without).json()["choices"][0]["message"].contains("reasoning_content"));
    }
}

TEST_F(AgentApi, ARequestThatIsTooLongIs400) {
    router::ScriptedReply too_long;
    too_long.error = base::error(base::Code::context_length_exceeded, "the prompt has 9000 tokens, the context holds 4096");
    for (const char* alias : {"default", "hearth", "hearth/dev"}) {
        Site site({too_long});
        const Reply reply = site.ask("POST", kPath, chat(alias, {user("hi")}));
        EXPECT_EQ(reply.status, 400) << alias;
        EXPECT_EQ(reply.json()["error"]["code"], "context_length_exceeded");
        EXPECT_NE(reply.message().find("4096"), std::string::npos);
    }
}

TEST_F(AgentApi, NoToolOfTheClientIsOfferedWhenNoneMayBeCalled) {
    Site site({says("ok")});
    Json body = with_tools(chat("hearth/dev", {user("hi")}));
    body["tool_choice"] = "none";
    EXPECT_EQ(site.ask("POST", kPath, body).status, 200);
    const auto requests = site.model->requests();
    for (const auto& tool : requests.at(0).tools) EXPECT_NE(tool.name, "weather");
}

TEST_F(AgentApi, WhatOnlyABareModelTakesIsRefusedByName) {
    Site site;
    const std::pair<const char*, Json> fields[] = {{"response_format", {{"type", "json_object"}}}, {"stop", "x"}, {"tool_choice", "required"},
                                                   {"reasoning_effort", "low"}, {"enable_thinking", true}, {"parallel_tool_calls", false}};
    for (const auto& [field, value] : fields)
        for (const char* alias : {"hearth", "hearth/dev"}) {
            Json body = with_tools(chat(alias, {user("hi")}));
            body[field] = value;
            const Reply reply = site.ask("POST", kPath, body);
            EXPECT_EQ(reply.status, 400) << field;
            EXPECT_EQ(reply.param(), field);
        }
    EXPECT_EQ(site.ask_as(site.make_key({"chat"}), "POST", kPath, base::dump(chat("hearth/dev", {user("hi")}))).status, 403);
    const Reply header = site.ask("POST", kPath, chat("hearth/dev", {user("hi")}), "X-Hearth-On-Disconnect: maybe\r\n");
    EXPECT_EQ(header.status, 400);
    EXPECT_EQ(header.param(), "X-Hearth-On-Disconnect");
}

TEST_F(AgentApi, AClientsSystemMessageRanksAsItsWords) {
    Site site({says("ok")});
    EXPECT_EQ(site.ask("POST", kPath, chat("hearth/dev", {{{"role", "system"}, {"content", "You are a pirate."}}, user("hi")})).status, 200);
    const auto sent = site.model->requests().at(0).messages;
    for (const auto& message : sent) {
        if (message.role != router::MessageRole::system) continue;
        EXPECT_EQ(message.text().find("pirate"), std::string::npos);
    }
    EXPECT_NE(sent.back().text().find("pirate"), std::string::npos);
    EXPECT_EQ(sent.back().role, router::MessageRole::user);
}

TEST_F(AgentApi, ARunGoesOnWithoutItsClientUnlessItIsToEnd) {
    for (const bool cancel : {false, true})
        for (const bool stream : {false, true}) {
            router::ScriptedReply slow = says("one two three four five six");
            slow.delta_delay = std::chrono::milliseconds(60);
            Site site({slow});
            {
                Client client = Client::tcp(site.http->port());
                Json body = chat("hearth/dev", {user("hi")});
                body["stream"] = stream;
                client.send(support::request_text("POST", kPath, base::dump(body), site.key, cancel ? "X-Hearth-On-Disconnect: cancel\r\n" : ""));
                for (int i = 0; i < 1000 && site.model->requests().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
                client.leave();
            }
            for (int i = 0; i < 2000 && site.agents->active() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
            const Json run = site.ask("GET", "/v1/runs?limit=1").json()["data"][0];
            EXPECT_EQ(run["status"], cancel ? "cancelled" : "answered") << stream;
        }
}

TEST_F(AgentApi, ARunWithoutAnswerIsAnErrorThatNamesItsRun) {
    for (const bool stream : {false, true}) {
        router::ScriptedReply broken;
        broken.error = base::error(base::Code::internal, "the weights are damaged");
        router::ScriptedReply gone;
        gone.error = base::error(base::Code::unavailable, "out of reach");
        Site site({broken, gone});
        for (const int status : {500, 503}) {
            Json body = chat("hearth/dev", {user("hi")});
            body["stream"] = stream;
            const Reply reply = site.ask("POST", kPath, body);
            const std::string run = reply.headers.at("x-hearth-run");
            EXPECT_FALSE(run.empty());
            if (stream) {  // the run was begun, and so the stream
                EXPECT_EQ(reply.status, 200);
                const auto events = events_of(reply.body);
                ASSERT_EQ(events.size(), 3u) << reply.body;
                EXPECT_EQ(events[1].json()["error"]["type"], status == 503 ? "service_unavailable" : "server_error");
                EXPECT_EQ(events[2].data, "[DONE]");
            } else {
                EXPECT_EQ(reply.status, status);
                EXPECT_EQ(reply.headers.contains("retry-after"), status == 503);
            }
        }
    }
}

}  // namespace
}  // namespace server::testing
