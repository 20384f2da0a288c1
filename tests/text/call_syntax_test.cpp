#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/grammar.h"
#include "text/output_parser.h"

namespace text {
namespace {

base::OrderedJson tools() {
    return base::parse_ordered_json(R"([
        {"type": "function", "function": {"name": "read_file", "parameters": {"type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer", "minimum": 1}}, "required": ["path"]}}},
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}])").value();
}

TEST(CallSyntax, HermesTakesCorrectCallsOnly) {
    const auto syntax = call_syntax("hermes", tools(), false).value();
    EXPECT_EQ(syntax.trigger, "<tool_call>");
    const auto g = Grammar::from_ebnf(syntax.ebnf).value();
    const auto call = [&](std::string_view inner) { return g->accepts("<tool_call>\n" + std::string(inner) + "\n</tool_call>"); };
    EXPECT_TRUE(call(R"({"name": "read_file", "arguments": {"path": "a/b.txt", "lines": 20}})"));
    EXPECT_TRUE(call(R"({"name": "read_file", "arguments": {"path": "é \"q\""}})"));
    EXPECT_TRUE(call(R"({"name": "now", "arguments": {}})"));
    EXPECT_FALSE(call(R"({"name": "remove_file", "arguments": {"path": "a"}})")) << "a wrong tool name";
    EXPECT_FALSE(call(R"({"name": "read_file", "arguments": {}})")) << "a missing required argument";
    EXPECT_FALSE(call(R"({"name": "read_file", "arguments": {"lines": 20}})")) << "a missing required argument";
    EXPECT_FALSE(call(R"({"name": "read_file", "arguments": {"path": "a", "lines": 0}})")) << "below the minimum";
    EXPECT_FALSE(call(R"({"name": "read_file", "arguments": {"path": "a"})")) << "broken JSON";
    EXPECT_FALSE(call(R"({"name": "read_file", "arguments": {"path": 'a'}})")) << "broken JSON";
    EXPECT_FALSE(call(R"({"name": "read_file", "arguments": {"path": "a", "path": 5}})")) << "a name given twice";
}

TEST(CallSyntax, SeveralCallsOnlyWhenParallel) {
    const std::string one = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";
    EXPECT_TRUE(Grammar::from_ebnf(call_syntax("hermes", tools(), true)->ebnf).value()->accepts(one + "\n" + one));
    EXPECT_FALSE(Grammar::from_ebnf(call_syntax("hermes", tools(), false)->ebnf).value()->accepts(one + "\n" + one));
}

TEST(CallSyntax, EveryDialectTakesWhatItsParserReads) {
    const std::pair<const char*, const char*> calls[] = {
        {"hermes", "<tool_call>\n{\"name\": \"read_file\", \"arguments\": {\"path\": \"x\"}}\n</tool_call>"},
        {"llama3_json", "{\"name\": \"read_file\", \"parameters\": {\"path\": \"x\"}}"},
        {"mistral", "[TOOL_CALLS] [{\"name\": \"read_file\", \"arguments\": {\"path\": \"x\"}}]"}};
    for (auto [dialect, text] : calls) {
        EXPECT_TRUE(Grammar::from_ebnf(call_syntax(dialect, tools(), true)->ebnf).value()->accepts(text)) << dialect;
        ParserOptions options;
        options.dialect = dialect;
        options.tools = tools();
        auto parser = OutputParser::create(options).value();
        parser->feed(text);
        parser->finish();
        ASSERT_EQ(parser->result().tool_calls.size(), 1u) << dialect;
        EXPECT_EQ(parser->result().tool_calls[0].name, "read_file") << dialect;
    }
}

TEST(CallSyntax, NamesTheToolWhoseSchemaHasNoGrammar) {
    auto bad = tools();
    bad[0]["function"]["parameters"]["not"] = true;
    const auto r = call_syntax("hermes", bad, false);
    ASSERT_FALSE(r);
    EXPECT_THAT(r.error().text(), ::testing::AllOf(::testing::HasSubstr("read_file"), ::testing::HasSubstr("\"not\"")));
}

}  // namespace
}  // namespace text
