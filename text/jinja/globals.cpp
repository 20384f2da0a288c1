// What every template finds: range, dict, namespace, cycler, joiner, and what transformers adds.
#include <algorithm>
#include <cmath>
#include <ctime>

#include "text/jinja/evaluator.h"

namespace text::jinja {
namespace {

constexpr std::uint64_t max_range = 100'000;

Value range(Evaluator& e, const Arguments& a) {
    std::int64_t from = 0, to = 0, by = 1;
    for (const Value& v : a.positional)
        if (!v.is_integral()) throw TemplateError("range() wants integers");
    if (a.positional.empty() || a.positional.size() > 3) throw TemplateError("range() takes 1 to 3 arguments");
    if (a.positional.size() == 1) to = a.positional[0].integer();
    if (a.positional.size() > 1) from = a.positional[0].integer(), to = a.positional[1].integer();
    if (a.positional.size() > 2) by = a.positional[2].integer();
    if (by == 0) throw TemplateError("range() arg 3 must not be zero");
    const Range made{from, to, by};
    if (made.size() > max_range) throw TemplateError("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
    e.step(std::size_t(made.size()));
    return Value::range(made);
}

Value strftime_now(Evaluator& e, const Arguments& a) {
    const Value format = a.get(0, "format", Value());
    if (!format.is_string() || format.string().size() > 200) throw TemplateError("strftime_now() wants a short format");
    if (format.string().empty()) return Value("");
    const std::time_t now = e.now();
    std::tm broken{};
    gmtime_r(&now, &broken);
    std::string out(4096, '\0');
    out.resize(std::strftime(out.data(), out.size(), format.string().c_str(), &broken));
    return e.made(std::move(out));
}

Value raise(Evaluator&, const Arguments& a) { throw TemplateError(to_text(a.get(0, "message", Value())), true); }

Value make_dict(Evaluator& e, const Arguments& a) {
    Pairs pairs;
    if (!a.positional.empty() && a.positional[0].is_dict())
        pairs = a.positional[0].pairs();
    else if (!a.positional.empty())
        for (const Value& pair : e.iterate(a.positional[0])) {
            if (!pair.is_list() || pair.items().size() != 2) throw TemplateError("dict() wants pairs");
            pairs.emplace_back(pair.items()[0], pair.items()[1]);
        }
    for (const auto& [key, value] : a.named) pairs.emplace_back(Value(key), value);
    return Value::dict(std::move(pairs));
}

Value callable(std::function<Value(Evaluator&, const Arguments&)> call) {
    auto c = counted<Callable>();
    c->call = std::move(call);
    return Value(std::move(c));
}

// What these hold lies in lists, whose destruction does not recurse: they may hold one another.
Value cycler(Evaluator&, const Arguments& a) {
    if (a.positional.empty()) throw TemplateError("at least one item has to be provided");
    const Value items = Value::list(a.positional, true);
    auto place = counted<std::size_t>(0);
    auto pos = counted<Value>();
    const Value next = callable([items, place](Evaluator&, const Arguments&) {
        const Value now = items.items()[*place];
        *place = (*place + 1) % items.items().size();
        return now;
    });
    const Value reset = callable([place](Evaluator&, const Arguments&) { return *place = 0, Value(nullptr); });
    auto c = counted<Callable>();
    c->fields = {{"next", next}, {"reset", reset}, {"items", items}};
    c->computed_field = [items, place, pos](const std::string& name) -> const Value* {
        if (name == "current") return &items.items()[*place];
        return name == "pos" ? (*pos = std::int64_t(*place), pos.get()) : nullptr;
    };
    return Value(std::move(c));
}

Value joiner(Evaluator&, const Arguments& a) {
    const Value held = Value::list({a.get(0, "sep", ", ")});
    auto c = counted<Callable>();
    c->call = [held, used = counted<bool>(false)](Evaluator&, const Arguments&) { return std::exchange(*used, true) ? held.items()[0] : Value(""); };
    c->computed_field = [held](const std::string& name) { return name == "sep" ? &held.items()[0] : nullptr; };
    return Value(std::move(c));
}

}  // namespace

Value Evaluator::make_namespace(const Arguments& a) {
    auto ns = counted<Namespace>();
    const Value fields = make_dict(*this, a);
    for (const auto& [key, value] : fields.pairs()) ns->set(to_text(key), value);
    namespaces_.push_back(ns);
    return Value(std::move(ns));
}

void Evaluator::globals() {
    const auto add = [&](const char* name, Value (*f)(Evaluator&, const Arguments&)) {
        auto c = counted<Callable>();
        c->call = f;
        scope_->set(name, Value(std::move(c)));
    };
    add("range", range);
    add("dict", make_dict);
    add("cycler", cycler);
    add("joiner", joiner);
    add("strftime_now", strftime_now);
    add("raise_exception", raise);
    add("namespace", [](Evaluator& e, const Arguments& a) { return e.make_namespace(a); });
}

}  // namespace text::jinja
