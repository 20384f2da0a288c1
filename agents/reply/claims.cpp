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
constexpr std::size_t kWordsOfSubject = 6;

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

// `loose`: whether it is one depends on what was asked: "The rocket has been launched.", "Sent!".
struct Found {
    Claim claim;
    bool loose = false;
    std::string passive = {};  // its participle: a text of the request may tell of it
};

// One sentence being read.
class Finder {
public:
    Finder(std::string_view sentence, const std::vector<Word>& words) : sentence_(sentence), words_(words) {}

    std::vector<Found> claims() && {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (conditional(i)) continue;
            english(i);
            french(i);
            german(i);
            notice(i);
            tests(i);
        }
        report();
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
    bool any_of(std::string_view list, std::size_t from, std::size_t to) const {
        const List words = list_of(list);
        return std::any_of(words_.begin() + std::ptrdiff_t(std::min(from, to)), words_.begin() + std::ptrdiff_t(to), [&](const Word& w) { return words.contains(w.text); });
    }

    enum class Subject { none, thing, other };
    // Of a passive whose auxiliary stands at `i`. Other: whoever or whatever else is meant by it.
    Subject subject(std::size_t i) const {
        std::size_t from = i;
        while (from > 0 && !words_[from].begins_clause) --from;
        if (i == 0 || any_of(kDenied, from, i) || any_of(kModals, i - 1, i) || any_of(kHearsay, 0, words_.size()) || reports(i)) return Subject::none;
        if (thing_between(0, i)) return Subject::thing;
        return i == from || i - from > kWordsOfSubject || any_of(kIndefinite, from, i) || any_of(kOtherTimes, 0, words_.size()) ? Subject::none : Subject::other;
    }

    // What is told of some other time or doer.
    bool reports(std::size_t from) const {
        const bool year = std::any_of(words_.begin(), words_.end(), [](const Word& w) { return w.text.size() == 4 && std::all_of(w.text.begin(), w.text.end(), [](unsigned char c) { return std::isdigit(c); }); });
        return year || has({"by", "par", "von", "vom", "durch"}, from, words_.size());
    }

    void add(Action action, Language language, bool loose = false) { claims_.push_back({{action, language, shortened(base::trimmed(sentence_), kMostOfSentence)}, loose}); }

