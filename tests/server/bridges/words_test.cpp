#include "server/bridges/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/bridges/enclosures.h"

using namespace server::bridges;

namespace {

store::Run ended(const char* status, const char* answer) {
    store::Run run;
    run.status = status;
    run.turn = {{"answer", answer}};
    return run;
}

}  // namespace

TEST(BridgeWords, AnEndIsToldByItsAnswerElseByItsState) {
    EXPECT_EQ(end_words(Language::english, ended("answered", "At ten.")), "At ten.");
    EXPECT_EQ(end_words(Language::english, ended("partial", "At ten, and")), "At ten, and") << "what there is says itself how far it came";
    EXPECT_THAT(end_words(Language::english, ended("no_backend", " \n")), testing::HasSubstr("No model"));
    for (const char* half : {"", "At ten, and"}) EXPECT_EQ(end_words(Language::english, ended("cancelled", half)), "") << "whoever stopped it knows";
    for (const char* state : {"answered", "partial", "refused", "unknown_effect", "failed", "a state of the future"}) EXPECT_NE(end_words(Language::english, ended(state, "")), "") << state;
    store::Run bare;
    bare.status = "failed";
    EXPECT_NE(end_words(Language::english, bare), "");
}

TEST(BridgeWords, AQuestionShowsTheCallWordForWordAndWhatCameOfIt) {
    store::Approval asked{{}, {{}, "call", "send_mail", {{"to", "Ann\u202e"}}, "people_ask", "It touches other people."}};
    asked.decided_by = "Clara";
    EXPECT_THAT(question_words(Language::english, asked, agents::Zone::utc()), testing::HasSubstr(R"(send_mail {"to":"Ann\u202e"})")) << "what turns the text around is shown";
    asked.request.reason = "send_mail needs a person's approval: It touches other people.";
    EXPECT_THAT(question_words(Language::italian, asked, agents::Zone::utc()), testing::HasSubstr("send_mail ha bisogno dell'approvazione di una persona: Riguarda altre persone.\n"));
    asked.expires = base::TimePoint(std::chrono::seconds(1782900000));  // 2026-07-01T10:00:00Z
    EXPECT_THAT(question_words(Language::english, asked, agents::Zone::find("Europe/Paris").value()), testing::HasSubstr("until 2026-07-01 12:00.")) << "by the household's clock";
    using State = store::Approval::State;
    for (const auto& [state, words] : {std::pair{State::granted, "Allowed, once (Clara)."}, {State::used, "Allowed, once (Clara)."}, {State::denied, "Denied (Clara)."}, {State::expired, "Nobody answered in time, so it was not done."}}) {
        asked.state = state;
        EXPECT_THAT(decided_words(Language::english, asked), testing::EndsWith(words));
    }
    asked.state = State::open;
    asked.decided_by = "";
    EXPECT_THAT(decided_words(Language::english, asked), testing::EndsWith("was stopped."));
}

TEST(BridgeWords, AStopSaysWhatStopped) {
    EXPECT_EQ(stopped_words(Language::english, {"Water the garden"}, {}), "Stopped: “Water the garden”.");
    EXPECT_EQ(stopped_words(Language::english, {"one\ntwo", std::string(100, 'x')}, {}), "Stopped: “one…”, “" + std::string(80, 'x') + "…”.");
    EXPECT_EQ(stopped_words(Language::english, {}, {"Water the garden"}), "Stopped before, and still ending: “Water the garden”.");
    EXPECT_EQ(stopped_words(Language::english, {"one"}, {"two"}), "Stopped: “one”. Stopped before, and still ending: “two”.");
    EXPECT_THAT(stopped_words(Language::english, {}, {}), testing::HasSubstr("Nothing"));
}

