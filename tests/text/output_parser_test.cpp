#include "text/output_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "parsed.h"
#include "support/fixtures.h"

namespace {

using base::OrderedJson;
using text::Delta;
using text::parse;
using text::ParsedOutput;
using text::ParserOptions;
using text::shown;

TEST(OutputParser, ReasoningContentAndCallInOneAnswer) {
    ParserOptions options;
    options.dialect = "hermes";
    const auto got = parse(options, {"<think>\nwhich city?\n</think>\n\nLooking.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>"});
    EXPECT_EQ(got.reasoning, "which city?");
    EXPECT_EQ(got.content, "Looking.");
    ASSERT_EQ(got.tool_calls.size(), 1u);
    EXPECT_EQ(got.tool_calls[0].name, "weather");
    EXPECT_EQ(got.tool_calls[0].arguments, R"({"city": "Rome"})");
}

TEST(OutputParser, MarkupStaysContentWithoutTools) {
    ParserOptions options;
    options.dialect = "hermes";
    options.expect_tools = false;
    const std::string markup = "<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>";
    EXPECT_EQ(parse(options, {markup}).content, markup);
}

TEST(OutputParser, ABrokenCallIsContentAndTheNextIsStillRead) {
    ParserOptions options;
    options.dialect = "hermes";
    const auto got = parse(options, {"<tool_call>{\"nam\": 1}</tool_call>\n<tool_call>{\"name\": \"b\", \"arguments\": {}}</tool_call>"});
    EXPECT_EQ(got.content, "<tool_call>{\"nam\": 1}</tool_call>");
    ASSERT_EQ(got.tool_calls.size(), 1u);
    EXPECT_EQ(got.tool_calls[0].name, "b");
}

ParsedOutput parse_as(const std::string& dialect, const std::string& text) {
    ParserOptions options;
    options.dialect = dialect;
    options.tools = OrderedJson::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {"type": "object",
        "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}])");
    std::vector<std::string> bytes;
    for (char ch : text) bytes.emplace_back(1, ch);
    const auto whole = parse(options, {text});
    EXPECT_EQ(shown(parse(options, bytes)), shown(whole)) << text;
    return whole;
}

TEST(OutputParser, TheMarkThatClosesThoughtsBehindACallInThemIsNoContent) {
    const std::string call = R"(<tool_call>{"name": "f", "arguments": {"n": 1}}</tool_call>)";
    const struct {
        const char* dialect;
        std::string said, reasoning, content;
        std::size_t calls = 1;
    } cases[] = {
        {"hermes", "<think>t" + call + "</think>done", "t", "done"},
        {"hermes", "<think>t\n" + call + "\n</think>\n\ndone", "t", "done"},
        {"hermes", "<think>t" + call + "\n" + call + "</think>done", "t", "done", 2},
        {"hermes", "<think>t" + call + "</think>" + call, "t", "", 2},
        {"hermes", "<think>t" + call, "t", ""},
        {"hermes", "<think>t" + call + "</think>a </think> b", "t", "a </think> b"},
        {"hermes", "<think>t</think>" + call + "a </think> b", "t", "a </think> b"},
        {"hermes", "<think>t<tool_call>{}</tool_call>u</think>a </think> b", "t<tool_call>{}</tool_call>u", "a </think> b", 0},
        {"glm4", "<think>t<tool_call>f\n<arg_key>n</arg_key>\n<arg_value>1</arg_value>\n</tool_call></think>done", "t", "done"},
        {"seed_oss", "<seed:think>t<seed:tool_call><function=f><parameter=n>1</parameter></function></seed:tool_call></seed:think>done", "t", "done"},
    };
    for (const auto& c : cases) {
        const auto got = parse_as(c.dialect, c.said);
        EXPECT_EQ(got.reasoning, c.reasoning) << c.said;
        EXPECT_EQ(got.content, c.content) << c.said;
        EXPECT_EQ(got.tool_calls.size(), c.calls) << c.said;
    }
    ParserOptions untaught;
    untaught.dialect = "hermes";
    untaught.expect_tools = false;
    EXPECT_EQ(parse(untaught, {"<think>t" + call + "</think>done"}).content, call + "done");
}

TEST(OutputParser, ArgumentsAreKeptByteForByte) {
    const std::string written[] = {
        R"({})",
        R"({ })",
        R"({"b":1,"a":  [1,2.50,1e3, -0.0]  })",
        "{\n\t\"text\": \"tab\\t quote\\\" brace} \\u00e9 é \\\\\"\r\n}",
        R"({"twice": 1, "twice": 2, "deep": {"x": [{"y": "}"}]}})",
        R"({"big": 12345678901234567890123, "small": 0.1000})",
    };
    for (const auto& arguments : written) {
        const std::string object = R"({"name": "f", "arguments": )" + arguments + "}", llama = R"({"name": "f", "parameters": )" + arguments + "}";
        const std::pair<const char*, std::string> outputs[] = {
            {"hermes", "<tool_call>\n" + object + "\n</tool_call>"},
            {"hermes", "<tool_call>" + std::string(R"({"arguments":)") + arguments + R"(,"name":"f"})" + "</tool_call>"},
            {"llama3_json", llama},
            {"llama3_json", "<|python_tag|>" + llama + ";"},
            {"mistral", "[TOOL_CALLS] [" + object + "]"},
            {"mistral", "[TOOL_CALLS]f[ARGS]" + arguments},
            {"mistral", "[TOOL_CALLS]f" + arguments},
        };
        for (const auto& [dialect, text] : outputs) {
            const auto got = parse_as(dialect, text);
            ASSERT_EQ(got.tool_calls.size(), 1u) << text;
            EXPECT_EQ(got.tool_calls[0].name, "f") << text;
            EXPECT_EQ(got.tool_calls[0].arguments, arguments) << text;
            EXPECT_EQ(got.content, "") << text;
        }
    }
}

