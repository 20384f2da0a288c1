#include "agents/errand.h"

#include <algorithm>
#include <vector>

#include "agents/foreign_errand.h"
#include "agents/when.h"
#include "agents/when_words.h"
#include "base/split.h"
#include "base/unicode.h"

namespace agents {

std::string folded_small(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = base::decode_utf8(text, at, length);
        if (c != base::no_char) base::append_utf8(out, c == U'’' ? U'\'' : base::to_lower(c));
        at += std::size_t(length);
    }
    return out;
}

namespace {

using words::Kind;

constexpr std::size_t kMostOfErrand = 400;  // bytes: what is longer says more than one thing
// Phrases stand apart by bars.
constexpr std::string_view kErrandGreetings =
    "please|just so you know|fyi|for your information|hi|hello|hey|hearth|ok|okay|also|for later|good morning|good evening|s'il te plaît|s'il te plait|s'il vous plaît|stp|svp|bonjour|bonsoir|salut|bitte|hallo|por favor|hola|per favore|ciao";
constexpr std::string_view kErrandPlease = "please|s'il te plaît|s'il te plait|s'il vous plaît|stp|svp|bitte|por favor|per favore";
constexpr std::string_view kErrandThanks = "thanks|thank you|merci|danke|gracias|grazie";
constexpr base::InLanguages kReminderOrders = {"Remind me: ", "Rappelle-moi : ", "Erinnere mich: ", "Recuérdame: ", "Ricordami: "};
constexpr std::string_view kErrandAsking =
    "can you|could you|would you|i want you to|i'd like you to|i would like you to|i need you to|peux-tu|pourrais-tu|tu peux|tu pourrais|pouvez-vous|pourriez-vous|vous pouvez|est-ce que tu peux";
constexpr std::string_view kErrandRemember =
    "remember|keep in mind|note|make a note|take note|don't forget|do not forget|souviens-toi|souvenez-vous|rappelle-toi|rappelez-vous|retiens|retenez|n'oublie pas|n'oubliez pas|note bien|notez|notez bien|"
    "garde en tête|gardez en tête|garde en mémoire|mémorise|mémorisez|merke dir|merk dir|merken sie sich|vergiss nicht|denk daran|denke daran|notiere|notier dir|notiere dir|"
    "recuerda|recuerde|acuérdate de|no olvides|no olvide|anota|apunta|ricorda|ricordati|ricordi|non dimenticare|annota|segna|tieni a mente";
constexpr std::string_view kErrandToRemember = "te souvenir|vous souvenir|te rappeler|retenir|noter|mémoriser|garder en tête|garder en mémoire";
constexpr std::string_view kErrandRememberBare = "remember|keep in mind|don't forget|do not forget";  // a fact may follow at once
constexpr std::string_view kErrandRememberIt =
    "remember that|remember this|remember it|keep that in mind|keep this in mind|keep it in mind|don't forget it|don't forget that|make a note of that|make a note of it|"
    "retiens-le|retiens-la|retiens ça|retiens cela|souviens-t'en|souvenez-vous-en|souviens-toi de ça|ne l'oublie pas|note-le|note ça|merk dir das|merke dir das|vergiss das nicht|"
    "recuérdalo|no lo olvides|ricordalo|ricordatelo|non dimenticarlo";
constexpr std::string_view kErrandRemind =
    "remind me|pense à me rappeler|pensez à me rappeler|set a reminder|set me a reminder|make a reminder|create a reminder|add a reminder|don't let me forget|do not let me forget|rappelle-moi|rappelle moi|rappelez-moi|fais-moi penser|"
    "mets un rappel|mets-moi un rappel|ajoute un rappel|crée un rappel|programme un rappel";
constexpr std::string_view kErrandToRemind = "me rappeler|me faire penser|mettre un rappel|ajouter un rappel|créer un rappel|programmer un rappel";

constexpr base::InLanguages kErrandThat = {"that", "que", "dass|daß", "que", "che"};
constexpr std::string_view kErrandSpanish = "recuerda|recuerde|acuérdate de|no olvides|no olvide|anota|apunta";  // which has French's "que"
constexpr std::string_view kErrandFrenchMarks = "rappel|rappelle|rappelez|rappeler|penser";  // words of reminders
// What is asked for, or of whom it is not told, when a clause begins so.
constexpr std::string_view kErrandNoSubject =
    "this|that|it|it's|that's|these|those|ce|c'est|cela|ça|es|esto|eso|questo|you|you're|your|when|what|who|whom|whose|which|how|why|where|if|whether|time|day|night|year|moment|summer|winter|one|guy|man|woman|movie|film|song|episode|book|show|party|thing|feeling|to|me|us|of|about|never|always|"
    "tu|t'es|vous|quand|comment|qui|quoi|quel|quelle|quels|quelles|où|pourquoi|si|de|ce que|du|sie|wenn|was|wie|wo|wer|cuando|cómo|quién|dónde|si|eres|quando|come|chi|dove|se|sei";
constexpr std::string_view kErrandSubjects =
    "i|i'm|i've|i'd|i'll|my|we|we're|we've|our|he|he's|she|she's|they|they're|his|her|their|its|the|a|an|there|there's|today|tomorrow|on|in|at|from|every|each|all|both|no|nobody|everyone|mum|mom|dad|"
    "grandma|grandpa";
constexpr std::string_view kErrandVerbs =
    "is|are|was|were|am|i'm|has|have|had|like|likes|love|loves|hate|hates|live|lives|work|works|go|goes|come|comes|need|needs|prefer|prefers|don't|doesn't|can't|cannot|eat|eats|drink|drinks|will|isn't|aren't|opens|closes|starts|costs";
// A clause that speaks to whoever reads it is a wish about this conversation rather than a fact.
constexpr std::string_view kErrandAddressed = "you|your|you're|you've|you'll|yours|tu|te|toi|ton|tes|vous|votre|vos|dich|dein|deine";
constexpr std::string_view kErrandRemarks = "note|notez|note bien|notez bien|take note";  // "note that …" is mostly said of what is talked about
// Behind "and" they ask for something more.
constexpr std::string_view kErrandOrders =
    "tell|write|explain|give|show|make|say|answer|list|find|open|read|run|what|who|how|when|where|why|fix|translate|then|remind|dis|écris|explique|donne|montre|fais|liste|lis|ouvre|corrige|traduis|sag|schreib|erkläre";
constexpr std::string_view kErrandAnd = "and|then|et|puis|und|dann|y|e";
constexpr std::string_view kErrandShortened = "dr|mr|mrs|ms|st|prof|mme|m|no|nr";
// Of what a reminder is, behind these.
constexpr std::string_view kErrandToDo = "to|de|à|a|pour";
constexpr std::string_view kErrandOfWhat = "that|about|of|que";
constexpr std::string_view kErrandFor = "for|pour|à";  // in front of the time
constexpr std::string_view kErrandAsks = "what|who|whom|whose|which|how|why|where|when|if|comment|quel|quelle|quels|quelles|qui|où|pourquoi|combien|quand|ce|si|pas";

struct SaidToken {
    std::string text;                 // in small letters, with straight apostrophes, without marks behind it
    std::size_t begin = 0, end = 0;   // of it in the message, in bytes
    char mark = 0;                    // what stands behind it: . , ; : ! ? or - for a dash
    bool of_time = false;             // such as times are told with
};

char mark_behind(char32_t c) {
    if (c == U'–' || c == U'—') return '-';
    if (c == U'…') return '.';
    return c < 0x80 && std::string_view(".,;:!?").find(char(c)) != std::string_view::npos ? char(c) : '\0';
}

bool is_gap(char32_t c) { return c != base::no_char && base::is_space(c); }

bool tells_time(std::string_view token) {
    const std::vector<words::Word> all = words::read(token);
    return std::none_of(all.begin(), all.end(), [](const words::Word& word) { return word.kind == Kind::unknown; });
}

std::vector<SaidToken> said_tokens(std::string_view message) {
    std::vector<SaidToken> out;
    for (std::size_t at = 0; at < message.size();) {
        int length = 1;
        if (is_gap(base::decode_utf8(message, at, length))) {
            at += std::size_t(length);
            continue;
        }
        SaidToken token{{}, at, at};
        char32_t last = 0;
        for (; at < message.size() && !is_gap(last = base::decode_utf8(message, at, length)); at += std::size_t(length)) {
            const char mark = mark_behind(last);
            token.mark = mark;
            if (!mark) token.end = at + std::size_t(length);
        }
        token.text = folded_small(message.substr(token.begin, token.end - token.begin));
        token.of_time = tells_time(token.text);
        if (token.end > token.begin && token.text != "-") out.push_back(std::move(token));
        else if (!out.empty()) out.back().mark = token.mark ? token.mark : '-';  // it stands apart, as in French
    }
    return out;
}

bool in_list(std::string_view list, std::string_view word) {
    for (std::size_t at = 0; at < list.size();) {
        const std::size_t end = std::min(list.find('|', at), list.size());
        if (list.substr(at, end - at) == word) return true;
        at = end + 1;
    }
    return false;
}

class ErrandReader {
public:
    explicit ErrandReader(std::string_view message) : message_(message), tokens_(said_tokens(message)), end_(tokens_.size()) {}

