// The filters of jinja2, one table row each.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "text/jinja/evaluator.h"

namespace text::jinja {
namespace {

using Function = Value (*)(Evaluator&, const Value&, const Arguments&);
struct Row {
    std::string_view name;
    Function run;
};

// What `attribute` arguments name: "a.b", or an index.
Value dig(Evaluator& e, Value v, const Value& path) {
    if (path.is_integral()) return e.item(v, path);
    const std::string& all = path.string();
    for (std::size_t from = 0; from <= all.size();) {
        const std::size_t dot = std::min(all.find('.', from), all.size());
        const std::string part = all.substr(from, dot - from);
        const bool number = !part.empty() && part.size() < 9 && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
        v = e.item(v, number ? Value(std::int64_t(std::stoi(part))) : Value(part));
        from = dot + 1;
    }
    return v;
}

Value folded(const Value& v) { return v.is_string() ? Value(changed_case(v.string(), false)) : v; }

Values by_attribute(Evaluator& e, const Values& items, const Value& attribute, bool fold) {
    Values keys;
    for (const Value& v : items) {
        Value key = attribute.is_none() ? v : dig(e, v, attribute);
        keys.push_back(fold ? folded(key) : key);
    }
    return keys;
}

Value sorted(Evaluator& e, Values items, const Values& keys, bool reverse) {
    std::vector<std::size_t> order(items.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    e.step(items.size() * 8);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return reverse ? less(keys[b], keys[a]) : less(keys[a], keys[b]); });
    Values out;
    for (std::size_t i : order) out.push_back(items[i]);
    return Value::list(std::move(out));
}

Value sort(Evaluator& e, const Value& v, const Arguments& a) {
    const Values items = e.iterate(v);
    return sorted(e, items, by_attribute(e, items, a.get(2, "attribute", nullptr), !a.get(1, "case_sensitive", false).truthy()), a.get(0, "reverse", false).truthy());
}

Value dictsort(Evaluator& e, const Value& v, const Arguments& a) {
    if (!v.is_dict()) throw TemplateError("dictsort wants a mapping");
    const bool by_value = to_text(a.get(1, "by", "key")) == "value", fold = !a.get(0, "case_sensitive", false).truthy();
    Values items, keys;
    for (const auto& [key, value] : v.pairs()) {
        items.push_back(Value::list({key, value}, true));
        keys.push_back(fold ? folded(by_value ? value : key) : by_value ? value : key);
    }
    return sorted(e, items, keys, a.get(2, "reverse", false).truthy());
}

Value items(Evaluator& e, const Value& v, const Arguments&) {
    if (v.is_undefined()) return Value::list({});
    if (!v.is_dict()) throw TemplateError("Can only get item pairs from a mapping.");
    return e.call(method(v, "items"), {});
}

Value join(Evaluator& e, const Value& v, const Arguments& a) {
    const std::string between = to_text(a.get(0, "d", ""));
    const Value attribute = a.get(1, "attribute", nullptr);
    std::string out;
    bool first = true;
    for (const Value& item : e.iterate(v)) {
        if (!std::exchange(first, false)) out += between;
        out += to_text(attribute.is_none() ? item : dig(e, item, attribute));
        if (out.size() > (std::size_t(64) << 20)) throw TemplateError("the template makes more text than allowed");
    }
    return e.made(std::move(out));
}

Value length_of(Evaluator&, const Value& v, const Arguments&) {
    if (v.is_undefined()) return 0;
    if (v.is_string()) return std::int64_t(length(v.string()));
    if (v.is_list()) return std::int64_t(v.items().size());
    if (v.is_dict()) return std::int64_t(v.pairs().size());
    throw TemplateError(std::string("object of type '") + v.type_name() + "' has no len()");
}

Value default_value(Evaluator&, const Value& v, const Arguments& a) {
    const bool missing = v.is_undefined() || (a.get(1, "boolean", false).truthy() && !v.truthy());
    return missing ? a.get(0, "default_value", "") : v;
}

Value tojson(Evaluator& e, const Value& v, const Arguments& a) {
    JsonStyle style;
    style.ascii = a.get(0, "ensure_ascii", false).truthy();
    const Value indent = a.get(1, "indent", nullptr), separators = a.get(2, "separators", nullptr);
    style.sort_keys = a.get(3, "sort_keys", false).truthy();
    if (indent.is_integral()) {
        style.indent = int(std::clamp<std::int64_t>(indent.integer(), 0, 100));
        style.indent_text.assign(std::size_t(style.indent), ' ');
    } else if (indent.is_string()) {
        style.indent = 0;
        style.indent_text = indent.string();
    }
    if (style.indent >= 0) style.item_separator = ",";
    if (separators.is_list() && separators.items().size() == 2) {
        style.item_separator = to_text(separators.items()[0]);
        style.key_separator = to_text(separators.items()[1]);
    }
    return e.made(to_json(v, style));
}

Value trim(Evaluator& e, const Value& v, const Arguments& a) {
    const Value set = a.get(0, "chars", nullptr);
    return e.made(strip(to_text(v), set.is_string() ? &set.string() : nullptr, true, true), v.is_safe());
}

Value replace(Evaluator& e, const Value& v, const Arguments& a) {
    const Value count = a.get(2, "count", nullptr);
    return e.made(replaced(to_text(v), to_text(a.get(0, "old", "")), to_text(a.get(1, "new", "")), count.is_integral() ? count.integer() : -1));
}

Value indent(Evaluator& e, const Value& v, const Arguments& a) {
    const Value width = a.get(0, "width", 4);
    const bool first = a.get(1, "first", false).truthy(), blank = a.get(2, "blank", false).truthy();
    const std::string pad = width.is_string() ? width.string() : std::string(std::size_t(std::clamp<std::int64_t>(width.is_integral() ? width.integer() : 4, 0, 10000)), ' ');
    const std::string text = to_text(v);
    std::string out;
    bool begins = true;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        const bool is_first = std::exchange(begins, false);
        if (!is_first) out += '\n';
        if (is_first ? first : blank || end > from) out += pad;
        out.append(text, from, end - from);
        if (out.size() > (std::size_t(64) << 20)) throw TemplateError("the template makes more text than allowed");
        from = end + 1;
    }
    return e.made(std::move(out));
}

