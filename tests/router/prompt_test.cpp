// What binds a model's output: the answer's format, the tools' calls, both, and thoughts before them.
#include "router/prompt.h"

#include <gtest/gtest.h>

namespace {

using Kind = router::ToolChoice::Kind;
const std::string kJson = R"({"age": 5})", kCall = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";
const std::string kOtherCall = "<tool_call>\n{\"name\": \"clock\", \"arguments\": {}}\n</tool_call>";

base::Result<text::BoundGrammar> bound_of(const router::ModelRequest& asked, const std::string& dialect, bool reasoning_open = false, bool may_think = false) {
    static text::GrammarCache grammars;  // a request must not get what another one asked for
    return router::output_bound(asked, dialect, grammars, reasoning_open, may_think);
}

router::ModelRequest request(bool schema, bool tools, Kind choice = Kind::automatic) {
    router::ModelRequest out;
    const auto parse = [](const char* text) { return base::parse_ordered_json(text).value(); };
    if (schema)
        out.response_schema = parse(R"({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"], "additionalProperties": false})");
    if (tools)
        out.tools = {{"weather", "", parse(R"({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false})")},
                     {"clock", "", parse(R"({"type": "object", "properties": {}})")}};
    out.tool_choice.kind = choice;
    if (choice == Kind::named) out.tool_choice.name = "weather";
    return out;
}

bool accepts(const router::ModelRequest& asked, const std::string& text, bool reasoning_open = false) {
    const auto bound = bound_of(asked, "hermes", reasoning_open).value();
    return !bound.grammar || bound.grammar->accepts(text);
}

TEST(OutputBound, ATextIsFreeAndACallIsBoundFromItsTriggerOn) {
    EXPECT_EQ(bound_of(request(false, false), "hermes")->grammar, nullptr);
    EXPECT_EQ(bound_of(request(false, true, Kind::none), "hermes")->grammar, nullptr);
    const auto bound = bound_of(request(false, true), "hermes").value();
    EXPECT_EQ(bound.trigger, "<tool_call>");
    EXPECT_TRUE(bound.grammar->accepts(kCall));
    EXPECT_TRUE(bound.grammar->accepts(kCall + "\n" + kOtherCall));
    EXPECT_EQ(bound_of(request(false, true), "none")->grammar, nullptr) << "a dialect without grammar leaves calls free";
}

TEST(ParserOptions, JsonThatWasAskedForIsNoCall) {
    EXPECT_TRUE(router::parser_options(request(false, true), "hermes", {}).bare_calls);
    EXPECT_FALSE(router::parser_options(request(true, true), "hermes", {}).bare_calls);
    EXPECT_FALSE(router::parser_options(request(false, true, Kind::none), "hermes", {}).expect_tools);
    EXPECT_FALSE(router::parser_options(request(false, false), "hermes", {}).expect_tools);
}

// What the grammar lets through before an answer is what the parser takes away from it.
TEST(ParserOptions, AnAnswerInALanguageOfTheRequestsOwnArrivesByteForByte) {
    for (const std::string answer : {" a ", "\n\nb\n", "\nc"})
        for (const bool thoughts : {false, true}) {
            auto asked = request(false, true);
            asked.response_rules = text::GivenRules{text::GivenRules::Kind::choice, {answer}};
            const std::string output = thoughts ? "<think>hm</think>\n\n" + answer : answer;
            const auto grammar = bound_of(asked, "hermes", false, true)->grammar;
            EXPECT_TRUE(grammar->accepts(output)) << output;
            EXPECT_FALSE(grammar->accepts("<think>hm</think>\n" + answer)) << answer;
            const auto parser = text::OutputParser::create(router::parser_options(asked, "hermes", {})).value();
            parser->feed(output);
            parser->finish();
            EXPECT_EQ(parser->result().content, answer);
            asked.tool_choice.kind = Kind::required;
            EXPECT_FALSE(router::parser_options(asked, "hermes", {}).verbatim) << "a call is all that may come";
        }
}

