// /v1/responses: OpenAI's shapes, whole and streamed, what goes on from what, what is refused.
#include "site_test.h"

namespace server::testing {
namespace {

using Responses = SiteTest;
constexpr const char* kPath = "/v1/responses";
using router::MessageRole;

Json asking(Json more = Json::object(), const std::string& model = "default") {
    Json body = {{"model", model}, {"input", "hi"}};
    body.update(more);
    return body;
}
Json tool(const std::string& name) {
    Json flat = function(name)["function"];
    flat["type"] = "function";
    return flat;
}
Json output_of(const std::string& call, const std::string& text) { return {{"type", "function_call_output"}, {"call_id", call}, {"output", text}}; }
router::ScriptedReply thinking(const std::string& thought, const std::string& text) {
    router::ScriptedReply reply = says(text);
    reply.reasoning = thought;
    return reply;
}
std::vector<std::string> names_of(const std::vector<Event>& events) {
    std::vector<std::string> out;
    for (const auto& event : events) out.push_back(event.name);
    return out;
}
// What does not differ from one answer to the next.
Json essence(Json response) {
    for (const char* field : {"id", "created_at", "completed_at", "hearth", "metadata"}) response.erase(field);
    for (Json& item : response["output"]) item.erase("id");
    return response;
}

TEST_F(Responses, AnswersInItems) {
    Site site({thinking("A greeting.", "Hello, dear friend."), says("ok")});
    const Reply reply = site.ask("POST", kPath, asking({{"metadata", {{"a", "b"}}}, {"instructions", "be brief"}, {"temperature", 0.5}}));
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_FALSE(reply.headers.contains("x-hearth-ignored-fields"));
    const Json answer = reply.json();
    const std::string id = answer["id"];
    EXPECT_TRUE(id.starts_with("resp_"));
    EXPECT_EQ(answer["object"], "response");
    EXPECT_EQ(answer["status"], "completed");
    EXPECT_EQ(answer["error"], nullptr);
    EXPECT_EQ(answer["incomplete_details"], nullptr);
    EXPECT_EQ(answer["metadata"], Json({{"a", "b"}}));
    EXPECT_EQ(answer["instructions"], "be brief");
    EXPECT_EQ(answer["temperature"], 0.5);
    ASSERT_EQ(answer["output"].size(), 2u);
    EXPECT_EQ(answer["output"][0]["content"], Json::array({{{"type", "reasoning_text"}, {"text", "A greeting."}}}));
    EXPECT_EQ(answer["output"][0]["summary"], Json::array());
    EXPECT_EQ(answer["output"][1]["role"], "assistant");
    EXPECT_EQ(answer["output"][1]["status"], "completed");
    EXPECT_EQ(answer["output"][1]["content"][0], Json({{"type", "output_text"}, {"text", "Hello, dear friend."}, {"annotations", Json::array()}, {"logprobs", Json::array()}}));
    EXPECT_EQ(answer["usage"]["output_tokens"], 3);
    EXPECT_EQ(answer["usage"]["total_tokens"], answer["usage"]["input_tokens"].get<int>() + 3);
    EXPECT_EQ(site.ask("GET", kPath + ("/" + id)).json(), answer) << "stored as it was told";
    EXPECT_EQ(site.model->requests().at(0).messages.at(0).role, MessageRole::system);
    EXPECT_EQ(site.model->requests().at(0).messages.at(1).text(), "hi");
    EXPECT_FALSE(answer.contains("hearth"));
}

TEST_F(Responses, StreamsTheSameInEvents) {
    const auto reply = thinking("A greeting.", "Hello, dear friend.");
    Site site({reply, reply});
    const Json whole = site.ask("POST", kPath, asking()).json();
    const Reply got = site.ask("POST", kPath, asking({{"stream", true}}));
    const auto events = events_of(got.body);
    const std::vector<std::string> wanted = {
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.reasoning_text.delta",
        "response.reasoning_text.done", "response.content_part.done", "response.output_item.done", "response.output_item.added", "response.content_part.added",
        "response.output_text.delta", "response.output_text.delta", "response.output_text.delta", "response.output_text.done", "response.content_part.done",
        "response.output_item.done", "response.completed"};
    ASSERT_EQ(names_of(events), wanted) << got.body;
    std::string text;
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Json event = events[i].json();
        EXPECT_EQ(event["type"], events[i].name);
        EXPECT_EQ(event["sequence_number"], i);
        if (events[i].name == "response.output_text.delta") text += event["delta"].get<std::string>();
        if (i > 7 && i < 16) {
            EXPECT_EQ(event["output_index"], 1);
        }
    }
    EXPECT_EQ(text, "Hello, dear friend.");
    EXPECT_EQ(events[0].json()["response"]["output"], Json::array());
    EXPECT_EQ(events[0].json()["response"]["status"], "in_progress");
    const Json last = events.back().json()["response"];
    EXPECT_EQ(essence(last), essence(whole));
    EXPECT_EQ(last["output"][1], events[15].json()["item"]);
    EXPECT_EQ(site.ask("GET", kPath + ("/" + last["id"].get<std::string>())).json(), last);
}

TEST_F(Responses, CallsAreItemsOfTheirOwn) {
    const std::string arguments = R"({ "city":"Oslo","deg" : 1.50 })";
    const std::vector<router::ToolCall> both = {{"c1", "weather", arguments}, {"c2", "weather", "{}"}};
    Site site({calls(both), calls(both), says("Cold.")});
    const Json body = asking({{"tools", {tool("weather")}}});
    const Json whole = site.ask("POST", kPath, body).json();
    EXPECT_EQ(whole["status"], "completed");
    ASSERT_EQ(whole["output"].size(), 2u);
    EXPECT_EQ(whole["output"][0]["type"], "function_call");
    EXPECT_EQ(whole["output"][0]["call_id"], "c1");
    EXPECT_EQ(whole["output"][0]["arguments"], arguments) << "byte for byte";
    EXPECT_EQ(whole["tools"][0]["name"], "weather");

    Json streamed = body;
    streamed["stream"] = true;
    const auto events = events_of(site.ask("POST", kPath, streamed).body);
    const std::vector<std::string> wanted = {
        "response.created", "response.in_progress", "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done",
        "response.output_item.done", "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done",
        "response.output_item.done", "response.completed"};
    EXPECT_EQ(names_of(events), wanted);
    EXPECT_EQ(events.at(4).json()["arguments"], arguments);
    EXPECT_EQ(essence(events.back().json()["response"]), essence(whole));

    const Json results = {{"input", {output_of("c2", "warm"), output_of("c1", "cold")}}, {"previous_response_id", whole["id"]}, {"tools", body["tools"]}};
    ASSERT_EQ(site.ask("POST", kPath, asking(results)).status, 200);
    const auto sent = site.model->requests().at(2).messages;
    ASSERT_EQ(sent.size(), 4u);
    ASSERT_EQ(sent[1].tool_calls.size(), 2u) << "one message of the model";
    EXPECT_EQ(sent[1].tool_calls[0].arguments, arguments);
    EXPECT_EQ(sent[2].tool_call_id, "c2");
    EXPECT_EQ(sent[2].text(), "warm");
    EXPECT_FALSE(sent[2].trusted);
}

TEST_F(Responses, WhatIsNotThereIs404AndNamed) {
    Site site({says("kept"), says("not kept"), says("later")});
    const std::string mine = site.ask("POST", kPath, asking()).json()["id"], unkept = site.ask("POST", kPath, asking({{"store", false}})).json()["id"];
    const std::string stranger = site.make_key({"chat"}, site.database->member());
    const std::string after = site.ask("POST", kPath, asking({{"previous_response_id", mine}})).json()["id"];
    const auto go_on = [&](const std::string& key, const std::string& id) { return site.ask_as(key, "POST", kPath, base::dump(asking({{"previous_response_id", id}}))); };
    for (const auto& [key, id] : {std::pair{site.key, unkept}, {stranger, mine}, {site.key, std::string("resp_nothing")}, {site.key, std::string("x")}}) {
        const Reply reply = go_on(key, id);
        EXPECT_EQ(reply.status, 404) << id;
        EXPECT_EQ(reply.param(), "previous_response_id");
        EXPECT_NE(reply.message().find(id), std::string::npos);
        EXPECT_EQ(site.ask_as(key, "GET", kPath + ("/" + id)).status, 404);
        EXPECT_EQ(site.ask_as(key, "DELETE", kPath + ("/" + id)).status, 404);
    }
    EXPECT_EQ(site.ask("DELETE", kPath + ("/" + mine)).json(), Json({{"id", mine}, {"object", "response"}, {"deleted", true}}));
    EXPECT_EQ(site.ask("GET", kPath + ("/" + mine)).status, 404);
    const Reply broken = go_on(site.key, after);
    EXPECT_EQ(broken.status, 404);
    EXPECT_NE(broken.message().find(mine), std::string::npos) << broken.message();
    EXPECT_EQ(site.ask("GET", kPath + ("/" + after)).status, 200);
    EXPECT_EQ(site.model->requests().size(), 3u);
}

TEST_F(Responses, ALimitMakesItIncomplete) {
    router::ScriptedReply cut = says("Once upon a");
    cut.finish = router::FinishReason::length;
    Site site({cut, cut});
    const Json answer = site.ask("POST", kPath, asking({{"max_output_tokens", 3}})).json();
    EXPECT_EQ(answer["status"], "incomplete");
    EXPECT_EQ(answer["incomplete_details"], Json({{"reason", "max_output_tokens"}}));
    EXPECT_EQ(answer["output"][0]["status"], "incomplete");
    EXPECT_EQ(answer["max_output_tokens"], 3);
    EXPECT_EQ(site.model->requests().at(0).max_tokens, 3);
    EXPECT_EQ(events_of(site.ask("POST", kPath, asking({{"stream", true}})).body).back().name, "response.incomplete");
}

TEST_F(Responses, TheSchemaTrueIsAnyValueAndFalseIsRefused) {
    const auto format = [](bool schema) { return asking({{"text", {{"format", {{"type", "json_schema"}, {"name", "n"}, {"schema", schema}}}}}}); };
    Site site({says("7")});
    const Reply open = site.ask("POST", kPath, format(true));
    ASSERT_EQ(open.status, 200) << open.body;
    EXPECT_EQ(open.json()["text"]["format"]["schema"], true);
    EXPECT_EQ(Json(site.model->requests().at(0).response_schema.value()), Json::object());
    const Reply shut = site.ask("POST", kPath, format(false));
    EXPECT_EQ(shut.status, 400);
    EXPECT_EQ(shut.param(), "text.format.schema");
}

TEST_F(Responses, WhatBreaksOffSaysSo) {
    router::ScriptedReply broken = says("It was");
    broken.error = base::error(base::Code::unavailable, "out of reach");
    router::ScriptedReply refused;
    refused.error = base::error(base::Code::unsupported, "response_format: JSON schema as grammar: \u2026");
    Site site({broken, refused, refused});
    const auto events = events_of(site.ask("POST", kPath, asking({{"stream", true}})).body);
    EXPECT_EQ(events.back().name, "response.failed");
    const Json failed = events.back().json()["response"];
    EXPECT_EQ(failed["status"], "failed");
    EXPECT_EQ(failed["error"]["code"], "server_error");
    EXPECT_EQ(failed["output"][0]["status"], "incomplete");
    EXPECT_EQ(failed["output"][0]["content"][0]["text"], "It was");
    for (const bool stream : {false, true}) {
        const Reply reply = site.ask("POST", kPath, asking({{"stream", stream}}));
        EXPECT_EQ(reply.status, 400) << "what fails at once is no stream";
        EXPECT_EQ(reply.param(), "text.format.schema");
        EXPECT_TRUE(reply.message().starts_with("text.format: ")) << reply.message();
    }
}

TEST_F(Responses, EveryFieldReachesTheModel) {
    Site site({says("ok")});
    const Json schema = {{"type", "object"}, {"properties", Json::object()}};
    const Json body = {{"model", "default"}, {"input", {{{"role", "user"}, {"content", "x"}}}}, {"temperature", 0.5}, {"top_p", 0.9}, {"top_k", 7}, {"seed", 1}, {"max_output_tokens", 33},
                       {"tools", {tool("weather"), tool("clock")}}, {"tool_choice", {{"type", "function"}, {"name", "clock"}}}, {"parallel_tool_calls", false},
                       {"reasoning", {{"effort", "low"}, {"summary", "auto"}}}, {"text", {{"format", {{"type", "json_schema"}, {"name", "n"}, {"schema", schema}}}, {"verbosity", "low"}}},
                       {"include", {"reasoning.encrypted_content"}}, {"user", "u"}, {"stream_options", {{"include_obfuscation", false}}}, {"background", false}};
    const Reply reply = site.ask("POST", kPath, body);
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_FALSE(reply.headers.contains("x-hearth-ignored-fields"));
    const auto sent = site.model->requests().at(0);
    EXPECT_EQ(sent.sampling.temperature, 0.5);
    EXPECT_EQ(sent.sampling.top_k, 7);
    EXPECT_EQ(sent.max_tokens, 33);
    EXPECT_EQ(sent.tools.size(), 2u);
    EXPECT_EQ(sent.tool_choice.name, "clock");
    EXPECT_EQ(sent.tool_choice.most, 1);
    EXPECT_TRUE(sent.enable_thinking);
    EXPECT_EQ(Json(sent.response_schema.value()), schema);
    const Json answer = reply.json();
    EXPECT_EQ(answer["text"], body["text"]);
    EXPECT_EQ(answer["tool_choice"], body["tool_choice"]);
    EXPECT_EQ(answer["parallel_tool_calls"], false);
    EXPECT_EQ(answer["reasoning"]["effort"], "low");
}

TEST_F(Responses, AnAgentsConversationGoesOn) {
    for (const bool stream : {false, true}) {
        Site site({says("one"), says("two"), says("three")});
        const auto ask = [&](Json more) {
            more["stream"] = stream;
            const Reply reply = site.ask("POST", kPath, asking(more, "hearth/dev"));
            EXPECT_EQ(reply.status, 200) << reply.body;
            const Json answer = stream ? events_of(reply.body).back().json()["response"] : reply.json();
            EXPECT_EQ(answer["id"], "resp_" + reply.headers.at("x-hearth-run"));
            EXPECT_EQ(answer["metadata"]["hearth_run_id"], reply.headers.at("x-hearth-run"));
            EXPECT_EQ(answer["hearth"]["conversation_id"], reply.headers.at("x-hearth-conversation"));
            return answer;
        };
        const Json first = ask({{"input", "first"}, {"instructions", "speak Norwegian"}, {"metadata", {{"a", "b"}}}});
        EXPECT_EQ(first["metadata"]["a"], "b");
        EXPECT_EQ(first["output"][0]["content"][0]["text"], "one");
        const Json second = ask({{"input", "second"}, {"previous_response_id", first["id"]}});
        EXPECT_EQ(second["hearth"]["conversation_id"], first["hearth"]["conversation_id"]);
        const auto requests = site.model->requests();
        EXPECT_EQ(requests.at(0).messages.back().text(), "speak Norwegian\n\nfirst") << "as the person's words, not as the system's";
        EXPECT_EQ(requests.at(1).messages.back().text(), "second");
        std::string all;
        for (const auto& message : requests.at(1).messages) all += message.text();
        EXPECT_NE(all.find("first"), std::string::npos);
        EXPECT_EQ(all.find("Norwegian"), std::string::npos) << "instructions do not carry over";
        EXPECT_EQ(site.ask("GET", kPath + ("/" + second["id"].get<std::string>())).json(), second);

        const Reply behind = site.ask("POST", kPath, asking({{"previous_response_id", first["id"]}}, "hearth/dev"));
        EXPECT_EQ(behind.status, 409);
        EXPECT_NE(behind.message().find(second["id"].get<std::string>()), std::string::npos) << behind.message();
        // A bare model takes the whole of it.
        EXPECT_EQ(site.ask("POST", kPath, asking({{"previous_response_id", second["id"]}})).status, 200);
        EXPECT_EQ(site.model->requests().at(2).messages.size(), 5u);
    }
}

TEST_F(Responses, WhatAnAgentSaysAtItsWorkIsNotItsAnswer) {
    for (const bool stream : {false, true}) {
        router::ScriptedReply looks = calls({{"c1", "list_dir", R"({"path":"."})"}});
        looks.text = "I look.";
        Site site({looks, says("Nothing here."), says("ok")});
        const Reply reply = site.ask("POST", kPath, asking({{"stream", stream}}, "hearth/dev"));
        const Json answer = stream ? events_of(reply.body).back().json()["response"] : reply.json();
        ASSERT_EQ(answer["output"].size(), 2u) << reply.body;
        EXPECT_EQ(answer["output"][0]["phase"], "commentary");
        EXPECT_EQ(answer["output"][0]["content"][0]["text"], "I look.");
        EXPECT_EQ(answer["output"][1]["content"][0]["text"], "Nothing here.");
        EXPECT_FALSE(answer["output"][1].contains("phase"));
        site.ask("POST", kPath, asking({{"previous_response_id", answer["id"]}}));
        EXPECT_EQ(site.model->requests().back().messages.at(1).text(), "I look.\n\nNothing here.") << "one turn of the model";
    }
}

TEST_F(Responses, AnAgentGoesOnFromABareModel) {
    Site site({says("one"), says("two")});
    const Json first = site.ask("POST", kPath, asking({{"input", "first"}})).json();
    const Reply second = site.ask("POST", kPath, asking({{"input", "second"}, {"previous_response_id", first["id"]}}, "hearth/dev"));
    ASSERT_EQ(second.status, 200) << second.body;
    const auto run = site.ask("GET", "/v1/runs/" + second.headers.at("x-hearth-run")).json();
    ASSERT_EQ(run["messages"].size(), 4u);
    EXPECT_EQ(run["messages"][1]["content"], "one");
}

TEST_F(Responses, TheClientsToolsOfAnAgentGoRound) {
    for (const bool stream : {false, true}) {
        Site site({calls({{"c1", "list_dir", R"({"path":"."})"}}), calls({{"c2", "weather", R"({"city":"Oslo"})"}}), says("Cold.")});
        Json body = asking({{"tools", {tool("weather")}}, {"stream", stream}}, "hearth/dev");
        const Reply reply = site.ask("POST", kPath, body);
        ASSERT_EQ(reply.status, 200) << reply.body;
        const Json first = stream ? events_of(reply.body).back().json()["response"] : reply.json();
        EXPECT_EQ(first["status"], "completed");
        ASSERT_EQ(first["output"].size(), 1u) << "a tool of the agent's own is nothing for the client to answer" << first;
        EXPECT_EQ(first["output"][0]["type"], "function_call");
        EXPECT_EQ(first["output"][0]["name"], "weather");
        EXPECT_EQ(first["hearth"]["state"], "waiting_client");
        EXPECT_EQ(first["hearth"]["tools"], Json::array({{{"name", "list_dir"}, {"ok", true}}}));
        const Json output = output_of(first["output"][0]["call_id"], "3 degrees");
        EXPECT_EQ(site.ask("POST", kPath, asking({{"input", {output_of("c9", "x")}}, {"previous_response_id", first["id"]}}, "hearth/dev")).param(), "input[0].call_id");
        body.update({{"input", {output}}, {"previous_response_id", first["id"]}});
        const Reply second = site.ask("POST", kPath, body);
        ASSERT_EQ(second.status, 200) << second.body;
        const Json done = stream ? events_of(second.body).back().json()["response"] : second.json();
        EXPECT_EQ(done["output"][0]["content"][0]["text"], "Cold.");
        EXPECT_EQ(done["hearth"]["state"], "answered");
    }
}

TEST_F(Responses, AnAgentsResponseIsThereFromItsBeginningAndEndsWithItsRun) {
    router::ScriptedReply slow = says("one two three four");
    slow.delta_delay = std::chrono::milliseconds(150);
    Site site({slow, says("later")});
    Client client = Client::tcp(site.http->port());
    client.send(support::request_text("POST", kPath, base::dump(asking({{"stream", true}}, "hearth/dev")), site.key));
    const std::string begun = client.read_until("one");
    const std::string id = begun.substr(begun.find("resp_"), 41), path = kPath + ("/" + id);
    EXPECT_EQ(site.ask("GET", path).json()["status"], "in_progress");
    client.leave();
    for (int i = 0; i < 500 && site.ask("GET", path).json()["status"] != "completed"; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    Json ended = site.ask("GET", path).json();
    EXPECT_EQ(ended["output"][0]["content"][0]["text"], "one two three four");
    // As it is left by a process that goes away before the run's end.
    for (int i = 0; i < 500 && site.agents->active() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    Json left = ended;
    left.update({{"status", "in_progress"}, {"output", Json::array()}, {"usage", nullptr}, {"completed_at", nullptr}});
    site.database->sql("update response set body = $body$" + base::dump(left) + "$body$ where id = '" + id.substr(5) + "'");
    const Json found = site.ask("GET", path).json();
    for (const char* field : {"status", "output", "usage"}) EXPECT_EQ(found[field], ended[field]) << field;
    EXPECT_EQ(found["hearth"]["state"], "answered");
    EXPECT_EQ(site.ask("POST", kPath, asking({{"previous_response_id", id}}, "hearth/dev")).status, 200);
}

TEST_F(Responses, ARunWithoutAnAnswerIsAnErrorAndAFailedResponse) {
    for (const bool stream : {false, true}) {
        router::ScriptedReply broken;
        broken.error = base::error(base::Code::unavailable, "out of reach");
        Site site({broken, broken});
        const Reply reply = site.ask("POST", kPath, asking({{"stream", stream}}, "hearth/dev"));
        EXPECT_EQ(reply.status, stream ? 200 : 503) << reply.body;
        EXPECT_EQ(stream ? events_of(reply.body).back().name : "response.failed", "response.failed") << reply.body;
        const Json kept = site.ask("GET", kPath + ("/resp_" + reply.headers.at("x-hearth-run"))).json();
        EXPECT_EQ(kept["status"], "failed");
        EXPECT_EQ(kept["error"]["code"], "server_error");
    }
}

TEST_F(Responses, AClientThatLeavesStopsItsModelAndKeepsNothing) {
    router::ScriptedReply slow = says("one two three four five six seven eight nine ten eleven twelve");
    slow.delta_delay = std::chrono::milliseconds(300);
    Site site({slow});
    const std::string before = site.database->sql("select count(*) from response");
    {
        Client client = Client::tcp(site.http->port());
        client.send(support::request_text("POST", kPath, base::dump(asking({{"stream", true}})), site.key));
        client.read_until("one");
        client.leave();
    }
    for (int i = 0; i < 500 && site.model->cancelled() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(site.model->cancelled(), 1);
    EXPECT_EQ(site.database->sql("select count(*) from response"), before);
}

}  // namespace
}  // namespace server::testing
