// Calls whose arguments stand between tags, one by one, as their schema types them.
#include <algorithm>
#include <optional>

#include "text/call_dialects.h"
#include "text/json_members.h"

namespace text {
namespace {

using namespace calls;
using State = Attempt::State;

void collect_types(const base::OrderedJson& schema, const base::OrderedJson& root, int depth, std::vector<std::string>& out) {
    constexpr int max_depth = 8;
    if (!schema.is_object() || depth > max_depth) return;
    const auto add = [&](const std::string& type) {
        if (std::find(out.begin(), out.end(), type) == out.end()) out.push_back(type);
    };
    const auto add_value = [&](const base::OrderedJson& v) { add(v.is_number_integer() ? "integer" : v.is_number() ? "number" : v.type_name()); };
    if (const auto type = schema.find("type"); type != schema.end()) {
        for (const auto& t : type->is_array() ? *type : base::OrderedJson::array({*type}))
            if (t.is_string()) add(t.get<std::string>());
        return;
    }
    if (schema.contains("const")) add_value(schema["const"]);
    if (schema.contains("enum") && schema["enum"].is_array())
        for (const auto& v : schema["enum"]) add_value(v);
    for (const char* key : {"anyOf", "oneOf", "allOf"})
        if (schema.contains(key) && schema[key].is_array())
            for (const auto& s : schema[key]) collect_types(s, root, depth + 1, out);
    if (const auto ref = schema.find("$ref"); ref != schema.end() && ref->is_string()) {
        const std::string target = *ref;
        try {
            if (target.starts_with("#/")) collect_types(root.at(base::OrderedJson::json_pointer(target.substr(1))), root, depth + 1, out);
        } catch (const base::OrderedJson::exception&) {  // it leads nowhere
        }
    }
}

std::string without_line_ends(std::string_view s) {
    if (s.starts_with('\n')) s.remove_prefix(1);
    if (s.ends_with('\n')) s.remove_suffix(1);
    return std::string(s);
}

// JSON of an argument that was written with its quotes escaped, as if it stood in a string.
std::string unescaped(const std::string& text) {
    const auto inner = base::parse_json("\"" + text + "\"");
    return inner && inner->is_string() ? inner->get<std::string>() : text;
}

class TaggedReader final : public CallReader {
public:
    TaggedReader(const TaggedForm& form, const ParserOptions& options) : form_(form), options_(options) {
        for (std::string_view tag : {form.parameter, form.call_close, form.section_close, form.call_open, form.section_open})
            if (!tag.empty()) tags_.push_back(tag);
    }

    Attempt step(std::string_view text, bool final) override {
        Attempt out;
        while (out.state == State::more && advance(text, final, out)) {}
        return out;
    }

private:
    enum class Place { opener, name, between, object, key, value, closing };
    enum class Verdict { no, wait, yes };

    // One stretch further; false when it must wait for more text.
    bool advance(std::string_view s, bool final, Attempt& out) {
        switch (place_) {
            case Place::opener: return open(s, final, out);
            case Place::name: return name(s, final, out);
            case Place::between: return between(s, final, out);
            case Place::object: return object(s, final, out);
            case Place::key: return key(s, final, out);
            case Place::value: return value(s, final, out);
            case Place::closing: return close(s, final, out);
        }
        return false;
    }

    bool open(std::string_view s, bool final, Attempt& out) {
        in_section_ = !form_.section_open.empty() && s.starts_with(form_.section_open);
        const std::size_t at = in_section_ ? past_blank(s, form_.section_open.size()) : 0;
        if (begins(s, at, form_.call_open)) return go(Place::name, at + form_.call_open.size());
        if (in_section_ && begins(s, at, form_.section_close)) return out = {State::done, at + form_.section_close.size()}, false;
        if (final || !(may_become(s, at, form_.call_open) || (in_section_ && may_become(s, at, form_.section_close))))
            out = refused(in_section_ ? form_.section_open.size() : 1);
        return false;
    }

    // Where the name ends, and where what follows it begins.
    bool name(std::string_view s, bool final, Attempt& out) {
        if (form_.name_end.empty()) return bare_name(s, final, out);
        const bool quoted = form_.name_end == "\"";
        std::size_t end = s.find_first_of(quoted ? "\"\n" : ">\n", at_), after = end;
        if (end != npos && quoted && s[end] == '"') after = s.find('>', end);
        if ((end == npos || after == npos) && !final) return false;
        end = std::min({end, s.find(form_.call_close.substr(0, form_.call_close.size() - 1), at_), s.size()});
        begin_call(std::string(s.substr(at_, end - at_)), out);
        if (quoted && after != npos && s[after - 1] == '/') return end_call(after + 1, out);
        if (quoted && after != npos) return go(Place::between, std::min(after + 1, s.size()));
        return go(Place::between, begins(s, end, form_.name_end) ? end + form_.name_end.size() : end);
    }

