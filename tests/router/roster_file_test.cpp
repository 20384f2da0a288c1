#include "router/roster_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace router {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

base::Result<RosterFile> read(const std::string& text) { return read_roster(text, "hearth.yaml", {"embedded", "upstream"}, {"hearth", "embedding"}); }

const std::string kWhole = R"(server:
  port: 8080
upstreams:
  claude:
    dialect: anthropic
    url: https://api.anthropic.com/v1/
    model: claude-x
    key_file: /etc/hearth/claude.key
    context: 200000
    silence_seconds: 30
    continues: false
    prices: {input: 3, output: 15}
  box:
    url: http://box:8000/v1
    model: qwen
roster:
  gandalf:
    character: an old wizard
    strengths: long thought
    prompt: You are Gandalf.
    chain: [claude, box]
    max_tokens: 2000
    sampling: {temperature: 0.6, top_k: 20}
    budget:
      request: {tokens: 50000}
      day: {tokens: 1000000, cost: 2.5}
  default:
    chain: [embedded]
    local_end: false
    shadow: {model: gandalf, share: 0.25}
budgets:
  person:
    day: {cost: 1}
)";

TEST(RosterFile, ReadsWhatItSays) {
    const auto roster = read(kWhole);
    ASSERT_TRUE(roster) << roster.error().text();
    ASSERT_EQ(roster->upstreams.size(), 2u);
    const UpstreamRow& claude = roster->upstreams[0];
    EXPECT_EQ(claude.id, "claude");
    EXPECT_EQ(claude.dialect, "anthropic");
    EXPECT_EQ(claude.url, "https://api.anthropic.com/v1");
    EXPECT_EQ(claude.context, 200000);
    EXPECT_EQ(claude.continues, false);
    EXPECT_EQ(claude.prices.cached_input, 3) << "as input, unless it is said";
    EXPECT_EQ(roster->upstreams[1].dialect, "openai");
    ASSERT_EQ(roster->rows.size(), 2u);
    const RosterRow& gandalf = roster->rows[0];
    EXPECT_THAT(gandalf.alias.chain, ElementsAre("claude", "box"));
    EXPECT_TRUE(gandalf.local_end);
    EXPECT_EQ(gandalf.alias.character, "an old wizard");
    EXPECT_EQ(gandalf.alias.sampling.temperature, 0.6);
    EXPECT_EQ(gandalf.alias.sampling.top_k, 20);
    EXPECT_FALSE(gandalf.alias.sampling.top_p);
    EXPECT_EQ(gandalf.alias.budget.request.tokens, 50000);
    EXPECT_EQ(gandalf.alias.budget.day.cost, 2.5);
    EXPECT_FALSE(roster->rows[1].local_end);
    EXPECT_EQ(roster->rows[1].alias.shadow.model, "gandalf");
    EXPECT_EQ(roster->rows[1].alias.shadow.share, 0.25);
    EXPECT_EQ(gandalf.alias.shadow.share, 0) << "none, unless it is said";
    EXPECT_EQ(roster->person.day.cost, 1);
}

TEST(RosterFile, ModelsOfThisProcessMayStandInChains) {
    const auto roster = read("models:\n  small: {path: /m/small.gguf, draft: /m/tiny.gguf, context: 4096, memory_mib: 700, threads: 2, sequences: 1, loaded: false}\n  other: {path: /m/other}\nroster:\n  quick: {chain: [small, embedded]}\n");
    ASSERT_TRUE(roster) << roster.error().text();
    ASSERT_EQ(roster->models.size(), 2u);
    EXPECT_EQ(roster->models[0], (ModelRow{"small", "/m/small.gguf", "/m/tiny.gguf", 4096, 700, 2, 1, false, 7})) << "the line does not count";
    EXPECT_EQ(roster->models[0].line, 2);
    EXPECT_TRUE(roster->models[1].loaded);
    EXPECT_THAT(roster->rows.at(0).alias.chain, ElementsAre("small", "embedded"));
    EXPECT_THAT(read("models: {small: {path: /m}}\nupstreams: {small: {url: 'http://x', model: m}}\n").error().text(), HasSubstr("an upstream is called 'small'"));
    EXPECT_THAT(read("models: {embedding: {path: /m}}\n").error().text(), HasSubstr("a model is called 'embedding'"));
}

