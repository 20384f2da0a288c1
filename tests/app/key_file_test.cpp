// A file with a key: what it holds, and what is said of one that holds none.
#include "app/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/fixtures.h"

namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct KeyFile : testing::Test {
    support::TempDir folder;

    std::string file(const std::string& text) {
        const auto path = folder.path() / "key";
        std::ofstream(path) << text;
        return path.string();
    }
    std::string refusal(const std::string& path) {
        const auto key = app::key_in_file("--key", path);
        if (key) return "a key: " + *key;
        EXPECT_THAT(key.error().message, StartsWith("--key: "));
        EXPECT_THAT(key.error().message, HasSubstr("'" + path + "'"));
        EXPECT_THAT(key.error().remedy, HasSubstr("key"));
        return key.error().message;
    }
};

TEST_F(KeyFile, HoldsOneWord) {
    EXPECT_EQ(app::key_in_file("--key", file("  hk_abc\r\n")).value(), "hk_abc");
}

TEST_F(KeyFile, AnotherThingIsNamedWithItsPlace) {
    EXPECT_THAT(refusal("/tmp"), HasSubstr("it is a folder"));
    EXPECT_THAT(refusal((folder.path() / "absent").string()), HasSubstr("No such file"));
    EXPECT_THAT(refusal(file(" \n")), HasSubstr("is empty"));
    EXPECT_THAT(refusal(file("two words")), HasSubstr("holds no key"));
    EXPECT_THAT(refusal(file("hk_\x01")), HasSubstr("holds no key"));
    EXPECT_THAT(refusal("/dev/zero"), HasSubstr("larger than a key can be"));
    EXPECT_THAT(refusal(""), HasSubstr("cannot read"));
}

}  // namespace
