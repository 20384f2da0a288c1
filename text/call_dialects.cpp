#include "text/call_dialects.h"

#include <algorithm>
#include <optional>

#include "text/json_members.h"

namespace text {
namespace calls {

std::size_t past_blank(std::string_view s, std::size_t i) {
    while (i < s.size() && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t')) ++i;
    return i;
}

bool begins(std::string_view s, std::size_t at, std::string_view what) { return s.substr(std::min(at, s.size())).starts_with(what); }
bool may_become(std::string_view s, std::size_t at, std::string_view what) { return what.starts_with(s.substr(std::min(at, s.size()))); }

bool take_closing(std::string_view s, std::size_t& at, std::string_view closing, bool final) {
    const std::size_t next = past_blank(s, at);
    if (begins(s, next, closing)) return at = next + closing.size(), true;
    return final || !may_become(s, next, closing);
}

std::string json_text(const base::OrderedJson& json) { return json.dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace); }

}  // namespace calls

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
        broken_ = state == JsonMembers::State::broken;
        if (state == JsonMembers::State::open) return !final ? State::more : begun_ ? State::done : State::not_a_call;
        if (!begun_ && state == JsonMembers::State::closed && name && arguments) whole(s, *name, *arguments, pieces);
        return begun_ ? State::done : State::not_a_call;
    }
    std::size_t end(std::string_view s) const { return std::min(members_.end(), s.size()); }
    bool broken() const { return broken_; }

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
    bool begun_ = false, failed_ = false, broken_ = false;
};

// An object after the lead-in, then perhaps `closing`.
Attempt one_object(ObjectCall& call, std::string_view s, std::size_t at, std::string_view closing, bool final, std::size_t lead, bool& read) {
    Attempt out;
    if (!read) {
        out.state = call.read(s, at, final, out.pieces);
        if (out.state == State::not_a_call) return refused(lead);
        if (out.state == State::more) return out;
        read = true;
    }
    out.consumed = call.end(s);
    if (!call.broken()) {
        out.state = take_closing(s, out.consumed, closing, final) ? State::done : State::more;
        return out;
    }
    // What a broken call still says is nobody's content.
    const std::size_t found = s.find(closing, out.consumed);
    out.consumed = found == npos ? s.size() : found + closing.size();
    out.state = found != npos || final ? State::done : State::more;
    return out;
}

class HermesReader final : public CallReader {
public:
    explicit HermesReader(const ParserOptions& options) : options_(options) {}

    Attempt step(std::string_view s, bool final) override {
        if (function_) return function_->step(s, final);
        const std::size_t at = past_blank(s, tag.size());
        if (at >= s.size()) return final ? refused(tag.size()) : Attempt{};
        if (s[at] == '<') {
            function_ = function_reader(options_);
            return function_->step(s, final);
        }
        return one_object(call_, s, at, "</tool_call>", final, tag.size(), read_);
    }

private:
    static constexpr std::string_view tag = "<tool_call>";
    const ParserOptions& options_;
    std::unique_ptr<CallReader> function_;
    ObjectCall call_;
    bool read_ = false;
};

class LlamaReader final : public CallReader {
public:
    Attempt step(std::string_view s, bool final) override {
        constexpr std::string_view tag = "<|python_tag|>", key = "\"name\"";
        const std::size_t at = s.starts_with(tag) ? past_blank(s, tag.size()) : 0;
        const std::size_t lead = std::max<std::size_t>(at, 1);
        if (at >= s.size()) return final ? refused(lead) : Attempt{};
        if (s[at] != '{') return refused(lead);
        const std::size_t first = past_blank(s, at + 1);
        if (!begins(s, first, key)) return !final && may_become(s, first, key) ? Attempt{} : refused(lead);
        return one_object(call_, s, at, ";", final, lead, read_);
    }

private:
    ObjectCall call_;
    bool read_ = false;
};

// [TOOL_CALLS] [{…}, {…}], or [TOOL_CALLS]NAME{…} with perhaps [ARGS] between.
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
        for (at_ = std::max(at_, from);;) {
            const std::size_t next = past_blank(s, at_);
            if (next >= s.size()) return final ? ended(std::move(out), s.size()) : out;
            if (!call_ && s[next] == ']') return ended(std::move(out), next + 1, true);
            if (!call_ && s[next] == ',' && begun_) {
                at_ = next + 1;
                continue;
            }
            if (!call_) at_ = next, call_.emplace();
            const State state = call_->read(s, at_, final, out.pieces);
            begun_ |= !out.pieces.empty();
            if (state == State::more) return out;
            if (state == State::not_a_call) return ended(std::move(out), at_);
            at_ = call_->end(s);
            call_.reset();
        }
    }

    Attempt ended(Attempt out, std::size_t consumed, bool whole = false) {
        if (!begun_ && !whole) return refused(tag.size());
        out.state = State::done;
        out.consumed = consumed;
        return out;
    }

    Attempt named(std::string_view s, std::size_t at, bool final) {
        constexpr std::string_view args = "[ARGS]";
        const std::size_t name_end = std::min(s.find_first_of("[{ \n", at), s.size()), open = s.find('{', name_end);
        const std::string name(s.substr(at, name_end - at));
        Attempt out;
        if (open == npos) {
            if (!final) return out;
            out.pieces = {{true, name}, {false, "{}"}};
            begun_ = true;
            return ended(std::move(out), s.size());
        }
        if (!begun_) {
            const std::string_view between = s.substr(name_end, open - name_end);
            if (name.empty() || (past_blank(between, 0) < between.size() && between.find(args) == npos)) return refused(tag.size());
            const auto object = ArgumentStream::is_object(s, open);
            if (!object.value_or(false)) return object || final ? refused(tag.size()) : out;
            out.pieces.push_back({true, name});
            begun_ = true;
        }
        bool whole = false;
        for (at_ = std::max(at_, open); !whole && at_ < s.size(); ++at_) whole = depth_.take(s[at_]);
        stream_.send(s, open, at_, out.pieces);
        return whole || final ? ended(std::move(out), at_) : out;
    }

    static constexpr std::string_view tag = "[TOOL_CALLS]";
    std::optional<ObjectCall> call_;
    JsonDepth depth_;
    ArgumentStream stream_;
    std::size_t at_ = 0;
    bool begun_ = false;  // a call has been told of
};

bool names(std::string_view source, std::string_view what) { return source.find(what) != npos; }

}  // namespace

const std::vector<CallDialect>& call_dialects() {
    using Reader = std::unique_ptr<CallReader>;
    static const std::vector<CallDialect> table = {
        {"mistral", {"[TOOL_CALLS]"}, [](std::string_view t) { return names(t, "[TOOL_CALLS]"); },
         [](const ParserOptions&) -> Reader { return std::make_unique<MistralReader>(); }},
        {"qwen3_coder", {"<tool_call>", "<function="}, [](std::string_view t) { return names(t, "<function=") && names(t, "<parameter="); },
         function_reader},
        {"hermes", {"<tool_call>"}, [](std::string_view t) { return names(t, "<tool_call>"); },
         [](const ParserOptions& options) -> Reader { return std::make_unique<HermesReader>(options); }},
        {"llama3_json", {"<|python_tag|>", "{"},
         [](std::string_view t) { return names(t, "<|python_tag|>") || (names(t, "<|start_header_id|>") && names(t, "parameters")); },
         [](const ParserOptions&) -> Reader { return std::make_unique<LlamaReader>(); }},
    };
    return table;
}

}  // namespace text
