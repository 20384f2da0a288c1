// Values of the template language: Python's str, int, float, bool, None, list, tuple and dict as
// far as templates can see them, jinja2's Undefined and namespace, and things that can be called.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "text/jinja/memory.h"

namespace text::jinja {

// Ends parsing or rendering. `raised` is the template's own raise_exception.
struct TemplateError : std::runtime_error {
    explicit TemplateError(const std::string& message, bool raised = false)
        : std::runtime_error(message), raised(raised) {}
    bool raised;
};

class Value;
class Evaluator;
using Values = Vector<Value>;
using Pairs = Vector<std::pair<Value, Value>>;
using Fields = Vector<std::pair<std::string, Value>>;

struct Arguments;
struct List;
struct Dict;
struct Namespace;
struct Callable;

struct Undefined {
    std::shared_ptr<const std::string> why;  // the error of whoever uses it; null: none is told
};
struct Range {  // Python's
    std::int64_t from, to, by;
    std::uint64_t size() const;
};
struct Str {
    std::shared_ptr<const std::string> text;
    bool safe = false;  // markupsafe.Markup: `+` escapes what is added to it
};

class Value {
public:
    Value() : held_(Undefined{}) {}
    Value(std::nullptr_t) : held_(nullptr) {}
    Value(bool b) : held_(b) {}
    Value(int i) : held_(std::int64_t(i)) {}
    Value(std::int64_t i) : held_(i) {}
    Value(double d) : held_(d) {}
    Value(std::string s, bool safe = false) : held_(Str{counted_text(std::move(s)), safe}) {}
    Value(const char* s) : Value(std::string(s)) {}
    Value(std::shared_ptr<Callable> c) : held_(std::move(c)) {}
    Value(std::shared_ptr<Namespace> n) : held_(std::move(n)) {}
    static Value undefined(std::string why);
    static Value list(Values items, bool tuple = false);  // throws when nested too deeply or too heavy
    static Value group(Value grouper, Values items);      // a tuple of both, which has them as .grouper and .list too
    static Value range(Range range);                      // a list of as many items as it has, that is shown as how it was made
    static Value dict(Pairs pairs);                        // later pairs replace earlier ones of an equal key
    static Value from_json(const base::OrderedJson& json);

    bool is_undefined() const { return std::holds_alternative<Undefined>(held_); }
    bool is_none() const { return std::holds_alternative<std::nullptr_t>(held_); }
    bool is_bool() const { return std::holds_alternative<bool>(held_); }
    bool is_int() const { return std::holds_alternative<std::int64_t>(held_); }
    bool is_integral() const { return is_int() || is_bool(); }
    bool is_float() const { return std::holds_alternative<double>(held_); }
    bool is_number() const { return is_integral() || is_float(); }
    bool is_string() const { return std::holds_alternative<Str>(held_); }
    bool is_safe() const { return is_string() && std::get<Str>(held_).safe; }
    bool is_list() const { return std::holds_alternative<std::shared_ptr<const List>>(held_); }  // or tuple, or range
    bool is_tuple() const;
    const Range* as_range() const;
    bool is_dict() const { return std::holds_alternative<std::shared_ptr<const Dict>>(held_); }
    bool is_callable() const { return std::holds_alternative<std::shared_ptr<Callable>>(held_); }
    Namespace* as_namespace() const;

    const std::string& why() const;
    bool boolean() const { return std::get<bool>(held_); }
    std::int64_t integer() const;  // of is_integral()
    double number() const;         // of is_number()
    const std::string& string() const { return *std::get<Str>(held_).text; }
    const Values& items() const;
    const Pairs& pairs() const;
    Callable& callable() const { return *std::get<std::shared_ptr<Callable>>(held_); }
    int depth() const;
    std::size_t weight() const;  // values and bytes of text when written out, shared parts counted each time
    const void* identity() const;  // of lists, dicts, namespaces and callables

    bool truthy() const;
    const Value* find(const Value& key) const;  // of a dict
    const Value* named(std::string_view name) const;  // an item of a group; null of anything else
    const char* type_name() const;              // Python's

private:
    template <class T>
    explicit Value(std::in_place_t, T held) : held_(std::move(held)) {}
    std::variant<Undefined, std::nullptr_t, bool, std::int64_t, double, Str, std::shared_ptr<const List>,
                 std::shared_ptr<const Dict>, std::shared_ptr<Namespace>, std::shared_ptr<Callable>>
        held_;
};

// What they hold dies after them, not inside of them: methods and loops hold values whose depth nobody counts.
struct List {
    ~List();
    Values items;
    bool tuple = false, group = false;
    std::optional<Range> range;
    int depth = 1;
    std::size_t weight = 1;
};
struct Dict {
    ~Dict();
    Pairs pairs;  // in order of insertion
    int depth = 1;
    std::size_t weight = 1;
};
struct Namespace {
    Fields fields;
    Charge names;  // of the fields
    const Value* find(std::string_view name) const;
    void set(const std::string& name, Value value);
};
struct Arguments {
    Values positional;
    Fields named;
    Charge names;  // of those that a mapping named

    const Value* find(std::size_t position, std::string_view name) const;
    Value get(std::size_t position, std::string_view name, Value otherwise) const;
};
struct Callable {
    std::function<Value(Evaluator&, const Arguments&)> call;
    Fields fields;                                                   // attributes: loop.index, macro.name
    std::function<const Value*(const std::string&)> computed_field;  // may be empty
};

bool of_one_type(const Value& a, const Value& b);
bool equal(const Value& a, const Value& b);
bool less(const Value& a, const Value& b);  // throws for types without an order between them

// Python's str(), repr() and json.dumps(). Throw on what is nested too deeply or cannot be JSON.
std::string to_text(const Value& value);
std::string repr(const Value& value);
struct JsonStyle {
    bool ascii = false, sort_keys = false;
    int indent = -1;  // -1: one line
    std::string indent_text, item_separator = ", ", key_separator = ": ";
};
std::string to_json(const Value& value, const JsonStyle& style);

}  // namespace text::jinja
