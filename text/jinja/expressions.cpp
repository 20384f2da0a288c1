// Expressions of the evaluator.
#include <algorithm>
#include <cmath>

#include "text/jinja/evaluator.h"

namespace text::jinja {
using Kind = Expr::Kind;

namespace {

[[noreturn]] void use_of(const Value& undefined) { throw TemplateError(undefined.why()); }

std::int64_t index_of(const Value& v) {
    if (!v.is_integral()) throw TemplateError("indices must be integers");
    return v.integer();
}

Value negative(const Value& v) {
    if (v.is_undefined()) use_of(v);
    if (v.is_float()) return -v.number();
    if (!v.is_integral() || v.integer() == INT64_MIN) throw TemplateError(std::string("bad operand type for unary -: '") + v.type_name() + "'");
    return -v.integer();
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0); }

Value integer_arithmetic(const std::string& op, std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    bool over = false;
    if (op == "+") over = __builtin_add_overflow(a, b, &out);
    if (op == "-") over = __builtin_sub_overflow(a, b, &out);
    if (op == "*") over = __builtin_mul_overflow(a, b, &out);
    if (op == "//" || op == "%" || op == "/") {
        if (b == 0) throw TemplateError("division by zero");
        if (op == "/") return double(a) / double(b);
        over = a == INT64_MIN && b == -1;
        if (!over) out = op == "//" ? floor_div(a, b) : a - floor_div(a, b) * b;
    }
    if (op == "**") {
        if (b < 0) return std::pow(double(a), double(b));
        out = 1;
        if (b > 64 && a != 0 && a != 1 && a != -1) over = true;
        for (std::int64_t i = 0, n = b > 64 ? b % 2 + 2 : b; i < n && !over; ++i) over = __builtin_mul_overflow(out, a, &out);
    }
    if (over) throw TemplateError("an integer is too large: they end at " + std::to_string(INT64_MAX));
    return out;
}

// Its items from `from` to `to`, each `by`th.
Range part_of(const Range& range, std::int64_t from, std::int64_t to, std::int64_t by) {
    const auto item = [&](std::int64_t start, std::int64_t i) {
        std::int64_t out = 0;
        if (__builtin_mul_overflow(range.by, i, &out) || __builtin_add_overflow(start, out, &out)) throw TemplateError("a range reaches beyond " + std::to_string(INT64_MAX));
        return out;
    };
    return {item(range.from, from), item(range.from, to), item(0, by)};
}

Value float_arithmetic(const std::string& op, double a, double b) {
    if (op == "+") return a + b;
    if (op == "-") return a - b;
    if (op == "*") return a * b;
    if (op == "**") return std::pow(a, b);
    if (b == 0) throw TemplateError("division by zero");
    if (op == "/") return a / b;
    return op == "//" ? std::floor(a / b) : a - std::floor(a / b) * b;
}

}  // namespace

// Each call may stand deep in an expression of its own: both together are bounded, for the sake of the stack.
class Evaluator::Expressions {
public:
    explicit Expressions(Evaluator& e) : e_(e) {
        constexpr int most = 2000;
        if (++e_.expressions_ > most) throw TemplateError("expressions in calls are nested deeper than " + std::to_string(most));
    }
    ~Expressions() { --e_.expressions_; }

private:
    Evaluator& e_;
};

