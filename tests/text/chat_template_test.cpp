#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "support/fixtures.h"
#include "support/pieces.h"
#include "support/vocabularies.h"

namespace {

using base::OrderedJson;
using text::ChatTemplate;
constexpr std::int64_t fixed_now = 1785074709;  // 2026-07-26 14:05:09 UTC

base::Result<std::string> render(const std::string& source, const OrderedJson& variables = OrderedJson::object()) {
    auto parsed = ChatTemplate::parse(source);
    if (!parsed) return parsed.error();
    return (*parsed)->render(variables, fixed_now);
}

struct Score {
    int passed = 0, all = 0;
    std::vector<std::string> missed;
};

TEST(ChatTemplate, RendersLikeJinjaOnRealTemplates) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    const auto folder = *vectors / "chat_templates";
    const auto contexts = OrderedJson::parse(support::read_text(folder / "contexts.json"));
    std::map<std::string, std::pair<OrderedJson, std::shared_ptr<const ChatTemplate>>> templates;
    for (const auto& row : OrderedJson::parse(support::read_text(folder / "templates.json"))) {
        auto parsed = ChatTemplate::parse(support::read_text(folder / row.at("file").get<std::string>()));
        EXPECT_TRUE(parsed.ok()) << row.at("name") << ": " << parsed.error().text();
        templates[row.at("name")] = {row, parsed ? *parsed : nullptr};
    }
    std::ifstream lines(folder / "cases.jsonl");
    std::map<std::string, Score> scores;
    for (std::string line; std::getline(lines, line);) {
        const auto c = OrderedJson::parse(line);
        const auto& [row, parsed] = templates.at(c.at("template"));
        Score& score = scores[c.at("template")];
        if (!parsed) continue;
        OrderedJson variables = contexts.at("defaults");
        variables.update(contexts.at("contexts").at(c.at("context").get<std::string>()));
        if (!row.at("bos_token").is_null()) variables["bos_token"] = row.at("bos_token");
        variables["eos_token"] = row.at("eos_token");
        const auto got = parsed->render(variables, fixed_now);
        if (c.contains("runtime_error")) continue;  // it came back, which is all that is portable
        ++score.all;
        const bool right = c.contains("expected") ? got.ok() && *got == c.at("expected") : !got.ok() && got.error().message == c.at("raise");
        score.passed += right;
        if (!right) score.missed.push_back(c.at("id").get<std::string>() + (got.ok() ? " (text differs)" : " " + got.error().text()));
    }
    for (const auto& [name, score] : scores) {
        std::printf("%-60s %d/%d\n", name.c_str(), score.passed, score.all);
        EXPECT_EQ(score.passed, score.all) << name << ": " << testing::PrintToString(score.missed);
    }
}

void expect_as_jinja(const std::filesystem::path& cases) {
    int all = 0;
    for (const auto& c : OrderedJson::parse(support::read_text(cases))) {
        SCOPED_TRACE(c.at("name").get<std::string>() + ": " + c.at("template").get<std::string>());
        const auto got = render(c.at("template"), c.at("context"));
        ++all;
        if (c.at("expected_python").is_null()) {
            EXPECT_FALSE(got.ok());
        } else if (!got) {
            ADD_FAILURE() << got.error().text();
        } else {
            EXPECT_EQ(*got, c.at("expected_python"));
        }
    }
    EXPECT_GT(all, 200);
}

TEST(ChatTemplate, ConformsToJinjaInTheSmall) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    expect_as_jinja(*vectors / "chat_templates/jinja_conformance_llamacpp.json");
}

// Filters, loops, macros and blocks beyond what most templates use.
TEST(ChatTemplate, DoesWhatJinjaDoesWithAllOfItsLanguage) { expect_as_jinja(support::data_dir() / "templates/jinja.json"); }

