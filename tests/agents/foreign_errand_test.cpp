// What is a reminder in German, Spanish and Italian, and when it is due.
#include "agents/foreign_errand.h"

#include <gtest/gtest.h>

#include <string>

namespace {

// "text | when", in the words of agents/when.
std::string reminder(std::string_view message) {
    const auto found = agents::errand_of(message);
    if (!found || found->kind != agents::Errand::Kind::remind) return "-";
    return found->text + " | " + found->when;
}

struct ReminderCase {
    const char *message, *expected;
};

TEST(ForeignErrand, IsReadWithItsTime) {
    for (const ReminderCase& one : {ReminderCase{"Erinnere mich morgen um 8 Uhr daran, Anna anzurufen.", "Anna anzurufen | tomorrow at 08:00"},
                                    {"Bitte erinnere mich in 20 Minuten an die Pizza!", "die Pizza | in 20 minutes"},
                                    {"Kannst du mich jeden Montag um 9 Uhr an den Müll erinnern?", "den Müll | every monday at 09:00"},
                                    {"Erinner mich daran, morgen früh um halb acht Brot zu kaufen", "Brot zu kaufen | tomorrow morning at 07:30"},
                                    {"Erinnere mich am 3. März um 18:30 an Omas Geburtstag", "Omas Geburtstag | on 3 march at 18:30"},
                                    {"Erinnere mich heute um 8 Uhr abends an die Medizin, bitte", "die Medizin | today at 08:00 in the evening"},
                                    {"Recuérdame mañana a las 8 llamar a Ana.", "llamar a Ana | tomorrow at 08:00"},
                                    {"Por favor, recuérdame que saque la basura todos los lunes a las 9 y media", "saque la basura | every monday at 09:30"},
                                    {"¿Puedes recordarme dentro de dos horas apagar el horno?", "apagar el horno | in 2 hours"},
                                    {"Recuérdame el 3 de marzo a las 10 pagar el alquiler", "pagar el alquiler | on 3 march at 10:00"},
                                    {"Ricordami domani alle 8 di chiamare Anna.", "chiamare Anna | tomorrow at 08:00"},
                                    {"Ricordami di buttare la spazzatura ogni lunedì alle 7 e mezza, grazie", "buttare la spazzatura | every monday at 07:30"},
                                    {"Puoi ricordarmi tra mezz'ora di spegnere il forno?", "spegnere il forno | in half an hour"},
                                    {"Ricordami stasera alle 8 le medicine", "le medicine | this evening at 08:00"}})
        EXPECT_EQ(reminder(one.message), one.expected) << one.message;
    EXPECT_EQ(agents::foreign_reminder("Erinnere mich jeden Montag um 9 Uhr an den Müll")->spoken, "jeden Montag um 9 Uhr");
    EXPECT_EQ(agents::foreign_reminder("Ricordami domani alle 8 di chiamare Anna")->language, base::Language::italian);
}

TEST(ForeignErrand, WithoutATimeIsOneWhereItSaysWhatIsToBeDone) {
    EXPECT_EQ(reminder("Erinnere mich daran, Anna anzurufen"), "Anna anzurufen | ");
    EXPECT_EQ(reminder("Ricordami di chiamare Anna"), "chiamare Anna | ");
    EXPECT_EQ(agents::time_alone("Morgen um 8 Uhr, bitte"), "tomorrow at 08:00");
    EXPECT_EQ(agents::time_alone("a las 8"), "at 08:00");
    EXPECT_EQ(agents::time_alone("Bitte nicht"), std::nullopt);
}

TEST(ForeignErrand, IsNoneWhereSomethingElseIsAsked) {
    for (const char* message : {"Erinnerst du dich an Anna?", "Erinnere mich, wie das WLAN heißt", "Kannst du mich morgen um 8 anrufen?", "Recuérdame cómo se llama el vecino", "¿Te acuerdas de Ana?", "Ricordami quando arriva Anna", "Mi ricordi mia nonna",
                                "Erinnere mich morgen um 8 an Anna. Und wie wird das Wetter?", "Er sagte: erinnere mich morgen um 8 an Anna", "Erinnere mich an Montag"})
        EXPECT_EQ(reminder(message), "-") << message;
}

TEST(ForeignErrand, IsSaidInItsLanguageWhenItComes) {
    const auto due = agents::reminder_of(agents::reminder_order("Anna anzurufen", base::Language::german));
    ASSERT_TRUE(due);
    EXPECT_EQ(due->text, "Anna anzurufen");
    EXPECT_EQ(due->language, base::Language::german);
}

}  // namespace