Value Evaluator::eval(const Expr& e) {
    const Expressions nested(*this);
    step();
    switch (e.kind) {
        case Kind::constant: return e.value;
        case Kind::refused: throw TemplateError(e.text);
        case Kind::name: return name(e);
        case Kind::list:
        case Kind::tuple: {
            Values items;
            for (const auto& part : e.parts) items.push_back(eval(*part));
            return Value::list(std::move(items), e.kind == Kind::tuple);
        }
        case Kind::dict: return dict(e);
        case Kind::attribute: return attribute(eval(*e.parts[0]), e.text);
        case Kind::item: {
            const Value object = eval(*e.parts[0]);
            return item(object, eval(*e.parts[1]));
        }
        case Kind::slice: return slice(e);
        case Kind::call: {
            const Value callee = eval(*e.parts[0]);
            return call(callee, arguments(e));
        }
        case Kind::filter: {
            const Value input = e.parts[0] ? eval(*e.parts[0]) : *piped_;
            return filter(e.text, input, arguments(e));
        }
        case Kind::test: {
            const Value input = eval(*e.parts[0]);
            return test(e.text, input, arguments(e));
        }
        case Kind::unary: return unary(e);
        case Kind::binary: return binary_expression(e);
        case Kind::compare: return compare(e);
        case Kind::conditional:
            if (eval(*e.parts[0]).truthy()) return eval(*e.parts[1]);
            return e.parts[2] ? eval(*e.parts[2]) : Value::undefined("the inline if-expression evaluated to false and no else section was defined.");
    }
    return {};
}

Value Evaluator::pipe(const Expr& filter, const Value& input) {
    const Value* outer = std::exchange(piped_, &input);
    Value out = eval(filter);
    piped_ = outer;
    return out;
}

Value Evaluator::name(const Expr& e) {
    const Value* found = scope_->find(e.text);
    return found ? *found : Value::undefined("'" + e.text + "' is undefined");
}

Value Evaluator::dict(const Expr& e) {
    Pairs pairs;
    for (std::size_t i = 0; i < e.parts.size(); i += 2) {
        Value key = eval(*e.parts[i]);
        pairs.emplace_back(std::move(key), eval(*e.parts[i + 1]));
    }
    return Value::dict(std::move(pairs));
}

Value Evaluator::unary(const Expr& e) {
    const Value v = eval(*e.parts[0]);
    if (e.text == "not") return !v.truthy();
    if (e.text == "-") return negative(v);
    if (!v.is_number()) throw TemplateError("bad operand type for unary +");
    return v;
}

Value Evaluator::binary_expression(const Expr& e) {
    const Value a = eval(*e.parts[0]);
    if (e.text == "and") return a.truthy() ? eval(*e.parts[1]) : a;
    if (e.text == "or") return a.truthy() ? a : eval(*e.parts[1]);
    return binary(e.text, a, eval(*e.parts[1]));
}

Value Evaluator::binary(const std::string& op, const Value& a, const Value& b) {
    if (op == "~") {
        std::string text = to_text(a);
        const std::string more = to_text(b);
        check_size(text.size() + more.size());
        return made(std::move(text += more));
    }
    if (a.is_undefined()) use_of(a);
    if (b.is_undefined()) use_of(b);
    if (op == "%" && a.is_string()) {
        Arguments args;
        if (b.is_tuple())
            args.positional = b.items();
        else
            args.positional.push_back(b);
        return made(formatted(*this, a.string(), args), a.is_safe());
    }
    if (a.is_integral() && b.is_integral()) return integer_arithmetic(op, a.integer(), b.integer());
    if (a.is_number() && b.is_number()) return float_arithmetic(op, a.number(), b.number());
    if (op == "+" && a.is_string() && b.is_string()) {
        const bool safe = a.is_safe() || b.is_safe();
        return made((safe && !a.is_safe() ? escaped(a.string()) : a.string()) + (safe && !b.is_safe() ? escaped(b.string()) : b.string()), safe);
    }
    if (op == "+" && a.is_list() && of_one_type(a, b) && !a.as_range()) {
        Values items = a.items();
        step(items.size() + b.items().size());
        items.insert(items.end(), b.items().begin(), b.items().end());
        return Value::list(std::move(items), a.is_tuple());
    }
    if (op == "*" && b.is_integral() && (a.is_string() || (a.is_list() && !a.as_range()))) {
        const std::size_t n = std::size_t(std::max<std::int64_t>(b.integer(), 0));
        const std::size_t size = a.is_string() ? a.string().size() : a.items().size();
        if (size && n > 50'000'000 / size) throw TemplateError("a repetition is too large");
        std::string text;
        Values items;
        if (a.is_list()) step(n * size);
        for (std::size_t i = 0; size && i < n; ++i) {
            if (a.is_string()) text += a.string();
            if (a.is_list()) items.insert(items.end(), a.items().begin(), a.items().end());
        }
        return a.is_string() ? made(std::move(text)) : Value::list(std::move(items), a.is_tuple());
    }
    if (op == "*" && a.is_integral() && (b.is_string() || (b.is_list() && !b.as_range()))) return binary(op, b, a);
    throw TemplateError("unsupported operand type(s) for " + op + ": '" + a.type_name() + "' and '" + b.type_name() + "'");
}

