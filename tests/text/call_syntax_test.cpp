#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/json_schema.h"
#include "text/grammar.h"
#include "text/output_parser.h"
#include "walk.h"

namespace text {
namespace {

base::OrderedJson tools() {
    return base::parse_ordered_json(R"([
        {"type": "function", "function": {"name": "read_file", "parameters": {"type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer", "minimum": 1}}, "required": ["path"]}}},
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}])").value();
}

TEST(CallSyntax, HermesTakesCorrectCallsOnly) {
    const auto syntax = call_syntax("hermes", tools(), 1).value();
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

TEST(CallSyntax, NoMoreCallsThanAllowed) {
    const std::string one = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";
    const auto several = Grammar::from_ebnf(call_syntax("hermes", tools(), 4)->ebnf).value();
    EXPECT_TRUE(several->accepts(one + "\n" + one));
    const std::string four = one + "\n" + one + "\n" + one + "\n" + one;
    EXPECT_TRUE(several->accepts(four));
    EXPECT_FALSE(several->accepts(four + "\n" + one));
    EXPECT_FALSE(Grammar::from_ebnf(call_syntax("hermes", tools(), 1)->ebnf).value()->accepts(one + "\n" + one));
}

TEST(CallSyntax, EveryDialectTakesWhatItsParserReads) {
    const std::pair<const char*, const char*> calls[] = {
        {"hermes", "<tool_call>\n{\"name\": \"read_file\", \"arguments\": {\"path\": \"x\"}}\n</tool_call>"},
        {"llama3_json", "{\"name\": \"read_file\", \"parameters\": {\"path\": \"x\"}}"},
        {"qwen3_coder", "<tool_call>\n<function=read_file>\n<parameter=path>\nx\n</parameter>\n</function>\n</tool_call>"},
        {"mistral", "[TOOL_CALLS] [{\"name\": \"read_file\", \"arguments\": {\"path\": \"x\"}}]"},
        {"granite", "<|tool_call|>[{\"name\": \"read_file\", \"arguments\": {\"path\": \"x\"}}]"},
        {"phi4_mini", "functools[{\"name\": \"read_file\", \"arguments\": {\"path\": \"x\"}}]"},
        {"kimi_k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{\"path\": \"x\"}<|tool_call_end|><|tool_calls_section_end|>"},
        {"deepseek_v3", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{\"path\": \"x\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
        {"deepseek_v31", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{\"path\": \"x\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
        {"harmony", "<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{\"path\": \"x\"}"},
        {"seed_oss", "<seed:tool_call>\n<function=read_file>\n<parameter=path>\nx\n</parameter>\n</function>\n</seed:tool_call>"},
        {"minimax_m2", "<minimax:tool_call>\n<invoke name=\"read_file\">\n<parameter name=\"path\">x</parameter>\n</invoke>\n</minimax:tool_call>"},
        {"glm4", "<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>x</arg_value>\n</tool_call>"},
        {"glm47", "<tool_call>read_file<arg_key>path</arg_key><arg_value>x</arg_value></tool_call>"},
        {"deepseek_v32", "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"read_file\">\n<｜DSML｜parameter name=\"path\" string=\"true\">x</｜DSML｜parameter>\n</｜DSML｜invoke>\n"
                         "</｜DSML｜function_calls>"},
        {"deepseek_v4", "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"read_file\">\n<｜DSML｜parameter name=\"path\" string=\"true\">x</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>"},
        {"gemma4", "<|tool_call>call:read_file{path:<|\"|>x<|\"|>}<tool_call|>"},
        {"functiongemma", "<start_function_call>call:read_file{path:<escape>x<escape>}<end_function_call>"},
        {"lfm2", "<|tool_call_start|>[read_file(path=\"x\")]<|tool_call_end|>"},
        {"olmo3", "<function_calls>read_file(path=\"x\")</function_calls>"},
        {"pythonic", "[read_file(path=\"x\")]"}};
    for (auto [dialect, text] : calls) {
        EXPECT_TRUE(Grammar::from_ebnf(call_syntax(dialect, tools(), 4)->ebnf).value()->accepts(text)) << dialect;
        EXPECT_TRUE(std::string(text).starts_with(call_mark(dialect))) << dialect;
        ParserOptions options;
        options.dialect = dialect;
        options.tools = tools();
        auto parser = OutputParser::create(options).value();
        parser->feed(text);
        parser->finish();
        ASSERT_EQ(parser->result().tool_calls.size(), 1u) << dialect;
        EXPECT_EQ(parser->result().tool_calls[0].name, "read_file") << dialect;
        EXPECT_EQ(base::parse_json(parser->result().tool_calls[0].arguments).value(), base::Json({{"path", "x"}})) << dialect;
    }
}

TEST(CallSyntax, WhatEveryDialectsGrammarWritesIsReadAndValid) {
    const auto tokenizer = words();
    const auto table = make_token_table(tokenizer);
    const auto schema = base::Schema::parse(base::Json(tools()[0]["function"]["parameters"])).value();
    for (const std::string& dialect : dialects()) {
        const auto syntax = call_syntax(dialect, tools(), 3);
        if (!syntax) continue;
        const auto g = Grammar::from_ebnf(syntax->ebnf).value();
        const std::map<std::string, std::string> endings = {{"qwen3_coder", "\n</parameter>\n</function>\n</tool_call>"},
                                                            {"seed_oss", "\n</parameter>\n</function>\n</seed:tool_call>"},
                                                            {"minimax_m2", "</parameter>\n</invoke>\n</minimax:tool_call>"},
                                                            {"glm4", "</arg_value>\n</tool_call>"},
                                                            {"glm47", "</arg_value></tool_call>"},
                                                            {"deepseek_v32", "</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>"},
                                                            {"deepseek_v4", "</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>"},
                                                            {"gemma4", "<|\"|>}<tool_call|>"},
                                                            {"functiongemma", "<escape>}<end_function_call>"},
                                                            {"lfm2", "\")]<|tool_call_end|>"},
                                                            {"olmo3", "\")</function_calls>"},
                                                            {"pythonic", "\")]"}};
        const auto ending = endings.find(dialect);
        int read = 0;
        for (unsigned seed = 0; seed < 40; ++seed) {
            const auto text = walk(g, table, *tokenizer, seed, ending == endings.end() ? "" : ending->second);
            ASSERT_TRUE(text) << dialect << ": no end";
            ParserOptions options;
            options.dialect = dialect;
            options.tools = tools();
            auto parser = OutputParser::create(options).value();
            for (char c : *text) parser->feed(std::string(1, c));
            parser->finish();
            EXPECT_EQ(parser->result().content, "") << dialect << ": " << *text;
            ASSERT_FALSE(parser->result().tool_calls.empty()) << dialect << ": " << *text;
            for (const ToolCall& call : parser->result().tool_calls) {
                ++read;
                const auto json = base::parse_json(call.arguments);
                ASSERT_TRUE(json) << dialect << ": " << *text << "\n" << call.arguments;
                EXPECT_TRUE(call.name == "now" ? json->is_object() : call.name == "read_file" && schema.validate(*json).ok()) << dialect << ": " << *text << "\n" << call.arguments;
            }
        }
        EXPECT_GE(read, 40) << dialect;
    }
}

TEST(CallSyntax, ArgumentsAreAnObjectWhateverASchemaLeavesOpen) {
    for (const char* schema : {R"({})", R"({"description": "any"})", R"({"type": ["string", "object"]})", R"({"enum": ["", {}]})", R"({"anyOf": [{"type": "string"}, {"type": "object"}]})",
                               R"({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"type": ["object", "string"]}}, "$ref": "#/definitions/a"})"}) {
        const base::OrderedJson tool = {{{"name", "f"}, {"parameters", base::parse_ordered_json(schema).value()}}};
        const auto syntax = call_syntax("mistral", tool, 1);
        ASSERT_TRUE(syntax) << schema << syntax.error().text();
        const auto g = Grammar::from_ebnf(syntax->ebnf).value();
        const auto call = [&](const std::string& arguments) { return g->accepts("[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": " + arguments + "}]"); };
        EXPECT_TRUE(call("{}")) << schema;
        for (const char* other : {"\"\"", "\"a\"", "[]", "1", "null", "true"}) EXPECT_FALSE(call(other)) << schema << " " << other;
    }
    const base::OrderedJson text = {{{"name", "f"}, {"parameters", {{"type", "string"}}}}};
    EXPECT_EQ(call_syntax("mistral", text, 1).error().code, base::Code::unsupported);
}

TEST(CallSyntax, EveryDialectHasAGrammar) {
    for (const std::string& dialect : dialects()) {
        if (dialect == "none") continue;
        const auto syntax = call_syntax(dialect, tools(), 2);
        ASSERT_TRUE(syntax) << dialect;
        EXPECT_EQ(syntax->trigger.empty(), dialect == "pythonic") << dialect << ": a bracket alone is no sign of a call";
    }
}

// All that arguments in a dialect's own notation may be: in and out of lists and objects, with bounds, choices and references.
base::OrderedJson rich_tools() {
    return base::parse_ordered_json(R"([{"name": "edit", "parameters": {"type": "object", "$defs": {"pair": {"type": "array", "items": {"type": "integer"}, "maxItems": 2}},
        "properties": {"text": {"type": "string"}, "mode": {"enum": ["a", "b-c", 3, true, null]}, "count": {"type": "integer", "minimum": 1}, "note": {"type": ["string", "null"]},
                       "all": {"type": "boolean"}, "span": {"$ref": "#/$defs/pair"}, "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                       "hint": {"anyOf": [{"type": "string", "minLength": 2, "maxLength": 3}, {"type": "number"}]}, "never": false, "any": {},
                       "place": {"type": "object", "properties": {"line": {"type": "integer"}, "name": {"type": "string"}, "deep": {"type": "object", "properties": {"x": {"type": "boolean"}},
                                 "required": ["x"]}}, "required": ["name"]}, "free": {"type": "object"}, "sure": {"type": "string", "pattern": "^a"}},
        "required": ["text", "tags"]}}, {"name": "some", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}}}])").value();
}

TEST(CallSyntax, ArgumentsInADialectsOwnNotationAreReadAndValid) {
    const std::map<std::string, std::string> endings = {{"gemma4", "<|\"|>}<tool_call|>"}, {"functiongemma", "<escape>}<end_function_call>"}, {"lfm2", "\")]<|tool_call_end|>"},
                                                        {"olmo3", "\")</function_calls>"}, {"pythonic", "\")]"}};
    const auto tokenizer = words();
    const auto table = make_token_table(tokenizer);
    std::map<std::string, base::Schema> schemas;
    for (const auto& tool : rich_tools()) schemas.emplace(tool["name"], base::Schema::parse(base::Json(tool["parameters"])).value());
    for (const auto& [dialect, ending] : endings) {
        const auto g = Grammar::from_ebnf(call_syntax(dialect, rich_tools(), 2)->ebnf).value();
        std::map<std::string, int> seen;
        int calls = 0, walks = 0;
        for (unsigned seed = 0; seed < 400; ++seed) {
            const auto text = walk(g, table, *tokenizer, seed, seed % 2 ? ending : "");
            if (!text) continue;  // the walk lost its way among nested brackets
            ++walks;
            ParserOptions options;
            options.dialect = dialect;
            options.tools = rich_tools();
            auto parser = OutputParser::create(options).value();
            parser->feed(*text);
            parser->finish();
            EXPECT_EQ(parser->result().content, "") << dialect << ": " << *text;
            ASSERT_FALSE(parser->result().tool_calls.empty()) << dialect << ": " << *text;
            for (const ToolCall& call : parser->result().tool_calls) {
                const auto json = base::parse_json(call.arguments);
                ASSERT_TRUE(json) << dialect << ": " << *text << "\n" << call.arguments;
                const auto valid = schemas.at(call.name).validate(*json);
                EXPECT_TRUE(valid) << dialect << ": " << *text << "\n" << call.arguments << "\n" << valid.error().text();
                ++calls;
                for (const auto& [name, value] : json->items()) ++seen[call.name + "." + name];
            }
        }
        EXPECT_GE(walks, 300) << dialect;
        EXPECT_GE(calls, 300) << dialect;
        for (const char* name : {"edit.text", "edit.mode", "edit.count", "edit.note", "edit.all", "edit.span", "edit.tags", "edit.hint", "edit.any", "edit.place", "edit.free", "some.a", "some.b"})
            EXPECT_GT(seen[name], 0) << dialect << ": " << name;
        EXPECT_EQ(seen["edit.never"] + seen["edit.sure"], 0) << "what cannot be said is left out";
    }
}

TEST(CallSyntax, ArgumentsInADialectsOwnNotationAreNoWiderThanTheirSchema) {
    const auto g = Grammar::from_ebnf(call_syntax("gemma4", rich_tools(), 1)->ebnf).value();
    const auto p = Grammar::from_ebnf(call_syntax("lfm2", rich_tools(), 1)->ebnf).value();
    const auto gemma = [&](const std::string& arguments) { return g->accepts("<|tool_call>call:edit{" + arguments + "}<tool_call|>"); };
    const auto python = [&](const std::string& arguments) { return p->accepts("<|tool_call_start|>[edit(" + arguments + ")]<|tool_call_end|>"); };
    const std::string text = "text:<|\"|>a <b|> \"c\"<|\"|>", tags = ",tags:[<|\"|>x<|\"|>]";
    EXPECT_TRUE(gemma(text + tags));
    EXPECT_TRUE(gemma(text + ",mode:null,count:12" + tags + ",place:{name:<|\"|>n<|\"|>,deep:{x:true}}"));
    EXPECT_FALSE(gemma(text)) << "tags are required";
    EXPECT_FALSE(gemma(text + ",tags:[]"));
    EXPECT_FALSE(gemma(text + ",count:0" + tags));
    EXPECT_FALSE(gemma(text + ",mode:<|\"|>c<|\"|>" + tags));
    EXPECT_FALSE(gemma(text + tags + ",place:{line:1}")) << "its name is required";
    EXPECT_FALSE(gemma(text + ",span:[1,2,3]" + tags));
    EXPECT_TRUE(python("text=\"a \\\"b\\\" 'c'\\n\", tags=[\"x\", \"y\"]"));
    EXPECT_TRUE(python("text=\"\", mode=None, all=True, tags=[\"x\"], place={\"name\": \"n\", \"deep\": {\"x\": False}}"));
    EXPECT_FALSE(python("text=\"\", all=true, tags=[\"x\"]")) << "JSON's word";
    EXPECT_FALSE(python("text='a', tags=[\"x\"]"));
    EXPECT_FALSE(python("text=\"a\"b\", tags=[\"x\"]"));
}

TEST(CallSyntax, ArgumentsThatTheSchemaDoesNotNameAreNoWiderThanItSays) {
    const auto tool = [](const char* parameters) { return base::OrderedJson::array({{{"name", "f"}, {"parameters", base::OrderedJson::parse(parameters)}}}); };
    const auto g = Grammar::from_ebnf(call_syntax("gemma4", tool(R"({"type": "object", "additionalProperties": {"type": "integer"}})"), 1)->ebnf).value();
    EXPECT_TRUE(g->accepts("<|tool_call>call:f{a:1,b:2}<tool_call|>"));
    EXPECT_TRUE(g->accepts("<|tool_call>call:f{}<tool_call|>"));
    EXPECT_FALSE(g->accepts("<|tool_call>call:f{a:true}<tool_call|>"));
    for (const char* parameters : {R"({"type": "object", "additionalProperties": {"type": "integer"}})", R"({"const": {"a": 1}})", R"({"enum": [{}]})"}) {
        const auto refused = call_syntax("qwen3_coder", tool(parameters), 1);
        ASSERT_FALSE(refused) << parameters;
        EXPECT_EQ(refused.error().code, base::Code::unsupported);
    }
}

// In time and memory.
TEST(CallSyntax, ArgumentsInADialectsOwnNotationAreBounded) {
    const auto with = [](base::OrderedJson parameters) {
        return call_syntax("lfm2", base::OrderedJson::array({{{"type", "function"}, {"function", {{"name", "read"}, {"parameters", std::move(parameters)}}}}}), 1);
    };
    base::OrderedJson many = {{"type", "object"}, {"properties", base::OrderedJson::object()}};
    for (int i = 0; i < 3000; ++i) many["properties"]["p" + std::to_string(i)] = {{"type", "boolean"}};
    const auto linear = with(many);
    ASSERT_TRUE(linear);
    EXPECT_LT(linear->ebnf.size(), 1u << 20);
    base::OrderedJson tree = {{"type", "object"}, {"required", {"x"}}, {"properties", {{"x", {{"$ref", "#/$defs/a0"}}}}}};
    for (int i = 0; i < 12; ++i) {
        const base::OrderedJson next = {{"$ref", "#/$defs/a" + std::to_string(i + 1)}};
        tree["$defs"]["a" + std::to_string(i)] = {{"anyOf", {next, next, next, next}}};
    }
    tree["$defs"]["a12"] = {{"type", "boolean"}};
    EXPECT_THAT(with(tree).error().message, ::testing::HasSubstr("refer to each other so often"));
    for (int i = 0; i < 12; ++i) {  // of members that could be left out
        const base::OrderedJson next = {{"$ref", "#/$defs/a" + std::to_string(i + 1)}};
        tree["$defs"]["a" + std::to_string(i)] = {{"type", "object"}, {"properties", {{"a", next}, {"b", next}, {"c", next}, {"d", next}}}};
    }
    EXPECT_THAT(with(tree).error().message, ::testing::HasSubstr("refer to each other so often"));
    EXPECT_THAT(with({{"type", "object"}, {"required", {"x"}}, {"properties", {{"x", {{"type", "string"}, {"minLength", 4294967297}}}}}}).error().message, ::testing::HasSubstr("minLength"));
}

TEST(CallSyntax, NamesTheToolWhoseSchemaHasNoGrammar) {
    auto bad = tools();
    bad[0]["function"]["parameters"]["properties"]["tags"] = {{"type", "array"}, {"items", {{"type", "string"}}}, {"uniqueItems", true}};
    const auto r = call_syntax("hermes", bad, 1);
    ASSERT_FALSE(r);
    EXPECT_THAT(r.error().text(), ::testing::AllOf(::testing::HasSubstr("read_file"), ::testing::HasSubstr("uniqueItems")));
}

TEST(CallSyntax, ParametersThatNoArgumentsSatisfyAreRefused) {
    for (const auto& dialect : dialects()) {
        for (const char* none : {"false", "[]", "\"object\"", "3"}) {
            const base::OrderedJson one = {{{"name", "f"}, {"parameters", base::parse_ordered_json(none).value()}}};
            const auto r = call_syntax(dialect, one, 1);
            ASSERT_FALSE(r) << dialect << ": " << none;
            if (r.error().code == base::Code::unsupported) continue;  // a dialect without a grammar
            EXPECT_THAT(r.error().text(), ::testing::AllOf(::testing::HasSubstr("'f'"), ::testing::HasSubstr(none)));
        }
        const bool written = call_syntax(dialect, {{{"name", "f"}}}, 1).ok();
        for (const char* any : {"true", "null", "{}"})
            EXPECT_EQ(call_syntax(dialect, {{{"name", "f"}, {"parameters", base::parse_ordered_json(any).value()}}}, 1).ok(), written) << dialect << ": " << any;
    }
}

TEST(CallSyntax, NamesThatTagsDoNotKeepAreRefusedOrLeftOut) {
    for (const char* name : {"e ", " e", "\te", "e<", "e\nf"}) {
        const auto with = [&](bool needed) {
            base::OrderedJson parameters = {{"type", "object"}, {"properties", {{"a", {{"type", "integer"}}}, {name, {{"type", "integer"}}}}}, {"required", {"a"}}, {"additionalProperties", false}};
            if (needed) parameters["required"].push_back(name);
            return base::OrderedJson::array({{{"name", "f"}, {"parameters", std::move(parameters)}}});
        };
        for (const char* dialect : {"glm4", "glm47", "qwen3_coder", "minimax_m2"}) {
            const auto needed = call_syntax(dialect, with(true), 1), left_out = call_syntax(dialect, with(false), 1);
            ASSERT_FALSE(needed) << dialect << ": " << name;
            EXPECT_THAT(needed.error().text(), ::testing::HasSubstr("its name cannot stand in a tag"));
            ASSERT_TRUE(left_out) << dialect << ": " << left_out.error().text();
        }
    }
}

base::OrderedJson coder_tools() {
    return base::parse_ordered_json(R"([{"name": "edit", "parameters": {"type": "object", "$defs": {"pair": {"type": "array", "items": {"type": "integer"}, "maxItems": 2}},
        "properties": {"text": {"type": "string"}, "mode": {"enum": ["a", "b<c", 3]}, "count": {"type": "integer", "minimum": 1}, "note": {"type": ["string", "null"]},
                       "all": {"type": "boolean"}, "span": {"$ref": "#/$defs/pair"}, "tags": {"type": "array", "items": {"type": "string"}},
                       "hint": {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "never": false, "short": {"type": "string", "maxLength": 3}}, "required": ["text"]}}])").value();
}

