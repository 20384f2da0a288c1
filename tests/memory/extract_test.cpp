#include "memory/extract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using base::Code;
using testing::HasSubstr;

TEST(Extract, TextsAreTextByTypeAndByWhatTheyHold) {
    for (const char* type : {"text/plain", "text/markdown; charset=utf-8", "application/json"}) {
        EXPECT_TRUE(is_readable(type)) << type;
        EXPECT_EQ(text_of(type, "a", "größer").value(), "größer") << type;
    }
    EXPECT_THAT(text_of("text/plain", "list.txt", "\xff\xfe").error().message, HasSubstr("list.txt is no UTF-8 text"));
    EXPECT_THAT(text_of("text/plain", "a", std::string("a\0b", 3)).error().message, HasSubstr("NUL"));
}

TEST(Extract, WhatIsNotReadIsNamedWithWhatMakesItText) {
    const struct {
        const char *type, *what, *remedy;
    } rows[] = {{"application/pdf", "bill is a PDF", "pdftotext bill"},
                {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "packed document", "pandoc -t markdown bill"},
                {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "office document", "pdftotext"},
                {"image/jpeg", "no model here sees", ""},
                {"audio/ogg; codecs=opus", "no model here hears", ""},
                {"video/mp4", "film", ""},
                {"", "nothing here reads", ""},
                {"application/x-new", "nothing here reads", ""}};
    for (const auto& row : rows) {
        EXPECT_FALSE(is_readable(row.type)) << row.type;
        const auto text = text_of(row.type, "bill", "what it says");
        ASSERT_FALSE(text) << row.type;
        EXPECT_EQ(text.error().code, Code::unsupported);
        EXPECT_THAT(text.error().message, HasSubstr(row.what)) << row.type;
        EXPECT_THAT(text.error().remedy, HasSubstr(row.remedy)) << row.type;
    }
}

TEST(Extract, AFileIsKnownByHowItBegins) {
    EXPECT_EQ(type_of("%PDF-1.7 x"), "application/pdf");
    EXPECT_EQ(type_of("PK\x03\x04"), "application/zip");
    EXPECT_EQ(type_of("# Heading"), "text/plain");
}

}  // namespace
}  // namespace memory
