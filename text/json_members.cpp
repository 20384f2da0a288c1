#include "text/json_members.h"

#include "base/json.h"

namespace text {
namespace {

bool blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

bool JsonDepth::take(char c) {
    if (in_string_) {
        if (!escaped_ && c == '"') in_string_ = false;
        escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
        in_string_ = true;
    } else if (c == '{' || c == '[') {
        ++depth_;
    } else if (c == '}' || c == ']') {
        --depth_;
    }
    return !in_string_ && depth_ <= 0;
}

JsonMembers::State JsonMembers::read(std::string_view text, std::size_t from) {
    if (at_ == open) at_ = from;
    while (state_ == State::open && at_ < text.size()) {
        if (!take(text[at_])) state_ = State::broken;
        if (state_ != State::broken) ++at_;
    }
    return state_;
}

// False when `c` cannot follow.
bool JsonMembers::take(char c) {
    switch (expect_) {
        case Expect::brace: expect_ = Expect::first_key; return c == '{';
        case Expect::first_key:
        case Expect::key:
            if (blank(c)) return true;
            if (c == '}' && expect_ == Expect::first_key) return state_ = State::closed, true;
            key_ = c;
            expect_ = Expect::key_text;
            return c == '"';
        case Expect::key_text:
            key_ += c;
            if (escaped_ || c != '"') return escaped_ = !escaped_ && c == '\\', true;
            return key_ended();
        case Expect::colon:
            if (c == ':') expect_ = Expect::value;
            return c == ':' || blank(c);
        case Expect::value:
            if (blank(c)) return true;
            start_value(c);
            return c != ',' && c != '}' && c != ']' && c != ':';
        case Expect::inside:
            if (!value_.take(c)) return true;
            members_.back().end = at_ + 1;
            expect_ = Expect::comma;
            return true;
        case Expect::scalar:
            if (c != ',' && c != '}' && !blank(c)) return true;
            members_.back().end = at_;
            expect_ = Expect::comma;
            [[fallthrough]];
        case Expect::comma:
            if (c == ',') expect_ = Expect::key;
            if (c == '}') state_ = State::closed;
            return c == ',' || c == '}' || blank(c);
    }
    return false;
}

void JsonMembers::start_value(char c) {
    members_.back().begin = at_;
    value_ = {};
    const bool bounded = c == '"' || c == '{' || c == '[';
    if (bounded) value_.take(c);
    expect_ = bounded ? Expect::inside : Expect::scalar;
}

bool JsonMembers::key_ended() {
    const auto key = base::parse_json(key_);
    if (!key) return false;
    members_.push_back({key->get<std::string>(), open, open});
    expect_ = Expect::colon;
    return true;
}

}  // namespace text
