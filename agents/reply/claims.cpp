#include "agents/reply/claims.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "agents/passages.h"
#include "agents/reply/claim_words.h"
#include "base/split.h"
#include "base/trim.h"

namespace agents::reply {
namespace {

constexpr std::size_t kMostOfSentence = 240, kMostOfDeed = 160;
constexpr std::size_t kWordsOfNotice = 8;  // "Reminder set for five o'clock."

using List = std::set<std::string, std::less<>>;

List list_of(std::string_view words) {
    const auto parts = base::split(words, ' ');
    return List(parts.begin(), parts.end());
}

struct Form {
    Action action;
    bool weak = false;  // says little without a thing
};
using Forms = std::map<std::string, Form, std::less<>>;

Forms forms_of(std::string_view ActionRow::*words) {
    Forms out;
    for (const ActionRow& row : action_rows())
        for (std::string form : base::split(row.*words, ' ')) {
            const bool weak = form.ends_with('*');
            if (weak) form.pop_back();
            out.emplace(std::move(form), Form{row.action, weak});
        }
    return out;
}

const Forms& forms(Language language) {
    static const Forms english = forms_of(&ActionRow::english), french = forms_of(&ActionRow::french), german = forms_of(&ActionRow::german);
    return language == Language::german ? german : language == Language::french ? french : english;
}

const ActionRow& row_of(Action action) {
    return *std::find_if(action_rows().begin(), action_rows().end(), [&](const ActionRow& row) { return row.action == action; });
}

bool in(const Word& word, std::initializer_list<std::string_view> list) { return std::find(list.begin(), list.end(), word.text) != list.end(); }

// One sentence being read.
class Finder {
public:
    Finder(std::string_view sentence, const std::vector<Word>& words) : sentence_(sentence), words_(words) {}

    std::vector<Claim> claims() && {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (conditional(i)) continue;
            english(i);
            french(i);
            german(i);
            notice(i);
        }
        return std::move(claims_);
    }

private:
    const Word* at(std::size_t i) const { return i < words_.size() ? &words_[i] : nullptr; }
    bool is(std::size_t i, std::initializer_list<std::string_view> list) const { return i < words_.size() && in(words_[i], list); }

    bool conditional(std::size_t i) const {
        static const List conditions = list_of(kConditions);
        for (std::size_t k = i + 1; k-- > 0;) {
            if (conditions.contains(words_[k].text)) return true;
            if (words_[k].begins_clause) return false;
        }
        return false;
    }

    std::size_t behind_adverbs(std::size_t i) const {
        static const List adverbs = list_of(kAdverbs);
        while (i < words_.size() && adverbs.contains(words_[i].text)) ++i;
        return i;
    }

    static bool is_thing(const Word& word) {
        static const List things = list_of(kThings);
        return word.named || things.contains(word.text);
    }
    bool thing_between(std::size_t from, std::size_t to) const {
        for (std::size_t k = from; k < std::min(to, words_.size()); ++k)
            if (is_thing(words_[k])) return true;
        return false;
    }
    bool has(std::initializer_list<std::string_view> list, std::size_t from, std::size_t to) const {
        for (std::size_t k = from; k < std::min(to, words_.size()); ++k)
            if (in(words_[k], list)) return true;
        return false;
    }
    // What is told of some other time or doer.
    bool reports(std::size_t from) const {
        const bool year = std::any_of(words_.begin(), words_.end(), [](const Word& w) { return w.text.size() == 4 && std::all_of(w.text.begin(), w.text.end(), [](unsigned char c) { return std::isdigit(c); }); });
        return year || has({"by", "par", "von", "vom", "durch"}, from, words_.size());
    }