    // A name that nothing closes: it ends at its line, its first parameter or the end of the call.
    bool bare_name(std::string_view s, bool final, Attempt& out) {
        const std::size_t end = std::min({s.find('\n', past_blank(s, at_)), s.find(form_.parameter, at_), s.find(form_.call_close, at_)});
        std::string_view name = s.substr(at_, std::min(end, s.size()) - at_);
        if (end == npos) name = name.substr(0, tag_under_way(name));
        name = trimmed(name);
        if (name.ends_with("\\n")) name.remove_suffix(2);
        const bool odd = name.empty() ? end != npos : name.find_first_of(" <>{}[]\"") != npos;
        if (odd || (final && end == npos)) return out = refused(form_.call_open.size()), false;
        if (end == npos) return false;
        begin_call(std::string(name), out);
        return go(Place::between, end);
    }

    // Where a tag that ends a name may have begun.
    std::size_t tag_under_way(std::string_view name) const {
        const std::size_t tag = name.rfind('<');
        return tag != npos && (may_become(name, tag, form_.parameter) || may_become(name, tag, form_.call_close)) ? tag : npos;
    }

    // What stands from there to there is no part of a call. Models write an escaped line end between tags, too.
    void leave(std::string_view s, std::size_t from, std::size_t to) {
        std::size_t at = past_blank(s, from);
        while (at < to && begins(s, at, "\\n")) at = past_blank(s, at + 2);
        if (at >= to) return;
        if (broken_.empty()) broken_ = std::string(form_.call_open) + name_;
        left_.emplace_back(at, to);
    }

    void begin_call(std::string name, Attempt& out) {
        name_ = std::move(name);
        arguments_ = 0;
        wrapped_.reset();
        out.pieces.push_back({true, name_});
    }

    bool between(std::string_view s, bool final, Attempt& out) {
        if (const std::size_t next = past_blank(s, at_); arguments_ == 0 && next < s.size() && s[next] == '{' && form_.untyped == TaggedForm::Untyped::told) {
            depth_ = {};
            return go(Place::object, next);
        }
        std::size_t hit = npos, length = 0;
        for (std::string_view tag : {form_.parameter, form_.call_close, form_.section_close})
            if (const std::size_t at = tag.empty() ? npos : s.find(tag, searched_); at < hit) hit = at, length = tag.size();
        if (hit == npos && !final) {
            searched_ = std::max(searched_, s.size() > longest ? s.size() - longest : 0);
            return false;
        }
        leave(s, at_, std::min(hit, s.size()));
        if (hit == npos && arguments_ == 0) return end_unfinished(s, out);
        if (hit != npos && begins(s, hit, form_.parameter)) return parameter_ = hit, go(Place::key, hit + length);
        const bool unclosed = hit != npos && begins(s, hit, form_.section_close) && !form_.section_close.empty();
        return end_call(hit == npos ? s.size() : unclosed ? hit : hit + length, out);
    }

    // The text ends before the arguments do: they stay open, so that nobody takes them for whole.
    bool end_unfinished(std::string_view s, Attempt& out) {
        if (broken_.empty()) broken_ = std::string(form_.call_open) + name_;
        objects_ = true;
        return end_call(s.size(), out);
    }

    // Arguments that are one object after all.
    bool object(std::string_view s, bool final, Attempt& out) {
        std::size_t i = at_;
        bool whole = false;
        while (i < s.size() && !whole) whole = depth_.take(s[i++]);
        if (i > at_) out.pieces.push_back({false, std::string(s.substr(at_, i - at_))});
        at_ = i;
        if (!whole && !final) return false;
        objects_ = true;
        return whole ? go(Place::between, i), arguments_ = 1, true : end_call(s.size(), out);
    }

