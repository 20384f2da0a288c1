#include "agents/quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/fixtures.h"

namespace agents::quality {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHead = R"(tools:
  weather: {description: tells it, parameters: {type: object, properties: {city: {type: string}}}}
cases:
)";

// One case with that expectation, read as the program reads it.
Expectation expecting(const std::string& expect) {
    auto cases = parse_cases(kHead + "  - {name: g/n, agent: hearth/dev, tools: weather, ask: hi, expect: {" + expect + "}}\n", "q.yaml");
    EXPECT_TRUE(cases) << expect << ": " << cases.error().text();
    return cases ? cases->all.at(0).expect : Expectation{};
}

Outcome answered(const std::string& text) {
    Outcome out;
    out.state = "answered";
    out.text = text;
    return out;
}

Outcome after_calls(std::vector<Call> calls) {
    Outcome out = answered("done");
    out.calls = std::move(calls);
    return out;
}

Outcome asking_client(std::vector<Call> calls) {
    Outcome out;
    out.state = calls.empty() ? "answered" : "waiting_client";
    out.client_calls = std::move(calls);
    return out;
}

Outcome leaving(std::map<std::string, std::string> files) {
    Outcome out = answered("done");
    out.files = std::move(files);
    return out;
}

struct Judged {
    const char* expect;
    Outcome passes, fails;
};

class Judging : public testing::TestWithParam<Judged> {};

TEST_P(Judging, PassesWhatIsRightAndNamesWhatIsNot) {
    const Expectation expect = expecting(GetParam().expect);
    EXPECT_THAT(judge(expect, GetParam().passes), IsEmpty());
    EXPECT_THAT(judge(expect, GetParam().fails), testing::Not(IsEmpty()));
}

const Call kRead{"read_file", {{"path", "notes.txt"}, {"limit", 10}}};
const Call kWeather{"weather", {{"city", "Paris"}}};

INSTANTIATE_TEST_SUITE_P(
    Expectations, Judging,
    testing::Values(
        Judged{"says: blue", answered("The door is Blue."), answered("The door is red.")},
        Judged{"says: [blue, 12]", answered("12 blue doors"), answered("blue doors")},
        Judged{"says: 12", answered("It has 12."), answered("It has 312.")},
        Judged{"says: 12", answered("12"), answered("120")},
        Judged{"says: \"don't\"", answered("I don’t know"), answered("I know")},
        Judged{"says: KÄSE", answered("käse"), answered("kase")},
        Judged{"says_one_of: [blue, red]", answered("red"), answered("green")},
        Judged{"never: [sent, done]", answered("I did nothing."), answered("It is Done.")},
        Judged{"calls: [{name: read_file}]", after_calls({kRead}), after_calls({})},
        Judged{"calls: [{name: read_file, arguments: {path: ./notes.txt}}]", after_calls({kRead}), after_calls({{"read_file", {{"path", "other.txt"}}}})},
        Judged{"calls: [{name: read_file, arguments: {path: [a.txt, notes.txt]}}]", after_calls({{"list_dir", {}}, kRead}), after_calls({{"list_dir", {{"path", "notes.txt"}}}})},
        Judged{"calls: [{name: read_file}, {name: read_file}]", after_calls({kRead, kRead}), after_calls({kRead})},
        Judged{"calls: [{name: read_file, arguments: {limit: 10}}]", after_calls({kRead}), after_calls({{"read_file", {{"limit", "10"}}}})},
        Judged{"no_calls: true", after_calls({}), after_calls({kRead})},
        Judged{"no_calls: [bash, write_file]", after_calls({kRead}), after_calls({kRead, {"bash", {{"command", "ls"}}}})},
        Judged{"client_calls: [{name: weather, arguments: {city: Paris}}]", asking_client({kWeather}), asking_client({})},
        Judged{"client_calls: [{name: weather, arguments: {city: Paris}}]", asking_client({kWeather}), asking_client({{"weather", {{"city", "Rome"}}}})},
        Judged{"client_calls: [{name: weather, arguments: {city: Paris}}]", asking_client({kWeather}), asking_client({kWeather, kWeather})},
        Judged{"client_calls: [{name: weather, arguments: {city: Paris}}]", asking_client({kWeather}), asking_client({{"weather", {{"city", "Paris"}, {"unit", "K"}}}})},
        Judged{"client_calls: [{name: weather, arguments: {city: Paris, unit: [C, \"\"]}}]", asking_client({kWeather}), asking_client({{"weather", {{"unit", "C"}}}})},
        Judged{"client_calls: [{name: weather, arguments: {city: Paris}}]", asking_client({kWeather}), asking_client({{"weather", nullptr}})},
        Judged{"client_calls: [{name: weather, arguments: {n: [[1, 2]]}}]", asking_client({{"weather", {{"n", {1.0, 2}}}}}), asking_client({{"weather", {{"n", {2, 1}}}}})},
        Judged{"client_calls: [{name: weather, arguments: {o: {k: [x, y]}}}]", asking_client({{"weather", {{"o", {{"k", "Y"}}}}}}), asking_client({{"weather", {{"o", {{"k", "z"}}}}}})},
        Judged{"client_calls: [{name: weather, arguments: {b: true}}]", asking_client({{"weather", {{"b", true}}}}), asking_client({{"weather", {{"b", 1}}}})},
        Judged{"client_calls: []", asking_client({}), asking_client({kWeather})},
        Judged{"client_calls: true", asking_client({kWeather}), asking_client({})},
        Judged{"leaves: {a.txt: one}", leaving({{"a.txt", "one\n"}, {"b.txt", ""}}), leaving({{"a.txt", "two\n"}})},
        Judged{"leaves: {a.txt: one}", leaving({{"a.txt", "one"}}), leaving({})},
        Judged{"leaves: {a.txt: true}", leaving({{"a.txt", "x"}}), leaving({{"a.txt", " \n"}})},
        Judged{"leaves: {a.txt: null}", leaving({}), leaving({{"a.txt", "x"}})},
        Judged{"state: [refused, partial]", [] { Outcome o; o.state = "partial"; return o; }(), answered("x")},
        Judged{"says: x", answered("x"), [] { Outcome o = answered("x"); o.state = "failed"; return o; }()},
        Judged{"language: de", answered("Das ist ein Haus mit einem Garten."), answered("This is a house with a garden.")},
        Judged{"language: fr", answered("C'est une maison avec un jardin."), answered("Es una casa con un jardín para los niños.")},
        Judged{"language: en", answered("It is the house of my friend."), answered("12345")}));

