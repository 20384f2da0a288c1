// POST /v1/chat/completions with a bare model: OpenAI's shapes, whole and streamed.
#include "site_test.h"

namespace server::testing {
namespace {

using OpenAiApi = SiteTest;
constexpr const char* kPath = "/v1/chat/completions";

Json asking(Json more = Json::object()) {
    Json body = chat("default", {user("hi")});
    body.update(more);
    return body;
}

TEST_F(OpenAiApi, AnswersInOpenAisShape) {
    router::ScriptedReply reply = says("Hello, dear friend.");
    reply.reasoning = "A greeting.";
    Site site({reply, says("Hello."), reply});
    const Json answer = site.ask("POST", kPath, asking()).json();
    EXPECT_TRUE(answer["id"].get<std::string>().starts_with("chatcmpl-"));
    EXPECT_EQ(answer["object"], "chat.completion");
    EXPECT_GT(answer["created"], 1700000000);
    EXPECT_EQ(answer["model"], "default");
    ASSERT_EQ(answer["choices"].size(), 1u);
    EXPECT_EQ(answer["choices"][0]["message"], Json({{"role", "assistant"}, {"content", "Hello, dear friend."}, {"reasoning_content", "A greeting."}}));
    EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
    EXPECT_EQ(answer["usage"]["completion_tokens"], 3);
    EXPECT_EQ(answer["usage"]["total_tokens"], answer["usage"]["prompt_tokens"].get<int>() + 3);
    EXPECT_FALSE(site.ask("POST", kPath, asking()).json()["choices"][0]["message"].contains("reasoning_content"));
    EXPECT_FALSE(site.ask("POST", kPath, asking({{"include_reasoning", false}})).json()["choices"][0]["message"].contains("reasoning_content"));
}

TEST_F(OpenAiApi, StreamsTheSameInChunks) {
    router::ScriptedReply reply = says("Hello, dear friend.");
    reply.reasoning = "A greeting.";
    Site site({reply, reply, reply});
    const Reply got = site.ask("POST", kPath, asking({{"stream", true}}));
    EXPECT_EQ(got.headers.at("content-type"), "text/event-stream; charset=utf-8");
    const auto events = events_of(got.body);
    ASSERT_EQ(events.size(), 7u) << got.body;
    EXPECT_EQ(events.back().data, "[DONE]");
    EXPECT_EQ(events[0].json()["choices"][0]["delta"], Json({{"role", "assistant"}, {"content", ""}}));
    EXPECT_EQ(events[1].json()["choices"][0]["delta"], Json({{"reasoning_content", "A greeting."}}));
    std::string text;
    for (std::size_t i = 2; i < 5; ++i) {
        const Json chunk = events[i].json();
        EXPECT_EQ(chunk["object"], "chat.completion.chunk");
        EXPECT_EQ(chunk["id"], events[0].json()["id"]);
        EXPECT_EQ(chunk["choices"][0]["finish_reason"], nullptr);
        EXPECT_FALSE(chunk.contains("usage"));
        text += chunk["choices"][0]["delta"]["content"].get<std::string>();
    }
    EXPECT_EQ(text, "Hello, dear friend.");
    EXPECT_EQ(events[5].json()["choices"][0]["finish_reason"], "stop");

    const auto counted = events_of(site.ask("POST", kPath, asking({{"stream", true}, {"stream_options", {{"include_usage", true}}}})).body);
    ASSERT_EQ(counted.size(), 8u);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(counted[i].json().at("usage"), nullptr);
    EXPECT_EQ(counted[6].json()["choices"], Json::array());
    EXPECT_EQ(counted[6].json()["usage"]["completion_tokens"], 3);
    EXPECT_EQ(site.ask("POST", kPath, asking({{"stream", true}, {"include_reasoning", false}})).body.find("reasoning"), std::string::npos);
}

TEST_F(OpenAiApi, ToolCallsAreStreamedByteForByte) {
    const std::string arguments = R"({ "city":"Oslo","deg" : 1.50, "b":1, "a":2 })";
    const std::vector<router::ToolCall> both = {{"c1", "weather", arguments}, {"c2", "weather", "{}"}};
    Site site({calls(both), calls(both)});
    const Json body = asking({{"tools", {function("weather")}}});
    const Json choice = site.ask("POST", kPath, body).json()["choices"][0];
    EXPECT_EQ(choice["finish_reason"], "tool_calls");
    EXPECT_EQ(choice["message"]["content"], nullptr);
    ASSERT_EQ(choice["message"]["tool_calls"].size(), 2u);
    EXPECT_EQ(choice["message"]["tool_calls"][0],
              Json({{"id", "c1"}, {"type", "function"}, {"function", {{"name", "weather"}, {"arguments", arguments}}}}));

    Json streamed = body;
    streamed["stream"] = true;
    std::map<int, std::string> ids, names, texts;
    std::string finish;
    for (const auto& event : events_of(site.ask("POST", kPath, streamed).body)) {
        if (event.data == "[DONE]") break;
        const Json one = event.json()["choices"][0];
        if (one["finish_reason"].is_string()) finish = one["finish_reason"];
        for (const auto& call : one["delta"].value("tool_calls", Json::array())) {
            const int index = call["index"];
            if (call.contains("id")) ids[index] = call["id"];
            names[index] += call["function"].value("name", "");
            texts[index] += call["function"].value("arguments", "");
        }
    }
    EXPECT_EQ(finish, "tool_calls");
    EXPECT_EQ(ids, (std::map<int, std::string>{{0, "c1"}, {1, "c2"}}));
    EXPECT_EQ(names[0], "weather");
    EXPECT_EQ(texts[0], arguments);
    EXPECT_EQ(texts[1], "{}");
}

TEST_F(OpenAiApi, EveryFieldReachesTheModel) {
    Site site({says("ok")});
    Json tools = {function("weather"), function("clock")};
    const Json body = {{"model", "default"}, {"temperature", 0.5}, {"top_p", 0.9}, {"top_k", 7}, {"min_p", 0.1}, {"presence_penalty", 1}, {"frequency_penalty", -1},
                       {"repetition_penalty", 1.1}, {"seed", 0}, {"logit_bias", {{"5", -100}}}, {"max_completion_tokens", 33}, {"stop", {"a", "b"}},
                       {"tools", tools}, {"tool_choice", {{"type", "function"}, {"function", {{"name", "clock"}}}}}, {"parallel_tool_calls", false},
                       {"reasoning_effort", "low"}, {"n", 1}, {"user", "u"}, {"modalities", {"text"}},
                       {"messages", {{{"role", "developer"}, {"content", "be brief"}}, {{"role", "user"}, {"content", {{{"type", "text"}, {"text", "a"}}, {{"type", "text"}, {"text", "b"}}}}}}}};
    const Reply reply = site.ask("POST", kPath, body);
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_FALSE(reply.headers.contains("x-hearth-ignored-fields"));
    const auto sent = site.model->requests().at(0);
    EXPECT_EQ(sent.sampling.temperature, 0.5);
    EXPECT_EQ(sent.sampling.top_p, 0.9);
    EXPECT_EQ(sent.sampling.top_k, 7);
    EXPECT_EQ(sent.sampling.min_p, 0.1);
    EXPECT_EQ(sent.sampling.presence_penalty, 1.0);
    EXPECT_EQ(sent.sampling.frequency_penalty, -1.0);
    EXPECT_EQ(sent.sampling.repetition_penalty, 1.1);
    EXPECT_EQ(sent.sampling.seed, 0u);
    EXPECT_EQ(sent.sampling.logit_bias, (std::map<int, double>{{5, -100.0}}));
    EXPECT_EQ(sent.max_tokens, 33);
    EXPECT_EQ(sent.stop_texts, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(sent.tools.size(), 2u);
    EXPECT_EQ(sent.tool_choice.kind, router::ToolChoice::Kind::named);
    EXPECT_EQ(sent.tool_choice.name, "clock");
    EXPECT_EQ(sent.tool_choice.most, 1);
    EXPECT_TRUE(sent.enable_thinking);
    EXPECT_EQ(sent.messages.at(0).role, router::MessageRole::system);
    EXPECT_EQ(sent.messages.at(1).text(), "ab");
}

TEST_F(OpenAiApi, UnknownFieldsAreIgnoredAndNamed) {
    Site site({says("ok"), says("ok")});
    const Reply reply = site.ask("POST", kPath, asking({{"sparkle", true}, {"zest", {1}}, {"bad\r\nname", 1}}));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("x-hearth-ignored-fields"), "sparkle, zest");
    EXPECT_EQ(site.ask("POST", kPath, asking({{"stream", true}, {"sparkle", true}})).headers.at("x-hearth-ignored-fields"), "sparkle");
}

TEST_F(OpenAiApi, WordsThatJsonSchemaDoesNotHaveAreRefusedOrNamed) {
    Site site({says("ok")});
    const Json schema = {{"type", "object"}, {"properties", {{"a/b", {{"type", "string"}, {"maxLenght", 5}}}}}};
    const auto tool = [&](Json strict) { return Json{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", schema}, {"strict", strict}}}}; };
    for (const bool stream : {false, true}) {
        const Reply format = site.ask("POST", kPath, asking({{"stream", stream}, {"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "n"}, {"schema", schema}}}}}}));
        EXPECT_EQ(format.status, 400);
        EXPECT_EQ(format.param(), "response_format.json_schema.schema");
        EXPECT_NE(format.message().find("\"/properties/a~1b/maxLenght\""), std::string::npos) << format.message();
        EXPECT_NE(format.message().find("\"maxLength\""), std::string::npos) << format.message();
        const Reply strict = site.ask("POST", kPath, asking({{"stream", stream}, {"tools", {function("g"), tool(true)}}}));
        EXPECT_EQ(strict.status, 400);
        EXPECT_EQ(strict.param(), "tools[1].function.parameters");
    }
    EXPECT_TRUE(site.model->requests().empty());
    const Reply loose = site.ask("POST", kPath, asking({{"tools", {function("g"), tool(nullptr)}}}));
    EXPECT_EQ(loose.status, 200);
    EXPECT_EQ(loose.headers.at("x-hearth-ignored-fields"), "tools[1].function.parameters/properties/a~1b/maxLenght");
    EXPECT_EQ(Json(site.model->requests().at(0).tools[1].parameters), schema) << "the model sees what was sent";
}

TEST_F(OpenAiApi, TheSchemaTrueIsAnyValueAndFalseIsRefused) {
    const auto format = [](Json schema) { return Json{{"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "n"}, {"schema", std::move(schema)}}}}}}; };
    const std::vector<Json> open = {format(true), {{"guided_json", true}}, {{"guided_json", "true"}}, {{"json_schema", true}}, {{"structured_outputs", {{"json", true}}}}};
    Site site(std::vector<router::ScriptedReply>(open.size(), says("7")));
    for (const Json& more : open) {
        ASSERT_EQ(site.ask("POST", kPath, asking(more)).status, 200) << more;
        EXPECT_EQ(Json(site.model->requests().back().response_schema.value()), Json::object()) << more;
    }
    const std::pair<const char*, Json> shut[] = {{"response_format.json_schema.schema", format(false)}, {"guided_json", {{"guided_json", false}}}, {"structured_outputs.json", {{"structured_outputs", {{"json", "false"}}}}}};
    for (const auto& [param, more] : shut) {
        const Reply reply = site.ask("POST", kPath, asking(more));
        EXPECT_EQ(reply.status, 400) << more;
        EXPECT_EQ(reply.param(), param) << more;
        EXPECT_NE(reply.message().find("is false, which no value satisfies"), std::string::npos) << reply.message();
    }
    EXPECT_EQ(site.model->requests().size(), open.size());
}

TEST_F(OpenAiApi, ASchemaThatNoGrammarHoldsIsNamedByItsField) {
    const auto refusing = [](const char* message) {
        router::ScriptedReply reply;
        reply.error = base::error(base::Code::unsupported, message);
        return reply;
    };
    const char* format = "response_format: JSON schema as grammar: at \"/items\": \u2026";
    const char* tool = "the tool 'g' is strict, and its arguments cannot be held to its schema: \u2026";
    Site site({refusing(format), refusing(tool), refusing(format), refusing(tool), refusing("other")});
    for (const bool stream : {false, true})
        for (const char* param : {"response_format.json_schema.schema", "tools[1].function.parameters"}) {
            const Reply reply = site.ask("POST", kPath, asking({{"stream", stream}, {"tools", {function("f"), function("g")}}}));
            EXPECT_EQ(reply.status, 400);
            EXPECT_EQ(reply.param(), param);
        }
    EXPECT_EQ(site.ask("POST", kPath, asking({{"tools", {function("f")}}})).json()["error"]["param"], nullptr);
}

TEST_F(OpenAiApi, TakesWhatBindsAnAnswerAsClientsOfOtherServersSendIt) {
    using Kind = text::GivenRules::Kind;
    const Json schema = {{"type", "object"}, {"properties", {{"a", {{"type", "integer"}}}}}};
    const std::vector<std::pair<Json, text::GivenRules>> rules = {
        {{{"structured_outputs", {{"regex", "[a-z]+"}, {"json", nullptr}, {"whitespace_pattern", " "}}}}, {Kind::regex, {"[a-z]+"}}},
        {{{"guided_regex", "[a-z]+"}, {"guided_json", nullptr}}, {Kind::regex, {"[a-z]+"}}},
        {{{"structured_outputs", {{"grammar", "root ::= \"a\""}}}}, {Kind::ebnf, {"root ::= \"a\""}}},
        {{{"guided_grammar", "root ::= \"a\""}}, {Kind::ebnf, {"root ::= \"a\""}}},
        {{{"grammar", "root ::= \"a\""}, {"response_format", {{"type", "text"}}}}, {Kind::ebnf, {"root ::= \"a\""}}},
        {{{"structured_outputs", {{"choice", {"yes", "no"}}}}}, {Kind::choice, {"yes", "no"}}},
        {{{"guided_choice", {"yes", "no"}}}, {Kind::choice, {"yes", "no"}}}};
    const std::vector<Json> schemas = {{{"structured_outputs", {{"json", schema}, {"json_object", false}}}}, {{"structured_outputs", {{"json", schema.dump()}}}}, {{"guided_json", schema}},
                                       {{"guided_json", schema.dump()}}, {{"json_schema", schema}}};
    Site site(std::vector<router::ScriptedReply>(rules.size() + schemas.size() + 1, says("ok")));
    for (const auto& [more, wanted] : rules) {
        const Reply reply = site.ask("POST", kPath, asking(more));
        ASSERT_EQ(reply.status, 200) << more << reply.body;
        EXPECT_EQ(site.model->requests().back().response_rules, wanted) << more;
        const bool told = reply.headers.contains("x-hearth-ignored-fields");
        EXPECT_EQ(told ? reply.headers.at("x-hearth-ignored-fields") : "", more.dump().find("whitespace") == std::string::npos ? "" : "structured_outputs.whitespace_pattern");
    }
    for (const Json& more : schemas) {
        ASSERT_EQ(site.ask("POST", kPath, asking(more)).status, 200) << more;
        EXPECT_EQ(Json(site.model->requests().back().response_schema.value()), schema) << more;
    }
    ASSERT_EQ(site.ask("POST", kPath, asking({{"structured_outputs", {{"json_object", true}}}})).status, 200);
    EXPECT_TRUE(site.model->requests().back().json_object);
}

TEST_F(OpenAiApi, RefusesTwoBindingsAndWrongOnesByTheirPaths) {
    Site site;
    const Json object = {{"type", "json_object"}};
    const std::tuple<Json, const char*, const char*> two[] = {
        {{{"response_format", object}, {"guided_regex", "a"}}, "guided_regex", "response_format"},
        {{{"response_format", object}, {"structured_outputs", {{"choice", {"a"}}}}}, "structured_outputs.choice", "response_format"},
        {{{"structured_outputs", {{"choice", {"a"}}, {"regex", "a"}}}}, "structured_outputs.choice", "structured_outputs.regex"},
        {{{"grammar", "root ::= \"a\""}, {"json_schema", {{"type", "object"}}}}, "json_schema", "grammar"}};
    for (const auto& [more, param, other] : two)
        for (const bool stream : {false, true}) {
            Json body = asking(more);
            body["stream"] = stream;
            const Reply reply = site.ask("POST", kPath, body);
            EXPECT_EQ(reply.status, 400) << more;
            EXPECT_EQ(reply.param(), param) << more;
            EXPECT_NE(reply.message().find(param), std::string::npos) << reply.message();
            EXPECT_NE(reply.message().find(other), std::string::npos) << reply.message();
        }
    const std::pair<const char*, Json> wrong[] = {
        {"structured_outputs", {{"structured_outputs", 5}}}, {"structured_outputs.regex", {{"structured_outputs", {{"regex", 5}}}}}, {"structured_outputs.choice", {{"structured_outputs", {{"choice", Json::array()}}}}},
        {"structured_outputs.json_object", {{"structured_outputs", {{"json_object", "yes"}}}}}, {"structured_outputs.structural_tag", {{"structured_outputs", {{"structural_tag", "{}"}}}}},
        {"guided_choice", {{"guided_choice", {"a", 5}}}}, {"guided_json", {{"guided_json", "{"}}}, {"guided_json", {{"guided_json", "[]"}}}, {"guided_grammar", {{"guided_grammar", ""}}},
        {"json_schema", {{"json_schema", {{"type", "object"}, {"propertys", 1}}}}}, {"grammar", {{"grammar", {"a"}}}}};
    for (const auto& [param, more] : wrong) {
        const Reply reply = site.ask("POST", kPath, asking(more));
        EXPECT_EQ(reply.status, 400) << more;
        EXPECT_EQ(reply.param(), param) << more << reply.message();
    }
    EXPECT_TRUE(site.model->requests().empty());
    router::ScriptedReply refusal;
    refusal.error = base::error(base::Code::invalid_argument, "response_format: grammar, line 1, column 3: \u2026");
    Site refusing({refusal, refusal});
    for (const bool stream : {false, true}) {
        const Reply reply = refusing.ask("POST", kPath, asking({{"stream", stream}, {"structured_outputs", {{"grammar", "ro"}}}}));
        EXPECT_EQ(reply.status, 400);
        EXPECT_EQ(reply.param(), "structured_outputs.grammar");
        EXPECT_TRUE(reply.message().starts_with("structured_outputs.grammar: grammar, line 1")) << reply.message();
    }
}

TEST_F(OpenAiApi, WhatIsKnownAndNotSupportedIsRefusedByName) {
    Site site;
    const std::pair<const char*, Json> fields[] = {{"functions", {{{"name", "f"}}}}, {"function_call", "auto"}, {"logprobs", true}, {"top_logprobs", 3}, {"n", 2},
                                                   {"audio", {{"voice", "x"}}}, {"modalities", {"audio"}}, {"prediction", {{"type", "content"}}}, {"web_search_options", Json::object()}};
    for (const auto& [field, value] : fields) {
        const Reply reply = site.ask("POST", kPath, asking({{field, value}}));
        EXPECT_EQ(reply.status, 400) << field;
        EXPECT_EQ(reply.param(), field);
        EXPECT_NE(reply.message().find(field), std::string::npos);
    }
    EXPECT_TRUE(site.model->requests().empty());
}

TEST_F(OpenAiApi, WrongValuesAreRefusedByName) {
    Site site;
    const Json image = {{{"type", "image_url"}, {"image_url", {{"url", "x"}}}}};
    const std::pair<const char*, Json> fields[] = {
        {"messages", Json::array()}, {"messages", "hi"}, {"messages", {{{"role", "robot"}, {"content", "x"}}}}, {"messages", {{{"role", "user"}}}},
        {"messages", {{{"role", "user"}, {"content", nullptr}}}}, {"messages", {{{"role", "user"}, {"content", image}}}},
        {"messages", {{{"role", "tool"}, {"content", "x"}}}}, {"temperature", 3}, {"temperature", "hot"}, {"top_p", -0.1}, {"top_k", -1}, {"min_p", 2},
        {"max_tokens", 0}, {"max_completion_tokens", 1.5}, {"stream", "yes"}, {"stream_options", true}, {"stop", {""}}, {"stop", 5}, {"seed", 1.5}, {"seed", "x"},
        {"logit_bias", {{"x", 1}}}, {"logit_bias", {{"5", 101}}}, {"logit_bias", {{"-1", 1}}}, {"logit_bias", {{" 5", 1}}}, {"n", 0},
        {"tools", {{{"type", "function"}}}}, {"tools", {function("a"), function("a")}}, {"tools", {function("a b")}}, {"tools", {{{"type", "custom"}}}},
        {"tool_choice", "required"}, {"tool_choice", "never"}, {"tool_choice", {{"type", "function"}, {"function", {{"name", "absent"}}}}},
        {"response_format", {{"type", "xml"}}}, {"response_format", {{"type", "json_schema"}}}, {"reasoning_effort", "huge"}, {"model", nullptr}, {"model", 7}};
    for (const auto& [field, value] : fields)
        for (const bool stream : {false, true}) {
            Json body = asking({{"stream", stream}});
            body[field] = value;
            const Reply reply = site.ask("POST", kPath, body);
            EXPECT_EQ(reply.status, 400) << field << value;
            EXPECT_EQ(reply.param(), field) << value;
        }
    const Reply unknown = site.ask("POST", kPath, chat("gpt-9", {user("hi")}));
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown.code(), "model_not_found");
    EXPECT_EQ(unknown.param(), "model");
    EXPECT_TRUE(site.model->requests().empty());
}

TEST_F(OpenAiApi, ABodyThatIsNoJsonIsRefusedWithThePlace) {
    Site site;
    for (const std::string& body : {std::string("{\"model\": \n  tru"), std::string(), std::string("{} x"), std::string("\xff"), std::string("[1]"), std::string("{\"a\": 1e999}"),
                                    std::string(1000, '[')}) {
        for (const char* path : {"/v1/chat/completions", "/v0/dev/chat"}) {
            const Reply reply = site.ask_as(site.key, "POST", path, body);
            EXPECT_EQ(reply.status, 400) << body.substr(0, 20);
            EXPECT_FALSE(reply.message().empty());
        }
    }
    EXPECT_NE(site.ask_as(site.key, "POST", kPath, "{\"model\": \n  tru").message().find("line 2, column 6"), std::string::npos);
}

TEST_F(OpenAiApi, WhatFailsAtOnceIsNoStream) {
    router::ScriptedReply broken;
    broken.error = base::error(base::Code::invalid_argument, "the prompt has 9 tokens and the context 8");
    router::ScriptedReply busy;
    busy.error = base::error(base::Code::unavailable, "out of reach");
    Site site({broken, busy});
    const Reply reply = site.ask("POST", kPath, asking({{"stream", true}}));
    EXPECT_EQ(reply.status, 400);
    EXPECT_NE(reply.message().find("the context 8"), std::string::npos);
    const Reply later = site.ask("POST", kPath, asking({{"stream", true}}));
    EXPECT_EQ(later.status, 503);
    EXPECT_TRUE(later.headers.contains("retry-after"));
}

TEST_F(OpenAiApi, AModelThatLoadsAnswers503WithRetryAfter) {
    Site site;
    router::BackendStatus loading;
    loading.state = router::BackendStatus::State::loading;
    loading.stage = "weights";
    loading.fraction = 0.42;
    site.model->set_status(loading);
    for (const char* model : {"default", "hearth", "hearth/dev"})
        for (const bool stream : {false, true}) {
            Json body = chat(model, {user("hi")});
            body["stream"] = stream;
            const Reply reply = site.ask("POST", kPath, body);
            EXPECT_EQ(reply.status, 503) << model;
            EXPECT_TRUE(reply.headers.contains("retry-after"));
            EXPECT_NE(reply.message().find("42 %"), std::string::npos) << reply.body;
            EXPECT_FALSE(reply.headers.contains("x-hearth-run")) << "nothing was taken in";
        }
}

TEST_F(OpenAiApi, AClientThatLeavesStopsItsModel) {
    for (const bool stream : {false, true}) {
        router::ScriptedReply slow = says("one two three four five six seven eight nine ten eleven twelve");
        slow.delta_delay = std::chrono::milliseconds(300);
        Site site({slow});
        {
            Client client = Client::tcp(site.http->port());
            client.send(support::request_text("POST", kPath, base::dump(asking({{"stream", stream}})), site.key));
            if (stream) client.read_until("one");
            for (int i = 0; i < 500 && site.model->requests().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
            client.leave();
        }
        for (int i = 0; i < 500 && site.model->cancelled() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        EXPECT_EQ(site.model->cancelled(), 1) << stream;
    }
}

TEST_F(OpenAiApi, ModelsAreListedAndFound) {
    Site site;
    const Json list = site.ask("GET", "/v1/models").json();
    EXPECT_EQ(list["object"], "list");
    std::vector<std::string> ids;
    for (const auto& model : list["data"]) {
        ids.push_back(model["id"]);
        EXPECT_EQ(model["object"], "model");
        EXPECT_EQ(site.ask("GET", "/v1/models/" + ids.back()).json(), model);
    }
    EXPECT_EQ(ids, (std::vector<std::string>{"default", "hearth", "hearth/dev", "hearth/knowledge", "hearth/admin", "hearth/quality"}));
    EXPECT_EQ(site.ask("GET", "/v1/models/hearth%2Fdev").json()["id"], "hearth/dev");
    EXPECT_EQ(site.ask("GET", "/v1/models/gpt-9").status, 404);
    EXPECT_EQ(site.ask_as(site.make_key({"chat"}), "GET", "/v1/models/hearth/dev").status, 404);
}

}  // namespace
}  // namespace server::testing