std::string coder_call(const std::vector<std::pair<std::string, std::string>>& parameters) {
    std::string out = "<tool_call>\n<function=edit>\n";
    for (const auto& [name, value] : parameters) out += "<parameter=" + name + ">\n" + value + "\n</parameter>\n";
    return out + "</function>\n</tool_call>";
}

// The arguments of the one call that the parser reads, in which nothing else may be.
std::string read_coder_call(const std::string& text) {
    ParserOptions options;
    options.dialect = "qwen3_coder";
    options.tools = coder_tools();
    auto parser = OutputParser::create(options).value();
    for (char c : text) parser->feed(std::string(1, c));
    parser->finish();
    const ParsedOutput& got = parser->result();
    return got.tool_calls.size() == 1 && got.tool_calls[0].name == "edit" && got.content.empty() ? got.tool_calls[0].arguments : "no call";
}

TEST(CallSyntax, TaggedCallsAreTakenAsTheirParserReadsThem) {
    const auto g = Grammar::from_ebnf(call_syntax("qwen3_coder", coder_tools(), 1)->ebnf).value();
    const std::pair<std::string, std::string> taken[] = {
        {coder_call({{"text", "if (a < b) {\n    \"x\" </p> </param\n}\n"}}), R"({"text":"if (a < b) {\n    \"x\" </p> </param\n}\n"})"},
        {coder_call({{"text", ""}, {"mode", "b<c"}}), R"({"text":"","mode":"b<c"})"},
        {coder_call({{"text", "3"}, {"mode", "3"}, {"count", "12"}}), R"({"text":"3","mode":3,"count":12})"},
        {coder_call({{"text", "é"}, {"note", "null"}, {"all", "true"}}), R"({"text":"é","note":null,"all":true})"},
        {coder_call({{"text", "a"}, {"note", "nullable"}, {"hint", "x1"}}), R"({"text":"a","note":"nullable","hint":"x1"})"},
        {coder_call({{"text", "a"}, {"hint", "12"}}), R"({"text":"a","hint":12})"},
        {coder_call({{"text", "a"}, {"span", "[1, 2]"}, {"tags", R"(["\u003c/parameter>"])"}}), R"({"text":"a","span":[1,2],"tags":["</parameter>"]})"}};
    for (const auto& [call, arguments] : taken) {
        EXPECT_TRUE(g->accepts(call)) << call;
        EXPECT_EQ(read_coder_call(call), arguments) << call;
    }
    for (const auto& wrong : {coder_call({}), coder_call({{"text", "a</parameter>b"}}), coder_call({{"text", "<parameter=x>"}}), coder_call({{"text", "</function>"}}),
                              coder_call({{"text", "a"}, {"count", "0"}}), coder_call({{"text", "a"}, {"all", "yes"}}), coder_call({{"text", "a"}, {"mode", "c"}}),
                              coder_call({{"other", "a"}}), coder_call({{"text", "a"}, {"span", "[1, 2, 3]"}}), coder_call({{"text", "a"}, {"tags", R"(["</parameter>"])"}}),
                              coder_call({{"text", "a"}, {"note", "None"}}), coder_call({{"text", "a"}, {"note", "12"}}), coder_call({{"text", "a"}, {"never", "x"}}),
                              coder_call({{"text", "a"}, {"short", "x"}})})
        EXPECT_FALSE(g->accepts(wrong)) << wrong;
}