TEST(OutputBound, ARequiredCallIsAllThatMayCome) {
    for (const bool schema : {false, true}) {
        const auto required = request(schema, true, Kind::required), named = request(schema, true, Kind::named);
        EXPECT_EQ(bound_of(required, "hermes")->trigger, "");
        EXPECT_TRUE(accepts(required, kCall));
        EXPECT_TRUE(accepts(required, kOtherCall));
        EXPECT_TRUE(accepts(named, kCall));
        EXPECT_FALSE(accepts(named, kOtherCall));
        for (const auto& asked : {required, named}) {
            EXPECT_FALSE(accepts(asked, kJson));
            EXPECT_FALSE(accepts(asked, "Hello."));
        }
        EXPECT_FALSE(bound_of(required, "none")) << "what cannot be promised is refused";
    }
}

TEST(OutputBound, WithAFormatAndToolsItIsOneOrTheOther) {
    const auto both = request(true, true);
    EXPECT_EQ(bound_of(both, "hermes")->trigger, "");
    EXPECT_TRUE(accepts(both, kJson));
    EXPECT_TRUE(accepts(both, kCall));
    EXPECT_FALSE(accepts(both, "Hello."));
    EXPECT_FALSE(accepts(both, kJson + kCall));
    const auto none = request(true, true, Kind::none);
    EXPECT_TRUE(accepts(none, kJson));
    EXPECT_FALSE(accepts(none, kCall));
    auto object = request(false, true);
    object.json_object = true;
    EXPECT_TRUE(accepts(object, R"({"anything": [1, {"x": null}]})"));
    EXPECT_TRUE(accepts(object, kCall));
    EXPECT_FALSE(accepts(object, "[1]"));
}

TEST(OutputBound, AForcedReplyIsOneCallUnlessMoreAreAskedFor) {
    const std::string two = kCall + "\n" + kOtherCall;
    auto forced = request(false, true, Kind::required);
    EXPECT_FALSE(accepts(forced, two));
    forced.tool_choice.most = 2;
    EXPECT_TRUE(accepts(forced, two));
    EXPECT_FALSE(accepts(forced, two + "\n" + kCall));
    auto free = request(false, true);
    EXPECT_TRUE(accepts(free, two));
    free.tool_choice.most = 1;
    EXPECT_FALSE(accepts(free, two));
}

TEST(OutputBound, AnAnswerByRulesIsBoundBesideTheCalls) {
    auto ruled = request(false, true);
    ruled.answer_rules = "answer ::= \"one: \" [a-z]+\n";
    EXPECT_TRUE(accepts(ruled, "one: a"));
    EXPECT_TRUE(accepts(ruled, kCall));
    EXPECT_FALSE(accepts(ruled, "Hello."));
    ruled.tool_choice.kind = Kind::none;
    EXPECT_TRUE(accepts(ruled, "one: a"));
    EXPECT_FALSE(accepts(ruled, kCall));
    ruled.answer_rules = "answer ::= \"two: \" [a-z]+\n";
    EXPECT_FALSE(accepts(ruled, "one: a")) << "each set of rules has a grammar of its own";
}

TEST(OutputBound, ALanguageOfTheRequestsOwnBindsTheAnswerBesideTheCalls) {
    using text::GivenRules;
    const auto of = [](GivenRules given, bool tools) {
        auto asked = request(false, tools);
        asked.response_rules = std::move(given);
        return asked;
    };
    // Its rules are called as the calls' are.
    const GivenRules ebnf{GivenRules::Kind::ebnf, {"root ::= call \" \" words\ncall ::= \"[\" [0-9]+ \"]\"\nwords ::= [a-z]+"}}, regex{GivenRules::Kind::regex, {"[0-9]{2}"}}, choice{GivenRules::Kind::choice, {"yes", "no"}};
    for (const bool tools : {false, true}) {
        EXPECT_TRUE(accepts(of(ebnf, tools), "[17] hello"));
        EXPECT_FALSE(accepts(of(ebnf, tools), "hello"));
        EXPECT_TRUE(accepts(of(regex, tools), "42"));
        EXPECT_FALSE(accepts(of(regex, tools), "423"));
        EXPECT_TRUE(accepts(of(choice, tools), "no"));
        EXPECT_FALSE(accepts(of(choice, tools), "maybe"));
        EXPECT_EQ(accepts(of(choice, tools), kCall), tools);
    }
    EXPECT_FALSE(router::parser_options(of(choice, true), "hermes", {}).bare_calls);
    const auto open = bound_of(of(choice, false), "hermes", true).value();
    EXPECT_EQ(open.trigger, "</think>");
    EXPECT_TRUE(open.grammar->accepts("</think>\n\nyes"));
    const auto refused = bound_of(of({GivenRules::Kind::regex, {"a("}}, true), "hermes");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::invalid_argument);
    EXPECT_TRUE(refused.error().message.starts_with("response_format: ")) << refused.error().message;
}

