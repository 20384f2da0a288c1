#include "agents/provenance.h"

#include <algorithm>
#include <map>

#include "agents/reply/inert.h"
#include "base/utf8.h"
#include "memory/words.h"
#include "store/facts.h"
#include "store/runs.h"
#include "store/senders.h"

namespace agents {
namespace {

using reply::Language;

struct Asking {
    Language language;
    std::string_view words;
};
// Whole messages: "how do you know if a melon is ripe?" asks for something else.
constexpr Asking kAskings[] = {
    {Language::english, "why do you know this"},
    {Language::english, "why do you know that"},
    {Language::english, "how do you know"},
    {Language::english, "how do you know this"},
    {Language::english, "how do you know that"},
    {Language::english, "how do you know it"},
    {Language::english, "where do you know this from"},
    {Language::english, "where do you know that from"},
    {Language::english, "where did you get this from"},
    {Language::english, "where did you get that from"},
    {Language::english, "who told you this"},
    {Language::english, "who told you that"},
    {Language::french, "pourquoi sais tu ça"},
    {Language::french, "pourquoi sais tu cela"},
    {Language::french, "comment sais tu ça"},
    {Language::french, "comment sais tu cela"},
    {Language::french, "comment le sais tu"},
    {Language::french, "comment le savez vous"},
    {Language::french, "d' où sais tu ça"},
    {Language::french, "d' où le sais tu"},
    {Language::french, "d' où le savez vous"},
    {Language::french, "qui te l' a dit"},
    {Language::french, "qui vous l' a dit"},
    {Language::french, "pourquoi savez vous ça"},
    {Language::french, "pourquoi savez vous cela"},
    {Language::french, "comment savez vous ça"},
    {Language::french, "comment savez vous cela"},
    {Language::french, "comment tu le sais"},
    {Language::french, "comment tu sais ça"},
    {Language::german, "woher weißt du das"},
    {Language::german, "woher wissen sie das"},
    {Language::german, "warum weißt du das"},
    {Language::german, "wer hat dir das gesagt"},
    {Language::german, "wer hat ihnen das gesagt"},
    {Language::german, "warum wissen sie das"},
    {Language::german, "woher weißt du es"},
    {Language::german, "woher hast du das"},
    {Language::german, "wieso weißt du das"},
    {Language::spanish, "por qué sabes esto"},
    {Language::spanish, "por qué sabes eso"},
    {Language::spanish, "por qué lo sabes"},
    {Language::spanish, "cómo lo sabes"},
    {Language::spanish, "cómo lo sabe"},
    {Language::spanish, "cómo sabes esto"},
    {Language::spanish, "cómo sabes eso"},
    {Language::spanish, "de dónde lo sabes"},
    {Language::spanish, "de dónde sabes eso"},
    {Language::spanish, "de dónde has sacado eso"},
    {Language::spanish, "de dónde sacaste eso"},
    {Language::spanish, "quién te lo ha dicho"},
    {Language::spanish, "quién te lo dijo"},
    {Language::spanish, "quién te dijo eso"},
    {Language::italian, "perché lo sai"},
    {Language::italian, "perché sai questo"},
    {Language::italian, "come lo sai"},
    {Language::italian, "come lo sa"},
    {Language::italian, "come fai a saperlo"},
    {Language::italian, "come fa a saperlo"},
    {Language::italian, "come sai questo"},
    {Language::italian, "da dove lo sai"},
    {Language::italian, "da chi lo sai"},
    {Language::italian, "chi te l' ha detto"},
    {Language::italian, "chi te lo ha detto"},
};

struct Words {
    Language language;
    const char *nothing, *intro;
    const char *told, *noted, *document, *said;  // %: the day; of a document, its name
    const char *by, *through, *quoted;           // %: who told it; the channel; the words
};
constexpr Words kWords[] = {
    {Language::english, "I was reminded of nothing for my last answer: it is from this conversation, or from the model alone.", "For my last answer I was reminded of this:", "told on %", "noted on % from a text, not said by you",
     "from the document “%”", "we talked about it on %", " by %", ", through %", ", as “%”"},
    {Language::french, "Rien ne m'a été rappelé pour ma dernière réponse : elle vient de cette conversation, ou du modèle seul.", "Pour ma dernière réponse, ceci m'a été rappelé :", "dit le %",
     "noté le % d'après un texte, pas dit par vous", "du document « % »", "nous en avons parlé le %", " par %", ", par le canal %", " : « % »"},
    {Language::german, "Für meine letzte Antwort wurde mir nichts in Erinnerung gerufen: Sie ist aus diesem Gespräch oder allein aus dem Modell.", "Für meine letzte Antwort wurde mir dies in Erinnerung gerufen:", "gesagt am %",
     "am % aus einem Text notiert, nicht von Ihnen gesagt", "aus dem Dokument „%“", "darüber wurde am % gesprochen", " von %", ", über %", ", als „%“"},
    {Language::spanish, "Para mi última respuesta no se me recordó nada: viene de esta conversación, o solo del modelo.", "Para mi última respuesta se me recordó esto:", "dicho el %", "anotado el % a partir de un texto, no dicho por usted",
     "del documento «%»", "hablamos de ello el %", " por %", ", por el canal %", ", como «%»"},
    {Language::italian, "Per la mia ultima risposta non mi è stato ricordato nulla: viene da questa conversazione, o solo dal modello.", "Per la mia ultima risposta mi è stato ricordato questo:", "detto il %", "annotato il % da un testo, non detto da Lei",
     "dal documento «%»", "ne abbiamo parlato il %", " da %", ", tramite %", ", come «%»"},
};
constexpr std::size_t kQuoteBytes = 160;

const Words& words_in(Language language) {
    return *std::find_if(std::begin(kWords), std::end(kWords), [&](const Words& row) { return row.language == language; });
}

std::string filled(std::string_view pattern, std::string_view value) {
    std::string out(pattern);
    return value.empty() ? std::string() : out.replace(out.find('%'), 1, value);
}

std::string one_line(std::string_view text, std::size_t most) {
    const std::string_view begun = base::beginning(text, most);
    std::string out(begun);
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out + (begun.size() < text.size() ? "…" : "");
}

// Many telephones write none.
std::string without_accents(std::string_view text) {
    std::string out;
    for (const memory::Word& word : memory::words_of(text).all) out += word.surface + " ";
    return out;
}

// As the household counts days.
std::string day_text(const Zone& zone, base::TimePoint t) { return date_text(std::chrono::floor<std::chrono::days>(zone.local(t))); }

std::string day_of(const base::Json& source) { return source.value("told", "").substr(0, 10); }

// The fact whole, so that forgetting it finds this answer.
std::string where_from(store::Tx& tx, const store::FactRecord& known, const Words& words, const Zone& zone) {
    std::string out = "“" + known.fact.body + "”: ";
    if (!known.fact.document.empty()) return out + filled(words.document, one_line(known.fact.document, kQuoteBytes));
    out += filled(known.fact.trusted ? words.told : words.noted, day_text(zone, known.fact.created));
    out += filled(words.by, known.fact.teller) + filled(words.through, store::channel_of_run(tx, known.fact.source));
    const std::string quote = known.sightings.empty() ? "" : one_line(known.sightings.front().quote, kQuoteBytes);
    return out + (quote == known.fact.body ? "" : filled(words.quoted, quote));
}

// Empty: it was forgotten since.
std::string where_from(store::Tx& tx, const base::Json& source, const Words& words, const Zone& zone) {
    if (source.contains("document")) return filled(words.document, one_line(source.value("name", ""), kQuoteBytes));
    if (!source.contains("fact")) return filled(words.said, day_of(source));
    const auto id = base::FactId::parse(source.value("fact", ""));
    const auto known = id ? store::find_fact(tx, *id) : std::nullopt;
    return known ? where_from(tx, *known, words, zone) : "";
}

}  // namespace

std::optional<Language> asks_where_from(std::string_view request) {
    static const std::map<std::string, Language> askings = [] {
        std::map<std::string, Language> out;
        for (const Asking& one : kAskings) out.emplace(without_accents(one.words), one.language);
        return out;
    }();
    std::string said;
    for (const reply::Word& word : reply::words_of(request)) {
        if (word.text.empty()) return std::nullopt;  // something is quoted
        said += word.text + " ";
    }
    const auto found = askings.find(without_accents(said));
    return found == askings.end() ? std::nullopt : std::optional(found->second);
}

void tell_where_from(store::Tx& tx, const Frame& frame, Turn& turn, Language language) {
    const Words& words = words_in(language);
    turn.facts.clear();
    turn.sources = base::Json::array();
    for (const store::Run& run : store::runs_of(tx, frame.conversation)) {
        if (run.id == frame.run || !run.turn.is_object() || run.turn.value("answer", "").empty()) continue;
        turn.facts = run.turn.value("facts", std::vector<std::string>());
        turn.sources = run.turn.value("sources", base::Json::array());
        break;
    }
    const Zone zone = household_clock(frame);
    std::string list;
    for (const base::Json& source : turn.sources)
        if (const std::string line = where_from(tx, source, words, zone); !line.empty()) list += "\n- " + line;
    const std::string told = list.empty() ? words.nothing : words.intro + list;
    turn.answer = turn.label == policy::Integrity::untrusted ? reply::inert(told) : told;
    turn.retells = true;
}

}  // namespace agents
