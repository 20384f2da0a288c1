// Models that were split in several GGUFs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <ranges>

#include "engine/convert.h"
#include "engine/examine.h"
#include "engine/model/gguf_file.h"
#include "support/fixtures.h"
#include "support/gguf_copy.h"
#include "support/gguf_writer.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

fs::path part_name(int part, int parts) {
    char text[40];
    std::snprintf(text, sizeof text, "m-%05d-of-%05d.gguf", part + 1, parts);
    return text;
}

struct Split {
    int parts = 3;
    bool bare_first = false;               // without tensors, as --no-tensor-first-split has it
    std::optional<std::uint32_t> claimed;  // split.tensors.count
};

// Writes the model in parts, as llama-gguf-split does: metadata in the first, tensors dealt out in turn.
void split(const Gguf& gguf, const fs::path& folder, const Split& how) {
    std::size_t entries = 0;
    for (const GgufTensor& t : gguf.tensors()) entries += 8 + t.name.size() + 4 + 8 * t.dims.size() + 4 + 8;
    const auto head = gguf.head();
    std::uint64_t n_values = 0;
    std::memcpy(&n_values, head.data() + 16, 8);
    const int first = how.bare_first ? 1 : 0;
    for (int part = 0; part < how.parts; ++part) {
        std::vector<const GgufTensor*> mine;
        for (std::size_t i = 0; i < gguf.tensors().size(); ++i)
            if (int(i) % (how.parts - first) + first == part) mine.push_back(&gguf.tensors()[i]);
        support::GgufWriter w(mine.size(), (part == 0 ? n_values : 0) + 3);
        if (part == 0) w.bytes.append(reinterpret_cast<const char*>(head.data()) + 24, head.size() - entries - 24);
        w.value("split.no", std::uint32_t(part)), w.value("split.count", std::uint32_t(how.parts));
        w.value("split.tensors.count", how.claimed.value_or(std::uint32_t(gguf.tensors().size())));
        std::uint64_t offset = 0;
        for (const GgufTensor* t : mine) {
            w.text(t->name), w.u32(std::uint32_t(t->dims.size()));
            for (const std::uint64_t dim : t->dims) w.u64(dim);
            w.u32(std::uint32_t(info(t->format).ggml_type)), w.u64(offset);
            offset += (t->bytes() + 31) / 32 * 32;
        }
        w.pad();
        for (const GgufTensor* t : mine) {
            w.bytes.append(reinterpret_cast<const char*>(t->data.data()), t->data.size());
            w.pad();
        }
        std::ofstream(folder / part_name(part, how.parts), std::ios::binary) << w.bytes;
    }
}

std::unique_ptr<Gguf> opened(const fs::path& path) {
    auto gguf = Gguf::open(path);
    if (!gguf) throw std::runtime_error(gguf.error().text());
    return *std::move(gguf);
}

fs::path model(const char* name) { return support::data_dir() / "models" / name; }
LoadOptions options_of(const fs::path& path) { return {.path = path, .profile = Profile::exact, .threads = 2, .max_sequences = 1}; }

std::vector<float> logits_of(const fs::path& path) {
    auto engine = Engine::load(options_of(path));
    if (!engine) throw std::runtime_error(engine.error().text());
    std::vector<TokenId> ids;
    for (int i = 0; i < 24; ++i) ids.push_back((i * 53 + 7) % (*engine)->info().vocabulary);
    return *(*engine)->logits(ids);
}

class GgufParts : public testing::Test {
protected:
    void SetUp() override {
        whole_ = opened(model("llama_tied.gguf"));
        split(*whole_, folder_.path(), {});
    }
    fs::path part(int n) const { return folder_.path() / part_name(n, 3); }
    std::string refusal(int named = 0) const {
        const auto file = GgufFile::open(part(named));
        return file ? "" : file.error().text();
    }

    support::TempDir folder_;
    std::unique_ptr<Gguf> whole_;
};