    // `verb`: where the participle stands. True when it is one that counts.
    bool claim(Language language, std::size_t verb, std::size_t subject, bool loose = false) {
        const Word* const word = at(verb);
        const auto found = word ? forms(language).find(word->text) : forms(language).end();
        if (found == forms(language).end()) return false;
        const bool beside = is(verb + 1, {"it", "them", "this", "that", "everything", "all"}) || has({"l'", "les", "la", "le", "es", "sie", "ihn", "alles", "tout"}, subject, verb);
        if (found->second.weak && !beside && !thing_between(0, words_.size())) return false;
        add(found->second.action, language, loose);
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
        if (verb > 0 && tells(verb)) add(Action::send, Language::english);
        if (verb > 0 && claim(Language::english, verb, i)) go_on(Language::english, verb, i);
        if (verb > 0) return;
        if (is(i, {"has", "have"}) && is(behind_adverbs(i + 1), {"been"})) passive(Language::english, i, behind_adverbs(behind_adverbs(i + 1) + 1));
        else if (is(i, {"is", "are"}) && is(i + 1, {"now", "already"})) passive(Language::english, i, behind_adverbs(i + 2));
        else if (is(i, {"was", "were"}) && subject(i) == Subject::other) passive(Language::english, i, behind_adverbs(i + 1));
    }
    void passive(Language language, std::size_t i, std::size_t verb) {
        const Subject of = subject(i);
        const auto found = verb < words_.size() ? forms(language).find(words_[verb].text) : forms(language).end();
        if (of == Subject::none || found == forms(language).end() || (of == Subject::other && found->second.weak)) return;
        if (!claim(language, verb, i, of == Subject::other)) return;
        claims_.back().passive = words_[verb].text;
        go_on(language, verb, i);
    }
    // "told Bob that …", "let Bob know": not the one who reads it.
    bool tells(std::size_t verb) const {
        if (is(verb, {"let"})) return !is(verb + 1, {"you", "me", "us"}) && has({"know"}, verb + 2, verb + 6);
        if (!is(verb, {"told"}) || verb + 1 >= words_.size() || is(verb + 1, {"you", "me", "us", "myself", "yourself", "lies"})) return false;
        return !is(verb + 1, {"a", "an", "the", "my", "your", "his", "her", "their"}) || has({"that", "about", "to", "of"}, verb + 2, words_.size());
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
        } else if (i > 0 && is(i, {"a", "ont"}) && is(i + 1, {"été"}) && !is(i - 1, {"n'"})) {
            return passive(Language::french, i, behind_adverbs(i + 2));
        }
        if (verb > 0 && is(verb, {"dit"}) && (has({"à", "au", "aux"}, verb + 1, verb + 3) || has({"lui", "leur"}, i, verb))) add(Action::send, Language::french);
        if (verb > 0 && claim(Language::french, verb, i)) go_on(Language::french, verb, i);
    }

    // The participle ends the clause: whatever stands between.
    void german(std::size_t i) {
        const bool mine = is(i, {"habe", "hab", "haben"}) && ((i > 0 && is(i - 1, {"ich", "wir"})) || is(i + 1, {"ich", "wir"}) || (i == 0 && is(i, {"habe", "hab"})));
        const bool passive = is(i, {"wurde", "wurden"}) || (is(i, {"ist", "sind"}) && (is(i + 1, {"jetzt", "nun"}) || is(words_.size() - 1, {"worden"})));
        if (!mine && !passive) return;
        const Subject of = mine ? Subject::thing : german_subject(i);
        if (of == Subject::none) return;
        for (std::size_t k = i + 1; k < words_.size(); ++k) {
            if (is(k, {"nicht", "nichts", "nie", "niemals", "kein", "keine", "keinen", "keiner", "weder"}) || conditional(k)) return;
            if (mine && tells_in_german(i, k)) add(Action::send, Language::german);
            const auto found = forms(Language::german).find(words_[k].text);
            if (of == Subject::thing || (found != forms(Language::german).end() && !found->second.weak)) 
                if (claim(Language::german, k, i, of == Subject::other) && !mine) claims_.back().passive = words_[k].text;
        }
    }
    // The thing may stand behind the auxiliary: "Soeben wurde die Datei gelöscht".
    Subject german_subject(std::size_t i) const {
        const Subject of = i > 0 ? subject(i) : Subject::none;
        const bool bare = !reports(i) && !any_of(kHearsay, 0, i) && !any_of(kDenied, 0, i);
        return of == Subject::other && thing_between(i, words_.size()) ? Subject::thing : of != Subject::none || !bare || !thing_between(0, words_.size()) ? of : Subject::thing;
    }
    bool tells_in_german(std::size_t i, std::size_t k) const {
        if (!is(k, {"gesagt", "mitgeteilt", "ausgerichtet"}) && !(is(k, {"bescheid"}) && is(k + 1, {"gegeben", "gesagt"}))) return false;
        static const List nobody = list_of("ich wir es das schon bereits gerade eben auch so nur alles etwas was soeben");
        bool somebody = false;
        for (std::size_t w = i + 1; w < k; ++w) somebody |= !nobody.contains(words_[w].text);
        return somebody && !has({"dir", "ihnen", "euch"}, i, k);
    }

    // "Message sent."
    void notice(std::size_t i) {
        const bool first = i == 0 || words_[i].begins_clause || is(i - 1, {"your", "the", "done", "okay", "ok"});
        if (first && is_thing(words_[i]) && words_.size() <= kWordsOfNotice && !reports(i)) claim_in_any(i + 1, i, false);
    }
    void claim_in_any(std::size_t verb, std::size_t subject, bool loose) {
        for (const Language language : {Language::english, Language::french, Language::german})
            if (claim(language, verb, subject, loose)) return;
    }

    // "Sent!", "Deleted `notes.txt`."; no request ("Read it.") and no mere nod ("Noted.").
    void report() {
        const std::size_t verb = behind_adverbs(0), last = words_.size();
        if (verb >= last || is(verb, {"read", "set", "run", "noted", "noté", "notiert", "vermerkt"}) || last > kWordsOfNotice || !claims_.empty() || reports(0) || any_of(kOtherTimes, 0, last) || any_of(kDenied, 0, last)) return;
        if (verb + 1 == last) {
            for (const Language language : {Language::english, Language::french, Language::german})
                if (const auto found = forms(language).find(words_[verb].text); found != forms(language).end()) return add(found->second.action, language, true);
        } else if (words_[verb + 1].named || is(verb + 1, {"it", "them", "to", "the", "your", "this", "that", "all", "à", "le", "la", "les", "l'", "an"})) {
            claim_in_any(verb, 0, true);
        }
    }

    // "All tests pass."
    void tests(std::size_t i) {
        if (!is(i, {"tests"}) || any_of(kHearsay, 0, i) || any_of(kConditions, i, words_.size())) return;
        for (std::size_t k = i; !words_[k].begins_clause && !is(k - 1, {"and", "et", "und"}); --k)
            if (!is(k - 1, {"all", "the", "your", "of", "now", "unit", "tous", "les", "vos", "tes", "alle", "die", "deine", "ihre"})) return;
        const std::size_t next = behind_adverbs(i + 1), then = behind_adverbs(next + 1);
        const bool french = is(next, {"passent", "réussissent"}) || (is(next, {"sont"}) && is(then, {"verts", "réussis"}));
        const bool german = is(next, {"bestehen", "laufen"}) || (is(next, {"sind"}) && is(then, {"grün", "bestanden", "erfolgreich"}));
        const bool english = is(next, {"pass", "passed", "succeed", "succeeded"}) || (is(next, {"are"}) && is(then, {"passing", "green"}));
        if (english || french || german) add(Action::run, french ? Language::french : german ? Language::german : Language::english, true);
    }

    std::string_view sentence_;
    const std::vector<Word>& words_;
    std::vector<Found> claims_;
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

