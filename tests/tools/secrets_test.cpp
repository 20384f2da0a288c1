#include "tools/secrets.h"

#include <gmock/gmock.h>

#include "tools/registry.h"

namespace {

using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

base::Result<std::vector<std::string>> named(const char* tool, const Json& arguments) { return tools::named_secrets(*tools::Builtins().find(tool), arguments); }

TEST(NamedSecrets, AreThoseThatStandAloneWhereTheToolTakesThem) {
    EXPECT_THAT(named("bash", {{"command", "gh pr list"}, {"env", {{"A", "secret:github"}, {"B", "secret:mail"}, {"C", "secret:github"}, {"D", "plain"}}}}).value(), ElementsAre("github", "mail"));
    EXPECT_THAT(named("bash", {{"command", "true"}}).value(), IsEmpty());
}

TEST(NamedSecrets, AreNotPutIntoTexts) {
    for (const Json& arguments : {Json{{"command", "curl -H 'Authorization: Bearer secret:github' localhost"}}, Json{{"command", "secret:github"}}, Json{{"command", "TOKEN=secret:github gh pr list"}},
                                  Json{{"command", "cat"}, {"stdin", "secret:github"}}, Json{{"command", "cat"}, {"stdin", "user\nsecret:github\n"}},
                                  Json{{"command", "true"}, {"env", {{"A", "Bearer secret:github"}}}}, Json{{"command", "true"}, {"env", {{"secret:github", "x"}}}}}) {
        const auto found = named("bash", arguments);
        ASSERT_FALSE(found) << arguments;
        EXPECT_EQ(found.error().code, base::Code::invalid_argument);
        EXPECT_THAT(found.error().message, HasSubstr("secret:github")) << arguments;
        EXPECT_THAT(found.error().remedy, HasSubstr(R"({"env": {"TOKEN": "secret:github"}})")) << arguments;
    }
}

TEST(NamedSecrets, AToolThatTakesNoneIsNotGivenTheTextInTheirPlace) {
    const std::pair<const char*, Json> calls[] = {{"write_file", {{"path", "key.txt"}, {"content", "secret:github"}}}, {"grep_files", {{"pattern", "secret:github"}}}};
    for (const auto& [tool, arguments] : calls) {
        const auto found = named(tool, arguments);
        ASSERT_FALSE(found) << tool;
        EXPECT_THAT(found.error().text(), testing::AllOf(HasSubstr("secret:github"), HasSubstr(std::string(tool) + " takes no secrets")));
    }
    // Settings hold handles, and files of settings are written.
    EXPECT_THAT(named("write_file", {{"path", "hearth.yaml"}, {"content", "upstream:\n  key: secret:openai\n"}}).value(), IsEmpty());
}

TEST(NamedSecrets, OtherTextsAreNone) {
    for (const char* text : {"echo secret: x", "echo 'secret:'", "grep -r secret[:]github .", "echo top_secret:github", "echo arn:aws:secretsmanager:eu:1:secret:db-1", "echo secret:1"})
        EXPECT_THAT(named("bash", {{"command", text}}).value(), IsEmpty()) << text;
}

}  // namespace
