// A grammar made of a JSON Schema accepts what the schema means, or there is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_schema.h"
#include "text/grammar.h"
#include "walk.h"

namespace text {
namespace {

using base::OrderedJson;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Texts = std::vector<const char*>;

void expect(const char* schema, const Texts& accepted, const Texts& refused) {
    SCOPED_TRACE(schema);
    const auto grammar = Grammar::from_json_schema(OrderedJson::parse(schema));
    ASSERT_TRUE(grammar) << grammar.error().text();
    for (const char* text : accepted) EXPECT_TRUE((*grammar)->accepts(text)) << text;
    for (const char* text : refused) EXPECT_FALSE((*grammar)->accepts(text)) << text;
}

std::string why(const char* schema) {
    const auto grammar = Grammar::from_json_schema(OrderedJson::parse(schema));
    return grammar ? "it has a grammar" : grammar.error().text();
}

TEST(GrammarSchema, OneOfIsExactWhereItsPartsExcludeEachOther) {
    expect(R"({"oneOf":[{"type":"integer"},{"type":"string","maxLength":3},{"type":["null","boolean"]}]})", {"1", "\"abc\"", "null", "true"}, {"\"abcd\"", "1.5", "[]"});
    expect(R"({"oneOf":[{"const":"a"},{"enum":["b","c"]},{"type":"number"}]})", {"\"a\"", "\"c\"", "3.5"}, {"\"d\"", "null"});
    expect(R"({"oneOf":[{"type":"number","maximum":3},{"type":"number","exclusiveMinimum":3},{"type":"array","maxItems":1},{"type":"array","minItems":2}]})",
           {"3", "2.5", "3.01", "[]", "[1, 2]"}, {"\"x\""});
    expect(R"({"oneOf":[{"type":"integer","maximum":3.5},{"type":"integer","minimum":3.6}]})", {"3", "4"}, {"3.5"});
    expect(R"({"$defs":{"cat":{"type":"object","properties":{"kind":{"const":"cat"},"lives":{"type":"integer"}},"required":["kind"],"additionalProperties":false},
               "dog":{"type":"object","properties":{"kind":{"const":"dog"},"pup":{"$ref":"#/$defs/dog"}},"required":["kind"],"additionalProperties":false}},
               "oneOf":[{"$ref":"#/$defs/cat"},{"$ref":"#/$defs/dog"}]})",
           {R"({"kind": "cat", "lives": 9})", R"({"kind": "dog", "pup": {"kind": "dog"}})"}, {R"({"kind": "dog", "lives": 9})", R"({})"});
    expect(R"({"oneOf":[{"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false},{"properties":{"b":{"type":"string"}},"required":["b"],"additionalProperties":false}]})",
           {R"({"a": "x"})", R"({"b": "x"})"}, {"{}", R"({"a": "x", "b": "x"})"});
    expect(R"({"oneOf":[{"type":"array","prefixItems":[{"const":1}],"minItems":1},{"type":"array","prefixItems":[{"const":2}]},{"type":"object"}]})",
           {"[1]", "[1, \"x\"]", "[2]", "[]", "{}"}, {"[3]"});
    expect(R"({"type":"object","properties":{"v":{"oneOf":[{"type":"object","properties":{"t":{"properties":{"u":{"type":"string"}},"required":["u"]}},"required":["t"]},
               {"type":"object","properties":{"t":{"type":"object","properties":{"u":{"type":"integer"}}}},"required":["t"]}]}},"required":["v"]})",
           {R"({"v": {"t": {"u": "x"}}})", R"({"v": {"t": {"u": 3}}})"}, {R"({"v": {"t": {"u": null}}})"});
}

TEST(GrammarSchema, PartsThatMayHoldTogetherAreTakenApartOrRefused) {
    const char* either = R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"oneOf":[{"required":["a"]},{"required":["b"]}],"additionalProperties":false})";
    expect(either, {R"({"a": 1})", R"({"b": 1})"}, {R"({"a": 1, "b": 1})", "{}"});
    expect(R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"oneOf":[{"required":["a","b"]},{"required":["c"]}],"additionalProperties":false})",
           {R"({"a": 1, "b": 1})", R"({"c": 1})", R"({"a": 1, "c": 1})"}, {R"({"a": 1})", R"({"a": 1, "b": 1, "c": 1})"});
    EXPECT_THAT(why(R"({"properties":{"v":{"oneOf":[{"type":"integer"},{"type":"number"}]}}})"), AllOf(HasSubstr("at \"/properties/v\""), HasSubstr("parts 0 and 1 of \"oneOf\" may hold together")));
    EXPECT_THAT(why(R"({"oneOf":[{"type":"string"},{"minLength":2}]})"), HasSubstr("may hold together"));
    EXPECT_THAT(why(R"({"oneOf":[{"multipleOf":5},{"multipleOf":3}]})"), HasSubstr("may hold together"));
    EXPECT_THAT(why(R"({"oneOf":[{"type":"object","properties":{"kind":{"const":"a"}}},{"type":"object","properties":{"kind":{"const":"b"}}}]})"), HasSubstr("may hold together"));
    EXPECT_THAT(why(R"({"oneOf":[{"type":"number","maximum":3},{"type":"number","minimum":3}]})"), HasSubstr("may hold together"));
}

