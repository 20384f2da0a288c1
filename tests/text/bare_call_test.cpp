// A message that is nothing but the JSON of a call, without the markup of any dialect.
#include <gtest/gtest.h>

#include "parsed.h"

namespace text {
namespace {

ParserOptions options_of(const std::string& dialect) {
    ParserOptions options;
    options.dialect = dialect;
    options.tools = base::parse_ordered_json(R"([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
        {"name": "say \"hi\" in é"}, {"name": "web"}])").value();
    return options;
}

std::vector<std::string> dialects_with_calls() {
    std::vector<std::string> out;
    for (const std::string& name : dialects())
        if (name != "none" && name != "harmony") out.push_back(name);
    return out;
}

TEST(BareCall, IsACallInEveryDialectAndEveryChunking) {
    const std::tuple<const char*, const char*, const char*> messages[] = {
        {R"({"name": "weather", "arguments": {"city": "Rome"}})", "weather", R"({"city": "Rome"})"},
        {"\n  {\"name\":\"web\",\"parameters\":{}}\n", "web", "{}"},
        {"{\n  \"name\" : \"weather\" ,\n  \"arguments\" : { \"a\": [1, -2.5e3, true, null, \"}\\\"\\u00e9 é\"], \"b\": {\"c\": {}} }\n}", "weather",
         "{ \"a\": [1, -2.5e3, true, null, \"}\\\"\\u00e9 é\"], \"b\": {\"c\": {}} }"},
        {"```json\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n```", "weather", R"({"city": "Rome"})"},
        {"```\n{\"name\": \"web\", \"arguments\": {\"fence\": \"```\"}}\n```\n\n", "web", "{\"fence\": \"```\"}"},
        {R"({"name": "say \"hi\" in é", "arguments": {}})", R"(say "hi" in é)", "{}"},
    };
    std::mt19937 random(5);
    for (const std::string& dialect : dialects_with_calls())
        for (const auto& [message, name, arguments] : messages) {
            SCOPED_TRACE(dialect + ": " + message);
            const auto got = parse_any_way(options_of(dialect), message, random, 6);
            EXPECT_EQ(shown(got), std::string("content=|reasoning=|") + name + arguments);
            const auto thought = parse_any_way(options_of("hermes"), std::string("<think>\nhm\n</think>\n\n") + message, random, 3);
            EXPECT_EQ(shown(thought), std::string("content=|reasoning=hm|") + name + arguments);
        }
}

TEST(BareCall, MayNameItsToolLast) {
    std::mt19937 random(5);
    const auto got = parse_any_way(options_of("hermes"), R"({"arguments": {"city": "Rome"}, "name": "weather"})", random);
    EXPECT_EQ(shown(got), R"(content=|reasoning=|weather{"city": "Rome"})");
}

// Each is no call for one reason of its own.
const char* const answers[] = {
    R"({"name": "radio", "arguments": {}})",
    R"({"name": "weathe", "arguments": {}})",
    R"({"name": "weather"})",
    R"({"name": "weather", "arguments": {}, "id": 1})",
    R"({"name": "weather", "arguments": {}, "parameters": {}})",
    R"({"name": "weather", "arguments": [1]})",
    R"({"name": "weather", "arguments": "{}"})",
    R"({"name": "weather", "arguments": {"city": Rome}})",
    R"({"name": "weather", "arguments": {"city": "Rome",}})",
    R"({"name": "weather", "arguments": {"city": "Rome"})",
    R"({"name": "weather", "arguments": {}} and more)",
    R"({"name": "weather", "arguments": {}}{"name": "web", "arguments": {}})",
    R"([{"name": "weather", "arguments": {}}])",
    R"(Here: {"name": "weather", "arguments": {}})",
    "```json\n{\"name\": \"weather\", \"arguments\": {}}\n",
    "```json\n{\"name\": \"weather\", \"arguments\": {}}\n```\nThat calls it.",
    "```python\nweather(\"Rome\")\n```",
    "`weather`",
    "{}",
    R"({"city": "Rome"})",
};

TEST(BareCall, AnythingElseIsContentAndAllOfIt) {
    std::mt19937 random(6);
    for (const char* answer : answers) EXPECT_EQ(shown(parse_any_way(options_of("hermes"), answer, random)), std::string("content=") + answer + "|reasoning=");
}