    // `verb`: where the participle stands. True when it is one that counts.
    bool claim(Language language, std::size_t verb, std::size_t subject) {
        const Word* const word = at(verb);
        const auto found = word ? forms(language).find(word->text) : forms(language).end();
        if (found == forms(language).end()) return false;
        const bool beside = is(verb + 1, {"it", "them", "this", "that", "everything", "all"}) || has({"l'", "les", "la", "le", "es", "sie", "ihn", "alles", "tout"}, subject, verb);
        if (found->second.weak && !beside && !thing_between(0, words_.size())) return false;
        claims_.push_back({found->second.action, language, shortened(base::trimmed(sentence_), kMostOfSentence)});
        return true;
    }

    // "… and notified Anna"
    void go_on(Language language, std::size_t verb, std::size_t subject) {
        for (std::size_t k = verb + 1; k < words_.size(); ++k)
            if (words_[k].begins_clause || is(k - 1, {"and", "then", "also", "et", "puis", "und"})) claim(language, k, subject);
    }

    void english(std::size_t i) {
        std::size_t verb = 0;
        const bool we = is(i, {"we"});
        if (is(i, {"i've", "we've"})) verb = behind_adverbs(i + 1);
        else if ((we || is(i, {"i"})) && is(i + 1, {"have", "had"})) verb = behind_adverbs(i + 2);
        else if (is(i, {"i"})) verb = past(behind_adverbs(i + 1));
        else if (is(i, {"has", "have"}) && is(behind_adverbs(i + 1), {"been"}) && thing_between(0, i) && !reports(i)) verb = behind_adverbs(behind_adverbs(i + 1) + 1);
        else if (is(i, {"is", "are"}) && is(i + 1, {"now", "already"}) && thing_between(0, i) && !reports(i)) verb = behind_adverbs(i + 2);
        if (verb > 0 && claim(Language::english, verb, i)) go_on(Language::english, verb, i);
    }
    // A form that is a past one for sure; else nowhere.
    std::size_t past(std::size_t i) const {
        static const List irregular = list_of(kIrregular);
        return i < words_.size() && (words_[i].text.ends_with("ed") || irregular.contains(words_[i].text)) ? i : words_.size();
    }

    void french(std::size_t i) {
        std::size_t verb = 0;
        if (is(i, {"j'", "je"})) {
            for (std::size_t k = i + 1; k < std::min(i + 4, words_.size()) && !is(k, {"n'", "ne"}); ++k)
                if (is(k, {"ai"})) verb = behind_adverbs(k + 1);
        } else if (is(i, {"nous"}) && is(i + 1, {"avons"})) {
            verb = behind_adverbs(i + 2);
        } else if (is(i, {"a", "ont"}) && is(i + 1, {"été"}) && thing_between(0, i) && !is(i - 1, {"n'"}) && !reports(i)) {
            verb = behind_adverbs(i + 2);
        }
        if (verb > 0 && claim(Language::french, verb, i)) go_on(Language::french, verb, i);
    }

    // The participle ends the clause: whatever stands between.
    void german(std::size_t i) {
        const bool mine = is(i, {"habe", "hab", "haben"}) && ((i > 0 && is(i - 1, {"ich", "wir"})) || is(i + 1, {"ich", "wir"}) || (i == 0 && is(i, {"habe", "hab"})));
        const bool passive = (is(i, {"wurde", "wurden"}) || (is(i, {"ist", "sind"}) && is(i + 1, {"jetzt", "nun"}))) && thing_between(0, words_.size()) && !reports(i);
        if (!mine && !passive) return;
        for (std::size_t k = i + 1; k < words_.size(); ++k) {
            if (is(k, {"nicht", "nichts", "nie", "niemals", "kein", "keine", "keinen", "keiner", "weder"}) || conditional(k)) return;
            claim(Language::german, k, i);
        }
    }

    // "Message sent."
    void notice(std::size_t i) {
        const bool first = i == 0 || words_[i].begins_clause || is(i - 1, {"your", "the", "done", "okay", "ok"});
        if (first && is_thing(words_[i]) && words_.size() <= kWordsOfNotice && !reports(i)) claim(Language::english, i + 1, i);
    }

