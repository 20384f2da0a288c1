// The text of a run that is told again: what of it is shown.
#include "app/chat_turn.h"

#include <gtest/gtest.h>

namespace app {
namespace {

// Tells a piece as an event does.
std::string tell(ToldOnce& told, const std::string& id, const std::string& piece) {
    const std::string fresh = told.feed(piece);
    told.mark(id);
    return fresh;
}

TEST(ToldOnce, WhatIsToldFromTheBeginningAgainIsNotShownAgain) {
    ToldOnce told;
    EXPECT_EQ(tell(told, "1.1", "First "), "First ");
    EXPECT_EQ(tell(told, "1.2", "second "), "second ");
    told.begin_anew();
    EXPECT_EQ(tell(told, "1.1", "Fir"), "");
    EXPECT_EQ(tell(told, "1.2", "st second third"), "third");
}

TEST(ToldOnce, APartIsToldAgainFromBehindAnEvent) {
    ToldOnce told;
    tell(told, "1.1", "First. ");
    tell(told, "1.4", "Fir");
    tell(told, "1.7", "st again, ");
    told.go_back("1.1");
    EXPECT_EQ(tell(told, "2.1", "First again"), "") << "the same words as those behind the event";
    EXPECT_EQ(tell(told, "2.2", ", and more."), "and more.");
    told.go_back("2.1");
    EXPECT_EQ(tell(told, "3.1", ", and more. End"), " End");
    told.go_back("0.1");
    EXPECT_EQ(tell(told, "4.1", "First. First"), "") << "behind nothing is from the beginning";
}

TEST(ToldOnce, OtherWordsThanBeforeStandOnALineOfTheirOwn) {
    ToldOnce told;
    tell(told, "1.1", "Kept. ");
    tell(told, "1.2", "This was said");
    told.go_back("1.1");
    EXPECT_EQ(tell(told, "2.1", "This "), "");
    EXPECT_EQ(tell(told, "2.2", "is said"), "\nThis is said");
    EXPECT_EQ(tell(told, "2.3", " now"), " now");
    told.begin_anew();
    EXPECT_EQ(tell(told, "2.3", "Kept. This is said now"), "");
}

}  // namespace
}  // namespace app
