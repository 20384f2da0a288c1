// What is told of model files, of those that load and of those that do not: held against what a load says.
#include "engine/examine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "engine/model/gguf.h"
#include "support/fixtures.h"

using namespace engine;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
namespace fs = std::filesystem;

namespace {

LoadOptions options_of(const fs::path& path) { return {.path = path, .profile = Profile::exact, .threads = 1, .max_sequences = 1}; }

// Refused with what a load fails with, and by nothing else; sums fit together.
Examination checked(const fs::path& path) {
    Examination e = examine(options_of(path));
    auto loaded = Engine::load(options_of(path));
    EXPECT_EQ(!e.refused, loaded.ok()) << (e.refused ? e.refused->message : loaded ? "" : loaded.error().message);
    if (e.refused && !loaded) {
        EXPECT_EQ(e.refused->message, loaded.error().message);
        EXPECT_EQ(e.refused->code, loaded.error().code);
        EXPECT_EQ(e.refused->remedy, loaded.error().remedy);
    }
    std::uint64_t bytes = 0;
    for (const TensorShare& share : e.file.tensors) {
        bytes += share.bytes;
        EXPECT_FALSE(share.kind.empty() || share.format.empty() || share.tensors == 0);
    }
    EXPECT_LE(bytes, e.file.bytes);
    if (!loaded) return e;
    EXPECT_TRUE(e.info);
    EXPECT_FALSE(e.file.container.empty());
    EXPECT_EQ(e.info->architecture, (*loaded)->info().architecture);
    EXPECT_EQ(e.plan.weights, (*loaded)->memory().weights);
    if (e.needs) {
        EXPECT_EQ(e.needs->laid_out + e.needs->mapped, e.plan.weights);
        EXPECT_EQ(e.needs->kv_bytes_per_token, e.plan.kv_bytes_per_token);
        EXPECT_EQ(e.needs->target, (*loaded)->targets()[2].target);
    }
    EXPECT_TRUE(e.tokens);
    EXPECT_EQ(e.tokens->count, (*loaded)->tokenizer()->size());
    return e;
}

bool has_kind(const Examination& e, std::string_view kind) {
    for (const TensorShare& share : e.file.tensors)
        if (share.kind == kind) return true;
    return false;
}

// "heads of 32; 16 tokens in 3 layers; 10000 over 32 (6), yarn by 8"
std::string shown(const Examination::Attention& a) {
    std::ostringstream out;
    out << "heads of";
    for (const int size : a.head_sizes) out << " " << size;
    for (const auto& [tokens, layers] : a.windows) out << "; " << tokens << " tokens in " << layers;
    for (const auto& r : a.ropes) out << "; " << r.theta << " over " << r.dimensions << " in " << r.layers << (r.scaling.empty() ? "" : ", ") << r.scaling;
    if (a.without_positions > 0) out << "; no positions in " << a.without_positions;
    return out.str();
}

// By what config.json says of them.
const std::map<std::string, std::string> kAttention = {
    {"qwen2", "heads of 16; 1e+06 over 16 in 3"},
    {"mistral_swa", "heads of 32; 16 tokens in 3; 10000 over 32 in 3"},
    {"llama3_rope", "heads of 16; 10000 over 16 in 3, llama3 by 8"},
    {"gpt_oss", "heads of 32; 16 tokens in 2; 150000 over 32 in 4, yarn by 8 from 32 tokens"},
    {"gemma3_text_scaled", "heads of 32; 16 tokens in 5; 1e+06 over 32 in 1, linear by 8; 10000 over 32 in 5"},
    {"deepseek_v3", "heads of 48; 10000 over 16 in 3, yarn by 16 from 32 tokens"},
    {"lfm2", "heads of 16; 1e+06 over 16 in 1"}};

// By the parts of a golden folder's name.
std::string expected_format(const std::string& folder) {
    const std::pair<const char*, const char*> known[] = {{"mxfp4", "MXFP4"}, {"nvfp4", "NVFP4"}, {"w4a16", "INT4"}, {"gptq", "INT4"}, {"awq", "INT4"}, {"fp8", "FP8"}};
    for (const auto& [part, format] : known)
        if (folder.find(part) != folder.npos) return format;
    return {};
}

}  // namespace