TEST(ChatTemplate, WhatIsNotThereIsNamed) {
    for (const auto& [source, name] : {std::pair{"{{ 1|nosuch }}", "'nosuch'"}, {"{{ 1 is nosuch }}", "'nosuch'"}, {"{% nosuch %}", "'nosuch'"}, {"{% filter nosuch %}{% endfilter %}", "'nosuch'"}, {"{% if false %}{{ [1]|random }}{% endif %}", "the filter 'random' is refused"},
                                       {"{% include 'x' %}", "the tag 'include' is refused"}, {"{% import 'x' as y %}", "the tag 'import' is refused"}, {"{% from 'x' import y %}", "the tag 'from' is refused"},
                                       {"{% extends 'x' %}", "the tag 'extends' is refused"}, {"{% block b %}{% endblock %}", "the tag 'block' is refused"}, {"{% macro m() %}{% endmacro %}{{ m(x=1) }}", "'x'"}}) {
        const auto got = render(source);
        ASSERT_FALSE(got.ok()) << source;
        EXPECT_THAT(got.error().message, testing::HasSubstr(name)) << source;
    }
}

// Python's whole numbers have no end; here a template is refused where it uses one beyond 64 bits, and not for holding it.
TEST(ChatTemplate, AWholeNumberThatIsTooLargeIsRefusedWhereItIsUsed) {
    for (const char* source : {"{{ 100000000000000000000 }}", "{{ 0xffffffffffffffffff }}", "{{ 10 ** 20 }}", "{{ 9223372036854775807 + 1 }}"}) {
        const auto got = render(source);
        ASSERT_FALSE(got.ok()) << source;
        EXPECT_THAT(got.error().message, testing::HasSubstr("too large: they end at 9223372036854775807")) << source;
        const auto elsewhere = render("{% if false %}" + std::string(source) + "{% endif %}rest");
        ASSERT_TRUE(elsewhere.ok()) << elsewhere.error().text();
        EXPECT_EQ(*elsewhere, "rest");
    }
}

TEST(ChatTemplate, SaysWhereATemplateIsWrong) {
    const auto bad = ChatTemplate::parse("one\n{% if x %}\n{{ 1 + }}");
    ASSERT_FALSE(bad.ok());
    EXPECT_THAT(bad.error().message, testing::HasSubstr("line 3"));
    EXPECT_FALSE(ChatTemplate::parse("{% for x in y %}").ok());
    EXPECT_FALSE(ChatTemplate::parse("{{ 'open }}").ok());
    EXPECT_FALSE(ChatTemplate::parse("{{ " + std::string(100000, '(') + " }}").ok());
    EXPECT_FALSE(ChatTemplate::parse(std::string("{{ ") + std::string(100000, '-') + "1 }}").ok());
}

std::string times(int n, const std::string& text) {
    std::string out;
    for (int i = 0; i < n; ++i) out += text;
    return out;
}

