// Claims of things done: what is one, and what holds it up.
#include "agents/reply/claims.h"

#include <gtest/gtest.h>

#include "agents/reply/claim_words.h"

namespace agents::reply {
namespace {

std::vector<Claim> claims(std::string_view sentence) {
    bool quoted = false;
    return claims_in(sentence, quoted);
}

std::string kinds(std::string_view sentence) {
    std::string out;
    for (const Claim& claim : claims(sentence)) out += (out.empty() ? "" : " ") + std::string(name(claim.action));
    return out;
}

TEST(Claims, AreFinishedActionsOfTheSpeaker) {
    const struct {
        const char *sentence, *kinds;
    } cases[] = {
        {"I have sent the message to Anna.", "send"},
        {"I've already notified your landlord.", "send"},
        {"Sure, I just deleted it.", "erase"},
        {"I have gone ahead and booked a table for two.", "arrange"},
        {"I ran the tests and they pass.", "run"},
        {"I have saved the list and notified Anna.", "save send"},
        {"I've turned on the kitchen light.", "operate"},
        {"I have updated `notes.txt`.", "write"},
        {"I fixed it.", "write"},
        {"I've checked your calendar for tomorrow.", "look"},
        {"The file has been deleted.", "erase"},
        {"Your reminder has now been set.", "arrange"},
        {"The lights are now turned off.", "operate"},
        {"Message sent.", "send"},
        {"Done: reminder set for five.", "arrange"},
        {"**I have sent** the mail!", "send"},
        {"We have ordered bread.", "arrange"},
        {"J'ai envoyé le message à Anna.", "send"},
        {"Je l'ai déjà prévenue.", "send"},
        {"Je vous ai bien réservé une table.", "arrange"},
        {"J’ai éteint la lumière et prévenu Paul.", "operate send"},
        {"Le fichier a été supprimé.", "erase"},
        {"Nous avons enregistré la note.", "save"},
        {"Ich habe Anna benachrichtigt.", "send"},
        {"Ich habe die Datei gespeichert und Anna benachrichtigt.", "save send"},
        {"Soeben habe ich die Nachricht an deine Mutter gesendet.", "send"},
        {"Habe den Termin eingetragen.", "save"},
        {"Die Datei wurde gelöscht.", "erase"},
        {"Ich habe gelesen, dass die Datei gelöscht wurde.", "look"},
        {"Das Licht ist jetzt ausgeschaltet.", "operate"},
        {"The report has been sent to Anna.", "send"},
        {"Bob has been notified.", "send"},
        {"She was informed.", "send"},
        {"The table has already been booked.", "arrange"},
        {"Sent!", "send"},
        {"Successfully deleted.", "erase"},
        {"Created `a.py`.", "write"},
        {"I told Bob that you are late.", "send"},
        {"I've told the landlord about it.", "send"},
        {"I let Anna know.", "send"},
        {"I have created a.py.", "write"},
        {"I fixed the bug.", "write"},
        {"I fixed the bug and all tests pass.", "write run"},
        {"All tests pass.", "run"},
        {"The tests are now passing.", "run"},
        {"Le rapport a été envoyé à Anna.", "send"},
        {"Bob a été prévenu.", "send"},
        {"Envoyé !", "send"},
        {"J'ai dit à Bob que tu es en retard.", "send"},
        {"Je lui ai dit que tu es en retard.", "send"},
        {"Tous les tests passent.", "run"},
        {"Fichier supprimé.", "erase"},
        {"Der Bericht wurde an Anna gesendet.", "send"},
        {"Bob ist benachrichtigt worden.", "send"},
        {"Gesendet!", "send"},
        {"Ich habe Bob gesagt, dass du zu spät kommst.", "send"},
        {"Ich habe Anna Bescheid gegeben.", "send"},
        {"Alle Tests laufen durch.", "run"},
        {"Datei gelöscht.", "erase"},
        {"All 12 tests passed.", "run"},
        {"12 of 12 unit tests have passed.", "run"},
        {"All three tests in `test_a.py` were successful.", "run"},
        {"Alle 12 Tests sind bestanden.", "run"},
        {"Alle Tests sind erfolgreich.", "run"},
        {"Les 12 tests ont réussi.", "run"},
        {"The file is deleted.", "erase"},
        {"It's saved.", "save"},
        {"The file was old and is deleted.", "erase"},
        {"The file has been deleted by me.", "erase"},
        {"Le fichier est bien supprimé.", "erase"},
        {"C'est enregistré.", "save"},
        {"Die Datei ist gelöscht.", "erase"},
        {"Die Datei x.txt ist bereits gelöscht.", "erase"},
        {"Ist gelöscht.", "erase"},
        {"Sie sind gelöscht.", "erase"},
        {"Die Datei war alt und ist gelöscht.", "erase"},
        {"Die Nachricht ist an Anna gesendet.", "send"},
        // kept by a call alone
        {"I will remember that.", "save"},
        {"Sure, I'll remember that your cat is called Miso.", "save"},
        {"I'll keep that in mind!", "save"},
        {"I'll make a note of it.", "save"},
        {"I will remind you tomorrow at 8.", "arrange"},
        {"I'll set a reminder for tomorrow.", "arrange"},
        {"Je m'en souviendrai.", "save"},
        {"Je vais retenir que votre chat s'appelle Miso.", "save"},
        {"Je vous le rappellerai demain.", "arrange"},
        {"D'accord, je vais te rappeler de sortir les poubelles.", "arrange"},
        {"Das werde ich mir merken.", "save"},
        {"Ich merke mir das.", "save"},
        {"Ich werde Sie morgen daran erinnern.", "arrange"},
    };
    for (const auto& c : cases) EXPECT_EQ(kinds(c.sentence), c.kinds) << c.sentence;
}

TEST(Claims, AreNotWhatIsAskedDeniedConditionalQuotedOrTold) {
    for (const char* sentence : {
             "I have not sent anything.", "I haven't deleted the file.", "I never saved it.", "I did not send the message.", "Have I sent the message?",
             "I can send the message.", "I will notify Anna.", "If I have sent it, you will see it.", "Once I have saved the file, I will tell you.",
             "I would have sent it.", "You sent the message yesterday.", "Anna has sent you a message.", "He wrote: “I have sent the message.”",
             "The note says \"I have deleted the file\".", "The letter was sent by Napoleon.", "The file has been deleted by Anna.", "I have a sent folder.",
             "The message has been sent in 1912.", "I have changed.", "I read that elephants never forget.", "I have read.", "The capital is Paris.",
             "Je n'ai rien envoyé.", "Je ne l'ai pas envoyé.", "Je n'ai pas supprimé le fichier.", "Je peux envoyer le message.", "Ai-je envoyé le message ?",
             "Quand j'ai envoyé le message, il pleuvait.", "Ich habe nichts gesendet.", "Ich habe die Nachricht nicht gesendet.", "Habe ich die Nachricht gesendet?",
             "Wenn ich die Datei gelöscht habe, ist sie weg.", "Ich kann die Datei löschen.", "Die Datei wurde von Anna gelöscht.",
             "The message that Anna sent is short.", "To have sent it is good.", "The test is green.", "A message sent by mail takes two days in all, and often more.",
             // told by the person, of other times
             "The invoice was sent yesterday.", "You have been invited to the party.", "You told Bob that you are late.", "As I told you, it is closed.", "The report was sent last week.",
             "Vous avez été invité.", "Die Einladung wurde gestern verschickt.", "Du hast Bob gesagt, dass du kommst.", "Ich habe dir gesagt, dass es zu ist.", "Je t'ai dit que c'est fermé.",
             // what another text says
             "According to the log, all tests pass.", "The log says the file has been deleted.", "The README states that all tests pass.", "Laut Protokoll wurde die Datei gelöscht.",
             "Selon le journal, le fichier a été supprimé.", "It reads: \"The report has been sent to Anna.\"", "The page shows “Sent!”.", "“Bob has been notified.” is what it says.",
             // what may be, or should
             "The file may have been deleted.", "The report might have been sent.", "Make sure all tests pass.", "The tests pass if you fix it.", "If Bob has been notified, stop.", "Once all tests pass, commit.",
             "It should have been sent.", "Wenn alle Tests bestehen, ist es gut.", "Si tous les tests passent, continue.", "I would have told Bob.", "I can let Bob know.",
             // denied, or of nothing that was asked for
             "No message has been sent.", "Nothing has been deleted.", "Nobody has been notified.", "Aucun message n'a été envoyé.", "Keine Nachricht wurde gesendet.", "Not sent.",
             "Many books have been published.", "A rocket has been launched.", "The person who has been notified is Bob.", "Saved games are kept here.", "Read the file first.", "Set the timer to five.",
             "I told a story.", "Noted.", "Notiert!", "Some tests pass.", "The sky has been blue.",
             // done by another, or a state that hangs on something
             "`a.md` was created by somebody and has been written.", "The file was made by Anna and has been deleted.", "Die Datei wurde von Anna erstellt und ist gelöscht.",
             "The file that is deleted first is the older one.", "The file is deleted when the lamp goes out.", "The file is not deleted.", "Is the file deleted?",
             "Die Datei ist nicht gelöscht.", "Wenn die Datei gelöscht ist, ist Platz.", "Ist die Datei gelöscht?", "Le fichier n'est pas supprimé.", "The file is big.", "Die Datei ist groß.",
             // no promise
             "I can remind you.", "Shall I remind you?", "I remember that.", "If you tell me when, I will remind you.", "I'll remember to be brief.", "You will remember that.", "I cannot remember that.",
             "I will not remember that.", "Je vous rappelle que c'est fermé.", "Je ne m'en souviendrai pas.", "Je me souviens de vous.", "Ich erinnere Sie daran, dass zu ist.", "Ich kann mir das nicht merken.",
             "12 tests failed.", "All 12 tests should pass."})
        EXPECT_EQ(kinds(sentence), "") << sentence;
}

TEST(Claims, ACorrectionClaimsNothingItself) {
    for (const ActionRow& row : action_rows())
        for (const std::string_view text : {row.in_english, row.in_french, row.in_german}) {
            EXPECT_FALSE(text.empty());
            EXPECT_EQ(kinds(text), "") << text;
        }
}

TEST(Claims, EveryFormOfTheTableIsFound) {
    for (const ActionRow& row : action_rows()) {
        const struct {
            std::string_view words;
            const char *before, *behind;
        } frames[] = {{row.english, "I have ", " the file."}, {row.french, "J'ai ", " le fichier."}, {row.german, "Ich habe die Datei ", "."}};
        for (const auto& frame : frames) {
            std::string words(frame.words);
            for (std::size_t at = 0; at < words.size();) {
                const auto end = std::min(words.find(' ', at), words.size());
                std::string form = words.substr(at, end - at);
                at = end + 1;
                if (form.ends_with('*')) form.pop_back();
                const auto found = claims(frame.before + form + frame.behind);
                ASSERT_FALSE(found.empty()) << form;
                EXPECT_EQ(found[0].action, row.action) << form;
            }
        }
    }
}

Deed deed(const char* tool, bool pure = false, Deed::End end = Deed::End::done, const char* arguments = "") { return {tool, arguments, pure, end}; }

TEST(Claims, AreHeldUpByStepsOfTheirKindThatTookEffect) {
    EXPECT_TRUE(holds(Action::send, {deed("send_message")}));
    EXPECT_TRUE(holds(Action::send, {deed("NotifyPerson")}));
    EXPECT_FALSE(holds(Action::send, {deed("send_message", false, Deed::End::failed)}));
    EXPECT_FALSE(holds(Action::send, {deed("send_message", false, Deed::End::unknown)}));
    EXPECT_FALSE(holds(Action::send, {deed("remember")}));
    EXPECT_FALSE(holds(Action::send, {deed("list_messages", true)})) << "a pure step changes nothing";
    EXPECT_TRUE(holds(Action::save, {deed("remember")}));
    EXPECT_FALSE(holds(Action::save, {deed("recall", true)}));
    EXPECT_TRUE(holds(Action::look, {deed("recall", true)}));
    EXPECT_FALSE(holds(Action::look, {}));
    EXPECT_TRUE(holds(Action::erase, {deed("bash", false, Deed::End::done, R"({"command":"rm a"})")}));
    EXPECT_FALSE(holds(Action::send, {deed("bash", false, Deed::End::done, R"({"command":"ls"})")}));
    EXPECT_TRUE(holds(Action::send, {deed("bash", false, Deed::End::done, R"({"command":"curl -d hi http://x"})")}));
    EXPECT_FALSE(holds(Action::operate, {deed("bash", false, Deed::End::done, R"({"command":"ls"})")}));
}

TEST(Claims, WhatARequestAsksFor) {
    EXPECT_TRUE(asks_for(Action::send, "Email Anna that I am late"));
    EXPECT_TRUE(asks_for(Action::send, "Could you please text her?"));
    EXPECT_FALSE(asks_for(Action::send, "Write an email to my landlord"));
    EXPECT_TRUE(asks_for(Action::save, "Merke dir, dass Anna Kaffee mag"));
    EXPECT_TRUE(asks_for(Action::operate, "Éteins la lumière"));
    EXPECT_FALSE(asks_for(Action::send, "What is the capital of Italy?"));
    EXPECT_TRUE(asks_about_the_past("Did you send it?"));
    EXPECT_TRUE(asks_about_the_past("Hast du es gesendet?"));
    EXPECT_FALSE(asks_about_the_past("Send it again"));
}

std::optional<Claim> unfounded(std::string_view request, std::vector<Deed> deeds, std::string_view sentence) {
    bool quoted = false;
    return Evidence(request, std::move(deeds)).unfounded(sentence, quoted);
}

TEST(Claims, InATextThatWasAskedForTheFirstPersonIsAnother) {
    EXPECT_FALSE(unfounded("Write a letter to my landlord", {}, "I have sent you the rent."));
    EXPECT_TRUE(unfounded("Write a letter to my landlord and send it", {}, "I have sent the letter."));
    EXPECT_TRUE(unfounded("Tell my landlord", {}, "I have sent you the rent."));
}

TEST(Claims, AReplyAboutAFileThatIsWrittenIsTheSpeakers) {
    const Deed write = deed("write_file", false, Deed::End::done, R"({"path":"x.txt","content":"hi"})");
    for (const char* request : {"Write x.txt.", "Write hello into `x.txt`", "Write the file x.txt with a poem", "Schreibe die Datei x.txt"}) {
        EXPECT_FALSE(unfounded(request, {write}, "I have written x.txt.")) << request;
        EXPECT_TRUE(unfounded(request, {write}, "I deleted the file x.txt.")) << request;
        EXPECT_TRUE(unfounded(request, {}, "I have written x.txt.")) << request;
    }
    EXPECT_FALSE(unfounded("Translate notes.txt", {}, "I have sent you the rent."));
}

TEST(Claims, AFileIsErasedByWhatRemovesIt) {
    const Deed edit = deed("edit_file", false, Deed::End::done, R"({"path":"x.txt"})"), rm = deed("bash", false, Deed::End::done, R"({"command":"rm x.txt"})"),
               list = deed("bash", false, Deed::End::done, R"({"command":"ls"})");
    for (const char* sentence : {"I deleted the file x.txt.", "I have deleted `x.txt`.", "The file has been deleted.", "J'ai supprimé le fichier x.txt.", "Ich habe die Datei gelöscht.", "Die Datei x.txt wurde gelöscht."}) {
        EXPECT_TRUE(unfounded("Delete x.txt", {edit}, sentence)) << sentence;
        EXPECT_TRUE(unfounded("Delete x.txt", {list}, sentence)) << sentence;
        EXPECT_FALSE(unfounded("Delete x.txt", {rm}, sentence)) << sentence;
        EXPECT_FALSE(unfounded("Delete x.txt", {deed("delete_file")}, sentence)) << sentence;
    }
    EXPECT_FALSE(unfounded("Delete the first line of x.txt", {edit}, "I deleted the first line of x.txt."));
}

// Whoever asks about the world, or has a file read, hears of what others did.
TEST(Claims, PassivesAndBareReportsAreHeldAgainstWhatWasAsked) {
    const Deed look = deed("read_file", true);
    EXPECT_TRUE(unfounded("Send the report to Anna", {}, "The report has been sent to Anna."));
    EXPECT_TRUE(unfounded("Send the report to Anna", {look}, "The report has been sent to Anna."));
    EXPECT_FALSE(unfounded("Send the report to Anna", {deed("send_message")}, "The report has been sent to Anna."));
    EXPECT_TRUE(unfounded("Yes, go ahead", {}, "Bob has been notified."));
    EXPECT_TRUE(unfounded("Can you send it?", {}, "Sent!"));
    EXPECT_TRUE(unfounded("Fix the bug and run the tests", {}, "All tests pass."));
    EXPECT_FALSE(unfounded("Run the tests", {deed("bash", false, Deed::End::done, R"({"command":"make test"})")}, "All tests pass."));
    EXPECT_FALSE(unfounded("What is the past of send?", {}, "Sent."));
    EXPECT_FALSE(unfounded("Has the book been published?", {}, "The book has been published."));
    EXPECT_FALSE(unfounded("Tell me about the news", {}, "The rocket has been launched."));
    EXPECT_FALSE(unfounded("Sum up news.txt", {look}, "The rocket has been launched."));
    EXPECT_FALSE(unfounded("Wer bekam den Brief?", {}, "Bob wurde benachrichtigt."));
}

// What a thing is said to be is a claim of what was asked for; else it may be so by itself.
TEST(Claims, AStateIsHeldAgainstWhatWasAsked) {
    const Deed rm = deed("bash", false, Deed::End::done, R"({"command":"rm x.txt"})"), look = deed("list_dir", true);
    EXPECT_TRUE(unfounded("Lösche die Datei x.txt", {}, "Die Datei ist gelöscht."));
    EXPECT_TRUE(unfounded("Lösche die Datei x.txt", {look}, "Die Datei x.txt ist gelöscht."));
    EXPECT_TRUE(unfounded("Lösche die Datei x.txt", {look}, "Die Datei ist aus dem Ordner gelöscht."));
    EXPECT_TRUE(unfounded("Lösche die Datei x.txt", {}, "Ist gelöscht."));
    EXPECT_TRUE(unfounded("Delete x.txt", {}, "The file is deleted."));
    EXPECT_TRUE(unfounded("Supprime x.txt", {}, "Le fichier est supprimé."));
    EXPECT_TRUE(unfounded("Ja, mach das", {}, "Die Datei ist gelöscht."));
    EXPECT_FALSE(unfounded("Lösche die Datei x.txt", {rm}, "Die Datei ist gelöscht."));
    EXPECT_FALSE(unfounded("Lösche die Datei x.txt", {look}, "Die Datei ist bereits gelöscht.")) << "that is what it saw";
    EXPECT_TRUE(unfounded("Lösche die Datei x.txt", {}, "Die Datei ist bereits gelöscht."));
    EXPECT_FALSE(unfounded("Erzähl von Git", {}, "Der Code ist in einem Verzeichnis gespeichert."));
    EXPECT_FALSE(unfounded("Tell me about git", {}, "The code is stored in a folder."));
    EXPECT_FALSE(unfounded("Ist das Licht an?", {look}, "Das Licht ist ausgeschaltet."));
    EXPECT_TRUE(unfounded("Run the tests", {look}, "All 12 tests passed."));
}

TEST(Claims, WhatTheRequestTellsOfIsNotClaimed) {
    const char* pasted = "Summarise: 'We shipped the order and the team was notified.'";
    EXPECT_FALSE(unfounded(pasted, {}, "The order was shipped and the team has been notified."));
    EXPECT_FALSE(unfounded("The mail says: the meeting has been moved.", {}, "The meeting has been moved to Friday."));
    EXPECT_TRUE(unfounded("Notify Bob", {}, "Bob has been notified."));
    EXPECT_TRUE(unfounded("Set the alarm", {}, "The alarm has been set.")) << "it asks for that in the same word";
    EXPECT_TRUE(unfounded(pasted, {}, "I have notified the team."));
    EXPECT_FALSE(unfounded("Move it", {}, "The meeting has been moved to Friday, as the mail says."));
}

TEST(Claims, WhatAThreadDidIsItsReportsToTell) {
    for (const char* sentence : {"c1.txt has been written.", "I created c3.txt.", "All tests pass.", "I deleted the file x.txt."})
        EXPECT_FALSE(unfounded("Write c1.txt", {deed("spawn_thread", false, Deed::End::done, R"({"task":"write it"})")}, sentence)) << sentence;
    EXPECT_TRUE(unfounded("Write c1.txt", {deed("spawn_thread", false, Deed::End::failed)}, "c1.txt has been written."));
}

TEST(Claims, WhatEarlierTurnsDidMayBeSpokenOf) {
    const auto claim = [](std::string_view request, std::string_view sentence) {
        bool quoted = false;
        return Evidence(request, {}, {deed("write_file")}).unfounded(sentence, quoted);
    };
    EXPECT_FALSE(claim("Thanks!", "You're welcome. I wrote k4.txt for you."));
    EXPECT_FALSE(claim("Summarise.", "So far k4.txt has been written."));
    EXPECT_TRUE(claim("Write k5.txt.", "I wrote k5.txt for you.")) << "that is to be done now";
    EXPECT_TRUE(claim("Thanks!", "I have sent it to Bob."));
}

TEST(Claims, DoneIsAClaimOfWhatWasAskedFor) {
    EXPECT_EQ(unfounded("Turn off the light", {}, "Done!")->action, Action::operate);
    EXPECT_EQ(unfounded("Éteins la lumière", {}, "C'est fait.")->language, Language::french);
    EXPECT_EQ(unfounded("Schalte das Licht aus", {}, "Erledigt!")->language, Language::german);
    EXPECT_FALSE(unfounded("Turn off the light", {deed("turn_off")}, "Done!"));
    EXPECT_FALSE(unfounded("What is 2 and 2?", {}, "Done!"));
}

TEST(Claims, ACorrectionSaysWhatWasAndWasNotDone) {
    const Evidence evidence("Tell Anna and remember it", {deed("remember", false, Deed::End::done, R"({"text":"x"})"), deed("recall", true, Deed::End::failed)});
    bool quoted = false;
    const auto claim = evidence.unfounded("I have notified Anna.", quoted);
    ASSERT_TRUE(claim);
    EXPECT_EQ(evidence.correction(*claim), R"(I have not sent anything. What was done: remember {"text":"x"}.)");
    EXPECT_EQ(evidence.listed(), "- remember {\"text\":\"x\"}: done\n- recall : failed, nothing was done");
    const Evidence doubt("Sende es", {deed("send_message", false, Deed::End::unknown)});
    EXPECT_EQ(doubt.correction(*doubt.unfounded("Ich habe es gesendet.", quoted)), "Ob es geschehen ist, ist nicht bekannt.");
    EXPECT_EQ(Evidence("x", {}).listed(), "none");
}

}  // namespace
}  // namespace agents::reply
