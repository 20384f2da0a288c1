#include "engine/emit.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "base/json.h"
#include "base/unicode.h"
#include "support/fixtures.h"
#include "support/vocabularies.h"

using namespace engine;

namespace {

struct Said {
    std::string text;
    bool stopped = false;
};

// The bytes in chunks of up to `most`.
Said say(const std::string& bytes, const std::vector<std::string>& stops, std::size_t most, unsigned seed = 1) {
    std::mt19937 random(seed);
    Emitter emitter(stops);
    Said out;
    for (std::size_t at = 0; at < bytes.size() && !out.stopped;) {
        const std::size_t n = 1 + random() % most;
        out.stopped = emitter.push(std::string_view(bytes).substr(at, n), out.text);
        at += n;
    }
    if (!out.stopped) emitter.flush(out.text);
    return out;
}

}  // namespace

TEST(Emitter, CharactersComeWhole) {
    Emitter emitter({});
    std::string out;
    emitter.push("\xF0\x9F", out);
    EXPECT_EQ(out, "");
    emitter.push("\x98\x80!", out);
    EXPECT_EQ(out, "😀!");
}

// Where the allowance of tokens ends, it may end inside a character; one that is broken by what follows it is invalid, and is shown as such.
TEST(Emitter, ACharacterThatTheEndCutsIsLeftOut) {
    const std::string whole = "a😀é€";
    for (std::size_t n = 0; n <= whole.size(); ++n) {
        const std::string text = n < 1 ? "" : n < 5 ? "a" : n < 7 ? "a😀" : n < 10 ? "a😀é" : whole;
        for (const std::size_t most : {1, 2, 20}) EXPECT_EQ(say(whole.substr(0, n), {}, most).text, text) << n;
        EXPECT_EQ(say(whole.substr(0, n), {"€!", "😀?"}, 1).text, text) << n;  // held back for a stop text
    }
    EXPECT_EQ(say("\xE2\x82!\xE2\x82", {}, 1).text, "\uFFFD!");
    EXPECT_EQ(say("\xF0\x9F\xE2\x82", {}, 1).text, "\uFFFD");
}

TEST(Emitter, BrokenBytesBecomeReplacementCharacters) {
    EXPECT_EQ(say("a\xFF"
                  "b",
                  {}, 1)
                  .text,
              "a\uFFFDb");
    EXPECT_EQ(say("\xC3(", {}, 1).text, "\uFFFD(");
    EXPECT_EQ(say("\xED\xA0\x80", {}, 3).text, "\uFFFD\uFFFD\uFFFD");  // a surrogate
    EXPECT_EQ(say("\xC0\x80", {}, 2).text, "\uFFFD\uFFFD");            // overlong
    EXPECT_EQ(say("\xF4\x90\x80\x80", {}, 4).text, "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(Emitter, NothingOfAStopTextEscapes) {
    Emitter emitter({"STOP"});
    std::string out;
    EXPECT_FALSE(emitter.push("go ST", out));
    EXPECT_EQ(out, "go ");
    EXPECT_FALSE(emitter.push("ART S", out));
    EXPECT_EQ(out, "go START ");
    EXPECT_TRUE(emitter.push("TOP and more", out));
    EXPECT_EQ(out, "go START ");
}

TEST(Emitter, AnySplitGivesTheSame) {
    const std::string text = "Grüße, 世界! abab abc 😀 the end. ab";
    for (const auto& stops : std::vector<std::vector<std::string>>{{}, {"abc"}, {"世界!"}, {"ababc", "bab a"}, {"nowhere"}, {"ab😀"}, {""}}) {
        const Said whole = say(text, stops, text.size() * 100);
        for (unsigned seed = 0; seed < 50; ++seed) {
            const Said parts = say(text, stops, 1 + seed % 7, seed);
            EXPECT_EQ(parts.text, whole.text);
            EXPECT_EQ(parts.stopped, whole.stopped);
        }
    }
}

// Over real vocabularies: what is emitted after each token is whole characters, and all of it the text.
TEST(Emitter, NoTokenOfARealVocabularyEmitsHalfACharacter) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    const auto root = *vectors / "tokenizers";
    for (const std::string name : {"qwen3", "gemma3", "deepseek_v3", "mistral7b_v0_1"}) {
        const auto tokenizer = text::Tokenizer::create(support::read_hf_vocabulary(root / "hf_tokenizer_json" / (name + ".tokenizer.json.xz"))).value();
        std::istringstream lines(support::read_text(root / "hf_vectors" / (name + ".vectors.jsonl")));
        int texts = 0, split = 0;
        for (std::string line; std::getline(lines, line); ++texts) {
            const auto c = base::Json::parse(line);
            Emitter emitter({});
            std::string all;
            for (const auto& id : c["ids"]) {
                const std::string bytes = tokenizer->bytes(id.get<text::TokenId>(), true);
                std::string out;
                emitter.push(bytes, out);
                split += out != bytes;
                for (std::size_t at = 0; at < out.size();) {
                    int length = 1;
                    ASSERT_NE(base::decode_utf8(out, at, length), base::no_char) << name << " " << c["id"];
                    at += std::size_t(length);
                }
                all += out;
            }
            emitter.flush(all);
            const auto skip = std::size_t(all.starts_with(" ") ? tokenizer->vocabulary().leading_spaces : 0);
            EXPECT_EQ(all.substr(skip), c["decoded"].get<std::string>()) << name << " " << c["id"];
        }
        EXPECT_EQ(texts, 281) << name;
        EXPECT_GT(split, 50) << name << ": tokens that end inside a character";
    }
}
