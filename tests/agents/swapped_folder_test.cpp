// A folder that somebody handed over as a descriptor, and whose path leads elsewhere when the run is gone on with.
#include <gmock/gmock.h>

#include "lives.h"

namespace agents::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SwappedFolder : public TurnTest {
protected:
    // The run that another process goes on with after `meanwhile`.
    store::Run gone_on_with(const std::function<void(const fs::path& folder)>& meanwhile) {
        support::TestDatabase* const database = support::TestDatabase::get();
        database->sql("update run set state = 'failed' where state is null");
        const support::TempDir root, own;
        const fs::path folder = own.path() / "folder";
        fs::create_directory(folder);
        base::RunId id;
        {
            Process first(root.path());
            ChatRequest asked;
            asked.principal = {database->owner().tenant, database->owner().person, policy::Role::owner, "test", false};
            asked.alias = "hearth/dev";
            asked.messages = {user("Do it all.")};
            asked.workspace = sandbox::Workspace::open(folder, sandbox::Workspace::Access::read_write, {}).value();
            first.ask(std::move(asked));
            while (first.events.empty())
                if (!first.live(1)) return {};
            id = first.events[0].run;
        }
        meanwhile(folder);
        Process second(root.path());
        EXPECT_TRUE(second.resume());
        const auto find = [&](store::Tx& tx) { return store::find_run(tx, id).value(); };
        return database->db().run_blocking(database->owner(), find);
    }
};

TEST_F(SwappedFolder, TheSameFolderIsWorkedInAgain) {
    const store::Run run = gone_on_with([](const fs::path&) {});
    EXPECT_EQ(run.status, "answered") << run.error;
}

TEST_F(SwappedFolder, AnotherFolderOfThatPathIsRefused) {
    const support::TempDir secret;
    for (const bool link : {false, true}) {
        effects.clear();
        const store::Run run = gone_on_with([&](const fs::path& folder) {
            fs::rename(folder, folder.string() + "-before");
            if (link) fs::create_directory_symlink(secret.path(), folder);
            else fs::create_directory(folder);
        });
        EXPECT_EQ(run.status, "failed");
        EXPECT_THAT(run.error, HasSubstr("not the folder any more"));
        EXPECT_TRUE(effects.empty()) << "nothing was done in it";
    }
}

}  // namespace
}  // namespace agents::testing