TEST(OutputBound, TellsWhichToolsItDoesNotHold) {
    auto asked = request(false, true);
    const auto odd = base::parse_ordered_json(R"({"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}}, "required": ["tags"]})").value();
    asked.tools = {{"clock", "", {}}, {"label", "", odd}, {"free", "", odd, false}};
    for (int i = 0; i < 2; ++i) EXPECT_EQ(bound_of(asked, "hermes")->loose, (std::vector<text::LooseTool>{{1, "/properties/tags"}})) << "also of what is kept";
    EXPECT_EQ(bound_of(request(false, true), "hermes")->loose.size(), 0u);
}

TEST(OutputBound, TellsWhereAPatternOrAnEndlessSchemaIsNotHeld) {
    auto asked = request(false, true);
    const auto parse = [](const char* text) { return base::parse_ordered_json(text).value(); };
    const auto pattern = parse(R"({"type": "object", "properties": {"q": {"type": "object", "properties": {"z": {"pattern": "(?=a)b"}}}}})");
    const auto endless = parse(R"({"$defs": {"t": {"type": "object", "properties": {"a": {"$ref": "#/$defs/t"}}, "required": ["a"]}}, "type": "object", "properties": {"t": {"$ref": "#/$defs/t"}}, "required": ["t"]})");
    asked.tools = {{"clock", "", {}}, {"search", "", pattern}, {"chain", "", endless}};
    EXPECT_EQ(bound_of(asked, "hermes")->loose, (std::vector<text::LooseTool>{{1, "/properties/q/properties/z/pattern"}, {2, "/$defs/t"}}));
    asked.tools = {{"clock", "", {}}, {"chain", "", endless, true}};
    const auto strict = bound_of(asked, "hermes");
    ASSERT_FALSE(strict);
    EXPECT_NE(strict.error().message.find("at \"/$defs/t\": no finite document satisfies it"), std::string::npos) << strict.error().message;
    auto formed = request(true, false);
    formed.response_schema = endless;
    const auto refused = bound_of(formed, "hermes");
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.starts_with("response_format: ")) << refused.error().message;
    EXPECT_NE(refused.error().message.find("at \"/$defs/t\": no finite"), std::string::npos) << refused.error().message;
}

TEST(OutputBound, AToolWithoutParametersIsCalledWithNone) {
    for (const char* parameters : {"{}", R"({"type": "object", "properties": {}})"})
        for (const Kind choice : {Kind::automatic, Kind::required}) {
            auto asked = request(false, true, choice);
            asked.tools = {{"clock", "", base::parse_ordered_json(parameters).value()}};
            EXPECT_TRUE(accepts(asked, kOtherCall)) << parameters;
            EXPECT_FALSE(accepts(asked, "<tool_call>\n{\"name\": \"clock\", \"arguments\": {\"zone\": 1}}\n</tool_call>")) << parameters;
            const auto writes = [&](const char* dialect, const std::string& call) { return bound_of(asked, dialect).value().grammar->accepts(call); };
            EXPECT_TRUE(writes("qwen3_coder", "<tool_call>\n<function=clock>\n</function>\n</tool_call>")) << parameters;
            EXPECT_FALSE(writes("qwen3_coder", "<tool_call>\n<function=clock>\n<parameter=zone>\n1\n</parameter>\n</function>\n</tool_call>")) << parameters;
            EXPECT_TRUE(writes("gemma4", "<|tool_call>call:clock{}<tool_call|>")) << parameters;
            EXPECT_FALSE(writes("gemma4", "<|tool_call>call:clock{zone:1}<tool_call|>")) << parameters;
            asked.tools = {{"clock", "", base::parse_ordered_json(parameters).value(), false}};
            const auto free = bound_of(asked, "hermes").value();
            EXPECT_TRUE(!free.grammar || free.grammar->accepts("<tool_call>\n{\"name\": \"clock\", \"arguments\": {\"zone\": 1}}\n</tool_call>")) << parameters;
        }
}

