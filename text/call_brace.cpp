// Gemma's calls: call:NAME{KEY:VALUE,…}, with bare keys and a token of their own around texts.
#include <algorithm>

#include "text/call_dialects.h"

namespace text {
namespace {

using namespace calls;
using State = Attempt::State;
using Json = base::OrderedJson;

enum class Read { more, bad, ok };

// A value from a place on. `final`: what is open ends with the text.
class BraceValue {
public:
    BraceValue(std::string_view s, std::string_view quote, bool final) : s_(s), quote_(quote), final_(final) {}

    Read value(std::size_t& at, Json& out, int depth = 0) const {
        constexpr int max_depth = 64;
        at = past_blank(s_, at);
        if (depth > max_depth) return Read::bad;
        if (at >= s_.size()) return Read::more;
        if (begins(s_, at, quote_)) return text(at, out);
        if (!final_ && s_.size() - at < quote_.size() && may_become(s_, at, quote_)) return Read::more;
        if (s_[at] == '{') return object(at, out, depth);
        if (s_[at] == '[') return list(at, out, depth);
        return bare(at, out);
    }

    Read key(std::size_t& at, std::string& out) const {
        at = past_blank(s_, at);
        if (begins(s_, at, quote_)) {
            Json text_key;
            if (const Read read = text(at, text_key); read != Read::ok) return read;
            out = text_key.get<std::string>();
            at = past_blank(s_, at);
            if (at >= s_.size()) return Read::more;
            return s_[at] == ':' ? (++at, Read::ok) : Read::bad;
        }
        const std::size_t colon = s_.find(':', at);
        if (colon == npos) return Read::more;
        out = trimmed(s_.substr(at, colon - at));
        if (out.size() > 1 && out.front() == '"' && out.back() == '"') out = out.substr(1, out.size() - 2);
        at = colon + 1;
        return out.find_first_of("{}[],") == out.npos ? Read::ok : Read::bad;
    }

private:
    Read text(std::size_t& at, Json& out) const {
        const std::size_t from = at + quote_.size(), end = s_.find(quote_, from);
        if (end == npos && !final_) return Read::more;
        out = std::string(s_.substr(from, std::min(end, s_.size()) - from));
        at = end == npos ? s_.size() : end + quote_.size();
        return Read::ok;
    }

    Read object(std::size_t& at, Json& out, int depth) const {
        out = Json::object();
        for (++at;;) {
            at = past_blank(s_, at);
            if (at >= s_.size()) return final_ ? Read::ok : Read::more;
            if (s_[at] == '}') return ++at, Read::ok;
            if (s_[at] == ',') {
                ++at;
                continue;
            }
            std::string name;
            Json inner;
            if (const Read read = key(at, name); read != Read::ok) return read;
            if (const Read read = value(at, inner, depth + 1); read != Read::ok) return read;
            out[name] = std::move(inner);
        }
    }

    Read list(std::size_t& at, Json& out, int depth) const {
        out = Json::array();
        for (++at;;) {
            at = past_blank(s_, at);
            if (at >= s_.size()) return final_ ? Read::ok : Read::more;
            if (s_[at] == ']') return ++at, Read::ok;
            if (s_[at] == ',') {
                ++at;
                continue;
            }
            Json inner;
            if (const Read read = value(at, inner, depth + 1); read != Read::ok) return read;
            out.push_back(std::move(inner));
        }
    }

    // A number, true, false or null, that ends where something else begins; else a text without quotes.
    Read bare(std::size_t& at, Json& out) const {
        const std::size_t end = s_.find_first_of(",}]", at);
        if (end == npos && !final_) return Read::more;
        const std::string word(trimmed(s_.substr(at, std::min(end, s_.size()) - at)));
        if (word.empty()) return Read::bad;
        auto parsed = base::parse_ordered_json(word);
        out = parsed ? *std::move(parsed) : Json(word);
        at = std::min(end, s_.size());
        return Read::ok;
    }

    std::string_view s_, quote_;
    bool final_;
};

class BraceReader final : public CallReader {
public:
    BraceReader(const BraceForm& form, const CallDialect& dialect) : form_(form), dialect_(dialect) {}

    Attempt step(std::string_view s, bool final) override {
        constexpr std::string_view word = "call:";
        Attempt out;
        if (at_ == 0) {
            const std::size_t lead = opener_length(dialect_, s), from = past_blank(s, lead), brace = s.find('{', from);
            if (!begins(s, from, word)) return !final && may_become(s, from, word) ? out : refused(lead);
            const std::string_view name = s.substr(from + word.size(), std::min(brace, s.size()) - from - word.size());
            if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/") != npos) return refused(lead);
            if (brace == npos) return final ? refused(lead) : out;
            name_ = name;
            at_ = brace + 1;
        }
        while (!ended_ && member(s, final, out)) {}  // a call is told of when it is whole
        if (!ended_) return out;
        out.consumed = at_;
        out.state = take_closing(s, out.consumed, form_.close, final) ? State::done : State::more;
        return out;
    }

private:
    // One key and value, whole; false when it must wait for more text.
    bool member(std::string_view s, bool final, Attempt& out) {
        std::size_t at = past_blank(s, at_);
        if (at >= s.size()) return final && end(at, out);
        if (s[at] == '}') return end(at + 1, out);
        if (s[at] == ',') return at_ = at + 1, true;
        const BraceValue reader(s, form_.quote, final);
        std::string key;
        Json value;
        Read read = reader.key(at, key);
        if (read == Read::ok) read = reader.value(at, value);
        if (read == Read::more && !final) return false;
        if (read != Read::ok) {
            out = {State::not_a_call, opener_length(dialect_, s)};
            out.broken = s.substr(0, at_);
            return false;
        }
        arguments_ += (arguments_.empty() ? "{" : ",") + json_text(key) + ":" + json_text(value);
        at_ = at;
        return true;
    }

    bool end(std::size_t at, Attempt& out) {
        out.pieces.push_back({true, name_});
        out.pieces.push_back({false, arguments_.empty() ? "{}" : arguments_ + "}"});
        at_ = at;
        ended_ = true;
        return false;
    }

    const BraceForm& form_;
    const CallDialect& dialect_;
    std::size_t at_ = 0;  // the next member
    std::string name_, arguments_;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<CallReader> brace_reader(const BraceForm& form, const CallDialect& dialect) { return std::make_unique<BraceReader>(form, dialect); }

}  // namespace text
