#include "base/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fixtures.h"

namespace base {
namespace {

using ::testing::HasSubstr;

std::string problem(const char* schema, const char* value) {
    auto s = Schema::parse(Json::parse(schema));
    if (!s) return "schema: " + s.error().text();
    auto ok = s->validate(Json::parse(value));
    return ok ? "" : ok.error().message;
}

TEST(JsonSchema, NamesPlaceFoundAndExpected) {
    const char* person = R"({"type":"object","properties":{"age":{"type":"integer","minimum":0},"tags":{"items":{"enum":["a","b"]}},
                             "a/b":{"type":"null"}},"required":["age"],"additionalProperties":false})";
    EXPECT_EQ(problem(person, R"({"age":3,"tags":["a"]})"), "");
    EXPECT_EQ(problem(person, R"({"age":"x"})"), "/age: found \"x\", expected integer");
    EXPECT_EQ(problem(person, R"({"age":-1})"), "/age: found -1, expected at least 0");
    EXPECT_EQ(problem(person, R"({"age":1,"tags":["a","c"]})"), R"(/tags/1: found "c", expected one of ["a","b"])");
    EXPECT_EQ(problem(person, R"({"age":1,"a/b":2})"), "/a~1b: found 2, expected null");
    EXPECT_EQ(problem(person, R"({})"), "property \"age\" is missing");
    EXPECT_EQ(problem(person, R"({"age":1,"z":2})"), "property \"z\" is not known here");
    EXPECT_EQ(problem(person, "[]"), "found [], expected object");
}