    bool key(std::string_view s, bool final, Attempt& out) {
        const std::size_t stop = s.find(form_.key_end, at_);
        const std::size_t value = stop == npos || form_.value.empty() ? stop : s.find(form_.value, stop + form_.key_end.size());
        if (stop == npos || value == npos) return final && (leave(s, parameter_, s.size()), end_unfinished(s, out));
        key_ = trimmed(s.substr(at_, stop - at_));
        told_ = form_.value.empty() ? "" : s.substr(stop, value - stop);
        const std::size_t begin = form_.value.empty() ? stop + form_.key_end.size() : value + form_.value.size();
        const bool cut = key_.find(form_.call_close.substr(0, form_.call_close.size() - 1)) != npos;
        rejected_ = npos;
        if (cut) leave(s, parameter_, begin);
        else if (form_.key_end != "\"" && !form_.value.empty()) leave(s, stop + form_.key_end.size(), value);
        return cut ? end_call(begin, out) : go(Place::value, begin);
    }

    // Whether the tag at `hit` ends the value, or is a text that looks like one: an end is followed by what
    // may follow it, and a parameter that begins without the last one's end begins a line.
    Verdict ends_value(std::string_view s, std::size_t hit, bool final) const {
        if (begins(s, hit, form_.parameter)) return hit == at_ || s[hit - 1] == '\n' ? Verdict::yes : Verdict::no;
        const bool parameter = begins(s, hit, form_.value_close);
        const std::size_t next = past_blank(s, hit + (parameter ? form_.value_close : form_.call_close).size());
        if (!parameter && !in_section_ && !form_.section_open.empty()) return Verdict::yes;
        if (next >= s.size()) return final ? Verdict::yes : Verdict::wait;
        bool open = false;
        for (std::string_view tag : tags_) {
            const bool calls = tag == form_.call_open || tag == form_.section_open;
            if ((!parameter && (tag == form_.parameter || tag == form_.call_close)) || (parameter && calls)) continue;
            if (begins(s, next, tag)) return Verdict::yes;
            open = open || may_become(s, next, tag);
        }
        return open && !final ? Verdict::wait : Verdict::no;
    }

    bool value(std::string_view s, bool final, Attempt& out) {
        std::size_t hit = npos;
        for (;;) {
            hit = std::min({s.find(form_.value_close, searched_), s.find(form_.parameter, searched_), s.find(form_.call_close, searched_)});
            if (hit == npos) break;
            const Verdict verdict = ends_value(s, hit, final);
            if (verdict == Verdict::wait) return searched_ = hit, false;
            if (verdict == Verdict::yes) break;
            rejected_ = std::min(rejected_, hit);
            searched_ = hit + 1;
        }
        if (hit == npos && !final) {
            searched_ = std::max(searched_, s.size() > longest ? s.size() - longest : 0);
            return false;
        }
        if (hit == npos && rejected_ == npos && broken_.empty()) broken_ = std::string(form_.call_open) + name_;  // the value is cut
        hit = std::min({hit, hit == npos ? rejected_ : npos, s.size()});
        const std::string_view raw = s.substr(at_, hit - at_);
        send(form_.own_lines ? without_line_ends(raw) : std::string(raw), out);
        return go(Place::between, begins(s, hit, form_.value_close) ? hit + form_.value_close.size() : hit);
    }

    void send(const std::string& text, Attempt& out) {
        if (objects_) return;  // the arguments are whole
        base::OrderedJson value = argument(text);
        // All arguments in one of this name, which the tool has not.
        const bool wraps = form_.untyped == TaggedForm::Untyped::told && arguments_ == 0 && (key_ == "arguments" || key_ == "input") && known_otherwise();
        if (wraps) {
            const auto inner = value.is_string() ? base::parse_ordered_json(value.get<std::string>()) : base::Result<base::OrderedJson>(value);
            if (inner && inner->is_object()) wrapped_ = *inner;
        }
        const std::string piece = json_text(key_) + ":" + json_text(value);
        if (wrapped_ && held_.empty()) held_ = piece;
        else flush(out), out.pieces.push_back({false, (arguments_ ? "," : "{") + piece});
        ++arguments_;
    }

    // What was held because it might have been all.
    void flush(Attempt& out) {
        if (!held_.empty()) out.pieces.push_back({false, "{" + held_});
        held_.clear();
        wrapped_.reset();
    }

    bool known_otherwise() const {
        const base::OrderedJson* parameters = parameters_of(options_.tools, name_);
        return parameters && parameters->contains("properties") && !(*parameters)["properties"].contains(key_);
    }

