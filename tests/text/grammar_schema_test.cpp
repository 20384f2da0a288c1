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
    expect(R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", {"1.5", "-0.25"}, {"1", "1.0", "\"x\""});
    expect(R"({"oneOf":[{"type":"string"},{"minLength":2}]})", {"\"\"", "\"a\""}, {"\"ab\""});
    expect(R"({"type":"integer","oneOf":[{"multipleOf":5},{"multipleOf":3}]})", {"5", "9", "-10"}, {"15", "0", "1", "-30"});
    expect(R"({"type":"object","oneOf":[{"properties":{"kind":{"const":"a"}}},{"properties":{"kind":{"const":"b"}}}]})", {R"({"kind": "a"})", R"({"kind": "b"})"}, {"{}", R"({"kind": "c"})"});
    expect(R"({"oneOf":[{"type":"number","maximum":3},{"type":"number","minimum":3}]})", {"2", "3.5"}, {"3", "3.0"});
    EXPECT_THAT(why(R"({"properties":{"v":{"oneOf":[{"const":[1]},{"type":"array"}]}}})"), AllOf(HasSubstr("at \"/properties/v\""), HasSubstr("parts 0 and 1 of \"oneOf\" may hold together")));
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
    expect(R"({"type":"string","pattern":"b","maxLength":3})", {"\"b\"", "\"abc\"", "\"\\nb\""}, {"\"a\"", "\"abcd\""});
    expect(R"({"type":"string","allOf":[{"pattern":"^a"},{"pattern":"c$"},{"pattern":"bb"}]})", {"\"abbc\"", "\"a bb \\\" c\""}, {"\"abc\"", "\"bbc\"", "\"abb\""});
    expect(R"({"type":"string","pattern":"\\bword\\b"})", {"\"word\"", "\"a word.\""}, {"\"words\"", "\"sword\""});
    expect(R"j({"type":"string","pattern":"x(^a|b$)"})j", {"\"xb\"", "\"axb\""}, {"\"xa\"", "\"xbc\""});
    expect(R"({"type":"string","not":{"pattern":"a"},"minLength":1})", {"\"b\"", "\"\\u0007\""}, {"\"\"", "\"ba\""});
    expect(R"({"type":"string","not":{"enum":["","ab"]}})", {"\"a\"", "\"abc\""}, {"\"\"", "\"ab\""});
    EXPECT_THAT(why(R"({"type":"string","allOf":[{"pattern":"a.{20}b"},{"pattern":"d"}]})"), HasSubstr("5000 states"));
}

