#include "tools/registry.h"

#include <gmock/gmock.h>

#include "base/json_schema.h"
#include "tools/collections.h"

namespace {

std::vector<std::string> names(policy::Scope scope) {
    std::vector<std::string> out;
    for (const tools::Tool* tool : tools::Builtins().list(scope)) out.push_back(tool->name);
    return out;
}

TEST(Registry, EveryRowIsWhole) {
    for (const tools::Tool& tool : tools::builtin_tools()) {
        SCOPED_TRACE(tool.name);
        EXPECT_NE(tool.run, nullptr);
        EXPECT_FALSE(tool.purpose.empty());
        EXPECT_FALSE(tool.scopes.empty());
        EXPECT_TRUE(base::Schema::parse(base::Json(tool.input)).ok());
        EXPECT_TRUE(base::Schema::parse(base::Json(tool.output)).ok());
        EXPECT_GT(tool.deadline.count(), 0);
        for (const auto& argument : tool.takes_secrets) EXPECT_TRUE(tool.input["properties"].contains(argument)) << argument;
        EXPECT_EQ(tools::Builtins().find(tool.name), &tool) << "the name is taken twice";
    }
}

TEST(Registry, ScopesDecideWhoSeesWhat) {
    EXPECT_THAT(names(policy::Scope::dev), testing::UnorderedElementsAre("read_file", "write_file", "edit_file", "list_dir", "glob_files", "grep_files", "bash", "spawn_thread", "note"));
    EXPECT_THAT(names(policy::Scope::home), testing::UnorderedElementsAre("read_file", "list_dir", "grep_files", "remember", "recall", "time", "spawn_thread", "schedule", "note", "collection_add", "collection_search", "collection_update"));
    EXPECT_THAT(names(policy::Scope::admin), testing::UnorderedElementsAre("recent_runs", "read_run", "usage"));
}

TEST(Registry, NoMenuIsLongerThanAModelReadsWell) {
    for (const auto scope : {policy::Scope::dev, policy::Scope::home}) {
        std::size_t shown = names(scope).size();
        for (const auto& name : names(scope)) shown -= tools::is_of_collections(name);  // only to who has some
        EXPECT_LE(shown + 1, 12u) << "with the answer tool";
    }
}

// The model cannot ask for less sandbox: there is no argument for it.
TEST(Registry, BashTakesNoArgumentThatWeakensTheSandbox) {
    const auto schema = base::Schema::parse(base::Json(tools::Builtins().find("bash")->input)).value();
    EXPECT_TRUE(schema.validate({{"command", "true"}, {"timeout_seconds", 30}}).ok());
    for (const base::Json& extra : {base::Json{{"sandbox", false}}, base::Json{{"cwd", "/"}}, base::Json{{"level", "T0"}},
                                    base::Json{{"timeout_seconds", 1e9}}, base::Json{{"timeout_seconds", 0}}, base::Json{{"network", true}}}) {
        base::Json arguments = {{"command", "true"}};
        arguments.update(extra);
        EXPECT_FALSE(schema.validate(arguments).ok()) << extra;
    }
}

TEST(Registry, AnUnknownNameIsNotFound) { EXPECT_EQ(tools::Builtins().find("rm"), nullptr); }

}  // namespace
