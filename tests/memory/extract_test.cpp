#include "memory/extract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace memory {
namespace {

using testing::HasSubstr;

TEST(Extract, ATypeSaysHowItIsRead) {
    for (const char* type : {"text/plain", "text/markdown; charset=utf-8", "application/json"}) EXPECT_EQ(kind_of(type), Kind::text) << type;
    for (const char* type : {"text/html; charset=utf-8", "application/xhtml+xml"}) EXPECT_EQ(kind_of(type), Kind::html) << type;
    for (const char* type : {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.oasis.opendocument.text", "application/epub+zip",
                             "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "application/vnd.oasis.opendocument.spreadsheet"}) EXPECT_EQ(kind_of(type), Kind::packed) << type;
    EXPECT_EQ(kind_of("application/pdf"), Kind::pdf);
    for (const char* type : {"application/rtf", "text/rtf"}) EXPECT_EQ(kind_of(type), Kind::rtf) << type;
}

TEST(Extract, WhatIsNotReadIsNamedWithWhatMakesItText) {
    const struct {
        const char *type, *what, *remedy;
    } rows[] = {{"application/zip", "bill is an archive", ""},
                {"application/vnd.openxmlformats-officedocument.spreadsheetml.template", "office document", "--convert-to pdf bill"},
                {"application/msword", "office document", "--convert-to pdf bill"},
                {"image/jpeg", "no model here sees", ""},
                {"audio/ogg; codecs=opus", "no model here hears", ""},
                {"video/mp4", "film", ""},
                {"", "nothing here reads", ""},
                {"application/x-new", "nothing here reads", ""}};
    for (const auto& row : rows) {
        EXPECT_EQ(kind_of(row.type), Kind::none) << row.type;
        const base::Error why = why_unread(row.type, "bill");
        EXPECT_EQ(why.code, base::Code::unsupported);
        EXPECT_THAT(why.message, HasSubstr(row.what)) << row.type;
        EXPECT_THAT(why.remedy, HasSubstr(row.remedy)) << row.type;
    }
}

TEST(Extract, AFileIsKnownByHowItBeginsAndByItsName) {
    EXPECT_EQ(type_of("notes.txt", "%PDF-1.7 x"), "application/pdf");
    EXPECT_EQ(kind_of(type_of("Will.DOCX", "PK\x03\x04")), Kind::packed);
    for (const char* name : {"a.xlsx", "A.PPTX", "a.ods", "a.odp"}) EXPECT_EQ(kind_of(type_of(name, "PK\x03\x04")), Kind::packed) << name;
    EXPECT_EQ(kind_of(type_of("a.rtf", "{\\rtf1")), Kind::rtf);
    EXPECT_EQ(type_of("", "PK\x03\x04"), "application/zip");
    EXPECT_EQ(type_of("a.md", "# Heading"), "text/markdown");
    EXPECT_EQ(type_of("pdf", "# Heading"), "text/plain");
    EXPECT_EQ(type_of_name(".pdf"), "");
}

}  // namespace
}  // namespace memory