Value first(Evaluator& e, const Value& v, const Arguments&) {
    const Values all = e.iterate(v);
    return all.empty() ? Value::undefined("No first item, sequence was empty.") : all.front();
}
Value last(Evaluator& e, const Value& v, const Arguments&) {
    const Values all = e.iterate(v);
    return all.empty() ? Value::undefined("No last item, sequence was empty.") : all.back();
}
Value list(Evaluator& e, const Value& v, const Arguments&) { return Value::list(e.iterate(v)); }
Value string(Evaluator& e, const Value& v, const Arguments&) { return v.is_string() ? v : e.made(to_text(v)); }
Value safe(Evaluator& e, const Value& v, const Arguments&) { return e.made(to_text(v), true); }
Value escape(Evaluator& e, const Value& v, const Arguments&) { return v.is_safe() ? v : e.made(escaped(to_text(v)), true); }
Value upper(Evaluator& e, const Value& v, const Arguments&) { return e.made(changed_case(to_text(v), true), v.is_safe()); }
Value lower(Evaluator& e, const Value& v, const Arguments&) { return e.made(changed_case(to_text(v), false), v.is_safe()); }
Value capitalize(Evaluator& e, const Value& v, const Arguments&) { return e.made(capitalized(to_text(v))); }
Value title(Evaluator& e, const Value& v, const Arguments&) { return e.made(titled(to_text(v))); }
Value attr(Evaluator& e, const Value& v, const Arguments& a) { return e.attribute(v, to_text(a.get(0, "name", ""))); }

Value absolute(Evaluator&, const Value& v, const Arguments&) {
    if (v.is_float()) return std::fabs(v.number());
    if (!v.is_integral()) throw TemplateError("abs wants a number");
    return std::abs(v.integer());
}

