#include "base/json_schema_words.h"

#include <gtest/gtest.h>

#include "base/json_schema.h"

namespace base {
namespace {

std::vector<std::string> unknown(const char* schema) {
    std::vector<std::string> out;
    for (const auto& one : unknown_words(OrderedJson::parse(schema))) out.push_back(one.place + " " + one.nearest);
    return out;
}
using Words = std::vector<std::string>;

TEST(SchemaWords, WhatJsonSchemaDoesNotHaveIsNamedWithItsPlaceAndWhatMayBeMeant) {
    EXPECT_EQ(unknown(R"({"type": "string", "maxLenght": 5})"), (Words{"/maxLenght maxLength"}));
    EXPECT_EQ(unknown(R"({"properties": {"a/b": {"items": [{"minimun": 0}]}}})"), (Words{"/properties/a~1b/items/0/minimun minimum"}));
    EXPECT_EQ(unknown(R"({"anyOf": [{"colour": 1}, {"max_length": 1}], "Required": []})"), (Words{"/Required required", "/anyOf/0/colour ", "/anyOf/1/max_length maxLength"}));
    EXPECT_EQ(unknown(R"({"dependencies": {"a": {"propertys": {}}, "b": ["c"]}})"), (Words{"/dependencies/a/propertys properties"}));
    for (const char* older : {R"({"id": "x"})", R"({"divisibleBy": 2})", R"({"disallow": "null"})", R"({"extends": {}})", R"({"items": {}, "additionalItems": false})", R"({"additionalItems": false})", R"({"nullable": "yes"})"})
        EXPECT_EQ(unknown(older).size(), 1u) << older;
    EXPECT_EQ(unknown_words(OrderedJson::parse(R"({"maxLenght": 5})")).at(0).text(), R"(at "/maxLenght": JSON Schema has no word "maxLenght"; did you mean "maxLength"?)");
}

TEST(SchemaWords, AnnotationsValuesAndDefinitionsAreFreeToSayAnything) {
    for (const char* schema : {R"({"$comment": "", "title": "", "description": "", "default": {"colour": 1}, "examples": [{"colour": 1}], "deprecated": true, "readOnly": true, "writeOnly": true,
                                  "contentMediaType": "", "contentEncoding": "", "$schema": "", "$id": "", "$anchor": "", "$defs": {"colour": {}}, "definitions": {"colour": {}}, "format": "colour"})",
                               R"({"nullable": true, "discriminator": {"propertyName": "colour"}, "xml": {}, "externalDocs": {}, "example": {"colour": 1}, "x-colour": 1})",
                               R"({"const": {"colour": 1}, "enum": [{"colour": 1}], "properties": {"colour": {}}, "patternProperties": {"colour": {}}, "dependentRequired": {"colour": ["x"]}})",
                               R"({"items": [{}], "additionalItems": false})", R"({"$schema": "http://json-schema.org/draft-07/schema#", "additionalItems": false})",
                               R"({"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://a.b/c"})", "true"})
        EXPECT_EQ(unknown(schema), Words{}) << schema;
    const char* elsewhere = R"({"$ref": "#/components/schemas/a", "components": {"schemas": {"a": {"colour": 1}, "b": {"colour": 1}}}})";
    EXPECT_EQ(unknown(elsewhere), (Words{"/components/schemas/a/colour "})) << "what a reference leads to is a schema, and the way there no word";
}

TEST(SchemaWords, AreTakenOutWhereTheyStand) {
    const auto schema = OrderedJson::parse(R"({"type": "object", "colour": 1, "properties": {"colour": {"type": "string", "maxLenght": 5, "title": "t"}}})");
    EXPECT_EQ(without(schema, unknown_words(schema)).dump(), R"({"type":"object","properties":{"colour":{"type":"string","title":"t"}}})");
}

std::string current(const char* schema) { return in_current_words(Json::parse(schema)).dump(); }

TEST(SchemaWords, OfOlderDraftsAndOpenApiAreSaidInTodays) {
    EXPECT_EQ(current(R"({"minimum": 1, "exclusiveMinimum": true, "maximum": 3, "exclusiveMaximum": false})"), R"({"exclusiveMinimum":1,"maximum":3})");
    EXPECT_EQ(current(R"({"items": {"exclusiveMaximum": true, "maximum": 3}})"), R"({"items":{"exclusiveMaximum":3}})");
    EXPECT_EQ(current(R"({"prefixItems": [{}], "additionalItems": false})"), R"({"items":false,"prefixItems":[{}]})");
    EXPECT_EQ(current(R"({"type": "string", "nullable": true})"), R"({"type":["string","null"]})");
    EXPECT_EQ(current(R"({"type": ["string", "null"], "nullable": true})"), R"({"type":["string","null"]})");
    EXPECT_EQ(current(R"({"type": "string", "nullable": false})"), R"({"type":"string"})");
    EXPECT_EQ(current(R"({"enum": ["a"], "nullable": true})"), R"({"enum":["a"]})") << "values that are listed are all there are";
    EXPECT_EQ(current(R"({"$ref": "#/$defs/a", "nullable": true, "title": "t", "$defs": {"a": {}}})"), R"({"$defs":{"a":{}},"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}],"title":"t"})");
    EXPECT_EQ(current(R"({"properties": {"a": {"required": true, "nullable": true, "minLength": 1}, "b": {"required": false}}})"),
              R"({"properties":{"a":{"anyOf":[{"minLength":1},{"type":"null"}]},"b":{}},"required":["a"]})");
    EXPECT_EQ(current(R"({"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://a.b/c"})"), R"({"$id":"http://a.b/c","$schema":"http://json-schema.org/draft-04/schema#"})");
    const std::string values = R"({"const":{"nullable":true},"default":{"exclusiveMinimum":true,"minimum":1}})";
    EXPECT_EQ(current(values.c_str()), values);
}

TEST(SchemaWords, AValidatorReadsThemToo) {
    const auto schema = Schema::parse(Json::parse(R"({"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "exclusiveMinimum": true, "nullable": true, "required": true}}})"));
    ASSERT_TRUE(schema) << schema.error().text();
    for (const char* valid : {R"({"n": 1})", R"({"n": null})"}) EXPECT_TRUE(schema->validate(Json::parse(valid))) << valid;
    for (const char* wrong : {R"({"n": 0})", "{}"}) EXPECT_FALSE(schema->validate(Json::parse(wrong))) << wrong;
}

}  // namespace
}  // namespace base
