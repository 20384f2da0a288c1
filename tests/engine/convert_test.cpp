// Converted models against their sources, and files that are none or not whole.
#include "engine/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "engine/examine.h"
#include "engine/model/checksum.h"
#include "engine/ops/ops.h"
#include "support/fixtures.h"
#include "support/vocabularies.h"

using namespace engine;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

LoadOptions options_of(const fs::path& path, const std::string& target = {}, Profile profile = Profile::exact) {
    return {.path = path, .profile = profile, .threads = 2, .max_sequences = 1, .target = target};
}

std::unique_ptr<Engine> load(const LoadOptions& options) {
    auto engine = Engine::load(options);
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

std::vector<std::string> available_targets() {
    std::vector<std::string> out;
    for (const Target& target : targets(true))
        if (target.available) out.push_back(target.name);
    return out;
}

std::vector<TokenId> some_ids(int vocabulary) {
    std::vector<TokenId> out;
    for (int i = 0; i < 40; ++i) out.push_back((i * 53 + 7) % vocabulary);
    return out;
}

void expect_equal(const LoadOptions& source, const LoadOptions& converted) {
    SCOPED_TRACE(source.target + (source.profile == Profile::exact ? " exact" : " fast"));
    const auto ours = load(converted), theirs = load(source);
    const ModelInfo &a = ours->info(), &b = theirs->info();
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.architecture, b.architecture);
    EXPECT_EQ(a.format, b.format);
    EXPECT_EQ(a.parameters, b.parameters);
    EXPECT_EQ(a.active_parameters, b.active_parameters);
    EXPECT_EQ(a.weight_bytes_per_token, b.weight_bytes_per_token);
    EXPECT_EQ(a.trained_context, b.trained_context);
    EXPECT_EQ(a.chat_template, b.chat_template);
    EXPECT_EQ(a.bos_token, b.bos_token);
    EXPECT_EQ(a.eos_token, b.eos_token);
    EXPECT_EQ(a.default_sampling.temperature, b.default_sampling.temperature);
    EXPECT_EQ(ours->tokenizer()->vocabulary().tokens, theirs->tokenizer()->vocabulary().tokens);
    const auto ids = some_ids(b.vocabulary);
    EXPECT_EQ(*ours->logits(ids), *theirs->logits(ids));
}

// For every target, and its layout for that of another that reads the same.
void expect_bitwise(const fs::path& source, const fs::path& folder) {
    SCOPED_TRACE(source.string());
    fs::path packed;
    for (const std::string& target : available_targets()) {
        const fs::path file = folder / (target + ".hearth");
        const bool plain = target == "ref";
        if (plain || packed.empty()) {
            const auto done = convert(options_of(source, target), file, {});
            ASSERT_TRUE(done) << done.error().message;
            EXPECT_EQ(done->target, target);
            EXPECT_EQ(done->bytes, fs::file_size(file));
        }
        if (!plain && packed.empty()) packed = file;
        for (const Profile profile : {Profile::exact, Profile::fast})
            expect_equal(options_of(source, target, profile), options_of(plain ? file : packed, target, profile));
        const Examination told = examine(options_of(plain ? file : packed, target));
        ASSERT_FALSE(told.refused) << told.refused->message;
        EXPECT_EQ(told.needs->laid_out, 0u) << "weights are packed at the load";
        EXPECT_THAT(told.file.container, HasSubstr("converted for "));
        EXPECT_EQ(told.file.kv_heads, examine(options_of(source, target)).file.kv_heads);
        EXPECT_GT(told.file.kv_heads, 0);
    }
}

std::string bytes_of(const fs::path& file) { return support::read_text(file); }
void write(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

std::string refusal(const LoadOptions& options) {
    const auto engine = Engine::load(options);
    return engine ? "" : engine.error().text();
}

fs::path tiny() { return support::data_dir() / "models/qwen3_moe.gguf"; }

}  // namespace

TEST(Convert, GivesTheSameLogits) {
    support::TempDir dir;
    for (const char* model : {"qwen3_moe.gguf", "llama_tied.gguf", "llama_tied"}) expect_bitwise(support::data_dir() / "models" / model, dir.path());
}

TEST(Convert, GivesTheSameLogitsOfEveryGoldenCheckpoint) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    support::TempDir dir;
    int seen = 0;
    for (const auto& entry : fs::directory_iterator(*golden)) {
        if (!entry.is_directory() || entry.path().filename().string().starts_with("bert")) continue;
        for (const auto& file : fs::directory_iterator(entry.path()))
            if (file.path().extension() == ".gguf") expect_bitwise(file.path(), dir.path()), ++seen;
        if (fs::exists(entry.path() / "config.json")) expect_bitwise(entry.path(), dir.path()), ++seen;
    }
    EXPECT_GE(seen, 75);
}

