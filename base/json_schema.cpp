#include "base/json_schema.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/json_schema_index.h"
#include "base/unicode.h"

namespace base {
namespace {

constexpr int max_depth = 1000;  // of schemas within schemas while checking one value

struct Failure {
    std::string pointer, message;
};
using Outcome = std::optional<Failure>;  // empty: valid

// What has been evaluated of one object or array, for the unevaluated… keywords.
struct Evaluated {
    std::set<std::string> properties;
    std::set<std::size_t> items;
    void join(const Evaluated& o) {
        properties.insert(o.properties.begin(), o.properties.end());
        items.insert(o.items.begin(), o.items.end());
    }
};

std::string brief(const Json& value) {
    std::string text = dump(value);
    if (text.size() > 80) text = text.substr(0, 77) + "...";
    return text;
}

bool is_integer(const Json& v) {
    return v.is_number_integer() || (v.is_number_float() && std::floor(v.get<double>()) == v.get<double>());
}

bool has_type(const Json& v, const std::string& type) {
    if (type == "integer") return is_integer(v);
    if (type == "number") return v.is_number();
    if (type == "null") return v.is_null();
    return v.type_name() == type;
}

bool is_multiple(const Json& value, const Json& of) {
    if (value.is_number_integer() && of.is_number_integer() && !value.is_number_unsigned() && !of.is_number_unsigned())
        return value.get<std::int64_t>() % of.get<std::int64_t>() == 0;
    const double v = value.get<double>(), m = of.get<double>(), quotient = v / m;
    if (const double parts = 1 / m; is_integer(value) && std::abs(parts - std::nearbyint(parts)) < 1e-9 * parts) return true;
    if (!std::isfinite(quotient) || std::abs(quotient) > 9e15) return std::fmod(v, m) == 0;
    return std::abs(quotient - std::nearbyint(quotient)) < 1e-9 * std::max(1.0, std::abs(quotient));
}

std::size_t n_characters(const std::string& s) {
    return std::size_t(std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string escaped(const std::string& key) {
    std::string out;
    for (char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
}

class Checker {
public:
    explicit Checker(const SchemaIndex& index) : index_(index) {}

    Outcome check(const Json& schema, const Json& value, Evaluated& seen) {
        if (schema.is_boolean()) {
            if (schema.get<bool>()) return {};
            return fail("found " + brief(value) + ", expected nothing here");
        }
        if (++depth_ > max_depth) return --depth_, fail("the schema refers to itself without end");
        const std::string& base = index_.base_of(schema);
        const bool enters = scope_.empty() || scope_.back() != &base;
        if (enters) scope_.push_back(&base);
        Evaluated own;  // a schema sees what its own parts evaluated, not what its siblings did
        Outcome out = check_object(schema, value, own);
        seen.join(own);
        if (enters) scope_.pop_back();
        --depth_;
        return out;
    }

private:
    Outcome fail(std::string message) const { return Failure{pointer_, std::move(message)}; }
    static const Json* get(const Json& schema, const char* keyword) {
        const auto it = schema.find(keyword);
        return it == schema.end() ? nullptr : &*it;
    }
    bool valid(const Json& schema, const Json& value, Evaluated& seen) { return !check(schema, value, seen); }
    bool valid(const Json& schema, const Json& value) {
        Evaluated ignored;
        return valid(schema, value, ignored);
    }
    Outcome check_child(const Json& schema, const Json& value, const std::string& key) {
        const std::size_t length = pointer_.size();
        pointer_ += '/';
        pointer_ += escaped(key);
        Evaluated own;
        Outcome out = check(schema, value, own);
        pointer_.resize(length);
        return out;
    }

    Outcome check_object(const Json& schema, const Json& value, Evaluated& seen) {
        if (const Json* target = index_.target(schema, "$ref")) {
            if (Outcome bad = check(*target, value, seen)) return bad;
            if (index_.draft7()) return {};
        }
        if (const Json* target = dynamic_target(schema))
            if (Outcome bad = check(*target, value, seen)) return bad;
        if (Outcome bad = check_plain(schema, value)) return bad;
        if (value.is_number())
            if (Outcome bad = check_number(schema, value)) return bad;
        if (value.is_string())
            if (Outcome bad = check_string(schema, value)) return bad;
        if (value.is_object())
            if (Outcome bad = check_properties(schema, value, seen)) return bad;
        if (value.is_array())
            if (Outcome bad = check_items(schema, value, seen)) return bad;
        if (Outcome bad = check_combined(schema, value, seen)) return bad;
        if (value.is_object())
            if (Outcome bad = check_dependencies(schema, value, seen)) return bad;
        return check_unevaluated(schema, value, seen);
    }

    // §8.2.3.2: a dynamic anchor is looked up from the outermost resource inwards.
    const Json* dynamic_target(const Json& schema) const {
        const Json* target = index_.target(schema, "$dynamicRef");
        if (!target || !target->is_object()) return target;
        const std::string ref = schema["$dynamicRef"];
        const Json* anchor = get(*target, "$dynamicAnchor");
        if (!anchor || *anchor != Json(ref.substr(ref.find('#') + 1))) return target;
        for (const std::string* resource : scope_)
            if (const Json* found = index_.dynamic_anchor(*resource, *anchor)) return found;
        return target;
    }

    Outcome check_plain(const Json& schema, const Json& value) const {
        if (const Json* type = get(schema, "type")) {
            bool ok = false;
            std::string names;
            for (const Json& t : type->is_array() ? *type : Json::array({*type})) {
                ok = ok || has_type(value, t);
                names += (names.empty() ? "" : " or ") + t.get<std::string>();
            }
            if (!ok) return fail("found " + brief(value) + ", expected " + names);
        }
        if (const Json* one = get(schema, "const"); one && *one != value)
            return fail("found " + brief(value) + ", expected " + brief(*one));
        if (const Json* all = get(schema, "enum"); all && std::find(all->begin(), all->end(), value) == all->end())
            return fail("found " + brief(value) + ", expected one of " + brief(*all));
        return {};
    }

    Outcome check_number(const Json& schema, const Json& value) const {
        const auto expected = [&](const char* what, const Json& bound) { return fail("found " + brief(value) + ", expected " + what + brief(bound)); };
        if (const Json* k = get(schema, "minimum"); k && value < *k) return expected("at least ", *k);
        if (const Json* k = get(schema, "maximum"); k && value > *k) return expected("at most ", *k);
        if (const Json* k = get(schema, "exclusiveMinimum"); k && value <= *k) return expected("more than ", *k);
        if (const Json* k = get(schema, "exclusiveMaximum"); k && value >= *k) return expected("less than ", *k);
        if (const Json* k = get(schema, "multipleOf"); k && !is_multiple(value, *k)) return expected("a multiple of ", *k);
        return {};
    }

    Outcome check_count(const Json& schema, const char* least, const char* most, std::size_t n, const char* unit) const {
        const auto expected = [&](const char* what, const Json& bound) {
            return fail("found " + std::to_string(n) + " " + unit + ", expected at " + what + brief(bound));
        };
        if (const Json* k = get(schema, least); k && double(n) < k->get<double>()) return expected("least ", *k);
        if (const Json* k = get(schema, most); k && double(n) > k->get<double>()) return expected("most ", *k);
        return {};
    }

    Outcome check_string(const Json& schema, const Json& value) const {
        const auto& text = value.get_ref<const std::string&>();
        if (schema.contains("minLength") || schema.contains("maxLength"))
            if (Outcome bad = check_count(schema, "minLength", "maxLength", n_characters(text), "characters")) return bad;
        if (const Json* k = get(schema, "pattern"); k && !index_.pattern(*k).search(text))
            return fail("found " + brief(value) + ", expected a text that matches " + k->get<std::string>());
        return {};
    }

    Outcome check_properties(const Json& schema, const Json& value, Evaluated& seen) {
        if (Outcome bad = check_count(schema, "minProperties", "maxProperties", value.size(), "properties")) return bad;
        if (const Json* names = get(schema, "required"))
            for (const Json& name : *names)
                if (!value.contains(name.get_ref<const std::string&>())) return fail("property " + name.dump() + " is missing");
        const Json* named = get(schema, "properties");
        const Json* patterns = get(schema, "patternProperties");
        const Json* others = get(schema, "additionalProperties");
        const Json* names = get(schema, "propertyNames");
        for (const auto& [key, child] : value.items()) {
            bool known = false;
            if (names)
                if (Outcome bad = check_child(*names, Json(key), key)) return bad->message = "the name " + bad->message, bad;
            const auto apply = [&](const Json& rule) {
                seen.properties.insert(key);
                return check_child(rule, child, key);
            };
            if (named && named->contains(key)) {
                known = true;
                if (Outcome bad = apply((*named)[key])) return bad;
            }
            if (patterns)
                for (const auto& [pattern, rule] : patterns->items()) {
                    if (!index_.pattern(pattern).search(key)) continue;
                    known = true;
                    if (Outcome bad = apply(rule)) return bad;
                }
            if (known || !others) continue;
            if (*others == Json(false)) return fail("property " + Json(key).dump() + " is not known here");
            if (Outcome bad = apply(*others)) return bad;
        }
        return {};
    }

    Outcome check_items(const Json& schema, const Json& value, Evaluated& seen) {
        if (Outcome bad = check_count(schema, "minItems", "maxItems", value.size(), "items")) return bad;
        if (const Json* k = get(schema, "uniqueItems"); k && k->get<bool>()) {
            std::vector<const Json*> sorted;
            for (const Json& item : value) sorted.push_back(&item);
            std::sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return *a < *b; });
            for (std::size_t i = 1; i < sorted.size(); ++i)
                if (*sorted[i - 1] == *sorted[i]) return fail("found " + brief(*sorted[i]) + " twice, expected unique items");
        }
        const Json* items = get(schema, "items");
        const bool old = items && items->is_array();  // draft 7's tuple form
        const Json* first = old ? items : get(schema, "prefixItems");
        const Json* rest = old ? get(schema, "additionalItems") : items;
        const std::size_t n_first = first ? first->size() : 0;
        for (std::size_t i = 0; i < value.size(); ++i) {
            const Json* rule = i < n_first ? &(*first)[i] : rest;
            if (!rule) break;
            seen.items.insert(i);
            if (Outcome bad = check_child(*rule, value[i], std::to_string(i))) return bad;
        }
        return check_contains(schema, value, seen);
    }

    Outcome check_contains(const Json& schema, const Json& value, Evaluated& seen) {
        const Json* rule = get(schema, "contains");
        if (!rule) return {};
        std::size_t n = 0;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (!valid(*rule, value[i])) continue;
            ++n;
            if (!index_.draft7()) seen.items.insert(i);
        }
        const Json* least = get(schema, "minContains");
        const Json* most = get(schema, "maxContains");
        const double at_least = least ? least->get<double>() : 1;
        if (double(n) < at_least || (most && double(n) > most->get<double>()))
            return fail("found " + std::to_string(n) + " items that match \"contains\", expected " +
                        (double(n) < at_least ? "at least " + std::to_string(int(at_least)) : "at most " + most->dump()));
        return {};
    }

    Outcome check_combined(const Json& schema, const Json& value, Evaluated& seen) {
        if (const Json* all = get(schema, "allOf"))
            for (const Json& part : *all)
                if (Outcome bad = check(part, value, seen)) return bad;
        for (const char* keyword : {"anyOf", "oneOf"}) {
            const Json* parts = get(schema, keyword);
            if (!parts) continue;
            int n = 0;
            Outcome nearest;  // the failure deepest in the value is the most telling
            for (const Json& part : *parts) {
                Evaluated own;
                Outcome bad = check(part, value, own);
                if (!bad) {
                    ++n;
                    seen.join(own);
                } else if (!nearest || bad->pointer.size() > nearest->pointer.size()) {
                    nearest = std::move(bad);
                }
            }
            if (!n) return nearest;
            if (n > 1 && std::string_view(keyword) == "oneOf")
                return fail("found " + brief(value) + ", which matches " + std::to_string(n) + " parts of \"oneOf\", expected exactly one");
        }
        if (const Json* no = get(schema, "not"); no && valid(*no, value))
            return fail("found " + brief(value) + ", which \"not\" excludes");
        if (const Json* condition = get(schema, "if")) {
            Evaluated own;
            const bool holds = valid(*condition, value, own);
            if (holds) seen.join(own);
            if (const Json* branch = get(schema, holds ? "then" : "else")) return check(*branch, value, seen);
        }
        return {};
    }

    Outcome check_dependencies(const Json& schema, const Json& value, Evaluated& seen) {
        for (const char* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
            const Json* rules = get(schema, keyword);
            if (!rules || !rules->is_object()) continue;
            for (const auto& [key, rule] : rules->items()) {
                if (!value.contains(key)) continue;
                if (rule.is_array()) {
                    for (const Json& name : rule)
                        if (name.is_string() && !value.contains(name.get<std::string>()))
                            return fail("property " + name.dump() + " is missing, which \"" + key + "\" needs");
                } else if (rule.is_object() || rule.is_boolean()) {
                    if (Outcome bad = check(rule, value, seen)) return bad;
                }
            }
        }
        return {};
    }

    Outcome check_unevaluated(const Json& schema, const Json& value, Evaluated& seen) {
        if (const Json* rule = get(schema, "unevaluatedProperties"); rule && value.is_object())
            for (const auto& [key, child] : value.items())
                if (seen.properties.insert(key).second)
                    if (Outcome bad = check_child(*rule, child, key)) return bad;
        if (const Json* rule = get(schema, "unevaluatedItems"); rule && value.is_array())
            for (std::size_t i = 0; i < value.size(); ++i)
                if (seen.items.insert(i).second)
                    if (Outcome bad = check_child(*rule, value[i], std::to_string(i))) return bad;
        return {};
    }

    const SchemaIndex& index_;
    std::vector<const std::string*> scope_;  // resources entered, outermost first
    std::string pointer_;
    int depth_ = 0;
};

}  // namespace

Result<Schema> Schema::parse(Json schema, const std::map<std::string, Json>& documents) {
    auto index = std::make_shared<SchemaIndex>();
    if (auto ok = index->build(std::move(schema), documents); !ok) return std::move(ok).error();
    return Schema(std::move(index));
}

Result<void> Schema::validate(const Json& value) const {
    Evaluated seen;
    Outcome bad = Checker(*index_).check(index_->root(), value, seen);
    if (!bad) return {};
    return error(Code::invalid_argument, bad->pointer + (bad->pointer.empty() ? "" : ": ") + bad->message);
}

const Json& Schema::source() const { return index_->root(); }

}  // namespace base
