// The tests of jinja2 ("is defined"), one table row each.
#include <algorithm>

#include "text/jinja/evaluator.h"

namespace text::jinja {
namespace {

using Function = bool (*)(Evaluator&, const Value&, const Arguments&);
struct Row {
    std::string_view name;
    Function run;
};
using E = Evaluator;
using V = Value;
using A = Arguments;

const Value& other(const A& a) {
    if (a.positional.empty()) throw TemplateError("the test wants an argument");
    return a.positional[0];
}
std::int64_t whole(const Value& v) {
    if (!v.is_integral()) throw TemplateError("the test wants an integer");
    return v.integer();
}
bool eq(E&, const V& v, const A& a) { return equal(v, other(a)); }
bool ne(E&, const V& v, const A& a) { return !equal(v, other(a)); }
bool lt(E&, const V& v, const A& a) { return less(v, other(a)); }
bool gt(E&, const V& v, const A& a) { return less(other(a), v); }
bool le(E&, const V& v, const A& a) { return !less(other(a), v); }
bool ge(E&, const V& v, const A& a) { return !less(v, other(a)); }
bool sequence(E&, const V& v, const A&) { return v.is_undefined() || v.is_string() || v.is_list() || v.is_dict(); }
bool divisible(E&, const V& v, const A& a) {
    if (whole(other(a)) == 0) throw TemplateError("division by zero");
    return whole(v) % whole(other(a)) == 0;
}
bool same(E&, const V& v, const A& a) {
    const Value& o = other(a);
    if (v.identity() || o.identity()) return v.identity() == o.identity();
    return std::string_view(v.type_name()) == o.type_name() && equal(v, o);
}
template <bool upper>
bool cased(E&, const V& v, const A&) {
    const std::string s = to_text(v);
    return changed_case(s, upper) == s && changed_case(s, !upper) != s;
}

const Row tests[] = {
    {"defined", [](E&, const V& v, const A&) { return !v.is_undefined(); }},
    {"undefined", [](E&, const V& v, const A&) { return v.is_undefined(); }},
    {"none", [](E&, const V& v, const A&) { return v.is_none(); }},
    {"string", [](E&, const V& v, const A&) { return v.is_string(); }},
    {"number", [](E&, const V& v, const A&) { return v.is_number(); }},
    {"integer", [](E&, const V& v, const A&) { return v.is_int(); }},
    {"float", [](E&, const V& v, const A&) { return v.is_float(); }},
    {"boolean", [](E&, const V& v, const A&) { return v.is_bool(); }},
    {"true", [](E&, const V& v, const A&) { return v.is_bool() && v.boolean(); }},
    {"false", [](E&, const V& v, const A&) { return v.is_bool() && !v.boolean(); }},
    {"mapping", [](E&, const V& v, const A&) { return v.is_dict(); }},
    {"iterable", sequence},
    {"sequence", sequence},
    {"callable", [](E&, const V& v, const A&) { return v.is_callable() || v.is_undefined(); }},
    {"escaped", [](E&, const V& v, const A&) { return v.is_safe(); }},
    {"filter", [](E&, const V& v, const A&) { return v.is_string() && filter_exists(v.string()); }},
    {"test", [](E&, const V& v, const A&) { return v.is_string() && test_exists(v.string()); }},
    {"odd", [](E&, const V& v, const A&) { return whole(v) % 2 != 0; }},
    {"even", [](E&, const V& v, const A&) { return whole(v) % 2 == 0; }},
    {"divisibleby", divisible},
    {"sameas", same},
    {"lower", cased<false>},
    {"upper", cased<true>},
    {"in", [](E& e, const V& v, const A& a) { return e.contains(other(a), v); }},
    {"eq", eq}, {"equalto", eq}, {"==", eq}, {"ne", ne}, {"!=", ne},
    {"lt", lt}, {"lessthan", lt}, {"<", lt}, {"gt", gt}, {"greaterthan", gt}, {">", gt},
    {"le", le}, {"<=", le}, {"ge", ge}, {">=", ge},
};

const Row* find(std::string_view name) {
    const auto it = std::find_if(std::begin(tests), std::end(tests), [&](const Row& r) { return r.name == name; });
    return it == std::end(tests) ? nullptr : it;
}

}  // namespace

bool test_exists(std::string_view name) { return find(name) != nullptr; }

bool Evaluator::test(const std::string& name, const Value& value, const Arguments& a) {
    step();
    const Row* row = find(name);
    if (!row) throw TemplateError("No test named '" + name + "'.");
    return row->run(*this, value, a);
}

}  // namespace text::jinja