TEST(OutputParser, ArgumentsComeWhileTheyAreWritten) {
    const std::pair<const char*, std::vector<std::string>> outputs[] = {
        {"hermes", {"<tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"one", " two", " three\"}", "}\n</tool_call>"}},
        {"llama3_json", {"{\"name\": \"f\", \"parameters\": {\"s\": \"one", " two", " three\"}", "}"}},
        {"mistral", {"[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"s\": \"one", " two", " three\"}", "}]"}},
        {"mistral", {"[TOOL_CALLS]f{\"s\": \"one", " two", " three\"}", ""}},
    };
    for (const auto& [dialect, chunks] : outputs) {
        ParserOptions options;
        options.dialect = dialect;
        auto parser = text::OutputParser::create(options).value();
        const auto first = parser->feed(chunks[0]);
        ASSERT_EQ(first.size(), 2u) << dialect;
        EXPECT_EQ(first[0].kind, Delta::Kind::tool_call_started);
        EXPECT_EQ(first[0].text, "f");
        EXPECT_EQ(first[1].text, "{\"s\": \"one");
        for (int i : {1, 2}) {
            const auto next = parser->feed(chunks[std::size_t(i)]);
            ASSERT_EQ(next.size(), 1u) << dialect;
            EXPECT_EQ(next[0].kind, Delta::Kind::tool_arguments);
            EXPECT_EQ(next[0].tool_index, 0);
            EXPECT_EQ(next[0].text, chunks[std::size_t(i)]);
        }
        EXPECT_TRUE(parser->feed(chunks[3]).empty()) << dialect;
        EXPECT_TRUE(parser->finish().empty()) << dialect;
    }
    ParserOptions options;
    options.dialect = "qwen3_coder";
    auto parser = text::OutputParser::create(options).value();
    parser->feed("<tool_call>\n<function=f>\n<parameter=s>\none\n</parameter>\n<param");
    EXPECT_EQ(parser->result().tool_calls.at(0).arguments, "") << "the end of a value shows by what follows it";
    parser->feed("eter=");
    EXPECT_EQ(parser->result().tool_calls.at(0).arguments, R"({"s":"one")");
    parser->feed("n>2</parameter></function></tool_call>");
    EXPECT_EQ(parser->result().tool_calls.at(0).arguments, R"({"s":"one","n":"2"})");
}