TEST(RosterFile, MayBeAbsent) {
    for (const char* text : {"", "server: {port: 1}\n", "roster:\n", "upstreams: ~\n"}) {
        const auto roster = read(text);
        ASSERT_TRUE(roster) << text;
        EXPECT_TRUE(roster->rows.empty());
    }
}

// What replaces the first occurrence of a line's text, and what is said about it.
TEST(RosterFile, RefusalsNameLineAndValue) {
    const std::tuple<const char*, const char*, const char*> wrong[] = {
        {"dialect: anthropic", "dialect: antropic", "line 5: upstreams.claude.dialect is 'antropic' but must be one of openai, anthropic, ollama"},
        {"url: https", "url: ftp", "line 6: upstreams.claude.url is 'ftp://api.anthropic.com/v1/' but must be an http or https URL"},
        {"    url: http://box:8000/v1\n", "", "line 14: upstreams.box.url is missing"},
        {"    model: qwen\n", "", "upstreams.box.model is missing"},
        {"context: 200000", "context: many", "line 9: upstreams.claude.context is 'many' but must be a whole number from 0"},
        {"context: 200000", "context: 1.5", "line 9: upstreams.claude.context is '1.5'"},
        {"silence_seconds: 30", "silence_seconds: 0", "line 10: upstreams.claude.silence_seconds is '0' but must be a whole number from 1 to 3600"},
        {"continues: false", "continues: maybe", "line 11: upstreams.claude.continues is 'maybe' but must be true or false"},
        {"input: 3", "input: -3", "line 12: upstreams.claude.prices.input is '-3'"},
        {"output: 15", "outputs: 15", "line 12: unknown setting 'upstreams.claude.prices.outputs'"},
        {"  box:\n", "  upstream:\n", "an upstream is called 'upstream'"},
        {"  box:\n", "  claude:\n", "line 13: 'upstreams.claude' is given twice"},
        {"  gandalf:\n", "  hearth:\n", "a model of the roster is called 'hearth'"},
        {"  gandalf:\n", "  gan dalf:\n", "'gan dalf'"},
        {"chain: [claude, box]", "chain: [claude, bax]", "line 21: roster.gandalf.chain names 'bax', which is no backend (there are embedded, upstream, claude, box)"},
        {"chain: [claude, box]", "chain: [claude, claude]", "names 'claude' twice"},
        {"chain: [claude, box]", "chain: claude", "line 21: roster.gandalf.chain is 'claude' but must be a list"},
        {"share: 0.25", "share: 2", "line 30: roster.default.shadow.share is '2' but must be a number from 0"},
        {"{model: gandalf, share", "{model: default, share", "line 30: roster.default.shadow.model must name another model of the roster, found 'default'"},
        {"max_tokens: 2000", "max_tokens: 0", "line 22: roster.gandalf.max_tokens is '0'"},
        {"temperature: 0.6", "temperature: .nan", "line 23: roster.gandalf.sampling.temperature is '.nan' but must be a number from 0 to 2"},
        {"request: {tokens: 50000}", "request: {tokens: lots}", "line 25: roster.gandalf.budget.request.tokens is 'lots'"},
        {"request: {tokens: 50000}", "request: 50000", "line 25: roster.gandalf.budget.request is '50000' but must be a map"},
        {"character:", "charakter:", "line 18: unknown setting 'roster.gandalf.charakter'"},
        {"  person:\n", "  persons:\n", "line 32: unknown setting 'budgets.persons'"},
        {"prompt: You are Gandalf.", "prompt: [a]", "line 20: roster.gandalf.prompt is a list but must be a text"},
        {"roster:", "roster: x\nx:", "roster is 'x' but must be a map"},
        {"chain: [embedded]", "chain: [embedded", "line 29: "},
    };
    for (const auto& [from, to, expected] : wrong) {
        std::string text = kWhole;
        const auto at = text.find(from);
        ASSERT_NE(at, text.npos) << from;
        const auto roster = read(text.replace(at, std::string(from).size(), to));
        ASSERT_FALSE(roster) << to;
        EXPECT_EQ(roster.error().code, base::Code::invalid_argument);
        EXPECT_THAT(roster.error().text(), HasSubstr(expected)) << to;
        EXPECT_THAT(roster.error().text(), HasSubstr("hearth.yaml, line ")) << to;
    }
}

}  // namespace
}  // namespace router
