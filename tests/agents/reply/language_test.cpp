#include "agents/reply/language.h"

#include <gtest/gtest.h>

namespace agents::reply {
namespace {

TEST(Language, OfShortMessages) {
    const struct {
        const char* text;
        Language language;
    } cases[] = {
        {"What time is it?", Language::english},
        {"Turn off the light", Language::english},
        {"Good evening!", Language::english},
        {"Remember that my cat is called Miso", Language::english},
        {"Thanks", Language::english},
        {"How are you?", Language::english},
        {"come on", Language::english},
        {"Quelle heure est-il ?", Language::french},
        {"Bonjour", Language::french},
        {"Comment vas-tu ?", Language::french},
        {"Éteins la lumière s'il te plaît", Language::french},
        {"Où sont mes clés ?", Language::french},
        {"C'est quoi la capitale de l'Italie ?", Language::french},
        {"Merci", Language::french},
        {"Rappelle-moi d'acheter du pain", Language::french},
        {"OÙ SONT MES CLÉS ?", Language::french},
        {"Wie spät ist es?", Language::german},
        {"Schalte bitte das Licht aus", Language::german},
        {"Wo sind meine Schlüssel?", Language::german},
        {"Danke schön", Language::german},
        {"Was ist die Hauptstadt von Italien?", Language::german},
        {"¿Qué hora es?", Language::spanish},
        {"Buenos días", Language::spanish},
        {"Che ore sono?", Language::italian},
        {"Buongiorno, come stai?", Language::italian},
        {"Wat is de hoofdstad van Nederland?", Language::other},
        {"Qual é a capital da França?", Language::other},
        {"Hvad er klokken, og hvor er du?", Language::other},
        {"Как у тебя дела?", Language::other},
        {"今天天气怎么样", Language::other},
    };
    for (const auto& c : cases) EXPECT_EQ(language_of(c.text), c.language) << c.text;
}

TEST(Language, IsNotGuessed) {
    for (const char* text : {"", "42", "ok", "no", "Paris", "notes.txt", "`the and of`", "\"the and of\"", "Hallo", "Die Hard", "Los Angeles", "El Niño", "Les Misérables", "Café Müller", "a la carte", "La La Land",
                             "Add a comment", "hat size", "Star Wars", "git log | grep die", "> le la les des", "Obi-Wan"})
        EXPECT_EQ(language_of(text), Language::none) << text;
    EXPECT_EQ(language_of("Tell me about Les Misérables"), Language::english);
    EXPECT_EQ(language_of("Play Das Boot and Der Himmel by Die Ärzte"), Language::english) << "names do not count";
}

TEST(Language, OfAReplyIsThatOfWhatIsNotQuotedInIt) {
    EXPECT_EQ(language_of("Voici le texte :\n> The house of the friend is in the garden.\n> It is good.\nC'est tout."), Language::french);
    EXPECT_EQ(language_of("Das Programm ist fertig:\n```python\n# the name of the file that is to be read\nfor the in of: pass\n```\n"), Language::german);
}

TEST(Language, ToAnswerInIsThatOfTheRequestAndNotOfWhatItIsAbout) {
    EXPECT_EQ(language_to_answer("Was ist das?"), Language::german);
    EXPECT_EQ(language_to_answer("Can you correct this for me: Je ne sais pas pourquoi il est là"), Language::english);
    EXPECT_EQ(language_to_answer("Proofread: Je ne sais pas pourquoi il est là"), Language::none);
    EXPECT_EQ(language_to_answer("Fasse das bitte für mich zusammen\n\nThe cat is on the mat, and the dog is in the house."), Language::german);
    EXPECT_EQ(language_to_answer("Und jetzt bitte auf Deutsch: Was ist ein See?"), Language::german);
    for (const char* text : {"Say hello in Spanish", "Traduis ceci : the house", "Wie sagt man das auf Französisch?", "What does je ne sais pas mean?", "Qual é a capital da França?"})
        EXPECT_EQ(language_to_answer(text), Language::none) << text;
}

}  // namespace
}  // namespace agents::reply
