// Calls written as JSON objects that hold name and arguments, one by one or in a list.
#include <algorithm>
#include <optional>

#include "text/call_dialects.h"
#include "text/json_members.h"

namespace text {
namespace {

using namespace calls;
using State = Attempt::State;
using Member = JsonMembers::Member;

// The arguments as the model wrote them, while it writes them: from a brace that a name or the
// closing brace follows, up to `end`.
class ArgumentStream {
public:
    // Whether the text at `begin` can be an object: nothing while that is open.
    static std::optional<bool> is_object(std::string_view s, std::size_t begin) {
        if (s[begin] != '{') return false;
        const std::size_t next = past_blank(s, begin + 1);
        if (next >= s.size()) return std::nullopt;
        return s[next] == '"' || s[next] == '}';
    }
    void send(std::string_view s, std::size_t begin, std::size_t end, std::vector<CallPiece>& pieces) {
        const std::size_t from = std::max(begin, sent_);
        sent_ = std::min(end, s.size());
        if (sent_ > from) pieces.push_back({false, std::string(s.substr(from, sent_ - from))});
    }

private:
    std::size_t sent_ = 0;
};

// {"name": NAME, "arguments" or "parameters": ARGUMENTS}
class ObjectCall {
public:
    // `from` is the place of its brace. Consumed is meaningful with done.
    State read(std::string_view s, std::size_t from, bool final, std::vector<CallPiece>& pieces) {
        const auto state = members_.read(s, from);
        const Member *name = member("name"), *arguments = member("arguments", "parameters");
        if (!begun_ && name && name->ended() && arguments && arguments->begun()) {
            const auto object = ArgumentStream::is_object(s, arguments->begin);
            if (object.value_or(false)) begin(s, *name, pieces);
            else if (object && s[arguments->begin] == '{') return State::not_a_call;
            if (failed_) return State::not_a_call;
        }
        if (begun_) stream_.send(s, arguments->begin, arguments->end, pieces);
        state_ = state;
        if (state == JsonMembers::State::open) return !final ? State::more : begun_ ? State::done : State::not_a_call;
        if (!begun_ && state == JsonMembers::State::closed && name && arguments) whole(s, *name, *arguments, pieces);
        return begun_ ? State::done : State::not_a_call;
    }
    std::size_t end(std::string_view s) const { return std::min(members_.end(), s.size()); }
    // Members that are neither name nor arguments, as they were written. An id and the type of a function are no news: a
    // reply has its own, and ids of the model's may come twice in a run.
    void beside(std::string_view s, std::vector<std::string>& out) const {
        const Member *name = member("name"), *arguments = member("arguments", "parameters");
        for (const Member& m : members_.members()) {
            if (&m == name || &m == arguments || !m.begun()) continue;
            const std::string value(s.substr(m.begin, std::min(m.end, end(s)) - m.begin));
            if (m.key != "id" && (m.key != "type" || value != "\"function\"")) out.push_back(json_text(m.key) + ": " + value);
        }
    }
    // Of the name, or what is read where that has no end: the same however the text came.
    std::size_t name_end(std::string_view s) const {
        const Member* const name = member("name");
        return name && name->ended() ? name->end : end(s);
    }
    bool broken() const { return state_ == JsonMembers::State::broken; }
    bool closed() const { return state_ == JsonMembers::State::closed; }

private:
    const Member* member(std::string_view key, std::string_view other = {}) const {
        for (const Member& m : members_.members())
            if (m.key == key || (!other.empty() && m.key == other)) return &m;
        return nullptr;
    }

    void begin(std::string_view s, const Member& name, std::vector<CallPiece>& pieces) {
        const auto text = base::parse_json(s.substr(name.begin, name.end - name.begin));
        failed_ = !text || !text->is_string();
        if (failed_) return;
        pieces.push_back({true, text->get<std::string>()});
        begun_ = true;
    }

    // Arguments that are no object: a string may hold one.
    void whole(std::string_view s, const Member& name, const Member& arguments, std::vector<CallPiece>& pieces) {
        const std::string_view raw = s.substr(arguments.begin, arguments.end - arguments.begin);
        const auto value = base::parse_json(raw);
        if (!value) return;
        begin(s, name, pieces);
        if (!begun_) return;
        const bool packed = value->is_string() && base::parse_json(value->get<std::string>()).ok();
        pieces.push_back({false, packed ? value->get<std::string>() : std::string(raw)});
    }