TEST(OutputParser, ACutCallKeepsWhatWasWritten) {
    const std::tuple<const char*, const char*, const char*> cut[] = {
        {"hermes", "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"on", "{\"s\": \"on"},
        {"llama3_json", "{\"name\": \"f\", \"parameters\": {\"s\"", "{\"s\""},
        {"mistral", "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"s\": 1", "{\"s\": 1"},
        {"mistral", "[TOOL_CALLS]f[ARGS]{\"s\": {\"x\": 1}", "{\"s\": {\"x\": 1}"},
        {"qwen3_coder", "<tool_call>\n<function=f>\n<parameter=n>\n12", "{\"n\":12}"},
    };
    for (const auto& [dialect, text, arguments] : cut) {
        const auto got = parse_as(dialect, text);
        ASSERT_EQ(got.tool_calls.size(), 1u) << text;
        EXPECT_EQ(got.tool_calls[0].arguments, arguments) << text;
        EXPECT_EQ(got.content, "") << text;
    }
    for (const char* nothing_yet : {"<tool_call>\n{\"name\": \"f\", \"argu", "<tool_call>\n{\"name\": \"f\", \"arguments\": {"})
        EXPECT_EQ(parse_as("hermes", nothing_yet).content, nothing_yet);
}

TEST(OutputParser, WhatIsNoCallStaysContentAndABrokenOneLeavesNoTags) {
    for (const char* text : {R"({"name": "Ann", "age": 5})", R"({"name": 5, "parameters": {}})", R"({"name": "f", "parameters": {x: 1}})", R"({"names": "f"})"})
        EXPECT_EQ(parse_as("llama3_json", text).content, text);
    const auto broken = parse_as("hermes", "<tool_call>{\"name\": \"f\", \"arguments\": {\"n\": 1} oops}</tool_call> Done.");
    ASSERT_EQ(broken.tool_calls.size(), 1u);
    EXPECT_EQ(broken.tool_calls[0].arguments, "{\"n\": 1}");
    EXPECT_EQ(broken.content, "oops} Done.");
    const auto packed = parse_as("hermes", R"(<tool_call>{"name": "f", "arguments": "{\"n\": 1}"}</tool_call>)");
    ASSERT_EQ(packed.tool_calls.size(), 1u);
    EXPECT_EQ(packed.tool_calls[0].arguments, R"({"n": 1})");
}

TEST(OutputParser, BracesInProseKeepTheirBlanks) {
    ParserOptions options;
    options.dialect = "llama3_json";
    EXPECT_EQ(parse(options, {"int main() { return 0; }\n\n{ }"}).content, "int main() { return 0; }\n\n{ }");
}

TEST(OutputParser, ContentIsNotHeldBackLongerThanAMarkerCouldBe) {
    ParserOptions options;
    options.dialect = "hermes";
    auto parser = text::OutputParser::create(options);
    const auto first = (*parser)->feed("Hello <tool");
    ASSERT_EQ(first.size(), 1u);
    EXPECT_EQ(first[0].text, "Hello");
    const auto second = (*parser)->feed("box>");
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(second[0].text, " <toolbox>");
}

TEST(OutputParser, AnUnknownDialectIsRefusedByName) {
    ParserOptions options;
    options.dialect = "klingon";
    const auto parser = text::OutputParser::create(options);
    ASSERT_FALSE(parser.ok());
    EXPECT_THAT(parser.error().text(), testing::AllOf(testing::HasSubstr("klingon"), testing::HasSubstr("hermes")));
}

TEST(OutputParser, KnowsTheDialectOfRealTemplates) {
    EXPECT_EQ(text::detect_dialect("{{ messages[0].content }}"), "none");
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    const std::pair<const char*, const char*> templates[] = {
        {"vllm-rust__qwen3", "hermes"}, {"llamacpp__Qwen-Qwen3-0.6B", "hermes"}, {"llamacpp__Qwen-QwQ-32B", "hermes"},
        {"minja__Qwen-Qwen3-Coder-30B-A3B-Instruct", "qwen3_coder"}, {"vllm-rust__qwen35", "qwen3_coder"}, {"llamacpp__Qwen3.5-4B", "qwen3_coder"},
        {"llamacpp__NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "qwen3_coder"}, {"llamacpp__meta-llama-Llama-3.1-8B-Instruct", "llama3_json"},
        {"vllm__tool_chat_template_llama3.2_json", "llama3_json"}, {"vllm__tool_chat_template_llama3.2_pythonic", "pythonic"},
        {"vllm__tool_chat_template_llama4_pythonic", "pythonic"}, {"vllm__tool_chat_template_gemma3_pythonic", "pythonic"}, {"vllm__tool_chat_template_toolace", "pythonic"},
        {"llamacpp__mistralai-Mistral-Nemo-Instruct-2407", "mistral"}, {"llamacpp__Mistral-Small-3.2-24B-Instruct-2506", "mistral"},
        {"llamacpp__mistralai-Ministral-3-14B-Reasoning-2512", "mistral"}, {"llamacpp__ibm-granite-granite-3.3-2B-Instruct", "granite"},
        {"vllm__tool_chat_template_granite", "granite"}, {"vllm__tool_chat_template_deepseekv3", "deepseek_v3"},
        {"sglang__tool_chat_template_deepseekr1", "deepseek_v3"}, 
        {"vllm__tool_chat_template_deepseekv31", "deepseek_v31"}, {"llamacpp__deepseek-ai-DeepSeek-V3.2", "deepseek_v32"},
        {"llamacpp__deepseek-ai-DeepSeek-V4", "deepseek_v4"},
        {"llamacpp__google-gemma-4-31B-it", "gemma4"}, {"vllm__tool_chat_template_gemma4", "gemma4"}, {"vllm__tool_chat_template_functiongemma", "functiongemma"},
        {"llamacpp__GLM-4.6", "glm4"}, {"llamacpp__openai-gpt-oss-120b", "harmony"}, {"llamacpp__Kimi-K2-Instruct", "kimi_k2"},
        {"llamacpp__Kimi-K2-Thinking", "kimi_k2"}, {"smg__kimi_k25_chat_template", "kimi_k2"}, {"modelopt__MiniMax-M2.7-DFlash_chat_template_train", "minimax_m2"},
        {"llamacpp__ByteDance-Seed-OSS", "seed_oss"}, {"llamacpp__LFM2-8B-A1B", "lfm2"}, {"llamacpp__LFM2.5-Instruct", "lfm2"},
        {"vllm__tool_chat_template_phi4_mini", "phi4_mini"}, {"llamacpp__google-gemma-2-2b-it", "none"}, {"vllm__template_chatml", "none"}};
    for (const auto& [name, dialect] : templates)
        EXPECT_EQ(text::detect_dialect(support::read_text(*vectors / "chat_templates/templates" / (std::string(name) + ".jinja"))), dialect) << name;
}

TEST(OutputParser, KnowsWhetherAPromptHasOpenedTheReasoning) {
    EXPECT_TRUE(text::opens_reasoning("hermes", "<|im_start|>assistant\n<think>\n"));
    EXPECT_TRUE(text::opens_reasoning("seed_oss", "<seed:bos>assistant\n<seed:think>"));
    EXPECT_TRUE(text::opens_reasoning("gemma4", "<|turn>model\n<|channel>thought\n"));
    EXPECT_TRUE(text::opens_reasoning("none", "<think>"));
    EXPECT_FALSE(text::opens_reasoning("hermes", "<|im_start|>assistant\n<think>\n\n</think>\n\n"));
    EXPECT_FALSE(text::opens_reasoning("gemma4", "<think>"));
    EXPECT_FALSE(text::opens_reasoning("none", ""));
}

TEST(OutputParser, AnotherDialectThanTheExpectedOneIsNoticed) {
    ParserOptions options;
    options.dialect = "hermes";
    options.tools = OrderedJson::parse(R"([{"name": "f", "parameters": {"type": "object", "properties": {"s": {"type": "string"}}}}])");
    const auto notices = [&](const std::string& text) {
        auto parser = text::OutputParser::create(options).value();
        parser->feed(text);
        parser->finish();
        return parser->result().notices;
    };
    for (const auto& [text, dialect] : std::vector<std::pair<std::string, std::string>>{
             {"[TOOL_CALLS]f[ARGS]{\"s\": \"x\"}", "mistral"},
             {"Sure. <|tool_call>call:f{s:<|\"|>x<|\"|>}<tool_call|>", "gemma4"},
             {"<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{\"s\": \"x\"}<|tool_call_end|><|tool_calls_section_end|>", "kimi_k2"},
             {"<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n</tool_call>", "glm47"},
             {"Sure. {\"name\": \"f\", \"parameters\": {\"s\": \"x\"}}", "llama3_json"}}) {
        const auto got = notices(text);
        ASSERT_FALSE(got.empty()) << text;
        EXPECT_EQ(got.back().kind, text::Notice::Kind::other_dialect) << text;
        EXPECT_EQ(got.back().text, dialect) << text;
    }
    EXPECT_TRUE(notices("<tool_call>{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}</tool_call>").empty());
    EXPECT_TRUE(notices("Call [g(x=1)] or {\"name\": \"g\", \"parameters\": {}}.").empty()) << "no tool of that name";
    const auto refused = notices("<tool_call>oops</tool_call>");
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].kind, text::Notice::Kind::not_a_call);
    EXPECT_EQ(refused[0].text, "<tool_call>");
}

