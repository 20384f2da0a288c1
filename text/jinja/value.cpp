#include "text/jinja/value.h"

#include <algorithm>
#include <cmath>

namespace text::jinja {
namespace {

constexpr int max_depth = 400;  // of values in values: keeps recursion over them within the stack

int checked(int depth) {
    if (depth > max_depth) throw TemplateError("a value is nested deeper than " + std::to_string(max_depth));
    return depth;
}

// Lists that hold one list many times are small in memory and endless in print.
std::size_t checked(std::size_t weight) {
    constexpr std::size_t most = std::size_t(64) << 20;
    if (weight > most) throw TemplateError("a value is larger than " + std::to_string(most));
    return weight;
}

// The last holder of a chain of values would destroy each inside of the one before.
void bury(Value& value) {
    thread_local std::vector<Value>* waiting = nullptr;  // uncounted: nothing may throw here
    if (!value.is_list() && !value.is_dict() && !value.is_callable()) return;
    if (waiting) return waiting->push_back(std::move(value));
    std::vector<Value> dying;
    waiting = &dying;
    for (dying.push_back(std::move(value)); !dying.empty();) {
        const Value next = std::move(dying.back());
        dying.pop_back();
    }
    waiting = nullptr;
}

}  // namespace

List::~List() {
    for (Value& v : items) bury(v);
}

Dict::~Dict() {
    for (auto& [key, value] : pairs) bury(key), bury(value);
}

Value Value::undefined(std::string why) { return Value(std::in_place, Undefined{counted_text(std::move(why))}); }

std::uint64_t Range::size() const {
    if (by > 0 ? from >= to : from <= to) return 0;
    const std::uint64_t far = by > 0 ? std::uint64_t(to) - std::uint64_t(from) : std::uint64_t(from) - std::uint64_t(to);
    return (far - 1) / (by > 0 ? std::uint64_t(by) : 0 - std::uint64_t(by)) + 1;
}

Value Value::list(Values items, bool tuple) {
    auto list = counted<List>();
    int deepest = 0;
    for (const Value& v : items) {
        deepest = std::max(deepest, v.depth());
        list->weight = checked(list->weight + v.weight());
    }
    list->items = std::move(items);
    list->tuple = tuple;
    list->depth = checked(deepest + 1);
    return Value(std::in_place, std::shared_ptr<const List>(std::move(list)));
}

Value Value::group(Value grouper, Values items) {
    Value out = list({std::move(grouper), list(std::move(items))}, true);
    auto named = counted<List>(*std::get<std::shared_ptr<const List>>(out.held_));
    named->group = true;
    return Value(std::in_place, std::shared_ptr<const List>(std::move(named)));
}

Value Value::range(Range range) {
    auto list = counted<List>();
    list->weight = checked(std::size_t(range.size()) + 1);
    for (std::uint64_t i = 0; i < range.size(); ++i) list->items.emplace_back(std::int64_t(std::uint64_t(range.from) + i * std::uint64_t(range.by)));
    list->range = range;
    return Value(std::in_place, std::shared_ptr<const List>(std::move(list)));
}

Value Value::dict(Pairs pairs) {
    auto dict = counted<Dict>();
    int deepest = 0;
    for (auto& [key, value] : pairs) {
        deepest = std::max({deepest, key.depth(), value.depth()});
        const auto same = [&k = key](const auto& pair) { return equal(pair.first, k); };
        const auto it = std::find_if(dict->pairs.begin(), dict->pairs.end(), same);
        if (it != dict->pairs.end())
            it->second = std::move(value);
        else
            dict->pairs.emplace_back(std::move(key), std::move(value));
    }
    for (const auto& [key, value] : dict->pairs) dict->weight = checked(dict->weight + key.weight() + value.weight());
    dict->depth = checked(deepest + 1);
    return Value(std::in_place, std::shared_ptr<const Dict>(std::move(dict)));
}

Value Value::from_json(const base::OrderedJson& json) {
    if (json.is_null()) return nullptr;
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_float()) return json.get<double>();
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t(INT64_MAX)) return json.get<double>();
    if (json.is_number()) return json.get<std::int64_t>();
    if (json.is_string()) return json.get<std::string>();
    if (json.is_array()) {
        Values items;
        for (const auto& item : json) items.push_back(from_json(item));
        return list(std::move(items));
    }
    auto dict = counted<Dict>();  // keys of a parsed object are unique
    int deepest = 0;
    for (const auto& [key, value] : json.items()) {
        dict->pairs.emplace_back(Value(key), from_json(value));
        deepest = std::max(deepest, dict->pairs.back().second.depth());
    }
    for (const auto& [key, value] : dict->pairs) dict->weight = checked(dict->weight + key.weight() + value.weight());
    dict->depth = checked(deepest + 1);
    return Value(std::in_place, std::shared_ptr<const Dict>(std::move(dict)));
}

bool Value::is_tuple() const { return is_list() && std::get<std::shared_ptr<const List>>(held_)->tuple; }

const Range* Value::as_range() const {
    const auto* held = std::get_if<std::shared_ptr<const List>>(&held_);
    return held && (*held)->range ? &*(*held)->range : nullptr;
}