    JsonMembers members_;
    ArgumentStream stream_;
    JsonMembers::State state_ = JsonMembers::State::open;
    bool begun_ = false, failed_ = false;
};

// [{…}, {…}] from behind its bracket.
class ObjectList {
public:
    // Consumed is meaningful with done; without a call it is done only when the list is whole.
    State read(std::string_view s, std::size_t from, bool final, std::vector<CallPiece>& pieces) {
        for (end_ = std::max(end_, from);;) {
            const std::size_t next = past_blank(s, end_);
            if (next >= s.size()) return final ? cut(s.size()) : State::more;
            if (!call_ && s[next] == ']') return end_ = next + 1, whole_ = true, State::done;
            if (!call_ && s[next] == ',' && begun_) {
                end_ = next + 1;
                continue;
            }
            if (!call_) end_ = next, call_.emplace();
            const State state = call_->read(s, end_, final, pieces);
            begun_ |= !pieces.empty();
            if (state == State::more) return state;
            if (state == State::not_a_call) return cut(end_);
            end_ = call_->end(s);
            call_->beside(s, beside_);
            call_.reset();
        }
    }
    std::size_t end() const { return end_; }
    bool whole() const { return whole_; }
    const std::vector<std::string>& beside() const { return beside_; }

private:
    State cut(std::size_t end) { return end_ = end, begun_ ? State::done : State::not_a_call; }

    std::optional<ObjectCall> call_;
    std::vector<std::string> beside_;
    std::size_t end_ = 0;
    bool begun_ = false, whole_ = false;
};

class JsonReader final : public CallReader {
public:
    JsonReader(const JsonForm& form, const CallDialect& dialect, const ParserOptions& options) : form_(form), dialect_(dialect), options_(options) {}

    Attempt step(std::string_view s, bool final) override {
        if (function_) return function_->step(s, final);
        const std::size_t lead = opener_length(dialect_, s);
        const std::size_t at = s[0] == '{' || s[0] == '[' ? 0 : past_blank(s, lead);
        if (at >= s.size()) return final ? refused(lead) : Attempt{};
        if (form_.tagged && s[at] == '<') {
            function_ = tagged_reader(function_tags, options_);
            return function_->step(s, final);
        }
        if (form_.list && s[at] == '[') return list(s, at + 1, lead, final);
        if (!form_.object || s[at] != '{') return refused(lead);
        constexpr std::string_view key = "\"name\"";
        if (const std::size_t first = past_blank(s, at + 1); form_.name_first && !begins(s, first, key))
            return !final && may_become(s, first, key) ? Attempt{} : refused(lead);
        return object(s, at, lead, final);
    }

private:
    Attempt object(std::string_view s, std::size_t at, std::size_t lead, bool final) {
        Attempt out;
        if (!read_) {
            out.state = call_.read(s, at, final, out.pieces);
            if (out.state == State::not_a_call) return none(s, at, lead);
            if (out.state == State::more) return out;
            read_ = true;
        }
        out.consumed = call_.end(s);
        call_.beside(s, out.beside);
        if (!call_.broken()) return closed(s, std::move(out), final);
        const std::size_t from = out.consumed, found = s.find(form_.close, from);
        out.consumed = found == npos ? s.size() : found + form_.close.size();
        out.state = found != npos || final ? State::done : State::more;
        out.broken = s.substr(0, at + 1);
        out.left = {{from, std::min(found, s.size())}};
        return out;
    }

    Attempt list(std::string_view s, std::size_t from, std::size_t lead, bool final) {
        Attempt out;
        if (!read_) {
            out.state = list_.read(s, from, final, out.pieces);
            if (out.state == State::not_a_call) return refused(lead);
            if (out.state == State::more) return out;
            read_ = true;
        }
        out.consumed = list_.end();
        out.beside = list_.beside();
        if (list_.whole()) return closed(s, std::move(out), final);
        if (out.consumed < s.size()) out.broken = s.substr(0, from);
        out.state = State::done;
        return out;
    }