TEST(Examine, TellsOfEveryGoldenCheckpoint) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    int folders = 0, files = 0;
    for (const auto& entry : fs::directory_iterator(*golden)) {
        if (!entry.is_directory()) continue;
        const std::string name = entry.path().filename();
        SCOPED_TRACE(name);
        for (const auto& file : fs::directory_iterator(entry.path())) {
            if (file.path().extension() != ".gguf") continue;
            SCOPED_TRACE(file.path().filename().string());
            ++files;
            const Examination e = checked(file.path());
            ASSERT_FALSE(e.refused) << e.refused->message;
            EXPECT_EQ(e.file.container, "GGUF version 3");
            EXPECT_GE(e.file.layers, e.info->layers);
            for (const TensorShare& share : e.file.tensors) EXPECT_NE(share.kind, "others");
        }
        if (!fs::exists(entry.path() / "config.json")) continue;
        ++folders;
        const Examination e = checked(entry.path());
        ASSERT_FALSE(e.refused) << e.refused->message;
        EXPECT_EQ(e.file.container, "safetensors in 1 file");
        EXPECT_EQ(e.file.name, name);
        EXPECT_EQ(e.file.layers, e.info->layers);
        EXPECT_EQ(e.file.hidden, e.info->hidden);
        EXPECT_EQ(e.file.vocabulary, e.info->vocabulary);
        EXPECT_EQ(e.file.experts, e.info->experts);
        const auto said = nlohmann::json::parse(support::read_text(entry.path() / "golden.json"));
        // A wrapper's other parts are counted there too, and what is no parameter of training (a bias of the choice, a layer's factor) is not.
        if (said.contains("parameters") && e.notes.size() < 2 && !e.info->encoder) {
            const auto parameters = said["parameters"].get<std::uint64_t>();
            EXPECT_GE(e.info->parameters, parameters);
            EXPECT_LE(e.info->parameters, parameters + std::uint64_t(e.info->layers * std::max(1, e.info->experts)));
        }
        EXPECT_EQ(has_kind(e, "experts"), e.info->experts > 0);
        if (const std::string format = expected_format(name); !format.empty()) {
            EXPECT_THAT(e.info->format, HasSubstr(format));
            EXPECT_THAT(e.needs->values, Contains(Pair(format, testing::Gt(0u))));
            EXPECT_FALSE(e.file.quantisation.empty());
        }
        EXPECT_EQ(e.attention.has_value(), !e.info->encoder);
        if (const auto it = kAttention.find(name); it != kAttention.end()) {
            EXPECT_EQ(shown(*e.attention), it->second);
        }
        // Weights are counted as what they are, however they are packed.
        if (name.starts_with("q_qwen3_")) {
            std::uint64_t weights = 0;
            for (const TensorShare& share : e.file.tensors)
                if (share.kind != "scales" && share.kind != "vision" && share.kind != "audio" && share.kind != "drafting") weights += share.values;
            EXPECT_EQ(weights, e.info->parameters);
        }
        std::string notes;
        for (const auto& note : e.notes) notes += note + "\n";
        const std::pair<const char*, const char*> parts[] = {{"qwen3_5", "vision"}, {"qwen3_omni_thinker", "vision"}, {"qwen3_omni_thinker", "audio"}, {"qwen3_next", "drafting"}};
        for (const auto& [folder, part] : parts) {
            if (name == folder) {
                EXPECT_THAT(notes, HasSubstr(part));
            }
        }
        if (name == "qwen3_next" || name == "granitemoehybrid" || name == "lfm2") {
            EXPECT_TRUE(has_kind(e, "recurrent"));
            EXPECT_GT(e.needs->state_bytes, 0u);
        }
    }
    EXPECT_GE(folders, 50);
    EXPECT_GE(files, 27);
}