TEST(GrammarSchema, FormatsThatAreRegularAreKept) {
    expect(R"({"type":"string","format":"date"})", {"\"2024-02-29\"", "\"2000-02-29\"", "\"1999-12-31\""}, {"\"2023-02-29\"", "\"1900-02-29\"", "\"2024-04-31\"", "\"2024-13-01\""});
    expect(R"({"type":"string","format":"date-time"})", {"\"2024-02-29T23:59:59.5Z\"", "\"2024-01-01T00:00:00+02:00\""}, {"\"2024-01-01\"", "\"2024-01-01T24:00:00Z\"", "\"2024-01-01T00:00:00\""});
    expect(R"({"type":"string","format":"time"})", {"\"08:30:06Z\""}, {"\"8:30:06Z\"", "\"08:30:06\""});
    expect(R"({"type":"string","format":"duration"})", {"\"P3Y6M4DT12H30M5S\"", "\"PT36H\"", "\"P4W\""}, {"\"P\"", "\"PT\"", "\"P1Y2D\"", "\"P1W2D\""});
    expect(R"({"type":"string","format":"uuid"})", {"\"2eb8aa08-aa98-11ea-b4aa-73b441d16380\""}, {"\"2eb8aa08aa9811eab4aa73b441d16380\""});
    expect(R"({"type":"string","format":"ipv4"})", {"\"192.168.0.255\""}, {"\"256.0.0.1\"", "\"1.2.3\"", "\"01.2.3.4\""});
    expect(R"({"type":"string","format":"ipv6"})", {"\"::\"", "\"::1\"", "\"2001:db8::ff00:42:8329\"", "\"1:2:3:4:5:6:7:8\"", "\"1::\""}, {"\"1:2:3:4:5:6:7\"", "\"1::2::3\"", "\":1\""});
    expect(R"({"type":"string","format":"hostname"})", {"\"www.example.com\"", "\"h0-st\""}, {"\"-a\"", "\"a-\"", "\"a..b\""});
    expect(R"({"type":"string","format":"email"})", {"\"joe.bloggs@example.com\"", "\"te~st@example.com\""}, {"\"2962\"", "\".test@example.com\"", "\"te..st@example.com\""});
    expect(R"({"type":"string","format":"uri"})", {"\"http://foo.bar:8080/?q=a%20b#c\"", "\"mailto:a@b.c\"", "\"urn:x:y\""}, {"\"//foo.bar\"", "\"abc\"", "\"http://a b\"", "\"http://x/%z\""});
    expect(R"({"type":"string","format":"json-pointer"})", {"\"\"", "\"/a~1b/0\""}, {"\"a\"", "\"/~2\""});
    expect(R"({"type":"string","format":"date","pattern":"^2024","not":{"const":"2024-01-01"}})", {"\"2024-01-02\""}, {"\"2024-01-01\"", "\"2025-01-01\"", "\"2024-1-1\""});
    expect(R"({"type":"string","format":"colour"})", {"\"x\""}, {"1"});
    expect(R"({"format":"date"})", {"\"x\"", "1"}, {});  // without a type it is a note
}

TEST(GrammarSchema, ValuesThatAFormatRefusesFallAway) {
    expect(R"({"type":"string","format":"date","enum":["2024-02-29","2023-02-29","soon"]})", {"\"2024-02-29\""}, {"\"2023-02-29\"", "\"soon\""});
    expect(R"({"enum":["a@b.org",5,null,"nobody"],"format":"email"})", {"\"a@b.org\"", "5", "null"}, {"\"nobody\""});
    expect(R"({"format":"colour","enum":["x"]})", {"\"x\""}, {});
    expect(R"({"allOf":[{"enum":["1.2.3.4","1.2.3"]},{"type":"string","format":"ipv4"}]})", {"\"1.2.3.4\""}, {"\"1.2.3\""});
    expect(R"({"$ref":"#/$defs/when","enum":["2024-01-01","x"],"$defs":{"when":{"type":"string","format":"date"}}})", {"\"2024-01-01\""}, {"\"x\""});
    expect(R"({"enum":[{"at":"2024-01-01"},{"at":"x"}],"properties":{"at":{"type":"string","format":"date"}}})", {R"({"at": "2024-01-01"})"}, {R"({"at": "x"})"});
    expect(R"({"enum":[{"format":"date"}],"properties":{"format":{"type":"string"}}})", {R"({"format": "date"})"}, {});
    // What is right and is not written by a model of its own accord.
    for (const auto& [format, value] : {std::pair{"time", "23:59:60z"}, {"date", "0400-02-29"}, {"date-time", "0001-01-01t00:00:00.1234567890Z"}, {"duration", "P12345678901D"}, {"ipv6", "::ffff:10.0.0.1"},
                                        {"ipv6", "64:ff9b::10.0.0.1"}, {"hostname", "a.b.c.d.e.example.org"}, {"email", R"(\"quoted local\"@x.org)"}, {"email", "me@[10.0.0.1]"}, {"uri", "http://[::1]:8080/"}})
        expect(("{\"type\":\"string\",\"format\":\"" + std::string(format) + "\",\"const\":\"" + value + "\"}").c_str(), {("\"" + std::string(value) + "\"").c_str()}, {});
    EXPECT_THAT(why(R"({"const":"soon","format":"date"})"), HasSubstr("at \"\": no value satisfies"));
    EXPECT_THAT(why(R"({"type":"object","properties":{"a":{},"b":{"type":"object","properties":{"when":{"enum":["soon","late"],"format":"date"}},"required":["when"]}},"required":["a","b"]})"),
                HasSubstr("at \"/properties/b/properties/when\": no value satisfies"));
}

TEST(GrammarSchema, WordsThatJsonSchemaDoesNotHaveAreRefused) {
    EXPECT_THAT(why(R"({"type":"object","properties":{"a":{"type":"string","maxLenght":5}}})"), AllOf(HasSubstr("\"/properties/a/maxLenght\""), HasSubstr("did you mean \"maxLength\"")));
    EXPECT_THAT(why(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{"b":{"colour":1},"unused":true}})"), HasSubstr("\"/$defs/b/colour\""));
    EXPECT_THAT(why(R"({"type":"integer","divisibleBy":3})"), HasSubstr("\"multipleOf\""));
    EXPECT_THAT(why(R"({"type":"array","items":{},"additionalItems":false})"), HasSubstr("\"items\""));
    expect(R"({"type":"string","x-order":1,"example":"e","discriminator":{},"title":"t"})", {"\"a\""}, {"1"});
}

