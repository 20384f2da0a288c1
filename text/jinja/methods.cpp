// Methods of str, dict and list, as Python has them.
#include <algorithm>

#include "text/jinja/evaluator.h"
#include "text/unicode.h"

namespace text::jinja {
namespace {

using Function = Value (*)(Evaluator&, const Value&, const Arguments&);
struct Row {
    std::string_view name;
    Function run;
};

const std::string& text_argument(const Arguments& a, std::size_t i, const char* what) {
    if (i >= a.positional.size() || !a.positional[i].is_string()) throw TemplateError(std::string(what) + " wants a string");
    return a.positional[i].string();
}

template <bool left, bool right>
Value strip_method(Evaluator& e, const Value& self, const Arguments& a) {
    const Value set = a.get(0, "chars", nullptr);
    return e.made(strip(self.string(), set.is_string() ? &set.string() : nullptr, left, right), self.is_safe());
}

Value split_blank(Evaluator& e, const std::string& s, std::int64_t limit, bool from_right) {
    const Texts all = characters(s);
    const auto blank = [&](std::size_t i) { int n; return is_space(decode_utf8(all[i], 0, n)); };
    Values out;
    std::string word;
    const std::size_t n = all.size();
    for (std::size_t k = 0; k < n;) {
        const auto at = [&](std::size_t j) { return from_right ? n - 1 - j : j; };
        while (k < n && blank(at(k))) ++k;
        if (k >= n) break;
        word.clear();
        const bool rest = limit >= 0 && std::int64_t(out.size()) == limit;
        for (; k < n && (rest || !blank(at(k))); ++k) word = from_right ? all[at(k)] + word : word + all[at(k)];
        if (rest) word = strip(word, nullptr, from_right, !from_right);
        out.push_back(e.made(word));
    }
    if (from_right) std::reverse(out.begin(), out.end());
    return Value::list(std::move(out));
}

template <bool from_right>
Value split_method(Evaluator& e, const Value& self, const Arguments& a) {
    const Value separator = a.get(0, "sep", nullptr), most = a.get(1, "maxsplit", -1);
    if (!most.is_integral()) throw TemplateError("split() wants a whole number as maxsplit");
    std::int64_t limit = most.integer();
    const std::string& s = self.string();
    if (separator.is_none()) return split_blank(e, s, limit, from_right);
    if (!separator.is_string() || separator.string().empty()) throw TemplateError("split() wants a separator that is not empty");
    const std::string& sep = separator.string();
    Values out;
    std::size_t from = 0, end = s.size();
    for (; limit != 0; --limit) {
        const std::size_t hit = from_right ? (end < sep.size() ? std::string::npos : s.rfind(sep, end - sep.size())) : s.find(sep, from);
        if (hit == std::string::npos) break;
        out.push_back(e.made(from_right ? s.substr(hit + sep.size(), end - hit - sep.size()) : s.substr(from, hit - from)));
        (from_right ? end : from) = from_right ? hit : hit + sep.size();
    }
    out.push_back(e.made(s.substr(from, end - from)));
    e.step(out.size());
    if (from_right) std::reverse(out.begin(), out.end());
    return Value::list(std::move(out));
}

template <bool at_end>
Value affix_method(Evaluator& e, const Value& self, const Arguments& a) {
    const Value what = a.get(0, "prefix", Value());
    const std::string& s = self.string();
    for (const Value& v : what.is_list() ? e.iterate(what) : Values{what}) {
        if (!v.is_string()) throw TemplateError("startswith() and endswith() want a string or a tuple of strings");
        if (at_end ? s.ends_with(v.string()) : s.starts_with(v.string())) return true;
    }
    return false;
}

Value replace_method(Evaluator& e, const Value& self, const Arguments& a) {
    const Value count = a.get(2, "count", -1);
    return e.made(replaced(self.string(), text_argument(a, 0, "replace()"), text_argument(a, 1, "replace()"), count.is_integral() ? count.integer() : -1));
}

template <bool last, bool must>
Value find_method(Evaluator&, const Value& self, const Arguments& a) {
    const std::string& what = text_argument(a, 0, "find()");
    const std::size_t at = last ? self.string().rfind(what) : self.string().find(what);
    if (at == std::string::npos && must) throw TemplateError("substring not found");
    return at == std::string::npos ? Value(-1) : Value(std::int64_t(length(self.string().substr(0, at))));
}

Value count_method(Evaluator&, const Value& self, const Arguments& a) {
    const std::string& what = text_argument(a, 0, "count()");
    std::int64_t n = 0;
    for (std::size_t at = 0; !what.empty() && (at = self.string().find(what, at)) != std::string::npos; at += what.size()) ++n;
    return n;
}

Value join_method(Evaluator& e, const Value& self, const Arguments& a) {
    std::string out;
    bool first = true;
    for (const Value& v : e.iterate(a.get(0, "iterable", Value()))) {
        if (!v.is_string()) throw TemplateError("join() wants strings");
        if (!std::exchange(first, false)) out += self.string();
        out += v.string();
    }
    return e.made(std::move(out));
}

Value splitlines_method(Evaluator& e, const Value& self, const Arguments& a) {
    Values out;
    for (std::string& line : lines_of(self.string(), a.get(0, "keepends", false).truthy())) out.push_back(e.made(std::move(line)));
    e.step(out.size());
    return Value::list(std::move(out));
}

template <Pad pad>
Value pad_method(Evaluator& e, const Value& self, const Arguments& a) {
    const Value width = a.get(0, "width", nullptr), fill = a.get(1, "fillchar", " ");
    if (!width.is_integral()) throw TemplateError("center(), ljust() and rjust() want a whole number as width");
    if (!fill.is_string() || length(fill.string()) != 1) throw TemplateError("The fill character must be exactly one character long");
    return e.made(padded(self.string(), width.integer(), pad, fill.string()));
}

Value zfill_method(Evaluator& e, const Value& self, const Arguments& a) {
    const Value width = a.get(0, "width", nullptr);
    if (!width.is_integral()) throw TemplateError("zfill() wants a whole number as width");
    const std::string& s = self.string();
    const std::size_t sign = s.starts_with('-') || s.starts_with('+') ? 1 : 0;
    const std::int64_t rest = width.integer() > 0 ? width.integer() - std::int64_t(sign) : 0;
    return e.made(s.substr(0, sign) + padded(s.substr(sign), rest, Pad::left, "0"));
}

// Whether the text is not empty and all of it is of these classes.
template <int wanted>
Value all_of_class(Evaluator&, const Value& self, const Arguments&) {
    const std::string& s = self.string();
    for (std::size_t i = 0; i < s.size();) {
        int n = 1;
        const char32_t c = decode_utf8(s, i, n);
        if (c == no_char || !(wanted == base::space ? is_space(c) : (classes(c) & wanted) != 0)) return false;
        i += std::size_t(n);
    }
    return !s.empty();
}

Value is_digit(Evaluator&, const Value& self, const Arguments&) {
    const std::string& s = self.string();
    for (std::size_t i = 0; i < s.size();) {
        int n = 1;
        if (category(decode_utf8(s, i, n)) != base::Category::Nd) return false;
        i += std::size_t(n);
    }
    return !s.empty();
}

template <bool upper>
Value case_method(Evaluator& e, const Value& self, const Arguments&) { return e.made(changed_case(self.string(), upper), self.is_safe()); }
template <bool upper>
Value is_case(Evaluator&, const Value& self, const Arguments&) {
    return changed_case(self.string(), upper) == self.string() && changed_case(self.string(), !upper) != self.string();
}
Value casefold_method(Evaluator& e, const Value& self, const Arguments&) { return e.made(folded_case(self.string())); }
Value swapcase_method(Evaluator& e, const Value& self, const Arguments&) { return e.made(swapped_case(self.string())); }
Value expandtabs_method(Evaluator& e, const Value& self, const Arguments& a) {
    const Value size = a.get(0, "tabsize", 8);
    if (!size.is_integral()) throw TemplateError("expandtabs() wants a whole number as tabsize");
    return e.made(without_tabs(self.string(), size.integer()));
}
Value capitalize_method(Evaluator& e, const Value& self, const Arguments&) { return e.made(capitalized(self.string())); }
Value title_method(Evaluator& e, const Value& self, const Arguments&) { return e.made(titled(self.string(), Words::of_python)); }
template <bool suffix>
Value remove_method(Evaluator& e, const Value& self, const Arguments& a) {
    const std::string &what = text_argument(a, 0, "removeprefix()"), &s = self.string();
    if (suffix ? !s.ends_with(what) : !s.starts_with(what)) return self;
    return e.made(suffix ? s.substr(0, s.size() - what.size()) : s.substr(what.size()));
}

template <bool last>
Value partition_method(Evaluator& e, const Value& self, const Arguments& a) {
    const std::string &what = text_argument(a, 0, "partition()"), &s = self.string();
    const std::size_t at = what.empty() ? std::string::npos : last ? s.rfind(what) : s.find(what);
    if (at == std::string::npos) return Value::list(last ? Values{"", "", self} : Values{self, "", ""}, true);
    return Value::list({e.made(s.substr(0, at)), Value(what), e.made(s.substr(at + what.size()))}, true);
}

Value format_method(Evaluator& e, const Value& self, const Arguments& a) { return e.made(with_fields(e, self.string(), a)); }

const Row string_methods[] = {
    {"upper", case_method<true>}, {"lower", case_method<false>}, {"casefold", casefold_method},
    {"swapcase", swapcase_method}, {"expandtabs", expandtabs_method},
    {"strip", strip_method<true, true>}, {"lstrip", strip_method<true, false>}, {"rstrip", strip_method<false, true>},
    {"title", title_method}, {"capitalize", capitalize_method}, {"split", split_method<false>}, {"rsplit", split_method<true>},
    {"startswith", affix_method<false>}, {"endswith", affix_method<true>}, {"replace", replace_method},
    {"find", find_method<false, false>}, {"rfind", find_method<true, false>}, {"index", find_method<false, true>},
    {"rindex", find_method<true, true>}, {"count", count_method}, {"join", join_method}, {"splitlines", splitlines_method},
    {"isdigit", is_digit}, {"isdecimal", is_digit}, {"isnumeric", all_of_class<base::number>}, {"isalpha", all_of_class<base::letter>},
    {"isalnum", all_of_class<base::letter | base::number>}, {"isspace", all_of_class<base::space>}, {"isupper", is_case<true>},
    {"islower", is_case<false>}, {"removeprefix", remove_method<false>}, {"removesuffix", remove_method<true>},
    {"center", pad_method<Pad::both>}, {"ljust", pad_method<Pad::right>}, {"rjust", pad_method<Pad::left>}, {"zfill", zfill_method},
    {"partition", partition_method<false>}, {"rpartition", partition_method<true>}, {"format", format_method},
};

Value get_method(Evaluator&, const Value& self, const Arguments& a) {
    if (a.positional.empty()) throw TemplateError("get expected at least 1 argument, got 0");
    const Value* found = self.find(a.positional[0]);
    return found ? *found : a.get(1, "default", nullptr);
}
Value keys_method(Evaluator& e, const Value& self, const Arguments&) { return Value::list(e.iterate(self)); }
Value values_method(Evaluator& e, const Value& self, const Arguments&) {
    Values out;
    for (const auto& pair : self.pairs()) out.push_back(pair.second);
    e.step(out.size());
    return Value::list(std::move(out));
}
Value items_method(Evaluator& e, const Value& self, const Arguments&) {
    Values out;
    for (const auto& [key, value] : self.pairs()) out.push_back(Value::list({key, value}, true));
    e.step(out.size());
    return Value::list(std::move(out));
}
Value copy_method(Evaluator&, const Value& self, const Arguments&) { return self; }
Value list_count(Evaluator& e, const Value& self, const Arguments& a) {
    std::int64_t n = 0;
    for (const Value& v : e.iterate(self)) n += equal(v, a.get(0, "value", nullptr));
    return n;
}
Value list_index(Evaluator& e, const Value& self, const Arguments& a) {
    const Values all = e.iterate(self);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (equal(all[i], a.get(0, "value", nullptr))) return std::int64_t(i);
    throw TemplateError("the value is not in the list");
}

const Row dict_methods[] = {{"get", get_method}, {"keys", keys_method}, {"values", values_method}, {"items", items_method}, {"copy", copy_method}};
const Row list_methods[] = {{"count", list_count}, {"index", list_index}, {"copy", copy_method}};
constexpr std::string_view dict_mutators[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view list_mutators[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};

template <std::size_t n>
const Row* find_row(const Row (&rows)[n], std::string_view name) {
    const auto it = std::find_if(rows, rows + n, [&](const Row& r) { return r.name == name; });
    return it == rows + n ? nullptr : it;
}

}  // namespace

Value method(const Value& object, const std::string& name) {
    const Row* row = nullptr;
    bool mutates = false;
    if (object.is_string()) row = find_row(string_methods, name);
    if (object.is_dict()) {
        row = find_row(dict_methods, name);
        mutates = std::find(std::begin(dict_mutators), std::end(dict_mutators), name) != std::end(dict_mutators);
    }
    if (object.is_list()) {
        row = find_row(list_methods, name);
        mutates = !object.is_tuple() && std::find(std::begin(list_mutators), std::end(list_mutators), name) != std::end(list_mutators);
    }
    if (mutates) return Value::undefined("access to attribute '" + name + "' of '" + object.type_name() + "' object is unsafe.");
    if (!row) return {};
    auto c = counted<Callable>();
    c->call = [object, row](Evaluator& e, const Arguments& a) { return row->run(e, object, a); };
    return Value(std::move(c));
}

}  // namespace text::jinja
