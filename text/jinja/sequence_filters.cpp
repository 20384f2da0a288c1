// Filters of lists and mappings.
#include <algorithm>

#include "text/jinja/filters.h"

namespace text::jinja {
namespace {

// What `attribute` arguments name: "a.b", or an index. A step that leads nowhere is `otherwise`, where there is one.
Value dig(Evaluator& e, Value v, const Value& path, const Value& otherwise = {}) {
    const auto step = [&](const Value& key) {
        v = e.item(v, key);
        if (v.is_undefined() && !otherwise.is_undefined() && !otherwise.is_none()) v = otherwise;
    };
    if (!path.is_string()) return step(path), v;
    const std::string& all = path.string();
    for (std::size_t from = 0; from <= all.size();) {
        const std::size_t dot = std::min(all.find('.', from), all.size());
        const std::string part = all.substr(from, dot - from);
        const bool number = !part.empty() && part.size() < 9 && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
        step(number ? Value(std::int64_t(std::stoi(part))) : Value(part));
        from = dot + 1;
    }
    return v;
}

Value folded(const Value& v) { return v.is_string() ? Value(changed_case(v.string(), false)) : v; }

Values by_attribute(Evaluator& e, const Values& items, const Value& attribute, bool fold, const Value& otherwise = {}) {
    Values keys;
    for (const Value& v : items) {
        Value key = attribute.is_none() ? v : dig(e, v, attribute, otherwise);
        keys.push_back(fold ? folded(key) : key);
    }
    return keys;
}

// The places of the keys in their order.
std::vector<std::size_t> order_of(Evaluator& e, const Values& keys, bool reverse) {
    std::vector<std::size_t> order(keys.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    e.step(keys.size() * 8);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return reverse ? less(keys[b], keys[a]) : less(keys[a], keys[b]); });
    return order;
}

Value sorted(Evaluator& e, const Values& items, const Values& keys, bool reverse) {
    Values out;
    for (const std::size_t i : order_of(e, keys, reverse)) out.push_back(items[i]);
    return Value::list(std::move(out));
}

Value sort(Evaluator& e, const Value& v, const Arguments& a) {
    const Values items = e.iterate(v);
    const Value attribute = a.get(2, "attribute", nullptr);
    const bool fold = !a.get(1, "case_sensitive", false).truthy(), reverse = a.get(0, "reverse", false).truthy();
    if (!attribute.is_string() || attribute.string().find(',') == std::string::npos) return sorted(e, items, by_attribute(e, items, attribute, fold), reverse);
    Vector<Values> keys(items.size());  // by several attributes
    const std::string& all = attribute.string();
    for (std::size_t from = 0; from <= all.size();) {
        const std::size_t comma = std::min(all.find(',', from), all.size());
        const Values column = by_attribute(e, items, Value(all.substr(from, comma - from)), fold);
        for (std::size_t i = 0; i < keys.size(); ++i) keys[i].push_back(column[i]);
        from = comma + 1;
    }
    Values rows;
    for (Values& row : keys) rows.push_back(Value::list(std::move(row)));
    return sorted(e, items, rows, reverse);
}

Value dictsort(Evaluator& e, const Value& v, const Arguments& a) {
    if (!v.is_dict()) throw TemplateError("dictsort wants a mapping");
    const std::string by = to_text(a.get(1, "by", "key"));
    if (by != "key" && by != "value") throw TemplateError("You can only sort by either \"key\" or \"value\"");
    const bool by_value = by == "value", fold = !a.get(0, "case_sensitive", false).truthy();
    Values items, keys;
    for (const auto& [key, value] : v.pairs()) {
        items.push_back(Value::list({key, value}, true));
        keys.push_back(fold ? folded(by_value ? value : key) : by_value ? value : key);
    }
    return sorted(e, items, keys, a.get(2, "reverse", false).truthy());
}

Value groupby(Evaluator& e, const Value& v, const Arguments& a) {
    const Value attribute = a.get(0, "attribute", Value()), otherwise = a.get(1, "default", nullptr);
    if (attribute.is_undefined()) throw TemplateError("groupby wants an attribute");
    const Values items = e.iterate(v), keys = by_attribute(e, items, attribute, !a.get(2, "case_sensitive", false).truthy(), otherwise);
    const auto order = order_of(e, keys, false);
    Values out;
    for (std::size_t i = 0; i < order.size();) {
        const std::size_t first = order[i];
        Values members;
        for (; i < order.size() && equal(keys[order[i]], keys[first]); ++i) members.push_back(items[order[i]]);
        Value grouper = attribute.is_none() ? items[first] : dig(e, items[first], attribute, otherwise);
        out.push_back(Value::group(std::move(grouper), std::move(members)));
    }
    return Value::list(std::move(out));
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
        const std::string text = to_text(attribute.is_none() ? item : dig(e, item, attribute));
        check_size(out.size() + between.size() + text.size());
        if (!std::exchange(first, false)) out += between;
        out += text;
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

Value first(Evaluator& e, const Value& v, const Arguments&) {
    const Values all = e.iterate(v);
    return all.empty() ? Value::undefined("No first item, sequence was empty.") : all.front();
}
Value last(Evaluator& e, const Value& v, const Arguments&) {
    const Values all = e.iterate(v);
    return all.empty() ? Value::undefined("No last item, sequence was empty.") : all.back();
}
Value list(Evaluator& e, const Value& v, const Arguments&) { return Value::list(e.iterate(v)); }

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
    for (const Value& item : e.iterate(v))
        out.push_back(attribute ? dig(e, item, *attribute, a.get(1, "default", {})) : e.filter(to_text(a.positional[0]), item, rest));
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

Value batch(Evaluator& e, const Value& v, const Arguments& a) {
    const std::int64_t size = whole(a, 0, "linecount", 1, "batch");
    if (size < 1) throw TemplateError("batch wants a size of at least 1");
    Values out, row;
    for (const Value& item : e.iterate(v)) {
        row.push_back(item);
        if (std::int64_t(row.size()) == size) out.push_back(Value::list(std::exchange(row, {})));
    }
    const Value fill = a.get(1, "fill_with", nullptr);
    while (!row.empty() && !fill.is_none() && std::int64_t(row.size()) < size) e.step(), row.push_back(fill);
    if (!row.empty()) out.push_back(Value::list(std::move(row)));
    return Value::list(std::move(out));
}

// As many columns as asked for, the first ones longer by one where it does not come out even.
Value slice(Evaluator& e, const Value& v, const Arguments& a) {
    constexpr std::int64_t most = 100'000;
    const std::int64_t slices = whole(a, 0, "slices", 0, "slice");
    if (slices < 1 || slices > most) throw TemplateError("slice wants 1 to " + std::to_string(most) + " slices");
    const Value fill = a.get(1, "fill_with", nullptr);
    const Values all = e.iterate(v);
    e.step(std::size_t(slices));
    const std::size_t each = all.size() / std::size_t(slices), longer = all.size() % std::size_t(slices);
    Values out;
    for (std::size_t i = 0, from = 0; i < std::size_t(slices); ++i) {
        const std::size_t to = from + each + (i < longer ? 1 : 0);
        Values column(all.begin() + long(from), all.begin() + long(to));
        if (!fill.is_none() && i >= longer) column.push_back(fill);
        out.push_back(Value::list(std::move(column)));
        from = to;
    }
    return Value::list(std::move(out));
}

const FilterRow rows[] = {
    {"batch", batch}, {"count", length_of}, {"dictsort", dictsort}, {"first", first}, {"groupby", groupby}, {"items", items}, {"join", join}, {"last", last},
    {"length", length_of}, {"list", list}, {"map", map}, {"max", extreme<true>}, {"min", extreme<false>}, {"reject", select<false, false>},
    {"rejectattr", select<false, true>}, {"reverse", reverse}, {"select", select<true, false>}, {"selectattr", select<true, true>}, {"slice", slice}, {"sort", sort},
    {"sum", sum}, {"unique", unique},
};

}  // namespace

std::span<const FilterRow> sequence_filters() { return rows; }

}  // namespace text::jinja
