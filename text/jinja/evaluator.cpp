#include "text/jinja/evaluator.h"

#include <algorithm>

namespace text::jinja {
namespace {
constexpr std::size_t max_steps = 20'000'000;
constexpr std::size_t max_bytes = std::size_t(512) << 20;  // made in one rendering, all together
constexpr int max_calls = 200;
}  // namespace

class Evaluator::Depth {
public:
    explicit Depth(Evaluator& e) : e_(e) {
        if (++e_.depth_ > max_calls) throw TemplateError("calls and loops are nested deeper than " + std::to_string(max_calls));
    }
    ~Depth() { --e_.depth_; }

private:
    Evaluator& e_;
};

const Value* Scope::find(std::string_view name) const {
    for (const Scope* s = this; s; s = s->outer.get())
        for (const auto& [key, value] : s->names)
            if (key == name) return &value;
    return nullptr;
}

void Scope::set(const std::string& name, Value value) {
    for (auto& [key, held] : names)
        if (key == name) {
            held = std::move(value);
            return;
        }
    names.emplace_back(name, std::move(value));
}

Evaluator::~Evaluator() {
    for (auto& scope : captured_scopes_) scope->names.clear();
    for (auto& ns : namespaces_) ns->fields.clear();
}

void Evaluator::step(std::size_t amount) {
    steps_ += amount;
    if (steps_ > max_steps) throw TemplateError("the template takes more than " + std::to_string(max_steps) + " steps");
}

Value Evaluator::made(std::string text, bool safe) {
    bytes_ += text.size();
    check_size(text.size());
    if (bytes_ > max_bytes) throw TemplateError("the template makes more than " + std::to_string(max_bytes >> 20) + " MiB of texts, all together");
    return Value(std::move(text), safe);
}

void Evaluator::emit(const std::string& text) {
    check_size(out_.text.size() + text.size());
    out_.charge.add(text.size());
    out_.text += text;
}

std::string Evaluator::render(const Body& body, const base::OrderedJson& variables) {
    scope_ = counted<Scope>(nullptr);
    globals();
    scope_ = counted<Scope>(scope_);
    for (const auto& [key, value] : variables.items()) scope_->set(key, Value::from_json(value));
    const HeldBound bound;
    run(body);
    return std::move(out_.text);
}

Evaluator::Flow Evaluator::run(const Body& body) {
    for (const auto& s : body)
        if (const Flow flow = run(*s); flow != Flow::normal) return flow;
    return Flow::normal;
}

std::string Evaluator::captured(const Body& body) {
    Output kept = std::exchange(out_, {});
    run(body);
    return std::exchange(out_, std::move(kept)).text;
}

Evaluator::Flow Evaluator::run(const Stmt& s) {
    step();
    using K = Stmt::Kind;
    const auto scoped = [&](auto&& work) {
        const ScopePtr outer = scope_;
        scope_ = counted<Scope>(outer);
        const auto result = work();
        scope_ = outer;
        return result;
    };
    switch (s.kind) {
        case K::text: return emit(s.text), Flow::normal;
        case K::print: return emit(to_text(eval(*s.value))), Flow::normal;
        case K::set: return assign(*s.target, eval(*s.value)), Flow::normal;
        case K::set_block: {
            Value text = made(scoped([&] { return captured(s.body); }));
            assign(*s.target, s.value ? pipe(*s.value, text) : text);
            return Flow::normal;
        }
        case K::filter: {
            const Value text = made(scoped([&] { return captured(s.body); }));
            return emit(to_text(pipe(*s.value, text))), Flow::normal;
        }
        case K::branch:
            for (const auto& [condition, body] : s.branches)
                if (eval(*condition).truthy()) return run(body);
            return run(s.otherwise);
        case K::loop: return loop(s);
        case K::macro: return scope_->set(s.text, macro(s, s.text)), Flow::normal;
        case K::call: {
            Arguments a = arguments(*s.value);
            a.named.emplace_back("caller", macro(s, "caller"));
            const Value callee = eval(*s.value->parts[0]);
            return emit(to_text(call(callee, a))), Flow::normal;
        }
        case K::with: {
            Values values;
            for (const auto& p : s.parameters) values.push_back(eval(*p.otherwise));
            return scoped([&] {
                for (std::size_t i = 0; i < values.size(); ++i) scope_->set(s.parameters[i].name, values[i]);
                return run(s.body);
            });
        }
        case K::scope: return scoped([&] { return run(s.body); });
        case K::break_loop: return Flow::break_loop;
        case K::continue_loop: return Flow::continue_loop;
    }
    return Flow::normal;
}

void Evaluator::assign(const Expr& target, const Value& value) {
    if (target.kind == Expr::Kind::name) return scope_->set(target.text, value);
    if (target.kind == Expr::Kind::attribute) {
        const Value* held = scope_->find(target.parts[0]->text);
        Namespace* ns = held ? held->as_namespace() : nullptr;
        if (!ns) throw TemplateError("cannot assign attribute on non-namespace object");
        return ns->set(target.text, value);
    }
    const Values items = iterate(value);
    if (items.size() != target.parts.size())
        throw TemplateError("cannot unpack " + std::to_string(items.size()) + " values into " + std::to_string(target.parts.size()));
    for (std::size_t i = 0; i < items.size(); ++i) assign(*target.parts[i], items[i]);
}

Evaluator::Flow Evaluator::loop(const Stmt& s) { return iterate_loop(s, iterate(eval(*s.value)), 0); }

Evaluator::Flow Evaluator::iterate_loop(const Stmt& s, Values all, int depth) {
    const Depth bound(*this);
    const ScopePtr outer = scope_;
    Values picked;
    for (Value& v : all) {
        if (s.condition) {
            scope_ = counted<Scope>(outer);
            assign(*s.target, v);
            const bool wanted = eval(*s.condition).truthy();
            scope_ = outer;
            if (!wanted) continue;
        }
        picked.push_back(std::move(v));
    }
    const Value kept = Value::list(std::move(picked));  // a list, since what it holds may be the end of a long chain
    const Values& items = kept.items();
    auto index = counted<std::size_t>(0);
    const Value object = loop_object(s, kept, index, depth);
    for (*index = 0; *index < items.size(); ++*index) {
        step();
        scope_ = counted<Scope>(outer);
        scope_->set("loop", object);
        assign(*s.target, items[*index]);
        const Flow flow = run(s.body);
        scope_ = outer;
        if (flow == Flow::break_loop) break;
    }
    if (items.empty()) {
        scope_ = counted<Scope>(outer);
        const Flow flow = run(s.otherwise);
        scope_ = outer;
        return flow;
    }
    return Flow::normal;
}

Value Evaluator::loop_object(const Stmt& s, const Value& items, const std::shared_ptr<std::size_t>& index, int depth) {
    auto c = counted<Callable>();
    auto scratch = counted<Value>();
    const auto named = [](std::function<Value(Evaluator&, const Arguments&)> f) {
        auto inner = counted<Callable>();
        inner->call = std::move(f);
        return Value(std::move(inner));
    };
    const Value cycle = named([index](Evaluator&, const Arguments& a) {
        if (a.positional.empty()) throw TemplateError("no items for cycling given");
        return a.positional[*index % a.positional.size()];
    });
    auto last_seen = counted<Value>();
    const Value changed = named([last_seen](Evaluator&, const Arguments& a) {
        Value now = Value::list(a.positional);
        const bool differs = !equal(now, *last_seen);
        *last_seen = now;
        return Value(differs);
    });
    c->computed_field = [=](const std::string& name) -> const Value* {
        const auto i = std::int64_t(*index), n = std::int64_t(items.items().size());
        if (name == "index") return *scratch = i + 1, scratch.get();
        if (name == "index0") return *scratch = i, scratch.get();
        if (name == "revindex") return *scratch = n - i, scratch.get();
        if (name == "revindex0") return *scratch = n - i - 1, scratch.get();
        if (name == "first") return *scratch = i == 0, scratch.get();
        if (name == "last") return *scratch = i == n - 1, scratch.get();
        if (name == "length") return *scratch = n, scratch.get();
        if (name == "depth") return *scratch = depth + 1, scratch.get();
        if (name == "depth0") return *scratch = depth, scratch.get();
        if (name == "previtem") return *scratch = i > 0 ? items.items()[std::size_t(i - 1)] : Value::undefined("there is no previous item"), scratch.get();
        if (name == "nextitem") return *scratch = i + 1 < n ? items.items()[std::size_t(i + 1)] : Value::undefined("there is no next item"), scratch.get();
        if (name == "cycle") return &cycle;
        if (name == "changed") return &changed;
        return nullptr;
    };
    if (s.recursive)
        c->call = [&s, depth, home = std::weak_ptr<Scope>(scope_)](Evaluator& e, const Arguments& a) {
            const ScopePtr kept = e.scope_;
            if (auto scope = home.lock()) e.scope_ = scope;
            Output out = std::exchange(e.out_, {});
            e.iterate_loop(s, e.iterate(a.get(0, "iterable", Value())), depth + 1);
            std::swap(out, e.out_);
            e.scope_ = kept;
            return e.made(std::move(out.text));
        };
    return Value(std::move(c));
}

Value Evaluator::macro(const Stmt& s, const std::string& name) {
    auto c = counted<Callable>();
    captured_scopes_.push_back(scope_);
    c->call = [&s, home = std::weak_ptr<Scope>(scope_), name](Evaluator& e, const Arguments& a) {
        return e.run_macro(s, home.lock(), name, a);
    };
    Values names;
    for (const Parameter& p : s.parameters) names.emplace_back(p.name);
    c->fields = {{"name", Value(name)}, {"arguments", Value::list(std::move(names), true)}, {"catch_kwargs", Value(s.extras.kwargs)},
                 {"catch_varargs", Value(s.extras.varargs)}, {"caller", Value(s.extras.caller)}};
    return Value(std::move(c));
}

// What it is given beyond its parameters its body must name; else the call is wrong, as jinja2 has it.
void Evaluator::set_extras(const Stmt& s, const std::string& name, const Arguments& a) {
    const auto known = s.parameters.begin() + long(std::min(a.positional.size(), s.parameters.size()));  // by name: those that have no value by their place
    Pairs rest;
    Value caller = Value::undefined("No caller defined");
    for (const auto& [key, value] : a.named) {
        if (std::any_of(known, s.parameters.end(), [&k = key](const Parameter& p) { return p.name == k; })) continue;
        if (key == "caller" && s.extras.caller) caller = value;
        else rest.emplace_back(Value(key), value);
    }
    if (!rest.empty() && !s.extras.kwargs) throw TemplateError("macro '" + name + "' takes no keyword argument '" + rest[0].first.string() + "'");
    if (a.positional.size() > s.parameters.size() && !s.extras.varargs)
        throw TemplateError("macro '" + name + "' takes not more than " + std::to_string(s.parameters.size()) + " argument(s)");
    if (s.extras.caller) scope_->set("caller", std::move(caller));
    if (s.extras.kwargs) scope_->set("kwargs", Value::dict(std::move(rest)));
    if (!s.extras.varargs) return;
    Values more;
    for (std::size_t i = s.parameters.size(); i < a.positional.size(); ++i) more.push_back(a.positional[i]);
    scope_->set("varargs", Value::list(std::move(more), true));
}

Value Evaluator::run_macro(const Stmt& s, const ScopePtr& home, const std::string& name, const Arguments& a) {
    const Depth bound(*this);
    const ScopePtr kept = scope_;
    Output out = std::exchange(out_, {});
    scope_ = counted<Scope>(home);
    set_extras(s, name, a);
    for (std::size_t i = 0; i < s.parameters.size(); ++i) {
        const Parameter& p = s.parameters[i];
        const Value* given = a.find(i, p.name);
        scope_->set(p.name, given ? *given
                            : p.otherwise ? eval(*p.otherwise)
                                          : Value::undefined("parameter '" + p.name + "' of '" + name + "' was not provided"));
    }
    run(s.body);
    scope_ = kept;
    std::swap(out, out_);
    return made(std::move(out.text));
}

}  // namespace text::jinja
