// Lets a streamed text through, checked for claims that nothing holds up. What a person has read is never taken back: words
// in which no claim begins go through as they come, and from where one may begin a sentence is held until its end is there, a mark of its
// end with a blank behind it, or the end of the line; one that does not end is let go piecewise after 400 bytes. Lines of code and lines that
// quote go through line by line, as they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/reply/claims.h"
#include "agents/reply/language.h"

namespace agents::reply {

class SentenceGate {
public:
    // At a claim that nothing holds up:
    enum class Then {
        stop,     // nothing more comes through, and caught() has it
        correct,  // from where it may begin, its sentence is replaced by what was and was not done; the same correction once
    };
    // `wanted`: a text that begins in another language is stopped, and nothing of it shown; its beginning is held until its language
    // is known, at most 240 bytes. none: any.
    SentenceGate(Evidence evidence, Then then, Language wanted = Language::none) : evidence_(std::move(evidence)), then_(then), wanted_(wanted) {}

    // What may be shown now.
    std::string take(std::string_view piece);
    // The rest, when the text is over.
    std::string finish();

    const Evidence& evidence() const { return evidence_; }
    std::size_t taken() const { return taken_; }  // bytes so far
    const std::vector<Claim>& caught() const { return caught_; }
    bool stopped() const { return foreign_ || (then_ == Then::stop && !caught_.empty()); }
    bool foreign() const { return foreign_; }  // stopped for its language

private:
    bool may_begin(bool over);
    std::string released();
    bool reads_on() const;
    std::string through(std::string_view sentence);
    void follow_lines(std::string_view sentence);

    Evidence evidence_;
    Then then_;
    Language wanted_;  // none as soon as the text may begin
    bool foreign_ = false;
    std::string pending_;
    std::size_t shown_ = 0;  // of it
    std::size_t taken_ = 0;
    bool quoted_ = false, fenced_ = false, line_begins_ = true, plain_line_ = true;
    std::vector<Claim> caught_;
    std::vector<std::string> told_;  // corrections
};

// A whole text with its false claims corrected.
std::string corrected(const std::string& text, const Evidence& evidence);

}  // namespace agents::reply
