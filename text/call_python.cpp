// Calls in Python's syntax: [NAME(KEY=VALUE, …), …], or one a line.
#include <algorithm>
#include <cctype>

#include "text/call_dialects.h"

namespace text {
namespace {

using namespace calls;
using State = Attempt::State;
using Json = base::OrderedJson;

enum class Read { more, bad, ok };
// Where a value stands, which says what may follow it.
enum class Spot { argument, item, key, member };

bool name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Python's literals, and JSON's words for them.
class PythonValue {
public:
    PythonValue(std::string_view s, std::string_view close, bool list, bool final) : s_(s), close_(close), list_(list), final_(final) {}

    Read value(std::size_t& at, Json& out, Spot spot, int depth = 0) const {
        constexpr int max_depth = 64;
        at = past_blank(s_, at);
        if (depth > max_depth) return Read::bad;
        if (at >= s_.size()) return Read::more;
        const char c = s_[at];
        if (c == '\'' || c == '"') return text(at, out, spot);
        if (c == '[') return sequence(at, out, ']', depth);
        if (c == '(') return sequence(at, out, ')', depth);
        if (c == '{') return braces(at, out, depth);
        return word(at, out);
    }

    // What may follow the bracket that ends a call.
    Read after_call(std::size_t at) const {
        const std::size_t next = past_blank(s_, at);
        if (next >= s_.size()) return final_ ? Read::ok : Read::more;
        if (list_) return s_[next] == ',' || s_[next] == ']' ? Read::ok : Read::bad;
        if (begins(s_, next, close_)) return Read::ok;
        if (!final_ && may_become(s_, next, close_)) return Read::more;
        return s_.substr(at, next - at).find('\n') != npos || s_[next] == ',' ? Read::ok : Read::bad;
    }

private:
    // Models forget to escape quotes: one ends the text only where what follows can follow it.
    Read ends_text(std::size_t after, Spot spot) const {
        const std::size_t next = past_blank(s_, after);
        if (next >= s_.size()) return final_ ? Read::ok : Read::more;
        const char c = s_[next];
        if (spot == Spot::key) return c == ':' || c == ',' || c == '}' ? Read::ok : Read::bad;
        if (spot != Spot::argument) return c == ',' || c == ']' || c == '}' || c == ')' ? Read::ok : Read::bad;
        if (c == ')') return after_call(next + 1);
        if (c != ',') return Read::bad;
        std::size_t name = past_blank(s_, next + 1);
        if (name < s_.size() && s_[name] == ')') return Read::ok;
        const std::size_t from = name;
        while (name < s_.size() && name_char(s_[name])) ++name;
        const std::size_t equals = past_blank(s_, name);
        if (equals >= s_.size()) return final_ ? Read::bad : Read::more;
        return name > from && s_[equals] == '=' ? Read::ok : Read::bad;
    }

    Read text(std::size_t& at, Json& out, Spot spot) const {
        const char quote = s_[at];
        std::string raw;
        for (std::size_t i = at + 1; i < s_.size(); ++i) {
            if (s_[i] == '\\' && i + 1 < s_.size()) {
                i = escape(i + 1, raw);
            } else if (s_[i] != quote) {
                raw += s_[i];
            } else {
                const Read ends = ends_text(i + 1, spot);
                if (ends == Read::more) return ends;
                if (ends == Read::ok) return out = raw, at = i + 1, Read::ok;
                raw += quote;
            }
        }
        return Read::more;
    }

    // What `\c` stands for, as in Python: an unknown one is itself. The place of its last character.
    std::size_t escape(std::size_t at, std::string& out) const {
        constexpr std::string_view letters = "ntrbf\\'\"", meant = "\n\t\r\b\f\\'\"";
        const char c = s_[at];
        if (const std::size_t i = letters.find(c); i != npos) return out += meant[i], at;
        if (c == '\n') return at;
        const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 0;
        const std::string_view hex = s_.substr(at + 1, digits);
        if (digits > 0 && hex.size() == digits && hex.find_first_not_of("0123456789abcdefABCDEF") == npos) {
            const auto decoded = base::parse_json("\"\\u" + std::string(4 - digits, '0') + std::string(hex) + "\"");
            if (decoded) return out += decoded->get<std::string>(), at + digits;
        }
        return (out += '\\') += c, at;
    }

