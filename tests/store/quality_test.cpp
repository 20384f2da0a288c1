// What was measured speaks for a version beside the others that are live, and for no other.
#include "store/quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "on_database.h"
#include "store/prompts.h"

using base::Code;
using store::Grounds;
using store::QualityRun;
using store::Tx;
using testing::HasSubstr;

namespace {

QualityRun measured(std::vector<std::string> failed, std::vector<std::string> failed_must = {}) {
    return {"tiny", "digest", {}, 10, std::move(failed), std::move(failed_must), {}};
}

struct Quality : OnDatabase {
    // A prompt of the test's own with a live version 1 and a draft 2.
    void ship(const std::string& name) {
        const std::string tenant = world->owner().tenant.text();
        for (const char* version : {"1", "2"})
            world->sql("insert into prompt (tenant_id, name, version, body) values ('" + tenant + "', '" + name + "', " + version + ", 'text " + version + "')");
        world->sql("insert into prompt_label (tenant_id, name, label, version) values ('" + tenant + "', '" + name + "', 'live', 1)");
    }
    store::PromptVersions live() {
        return as(world->owner(), [](Tx& tx) { return store::live_versions(tx); });
    }
    void save(QualityRun run, const store::PromptVersions& others) {
        run.versions = live();
        for (const auto& [name, version] : others) run.versions[name] = version;
        as(world->owner(), [&](Tx& tx) { store::save_quality_run(tx, run); });
    }
    base::Result<void> release(const std::string& name, int version = 2) {
        return as(world->owner(), [&](Tx& tx) { return store::release_prompt(tx, name, version, Grounds::quality, ""); });
    }
    std::string released(const std::string& name) {
        return as(world->owner(), [&](Tx& tx) { return store::prompt_versions(tx, name); }).value().front().released;
    }
};

}  // namespace

TEST_F(Quality, WhatIsSavedIsFoundByVersionsModelAndCases) {
    ship("kept");
    save(measured({"a/b"}, {"a/b"}), {{"kept", 2}});
    auto versions = live();
    const auto find = [&](const std::string& model, const std::string& cases) {
        return as(world->owner(), [&](Tx& tx) { return store::find_quality_run(tx, versions, model, cases); });
    };
    EXPECT_FALSE(find("tiny", "digest"));
    versions["kept"] = 2;
    const auto found = find("tiny", "digest");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->versions, versions);
    EXPECT_EQ(found->total, 10);
    EXPECT_EQ(found->passed(), 9);
    EXPECT_EQ(found->failed_must, std::vector<std::string>{"a/b"});
    EXPECT_FALSE(find("other", "digest"));
    EXPECT_FALSE(find("tiny", "other"));
    EXPECT_ANY_THROW(world->sql("update quality_run set total = 1"));
}

TEST_F(Quality, PassesWithAsManyCasesAndEveryOneThatMustPass) {
    EXPECT_TRUE(passes(measured({"x"}), measured({"y"})));
    EXPECT_FALSE(passes(measured({"x", "y"}), measured({"y"})));
    EXPECT_FALSE(passes(measured({"x"}, {"x"}), measured({"y"})));
    EXPECT_TRUE(passes(measured({"x"}, {"x"}), measured({"x"}, {"x"})));
}

TEST_F(Quality, AVersionIsReleasedOnWhatWasMeasured) {
    ship("measured");
    const auto without = release("measured");
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().code, Code::conflict);
    EXPECT_THAT(without.error().text(), HasSubstr("hearth quality run --prompt measured@2"));
    save(measured({"x"}), {{"measured", 2}});
    EXPECT_FALSE(release("measured")) << "nothing to hold it against";
    save(measured({"x", "y"}), {});
    ASSERT_TRUE(release("measured"));
    EXPECT_EQ(released("measured"), "quality: 9 of 10 cases, live 8");
}

TEST_F(Quality, AVersionThatFailsIsNotReleased) {
    ship("worse");
    save(measured({}), {});
    save(measured({"x"}), {{"worse", 2}});
    const auto refused = release("worse");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("9 of 10 cases, live 10"));
}

TEST_F(Quality, TheNewestMeasurementCounts) {
    ship("once");
    save(measured({"x"}), {});
    save(measured({"x"}), {{"once", 2}});
    save(measured({"x", "y"}), {{"once", 2}});
    EXPECT_FALSE(release("once"));
    save(measured({"y"}), {{"once", 2}});
    EXPECT_TRUE(release("once"));
}

TEST_F(Quality, ThatNothingPassesSpeaksForNothing) {
    QualityRun none = measured({"x"});
    none.total = 1;
    EXPECT_FALSE(passes(none, none));
}

TEST_F(Quality, OtherCasesOrAnotherModelAreNothingToHoldAgainst) {
    ship("apart");
    QualityRun of_live = measured({});
    of_live.cases = "others";
    save(of_live, {});
    of_live = measured({});
    of_live.model = "large";
    save(of_live, {});
    save(measured({}), {{"apart", 2}});
    EXPECT_FALSE(release("apart"));
}

TEST_F(Quality, AnotherVersionThatWentLiveMeanwhileTakesTheGrounds) {
    ship("first");
    ship("second");
    save(measured({}), {});
    save(measured({}), {{"first", 2}});
    save(measured({}), {{"second", 2}});
    ASSERT_TRUE(release("first"));
    EXPECT_FALSE(release("second"));
    save(measured({}), {{"second", 2}});  // beside the new version of the first; that one's own run is what is live now
    ASSERT_TRUE(release("second"));
}

TEST_F(Quality, AnotherTenantSeesNone) {
    const store::Identity stranger{base::TenantId::make(base::SystemClock().now()), world->owner().person};
    save(measured({}), {});
    EXPECT_TRUE(as(stranger, [](Tx& tx) { return tx.exec("select 1 from quality_run"); }).empty());
}