TEST(GrammarSchema, SchemasThatHoldTogether) {
    expect(R"({"allOf":[{"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"string"}},{"prefixItems":[{"minimum":3},{"maxLength":1}],"items":false}]})",
           {"[]", "[3]", "[3, \"a\"]"}, {"[2]", "[3, \"ab\"]", "[3, \"a\", \"b\"]", "[\"a\"]"});
    expect(R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"unevaluatedProperties":false},{"properties":{"b":{"type":"integer"}}}]})", {"{}", R"({"a": 1})"},
           {R"({"b": 1})", R"({"a": 1, "b": 1})"});
    expect(R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"properties":{"b":{"type":"integer"}}}],"unevaluatedProperties":false})",
           {"{}", R"({"a": 1})", R"({"a": 1, "b": 1})"}, {R"({"c": 1})"});
    expect(R"({"type":"object","properties":{"a":{"type":"integer"}},"anyOf":[{"properties":{"b":{"const":1}},"required":["b"]},{"properties":{"c":{"const":2}},"required":["c"]}],"unevaluatedProperties":false})",
           {R"({"a": 5, "b": 1})", R"({"c": 2})"}, {R"({"a": 5})", R"({"b": 1, "d": 3})", R"({"b": 2})"});
    expect(R"({"type":"array","prefixItems":[{"type":"integer"}],"allOf":[{"prefixItems":[true,{"type":"string"}]}],"unevaluatedItems":false})", {"[1]", "[1, \"x\"]"}, {"[1, 2]", "[1, \"x\", 3]"});
    expect(R"({"$defs":{"tree":{"type":"object","properties":{"n":{"type":"integer"},"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}},"required":["n"],"additionalProperties":false}},
               "allOf":[{"$ref":"#/$defs/tree"},{"required":["kids"]}]})",
           {R"({"n": 1, "kids": [{"n": 2}]})"}, {R"({"n": 1})", R"({"n": 1, "kids": [{"m": 2}]})"});
    expect(R"({"$ref":"#/definitions/a","maximum":3,"definitions":{"a":{"type":"integer"}},"$schema":"http://json-schema.org/draft-07/schema#"})", {"3", "4"}, {"3.5"});
    expect(R"({"$ref":"#/definitions/a","maximum":3,"definitions":{"a":{"type":"integer"}}})", {"3"}, {"4"});
    expect(R"({"enum":[1,"a",[1],{"x":2}],"allOf":[{"not":{"$ref":"#/$defs/text"}}],"$defs":{"text":{"type":"string"}}})", {"1", "[1]", R"({"x": 2})"}, {"\"a\""});
    expect(R"({"type":"object","not":{"required":["a"]},"properties":{"b":{"type":"integer"}}})", {"{}", R"({"b": 1})", R"({"c": 1})"}, {R"({"a": 1})"});
    expect(R"({"not":{"type":["object","array","string"]}})", {"1.5", "null", "true"}, {"{}", "\"\""});
}

TEST(GrammarSchema, NumbersBesideBoundsThatAreLeftOut) {
    // Read as a double the first number would be the bound.
    expect(R"({"type":"number","exclusiveMaximum":12.25})", {"12.2499999999999", "12.24", "-100"}, {"12.24999999999999999", "12.25", "12.250"});
    expect(R"({"type":"number","exclusiveMinimum":5,"maximum":1e3})", {"5.0000001", "1000", "999.5"}, {"5", "5.0", "5.00000000000000001", "1000.1"});
    expect(R"({"type":"integer","minimum":-1.5e1,"exclusiveMaximum":2e0})", {"-15", "0", "1"}, {"-16", "2"});
    EXPECT_THAT(why(R"({"type":"number","exclusiveMinimum":1e200})"), HasSubstr("too many digits"));
}

TEST(GrammarSchema, PatternsBesideLengths) {
    expect(R"({"type":"string","pattern":"^[a-z]+$","minLength":2,"maxLength":4})", {"\"ab\"", "\"abcd\""}, {"\"a\"", "\"abcde\"", "\"AB\""});
    expect(R"({"type":"string","pattern":"^id-\\d{1,9}$","maxLength":5})", {"\"id-1\"", "\"id-12\""}, {"\"id-\"", "\"id-123\""});
    expect(R"({"type":"string","pattern":"^x","minLength":2})", {"\"xy\"", "\"xyz\""}, {"\"x\"", "\"yx\""});
    expect(R"({"type":"string","pattern":"^(a|b{7})$","maxLength":3})", {"\"a\""}, {"\"bbbbbbb\""});
    EXPECT_THAT(why(R"({"type":"string","pattern":"b","maxLength":3})"), HasSubstr("one repeated set of characters"));
}

TEST(GrammarSchema, WhatCannotBeKeptIsRefusedByPlace) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"properties":{"a":{"items":{"contains":{}}}}})", R"(at "/properties/a/items": the keyword "contains")"},
        {R"({"$defs":{"x":{"properties":{"~/":{"if":{},"then":false}}}},"items":{"$ref":"#/$defs/x"}})", R"(at "/$defs/x/properties/~0~1": the keyword "if")"},
        {R"({"additionalProperties":{"patternProperties":{"a":{}}}})", R"(at "/additionalProperties": the keyword "patternProperties")"},
        {R"({"anyOf":[{},{"multipleOf":3}]})", R"(at "/anyOf/1": the keyword "multipleOf")"},
        {R"({"type":"object","minProperties":2})", "\"minProperties\" above 1"},
        {R"({"properties":{"a":{"minLength":20000}}})", R"(at "/properties/a": )"},
        {R"({"properties":{"a":{"not":{"const":1}}}})", R"(at "/properties/a": the keyword "not")"},
        {R"({"properties":{"a":{"$id":"http://example.com/b","$ref":"#/$defs/c","$defs":{"c":{}}}}})", R"(at "/properties/a": a reference inside)"},
        {R"({"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}},"$ref":"#/$defs/a"})", "refers to itself without end"},
        {R"({"allOf":[{"$ref":"#"},{"type":"null"}]})", "without end"},
        {R"({"properties":{"a":{"type":"float"}}})", "/properties/a/type"},
        {R"({"allOf":[{"pattern":"a"},{"pattern":"b"}]})", "\"pattern\" given twice"}};
    for (auto [schema, what] : cases) EXPECT_THAT(why(schema), HasSubstr(what)) << schema;
}