bool Evaluator::compare(const Expr& e) {
    Value left = eval(*e.parts[0]);
    for (std::size_t i = 0; i < e.operators.size(); ++i) {
        Value right = eval(*e.parts[i + 1]);
        if (!compare_one(e.operators[i], left, right)) return false;
        left = std::move(right);
    }
    return true;
}

bool Evaluator::compare_one(const std::string& op, const Value& a, const Value& b) {
    if (op == "==") return equal(a, b);
    if (op == "!=") return !equal(a, b);
    if (op == "in") return contains(b, a);
    if (op == "not in") return !contains(b, a);
    if (a.is_undefined()) use_of(a);
    if (b.is_undefined()) use_of(b);
    if (op == "<") return less(a, b);
    if (op == ">") return less(b, a);
    return op == "<=" ? !less(b, a) : !less(a, b);
}

bool Evaluator::contains(const Value& container, const Value& item) {
    if (container.is_string()) {
        if (!item.is_string()) throw TemplateError(std::string("'in <string>' requires string as left operand, not ") + item.type_name());
        return container.string().find(item.string()) != std::string::npos;
    }
    if (container.is_dict()) return container.find(item) != nullptr;
    const Values items = iterate(container);
    return std::any_of(items.begin(), items.end(), [&](const Value& v) { return equal(v, item); });
}

Values Evaluator::iterate(const Value& v) {
    if (v.is_undefined()) return {};
    Values out;
    if (v.is_list())
        out = v.items();
    else if (v.is_dict())
        for (const auto& pair : v.pairs()) out.push_back(pair.first);
    else if (v.is_string())
        for (auto& c : characters(v.string())) out.emplace_back(std::move(c));
    else
        throw TemplateError(std::string("'") + v.type_name() + "' object is not iterable");
    step(out.size());
    return out;
}

Value Evaluator::slice(const Expr& e) {
    const Value object = eval(*e.parts[0]);
    Value bound[3] = {nullptr, nullptr, nullptr};
    for (int i = 0; i < 3; ++i)
        if (e.parts[std::size_t(i + 1)]) bound[i] = eval(*e.parts[std::size_t(i + 1)]);
    if (!object.is_string() && !object.is_list()) return Value::undefined(std::string("'") + object.type_name() + "' object cannot be sliced");
    const std::int64_t by = bound[2].is_none() ? 1 : index_of(bound[2]);
    if (by == 0) throw TemplateError("slice step cannot be zero");
    const auto starts = object.is_string() ? bounds_of(object.string()) : Vector<std::size_t>{};
    const auto n = std::int64_t(object.is_string() ? starts.size() - 1 : object.items().size());
    step(std::size_t(n));
    const auto clamp = [&](const Value& v, std::int64_t otherwise) {
        if (v.is_none()) return otherwise;
        std::int64_t i = index_of(v);
        if (i < 0) i = i < -n ? -1 : i + n;
        else if (i > n) i = n;
        return by > 0 ? std::clamp<std::int64_t>(i, 0, n) : std::clamp<std::int64_t>(i, -1, n - 1);
    };
    const std::int64_t from = clamp(bound[0], by > 0 ? 0 : n - 1), to = clamp(bound[1], by > 0 ? n : -1);
    const std::int64_t stride = std::clamp<std::int64_t>(by, -n - 1, n + 1);
    if (const Range* range = object.as_range()) return Value::range(part_of(*range, from, to, stride));
    Values picked;
    std::string text;
    for (std::int64_t i = from; by > 0 ? i < to : i > to; i += stride) {
        const auto at = std::size_t(i);
        if (object.is_list()) picked.push_back(object.items()[at]);
        else text.append(object.string(), starts[at], starts[at + 1] - starts[at]);
    }
    return object.is_list() ? Value::list(std::move(picked), object.is_tuple()) : made(std::move(text));
}