TEST(CallSyntax, EveryTaggedCallWrittenIsReadAndValid) {
    const auto tokenizer = words();
    const auto table = make_token_table(tokenizer);
    const auto g = Grammar::from_ebnf(call_syntax("qwen3_coder", coder_tools(), 1)->ebnf).value();
    const auto schema = base::Schema::parse(base::Json(coder_tools()[0]["parameters"])).value();
    int read = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        const auto text = walk(g, table, *tokenizer, seed, "\n</parameter>\n</function>\n</tool_call>");
        ASSERT_TRUE(text) << "no end";
        ++read;
        const std::string arguments = read_coder_call(*text);
        const auto json = base::parse_json(arguments);
        ASSERT_TRUE(json) << *text << "\n" << arguments;
        const auto valid = schema.validate(*json);
        EXPECT_TRUE(valid) << *text << "\n" << arguments << "\n" << valid.error().text();
    }
    EXPECT_EQ(read, 200);
}

TEST(CallSyntax, TaggedCallsWithoutDescribedParametersAreBoundByTheirForm) {
    const auto any = base::parse_ordered_json(R"([{"name": "f", "parameters": {"type": "object"}}, {"name": "now", "parameters": {"type": "object", "properties": {}}}])").value();
    const auto g = Grammar::from_ebnf(call_syntax("qwen3_coder", any, 1)->ebnf).value();
    EXPECT_TRUE(g->accepts("<tool_call>\n<function=f>\n<parameter=anything>\nx\n</parameter>\n</function>\n</tool_call>"));
    EXPECT_TRUE(g->accepts("<tool_call>\n<function=now>\n</function>\n</tool_call>"));
    EXPECT_FALSE(g->accepts("<tool_call>\n<function=now>\n<parameter=x>\n1\n</parameter>\n</function>\n</tool_call>"));
    auto pattern = base::parse_ordered_json(R"([{"name": "f", "parameters": {"properties": {"p": {"type": "string", "pattern": "a"}}, "required": ["p"]}}])").value();
    const auto refused = call_syntax("qwen3_coder", pattern, 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::unsupported);
    EXPECT_THAT(refused.error().text(), ::testing::AllOf(::testing::HasSubstr("tool 'f'"), ::testing::HasSubstr("parameter 'p'")));
}

}  // namespace
}  // namespace text