TEST_F(GgufParts, AreOneModelWhicheverIsNamed) {
    for (int named = 0; named < 3; ++named) {
        const auto joined = Gguf::open_whole(part(named));
        ASSERT_TRUE(joined) << joined.error().message;
        EXPECT_EQ((*joined)->tensors().size(), whole_->tensors().size());
        EXPECT_EQ((*joined)->files(), 3u);
        EXPECT_EQ((*joined)->path(), part(0));
        for (const GgufTensor& t : whole_->tensors()) {
            const GgufTensor* const found = (*joined)->tensor(t.name);
            ASSERT_TRUE(found) << t.name;
            EXPECT_EQ(found->dims, t.dims) << t.name;
            EXPECT_TRUE(std::ranges::equal(found->data, t.data)) << t.name;
        }
        std::uint64_t on_disk = 0;
        for (int n = 0; n < 3; ++n) on_disk += fs::file_size(part(n));
        EXPECT_EQ((*joined)->file_bytes(), on_disk);
        const Examination told = examine(options_of(part(named))), one = examine(options_of(model("llama_tied.gguf")));
        ASSERT_FALSE(told.refused) << told.refused->message;
        EXPECT_EQ(told.file.container, "GGUF version 3 in 3 files");
        EXPECT_EQ(told.file.bytes, on_disk);
        EXPECT_EQ(told.info->file_bytes, on_disk);
        EXPECT_EQ(told.info->parameters, one.info->parameters);
        EXPECT_EQ(told.file.values(), one.file.values());
        EXPECT_EQ(told.tokens->count, one.tokens->count);
    }
}

TEST_F(GgufParts, GiveTheSameLogits) {
    for (const char* name : {"llama_tied.gguf", "qwen3_moe.gguf"})
        for (const bool bare_first : {false, true}) {
            SCOPED_TRACE(std::string(name) + (bare_first ? " with a first part without tensors" : ""));
            const support::TempDir folder;
            split(*opened(model(name)), folder.path(), {.parts = 4, .bare_first = bare_first});
            const auto expected = logits_of(model(name));
            for (const int named : {0, 3}) EXPECT_EQ(logits_of(folder.path() / part_name(named, 4)), expected);
            const fs::path converted = folder.path() / "m.hearth";
            const auto done = convert(options_of(folder.path() / part_name(2, 4)), converted, {});
            ASSERT_TRUE(done) << done.error().message;
            EXPECT_EQ(logits_of(converted), expected);
        }
}

TEST_F(GgufParts, GiveTheSameLogitsOfEveryGoldenCheckpoint) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    int seen = 0;
    for (const auto& entry : fs::recursive_directory_iterator(*golden)) {
        const fs::path& file = entry.path();
        if (file.extension() != ".gguf" || file.parent_path().filename().string().starts_with("bert")) continue;
        SCOPED_TRACE(file.string());
        const support::TempDir folder;
        split(*opened(file), folder.path(), {.parts = 5});
        EXPECT_EQ(logits_of(folder.path() / part_name(4, 5)), logits_of(file));
        ++seen;
    }
    EXPECT_GE(seen, 26);
}

TEST_F(GgufParts, OfAnEncoderAreOneToo) {
    const support::TempDir folder;
    split(*opened(model("bert_minilm.gguf")), folder.path(), {.parts = 2});
    for (const int named : {0, 1}) {
        const Examination told = examine(options_of(folder.path() / part_name(named, 2)));
        ASSERT_FALSE(told.refused) << told.refused->message;
        EXPECT_TRUE(told.info->encoder);
    }
}

TEST_F(GgufParts, ThatAreMissingAreNamed) {
    fs::remove(part(2));
    for (const int named : {0, 1}) EXPECT_THAT(refusal(named), AllOf(HasSubstr(part(2).string() + ": is missing: part 3 of 3"), HasSubstr("fetch all parts into one folder")));
    const Examination told = examine(options_of(part(0)));
    ASSERT_TRUE(told.refused);
    EXPECT_EQ(told.refused->text(), refusal());
    EXPECT_EQ(told.file.architecture, "llama");
    fs::remove(part(0));
    EXPECT_THAT(refusal(1), HasSubstr(part(0).string() + ": is missing: part 1 of 3"));
}

TEST_F(GgufParts, ThatAreDamagedAreNamed) {
    fs::resize_file(part(1), fs::file_size(part(1)) / 2);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(part(1).string()), HasSubstr("ends beyond the file")));
    fs::resize_file(part(1), 10);
    EXPECT_THAT(refusal(2), AllOf(HasSubstr(part(1).string()), HasSubstr("ends inside the header")));
}

TEST_F(GgufParts, MustFitTogether) {
    fs::copy_file(part(1), part(2), fs::copy_options::overwrite_existing);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(part(2).string()), HasSubstr("says that it is part 2 of 3, expected 3 of 3")));
    split(*whole_, folder_.path(), {.claimed = 7});
    EXPECT_THAT(refusal(), HasSubstr("'split.tensors.count' says 7 tensors, its 3 parts hold " + std::to_string(whole_->tensors().size())));
}

