#include "server/bridges/sayings.h"

#include "base/sayings.h"

namespace server::bridges {
namespace {

// clang-format off
constexpr base::SayingRow<Saying> kRows[] = {
    {Saying::start, {"I am up again, and read what was written meanwhile.",
                     "Je suis de retour, et je lis ce qui a été écrit entre-temps.",
                     "Ich bin wieder da und lese, was inzwischen geschrieben wurde.",
                     "Ya estoy de vuelta y leo lo que se ha escrito mientras tanto.",
                     "Sono di nuovo qui e leggo ciò che è stato scritto nel frattempo."}},
    {Saying::pairing, {"I do not know you yet, and have read nothing of what you wrote. Tell the owner of this house the code {0}: with it I can be allowed to talk with you. It holds for an hour.",
                       "Je ne vous connais pas encore, et je n'ai rien lu de ce que vous avez écrit. Donnez au propriétaire de cette maison le code {0} : avec lui je pourrai être autorisé à parler avec vous. Il vaut une heure.",
                       "Ich kenne Sie noch nicht und habe nichts von dem gelesen, was Sie geschrieben haben. Nennen Sie dem Eigentümer dieses Hauses den Code {0}: damit kann mir erlaubt werden, mit Ihnen zu sprechen. Er gilt eine Stunde.",
                       "Aún no le conozco y no he leído nada de lo que ha escrito. Dígale al dueño de esta casa el código {0}: con él se me puede permitir hablar con usted. Vale una hora.",
                       "Non La conosco ancora e non ho letto nulla di ciò che ha scritto. Dica al proprietario di questa casa il codice {0}: con esso mi può essere permesso di parlare con Lei. Vale un'ora."}},
    {Saying::welcome, {"Now I know you, {0}. Write to me.", "Maintenant je vous connais, {0}. Écrivez-moi.", "Jetzt kenne ich Sie, {0}. Schreiben Sie mir.", "Ahora le conozco, {0}. Escríbame.", "Ora La conosco, {0}. Mi scriva."}},
    {Saying::help, {"I am here, {0}. Write to me as you would to a person. \"stop\" alone stops what I am doing; \"/open\" sends you a link to the dashboard.",
                    "Je suis là, {0}. Écrivez-moi comme à une personne. « stop » seul arrête ce que je fais ; « /open » vous envoie un lien vers le tableau de bord.",
                    "Ich bin da, {0}. Schreiben Sie mir wie einem Menschen. \"stopp\" allein hält an, was ich gerade tue; \"/open\" schickt Ihnen einen Link zum Dashboard.",
                    "Aquí estoy, {0}. Escríbame como a una persona. \"stop\" solo detiene lo que hago; \"/open\" le envía un enlace al panel.",
                    "Sono qui, {0}. Mi scriva come a una persona. \"stop\" da solo ferma ciò che faccio; \"/open\" Le manda un link al pannello."}},
    {Saying::nothing_to_stop, {"Nothing that you asked for here is under way.", "Rien de ce que vous avez demandé ici n'est en cours.", "Nichts, worum Sie hier gebeten haben, ist in Arbeit.",
                               "Nada de lo que ha pedido aquí está en marcha.", "Nulla di ciò che ha chiesto qui è in corso."}},
    {Saying::stopped, {"Stopped: {0}.", "Arrêté : {0}.", "Angehalten: {0}.", "Detenido: {0}.", "Fermato: {0}."}},
    {Saying::still_ending, {"Stopped before, and still ending: {0}.", "Déjà arrêté, et en train de finir : {0}.", "Schon angehalten und noch am Enden: {0}.", "Ya detenido, y aún terminando: {0}.", "Già fermato, e sta ancora finendo: {0}."}},
    {Saying::text_alone, {"So far I read text alone. What you sent ({0}) I cannot read.", "Pour l'instant je ne lis que du texte. Ce que vous avez envoyé ({0}), je ne peux pas le lire.",
                          "Bisher lese ich nur Text. Was Sie geschickt haben ({0}), kann ich nicht lesen.", "Por ahora solo leo texto. Lo que ha enviado ({0}) no puedo leerlo.", "Per ora leggo solo testo. Ciò che ha inviato ({0}) non posso leggerlo."}},
    {Saying::kept_unread, {"What you sent ({0}) is kept as {1}. I cannot read it:", "Ce que vous avez envoyé ({0}) est conservé sous {1}. Je ne peux pas le lire :", "Was Sie geschickt haben ({0}), ist als {1} aufbewahrt. Ich kann es nicht lesen:",
                           "Lo que ha enviado ({0}) se guarda como {1}. No puedo leerlo:", "Ciò che ha inviato ({0}) è conservato come {1}. Non posso leggerlo:"}},
    {Saying::not_kept, {"What you sent ({0}) could not be kept: {1}", "Ce que vous avez envoyé ({0}) n'a pas pu être conservé : {1}", "Was Sie geschickt haben ({0}), konnte nicht aufbewahrt werden: {1}",
                        "Lo que ha enviado ({0}) no se ha podido guardar: {1}", "Ciò che ha inviato ({0}) non ha potuto essere conservato: {1}"}},
    {Saying::refused, {"I could not take that in: {0}", "Je n'ai pas pu prendre cela en compte : {0}", "Das konnte ich nicht annehmen: {0}", "No he podido aceptar eso: {0}", "Non ho potuto accettarlo: {0}"}},
    {Saying::edited_at_work, {"I had begun with {0} before you changed it, and go on with it as it was. Write it again if I am to do it anew; stop ends what I do now.",
                              "J'avais commencé {0} avant que vous ne le changiez, et je continue tel quel. Écrivez-le de nouveau si je dois le refaire ; stop arrête ce que je fais.",
                              "Ich hatte mit {0} begonnen, bevor Sie es geändert haben, und mache damit weiter, wie es war. Schreiben Sie es noch einmal, wenn ich es neu machen soll; stopp beendet, was ich gerade tue.",
                              "Había empezado con {0} antes de que lo cambiara, y sigo con ello como estaba. Escríbalo de nuevo si debo rehacerlo; alto detiene lo que hago ahora.",
                              "Avevo iniziato con {0} prima che lo cambiasse, e continuo com'era. Lo scriva di nuovo se devo rifarlo; ferma interrompe ciò che sto facendo."}},
    {Saying::edited_answered, {"I had answered {0} before you changed it. Write it again if I am to answer it anew.",
                               "J'avais répondu à {0} avant que vous ne le changiez. Écrivez-le de nouveau si je dois y répondre encore.",
                               "Ich hatte {0} beantwortet, bevor Sie es geändert haben. Schreiben Sie es noch einmal, wenn ich es neu beantworten soll.",
                               "Había respondido a {0} antes de que lo cambiara. Escríbalo de nuevo si debo responder otra vez.",
                               "Avevo risposto a {0} prima che lo cambiasse. Lo scriva di nuovo se devo rispondere ancora."}},
    {Saying::may_i, {"May I do this?", "Puis-je faire ceci ?", "Darf ich das tun?", "¿Puedo hacer esto?", "Posso fare questo?"}},
    {Saying::until, {"I wait for your word until {0}. Where you see no buttons, write: allow {1}, or: deny {1}.",
                     "J'attends votre réponse jusqu'à {0}. Si vous ne voyez pas de boutons, écrivez : autoriser {1}, ou : refuser {1}.",
                     "Ich warte auf Ihr Wort bis {0}. Wo Sie keine Knöpfe sehen, schreiben Sie: erlauben {1}, oder: ablehnen {1}.",
                     "Espero su palabra hasta {0}. Si no ve botones, escriba: permitir {1}, o: denegar {1}.",
                     "Aspetto la Sua parola fino a {0}. Se non vede pulsanti, scriva: consenti {1}, oppure: nega {1}."}},
    {Saying::allow_once, {"Allow once", "Autoriser une fois", "Einmal erlauben", "Permitir una vez", "Consenti una volta"}},
    {Saying::deny, {"Deny", "Refuser", "Ablehnen", "Denegar", "Nega"}},
    {Saying::wrong_code, {"I have asked you nothing here that has the code {0}.", "Je ne vous ai rien demandé ici qui ait le code {0}.", "Ich habe Sie hier nichts gefragt, das den Code {0} hat.",
                          "No le he preguntado aquí nada que tenga el código {0}.", "Non Le ho chiesto qui nulla che abbia il codice {0}."}},
    {Saying::many_codes, {"Too many codes that were none. Write the right one in {0} seconds.", "Trop de codes qui n'en étaient pas. Écrivez le bon dans {0} secondes.", "Zu viele Codes, die keine waren. Schreiben Sie den richtigen in {0} Sekunden.",
                          "Demasiados códigos que no lo eran. Escriba el correcto dentro de {0} segundos.", "Troppi codici che non lo erano. Scriva quello giusto fra {0} secondi."}},
    {Saying::link, {"The dashboard, signed in as you: {0}\nGood for once, for a quarter of an hour. Whoever opens it first is signed in: hand it to nobody.",
                    "Le tableau de bord, connecté en votre nom : {0}\nValable une fois, pendant un quart d'heure. Le premier qui l'ouvre est connecté : ne le donnez à personne.",
                    "Das Dashboard, als Sie angemeldet: {0}\nGilt einmal, eine Viertelstunde lang. Wer es zuerst öffnet, ist angemeldet: geben Sie es niemandem.",
                    "El panel, con su sesión iniciada: {0}\nVale una vez, durante un cuarto de hora. Quien lo abra primero entra: no se lo dé a nadie.",
                    "Il pannello, con il Suo accesso: {0}\nVale una volta, per un quarto d'ora. Chi lo apre per primo ha accesso: non lo dia a nessuno."}},
    {Saying::link_before_others, {"Such a link is for you alone, and others read here. Write \"/open\" to me alone.", "Un tel lien n'est que pour vous, et d'autres lisent ici. Écrivez-moi « /open » à moi seul.",
                                  "So ein Link ist nur für Sie, und hier lesen andere mit. Schreiben Sie \"/open\" mir allein.", "Un enlace así es solo para usted, y aquí leen otros. Escríbame \"/open\" a mí solo.",
                                  "Un tale link è solo per Lei, e qui leggono altri. Scriva \"/open\" a me solo."}},
    {Saying::link_unreachable, {"The dashboard is reached only from the machine that I run on: there, \"hearth open\" makes a link. Once server.host and server.public_host name an address in your network, I can send one.",
                                "Le tableau de bord n'est accessible que depuis la machine sur laquelle je tourne : là, « hearth open » fait un lien. Dès que server.host et server.public_host nomment une adresse de votre réseau, je peux en envoyer un.",
                                "Das Dashboard ist nur von der Maschine aus erreichbar, auf der ich laufe: dort macht \"hearth open\" einen Link. Sobald server.host und server.public_host eine Adresse in Ihrem Netz nennen, kann ich einen schicken.",
                                "Al panel solo se llega desde la máquina en la que funciono: allí \"hearth open\" hace un enlace. Cuando server.host y server.public_host nombren una dirección de su red, podré enviar uno.",
                                "Il pannello si raggiunge solo dalla macchina su cui giro: lì \"hearth open\" crea un link. Quando server.host e server.public_host nomineranno un indirizzo della Sua rete, potrò inviarne uno."}},
    {Saying::link_for_guests, {"I send such a link to those who belong to this house. Its owner can make one for you.", "Je n'envoie un tel lien qu'à ceux de cette maison. Son propriétaire peut vous en faire un.",
                               "Einen solchen Link schicke ich nur denen, die zu diesem Haus gehören. Sein Eigentümer kann Ihnen einen machen.", "Solo envío un enlace así a quienes son de esta casa. Su dueño puede hacerle uno.",
                               "Mando un collegamento così solo a chi è di questa casa. Il suo proprietario può farLe uno."}},
    {Saying::allowed, {"Allowed, once", "Autorisé, une fois", "Erlaubt, einmal", "Permitido, una vez", "Consentito, una volta"}},
    {Saying::denied, {"Denied", "Refusé", "Abgelehnt", "Denegado", "Negato"}},
    {Saying::expired, {"Nobody answered in time, so it was not done", "Personne n'a répondu à temps, cela n'a donc pas été fait", "Niemand hat rechtzeitig geantwortet, also wurde es nicht getan",
                       "Nadie respondió a tiempo, así que no se hizo", "Nessuno ha risposto in tempo, quindi non è stato fatto"}},
    {Saying::not_asked_any_more, {"Not asked any more: what wanted it was stopped", "Ce n'est plus demandé : ce qui le voulait a été arrêté", "Nicht mehr gefragt: was es wollte, wurde angehalten",
                                  "Ya no se pregunta: lo que lo quería fue detenido", "Non è più chiesto: ciò che lo voleva è stato fermato"}},
    {Saying::no_word, {"I ended without a word. Ask me again, in other words.", "J'ai fini sans un mot. Redemandez-moi, autrement.", "Ich bin ohne ein Wort zu Ende gekommen. Fragen Sie mich noch einmal, mit anderen Worten.",
                       "He terminado sin una palabra. Pregúnteme otra vez, con otras palabras.", "Ho finito senza una parola. Me lo chieda di nuovo, con altre parole."}},
    {Saying::not_whole, {"I did not get to the end of it. Ask me to go on.", "Je ne suis pas arrivé au bout. Demandez-moi de continuer.", "Ich bin damit nicht zu Ende gekommen. Bitten Sie mich weiterzumachen.",
                         "No he llegado al final. Pídame que siga.", "Non sono arrivato alla fine. Mi chieda di continuare."}},
    {Saying::may_not, {"I may not do that.", "Je n'ai pas le droit de faire cela.", "Das darf ich nicht tun.", "No me está permitido hacer eso.", "Non mi è permesso farlo."}},
    {Saying::no_model, {"No model can answer just now. Ask me again later.", "Aucun modèle ne peut répondre en ce moment. Redemandez-moi plus tard.", "Gerade kann kein Modell antworten. Fragen Sie mich später noch einmal.",
                        "Ningún modelo puede responder ahora. Pregúnteme más tarde.", "Nessun modello può rispondere adesso. Me lo chieda più tardi."}},
    {Saying::unknown_effect, {"I do not know whether it was done. Look, then tell me.", "Je ne sais pas si cela a été fait. Regardez, puis dites-le-moi.", "Ich weiß nicht, ob es getan wurde. Sehen Sie nach und sagen Sie es mir.",
                              "No sé si se hizo. Mire, y dígamelo.", "Non so se è stato fatto. Guardi, poi me lo dica."}},
    {Saying::broke_off, {"That broke off. Ask me again.", "Cela s'est interrompu. Redemandez-moi.", "Das ist abgebrochen. Fragen Sie mich noch einmal.", "Eso se interrumpió. Pregúnteme otra vez.", "Si è interrotto. Me lo chieda di nuovo."}},
};
// clang-format on

static_assert(base::in_order(kRows, Saying::broke_off), "a row for each, in the order of Saying");

}  // namespace

std::string_view saying(Language language, Saying what) { return base::in(language, kRows[std::size_t(what)].in); }

std::string said(Language language, Saying what, const std::string& first, const std::string& second) { return base::filled(saying(language, what), {first, second}); }

}  // namespace server::bridges
