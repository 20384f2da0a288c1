// Third-party schemas and documents: no grammar accepts a document that the vectors, or the schema itself, call wrong.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/json_schema.h"
#include "support/fixtures.h"
#include "text/grammar.h"
#include "walk.h"

namespace text {
namespace {

using base::Json;
using base::OrderedJson;

// The suite's files by what they are about; those that are not named here are "others".
struct Group {
    const char* name;
    std::vector<std::string> files;
    bool bar;  // at least nine tenths of the schemas that some value satisfies have a grammar
};
const Group groups[] = {{"type", {"type"}, true},
                        {"enum", {"enum"}, true},
                        {"const", {"const"}, true},
                        {"object", {"properties", "required", "additionalProperties"}, true},
                        {"array", {"items", "prefixItems", "additionalItems", "minItems", "maxItems"}, true},
                        {"string length", {"minLength", "maxLength"}, true},
                        {"number range", {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}, true},
                        {"property counts", {"minProperties", "maxProperties"}, false},
                        {"property names", {"patternProperties", "propertyNames"}, false},
                        {"dependencies", {"dependencies", "dependentRequired", "dependentSchemas"}, false},
                        {"items counted", {"contains", "minContains", "maxContains"}, false},
                        {"uniqueItems", {"uniqueItems"}, false},
                        {"multipleOf", {"multipleOf"}, false},
                        {"pattern, format", {"pattern", "format"}, false},
                        {"choices", {"allOf", "anyOf", "oneOf"}, false},
                        {"not", {"not"}, false},
                        {"if", {"if-then-else"}, false},
                        {"references", {"ref", "anchor", "defs", "definitions", "dynamicRef", "infinite-loop-detection"}, false},
                        {"remote", {"refRemote"}, false},
                        {"unevaluated", {"unevaluatedItems", "unevaluatedProperties"}, false}};

std::string group_of(const std::string& file) {
    for (const Group& g : groups)
        if (std::find(g.files.begin(), g.files.end(), file) != g.files.end()) return g.name;
    return "others";
}

struct Document {
    std::string text;
    std::optional<bool> valid;  // as the vectors say; none: they do not
};

struct Case {
    std::string group, id;
    OrderedJson schema;
    std::vector<Document> documents;
};

class Cases {
public:
    explicit Cases(const std::filesystem::path& vectors) {
        const auto root = vectors / "json_schema";
        add_xgrammar(root / "xgrammar_accept.jsonl");
        add_llamacpp(root / "llamacpp_grammar_integration.json");
        for (const char* draft : {"draft2020-12", "draft7"}) add_suite(root / "JSON-Schema-Test-Suite/tests", draft);
    }
    auto begin() const { return by_schema_.begin(); }
    auto end() const { return by_schema_.end(); }

private:
    void add(const std::string& group, const std::string& id, const OrderedJson& schema, Document document) {
        Case& c = by_schema_[group + (schema.is_object() && schema.contains("$schema") ? "/old" : "/") + schema.dump()];
        if (c.id.empty()) c = {group, id, schema, {}};
        c.documents.push_back(std::move(document));
    }
    void add_suite(const std::filesystem::path& folder, const std::string& draft) {
        for (const auto& entry : std::filesystem::directory_iterator(folder / draft)) {
            if (entry.path().extension() != ".json") continue;
            for (const auto& group : OrderedJson::parse(support::read_text(entry.path()))) {
                OrderedJson schema = group["schema"];
                if (draft == "draft7" && schema.is_object()) schema["$schema"] = "http://json-schema.org/draft-07/schema#";
                const std::string keyword = entry.path().stem().string();
                for (const auto& test : group["tests"])
                    add(group_of(keyword), keyword + ": " + group["description"].get<std::string>(), schema, {test["data"].dump(), test["valid"].get<bool>()});
            }
        }
    }
    void add_xgrammar(const std::filesystem::path& file) {
        std::ifstream lines(file);
        for (std::string line; std::getline(lines, line);) {
            const auto json = OrderedJson::parse(line);
            if (json["kind"] != "json_schema") continue;
            const bool judged = json.contains("jsonschema_valid") && json["jsonschema_valid"].is_boolean();
            add("xgrammar", json["id"], json["grammar"], {json["input"], judged ? std::optional(json["jsonschema_valid"].get<bool>()) : std::nullopt});
        }
    }
    void add_llamacpp(const std::filesystem::path& file) {
        for (const auto& json : OrderedJson::parse(support::read_text(file)))
            if (json["kind"] == "json_schema")
                for (const char* list : {"accept", "refuse"})
                    for (const auto& document : json[list]) add("llamacpp", json["id"], json["grammar"], {document, std::nullopt});
    }
    std::map<std::string, Case> by_schema_;
};

struct Tally {
    int schemas = 0, compiled = 0, empty = 0, documents = 0, valid = 0, accepted = 0;
    void add(const Tally& o) {
        schemas += o.schemas;
        compiled += o.compiled;
        empty += o.empty;
        documents += o.documents;
        valid += o.valid;
        accepted += o.accepted;
    }
    double share() const { return double(compiled) / std::max(1, schemas - empty); }
};

void judge(const Case& c, const Grammar& grammar, Tally& tally) {
    const auto schema = base::Schema::parse(Json(c.schema));
    for (const Document& d : c.documents) {
        const auto json = base::parse_json(d.text);
        bool valid = json && d.valid.value_or(true);
        if (valid && !d.valid) valid = schema && schema->validate(*json).ok();
        const bool accepted = grammar.accepts(d.text);
        ++tally.documents;
        tally.valid += valid;
        tally.accepted += valid && accepted;
        EXPECT_FALSE(accepted && !valid) << c.id << "\nschema " << c.schema << "\naccepts " << d.text;
        if (valid && !accepted && std::getenv("HEARTH_TEST_VERBOSE"))
            std::printf("not in the grammar's form: %s\n  %s\n  %s\n", c.id.c_str(), c.schema.dump().substr(0, 400).c_str(), d.text.c_str());
    }
}

TEST(GrammarVectors, AcceptsOnlyWhatTheSchemaMeans) {
    const auto root = support::vectors_dir();
    if (!root) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    const Cases cases(*root);
    std::map<std::string, Tally> tallies;
    std::map<std::string, int> why;
    for (const auto& [unused, c] : cases) {
        Tally& tally = tallies[c.group];
        ++tally.schemas;
        const auto grammar = Grammar::from_json_schema(c.schema, {.any_whitespace = true});
        if (!grammar) {
            const std::string message = grammar.error().message;
            const bool nothing = message.ends_with("no value satisfies the schema") || message.find("never ends") != message.npos;
            if (nothing && std::none_of(c.documents.begin(), c.documents.end(), [](const Document& d) { return d.valid.value_or(true); })) {
                ++tally.empty;
                continue;
            }
            ++why[message.substr(std::min(message.find("\": ") + 3, message.size()), 60)];
            if (std::getenv("HEARTH_TEST_VERBOSE")) std::printf("refused: %s: %s\n", c.id.c_str(), message.c_str());
            continue;
        }
        ++tally.compiled;
        judge(c, **grammar, tally);
    }
    Tally all;
    const auto line = [](const std::string& name, const Tally& t) {
        std::printf("%-16s %3d of %3d schemas have a grammar (%3.0f %%; nothing holds under %2d more); of %4d documents %4d are valid, %4d of these in the grammar's form\n", name.c_str(), t.compiled,
                    t.schemas - t.empty, 100 * t.share(), t.empty, t.documents, t.valid, t.accepted);
    };
    for (const auto& [group, t] : tallies) {
        line(group, t);
        all.add(t);
    }
    line("all", all);
    for (const Group& g : groups) EXPECT_GE(tallies[g.name].share(), g.bar ? 0.9 : 0.0) << g.name;
    for (const auto& [reason, n] : why) std::printf("%5d refused: %s\n", n, reason.c_str());
    EXPECT_GT(all.documents, 1000);
}

// The other way round: what is written under the grammar of a schema, the schema accepts.
TEST(GrammarVectors, WhatAGrammarLetsThroughIsValid) {
    const auto root = support::vectors_dir();
    if (!root) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    const Cases cases(*root);
    const auto tokenizer = words();
    const auto table = make_token_table(tokenizer);
    int written = 0, endless = 0;
    for (const auto& [unused, c] : cases) {
        const auto grammar = Grammar::from_json_schema(c.schema, {.any_whitespace = false});
        const auto schema = base::Schema::parse(Json(c.schema));
        if (!grammar || !schema) continue;
        for (unsigned seed = 0; seed < 5; ++seed) {
            const auto text = walk(*grammar, table, *tokenizer, seed);
            if (!text) {
                ++endless;
                continue;
            }
            ++written;
            const auto json = base::parse_json(*text);
            ASSERT_TRUE(json) << c.id << "\n" << *text;
            const auto valid = schema->validate(*json);
            EXPECT_TRUE(valid) << c.id << "\nschema " << c.schema << "\n" << *text << "\n" << valid.error().text();
        }
    }
    std::printf("%d documents written, %d given up\n", written, endless);
    EXPECT_GT(written, 1000);
    EXPECT_LT(endless, written / 20);
}

TEST(GrammarVectors, EbnfAndRegexAsRecorded) {
    const auto root = support::vectors_dir();
    if (!root) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    int right = 0, wrong = 0, refused = 0;
    std::map<std::string, int> why;
    const auto judge_text = [&](const std::string& id, const std::string& kind, const std::string& source, const std::string& text, bool expected) {
        const auto grammar = kind == "regex" ? Grammar::from_regex(source) : Grammar::from_ebnf(source);
        if (!grammar) {
            const std::string message = grammar.error().message;
            ++why[message.substr(message.rfind(": ") + 2).substr(0, 60)];
            return void(++refused);
        }
        const bool same = (*grammar)->accepts(text) == expected;
        ++(same ? right : wrong);
        if (!same) std::printf("%s: %s should be %s\n%s\n", id.c_str(), text.substr(0, 200).c_str(), expected ? "accepted" : "refused", source.substr(0, 300).c_str());
    };
    std::ifstream lines(*root / "json_schema/xgrammar_accept.jsonl");
    for (std::string line; std::getline(lines, line);) {
        const auto json = OrderedJson::parse(line);
        if ((json["kind"] == "ebnf" || json["kind"] == "regex") && json["options"].empty())
            judge_text(json["id"], json["kind"], json["grammar"], json["input"], json["accepted"]);
    }
    for (const auto& json : OrderedJson::parse(support::read_text(*root / "json_schema/llamacpp_grammar_integration.json")))
        if (json["kind"] != "json_schema" && json["grammar"].is_string())
            for (const char* list : {"accept", "refuse"})
                for (const auto& text : json[list]) judge_text(json["id"], "ebnf", json["grammar"], text, std::string(list) == "accept");
    for (const auto& [reason, n] : why) std::printf("%5d not compiled: %s\n", n, reason.c_str());
    std::printf("EBNF and regular expressions: %d right, %d wrong, %d not compiled\n", right, wrong, refused);
    EXPECT_EQ(wrong, 0);
    EXPECT_GT(right, 300);
}

}  // namespace
}  // namespace text
