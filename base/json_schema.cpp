#include "base/json_schema.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/json_schema_index.h"
#include "base/json_schema_words.h"
#include "base/unicode.h"
#include "base/utf8.h"

namespace base {
namespace {

constexpr int max_depth = 1000;        // of schemas within schemas while checking one value
constexpr long max_checks = 300000;    // of one value against one schema each: references can multiply them without end

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

// The beginning of a value's text; what lies behind it is not written at all.
void write_begin(const Json& value, std::string& out) {
    if (out.size() > 80) return;
    if (!value.is_structured()) {
        out += dump(value);
        return;
    }
    out += value.is_object() ? '{' : '[';
    bool first = true;
    for (auto it = value.begin(); it != value.end() && out.size() <= 80; ++it, first = false) {
        if (!first) out += ',';
        if (value.is_object()) out += dump(it.key()) + ':';
        write_begin(*it, out);
    }
    out += value.is_object() ? '}' : ']';
}

std::string brief(const Json& value) {
    std::string text;
    write_begin(value, text);
    if (text.size() > 80) text = std::string(beginning(text, 77)) + "...";
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

// What calls itself once a schema is kept out of its callers and makes its messages elsewhere: max_depth of its
// frames fit on a stack of 8 MiB under a sanitizer, too.
class Checker {
public:
    explicit Checker(const SchemaIndex& index) : index_(index) {}

    // What stopped the check before it knew; every verdict is void then, as "not" turns failures over.
    const Outcome& gave_up() const { return gave_up_; }

    [[gnu::noinline]] Outcome check(const Json& schema, const Json& value, Evaluated& seen) {
        if (schema.is_boolean()) {
            if (schema.get<bool>()) return {};
            return found(value, "nothing here");
        }
        if (gave_up_) return gave_up_;
        if (depth_ == max_depth || ++n_checks_ > max_checks) return gave_up_ = endless();
        ++depth_;
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
    [[gnu::noinline]] Outcome found(const Json& value, std::string_view expected) const {
        return fail("found " + brief(value) + ", expected " + std::string(expected));
    }
    [[gnu::noinline]] Outcome missing(const std::string& name, const std::string* wanted_by) const {
        return fail("property " + Json(name).dump() + " is missing" + (wanted_by ? ", which \"" + *wanted_by + "\" needs" : ""));
    }
    [[gnu::noinline]] Outcome unknown(const std::string& name) const { return fail("property " + Json(name).dump() + " is not known here"); }
    [[gnu::noinline]] Outcome endless() const {
        if (depth_ < max_depth) return fail("the schema asks for more than " + std::to_string(max_checks) + " checks of this value");
        return fail("more than " + std::to_string(max_depth) +
                    " schemas apply within each other: the value is nested too deeply, or the schema refers to itself without end");
    }
    [[gnu::noinline]] Outcome wrong_count(std::size_t n, const char* what, const Json& bound) const {
        return fail("found " + std::to_string(n) + " items that match \"contains\", expected " + what + bound.dump());
    }
    [[gnu::noinline]] Outcome too_many_match(const Json& value, int n) const {
        return fail("found " + brief(value) + ", which matches " + std::to_string(n) + " parts of \"oneOf\", expected exactly one");
    }
    [[gnu::noinline]] Outcome excluded(const Json& value) const { return fail("found " + brief(value) + ", which \"not\" excludes"); }
    [[gnu::noinline]] static const Json* get(const Json& schema, const char* keyword) {
        const auto it = schema.find(keyword);
        return it == schema.end() ? nullptr : &*it;
    }
    bool valid(const Json& schema, const Json& value, Evaluated& seen) { return !check(schema, value, seen); }
    bool valid(const Json& schema, const Json& value) {
        Evaluated ignored;
        return valid(schema, value, ignored);
    }
    [[gnu::noinline]] Outcome check_child(const Json& schema, const Json& value, const std::string& key) {
        const std::size_t length = pointer_.size();
        pointer_ += pointer_step(key);
        Evaluated own;
        Outcome out = check(schema, value, own);
        pointer_.resize(length);
        return out;
    }

    [[gnu::noinline]] Outcome check_object(const Json& schema, const Json& value, Evaluated& seen) {
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
    [[gnu::noinline]] const Json* dynamic_target(const Json& schema) const {
        const Json* target = index_.target(schema, "$dynamicRef");
        if (!target || !target->is_object()) return target;
        const std::string ref = schema["$dynamicRef"];
        const Json* anchor = get(*target, "$dynamicAnchor");
        if (!anchor || *anchor != Json(ref.substr(ref.find('#') + 1))) return target;
        for (const std::string* resource : scope_)
            if (const Json* found = index_.dynamic_anchor(*resource, *anchor)) return found;
        return target;
    }

    [[gnu::noinline]] Outcome check_plain(const Json& schema, const Json& value) const {
        if (const Json* type = get(schema, "type")) {
            bool ok = false;
            std::string names;
            for (const Json& t : type->is_array() ? *type : Json::array({*type})) {
                ok = ok || has_type(value, t);
                names += (names.empty() ? "" : " or ") + t.get<std::string>();
            }
            if (!ok) return found(value, names);
        }
        if (const Json* one = get(schema, "const"); one && *one != value)
            return found(value, brief(*one));
        if (const Json* all = get(schema, "enum"); all && std::find(all->begin(), all->end(), value) == all->end())
            return found(value, "one of " + brief(*all));
        return {};
    }

    [[gnu::noinline]] Outcome check_number(const Json& schema, const Json& value) const {
        const auto expected = [&](const char* what, const Json& bound) { return found(value, what + brief(bound)); };
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

    [[gnu::noinline]] Outcome check_string(const Json& schema, const Json& value) const {
        const auto& text = value.get_ref<const std::string&>();
        if (schema.contains("minLength") || schema.contains("maxLength"))
            if (Outcome bad = check_count(schema, "minLength", "maxLength", n_characters(text), "characters")) return bad;
        if (const Json* k = get(schema, "pattern"); k && !index_.pattern(*k).search(text))
            return found(value, "a text that matches " + k->get<std::string>());
        return {};
    }

    [[gnu::noinline]] Outcome check_properties(const Json& schema, const Json& value, Evaluated& seen) {
        if (Outcome bad = check_count(schema, "minProperties", "maxProperties", value.size(), "properties")) return bad;
        if (const Json* names = get(schema, "required"))
            for (const Json& name : *names)
                if (!value.contains(name.get_ref<const std::string&>())) return missing(name.get_ref<const std::string&>(), nullptr);
        const Json* names = get(schema, "propertyNames");
        const PropertyRules rules{get(schema, "properties"), get(schema, "patternProperties"), get(schema, "additionalProperties")};
        for (const auto& [key, child] : value.get_ref<const Json::object_t&>()) {
            if (names)
                if (Outcome bad = check_name(*names, key)) return bad;
            if (Outcome bad = check_property(rules, key, child, seen)) return bad;
        }
        return {};
    }

    [[gnu::noinline]] Outcome check_name(const Json& rule, const std::string& name) {
        Outcome bad = check_child(rule, Json(name), name);
        if (bad) bad->message = "the name " + bad->message;
        return bad;
    }

    struct PropertyRules {
        const Json *named, *patterns, *others;  // null: absent
    };

    [[gnu::noinline]] Outcome check_property(const PropertyRules& rules, const std::string& key, const Json& child, Evaluated& seen) {
        bool known = false;
        if (rules.named && rules.named->contains(key)) {
            known = true;
            if (Outcome bad = check_child((*rules.named)[key], child, key)) return bad;
        }
        if (rules.patterns)
            for (const auto& [pattern, rule] : rules.patterns->get_ref<const Json::object_t&>()) {
                if (!index_.pattern(pattern).search(key)) continue;
                known = true;
                if (Outcome bad = check_child(rule, child, key)) return bad;
            }
        if (known || rules.others) seen.properties.insert(key);
        if (known || !rules.others) return {};
        if (*rules.others == Json(false)) return unknown(key);
        return check_child(*rules.others, child, key);
    }

    [[gnu::noinline]] Outcome check_unique(const Json& value) const {
        std::vector<const Json*> sorted;
        for (const Json& item : value) sorted.push_back(&item);
        std::sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return *a < *b; });
        for (std::size_t i = 1; i < sorted.size(); ++i)
            if (*sorted[i - 1] == *sorted[i]) return fail("found " + brief(*sorted[i]) + " twice, expected unique items");
        return {};
    }

    [[gnu::noinline]] Outcome check_items(const Json& schema, const Json& value, Evaluated& seen) {
        if (Outcome bad = check_count(schema, "minItems", "maxItems", value.size(), "items")) return bad;
        if (const Json* k = get(schema, "uniqueItems"); k && k->get<bool>())
            if (Outcome bad = check_unique(value)) return bad;
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

    [[gnu::noinline]] Outcome check_contains(const Json& schema, const Json& value, Evaluated& seen) {
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
            return wrong_count(n, double(n) < at_least ? "at least " : "at most ", double(n) < at_least ? Json(std::int64_t(at_least)) : *most);
        return {};
    }

    [[gnu::noinline]] Outcome check_combined(const Json& schema, const Json& value, Evaluated& seen) {
        if (const Json* all = get(schema, "allOf"))
            for (const Json& part : *all)
                if (Outcome bad = check(part, value, seen)) return bad;
        if (const Json* parts = get(schema, "anyOf"))
            if (Outcome bad = check_some(*parts, false, value, seen)) return bad;
        if (const Json* parts = get(schema, "oneOf"))
            if (Outcome bad = check_some(*parts, true, value, seen)) return bad;
        if (const Json* no = get(schema, "not"); no && valid(*no, value)) return excluded(value);
        if (const Json* condition = get(schema, "if")) {
            Evaluated own;
            const bool holds = valid(*condition, value, own);
            if (holds) seen.join(own);
            if (const Json* branch = get(schema, holds ? "then" : "else")) return check(*branch, value, seen);
        }
        return {};
    }

    [[gnu::noinline]] Outcome check_some(const Json& parts, bool only_one, const Json& value, Evaluated& seen) {
        int n = 0;
        Outcome nearest;  // the failure deepest in the value is the most telling
        for (const Json& part : parts) {
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
        return n > 1 && only_one ? too_many_match(value, n) : Outcome();
    }

    [[gnu::noinline]] Outcome check_dependencies(const Json& schema, const Json& value, Evaluated& seen) {
        for (const char* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
            const Json* rules = get(schema, keyword);
            if (!rules || !rules->is_object()) continue;
            for (const auto& [key, rule] : rules->get_ref<const Json::object_t&>()) {
                if (!value.contains(key)) continue;
                if (rule.is_array()) {
                    for (const Json& name : rule)
                        if (name.is_string() && !value.contains(name.get_ref<const std::string&>()))
                            return missing(name.get_ref<const std::string&>(), &key);
                } else if (rule.is_object() || rule.is_boolean()) {
                    if (Outcome bad = check(rule, value, seen)) return bad;
                }
            }
        }
        return {};
    }

    [[gnu::noinline]] Outcome check_unevaluated(const Json& schema, const Json& value, Evaluated& seen) {
        if (const Json* rule = get(schema, "unevaluatedProperties"); rule && value.is_object())
            for (const auto& [key, child] : value.get_ref<const Json::object_t&>())
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
    long n_checks_ = 0;
    Outcome gave_up_;
};

}  // namespace

Result<Schema> Schema::parse(Json schema, const std::map<std::string, Json>& documents) {
    auto index = std::make_shared<SchemaIndex>();
    if (auto ok = index->build(in_current_words(std::move(schema)), documents); !ok) return std::move(ok).error();
    return Schema(std::move(index));
}

Result<void> Schema::validate(const Json& value) const {
    Evaluated seen;
    Checker checker(*index_);
    Outcome bad = checker.check(index_->root(), value, seen);
    if (checker.gave_up()) bad = checker.gave_up();
    if (!bad) return {};
    return error(Code::invalid_argument, bad->pointer + (bad->pointer.empty() ? "" : ": ") + bad->message);
}

const Json& Schema::source() const { return index_->root(); }

}  // namespace base