Value integer(Evaluator&, const Value& v, const Arguments& a) {
    const Value otherwise = a.get(0, "default", 0), base = a.get(1, "base", 10);
    if (v.is_integral()) return v.integer();
    if (v.is_float()) return std::fabs(v.number()) < 9e18 ? Value(std::int64_t(v.number())) : otherwise;
    if (!v.is_string() || !base.is_integral()) return otherwise;
    const std::string text = strip(v.string(), nullptr, true, true);
    char* end = nullptr;
    const long long n = std::strtoll(text.c_str(), &end, int(base.integer()));
    if (!text.empty() && !*end) return std::int64_t(n);
    const double d = std::strtod(text.c_str(), &end);
    return !text.empty() && !*end && std::fabs(d) < 9e18 ? Value(std::int64_t(d)) : otherwise;
}

Value real(Evaluator&, const Value& v, const Arguments& a) {
    if (v.is_number()) return v.number();
    const std::string text = v.is_string() ? strip(v.string(), nullptr, true, true) : "";
    char* end = nullptr;
    const double d = std::strtod(text.c_str(), &end);
    return !text.empty() && !*end ? Value(d) : a.get(0, "default", 0.0);
}

Value round(Evaluator&, const Value& v, const Arguments& a) {
    if (!v.is_number()) throw TemplateError("round wants a number");
    const Value precision = a.get(0, "precision", 0);
    const std::string how = to_text(a.get(1, "method", "common"));
    const double scale = std::pow(10.0, double(precision.is_integral() ? precision.integer() : 0)), x = v.number() * scale;
    return (how == "ceil" ? std::ceil(x) : how == "floor" ? std::floor(x) : std::nearbyint(x)) / scale;
}

Value reverse(Evaluator& e, const Value& v, const Arguments&) {
    Values all = e.iterate(v);
    std::reverse(all.begin(), all.end());
    if (!v.is_string()) return Value::list(std::move(all));
    std::string out;
    for (const Value& c : all) out += c.string();
    return e.made(std::move(out));
}

Value unique(Evaluator& e, const Value& v, const Arguments& a) {
    const Values all = e.iterate(v), keys = by_attribute(e, all, a.get(1, "attribute", nullptr), !a.get(0, "case_sensitive", false).truthy());
    Values out, seen;
    for (std::size_t i = 0; i < all.size(); ++i) {
        e.step(seen.size());
        if (std::any_of(seen.begin(), seen.end(), [&](const Value& s) { return equal(s, keys[i]); })) continue;
        seen.push_back(keys[i]);
        out.push_back(all[i]);
    }
    return Value::list(std::move(out));
}

template <bool largest>
Value extreme(Evaluator& e, const Value& v, const Arguments& a) {
    const Values all = e.iterate(v), keys = by_attribute(e, all, a.get(1, "attribute", nullptr), !a.get(0, "case_sensitive", false).truthy());
    if (all.empty()) return Value::undefined("No aggregated item, sequence was empty.");
    std::size_t best = 0;
    for (std::size_t i = 1; i < all.size(); ++i)
        if (largest ? less(keys[best], keys[i]) : less(keys[i], keys[best])) best = i;
    return all[best];
}

Value sum(Evaluator& e, const Value& v, const Arguments& a) {
    const Value attribute = a.get(0, "attribute", nullptr);
    Value total = a.get(1, "start", 0);
    for (const Value& item : e.iterate(v)) total = e.binary("+", total, attribute.is_none() ? item : dig(e, item, attribute));
    return total;
}

Value map(Evaluator& e, const Value& v, const Arguments& a) {
    Values out;
    const Value* attribute = a.positional.empty() ? a.find(0, "attribute") : nullptr;
    if (!attribute && a.positional.empty()) throw TemplateError("map requires a filter argument");
    if (!v.truthy()) return Value::list({});  // jinja2 passes over none as over an empty list
    Arguments rest;
    if (!attribute) rest.positional.assign(a.positional.begin() + 1, a.positional.end());
    for (const auto& named : a.named)
        if (!attribute) rest.named.push_back(named);
    for (const Value& item : e.iterate(v)) {
        Value mapped = attribute ? dig(e, item, *attribute) : e.filter(to_text(a.positional[0]), item, rest);
        if (attribute && mapped.is_undefined()) mapped = a.get(1, "default", mapped);
        out.push_back(std::move(mapped));
    }
    return Value::list(std::move(out));
}

