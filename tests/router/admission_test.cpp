#include "router/admission.h"

#include <gtest/gtest.h>

namespace router {
namespace {

ExecutionClass class_of(std::string_view text) { return admit({.text = text}).execution; }

TEST(Admission, ByTable) {
    const struct {
        const char* text;
        ExecutionClass expected;
    } cases[] = {
        {"Hello!", ExecutionClass::fast},
        {"Remind me every morning to water the plants.", ExecutionClass::normal},
        {"What is the capital of France?", ExecutionClass::fast},
        {"Danke dir, das war alles.", ExecutionClass::fast},
        {"Which files are in this folder?", ExecutionClass::normal},
        {"Merke dir: die Mülltonne kommt am Dienstag raus.", ExecutionClass::normal},
        {"What is in notes/plan.txt", ExecutionClass::normal},
        {"Write a friendly letter to the neighbours about the noise of the drum kit in the garage on Sundays.",
         ExecutionClass::normal},
        {"Compare heat pumps with gas boilers for our house and explain step by step which is cheaper.",
         ExecutionClass::heavy},
        {"Why is it so? And how? And when? Plan it.", ExecutionClass::heavy},
    };
    for (const auto& c : cases) EXPECT_EQ(name(class_of(c.text)), name(c.expected)) << c.text;
}

TEST(Admission, SeesWhatOnlyToolsCanTell) {
    for (const char* text : {"What does notes.txt say?", "run it", "where is load_seeds", "src/a", "Use `ls`", "Lis ce fichier", "What is in .config?", "What does '.profile' say?", "What does the README say?"})
        EXPECT_TRUE(admit({.text = text}).outside) << text;
    for (const char* text : {"Who wrote Faust?", "Tell me a joke.", "Hello. How are you?", "Hm ... so what?", "Was ist ein Stern?", "What does the word recursive mean?"})
        EXPECT_FALSE(admit({.text = text}).outside) << text;
}

TEST(Admission, EveryVerdictHasAReason) {
    for (const char* text : {"", "hi", "read my file", "analyse and compare"})
        EXPECT_FALSE(admit({.text = text}).reasons.empty()) << text;
}

TEST(Admission, ALongDocumentIsHeavyAndDoesNotTakeLong) {
    const std::string text(100000, 'a');
    EXPECT_EQ(class_of(text), ExecutionClass::heavy);
}

TEST(Admission, ToolsOfTheClientAreNeverAnsweredInOneCall) {
    EXPECT_NE(admit({.text = "hi", .has_client_tools = true}).execution, ExecutionClass::fast);
}

}  // namespace
}  // namespace router
