// Prompts are changed by saving a version and moving a label; what is live needs grounds.
#include "store/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "on_database.h"

using base::Code;
using store::Grounds;
using store::Tx;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct Prompts : OnDatabase {
    // A prompt of the test's own, as the program ships it.
    std::string ship(const std::string& name, const std::string& body) {
        const std::string tenant = world->owner().tenant.text();
        world->sql("insert into prompt (tenant_id, name, version, body) values ('" + tenant + "', '" + name + "', 1, '" + body + "')");
        for (const char* label : {"live", "shipped"})
            world->sql("insert into prompt_label (tenant_id, name, label, version) values ('" + tenant + "', '" + name + "', '" + label + "', 1)");
        return name;
    }
    base::Result<int> save(const std::string& name, const std::string& body) {
        return as(world->owner(), [&](Tx& tx) { return store::save_prompt(tx, name, body); });
    }
    base::Result<void> release(const std::string& name, int version, Grounds grounds, const std::string& reason) {
        return as(world->owner(), [&](Tx& tx) { return store::release_prompt(tx, name, version, grounds, reason); });
    }
    base::Result<int> roll_back(const std::string& name) {
        return as(world->owner(), [&](Tx& tx) { return store::roll_back_prompt(tx, name); });
    }
    std::string live(const std::string& name) {
        return as(world->owner(), [&](Tx& tx) { return store::live_prompts(tx, {name}); }).value().at(name).body;
    }
    std::vector<store::PromptVersion> versions(const std::string& name) {
        return as(world->owner(), [&](Tx& tx) { return store::prompt_versions(tx, name); }).value();
    }
};

}  // namespace

TEST_F(Prompts, AVersionIsADraftUntilItIsReleased) {
    const auto name = ship("greeting", "Hello, {{name}}.");
    EXPECT_EQ(save(name, "Good day, {{ name }}.").value(), 2);
    EXPECT_EQ(live(name), "Hello, {{name}}.");
    EXPECT_THAT(versions(name)[0].labels, ElementsAre("draft"));
    ASSERT_TRUE(release(name, 2, Grounds::override_, "the owner likes it"));
    EXPECT_EQ(live(name), "Good day, {{ name }}.");
    const auto now = versions(name);
    EXPECT_THAT(now[0].labels, ElementsAre("draft", "live"));
    EXPECT_EQ(now[0].released, "override: the owner likes it");
    EXPECT_THAT(now[1].labels, ElementsAre("previous", "shipped"));
    const auto all = as(world->owner(), [](Tx& tx) { return store::list_prompts(tx); });
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    ASSERT_NE(found, all.end());
    EXPECT_EQ(found->live, 2);
    EXPECT_EQ(found->newest, 2);
    EXPECT_EQ(found->shipped, 1);
}

TEST_F(Prompts, RollingBackMovesALabelAndIsRecorded) {
    const auto name = ship("rolled", "one");
    const auto none = roll_back(name);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::not_found);
    ASSERT_TRUE(save(name, "two"));
    ASSERT_TRUE(release(name, 2, Grounds::override_, "60 of 60"));
    EXPECT_EQ(roll_back(name).value(), 1);
    EXPECT_EQ(live(name), "one");
    EXPECT_EQ(roll_back(name).value(), 2);  // and forth
    EXPECT_EQ(world->sql("select string_agg(grounds || ' ' || version, ', ' order by created_at) from prompt_release where name = 'rolled'"),
              "override 2, rollback 1, rollback 2");
}

TEST_F(Prompts, WhatCouldNotBeReadIsNotSaved) {
    const auto name = ship("asked", "{{who}} asks"), examples = ship("some_examples", "## user\nhi\n## assistant\nhello");
    for (const auto& [prompt, body, said] : std::initializer_list<std::tuple<std::string, std::string, std::string>>{
             {name, "{{whom}} asks", "{{who}}"}, {name, " \n", "empty"}, {name, "{{who", "unclosed"}, {examples, "## stranger\nhi", "some_examples"}}) {
        const auto saved = save(prompt, body);
        ASSERT_FALSE(saved) << body;
        EXPECT_EQ(saved.error().code, Code::invalid_argument);
        EXPECT_THAT(saved.error().text(), HasSubstr(said));
    }
    EXPECT_EQ(save("no such prompt", "x").error().code, Code::not_found);
    EXPECT_EQ(versions(name).size(), 1u);
}

TEST_F(Prompts, NothingGoesLiveWithoutGrounds) {
    const auto name = ship("guarded", "one");
    ASSERT_TRUE(save(name, "two"));
    EXPECT_EQ(release(name, 2, Grounds::override_, "  ").error().code, Code::invalid_argument);
    EXPECT_EQ(release(name, 3, Grounds::override_, "why not").error().code, Code::not_found);
    EXPECT_EQ(release(name, 1, Grounds::override_, "why not").error().code, Code::conflict);
    // Nor by whoever writes to the tables as the program does.
    for (const char* label : {"live", "previous", "shipped"}) {
        auto add = [&](Tx& tx) {
            return tx.exec("insert into prompt_label (tenant_id, name, label, version) values (hearth_tenant(), 'guarded', $1, 2)"
                           " on conflict (tenant_id, name, label) do update set version = 2 returning 1", {label}).size();
        };
        EXPECT_THROW(as(world->owner(), add), store::DbError) << label;
    }
    auto rewrite = [](Tx& tx) { return tx.exec("update prompt set body = 'changed' where name = 'guarded'"); };
    EXPECT_THROW(as(world->owner(), rewrite), store::DbError);
    EXPECT_EQ(live(name), "one");
}

TEST_F(Prompts, AnUpdateOfTheProgramBringsItsTextAndRespectsOnesOwn) {
    const std::string tenant = world->owner().tenant.text(), of_prompt = " where tenant_id = '" + tenant + "' and name = 'thinking'";
    // As an older program left it.
    const auto ship_older = [&](const std::string& version, const std::string& labels) {
        world->sql("insert into prompt (tenant_id, name, version, body) values ('" + tenant + "', 'thinking', " + version + ", 'older')");
        world->sql("update prompt_label set version = " + version + of_prompt + " and label in (" + labels + ")");
    };
    const auto update = [&] { return store::lay_foundation(store::owner_url(world->cluster()), world->state_folder()).ok(); };
    const auto labels = [&] { return world->sql("select string_agg(label || ' ' || version, ', ' order by label) from prompt_label" + of_prompt); };
    const std::string text = live("thinking");
    ship_older("2", "'live', 'shipped'");
    ASSERT_TRUE(save("thinking", "a draft of one's own"));
    ASSERT_TRUE(update());
    EXPECT_EQ(labels(), "draft 3, live 4, shipped 4");
    EXPECT_EQ(live("thinking"), text);
    ASSERT_TRUE(update());
    EXPECT_EQ(labels(), "draft 3, live 4, shipped 4");
    ASSERT_TRUE(release("thinking", 3, Grounds::override_, "mine"));
    ship_older("5", "'shipped'");
    ASSERT_TRUE(update());
    EXPECT_EQ(labels(), "draft 3, live 3, previous 4, shipped 6");
    ASSERT_TRUE(release("thinking", 6, Grounds::override_, "as it was"));
}

TEST_F(Prompts, AnotherTenantSeesNone) {
    ship("private", "ours");
    const store::Identity stranger{base::TenantId::make(base::SystemClock().now()), world->owner().person};
    EXPECT_TRUE(as(stranger, [](Tx& tx) { return store::list_prompts(tx); }).empty());
}
