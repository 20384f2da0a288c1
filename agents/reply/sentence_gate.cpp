#include "agents/reply/sentence_gate.h"

#include <algorithm>
#include <utility>

namespace agents::reply {
namespace {

constexpr std::size_t kLongestHeld = 400;  // bytes
constexpr std::size_t kLongestUntold = 240;  // bytes that are held for their language
constexpr double kRight = 1.5, kForeign = 4;  // words' lead: "Bonjour!" may go on in English, and "The Lord of the Rings" in French
constexpr std::string_view kEnds = ".!?", kCloses = "\"')*_`";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Where the first sentence of `text` ends, with the line's end that ends it; npos: not yet.
std::size_t end_of_sentence(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\n') return at + 1;
        const bool ellipsis = text.substr(at).starts_with("…");
        if (!ellipsis && kEnds.find(text[at]) == std::string_view::npos) continue;
        std::size_t end = at + (ellipsis ? 3 : 1);
        while (end < text.size() && (kEnds.find(text[end]) != std::string_view::npos || kCloses.find(text[end]) != std::string_view::npos || text.substr(end).starts_with("”") || text.substr(end).starts_with("»")))
            end += kEnds.find(text[end]) != std::string_view::npos || kCloses.find(text[end]) != std::string_view::npos ? 1 : text.substr(end).starts_with("”") ? 3 : 2;
        if (end < text.size() && is_blank(text[end])) return end;
    }
    if (text.size() <= kLongestHeld) return std::string_view::npos;
    const std::size_t pause = text.find_last_of(",;:");
    const std::size_t cut = pause != std::string_view::npos && pause > kLongestHeld / 2 ? pause + 1 : text.find_last_of(" \t");
    return cut == std::string_view::npos || cut == 0 ? text.size() : cut;
}

}  // namespace

// Fences and quoting lines, as the text goes by.
void SentenceGate::follow_lines(std::string_view sentence) {
    if (line_begins_) {
        const auto from = sentence.find_first_not_of(" \t");
        const std::string_view line = from == std::string_view::npos ? std::string_view() : sentence.substr(from);
        const bool fence = line.starts_with("```") || line.starts_with("~~~");
        plain_line_ = !fenced_ && !fence && !line.starts_with('>') && !sentence.starts_with("    ") && !sentence.starts_with('\t');
        if (fence) fenced_ = !fenced_;
        if (line.empty() || line == "\n") quoted_ = false;  // a paragraph ends its quotes
    }
    line_begins_ = sentence.ends_with('\n');
}

// What is not shown yet of the sentence, as it may be.
std::string SentenceGate::through(std::string_view sentence) {
    const std::size_t shown = std::exchange(shown_, 0);
    follow_lines(sentence);
    if (!plain_line_) return std::string(sentence.substr(shown));
    const bool quoted = quoted_;
    auto claim = evidence_.unfounded(sentence, quoted_);
    if (!claim) return std::string(sentence.substr(shown));
    const std::size_t from = std::min(sentence.find_first_not_of(" \t\r\n"), sentence.size()), to = sentence.find_last_not_of(" \t\r\n") + 1;
    const std::size_t kept = std::max(from, harmless_prefix(sentence, quoted));
    std::string out(sentence.substr(shown, kept - shown));
    const std::string correction = evidence_.correction(*claim);
    caught_.push_back(*std::move(claim));
    if (then_ == Then::stop) return kept > from ? out + "…" : std::string();
    quoted_ = quoted;  // its quotes go with it
    const bool told = std::find(told_.begin(), told_.end(), correction) != told_.end();
    if (!told) told_.push_back(correction);
    if (kept > from) out += told ? "…" : "– ";
    return (told && kept <= from ? std::string() : out) + (told ? "" : correction) + std::string(sentence.substr(to));
}

// Whether words of the sentence that has begun may be shown before its end.
bool SentenceGate::reads_on() const {
    if (stopped() || !line_begins_) return !stopped() && plain_line_;
    const auto from = pending_.find_first_not_of(" \t");
    return !fenced_ && from != std::string::npos && from < 4 && pending_[0] != '\t' && std::string_view(">`~").find(pending_[from]) == std::string_view::npos;
}

// Whether the text is in the language that is wanted, as far as it can be told. `over`: no more comes.
bool SentenceGate::may_begin(bool over) {
    if (wanted_ == Language::none) return true;
    const Language told = language_of(pending_);
    const double lead = leaning_of(pending_).lead;
    foreign_ = told != Language::none && told != wanted_ && (over || lead >= kForeign);
    const bool right = told == wanted_ && lead >= kRight;
    if (!foreign_ && (right || over || pending_.size() > kLongestUntold)) wanted_ = Language::none;
    return wanted_ == Language::none;
}

std::string SentenceGate::take(std::string_view piece) {
    taken_ += piece.size();
    pending_ += piece;
    return may_begin(false) ? released() : std::string();
}

std::string SentenceGate::released() {
    std::string out;
    while (!stopped()) {
        std::size_t end = end_of_sentence(pending_);
        if (end == std::string::npos) break;
        end = std::max(end, shown_);
        out += through(std::string_view(pending_).substr(0, end));
        pending_.erase(0, end);
    }
    if (!reads_on()) return out;
    const std::size_t harmless = harmless_prefix(pending_, quoted_);
    if (harmless > shown_) out += pending_.substr(shown_, harmless - shown_), shown_ = harmless;
    return out;
}

std::string SentenceGate::finish() {
    if (stopped() || !may_begin(true)) return {};
    const std::string out = released();
    if (stopped() || pending_.empty()) return out;
    const std::string rest = std::exchange(pending_, {});
    return out + through(rest);
}

std::string corrected(const std::string& text, const Evidence& evidence) {
    SentenceGate gate(evidence, SentenceGate::Then::correct);
    std::string out = gate.take(text);
    return out + gate.finish();
}

}  // namespace agents::reply
