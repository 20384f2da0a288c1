#include "server/bridges/words.h"

#include <algorithm>

#include "base/trim.h"
#include "base/utf8.h"
#include "base/visible.h"
#include "policy/reasons.h"
#include "server/bridges/typed_words.h"

namespace server::bridges {
namespace {

struct Ending {
    const char* state;
    Saying words;  // where there is no answer
};
constexpr Ending kEndings[] = {{"answered", Saying::no_word}, {"partial", Saying::not_whole}, {"refused", Saying::may_not}, {"no_backend", Saying::no_model}, {"unknown_effect", Saying::unknown_effect}};
constexpr std::size_t kLongestQuoted = 80;  // bytes
constexpr std::size_t kMostOfTalk = 500;    // bytes, of what somebody else said in a group
constexpr std::size_t kMostQuoted = 2000;   // bytes, of what a message answers

std::string quoted(const std::string& question) {
    const std::string_view whole = base::trimmed(question);
    const std::string_view shown = base::beginning(whole.substr(0, whole.find('\n')), kLongestQuoted);
    return "“" + std::string(shown) + (shown.size() < whole.size() ? "…" : "") + "”";
}

std::string listed(const std::vector<std::string>& questions) {
    std::string out;
    for (const auto& question : questions) out += (out.empty() ? "" : ", ") + quoted(question);
    return out;
}

// Marked as quoted, line by line.
std::string lines_of(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? std::string("\n> ") : std::string(1, c);
    return out;
}

}  // namespace

std::string stopped_words(Language language, const std::vector<std::string>& stopped, const std::vector<std::string>& ending) {
    if (stopped.empty() && ending.empty()) return said(language, Saying::nothing_to_stop);
    std::string out;
    if (!stopped.empty()) out += said(language, Saying::stopped, listed(stopped));
    if (!ending.empty()) out += (out.empty() ? "" : " ") + said(language, Saying::still_ending, listed(ending));
    return out;
}

namespace {

std::string called(const std::string& media, const ArrivedFile& file) { return file.name.empty() ? media : media + " " + quoted(file.name); }

}  // namespace

std::string shown_name(const std::string& media, const ArrivedFile& file) { return file.name.empty() ? media : quoted(file.name); }

std::string file_words(const std::string& media, const ArrivedFile& file, const std::string& says, bool cut) {
    return "[What stands " + std::string(cut ? "at the beginning of" : "in") + " the " + called(media, file) + (cut ? ", whose rest is too long to be shown here" : "") + ":]\n" + says;
}

std::string unread_words(const std::string& media, const ArrivedFile& file, const std::string& why) {
    return "[" + called(media, file) + " came with this message; it cannot be read" + (why.empty() ? "" : ": " + why) + "]";
}

std::string told_words(const std::string& media, const std::string& says, bool answered) {
    const std::string_view whole = base::trimmed(says), shown = base::beginning(whole, kMostQuoted);
    return "[" + media + (answered ? " that this answers:]\n> " : " that came with this message:]\n> ") + lines_of(shown) + (shown.size() < whole.size() ? "…" : "");
}

std::string kept_words(const std::string& media, const ArrivedFile& file, const std::string& id, const std::string& why) {
    return "[" + called(media, file) + " came with this message, to be kept as " + id + "; it cannot be read: " + why + "]";
}

std::string quoted_words(const Arrival& arrival) {
    const Arrival::Quote& quote = arrival.quoted;
    const std::string_view text = base::trimmed(quote.text);
    if (text.empty()) return {};
    const std::string_view shown = base::beginning(text, kMostQuoted);
    const std::string whose = quote.sender == arrival.sender ? "an earlier message of mine" : "what " + (quote.sender_name.empty() ? std::string("somebody") : quote.sender_name) + " wrote";
    return "[This answers " + whose + ":]\n> " + lines_of(shown) + (shown.size() < text.size() ? "…" : "");
}

std::string forwarded_words(const Arrival& arrival) {
    const std::string whose = arrival.author.empty() ? std::string("somebody") : arrival.author;
    return "[This was forwarded, and is what " + whose + " wrote:]\n> " + lines_of(base::trimmed(arrival.text));
}

std::string group_words(const std::vector<store::Exchange>& talk) {
    std::string out;
    const auto add = [&](const std::string& who, const std::string& text) {
        const std::string_view whole = base::trimmed(text), shown = base::beginning(whole, kMostOfTalk);
        out += "\n> " + who + ": " + lines_of(shown) + (shown.size() < whole.size() ? "…" : "");
    };
    for (const store::Exchange& one : talk) {
        add(one.name, one.asked);
        add("You", one.answered);
    }
    return out.empty() ? "" : "[Meanwhile in this group:]" + out;
}

std::string edited_words(Language language, const std::string& question, bool works) { return said(language, works ? Saying::edited_at_work : Saying::edited_answered, quoted(question)); }

namespace {

std::string call_of(const store::Approval& asked) { return asked.request.tool + " " + base::visible(base::dump(asked.request.arguments)); }

Saying verdict_of(const store::Approval& asked) {
    switch (asked.state) {
        case store::Approval::State::granted:
        case store::Approval::State::used: return Saying::allowed;
        case store::Approval::State::denied: return Saying::denied;
        case store::Approval::State::expired: return Saying::expired;
        case store::Approval::State::open: break;
    }
    return Saying::not_asked_any_more;
}

}  // namespace

std::string question_words(Language language, const store::Approval& asked, const agents::Zone& zone) {
    return said(language, Saying::may_i) + "\n\n" + call_of(asked) + "\n\n" + policy::reason_in(language, asked.request.tool, asked.request.reason) + "\n" + said(language, Saying::until, agents::minute_text(zone.local(asked.expires)), code_of(asked.id));
}

std::string decided_words(Language language, const store::Approval& asked) {
    const bool by_person = asked.state != store::Approval::State::expired && !asked.decided_by.empty();
    return call_of(asked) + "\n\n" + said(language, verdict_of(asked)) + (by_person ? " (" + asked.decided_by + ")" : "") + ".";
}

std::string end_words(Language language, const store::Run& run) {
    if (run.status == "cancelled") return {};  // whoever has stopped it was told so, and wants no half of it
    const std::string answer = run.turn.is_object() ? run.turn.value("answer", "") : "";
    if (!base::trimmed(answer).empty()) return answer;
    const auto* const ending = std::find_if(std::begin(kEndings), std::end(kEndings), [&](const Ending& one) { return one.state == run.status; });
    return said(language, ending == std::end(kEndings) ? Saying::broke_off : ending->words);
}

}  // namespace server::bridges