Arguments Evaluator::arguments(const Expr& e) {
    Arguments a;
    for (const auto& part : e.arguments) a.positional.push_back(eval(*part));
    if (e.spread)
        for (Value& v : iterate(eval(*e.spread))) a.positional.push_back(std::move(v));
    for (const auto& [name, part] : e.named) a.named.emplace_back(name, eval(*part));
    if (e.named_spread) {
        const Value more = eval(*e.named_spread);
        if (!more.is_dict()) throw TemplateError("what follows ** must be a mapping");
        for (const auto& [key, value] : more.pairs()) {
            a.named.emplace_back(to_text(key), value);
            a.names.add(a.named.back().first.size());
        }
    }
    return a;
}

Value Evaluator::call(const Value& callee, const Arguments& a) {
    if (callee.is_undefined()) use_of(callee);
    if (!callee.is_callable() || !callee.callable().call) throw TemplateError(std::string("'") + callee.type_name() + "' object is not callable");
    const Value alive = callee;
    return alive.callable().call(*this, a);
}

Value Evaluator::attribute(const Value& object, const std::string& name) {
    if (object.is_undefined()) use_of(object);
    if (Namespace* ns = object.as_namespace()) {
        if (const Value* v = ns->find(name)) return *v;
    } else if (object.is_callable()) {
        for (const auto& [key, value] : object.callable().fields)
            if (key == name) return value;
        if (object.callable().computed_field)
            if (const Value* v = object.callable().computed_field(name)) return *v;
    } else {
        if (const Value* v = object.named(name)) return *v;
        Value m = method(object, name);
        if (!m.is_undefined() || !m.why().empty()) return m;
        if (object.is_dict())
            if (const Value* v = object.find(Value(name))) return *v;
    }
    return Value::undefined(std::string("'") + object.type_name() + " object' has no attribute '" + name + "'");
}

Value Evaluator::item(const Value& object, const Value& key) {
    if (object.is_undefined()) use_of(object);
    if (object.is_dict()) {
        if (const Value* v = object.find(key)) return *v;
    } else if ((object.is_list() || object.is_string()) && key.is_integral()) {
        const auto starts = object.is_string() ? bounds_of(object.string()) : Vector<std::size_t>{};
        if (object.is_string()) step(starts.size());
        const auto n = std::int64_t(object.is_string() ? starts.size() - 1 : object.items().size()), i = key.integer() < 0 ? key.integer() + n : key.integer();
        const auto at = std::size_t(i);
        if (i >= 0 && i < n) return object.is_string() ? Value(object.string().substr(starts[at], starts[at + 1] - starts[at])) : object.items()[at];
    }
    if (key.is_string()) {
        if (const Value* v = object.named(key.string())) return *v;
        Value m = object.as_namespace() || object.is_callable() ? attribute(object, key.string()) : method(object, key.string());
        if (!m.is_undefined() || !m.why().empty()) return m;
    }
    return Value::undefined(std::string("'") + object.type_name() + " object' has no attribute '" + to_text(key) + "'");
}

}  // namespace text::jinja
