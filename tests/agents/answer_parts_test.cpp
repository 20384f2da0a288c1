// An answer of several parts: its headings, and what the grammar lets through.
#include "agents/answer_parts.h"

#include <gtest/gtest.h>

#include <functional>

#include "text/grammar.h"

namespace agents::testing {
namespace {

tools::CallOutcome done(std::string text) {
    tools::CallOutcome outcome;
    outcome.state = tools::CallState::done;
    outcome.text = std::move(text);
    return outcome;
}

std::string part(const std::string& name, const std::string& arguments) { return part_of({"id", name, arguments}, done("")).heading; }

std::vector<std::string> openings(std::string result) {
    return part_of({"id", "x", "{}"}, done(std::move(result))).openings;
}

// What the answer of these parts accepts.
std::function<bool(const std::string&)> accepts(const std::vector<Part>& parts) {
    auto grammar = text::Grammar::from_ebnf("root ::= answer\n" + rules_of_parts(parts));
    EXPECT_TRUE(grammar) << grammar.error().text();
    return [grammar = std::move(grammar)](const std::string& text) { return (*grammar)->accepts(text); };
}

TEST(AnswerParts, AreHeadedByTheToolAndItsFirstText) {
    EXPECT_EQ(part("list_dir", R"({"path": "."})"), "list_dir .");
    EXPECT_EQ(part("read_file", R"({"offset": 3, "path": "a b.txt"})"), "read_file a b.txt");
    EXPECT_EQ(part("now", "{}"), "now");
    EXPECT_EQ(part("now", "{\"broken"), "now");
    EXPECT_EQ(part("bash", R"({"command": "ls\nwc"})"), "bash ls");
}

TEST(AnswerParts, ALongHeadingIsCutBetweenCharacters) {
    const std::string heading = part("x", "{\"a\": \"" + std::string(77, 'a') + "äöü\"}");
    EXPECT_EQ(heading, "x " + std::string(77, 'a') + "…");
}

TEST(AnswerParts, BeginWithWordsOfTheResult) {
    using Openings = std::vector<std::string>;
    EXPECT_EQ(openings("1\t# Marlin\n2\t\n3\t**Keeps** (all) `minutes` here.\n4\tAnd finds them by date"), (Openings{"Keeps** (all) `minutes", "And finds them"}))
        << "not with the title, which anything may follow";
    EXPECT_EQ(openings("1\t# Marlin\n2\tby date.\n"), (Openings{"Marlin", "by date"})) << "but where there is nothing else";
    EXPECT_EQ(openings("über 3 Größen und Töne"), Openings{"über 3 Größen und"});
    EXPECT_EQ(openings("a b c\nx y z\na b c d\n"), (Openings{"a b c", "x y z"})) << "each once";
    EXPECT_EQ(openings("42\n -- \n"), Openings{}) << "numbers count lines";
    EXPECT_EQ(openings(std::string(101, 'x') + " y z\ny\n"), Openings{"y"}) << "too long";
    std::string long_text;
    for (int i = 0; i < 200; ++i) long_text += "w" + std::to_string(i) + "\n";
    EXPECT_EQ(openings(long_text).size(), 6u);
}

TEST(AnswerParts, OneIsFreeUnlessItsResultIsLong) {
    EXPECT_EQ(rules_of_parts({}), "answer ::= words\n");
    EXPECT_EQ(rules_of_parts({{"list_dir .", {"a"}, false, {}, false}}), rules_of_parts({}));
    EXPECT_TRUE(accepts({{"list_dir .", {"a"}, false, {}, true}})("`list_dir .`: a"));
    for (const std::size_t bytes : {400, 401}) EXPECT_EQ(part_of({"id", "x", "{}"}, done(std::string(bytes, 'x'))).alone, bytes == 401);
}

TEST(AnswerParts, OfAFailureTellWhatFailed) {
    tools::CallOutcome failed;
    failed.text = "Error: \"a.txt\" does not exist";
    const Part told = part_of({"id", "read_file", R"({"path": "a.txt"})"}, failed);
    EXPECT_EQ(told.openings, std::vector<std::string>{"\"a.txt\" does not"});
    EXPECT_TRUE(told.alone);
}

TEST(AnswerParts, EachIsToldOfInOrder) {
    const auto is = accepts({{"read_file x", {}, false, {}, false}, {"grep_files \"a\\b\"", {}, false, {}, false}});
    EXPECT_TRUE(is("`read_file x`: a and b\n- c\n\n`grep_files \"a\\b\"`: nothing"));
    EXPECT_FALSE(is("`read_file x`: a and b")) << "the second part is missing";
    EXPECT_FALSE(is("`read_file x`: \n\n`grep_files \"a\\b\"`: nothing")) << "the first part is empty";
    EXPECT_FALSE(is("`grep_files \"a\\b\"`: nothing\n\n`read_file x`: a and b"));
    EXPECT_FALSE(is("`read_file x`: " + std::string(1000, 'a') + "\n\n`grep_files \"a\\b\"`: nothing")) << "a line without an end";
}

TEST(AnswerParts, BeginWithAWordOfTheirResult) {
    const auto both = accepts({{"read_file a", {}, false, {"Marlin", "b\"c"}, false}, {"now", {}, false, {"Noon"}, false}});
    const auto is = [&](const std::string& first, const std::string& second) { return both("`read_file a`: " + first + "\n\n`now`: " + second); };
    EXPECT_TRUE(is("Marlin keeps\n- minutes", "Noon"));
    EXPECT_TRUE(is("b\"c", "Noon\nor so"));
    EXPECT_FALSE(is("Hearth keeps", "Noon")) << "no word of the result";
    EXPECT_FALSE(is("Marlins", "Noon")) << "not the whole word";
    EXPECT_FALSE(is("Noon", "Marlin")) << "of the other result";
}

TEST(AnswerParts, OfAListingNameOnlyWhatIsThere) {
    tools::CallOutcome listed = done("a.py  12 bytes\nnotes/\nz b\n");
    listed.names = {"a.py", "notes", "z b"};
    const Part listing = part_of({"id", "list_dir", R"({"path": "."})"}, listed);
    EXPECT_EQ(listing, (Part{"list_dir .", {"a.py", "notes", "z b"}, false, {}, false}));
    const auto both = accepts({listing, {"now", {}, false, {}, false}});
    const auto is = [&](const std::string& names) { return both("`list_dir .`: " + names + "\n\n`now`: noon"); };
    for (const char* good : {"a.py, notes and z b.", "a.py, the folder notes/ and z b", "a.py and z b", "- a.py\n- notes/", "a.py\nz b"})
        EXPECT_TRUE(is(good)) << good;
    for (const char* bad : {"client.py", "a.py, client.py", "a.py, z.b", "a.py, notesx", "notes and z b", "a.py, notes, a.py, notes", "nothing", "", "a.py is a file"})
        EXPECT_FALSE(is(bad)) << bad;
}

TEST(AnswerParts, OfALongListingTakeTheFirstNamesAndSayThatThereAreMore) {
    tools::CallOutcome listed = done("");
    listed.names.assign(1000, "x");
    listed.names[0] = std::string(200, 'y');
    const Part part = part_of({"id", "x", "{}"}, listed);
    EXPECT_EQ(part.names, std::vector<std::string>(64, "x")) << "and none that is too long";
    EXPECT_TRUE(accepts({part, part})("`x`: x and x …\n\n`x`: x, x. …"));
    EXPECT_FALSE(accepts({part, part})("`x`: x and x\n\n`x`: x, x."));
}

}  // namespace
}  // namespace agents::testing
