// Whatever a model writes, all of it is found again: as content, as reasoning, or as the text of a call.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "parsed.h"

namespace text {
namespace {

// What outputs are made of: tags of all dialects, pieces of calls and prose.
const std::vector<std::string> pieces = {
    "<tool_call>", "</tool_call>", "<function=f>", "</function>", "<parameter=s>", "</parameter>", "<think>", "</think>", "{\"name\": \"f\", \"arguments\": {", "\"s\": \"x\"", "}}", "[", "]", "{", "}",
    "(", ")", "f(", "s='x'", "=", ",", "\"", "'", "\\", "\n", " ", "prose é", "<|python_tag|>", "<|python_start|>", "<|python_end|>", "[TOOL_CALLS]", "[ARGS]", "functools", "<|tool_call|>",
    "<|tool_call_start|>", "<|tool_call_end|>", "<function_calls>", "</function_calls>", "<|tool_calls_section_begin|>", "<|tool_call_begin|>", "functions.f:0", "<|tool_call_argument_begin|>",
    "<|tool_calls_section_end|>", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "function<｜tool▁sep｜>f\n", "```json\n", "{\"s\": 1}", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>",
    "<｜DSML｜function_calls>", "<｜DSML｜invoke name=\"f\">", "<｜DSML｜parameter name=\"s\" string=\"true\">", "</｜DSML｜parameter>", "</｜DSML｜invoke>", "</｜DSML｜function_calls>",
    "<minimax:tool_call>", "<invoke name=\"f\">", "<parameter name=\"s\">", "</invoke>", "</minimax:tool_call>", "<seed:tool_call>", "</seed:tool_call>", "<arg_key>", "</arg_key>", "<arg_value>",
    "</arg_value>", "<|tool_call>", "call:f{", "s:<|\"|>", "<|\"|>", "<tool_call|>", "<|channel>", "<channel|>", "thought\n", "<|channel|>", "<|message|>", "analysis", "commentary to=functions.f",
    "<|start|>", "assistant", "<|end|>", "<|call|>", "<start_function_call>", "<escape>", "<end_function_call>", "Here is my thought process:", "Here is my response:", "true", "12", "\x80", "{\"name\"", "f"};

std::string bare(const std::string& text) {
    std::string out;
    for (char c : text)
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') out += c;
    return out;
}

// Every byte of `part` that is no blank comes in `whole` in this order.
bool is_within(const std::string& part, const std::string& whole) {
    std::size_t at = 0;
    for (char c : part) {
        at = whole.find(c, at);
        if (at++ == whole.npos) return false;
    }
    return true;
}

// In the order in which it came: what was shown, and the text of calls and of dropped markup.
std::string found_again(const ParserOptions& options, const std::vector<std::string>& chunks, ParsedOutput& result) {
    auto parser = OutputParser::create(options).value();
    std::string out;
    std::size_t calls = 0, notices = 0;
    const auto add = [&](const std::vector<Delta>& deltas) {
        for (const Delta& d : deltas)
            if (d.kind == Delta::Kind::content || d.kind == Delta::Kind::reasoning) out += d.text;
        for (; calls < parser->result().tool_calls.size() && !parser->result().tool_calls[calls].written.empty(); ++calls) out += parser->result().tool_calls[calls].written;
        for (; notices < parser->result().notices.size(); ++notices)
            if (parser->result().notices[notices].kind == Notice::Kind::no_calls) out += parser->result().notices[notices].text;
    };
    for (const auto& chunk : chunks) add(parser->feed(chunk));
    add(parser->finish());
    result = parser->result();
    return out;
}

std::string by_chance(std::mt19937& random) {
    std::string text;
    for (std::size_t n = 1 + random() % 14; n > 0; --n) text += pieces[random() % pieces.size()];
    return text;
}

// A call of the dialect that is cut, or has something in it that does not belong there.
std::string damaged(const std::string& dialect, std::mt19937& random) {
    static const std::map<std::string, std::string> calls = {
        {"hermes", "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}\n</tool_call>"},
        {"qwen3_coder", "<tool_call>\n<function=f>\n<parameter=s>\nx\n</parameter>\n<parameter=n>\n1\n</parameter>\n</function>\n</tool_call>"},
        {"seed_oss", "<seed:tool_call>\n<function=f>\n<parameter=s>x</parameter>\n</function>\n</seed:tool_call>"},
        {"llama3_json", "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"s\": \"x\"}}; {\"name\": \"f\", \"parameters\": {}}"},
        {"mistral", "[TOOL_CALLS]f[ARGS]{\"s\": \"x\"}[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}}]"},
        {"granite", "<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}, {\"name\": \"f\", \"arguments\": {}}]"},
        {"phi4_mini", "functools[{\"name\": \"f\", \"arguments\": {\"s\": \"x\"}}]"},
        {"lfm2", "<|tool_call_start|>[f(s='it\\'s', n=1), f()]<|tool_call_end|>"},
        {"pythonic", "[f(s=\"x\", n={'a': [1, None]}), f()]"},
        {"olmo3", "<function_calls>f(s='x')\nf(n=2)</function_calls>"},
        {"kimi_k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{\"s\": 1}<|tool_call_end|><|tool_calls_section_end|>"},
        {"deepseek_v3", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"s\": 1}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
        {"deepseek_v31", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"s\": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"},
        {"deepseek_v32", "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"s\" string=\"true\">x</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>"},
        {"minimax_m2", "<minimax:tool_call><invoke name=\"f\"><parameter name=\"s\">x</parameter></invoke><invoke name=\"f\"></invoke></minimax:tool_call>"},
        {"glm4", "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>\n</tool_call>"},
        {"gemma4", "<|tool_call>call:f{s:<|\"|>x<|\"|>,n:{a:[1,true]}}<tool_call|>"},
        {"functiongemma", "<start_function_call>call:f{s:<escape>x<escape>}<end_function_call>"}};
    const auto own = calls.find(dialect);
    std::string text = own != calls.end() ? own->second : calls.begin()->second;
    for (std::size_t n = random() % 3; n > 0; --n) text.insert(random() % (text.size() + 1), pieces[random() % pieces.size()]);
    if (random() % 3 == 0) text.resize(random() % (text.size() + 1));
    if (random() % 4 == 0) text.erase(random() % (text.size() + 1), 1 + random() % 6);
    return pieces[random() % pieces.size()] + text + pieces[random() % pieces.size()];
}

std::string without(std::string text, const std::vector<std::string>& tags) {
    for (const auto& tag : tags)
        for (std::size_t at = 0; (at = text.find(tag, at)) != text.npos;) text.erase(at, tag.size());
    return text;
}

std::string noticed(const ParsedOutput& result) {
    std::string out;
    for (const Notice& notice : result.notices) out += "|" + std::to_string(int(notice.kind)) + notice.text;
    return out;
}

TEST(CallLoss, NothingGeneratedIsLostWhateverItIs) {
    ParserOptions options;
    options.tools = base::parse_ordered_json(R"([{"name": "f", "parameters": {"type": "object", "properties": {"s": {"type": "string"}, "n": {"type": "integer"}}}}])").value();
    const std::vector<std::string> tags = {"<think>", "</think>", "<|channel>", "<channel|>", "[THINK]", "[/THINK]", "<seed:think>", "</seed:think>", "Hereismythoughtprocess:",
                                           "Hereismyresponse:", "<longcat_think>", "</longcat_think>", "thought"};
    std::mt19937 random(11);
    int calls = 0;
    for (const std::string& dialect : dialects()) {
        if (dialect == "harmony") continue;  // its headers are no text
        options.dialect = dialect;
        for (int round = 0; round < 300; ++round) {
            const std::string text = round % 2 ? by_chance(random) : damaged(dialect, random);
            ParsedOutput result;
            std::string found = found_again(options, {text}, result);
            for (std::size_t i = 0; i < result.tool_calls.size(); ++i) ++calls;
            // Everything that was found was written; what is missing is the markup of reasoning.
            EXPECT_EQ(without(bare(found), tags).size(), without(bare(text), tags).size()) << dialect << ": " << text << "\n" << found << "\n" << shown(result);
            EXPECT_TRUE(is_within(bare(result.content), bare(text))) << dialect << ": " << text;
            ParsedOutput cut;
            found_again(options, cut_by_chance(text, random), cut);
            EXPECT_EQ(shown(cut) + noticed(cut), shown(result) + noticed(result)) << dialect << ": " << text;
        }
    }
    EXPECT_GT(calls, 500) << "the pieces make calls";
}

struct Broken {
    const char *dialect, *text, *content, *calls;
};

ParserOptions with_alarm(const char* dialect) {
    ParserOptions options;
    options.dialect = dialect;
    options.tools = base::parse_ordered_json(R"([{"name": "alarm", "parameters": {"type": "object", "properties": {"label": {"type": "string"}, "hour": {"type": "integer"}}}},
                                                {"name": "run", "parameters": {"type": "object", "properties": {}}}])").value();
    return options;
}

// What has more in it than a name and arguments, or less: of calls that are told of when they are whole it is all content, of
// those that are told of while they are written it is what is left over. An operator is told so.
TEST(CallLoss, WhatIsNotAllNameAndArgumentsIsTold) {
    const Broken cases[] = {
        {"pythonic", "[alarm(label=\"x\", hour=[1, '2), run()]", "[alarm(label=\"x\", hour=[1, '2), run()]", ""},
        {"pythonic", "[run(), alarm(label=\"x", ", alarm(label=\"x", "|run{}"},
        {"pythonic", "[alarm(label=\"x", "[alarm(label=\"x", ""},
        {"pythonic", "[alarm(\"x\")]", "[alarm(\"x\")]", ""},
        {"lfm2", "<|tool_call_start|>[run(), alarm(label='x')<<|tool_call_end|>Done.", ", alarm(label='x')<<|tool_call_end|>Done.", "|run{}"},
        {"olmo3", "<function_calls>\nrun()\nalarm(label=", "alarm(label=", "|run{}"},
        {"qwen3_coder", "<tool_call>\n<function=alarm>\n<param<eter=label>\nx\n</parameter>\n<parameter=hour>\n7\n</parameter>\n</function>\n</tool_call>",
         "<param<eter=label>\nx\n</parameter>\n", "|alarm{\"hour\":7}"},
        {"qwen3_coder", "<tool_call>\n<function=alarm>\n<par", "<par", "|alarm"},
        {"qwen3_coder", "<tool_call>\n<function=alarm>\n<parameter=label>\nhalf of", "", "|alarm{\"label\":\"half of\"}"},
        {"minimax_m2", "<minimax:tool_call><invoke name=\"run\"></invoke><invoke name=\"alarm\"><parameter name=\"lab", "<parameter name=\"lab", "|run{}|alarm"},
        {"glm4", "<tool_call>alarm\n<arg_key>label</arg_key>\n<arg_vaxue>12</arg_value>\n</tool_call>", "<arg_key>label</arg_key>\n<arg_vaxue>12</arg_value>\n</tool_call>", "|alarm"},
        {"gemma4", "<|tool_call>call:alarm{label:<|\"|>x<|\"|>,hour}7}<tool_call|>", "<|tool_call>call:alarm{label:<|\"|>x<|\"|>,hour}7}<tool_call|>", ""},
        {"kimi_k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.run:0<|tool_call_argument_begin|>{}<|tool_call_end|>words of its own<|tool_calls_section_end|>",
         "", "|run{}"},
        {"deepseek_v31", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>run<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁call▁begin｜>alarm", "<｜tool▁call▁begin｜>alarm", "|run{}"},
        {"llama3_json", "{\"name\": \"alarm\", \"parameters\": {\"label\": \"x\",}\"hour\": 3}}", "\"hour\": 3}}", "|alarm{\"label\": \"x\",}"},
        {"llama3_json", "{\"name\": \"alarm\", \"param", "{\"name\": \"alarm\", \"param", ""},
    };
    std::mt19937 random(3);
    for (const Broken& c : cases) {
        const ParserOptions options = with_alarm(c.dialect);
        EXPECT_EQ(shown(parse_any_way(options, c.text, random)), std::string("content=") + c.content + "|reasoning=" + c.calls) << c.dialect << ": " << c.text;
        auto parser = OutputParser::create(options).value();
        parser->feed(c.text);
        parser->finish();
        const auto& notices = parser->result().notices;
        EXPECT_TRUE(std::any_of(notices.begin(), notices.end(), [](const Notice& n) { return n.kind == Notice::Kind::not_a_call; })) << c.dialect << ": " << c.text;
    }
}

std::vector<std::string> beside_of(const ParserOptions& options, const std::string& text, std::mt19937& random) {
    ParsedOutput whole, cut;
    found_again(options, {text}, whole);
    for (int round = 0; round < 5; ++round) {
        found_again(options, round ? cut_by_chance(text, random) : bytes_of(text), cut);
        EXPECT_EQ(shown(cut) + noticed(cut), shown(whole) + noticed(whole)) << text;
    }
    std::vector<std::string> out;
    for (const Notice& notice : whole.notices) {
        EXPECT_EQ(notice.kind, Notice::Kind::beside_call) << text;
        out.push_back(notice.text);
    }
    return out;
}

// What a call has beside its name and arguments is part of its text, and told; only an id and the word "function" are no news.
TEST(CallLoss, MembersBesideNameAndArgumentsAreTold) {
    const std::string thought = "\"thought\": \"it's {\\\"late\\\"}\"", run = "\"name\": \"run\", \"arguments\": {}";
    const struct {
        const char* dialect;
        std::string text;
        std::vector<std::string> beside;
        const char* calls = "|run{}";
    } cases[] = {
        {"hermes", "<tool_call>\n{" + run + ", " + thought + "}\n</tool_call>", {thought}},
        {"hermes", "<tool_call>\n{" + thought + ", " + run + "}\n</tool_call>", {thought}},
        {"hermes", "<tool_call>\n{\"id\": \"call_1\", \"type\": \"function\", " + run + "}\n</tool_call>", {}},
        {"hermes", "<tool_call>\n{\"type\": \"other\", " + run + ", \"n\": [1, {}], \"b\": true}\n</tool_call>", {"\"type\": \"other\"", "\"n\": [1, {}]", "\"b\": true"}},
        {"hermes", "<tool_call>\n{" + run + ", \"parameters\": {\"a\": 1}, \"name\": \"alarm\"}\n</tool_call>", {"\"parameters\": {\"a\": 1}", "\"name\": \"alarm\""}},
        {"hermes", "<tool_call>\n{" + run + ", \"thought\": \"half of", {"\"thought\": \"half of"}},
        {"granite", "<|tool_call|>[{" + run + ", " + thought + "}, {" + run + ", \"why\": null}]", {thought, "\"why\": null"}, "|run{}|run{}"},
        {"mistral", "[TOOL_CALLS] [{" + run + ", \"id\": \"abcdefghi\", \"why\": 1}]", {"\"why\": 1"}},
        {"llama3_json", "{" + run + ", " + thought + "}", {thought}},
    };
    std::mt19937 random(5);
    for (const auto& c : cases) {
        const ParserOptions options = with_alarm(c.dialect);
        EXPECT_EQ(shown(parse_any_way(options, c.text, random)), std::string("content=|reasoning=") + c.calls) << c.text;
        EXPECT_EQ(beside_of(options, c.text, random), c.beside) << c.text;
    }
}

// Small models miscount braces: those behind a call are shown to nobody.
TEST(CallLoss, BracesTooManyBehindACallAreNoAnswer) {
    const std::string run = "{\"name\": \"run\", \"arguments\": {}}";
    const struct {
        const char* dialect;
        std::string text, braces;
        const char *content = "", *calls = "|run{}";
    } cases[] = {
        {"hermes", run + "}", "}"},
        {"hermes", "\n" + run + "}}\n } \n", "}}\n }"},
        {"hermes", "```json\n" + run + "\n}\n```", "}"},
        {"hermes", "<tool_call>\n" + run + "}\n</tool_call>", "}"},
        {"hermes", "<tool_call>\n" + run + "\n}}\n</tool_call>\nDone.", "}}", "Done."},
        {"hermes", "<tool_call>\n" + run + "}}", "}}"},
        {"hermes", "<tool_call>\n" + run + "}\n</tool_call>\n<tool_call>\n" + run + "\n</tool_call>", "}", "", "|run{}|run{}"},
        {"llama3_json", run + "}", "}"},
        {"llama3_json", "<|python_tag|>" + run + "} } and more", "} }", "and more"},
        {"phi4_mini", "functools[" + run + "]}", "}"},
    };
    std::mt19937 random(6);
    for (const auto& c : cases) {
        const ParserOptions options = with_alarm(c.dialect);
        EXPECT_EQ(shown(parse_any_way(options, c.text, random)), std::string("content=") + c.content + "|reasoning=" + c.calls) << c.text;
        EXPECT_EQ(beside_of(options, c.text, random), std::vector<std::string>{c.braces}) << c.text;
    }
    EXPECT_EQ(shown(parse_any_way(with_alarm("hermes"), run + "} is a call", random)), "content=" + run + "} is a call|reasoning=") << "an answer that holds one";
}

TEST(CallLoss, ABlankBeforeATagIsNoPartOfAName) {
    std::mt19937 random(4);
    for (const char* dialect : {"glm4", "glm47"}) {
        const ParserOptions options = with_alarm(dialect);
        EXPECT_EQ(shown(parse_any_way(options, "<tool_call>alarm <arg_key>label</arg_key><arg_value>x</arg_value></tool_call>", random)), "content=|reasoning=|alarm{\"label\":\"x\"}");
        EXPECT_EQ(shown(parse_any_way(options, "<tool_call>run </tool_call>", random)), "content=|reasoning=|run{}");
        EXPECT_EQ(shown(parse_any_way(options, "<tool_call>run <b</tool_call>", random)), "content=<tool_call>run <b</tool_call>|reasoning=");
    }
}

TEST(CallLoss, HarmonySurvivesAnything) {
    ParserOptions options;
    options.dialect = "harmony";
    std::mt19937 random(12);
    const std::array<std::string, 12> parts = {"<|start|>", "assistant", "<|channel|>", "analysis", "final", " to=functions.f", "<|constrain|>", "<|message|>", "{\"s\": 1}", "<|end|>", "<|call|>", "prose "};
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        for (std::size_t n = 1 + random() % 12; n > 0; --n) text += parts[random() % parts.size()];
        EXPECT_EQ(shown(parse(options, cut_by_chance(text, random))), shown(parse(options, {text}))) << text;
    }
}

}  // namespace
}  // namespace text
