#include "router/types.h"

#include <gtest/gtest.h>

using base::OrderedJson;

TEST(Messages, OpenAiShapesRoundTrip) {
    const OrderedJson call = OrderedJson::parse(
        R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{\"command\":\"ls\"}"}}]})");
    auto message = router::message_from_json(call, 0);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->tool_calls.at(0).arguments, R"({"command":"ls"})");
    EXPECT_EQ(router::message_to_json(*message), call);

    const OrderedJson parts = OrderedJson::parse(
        R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})");
    EXPECT_EQ(router::message_from_json(parts, 0)->text(), "ab");
}

TEST(Messages, ToolOutputIsUntrusted) {
    auto message = router::message_from_json({{"role", "tool"}, {"content", "x"}, {"tool_call_id", "c1"}}, 0);
    ASSERT_TRUE(message);
    EXPECT_FALSE(message->trusted);
}

TEST(Messages, ErrorsNameTheIndexAndTheField) {
    auto message_of = [](const char* text) { return router::message_from_json(OrderedJson::parse(text), 3).error().message; };
    EXPECT_EQ(message_of(R"({"role":"king","content":"x"})"),
              "messages[3].role must be system, developer, user, assistant or tool, found 'king'");
    EXPECT_EQ(message_of(R"({"role":"user"})"), "messages[3].content is missing");
    EXPECT_EQ(message_of(R"({"role":"user","content":7})"), "messages[3].content must be a string or a list of parts, found number");
    EXPECT_EQ(message_of(R"({"role":"user","content":null})"), "messages[3].content must be a string or a list of parts, found null");
    EXPECT_EQ(message_of(R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}}]})"),
              "messages[3].content[1] is of type 'image_url'; text is all that is read here");
    EXPECT_EQ(message_of(R"({"role":"user","content":[{"type":"text","text":7}]})"), "messages[3].content[0].text must be a string");
    EXPECT_EQ(message_of(R"({"role":"user","content":["a"]})"), "messages[3].content[0] is of type ''; text is all that is read here");
    EXPECT_EQ(message_of(R"({"role":"user","content":"x","name":7})"), "messages[3].name must be a string, found number");
    EXPECT_EQ(message_of(R"({"role":"user","content":"x","tool_calls":[{}]})"), "messages[3].tool_calls belongs to messages of the role assistant");
    EXPECT_EQ(message_of(R"({"role":"assistant","tool_calls":[{"function":{"name":"f"}},{"function":{}}]})"),
              "messages[3].tool_calls[1].function.name is missing");
    EXPECT_EQ(message_of(R"({"role":"assistant","tool_calls":[{"type":"custom","function":{"name":"f"}}]})"),
              "messages[3].tool_calls[0].type is 'custom'; only function is known");
    EXPECT_EQ(message_of(R"({"role":"tool","content":"x"})"),
              "messages[3].tool_call_id is missing: a tool message answers a call");
    EXPECT_EQ(message_of(R"(["x"])"), "messages[3] must be an object");
}

TEST(Tools, NeedNameAndObject) {
    EXPECT_FALSE(router::tools_from_json(OrderedJson::parse(R"([{"type":"function","function":{}}])")));
    EXPECT_FALSE(router::tools_from_json(OrderedJson::parse(R"({"a":1})")));
    auto tools = router::tools_from_json(OrderedJson::parse(
        R"([{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}])"));
    ASSERT_TRUE(tools);
    EXPECT_EQ(tools->at(0).name, "f");
    EXPECT_EQ(tools->at(0).strict, std::nullopt);
    const auto strict = [](const char* value) {
        return router::tools_from_json(OrderedJson::parse(std::string(R"([{"type":"function","function":{"name":"f","strict":)") + value + "}}]"));
    };
    EXPECT_EQ(strict("true")->at(0).strict, true);
    EXPECT_EQ(strict("false")->at(0).strict, false);
    EXPECT_EQ(strict("null")->at(0).strict, std::nullopt);
    EXPECT_NE(strict("1").error().message.find("tools[0].function.strict"), std::string::npos);
}

TEST(Tools, NamesAreUniqueAndPlain) {
    auto refused = [](const std::string& a, const std::string& b) {
        OrderedJson tools = OrderedJson::array();
        for (const auto& name : {a, b}) tools.push_back({{"type", "function"}, {"function", {{"name", name}}}});
        const auto read = router::tools_from_json(tools);
        return read ? std::string() : read.error().message;
    };
    EXPECT_EQ(refused("get_time", "mcp:files/read.v1-b"), "");
    EXPECT_EQ(refused("f", "f"), "tools[1].function.name is 'f' for the second time");
    for (const std::string& name : {std::string("a b"), std::string("a\nb"), std::string("\"a\""), std::string("<f>"), std::string(129, 'a')})
        EXPECT_NE(refused("f", name).find("tools[1].function.name is '" + name + "'"), std::string::npos) << name;
}