TEST(GrammarSchema, WordsOfOlderDraftsAndOpenApiAreKept) {
    expect(R"({"type":"integer","minimum":1,"exclusiveMinimum":true,"maximum":3})", {"2", "3"}, {"1", "4"});
    expect(R"({"type":"array","prefixItems":[{"type":"null"}],"additionalItems":false})", {"[null]", "[]"}, {"[null, null]"});
    expect(R"({"type":"string","nullable":true,"maxLength":1})", {"\"a\"", "null"}, {"\"ab\"", "1"});
    expect(R"({"$ref":"#/$defs/a","nullable":true,"$defs":{"a":{"type":"object","properties":{"n":{"$ref":"#/$defs/a","nullable":true}},"required":["n"],"additionalProperties":false}}})",
           {"null", R"({"n": null})", R"({"n": {"n": null}})"}, {"{}", "1"});
    expect(R"({"type":"object","properties":{"a":{"type":"null","required":true},"b":{"type":"null"}}})", {R"({"a": null})", R"({"a": null, "b": null})"}, {"{}", R"({"b": null})"});
}

TEST(GrammarSchema, CountsOfProperties) {
    const char* abc = R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}},"additionalProperties":false,"minProperties":1,"maxProperties":2})";
    expect(abc, {R"({"a": 1})", R"({"c": 1})", R"({"a": 1, "c": 2})", R"({"b": 1, "c": 2})"}, {"{}", R"({"a": 1, "b": 2, "c": 3})", R"({"c": 1, "a": 2})"});
    expect(R"({"type":"object","properties":{"a":{},"b":{}},"required":["b"],"minProperties":2,"maxProperties":3})",
           {R"({"a": 1, "b": 1})", R"({"b": 1, "x": 1})", R"({"a": 1, "b": 1, "x": 1})", R"({"b": 1, "x": 1, "y": 1})"}, {R"({"b": 1})", R"({"a": 1})", R"({"a": 1, "b": 1, "x": 1, "y": 1})"});
    expect(R"({"type":"object","minProperties":1,"maxProperties":2})", {R"({"a": 1})", R"({"a": 1, "b": 2})"}, {"{}", R"({"a": 1, "b": 2, "c": 3})"});
    EXPECT_THAT(why(R"({"type":"object","properties":{"a":{}},"additionalProperties":false,"minProperties":2})"), HasSubstr("no value satisfies"));
}

