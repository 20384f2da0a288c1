// A mixture whose experts are not all in memory says what it says with all of them there; and what becomes of experts that
// cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "engine/convert.h"
#include "engine/engine.h"
#include "engine/examine.h"
#include "engine/memory_plan.h"
#include "engine/ops/ops.h"
#include "support/fixtures.h"

using namespace engine;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

fs::path tiny_mixture() { return support::data_dir() / "models/qwen3_moe.gguf"; }

LoadOptions options_for(const fs::path& path, Profile profile = Profile::exact, const std::string& target = {}) {
    return {.path = path, .profile = profile, .threads = 2, .context = 128, .kv_tokens = 1024, .max_sequences = 4, .target = target};
}

// With so many experts in memory as one token uses, which is the least, and `more`.
LoadOptions with_few_experts(LoadOptions options, std::uint64_t more = 0) {
    options.experts.place = ExpertPlace::mapped;
    const ExpertPlan plan = Engine::plan(options).value().experts;
    options.experts.memory = (std::uint64_t(plan.layers) * std::uint64_t(plan.used) + more) * plan.slot_bytes;
    return options;
}

std::unique_ptr<Engine> load_or_throw(const LoadOptions& options) {
    auto engine = Engine::load(options);
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

std::vector<TokenId> ids_from(int first, int n, int vocabulary) {
    std::vector<TokenId> out;
    for (int i = 0; i < n; ++i) out.push_back((i * 53 + first * 17 + 7) % vocabulary);
    return out;
}

Request short_question(int first, int vocabulary) {
    Request out;
    out.prompt = {{.tokens = ids_from(first, 20, vocabulary)}};
    out.max_tokens = 16;
    out.ignore_eos = true;
    return out;
}

struct Written {
    std::string text, error;
    Finish finish = Finish::none;
};
Written read_out(Session& session) {
    Written out;
    while (auto event = session.next()) {
        out.text += event->text;
        if (event->finish != Finish::none) out.finish = event->finish, out.error = event->error;
    }
    return out;
}
Written asked_alone(Engine& engine, int first) { return read_out(**engine.start(short_question(first, engine.info().vocabulary))); }

void expect_the_same(const LoadOptions& resident, const LoadOptions& cached) {
    SCOPED_TRACE(cached.path.string() + " " + cached.target + (cached.profile == Profile::exact ? " exact" : " fast"));
    const auto whole = load_or_throw(resident), part = load_or_throw(cached);
    const ExpertPlan& plan = part->memory().experts;
    ASSERT_TRUE(plan.cached());
    EXPECT_EQ(plan.slots, std::uint64_t(plan.layers) * std::uint64_t(plan.used));
    EXPECT_LT(plan.slots, plan.all());
    EXPECT_LT(part->memory().weights, whole->memory().weights);
    const auto ids = ids_from(0, 40, whole->info().vocabulary);
    EXPECT_EQ(*whole->logits(ids), *part->logits(ids));
    EXPECT_EQ(asked_alone(*whole, 1).text, asked_alone(*part, 1).text);
    const auto report = part->load_now().experts;
    ASSERT_TRUE(report);
    EXPECT_GT(report->use.bytes, 0u);
    EXPECT_GT(report->use.tokens, 0u);
    EXPECT_LT(report->use.hits(), 1);
}

std::vector<std::string> usable_targets() {
    std::vector<std::string> out;
    for (const Target& target : targets(true))
        if (target.available) out.push_back(target.name);
    return out;
}

void overwrite(const fs::path& file, const std::string& bytes) { std::fstream(file, std::ios::binary | std::ios::in | std::ios::out) << bytes; }

}  // namespace

TEST(Experts, SayTheSameFromACacheOnEveryTarget) {
    support::TempDir dir;
    for (const std::string& target : usable_targets()) {
        const fs::path file = dir.path() / "converted.hearth";
        ASSERT_TRUE(convert(options_for(tiny_mixture(), Profile::exact, target), file, {}));
        for (const Profile profile : {Profile::exact, Profile::fast}) {
            const LoadOptions resident = options_for(tiny_mixture(), profile, target);
            expect_the_same(resident, with_few_experts(resident));
            expect_the_same(resident, with_few_experts(options_for(file, profile, target)));
        }
    }
}

TEST(Experts, OfEveryGoldenMixtureSayTheSameFromACache) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    int seen = 0;
    for (const auto& folder : fs::directory_iterator(*golden)) {
        if (!folder.is_directory()) continue;
        for (const auto& file : fs::directory_iterator(folder.path())) {
            if (file.path().extension() != ".gguf") continue;
            const auto info = Engine::inspect(file.path());
            if (!info || info->experts == 0) continue;
            LoadOptions resident = options_for(file.path());
            resident.context = std::min(resident.context, info->trained_context);
            expect_the_same(resident, with_few_experts(resident));
            ++seen;
        }
    }
    EXPECT_GE(seen, 10);
}

TEST(Experts, OfAFolderAreReadFromItsConversion) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    LoadOptions options = options_for(*golden / "qwen3_moe");
    options.experts.place = ExpertPlace::mapped;
    const auto refused = Engine::plan(options);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().remedy, HasSubstr("hearth model convert"));
    support::TempDir dir;
    const fs::path file = dir.path() / "folder.hearth";
    ASSERT_TRUE(convert(options_for(*golden / "qwen3_moe"), file, {}));
    expect_the_same(options_for(*golden / "qwen3_moe"), with_few_experts(options_for(file)));
}

