#include "agents/reply/language.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/split.h"
#include "base/unicode.h"

namespace agents::reply {
namespace {

struct Row {
    Language language;
    std::string_view name, own;  // in English, and in itself
    std::string_view words;    // the frequent ones; those of another list count a part for each
    std::string_view letters;  // that the others lack
};

constexpr std::array kRows = {
    Row{Language::english, "English", "english",
        "the a an and or but of to in on at for with from by is are was were be been am i you he she it we they my your his her its our their this that these those "
        "what which who how when where why not no yes do does did have has had can could will would should may please thanks thank hello hi good morning evening there "
        "here if then than so as about into over more some any all very just also remember remind tell show give make need want know like today tomorrow let me us "
        "come comment off turn up down out i'm it's i'll i've don't can't won't isn't doesn't didn't what's that's you're we're there's",
        ""},
    Row{Language::french, "French", "français",
        "le la les un une des du de et ou mais dans sur à pour avec sans par est sont était êtes suis es a ont avez avons ai je tu il elle on nous vous ils elles mon "
        "ma mes ton ta tes son sa ses notre votre leur leurs ce cette ces cet que qui quoi quel quelle quels quelles comment quand où pourquoi ne pas non oui merci bonjour "
        "bonsoir salut plaît peux peut pouvez veux voudrais plus moins très bien aussi si alors donc y en au aux c' j' l' d' n' qu' s' t' m' fait faire aujourd'hui "
        "demain rappelle dis explique moi toi vas vais va voici ça là ici heure tout tous toute cela ceci être",
        "çèêëîœûùà"},
    Row{Language::german, "German", "deutsch",
        "der die das den dem des ein eine einen einem einer eines und oder aber in im auf an am für mit ohne von vom zu zum zur bei aus nach ist sind war waren bin bist "
        "sein hat haben habe hast hatte ich du er sie es wir ihr ihnen mein meine meinen dein deine deinen seine unser unsere euer dieser diese dieses was wer wie wo wann "
        "warum welche welcher welches nicht kein keine ja nein danke bitte hallo guten morgen abend tag kann kannst können könnte will willst möchte soll muss mir mich "
        "dir dich uns euch auch nur noch schon sehr wenn dann als so heute gibt gib geht geht's wird werden uhr merke sag zeig erkläre durch gut",
        "äöüß"},
    Row{Language::spanish, "Spanish", "español",
        "el la los las un una unos unas de del y o pero en con sin por para es son era fue soy eres está están estoy hay yo tú él ella nosotros ellos mi mis tu tus su sus "
        "nuestro este esta estos ese esa que qué quién cómo cuándo dónde cuál no sí gracias hola buenos buenas días tardes noches puedo puedes puede quiero quiere me te se vas va "
        "lo le al a más muy también si entonces como hoy mañana hora favor recuerda dime porque",
        "ñ¿¡"},
    Row{Language::italian, "Italian", "italiano",
        "il lo la i gli le un uno una di del della dei delle e o ma in nel nella su con senza per da dal a è sono era sei siamo ho hai ha hanno io tu lui lei noi voi loro mio "
        "mia miei tuo tua suo sua nostro questo questa questi quello che chi come quando dove perché quale non no sì grazie ciao buongiorno buonasera posso puoi può voglio "
        "mi ti si ci al alla più molto anche se allora oggi domani ora ore favore ricorda dimmi stai sta va c'è cosa",
        "ìò"},
    // Dutch, Portuguese, Danish, Norwegian, Swedish, Polish, Catalan.
    Row{Language::other, "", "",
        "de het een en of maar in op aan met zonder van voor naar bij is zijn was ben bent ik je jij hij zij wij wat wie waar hoe wanneer waarom niet geen ja nee bedankt "
        "hallo goedemorgen morgen kan kunt wil zou moet mij mijn jouw dit dat deze die er ook nog als dan zo heeft heb "
        "o a os um uma da dos e ou mas em na com por para que é são não sim obrigado obrigada pode você eu tu ele ela nós isso isto este esta meu minha seu sua "
        "qual quem como quando onde porque muito mais também já olá bom dia boa tarde noite te se lhe "
        "og på er et den det som av til ikke jeg du hva hvad hvor jag är och att inte vad vi har hej tack takk tak med kan om "
        "nie jest się na co jak czy proszę dziękuję w z po tak el els les amb per què és una un la",
        "åãõøæşğıłąęśżźćčřěůőű"},
};

// Requests that say themselves in which language to answer, or are about words.
constexpr std::string_view kNamed =
    "english french german spanish italian portuguese dutch latin greek chinese japanese russian arabic turkish polish translate translation translated mean means meaning pronounce "
    "anglais français allemand espagnol italien portugais latin grec chinois japonais traduis traduire traduisez traduction signifie "
    "englisch englische englischen französisch französische französischen deutsch deutsche deutschen spanisch spanische spanischen italienisch italienische latein übersetze übersetzen "
    "übersetzung bedeutet inglés francés alemán español italiano portugués traduce traduzca significa inglese francese tedesco spagnolo traduci";

constexpr double kEnough = 1.5;     // words' lead that tells a text
constexpr double kOfAllWords = 0.5;  // where each word is of the language
constexpr double kShare = 0.2;      // of a longer text's words, at least
constexpr std::size_t kLonger = 10;
constexpr std::size_t kLoneWord = 5;  // letters of one that tells by itself
constexpr double kLetter = 0.7;     // of the language alone, in a word that is in no list
constexpr int kLettersOfWord = 5;   // of another script that count: its words may have no blanks between them
constexpr char32_t kOtherScripts = 0x0370;  // Greek and what comes behind it
constexpr char32_t kPunctuation = 0x2000, kMoreLetters = 0x2C00;  // between them are signs

using Votes = std::map<std::string, std::set<Language>, std::less<>>;
const Votes& votes() {
    static const Votes all = [] {
        Votes out;
        for (const Row& row : kRows)
            for (const std::string& word : base::split(row.words, ' ')) out[word].insert(row.language);
        return out;
    }();
    return all;
}

struct Letter {
    char32_t c = base::no_char;
    int length = 1;
};
Letter letter_at(std::string_view text, std::size_t at) {
    Letter out;
    out.c = base::decode_utf8(text, at, out.length);
    return out;
}
bool is_class(char32_t c, unsigned of) { return c != base::no_char && (base::classes(c) & of) != 0; }

// Without lines that quote, and without words in capitals that do not begin a sentence: names.
std::string without_names(std::string_view text) {
    std::string out;
    bool in_word = false, begins = true, named = false;  // begins: a sentence may begin here
    for (std::size_t at = 0; at < text.size();) {
        if ((at == 0 || text[at - 1] == '\n') && text[at] == '>') {
            at = std::min(text.find('\n', at), text.size());
            continue;
        }
        const Letter letter = letter_at(text, at);
        const bool of_word = is_class(letter.c, base::letter | base::number | base::mark);
        if (of_word && !in_word) {
            const Letter next = letter_at(text, std::min(at + std::size_t(letter.length), text.size()));
            named = !begins && is_class(letter.c, base::upper_case) && at + std::size_t(letter.length) < text.size() && is_class(next.c, base::letter);
        }
        if (of_word) begins = false;
        else if (letter.c == U'\n' || letter.c == U'.' || letter.c == U'!' || letter.c == U'?' || letter.c == U':') begins = true;
        // What joins the parts of a word goes with it.
        const bool joins = in_word && (letter.c == U'\'' || letter.c == U'’' || letter.c == U'-');
        in_word = of_word || joins;
        if (!in_word) named = false;
        if (!named) out += text.substr(at, std::size_t(letter.length));
        at += std::size_t(letter.length);
    }
    return out;
}

bool all_in_capitals(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Letter letter = letter_at(text, at);
        if (is_class(letter.c, base::lower_case)) return false;
        at += std::size_t(letter.length);
    }
    return true;
}

class Count {
public:
    explicit Count(std::string_view text) {
        for (const Word& word : words_of(all_in_capitals(text) ? std::string(text) : without_names(text))) {
            if (word.named || word.text.empty()) continue;
            if (votes().contains(word.text)) add(word.text);
            else
                for (const std::string& part : base::split(word.text, '-')) add(part);
        }
        if (text.find("¿") != std::string_view::npos || text.find("¡") != std::string_view::npos) points_[Language::spanish] += 1;
    }

    Leaning leaning() const {
        Leaning out;
        double most = 0, second = 0;
        for (const auto& [language, points] : points_) {
            if (points > most) second = std::exchange(most, points), out.language = language;
            else second = std::max(second, points);
        }
        out.lead = most - second;
        return out;
    }

    bool tells(const Leaning& leaning) const {
        if (leaning.language == Language::none) return false;
        const double points = points_.at(leaning.language);
        if (words_ > kLonger && points < kShare * double(words_)) return false;
        if (leaning.lead >= kEnough) return true;
        const auto of_it = words_of_.find(leaning.language);
        const bool each = of_it != words_of_.end() && of_it->second == words_;
        return each && leaning.lead >= kOfAllWords && (words_ > 1 || bytes_ >= kLoneWord);
    }

private:
    void add(const std::string& word) {
        ++words_;
        bytes_ += word.size();
        if (const auto found = votes().find(word); found != votes().end()) {
            for (const Language language : found->second) points_[language] += 1.0 / double(found->second.size()), ++words_of_[language];
            return;
        }
        int foreign = 0;
        for (std::size_t at = 0; at < word.size();) {
            const Letter letter = letter_at(word, at);
            const std::string_view spelt = std::string_view(word).substr(at, std::size_t(letter.length));
            for (const Row& row : kRows)
                if (letter.length > 1 && row.letters.find(spelt) != std::string_view::npos) points_[row.language] += kLetter;
            const bool script = letter.c >= kOtherScripts && letter.c != base::no_char && (letter.c < kPunctuation || letter.c >= kMoreLetters);
            if (script && foreign++ < kLettersOfWord) points_[Language::other] += kLetter;
            at += std::size_t(letter.length);
        }
    }

    std::map<Language, double> points_;
    std::map<Language, std::size_t> words_of_;
    std::size_t words_ = 0, bytes_ = 0;
};

// Up to what it is about: "Proofread this: …".
std::string_view first_part(std::string_view text) {
    const auto from = text.find_first_not_of(" \t\r\n");
    if (from == std::string_view::npos) return text;
    text.remove_prefix(from);
    std::size_t end = text.find('\n');
    for (const std::string_view mark : {": ", ":\n", " :"}) end = std::min(end, text.find(mark));
    return text.substr(0, end);
}

const Row* row_of(Language language) {
    const auto found = std::find_if(kRows.begin(), kRows.end(), [&](const Row& row) { return row.language == language; });
    return found == kRows.end() ? nullptr : &*found;
}

}  // namespace

Leaning leaning_of(std::string_view text) { return Count(text).leaning(); }

Language language_of(std::string_view text) {
    const Count count(text);
    const Leaning leaning = count.leaning();
    return count.tells(leaning) ? leaning.language : Language::none;
}

Language language_to_answer(std::string_view request) {
    static const auto parts = base::split(kNamed, ' ');
    static const std::set<std::string, std::less<>> named(parts.begin(), parts.end());
    const Language told = language_of(first_part(request));
    if (told == Language::other || told == Language::none) return Language::none;
    const std::string_view own = row_of(told)->own;  // "jetzt bitte auf Deutsch" changes nothing
    for (const Word& word : words_of(request))
        if (named.contains(word.text) && word.text != own) return Language::none;
    return told;
}

std::string_view name(Language language) {
    const Row* const row = row_of(language);
    return row ? row->name : std::string_view();
}

std::optional<base::Language> spoken(Language language) {
    switch (language) {
        case Language::english: return base::Language::english;
        case Language::french: return base::Language::french;
        case Language::german: return base::Language::german;
        case Language::spanish: return base::Language::spanish;
        case Language::italian: return base::Language::italian;
        case Language::none: case Language::other: return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace agents::reply