TEST(GrammarSchema, NamesOfProperties) {
    expect(R"({"type":"object","properties":{"n1":{"maximum":9}},"patternProperties":{"^n":{"type":"integer"},"s$":{"type":["string","integer"]}},"additionalProperties":{"type":"null"}})",
           {R"({"n1": 9})", R"({"n2": 10, "xs": "y", "z": null})", R"({"ns": 1})", "{}"}, {R"({"n1": 10})", R"({"n1": "x"})", R"({"n2": "x"})", R"({"ns": "x"})", R"({"z": 1})", R"({"xs": null})"});
    expect(R"({"type":"object","patternProperties":{"^x-":true},"additionalProperties":false})", {"{}", R"({"x-a": 1, "x-": null})"}, {R"({"y": 1})", R"({"x": 1})"});
    expect(R"({"type":"object","properties":{"a":{},"bb":{}},"propertyNames":{"maxLength":1}})", {R"({"a": 1})", R"({"a": 1, "c": 2})"}, {R"({"bb": 1})", R"({"cc": 1})"});
    expect(R"({"type":"object","propertyNames":{"anyOf":[{"enum":["a","b"]},{"pattern":"^x+$"}]}})", {R"({"a": 1})", R"({"xx": 1})"}, {R"({"c": 1})", R"({"ax": 1})"});
    expect(R"({"allOf":[{"type":"object","patternProperties":{"^a":{"type":"integer"}},"additionalProperties":false},{"patternProperties":{"b$":{"minimum":5}}}]})",
           {R"({"ab": 5})", R"({"a": 1})"}, {R"({"ab": 4})", R"({"b": 5})", R"({"ab": 5.5})"});
    expect(R"({"type":"object","propertyNames":{"not":{"pattern":"é"}}})", {R"({"e": 1})"}, {R"({"aé": 1})"});
}

TEST(GrammarSchema, MultiplesOfNumbers) {
    expect(R"({"type":"integer","multipleOf":7})", {"0", "7", "-14", "700"}, {"1", "-13", "7.0", "07"});
    expect(R"({"type":"number","multipleOf":0.25})", {"0.25", "1", "-3.5", "2.750", "0.0"}, {"0.1", "0.255", "1.", "0.2"});
    expect(R"({"type":"number","multipleOf":0.01,"maximum":2})", {"0.07", "1.99", "2", "2.00"}, {"0.071", "2.01"});
    expect(R"({"type":"integer","multipleOf":1000,"minimum":1,"maximum":20000})", {"1000", "20000"}, {"0", "100", "21000", "1001"});
    expect(R"({"type":"number","multipleOf":1e-4})", {"0.0075"}, {"0.00751"});
    expect(R"({"type":"integer","allOf":[{"multipleOf":4},{"multipleOf":6}],"not":{"enum":[0,24]}})", {"12", "-12", "36"}, {"0", "24", "4", "6"});
    // Read as a double the last number would be whole.
    expect(R"({"type":"number","not":{"type":"integer"}})", {"1.5", "-0.01"}, {"1", "1.0", "0", "3112619312336127.9072"});
    EXPECT_THAT(why(R"({"type":"integer","multipleOf":99991})"), HasSubstr("too large"));
}

TEST(GrammarSchema, ItemsTogether) {
    expect(R"({"type":"array","contains":{"type":"integer"},"items":{"type":["integer","string"]}})", {"[1]", "[\"a\", 1]", "[1, 2, \"a\"]"}, {"[]", "[\"a\"]", "[null, 1]"});
    expect(R"({"type":"array","contains":{"const":"x"},"minContains":2,"maxContains":3,"maxItems":5})", {"[\"x\", 1, \"x\"]", "[\"x\", \"x\", \"x\"]"}, {"[\"x\"]", "[\"x\", \"x\", \"x\", \"x\"]", "[1, 1, 1, 1, \"x\"]"});
    expect(R"({"type":"array","prefixItems":[{"type":"string"}],"contains":{"type":"number","minimum":5},"items":{"type":"number"}})", {"[\"a\", 5]", "[\"5\", 1, 9]", "[\"a\", 5, 1]"}, {"[\"a\", 1]", "[7]"});
    expect(R"({"type":"array","contains":{"type":"null"},"minContains":0,"maxContains":1})", {"[]", "[1]", "[null, 1]"}, {"[null, 1, null]"});
    expect(R"({"type":"array","items":{"enum":["a","b",1]},"uniqueItems":true,"minItems":1})", {"[\"a\"]", "[1, \"b\", \"a\"]"}, {"[]", "[\"a\", \"a\"]", "[\"a\", 1, \"a\"]"});
    expect(R"({"type":"array","prefixItems":[{"type":"boolean"},{"type":"boolean"}],"items":false,"uniqueItems":true})", {"[]", "[true]", "[true, false]", "[false, true]"}, {"[true, true]", "[true, false, true]"});
    expect(R"({"type":"array","items":{"enum":[0,1,2,3,4,5,6,7,8,9,10,11]},"uniqueItems":true,"maxItems":3})", {"[0, 5, 11]", "[3]"}, {"[1, 1]", "[0, 1, 2, 3]"});
    EXPECT_THAT(why(R"({"type":"array","items":{"type":"string"},"uniqueItems":true})"), HasSubstr("out of a few values"));
}