    std::optional<Errand> read() {
        if (message_.size() > kMostOfErrand || message_.find_first_of("\n`") != message_.npos) return std::nullopt;
        drop_politeness();
        if (auto reminder = remind()) return reminder;
        if (tokens_.empty() || !one_sentence()) return std::nullopt;
        const std::size_t asked = asking(at_);
        if (auto fact = remember(asked > 0 ? asked : at_, asked > 0)) return fact;
        return remember_it();
    }

    // Of what a kept reminder is; none where it was worded by somebody who wants more than to be reminded.
    std::optional<Errand> due(base::Language language) const {
        if (end_ == 0 || message_.find_first_of("\n`") != message_.npos || tokens_.back().mark == '?') return std::nullopt;
        if (!one_sentence(0, end_) || asks_for_more(0, end_) || in_list(kErrandAsks, tokens_[0].text)) return std::nullopt;
        Errand out{Errand::Kind::remind, said(0, end_)};
        out.language = language;
        return out;
    }

    std::optional<std::string> only_time() {
        drop_politeness();
        return known(at_, end_) ? std::optional(said(at_, end_)) : std::nullopt;
    }

private:
    // How many tokens from `at` on one of the phrases takes; the longest.
    std::size_t match(std::string_view phrases, std::size_t at) const {
        std::size_t longest = 0;
        for (const std::string& phrase : base::split(phrases, '|')) {
            const std::vector<std::string> wanted = base::split(phrase, ' ');
            if (at + wanted.size() > end_ || wanted.size() <= longest) continue;
            bool same = true;
            for (std::size_t i = 0; i < wanted.size() && same; ++i) same = tokens_[at + i].text == wanted[i] && (i + 1 == wanted.size() || tokens_[at + i].mark == 0);
            if (same) longest = wanted.size();
        }
        return longest;
    }