TEST_F(GgufParts, OfOtherModelsAreRefused) {
    const support::TempDir others;
    split(*opened(model("qwen3_moe.gguf")), others.path(), {});
    fs::copy_file(others.path() / part_name(1, 3), part(1), fs::copy_options::overwrite_existing);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(part(1).string() + ": is part of another model than " + part(0).string()), HasSubstr("split.tensors.count")));
    // As many tensors in all, and one of them in two parts.
    const auto entry_of = [](std::uint32_t no, const std::string& tensor) {
        support::GgufWriter w(1, 3);
        w.value("split.no", no), w.value("split.count", 3u), w.value("split.tensors.count", 3u);
        w.tensor(tensor, 8, 0, 0), w.pad(), w.bytes.resize(w.bytes.size() + 32);
        return w.bytes;
    };
    for (std::uint32_t no = 0; no < 3; ++no) std::ofstream(part(int(no)), std::ios::binary) << entry_of(no, no == 2 ? "x0" : "x" + std::to_string(no));
    EXPECT_THAT(refusal(), HasSubstr(part(2).string() + ": tensor 'x0' is in another part of the model too"));
}

TEST_F(GgufParts, AreFoundByTheirNames) {
    fs::rename(part(0), folder_.path() / "model.gguf");
    const auto file = GgufFile::open(folder_.path() / "model.gguf");
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().message, HasSubstr("its name does not end with -00001-of-00003.gguf"));
    EXPECT_THAT(refusal(1), HasSubstr(part(0).string() + ": is missing"));
}

TEST_F(GgufParts, NamesThePartOfATensor) {
    const auto joined = Gguf::open_whole(part(0));
    ASSERT_TRUE(joined);
    for (int n = 0; n < 3; ++n) EXPECT_THAT((*joined)->error(*(*joined)->tensor(opened(part(n))->tensors()[0].name), "is wrong").message, HasSubstr(part(n).string() + ": tensor '"));
}

TEST_F(GgufParts, ThatDoNotSayWhichTheyAreAreRefused) {
    support::GgufCopy copy(model("llama_tied.gguf"));
    const fs::path file = folder_.path() / "m.gguf";
    const auto said = [&](const std::map<std::string, std::uint32_t>& keys) {
        for (const char* key : {"split.count", "split.no", "split.tensors.count"}) copy.keys.erase(key);
        for (const auto& [key, value] : keys) copy.set(key, value);
        copy.write(file);
        const auto opened = GgufFile::open(file);
        return opened ? "" : opened.error().message;
    };
    const auto tensors = std::uint32_t(copy.tensors.size());
    EXPECT_THAT(said({{"split.count", 3}}), AllOf(HasSubstr("m.gguf: key 'split."), HasSubstr("is missing, but key 'split.count' says"), HasSubstr("a part has split.count, split.no and split.tensors.count")));
    EXPECT_THAT(said({{"split.count", 3}, {"split.no", 0}}), HasSubstr("key 'split.tensors.count' is missing"));
    EXPECT_THAT(said({{"split.count", 3}, {"split.tensors.count", tensors}}), HasSubstr("key 'split.no' is missing"));
    EXPECT_THAT(said({{"split.no", 1}, {"split.tensors.count", tensors}}), HasSubstr("key 'split.count' is missing"));
    EXPECT_THAT(said({{"split.count", 3}, {"split.no", 0}, {"split.tensors.count", tensors}}), HasSubstr("its name does not end with -00001-of-00003.gguf"));
    EXPECT_EQ(said({{"split.count", 0}, {"split.no", 0}, {"split.tensors.count", tensors}}), "") << "parts that were merged";
    EXPECT_EQ(said({{"split.count", 1}}), "");
    EXPECT_EQ(said({}), "");
}

TEST_F(GgufParts, OfMoreThanThereCanBeAreRefused) {
    for (const auto& [no, parts] : {std::pair{3u, 3u}, {0u, 4'000'000'000u}}) {
        support::GgufWriter w(0, 3);
        w.value("split.no", no), w.value("split.count", parts), w.value("split.tensors.count", 9u);
        std::ofstream(part(0), std::ios::binary) << w.bytes;
        EXPECT_THAT(refusal(), HasSubstr("says that it is part " + std::to_string(no) + " (from 0) of " + std::to_string(parts)));
    }
}

}  // namespace
}  // namespace engine
