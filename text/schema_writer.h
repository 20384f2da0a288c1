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
    Expr any(const Json& schema);
    Expr object_schema(const Json& schema);
    Expr reference(const std::string& target);
    const Json& resolve(const std::string& target) const;
    Json all_of(const Json& schema);
    Expr choices(const Json& schema, const std::string& key);
    Expr values(const Json& schema);
    Expr typed(const Json& schema);
    Expr of_type(const std::string& type, const Json& schema);
    std::string value(const Json& v);

    // schema_parts.cpp
    Expr object(const Json& schema);
    Expr array(const Json& schema);
    Expr text(const Json& schema);
    Expr number(const Json& schema, bool integer);
    std::string other_key(const std::set<std::u32string>& names, std::size_t depth);
    std::string builtin(const std::string& name);

    std::string rule(const std::string& body);  // a fresh rule's name
    std::string comma() const { return options_.any_whitespace ? space() + "\",\" " + space() : "\", \" "; }
    std::string colon() const { return options_.any_whitespace ? space() + "\":\" " + space() : "\": \" "; }
    std::string space() const { return options_.any_whitespace ? root_ + "-space " : ""; }

    const Json& schema_;
    std::string root_;
    SchemaOptions options_;
    std::string rules_;
    std::map<std::string, std::string> references_;  // target → rule
    std::set<std::string> builtins_;                 // written already
    int n_rules_ = 0, depth_ = 0;
};

}  // namespace text