    // A list or a tuple.
    Read sequence(std::size_t& at, Json& out, char close, int depth) const {
        out = Json::array();
        for (++at;;) {
            at = past_blank(s_, at);
            if (at >= s_.size()) return Read::more;
            if (s_[at] == close) return ++at, Read::ok;
            Json inner;
            if (const Read read = value(at, inner, Spot::item, depth + 1); read != Read::ok) return read;
            out.push_back(std::move(inner));
            if (const Read read = separator(at, close); read != Read::ok) return read;
        }
    }

    Read separator(std::size_t& at, char close) const {
        at = past_blank(s_, at);
        if (at >= s_.size()) return Read::more;
        if (s_[at] == ',') return ++at, Read::ok;
        return s_[at] == close ? Read::ok : Read::bad;
    }

    // A dict, or a set, which is written as a list.
    Read braces(std::size_t& at, Json& out, int depth) const {
        Json members = Json::object(), items = Json::array();
        for (++at;;) {
            at = past_blank(s_, at);
            if (at >= s_.size()) return Read::more;
            if (s_[at] == '}') return ++at, out = items.empty() ? members : items, Read::ok;
            Json key, inner;
            if (const Read read = value(at, key, Spot::key, depth + 1); read != Read::ok) return read;
            at = past_blank(s_, at);
            if (at >= s_.size()) return Read::more;
            if (s_[at] == ':') {
                if (const Read read = value(++at, inner, Spot::member, depth + 1); read != Read::ok) return read;
                members[key.is_string() ? key.get<std::string>() : json_text(key)] = std::move(inner);
            } else {
                items.push_back(std::move(key));
            }
            if (const Read read = separator(at, '}'); read != Read::ok) return read;
        }
    }

    Read word(std::size_t& at, Json& out) const {
        std::size_t end = at;
        while (end < s_.size() && (name_char(s_[end]) || s_[end] == '.' || s_[end] == '-' || s_[end] == '+')) ++end;
        if (end >= s_.size()) return Read::more;
        std::string word(s_.substr(at, end - at));
        at = end;
        if (word == "True" || word == "true") return out = true, Read::ok;
        if (word == "False" || word == "false") return out = false, Read::ok;
        if (word == "None" || word == "null") return out = nullptr, Read::ok;
        const std::size_t sign = !word.empty() && (word[0] == '-' || word[0] == '+') ? 1 : 0;
        while (word.size() > sign + 1 && word[sign] == '0' && std::isdigit(static_cast<unsigned char>(word[sign + 1])) != 0) word.erase(sign, 1);
        if (word.starts_with('+')) word.erase(0, 1);
        if (word.ends_with('.')) word += '0';
        auto number = base::parse_ordered_json(word);
        if (!number || !number->is_number()) return Read::bad;
        out = *std::move(number);
        return Read::ok;
    }

    std::string_view s_, close_;
    bool list_, final_;
};

class PythonReader final : public CallReader {
public:
    PythonReader(const PythonForm& form, const CallDialect& dialect, const ParserOptions& options) : form_(form), dialect_(dialect), options_(options), objects_{form.close} {}

    Attempt step(std::string_view s, bool final) override {
        if (json_) return json_->step(s, final);
        Attempt out;
        if (at_ == 0 && !open(s, final, out)) return out;
        while (out.state == State::more && advance(s, final, out)) {}
        return out;
    }

private:
    enum class Place { calls, arguments, closing };

    // Past the opener and the list's bracket.
    bool open(std::string_view s, bool final, Attempt& out) {
        lead_ = opener_length(dialect_, s);
        bare_ = s[0] == '[';
        const std::size_t at = bare_ ? 0 : past_blank(s, lead_), inner = past_blank(s, at + 1);
        if (at >= s.size() || (form_.list && s[at] == '[' && inner >= s.size())) return out = final ? refused(lead_) : Attempt{}, false;
        if (form_.json && (s[at] == '{' || (s[at] == '[' && s[inner] == '{'))) {
            json_ = json_reader(objects_, dialect_, options_);
            out = json_->step(s, final);
            return false;
        }
        if (!bare_ && begins(s, at, form_.close)) return out = {State::done, at + form_.close.size()}, false;
        if (!bare_ && !final && may_become(s, at, form_.close)) return false;
        if (form_.list && s[at] != '[') return out = refused(lead_), false;
        at_ = form_.list ? at + 1 : at;
        return true;
    }

    bool advance(std::string_view s, bool final, Attempt& out) {
        switch (place_) {
            case Place::calls: return next_call(s, final, out);
            case Place::arguments: return next_argument(s, final, out);
            case Place::closing: return close(s, final, out);
        }
        return false;
    }