TEST(Convert, RefusesAnotherTargetsLayout) {
    support::TempDir dir;
    const fs::path plain = dir.path() / "plain.hearth", packed = dir.path() / "packed.hearth";
    ASSERT_TRUE(convert(options_of(tiny(), "ref"), plain, {}));
    const std::string best = available_targets()[0];
    if (best == "ref") GTEST_SKIP() << "this machine has one target";
    ASSERT_TRUE(convert(options_of(tiny()), packed, {}));
    EXPECT_THAT(refusal(options_of(plain)), AllOf(HasSubstr(plain.string()), HasSubstr("for the kernels of ref"), HasSubstr("those of " + best), HasSubstr("hearth model convert")));
    EXPECT_THAT(refusal(options_of(packed, "ref")), AllOf(HasSubstr("for the kernels of " + best), HasSubstr("those of ref"), HasSubstr("hearth model convert")));
    const auto told = examine(options_of(plain));
    ASSERT_TRUE(told.refused);
    EXPECT_EQ(told.refused->text(), refusal(options_of(plain)));
    EXPECT_EQ(told.file.architecture, "qwen3moe");
    EXPECT_EQ(told.file.kv_heads, examine(options_of(tiny())).file.kv_heads);
    EXPECT_GT(told.file.kv_heads, 0);
    EXPECT_FALSE(told.file.tensors.empty());
}

TEST(Convert, RefusesWhatIsNotWhole) {
    support::TempDir dir;
    const fs::path file = dir.path() / "model.hearth", bad = dir.path() / "bad.hearth";
    ASSERT_TRUE(convert(options_of(tiny()), file, {}));
    const std::string whole = bytes_of(file);
    std::uint64_t image = 0;
    std::memcpy(&image, whole.data() + 24, 8);
    ASSERT_EQ(image % (2 << 20), 0u);
    const auto changed = [&](std::size_t at) {
        std::string bytes = whole;
        bytes[at] = char(bytes[at] ^ 1);
        write(bad, bytes);
        return refusal(options_of(bad));
    };
    for (const std::size_t at : {std::size_t(70), std::size_t(image) - 1, std::size_t(5000)}) EXPECT_THAT(changed(at), HasSubstr("damaged head")) << at;
    for (std::size_t at = 8; at < 64; ++at) EXPECT_THAT(changed(at), HasSubstr(bad.string())) << at;
    for (const std::size_t at : {std::size_t(image), whole.size() - 1}) EXPECT_THAT(changed(at), HasSubstr("the checksum of its weights from byte 0 on is wrong")) << at;
    for (const std::size_t n : {std::size_t(8), std::size_t(63), std::size_t(64), std::size_t(4096), std::size_t(image), whole.size() - 1}) {
        write(bad, whole.substr(0, n));
        EXPECT_THAT(refusal(options_of(bad)), HasSubstr(bad.string())) << n;
    }
    std::string headless = whole;  // all of it weights
    const std::uint64_t places[] = {0, whole.size()};
    std::memcpy(headless.data() + 24, places, sizeof places);
    write(bad, headless);
    EXPECT_THAT(refusal(options_of(bad)), HasSubstr("expected 0 and "));
    write(bad, whole + "x");
    EXPECT_THAT(refusal(options_of(bad)), HasSubstr("expected"));
}

TEST(Convert, RemovesACopyOnlyWhereItsSourceLoads) {
    support::TempDir dir;
    LoadOptions options = options_of(tiny());
    options.copy = dir.path() / "copy.hearth";
    ASSERT_TRUE(convert(options_of(tiny()), options.copy, {}));
    LoadOptions wrong = options;
    wrong.draft = dir.path() / "draft.gguf";
    write(wrong.draft, "GGUF");
    const auto refused = Engine::load(wrong);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().code, testing::AnyOf(base::Code::corrupt, base::Code::unsupported));
    EXPECT_TRUE(fs::exists(options.copy)) << "the draft is at fault";
    std::string bytes = bytes_of(options.copy);
    bytes.back() = char(bytes.back() ^ 1);
    write(options.copy, bytes);
    EXPECT_TRUE(Engine::load(options));
    EXPECT_FALSE(fs::exists(options.copy));
}

// A head that says something else, with a checksum that fits it.
TEST(Convert, RefusesAHeadThatContradictsItself) {
    support::TempDir dir;
    const fs::path file = dir.path() / "model.hearth", bad = dir.path() / "bad.hearth";
    ASSERT_TRUE(convert(options_of(tiny()), file, {}));
    const std::string whole = bytes_of(file);
    const auto replaced = [&](const std::string& from, const std::string& to) {
        std::string bytes = whole;
        const std::size_t at = bytes.find(from);
        if (at == bytes.npos || from.size() != to.size()) return std::string("the test is wrong: ") + from;
        bytes.replace(at, to.size(), to);
        std::uint64_t image = 0;
        std::memcpy(&image, bytes.data() + 24, 8);
        const std::uint64_t sum = xxh64({reinterpret_cast<const std::uint8_t*>(bytes.data()) + 16, std::size_t(image) - 16});
        std::memcpy(bytes.data() + 8, &sum, 8);
        write(bad, bytes);
        return refusal(options_of(bad));
    };
    const std::pair<const char*, const char*> changes[] = {
        {"\"version\":1", "\"version\":2"}, {"\"layout\":\"", "\"layouu\":\""}, {"\"blk.0.attn_q.weight\":{", "\"blk.0.attn_z.weight\":{"},
        {"\"dims\":[64]", "\"dims\":[65]"}, {"\"count\":1,", "\"count\":0,"}, {"\"eight_bits\":false", "\"eight_bits\":true "}, {"\"checksums\":[", "\"checksumz\":["}, {"\"source\":\"gguf\"", "\"source\":\"ggug\""}};
    for (const auto& [from, to] : changes) EXPECT_THAT(replaced(from, to), HasSubstr(bad.string())) << from;
    EXPECT_THAT(replaced("\"version\":1", "\"version\":2"), AllOf(HasSubstr("another version"), HasSubstr("hearth model convert")));
}

