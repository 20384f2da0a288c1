// The members of a JSON object while it is still being written: where each value begins and ends in
// the text, so that it can be handed on byte by byte as it was written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace text {

// Where a string, an object or an array ends, by counting brackets and quotes only.
class JsonDepth {
public:
    // Its characters one by one, the first included. True with its last one.
    bool take(char c);
    bool in_string() const { return in_string_; }

private:
    int depth_ = 0;
    bool in_string_ = false, escaped_ = false;
};

// Fed ever longer beginnings of the same text; looks at each character once. Whether the values are
// good JSON is for their reader to find out.
class JsonMembers {
public:
    static constexpr std::size_t open = std::string_view::npos;

    struct Member {
        std::string key;
        std::size_t begin = open, end = open;  // of the value; open while it has not begun, or not ended
        bool begun() const { return begin != open; }
        bool ended() const { return end != open; }
    };
    enum class State { open, closed, broken };

    // `from` is the place of the object's brace, the same at every call.
    State read(std::string_view text, std::size_t from);
    const std::vector<Member>& members() const { return members_; }
    std::size_t end() const { return at_; }  // closed: past the last brace; broken: what could not follow

private:
    enum class Expect { brace, first_key, key, key_text, colon, value, inside, scalar, comma };

    bool take(char c);
    void start_value(char c);
    bool key_ended();

    std::string key_;
    std::vector<Member> members_;
    std::size_t at_ = open;
    State state_ = State::open;
    Expect expect_ = Expect::brace;
    JsonDepth value_;
    bool escaped_ = false;
};

}  // namespace text
