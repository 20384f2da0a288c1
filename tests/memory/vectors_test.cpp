// Recall by vectors, beside words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "memory/person_indexes.h"
#include "store/groups.h"
#include "support/database.h"

namespace memory {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kModel = "encoder/64";

class VectorsTest : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from membership; delete from person_group; delete from fact; delete from vector_probe");
        probe_ = in_bytes(vector());
        begin(world->owner());
    }
    template <class F>
    auto as(const store::Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    // As consolidation does.
    void begin(const store::Identity& who) {
        as(who, [&](store::Tx& tx) {
            for (const auto& one : store::vector_probes(tx, kModel))
                if (one.probe.empty()) store::begin_vectors(tx, one.audience, kModel, probe_);
            return 0;
        });
    }
    std::vector<float> vector() {
        std::vector<float> out(64);
        for (float& x : out) x = std::normal_distribution<float>()(random_);
        return out;
    }
    base::FactId keep(const std::string& body, const std::vector<float>& vector, base::AudienceId group = {}) {
        return as(world->owner(), [&](store::Tx& tx) {
            const auto id = store::remember(tx, {.body = body, .trusted = true, .audience = group});
            store::keep_vector(tx, kModel, {store::VectorOf::fact, id.value, ""}, in_bytes(vector));
            return id;
        });
    }
    std::vector<std::string> recalled(const store::Identity& who, const std::string& question, const std::optional<Meaning>& meaning) {
        std::vector<std::string> out;
        auto ask = [&](store::Tx& tx) { return indexes.recall(tx, Asked(question, meaning), base::SystemClock().now(), 8); };
        for (const RecalledFact& one : world->db().run_blocking(who, ask)) out.push_back(one.fact.body + ": " + one.why);
        return out;
    }
    support::TestDatabase* world = support::TestDatabase::get();
    std::mt19937 random_{7};
    std::string probe_;
    PersonIndexes indexes;
};

TEST_F(VectorsTest, WhatAQuestionMeansIsFoundWithoutItsWordsByItsPersonAndModelAlone) {
    for (int i = 0; i < 60; ++i) keep("Remark " + std::to_string(i) + " of the house", vector());
    const auto music = vector();
    const auto cello = keep("Ben plays the cello", music);
    auto near = music;
    for (float& x : near) x += 0.3f * std::normal_distribution<float>()(random_);
    const Meaning asked{kModel, in_bytes(near), probe_};
    const std::string question = "Who makes music?";
    EXPECT_THAT(recalled(world->owner(), question, std::nullopt), IsEmpty());
    EXPECT_THAT(recalled(world->owner(), question, asked), ElementsAre("Ben plays the cello: close in meaning"));
    EXPECT_THAT(recalled(world->owner(), "Who plays?", asked), ElementsAre("Ben plays the cello: has plays; close in meaning"));
    EXPECT_THAT(recalled(world->member(), question, asked), IsEmpty()) << "they are another person's";
    EXPECT_THAT(recalled(world->owner(), question, Meaning{"another/64", asked.bytes, probe_}), IsEmpty());
    EXPECT_THAT(recalled(world->owner(), question, Meaning{kModel, asked.bytes, in_bytes(vector())}), IsEmpty()) << "another model by the same name";
    EXPECT_THAT(recalled(world->owner(), question, Meaning{kModel, asked.bytes.substr(0, 32), probe_}), IsEmpty()) << "of another width";

    as(world->owner(), [&](store::Tx& tx) { return store::forget_facts(tx, {cello}, true); });
    EXPECT_THAT(recalled(world->owner(), question, asked), IsEmpty());
    EXPECT_EQ(world->sql("select count(*) from vector"), "60");
}

TEST_F(VectorsTest, WhatIsMadeLaterIsSeenByTheNextQuestion) {
    for (int i = 0; i < 60; ++i) keep("Remark " + std::to_string(i) + " of the house", vector());
    const auto music = vector();
    const Meaning asked{kModel, in_bytes(music), probe_};
    EXPECT_THAT(recalled(world->owner(), "Who makes music?", asked), IsEmpty());
    keep("Ben plays the cello", music);
    EXPECT_THAT(recalled(world->owner(), "Who makes music?", asked), ElementsAre("Ben plays the cello: close in meaning"));
}

TEST_F(VectorsTest, WhatSomebodyMakesFirstTakesNothingFromHisGroups) {
    const auto make_group = [&](store::Tx& tx) {
        std::vector<store::Person> people;
        for (const auto& who : {world->owner(), world->member()}) people.push_back(store::find_person(tx, who.person.text()).value());
        return store::set_group(tx, "band", people).value().id;
    };
    const base::AudienceId group = as(world->owner(), make_group);
    begin(world->owner());
    for (int i = 0; i < 60; ++i) keep("Remark " + std::to_string(i) + " of the band", vector(), group);
    const auto music = vector();
    keep("Ben plays the cello", music, group);
    begin(world->member());  // his own are of no model yet
    EXPECT_EQ(world->sql("select count(*) from vector"), "61");
    const Meaning asked{kModel, in_bytes(music), probe_};
    EXPECT_THAT(recalled(world->member(), "Who makes music?", asked), ElementsAre("Ben plays the cello: close in meaning"));
    as(world->member(), [&](store::Tx& tx) { return store::begin_vectors(tx, group, "another/64", probe_), 0; });
    EXPECT_THAT(recalled(world->member(), "Who makes music?", asked), IsEmpty()) << "nobody knows what they mean to this model";
}

}  // namespace
}  // namespace memory
