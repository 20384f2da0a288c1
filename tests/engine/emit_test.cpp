#include "engine/emit.h"

#include <gtest/gtest.h>

#include <random>

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
    emitter.push("\xE2\x82", out);
    emitter.flush(out);
    EXPECT_EQ(out, "😀!\uFFFD");
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
