#include "memory/vocabulary.h"

#include <gtest/gtest.h>

namespace memory {
namespace {

std::string repaired(const Vocabulary& vocabulary, const std::string& word) {
    const auto found = vocabulary.repair(word);
    return found ? vocabulary.word(*found) : "";
}

TEST(Slips, InsertedRemovedReplacedAndChangedOver) {
    EXPECT_EQ(slips_between("allergic", "allergic", 2), 0u);
    EXPECT_EQ(slips_between("alergic", "allergic", 2), 1u);
    EXPECT_EQ(slips_between("allerrgic", "allergic", 2), 1u);
    EXPECT_EQ(slips_between("allergic", "allergie", 2), 1u);
    EXPECT_EQ(slips_between("allegric", "allergic", 2), 1u);
    EXPECT_EQ(slips_between("alegric", "allergic", 2), 2u);
    EXPECT_EQ(slips_between("cat", "allergic", 2), 3u) << "more than that is not counted";
    EXPECT_EQ(slips_between("ca", "abc", 3), 3u) << "optimal string alignment, not Damerau's distance";
}

TEST(Vocabulary, AWordThatDoesNotOccurIsTakenForTheOneThatWasMeant) {
    Vocabulary v;
    for (const char* word : {"tournament", "marseille", "marvellous", "taken", "state", "stage", "stage", "received", "relieved", "relieved"}) v.add(word, false);
    EXPECT_EQ(repaired(v, "torunament"), "tournament");
    EXPECT_EQ(repaired(v, "marseile"), "marseille");
    EXPECT_EQ(repaired(v, "tournamnte"), "tournament") << "two slips in a long word";
    EXPECT_EQ(repaired(v, "recieved"), "received") << "the same letters before another one, though that is more frequent";
    EXPECT_EQ(repaired(v, "statte"), "state");
    EXPECT_EQ(repaired(v, "stave"), "") << "of short words another letter makes another word";
    EXPECT_EQ(repaired(v, "xtournament"), "") << "they begin alike";
    EXPECT_EQ(repaired(v, "take"), "") << "too short";
    EXPECT_EQ(repaired(v, "orchestra"), "");
}

TEST(Vocabulary, NothingIsRepairedToAFunctionWord) {
    Vocabulary v;
    v.add("against", true);
    EXPECT_EQ(repaired(v, "againts"), "");
    v.add("against", false);
    EXPECT_EQ(repaired(v, "againts"), "against");
}

}  // namespace
}  // namespace memory
