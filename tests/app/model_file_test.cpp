#include "app/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/fixtures.h"

namespace app {
namespace {

using base::Code;
using testing::HasSubstr;
using testing::Not;

// A state folder whose catalogue knows "known", which lies there.
struct ModelError : testing::Test {
    support::TempDir folder;
    Settings settings;
    std::filesystem::path pulled = folder.path() / "models/known.gguf", other = folder.path() / "other.gguf";
    void SetUp() override {
        std::filesystem::create_directories(folder.path() / "models");
        std::ofstream(pulled) << "x";
        std::ofstream(other) << "x";
        std::ofstream(folder.path() / "models.yaml") << "models:\n  - {name: known, file: known.gguf, bytes: 2, sha256: x, sources: []}\n";
        settings.state_folder = folder.path();
        settings.catalogue = folder.path() / "models.yaml";
    }
    std::string remedy(base::Error e, const std::filesystem::path& file = "m.gguf") { return model_error(std::move(e), settings, file).remedy; }
};

TEST_F(ModelError, KeepsTheEnginesOwnRemedy) {
    for (const Code code : {Code::unsupported, Code::resource_exhausted, Code::invalid_argument})
        EXPECT_EQ(remedy(base::error(code, "what", "leave the target open")), "leave the target open");
}

TEST_F(ModelError, HasARemedyForEveryKind) {
    EXPECT_THAT(remedy(base::error(Code::unsupported, "what")), HasSubstr("hearth model list"));
    EXPECT_THAT(remedy(base::error(Code::not_found, "what", "name a GGUF file that is there")), HasSubstr("hearth model pull"));
    EXPECT_THAT(remedy(base::error(Code::io, "what")), HasSubstr("HEARTH_MODEL_PATH"));
}

TEST_F(ModelError, PromisesAPullOnlyForWhatIsPulled) {
    const auto link = folder.path() / "models/current.gguf";
    std::filesystem::create_symlink(pulled, link);
    for (const auto& file : {pulled, link}) EXPECT_THAT(remedy(base::error(Code::corrupt, "what"), file), HasSubstr("hearth model pull known fetches it again"));
    EXPECT_THAT(remedy(base::error(Code::corrupt, "what"), other), Not(HasSubstr("pull")));
}

}  // namespace
}  // namespace app
