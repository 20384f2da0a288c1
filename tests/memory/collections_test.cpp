#include "memory/collections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using base::Code;
using base::Json;
using testing::HasSubstr;

const char* const kRecipes = R"({"type": "object", "properties": {"title": {"type": "string"}, "minutes": {"type": "integer", "minimum": 1}, "course": {"enum": ["starter", "main"]}},
    "required": ["title"], "additionalProperties": false})";

store::Collection recipes() { return {{}, "recipes", kRecipes, 0, {}}; }
store::CollectionItem item(const std::string& body) { return {store::CollectionItemId::make(base::SystemClock().now()), "recipes", body, {}, true, base::SystemClock().now()}; }

TEST(Collections, TakeTheSchemaOfAnObjectWithFieldsAndNoOther) {
    EXPECT_TRUE(check_collection_schema(kRecipes));
    const std::pair<const char*, const char*> wrong[] = {{"{", "no JSON"}, {"[]", "named fields"}, {R"({"type": "string"})", "named fields"}, {R"({"type": "object", "properties": {}})", "named fields"},
                                                         {R"({"type": "object", "properties": {"a": {"type": "text"}}})", "the schema: "}};
    for (const auto& [schema, why] : wrong) {
        const auto refused = check_collection_schema(schema);
        ASSERT_FALSE(refused) << schema;
        EXPECT_EQ(refused.error().code, Code::invalid_argument);
        EXPECT_THAT(refused.error().message, HasSubstr(why));
    }
    EXPECT_THAT(check_collection_schema(R"({"type": "object", "properties": {"a": {"description": ")" + std::string(9000, 'x') + R"("}}})").error().message, HasSubstr("at most 8000"));
}

TEST(Collections, SayWhereAnItemDoesNotFitAndWhatWould) {
    EXPECT_TRUE(check_item(recipes(), {{"title", "Bread"}, {"minutes", 40}}));
    const auto refused = check_item(recipes(), {{"title", "Bread"}, {"minutes", "long"}});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::StartsWith("/minutes: "));
    EXPECT_THAT(refused.error().remedy, HasSubstr("minutes: integer, optional"));
    EXPECT_FALSE(check_item(recipes(), {{"minutes", 40}}));
    EXPECT_THAT(check_item(recipes(), {{"title", std::string(9000, 'x')}}).error().message, HasSubstr("at most 8000"));
}

TEST(Collections, TellTheirFieldsInTheOrderOfTheSchema) {
    EXPECT_EQ(fields_of(recipes()), R"(recipes (title: string, minutes: integer, optional, course: one of ["starter","main"], optional))");
}

TEST(Collections, AreSearchedByTheirWordsAndListedWithout) {
    const std::vector<store::CollectionItem> items = {item(R"({"title": "Bread with seeds"})"), item(R"({"title": "Tomato soup"})"), item(R"({"title": "Lentils", "steps": ["Cook the lentils", "Add bread"]})")};
    const auto now = base::SystemClock().now();
    const auto titles = [&](const std::string& question, std::size_t most) {
        std::vector<std::string> out;
        for (const FoundItem& one : search_items(items, question, now, most)) out.push_back(base::parse_json(one.item.body).value()["title"]);
        return out;
    };
    EXPECT_THAT(titles("soups of tomatoes", 5), testing::ElementsAre("Tomato soup"));
    EXPECT_THAT(titles("bread", 5), testing::UnorderedElementsAre("Bread with seeds", "Lentils"));
    EXPECT_THAT(titles("", 2), testing::ElementsAre("Bread with seeds", "Tomato soup"));
    EXPECT_THAT(titles("astronomy", 5), testing::IsEmpty());
    EXPECT_EQ(search_items(items, "tomato", now, 5).at(0).why, "has tomato");
}

}  // namespace
}  // namespace memory