    // JSON that is something else is an answer; what begins with a name and is no JSON was to be a call.
    Attempt none(std::string_view s, std::size_t at, std::size_t lead) const {
        Attempt out = refused(lead);
        if (form_.name_first && !call_.closed()) out.broken = s.substr(at, call_.name_end(s) - at);
        return out;
    }

    // Braces too many behind a call are no answer: small models miscount them.
    Attempt closed(std::string_view s, Attempt out, bool final) {
        const std::size_t from = out.consumed;
        std::size_t next = past_blank(s, from);
        for (; next < s.size() && s[next] == '}'; next = past_blank(s, out.consumed)) out.consumed = next + 1;
        if (next == s.size() && !final) return out.state = State::more, out;
        if (out.consumed > from) out.beside.emplace_back(trimmed(s.substr(from, out.consumed - from)));
        out.state = take_closing(s, out.consumed, form_.close, final) ? State::done : State::more;
        return out;
    }

    const JsonForm& form_;
    const CallDialect& dialect_;
    const ParserOptions& options_;
    std::unique_ptr<CallReader> function_;
    ObjectCall call_;
    ObjectList list_;
    bool read_ = false;
};

// A list of objects, or NAME[ARGS]ARGUMENTS, perhaps with [CALL_ID] and an id between. A call without a
// name is one too: whoever is told of it can say so to the model.
class MistralReader final : public CallReader {
public:
    Attempt step(std::string_view s, bool final) override {
        const std::size_t at = past_blank(s, tag.size());
        if (at >= s.size()) return final ? refused(tag.size()) : Attempt{};
        return s[at] == '[' ? list(s, at + 1, final) : named(s, at, final);
    }

private:
    Attempt list(std::string_view s, std::size_t from, bool final) {
        Attempt out;
        out.state = list_.read(s, from, final, out.pieces);
        out.consumed = list_.end();
        out.beside = list_.beside();
        if (out.state == State::done && !list_.whole() && out.consumed < s.size()) out.broken = s.substr(0, from);
        return out.state == State::not_a_call ? refused(tag.size()) : out;
    }

    Attempt named(std::string_view s, std::size_t at, bool final) {
        Attempt out;
        if (!begun_) {
            const std::size_t name_end = std::min(s.find_first_of("[{ \n", at), s.size());
            const std::string name(s.substr(at, name_end - at));
            begin_ = past_blank(s, name_end);
            if (begins(s, begin_, id)) begin_ = std::min(s.find_first_of("[{", begin_ + id.size()), s.size());
            else if (!final && may_become(s, begin_, id)) return out;
            if (begins(s, begin_, args)) begin_ = past_blank(s, begin_ + args.size());
            else if (!final && may_become(s, begin_, args)) return out;
            if (begin_ >= s.size() && !final) return out;
            if (begin_ < s.size() && s[begin_] != '{') return refused(tag.size());
            out.pieces.push_back({true, name});
            begun_ = true;
            if (begin_ >= s.size()) out.pieces.push_back({false, "{}"});
        }
        bool whole = false;
        for (at_ = std::max(at_, begin_); !whole && at_ < s.size(); ++at_) whole = depth_.take(s[at_]);
        stream_.send(s, begin_, at_, out.pieces);
        return whole || final ? ended(std::move(out), at_) : out;
    }

    static Attempt ended(Attempt out, std::size_t consumed) {
        out.state = State::done;
        out.consumed = consumed;
        return out;
    }

    static constexpr std::string_view tag = "[TOOL_CALLS]", id = "[CALL_ID]", args = "[ARGS]";
    ObjectList list_;
    JsonDepth depth_;
    ArgumentStream stream_;
    std::size_t at_ = 0, begin_ = 0;  // up to where the arguments were read, and where they begin
    bool begun_ = false;              // a call has been told of
};

}  // namespace

std::unique_ptr<CallReader> json_reader(const JsonForm& form, const CallDialect& dialect, const ParserOptions& options) {
    return std::make_unique<JsonReader>(form, dialect, options);
}
std::unique_ptr<CallReader> mistral_reader() { return std::make_unique<MistralReader>(); }

}  // namespace text
