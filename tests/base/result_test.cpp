#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

using base::Code;
using base::Result;

TEST(Result, HoldsAValueOrAnError) {
    Result<int> good = 3;
    Result<int> bad = base::error(Code::not_found, "no such run 7", "list them with GET /v1/runs");
    ASSERT_TRUE(good);
    EXPECT_EQ(*good, 3);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, Code::not_found);
    EXPECT_EQ(bad.error().text(), "no such run 7 (list them with GET /v1/runs)");
    EXPECT_EQ(bad.value_or(9), 9);
}

TEST(Result, AskingAFailedResultForItsValueThrows) {
    Result<int> bad = base::error(Code::io, "disk gone");
    EXPECT_THROW(bad.value(), base::BadResult);
    Result<void> none = base::error(Code::io, "disk gone");
    EXPECT_THROW(none.value(), base::BadResult);
}

TEST(Result, CarriesMoveOnlyValues) {
    Result<std::unique_ptr<int>> r = std::make_unique<int>(5);
    std::unique_ptr<int> out = *std::move(r);
    EXPECT_EQ(*out, 5);
}
