#include "memory/evidence.h"

#include <gtest/gtest.h>

namespace memory {
namespace {

TEST(Evidence, AQuoteStandsInWhatWasSaidWordForWord) {
    const std::string said = "Hi! My dog's name is Rex, by the way. J'habite à Orléans. I'm vegetarian.";
    for (const char* quote : {"my dog's name is Rex", "My dog’s name is REX.", "habite a Orleans", "vegetarian", "by the way j'habite"}) EXPECT_TRUE(quotes(quote, said)) << quote;
    for (const char* quote : {"", "…", "Rex", "my dog is Rex", "my cat's name", "dog name", "vegetarians"}) EXPECT_FALSE(quotes(quote, said)) << quote;
}

struct Claim {
    const char *sentence, *quote, *said;
};

TEST(Evidence, ASentenceClaimsWhatWasSaid) {
    for (const auto& [sentence, quote, said] : {
             Claim{"The person's dog is called Rex.", "my dog's name is Rex", "Hi! My dog's name is Rex."},
             Claim{"Anna was born on 3 May 1984.", "Anna was born on 3 May 1984", "As I said, Anna was born on 3 May 1984."},
             Claim{"La personne habite à Orléans.", "j'habite à Orléans", "Bonjour, j'habite à Orléans."},
             Claim{"The person does not eat meat.", "I don't eat meat", "What shall I cook? I don't eat meat."},
             Claim{"The person has two cats.", "we have two cats", "Today we have two cats, Minou and Felix."}})
        EXPECT_TRUE(supported(sentence, quote, said)) << sentence;
    for (const auto& [sentence, quote, said] : {
             Claim{"The person's dog is called Max.", "my dog's name is Rex", "My dog's name is Rex."},                    // another name
             Claim{"Anna was born on 3 May 1985.", "Anna was born on 3 May 1984", "Anna was born on 3 May 1984."},         // another number
             Claim{"The person eats meat.", "I don't eat meat", "I don't eat meat."},                                      // the contrary
             Claim{"The person is a doctor.", "good morning to you", "good morning to you, is the doctor in?"},             // not of the quote
             Claim{"The person's boat needs expensive repairs before winter.", "I have a boat", "I have a boat."}})        // much that nobody said
        EXPECT_FALSE(supported(sentence, quote, said)) << sentence;
}

TEST(Evidence, ARequestAndAQuestionAreNoStatement) {
    const std::string said = "Thanks! Write a haiku about rain. Our dentist appointment is on 14 January. I don't eat meat. Je suis allergique aux noix. What is the capital of France?";
    for (const char* text : {"Our dentist appointment is on 14 January.", "I don't eat meat.", "Je suis allergique aux noix.", "The person avoids meat."}) EXPECT_TRUE(states(text, said)) << text;
    for (const char* text : {"Thanks!", "Thanks", "", "Write a haiku about rain.", "What is the capital of France?", "Rain!"}) EXPECT_FALSE(states(text, said)) << text;
}

TEST(Evidence, WhatIsKnownSaysTheSameInOtherWords) {
    EXPECT_TRUE(says_all("The dog of the family is called Rex", "The family's dog is called Rex."));
    EXPECT_TRUE(says_all("The person drinks green tea in the morning", "The person drinks tea"));
    EXPECT_FALSE(says_all("The person drinks tea", "The person drinks green tea"));
    EXPECT_FALSE(says_all("The person likes fish", "The person does not like fish"));
}

}  // namespace
}  // namespace memory
