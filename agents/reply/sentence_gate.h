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

namespace agents::reply {

class SentenceGate {
public:
    // At a claim that nothing holds up:
    enum class Then {
        stop,     // nothing more comes through, and caught() has it
        correct,  // from where it may begin, its sentence is replaced by what was and was not done; the same correction once
    };
    SentenceGate(Evidence evidence, Then then) : evidence_(std::move(evidence)), then_(then) {}

    // What may be shown now.
    std::string take(std::string_view piece);
    // The rest, when the text is over.
    std::string finish();

    const Evidence& evidence() const { return evidence_; }
    std::size_t taken() const { return taken_; }  // bytes so far
    const std::vector<Claim>& caught() const { return caught_; }
    bool stopped() const { return then_ == Then::stop && !caught_.empty(); }

private:
    bool reads_on() const;
    std::string through(std::string_view sentence);
    void follow_lines(std::string_view sentence);

    Evidence evidence_;
    Then then_;
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