TEST(QualityCases, AreReadWhole) {
    const auto cases = parse_cases(kHead + R"(
  - name: editing/adds
    agent: hearth/dev
    must: true
    files: {src/a.txt: "one\n", empty.txt: ""}
    tools: [weather]
    ask: [first, second]
    expect: {says: done}
)", "q.yaml");
    ASSERT_TRUE(cases) << cases.error().text();
    const Case& one = cases->all.at(0);
    EXPECT_EQ(one.group(), "editing");
    EXPECT_TRUE(one.must);
    EXPECT_EQ(one.files, (std::map<std::string, std::string>{{"src/a.txt", "one\n"}, {"empty.txt", ""}}));
    EXPECT_EQ(one.tools[0]["function"]["name"], "weather");
    EXPECT_EQ(one.turns.size(), 2u);
    EXPECT_EQ(one.turns[1][0], (Json{{"role", "user"}, {"content", "second"}}));
    EXPECT_THAT(one.expect.states, ElementsAre("answered"));
    EXPECT_EQ(cases->digest.size(), 64u);
}

TEST(QualityCases, MistakesAreNamedWithTheirLine) {
    const std::string good = "name: g/n, agent: hearth/dev, ask: hi, expect: {says: x}";
    for (const auto& [one, said] : std::initializer_list<std::pair<std::string, std::string>>{
             {"{" + good + ", expects: 1}", "the field 'expects' is not known"},
             {"{name: g/n, agent: hearth, ask: hi, expect: {say: x}}", "the field 'say' is not known"},
             {"{name: g/n, agent: hearth, ask: hi, expect: {}}", "must expect something"},
             {"{name: g/n, agent: hearth, expect: {says: x}}", "something"},
             {"{name: n, agent: hearth, ask: hi, expect: {says: x}}", "a group, '/' and a name"},
             {"{name: g/n, agent: default, ask: hi, expect: {says: x}}", "'default' is no agent"},
             {"{name: g/n, agent: hearth, ask: hi, files: {a: b}, expect: {says: x}}", "no folder"},
             {"{" + good + ", files: {../a: b}}", "no path in the case's folder"},
             {"{" + good + ", files: {/etc/a: b}}", "no path in the case's folder"},
             {"{" + good + ", tools: clock}", "there is no tool 'clock'"},
             {"{" + good + ", must: maybe}", "must be true or false"},
             {"{name: g/n, agent: hearth, ask: hi, expect: {language: nl}}", "must be de, en or fr"},
             {"{name: g/n, agent: hearth/dev, ask: hi, expect: {leaves: {a: 1}}}", "a text, true or null"},
             {"[x]", "a map is expected"}}) {
        const auto cases = parse_cases(kHead + "  - " + one + "\n", "q.yaml");
        ASSERT_FALSE(cases) << one;
        EXPECT_EQ(cases.error().message.find("q.yaml, line 4: "), 0u) << cases.error().message;
        EXPECT_THAT(cases.error().message, HasSubstr(said));
    }
    EXPECT_THAT(parse_cases(kHead + "  - {" + good + "}\n  - {" + good + "}\n", "q.yaml").error().message, HasSubstr("line 5: there are two cases 'g/n'"));
}