TEST(BareCall, IsContentWhereNoneWasOfferedOrJsonWasAskedFor) {
    const std::string message = R"({"name": "weather", "arguments": {"city": "Rome"}})";
    ParserOptions none_wanted = options_of("hermes"), none_offered = options_of("hermes"), json_wanted = options_of("hermes"), template_without = options_of("none");
    none_wanted.expect_tools = false;
    none_offered.tools = base::OrderedJson::array();
    json_wanted.bare_calls = false;
    for (const ParserOptions& options : {none_wanted, none_offered, json_wanted, template_without}) {
        EXPECT_EQ(shown(parse(options, bytes_of(message))), "content=" + message + "|reasoning=");
        EXPECT_EQ(OutputParser::create(options).value()->feed("{").size(), 1u) << "nothing is withheld";
    }
}

TEST(BareCall, OfAStrictToolIsOneWhereItsArgumentsAreAsTheSchemaWantsThem) {
    ParserOptions options = options_of("hermes");
    options.tools = base::parse_ordered_json(R"([{"type": "function", "function": {"name": "heat", "strict": true, "parameters": {"type": "object", "properties": {"celsius": {"type": "integer", "maximum": 30}},
        "required": ["celsius"], "additionalProperties": false}}}, {"type": "function", "function": {"name": "cool", "parameters": {"type": "object", "properties": {"celsius": {"type": "integer"}}}}}])").value();
    std::mt19937 random(9);
    const auto call = [](const std::string& tool, const std::string& arguments) { return R"({"name": ")" + tool + R"(", "arguments": )" + arguments + "}"; };
    for (const char* fits : {R"({"celsius": 20})", R"({ "celsius" : 30 })"}) EXPECT_EQ(shown(parse_any_way(options, call("heat", fits), random)), std::string("content=|reasoning=|heat") + fits);
    for (const char* wrong : {R"({"celsius": "hot"})", R"({"celsius": 31})", "{}", R"({"celsius": 20, "additionalProperties": false})"}) {
        const std::string message = call("heat", wrong);
        EXPECT_EQ(shown(parse_any_way(options, message, random)), "content=" + message + "|reasoning=");
        auto parser = OutputParser::create(options).value();
        parser->feed(message);
        parser->finish();
        ASSERT_EQ(parser->result().notices.size(), 1u);
        EXPECT_EQ(parser->result().notices[0].text, "heat");
        EXPECT_EQ(shown(parse_any_way(options, call("cool", wrong), random)), std::string("content=|reasoning=|cool") + wrong) << "not strict: the client's to judge";
    }
}

// How many characters of the text are withheld before its content begins to come.
std::size_t withheld(const std::string& text) {
    auto parser = OutputParser::create(options_of("hermes")).value();
    for (std::size_t n = 0; n < text.size(); ++n)
        if (const auto deltas = parser->feed(text.substr(n, 1)); !deltas.empty()) {
            EXPECT_EQ(deltas[0].text, text.substr(0, n + 1));
            return n;
        }
    return text.size();
}

TEST(BareCall, IsReleasedWithTheCharacterThatRulesItOut) {
    for (const std::string possible : {R"({"name": "we)", R"({"name": "weather", "arguments": {"city": ")", R"({"name": "weather", "arguments": {}})", R"({ "argum)", "```", "```json\n{"})
        for (const std::string ruled_out : {"?", "\x01"}) {
            if (possible.ends_with('"') && ruled_out == "?") continue;  // any text may stand in a string
            EXPECT_EQ(withheld(possible + ruled_out + " and what follows"), possible.size()) << possible;
        }
    EXPECT_EQ(withheld("{x"), 1u);
    EXPECT_EQ(withheld("I see"), 0u);
    EXPECT_EQ(withheld(R"({"city": "Rome"})"), 2u);
}

TEST(BareCall, OneThatIsCutShortIsContent) {
    const std::string call = R"({"name": "weather", "arguments": {"city": "Rome"}})";
    for (std::size_t n = 1; n < call.size(); ++n) EXPECT_EQ(parse(options_of("hermes"), bytes_of(call.substr(0, n))).content, call.substr(0, n));
}

TEST(BareCall, FollowsNoOtherCall) {
    std::mt19937 random(8);
    const std::string markup = "<tool_call>\n{\"name\": \"web\", \"arguments\": {}}\n</tool_call>", bare = R"({"name": "weather", "arguments": {}})";
    EXPECT_EQ(shown(parse_any_way(options_of("hermes"), markup + "\n" + bare, random)), "content=" + bare + "|reasoning=|web{}");
    EXPECT_EQ(shown(parse_any_way(options_of("hermes"), bare + "\n" + markup, random)), "content=" + bare + "|reasoning=|web{}");
}

}  // namespace
}  // namespace text
