#include "agents/reply/sentence_gate.h"

#include <gtest/gtest.h>

#include <random>

namespace agents::reply {
namespace {

using Then = SentenceGate::Then;

const char* kFalse = "Hello Anna! I looked around, e.g. here. I have sent the message to Bob. Anything else?";

std::string streamed(SentenceGate& gate, std::string_view text, std::size_t piece) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) out += gate.take(text.substr(at, piece));
    return out + gate.finish();
}

TEST(SentenceGate, AFalseClaimNeverComesThroughHoweverTheTextIsCut) {
    for (std::size_t piece = 1; piece < 90; ++piece) {
        SentenceGate stop(Evidence("Tell Bob", {}), Then::stop);
        EXPECT_EQ(streamed(stop, kFalse, piece), "Hello Anna! I looked around, e.g. here.") << piece;
        ASSERT_TRUE(stop.stopped());
        EXPECT_EQ(stop.caught()[0].sentence, "I have sent the message to Bob.");
        SentenceGate correct(Evidence("Tell Bob", {}), Then::correct);
        EXPECT_EQ(streamed(correct, kFalse, piece), "Hello Anna! I looked around, e.g. here. I have not sent anything. Anything else?") << piece;
    }
}

TEST(SentenceGate, WhatIsTrueComesThroughUnchanged) {
    const std::string text = "I have sent the message. He said: “I have deleted the file.” Good.\n\n```\nI have deleted the file.\n```\n> I have ordered bread.\n    I have ordered bread.\n\nBye";
    for (std::size_t piece = 1; piece < 60; ++piece) {
        SentenceGate gate(Evidence("x", {{"send_message", "", false, Deed::End::done}}), Then::stop);
        EXPECT_EQ(streamed(gate, text, piece), text) << piece;
    }
    SentenceGate gate(Evidence("x", {}), Then::stop);
    EXPECT_EQ(gate.take("One. Two"), "One.");
    EXPECT_EQ(gate.take(" words"), " Two ");
    EXPECT_EQ(gate.take(".\n"), "words.\n");
    EXPECT_EQ(gate.finish(), "");
}

// What a person has read when each word has come.
std::vector<std::string> read_by_word(const std::string& text, const Evidence& evidence, Then then = Then::correct) {
    SentenceGate gate(evidence, then);
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size() - 1) + 1;
        out.push_back(gate.take(text.substr(at, end - at)));
        at = end;
    }
    out.push_back(gate.finish());
    return out;
}

TEST(SentenceGate, WordsInWhichNoClaimBeginsAreNotHeld) {
    using Pieces = std::vector<std::string>;
    const Evidence nothing("Tell Bob", {});
    EXPECT_EQ(read_by_word("one two three", nothing), (Pieces{"one ", "two ", "", "three"}));
    EXPECT_EQ(read_by_word("The sky is blue today.", nothing), (Pieces{"The ", "sky ", "", "is blue ", "", "today."}));
    EXPECT_EQ(read_by_word("I have no idea.", nothing), (Pieces{"", "", "I have no ", "", "idea."}));
    EXPECT_EQ(read_by_word("I have sent it. Bye.", nothing), (Pieces{"", "", "", "I have not sent anything.", "", " Bye."}));
    EXPECT_EQ(read_by_word("The message has been sent.", nothing), (Pieces{"The ", "message ", "", "", "", "– I have not sent anything."}));
    EXPECT_EQ(read_by_word("The message has been sent.", nothing, Then::stop), (Pieces{"The ", "message ", "", "", "", "…"}));
    EXPECT_EQ(read_by_word("Ich habe die Nachricht gesendet.", nothing), (Pieces{"", "", "", "", "", "Ich habe nichts gesendet."}));
}

TEST(SentenceGate, ATextInAnotherLanguageIsStoppedBeforeAWordOfIt) {
    const struct {
        const char* text;
        bool foreign;
    } cases[] = {
        {"I am fine, thank you, and how are you today?", true},
        {"Hello! How can I help you today?", true},
        {"Bonjour ! How can I help you today? What would you like to know of me?", true},
        {"你好，我很好，谢谢你的关心。今天有什么可以帮你的吗？", true},
        {"The answer", false},
        {"Je vais bien, merci, et toi ? The rest is English, and that is that.", false},
        {"« The Lord of the Rings » est un roman. Il est long.", false},
        {"The Lord of the Rings est un roman de Tolkien, et il est très long.", false},
        {"```\nthe name of the file that is to be read by you and me\n```\nC'est tout.", false},
        {"Paris.", false},
        {"42", false},
    };
    for (const auto& c : cases)
        for (std::size_t piece = 1; piece < 30; ++piece) {
            SentenceGate gate(Evidence("x", {}), Then::stop, Language::french);
            EXPECT_EQ(streamed(gate, c.text, piece), c.foreign ? "" : c.text) << piece;
            EXPECT_EQ(gate.foreign(), c.foreign) << c.text << " " << piece;
        }
}

TEST(SentenceGate, OnlyTheBeginningIsHeldForItsLanguage) {
    SentenceGate gate(Evidence("x", {}), Then::stop, Language::french);
    EXPECT_EQ(gate.take("Je suis "), "");
    EXPECT_EQ(gate.take("bien, "), "Je suis ");
    EXPECT_EQ(gate.take("merci "), "bien, merci ");
    SentenceGate wordless(Evidence("x", {}), Then::stop, Language::french);
    EXPECT_EQ(wordless.take(std::string(240, '1')), "");
    EXPECT_EQ(wordless.take(" 1 "), std::string(240, '1') + " 1 ");
}

TEST(SentenceGate, ALongSentenceIsLetGoPiecewise) {
    std::string text = "This";
    while (text.size() < 2000) text += " and so it goes on and on";
    SentenceGate gate(Evidence("x", {}), Then::stop);
    const std::string first = gate.take(text);
    EXPECT_GT(first.size(), 1500u);
    EXPECT_EQ(first + gate.finish(), text);
}

TEST(SentenceGate, TheSameCorrectionIsSaidOnce) {
    EXPECT_EQ(corrected("I sent it. I have sent it again. Bye.", Evidence("Tell Bob", {})), "I have not sent anything. Bye.");
}

// Whatever the pieces: the outcome is that of the whole text, and no false claim is in it.
TEST(SentenceGate, RandomTextsInRandomPieces) {
    const std::vector<std::string> bits = {"I have sent the message", "Ich habe die Datei gelöscht", "J'ai éteint la lumière", ". ", "! ", "\n", "\n\n", ", ", "“", "”", "\"", "`a.txt`", "```\n", "Hello", "> ", "…", " "};
    std::mt19937 random(7);
    for (int run = 0; run < 3000; ++run) {
        std::string text;
        for (int i = 0; i < 12; ++i) text += bits[random() % bits.size()];
        const std::string whole = corrected(text, Evidence("x", {}));
        SentenceGate gate(Evidence("x", {}), Then::correct);
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t piece = 1 + random() % 9;
            out += gate.take(std::string_view(text).substr(at, piece));
            at += piece;
        }
        ASSERT_EQ(out + gate.finish(), whole) << text;
        ASSERT_EQ(corrected(whole, Evidence("x", {})), whole) << text;
    }
}

}  // namespace
}  // namespace agents::reply
