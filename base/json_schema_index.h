// What Schema::parse prepares: where every subschema lies, what its references mean, its patterns.
// Internal to json_schema and to text's grammars of schemas.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/regex.h"
#include "base/result.h"

namespace base {

class SchemaIndex {
public:
    Result<void> build(Json schema, const std::map<std::string, Json>& documents);

    const Json& root() const { return *documents_.front(); }
    const std::string& base_of(const Json& schema) const;             // URI of the resource that it is part of
    const Json* target(const Json& schema, const char* keyword) const;  // of "$ref" or "$dynamicRef"
    // The subschema with this dynamic anchor in that resource, or null.
    const Json* dynamic_anchor(const std::string& resource, const std::string& name) const;
    const Regex& pattern(const std::string& source) const { return patterns_.at(source); }
    bool draft7() const { return draft7_; }

private:
    struct Reference {
        const Json* schema;
        const char* keyword;
        std::string uri, place;
    };
    Result<void> add(const Json& schema, std::string base, const std::string& place);
    Result<void> add_identifiers(const Json& schema, std::string& base, const std::string& place);
    Result<void> add_children(const Json& schema, const std::string& base, const std::string& place);
    Result<void> check(const Json& schema, const std::string& place);
    Result<void> compile(const std::string& pattern, const std::string& place);
    Result<const Json*> resolve(const Reference& reference);

    std::vector<std::unique_ptr<const Json>> documents_;
    std::map<std::string, const Json*> resources_, anchors_, dynamic_anchors_;
    std::unordered_map<const Json*, std::string> bases_;
    std::map<std::pair<const Json*, std::string>, const Json*> targets_;
    std::map<std::string, Regex> patterns_;
    std::vector<Reference> open_;
    int depth_ = 0;  // of the schema that is being added
    bool draft7_ = false;
};

}  // namespace base
