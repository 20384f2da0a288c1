#include "app/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app {
namespace {

using base::Code;
using testing::HasSubstr;

TEST(ModelError, KeepsTheEnginesOwnRemedy) {
    for (const Code code : {Code::unsupported, Code::resource_exhausted, Code::invalid_argument})
        EXPECT_EQ(model_error(base::error(code, "what", "leave the target open")).remedy, "leave the target open");
}

TEST(ModelError, HasARemedyForEveryKind) {
    EXPECT_THAT(model_error(base::error(Code::unsupported, "what")).remedy, HasSubstr("hearth model list"));
    EXPECT_THAT(model_error(base::error(Code::not_found, "what", "name a GGUF file that is there")).remedy, HasSubstr("hearth model pull"));
    EXPECT_THAT(model_error(base::error(Code::corrupt, "what")).remedy, HasSubstr("hearth model pull"));
    EXPECT_THAT(model_error(base::error(Code::io, "what")).remedy, HasSubstr("HEARTH_MODEL_PATH"));
}

}  // namespace
}  // namespace app