    // Thanks may be what it is about: "remind me at 6pm to say thanks". They are for the reader only where they stand apart.
    bool is_courtesy(std::size_t at, std::size_t length) const {
        if (match(kErrandPlease, at) == length) return true;
        const char mark = tokens_[at - 1].mark;
        return match(kErrandThanks, at) == length && ((mark != 0 && mark != ':') || known(at_, at));
    }

    void drop_politeness() {
        for (std::size_t taken = 1; taken > 0; at_ += taken) taken = match(kErrandGreetings, at_);
        for (bool more = true; more;) {
            more = false;
            for (std::size_t length = 1; length <= 4 && at_ + length < end_ && !more; ++length)
                if (is_courtesy(end_ - length, length)) end_ -= length, more = true;
        }
        questioned_ = tokens_.size() > 0 && (tokens_.back().mark == '?' || (end_ > 0 && tokens_[end_ - 1].mark == '?'));
    }

    // Behind "can you" and the like, and what is polite behind those; 0: none of these.
    std::size_t asking(std::size_t at) const {
        const std::size_t taken = match(kErrandAsking, at);
        return taken == 0 ? 0 : at + taken + match(kErrandGreetings, at + taken);
    }

    bool ends_sentence(std::size_t at) const {
        const char mark = tokens_[at].mark;
        return mark == '!' || mark == '?' || (mark == '.' && !in_list(kErrandShortened, tokens_[at].text));
    }
    bool one_sentence(std::size_t from, std::size_t to) const {
        for (std::size_t i = from; i + 1 < to; ++i)
            if (ends_sentence(i)) return false;
        return true;
    }
    // With the sentence that says that it be remembered behind it.
    bool one_sentence() const {
        int ends = 0;
        for (std::size_t i = at_; i + 1 < end_; ++i) ends += ends_sentence(i);
        return ends <= 1;
    }

