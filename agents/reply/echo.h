// A reply that only says the request again, as a small model does where it has no answer.
#pragma once

#include <string>
#include <string_view>

namespace agents::reply {

// Lets a streamed reply through from where it is more than the beginning of the request, whatever its capitals and marks.
class Echo {
public:
    // Of a request of a word or two, which an answer may well repeat, and of an empty one nothing is held.
    explicit Echo(std::string_view request);

    std::string take(std::string_view piece);
    // The rest; of a reply that was the request again nothing.
    std::string finish();
    bool holds() const { return !pending_.empty(); }
    bool echoed() const { return echoed_; }  // after finish()

private:
    std::string request_;  // its letters and digits
    std::string pending_;
    bool through_ = false, echoed_ = false;
};

// Whether the text is the form that its writer was to fill, with what he was told in it: half of its words are the form's, and nearly
// all others stand in what was told. A few words may be a conclusion.
bool is_filled_form(std::string_view text, std::string_view form, std::string_view told);

// Whether the text tells nothing in words: "2026-11-30", "42.".
bool is_wordless(std::string_view text);

}  // namespace agents::reply