    base::OrderedJson argument(const std::string& text) const {
        using Untyped = TaggedForm::Untyped;
        const base::OrderedJson* parameters = parameters_of(options_.tools, name_);
        const base::OrderedJson* schema = nullptr;
        if (parameters && parameters->contains("properties") && (*parameters)["properties"].contains(key_)) schema = &(*parameters)["properties"][key_];
        if (const auto types = schema ? argument_types(*schema, *parameters) : std::vector<std::string>(); !types.empty()) {
            const base::OrderedJson value = parse_argument(text, *schema, *parameters);
            const bool wrong = value.is_string() && std::find(types.begin(), types.end(), "string") == types.end();
            const bool packed = form_.untyped == Untyped::json && wrong && text.find("\\\"") != text.npos;
            return packed ? parse_argument(unescaped(text), *schema, *parameters) : value;
        }
        const bool json = form_.untyped == Untyped::json || (form_.untyped == Untyped::told && told_.find("string=\"false\"") != told_.npos);
        if (!json) return text;
        auto parsed = base::parse_ordered_json(text);
        return parsed ? *std::move(parsed) : base::OrderedJson(text);
    }

    bool end_call(std::size_t after, Attempt& out) {
        if (wrapped_) out.pieces.push_back({false, json_text(*wrapped_)});
        else if (!objects_) out.pieces.push_back({false, arguments_ ? "}" : "{}"});
        held_.clear();
        wrapped_.reset();
        objects_ = false;
        return go(Place::closing, after);
    }

    // Another call of the section, its end, or what is no part of it.
    bool close(std::string_view s, bool final, Attempt& out) {
        const std::size_t next = past_blank(s, at_);
        out.consumed = at_;
        if (in_section_) {
            if (begins(s, next, form_.call_open)) return go(Place::name, next + form_.call_open.size());
            if (begins(s, next, form_.section_close)) out.consumed = next + form_.section_close.size();
            else if (!final && (may_become(s, next, form_.call_open) || may_become(s, next, form_.section_close))) return false;
        } else if (!take_closing(s, out.consumed, form_.section_close, final)) {
            return false;
        }
        out.state = State::done;
        out.broken = broken_;
        out.left = left_;
        return false;
    }

    bool go(Place place, std::size_t at) {
        place_ = place;
        at_ = searched_ = at;
        return true;
    }

    static constexpr std::size_t longest = 64;  // no tag is longer
    const TaggedForm& form_;
    const ParserOptions& options_;
    std::vector<std::string_view> tags_;  // what may follow the end of a value or of a call
    Place place_ = Place::opener;
    std::size_t at_ = 0;            // where the place begins
    std::size_t searched_ = 0;      // no marker begins before
    std::size_t parameter_ = 0;     // where its tag begins
    std::size_t rejected_ = npos;   // the first marker that seemed to be part of the value
    int arguments_ = 0;
    bool in_section_ = false, objects_ = false;
    std::string name_, key_, told_, held_;
    std::string broken_;  // how a call begins whose text is not all name and arguments
    std::vector<std::pair<std::size_t, std::size_t>> left_;
    std::optional<base::OrderedJson> wrapped_;
    JsonDepth depth_;
};

}  // namespace

std::vector<std::string> argument_types(const base::OrderedJson& schema, const base::OrderedJson& root) {
    std::vector<std::string> out;
    collect_types(schema, root, 0, out);
    return out;
}

// Python's words are read as JSON's.
base::OrderedJson parse_argument(const std::string& text, const base::OrderedJson& schema, const base::OrderedJson& root) {
    const std::vector<std::string> types = argument_types(schema, root);
    const auto allows = [&](const char* t) { return std::find(types.begin(), types.end(), t) != types.end(); };
    if (types.empty() || (types.size() == 1 && types[0] == "string")) return text;
    if (allows("boolean") && (text == "True" || text == "False")) return text == "True";
    if (text == "None") return nullptr;
    auto parsed = base::parse_ordered_json(text);
    if (!parsed) return text;
    const bool wanted = (parsed->is_object() && allows("object")) || (parsed->is_array() && allows("array")) ||
                        (parsed->is_boolean() && allows("boolean")) || parsed->is_null() ||
                        (parsed->is_number() && (allows("number") || allows("integer")));
    return wanted || !allows("string") ? std::move(*parsed) : base::OrderedJson(text);
}

std::unique_ptr<CallReader> tagged_reader(const TaggedForm& form, const ParserOptions& options) { return std::make_unique<TaggedReader>(form, options); }

}  // namespace text
