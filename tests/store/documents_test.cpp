#include "store/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/database.h"

namespace store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class DocumentsTest : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from document");
    }
    template <class F>
    auto as(const Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    Document add(const Identity& who, const std::string& text) {
        return as(who, [&](Tx& tx) { return add_document(tx, "a.md", text); });
    }
    std::vector<DocumentSection> sections(const Identity& who) {
        return as(who, [&](Tx& tx) { return sections_behind(tx, base::AudienceId{world->owner().person.value}, {}, 100); });
    }
    support::TestDatabase* world = support::TestDatabase::get();
};

TEST_F(DocumentsTest, TheSameTextIsOneDocumentOfEachPerson) {
    const Document first = add(world->owner(), "x"), again = add(world->owner(), "x"), other = add(world->member(), "x");
    EXPECT_EQ(first.id, again.id);
    EXPECT_NE(first.id, other.id);
    EXPECT_EQ(first.sections, std::nullopt);
    EXPECT_THAT(as(world->owner(), [](Tx& tx) { return list_documents(tx, 10, std::nullopt); }), SizeIs(1));
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return find_document(tx, first.id).has_value(); }));
}

// Whoever makes the sections may be killed at any step: the document is open, or has all of them.
TEST_F(DocumentsTest, SectionsAreMadeOnceWhoeverBreaksOff) {
    const Document document = add(world->owner(), "the text");
    const std::vector<NewSection> two = {{"h", "one"}, {"", "two"}};
    const auto broken = [&](Tx& tx) -> int {
        keep_sections(tx, next_open_document(tx).value().id, two);
        tx.exec("select 1");
        throw std::runtime_error("killed");
    };
    EXPECT_THROW(as(world->owner(), broken), std::runtime_error);
    EXPECT_THAT(sections(world->owner()), IsEmpty());
    EXPECT_FALSE(as(world->member(), [](Tx& tx) { return next_open_document(tx).has_value(); }));
    const auto done = [&](Tx& tx) {
        const auto open = next_open_document(tx).value();
        EXPECT_EQ(open.text, "the text");
        keep_sections(tx, open.id, two);
        return 0;
    };
    as(world->owner(), done);
    EXPECT_FALSE(as(world->owner(), [](Tx& tx) { return next_open_document(tx).has_value(); }));
    ASSERT_THAT(sections(world->owner()), SizeIs(2));
    EXPECT_EQ(sections(world->owner())[0].name, "a.md");
    EXPECT_THAT(sections(world->member()), IsEmpty());
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return find_document(tx, document.id)->sections; }), 2);
    EXPECT_EQ(world->sql("select body from document"), "") << "its text is in the sections now";
}

TEST_F(DocumentsTest, OnlyWhoHasItForgetsIt) {
    const Document document = add(world->owner(), "the text");
    as(world->owner(), [&](Tx& tx) { return keep_sections(tx, document.id, {{"", "one"}}), 0; });
    EXPECT_THAT(as(world->member(), [&](Tx& tx) { return forget_document(tx, document.id, true); }), IsEmpty());
    EXPECT_THAT(as(world->owner(), [&](Tx& tx) { return forget_document(tx, document.id, false); }), testing::Not(IsEmpty()));
    EXPECT_THAT(sections(world->owner()), SizeIs(1)) << "that was a preview";
    as(world->owner(), [&](Tx& tx) { return forget_document(tx, document.id, true); });
    EXPECT_THAT(sections(world->owner()), IsEmpty());
    EXPECT_THAT(as(world->owner(), [](Tx& tx) { return list_documents(tx, 10, std::nullopt); }), IsEmpty());
}

}  // namespace
}  // namespace store