TEST(OutputBound, ABareCallIsHeldWhereTheAnswerIsFree) {
    const std::string bare = R"({"name": "weather", "arguments": {"city": "Oslo"}})";
    const auto free = bound_of(request(false, true), "hermes").value();
    ASSERT_TRUE(free.heads);
    EXPECT_TRUE(free.grammar->accepts(bare));
    EXPECT_FALSE(free.grammar->accepts(R"({"name": "weather", "arguments": {"city": 5}})"));
    for (const auto& asked : {request(true, true), request(false, true, Kind::required), request(false, true, Kind::named)}) {
        const auto bound = bound_of(asked, "hermes").value();
        EXPECT_FALSE(bound.heads);
        EXPECT_FALSE(bound.grammar->accepts(bare));
    }
}

TEST(OutputBound, AnAnswerInWordsIsNeitherEmptyNorAnObjectNorACall) {
    for (const bool tools : {true, false}) {
        auto ruled = request(false, tools);
        ruled.answer_rules = "answer ::= words\n";
        EXPECT_TRUE(accepts(ruled, "Hello.\nif (a < b && c <= d) <tool>{}"));
        EXPECT_TRUE(accepts(ruled, "x"));
        EXPECT_FALSE(accepts(ruled, ""));
        EXPECT_FALSE(accepts(ruled, "\nHello."));
        EXPECT_FALSE(accepts(ruled, R"({"name": "answer", "arguments": {}})"));
        EXPECT_FALSE(accepts(ruled, "I call " + kCall));
        EXPECT_EQ(accepts(ruled, kCall), tools);
    }
}

TEST(OutputBound, ThoughtsAreFreeAndWhatFollowsIsBound) {
    for (const auto& asked : {request(true, false), request(true, true)}) {
        const auto open = bound_of(asked, "hermes", true).value();
        EXPECT_EQ(open.trigger, "</think>");
        EXPECT_TRUE(open.grammar->accepts("</think>\n\n" + kJson));
        EXPECT_FALSE(open.grammar->accepts("</think>\n\nHello."));
        const auto thinking = bound_of(asked, "hermes", false, true)->grammar;
        EXPECT_TRUE(thinking->accepts("<think>\nHm: 1 > 0.\n</think>\n\n" + kJson));
        EXPECT_TRUE(thinking->accepts(kJson));
        EXPECT_FALSE(thinking->accepts("<think>\nHm.\n</think>\n\nHello."));
        EXPECT_FALSE(accepts(asked, "<think></think>" + kJson));
    }
}

