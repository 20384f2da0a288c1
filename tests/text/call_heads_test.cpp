// Calls that a model writes as bare JSON, held to their tools' schemas while they are written.
#include "text/call_heads.h"

#include <gtest/gtest.h>

#include "parsed.h"
#include "walk.h"

namespace text {
namespace {

base::OrderedJson tools() {
    return base::parse_ordered_json(R"([
        {"type": "function", "function": {"name": "heat", "parameters": {"type": "object", "properties": {"room": {"enum": ["hall", "attic"]}, "celsius": {"type": "integer", "minimum": 5, "maximum": 30}},
            "required": ["room"], "additionalProperties": false}}},
        {"name": "heat_all", "parameters": {"type": "object", "properties": {"celsius": {"type": "integer"}}, "additionalProperties": false}},
        {"name": "say \"hi\"", "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}])").value();
}

// Every printable character, and tokens over the places where heads begin and end.
std::shared_ptr<const Tokenizer> spanning() {
    Vocabulary v;
    v.pre = "qwen2";
    v.tokens = {"<|end|>", "<tool_call>", "</think>"};
    v.types = {TokenType::control, TokenType::control, TokenType::control};
    for (char c = 33; c < 127; ++c) v.tokens.push_back(std::string(1, c));
    for (const char* t : {"Ġ", "Ċ", "ĉ", "Ã", "©", "ĊĊ", "ĠĠĠĠ", "{\"", "Ġ{\"", "Ġ{Ċ", "Ġ{'", ":{", "\":{\"", "{}", "Ġ{}", "Ġ{}}", "{\"room", "Ġ{\"x", "\"}}", "\"}}Ċ", "}}", "``", "```", "json",
                          ">{\"", "</", "think", "name", "heat", "_all", "arguments", "\":", "\",", "ĠĠ\"", "5}", "5}}"})
        v.tokens.push_back(t);
    v.types.resize(v.tokens.size(), TokenType::normal);
    v.eos = 0;
    return Tokenizer::create(std::move(v)).value();
}

struct Bound {
    explicit Bound(const std::string& dialect = "hermes", bool reasoning_open = false) {
        syntax = call_syntax(dialect, tools(), 8).value();
        std::string rules = syntax.ebnf + syntax.bare;
        rules.replace(0, 4, "calls");
        grammar = Grammar::from_ebnf("root ::= calls | bare\n" + rules).value();
        heads = CallHeads::create(syntax.heads, dialect, reasoning_open).value();
    }
    std::unique_ptr<GrammarState> start() const { return GrammarState::create(grammar, table, syntax.trigger, heads); }
    TokenId id_of(std::string_view bytes) const {
        for (TokenId id = 0; id < tokenizer->size(); ++id)
            if (tokenizer->bytes(id, true) == bytes) return id;
        throw std::runtime_error("no token " + std::string(bytes));
    }
    // Byte by byte, control tokens as such: how many bytes of the output are taken. Masks say the same.
    std::size_t taken(GrammarState& state, const std::string& output) const {
        std::vector<std::uint64_t> bits((std::size_t(tokenizer->size()) + 63) / 64);
        for (std::size_t at = 0; at < output.size();) {
            std::string piece(1, output[at]);
            for (const char* control : {"<tool_call>", "</think>"})
                if (output.compare(at, std::string(control).size(), control) == 0) piece = control;
            const TokenId id = id_of(piece);
            const bool allowed = !state.mask(bits) || (bits[std::size_t(id) / 64] >> (id % 64) & 1);
            EXPECT_EQ(allowed, state.clone()->accept(id)) << output.substr(0, at) << " and then " << piece;
            if (!state.accept(id)) return at;
            at += piece.size();
        }
        return output.size();
    }
    // All of it can be written.
    bool takes(const std::string& output) const {
        const auto state = start();
        return taken(*state, output) == output.size() && state->may_end();
    }

    std::shared_ptr<const Tokenizer> tokenizer = spanning();
    std::shared_ptr<const TokenTable> table = make_token_table(tokenizer);
    CallSyntax syntax;
    std::shared_ptr<const Grammar> grammar;
    std::shared_ptr<const CallHeads> heads;
};

const char* const heads[] = {R"({"name": "heat", "arguments": )", "\n\t {\"name\":\"heat\",\"parameters\":", "{\n  \"name\" : \"heat\" ,\n  \"arguments\" :\n", "```json\n{\"name\": \"heat\", \"arguments\": ",
                             "```\n\n  {\n  \"name\": \"heat\",\n  \"arguments\": "};

TEST(CallHeads, ABareCallIsHeldToItsToolsSchemaFromItsHeadOn) {
    const Bound bound;
    for (const std::string head : heads) {
        const std::string end = head.find("```") == 0 ? "}\n```" : "}";
        EXPECT_TRUE(bound.takes(head + R"({"room": "attic", "celsius": 30})" + end)) << head;
        EXPECT_TRUE(bound.takes(head + R"({"room": "hall"})" + "\n" + end + "\n")) << head;
        EXPECT_TRUE(bound.takes(head + "{\n    \"room\" : \"hall\",\"celsius\":7\n  }" + end)) << head;
        for (const auto& [wrong, most] : {std::pair{R"({"room": "cellar"})", R"({"room": ")"}, {R"({"celsius": 20})", R"({")"}, {R"({"room": "hall", "celsius": 31})", R"({"room": "hall", "celsius": 3)"},
                                          {R"({"room": "hall", "more": 1})", R"({"room": "hall", ")"}, {"{}", "{"}}) {
            const auto state = bound.start();
            EXPECT_EQ(bound.taken(*state, head + wrong), head.size() + std::string(most).size()) << head << wrong;
            EXPECT_FALSE(state->may_end()) << head << wrong;
        }
    }
    EXPECT_TRUE(bound.takes(R"({"name": "heat_all", "arguments": {"celsius": 99}})")) << "another tool has another schema";
    EXPECT_FALSE(bound.takes(R"({"name": "heat_all", "arguments": {"room": "hall"}})"));
    EXPECT_TRUE(bound.takes(R"({"name": "say \"hi\"", "arguments": {}})"));
    EXPECT_FALSE(bound.takes(R"({"name": "say \"hi\"", "arguments": {"x": 1}})"));
}

// What is written under the grammar is what the parser reads as a call.
TEST(CallHeads, WhatIsHeldIsACallToTheParser) {
    ParserOptions options;
    options.dialect = "hermes";
    options.tools = tools();
    for (const std::string head : heads) {
        const std::string message = head + R"({"room": "attic"})" + (head.find("```") == 0 ? "}\n```" : "}");
        EXPECT_EQ(shown(parse(options, {message})), R"(content=|reasoning=|heat{"room": "attic"})");
    }
}

TEST(CallHeads, WhateverElseIsWrittenStaysFree) {
    const Bound bound;
    for (const char* output : {
             "", "Hello.", "{}", R"({"name": "cool", "arguments": {"room": "cellar"}})", R"({"name": "hea", "arguments": {"room": "cellar"}})", R"({"name": "heat", "arguments": ["cellar"]})",
             R"({"name": "heat", "arguments": "{}"})", R"({"name": "heat"})", R"({"name": "heat", "id": 1, "arguments": {"room": "cellar"}})", R"({"title": "heat", "arguments": {}})",
             R"({"arguments": {"room": "cellar"}, "name": "radio"})", R"([{"name": "heat", "arguments": {"room": "cellar"}}])", R"(I call {"name": "heat", "arguments": {"room": "cellar"}})",
             R"(x{"name": "heat", "arguments": {"room": "cellar"}})", "```python\n{\"name\": \"heat\", \"arguments\": {\"room\": \"cellar\"}}\n```",
             R"({"name": "heat", "arguments": {"room": "hall"}} is how it is called, or {"name": "heat", "arguments": {}})", "```json\n{\"name\": \"heat\", \"arguments\": {\"room\": \"hall\"}}\n``` and {}"})
        EXPECT_TRUE(bound.takes(output)) << output;
}

TEST(CallHeads, MarkedCallsAreHeldAsBefore) {
    const Bound bound;
    const std::string good = "<tool_call>\n{\"name\": \"heat\", \"arguments\": {\"room\": \"hall\"}}\n</tool_call>", bad = "<tool_call>\n{\"name\": \"heat\", \"arguments\": {\"room\": \"cellar\"}}\n</tool_call>";
    for (const std::string before : {"", "I call it.\n", R"({"name": "heat", )", R"({"name": "heat", "arguments": {"room": "hall"}})", "{\"name\": \"heat\", \"arguments\": {\"room\": \"hall\"}}\n\n"}) {
        EXPECT_TRUE(bound.takes(before + good)) << before;
        EXPECT_FALSE(bound.takes(before + bad)) << before;
    }
    EXPECT_FALSE(bound.takes(good + "\nMore.")) << "nothing follows a marked call";
    const auto state = bound.start();
    bound.taken(*state, R"({"name": "heat", "arguments": {")");
    EXPECT_EQ(state->forced_bytes(100), "room\"");
    EXPECT_FALSE(state->finished());
}

TEST(CallHeads, AHeadMayFollowReasoning) {
    const std::string call = R"({"name": "heat", "arguments": {"room": ")";
    const Bound closed, open("hermes", true), labelled("granite"), two("mistral", true);
    const auto held = [&](const Bound& bound, const std::string& before) { return bound.takes(before + call + "hall\"}}") && !bound.takes(before + call + "cellar\"}}"); };
    EXPECT_TRUE(held(closed, "<think>\nhm {\"name\": \n</think>\n\n"));
    EXPECT_TRUE(held(closed, "\n<think></think><think>x</think>"));
    EXPECT_TRUE(held(open, "hm\n</think>\n\n"));
    EXPECT_TRUE(held(labelled, "Here is my thought process: hm. Here is my response:\n"));
    EXPECT_TRUE(held(two, "hm[/THINK]"));
    EXPECT_FALSE(held(closed, "<think>\n")) << "thoughts are free";
    EXPECT_FALSE(held(open, ""));
    EXPECT_FALSE(held(closed, "Well. <think>hm</think>")) << "content came before";
    EXPECT_FALSE(held(closed, "hm</think>")) << "nothing had opened it";
}

TEST(CallHeads, MasksAreExactWithTokensOfAnyLength) {
    for (const bool reasoning : {false, true}) {
        const Bound bound("hermes", reasoning);
        const std::string wanted[] = {R"({"name": "heat", "arguments": {"room": "hall", "celsius": 25}})", "\n```json\n{\"name\":\"heat_all\",\"parameters\":{\"celsius\": 5}}\n```\n", "<think>hm</think>{\"name\": \"heat\", \"parameters\": {\"room"};
        std::mt19937 random(11);
        std::vector<std::uint64_t> bits((std::size_t(bound.tokenizer->size()) + 63) / 64);
        std::size_t masked = 0;
        for (int round = 0; round < 60; ++round) {
            const auto state = bound.start();
            std::string left = (reasoning ? "x</think>" : "") + wanted[std::size_t(round) % 3];
            for (int step = 0; step < 80; ++step) {
                const bool any = !state->mask(bits);
                std::vector<TokenId> next;
                for (TokenId id = 0; id < bound.tokenizer->size(); ++id) {
                    ASSERT_EQ(any || (bits[std::size_t(id) / 64] >> (id % 64) & 1), state->clone()->accept(id)) << bound.tokenizer->bytes(id, true) << " before " << left;
                    if (const std::string bytes = bound.tokenizer->bytes(id, true); !bytes.empty() && left.starts_with(bytes)) next.push_back(id);
                }
                masked += !any;
                if (next.empty() || random() % 200 == 0) break;
                const TokenId chosen = next[random() % next.size()];
                if (!state->accept(chosen)) break;
                left.erase(0, bound.tokenizer->bytes(chosen, true).size());
            }
        }
        EXPECT_GT(masked, 200u);
    }
}

TEST(CallHeads, AreThereWhereACallIsMarked) {
    for (const std::string& dialect : dialects()) {
        const auto syntax = call_syntax(dialect, base::OrderedJson::array({tools()[1]}), 1);
        if (!syntax) continue;
        const bool marked = !syntax->trigger.empty() && dialect != "llama3_json" && dialect != "harmony";
        EXPECT_EQ(!syntax->heads.empty(), marked) << dialect;
        if (!marked) continue;
        EXPECT_TRUE(CallHeads::create(syntax->heads, dialect, false)) << dialect;
        std::string rules = syntax->ebnf + syntax->bare;
        rules.replace(0, 4, "calls");
        const auto grammar = Grammar::from_ebnf("root ::= calls | bare\n" + rules);
        ASSERT_TRUE(grammar) << dialect << ": " << grammar.error().text();
        EXPECT_TRUE((*grammar)->accepts(R"({"name": "heat_all", "arguments": {"celsius": 7}})")) << dialect;
        EXPECT_FALSE((*grammar)->accepts(R"({"name": "heat_all", "arguments": {"celsius": "7"}})")) << dialect;
    }
}

}  // namespace
}  // namespace text