template <bool wanted, bool attributes>
Value select(Evaluator& e, const Value& v, const Arguments& a) {
    if (attributes && a.positional.empty()) throw TemplateError("Missing parameter for attribute name");
    if (!v.truthy()) return Value::list({});
    Arguments rest;
    const std::size_t at = attributes ? 1 : 0;
    if (a.positional.size() > at) rest.positional.assign(a.positional.begin() + long(at) + 1, a.positional.end());
    Values out;
    for (const Value& item : e.iterate(v)) {
        const Value subject = attributes ? dig(e, item, a.positional[0]) : item;
        const bool is = a.positional.size() > at ? e.test(to_text(a.positional[at]), subject, rest) : subject.truthy();
        if (is == wanted) out.push_back(item);
    }
    return Value::list(std::move(out));
}

Value format(Evaluator& e, const Value& v, const Arguments& a) { return e.made(formatted(e, to_text(v), a)); }

Value wordcount(Evaluator& e, const Value& v, const Arguments&) {
    const Value words = e.call(method(Value(to_text(v)), "split"), {});
    return std::int64_t(words.items().size());
}

Value truncate(Evaluator& e, const Value& v, const Arguments& a) {
    const auto all = characters(to_text(v));
    const Value limit = a.get(0, "length", 255), leeway = a.get(3, "leeway", 5);
    const bool kill = a.get(1, "killwords", false).truthy();
    const std::string end = to_text(a.get(2, "end", "..."));
    const auto most = std::int64_t(limit.is_integral() ? limit.integer() : 255);
    if (std::int64_t(all.size()) <= most + (leeway.is_integral() ? leeway.integer() : 5)) return e.made(to_text(v));
    std::string out;
    for (std::int64_t i = 0; i < most - std::int64_t(length(end)); ++i) out += all[std::size_t(i)];
    if (!kill && out.rfind(' ') != std::string::npos) out.resize(out.rfind(' '));
    return e.made(out + end);
}

Value batch(Evaluator& e, const Value& v, const Arguments& a) {
    const Value size = a.get(0, "linecount", 1);
    if (!size.is_integral() || size.integer() < 1) throw TemplateError("batch wants a size of at least 1");
    Values out, row;
    for (const Value& item : e.iterate(v)) {
        row.push_back(item);
        if (std::int64_t(row.size()) == size.integer()) out.push_back(Value::list(std::exchange(row, {})));
    }
    const Value fill = a.get(1, "fill_with", nullptr);
    while (!row.empty() && !fill.is_none() && std::int64_t(row.size()) < size.integer()) e.step(), row.push_back(fill);
    if (!row.empty()) out.push_back(Value::list(std::move(row)));
    return Value::list(std::move(out));
}

const Row filters[] = {
    {"abs", absolute}, {"attr", attr}, {"batch", batch}, {"capitalize", capitalize}, {"count", length_of},
    {"d", default_value}, {"default", default_value}, {"dictsort", dictsort}, {"e", escape}, {"escape", escape},
    {"first", first}, {"float", real}, {"format", format}, {"indent", indent}, {"int", integer}, {"items", items},
    {"join", join}, {"last", last}, {"length", length_of}, {"list", list}, {"lower", lower}, {"map", map},
    {"max", extreme<true>}, {"min", extreme<false>}, {"reject", select<false, false>}, {"rejectattr", select<false, true>},
    {"replace", replace}, {"reverse", reverse}, {"round", round}, {"safe", safe}, {"select", select<true, false>},
    {"selectattr", select<true, true>}, {"sort", sort}, {"string", string}, {"sum", sum}, {"title", title},
    {"tojson", tojson}, {"trim", trim}, {"truncate", truncate}, {"unique", unique}, {"upper", upper}, {"wordcount", wordcount},
};

const Row* find(std::string_view name) {
    const auto it = std::find_if(std::begin(filters), std::end(filters), [&](const Row& r) { return r.name == name; });
    return it == std::end(filters) ? nullptr : it;
}

}  // namespace

bool filter_exists(std::string_view name) { return find(name) != nullptr; }

Value Evaluator::filter(const std::string& name, const Value& value, const Arguments& a) {
    step();
    const Row* row = find(name);
    if (!row) throw TemplateError("No filter named '" + name + "'.");
    return row->run(*this, value, a);
}

}  // namespace text::jinja
