#include "base/id.h"

#include <gtest/gtest.h>

using base::RunId;
using base::Uuid;

TEST(Uuid, Version7CarriesTheTimeAndSortsByIt) {
    const base::TimePoint early{std::chrono::milliseconds(0x0190'0000'0000)};
    const base::TimePoint late = early + std::chrono::milliseconds(1);
    const Uuid a = Uuid::v7(early), b = Uuid::v7(late);
    EXPECT_LT(a, b);
    EXPECT_EQ(a.text().substr(0, 15), "01900000-0000-7");
    EXPECT_EQ(a.bytes[8] & 0xc0, 0x80);  // the RFC's variant
}

TEST(Uuid, WhatIsMadeWithinAMillisecondSortsByItsMicrosecond) {
    const base::TimePoint start{std::chrono::milliseconds(0x0190'0000'0000)};
    Uuid before = Uuid::v7(start);
    for (int micro = 1; micro < 1000; ++micro) {
        const Uuid next = Uuid::v7(start + std::chrono::microseconds(micro));
        EXPECT_LT(before, next) << micro;
        EXPECT_EQ(next.text().substr(0, 15), "01900000-0000-7");
        before = next;
    }
    EXPECT_LT(before, Uuid::v7(start + std::chrono::milliseconds(1)));
}

TEST(Uuid, TextRoundTripsAndRefusesOtherForms) {
    const RunId id = RunId::make(base::SystemClock().now());
    EXPECT_EQ(RunId::parse(id.text()), id);
    for (const char* bad : {"", "1", "0190000000007000800000000000000000000", "g1900000-0000-7000-8000-000000000000",
                            "01900000+0000-7000-8000-000000000000"})
        EXPECT_FALSE(RunId::parse(bad)) << bad;
}