    std::string said(std::size_t from, std::size_t to, std::size_t skipped = 0) const {
        return from >= to ? std::string() : std::string(message_.substr(tokens_[from].begin + skipped, tokens_[to - 1].end - tokens_[from].begin - skipped));
    }

    bool asks_for_more(std::size_t from, std::size_t to) const {
        for (std::size_t i = from + 1; i < to; ++i)
            if (in_list(kErrandOrders, tokens_[i].text) && (in_list(kErrandAnd, tokens_[i - 1].text) || tokens_[i - 1].mark == ',' || tokens_[i - 1].mark == ';')) return true;
        return false;
    }

    bool is_clause(std::size_t from, std::size_t to) const {
        if (from + 2 > to || match(kErrandNoSubject, from) > 0 || !one_sentence(from, to) || asks_for_more(from, to)) return false;
        for (std::size_t i = from; i < to; ++i)
            if (in_list(kErrandAddressed, tokens_[i].text) || (tokens_[i].mark == ':' && i + 1 < to)) return false;
        return true;
    }
    bool has_verb(std::size_t from, std::size_t to) const {
        for (std::size_t i = from + 1; i < to; ++i)
            if (in_list(kErrandVerbs, tokens_[i].text)) return true;
        return in_list("i'm|it's|he's|she's|we're|they're|there's", tokens_[from].text);
    }
    bool is_name(std::size_t at) const {
        int length = 1;
        return (base::classes(base::decode_utf8(message_, tokens_[at].begin, length)) & base::upper_case) != 0;
    }

    std::optional<Errand> remember(std::size_t at, bool asked) const {
        if (questioned_ && !asked) return std::nullopt;
        std::size_t taken = match(kErrandRemember, at);
        const bool bare = taken > 0 && match(kErrandRememberBare, at) == taken;
        if (taken == 0 && asked) taken = match(kErrandToRemember, at);
        std::size_t from = at + taken;
        if (taken == 0 || from >= end_) return std::nullopt;
        const char mark = tokens_[from - 1].mark;
        if (mark == ':') return fact_of(from, std::nullopt);
        if ((mark != 0 && mark != ',') || (!asked && match(kErrandRemarks, at) == taken)) return std::nullopt;
        from += match(kErrandGreetings, from);
        if (from >= end_) return std::nullopt;
        if (tokens_[from].text.starts_with("qu'")) {
            const std::size_t skipped = message_[tokens_[from].begin + 2] == '\'' ? 3 : 5;
            return fact_of(from, base::Language::french, skipped);
        }
        const std::string& that = tokens_[from].text;
        const auto language = language_of_that(that, match(kErrandSpanish, at) == taken);
        if (!language) return bare && mark == 0 && has_verb(from, end_) ? fact_of(from, base::Language::english) : std::nullopt;
        ++from;
        if (!is_clause(from, end_)) return std::nullopt;
        // "that" points at something as well: "remember that time in Rome".
        if (that == "that" && !in_list(kErrandSubjects, tokens_[from].text) && !is_name(from) && !has_verb(from, end_)) return std::nullopt;
        return fact_of(from, language);
    }
    std::optional<Errand> fact_of(std::size_t from, std::optional<base::Language> language, std::size_t skipped = 0) const {
        if (!is_clause(from, end_)) return std::nullopt;
        Errand out{Errand::Kind::remember, said(from, end_, skipped)};
        out.language = language;
        return out;
    }
    static std::optional<base::Language> language_of_that(const std::string& that, bool spanish) {
        for (std::size_t n = 0; n < kErrandThat.size(); ++n)
            if (in_list(kErrandThat[n], that) && (base::Language(n) != base::Language::french || !spanish)) return base::Language(n);
        return std::nullopt;
    }