TEST(BridgeWords, WhatIsAnsweredIsQuotedLineByLine) {
    Arrival arrival;
    EXPECT_EQ(quoted_words(arrival), "");
    arrival.sender = "42";
    arrival.quoted = {"one\ntwo", "42", "Clara", "7", "", {}};
    EXPECT_EQ(quoted_words(arrival), "[This answers an earlier message of mine:]\n> one\n> two");
    arrival.quoted.sender = "43";
    EXPECT_THAT(quoted_words(arrival), testing::StartsWith("[This answers what Clara wrote:]"));
    arrival.quoted.text = std::string(3000, 'x');
    EXPECT_THAT(quoted_words(arrival), testing::EndsWith("x…"));
    EXPECT_LT(quoted_words(arrival).size(), 2100u);
    EXPECT_NE(edited_words(Language::english, "water it", true), edited_words(Language::english, "water it", false));
}

TEST(BridgeWords, WhatWasForwardedIsAnothers) {
    Arrival arrival;
    arrival.text = "Open the door.\nNow.";
    EXPECT_EQ(forwarded_words(arrival), "[This was forwarded, and is what somebody wrote:]\n> Open the door.\n> Now.");
    arrival.author = "Mallory";
    EXPECT_THAT(forwarded_words(arrival), testing::StartsWith("[This was forwarded, and is what Mallory wrote:]"));
}

TEST(BridgeWords, WhatOthersAskedInAGroupIsQuotedWithWhoAsked) {
    EXPECT_EQ(group_words({}), "");
    EXPECT_EQ(group_words({{"Dora", "Which film?\nTonight", "One of two: Heat, or Alien."}}), "[Meanwhile in this group:]\n> Dora: Which film?\n> Tonight\n> You: One of two: Heat, or Alien.");
    EXPECT_LT(group_words({{"Dora", std::string(5000, 'x'), std::string(5000, 'y')}}).size(), 1100u);
}

TEST(BridgeWords, WhatWordsCanTellIsQuoted) {
    EXPECT_EQ(told_words("contact", "Bob, +49 1", false), "[contact that came with this message:]\n> Bob, +49 1");
    EXPECT_EQ(told_words("poll", "Pizza?\n- yes", true), "[poll that this answers:]\n> Pizza?\n> - yes");
    EXPECT_THAT(told_words("poll", std::string(9000, 'x'), false), testing::EndsWith("x…"));
}

TEST(BridgeWords, WhatCannotBeReadIsNamed) {
    EXPECT_EQ(unread_words("photo", {}, ""), "[photo came with this message; it cannot be read]");
    const ArrivedFile notes{"id", "notes.txt", "text/plain", 5};
    EXPECT_EQ(unread_words("document", notes, "it is no text"), "[document “notes.txt” came with this message; it cannot be read: it is no text]");
    EXPECT_EQ(file_words("document", notes, "milk", false), "[What stands in the document “notes.txt”:]\nmilk");
    EXPECT_EQ(file_words("document", notes, "mi", true), "[What stands at the beginning of the document “notes.txt”, whose rest is too long to be shown here:]\nmi");
    EXPECT_EQ(shown_name("document", notes), "“notes.txt”");
    EXPECT_EQ(shown_name("file", {}), "file");
    EXPECT_EQ(kept_words("document", notes, "0190", "it is a PDF"), "[document “notes.txt” came with this message, to be kept as 0190; it cannot be read: it is a PDF]");
    for (const ArrivedFile& file : {notes, ArrivedFile{"id", "a", "application/pdf", 5}, ArrivedFile{"id", "a.docx", "application/octet-stream", 5}, ArrivedFile{"id", "A.PDF", "", 5}}) EXPECT_TRUE(is_readable("document", file)) << file.type;
    EXPECT_FALSE(is_readable("voice", {"id", "", "", 5}));
    for (const ArrivedFile& file : {ArrivedFile{"", "a", "text/plain", 5}, ArrivedFile{"id", "a", "application/zip", 5}, ArrivedFile{"id", "a", "", 5}}) EXPECT_FALSE(is_readable("document", file)) << file.type;
}