TEST(Convert, LeavesWhatIsThere) {
    support::TempDir dir;
    const fs::path out = dir.path() / "model.hearth", other = dir.path() / "notes.txt";
    write(other, "mine");
    const auto refused = [&](const fs::path& from, const fs::path& to) {
        const auto done = convert(options_of(from), to, {});
        return done ? "" : done.error().message;
    };
    EXPECT_THAT(refused(tiny(), other), HasSubstr("is there already"));
    EXPECT_EQ(bytes_of(other), "mine");
    EXPECT_THAT(refused(tiny(), dir.path()), HasSubstr("is a folder"));
    EXPECT_THAT(refused(tiny(), dir.path() / "a.safetensors"), HasSubstr("has the name of a checkpoint's file"));
    EXPECT_THAT(refused(tiny(), dir.path() / "none/model.hearth"), HasSubstr("none/model.hearth"));
    EXPECT_THAT(refused(support::data_dir() / "models/bert_minilm.gguf", out), HasSubstr("is an encoder"));
    EXPECT_THAT(refused(other, out), HasSubstr("is not a GGUF file"));
    ASSERT_EQ(refused(tiny(), out), "");
    const std::string first = bytes_of(out);
    EXPECT_EQ(refused(tiny(), out), "") << "what was converted is replaced";
    EXPECT_EQ(bytes_of(out), first);
    EXPECT_THAT(refused(out, dir.path() / "again.hearth"), HasSubstr("was converted already"));
    EXPECT_THAT(refused(out, out), HasSubstr("is there already"));
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(dir.path())) left.push_back(entry.path().filename());
    EXPECT_THAT(left, testing::UnorderedElementsAre("model.hearth", "notes.txt")) << "a draft stays";
}

// The default model, where it lies on this machine.
TEST(Convert, TellsHowFarItIs) {
    const auto path = support::default_model();
    if (!path) GTEST_SKIP() << "no default model; set HEARTH_MODEL";
    support::TempDir dir;
    std::uint64_t last = 0, all = 0;
    int calls = 0;
    const auto progress = [&](std::uint64_t done, std::uint64_t whole) {
        EXPECT_GT(done, last);
        last = done, all = whole;
        ++calls;
    };
    const fs::path out = dir.path() / "model.hearth";
    ASSERT_TRUE(convert(options_of(*path), out, progress));
    EXPECT_EQ(last, all);
    EXPECT_GT(calls, 4);
    const auto ours = load(options_of(out, "", Profile::fast)), theirs = load(options_of(*path, "", Profile::fast));
    const auto ids = some_ids(50000);
    EXPECT_EQ(*ours->logits(ids), *theirs->logits(ids));
}

// Which would end the process that reads what is gone of a mapping.
TEST(Convert, AnswersEndWhereTheFileIsCutUnderAModel) {
    support::TempDir dir;
    const fs::path source = dir.path() / "cut.gguf", converted = dir.path() / "cut.hearth";
    fs::copy_file(support::data_dir() / "models/llama_tied.gguf", source);
    ASSERT_TRUE(convert(options_of(source), converted, {}));
    for (const fs::path& file : {source, converted}) {
        const auto engine = load(options_of(file));
        const auto ids = some_ids(engine->info().vocabulary);
        const auto before = engine->logits(ids);
        const std::string whole = support::read_text(file);
        const auto cut = AllOf(HasSubstr(file.filename().string()), HasSubstr("was cut after it was loaded"));
        fs::resize_file(file, 100);
        EXPECT_THAT(engine->logits(ids).error().message, cut);
        Request request;
        request.prompt.push_back({.tokens = ids});
        const auto session = engine->start(request);
        ASSERT_TRUE(session);
        TokenEvent last;
        while (auto event = (*session)->next()) last = *event;
        EXPECT_EQ(last.finish, Finish::failed);
        EXPECT_EQ(last.code, base::Code::unavailable);
        EXPECT_THAT(last.error, cut);
        std::ofstream(file, std::ios::binary) << whole;
        EXPECT_EQ(*engine->logits(ids), *before) << "it is whole again";
    }
}