// What a model may have tokens for must have a text for its parser.
TEST(OutputParser, KnowsTheMarkupOfEachDialect) {
    const std::map<std::string, std::vector<std::string>> marks = {
        {"none", {"<think>", "</think>"}}, {"mistral", {"[TOOL_CALLS]", "[ARGS]", "[THINK]", "[/THINK]"}}, {"harmony", {"<|channel|>", "<|message|>", "<|constrain|>", "<|end|>"}},
        {"gemma4", {"<|tool_call>", "<tool_call|>", "<|\"|>", "<|channel>", "<channel|>"}}, {"kimi_k2", {"<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_calls_section_end|>"}},
        {"deepseek_v31", {"<｜tool▁calls▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"}}, {"lfm2", {"<|tool_call_start|>", "<|tool_call_end|>"}}, {"llama3_json", {"<|python_tag|>"}},
        {"seed_oss", {"<seed:tool_call>", "</seed:tool_call>", "<seed:think>"}}, {"granite", {"<|tool_call|>"}}};
    for (const auto& [dialect, texts] : marks)
        for (const auto& text : texts) EXPECT_THAT(text::markup_of(dialect), ::testing::Contains(text)) << dialect;
}

TEST(OutputParser, AnArgumentThatMayBeNullByOpenApisWordIsNull) {
    ParserOptions options;
    options.dialect = "qwen3_coder";
    const std::string call = "<tool_call>\n<function=f>\n<parameter=s>\nnull\n</parameter>\n</function>\n</tool_call>";
    for (const bool nullable : {true, false}) {
        options.tools = {{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", {{"type", "object"}, {"properties", {{"s", {{"type", "string"}, {"nullable", nullable}}}}}}}}}}};
        EXPECT_EQ(parse(options, {call}).tool_calls.at(0).arguments, nullable ? R"({"s":null})" : R"({"s":"null"})");
    }
}

TEST(OutputParser, TagsInsideValuesAreNoStructure) {
    const std::tuple<const char*, const char*, const char*> outputs[] = {
        {"qwen3_coder", "<tool_call>\n<function=f>\n<parameter=s>\na </parameter> b <parameter=x> c </function> d\n</parameter>\n</function>\n</tool_call>",
         R"({"s":"a </parameter> b <parameter=x> c </function> d"})"},
        {"glm4", "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>a</arg_value> b </tool_call> c</arg_value>\n</tool_call>", R"({"s":"a</arg_value> b </tool_call> c"})"},
        {"minimax_m2", "<minimax:tool_call><invoke name=\"f\"><parameter name=\"s\">a</parameter>b</parameter></invoke></minimax:tool_call>", R"({"s":"a</parameter>b"})"},
        {"kimi_k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{\"s\": \"<|tool_call_end|>\"}<|tool_call_end|><|tool_calls_section_end|>",
         R"({"s": "<|tool_call_end|>"})"},
        {"gemma4", "<|tool_call>call:f{s:<|\"|>}<tool_call|> {,<|\"|>}<tool_call|>", R"({"s":"}<tool_call|> {,"})"},
        {"lfm2", "<|tool_call_start|>[f(s=')]<|tool_call_end|> it\\'s')]<|tool_call_end|>", R"({"s":")]<|tool_call_end|> it's"})"},
        {"hermes", "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"</tool_call>}\"}}\n</tool_call>", R"({"s": "</tool_call>}"})"},
    };
    for (const auto& [dialect, text, arguments] : outputs) {
        const auto got = parse_as(dialect, text);
        ASSERT_EQ(got.tool_calls.size(), 1u) << text << "\n" << shown(got);
        EXPECT_EQ(got.tool_calls[0].arguments, arguments) << text;
        EXPECT_EQ(got.content, "") << text;
    }
}