TEST(Examine, SaysOfEveryBadFileWhatALoadSays) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    support::TempDir dir;
    const std::string unpack = "tar -xJf '" + (*vectors / "bad_models/bad_models.tar.xz").string() + "' -C '" + dir.path().string() + "'";
    ASSERT_EQ(std::system(unpack.c_str()), 0);
    int refused = 0, known = 0;
    for (const auto& entry : fs::recursive_directory_iterator(dir.path())) {
        const bool folder = entry.is_directory() && fs::exists(entry.path() / "model.safetensors.index.json");
        if (!folder && !entry.is_regular_file()) continue;
        SCOPED_TRACE(entry.path().string());
        const Examination e = checked(entry.path());
        if (!e.refused) continue;
        ++refused;
        known += !e.file.container.empty();
        EXPECT_THAT(e.refused->message, HasSubstr(entry.path().parent_path().string()));
    }
    EXPECT_GT(refused, 200);
    EXPECT_GT(known, 60) << "what a refused file is can mostly be said";
}

TEST(Examine, TellsOfTheStories) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    int loaded = 0, refused = 0;
    for (const auto& entry : fs::recursive_directory_iterator(*vectors / "models")) {
        const auto extension = entry.path().extension();
        if (extension != ".gguf" && extension != ".safetensors") continue;
        SCOPED_TRACE(entry.path().string());
        const Examination e = checked(entry.path());
        EXPECT_FALSE(e.file.tensors.empty());
        e.refused ? ++refused : ++loaded;
    }
    EXPECT_GT(loaded, 8);
    EXPECT_GT(refused, 4) << "dumps of tensors are no models";
}

TEST(Examine, TellsWhatARefusedFileIs) {
    support::TempDir dir;
    const std::string whole = support::read_text(support::data_dir() / "models/qwen3_moe.gguf");
    const auto changed = [&](const char* name, const std::string& from, const std::string& to) {
        std::string bytes = whole;
        for (std::size_t at = 0; (at = bytes.find(from, at)) != bytes.npos; at += to.size()) bytes.replace(at, to.size(), to);
        std::ofstream(dir.path() / name, std::ios::binary) << bytes;
        return dir.path() / name;
    };
    const Examination unknown = checked(changed("unknown.gguf", "qwen3moe", "qwen9moe"));
    ASSERT_TRUE(unknown.refused);
    EXPECT_THAT(unknown.refused->message, AllOf(HasSubstr("has the architecture 'qwen9moe'; this engine runs "), HasSubstr(", and bert for embeddings")));
    EXPECT_EQ(unknown.file.architecture, "qwen9moe");
    EXPECT_GT(unknown.file.layers, 0);
    EXPECT_GT(unknown.file.experts, unknown.file.experts_used);
    EXPECT_TRUE(has_kind(unknown, "experts"));

    std::ofstream(dir.path() / "cut.gguf", std::ios::binary) << whole.substr(0, whole.size() - 1000);
    const Examination cut = checked(dir.path() / "cut.gguf");
    ASSERT_TRUE(cut.refused);
    EXPECT_THAT(cut.refused->message, HasSubstr("ends beyond the file"));
    EXPECT_EQ(cut.file.architecture, "qwen3moe");
    EXPECT_EQ(cut.file.tokenizer.substr(0, 4), "gpt2");

    std::ofstream(dir.path() / "page.gguf", std::ios::binary) << "<!DOCTYPE html><html></html>";
    EXPECT_THAT(checked(dir.path() / "page.gguf").refused->message, HasSubstr("a web page"));
    std::ofstream(dir.path() / "pointer.safetensors", std::ios::binary) << "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    EXPECT_THAT(checked(dir.path() / "pointer.safetensors").refused->message, HasSubstr("a Git LFS pointer"));
    EXPECT_EQ(checked(dir.path() / "absent.gguf").refused->code, base::Code::not_found);
}