    // "My cat is called Miso. Remember that."
    std::optional<Errand> remember_it() const {
        if (questioned_) return std::nullopt;
        for (std::size_t from = at_ + 2; from < end_; ++from) {
            const std::size_t behind = from + match("please|and|bitte", from);
            if (tokens_[from - 1].mark == 0 || tokens_[from - 1].mark == '?' || match(kErrandRememberIt, behind) != end_ - behind) continue;
            return is_clause(at_, from) ? std::optional(Errand{Errand::Kind::remember, said(at_, from)}) : std::nullopt;
        }
        return std::nullopt;
    }

    bool known(std::size_t from, std::size_t to) const {
        return from < to && std::all_of(tokens_.begin() + std::ptrdiff_t(from), tokens_.begin() + std::ptrdiff_t(to), [](const SaidToken& token) { return token.of_time; });
    }
    static bool opens_time(const words::Word& word) {
        switch (word.kind) {
            case Kind::every: case Kind::in: case Kind::at: case Kind::today: case Kind::tomorrow: case Kind::after_tomorrow: case Kind::next: case Kind::weekday: case Kind::noon: case Kind::midnight: return true;
            case Kind::article: return word.value == 1 || word.text == "the";
            case Kind::filler: return in_list("on|this|ce|cet|cette|en|from", word.text);
            case Kind::day: case Kind::unit_hour: case Kind::unit_week: case Kind::unit_month: return word.repeats;
            default: return false;
        }
    }
    enum class Time { none, open, told };  // open: it leaves a question
    Time time_in(std::size_t from, std::size_t to) const {
        if (!known(from, to)) return Time::none;
        const std::vector<words::Word> all = words::read(said(from, to));
        const bool told = std::any_of(all.begin(), all.end(), [](const words::Word& word) {
            return word.kind != Kind::filler && word.kind != Kind::article && word.kind != Kind::at && word.kind != Kind::to && word.kind != Kind::in && word.kind != Kind::number && word.kind != Kind::ordinal;
        });
        const bool number = all.size() > 1 && (all[0].kind == Kind::at || all[0].kind == Kind::article) && all.back().kind <= Kind::clock && all.back().kind >= Kind::number;
        if (all.empty() || !opens_time(all[0]) || (!told && !number)) return Time::none;
        static const Zone utc = Zone::find("UTC").value();
        const auto read = read_when(said(from, to), base::TimePoint{}, utc);
        return !read ? Time::none : std::holds_alternative<When>(*read) ? Time::told : Time::open;
    }

    std::optional<Errand> remind() {
        std::size_t at = at_, front = 0;
        bool asked = false;
        const auto opening = [&](std::size_t from) {
            std::size_t begin = from + match(kErrandGreetings, from);
            const std::size_t behind = asking(begin);
            asked = behind > 0;
            if (asked) begin = behind;
            const std::size_t taken = std::max(match(kErrandRemind, begin), asked ? match(kErrandToRemind, begin) : 0);
            return taken > 0 ? begin + taken : 0;
        };
        std::size_t from = opening(at);
        for (std::size_t i = at + 1; from == 0 && i < end_ && known(at, i); ++i)
            if (time_in(at, i) != Time::none && (from = opening(i)) > 0) front = i;
        if (from == 0 || from >= end_ || (questioned_ && !asked) || !one_sentence(at, end_) || asks_for_more(from, end_)) return std::nullopt;
        auto out = what_and_when(from, front > 0 ? said(at, front) : std::string());
        bool french = false;
        for (std::size_t i = front; i < from; ++i) french |= in_list(kErrandFrenchMarks, tokens_[i].text.substr(0, tokens_[i].text.find('-')));
        if (out) out->language = french ? base::Language::french : base::Language::english;
        return out;
    }