TEST(GrammarSchema, Conditions) {
    const char* address = R"({"type":"object","properties":{"country":{"enum":["us","nl","de"]},"code":{"type":"string"}},"required":["country"],"additionalProperties":false,
                              "if":{"properties":{"country":{"const":"us"}},"required":["country"]},"then":{"properties":{"code":{"pattern":"^[0-9]{5}$"}},"required":["code"]},
                              "else":{"properties":{"code":{"maxLength":2}}}})";
    expect(address, {R"({"country": "us", "code": "12345"})", R"({"country": "nl"})", R"({"country": "de", "code": "ab"})"}, {R"({"country": "us"})", R"({"country": "us", "code": "ab"})", R"({"country": "nl", "code": "12345"})"});
    expect(R"({"type":"integer","if":{"maximum":0},"then":{"multipleOf":2},"else":{"multipleOf":3}})", {"-2", "0", "3", "9"}, {"-3", "2", "4"});
    expect(R"({"type":"object","properties":{"card":{},"address":{},"x":{}},"dependentRequired":{"card":["address"]},"additionalProperties":false})",
           {"{}", R"({"address": 1})", R"({"card": 1, "address": 2})", R"({"x": 1})"}, {R"({"card": 1})", R"({"card": 1, "x": 2})"});
    expect(R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"dependentSchemas":{"a":{"properties":{"b":{"minimum":5}},"required":["b"]}},"additionalProperties":false})",
           {"{}", R"({"b": 1})", R"({"a": 1, "b": 5})"}, {R"({"a": 1})", R"({"a": 1, "b": 4})"});
    expect(R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"not":{"properties":{"a":{"minimum":3,"maximum":5}}}})", {R"({"a": 2})", R"({"a": 6})"}, {R"({"a": 3})", R"({"a": 5})", "{}"});
    expect(R"({"type":"array","items":{"type":"integer"},"not":{"items":{"maximum":9}}})", {"[10]", "[1, 10]"}, {"[]", "[1]"});
    expect(R"({"type":["string","null"],"not":{"oneOf":[{"type":"string"},{"maxLength":1}]}})", {"\"a\"", "\"\""}, {"\"ab\"", "null"});
}

