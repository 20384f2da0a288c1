#include "agents/reply/claims.h"

#include <algorithm>
#include <cctype>

#include "agents/passages.h"
#include "agents/reply/claim_finder.h"
#include "agents/reply/claim_words.h"
#include "base/trim.h"

namespace agents::reply {
namespace {

constexpr std::size_t kMostOfDeed = 160;

const ActionRow& row_of(Action action) {
    return *std::find_if(action_rows().begin(), action_rows().end(), [&](const ActionRow& row) { return row.action == action; });
}

// "send_message", "SendMessage" → send, message
WordSet words_of_name(std::string_view name) {
    std::string spaced;
    for (const char c : name) {
        if (std::isupper(static_cast<unsigned char>(c)) && !spaced.empty()) spaced += ' ';
        spaced += std::isalnum(static_cast<unsigned char>(c)) ? char(std::tolower(static_cast<unsigned char>(c))) : ' ';
    }
    return word_set(spaced);
}

bool meet(const WordSet& one, const WordSet& other) {
    return std::any_of(one.begin(), one.end(), [&](const std::string& word) { return other.contains(word); });
}

// What the thread did stands in its own run, and its report tells of it.
bool spawns(const Deed& deed) { return deed.tool == "spawn_thread"; }

// Whether a call of this tool would be such an action.
bool does(Action action, const Deed& deed) {
    if (action == Action::look || spawns(deed)) return true;
    if (deed.pure) return false;
    const WordSet name = words_of_name(deed.tool), doing = word_set(row_of(action).tools);
    static const WordSet shells = word_set("bash shell exec execute command python terminal"), outward = word_set("curl wget sendmail mailx msmtp ssh nc git gh");
    if (!meet(name, shells)) return meet(name, doing);
    const bool here = action != Action::send && action != Action::arrange && action != Action::operate;
    const WordSet arguments = words_of_name(deed.arguments);
    return here || meet(arguments, doing) || meet(arguments, outward);
}

bool has_any(std::string_view text, std::string_view words) {
    const WordSet list = word_set(words);
    const auto said = words_of(text);
    return std::any_of(said.begin(), said.end(), [&](const Word& word) { return list.contains(word.text); });
}

// So that names in quotes are read.
std::string unquoted(std::string_view text) {
    std::string out(text);
    std::replace_if(out.begin(), out.end(), [](char c) { return c == '`' || c == '"'; }, ' ');
    return out;
}

// A file goes by a call that removes it; a line of one also by an edit.
bool erases_a_file(const Claim& claim) {
    if (claim.action != Action::erase) return false;
    static const WordSet files = word_set("file files folder folders directory fichier fichiers dossier dossiers datei dateien ordner verzeichnis");
    static const WordSet skipped = word_set("the your this that old le la les ce cet votre ton die der das den diese deine");
    const auto words = words_of(unquoted(claim.sentence));
    const auto is_file = [&](std::size_t at) { return at < words.size() && (files.contains(words[at].text) || words[at].text.find('.') != std::string::npos); };
    const auto behind_skipped = [&](std::size_t at) {
        while (at < words.size() && skipped.contains(words[at].text)) ++at;
        return at;
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto verb = forms(claim.language).find(words[i].text);
        if (verb == forms(claim.language).end() || verb->second.action != Action::erase) continue;
        const bool passive = i > 0 && in(words[i - 1], {"been", "été", "now", "already", "was", "were", "is", "are", "est", "sont"});
        if (claim.language == Language::german ? i > 0 && is_file(i - 1) : is_file(behind_skipped(passive ? 0 : i + 1))) return true;
    }
    return claim.language == Language::german && has_any(claim.sentence, "wurde wurden ist sind") && is_file(behind_skipped(0));
}
bool removes(const Deed& deed) {
    static const WordSet words = word_set("rm rmdir unlink delete remove trash erase shred clean git find mv del");
    return deed.end == Deed::End::done && (spawns(deed) || (!deed.pure && (meet(words_of_name(deed.tool), words) || meet(words_of_name(deed.arguments), words))));
}

// "Write x.txt", "write a poem to `poem.txt`": the reply is not the text.
bool writes_a_file(std::string_view request) {
    static const WordSet before = word_set("write schreib schreibe schreiben écris écrire to into as nach à"), between = word_set("a the new file die eine neue datei un le nouveau fichier");
    const auto words = words_of(unquoted(request));
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (!words[i].named || words[i].text.find('.') == std::string::npos) continue;
        std::size_t at = i - 1;
        while (at > 0 && between.contains(words[at].text)) --at;
        if (before.contains(words[at].text)) return true;
    }
    return false;
}

bool is_about_knowledge(std::string_view request) {
    static const WordSet openings = word_set(kKnowledge);
    const auto words = words_of(request);
    return !words.empty() && (openings.contains(words[0].text) || (in(words[0], {"tell"}) && words.size() > 1 && in(words[1], {"me", "us"})));
}

// "Done!": of whatever was asked.
bool says_done(std::string_view sentence) {
    static const WordSet whole = word_set("done alldone it'sdone itisdone that'sdone fait c'estfait erledigt alleserledigt isterledigt fertig");
    std::string all;
    for (const Word& word : words_of(sentence)) all += word.text;
    return whole.contains(all);
}

struct Remarks {
    std::string_view done, doubt;
};
Remarks remarks_of(Language language) {
    if (language == Language::french) return {"Ce qui a été fait : ", "On ne sait pas si cela a eu lieu."};
    if (language == Language::german) return {"Getan wurde: ", "Ob es geschehen ist, ist nicht bekannt."};
    return {"What was done: ", "Whether it took place is not known."};
}

}  // namespace

std::string_view name(Action action) { return row_of(action).name; }