TEST(OutputBound, ASchemaThatNoGrammarHoldsBindsArgumentsToAnObject) {
    auto asked = request(false, true);
    auto tools = asked.tools.list();
    const base::OrderedJson several = {{"type", "array"}, {"items", {{"type", "string"}}}, {"uniqueItems", true}};
    tools[0].parameters["properties"]["tags"] = several;
    asked.tools = tools;
    EXPECT_TRUE(accepts(asked, R"(<tool_call>
{"name": "weather", "arguments": {"any": [1]}}
</tool_call>)"));
    EXPECT_FALSE(accepts(asked, R"(<tool_call>
{"name": "weather", "arguments": [1]}
</tool_call>)"));
    tools[0].parameters = {{"type", "object"}, {"properties", 5}};
    asked.tools = tools;
    const auto wrong = bound_of(asked, "hermes");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, base::Code::invalid_argument);
    EXPECT_NE(wrong.error().message.find("weather"), std::string::npos);
    auto strict = request(true, false);
    (*strict.response_schema)["properties"]["tags"] = several;
    const auto unsupported = bound_of(strict, "hermes");
    ASSERT_FALSE(unsupported);
    EXPECT_NE(unsupported.error().message.find("response_format"), std::string::npos);
}

TEST(OutputBound, AWordThatJsonSchemaDoesNotHaveIsRefusedAndInAToolThatIsNotStrictHoldsNothing) {
    auto answer = request(true, false);
    (*answer.response_schema)["propertys"] = 1;
    const auto refused = bound_of(answer, "hermes");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("response_format: "), std::string::npos);
    EXPECT_NE(refused.error().message.find("\"/propertys\""), std::string::npos);
    for (const char* dialect : {"hermes", "qwen3_coder", "gemma4"}) {
        auto asked = request(false, true);
        asked.tool_choice.kind = Kind::required;
        auto tools = asked.tools.list();
        tools[0].parameters = base::parse_ordered_json(R"({"type": "object", "properties": {"city": {"type": "integer", "enum": [1, 2], "colour": 1}}, "required": ["city"], "colour": 1})").value();
        const auto with = [&](std::optional<bool> strict) {
            tools[0].strict = strict;
            asked.tools = tools;
            return asked;
        };
        const auto strict = bound_of(with(true), dialect);
        ASSERT_FALSE(strict) << dialect;
        EXPECT_NE(strict.error().message.find("the tool 'weather': at \"/colour\""), std::string::npos) << strict.error().message;
        const auto held = bound_of(with({}), dialect);
        ASSERT_TRUE(held) << held.error().text();
        const auto writes = [&](const std::string& city) {
            if (dialect == std::string("hermes")) return held->grammar->accepts("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": " + city + "}}\n</tool_call>");
            if (dialect == std::string("gemma4")) return held->grammar->accepts("<|tool_call>call:weather{city:" + city + "}<tool_call|>");
            return held->grammar->accepts("<tool_call>\n<function=weather>\n<parameter=city>\n" + city + "\n</parameter>\n</function>\n</tool_call>");
        };
        EXPECT_TRUE(writes("2")) << dialect;
        EXPECT_FALSE(writes("3")) << dialect << ": the other words hold";
    }
}

TEST(OutputBound, ACallHasNoArgumentsThatTheSchemaDoesNotName) {
    auto asked = request(false, true);
    auto tools = asked.tools.list();
    const auto takes = [&](const char* schema, const std::string& arguments) {
        tools[0].parameters = base::parse_ordered_json(schema).value();
        asked.tools = tools;
        return accepts(asked, "<tool_call>\n{\"name\": \"weather\", \"arguments\": " + arguments + "}\n</tool_call>");
    };
    const char* const open = R"({"type": "object", "properties": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}, "days": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}}})";
    EXPECT_TRUE(takes(open, R"({"place": {"city": "Oslo"}, "days": [{"n": 1}]})"));
    EXPECT_FALSE(takes(open, R"({"town": "Oslo"})"));
    EXPECT_FALSE(takes(open, R"({"place": {"town": "Oslo"}})"));
    EXPECT_FALSE(takes(open, R"({"days": [{"m": 1}]})"));
    EXPECT_TRUE(takes(R"({"type": "object"})", R"({"town": "Oslo"})"));
    EXPECT_TRUE(takes(R"({"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": true})", R"({"town": "Oslo"})"));
    EXPECT_TRUE(takes(R"({"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": {"type": "string"}})", R"({"town": "Oslo"})"));
    EXPECT_TRUE(takes(R"({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["town"]})", R"({"town": "Oslo"})"));
    EXPECT_TRUE(takes(R"({"type": "object", "properties": {"city": {"type": "string"}}, "anyOf": [{"required": ["town"]}, {"required": ["city"]}]})", R"({"town": "Oslo"})"));
}

