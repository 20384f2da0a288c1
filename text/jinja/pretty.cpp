// Python's pprint.pformat, at its width of 80.
#include <algorithm>

#include "text/jinja/evaluator.h"
#include "text/unicode.h"

namespace text::jinja {
namespace {

using Entry = std::pair<Value, Value>;

bool has_items(const Value& v) { return v.is_list() && !v.named("grouper") && !v.as_range(); }

// Keys without an order between them are sorted by their types.
bool before(const Entry* a, const Entry* b) {
    try {
        return less(a->first, b->first);
    } catch (const TemplateError&) {
        return std::string_view(a->first.type_name()) < b->first.type_name();
    }
}

Vector<const Entry*> sorted_entries(const Value& dict) {
    Vector<const Entry*> out;
    for (const Entry& entry : dict.pairs()) out.push_back(&entry);
    std::stable_sort(out.begin(), out.end(), before);
    return out;
}

// repr() with the entries of mappings sorted.
std::string sorted_repr(const Value& v) {
    std::string out;
    auto separate = [&out, first = true]() mutable { out += std::exchange(first, false) ? "" : ", "; };
    if (v.is_dict()) {
        for (const Entry* entry : sorted_entries(v)) separate(), out += sorted_repr(entry->first) + ": " + sorted_repr(entry->second), check_size(out.size());
        return "{" + out + "}";
    }
    if (!has_items(v)) return repr(v);
    for (const Value& item : v.items()) separate(), out += sorted_repr(item), check_size(out.size());
    return v.is_tuple() ? "(" + out + (v.items().size() == 1 ? ",)" : ")") : "[" + out + "]";
}

class Pretty {
public:
    explicit Pretty(Evaluator& evaluator) : evaluator_(evaluator) {}

    // `indent`: columns before it; `allowance`: those that what follows on its last line takes.
    void write(const Value& v, std::int64_t indent, std::int64_t allowance, int level) {
        const std::string whole = sorted_repr(v);
        evaluator_.step(whole.size() / 16 + 1);
        if (std::int64_t(length(whole)) <= width - indent - allowance) return put(whole);
        if (v.is_dict()) return dict(v, indent, allowance + 1, level + 1);
        if (has_items(v)) return list(v, indent, allowance, level + 1);
        if (v.is_string() && !v.is_safe() && !v.string().empty()) return string(v.string(), indent, allowance, level == 0);
        put(whole);
    }
    std::string out;

private:
    static constexpr std::int64_t width = 80;

    void put(std::string_view text) {
        check_size(out.size() + text.size());
        out += text;
    }
    void new_line(std::int64_t indent) {
        check_size(out.size() + std::size_t(indent));
        out += '\n' + std::string(std::size_t(indent), ' ');
    }

    void dict(const Value& v, std::int64_t indent, std::int64_t allowance, int level) {
        put("{");
        ++indent;
        const auto entries = sorted_entries(v);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (i > 0) put(","), new_line(indent);
            const std::string key = sorted_repr(entries[i]->first);
            put(key + ": ");
            write(entries[i]->second, indent + std::int64_t(length(key)) + 2, i + 1 == entries.size() ? allowance : 1, level);
        }
        put("}");
    }

    void list(const Value& v, std::int64_t indent, std::int64_t allowance, int level) {
        const std::string_view close = !v.is_tuple() ? "]" : v.items().size() == 1 ? ",)" : ")";
        put(v.is_tuple() ? "(" : "[");
        ++indent;
        for (std::size_t i = 0; i < v.items().size(); ++i) {
            if (i > 0) put(","), new_line(indent);
            write(v.items()[i], indent, i + 1 == v.items().size() ? allowance + std::int64_t(close.size()) : 1, level);
        }
        put(close);
    }

    // As literals that follow each other, cut between lines and behind blanks.
    void string(const std::string& text, std::int64_t indent, std::int64_t allowance, bool alone) {
        if (alone) ++indent, ++allowance;
        const Texts lines = lines_of(text, true);
        Texts literals;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            const bool last = i + 1 == lines.size();
            const std::string line = repr(Value(lines[i]));
            if (std::int64_t(length(line)) <= width - indent - (last ? allowance : 0)) literals.push_back(line);
            else cut(lines[i], width - indent, last ? allowance : 0, literals);
        }
        if (literals.size() == 1) return put(repr(Value(text)));
        if (alone) put("(");
        for (std::size_t i = 0; i < literals.size(); ++i) {
            if (i > 0) new_line(indent);
            put(literals[i]);
        }
        if (alone) put(")");
    }

    void cut(const std::string& line, std::int64_t most, std::int64_t allowance, Texts& literals) {
        std::string current;
        const Texts parts = words_with_blanks(line);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (i + 1 == parts.size()) most -= allowance;
            evaluator_.step(current.size() / 16 + 1);
            if (std::int64_t(length(repr(Value(current + parts[i])))) <= most) {
                current += parts[i];
                continue;
            }
            if (!current.empty()) literals.push_back(repr(Value(current)));
            current = parts[i];
        }
        if (!current.empty()) literals.push_back(repr(Value(current)));
    }

    // Each word with the blanks behind it.
    static Texts words_with_blanks(const std::string& line) {
        Texts out;
        bool blank = true;
        for (const std::string& c : characters(line)) {
            const bool was_blank = std::exchange(blank, has_space(c));
            if (out.empty() || (was_blank && !blank)) out.emplace_back();
            out.back() += c;
        }
        return out;
    }

    Evaluator& evaluator_;
};

}  // namespace

std::string pretty(Evaluator& evaluator, const Value& value) {
    Pretty printer(evaluator);
    printer.write(value, 0, 0, 0);
    return std::move(printer.out);
}

}  // namespace text::jinja