// What the thread did stands in its own run, and its report tells of it.
bool spawns(const Deed& deed) { return deed.tool == "spawn_thread"; }

// Whether a call of this tool would be such an action.
bool does(Action action, const Deed& deed) {
    if (action == Action::look || spawns(deed)) return true;
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

std::vector<Found> found_in(std::string_view sentence, bool& quoted) {
    const std::vector<Word> words = words_of(sentence, quoted);
    const auto last = sentence.find_last_not_of(" \t\r\n\"'”*_)");
    if (last != std::string_view::npos && sentence[last] == '?') return {};
    return Finder(sentence, words).claims();
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
    static const List files = list_of("file files folder folders directory fichier fichiers dossier dossiers datei dateien ordner verzeichnis");
    static const List skipped = list_of("the your this that old le la les ce cet votre ton die der das den diese deine");
    const auto words = words_of(unquoted(claim.sentence));
    const auto is_file = [&](std::size_t at) { return at < words.size() && (files.contains(words[at].text) || words[at].text.find('.') != std::string::npos); };
    const auto behind_skipped = [&](std::size_t at) {
        while (at < words.size() && skipped.contains(words[at].text)) ++at;
        return at;
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto verb = forms(claim.language).find(words[i].text);
        if (verb == forms(claim.language).end() || verb->second.action != Action::erase) continue;
        const bool passive = i > 0 && in(words[i - 1], {"been", "été", "now", "already", "was", "were"});
        if (claim.language == Language::german ? i > 0 && is_file(i - 1) : is_file(behind_skipped(passive ? 0 : i + 1))) return true;
    }
    return claim.language == Language::german && has_any(claim.sentence, "wurde wurden") && is_file(behind_skipped(0));
}
bool removes(const Deed& deed) {
    static const List words = list_of("rm rmdir unlink delete remove trash erase shred clean git find mv del");
    return deed.end == Deed::End::done && (spawns(deed) || (!deed.pure && (meet(words_of_name(deed.tool), words) || meet(words_of_name(deed.arguments), words))));
}

// "Write x.txt", "write a poem to `poem.txt`": the reply is not the text.
bool writes_a_file(std::string_view request) {
    static const List before = list_of("write schreib schreibe schreiben écris écrire to into as nach à"), between = list_of("a the new file die eine neue datei un le nouveau fichier");
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
    static const List openings = list_of(kKnowledge);
    const auto words = words_of(request);
    return !words.empty() && (openings.contains(words[0].text) || (in(words[0], {"tell"}) && words.size() > 1 && in(words[1], {"me", "us"})));
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
    std::vector<Claim> out;
    for (Found& found : found_in(sentence, quoted)) out.push_back(std::move(found.claim));
    return out;
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

Evidence::Evidence(std::string_view request, std::vector<Deed> deeds, std::vector<Deed> earlier)
    : request_(request), deeds_(std::move(deeds)), earlier_(std::move(earlier)), composes_(has_any(request, kComposing) && !writes_a_file(request)) {}

std::optional<Claim> Evidence::unfounded(std::string_view sentence, bool& quoted) const {
    const bool looked = std::any_of(deeds_.begin(), deeds_.end(), [](const Deed& deed) { return deed.pure && deed.end == Deed::End::done; });
    const bool asks_to_know = is_about_knowledge(request_), question = request_.find('?') != std::string::npos;
    for (Found& found : found_in(sentence, quoted)) {
        const bool asked = asks_for(found.claim.action, request_);
        if ((composes_ && !asked) || (found.loose && (asks_to_know || (!asked && (looked || question))))) continue;
        if (!asked && has_any(request_, found.passive)) continue;
        const auto held_by = [&](const std::vector<Deed>& deeds) { return erases_a_file(found.claim) ? std::any_of(deeds.begin(), deeds.end(), removes) : holds(found.claim.action, deeds); };
        if (!held_by(deeds_) && (asked || !held_by(earlier_))) return std::move(found.claim);
    }
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
