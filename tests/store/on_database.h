// A test on the database of the test run; skipped, with the reason, where there is none.
#pragma once

#include <gtest/gtest.h>

#include "support/database.h"

struct OnDatabase : testing::Test {
    support::TestDatabase* world = support::TestDatabase::get();
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
    }

    template <class F>
    auto as(const store::Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
};