const char* const schemas[] = {
    R"({"type":"object","properties":{"name":{"type":"string"},"value":{"type":"integer","minimum":-3,"maximum":120}},"required":["name"]})",
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":9},"id":{"type":"string","minLength":2,"maxLength":40}},"required":["id"],"additionalProperties":false})",
    R"({"type":"object","properties":{"kind":{"enum":["red","redder","green",3,null]},"ok":{"type":"boolean"}},"required":["kind","ok"],"additionalProperties":{"type":"integer"}})",
    R"({"type":"object","properties":{"name":{"type":"null"},"né":{"type":"null"},"na":{"type":"boolean"}}})",
    R"({"type":"array","items":{"type":"string","pattern":"^[a-z]{2,5}$"},"minItems":1,"maxItems":4})",
    R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"boolean"},"minItems":1})",
    R"({"type":"string","pattern":"[0-9]+.*x$"})",
    R"({"type":"string","pattern":"^\\w+ \\S+$"})",
    R"({"type":"number","exclusiveMinimum":-0.5,"exclusiveMaximum":12.25})",
    R"({"type":"number","exclusiveMinimum":0,"maximum":0.125})",
    R"({"type":"integer","exclusiveMinimum":99,"maximum":1234})",
    R"({"$defs":{"tree":{"type":"object","properties":{"value":{"type":"integer"},"left":{"$ref":"#/$defs/tree"},"right":{"$ref":"#/$defs/tree"}},"required":["value"],"additionalProperties":false}},"$ref":"#/$defs/tree"})",
    R"({"anyOf":[{"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]},{"type":"array","items":{"type":"null"},"maxItems":2}]})",
    R"({"allOf":[{"type":"object","properties":{"id":{"type":"integer","minimum":5}},"required":["id"]},{"properties":{"id":{"maximum":9},"name":{"type":"string"}}}]})",
    R"({"const":{"name":"a \"b\" é","id":[1,2]}})",
    R"({"type":"object"})", R"({"type":"array"})", R"(true)"};

TEST(GrammarSchema, EveryDocumentWrittenIsValid) {
    const auto tokenizer = words();
    const auto table = make_token_table(tokenizer);
    for (const char* source : schemas) {
        SCOPED_TRACE(source);
        const auto schema = base::Schema::parse(base::Json::parse(source)).value();
        for (bool any_whitespace : {false, true}) {
            const auto grammar = Grammar::from_json_schema(OrderedJson::parse(source), {.any_whitespace = any_whitespace});
            ASSERT_TRUE(grammar) << grammar.error().text();
            for (unsigned seed = 0; seed < 20; ++seed) {
                const auto text = walk(*grammar, table, *tokenizer, seed);
                ASSERT_TRUE(text) << "no end";
                const auto json = base::parse_json(*text);
                ASSERT_TRUE(json) << *text;
                const auto valid = schema.validate(*json);
                EXPECT_TRUE(valid) << *text << "\n" << valid.error().text();
            }
        }
    }
}

}  // namespace
}  // namespace text
