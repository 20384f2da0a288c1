#include "base/json.h"

#include <gtest/gtest.h>

using base::Json;

TEST(Json, TypedReadsNameFieldValueAndExpectation) {
    const Json object = {{"path", 3}, {"limit", 2.0}, {"ratio", 1}, {"none", nullptr}};
    EXPECT_EQ(base::string_field(object, "path").error().message, "field 'path' must be a string, found 3");
    EXPECT_EQ(base::string_field(object, "other").error().message, "field 'other' is missing");
    EXPECT_EQ(*base::integer_field(object, "limit"), 2);
    EXPECT_EQ(*base::number_field(object, "ratio"), 1.0);
    EXPECT_EQ(*base::optional_string(object, "none"), std::nullopt);
    EXPECT_FALSE(base::integer_field({{"n", 2.5}}, "n"));
    EXPECT_FALSE(base::integer_field({{"n", 18446744073709551615ull}}, "n"));
}

TEST(Json, DepthIsBoundedBeforeTheStackIs) {
    EXPECT_TRUE(base::parse_json(std::string(200, '[') + std::string(200, ']')));
    EXPECT_FALSE(base::parse_json(std::string(100000, '[') + std::string(100000, ']')));
    EXPECT_FALSE(base::parse_json("{\"a\":"));
}

TEST(Json, WhatIsWrongIsToldWithItsPlaceAndWithoutTheLibrarysNames) {
    for (const char* text : {"{\"a\":", "nonsense", "1e999999"}) {
        const std::string message = base::parse_json(text).error().message;
        EXPECT_EQ(message.find("[json"), message.npos) << message;
        EXPECT_EQ(message.rfind("not valid JSON: ", 0), 0u) << message;
    }
    EXPECT_NE(base::parse_json("{\n\"a\":").error().message.find("line 2, column"), std::string::npos);
}

TEST(Json, DumpNeverThrowsOnInvalidUtf8) { EXPECT_EQ(base::dump(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }
