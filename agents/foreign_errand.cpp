#include "agents/foreign_errand.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "agents/when.h"
#include "base/split.h"

namespace agents {
namespace {

using base::Language;

constexpr std::size_t kMostOfReminder = 400;  // bytes: what is longer says more than one thing
constexpr std::size_t kMostOfTime = 12;       // words

// What its words are in the English of agents/when; of several that fit the longest counts. '#': an hour of the day.
struct TimeWords {
    std::string_view said, english;
};
// Phrases stand apart by bars.
struct Tongue {
    Language language;
    std::string_view openings;   // that ask for a reminder
    std::string_view questions;  // the same as a question, for one that is none
    std::string_view verb;       // that such a question ends with; empty: it has it in front
    std::string_view courtesies;
    std::string_view links;      // between the asking and what it is of
    std::string_view to_do;      // those of them behind which stands what is to be done
    std::string_view asks;       // what begins so asks for an answer
    std::vector<TimeWords> times;
};

const std::vector<Tongue>& tongues() {
    // clang-format off
    static const std::vector<Tongue> all = {
        {Language::german, "erinnere mich|erinner mich|erinnern sie mich|erinnere uns|stell mir eine erinnerung|stelle mir eine erinnerung|setz eine erinnerung|setze eine erinnerung|mach mir eine erinnerung", "kannst du mich|könntest du mich|können sie mich|könnten sie mich|würdest du mich",
         "erinnern", "bitte|hallo|hi|hearth|ok|danke|danke schön", "daran|dran|an|ans|für|dass|zum|zur", "daran|dran|an|ans|dass", "wie|was|wann|wo|warum|wer|welche|welcher|welches|ob|wem|wen|woran|wieso",
         {{"heute", "today"}, {"heute früh", "this morning"}, {"heute morgen", "this morning"}, {"heute nachmittag", "this afternoon"}, {"heute abend", "this evening"}, {"heute nacht", "tonight"}, {"morgen", "tomorrow"}, {"morgen früh", "tomorrow morning"}, {"morgen vormittag", "tomorrow morning"},
          {"morgen mittag", "tomorrow at noon"}, {"morgen nachmittag", "tomorrow afternoon"}, {"morgen abend", "tomorrow evening"}, {"übermorgen", "the day after tomorrow"}, {"am morgen", "in the morning"}, {"morgens", "in the morning"}, {"vormittags", "in the morning"}, {"am nachmittag", "in the afternoon"},
          {"nachmittags", "in the afternoon"}, {"am abend", "in the evening"}, {"abends", "in the evening"}, {"früh", "in the morning"}, {"mittags", "at noon"}, {"um mitternacht", "at midnight"}, {"jeden morgen", "every morning"}, {"jeden mittag", "every day at noon"}, {"jeden nachmittag", "every afternoon"},
          {"jeden abend", "every evening"}, {"jeden tag", "every day"}, {"täglich", "every day"}, {"jeden zweiten tag", "every other day"}, {"jede woche", "every week"}, {"wöchentlich", "every week"}, {"jeden monat", "every month"}, {"jede stunde", "every hour"}, {"stündlich", "every hour"}, {"werktags", "every weekday"},
          {"jeden werktag", "every weekday"}, {"am wochenende", "every weekend"}, {"jeden", "every"}, {"jede", "every"}, {"jedes", "every"}, {"alle", "every"}, {"um", "at"}, {"gegen", "at"}, {"am", "on"}, {"in", "in"}, {"und", "and"}, {"nächsten", "next"}, {"kommenden", "next"}, {"montag", "monday"}, {"dienstag", "tuesday"},
          {"mittwoch", "wednesday"}, {"donnerstag", "thursday"}, {"freitag", "friday"}, {"samstag", "saturday"}, {"sonnabend", "saturday"}, {"sonntag", "sunday"}, {"montags", "every monday"}, {"dienstags", "every tuesday"}, {"mittwochs", "every wednesday"}, {"donnerstags", "every thursday"}, {"freitags", "every friday"},
          {"samstags", "every saturday"}, {"sonntags", "every sunday"}, {"minute", "minute"}, {"minuten", "minutes"}, {"stunde", "hour"}, {"stunden", "hours"}, {"einer halben stunde", "half an hour"}, {"anderthalb stunden", "an hour and a half"}, {"eineinhalb stunden", "an hour and a half"}, {"tag", "day"}, {"tage", "days"},
          {"tagen", "days"}, {"woche", "week"}, {"wochen", "weeks"}, {"einer", "one"}, {"einem", "one"}, {"eine", "one"}, {"ein", "one"}, {"zwei", "2"}, {"drei", "3"}, {"vier", "4"}, {"fünf", "5"}, {"sechs", "6"}, {"sieben", "7"}, {"acht", "8"}, {"neun", "9"}, {"zehn", "10"}, {"elf", "11"}, {"zwölf", "12"}, {"fünfzehn", "15"},
          {"zwanzig", "20"}, {"dreißig", "30"}, {"januar", "january"}, {"februar", "february"}, {"märz", "march"}, {"april", "april"}, {"mai", "may"}, {"juni", "june"}, {"juli", "july"}, {"august", "august"}, {"september", "september"}, {"oktober", "october"}, {"november", "november"}, {"dezember", "december"}}},
        {Language::spanish, "recuérdame|recuerdame|recuérdeme|recuerdeme|recuérdanos|avísame|avisame|pon un recordatorio|ponme un recordatorio|crea un recordatorio|añade un recordatorio", "puedes recordarme|podrías recordarme|puede recordarme|podría recordarme|me recuerdas|me puedes recordar", "",
         "por favor|hola|hearth|ok|gracias|muchas gracias", "que|de|para|a|al|sobre", "que|para|de", "qué|cómo|cuándo|dónde|quién|cuál|cuánto|cuántos|si",
         {{"hoy", "today"}, {"esta mañana", "this morning"}, {"esta tarde", "this afternoon"}, {"esta noche", "this evening"}, {"mañana", "tomorrow"}, {"mañana por la mañana", "tomorrow morning"}, {"mañana por la tarde", "tomorrow afternoon"}, {"mañana por la noche", "tomorrow evening"}, {"mañana a mediodía", "tomorrow at noon"},
          {"pasado mañana", "the day after tomorrow"}, {"por la mañana", "in the morning"}, {"de la mañana", "in the morning"}, {"por la tarde", "in the afternoon"}, {"de la tarde", "in the afternoon"}, {"por la noche", "in the evening"}, {"de la noche", "in the evening"}, {"al mediodía", "at noon"}, {"a mediodía", "at noon"},
          {"a medianoche", "at midnight"}, {"todas las mañanas", "every morning"}, {"cada mañana", "every morning"}, {"todas las tardes", "every afternoon"}, {"todas las noches", "every evening"}, {"cada noche", "every evening"}, {"todos los días", "every day"}, {"cada día", "every day"}, {"cada dos días", "every other day"},
          {"todas las semanas", "every week"}, {"cada semana", "every week"}, {"cada mes", "every month"}, {"todos los meses", "every month"}, {"cada hora", "every hour"}, {"entre semana", "every weekday"}, {"los fines de semana", "every weekend"}, {"cada", "every"}, {"todos los", "every"}, {"los", "every"}, {"el", "on"},
          {"a las", "at"}, {"a la", "at"}, {"sobre las", "at"}, {"en", "in"}, {"dentro de", "in"}, {"y", "and"}, {"próximo", "next"}, {"lunes", "monday"}, {"martes", "tuesday"}, {"miércoles", "wednesday"}, {"jueves", "thursday"}, {"viernes", "friday"}, {"sábado", "saturday"}, {"sábados", "saturday"}, {"domingo", "sunday"},
          {"domingos", "sunday"}, {"minuto", "minute"}, {"minutos", "minutes"}, {"hora", "hour"}, {"horas", "hours"}, {"media hora", "half an hour"}, {"una hora y media", "an hour and a half"}, {"día", "day"}, {"días", "days"}, {"semana", "week"}, {"semanas", "weeks"}, {"un", "one"}, {"una", "one"}, {"dos", "2"}, {"tres", "3"},
          {"cuatro", "4"}, {"cinco", "5"}, {"seis", "6"}, {"siete", "7"}, {"ocho", "8"}, {"nueve", "9"}, {"diez", "10"}, {"once", "11"}, {"doce", "12"}, {"quince", "15"}, {"veinte", "20"}, {"treinta", "30"}, {"de enero", "january"}, {"de febrero", "february"}, {"de marzo", "march"}, {"de abril", "april"}, {"de mayo", "may"},
          {"de junio", "june"}, {"de julio", "july"}, {"de agosto", "august"}, {"de septiembre", "september"}, {"de octubre", "october"}, {"de noviembre", "november"}, {"de diciembre", "december"}}},
        {Language::italian, "ricordami|ricordaci|mi ricordi|imposta un promemoria|crea un promemoria|metti un promemoria|aggiungi un promemoria", "puoi ricordarmi|potresti ricordarmi|può ricordarmi|potrebbe ricordarmi|mi puoi ricordare", "", "per favore|per piacere|ciao|hearth|ok|grazie|grazie mille",
         "di|che|per|del|della|il|a", "di|che|per", "che cosa|cosa|come|quando|dove|chi|perché|quale|quali|quanto|se",
         {{"oggi", "today"}, {"stamattina", "this morning"}, {"oggi pomeriggio", "this afternoon"}, {"stasera", "this evening"}, {"stanotte", "tonight"}, {"domani", "tomorrow"}, {"domani mattina", "tomorrow morning"}, {"domani pomeriggio", "tomorrow afternoon"}, {"domani sera", "tomorrow evening"},
          {"dopodomani", "the day after tomorrow"}, {"di mattina", "in the morning"}, {"del mattino", "in the morning"}, {"di pomeriggio", "in the afternoon"}, {"del pomeriggio", "in the afternoon"}, {"di sera", "in the evening"}, {"la sera", "in the evening"}, {"a mezzogiorno", "at noon"}, {"a mezzanotte", "at midnight"},
          {"ogni mattina", "every morning"}, {"ogni pomeriggio", "every afternoon"}, {"ogni sera", "every evening"}, {"ogni giorno", "every day"}, {"tutti i giorni", "every day"}, {"ogni due giorni", "every other day"}, {"ogni settimana", "every week"}, {"ogni mese", "every month"}, {"ogni ora", "every hour"},
          {"nei giorni feriali", "every weekday"}, {"ogni", "every"}, {"tutti i", "every"}, {"alle ore", "at"}, {"alle", "at"}, {"verso le", "at"}, {"all'una", "at 01:00"}, {"tra", "in"}, {"fra", "in"}, {"e", "and"}, {"il", "on"}, {"prossimo", "next"}, {"lunedì", "monday"}, {"martedì", "tuesday"}, {"mercoledì", "wednesday"},
          {"giovedì", "thursday"}, {"venerdì", "friday"}, {"sabato", "saturday"}, {"domenica", "sunday"}, {"minuto", "minute"}, {"minuti", "minutes"}, {"ora", "hour"}, {"un'ora", "one hour"}, {"un'ora e mezza", "an hour and a half"}, {"mezz'ora", "half an hour"}, {"mezzora", "half an hour"}, {"ore", "hours"}, {"giorno", "day"},
          {"giorni", "days"}, {"settimana", "week"}, {"settimane", "weeks"}, {"un", "one"}, {"una", "one"}, {"due", "2"}, {"tre", "3"}, {"quattro", "4"}, {"cinque", "5"}, {"sei", "6"}, {"sette", "7"}, {"otto", "8"}, {"nove", "9"}, {"dieci", "10"}, {"undici", "11"}, {"dodici", "12"}, {"quindici", "15"}, {"venti", "20"},
          {"trenta", "30"}, {"gennaio", "january"}, {"febbraio", "february"}, {"marzo", "march"}, {"aprile", "april"}, {"maggio", "may"}, {"giugno", "june"}, {"luglio", "july"}, {"agosto", "august"}, {"settembre", "september"}, {"ottobre", "october"}, {"novembre", "november"}, {"dicembre", "december"}}},
    };
    // clang-format on
    return all;
}

struct SaidWord {
    std::string said;   // as it stands there
    std::string plain;  // in small letters, without marks around it
    bool ends = false;  // the sentence
};

std::string small_letters(std::string_view text) {
    std::string out = folded_small(text);
    for (const std::string_view mark : {"¿", "¡"})
        for (std::size_t at; (at = out.find(mark)) != out.npos;) out.erase(at, mark.size());
    return out;
}

std::vector<SaidWord> words_said(std::string_view message) {
    std::vector<SaidWord> out;
    for (std::string& one : base::split(message, ' ')) {
        std::string plain = small_letters(one);
        const std::size_t end = plain.find_last_not_of(".,;:!?");
        const std::string marks = end == plain.npos ? plain : plain.substr(end + 1);
        plain.resize(end == plain.npos ? 0 : end + 1);
        const bool number = !plain.empty() && std::isdigit(static_cast<unsigned char>(plain.back()));  // "am 3. März"
        if (plain.empty() && !out.empty()) out.back().ends |= marks.find_first_of(".!?") != marks.npos;
        else if (!plain.empty()) out.push_back({std::move(one), std::move(plain), marks.find_first_of(number ? "!?" : ".!?") != marks.npos});
    }
    return out;
}

using ForeignWords = std::vector<SaidWord>;

// How many words from `at` on the phrase takes; 0: it is not there.
std::size_t phrase_at(const ForeignWords& words, std::size_t at, std::string_view phrase) {
    std::size_t taken = 0;
    for (std::size_t from = 0; from <= phrase.size(); ++taken) {
        const std::size_t end = std::min(phrase.find(' ', from), phrase.size());
        if (at + taken >= words.size() || words[at + taken].plain != phrase.substr(from, end - from) || (words[at + taken].ends && end < phrase.size())) return 0;
        from = end + 1;
    }
    return taken;
}

std::size_t one_of_at(const ForeignWords& words, std::size_t at, std::string_view phrases) {
    std::size_t longest = 0;
    for (std::size_t from = 0; from <= phrases.size();) {
        const std::size_t end = std::min(phrases.find('|', from), phrases.size());
        longest = std::max(longest, phrase_at(words, at, phrases.substr(from, end - from)));
        from = end + 1;
    }
    return longest;
}

struct Heard {
    std::string english;
    std::size_t words = 0;  // 0: they are none of a time
};

std::optional<int> number_in(const Tongue& tongue, const std::string& word) {
    std::string digits = word;
    for (const TimeWords& one : tongue.times)
        if (one.said == word && std::isdigit(static_cast<unsigned char>(one.english[0]))) digits = one.english;
    if (word == "una" || word == "ein" || word == "eins") digits = "1";
    const bool all = !digits.empty() && digits.size() <= 2 && std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); });
    return all ? std::optional(std::stoi(digits)) : std::nullopt;
}

// "8", "8 uhr 30", "halb acht", "las 8 y media", "8 e un quarto": behind words that an hour follows.
Heard hear_clock(const Tongue& tongue, const ForeignWords& words, std::size_t at) {
    std::size_t used = 0;
    int shift = 0;
    for (const auto& [phrase, minutes] : {std::pair{"halb", -30}, {"viertel nach", 15}, {"viertel vor", -15}})
        if (const std::size_t taken = phrase_at(words, at, phrase); taken > 0 && tongue.language == Language::german) used = taken, shift = minutes;
    if (at + used >= words.size()) return {};
    const std::string& word = words[at + used].plain;
    std::optional<int> hour = number_in(tongue, word), minute = 0;
    if (const std::size_t mark = word.find_first_of(":.h"); mark != word.npos && std::isdigit(static_cast<unsigned char>(word[0]))) {
        hour = number_in(tongue, word.substr(0, mark));
        minute = mark + 1 == word.size() ? std::optional(0) : number_in(tongue, word.substr(mark + 1));
    }
    if (!hour || !minute || *hour > 24 || *minute > 59) return {};
    ++used;
    if (one_of_at(words, at + used, "uhr|h") > 0) {
        ++used;
        const auto more = at + used < words.size() ? number_in(tongue, words[at + used].plain) : std::nullopt;
        if (more && *more < 60) minute = *more, ++used;
    }
    for (const auto& [phrase, minutes] : {std::pair{"y media", 30}, {"y cuarto", 15}, {"menos cuarto", -15}, {"e mezza", 30}, {"e mezzo", 30}, {"e un quarto", 15}, {"meno un quarto", -15}})
        if (const std::size_t taken = phrase_at(words, at + used, phrase); taken > 0) used += taken, shift = minutes;
    const int since = (*hour * 60 + *minute + shift + 24 * 60) % (24 * 60);
    return {clock_text(since / 60, since % 60), used};
}

// All words from `from` to `to` as a time; empty: they are none that agents/when reads.
std::string time_said(const Tongue& tongue, const ForeignWords& words, std::size_t from, std::size_t to) {
    const ForeignWords all(words.begin() + std::ptrdiff_t(from), words.begin() + std::ptrdiff_t(to));
    std::string out;
    bool told = false;  // something beside prepositions
    for (std::size_t at = 0; at < all.size();) {
        const bool behind_hour_word = out.ends_with(" at") || out == "at";
        const bool spelled = one_of_at(all, at + 1, "uhr|h") > 0 || all[at].plain.find(':') != std::string::npos;
        Heard heard = behind_hour_word || spelled ? hear_clock(tongue, all, at) : Heard{};
        if (heard.words > 0 && !behind_hour_word) heard.english = "at " + heard.english;
        for (const TimeWords& one : tongue.times)
            if (const std::size_t taken = phrase_at(all, at, one.said); taken > heard.words) heard = {std::string(one.english), taken};
        const bool digits = std::all_of(all[at].plain.begin(), all[at].plain.end(), [](unsigned char c) { return std::isdigit(c); });
        if (heard.words == 0 && digits) heard = {all[at].plain, 1};
        if (heard.words == 0) return {};
        told |= heard.english != "in" && heard.english != "at" && heard.english != "on" && heard.english != "every" && heard.english != "and" && heard.english != "one";
        out += (out.empty() ? "" : " ") + heard.english;
        at += heard.words;
    }
    static const Zone utc = Zone::utc();
    return told && read_when(out, base::TimePoint{}, utc) ? out : std::string();
}

std::string words_between(const ForeignWords& words, std::size_t from, std::size_t to) {
    std::string out;
    for (std::size_t i = from; i < to; ++i) out += (out.empty() ? "" : " ") + words[i].said;
    out.resize(out.find_last_not_of(" .,;:!?") + 1);
    return out;
}

struct TimeFound {
    std::size_t from = 0, to = 0;
    std::string english;
};
// The longest time in the words.
TimeFound find_time(const Tongue& tongue, const ForeignWords& words) {
    TimeFound out;
    for (std::size_t from = 0; from < words.size(); ++from)
        for (std::size_t to = std::min(words.size(), from + kMostOfTime); to > from + (out.to - out.from); --to)
            if (std::string english = time_said(tongue, words, from, to); !english.empty()) out = {from, to, std::move(english)};
    return out;
}

void drop_courtesies(const Tongue& tongue, ForeignWords& words) {
    for (std::size_t taken; !words.empty() && (taken = one_of_at(words, 0, tongue.courtesies)) > 0;) words.erase(words.begin(), words.begin() + std::ptrdiff_t(taken));
    for (bool more = true; more && !words.empty();) {
        more = false;
        for (const std::string& phrase : base::split(tongue.courtesies, '|')) {
            const std::size_t length = base::split(phrase, ' ').size();
            if (words.size() <= length || phrase_at(words, words.size() - length, phrase) == 0) continue;
            words.resize(words.size() - length);
            more = true;
        }
    }
}

// What is left of it without the words that lead to it; whether one of them leads to what is to be done.
std::string led_to(const Tongue& tongue, const ForeignWords& words, std::size_t from, std::size_t to, bool& to_do) {
    for (; from < to; ++from) {
        const ForeignWords one(words.begin() + std::ptrdiff_t(from), words.begin() + std::ptrdiff_t(from) + 1);
        if (one_of_at(one, 0, tongue.links) == 0) break;
        to_do |= one_of_at(one, 0, tongue.to_do) > 0;
    }
    return words_between(words, from, to);
}

std::optional<Errand> reminder_in(const Tongue& tongue, ForeignWords words) {
    const bool questioned = !words.empty() && words.back().said.ends_with('?');
    drop_courtesies(tongue, words);
    std::size_t opening = one_of_at(words, 0, tongue.openings);
    const bool asked = opening == 0;
    if (asked) opening = one_of_at(words, 0, tongue.questions);
    if (opening == 0 || opening >= words.size() || (questioned && !asked && tongue.language != Language::italian)) return std::nullopt;
    words.erase(words.begin(), words.begin() + std::ptrdiff_t(opening));
    if (asked && !tongue.verb.empty()) {
        const auto verb = std::find_if(words.begin(), words.end(), [&](const SaidWord& one) { return one.plain == tongue.verb; });
        if (verb == words.end()) return std::nullopt;
        words.erase(verb);
    }
    drop_courtesies(tongue, words);
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        if (words[i].ends) return std::nullopt;  // it says more
    const TimeFound when = find_time(tongue, words);
    bool to_do = false;
    const std::string before = led_to(tongue, words, 0, when.from, to_do), behind = led_to(tongue, words, when.to, words.size(), to_do);
    Errand out{Errand::Kind::remind, before + (before.empty() || behind.empty() ? "" : " ") + behind, when.english, to_do, tongue.language, words_between(words, when.from, when.to)};
    const ForeignWords what = words_said(out.text);
    if (what.empty() || one_of_at(what, 0, tongue.asks) > 0 || (out.when.empty() && !to_do)) return std::nullopt;
    return out;
}

}  // namespace

std::optional<Errand> foreign_reminder(std::string_view message) {
    if (message.size() > kMostOfReminder || message.find_first_of("\n`") != message.npos) return std::nullopt;
    const ForeignWords words = words_said(message);
    for (const Tongue& tongue : tongues())
        if (auto out = reminder_in(tongue, words)) return out;
    return std::nullopt;
}

std::optional<std::string> foreign_time_alone(std::string_view message) {
    if (message.size() > kMostOfReminder) return std::nullopt;
    for (const Tongue& tongue : tongues()) {
        ForeignWords words = words_said(message);
        drop_courtesies(tongue, words);
        if (std::string english = words.empty() ? "" : time_said(tongue, words, 0, words.size()); !english.empty()) return english;
    }
    return std::nullopt;
}

}  // namespace agents
