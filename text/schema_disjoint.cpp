// Whether no value holds under two plain schemas. "Yes" is a proof; "no" says that none was found.
#include <algorithm>
#include <cmath>
#include <set>

#include "text/schema_rules.h"

namespace text {
namespace {

using Json = base::OrderedJson;
constexpr int max_depth = 6;  // of properties within properties
constexpr std::size_t max_items = 8;

std::set<std::string> kinds_of(const Json& schema) {
    std::set<std::string> out;
    for (const std::string& t : types_of(schema)) out.insert(t == "integer" ? "number" : t);
    return out;
}

bool only_whole(const Json& schema) {
    const auto types = types_of(schema);
    return std::find(types.begin(), types.end(), "number") == types.end();
}

// The least and the most that two schemas leave of a count leave nothing between them.
bool counts_part(const Json& a, const Json& b, const char* least, const char* most, std::size_t a_least = 0, std::size_t b_least = 0) {
    const auto low = [&](const Json& s, std::size_t n) { return std::max(double(n), s.contains(least) ? s[least].get<double>() : 0.0); };
    const auto above = [&](double n, const Json& s) { return s.contains(most) && n > s[most].get<double>(); };
    const double n = std::max(low(a, a_least), low(b, b_least));
    return above(n, a) || above(n, b);
}

struct End {
    double at;
    bool open;  // the end itself is left out
};

End low_end(const Json& s) {
    End out{-HUGE_VAL, false};
    if (s.contains("minimum")) out = {s["minimum"].get<double>(), false};
    if (s.contains("exclusiveMinimum") && s["exclusiveMinimum"].get<double>() >= out.at) out = {s["exclusiveMinimum"].get<double>(), true};
    return out;
}

End high_end(const Json& s) {
    End out{HUGE_VAL, false};
    if (s.contains("maximum")) out = {s["maximum"].get<double>(), false};
    if (s.contains("exclusiveMaximum") && s["exclusiveMaximum"].get<double>() <= out.at) out = {s["exclusiveMaximum"].get<double>(), true};
    return out;
}

// No number lies above what `low` says and below what `high` says.
bool nothing_between(const Json& low, const Json& high, bool whole) {
    End from = low_end(low), to = high_end(high);
    constexpr double exact = 9e15;  // beyond, doubles leave out whole numbers
    if (std::abs(from.at) > exact || std::abs(to.at) > exact) return false;
    if (whole) {
        from = {from.open ? std::floor(from.at) + 1 : std::ceil(from.at), false};
        to = {to.open ? std::ceil(to.at) - 1 : std::floor(to.at), false};
    }
    return from.at > to.at || (from.at == to.at && (from.open || to.open));
}

const Json& property_of(const Json& s, const std::string& name) {
    static const Json anything = true;
    if (s.contains("properties") && s["properties"].contains(name)) return s["properties"][name];
    return s.contains("additionalProperties") ? s["additionalProperties"] : anything;
}

const Json& item_of(const Json& s, std::size_t i) {
    static const Json anything = true;
    if (s.contains("prefixItems") && i < s["prefixItems"].size()) return s["prefixItems"][i];
    return s.contains("items") ? s["items"] : anything;
}

// What "patternProperties" says beside "additionalProperties" is not looked into.
bool has_patterns(const Json& s) { return s.contains("patternProperties") && !s["patternProperties"].empty(); }

std::set<std::string> required_of(const Json& s) {
    std::set<std::string> out;
    if (s.contains("required"))
        for (const Json& name : s["required"]) out.insert(name.get<std::string>());
    return out;
}

}  // namespace

bool PlainSchemas::disjoint(const Alternatives& a, const Alternatives& b, int depth) {
    return std::all_of(a.begin(), a.end(), [&](const Json& x) { return std::all_of(b.begin(), b.end(), [&](const Json& y) { return disjoint(x, y, depth); }); });
}

bool PlainSchemas::disjoint(const Json& a, const Json& b, int depth) {
    if (a == false || b == false) return true;
    for (const Json* one : {&a, &b})
        if (one->contains("enum")) return holding((*one)["enum"], Json{{"allOf", Json::array({a, b})}}).empty();
    const std::set<std::string> left = kinds_of(a), right = kinds_of(b);
    return std::all_of(left.begin(), left.end(), [&](const std::string& type) { return !right.contains(type) || disjoint_as(type, a, b, depth); });
}

bool PlainSchemas::disjoint_as(const std::string& type, const Json& a, const Json& b, int depth) {
    if (type == "number") {
        const bool whole = only_whole(a) || only_whole(b);
        for (const Json* low : {&a, &b})
            for (const Json* high : {&a, &b})
                if (nothing_between(*low, *high, whole)) return true;
        return false;
    }
    if (type == "string") return counts_part(a, b, "minLength", "maxLength");
    if (type == "array") return disjoint_arrays(a, b, depth);
    return type == "object" && disjoint_objects(a, b, depth);
}

bool PlainSchemas::disjoint_objects(const Json& a, const Json& b, int depth) {
    std::set<std::string> names = required_of(a), more = required_of(b);
    names.merge(more);
    if (counts_part(a, b, "minProperties", "maxProperties", names.size())) return true;
    if (depth == max_depth || has_patterns(a) || has_patterns(b)) return false;
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return disjoint(of(property_of(a, name)), of(property_of(b, name)), depth + 1); });
}

bool PlainSchemas::disjoint_arrays(const Json& a, const Json& b, int depth) {
    if (counts_part(a, b, "minItems", "maxItems")) return true;
    if (depth == max_depth) return false;
    const auto n = [](const Json& s) { return s.contains("minItems") ? s["minItems"].get<double>() : 0.0; };
    for (std::size_t i = 0; i < max_items && double(i) < std::max(n(a), n(b)); ++i)
        if (disjoint(of(item_of(a, i)), of(item_of(b, i)), depth + 1)) return true;
    return false;
}

}  // namespace text