TEST(OutputParser, HarmonyChannelsAndCalls) {
    ParserOptions options;
    options.dialect = "harmony";
    std::mt19937 random(3);
    const auto got = text::parse_any_way(options,
                                         "<|channel|>analysis<|message|>Which city?<|end|><|start|>assistant<|channel|>commentary<|message|>Looking. <|end|>"
                                         "<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"s\": \"x\"}<|call|>",
                                         random);
    EXPECT_EQ(shown(got), "content=Looking.|reasoning=Which city?|f{\"s\": \"x\"}");
    EXPECT_EQ(shown(text::parse_any_way(options, " to=functions.f<|channel|>commentary json<|message|>{\"s\":", random)), "content=|reasoning=|f{\"s\":");
    EXPECT_EQ(shown(text::parse_any_way(options, "<|channel|>final<|message|>It is <|x|> 5.<|return|>", random)), "content=It is <|x|> 5.|reasoning=");
    EXPECT_EQ(shown(text::parse_any_way(options, " to= be or not", random)), "content=to= be or not|reasoning=");
}

TEST(OutputParser, AVerbatimAnswerKeepsItsBlanksAndWhatLooksLikeMarkupInIt) {
    std::mt19937 random(3);
    for (const char* dialect : {"none", "hermes", "qwen3_coder", "granite", "harmony"})
        for (const char* answer : {"", " ", "\n\n", "  two\n", "\n\n\tthree \r\n\n", "<thin", "<", "x <think> y </think>", "x\n</tool_call> ", " <tool_call>{}", " <|channel|>analysis<|message|>", " {\"name\": 1"}) {
            SCOPED_TRACE(std::string(dialect) + ": " + answer);
            ParserOptions options;
            options.dialect = dialect;
            options.expect_tools = false;
            options.verbatim = true;
            EXPECT_EQ(shown(parse_any_way(options, answer, random, 5)), std::string("content=") + answer + "|reasoning=");
        }
}

