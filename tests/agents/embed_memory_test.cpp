#include "agents/embed_memory.h"

#include "harness.h"
#include "store/facts.h"
#include "store/vectors.h"
#include "waited.h"

namespace agents {
namespace {

class EmbedMemoryTest : public testing::TurnTest {
protected:
    void SetUp() override {
        testing::TurnTest::SetUp();
        if (!IsSkipped()) support::TestDatabase::get()->sql("delete from segment; delete from episode; delete from fact; delete from vector_probe");
    }
    static Options with_vectors() {
        Options options;
        options.embedding = "default";
        return options;
    }
    static Consolidated consolidate(testing::Harness& h) {
        return testing::waited<Consolidated>([&] { return h.agents->consolidate(h.database->owner(), base::StopToken()); });
    }
    static std::optional<memory::Meaning> meaning(testing::Harness& h, const std::string& text) {
        return testing::waited<std::optional<memory::Meaning>>([&] { return h.agents->memory().meaning_of(text, h.database->owner(), base::StopToken()); });
    }
    static base::FactId keep(testing::Harness& h, const std::string& text) {
        return h.in_tx([&](store::Tx& tx) { return store::remember(tx, text, {}); });
    }
    static std::vector<memory::RecalledFact> recall(testing::Harness& h, const memory::Asked& asked) {
        return h.in_tx([&](store::Tx& tx) { return h.agents->memory().recall(tx, asked, h.clock.now(), 8); });
    }
    static std::string count() { return support::TestDatabase::get()->sql("select count(*) from vector"); }
};

TEST_F(EmbedMemoryTest, EachFactGetsOneVectorAndForgettingTakesIt) {
    testing::Harness h({}, with_vectors());
    const auto first = keep(h, "The boiler is serviced every autumn");
    keep(h, "Ben plays the cello");
    EXPECT_EQ(consolidate(h).vectors, 2);
    EXPECT_EQ(consolidate(h).vectors, 0);
    h.in_tx([&](store::Tx& tx) { return store::forget_facts(tx, {first}, true); });
    EXPECT_EQ(count(), "1");
    // Another model by that name: what was made before is made anew.
    support::TestDatabase::get()->sql("update vector_probe set body = decode('7f817f81', 'hex')");
    EXPECT_EQ(consolidate(h).vectors, 1);
    EXPECT_EQ(count(), "1");
    EXPECT_EQ(consolidate(h).vectors, 0);
}

TEST_F(EmbedMemoryTest, WithoutAModelNothingIsAskedAndRecallIsTheSame) {
    testing::Harness plain, vectors({}, with_vectors());
    for (int i = 0; i < 20; ++i) keep(plain, "The cello lesson number " + std::to_string(i) + " is paid");
    EXPECT_EQ(consolidate(plain).vectors, 0);
    EXPECT_FALSE(meaning(plain, "cello"));
    const auto before = recall(plain, "Which cello lesson is paid?");
    consolidate(vectors);
    const auto after = recall(vectors, "Which cello lesson is paid?");
    ASSERT_EQ(before.size(), after.size());
    ASSERT_FALSE(before.empty());
    for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_EQ(before[i].fact.id, after[i].fact.id);
        EXPECT_EQ(before[i].score, after[i].score) << "to the last bit";
        EXPECT_EQ(before[i].why, after[i].why);
    }
}

}  // namespace
}  // namespace agents
