#include "agents/reply/claim_words.h"

namespace agents::reply {

const std::vector<ActionRow>& action_rows() {
    static const std::vector<ActionRow> rows = {
        {Action::send, "send",
         "sent emailed e-mailed mailed messaged texted notified informed alerted forwarded contacted replied submitted published posted invited shared",
         "envoyé envoyée envoyés envoyées notifié notifiée prévenu prévenue informé informée averti avertie transmis transmise transféré transférée "
         "publié publiée partagé partagée contacté contactée invité invitée",
         "gesendet geschickt versendet versandt gesandt verschickt abgeschickt abgesendet gemailt benachrichtigt informiert weitergeleitet kontaktiert "
         "veröffentlicht gepostet eingeladen verständigt",
         "send sending email* e-mail* mail* message* text* notify tell inform alert* forward contact* reply* submit publish post* invite share* let* "
         "envoie envoyer envoyez envoies préviens prévenir prévenez informe informer informez notifie notifier avertis avertir dis* transmets transmettre "
         "transfère publie partage contacte invite sende senden schick schicke schicken benachrichtige benachrichtigen informiere informieren leite* "
         "weiterleiten kontaktiere melde poste* veröffentliche sag* sage*",
         "send message mail email notify notification alert post publish share forward reply invite submit telegram whatsapp sms contact",
         "I have not sent anything.", "Je n'ai rien envoyé.", "Ich habe nichts gesendet."},
        {Action::save, "save",
         "saved stored remembered noted recorded memorised memorized",
         "enregistré enregistrée enregistrés enregistrées sauvegardé sauvegardée noté notée mémorisé mémorisée",
         "gespeichert abgespeichert gemerkt notiert vermerkt eingetragen hinterlegt",
         "save store* remember note* record* memorise memorize keep enregistre enregistrer enregistrez sauvegarde* sauvegarder note* noter mémorise mémoriser "
         "retiens souviens rappelle speichere speichern merk merke merken notiere notieren vermerke trag trage",
         "remember save store write edit note memo create add update record put set insert append",
         "I have not saved anything.", "Je n'ai rien enregistré.", "Ich habe nichts gespeichert."},
        {Action::erase, "erase",
         "deleted erased removed* cleared* cancelled* canceled* unsubscribed uninstalled discarded*",
         "supprimé supprimée supprimés supprimées effacé effacée effacés effacées annulé* annulée* désinstallé retiré*",
         "gelöscht entfernt* storniert abgesagt deinstalliert geleert*",
         "delete erase remove clear* cancel unsubscribe uninstall discard supprime supprimer supprimez efface effacer annule annuler désinstalle retire lösche "
         "löschen lösch entferne entfernen storniere stornieren deinstalliere leere*",
         "delete remove erase clear cancel unsubscribe uninstall forget discard drop purge trash edit write",
         "I have not deleted anything.", "Je n'ai rien supprimé.", "Ich habe nichts gelöscht."},
        {Action::write, "write",
         "created* wrote* written* updated* changed* edited* modified* added* fixed* moved* copied* renamed* replaced* appended* corrected* configured* "
         "uploaded downloaded installed",
         "créé* créée* écrit* écrite* modifié* modifiée* ajouté* ajoutée* corrigé* corrigée* déplacé* déplacée* copié* copiée* renommé* renommée* remplacé* "
         "remplacée* téléchargé téléchargée installé installée",
         "erstellt* angelegt* geschrieben* geändert* bearbeitet* hinzugefügt* verschoben* kopiert* umbenannt* ersetzt* aktualisiert* korrigiert* behoben* "
         "hochgeladen heruntergeladen installiert",
         "create write* update* change* edit modify add fix move copy* rename replace upload download install append correct configure crée créer créez écris* "
         "écrire modifie modifier ajoute ajouter corrige corriger déplace déplacer copie* renomme renommer remplace télécharge installe erstelle erstellen "
         "schreib* schreibe* ändere ändern bearbeite bearbeiten füge hinzufügen verschiebe verschieben kopiere umbenennen ersetze installiere aktualisiere "
         "korrigiere leg* lege*",
         "write edit create update add modify patch move copy rename upload download install save put insert remember set replace append make configure",
         "I have not written or changed anything.", "Je n'ai rien écrit ni modifié.", "Ich habe nichts geschrieben oder geändert."},
        {Action::run, "run",
         "ran* run* executed launched* started* restarted rebooted stopped* tested* built* compiled deployed",
         "exécuté exécutée lancé* lancée* redémarré redémarrée démarré* démarrée* arrêté* arrêtée* testé* compilé* déployé",
         "ausgeführt gestartet* neugestartet gestoppt* getestet* gebaut* kompiliert* bereitgestellt*",
         "run execute launch start* restart reboot stop* test* build* compile deploy exécute exécuter lance lancer redémarre démarre arrête teste* compile "
         "déploie führe ausführen starte starten stoppe teste testen baue kompiliere",
         "run exec execute bash shell python script test build deploy restart start stop launch command job",
         "I have not run anything.", "Je n'ai rien exécuté.", "Ich habe nichts ausgeführt."},
        {Action::arrange, "arrange",
         "scheduled booked reserved ordered purchased bought paid set*",
         "réservé réservée commandé commandée planifié planifiée programmé* programmée* acheté achetée payé payée",
         "gebucht reserviert bestellt eingeplant gekauft bezahlt überwiesen vereinbart gestellt*",
         "schedule* book* reserve order* buy pay* purchase* remind set* plan* réserve réserver commande* commander planifie programme* achète acheter paie "
         "payer rappelle buche buchen reserviere bestelle bestellen plane kaufe kaufen bezahle überweise vereinbare stelle* erinnere",
         "schedule book reserve order buy pay purchase remind reminder alarm timer calendar event appointment reservation set create add transfer",
         "I have not arranged or ordered anything.", "Je n'ai rien réservé ni commandé.", "Ich habe nichts vereinbart oder bestellt."},
        {Action::operate, "operate",
         "turned* switched* locked* unlocked* dimmed* closed* adjusted* activated* deactivated*",
         "allumé allumée allumés allumées éteint éteinte éteints éteintes verrouillé verrouillée déverrouillé fermé* fermée* activé* désactivé* réglé* baissé*",
         "eingeschaltet ausgeschaltet angeschaltet abgeschaltet angemacht ausgemacht verriegelt entriegelt gedimmt geschlossen* aktiviert* deaktiviert* "
         "eingestellt*",
         "turn switch* lock* unlock dim* close* adjust activate deactivate open* allume allumer éteins éteindre verrouille déverrouille ferme* ouvre règle* "
         "active* désactive baisse* schalte schalten mach* mache* verriegle entriegle dimme schließe öffne aktiviere deaktiviere stell* stelle*",
         "turn switch light lights lamp lock unlock open close dim set adjust activate deactivate home device thermostat",
         "I have not switched anything.", "Je n'ai rien allumé, éteint ni réglé.", "Ich habe nichts geschaltet."},
        {Action::look, "look",
         "checked* looked* searched* read* reviewed* scanned* verified* inspected* listed* consulted* browsed* accessed* examined* opened*",
         "vérifié* consulté* lu* cherché* regardé* parcouru* examiné* ouvert* ouverte*",
         "überprüft* geprüft* nachgesehen nachgeschaut gelesen* durchsucht* angesehen* gesucht* geöffnet*",
         "check* look* search read* review* scan verify inspect list* consult browse examine open* find show vérifie vérifier consulte lis cherche regarde "
         "examine ouvre trouve montre überprüfe prüfe lies suche finde zeige schau öffne",
         "", "I have not looked.", "Je n'ai pas regardé.", "Ich habe nicht nachgesehen."},
    };
    return rows;
}

const std::string_view kThings =
    "file files folder folders directory document documents note notes list lists calendar event events appointment appointments meeting meetings reminder "
    "reminders alarm alarms timer timers message messages email emails e-mail e-mails mail mails notification notifications database script scripts command "
    "commands test tests build program light lights lamp lamps thermostat heating door doors window windows lock inbox contact contacts order reservation "
    "setting settings configuration server service backup entry memory logs code project ticket bug bugs typo typos "
    "fichier fichiers dossier dossiers note notes liste listes calendrier agenda événement rendez-vous réunion rappel rappels alarme minuteur message messages "
    "courriel courriels e-mail mail notification script commande commandes test tests programme lumière lumières lampe lampes thermostat chauffage porte portes "
    "fenêtre fenêtres serveur sauvegarde réservation entrée configuration projet code bogue bogues bug "
    "datei dateien ordner verzeichnis dokument dokumente notiz notizen liste listen kalender termin termine besprechung erinnerung erinnerungen wecker timer "
    "nachricht nachrichten e-mail e-mails mail mails benachrichtigung datenbank skript befehl befehle test tests programm licht lichter lampe lampen heizung "
    "thermostat tür türen fenster server dienst sicherung eintrag einstellung einstellungen konfiguration projekt code bestellung reservierung fehler";

const std::string_view kComposing =
    "write draft compose translate rewrite rephrase proofread story poem letter essay song speech dialogue tale pretend imagine roleplay "
    "écris écrire rédige rédiger traduis traduire reformule histoire poème lettre chanson discours imagine "
    "schreib schreibe schreiben verfasse übersetze übersetzen formuliere geschichte gedicht brief lied rede aufsatz";

const std::string_view kConditions =
    "if once when after until unless whether before assuming suppose si quand lorsque lorsqu' après dès avant que wenn falls sobald nachdem bevor ob sofern bis dass";

const std::string_view kPastQuestions = "did have has was were as-tu avez-vous as a-t-il est-ce hast habt haben haben ist wurde wurden";

const std::string_view kAdverbs =
    "just now already also successfully then finally recently both all gone ahead and hereby quickly safely "
    "bien déjà aussi juste maintenant donc tout vous te lui leur y en "
    "schon bereits jetzt nun soeben gerade endgültig wieder";

const std::string_view kOpenings =
    "will shall vais m' me te t' vous en werde mir das dich sie euch i'll we'll i i've we we've have has had been was were is are it's that's they're je j' nous on l' la le les ai avons a ont est sont été c' c'est ich wir ist sind all alles and und et";

const std::string_view kLateOpenings =
    "remember remind keep make set souviendrai retiendrai noterai mémoriserai rappellerai retenir souvenir noter mémoriser rappeler merke merken erinnern "
    "habe hab haben wurde wurden done fait erledigt fertig told know dit gesagt mitgeteilt ausgerichtet bescheid "
    "pass passed passing succeed succeeded successful green passent passé passés réussissent réussi réussis verts liefen durchgelaufen erfolgreich bestehen bestanden laufen grün";

const std::string_view kIrregular = "sent wrote ran bought paid built told let";

const std::string_view kIndefinite =
    "a an any many much more most several some few every each thousands millions one two three what which who whom whose that where there how you you've we i "
    "un une des plusieurs certains certaines beaucoup quelques chaque qui que dont où vous tu "
    "ein eine einer eines viele einige manche mehrere jeder jede jedes welche welcher wer was wo du ihr";

const std::string_view kCounts =
    "all the your of out now unit both two three four five six seven eight nine ten eleven twelve "
    "tous les vos tes deux trois quatre cinq sept huit neuf dix onze douze "
    "alle die deine ihre beide zwei drei vier fünf sechs sieben acht neun zehn elf zwölf";

const std::string_view kDenied =
    "no not none nothing nobody neither never aucun aucune rien personne kein keine keiner keines nichts niemand nie nicht weder";

const std::string_view kModals = "may might could should would must will can cannot shall won't couldn't wouldn't shouldn't to not never";

const std::string_view kHearsay =
    "says said states stated shows showed reported according claims mentions mentioned reportedly apparently "
    "selon dit disent indique indiquent affirme laut sagt sagen steht meldet melden zufolge angeblich make makes ensure ensures sure";

const std::string_view kOtherTimes =
    "yesterday ago last earlier previously originally historically ever often usually always since hier dernier dernière auparavant jadis autrefois souvent depuis "
    "gestern vorgestern letzte letzten letzter letztes früher damals vorher oft immer seit";

const std::string_view kKnowledge =
    "what what's which who who's whom whose when where why how explain describe summarise summarize define "
    "que quel quelle quels quelles qui quand où pourquoi comment combien explique expliquez décris résume "
    "was welche welcher welches wer wem wen wann wo warum wieso wie erkläre erklär beschreibe nenne";

}  // namespace agents::reply