TEST(GrammarSchema, ReferencesByName) {
    expect(R"({"$id":"https://example.com/a","$defs":{"b":{"$id":"b","type":"object","properties":{"c":{"$ref":"#/$defs/c"},"d":{"$ref":"a#d"}},"$defs":{"c":{"type":"integer"}},"additionalProperties":false},
               "d":{"$anchor":"d","type":"null"}},"$ref":"b"})",
           {R"({"c": 1, "d": null})"}, {R"({"c": null})", R"({"d": 1})"});
    expect(R"({"$dynamicAnchor":"node","type":"object","properties":{"next":{"$dynamicRef":"#node"}},"additionalProperties":false})", {R"({"next": {"next": {}}})"}, {R"({"next": 1})"});
    expect(R"({"definitions":{"n":{"$id":"#n","type":"integer"}},"properties":{"x":{"$ref":"#n"}},"$schema":"http://json-schema.org/draft-07/schema#"})", {R"({"x": 1})"}, {R"({"x": "1"})"});
}

TEST(GrammarSchema, BoundsOf64BitsHoldExactly) {
    expect(R"({"type":"integer","minimum":18446744073709551613,"maximum":18446744073709551614})", {"18446744073709551613", "18446744073709551614"}, {"18446744073709551612", "18446744073709551615", "18446744073709551616"});
    expect(R"({"type":"integer","minimum":-9223372036854775808,"maximum":-9223372036854775807})", {"-9223372036854775808", "-9223372036854775807"}, {"-9223372036854775809", "-9223372036854775806"});
}

TEST(GrammarSchema, SchemasThatHoldThemselvesAndEndAreKept) {
    expect(R"({"type":"object","properties":{"a":{"$ref":"#"}},"additionalProperties":false})", {"{}", R"({"a": {"a": {}}})"}, {R"({"a": 1})"});
    expect(R"({"type":"object","properties":{"a":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["a"],"additionalProperties":false})", {R"({"a": null})", R"({"a": {"a": null}})"}, {"{}", R"({"a": {}})"});
    // A property that no finite value fits is left out.
    expect(R"({"$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"},"minItems":1}},"type":"object","properties":{"t":{"$ref":"#/$defs/t"},"n":{"type":"null"}},"additionalProperties":false})", {"{}", R"({"n": null})"}, {R"({"t": []})"});
}

TEST(GrammarSchema, NoTextOfAFormat) {
    expect(R"({"type":"string","not":{"format":"ipv4"},"pattern":"^1\\.1\\.1\\.\\d+$","maxLength":9})", {R"("1.1.1.999")", R"("1.1.1.256")"}, {R"("1.1.1.9")", R"("1.1.1.255")", R"("1.1.1.x")"});
    expect(R"({"not":{"type":"string","format":"ipv4"}})", {"1", "null", R"("1.1.1.256")"}, {R"("1.1.1.255")"});
    for (const char* format : {"date", "time", "date-time", "duration", "uuid", "ipv4", "hostname", "email", "uri", "json-pointer", "none-of-these"})
        EXPECT_TRUE(Grammar::from_json_schema(base::OrderedJson{{"not", {{"type", "string"}, {"format", format}}}}).ok()) << format;
}

TEST(GrammarSchema, WhatCannotBeKeptIsRefusedByPlace) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"properties":{"a":{"items":{"uniqueItems":true}}}})", R"(at "/properties/a/items": the keyword "uniqueItems")"},
        {R"({"$defs":{"x":{"properties":{"~/":{"if":{"propertyNames":{"maxLength":1}},"then":false}}}},"items":{"$ref":"#/$defs/x"}})", R"(at "/$defs/x/properties/~0~1": the keyword "if")"},
        {R"({"additionalProperties":{"patternProperties":{"a":{},"b":{},"c":{},"d":{},"e":{},"f":{},"g":{}}}})", R"(at "/additionalProperties": more than 6 patterns)"},
        {R"({"anyOf":[{},{"multipleOf":99991}]})", R"(at "/anyOf/1": multiples of 99991)"},
        {R"({"type":"object","minProperties":2})", "two or more properties without names"},
        {R"({"properties":{"a":{"minLength":20000}}})", R"(at "/properties/a": )"},
        {R"({"properties":{"a":{"not":{"const":[1]}}}})", R"(at "/properties/a": the keyword "not")"},
        {R"({"allOf":[{"contains":{"const":1}},{"contains":{"const":2}}],"type":"array"})", "\"contains\" given twice"},
        {R"({"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}},"$ref":"#/$defs/a"})", "refers to itself without end"},
        {R"({"allOf":[{"$ref":"#"},{"type":"null"}]})", "without end"},
        {R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})", R"(at "": no finite document satisfies it)"},
        {R"({"$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"},"minItems":1}},"type":"object","properties":{"b":{"type":"object","properties":{"c":{"$ref":"#/$defs/t"}},"required":["c"]}},"required":["b"]})",
         R"(at "/$defs/t": no finite document satisfies it)"},
        {R"({"properties":{"n":{"type":"integer","minimum":99999999999999999990,"maximum":99999999999999999999}}})", R"(at "/properties/n": the bound 1e+20 has no grammar)"},
        {R"({"exclusiveMinimum":-9223372036854775809})", R"(at "": the bound -9.22)"},
        {R"({"properties":{"a":{"type":"float"}}})", "/properties/a/type"}};
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
