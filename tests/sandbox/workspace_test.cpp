#include "sandbox/workspace.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/fixtures.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

class WorkspaceTest : public ::testing::Test {
protected:
    void SetUp() override {
        fs::create_directories(root() / "sub");
        put("a.txt", "hello\n");
        put("sub/b.txt", "deep\n");
        std::ofstream(folder_.path() / "secret.txt") << "secret";
        fs::create_symlink("../secret.txt", root() / "link.txt");
        fs::create_directory_symlink("..", root() / "up");
    }
    fs::path root() const { return folder_.path() / "root"; }
    void put(const std::string& path, const std::string& text) { std::ofstream(root() / path) << text; }
    std::unique_ptr<Workspace> open(Workspace::Access access = Workspace::Access::read_write, std::vector<fs::path> masked = {}) {
        return Workspace::open(root(), access, std::move(masked)).value();
    }
    support::TempDir folder_;
};

TEST_F(WorkspaceTest, ReadsWhatLiesUnderTheRootByEitherName) {
    const auto workspace = open();
    EXPECT_EQ(*workspace->read("a.txt", 1000), "hello\n");
    EXPECT_EQ(*workspace->read("sub/../sub/b.txt", 1000), "deep\n");
    EXPECT_EQ(*workspace->read((root() / "a.txt").string(), 1000), "hello\n");
}

TEST_F(WorkspaceTest, NothingOutsideIsReachable) {
    const auto workspace = open();
    for (const char* path : {"../secret.txt", "link.txt", "up/secret.txt", "sub/../../secret.txt", "/etc/passwd"}) {
        const auto read = workspace->read(path, 1000);
        ASSERT_FALSE(read) << path;
        EXPECT_FALSE(read.error().message.empty());
        EXPECT_FALSE(workspace->write(path, "x")) << path;
    }
    std::ifstream in(folder_.path() / "secret.txt");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "secret");
}

TEST_F(WorkspaceTest, MissingTooLargeAndReadOnlyAreErrors) {
    const auto workspace = open(Workspace::Access::read_only);
    EXPECT_EQ(workspace->read("nothing.txt", 1000).error().code, base::Code::not_found);
    EXPECT_FALSE(workspace->read("a.txt", 3));
    EXPECT_FALSE(workspace->write("new.txt", "x"));
    EXPECT_FALSE(fs::exists(root() / "new.txt"));
}

TEST_F(WorkspaceTest, NarrowedItTakesWhatLiesInTheFoldersAndIsNeverWidened) {
    const auto workspace = open();
    workspace->narrow({"prompts", "skills"});
    for (const char* fine : {"prompts/a.md", "skills/deep/b.md", "sub/../prompts/c.md"}) EXPECT_TRUE(workspace->write(fine, "x")) << fine;
    for (const char* not_in : {"a.txt", "prompts2/a.md", "sub/prompts/a.md", "prompts/../a.txt", "./new.txt"}) {
        const auto written = workspace->write(not_in, "evil");
        ASSERT_FALSE(written) << not_in;
        EXPECT_THAT(written.error().message, ::testing::HasSubstr("only what lies in prompts/ and skills/ is in this run"));
    }
    EXPECT_EQ(*workspace->read("a.txt", 1000), "hello\n");
    workspace->narrow({"prompts", "sub"});
    EXPECT_EQ(workspace->writable(), std::vector<std::string>{"prompts"}) << "what was shut stays shut";
    workspace->narrow({"sub"});
    EXPECT_EQ(workspace->access(), Workspace::Access::read_only);
}

TEST_F(WorkspaceTest, WritesWholeFilesAndMakesParents) {
    const auto workspace = open();
    ASSERT_TRUE(workspace->write("x/y/z.txt", "new"));
    EXPECT_EQ(*workspace->read("x/y/z.txt", 100), "new");
    ASSERT_TRUE(workspace->write("a.txt", "other"));
    EXPECT_EQ(*workspace->read("a.txt", 100), "other");
}