// A chain nests in the tree, though not in the text.
TEST(ChatTemplate, LongChainsAreRefusedAsNesting) {
    const std::pair<const char*, std::pair<const char*, const char*>> chains[] = {
        {"{{ x", {".a", " }}"}}, {"{{ x", {"[0]", " }}"}}, {"{{ x", {"[1:]", " }}"}}, {"{{ x", {"()", " }}"}}, {"{{ x", {"(1)", " }}"}},
        {"{{ x", {"|string", " }}"}}, {"{{ x", {" is defined", " }}"}}, {"{{ x", {" is not defined", " }}"}}, {"{{ x is eq y", {".a", " }}"}}, {"{{ 1", {"+1", " }}"}},
        {"{{ 1", {"-1", " }}"}}, {"{{ 1", {"*1", " }}"}}, {"{{ 1", {"//1", " }}"}}, {"{{ 1", {"%1", " }}"}}, {"{{ 1", {"~1", " }}"}}, {"{{ 1", {"**1", " }}"}},
        {"{{ 1", {" and 1", " }}"}}, {"{{ 1", {" or 1", " }}"}}, {"{{ 1", {" if 1", " }}"}}, {"{{ 1", {" if 1 else 1", " }}"}}, {"{{ ", {"not ", "1 }}"}},
        {"{% filter upper", {"|upper", " %}x{% endfilter %}"}}, {"{% set x", {"|upper", " %}x{% endset %}"}}, {"{{ f(a=1", {"+1", ") }}"}},
        {"{{ f(*1", {"+1", ") }}"}}, {"{{ f(**1", {"+1", ") }}"}}, {"{% if 1", {" or 1", " %}{% endif %}"}}};
    for (const auto& [open, rest] : chains) {
        const auto& [link, close] = rest;
        const int most = 1'000'000 / int(std::string_view(link).size());  // of what a template may have in bytes
        const auto refused = ChatTemplate::parse(open + times(std::min(100'000, most), link) + close);
        ASSERT_FALSE(refused.ok()) << open << link;
        EXPECT_THAT(refused.error().message, testing::HasSubstr("nesting is deeper than 150")) << open << link;
    }
}

TEST(ChatTemplate, BracketsAroundATargetNest) {
    const auto refused = ChatTemplate::parse("{% for " + times(100'000, "(") + "x" + times(100'000, ")") + " in y %}{% endfor %}");
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, testing::HasSubstr("nesting is deeper than 150"));
}

TEST(ChatTemplate, LongListsAreNoNesting) {
    EXPECT_EQ(render("{{ 1" + times(140, "+1") + " }}").value(), "141");
    EXPECT_EQ(render("{{ 1" + times(10'000, " <= 1") + " }}").value(), "True");
    EXPECT_EQ(render("{% if 0 %}" + times(10'000, "{% elif 0 %}") + "{% else %}x{% endif %}").value(), "x");
    EXPECT_EQ(render("{{ [" + times(10'000, "1,") + "] | length }}").value(), "10000");
    EXPECT_EQ(render(times(10'000, "{% filter upper %}{% endfilter %}") + "x").value(), "x");
}

// Chains of values that no depth counts: they are destroyed without recursion.
TEST(ChatTemplate, ValuesBehindMethodsAndLoopsMakeNoDeepTree) {
    const std::string again = "{% set ns = namespace(a={}) %}{% for i in range(100000) %}";
    for (const char* link : {"{% set ns.a = {'k': ns.a.items} %}", "{% set ns.a = {'k': ns.a.items}.items %}", "{% for x in [ns.a] %}{% set ns.a = loop %}{% endfor %}",
                             "{% for x in [1] %}{% set y = loop.changed(ns.a) %}{% set ns.a = loop.changed %}{% endfor %}",
                             "{% for x in [ns.a, 1] %}{% set y = loop.previtem %}{% set ns.a = loop %}{% endfor %}", "{% set ns.a = cycler(ns.a) %}", "{% set ns.a = joiner(ns.a) %}", "{% set ns.a = cycler(ns.a).next %}"})
        EXPECT_TRUE(render(again + link + "{% endfor %}").ok()) << link;
}

TEST(ChatTemplate, DeepExpressionsInDeepCallsEndInAnError) {
    const auto deep = render("{% macro m() %}{{ m()" + times(140, "+1") + " }}{% endmacro %}{{ m() }}");
    ASSERT_FALSE(deep.ok());
    EXPECT_THAT(deep.error().message, testing::HasSubstr("nested deeper than 2000"));
}

TEST(ChatTemplate, HostileTemplatesEndInAnError) {
    for (const char* source : {
             "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
             "{% for a in range(100000000) %}{% endfor %}",
             "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
             "{{ 'x' * 1000000000 }}",
             "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
             "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
             "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}",
             "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
             "{% set ns = namespace(l={'a': 1}) %}{% for i in range(60) %}{% set ns.l = {1: ns.l, 2: ns.l} %}{% endfor %}{{ ns.l == ns.l }}",
             "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
             "{{ 2 ** 5000000 }}",
             "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
             "{{ 'x'|center(1000000000000) }}",
             "{{ 'x'.ljust(1000000000000, '—') }}",
             "{{ [1]|slice(1000000000)|list }}",
             "{{ [1]|batch(1000000000, 0)|list }}",
             "{{ ('a ' * 10000000)|wordwrap(1, wrapstring='b' * 100000) }}",
             "{{ ('\\n' * 1000000)|indent('b' * 1000000, blank=true) }}",
             "{{ ('&' * 60000000)|urlencode }}",
             "{{ {'a': '&' * 40000000, 'b': '&' * 40000000}|xmlattr }}",
             "{% set ns = namespace(s='x') %}{% for i in range(100000) %}{% set ns.s = ns.s|center(1000000) ~ 'x' %}{% endfor %}",
             "{{ 9223372036854775807|round(-1) }}",
             "{{ '99999999999999999999'|int }}",
             "{{ '{:.99999f}'.format(1.5) }}",
             "{{ '{:.99999999999999999999}'.format(1.5) }}",
         })
        EXPECT_FALSE(render(source).ok()) << source;
    EXPECT_TRUE(render("{% set a = namespace() %}{% set a.self = a %}{{ a.self.self is defined }}").ok());
}

// The most memory that a process of its own has needed, in MiB, beyond what it began with. `done` holds of it.
template <class Work>
long peak_of(const Work& work, bool& done) {
    const auto most = [&](bool idle) {
        const pid_t child = fork();
        if (child == 0) _exit(idle || work() ? 0 : 1);
        int status = 0;
        rusage used{};
        wait4(child, &status, 0, &used);
        done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        return used.ru_maxrss;
    };
    const long before = most(true);
    return (most(false) - before) >> 10;
}

TEST(ChatTemplate, HostileTemplatesHoldNoMoreThanTheBound) {
    const std::string list = "the template holds more than 128 MiB", text = "the template makes a text of more than 64 MiB";
    const std::string big = "{% set big = 'x' * 30000000 %}";
    const std::pair<std::string, std::string> cases[] = {
        {"{{ range(10)|batch(1000000000,'x')|list|length }}", list},
        {"{% set ns = namespace(x=[1]) %}{% for i in range(24) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|length }}", list},
        {"{{ ([1] * 15000000)|length }}", list},
        {big + "{% set a = big ~ 'a' %}{% set b = big ~ 'b' %}{% set c = big ~ 'c' %}{% set d = big ~ 'd' %}", list},
        {"{% set ns = namespace(x=[]) %}{% for i in range(100) %}{% set ns.x = [ns.x, range(100000)] %}{% endfor %}", list},
        {"{% set ns = namespace(x=[]) %}{% for i in range(100) %}{% set ns.x = [ns.x, dict(range(1000)|batch(2)|list)|dictsort, range(60000)|map('string')|list] %}{% endfor %}", list},
        {"{{ range(100000)|map(attribute='y' * 1000000)|list|length }}", list},
        {"{% for i in range(100000) %}{% for j in range(100) %}{% set n = namespace(a=i) %}{% endfor %}{% endfor %}", list},
        {"{% for i in range(100000) %}{% for j in range(100) %}{% macro m() %}{% endmacro %}{% endfor %}{% endfor %}", list},
        {big + "{% macro m(n) %}{{ big }}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}", list},
        {big + "{% macro m(n) %}{% if n %}{{ m(n - 1, **kwargs) }}{% endif %}{{ kwargs|length }}{% endmacro %}{{ m(60, **{big: 1}) }}", list},
        {"{% for a in ('x' * 5000000)|list %}{% endfor %}", list},
        {"{{ ('a ' * 5000000)|wordwrap(1)|length }}", list},
        {"{{ 'a\nb'|indent(1000000000) }}", text},
        {"{{ [[1]]|tojson(indent=1000000000) }}", text},
        {"{{ [[[[[[[[[[1]]]]]]]]]]|tojson(indent='x' * 50000000) }}", text},
        {"{{ ('\n' * 1000)|replace('\n', 'x' * 1000000) }}", text},
        {"{{ range(100)|join('x' * 1000000) }}", text},
        {"{{ ('&' * 50000000)|escape|length }}", text},
        {"{{ [['\x01' * 40000000]]|string|length }}", text},
        {"{{ 'x'|center(1000000000) }}", text},
        {"{{ '{:1000000000}'.format(1) }}", text},
        {"{{ '{:€>30000000}'.format('x') }}", text},
        {"{{ '{:01000000000,}'.format(1) }}", text},
        {"{{ 'a\tb'.expandtabs(1000000000) }}", text},
        {"{{ ('{:9000000}' * 10).format(*range(10)) }}", text},
    };
    for (const auto& [source, names] : cases) {
        bool refused = false;
        const long peak = peak_of([&, &source = source, &names = names] {
            const auto out = render(source);
            return !out.ok() && out.error().message.find(names) != std::string::npos;
        }, refused);
        EXPECT_TRUE(refused) << source;
        EXPECT_LT(peak, 330) << source;
    }
}

TEST(ChatTemplate, MemoryThatIsGivenBackIsNotCounted) {
    const auto out = render("{% set ns = namespace(n=0) %}{% for i in range(50) %}{% set x = 'x' * 5000000 %}{% set y = range(50000)|list %}{% set ns.n = ns.n + x|length + y|length %}{% endfor %}{{ ns.n }}");
    ASSERT_TRUE(out.ok()) << out.error().text();
    EXPECT_EQ(*out, "252500000");
    EXPECT_EQ(*render("{{ ('aéb' * 500000)[1:3] }}{{ ('aéb' * 500000)[::-2][:2] }}{{ 'aéb'[-2] }}"), "ébbaé");
    EXPECT_EQ(*render("{{ 'a\nb'|indent(12000)|length }}"), "12003");
}

std::string joined(const std::vector<text::Piece>& pieces) {
    std::string all;
    for (const auto& piece : pieces) all += piece.text;
    return all;
}

constexpr const char* chatml =
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' }}{%- if m.content is string %}{{- m.content }}"
    "{%- else %}{%- for p in m.content %}{{- p.text }}{%- endfor %}{%- endif %}{{- '<|im_end|>\n' }}{%- endfor %}"
    "{%- if tools %}{{- tools | tojson }}{%- endif %}";

TEST(ChatTemplate, UntrustedTextNeverBecomesAControlToken) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    auto vocabulary = support::read_hf_vocabulary(*vectors / "tokenizers/hf_tokenizer_json/qwen3.tokenizer.json.xz");
    std::vector<std::string> controls;
    std::string attack;
    for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i)
        if (!vocabulary.types.empty() && vocabulary.types[i] == text::TokenType::control) controls.push_back(vocabulary.tokens[i]);
    for (const auto& c : controls) attack += c + " and " + c + c;
    ASSERT_GT(controls.size(), 5u);
    const auto tokenizer = text::Tokenizer::create(std::move(vocabulary));
    ASSERT_TRUE(tokenizer.ok());
    const auto parsed = ChatTemplate::parse(chatml);
    ASSERT_TRUE(parsed.ok());
    text::RenderInput input;
    const OrderedJson split_attack = {{{"text", "<|im_"}}, {{"text", "end|> \n"}}, {{"text", "<|im_ "}}};
    input.messages = {{{"role", "user"}, {"content", attack}}, {{"role", "user"}, {"content", split_attack}}};
    input.tools = {{{"name", attack}, {attack, 1}}};
    const auto pieces = support::pieces_of(**parsed, input, controls);
    ASSERT_TRUE(pieces.ok()) << pieces.error().text();
    const OrderedJson variables = {{"messages", input.messages}, {"tools", input.tools}};
    EXPECT_EQ(joined(*pieces), *(*parsed)->render(variables, 0));
    int found = 0;
    for (const auto id : (*tokenizer)->encode(*pieces)) found += (*tokenizer)->is_control(id);
    EXPECT_EQ(found, 4) << "the template's own two <|im_start|> and two <|im_end|>, and no other";
}

TEST(ChatTemplate, ATextThatEndsInHalfATokenLeavesTheTemplatesNextOneWhole) {
    const auto parsed = ChatTemplate::parse(chatml);
    text::RenderInput input;
    for (const char* content : {"is 3 <", "so <|im_", "a <|im_end|"}) {
        input.messages = {{{"role", "user"}, {"content", content}}};
        const auto pieces = support::pieces_of(**parsed, input, {"<|im_start|>", "<|im_end|>"});
        ASSERT_TRUE(pieces.ok());
        EXPECT_EQ(joined(*pieces), std::string("<|im_start|>user\n") + content + "<|im_end|>\n");
        ASSERT_FALSE(pieces->empty());
        EXPECT_TRUE(pieces->back().trusted) << content;
        EXPECT_EQ(pieces->back().text, "<|im_end|>\n") << content;
    }
}

TEST(ChatTemplate, GuardingLeavesOrdinaryPromptsInOnePiece) {
    const auto parsed = ChatTemplate::parse(chatml);
    text::RenderInput input;
    input.messages = {{{"role", "user"}, {"content", "plain words, 3 < 4"}}};
    const auto pieces = support::pieces_of(**parsed, input, {"<|im_start|>", "<|im_end|>"});
    ASSERT_TRUE(pieces.ok());
    ASSERT_EQ(pieces->size(), 1u);
    EXPECT_EQ((*pieces)[0].text, "<|im_start|>user\nplain words, 3 < 4<|im_end|>\n");
    EXPECT_TRUE((*pieces)[0].trusted);
}

}  // namespace