    std::string_view sentence_;
    const std::vector<Word>& words_;
    std::vector<Claim> claims_;
};

// "send_message", "SendMessage" → send, message
List words_of_name(std::string_view name) {
    std::string spaced;
    for (const char c : name) {
        if (std::isupper(static_cast<unsigned char>(c)) && !spaced.empty()) spaced += ' ';
        spaced += std::isalnum(static_cast<unsigned char>(c)) ? char(std::tolower(static_cast<unsigned char>(c))) : ' ';
    }
    return list_of(spaced);
}

bool meet(const List& one, const List& other) {
    return std::any_of(one.begin(), one.end(), [&](const std::string& word) { return other.contains(word); });
}

// Whether a call of this tool would be such an action.
bool does(Action action, const Deed& deed) {
    if (action == Action::look) return true;
    if (deed.pure) return false;
    const List name = words_of_name(deed.tool), doing = list_of(row_of(action).tools);
    static const List shells = list_of("bash shell exec execute command python terminal"), outward = list_of("curl wget sendmail mailx msmtp ssh nc git gh");
    if (!meet(name, shells)) return meet(name, doing);
    const bool here = action != Action::send && action != Action::arrange && action != Action::operate;
    const List arguments = words_of_name(deed.arguments);
    return here || meet(arguments, doing) || meet(arguments, outward);
}

bool has_any(std::string_view text, std::string_view words) {
    const List list = list_of(words);
    const auto said = words_of(text);
    return std::any_of(said.begin(), said.end(), [&](const Word& word) { return list.contains(word.text); });
}

// "Done!": of whatever was asked.
bool says_done(std::string_view sentence) {
    static const List whole = list_of("done alldone it'sdone itisdone that'sdone fait c'estfait erledigt alleserledigt isterledigt fertig");
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
    const std::vector<Word> words = words_of(sentence, quoted);
    const auto last = sentence.find_last_not_of(" \t\r\n\"'”*_)");
    if (last != std::string_view::npos && sentence[last] == '?') return {};
    return Finder(sentence, words).claims();
}

std::size_t harmless_prefix(std::string_view unfinished, bool quoted) {
    static const List openings = list_of(kOpenings), late = list_of(kLateOpenings), adverbs = list_of(kAdverbs);
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
    const List asked = list_of(row_of(action).asked);
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (asked.contains(words[i].text)) return true;
        const bool verb = words[i].begins_clause || in(words[i - 1], {"and", "then", "please", "to", "you", "just", "et", "puis", "und", "dann", "bitte", "de"});
        if (verb && asked.contains(words[i].text + "*")) return true;
    }
    return false;
}

bool asks_about_the_past(std::string_view request) {
    static const List questions = list_of(kPastQuestions);
    const auto words = words_of(request);
    return request.find('?') != std::string_view::npos && std::any_of(words.begin(), words.end(), [&](const Word& w) { return questions.contains(w.text); });
}

Evidence::Evidence(std::string_view request, std::vector<Deed> deeds) : request_(request), deeds_(std::move(deeds)), composes_(has_any(request, kComposing)) {}

std::optional<Claim> Evidence::unfounded(std::string_view sentence, bool& quoted) const {
    for (Claim& claim : claims_in(sentence, quoted))
        if (!holds(claim.action, deeds_) && (!composes_ || asks_for(claim.action, request_))) return std::move(claim);
    if (composes_ || !says_done(sentence)) return std::nullopt;
    std::optional<Claim> first;
    for (const ActionRow& row : action_rows()) {
        if (row.action == Action::look || !asks_for(row.action, request_)) continue;
        if (holds(row.action, deeds_)) return std::nullopt;
        if (!first) first = Claim{row.action, has_any(sentence, "fait") ? Language::french : has_any(sentence, "done") ? Language::english : Language::german, shortened(base::trimmed(sentence), kMostOfSentence)};
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
