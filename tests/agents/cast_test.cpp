#include "agents/cast.h"

#include <gmock/gmock.h>

#include "support/listed_tools.h"
#include "tools/registry.h"

namespace agents {
namespace {

using ::testing::HasSubstr;

base::Result<Cast> with(const std::string& rows) { return Cast::parse("agents:\n" + rows, "mine.yaml", *shipped_cast()); }

const std::string kGarden = "  - {name: hearth/garden, purpose: Knows the garden., scope: home, prompt: garden_system, tools: [recall]}\n";

TEST(Cast, TheShippedAgentsHoldWithTheBuiltInTools) {
    const auto fine = shipped_cast()->check(tools::Builtins());
    EXPECT_TRUE(fine) << fine.error().text();
    EXPECT_EQ(shipped_cast()->names(), "hearth, hearth/dev, hearth/knowledge, hearth/admin and hearth/quality");
    EXPECT_EQ(shipped_cast()->find("hearth/admin")->key, "admin");
    EXPECT_EQ(shipped_cast()->find("hearth/garden"), nullptr);
}

TEST(Cast, ARowOfTheOperatorsIsAnAgentAndCanTakeTheShippedOnesPlace) {
    const auto cast = with(kGarden + "  - {name: hearth/admin, purpose: Sees less., scope: admin, prompt: admin_system, tools: [usage], asks: [hearth/garden]}\n");
    ASSERT_TRUE(cast) << cast.error().text();
    EXPECT_TRUE(cast->check(tools::Builtins()));
    EXPECT_EQ(asking_tool(*cast->find("hearth/garden")), "ask_garden");
    EXPECT_EQ(cast->find_asked("ask_garden"), cast->find("hearth/garden"));
    EXPECT_EQ(cast->find("hearth/admin")->tools, std::vector<std::string>{"usage"});
    EXPECT_EQ(cast->rows().size(), shipped_cast()->rows().size() + 1);
    EXPECT_EQ(cast->find("hearth/garden")->input["required"], base::OrderedJson::array({"task"}));
}

TEST(Cast, InputNamesTheFieldsOfATask) {
    const auto cast = with("  - {name: hearth/garden, purpose: p, scope: home, prompt: x, tools: [recall], input: {plant: which plant, month: \"of which month?\"}}\n");
    ASSERT_TRUE(cast) << cast.error().text();
    const auto& input = cast->find("hearth/garden")->input;
    EXPECT_EQ(input["required"], base::OrderedJson::array({"plant"}));
    EXPECT_EQ(input["properties"]["month"]["description"], "of which month");
    EXPECT_EQ(input["additionalProperties"], false);
}

TEST(Cast, WhatIsWrongWithARowIsToldWithItsLine) {
    const struct {
        const char *row, *says;
    } cases[] = {
        {"  - {name: garden, purpose: p, scope: home, prompt: x}", "mine.yaml, line 2: 'garden' must be hearth, or hearth/"},
        {"  - {name: hearth/Garden, purpose: p, scope: home, prompt: x}", "'hearth/Garden' must be"},
        {"  - {name: hearth/garden, scope: home, prompt: x}", "the field 'purpose' is missing"},
        {"  - {name: hearth/garden, purpose: p, scope: all, prompt: x}", "'scope' must be home, dev or admin"},
        {"  - {name: hearth/garden, purpose: p, scope: home, prompt: x, key: root}", "'key' must be chat, dev or admin"},
        {"  - {name: hearth/garden, purpose: p, scope: home, prompt: x, machine: graph}", "'machine' must be loop or pipeline"},
        {"  - {name: hearth/garden, purpose: p, scope: home, prompt: x, tokens: many}", "'tokens' must be a whole number"},
        {"  - {name: hearth/garden, purpose: p, scope: home, prompt: x, toools: [recall]}", "the field 'toools' is not known here"},
    };
    for (const auto& [row, says] : cases) {
        const auto cast = with(std::string(row) + "\n");
        ASSERT_FALSE(cast) << row;
        EXPECT_THAT(cast.error().text(), HasSubstr(says));
    }
    EXPECT_THAT(with(kGarden + kGarden).error().text(), HasSubstr("line 3: there are two agents 'hearth/garden'"));
    EXPECT_THAT(Cast::read("/nowhere/agents.yaml", *shipped_cast()).error().text(), HasSubstr("/nowhere/agents.yaml"));
}

TEST(Cast, MenusThatDoNotHoldAreRefused) {
    const struct {
        const char *fields, *says;
    } cases[] = {
        {"scope: home, tools: [bash]", "the agent hearth/garden names the tool 'bash', which the scope home does not have"},
        {"scope: home, tools: [fly]", "'fly'"},
        {"scope: home, tools: [recall], asks: [hearth/nobody]", "asks 'hearth/nobody', which is no agent"},
        {"scope: home, tools: [recall], asks: [hearth/garden]", "which is itself"},
        {"scope: home, tools: [recall], asks: [hearth]", "asks hearth, which answers people only"},
        {"scope: home, tools: [recall], asks: [hearth/dev]", "asks hearth/dev, which may more than itself"},
        {"scope: dev, tools: [bash], asks: [hearth/admin]", "asks hearth/admin, which may more than itself"},
        {"scope: dev, key: chat, tools: [bash], asks: [hearth/dev]", "which may more than itself"},
        {"scope: home, tools: [recall, time, recall, time, recall, time, recall, time, recall, time, recall, time, recall]", "would see 13 tools"},
    };
    for (const auto& [fields, says] : cases) {
        const auto cast = with(std::string("  - {name: hearth/garden, purpose: p, prompt: x, ") + fields + "}\n");
        ASSERT_TRUE(cast) << cast.error().text();
        const auto holds = cast->check(tools::Builtins());
        ASSERT_FALSE(holds) << fields;
        EXPECT_THAT(holds.error().text(), HasSubstr(says));
    }
}

TEST(Cast, TheRostersCharactersCountOnTheMenusOfWhoAsksThem) {
    const auto character = [](const std::string& name) {
        router::Alias out{name, {"scripted"}};
        out.character = "somebody";
        return out;
    };
    const auto cast = with("  - {name: hearth/garden, purpose: p, scope: home, prompt: x, tools: [recall, time], asks: [characters]}\n  - {name: hearth, purpose: p, scope: home, prompt: x, tools: [recall]}\n"
                           "  - {name: hearth/dev, purpose: p, scope: dev, prompt: x, tools: [bash]}\n");
    ASSERT_TRUE(cast) << cast.error().text();
    std::vector<router::Alias> roster = {{"plain", {"scripted"}}};
    for (char c = 'a'; c < 'k'; ++c) roster.push_back(character(std::string("wise_") + c));
    EXPECT_TRUE(cast->check(tools::Builtins(), roster)) << "10 of them and two tools";
    roster.push_back(character("one_more"));
    EXPECT_THAT(cast->check(tools::Builtins(), roster).error().text(), HasSubstr("the agent hearth/garden would see 13 tools"));
    EXPECT_THAT(cast->check(tools::Builtins(), {character("knowledge")}).error().text(), HasSubstr("knowledge has a character, and would be asked as the agent hearth/knowledge is"));
}

TEST(Cast, NoModelIsCalledAsAnAgentIs) {
    for (const char* agent : {"hearth", "hearth/dev", "hearth/anything"}) EXPECT_TRUE(is_agent(agent)) << agent;
    for (const char* model : {"", "default", "hearth2", "hearthside", "hearth/", "dev"}) EXPECT_FALSE(is_agent(model)) << model;
}

}  // namespace
}  // namespace agents
