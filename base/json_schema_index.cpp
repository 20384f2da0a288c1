#include "base/json_schema_index.h"

#include <algorithm>

#include "base/json_schema_words.h"

namespace base {
namespace {

constexpr int max_nesting = 200;  // of schemas within schemas

using Shape = SchemaKeyword::Shape;

bool is_schema(const Json& j) { return j.is_object() || j.is_boolean(); }

const char* misfit(Shape shape, const Json& j) {  // what was expected, or null
    const auto all = [&](auto&& test) { return std::all_of(j.begin(), j.end(), test); };
    const auto text = [](const Json& x) { return x.is_string(); };
    switch (shape) {
        case Shape::number: return j.is_number() ? nullptr : "a number";
        case Shape::count: return j.is_number() && j.get<double>() >= 0 && j.get<double>() <= 1e15 && j.get<double>() == double(j.get<std::int64_t>()) ? nullptr : "an integer ≥ 0";
        case Shape::text: return j.is_string() ? nullptr : "a string";
        case Shape::texts: return j.is_array() && all(text) ? nullptr : "an array of strings";
        case Shape::boolean: return j.is_boolean() ? nullptr : "true or false";
        case Shape::object: return j.is_object() ? nullptr : "an object";
        case Shape::schema: return is_schema(j) ? nullptr : "a schema (object, true or false)";
        case Shape::schemas: return j.is_array() && !j.empty() && all(is_schema) ? nullptr : "a non-empty array of schemas";
        case Shape::schema_map: return j.is_object() && all(is_schema) ? nullptr : "an object of schemas";
        case Shape::schema_or_schemas: return is_schema(j) || (j.is_array() && all(is_schema)) ? nullptr : "a schema or an array of schemas";
    }
    return nullptr;
}

std::string without_fragment(const std::string& uri) { return uri.substr(0, uri.find('#')); }

// RFC 3986 §5.2 for the forms that schemas use.
std::string resolve_uri(const std::string& base, const std::string& ref) {
    if (ref.empty()) return base;
    if (ref[0] == '#') return without_fragment(base) + ref;
    const std::size_t colon = ref.find(':');
    if (colon != ref.npos && ref.find_first_of("/?#") > colon) return ref;
    const std::size_t authority = base.find("://");
    const std::size_t path = authority == base.npos ? 0 : std::min(base.find('/', authority + 3), base.size());
    if (ref[0] == '/') return base.substr(0, path) + ref;
    const std::string head = without_fragment(base);
    const std::size_t slash = head.rfind('/');
    std::string out = slash == head.npos || slash < path ? head.substr(0, path) + (path ? "/" : "") : head.substr(0, slash + 1);
    std::string rest = ref;
    while (rest.rfind("../", 0) == 0 || rest.rfind("./", 0) == 0) {
        const bool up = rest[1] == '.';
        rest.erase(0, up ? 3 : 2);
        if (up && out.size() > path + 1) out.erase(out.rfind('/', out.size() - 2) + 1);
    }
    return out + rest;
}

std::string percent_decoded(std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '%' && i + 2 < s.size() && std::isxdigit(static_cast<unsigned char>(s[i + 1]))) {
            out += char(std::stoi(std::string(s.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            out += s[i];
        }
    }
    return out;
}

bool says_draft7(const Json& schema) {
    if (!schema.is_object() || !schema.contains("$schema") || !schema["$schema"].is_string()) return false;
    const std::string uri = schema["$schema"];
    return uri.find("draft-07") != uri.npos || uri.find("draft-06") != uri.npos || uri.find("draft-04") != uri.npos;
}

Error bad(const std::string& place, const std::string& what, Code code = Code::invalid_argument) {
    return error(code, "schema at \"" + place + "\": " + what);
}

}  // namespace

Result<void> SchemaIndex::build(Json schema, const std::map<std::string, Json>& documents) {
    if (!is_schema(schema)) return bad("", std::string("found ") + schema.type_name() + ", expected an object, true or false");
    draft7_ = says_draft7(schema);
    documents_.push_back(std::make_unique<const Json>(std::move(schema)));
    resources_[""] = documents_.front().get();
    if (auto ok = add(root(), "", ""); !ok) return ok;
    // Other documents are read when a reference first needs them.
    while (!open_.empty()) {
        const Reference reference = open_.back();
        open_.pop_back();
        const std::string document = without_fragment(reference.uri);
        if (!resources_.contains(document)) {
            const auto it = documents.find(document);
            if (it != documents.end()) {
                documents_.push_back(std::make_unique<const Json>(it->second));
                resources_[document] = documents_.back().get();
                if (auto ok = add(*documents_.back(), document, document); !ok) return ok;
            }
        }
        auto found = resolve(reference);
        if (!found) return std::move(found).error();
        targets_[{reference.schema, reference.keyword}] = *found;
    }
    return {};
}

Result<void> SchemaIndex::add(const Json& schema, std::string base, const std::string& place) {
    if (bases_.contains(&schema)) return {};
    if (schema.is_object()) {
        if (auto ok = add_identifiers(schema, base, place); !ok) return ok;
    }
    bases_[&schema] = base;
    if (!schema.is_object()) return {};
    if (auto ok = check(schema, place); !ok) return ok;
    for (const char* keyword : {"$ref", "$dynamicRef"}) {
        const auto it = schema.find(keyword);
        if (it == schema.end()) continue;
        if (!it->is_string()) return bad(place + "/" + keyword, "found " + it->dump() + ", expected a string");
        open_.push_back({&schema, keyword, resolve_uri(base, it->get<std::string>()), place});
    }
    if (depth_ == max_nesting) return bad(place, "schemas are nested deeper than " + std::to_string(max_nesting));
    ++depth_;
    auto ok = add_children(schema, base, place);
    --depth_;
    return ok;
}

Result<void> SchemaIndex::add_identifiers(const Json& schema, std::string& base, const std::string& place) {
    const bool ref_hides = draft7_ && schema.contains("$ref");
    if (const auto id = schema.find("$id"); id != schema.end() && !ref_hides) {
        if (!id->is_string()) return bad(place + "/$id", "found " + id->dump() + ", expected a string");
        const std::string text = *id;
        if (!text.empty() && text[0] == '#') {
            anchors_[without_fragment(base) + text] = &schema;
        } else {
            base = without_fragment(resolve_uri(base, text));
            resources_[base] = &schema;
        }
    }
    for (const char* keyword : {"$anchor", "$dynamicAnchor"}) {
        const auto it = schema.find(keyword);
        if (it == schema.end() || !it->is_string()) continue;
        anchors_[base + "#" + it->get<std::string>()] = &schema;
        if (std::string_view(keyword) == "$dynamicAnchor") dynamic_anchors_[base + "#" + it->get<std::string>()] = &schema;
    }
    return {};
}

Result<void> SchemaIndex::add_children(const Json& schema, const std::string& base, const std::string& place) {
    Result<void> ok;
    for_each_part(schema, [&](const std::string& step, const Json& part) {
        if (ok) ok = add(part, base, place + step);
    });
    return ok;
}

Result<void> SchemaIndex::check(const Json& schema, const std::string& place) {
    static const char* const types[] = {"null", "boolean", "object", "array", "number", "string", "integer"};
    for (const SchemaKeyword& k : schema_keywords()) {
        const auto it = schema.find(k.name);
        if (it == schema.end()) continue;
        if (const char* expected = misfit(k.shape, *it))
            return bad(place + "/" + k.name, "found " + it->dump() + ", expected " + expected);
    }
    if (const auto it = schema.find("type"); it != schema.end()) {
        const Json list = it->is_array() ? *it : Json::array({*it});
        for (const Json& t : list)
            if (!t.is_string() || std::find(std::begin(types), std::end(types), t.get<std::string>()) == std::end(types))
                return bad(place + "/type", "found " + t.dump() + ", expected null, boolean, object, array, number, string or integer");
    }
    if (const auto it = schema.find("enum"); it != schema.end() && !it->is_array())
        return bad(place + "/enum", "found " + it->dump() + ", expected an array");
    if (const auto it = schema.find("multipleOf"); it != schema.end() && it->get<double>() <= 0)
        return bad(place + "/multipleOf", "found " + it->dump() + ", expected a number above 0");
    if (const auto it = schema.find("pattern"); it != schema.end())
        if (auto ok = compile(*it, place + "/pattern"); !ok) return ok;
    if (const auto it = schema.find("patternProperties"); it != schema.end())
        for (const auto& entry : it->items())
            if (auto ok = compile(entry.key(), place + "/patternProperties"); !ok) return ok;
    return {};
}

Result<void> SchemaIndex::compile(const std::string& pattern, const std::string& place) {
    if (patterns_.contains(pattern)) return {};
    auto regex = Regex::compile(pattern);
    if (!regex) return bad(place, regex.error().text(), regex.error().code);
    patterns_.emplace(pattern, std::move(*regex));
    return {};
}

Result<const Json*> SchemaIndex::resolve(const Reference& reference) {
    const auto missing = [&](const std::string& why, Code code = Code::invalid_argument) {
        return bad(reference.place + "/" + reference.keyword, "\"" + reference.uri + "\" leads nowhere: " + why, code);
    };
    std::string base = without_fragment(reference.uri);
    const std::string fragment = reference.uri.size() > base.size() ? percent_decoded(reference.uri.substr(base.size() + 1)) : "";
    const auto resource = resources_.find(base);
    if (resource == resources_.end()) return missing("no schema has this URI", Code::unsupported);
    if (!fragment.empty() && fragment[0] != '/') {
        const auto anchor = anchors_.find(base + "#" + fragment);
        if (anchor == anchors_.end()) return missing("no anchor has this name");
        return anchor->second;
    }
    const Json* at = resource->second;
    std::string place = reference.uri;
    for (std::size_t i = 0; i < fragment.size();) {
        const std::size_t end = std::min(fragment.find('/', i + 1), fragment.size());
        std::string key;
        for (std::size_t j = i + 1; j < end; ++j) {
            if (fragment[j] == '~' && j + 1 < end) {
                key += fragment[++j] == '1' ? '/' : '~';
            } else {
                key += fragment[j];
            }
        }
        const bool number = !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == key.npos;
        if (at->is_object() && at->contains(key))
            at = &(*at)[key];
        else if (at->is_array() && number && std::stoul(key) < at->size())
            at = &(*at)[std::stoul(key)];
        else
            return missing("there is no \"" + key + "\"");
        if (const auto known = bases_.find(at); known != bases_.end()) base = known->second;
        i = end;
    }
    if (!is_schema(*at)) return missing("a schema was expected there");
    if (auto ok = add(*at, base, place); !ok) return std::move(ok).error();
    return at;
}

const std::string& SchemaIndex::base_of(const Json& schema) const { return bases_.at(&schema); }

const Json* SchemaIndex::target(const Json& schema, const char* keyword) const {
    const auto it = targets_.find({&schema, keyword});
    return it == targets_.end() ? nullptr : it->second;
}

const Json* SchemaIndex::dynamic_anchor(const std::string& resource, const std::string& name) const {
    const auto it = dynamic_anchors_.find(resource + "#" + name);
    return it == dynamic_anchors_.end() ? nullptr : it->second;
}

}  // namespace base
