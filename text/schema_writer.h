// Writes a JSON Schema as EBNF rules. Internal to grammar.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/grammar.h"
#include "text/schema_rules.h"
#include "text/texts.h"

namespace text {

// Rules are called ROOT, ROOT-NAME and ROOT-NUMBER. Throws Refused.
class SchemaWriter {
public:
    SchemaWriter(const base::OrderedJson& schema, std::string root, SchemaOptions options);
    std::string write();

private:
    using Json = base::OrderedJson;
    using Expr = std::optional<std::string>;  // none: no value is possible

    // schema_ebnf.cpp
    // `step`: where the schema lies below the one being written, as the end of a JSON pointer.
    Expr any(const Json& schema, const std::string& step = "");
    Expr inner(const Json& schema, const std::string& step);  // of a part of the value
    Expr object_schema(const Json& schema);
    Expr reference(const std::string& target);
    Expr shared(const std::string& key, std::string place, const Json& schema, bool taken_apart);
    Expr apart(const Json& schema);
    Expr choices(const Json& parts, const std::string& step);
    Expr values(const Json& schema);
    Expr typed(const Json& schema);
    Expr of_type(const std::string& type, const Json& schema);
    std::string value(const Json& v);
    std::string literal(const Json& v) const;  // of a text, number or word

    // schema_parts.cpp
    Expr number(const Json& schema, bool integer);
    std::string builtin(const std::string& name);

    // schema_objects.cpp, schema_arrays.cpp
    class Members;
    class CountedItems;
    class UniqueItems;
    Expr object(const Json& schema);
    Expr array(const Json& schema);
    Expr plain_array(const Json& schema);
    std::optional<Json> values_of(const Json& schema);

    // schema_texts.cpp
    enum class Spelling { value, key, plain };  // in a JSON string, with its closing quote; in one, without escapes; as it is
    class TextsWriter;
    Expr text(const Json& schema);
    std::string counted_text(int least, int most);
    Texts names_under(const std::vector<Json>& schemas);
    std::string texts_ebnf(const Texts& texts, Spelling spelling);
    void spend(const Texts& texts);

    std::optional<std::string> place_without_end(const std::string& ebnf) const;
    std::string rule(const std::string& body);  // a fresh rule's name
    std::string fresh_name();
    void add_rule(const std::string& name, const std::string& body);
    std::string comma() const { return options_.any_whitespace ? space() + "\",\" " + space() : "\", \" "; }
    std::string colon() const { return options_.any_whitespace ? space() + "\":\" " + space() : "\": \" "; }
    std::string space() const { return options_.any_whitespace ? root_ + "-space " : ""; }

    const Json& schema_;
    std::string root_;
    SchemaOptions options_;
    PlainSchemas plain_;
    std::string rules_, place_;
    std::string impossible_;  // where the last part lies that no value satisfies, the innermost of them
    std::map<std::string, std::string> shared_;  // reference, or schema with references → rule
    std::vector<std::pair<std::string, std::string>> places_;  // of the rules of shared_: name and where the schema lies
    std::set<std::string> unfinished_;           // of shared_: their rules are being written
    bool circular_ = false;                      // a schema holds itself
    std::set<std::string> builtins_;             // written already
    std::map<std::vector<base::CharRange>, std::string> characters_;  // rules of one character in a string
    std::set<std::string> open_;                 // of shared_: being written for the same part of the value
    int n_rules_ = 0, depth_ = 0;
    std::size_t spent_ = 0;                      // on sets of texts
    long weight_ = 0;                            // of counted characters, about in states
};

std::string repeat_ebnf(const std::string& what, int least, int most);  // most -1: no bound
Texts texts_with(const std::string& pattern);  // in which it is found
Texts texts_among(const base::OrderedJson& values);

}  // namespace text
