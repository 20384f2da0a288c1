// What a grammar forces is appended without a step of its own: same sentences, fewer steps, and everything else as ever.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "engine/engine.h"
#include "support/fixtures.h"
#include "text/output_parser.h"

using namespace engine;

namespace {

std::unique_ptr<Engine> load(const std::filesystem::path& path, int sequences = 8) {
    auto engine = Engine::load({.path = path, .profile = Profile::exact, .threads = 2, .max_sequences = sequences});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

std::vector<std::filesystem::path> models() {
    const auto own = support::data_dir() / "models";
    std::vector<std::filesystem::path> out = {own / "llama_tied.gguf", own / "qwen3_moe.gguf"};
    if (const auto vectors = support::vectors_dir()) out.push_back(*vectors / "models/stories260K/stories260Ktok512.gguf");
    if (const auto golden = support::golden_dir())  // states that go on from token to token
        for (const char* name : {"lfm2", "granitemoehybrid", "qwen3_next"}) out.push_back(*golden / name / "model-f16.gguf");
    return out;
}

// Calls of two tools, the first of whose arguments are all required and of few forms: most of it is forced.
std::string call_grammar() {
    return text::call_syntax("hermes", base::OrderedJson::parse(R"([
      {"name": "get_weather", "parameters": {"type": "object", "additionalProperties": false, "required": ["location", "unit", "days"], "properties": {
        "location": {"type": "string", "maxLength": 5}, "unit": {"enum": ["celsius", "fahrenheit"]}, "days": {"type": "integer", "minimum": 1, "maximum": 14}}}},
      {"name": "set_lamp", "parameters": {"type": "object", "additionalProperties": false, "required": ["brightness", "colour"], "properties": {
        "brightness": {"type": "integer", "minimum": 0, "maximum": 100}, "colour": {"enum": ["warm", "cold"]}}}}])"), 1)->ebnf;
}

Request request(const Engine& engine, int i, const std::string& grammar) {
    Request r;
    r.prompt.emplace_back();
    const int vocabulary = std::min(engine.info().vocabulary, engine.tokenizer()->size());
    for (int t = 0; t < 5 + 3 * i; ++t) r.prompt.back().tokens.push_back(TokenId((11 + i + t * 37) % std::min(vocabulary, 300)));
    r.max_tokens = 300;
    r.grammar = text::Grammar::from_ebnf(grammar).value();
    if (i % 2) r.sampling = {.temperature = 1.3f, .repetition_penalty = 1.1f, .seed = std::uint64_t(i)};
    return r;
}

struct Output {
    std::vector<TokenId> ids;
    std::string text, error;
    Finish finish = Finish::none;
    Usage usage;
    bool operator==(const Output& o) const { return ids == o.ids && text == o.text && finish == o.finish; }
};

Output read(Session& session) {
    Output out;
    while (auto event = session.next()) {
        if (event->id >= 0) out.ids.push_back(event->id);
        out.text += event->text;
        out.finish = event->finish;
        out.error = event->error;
    }
    out.usage = session.usage();
    return out;
}

Output run(Engine& engine, Request request, const char* salt = "") {
    request.cache_salt = salt;
    auto session = engine.start(std::move(request));
    if (!session) throw std::runtime_error(session.error().text());
    return read(**session);
}

bool is_recurrent(const std::filesystem::path& path) { return path.filename() == "model-f16.gguf"; }

bool unknown_tokenizer(const std::filesystem::path& path) {
    const auto loaded = Engine::load({.path = path, .profile = Profile::exact, .threads = 2});
    return !loaded && loaded.error().message.find("pre-tokenizer") != std::string::npos;
}

}  // namespace

TEST(ForcedTokens, CallsAreSentencesInFewerSteps) {
    for (const auto& path : models()) {
        SCOPED_TRACE(path);
        if (unknown_tokenizer(path)) continue;  // its text is not what this is about
        auto engine = load(path);
        for (int i = 0; i < 4; ++i) {
            const auto r = request(*engine, i, call_grammar());
            const auto before = engine->load_now();
            const auto out = run(*engine, r);
            ASSERT_EQ(out.finish, Finish::stop) << out.error;
            const auto after = engine->load_now();
            EXPECT_TRUE(r.grammar->accepts(out.text)) << out.text;
            std::string bytes;
            for (const TokenId id : out.ids) bytes += engine->tokenizer()->bytes(id, true);
            EXPECT_EQ(bytes, out.text);
            // Every sampled token had one step, but for guesses that came true, and a recurrent model's prompt is cut where its state is kept.
            const int steps = int(after.steps - before.steps), sampled = out.usage.output_tokens - out.usage.forced_tokens;
            EXPECT_GE(steps, sampled - out.usage.accepted_tokens);
            EXPECT_LE(steps, sampled + (is_recurrent(path) ? 2 : 0));
            EXPECT_EQ(after.forced_tokens - before.forced_tokens, std::uint64_t(out.usage.forced_tokens));
            EXPECT_EQ(out.usage.output_tokens, int(out.ids.size()) + 1);
            EXPECT_GT(out.usage.forced_tokens * 2, out.usage.output_tokens) << out.text;
        }
    }
}

// The keys and values of what was appended together are those of its tokens one by one: each sampled token is what the
// logits of everything before it say.
TEST(ForcedTokens, GreedyTokensAreTheBestOfTheirLogits) {
    for (const auto& path : models()) {
        SCOPED_TRACE(path);
        if (unknown_tokenizer(path)) continue;
        auto engine = load(path);
        for (int i = 0; i < 6; i += 2) {
            const auto r = request(*engine, i, call_grammar());
            const auto out = run(*engine, r);
            std::vector<TokenId> all = r.prompt[0].tokens;
            const std::size_t prompt = all.size();
            all.insert(all.end(), out.ids.begin(), out.ids.end());
            const auto logits = engine->logits(all).value();
            const auto width = std::size_t(engine->info().vocabulary);
            const auto state = text::GrammarState::create(r.grammar, engine->token_table());
            std::vector<std::uint64_t> mask((std::size_t(engine->tokenizer()->size()) + 63) / 64);
            std::size_t at = prompt;
            for (int sampled = 0; at < all.size(); ++sampled) {
                for (auto forced = state->forced(); !forced.empty() && at < all.size(); forced = state->forced())
                    for (const TokenId id : std::vector(forced.begin(), forced.end())) {
                        ASSERT_EQ(all[at++], id);
                        ASSERT_TRUE(state->accept(id));
                    }
                if (at == all.size()) break;
                state->mask(mask);
                const float* row = logits.data() + (at - 1) * width;
                TokenId best = -1;
                for (TokenId id = 0; id < engine->tokenizer()->size(); ++id)
                    if ((mask[std::size_t(id) / 64] >> (id % 64) & 1) && (best < 0 || row[id] > row[best])) best = id;
                ASSERT_EQ(all[at], best) << "sampled token " << sampled;
                ASSERT_TRUE(state->accept(all[at++]));
            }
        }
    }
}

TEST(ForcedTokens, TogetherAndFromTheCacheTheSame) {
    for (const auto& path : models()) {
        SCOPED_TRACE(path);
        if (unknown_tokenizer(path)) continue;
        auto engine = load(path, 5);
        std::vector<Output> alone;
        for (int i = 0; i < 9; ++i) alone.push_back(run(*engine, request(*engine, i, call_grammar()), "alone"));
        for (int round = 0; round < 2; ++round) {
            std::vector<std::unique_ptr<Session>> sessions;
            for (int i = 0; i < 9; ++i) {
                auto r = request(*engine, i, call_grammar());
                if (i % 3 == 2) r.grammar = nullptr, r.max_tokens = 60;  // free ones between
                sessions.push_back(*engine->start(r));
            }
            for (int i = 0; i < 9; ++i) {
                const auto out = read(*sessions[std::size_t(i)]);
                if (i % 3 != 2) {
                    EXPECT_TRUE(out == alone[std::size_t(i)]) << out.text << " and alone " << alone[std::size_t(i)].text << " " << out.error;
                }
            }
        }
    }
}

TEST(ForcedTokens, MostTokensAndStopTextsEndThemInTheirMidst) {
    auto engine = load(models()[0]);
    const auto whole = run(*engine, request(*engine, 0, call_grammar()));
    ASSERT_GT(whole.ids.size(), 20u);
    for (int n = 1; n <= int(whole.ids.size()); ++n) {
        auto r = request(*engine, 0, call_grammar());
        r.max_tokens = n;
        const auto out = run(*engine, r);
        EXPECT_EQ(out.finish, Finish::length);
        EXPECT_EQ(out.ids, std::vector(whole.ids.begin(), whole.ids.begin() + n));
        EXPECT_EQ(out.usage.output_tokens, n);
        EXPECT_TRUE(whole.text.starts_with(out.text));
    }
    auto r = request(*engine, 0, call_grammar());
    r.stop = {"\"arguments"};
    const auto stopped = run(*engine, r);
    EXPECT_EQ(stopped.finish, Finish::stop);
    EXPECT_EQ(stopped.text, whole.text.substr(0, whole.text.find("\"arguments")));
    EXPECT_LT(stopped.ids.size(), whole.ids.size());
}

TEST(ForcedTokens, ATextWithoutAChoiceNeedsNoStep) {
    auto engine = load(models()[0]);
    for (const bool short_text : {true, false}) {
        const auto before = engine->load_now();
        // A long one is appended in parts, with a step between them.
        const auto out = run(*engine, request(*engine, 0, short_text ? "root ::= \"{\\\"done\\\": true}\"" : "root ::= \"{\\\"done\\\": true}\"{20}"));
        EXPECT_EQ(out.finish, Finish::stop);
        EXPECT_EQ(out.text.size(), short_text ? 14u : 280u);
        EXPECT_EQ(engine->load_now().steps - before.steps == 0, short_text);
        EXPECT_EQ(out.usage.output_tokens, int(out.ids.size()) + 1);
    }
    // Without an end of generation it goes on to its most tokens, as everything does.
    auto r = request(*engine, 0, "root ::= \"{\\\"done\\\": true}\"");
    r.ignore_eos = true;
    r.max_tokens = 30;
    const auto out = run(*engine, r);
    EXPECT_EQ(out.finish, Finish::length);
    EXPECT_TRUE(out.text.starts_with("{\"done\": true}"));
}

TEST(ForcedTokens, AReaderWhoIsLateLosesNone) {
    auto engine = load(models()[0]);
    const auto r = request(*engine, 0, "root ::= (\"one two, three four! \"{12} (\"a\" | \"b\")){40}");
    auto wanted = r;
    wanted.max_tokens = 450;
    ASSERT_GT(engine->memory().context, 460);
    auto slow = *engine->start(wanted);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (slow->usage().output_tokens < 256 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_GE(slow->usage().output_tokens, 256) << "the ring is not full";
    const auto other = run(*engine, wanted);
    const auto late = read(*slow);
    EXPECT_EQ(late.ids.size(), 450u);
    EXPECT_TRUE(late == other);
}

// Logprobs are those of sampled tokens, so with them all are sampled; a bias of a token is obeyed, forced or not.
TEST(ForcedTokens, LogprobsAndBiasAreForSampledTokens) {
    auto engine = load(models()[0]);
    auto r = request(*engine, 0, call_grammar());
    r.logprobs = 2;
    auto session = *engine->start(r);
    int events = 0;
    while (auto event = session->next())
        if (event->id >= 0) {
            ++events;
            EXPECT_EQ(event->top.size(), 2u);
        }
    EXPECT_GT(events, 20);
    EXPECT_EQ(session->usage().forced_tokens, 0);

    r.logprobs = 0;
    const auto plain = run(*engine, r);
    const TokenId first = plain.ids[0], second = plain.ids[1];
    ASSERT_NE(first, second);
    ASSERT_GT(engine->tokenizer()->bytes(second, true).size(), 0u);
    for (const TokenId banned : {first, second, plain.ids[4]}) {
        if (engine->tokenizer()->bytes(banned, true).size() == 1) continue;  // there is no other way to write it
        r.sampling.logit_bias = {{banned, -INFINITY}};
        const auto out = run(*engine, r);
        EXPECT_EQ(std::count(out.ids.begin(), out.ids.end(), banned), 0);
        EXPECT_TRUE(r.grammar->accepts(out.text)) << out.text;
    }
}