TEST(OutputParser, AVerbatimAnswerMayFollowReasoningOrBeACallInstead) {
    std::mt19937 random(4);
    ParserOptions options;
    options.dialect = "hermes";
    options.tools = base::parse_ordered_json(R"([{"name": "web"}])").value();
    options.bare_calls = false;
    options.verbatim = true;
    const std::string call = "<tool_call>\n{\"name\": \"web\", \"arguments\": {}}\n</tool_call>";
    for (const bool open : {false, true}) {
        options.reasoning_open = open;
        const std::string thoughts = (open ? "" : "<think>") + std::string("\nhm\n</think>") + std::string(text::behind_reasoning);
        for (const char* answer : {"", " x ", "\n", "\n\n\n x", "</think>"})
            EXPECT_EQ(shown(parse_any_way(options, thoughts + answer, random)), std::string("content=") + answer + "|reasoning=hm");
        EXPECT_EQ(shown(parse_any_way(options, thoughts + call, random)), "content=|reasoning=hm|web{}");
    }
    options.reasoning_open = false;
    EXPECT_EQ(shown(parse_any_way(options, call + "\n" + call, random)), "content=|reasoning=|web{}|web{}");
    EXPECT_EQ(shown(parse_any_way(options, " " + call, random)), "content= " + call + "|reasoning=");
    options.dialect = "harmony";
    EXPECT_EQ(shown(parse_any_way(options, "<|channel|>commentary to=functions.web <|constrain|>json<|message|>{}", random)), "content=|reasoning=|web{}");
}

TEST(OutputParser, ACallKeepsItsTextAsItWasWritten) {
    const std::pair<const char*, std::vector<std::string>> outputs[] = {
        {"hermes", {"<tool_call>\n{\"name\": \"f\",  \"arguments\": {\"n\": 1}}\n</tool_call>", "<tool_call>{\"arguments\": {}, \"name\": \"g\"}</tool_call>"}},
        {"pythonic", {"[f(n = 1), f( )]", ""}},
        {"glm4", {"<tool_call>f\n<arg_key>n</arg_key>\n<arg_value>1</arg_value>\n</tool_call>", "<tool_call>f\n</tool_call>"}},
        {"gemma4", {"<|tool_call>call:f{n:1}<tool_call|>", "<|tool_call>call:f{}<tool_call|>"}},
        {"harmony", {"<|channel|>commentary to=functions.f <|constrain|>json<|message|>{ }<|call|>", "<|start|>assistant<|channel|>commentary to=f<|message|>{}<|call|>"}},
    };
    for (const auto& [dialect, written] : outputs) {
        ParserOptions options;
        options.dialect = dialect;
        auto parser = text::OutputParser::create(options).value();
        for (const auto& w : written) parser->feed(w);
        parser->finish();
        ASSERT_EQ(parser->result().tool_calls.size(), 2u) << dialect;
        for (std::size_t i : {0, 1}) EXPECT_EQ(parser->result().tool_calls[i].written, written[i]) << dialect;
    }
}

}  // namespace
