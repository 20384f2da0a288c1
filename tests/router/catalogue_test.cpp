#include "router/catalogue.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/fixtures.h"

namespace fs = std::filesystem;

namespace {

// "hello"
const char* kHash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

struct CatalogueTest : testing::Test {
    support::TempDir folder;
    router::ModelEntry model;
    std::vector<std::string> failures;
    void SetUp() override {
        model.name = "m";
        model.file = "m.gguf";
        model.sha256 = kHash;
        model.bytes = 5;
    }
    fs::path make(const std::string& name, const std::string& text) {
        std::ofstream(folder.path() / name) << text;
        return folder.path() / name;
    }
    base::Result<fs::path> pull() { return router::pull_model(model, folder.path() / "models", {}, failures); }
};

}  // namespace

TEST_F(CatalogueTest, TheShippedCatalogueIsReadable) {
    auto models = router::read_catalogue(support::source_dir() / "deploy/models.yaml");
    ASSERT_TRUE(models) << models.error().text();
    EXPECT_EQ(models->at(0).name, "qwen2.5-coder-0.5b-instruct");
    EXPECT_EQ(models->at(0).sources.size(), 2u);
    EXPECT_EQ(models->at(0).sources[1].packages.size(), 6u);
}

TEST_F(CatalogueTest, SourcesAreTriedInOrderUntilTheHashIsRight) {
    model.sources = {{router::ModelSource::Kind::path, "/no/such/file", {}},
                     {router::ModelSource::Kind::path, make("wrong", "hullo").string(), {}},
                     {router::ModelSource::Kind::url, "file://" + make("right", "hello").string(), {}}};
    auto file = pull();
    ASSERT_TRUE(file) << file.error().text();
    EXPECT_EQ(support::read_text(*file), "hello");
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_NE(failures[1].find("expected 2cf24"), std::string::npos) << failures[1];
    failures.clear();
    EXPECT_TRUE(pull());  // already there: no source is asked
    EXPECT_TRUE(failures.empty());
}

TEST_F(CatalogueTest, ABrokenDownloadGoesOnWhereItEnded) {
    fs::create_directories(folder.path() / "models");
    std::ofstream(folder.path() / "models/m.gguf.part") << "hel";
    model.sources = {{router::ModelSource::Kind::url, "file://" + make("right", "hello").string(), {}}};
    auto file = pull();
    ASSERT_TRUE(file) << failures.at(0);
    EXPECT_EQ(support::read_text(*file), "hello");
}

TEST_F(CatalogueTest, WithoutASourceTheErrorSaysWhatToDo) {
    model.sources = {{router::ModelSource::Kind::url, "http://127.0.0.1:1/x", {}}};
    auto file = pull();
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().text().find("model.path"), std::string::npos);
    EXPECT_EQ(failures.size(), 1u);
}

TEST_F(CatalogueTest, TooLittleDiskIsSaidBeforeAnyByte) {
    model.bytes = std::uint64_t(1) << 60;
    EXPECT_EQ(pull().error().code, base::Code::resource_exhausted);
}
