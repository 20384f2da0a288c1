// Stored responses: whose they are, what they go on from, how they go.
#include "store/responses.h"

#include "on_database.h"

namespace {

using base::Json;
using store::StoredResponse;
using store::Tx;

struct ResponsesTest : OnDatabase {
    StoredResponse kept(const std::string& said, store::ResponseId previous = {}) {
        StoredResponse response;
        response.id = store::ResponseId::make(base::SystemClock().now());
        response.previous = previous;
        response.input = Json::array({{{"role", "user"}, {"content", said}}});
        response.body = {{"id", store::public_id(response.id)}, {"output", Json::array()}};
        as(world->owner(), [&](Tx& tx) { store::keep_response(tx, response); });
        return response;
    }
    auto chain(const store::Identity& who, store::ResponseId id) {
        return as(who, [&](Tx& tx) { return store::response_chain(tx, id); });
    }
};

TEST_F(ResponsesTest, AChainIsToldFromItsBeginning) {
    const auto first = kept("one"), second = kept("two", first.id), third = kept("three", second.id);
    kept("beside", first.id);
    const auto found = chain(world->owner(), third.id);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 3u);
    for (const auto& [at, said] : {std::pair{0, "one"}, {1, "two"}, {2, "three"}}) EXPECT_EQ((*found)[std::size_t(at)].input[0]["content"], said);
    EXPECT_EQ(found->back().body, third.body);
    EXPECT_EQ(found->back().previous, second.id);
    EXPECT_TRUE(found->front().run.is_nil());
}

TEST_F(ResponsesTest, AnotherPersonHasNone) {
    const auto mine = kept("mine");
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return store::find_response(tx, mine.id); }));
    EXPECT_EQ(chain(world->member(), mine.id).error().code, base::Code::not_found);
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return store::remove_response(tx, mine.id); }));
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::find_response(tx, mine.id); }));
}

TEST_F(ResponsesTest, AChainThatLostALinkNamesIt) {
    const auto first = kept("one"), second = kept("two", first.id), third = kept("three", second.id);
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::remove_response(tx, first.id); }));
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return store::remove_response(tx, first.id); }));
    const auto broken = chain(world->owner(), third.id);
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find(store::public_id(first.id)), std::string::npos) << broken.error().message;
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::find_response(tx, third.id); })) << "by itself it is still there";
}

TEST_F(ResponsesTest, TheOldGoFirst) {
    world->sql("delete from response");
    const auto old = kept("old"), young = kept("young");
    world->sql("update response set created_at = now() - interval '40 days' where id = '" + old.id.text() + "'");
    const auto erase = [&](std::chrono::hours age, int most) {
        return as(store::Identity{}, [&](Tx& tx) { return store::erase_responses(tx, base::SystemClock().now() - age, most); });
    };
    EXPECT_EQ(erase(std::chrono::hours(24 * 41), 10), 0);
    EXPECT_EQ(erase(std::chrono::hours(24 * 39), 10), 1);
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return store::find_response(tx, old.id); }));
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::find_response(tx, young.id); }));
    EXPECT_EQ(erase(std::chrono::hours(-1), 0), 0);
    EXPECT_EQ(erase(std::chrono::hours(-1), 10), 1);
}

TEST_F(ResponsesTest, OnlyItsOwnIdsAreIds) {
    const auto id = store::ResponseId::make(base::SystemClock().now());
    EXPECT_EQ(store::parse_response_id(store::public_id(id)), id);
    for (const std::string& text : {id.text(), std::string("resp_"), "run_" + id.text(), "resp_" + id.text() + "x"}) EXPECT_FALSE(store::parse_response_id(text)) << text;
}

}  // namespace
