// What a grammar forces: the bytes that must come, and the tokens that may be appended for them without asking a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "support/fixtures.h"
#include "support/vocabularies.h"
#include "text/grammar.h"
#include "text/output_parser.h"
#include "walk.h"

namespace text {
namespace {

// A token for each byte, and nothing else but the end: what tokens are allowed is what bytes are.
std::shared_ptr<const Tokenizer> bytes_only() {
    Vocabulary v;
    v.pre = "gpt-2";
    v.tokens = {"<|end|>"};
    v.types = {TokenType::control};
    char32_t spare = 256;  // GPT-2's alphabet
    for (int b = 0; b < 256; ++b) {
        const bool visible = (b >= 33 && b <= 126) || (b >= 161 && b != 173);
        const char32_t c = visible ? char32_t(b) : spare++;
        if (c < 128) v.tokens.push_back(std::string(1, char(c)));
        else v.tokens.push_back({char(0xC0 | c >> 6), char(0x80 | (c & 63))});
    }
    v.types.resize(v.tokens.size(), TokenType::normal);
    v.eos = 0;
    return Tokenizer::create(std::move(v)).value();
}

base::OrderedJson random_schema(std::mt19937& random, int depth = 0) {
    using Json = base::OrderedJson;
    const auto pick = [&](std::size_t n) { return random() % n; };
    static const char* const words[] = {"name", "names", "nation", "id", "größe", "größer", "kind", "value", "a \"b\"", "x_1", "x_2"};
    switch (pick(depth < 3 ? 8 : 6)) {
        case 0: return {{"const", words[pick(11)]}};
        case 1: {
            Json all = Json::array();
            for (std::size_t i = 0, at = pick(11), n = 1 + pick(3); i < n; ++i) all.push_back(words[(at + i) % 11]);
            return {{"enum", all}};
        }
        case 2: return {{"type", "boolean"}};
        case 3: return {{"type", "integer"}, {"minimum", 120}, {"maximum", 120 + int(pick(40))}};
        case 4: return {{"type", "string"}, {"maxLength", pick(5)}};
        case 5: return {{"type", Json::array({"null", "integer"})}};
        case 6: return {{"type", "array"}, {"items", random_schema(random, depth + 1)}, {"minItems", pick(3)}, {"maxItems", 3}};
        default: {
            Json properties = Json::object(), required = Json::array();
            for (std::size_t i = 0, at = pick(11), n = pick(4); i < n; ++i) {
                const char* name = words[(at + i) % 11];
                properties[name] = random_schema(random, depth + 1);
                if (pick(3)) required.push_back(name);
            }
            return {{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}};
        }
    }
}

std::vector<TokenId> allowed_tokens(GrammarState& state, const Tokenizer& tokenizer) {
    std::vector<std::uint64_t> bits((std::size_t(tokenizer.size()) + 63) / 64);
    std::vector<TokenId> out;
    const bool bound = state.mask(bits);
    for (TokenId id = 0; id < tokenizer.size(); ++id)
        if ((!bound || (bits[std::size_t(id) / 64] >> (id % 64) & 1)) && !tokenizer.ends_generation(id)) out.push_back(id);
    return out;
}

std::string text_of(const Tokenizer& tokenizer, std::span<const TokenId> ids) {
    std::string out;
    for (const TokenId id : ids) out += tokenizer.bytes(id, true);
    return out;
}

std::vector<TokenId> copy(std::span<const TokenId> ids) { return {ids.begin(), ids.end()}; }

// Goes on at random until the sentence is complete; the rest of it, or nothing where that takes too long.
std::string rest_of(GrammarState& state, const Tokenizer& tokenizer, std::mt19937& random) {
    std::string out;
    for (int step = 0; step < 400; ++step) {
        const auto allowed = allowed_tokens(state, tokenizer);
        if (state.may_end() && (allowed.empty() || random() % 3 == 0)) return out;
        if (allowed.empty()) break;
        const TokenId id = allowed[random() % allowed.size()];
        state.accept(id);
        out += tokenizer.bytes(id, true);
    }
    return {};
}

TEST(Forced, BytesAreTheOnlyOnesAndNoneIsMissed) {
    const auto tokenizer = bytes_only();
    const auto table = make_token_table(tokenizer);
    std::mt19937 random(11);
    int forced_places = 0, free_places = 0;
    for (int trial = 0; trial < 400; ++trial) {
        const auto schema = random_schema(random);
        SCOPED_TRACE(schema.dump());
        const auto grammar = Grammar::from_json_schema(schema).value();
        const auto state = GrammarState::create(grammar, table);
        for (int step = 0; step < 60; ++step) {
            const std::size_t limit = random() % 3 ? 1000 : random() % 6;
            const std::string forced = state->forced_bytes(limit);
            ASSERT_LE(forced.size(), limit);
            for (const char byte : forced) {
                const auto allowed = allowed_tokens(*state, *tokenizer);
                ASSERT_FALSE(state->may_end());
                ASSERT_EQ(text_of(*tokenizer, allowed), std::string(1, byte));
                ASSERT_TRUE(state->accept(allowed[0]));
                ++forced_places;
            }
            if (forced.size() == limit) continue;
            const auto allowed = allowed_tokens(*state, *tokenizer);
            ASSERT_TRUE(allowed.size() != 1 || state->may_end()) << "only \"" << text_of(*tokenizer, allowed) << "\" may come";
            ASSERT_EQ(state->finished(), allowed.empty() && state->may_end());
            if (allowed.empty()) break;
            ASSERT_TRUE(state->accept(allowed[random() % allowed.size()]));
            ++free_places;
        }
    }
    EXPECT_GT(forced_places, 1000);
    EXPECT_GT(free_places, 100);
}

std::vector<std::shared_ptr<const Tokenizer>> vocabularies() {
    std::vector<std::shared_ptr<const Tokenizer>> out = {words(), bytes_only(), Tokenizer::create(support::read_gguf_vocabulary(support::data_dir() / "models/llama_tied.gguf")).value()};
    if (const auto vectors = support::vectors_dir()) {
        Vocabulary v = support::read_gguf_vocabulary(*vectors / "models/stories260K/stories260Ktok512.gguf");
        v.padding = -1;  // what the file has is no token
        out.push_back(Tokenizer::create(std::move(v)).value());
    }
    return out;
}

// They write forced bytes, change nothing, and are those with which the tokenizer begins the text, however it goes on.
TEST(Forced, TokensAreThoseOfTheWholeText) {
    std::mt19937 random(12);
    for (const auto& tokenizer : vocabularies()) {
        SCOPED_TRACE("vocabulary of " + std::to_string(tokenizer->size()));
        const auto table = make_token_table(tokenizer);
        const bool as_it_is = text_of(*tokenizer, tokenizer->encode("a", false)) == "a";  // else with a space before it
        int tokens = 0, compared = 0;
        for (int trial = 0; trial < 60; ++trial) {
            const auto schema = random_schema(random);
            SCOPED_TRACE(schema.dump());
            const auto grammar = Grammar::from_json_schema(schema).value();
            const auto state = GrammarState::create(grammar, table);
            for (int step = 0; step < 25; ++step) {
                const auto before = allowed_tokens(*state, *tokenizer);
                const auto forced = copy(state->forced());
                ASSERT_EQ(allowed_tokens(*state, *tokenizer), before);
                if (forced.empty()) {
                    ASSERT_TRUE(before.size() != 1 || state->may_end()) << "one token is left";
                    if (before.empty()) break;
                    ASSERT_TRUE(state->accept(before[random() % before.size()]));
                    continue;
                }
                const std::string text = text_of(*tokenizer, forced);
                ASSERT_TRUE(state->forced_bytes(10000).starts_with(text)) << text;
                for (int way = 0; way < 5 && as_it_is; ++way) {
                    const auto on = state->clone();
                    for (const TokenId id : forced) ASSERT_TRUE(on->accept(id));
                    const std::string rest = rest_of(*on, *tokenizer, random);
                    if (rest.empty() && !on->may_end()) continue;
                    auto whole = tokenizer->encode(text + rest, true);
                    whole.resize(std::min(whole.size(), forced.size()));
                    ASSERT_EQ(whole, forced) << text << " and then " << rest;
                    ++compared;
                }
                for (const TokenId id : forced) ASSERT_TRUE(state->accept(id));
                tokens += int(forced.size());
            }
        }
        EXPECT_GT(tokens, 200);
        if (as_it_is) {
            EXPECT_GT(compared, 300);
        }
    }
}

// As a copy says that takes them one after another; it changes nothing, before a trigger and behind it.
TEST(Forced, WhatIsAllowedOfSeveralTokensIsWhatIsTakenOneByOne) {
    std::mt19937 random(13);
    const auto tokenizer = words();
    const auto table = make_token_table(tokenizer);
    int whole = 0, cut = 0;
    for (int trial = 0; trial < 120; ++trial) {
        const auto schema = random_schema(random);
        SCOPED_TRACE(schema.dump());
        const auto grammar = Grammar::from_json_schema(schema).value();
        const auto state = GrammarState::create(grammar, table);
        for (int step = 0; step < 20; ++step) {
            const auto before = allowed_tokens(*state, *tokenizer);
            std::vector<TokenId> ids;
            const auto way = state->clone();
            for (int n = int(random() % 8); n > 0; --n) {
                const auto next = allowed_tokens(*way, *tokenizer);
                ids.push_back(next.empty() || random() % 8 == 0 ? TokenId(random() % std::size_t(tokenizer->size())) : next[random() % next.size()]);
                way->accept(ids.back());
            }
            const auto taking = state->clone();
            std::size_t taken = 0;
            while (taken < ids.size() && !tokenizer->ends_generation(ids[taken]) && taking->accept(ids[taken])) ++taken;
            ASSERT_EQ(state->allowed(ids), int(taken));
            ASSERT_EQ(allowed_tokens(*state, *tokenizer), before);
            (taken == ids.size() ? whole : cut)++;
            if (before.empty()) break;
            ASSERT_TRUE(state->accept(before[random() % before.size()]));
        }
    }
    EXPECT_GT(whole, 100);
    EXPECT_GT(cut, 50);

    const auto bytes = bytes_only();
    const auto triggered = GrammarState::create(Grammar::from_ebnf("root ::= \"<[\" [0-9]+ \"]\"").value(), make_token_table(bytes), "<[");
    for (const TokenId id : bytes->encode("so <", false)) ASSERT_TRUE(triggered->accept(id));
    const auto ids = bytes->encode("[12]x", false);
    for (int again = 0; again < 2; ++again) EXPECT_EQ(triggered->allowed(ids), 4);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(triggered->accept(ids[std::size_t(i)]));
}

// With merges: "red" and "redd" begin alike, so where both may come the word is left to the model.
std::shared_ptr<const Tokenizer> merging() {
    Vocabulary v;
    v.pre = "qwen2";
    v.tokens = {"<|end|>", "<tool>"};
    v.types = {TokenType::control, TokenType::control};
    for (char c = 33; c < 127; ++c) v.tokens.push_back(std::string(1, c));
    v.tokens.push_back("Ġ");
    v.merges = {"r e", "re d", "red d", "n a", "na m", "nam e", "\" :", "Ġ \"", "{ \"", "a b", "b c"};
    for (const char* t : {"re", "red", "redd", "na", "nam", "name", "\":", "Ġ\"", "{\"", "ab", "bc"}) v.tokens.push_back(t);
    v.types.resize(v.tokens.size(), TokenType::normal);
    v.eos = 0;
    return Tokenizer::create(std::move(v)).value();
}

std::vector<std::string> forced_texts(const std::shared_ptr<const Tokenizer>& tokenizer, const std::string& source, const std::string& before = {}) {
    const auto state = GrammarState::create(Grammar::from_ebnf(source).value(), make_token_table(tokenizer));
    for (const TokenId id : tokenizer->encode(before, true))
        if (!state->accept(id)) throw std::runtime_error("refused: " + tokenizer->bytes(id, true));
    std::vector<std::string> out;
    for (const TokenId id : state->forced()) out.push_back(tokenizer->bytes(id, true));
    return out;
}

using Texts = std::vector<std::string>;

TEST(Forced, WhatMayGrowOverTheEndIsLeftToTheModel) {
    const auto t = merging();
    EXPECT_EQ(forced_texts(t, R"(root ::= "{\"name\": \"red\"")"), (Texts{"{\"", "name", "\":", " \"", "red", "\""}));
    EXPECT_EQ(forced_texts(t, R"(root ::= "{\"name\": \"red" ("d" | "o"))"), (Texts{"{\"", "name", "\":", " \""}));
    EXPECT_EQ(forced_texts(t, R"(root ::= "{\"name\": \"red" ("x" | "o"))"), (Texts{"{\"", "name", "\":", " \"", "red"}));
    EXPECT_EQ(forced_texts(t, R"(root ::= "{\"name\": \"" [a-z]+ "\"")"), (Texts{"{\"", "name", "\":", " \""}));
    EXPECT_EQ(forced_texts(t, R"(root ::= "{\"name\":" " "? [0-9]+)"), (Texts{"{\"", "name", "\":"})) << "white space is not forced";
    // A merge that begins within the last token and goes over the end.
    EXPECT_EQ(forced_texts(t, R"(root ::= "1ab" ("c" | "x"))"), (Texts{"1", "ab"})) << "a b is merged before b c";
}

TEST(Forced, ControlTokensWhereTheyStandForALiteral) {
    const auto t = merging();
    EXPECT_EQ(forced_texts(t, R"(root ::= "<tool>" "name")"), (Texts{"<tool>", "name"}));
    EXPECT_EQ(forced_texts(t, R"(root ::= "name<tool>red")"), (Texts{"name"})) << "not a literal of its own";
    EXPECT_EQ(forced_texts(t, R"(root ::= "name<tool>red")", "name"), (Texts{"<"})) << "the only token that is left";
    EXPECT_EQ(forced_texts(t, R"(root ::= "name" ("<tool>" | "<|"))"), (Texts{"name"}));
}

TEST(Forced, NothingBeforeTheTriggerIsThere) {
    const auto t = merging();
    const auto grammar = Grammar::from_ebnf(R"(root ::= "<tool>" "name" ("1" | "2"))").value();
    const auto state = GrammarState::create(grammar, make_token_table(t), "<tool>");
    EXPECT_TRUE(state->forced().empty());
    EXPECT_EQ(state->forced_bytes(100), "");
    EXPECT_FALSE(state->finished());
    for (const TokenId id : t->encode("red <tool", false)) ASSERT_TRUE(state->accept(id));
    EXPECT_TRUE(state->forced().empty());
    for (const TokenId id : t->encode(">", false)) ASSERT_TRUE(state->accept(id));
    EXPECT_EQ(text_of(*t, state->forced()), "name");
}

// Halves of characters, characters that the tokenizer would write in another way, and texts without an end.
TEST(Forced, TextsThatCannotBeSplitAreSampled) {
    for (const auto& tokenizer : vocabularies()) {
        const auto table = make_token_table(tokenizer);
        const auto accented = GrammarState::create(Grammar::from_ebnf("root ::= \"n\" (\"\u00e9\" | \"\u00e8\")").value(), table);
        EXPECT_EQ(accented->forced_bytes(10), "n\xC3");
        EXPECT_EQ(text_of(*tokenizer, accented->forced()), "n");
        const auto state = GrammarState::create(Grammar::from_ebnf("root ::= \"ab\" root | \"abc\"").value(), table);
        for (int i = 0; i < 50; ++i)
            for (const TokenId id : copy(state->forced())) ASSERT_TRUE(state->accept(id));
        const auto wide = GrammarState::create(Grammar::from_ebnf("root ::= \"ab\"{2000}").value(), table);
        std::string text;
        while (!wide->finished()) {
            const auto forced = copy(wide->forced());
            ASSERT_FALSE(forced.empty());
            ASSERT_LE(forced.size(), std::size_t(GrammarState::kMostForced));
            for (const TokenId id : forced) ASSERT_TRUE(wide->accept(id));
            text += text_of(*tokenizer, forced);
        }
        EXPECT_EQ(text.size(), 4000u);
    }
}

}  // namespace
}  // namespace text
