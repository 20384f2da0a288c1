// Reads one sentence for what is claimed in it.
#include "agents/reply/claim_finder.h"

#include <algorithm>
#include <cctype>

#include "agents/passages.h"
#include "agents/reply/claim_words.h"
#include "base/split.h"
#include "base/trim.h"

namespace agents::reply {
namespace {

constexpr std::size_t kWordsOfNotice = 8;  // "Reminder set for five o'clock."
constexpr std::size_t kWordsOfSubject = 6;

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
            promise(i);
        }
        report();
        return std::move(claims_);
    }

private:
    const Word* at(std::size_t i) const { return i < words_.size() ? &words_[i] : nullptr; }
    bool is(std::size_t i, std::initializer_list<std::string_view> list) const { return i < words_.size() && in(words_[i], list); }

    bool conditional(std::size_t i) const {
        static const WordSet conditions = word_set(kConditions);
        for (std::size_t k = i + 1; k-- > 0;) {
            if (conditions.contains(words_[k].text)) return true;
            if (words_[k].begins_clause) return false;
        }
        return false;
    }

    std::size_t behind_adverbs(std::size_t i) const {
        static const WordSet adverbs = word_set(kAdverbs);
        while (i < words_.size() && adverbs.contains(words_[i].text)) ++i;
        return i;
    }

    static bool is_thing(const Word& word) {
        static const WordSet things = word_set(kThings);
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
        const WordSet words = word_set(list);
        return std::any_of(words_.begin() + std::ptrdiff_t(std::min(from, to)), words_.begin() + std::ptrdiff_t(to), [&](const Word& w) { return words.contains(w.text); });
    }

    enum class Subject { none, thing, other };
    // Of a passive whose auxiliary stands at `i`. Other: whoever or whatever else is meant by it.
    Subject subject(std::size_t i) const {
        std::size_t from = i;
        while (from > 0 && !words_[from].begins_clause) --from;
        if (i == 0 || any_of(kDenied, from, i) || any_of(kModals, i - 1, i) || any_of(kHearsay, 0, words_.size()) || of_another(i)) return Subject::none;
        if (thing_between(0, i)) return Subject::thing;
        return i == from || i - from > kWordsOfSubject || any_of(kIndefinite, from, i) || any_of(kOtherTimes, 0, words_.size()) ? Subject::none : Subject::other;
    }

    static bool is_number(const Word& word) {
        return !word.text.empty() && std::all_of(word.text.begin(), word.text.end(), [](unsigned char c) { return std::isdigit(c); });
    }
    // What is told of some other time or doer.
    bool reports(std::size_t from) const {
        const bool year = std::any_of(words_.begin(), words_.end(), [](const Word& w) { return w.text.size() == 4 && is_number(w); });
        return year || names_doer(from, words_.size());
    }
    bool names_doer(std::size_t from, std::size_t to) const {
        for (std::size_t k = from; k < to; ++k)
            if (is(k, {"by", "par", "von", "vom", "durch"}) && !is(k + 1, {"me", "us", "myself", "moi", "nous", "mir", "uns"})) return true;
        return false;
    }
    // Also where a verb before it has the doer, and both have one subject: "was made by Anna and has been sent".
    bool of_another(std::size_t i) const {
        if (reports(i)) return true;
        if (i == 0 || !is(i - 1, {"and", "et", "und", "then", "puis", "dann"})) return false;
        std::size_t verb = 0;
        while (verb < i && !is(verb, {"was", "were", "been", "is", "are", "est", "sont", "été", "wurde", "wurden", "ist", "sind"})) ++verb;
        return names_doer(verb, i);
    }
    bool ends_clause(std::size_t i) const { return i + 1 >= words_.size() || words_[i + 1].begins_clause || is(i + 1, {"and", "et", "und"}); }

    void add(Action action, Language language, bool loose = false) { claims_.push_back({{action, language, shortened(base::trimmed(sentence_), kMostOfClaim)}, loose}); }

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
        else if (is(i, {"is", "are"})) state(Language::english, i, behind_adverbs(i + 1), subject(i));
        else if (is(i, {"it's", "they're"})) state(Language::english, i, behind_adverbs(i + 1), Subject::other);
    }
    void passive(Language language, std::size_t i, std::size_t verb) {
        const Subject of = subject(i);
        const auto found = verb < words_.size() ? forms(language).find(words_[verb].text) : forms(language).end();
        if (of == Subject::none || found == forms(language).end() || (of == Subject::other && found->second.weak)) return;
        if (!claim(language, verb, i, of == Subject::other)) return;
        claims_.back().passive = words_[verb].text;
        go_on(language, verb, i);
    }
    void state(Language language, std::size_t i, std::size_t verb, Subject of) {
        const auto found = verb < words_.size() ? forms(language).find(words_[verb].text) : forms(language).end();
        if (of == Subject::none || found == forms(language).end() || (of == Subject::other && found->second.weak)) return;
        const bool relative = i > 0 && is(i - 1, {"that", "which", "who", "qui", "que", "die", "der", "das", "was"});
        if (relative || any_of(kConditions, 0, words_.size()) || !claim(language, verb, i, true)) return;
        claims_.back().passive = words_[verb].text;
        claims_.back().state = verb == behind_adverbs(i + 1) && ends_clause(verb) ? Found::State::bare : Found::State::described;
    }
    // "told Bob that …", "let Bob know": not the one who reads it.
    bool tells(std::size_t verb) const {
        if (is(verb, {"let"})) return !is(verb + 1, {"you", "me", "us"}) && has({"know"}, verb + 2, verb + 6);
        if (!is(verb, {"told"}) || verb + 1 >= words_.size() || is(verb + 1, {"you", "me", "us", "myself", "yourself", "lies"})) return false;
        return !is(verb + 1, {"a", "an", "the", "my", "your", "his", "her", "their"}) || has({"that", "about", "to", "of"}, verb + 2, words_.size());
    }
    // A form that is a past one for sure; else nowhere.
    std::size_t past(std::size_t i) const {
        static const WordSet irregular = word_set(kIrregular);
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
        } else if (is(i, {"est", "sont"})) {
            return state(Language::french, i, behind_adverbs(i + 1), subject(i));
        }
        if (verb > 0 && is(verb, {"dit"}) && (has({"à", "au", "aux"}, verb + 1, verb + 3) || has({"lui", "leur"}, i, verb))) add(Action::send, Language::french);
        if (verb > 0 && claim(Language::french, verb, i)) go_on(Language::french, verb, i);
    }

    // The participle ends the clause: whatever stands between.
    void german(std::size_t i) {
        const bool mine = is(i, {"habe", "hab", "haben"}) && ((i > 0 && is(i - 1, {"ich", "wir"})) || is(i + 1, {"ich", "wir"}) || (i == 0 && is(i, {"habe", "hab"})));
        const bool passive = is(i, {"wurde", "wurden"}) || (is(i, {"ist", "sind"}) && (is(i + 1, {"jetzt", "nun"}) || is(words_.size() - 1, {"worden"})));
        if (!mine && !passive && is(i, {"ist", "sind"})) return state(Language::german, i, german_participle(i), german_subject(i));
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
    // The one that ends the auxiliary's clause; else nowhere.
    std::size_t german_participle(std::size_t i) const {
        static const WordSet others = word_set("und oder aber zu nicht nichts nie niemals kein keine keinen keiner weder wurde wurden wird werden hat habe haben kann soll muss");
        for (std::size_t k = i + 1; k < words_.size() && !words_[k].begins_clause && !others.contains(words_[k].text); ++k)
            if (ends_clause(k)) return k;
        return words_.size();
    }
    // The thing may stand behind the auxiliary: "Soeben wurde die Datei gelöscht".
    Subject german_subject(std::size_t i) const {
        const Subject of = i > 0 ? subject(i) : Subject::none;
        const bool bare = !of_another(i) && !any_of(kHearsay, 0, i) && !any_of(kDenied, 0, i);
        return of == Subject::other && thing_between(i, words_.size()) ? Subject::thing : of != Subject::none || !bare || !thing_between(0, words_.size()) ? of : Subject::thing;
    }
    bool tells_in_german(std::size_t i, std::size_t k) const {
        if (!is(k, {"gesagt", "mitgeteilt", "ausgerichtet"}) && !(is(k, {"bescheid"}) && is(k + 1, {"gegeben", "gesagt"}))) return false;
        static const WordSet nobody = word_set("ich wir es das schon bereits gerade eben auch so nur alles etwas was soeben");
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
        const std::size_t first = behind_adverbs(0), last = words_.size();
        const std::size_t verb = is(first, {"ist", "sind"}) ? behind_adverbs(first + 1) : first;
        if (verb >= last || is(verb, {"read", "set", "run", "noted", "noté", "notiert", "vermerkt"}) || last > kWordsOfNotice || !claims_.empty() || reports(0) || any_of(kOtherTimes, 0, last) || any_of(kDenied, 0, last)) return;
        if (verb + 1 == last) {
            for (const Language language : {Language::english, Language::french, Language::german})
                if (const auto found = forms(language).find(words_[verb].text); found != forms(language).end()) return add(found->second.action, language, true);
        } else if (words_[verb + 1].named || is(verb + 1, {"it", "them", "to", "the", "your", "this", "that", "all", "à", "le", "la", "les", "l'", "an"})) {
            claim_in_any(verb, 0, true);
        }
    }

    // "I will remember that", "je vous le rappellerai": kept by a call alone, so that without one it is as untrue as "I have saved it".
    void promise(std::size_t i) {
        if (has({"if", "unless", "si", "s'", "wenn", "falls", "sofern"}, 0, i)) return;  // in a clause before, too
        if (const std::size_t verb = future(i); verb > 0) {
            const bool it = ends_clause(verb) || is(verb + 1, {"that", "this", "it", "your", "the"});
            const bool in_mind = is(verb, {"keep"}) && is(verb + 1, {"that", "this", "it"}) && is(verb + 2, {"in"}) && is(verb + 3, {"mind"});
            if ((is(verb, {"remember"}) && it) || in_mind || (is(verb, {"make"}) && is(verb + 2, {"note"}))) add(Action::save, Language::english);
            else if ((is(verb, {"remind"}) && is(verb + 1, {"you"})) || (is(verb, {"set"}) && has({"reminder", "alarm", "timer"}, verb, verb + 5))) add(Action::arrange, Language::english);
        } else if (is(i, {"je"})) {
            promise_in_french(i + 1);
        } else if (is(i, {"werde"}) || (is(i, {"merke"}) && (is(i + 1, {"ich"}) || (i > 0 && is(i - 1, {"ich"}))))) {
            const std::size_t end = clause_end(i);
            if (has({"mir"}, i, end) && has({"merke", "merken"}, i, end)) add(Action::save, Language::german);
            else if (has({"ich"}, i > 0 ? i - 1 : i, i + 2) && has({"dich", "sie", "euch"}, i, end) && has({"erinnern"}, i, end)) add(Action::arrange, Language::german);
        }
    }
    // Where the verb of "I will …" stands; 0: it is no such.
    std::size_t future(std::size_t i) const {
        if (is(i, {"i'll", "we'll"})) return behind_adverbs(i + 1);
        return is(i, {"i", "we"}) && is(i + 1, {"will", "shall"}) ? behind_adverbs(i + 2) : 0;
    }
    void promise_in_french(std::size_t from) {
        const std::size_t end = std::min(clause_end(from), from + 5);
        if (has({"n'", "ne"}, from, end)) return;
        const bool going = has({"vais"}, from, end);
        if (has({"souviendrai", "retiendrai", "noterai", "mémoriserai"}, from, end) || (going && has({"retenir", "souvenir", "noter", "mémoriser"}, from, end))) add(Action::save, Language::french);
        else if (has({"rappellerai"}, from, end) || (going && has({"rappeler"}, from, end))) add(Action::arrange, Language::french);
    }
    std::size_t clause_end(std::size_t from) const {
        while (from < words_.size() && !(from + 1 < words_.size() && words_[from + 1].begins_clause)) ++from;
        return std::min(from + 1, words_.size());
    }

    // "All tests pass.", "All 12 tests in test_a.py have passed."
    void tests(std::size_t i) {
        if (!is(i, {"tests"}) || any_of(kHearsay, 0, i) || any_of(kConditions, i, words_.size())) return;
        for (std::size_t k = i; !words_[k].begins_clause && !is(k - 1, {"and", "et", "und"}); --k)
            if (!counts_tests(words_[k - 1])) return;
        const bool named = is(i + 1, {"in", "of", "from", "for", "dans", "de", "aus", "für"}) && i + 2 < words_.size() && words_[i + 2].named;
        const std::size_t next = behind_adverbs(named ? i + 3 : i + 1), then = behind_adverbs(next + 1);
        const bool french = is(next, {"passent", "réussissent"}) || (is(next, {"sont"}) && is(then, {"verts", "réussis", "passés"})) || (is(next, {"ont"}) && is(then, {"réussi", "passé"}));
        const bool german = is(next, {"bestehen", "laufen", "bestanden", "liefen"}) || (is(next, {"sind"}) && is(then, {"grün", "bestanden", "erfolgreich", "durchgelaufen"})) ||
                            (is(next, {"haben"}) && is(then, {"bestanden"}));
        const bool english = is(next, {"pass", "passed", "succeed", "succeeded"}) || (is(next, {"are", "were"}) && is(then, {"passing", "green", "successful"})) ||
                             (is(next, {"have"}) && is(then, {"passed", "succeeded"}));
        if (english || french || german) add(Action::run, french ? Language::french : german ? Language::german : Language::english, true);
    }
    static bool counts_tests(const Word& word) {
        static const WordSet counts = word_set(kCounts);
        return counts.contains(word.text) || is_number(word);
    }

    std::string_view sentence_;
    const std::vector<Word>& words_;
    std::vector<Found> claims_;
};

}  // namespace

WordSet word_set(std::string_view words) {
    const auto parts = base::split(words, ' ');
    return WordSet(parts.begin(), parts.end());
}

bool in(const Word& word, std::initializer_list<std::string_view> list) { return std::find(list.begin(), list.end(), word.text) != list.end(); }

const Forms& forms(Language language) {
    static const Forms english = forms_of(&ActionRow::english), french = forms_of(&ActionRow::french), german = forms_of(&ActionRow::german);
    return language == Language::german ? german : language == Language::french ? french : english;
}

std::vector<Found> found_in(std::string_view sentence, bool& quoted) {
    const std::vector<Word> words = words_of(sentence, quoted);
    const auto last = sentence.find_last_not_of(" \t\r\n\"'”*_)");
    if (last != std::string_view::npos && sentence[last] == '?') return {};
    return Finder(sentence, words).claims();
}

}  // namespace agents::reply
