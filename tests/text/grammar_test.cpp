#include "text/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace text {
namespace {

using ::testing::HasSubstr;

// Printable ASCII one by one, then some longer tokens; 0 ends generation, 1 is a control token.
std::shared_ptr<const Tokenizer> small() {
    Vocabulary v;
    v.pre = "qwen2";
    v.tokens = {"<|end|>", "[CALL]"};
    v.types = {TokenType::control, TokenType::control};
    for (char c = 33; c < 127; ++c) v.tokens.push_back(std::string(1, c));
    for (const char* t : {"Ġ", "Ċ", "{\"", "\":", "\"}", "tru", "true}", "ab", "aba", "\",", "Ã", "©"}) v.tokens.push_back(t);
    v.types.resize(v.tokens.size(), TokenType::normal);
    v.eos = 0;
    return Tokenizer::create(std::move(v)).value();
}

TokenId id_of(const Tokenizer& t, std::string_view bytes) {
    for (TokenId id = 0; id < t.size(); ++id)
        if (t.bytes(id, true) == bytes) return id;
    throw std::runtime_error("no token " + std::string(bytes));
}

struct Fixture {
    std::shared_ptr<const Tokenizer> t = small();
    std::shared_ptr<const TokenTable> table = make_token_table(t);
    std::unique_ptr<GrammarState> start(const std::string& ebnf, std::string trigger = {}) const {
        return GrammarState::create(Grammar::from_ebnf(ebnf).value(), table, std::move(trigger));
    }
    bool accept(GrammarState& s, std::string_view bytes) const { return s.accept(id_of(*t, bytes)); }
    std::vector<std::string> allowed(GrammarState& s) const {
        std::vector<std::uint64_t> bits((std::size_t(t->size()) + 63) / 64, 0x5555);
        std::vector<std::string> out;
        if (!s.mask(bits)) return {"everything"};
        for (TokenId id = 0; id < t->size(); ++id)
            if (bits[std::size_t(id) / 64] >> (id % 64) & 1) out.push_back(t->bytes(id, true));
        return out;
    }
};

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(Grammar, MasksTokensThatSpanRules) {
    const Fixture f;
    const auto s = f.start("root ::= \"{\\\"\" key \"\\\":true}\"\nkey ::= \"ab\" \"a\"?");
    EXPECT_THAT(f.allowed(*s), UnorderedElementsAre("{", "{\""));
    EXPECT_TRUE(f.accept(*s, "{\""));
    EXPECT_THAT(f.allowed(*s), UnorderedElementsAre("a", "ab", "aba"));
    EXPECT_TRUE(f.accept(*s, "ab"));
    EXPECT_THAT(f.allowed(*s), UnorderedElementsAre("a", "\"", "\":"));
    EXPECT_TRUE(f.accept(*s, "\":"));
    EXPECT_FALSE(f.accept(*s, "}"));
    EXPECT_FALSE(s->may_end());
    EXPECT_TRUE(f.accept(*s, "true}"));
    EXPECT_TRUE(s->may_end());
    EXPECT_THAT(f.allowed(*s), ElementsAre("<|end|>"));
}

TEST(Grammar, MasksBytesOfACharacter) {
    const Fixture f;
    const auto s = f.start("root ::= \"é\"");
    EXPECT_THAT(f.allowed(*s), ElementsAre("\xC3"));
    EXPECT_TRUE(f.accept(*s, "\xC3"));
    EXPECT_THAT(f.allowed(*s), ElementsAre("\xA9"));
}

TEST(Grammar, ControlTokensStandForWholeLiteralsOnly) {
    const Fixture f;
    EXPECT_THAT(f.allowed(*f.start("root ::= \"[CALL]\" \"a\"")), UnorderedElementsAre("[", "[CALL]"));
    EXPECT_THAT(f.allowed(*f.start("root ::= \"[CALL]a\"")), UnorderedElementsAre("["));
    EXPECT_THAT(f.allowed(*f.start("root ::= [^a]* \"a\"")), ::testing::Not(::testing::Contains("[CALL]")));
}

TEST(Grammar, ATriggerBindsFromItsEndOn) {
    const Fixture f;
    const auto s = f.start("root ::= \"<t>{\" [0-9] \"}\"", "<t>{");
    for (const char* c : {"x", "<", "<", "t", "z", "<", "t", ">"}) {
        EXPECT_TRUE(f.accept(*s, c));
        EXPECT_TRUE(s->may_end());
    }
    // The token {" would complete the trigger and go on with a quote.
    EXPECT_THAT(f.allowed(*s), ::testing::Not(::testing::Contains("{\"")));
    EXPECT_THAT(f.allowed(*s), ::testing::Contains("{"));
    EXPECT_FALSE(f.accept(*s, "{\""));
    EXPECT_TRUE(f.accept(*s, "{"));
    EXPECT_FALSE(s->may_end());
    EXPECT_EQ(f.allowed(*s).size(), 10u);
    EXPECT_TRUE(f.accept(*s, "7"));
    EXPECT_THAT(f.allowed(*s), ElementsAre("}"));
}

TEST(Grammar, ClonesGoTheirOwnWay) {
    const Fixture f;
    const auto s = f.start("root ::= \"ab\" | \"ba\"");
    const auto copy = s->clone();
    EXPECT_TRUE(f.accept(*s, "ab"));
    EXPECT_TRUE(f.accept(*copy, "b"));
    EXPECT_THAT(f.allowed(*copy), ElementsAre("a"));
    EXPECT_TRUE(s->may_end());
}

TEST(Grammar, RefusesWithThePlaceAndTheReason) {
    const auto why = [](const char* source) { return Grammar::from_ebnf(source).error().text(); };
    EXPECT_THAT(why("root ::= \"a"), HasSubstr("line 1, column 12"));
    EXPECT_THAT(why("root ::= other"), HasSubstr("\"other\" is used and not defined"));
    EXPECT_THAT(why("a ::= \"x\""), HasSubstr("no rule \"root\""));
    EXPECT_THAT(why("root ::= root \"a\" | \"b\""), HasSubstr("left-recursive"));
    EXPECT_THAT(why("root ::= \"a\" b\nb ::= (b \"c\")+ | \"d\""), HasSubstr("line 2: rule \"b\" is left-recursive"));
    EXPECT_THAT(Grammar::from_regex("a(?=b)").error().text(), HasSubstr("(?="));
}

TEST(Grammar, TheRuleThatNeverEndsIsNamedWithItsLineAndWhatItCalls) {
    const std::string list = "root ::= head? list | \"y\" list\nhead ::= \"x\"\n# of lists\nlist ::= \"[\" item+ \"]\"\nitem ::= \"a\" list | (\"b\" list){2}\n";
    const std::tuple<std::string, const char*, const char*> cases[] = {
        {"root ::= \"a\" root", "grammar, line 1: rule \"root\" never ends", "(root → root)"},
        {"root ::= (\"a\" root)+", "grammar, line 1: rule \"root\" never ends", "(root → root)"},
        {list, "grammar, line 4: rule \"list\" never ends", "(list → item → list)"},
        {"root ::= \"a\" b\n\nb ::= \"c\" []", "grammar, line 3: rule \"b\" never ends", "no finite sentence"},
    };
    for (const auto& [source, rule, way] : cases) {
        const auto alone = Grammar::from_ebnf(source), given = Grammar::from_ebnf("\n\nroot ::= \"<\" answer", "answer", {GivenRules::Kind::ebnf, {source}});
        ASSERT_FALSE(alone.ok() || given.ok()) << source;
        EXPECT_THAT(alone.error().text(), AllOf(HasSubstr(rule), HasSubstr(way)));
        EXPECT_EQ(given.error().text(), alone.error().text()) << "lines are the given text's";
    }
    EXPECT_TRUE(Grammar::from_ebnf(list.substr(0, list.size() - 1) + " | \"c\"").ok());
}

TEST(Grammar, RegularExpressionsTakeTheWholeText) {
    const auto g = Grammar::from_regex("^(a|bc){2,3}\\d+$").value();
    for (const char* yes : {"aa1", "bcbca99", "abc0"}) EXPECT_TRUE(g->accepts(yes)) << yes;
    for (const char* no : {"a1", "aaaa1", "aa", "xaa1", "aa1 "}) EXPECT_FALSE(g->accepts(no)) << no;
}

TEST(Grammar, LongChainsOfWhatMayBeLeftOutEndWhereverTheyMay) {
    const auto nothing = Grammar::from_regex("(|a[]{6,}){2202}").value();  // [] is no character
    EXPECT_TRUE(nothing->accepts(""));
    EXPECT_FALSE(nothing->accepts("a"));
    const auto few = Grammar::from_ebnf("root ::= part \".\"\npart ::= (\"a\"? \"b\"?){40}").value();
    for (const char* yes : {".", "a.", "abba.", "bbbbbb."}) EXPECT_TRUE(few->accepts(yes)) << yes;
    for (const char* no : {"", "a", "c.", "a.."}) EXPECT_FALSE(few->accepts(no)) << no;
}

TEST(Grammar, AnyJsonObject) {
    const auto g = Grammar::any_json_object().value();
    for (const char* yes : {"{}", R"({"a": [1, -2.5e3, {"b": null}], "c": "\u00e9\ud83d\ude00"})"}) EXPECT_TRUE(g->accepts(yes)) << yes;
    for (const char* no : {"[]", "1", "{", R"({"a": 01})", R"({"a": "\ud83d"})", R"({"a": 1,})"}) EXPECT_FALSE(g->accepts(no)) << no;
}

TEST(GivenRules, StandForARuleOfAnotherGrammar) {
    using Kind = GivenRules::Kind;
    const std::string around = "root ::= \"<\" answer \">\" | word\nword ::= \"no\"\nroot-1 ::= \"x\"\n";
    const auto in = [&](Kind kind, std::vector<std::string> texts) { return Grammar::from_ebnf(around, "answer", {kind, std::move(texts)}).value(); };
    const auto regex = in(Kind::regex, {"^[a-c]{2}|7$"}), ebnf = in(Kind::ebnf, {"word ::= \"yes\" answer?\nanswer ::= \"!\"\nroot ::= word"}), choice = in(Kind::choice, {"a|b", "\"c\"\n"});
    for (const auto& g : {regex, ebnf, choice}) EXPECT_TRUE(g->accepts("no"));
    EXPECT_TRUE(regex->accepts("<ab>"));
    EXPECT_TRUE(regex->accepts("<7>"));
    EXPECT_FALSE(regex->accepts("<abc>"));
    EXPECT_TRUE(ebnf->accepts("<yes!>")) << "its rules are its own";
    EXPECT_FALSE(ebnf->accepts("<no>"));
    EXPECT_FALSE(ebnf->accepts("yes"));
    EXPECT_TRUE(choice->accepts("<a|b>"));
    EXPECT_TRUE(choice->accepts("<\"c\"\n>"));
    EXPECT_FALSE(choice->accepts("<a>"));
    EXPECT_THAT(Grammar::from_ebnf(around, "answer", {Kind::ebnf, {"root ::= \"a\n  b"}}).error().message, HasSubstr("line 2, column 4"));
    EXPECT_THAT(Grammar::from_ebnf(around, "answer", {Kind::ebnf, {"root ::= other"}}).error().message, HasSubstr("\"other\" is used and not defined"));
    EXPECT_THAT(Grammar::from_ebnf(around, "answer", {Kind::regex, {"a(b"}}).error().message, HasSubstr("at byte "));
    EXPECT_FALSE(Grammar::from_ebnf(around)) << "without them the rule is missing";
}

}  // namespace
}  // namespace text