TEST(Experts, AreSharedByAnswersThatAreWrittenTogether) {
    const auto whole = load_or_throw(options_for(tiny_mixture())), part = load_or_throw(with_few_experts(options_for(tiny_mixture())));
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < 4; ++i) sessions.push_back(*part->start(short_question(i, part->info().vocabulary)));
    sessions[3]->stop();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(read_out(*sessions[std::size_t(i)]).text, asked_alone(*whole, i).text) << i;
    EXPECT_EQ(read_out(*sessions[3]).finish, Finish::cancelled);
    // The beginning is cached now, and the rest as it was.
    EXPECT_EQ(asked_alone(*part, 0).text, asked_alone(*whole, 0).text);
}

TEST(Experts, OfAFileThatIsCutEndTheAnswerWithAReason) {
    support::TempDir dir;
    const fs::path file = dir.path() / "cut.gguf";
    fs::copy_file(tiny_mixture(), file);
    const std::string bytes = support::read_text(file);
    const auto engine = load_or_throw(with_few_experts(options_for(file)));
    const Written whole = asked_alone(*engine, 1);
    EXPECT_EQ(whole.finish, Finish::length);
    fs::resize_file(file, bytes.size() / 8);
    const Written cut = asked_alone(*engine, 2);
    EXPECT_EQ(cut.finish, Finish::failed);
    EXPECT_THAT(cut.error, AllOf(HasSubstr("cut.gguf"), HasSubstr("expert "), HasSubstr("was cut after it was opened")));
    overwrite(file, bytes);
    const Written again = asked_alone(*engine, 1);
    EXPECT_EQ(again.finish, Finish::length) << again.error;
    EXPECT_EQ(again.text, whole.text);
}

TEST(Experts, ThatChangeAfterTheyWereReadAreNotUsed) {
    support::TempDir dir;
    const fs::path file = dir.path() / "changed.gguf";
    fs::copy_file(tiny_mixture(), file);
    const std::string bytes = support::read_text(file);
    const auto engine = load_or_throw(with_few_experts(options_for(file)));
    for (int i = 0; i < 8; ++i) asked_alone(*engine, i);  // until most have come once
    std::string other = bytes;
    for (std::size_t i = bytes.size() / 2; i < bytes.size(); i += 64) other[i] = char(other[i] ^ 1);
    overwrite(file, other);
    std::string told;
    for (int i = 8; i < 12 && told.empty(); ++i) told = asked_alone(*engine, i).error;
    EXPECT_THAT(told, HasSubstr("changed after it was opened"));
}

TEST(Experts, OfADamagedConversionAreRefused) {
    support::TempDir dir;
    const fs::path file = dir.path() / "damaged.hearth";
    ASSERT_TRUE(convert(options_for(tiny_mixture()), file, {}));
    std::string bytes = support::read_text(file);
    for (std::size_t i = (2u << 20) + (bytes.size() - (2u << 20)) / 2; i < bytes.size(); i += 512) bytes[i] = char(bytes[i] ^ 1);
    overwrite(file, bytes);
    const auto refused = Engine::load(with_few_experts(options_for(file)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::corrupt);
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr("damaged.hearth"), HasSubstr("checksum")));
}

TEST(Experts, AreCachedWhereTheyDoNotFit) {
    LoadOptions options = options_for(tiny_mixture());
    const MemoryPlan whole = Engine::plan(options).value();
    EXPECT_FALSE(whole.experts.cached());
    options.memory_limit = whole.total - whole.weights / 8;
    const MemoryPlan part = Engine::plan(options).value();
    EXPECT_TRUE(part.experts.cached());
    EXPECT_LT(part.experts.slots, part.experts.all());
    EXPECT_LE(part.total, options.memory_limit);
    EXPECT_THAT(part.text(), HasSubstr(" experts in memory)"));
    options.experts.place = ExpertPlace::resident;
    EXPECT_FALSE(Engine::plan(options));
    EXPECT_EQ(asked_alone(*load_or_throw(options_for(tiny_mixture())), 1).text, [&] {
        options.experts.place = ExpertPlace::automatic;
        return asked_alone(*load_or_throw(options), 1).text;
    }());
}

TEST(Experts, AskedForTooFewNameTheLeast) {
    LoadOptions options = with_few_experts(options_for(tiny_mixture()));
    --options.experts.memory;
    const auto refused = Engine::load(options);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), AllOf(HasSubstr("smaller than what one token uses"), HasSubstr("at least " + std::to_string(options.experts.memory + 1))));
}

TEST(Experts, AreChosenByWhatWasAskedBefore) {
    support::TempDir dir;
    LoadOptions options = with_few_experts(options_for(tiny_mixture()), 4);
    options.experts.folder = dir.path() / "experts";
    EXPECT_FALSE(examine(options).experts->of_traffic);
    {
        const auto engine = load_or_throw(options);
        const ExpertForecast first = engine->load_now().experts->forecast;
        EXPECT_FALSE(first.of_traffic);
        EXPECT_GT(first.tokens_per_second, 0);
        for (int i = 0; i < 8; ++i) asked_alone(*engine, i);
    }
    const ExpertForecast told = examine(options).experts.value();
    EXPECT_TRUE(told.of_traffic);
    EXPECT_GT(told.tokens_per_second, 0);
    const auto again = load_or_throw(options);
    EXPECT_TRUE(again->load_now().experts->forecast.of_traffic);
    EXPECT_EQ(asked_alone(*again, 1).text, asked_alone(*load_or_throw(options_for(tiny_mixture())), 1).text);
    const fs::path record = fs::directory_iterator(options.experts.folder)->path();
    std::string bytes = support::read_text(record);
    bytes.back() = char(bytes.back() ^ 1);
    overwrite(record, bytes);
    EXPECT_FALSE(examine(options).experts->of_traffic) << "a damaged record is none";
}
