// Calls in a section between control tokens: a name, then its arguments as JSON up to a closing token.
#include <algorithm>

#include "text/call_dialects.h"
#include "text/json_members.h"

namespace text {
namespace {

using namespace calls;
using State = Attempt::State;

class NamedReader final : public CallReader {
public:
    NamedReader(const NamedForm& form, const ParserOptions& options) : form_(form), options_(options), at_(form.section_open.size()) {}

    Attempt step(std::string_view text, bool final) override {
        Attempt out;
        while (out.state == State::more && advance(text, final, out)) {}
        if (out.state == State::done) out.broken = broken_;
        return out;
    }

private:
    enum class Place { between, header, fence, arguments, closing };

    bool advance(std::string_view s, bool final, Attempt& out) {
        switch (place_) {
            case Place::between: return between(s, final, out);
            case Place::header: return header(s, final, out);
            case Place::fence: return fence(s, final, out);
            case Place::arguments: return arguments(s, final, out);
            case Place::closing: return closing(s, final, out);
        }
        return false;
    }

    // Waits for more text, unless there is none: then a call that has not begun is content.
    bool need(std::string_view s, bool final, Attempt& out) {
        if (!final) return false;
        if (!begun_any_) return out = refused(form_.section_open.size()), false;
        out.state = State::done;
        out.consumed = !begun_ && ignore(s, whole_, s.size()) ? whole_ : s.size();
        if (begun_) end_call(out);
        return false;
    }

    // What stands between calls is markup; that it is none that there is, an operator is told.
    bool ignore(std::string_view s, std::size_t from, std::size_t to) {
        constexpr std::string_view fence = "```";
        const std::string_view text = trimmed(s.substr(from, to - from));
        if (fence.starts_with(text)) return false;
        if (broken_.empty()) broken_ = text;
        return true;
    }

    bool between(std::string_view s, bool final, Attempt& out) {
        const std::size_t call = s.find(form_.call_open, at_), end = s.find(form_.section_close, at_);
        if (call == npos && end == npos) return need(s, final, out);
        ignore(s, at_, std::min(call, end));
        if (call < end) return go(Place::header, call + form_.call_open.size());
        out.state = State::done;
        out.consumed = end + form_.section_close.size();
        return false;
    }

    bool header(std::string_view s, bool final, Attempt& out) {
        std::size_t from = at_;
        if (!form_.name_begin.empty()) {
            const std::size_t hit = s.find(form_.name_begin, at_);
            if (hit == npos) return need(s, final, out);
            from = hit + form_.name_begin.size();
        }
        const std::size_t end = s.find(form_.name_end, from), stop = s.find(form_.call_close, from);
        if (end == npos && stop == npos) return need(s, final, out);
        if (stop < end) return ignore(s, at_, stop), go(Place::between, whole_ = stop + form_.call_close.size());  // no call, but markup
        name_ = trimmed(s.substr(from, end - from));
        return go(Place::fence, end + form_.name_end.size());
    }

    bool fence(std::string_view s, bool final, Attempt& out) {
        const std::size_t next = past_blank(s, at_);
        if (!final && (next >= s.size() || (!form_.fence.empty() && s.size() - next < form_.fence.size() && may_become(s, next, form_.fence)))) return false;
        if (next >= s.size()) return need(s, final, out);
        const std::size_t args = form_.fence.empty() || !begins(s, next, form_.fence) ? next : past_blank(s, next + form_.fence.size());
        if (args >= s.size()) return need(s, final, out);
        begin(s[args], out);
        return go(Place::arguments, args);
    }

    // A bare number stands where the model forgot the name, which its arguments may then tell.
    void begin(char first, Attempt& out) {
        std::string name = name_;
        unnamed_ = false;
        if (form_.counted) {
            unnamed_ = !name.empty() && name.find_first_not_of("0123456789") == name.npos;
            const std::size_t colon = name.rfind(':');
            if (colon != name.npos && name.find_first_not_of("0123456789", colon + 1) == name.npos) name.erase(colon);
            if (name.starts_with("functions.")) name.erase(0, sizeof("functions.") - 1);
        }
        depth_ = {};
        bounded_ = first == '{' || first == '[';
        held_.clear();
        begun_ = begun_any_ = true;
        if (!unnamed_) out.pieces.push_back({true, name});
    }

    // The one tool whose parameters the arguments name.
    std::string tool_of(const std::string& arguments) const {
        const auto json = base::parse_ordered_json(arguments);
        std::string found;
        if (!json || !json->is_object() || !options_.tools.is_array()) return name_;
        for (const auto& entry : options_.tools) {
            const auto& f = entry.is_object() && entry.contains("function") ? entry["function"] : entry;
            if (!f.is_object() || !f.contains("name") || !f["name"].is_string()) continue;
            const base::OrderedJson* parameters = parameters_of(options_.tools, f["name"].get<std::string>());
            if (!parameters || !parameters->contains("properties")) continue;
            const auto& known = (*parameters)["properties"];
            bool all = true;
            for (const auto& item : json->items()) all = all && known.contains(item.key());
            if (all && !found.empty()) return name_;
            if (all) found = f["name"].get<std::string>();
        }
        return found.empty() ? name_ : found;
    }

    void send(std::string_view text, Attempt& out) {
        if (unnamed_) held_ += text;
        else if (!text.empty()) out.pieces.push_back({false, std::string(text)});
    }

    void end_call(Attempt& out) {
        if (unnamed_) {
            out.pieces.push_back({true, tool_of(held_)});
            out.pieces.push_back({false, held_});
        }
        begun_ = false;
    }

    bool arguments(std::string_view s, bool final, Attempt& out) {
        std::size_t i = at_;
        bool whole = false;
        while (i < s.size() && !whole) {
            if (!depth_.in_string() && begins(s, i, form_.call_close)) break;
            if (!depth_.in_string() && !final && may_become(s, i, form_.call_close)) break;
            whole = depth_.take(s[i++]) && bounded_;
        }
        send(s.substr(at_, i - at_), out);
        at_ = i;
        if (whole || begins(s, i, form_.call_close)) return end_call(out), go(Place::closing, i);
        return need(s, final, out);
    }

    // What else stands before the closing token is markup too.
    bool closing(std::string_view s, bool final, Attempt& out) {
        whole_ = at_;
        const std::size_t close = s.find(form_.call_close, at_), other = std::min(s.find(form_.call_open, at_), s.find(form_.section_close, at_));
        if (close == npos && other == npos) return need(s, final, out);
        ignore(s, at_, std::min(close, other));
        return go(Place::between, whole_ = close < other ? close + form_.call_close.size() : other);
    }

    bool go(Place place, std::size_t at) {
        place_ = place;
        at_ = at;
        return true;
    }

    const NamedForm& form_;
    const ParserOptions& options_;
    Place place_ = Place::between;
    std::size_t at_;
    JsonDepth depth_;
    std::size_t whole_ = 0;  // where the last call ends
    std::string name_, held_, broken_;
    bool bounded_ = false;  // the arguments say themselves where they end
    bool begun_ = false, begun_any_ = false, unnamed_ = false;
};

}  // namespace

std::unique_ptr<CallReader> named_reader(const NamedForm& form, const ParserOptions& options) { return std::make_unique<NamedReader>(form, options); }

}  // namespace text