TEST(JsonSchema, FollowsReferences) {
    const char* list = R"({"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}},"required":["v"]}},"$ref":"#/$defs/node"})";
    EXPECT_EQ(problem(list, R"({"v":1,"next":{"v":2}})"), "");
    EXPECT_EQ(problem(list, R"({"v":1,"next":{"v":2,"next":{}}})"), "/next/next: property \"v\" is missing");
    EXPECT_THAT(problem(R"({"$ref":"#"})", "1"), HasSubstr("without end"));
}

// Each way in which one schema applies another, with a value as deep as each way needs. Under AddressSanitizer
// this is also the test that the deepest check fits on a stack.
TEST(JsonSchema, DepthIsBoundedWhateverLeadsThere) {
    const std::string ref = R"({"$ref":"#/$defs/n"})";
    for (const std::string& keyword : {R"("allOf":[{}, )" + ref + "]", R"("anyOf":[false, )" + ref + "]", R"("oneOf":[false, )" + ref + "]", R"("not":{"not":)" + ref + "}",
                                       R"("if":true,"then":)" + ref, R"("if":)" + ref, R"("dependentSchemas":{"k":)" + ref + "}", R"("dependencies":{"k":)" + ref + "}",
                                       R"("properties":{"k":)" + ref + "}", R"("additionalProperties":)" + ref, R"("patternProperties":{"k":)" + ref + "}",
                                       R"("unevaluatedProperties":)" + ref, R"("items":)" + ref, R"("prefixItems":[)" + ref + "]", R"("contains":)" + ref,
                                       R"("unevaluatedItems":)" + ref, R"("allOf":[{"properties":{"k":)" + ref + "}}]"}) {
        const auto schema = Schema::parse(Json::parse(R"({"$ref":"#/$defs/n","$defs":{"n":{)" + keyword + "}}}"));
        ASSERT_TRUE(schema) << keyword;
        const bool arrays = keyword.find("tems") != keyword.npos || keyword.find("contains") != keyword.npos;
        const auto nested = [&](int depth) {
            Json value = arrays ? Json::array() : Json{{"k", nullptr}};
            for (int i = 0; i < depth; ++i) value = arrays ? Json::array({std::move(value)}) : Json{{"k", std::move(value)}};
            return value;
        };
        const auto deep = schema->validate(nested(600));
        ASSERT_FALSE(deep) << keyword;
        EXPECT_THAT(deep.error().message, HasSubstr("nested too deeply")) << keyword;
        if (!arrays && (keyword.find("roperties") == keyword.npos)) continue;  // endless for every value
        EXPECT_EQ(schema->validate(nested(250)).ok(), keyword.find("contains") == keyword.npos) << keyword;
    }
}

TEST(JsonSchema, SchemasNestedTooDeeplyAreRefusedByPlace) {
    const auto nested = [](int depth) {
        Json schema = {{"type", "integer"}};
        for (int i = 0; i < depth; ++i) schema = i % 2 ? Json{{"anyOf", Json::array({true, std::move(schema)})}} : Json{{"not", std::move(schema)}};
        return schema;
    };
    EXPECT_TRUE(Schema::parse(nested(199)));
    const auto r = Schema::parse(nested(210));
    ASSERT_FALSE(r);
    EXPECT_THAT(r.error().message, ::testing::AllOf(HasSubstr("/anyOf/1/not/anyOf/1/not"), HasSubstr("deeper than 200")));
}

// Forty schemas, each of which applies the next one twice.
TEST(JsonSchema, ReferencesThatMultiplyAreBounded) {
    Json schema = {{"$ref", "#/$defs/n0"}};
    for (int i = 0; i < 40; ++i) {
        const Json next = {{"$ref", "#/$defs/n" + std::to_string(i + 1)}};
        schema["$defs"]["n" + std::to_string(i)] = {{"allOf", Json::array({next, next})}};
    }
    schema["$defs"]["n40"] = true;
    EXPECT_THAT(Schema::parse(schema)->validate(1).error().message, HasSubstr("more than 300000 checks"));
}

TEST(JsonSchema, MalformedSchemasAreRefusedByPlace) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"type":"float"})", "/type"}, {R"({"properties":{"a":{"minLength":-1}}})", "/properties/a/minLength"},
        {R"({"pattern":"("})", "/pattern"}, {R"({"$ref":"#/nope"})", "nope"}, {R"({"required":"a"})", "array of strings"},
        {R"({"items":3})", "/items"}, {R"({"$ref":"http://example.com/x"})", "http://example.com/x"}, {"3", "expected an object"},
        {R"({"multipleOf":0})", "above 0"}, {R"({"enum":1})", "/enum"},
    };
    for (auto [schema, why] : cases) EXPECT_THAT(problem(schema, "1"), ::testing::AllOf(HasSubstr("schema"), HasSubstr(why))) << schema;
}

std::map<std::string, Json> remotes(const std::filesystem::path& folder) {
    std::map<std::string, Json> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".json")
            out["http://localhost:1234/" + std::filesystem::relative(entry.path(), folder).generic_string()] =
                Json::parse(support::read_text(entry.path()));
    return out;
}

// Tests that need a metaschema as a document, which is not part of the suite.
bool needs_metaschema(const Json& group) {
    const std::string text = group["schema"].dump();
    return text.find("\"$ref\":\"http") != text.npos && text.find("json-schema.org/draft") != text.npos;
}

void run_suite(const std::string& draft, int expected_misses) {
    const auto root = support::vectors_dir();
    if (!root) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    const auto suite = *root / "json_schema/JSON-Schema-Test-Suite";
    const auto documents = remotes(suite / "remotes");
    int passed = 0, total = 0, skipped = 0;
    for (const auto& entry : std::filesystem::directory_iterator(suite / "tests" / draft)) {
        if (entry.path().extension() != ".json") continue;
        for (const Json& group : Json::parse(support::read_text(entry.path()))) {
            if (needs_metaschema(group)) {
                skipped += int(group["tests"].size());
                continue;
            }
            Json source = group["schema"];
            if (draft == "draft7" && source.is_object()) source["$schema"] = "http://json-schema.org/draft-07/schema#";
            auto schema = Schema::parse(source, documents);
            for (const Json& test : group["tests"]) {
                ++total;
                const bool valid = schema && schema->validate(test["data"]).ok();
                if (schema && valid == test["valid"].get<bool>()) {
                    ++passed;
                    continue;
                }
                std::printf("%s/%s: %s: %s: %s\n", draft.c_str(), entry.path().filename().c_str(), group["description"].get<std::string>().c_str(),
                            test["description"].get<std::string>().c_str(), schema ? "wrong verdict" : schema.error().message.c_str());
            }
        }
    }
    std::printf("%s: %d of %d, %d skipped (they refer to a metaschema)\n", draft.c_str(), passed, total, skipped);
    EXPECT_GT(total, 800);
    EXPECT_LE(total - passed, expected_misses);
}

// The one miss: $vocabulary of a metaschema that leaves validation out is not obeyed.
TEST(JsonSchemaVectors, Draft202012) { run_suite("draft2020-12", 1); }
TEST(JsonSchemaVectors, Draft7) { run_suite("draft7", 0); }

}  // namespace
}  // namespace base
