// Filters of text.
#include <algorithm>
#include <cstdio>

#include "text/jinja/filters.h"

namespace text::jinja {
namespace {

Value trim(Evaluator& e, const Value& v, const Arguments& a) {
    const Value set = a.get(0, "chars", nullptr);
    return e.made(strip(to_text(v), set.is_string() ? &set.string() : nullptr, true, true), v.is_safe());
}

Value replace(Evaluator& e, const Value& v, const Arguments& a) {
    const Value count = a.get(2, "count", nullptr);
    return e.made(replaced(to_text(v), to_text(a.get(0, "old", "")), to_text(a.get(1, "new", "")), count.is_integral() ? count.integer() : -1));
}

Value indent(Evaluator& e, const Value& v, const Arguments& a) {
    if (v.is_undefined()) throw TemplateError(v.why());
    if (!v.is_string()) throw TemplateError(std::string("indent wants a text, found ") + v.type_name());
    const Value width = a.get(0, "width", 4);
    const bool first = a.get(1, "first", false).truthy(), blank = a.get(2, "blank", false).truthy();
    const std::size_t blanks = width.is_string() ? 0 : std::size_t(std::max<std::int64_t>(whole(a, 0, "width", 4, "indent"), 0));
    check_size(blanks);
    const std::string pad = width.is_string() ? width.string() : std::string(blanks, ' ');
    std::string out;
    bool begins = true;
    for (const std::string& line : lines_of(v.string() + "\n", false)) {
        const bool is_first = std::exchange(begins, false);
        check_size(out.size() + pad.size() + line.size() + 1);
        if (!is_first) out += '\n';
        if (is_first ? first : blank || !line.empty()) out += pad;
        out += line;
    }
    return e.made(std::move(out));
}

Value string(Evaluator& e, const Value& v, const Arguments&) { return v.is_string() ? v : e.made(to_text(v)); }
Value safe(Evaluator& e, const Value& v, const Arguments&) { return e.made(to_text(v), true); }
Value escape(Evaluator& e, const Value& v, const Arguments&) { return v.is_safe() ? v : e.made(escaped(to_text(v)), true); }
Value forceescape(Evaluator& e, const Value& v, const Arguments&) { return e.made(escaped(to_text(v)), true); }
Value upper(Evaluator& e, const Value& v, const Arguments&) { return e.made(changed_case(to_text(v), true), v.is_safe()); }
Value lower(Evaluator& e, const Value& v, const Arguments&) { return e.made(changed_case(to_text(v), false), v.is_safe()); }
Value capitalize(Evaluator& e, const Value& v, const Arguments&) { return e.made(capitalized(to_text(v))); }
Value title(Evaluator& e, const Value& v, const Arguments&) { return e.made(titled(to_text(v), Words::of_jinja)); }
Value format(Evaluator& e, const Value& v, const Arguments& a) { return e.made(formatted(e, to_text(v), a)); }
Value center(Evaluator& e, const Value& v, const Arguments& a) { return e.made(padded(to_text(v), whole(a, 0, "width", 80, "center"), Pad::both, " ")); }

Value wordcount(Evaluator&, const Value& v, const Arguments&) { return std::int64_t(count_words(to_text(v))); }

Value truncate(Evaluator& e, const Value& v, const Arguments& a) {
    const std::string text = to_text(v), end = to_text(a.get(2, "end", "..."));
    const std::int64_t most = whole(a, 0, "length", 255, "truncate"), kept = most - std::int64_t(length(end));
    const Value said = a.get(3, "leeway", nullptr);
    const std::int64_t leeway = said.is_none() ? 5 : whole(a, 3, "leeway", 5, "truncate");
    if (kept < 0) throw TemplateError("expected length >= " + std::to_string(length(end)) + ", got " + std::to_string(most));
    if (leeway < 0) throw TemplateError("expected leeway >= 0, got " + std::to_string(leeway));
    const auto has = std::int64_t(length(text));
    if (has <= most || has - most <= leeway) return v.is_string() ? v : e.made(text);
    std::size_t bytes = 0;
    for (std::int64_t n = 0; n < kept; ++n)
        for (++bytes; bytes < text.size() && (text[bytes] & 0xC0) == 0x80;) ++bytes;
    std::string out = text.substr(0, bytes);
    if (!a.get(1, "killwords", false).truthy() && out.rfind(' ') != std::string::npos) out.resize(out.rfind(' '));
    return e.made(out + end);
}

Value wordwrap(Evaluator& e, const Value& v, const Arguments& a) {
    const std::int64_t width = whole(a, 0, "width", 79, "wordwrap");
    if (width < 1) throw TemplateError("invalid width " + std::to_string(width) + " (must be > 0)");
    const WrapStyle style{std::size_t(width), a.get(1, "break_long_words", true).truthy(), a.get(3, "break_on_hyphens", true).truthy()};
    const Value between = a.get(2, "wrapstring", nullptr);
    const std::string text = to_text(v), seam = between.is_none() ? "\n" : to_text(between);
    e.step(text.size());
    std::string out;
    bool begins = true;
    for (const std::string& line : lines_of(text, false)) {
        auto parts = wrapped(line, style);
        if (parts.empty()) parts.emplace_back();
        for (const std::string& part : parts) {
            check_size(out.size() + seam.size() + part.size());
            if (!std::exchange(begins, false)) out += seam;
            out += part;
        }
    }
    return e.made(std::move(out));
}

// What may stand in a URL: of a path, where `in_query` is false.
std::string quoted(const Value& v, bool in_query) {
    constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~";
    std::string out;
    for (const char c : to_text(v)) {
        char code[4];
        std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        if (plain.find(c) != std::string_view::npos || (c == '/' && !in_query)) out += c;
        else if (c == ' ' && in_query) out += '+';
        else out += code;
        check_size(out.size());
    }
    return out;
}

Value urlencode(Evaluator& e, const Value& v, const Arguments&) {
    if (!v.is_list() && !v.is_dict()) return e.made(quoted(v, false));
    std::string out;
    const Value all = v.is_dict() ? e.call(method(v, "items"), {}) : v;
    for (const Value& pair : e.iterate(all)) {
        const Values both = e.iterate(pair);
        if (both.size() != 2) throw TemplateError("urlencode wants pairs, found one of " + std::to_string(both.size()));
        out += (out.empty() ? "" : "&") + quoted(both[0], true) + "=" + quoted(both[1], true);
        check_size(out.size());
    }
    return e.made(std::move(out));
}

Value xmlattr(Evaluator& e, const Value& v, const Arguments& a) {
    if (!v.is_dict()) throw TemplateError("xmlattr wants a mapping");
    const auto escaped_text = [](const Value& value) { return value.is_safe() ? value.string() : escaped(to_text(value)); };
    std::string out;
    for (const auto& [key, value] : v.pairs()) {
        if (value.is_none() || value.is_undefined()) continue;
        const std::string name = to_text(key);
        if (name.find_first_of("/>=") != std::string::npos || has_space(name)) throw TemplateError("Invalid character in attribute name: " + repr(key));
        out += (out.empty() ? "" : " ") + escaped_text(key) + "=\"" + escaped_text(value) + '"';
        check_size(out.size());
    }
    if (!out.empty() && a.get(0, "autospace", true).truthy()) out.insert(0, 1, ' ');
    return e.made(std::move(out));
}

const FilterRow rows[] = {
    {"capitalize", capitalize}, {"center", center}, {"e", escape}, {"escape", escape}, {"forceescape", forceescape}, {"format", format}, {"indent", indent},
    {"lower", lower}, {"replace", replace}, {"safe", safe}, {"string", string}, {"title", title}, {"trim", trim}, {"truncate", truncate}, {"upper", upper},
    {"urlencode", urlencode}, {"wordcount", wordcount}, {"wordwrap", wordwrap}, {"xmlattr", xmlattr},
};

}  // namespace

std::span<const FilterRow> text_filters() { return rows; }

}  // namespace text::jinja
