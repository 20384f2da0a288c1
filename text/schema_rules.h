// Parts of the way from JSON Schema to EBNF. Internal to grammar.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/json_schema.h"
#include "base/json_schema_words.h"
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

// Numbers without exponent that are multiples of a number; all such ways to write one number.
class Texts;
Texts multiples_of(const std::string& divisor);
Texts spellings_of(const std::string& number);

struct Refused {  // thrown: a schema that has no grammar here
    std::string what;
    std::optional<std::string> place = {};  // JSON pointer into the schema
};

// Keywords that say which values hold; the others are notes.
bool constrains(const std::string& key);
base::OrderedJson constraints(const base::OrderedJson& schema);

// One schema for what both accept, neither of which applies others to the same value; `false`: nothing is left.
// What they say of properties and items is joined under "allOf", and so is what has no keyword for both: patterns,
// multiples, names of properties, "contains", "not" of these.
base::OrderedJson merge_schemas(const base::OrderedJson& a, const base::OrderedJson& b);
// One schema for what both accept.
base::OrderedJson both_schemas(const base::OrderedJson& a, const base::OrderedJson& b);

using base::pointer_step;
// The schema with all its references as JSON pointers from its root ("#/…"); the schema must be well formed.
base::OrderedJson with_pointers(const base::OrderedJson& root);

// What the keyword says of the value, and what it says in the schemas kept beside under "allOf".
std::vector<base::OrderedJson> every(const base::OrderedJson& schema, const char* key);
// The keyword as a count.
int count(const base::OrderedJson& schema, const char* key, int otherwise);

// The alternatives of a schema that applies others to the same value ("$ref", "allOf", "anyOf", "oneOf", "not",
// "if", "dependent…", "unevaluated…"): plain schemas, which do not but for what merge_schemas keeps beside. What one of them accepts the schema accepts, and
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
    using Negation = std::optional<Alternatives>;  // none: it cannot be written
    static constexpr int max_applied = 64, max_work = 20000;  // schemas within each other; in all

    static void add(Alternatives& out, Json one);
    static Alternatives cross(const Alternatives& a, const Alternatives& b);
    Alternatives exactly_one(const Alternatives& around, const Json& parts);
    Alternatives conditional(const Json& schema);
    Alternatives dependent(const std::string& name, const Json& needs);
    static void leave_unevaluated(Json& one, const Json& schema);
    // schema_negated.cpp: alternatives for all that the schema, or the keyword of it, does not accept
    Negation negated(const Json& schema);
    Negation negated_keyword(const std::string& key, const Json& value, const Json& schema);
    Negation of_other_types(const Json& value);
    Negation of_other_values(const Json& values);
    Negation of_other_formats(const Json& value);
    Negation of_other_properties(const std::string& key, const Json& value);
    Negation of_other_items(const std::string& key, const Json& value, const Json& schema);
    Negation either_negated(const Json& parts);
    Negation all_negated(const Json& parts);
    Negation other_than_one(const Json& parts);
    // schema_disjoint.cpp: false where it cannot be told
    bool disjoint(const Alternatives& a, const Alternatives& b, int depth = 0);
    bool disjoint(const Json& a, const Json& b, int depth);
    bool disjoint_as(const std::string& type, const Json& a, const Json& b, int depth);
    bool disjoint_objects(const Json& a, const Json& b, int depth);
    bool disjoint_arrays(const Json& a, const Json& b, int depth);

    const Json& root_;
    bool draft7_ = false;
    int depth_ = 0, work_ = 0;
    long n_negated_ = 0;  // schemas whose properties and items count as evaluated only here
};

// The types that a schema lets through: the word "integer" stands for whole numbers only, "number" for all.
std::vector<std::string> types_of(const base::OrderedJson& schema);
// The types that values are written of: those that keywords mean where no "type" is given; none: all.
std::vector<std::string> written_types(const base::OrderedJson& schema);

}  // namespace text