TEST_F(WorkspaceTest, ListsAndWalksWithoutFollowingLinks) {
    fs::create_directories(root() / ".git");
    put(".git/config", "x");
    const auto workspace = open();
    const auto listed = workspace->list(".");
    ASSERT_TRUE(listed);
    bool link = false;
    for (const Entry& entry : *listed) link |= entry.path == "link.txt" && entry.kind == Entry::Kind::symlink;
    EXPECT_TRUE(link);
    const auto walked = workspace->walk(".", 100);
    ASSERT_TRUE(walked);
    bool deep = false;
    for (const Entry& entry : *walked) {
        deep |= entry.path == "sub/b.txt";
        EXPECT_EQ(entry.path.find("secret"), std::string::npos);
        EXPECT_EQ(entry.path.find(".git/"), std::string::npos);
    }
    EXPECT_TRUE(deep);
}

TEST_F(WorkspaceTest, FoldersThatShowTheMachineAreRefusedByTheirFileSystem) {
    for (const char* folder : {"/proc", "/proc/self", "/proc/self/fd", "/sys", "/sys/kernel", "/dev", "/dev/pts"}) {
        if (!std::filesystem::is_directory(folder)) continue;
        const auto refused = Workspace::open(folder, Workspace::Access::read_only, {});
        ASSERT_FALSE(refused) << folder;
        EXPECT_EQ(refused.error().code, base::Code::permission_denied);
        EXPECT_NE(refused.error().message.find("processes, devices"), std::string::npos) << refused.error().message;
    }
    for (const char* folder : {"/tmp", "/usr", "/var"}) {
        const auto fine = Workspace::open(folder, Workspace::Access::read_only, {});
        EXPECT_TRUE(fine) << fine.error().text();
    }
}

TEST_F(WorkspaceTest, AMaskedFolderIsRefusedAsRootAndHiddenInside) {
    EXPECT_FALSE(Workspace::open(root(), Workspace::Access::read_only, {root()}));
    EXPECT_FALSE(Workspace::open(root() / "sub", Workspace::Access::read_only, {root()}));
    const auto workspace = open(Workspace::Access::read_write, {root() / "sub", root() / "never"});
    EXPECT_FALSE(workspace->read("sub/b.txt", 100));
    EXPECT_FALSE(workspace->write("sub/b.txt", "x"));
    const auto listed = workspace->list(".").value();
    for (const Entry& entry : listed) EXPECT_NE(entry.path, "sub");
}

// The same words whether it is a file, a folder or nothing, and however it is named.
TEST_F(WorkspaceTest, AMaskedPathIsSaidToBeProtectedWhateverIsThere) {
    const auto workspace = open(Workspace::Access::read_write, {root() / "sub", root() / "never"});
    for (const std::string& path : {std::string("sub"), std::string("sub/b.txt"), std::string("sub/none"), std::string("sub/b.txt/deeper"), std::string("never"), std::string("never/x"),
                                    std::string("a/../sub/b.txt"), (root() / "sub/b.txt").string()}) {
        const std::string told = "\"" + path + "\" is protected: ";
        const auto read = workspace->read(path, 100);
        EXPECT_EQ(read.error().code, base::Code::permission_denied) << path;
        for (const base::Error& error : {read.error(), workspace->list(path).error(), workspace->walk(path, 10).error(), workspace->write(path, "x").error()})
            EXPECT_EQ(error.text(), told + "Hearth's own state, settings and keys can be neither read nor written from here (ask the person who runs Hearth)");
    }
}

TEST_F(WorkspaceTest, AMaskedFileIsHidden) {
    const auto workspace = open(Workspace::Access::read_write, {root() / "sub/b.txt"});
    EXPECT_EQ(workspace->read("sub/b.txt", 100).error().code, base::Code::permission_denied);
    EXPECT_TRUE(workspace->list("sub")->empty());
}

TEST_F(WorkspaceTest, AFolderHandedOverUnderAnotherNameIsRefused) {
    const auto hand_over = [&](const fs::path& folder, const fs::path& name) {
        return Workspace::from_fd(Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), name, Workspace::Access::read_only, {root()});
    };
    fs::create_directory(folder_.path() / "other");
    EXPECT_TRUE(hand_over(folder_.path() / "other", folder_.path() / "other/"));
    // By that name the folder that must stay hidden would not be.
    const auto renamed = hand_over(root(), folder_.path() / "other");
    ASSERT_FALSE(renamed);
    EXPECT_EQ(renamed.error().code, base::Code::invalid_argument);
    EXPECT_FALSE(hand_over(root() / "up", root() / "up"));
}

}  // namespace
}  // namespace sandbox
