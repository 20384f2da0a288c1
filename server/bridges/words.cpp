#include "server/bridges/words.h"

#include <algorithm>

#include "base/trim.h"
#include "base/utf8.h"
#include "base/visible.h"
#include "server/bridges/typed_words.h"

namespace server::bridges {
namespace {

struct Ending {
    const char* state;
    const char* words;  // where there is no answer
};
constexpr Ending kEndings[] = {
    {"answered", "I ended without a word. Ask me again, in other words."},
    {"partial", "I did not get to the end of it. Ask me to go on."},
    {"refused", "I may not do that."},
    {"no_backend", "No model can answer just now. Ask me again later."},
    {"unknown_effect", "I do not know whether it was done. Look, then tell me."},
};
constexpr std::size_t kLongestQuoted = 80;  // bytes
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

}  // namespace

std::string start_words() { return "I am up again, and read what was written meanwhile."; }

std::string pairing_words(const std::string& code) {
    return "I do not know you yet, and have read nothing of what you wrote. Tell the owner of this house the code " + code +
           ": with it I can be allowed to talk with you. It holds for an hour.";
}

std::string stopped_words(const std::vector<std::string>& stopped, const std::vector<std::string>& ending) {
    if (stopped.empty() && ending.empty()) return "Nothing that you asked for here is under way.";
    std::string out;
    if (!stopped.empty()) out += "Stopped: " + listed(stopped) + ".";
    if (!ending.empty()) out += (out.empty() ? "" : " ") + ("Stopped before, and still ending: " + listed(ending) + ".");
    return out;
}

namespace {

std::string called(const std::string& media, const ArrivedFile& file) { return file.name.empty() ? media : media + " " + quoted(file.name); }

}  // namespace

std::string text_alone_words(const std::string& media) { return "So far I read text alone. What you sent (" + media + ") I cannot see, and have not fetched."; }

bool is_read(const std::string& media, const ArrivedFile& file) { return media == "document" && !file.id.empty() && file.type.starts_with("text/") && file.bytes <= std::int64_t(kMostOfFile); }

std::string file_words(const std::string& media, const ArrivedFile& file, const std::string& says) { return "[What stands in the " + called(media, file) + ":]\n" + says; }

std::string unread_words(const std::string& media, const ArrivedFile& file, const std::string& why) {
    return "[" + called(media, file) + " came with this message; it cannot be read" + (why.empty() ? "" : ": " + why) + "]";
}

std::string refused_words(const base::Error& error) { return "I could not take that in: " + error.text(); }

std::string quoted_words(const Arrival& arrival) {
    const Arrival::Quote& quote = arrival.quoted;
    const std::string_view text = base::trimmed(quote.text);
    if (text.empty()) return {};
    const std::string_view shown = base::beginning(text, kMostQuoted);
    const std::string whose = quote.sender == arrival.sender ? "an earlier message of mine" : "what " + (quote.sender_name.empty() ? std::string("somebody") : quote.sender_name) + " wrote";
    std::string out = "[This answers " + whose + ":]\n> ";
    for (const char c : shown) out += c == '\n' ? std::string("\n> ") : std::string(1, c);
    return out + (shown.size() < text.size() ? "…" : "");
}

std::string edited_words(const std::string& question, bool works) {
    return works ? "I had begun with " + quoted(question) + " before you changed it, and go on with it as it was. Write it again if I am to do it anew; stop ends what I do now."
                 : "I had answered " + quoted(question) + " before you changed it. Write it again if I am to answer it anew.";
}

namespace {

std::string call_of(const store::Approval& asked) { return asked.request.tool + " " + base::visible(base::dump(asked.request.arguments)); }

std::string verdict_of(const store::Approval& asked) {
    switch (asked.state) {
        case store::Approval::State::granted:
        case store::Approval::State::used: return "Allowed, once";
        case store::Approval::State::denied: return "Denied";
        case store::Approval::State::expired: return "Nobody answered in time, so it was not done";
        case store::Approval::State::open: break;
    }
    return "Not asked any more: what wanted it was stopped";
}

}  // namespace

std::string question_words(const store::Approval& asked) {
    return "May I do this?\n\n" + call_of(asked) + "\n\n" + asked.request.reason + "\nI wait for your word until " + base::rfc3339(asked.expires) + ". Where you see no buttons, write: allow " +
           code_of(asked.id) + ", or: deny " + code_of(asked.id) + ".";
}

std::string wrong_code_words(const std::string& code) { return "I have asked you nothing here that has the code " + code + "."; }

std::string many_codes_words(std::chrono::seconds wait) { return "Too many codes that were none. Write the right one in " + std::to_string(wait.count()) + " seconds."; }

std::string decided_words(const store::Approval& asked) {
    const bool by_person = asked.state != store::Approval::State::expired && !asked.decided_by.empty();
    return call_of(asked) + "\n\n" + verdict_of(asked) + (by_person ? " (" + asked.decided_by + ")" : "") + ".";
}

std::string end_words(const store::Run& run) {
    if (run.status == "cancelled") return {};  // whoever has stopped it was told so, and wants no half of it
    const std::string answer = run.turn.is_object() ? run.turn.value("answer", "") : "";
    if (!base::trimmed(answer).empty()) return answer;
    const auto* const ending = std::find_if(std::begin(kEndings), std::end(kEndings), [&](const Ending& one) { return one.state == run.status; });
    return ending == std::end(kEndings) ? "That broke off. Ask me again." : ending->words;
}

}  // namespace server::bridges
