#include "agents/sayings.h"

#include "agents/reply/language.h"
#include "base/sayings.h"

namespace agents {
namespace {

// clang-format off
constexpr base::SayingRow<Saying> kSayingRows[] = {
    {Saying::noted, {"I will remember that: {0}.", "C'est retenu : {0}.", "Das merke ich mir: {0}.", "Lo recordaré: {0}.", "Me ne ricorderò: {0}."}},
    {Saying::reminder_set, {"I will remind you on {0}: {1}.", "Je vous le rappellerai le {0} : {1}.", "Ich erinnere Sie am {0}: {1}.", "Se lo recordaré el {0}: {1}.", "Glielo ricorderò il {0}: {1}."}},
    {Saying::reminder_repeats, {"I will remind you ({0}; next on {1}): {2}.", "Je vous le rappellerai ({0} ; la prochaine fois le {1}) : {2}.", "Ich erinnere Sie ({0}; das nächste Mal am {1}): {2}.",
                                "Se lo recordaré ({0}; la próxima vez el {1}): {2}.", "Glielo ricorderò ({0}; la prossima volta il {1}): {2}."}},
    {Saying::when, {"When shall I remind you?", "Quand dois-je vous le rappeler ?", "Wann soll ich Sie erinnern?", "¿Cuándo se lo recuerdo?", "Quando devo ricordarglielo?"}},
    {Saying::reminder, {"Reminder: {0}.", "Rappel : {0}.", "Erinnerung: {0}.", "Recordatorio: {0}.", "Promemoria: {0}."}},
    {Saying::not_done, {"That was not done: {0}", "Cela n'a pas été fait : {0}", "Das wurde nicht getan: {0}", "Eso no se hizo: {0}", "Questo non è stato fatto: {0}"}},
    {Saying::known, {"This is what I know of it: {0}.", "Voici ce que j'en sais : {0}.", "Das weiß ich davon: {0}.", "Esto es lo que sé de ello: {0}.", "Ecco ciò che ne so: {0}."}},
    {Saying::not_known, {"I have no answer to that.", "Je n'ai pas de réponse à cela.", "Darauf habe ich keine Antwort.", "No tengo respuesta a eso.", "Non ho una risposta a questo."}},
    {Saying::cut_before, {"There was not enough time for an answer.", "Le temps n'a pas suffi pour une réponse.", "Die Zeit hat für eine Antwort nicht gereicht.", "No hubo tiempo suficiente para una respuesta.",
                          "Il tempo non è bastato per una risposta."}},
    {Saying::cut_within, {"(There was not enough time for the rest.)", "(Le temps n'a pas suffi pour le reste.)", "(Für den Rest hat die Zeit nicht gereicht.)", "(No hubo tiempo suficiente para el resto.)",
                          "(Il tempo non è bastato per il resto.)"}},
    {Saying::schedule_failed, {"What was scheduled ({0}) did not work: {1}", "Ce qui était prévu ({0}) n'a pas marché : {1}", "Was geplant war ({0}), hat nicht geklappt: {1}", "Lo programado ({0}) no funcionó: {1}",
                               "Ciò che era programmato ({0}) non ha funzionato: {1}"}},
    {Saying::runs_failed, {"A run of {0} has failed (hearth run list).", "Une exécution de {0} a échoué (hearth run list).", "Ein Lauf von {0} ist fehlgeschlagen (hearth run list).",
                           "Una ejecución de {0} ha fallado (hearth run list).", "Un'esecuzione di {0} è fallita (hearth run list)."}},
    {Saying::runs_failed_often, {"{1} runs of {0} have failed on one day (hearth run list).", "{1} exécutions de {0} ont échoué en un jour (hearth run list).", "{1} Läufe von {0} sind an einem Tag fehlgeschlagen (hearth run list).",
                                 "{1} ejecuciones de {0} han fallado en un día (hearth run list).", "{1} esecuzioni di {0} sono fallite in un giorno (hearth run list)."}},
    {Saying::effect_unknown, {"Of the run {0} nobody knows whether it took effect (hearth run show).", "De l'exécution {0}, personne ne sait si elle a eu de l'effet (hearth run show).",
                              "Vom Lauf {0} weiß niemand, ob er gewirkt hat (hearth run show).", "De la ejecución {0} nadie sabe si tuvo efecto (hearth run show).", "Dell'esecuzione {0} nessuno sa se ha avuto effetto (hearth run show)."}},
    {Saying::word_wanted, {"A run waits for your word on {0} (hearth approval list).", "Une exécution attend votre réponse sur {0} (hearth approval list).", "Ein Lauf wartet auf Ihr Wort zu {0} (hearth approval list).",
                           "Una ejecución espera su palabra sobre {0} (hearth approval list).", "Un'esecuzione aspetta la Sua parola su {0} (hearth approval list)."}},
    {Saying::not_delivered, {"A message over {0} did not arrive for sure (hearth outbox list).", "Un message par {0} n'est peut-être pas arrivé (hearth outbox list).",
                             "Eine Nachricht über {0} ist vielleicht nicht angekommen (hearth outbox list).", "Un mensaje por {0} quizá no llegó (hearth outbox list).", "Un messaggio via {0} forse non è arrivato (hearth outbox list)."}},
    {Saying::not_delivered_often, {"{1} messages over {0} did not arrive for sure (hearth outbox list).", "{1} messages par {0} ne sont peut-être pas arrivés (hearth outbox list).",
                                   "{1} Nachrichten über {0} sind vielleicht nicht angekommen (hearth outbox list).", "{1} mensajes por {0} quizá no llegaron (hearth outbox list).",
                                   "{1} messaggi via {0} forse non sono arrivati (hearth outbox list)."}},
    {Saying::schedule_skipped, {"A schedule was skipped (hearth schedule list --all).", "Une tâche prévue a été omise (hearth schedule list --all).", "Etwas Geplantes wurde ausgelassen (hearth schedule list --all).",
                                "Algo programado se omitió (hearth schedule list --all).", "Qualcosa di programmato è stato saltato (hearth schedule list --all)."}},
    {Saying::schedule_skipped_often, {"A schedule was skipped {0} times on one day (hearth schedule list --all).", "Une tâche prévue a été omise {0} fois en un jour (hearth schedule list --all).",
                                      "Etwas Geplantes wurde an einem Tag {0}-mal ausgelassen (hearth schedule list --all).", "Algo programado se omitió {0} veces en un día (hearth schedule list --all).",
                                      "Qualcosa di programmato è stato saltato {0} volte in un giorno (hearth schedule list --all)."}},
    {Saying::schedule_refused, {"A schedule was refused (hearth schedule list --all).", "Une tâche prévue a été refusée (hearth schedule list --all).", "Etwas Geplantes wurde abgelehnt (hearth schedule list --all).",
                                "Algo programado fue denegado (hearth schedule list --all).", "Qualcosa di programmato è stato rifiutato (hearth schedule list --all)."}},
    {Saying::schedule_refused_often, {"A schedule was refused {0} times on one day (hearth schedule list --all).", "Une tâche prévue a été refusée {0} fois en un jour (hearth schedule list --all).",
                                      "Etwas Geplantes wurde an einem Tag {0}-mal abgelehnt (hearth schedule list --all).", "Algo programado fue denegado {0} veces en un día (hearth schedule list --all).",
                                      "Qualcosa di programmato è stato rifiutato {0} volte in un giorno (hearth schedule list --all)."}},
};
// clang-format on

static_assert(base::in_order(kSayingRows, Saying::schedule_refused_often), "a row for each, in the order of Saying");

}  // namespace

std::string said(base::Language language, Saying what, std::initializer_list<std::string_view> places) {
    std::string out = base::filled(base::in(language, kSayingRows[std::size_t(what)].in), places);
    // What is quoted may end a sentence by itself.
    for (std::string_view twice : {"..", "!.", "?."})
        if (out.ends_with(twice)) out.pop_back();
    return out;
}

base::Language language_spoken(std::string_view message) { return reply::spoken(reply::language_to_answer(message)).value_or(base::Language::english); }

}  // namespace agents