    bool wait(bool final, Attempt& out) { return final && cut(out); }

    // Nothing more of it can be read: what is behind the last whole call is none.
    bool cut(Attempt& out) {
        if (whole_ > 0) out.state = State::done, out.consumed = whole_;
        else out = {State::not_a_call, lead_};
        const bool begun = place_ == Place::arguments && (!bare_ || is_tool(options_.tools, name_));
        if (begun) out.broken = (bare_ ? "[" : "") + name_ + "(";
        return false;
    }

    bool next_call(std::string_view s, bool final, Attempt& out) {
        std::size_t at = past_blank(s, at_);
        while (whole_ > 0 && at < s.size() && (s[at] == ',' || s[at] == ';')) at = past_blank(s, at + 1);
        if (at >= s.size()) {
            if (final && whole_ > 0) whole_ = at;  // nothing but commas
            return wait(final, out);
        }
        if (form_.list && s[at] == ']') return bare_ && whole_ == 0 ? cut(out) : go(Place::closing, at + 1);
        if (!form_.list && begins(s, at, form_.close)) return go(Place::closing, at);
        if (!form_.list && !final && may_become(s, at, form_.close)) return false;
        std::size_t end = at;
        while (end < s.size() && (name_char(s[end]) || s[end] == '.' || s[end] == '-')) ++end;
        if (end == at || std::isdigit(static_cast<unsigned char>(s[at])) != 0) return cut(out);
        if (end >= s.size()) return wait(final, out);
        if (s[end] != '(') return cut(out);
        name_ = s.substr(at, end - at);
        // Brackets are common in prose: without a token before them a call must be one of the tools.
        if (bare_ && has_tools(options_.tools) && !is_tool(options_.tools, name_)) return cut(out);
        arguments_.clear();
        return go(Place::arguments, end + 1);
    }

    // A call is told of when it is whole.
    bool next_argument(std::string_view s, bool final, Attempt& out) {
        const PythonValue reader(s, form_.close, form_.list, final);
        std::size_t at = past_blank(s, at_);
        if (!arguments_.empty() && at < s.size() && s[at] == ',') at = past_blank(s, at + 1);
        if (at >= s.size()) return wait(final, out);
        if (s[at] == ')') {
            out.pieces.push_back({true, name_});
            out.pieces.push_back({false, arguments_.empty() ? "{}" : arguments_ + "}"});
            whole_ = at + 1;
            return go(Place::calls, whole_);
        }
        std::size_t end = at;
        while (end < s.size() && name_char(s[end])) ++end;
        const std::size_t equals = past_blank(s, end);
        if (equals >= s.size()) return wait(final, out);
        if (end == at || s[equals] != '=') return cut(out);
        // No value ends before one of these has come.
        if (const std::size_t stop = s.find_first_of(",)]}<\n", std::max(equals + 1, tried_)); stop == npos && !final) return false;
        tried_ = s.size();
        const std::string key(s.substr(at, end - at));
        Json value;
        std::size_t after = equals + 1;
        const Read read = reader.value(after, value, Spot::argument);
        if (read == Read::more) return wait(final, out);
        const std::size_t next = past_blank(s, after);
        if (read == Read::ok && next >= s.size()) return wait(final, out);
        if (read == Read::bad || (s[next] != ',' && s[next] != ')')) return cut(out);
        arguments_ += (arguments_.empty() ? "{" : ",") + json_text(key) + ":" + json_text(value);
        return go(Place::arguments, after);
    }

    bool close(std::string_view s, bool final, Attempt& out) {
        out.consumed = at_;
        if (!take_closing(s, out.consumed, form_.close, final)) return false;
        out.state = State::done;
        return false;
    }

    bool go(Place place, std::size_t at) {
        place_ = place;
        at_ = tried_ = at;
        return true;
    }

    const PythonForm& form_;
    const CallDialect& dialect_;
    const ParserOptions& options_;
    const JsonForm objects_;
    std::unique_ptr<CallReader> json_;
    Place place_ = Place::calls;
    std::size_t at_ = 0, lead_ = 0;
    std::size_t tried_ = 0;  // a value could not be read from what came before
    std::size_t whole_ = 0;  // where the last whole call ends
    bool bare_ = false;
    std::string name_, arguments_;
};

}  // namespace

std::unique_ptr<CallReader> python_reader(const PythonForm& form, const CallDialect& dialect, const ParserOptions& options) {
    return std::make_unique<PythonReader>(form, dialect, options);
}

}  // namespace text
