#pragma once

#include <gtest/gtest.h>

#include "site.h"

namespace server::testing {

// Without PostgreSQL these tests are skipped, and say why.
class SiteTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (!support::TestDatabase::get()) GTEST_SKIP() << support::TestDatabase::why_not();
    }
};

}  // namespace server::testing
