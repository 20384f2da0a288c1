// References by "$id", "$anchor" and "$dynamicRef", as those into the document that lead to the same schema.
#include <algorithm>
#include <unordered_map>

#include "base/json_schema_index.h"
#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;

bool holds_values(const std::string& key) { return key == "const" || key == "enum" || key == "default" || key == "examples"; }

bool is_reference(const std::string& key, const Json& value) { return (key == "$ref" || key == "$dynamicRef") && value.is_string(); }

// Something that a JSON pointer from the root does not say.
bool names_resources(const Json& json) {
    if (json.is_object())
        for (const auto& [key, value] : json.items())
            if (key == "$id" || key == "$dynamicRef" || (key == "$ref" && value.is_string() && !value.get_ref<const std::string&>().starts_with("#/") && value != "#")) return true;
    return json.is_structured() && std::any_of(json.begin(), json.end(), names_resources);
}

class References {
public:
    explicit References(const Json& root) {
        (void)index_.build(base::Json(root), {});  // was read before: it is well formed
        note(index_.root(), "#");
    }

    Json rewritten(const Json& json, const base::Json& same) const {
        if (json.is_array()) {
            Json out = Json::array();
            for (std::size_t i = 0; i < json.size(); ++i) out.push_back(rewritten(json[i], same[i]));
            return out;
        }
        if (!json.is_object()) return json;
        Json out = Json::object();
        for (const auto& [key, value] : json.items()) {
            if (key == "$id" && value.is_string()) continue;
            if (is_reference(key, value))
                add_reference(out, key, value, same);
            else
                out[key] = holds_values(key) ? value : rewritten(value, same[key]);
        }
        return out;
    }

    Json rewritten(const Json& root) const { return rewritten(root, index_.root()); }

private:
    void note(const base::Json& json, const std::string& place) {
        places_.emplace(&json, place);
        if (json.is_array())
            for (std::size_t i = 0; i < json.size(); ++i) note(json[i], place + "/" + std::to_string(i));
        if (!json.is_object()) return;
        for (const auto& [key, value] : json.items()) {
            if (key == "$dynamicAnchor" && value.is_string()) ++dynamic_anchors_[value.get<std::string>()];
            std::string step;
            for (char c : pointer_step(key)) step += c == '%' ? "%25" : std::string(1, c);
            note(value, place + step);
        }
    }

    void add_reference(Json& out, const std::string& key, const Json& value, const base::Json& schema) const {
        const base::Json* target = index_.target(schema, key.c_str());
        const auto place = target ? places_.find(target) : places_.end();
        if (place == places_.end()) {
            out[key] = value;
        } else if (key == "$ref") {
            out[key] = place->second;
        } else if (schema.contains("$ref") || may_lead_elsewhere(*target)) {
            out[key] = value;
        } else {
            out["$ref"] = place->second;
        }
    }

    // Several schemas have the dynamic anchor: which is meant depends on the way there.
    bool may_lead_elsewhere(const base::Json& target) const {
        if (!target.is_object() || !target.contains("$dynamicAnchor")) return false;
        const auto n = dynamic_anchors_.find(target["$dynamicAnchor"].get<std::string>());
        return n != dynamic_anchors_.end() && n->second > 1;
    }

    base::SchemaIndex index_;
    std::unordered_map<const base::Json*, std::string> places_;
    std::unordered_map<std::string, int> dynamic_anchors_;
};

}  // namespace

Json with_pointers(const Json& root) {
    if (!names_resources(root)) return root;
    return References(root).rewritten(root);
}

}  // namespace text