Namespace* Value::as_namespace() const {
    const auto* held = std::get_if<std::shared_ptr<Namespace>>(&held_);
    return held ? held->get() : nullptr;
}

const std::string& Value::why() const {
    static const std::string none;
    const auto& why = std::get<Undefined>(held_).why;
    return why ? *why : none;
}

std::int64_t Value::integer() const { return is_bool() ? boolean() : std::get<std::int64_t>(held_); }
double Value::number() const { return is_float() ? std::get<double>(held_) : double(integer()); }
const Values& Value::items() const { return std::get<std::shared_ptr<const List>>(held_)->items; }
const Pairs& Value::pairs() const { return std::get<std::shared_ptr<const Dict>>(held_)->pairs; }

int Value::depth() const {
    if (is_list()) return std::get<std::shared_ptr<const List>>(held_)->depth;
    if (is_dict()) return std::get<std::shared_ptr<const Dict>>(held_)->depth;
    return 0;
}

std::size_t Value::weight() const {
    if (is_list()) return std::get<std::shared_ptr<const List>>(held_)->weight;
    if (is_dict()) return std::get<std::shared_ptr<const Dict>>(held_)->weight;
    return is_string() ? string().size() + 1 : 1;
}

const void* Value::identity() const {
    if (is_list()) return std::get<std::shared_ptr<const List>>(held_).get();
    if (is_dict()) return std::get<std::shared_ptr<const Dict>>(held_).get();
    if (is_callable()) return &callable();
    return as_namespace();
}

bool Value::truthy() const {
    if (is_undefined() || is_none()) return false;
    if (is_number()) return number() != 0;
    if (is_string()) return !string().empty();
    if (is_list()) return !items().empty();
    if (is_dict()) return !pairs().empty();
    return true;
}

const Value* Value::find(const Value& key) const {
    for (const auto& [k, v] : pairs())
        if (equal(k, key)) return &v;
    return nullptr;
}

const Value* Value::named(std::string_view name) const {
    if (!is_list() || !std::get<std::shared_ptr<const List>>(held_)->group) return nullptr;
    return name == "grouper" ? &items()[0] : name == "list" ? &items()[1] : nullptr;
}

const char* Value::type_name() const {
    if (is_undefined()) return "Undefined";
    if (is_none()) return "None";
    if (is_bool()) return "bool";
    if (is_int()) return "int";
    if (is_float()) return "float";
    if (is_string()) return "str";
    if (is_list()) return is_tuple() ? "tuple" : as_range() ? "range" : "list";
    if (is_dict()) return "dict";
    return is_callable() ? "function" : "Namespace";
}

const Value* Namespace::find(std::string_view name) const {
    for (const auto& [key, value] : fields)
        if (key == name) return &value;
    return nullptr;
}

void Namespace::set(const std::string& name, Value value) {
    for (auto& [key, held] : fields)
        if (key == name) {
            held = std::move(value);
            return;
        }
    names.add(name.size());
    fields.emplace_back(name, std::move(value));
}

const Value* Arguments::find(std::size_t position, std::string_view name) const {
    if (position < positional.size()) return &positional[position];
    for (const auto& [key, value] : named)
        if (key == name) return &value;
    return nullptr;
}

Value Arguments::get(std::size_t position, std::string_view name, Value otherwise) const {
    const Value* found = find(position, name);
    return found ? *found : std::move(otherwise);
}

bool of_one_type(const Value& a, const Value& b) { return std::string_view(a.type_name()) == b.type_name(); }

bool equal(const Value& a, const Value& b) {
    if (a.is_string() || b.is_string()) return a.is_string() && b.is_string() && a.string() == b.string();
    if (a.is_integral() && b.is_integral()) return a.integer() == b.integer();
    if (a.is_number() && b.is_number()) return a.number() == b.number();
    if (a.is_list() && b.is_list())
        return of_one_type(a, b) &&
               std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), equal);
    if (a.is_dict() && b.is_dict()) {
        if (a.pairs().size() != b.pairs().size()) return false;
        for (const auto& [key, value] : a.pairs()) {
            const Value* other = b.find(key);
            if (!other || !equal(value, *other)) return false;
        }
        return true;
    }
    if (a.is_undefined() && b.is_undefined()) return true;
    if (a.is_none() && b.is_none()) return true;
    return a.identity() && a.identity() == b.identity();
}

bool less(const Value& a, const Value& b) {
    if (a.is_integral() && b.is_integral()) return a.integer() < b.integer();
    if (a.is_number() && b.is_number()) return a.number() < b.number();
    if (a.is_string() && b.is_string()) return a.string() < b.string();  // UTF-8 keeps the order of code points
    if (a.is_list() && of_one_type(a, b) && !a.as_range()) {
        for (std::size_t i = 0; i < std::min(a.items().size(), b.items().size()); ++i)
            if (!equal(a.items()[i], b.items()[i])) return less(a.items()[i], b.items()[i]);
        return a.items().size() < b.items().size();
    }
    throw TemplateError(std::string("'<' not supported between instances of '") + a.type_name() + "' and '" +
                        b.type_name() + "'");
}

}  // namespace text::jinja
