// Parts of the way from JSON Schema to EBNF. Internal to grammar.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/json_schema.h"
#include "base/result.h"

namespace text {

// One end of a range of numbers, as written in the schema.
struct Bound {
    std::string digits;       // decimal, without exponent: "-12.5"
    bool exclusive = false;
};

// "1.5e3" as "1500"; none for numbers too far from 1.
std::optional<std::string> without_exponent(const std::string& number);

// EBNF expressions for the JSON numbers between two bounds; unbounded ends have at most 16 digits,
// so that output stays within what programs read exactly. Empty: no number is between them.
std::string integer_ebnf(std::optional<Bound> low, std::optional<Bound> high);
std::string number_ebnf(std::optional<Bound> low, std::optional<Bound> high);

struct Refused {  // thrown: a schema that has no grammar here
    std::string what;
    std::optional<std::string> place = {};  // JSON pointer into the schema
};

// Keywords that say which values hold; the others are notes.
bool constrains(const std::string& key);
base::OrderedJson constraints(const base::OrderedJson& schema);

// One schema for what both accept, neither of which applies others to the same value; `false`: nothing is left.
// What they say of properties and items is joined under "allOf".
base::OrderedJson merge_schemas(const base::OrderedJson& a, const base::OrderedJson& b);
// One schema for what both accept.
base::OrderedJson both_schemas(const base::OrderedJson& a, const base::OrderedJson& b);

// The alternatives of a schema that applies others to the same value ("$ref", "allOf", "anyOf", "oneOf", "not",
// "unevaluated…"): plain schemas, which do not. What one of them accepts the schema accepts, and
// nothing else but what two parts of an "anyOf" evaluate only together. Throws Refused.
class PlainSchemas {
public:
    using Json = base::OrderedJson;
    explicit PlainSchemas(const Json& root);

    std::vector<Json> of(const Json& schema);
    const Json& resolve(const std::string& target) const;
    bool draft7() const { return draft7_; }  // nothing beside a "$ref" counts
    // Those of the values that the schema accepts.
    Json holding(const Json& values, const Json& schema) const;
    // No value holds under two of the parts of a "oneOf".
    bool disjoint_parts(const Json& parts);

private:
    using Alternatives = std::vector<Json>;

    Alternatives exactly_one(const Alternatives& around, const Json& parts);
    std::optional<Alternatives> negated(const Json& schema);
    std::optional<Alternatives> negated_keyword(const std::string& key, const Json& value);
    // schema_disjoint.cpp: false where it cannot be told
    bool disjoint(const Alternatives& a, const Alternatives& b, int depth = 0);
    bool disjoint(const Json& a, const Json& b, int depth);
    bool disjoint_as(const std::string& type, const Json& a, const Json& b, int depth);
    bool disjoint_objects(const Json& a, const Json& b, int depth);
    bool disjoint_arrays(const Json& a, const Json& b, int depth);

    const Json& root_;
    bool draft7_ = false;
    int depth_ = 0, work_ = 0;
};

// The types that a schema lets through: the word "integer" stands for whole numbers only, "number" for all.
std::vector<std::string> types_of(const base::OrderedJson& schema);
// The types that values are written of: those that keywords mean where no "type" is given; none: all.
std::vector<std::string> written_types(const base::OrderedJson& schema);

}  // namespace text