TEST(QualityCases, ThoseOfTheProgramAreRead) {
    const auto cases = read_cases(support::source_dir() / "deploy/quality.yaml");
    ASSERT_TRUE(cases) << cases.error().text();
    EXPECT_GE(cases->all.size(), 64u);
    int functions = 0;
    for (const Case& one : cases->all) functions += one.expect.client_calls.has_value();
    EXPECT_GE(functions, 16);
}

TEST(QualityBfcl, IsReadAsItIsWritten) {
    const auto item = base::parse_ordered_json(R"({"id": "simple_0", "question": [[{"role": "user", "content": "area?"}]], "function": [{"name": "area", "description": "of it",
        "parameters": {"type": "dict", "properties": {"w": {"type": "float"}, "t": {"type": "tuple", "items": {"type": "any"}}}, "required": ["w"], "optional": []}}]})");
    const auto one = bfcl_case("simple_python", *item, Json::parse(R"([{"area": {"w": [2.0, 2], "t": ["", [1]]}}])"));
    ASSERT_TRUE(one) << one.error().text();
    EXPECT_EQ(one->name, "bfcl/simple_python/simple_0");
    EXPECT_EQ(one->group(), "bfcl/simple_python");
    EXPECT_EQ(one->tools[0]["function"]["parameters"].dump(), R"({"required":["w"],"type":"object","properties":{"w":{"type":"number"},"t":{"type":"array","items":{}}}})");
    EXPECT_THAT(judge(one->expect, asking_client({{"area", {{"w", 2}}}})), IsEmpty());
    EXPECT_FALSE(judge(one->expect, asking_client({{"area", {{"w", 3}}}})).empty());
    EXPECT_THAT(judge(bfcl_case("irrelevance", *item, {})->expect, asking_client({})), IsEmpty());
    EXPECT_FALSE(judge(bfcl_case("live_relevance", *item, {})->expect, asking_client({})).empty());
    EXPECT_FALSE(bfcl_case("multiple", *item, {}));
}

TEST(QualityBfcl, TakesItemsAtEvenDistance) {
    const support::TempDir folder;
    std::filesystem::create_directory(folder.path() / "possible_answer");
    for (const char* category : {"simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple", "live_parallel", "live_parallel_multiple",
                                 "irrelevance", "live_irrelevance", "live_relevance"}) {
        const std::string file = std::string("BFCL_v4_") + category + ".jsonl";
        std::ofstream items(folder.path() / file), answers(folder.path() / "possible_answer" / file);
        for (int i = 0; i < 10; ++i) {
            items << R"({"id": ")" << i << R"(", "question": [[{"role": "user", "content": "q"}]], "function": []})" << "\n";
            answers << R"({"id": ")" << i << R"(", "ground_truth": [{"f": {}}]})" << "\n";
        }
    }
    const auto cases = read_bfcl(folder.path(), 3);
    ASSERT_TRUE(cases) << cases.error().text();
    EXPECT_EQ(cases->all.size(), 33u);
    EXPECT_EQ(cases->all[1].name, "bfcl/simple_python/3");
    EXPECT_NE(read_bfcl(folder.path(), 4)->digest, cases->digest);
    std::filesystem::remove(folder.path() / "BFCL_v4_multiple.jsonl");
    EXPECT_EQ(read_bfcl(folder.path(), 3).error().code, base::Code::not_found);
}

}  // namespace
}  // namespace agents::quality
