// A copy takes the place of earlier ones of its file, and of no other's.
#include "app/model_copy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/fixtures.h"

namespace app {
namespace {

namespace fs = std::filesystem;

TEST(ModelCopy, RemovesOnlyCopiesOfItsFile) {
    const support::TempDir folder;
    Settings settings;
    settings.state_folder = folder.path();
    settings.model.copy = "always";
    const fs::path source = folder.path() / "model.gguf";
    fs::copy_file(support::data_dir() / "models/llama_tied.gguf", source);
    const fs::path copy = copy_of_model(settings, source), at = copy.parent_path();
    const auto earlier = {"model-0123456789abcdef.hearth", ".model-0123456789abcdef.hearth.partial"};
    const auto others = {"model-x-0123456789abcdef.hearth", "other-0123456789abcdef.hearth", ".other-0123456789abcdef.hearth.partial"};
    fs::create_directories(at / "folder/within");
    for (const auto& names : {std::vector<std::string>(earlier.begin(), earlier.end()), std::vector<std::string>(others.begin(), others.end())})
        for (const std::string& name : names) std::ofstream(at / name) << "x";
    {
        base::NullLog log;
        const ModelCopier copier({.path = source, .copy = copy}, true, [] { return true; }, log);
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!fs::exists(copy) && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(fs::exists(copy));
    for (const char* name : earlier) EXPECT_FALSE(fs::exists(at / name)) << name;
    for (const char* name : others) EXPECT_TRUE(fs::exists(at / name)) << name;
    EXPECT_TRUE(fs::exists(at / "folder/within"));
}

}  // namespace
}  // namespace app
