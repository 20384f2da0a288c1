#include "text/output_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "support/fixtures.h"

namespace {

using base::OrderedJson;
using text::Delta;
using text::ParsedOutput;
using text::ParserOptions;

ParsedOutput parse(const ParserOptions& options, const std::vector<std::string>& chunks) {
    auto parser = text::OutputParser::create(options);
    EXPECT_TRUE(parser.ok());
    ParsedOutput added;
    const auto add = [&](const std::vector<Delta>& deltas) {
        for (const Delta& d : deltas) {
            if (d.kind == Delta::Kind::content) added.content += d.text;
            if (d.kind == Delta::Kind::reasoning) added.reasoning += d.text;
            if (d.kind == Delta::Kind::tool_call_started) added.tool_calls.push_back({d.text, ""});
            if (d.kind == Delta::Kind::tool_arguments) added.tool_calls.at(std::size_t(d.tool_index)).arguments += d.text;
        }
    };
    for (const auto& chunk : chunks) add((*parser)->feed(chunk));
    add((*parser)->finish());
    const ParsedOutput& result = (*parser)->result();
    EXPECT_EQ(added.content, result.content);
    EXPECT_EQ(added.reasoning, result.reasoning);
    EXPECT_EQ(added.tool_calls.size(), result.tool_calls.size());
    for (std::size_t i = 0; i < std::min(added.tool_calls.size(), result.tool_calls.size()); ++i) {
        EXPECT_EQ(added.tool_calls[i].name, result.tool_calls[i].name);
        EXPECT_EQ(added.tool_calls[i].arguments, result.tool_calls[i].arguments);
    }
    return added;
}

std::string shown(const ParsedOutput& p) {
    std::string out = "content=" + p.content + "|reasoning=" + p.reasoning;
    for (const auto& c : p.tool_calls) out += "|" + c.name + c.arguments;
    return out;
}

std::string stripped(const std::string& s) {
    const auto from = s.find_first_not_of(" \n\r\t");
    return from == std::string::npos ? "" : s.substr(from, s.find_last_not_of(" \n\r\t") - from + 1);
}

bool agrees(const ParsedOutput& got, const OrderedJson& expected) {
    if (stripped(got.content) != stripped(expected.value("content", OrderedJson()).is_string() ? expected["content"].get<std::string>() : "")) return false;
    const auto& reasoning = expected.value("reasoning", OrderedJson());
    if (stripped(got.reasoning) != stripped(reasoning.is_string() ? reasoning.get<std::string>() : "")) return false;
    if (got.tool_calls.size() != expected.at("tool_calls").size()) return false;
    for (std::size_t i = 0; i < got.tool_calls.size(); ++i) {
        const auto& call = expected.at("tool_calls")[i];
        if (got.tool_calls[i].name != call.at("name")) return false;
        const auto a = OrderedJson::parse(got.tool_calls[i].arguments, nullptr, false);
        const auto b = OrderedJson::parse(call.at("arguments").get<std::string>(), nullptr, false);
        if (base::Json(a) != base::Json(b)) return false;
    }
    return true;
}

const std::map<std::string, std::string> families = {
    {"hermes", "hermes"}, {"qwen3_coder_xml", "qwen3_coder"}, {"llama3_json", "llama3_json"}, {"mistral", "mistral"}, {"qwen3", "none"}};

// Recorded behaviour that is not followed, and why.
const std::map<std::string, std::set<std::string>> known_misses = {
    {"tags of another model (<longcat_tool_call>)", {"tc-0402", "tc-0403", "tc-0404", "tc-0405", "tc-0406", "tc-0407", "tc-0409"}},
    {"the tool parser alone was recorded: it leaves <think> in the content", {"tc-0428", "tc-0429", "tc-0440"}},
    {"text around a call is kept here, dropped there", {"tc-0714", "tc-0721", "tc-0885", "tc-0886"}},
    {"a broken or cut call is content here, half a call or nothing there",
     {"tc-0729", "tc-0888", "tc-0890", "tc-0891", "tc-0900", "tc-1095"}},
    {"a call that lacks only its last brace is a call here, content there", {"tc-0400"}},
    {"one chunk of a stream was recorded", {"tc-0916"}},
    {"no marker, yet reasoning: only the caller can know (reasoning_open)",
     {"tc-1046", "tc-1050", "tc-1064", "tc-1068", "tc-1085"}},
    {"a call ends reasoning only where a tool dialect is in force", {"tc-1051", "tc-1052", "tc-1069", "tc-1070", "tc-1073"}},
    {"a second <think> is text of the reasoning", {"tc-1060"}},
};

bool known(const std::string& id) {
    return std::any_of(known_misses.begin(), known_misses.end(), [&](const auto& row) { return row.second.count(id) != 0; });
}

TEST(OutputParser, AgreesWithOtherParsersOnRecordedOutput) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    std::ifstream lines(*vectors / "tool_calls/cases.jsonl");
    std::map<std::string, std::pair<int, int>> scores;
    std::mt19937 random(7);
    for (std::string line; std::getline(lines, line);) {
        const auto c = OrderedJson::parse(line);
        const auto family = families.find(c.at("family"));
        if (family == families.end()) continue;
        ParserOptions options;
        options.dialect = family->second;
        options.tools = c.value("tools", OrderedJson());
        const std::string whole = c.at("text");
        const bool closes_only = whole.find("</think>") != std::string::npos && whole.find("<think>") == std::string::npos;
        options.reasoning_open = c.at("kind") == "reasoning" && closes_only;
        std::vector<std::string> chunks = {whole};
        if (c.contains("chunks")) chunks = c["chunks"].get<std::vector<std::string>>();
        const ParsedOutput got = parse(options, chunks);
        auto& [passed, all] = scores[family->first];
        ++all;
        const bool right = agrees(got, c.at("expected"));
        passed += right;
        EXPECT_EQ(right, !known(c.at("id"))) << c.at("id") << ": " << whole << "\n" << shown(got) << "\nexpected " << c.at("expected");
        const std::string same = shown(parse(options, {whole}));
        std::vector<std::string> bytes;
        for (char ch : whole) bytes.emplace_back(1, ch);
        EXPECT_EQ(shown(parse(options, bytes)), same) << c.at("id");
        for (int round = 0; round < 20; ++round) {
            std::vector<std::string> cut;
            for (std::size_t at = 0; at < whole.size();) {
                const std::size_t n = 1 + random() % 9;
                cut.push_back(whole.substr(at, n));
                at += n;
            }
            EXPECT_EQ(shown(parse(options, cut)), same) << c.at("id");
        }
    }
    for (const auto& [name, score] : scores) std::printf("%-20s %d/%d\n", name.c_str(), score.first, score.second);
}

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
    EXPECT_EQ(parser->result().tool_calls.at(0).arguments, R"({"s":"one")");
    parser->feed("eter=n>2</parameter></function></tool_call>");
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
    EXPECT_EQ(broken.content, "Done.");
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
    const auto read = [&](const char* name) { return support::read_text(*vectors / "chat_templates/templates" / name); };
    EXPECT_EQ(text::detect_dialect(read("vllm-rust__qwen3.jinja")), "hermes");
    EXPECT_EQ(text::detect_dialect(read("llamacpp__Qwen-Qwen3-0.6B.jinja")), "hermes");
    EXPECT_EQ(text::detect_dialect(read("minja__Qwen-Qwen3-Coder-30B-A3B-Instruct.jinja")), "qwen3_coder");
    EXPECT_EQ(text::detect_dialect(read("llamacpp__meta-llama-Llama-3.1-8B-Instruct.jinja")), "llama3_json");
    EXPECT_EQ(text::detect_dialect(read("llamacpp__mistralai-Mistral-Nemo-Instruct-2407.jinja")), "mistral");
}

}  // namespace