TEST(OutputBound, AStrictToolIsHeldOrRefusedAndOneThatIsNotIsFree) {
    auto asked = request(false, true);
    auto tools = asked.tools.list();
    const auto with = [&](std::optional<bool> first, std::optional<bool> second) {
        tools[0].strict = first;
        tools[1].strict = second;
        asked.tools = tools;
        return asked;
    };
    const std::string other = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"town\": 5}}\n</tool_call>";
    EXPECT_FALSE(accepts(with(true, {}), other));
    EXPECT_TRUE(accepts(with(false, {}), other));
    EXPECT_FALSE(accepts(with({}, {}), other)) << "the requests differ in strict alone";
    EXPECT_NE(bound_of(with(false, {}), "hermes")->grammar, nullptr);
    EXPECT_EQ(bound_of(with(false, false), "hermes")->grammar, nullptr);
    asked.tool_choice.kind = Kind::required;
    EXPECT_TRUE(accepts(asked, other));
    EXPECT_FALSE(accepts(asked, "Hello."));
    asked.tool_choice.kind = Kind::automatic;

    tools[0].parameters = {{"type", "object"}, {"properties", {{"tags", {{"type", "array"}, {"items", {{"type", "string"}}}, {"uniqueItems", true}}}}}};
    EXPECT_TRUE(bound_of(with({}, {}), "hermes"));
    const auto refused = bound_of(with(true, {}), "hermes");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("'weather' is strict"), std::string::npos);
    EXPECT_NE(refused.error().message.find("tags"), std::string::npos);
    EXPECT_FALSE(bound_of(with(true, {}), "none")) << "a dialect without grammar holds nothing";

    for (const char* beyond : {R"({"type": "object", "properties": {"s": {"type": "string", "pattern": "^(?=a)b"}}})", R"({"$ref": "http://example.org/schema.json"})"}) {
        tools[0].parameters = base::parse_ordered_json(beyond).value();
        EXPECT_TRUE(accepts(with({}, {}), other)) << beyond;
        EXPECT_FALSE(bound_of(with(true, {}), "hermes")) << beyond;
    }
    tools[0].parameters = {{"type", "objekt"}};
    for (const auto strict : {std::optional<bool>(), std::optional(true)}) {
        const auto wrong = bound_of(with(strict, {}), "hermes");
        ASSERT_FALSE(wrong);
        EXPECT_EQ(wrong.error().code, base::Code::invalid_argument);
        EXPECT_EQ(wrong.error().remedy.find("strict"), std::string::npos);
    }
    EXPECT_TRUE(bound_of(with(false, {}), "hermes"));
}

TEST(LastWord, IsWhatAModelHadBetterWriteItself) {
    for (const auto& [begun, word] : {std::pair{"def add(a, b):\n    retu", "\n    retu"}, {"The capital of France is", " is"}, {"1, 2, 3, ", " "}, {"word", ""}, {"", ""}, {"a  b", "  b"},
                                      {"one of a hundred-and-twenty-three-letters", ""}, {"a\tb", ""}, {"x \x01", ""}, {"ein Käs", " Käs"}})
        EXPECT_EQ(router::last_word(begun), word) << begun;
}

TEST(OutputBeginningWith, IsFreeBehindIt) {
    text::GrammarCache grammars;
    for (const char* text : {" is", "\n    retu", " \"q\\", " Käs"}) {
        const auto bound = router::output_beginning_with(text, grammars);
        ASSERT_TRUE(bound) << bound.error().text();
        EXPECT_TRUE(bound->trigger.empty());
        EXPECT_TRUE(bound->grammar->accepts(text)) << text;
        EXPECT_TRUE(bound->grammar->accepts(std::string(text) + "rn a\n\n\"b\" ü{")) << text;
        EXPECT_FALSE(bound->grammar->accepts(" was")) << text;
    }
}

}  // namespace
