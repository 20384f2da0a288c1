// A process that dies while it loads a model leaves how far it was.
#include "router/load_note.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/fixtures.h"

using router::LoadNote;
using testing::HasSubstr;

namespace {

// In a process of its own, which is killed where it then stands.
template <class F>
void killed(F&& load) {
    const pid_t child = fork();
    if (child == 0) {
        load();
        kill(getpid(), SIGKILL);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
}

}  // namespace

TEST(LoadNote, TellsTheNextProcessWhereOneDied) {
    const support::TempDir folder;
    const auto notes = folder.path() / "loads", model = folder.path() / "m.gguf", other = folder.path() / "other.gguf";
    std::ofstream(model) << "weights";
    EXPECT_TRUE(LoadNote::probes(notes).empty());
    killed([&] {
        LoadNote note(notes, model);
        note.reached("reading", 0, 900 << 20);
        note.reached("weights", 0.42, 12 << 20);
    });
    auto probes = LoadNote::probes(notes);
    ASSERT_EQ(probes.size(), 1u);
    EXPECT_THAT(probes[0].found, HasSubstr("m.gguf, at weights 42 %, with 12 MiB of memory left (900 before)"));
    EXPECT_EQ(probes[0].health, base::Health::warning);
    EXPECT_FALSE(LoadNote::ended_well(notes, model));
    EXPECT_EQ(LoadNote(notes, other).death(), "") << "of another file nothing is known";

    LoadNote next(notes, model);
    EXPECT_THAT(next.death(), HasSubstr("at weights 42 %"));
    next.reached("weights", 0.5, 0);
    next.loaded({{"seconds", 1.5}});
    EXPECT_TRUE(LoadNote::ended_well(notes, model));
    EXPECT_EQ(LoadNote(notes, model).death(), "") << "told once";
    probes = LoadNote::probes(notes);
    ASSERT_EQ(probes.size(), 1u) << "the probe tells of it for a while";
    EXPECT_THAT(probes[0].found, HasSubstr("it has loaded since"));
    std::ofstream(model) << "other weights";
    EXPECT_FALSE(LoadNote::ended_well(notes, model)) << "the file is another";
}

TEST(LoadNote, LeavesAloneWhatALivingProcessWrites) {
    const support::TempDir folder;
    const auto model = folder.path() / "m.gguf";
    LoadNote first(folder.path(), model);
    first.reached("weights", 0.1, 0);
    LoadNote second(folder.path(), model);
    EXPECT_EQ(second.death(), "");
    second.failed("no");
    EXPECT_TRUE(LoadNote::probes(folder.path()).empty());
    first.loaded(base::Json::object());
    EXPECT_TRUE(LoadNote::ended_well(folder.path(), model));
    LoadNote failing(folder.path(), model);
    failing.failed("damaged");
    EXPECT_TRUE(LoadNote::ended_well(folder.path(), model)) << "it has been loaded, and its memory sufficed";
    LoadNote(folder.path(), model).failed("damaged still");
    EXPECT_TRUE(LoadNote::ended_well(folder.path(), model));
    killed([&] { LoadNote(folder.path(), model).reached("weights", 0.1, 0); });
    EXPECT_FALSE(LoadNote::ended_well(folder.path(), model));
    LoadNote(folder.path(), model).failed("a wrong draft");
    EXPECT_FALSE(LoadNote::ended_well(folder.path(), model)) << "a death takes it back";
    LoadNote nowhere({}, model);
    nowhere.reached("weights", 0.1, 0);
    nowhere.loaded(base::Json::object());
    EXPECT_FALSE(LoadNote::ended_well({}, model));
}