    struct Split {
        std::size_t text = 0;     // where what it is of begins
        std::size_t skipped = 0;  // bytes of that token
        bool found = false, to_do = false;
    };
    // Behind "to", "about" and the like, in front of which there may be a time; the last that can be so.
    Split split(std::size_t from) const {
        Split out;
        for (std::size_t i = from; i < end_; ++i) {
            const SaidToken& token = tokens_[i];
            const bool may = i == from || time_in(from, i) != Time::none;
            if (may && i > from && tokens_[i - 1].mark == ':') return {i, 0, true, false};
            for (const std::string_view elided : {"d'", "qu'"})
                if (may && token.text.starts_with(elided)) return {i, message_[token.begin + elided.size() - 1] == '\'' ? elided.size() : elided.size() + 2, true, elided == "d'"};
            if (may && (in_list(kErrandToDo, token.text) || in_list(kErrandOfWhat, token.text)) && i + 1 < end_) out = {i + 1, 0, true, in_list(kErrandToDo, token.text)};
            if (!known(i, i + 1)) break;
        }
        return out;
    }

    std::optional<Errand> what_and_when(std::size_t from, std::string when) const {
        if (tokens_[from - 1].mark == 0 && when.empty() && match(kErrandFor, from) > 0 && from + 1 < end_ && known(from + 1, from + 2) && tokens_[from - 1].text != "penser") ++from;
        Split what = tokens_[from - 1].mark == ':' ? Split{from, 0, true, false} : split(from);
        const bool named = !what.found && tokens_[from].text != "me" && in_list("le|la|les|l|mon|ma|mes|un|une|notre|nos", tokens_[from].text.substr(0, tokens_[from].text.find('\'')));  // "rappelle-moi les poubelles à 8h"
        if (named) what = {from, 0, true, false};
        if (!what.found || what.text >= end_ || in_list(kErrandAsks, tokens_[what.text].text)) return std::nullopt;
        if (when.empty() && what.text > from) when = said(from, time_end(from, what.text));
        std::size_t to = end_;
        if (when.empty() || is_open(when))
            for (std::size_t i = what.text + 1; i < end_; ++i)
                if (time_in(i, end_) != Time::none) {
                    when += (when.empty() ? "" : " ") + said(i, end_);
                    to = i;
                    break;
                }
        return Errand{Errand::Kind::remind, said(what.text, to, what.skipped), when, what.to_do};
    }
    // Without the "to" behind the time.
    std::size_t time_end(std::size_t from, std::size_t text) const {
        std::size_t out = text;
        while (out > from && (in_list(kErrandToDo, tokens_[out - 1].text) || in_list(kErrandOfWhat, tokens_[out - 1].text))) --out;
        return out;
    }
    static bool is_open(const std::string& when) {
        static const Zone utc = Zone::find("UTC").value();
        const auto read = read_when(when, base::TimePoint{}, utc);
        return !read || std::holds_alternative<Question>(*read);
    }

    std::string_view message_;
    std::vector<SaidToken> tokens_;
    std::size_t at_ = 0, end_ = 0;
    bool questioned_ = false;
};

}  // namespace

std::optional<Errand> errand_of(std::string_view message) {
    auto out = ErrandReader(message).read();
    const bool asks_what = out && out->kind == Errand::Kind::remind && out->when.empty() && !out->to_do;
    if (asks_what) return std::nullopt;
    return out ? out : foreign_reminder(message);
}

std::string reminder_order(std::string_view text, base::Language language) { return std::string(base::in(language, kReminderOrders)).append(text); }

std::optional<Errand> reminder_of(std::string_view message) {
    for (std::size_t n = 0; n < kReminderOrders.size(); ++n)
        if (message.starts_with(kReminderOrders[n])) return ErrandReader(message.substr(kReminderOrders[n].size())).due(base::Language(n));
    auto out = ErrandReader(message).read();
    return out && out->kind == Errand::Kind::remind && out->when.empty() ? out : std::nullopt;
}

std::optional<std::string> time_alone(std::string_view message) {
    auto out = ErrandReader(message).only_time();
    return out ? out : foreign_time_alone(message);
}

}  // namespace agents