std::optional<Action> parse_action(std::string_view name) {
    for (const ActionRow& row : action_rows())
        if (row.name == name) return row.action;
    return std::nullopt;
}

std::vector<Claim> claims_in(std::string_view sentence, bool& quoted) {
    std::vector<Claim> out;
    for (Found& found : found_in(sentence, quoted)) out.push_back(std::move(found.claim));
    return out;
}

std::size_t harmless_prefix(std::string_view unfinished, bool quoted) {
    static const WordSet openings = word_set(kOpenings), late = word_set(kLateOpenings), adverbs = word_set(kAdverbs);
    const auto decides = [&](const std::string& word) {
        return late.contains(word) || forms(Language::english).contains(word) || forms(Language::french).contains(word) || forms(Language::german).contains(word);
    };
    std::size_t harmless = 0;
    for (std::size_t at = unfinished.find_first_not_of(" \t"); at < unfinished.size();) {
        const std::size_t blank = unfinished.find_first_of(" \t", at), next = unfinished.find_first_not_of(" \t", blank);
        if (blank == std::string_view::npos) break;
        const std::size_t end = std::min(next, unfinished.size());
        bool opens = false;
        for (const Word& word : words_of(unfinished.substr(at, end - at), quoted)) {
            if (decides(word.text)) return harmless;
            opens |= openings.contains(word.text) || adverbs.contains(word.text);
        }
        if (!opens && !quoted) harmless = end;  // whether a quote ends is seen at its end
        at = end;
    }
    return harmless;
}

bool holds(Action action, const std::vector<Deed>& deeds) {
    return std::any_of(deeds.begin(), deeds.end(), [&](const Deed& deed) { return deed.end == Deed::End::done && does(action, deed); });
}

bool asks_for(Action action, std::string_view request) {
    const auto words = words_of(request);
    const WordSet asked = word_set(row_of(action).asked);
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (asked.contains(words[i].text)) return true;
        const bool verb = words[i].begins_clause || in(words[i - 1], {"and", "then", "please", "to", "you", "just", "et", "puis", "und", "dann", "bitte", "de"});
        if (verb && asked.contains(words[i].text + "*")) return true;
    }
    return false;
}

bool asks_about_the_past(std::string_view request) {
    static const WordSet questions = word_set(kPastQuestions);
    const auto words = words_of(request);
    return request.find('?') != std::string_view::npos && std::any_of(words.begin(), words.end(), [&](const Word& w) { return questions.contains(w.text); });
}

Evidence::Evidence(std::string_view request, std::vector<Deed> deeds, std::vector<Deed> earlier)
    : request_(request), deeds_(std::move(deeds)), earlier_(std::move(earlier)), composes_(has_any(request, kComposing) && !writes_a_file(request)) {}

std::optional<Claim> Evidence::unfounded(std::string_view sentence, bool& quoted) const {
    const bool looked = std::any_of(deeds_.begin(), deeds_.end(), [](const Deed& deed) { return deed.pure && deed.end == Deed::End::done; });
    const bool asks_to_know = is_about_knowledge(request_), question = request_.find('?') != std::string::npos;
    for (Found& found : found_in(sentence, quoted)) {
        const bool asked = asks_for(found.claim.action, request_);
        if ((composes_ && !asked) || (found.loose && (asks_to_know || (!asked && (looked || question))))) continue;
        if (!asked && has_any(request_, found.passive)) continue;
        if (found.state == Found::State::described && (!asked || asks_to_know)) continue;
        if (found.state != Found::State::none && looked && has_any(found.claim.sentence, "already déjà bereits schon")) continue;
        const auto held_by = [&](const std::vector<Deed>& deeds) { return erases_a_file(found.claim) ? std::any_of(deeds.begin(), deeds.end(), removes) : holds(found.claim.action, deeds); };
        if (!held_by(deeds_) && (asked || !held_by(earlier_))) return std::move(found.claim);
    }
    if (composes_ || !says_done(sentence)) return std::nullopt;
    std::optional<Claim> first;
    for (const ActionRow& row : action_rows()) {
        if (row.action == Action::look || !asks_for(row.action, request_)) continue;
        if (holds(row.action, deeds_)) return std::nullopt;
        if (!first) first = Claim{row.action, has_any(sentence, "fait") ? Language::french : has_any(sentence, "done") ? Language::english : Language::german, shortened(base::trimmed(sentence), kMostOfClaim)};
    }
    return first;
}

std::string Evidence::correction(const Claim& claim) const {
    const ActionRow& row = row_of(claim.action);
    const Remarks remarks = remarks_of(claim.language);
    const bool doubt = std::any_of(deeds_.begin(), deeds_.end(), [&](const Deed& d) { return d.end == Deed::End::unknown && does(claim.action, d); });
    std::string done;
    for (const Deed& deed : deeds_)
        if (deed.end == Deed::End::done) done += (done.empty() ? "" : "; ") + shortened(deed.tool + " " + deed.arguments, kMostOfDeed);
    std::string out(doubt ? remarks.doubt : claim.language == Language::french ? row.in_french : claim.language == Language::german ? row.in_german : row.in_english);
    return done.empty() ? out : out + " " + std::string(remarks.done) + done + ".";
}

std::string Evidence::listed() const {
    if (deeds_.empty()) return "none";
    std::string out;
    for (const Deed& deed : deeds_) {
        const char* const end = deed.end == Deed::End::done ? "done" : deed.end == Deed::End::failed ? "failed, nothing was done" : "whether it took effect is not known";
        out += (out.empty() ? "- " : "\n- ") + shortened(deed.tool + " " + deed.arguments, kMostOfDeed) + ": " + end;
    }
    return out;
}

}  // namespace agents::reply
