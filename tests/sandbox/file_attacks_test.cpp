// Attacks on the tools that read and write files in process. Each first succeeds against a naive reader
// (check the resolved path, then open it), which proves that the attack is real, and then fails.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "sandbox/workspace.h"
#include "support/fixtures.h"

namespace {

namespace fs = std::filesystem;
using base::Code;
using sandbox::Workspace;

constexpr char kSecret[] = "the secret of the house";
constexpr int kRaceTries = 500000;

void put(const fs::path& file, const std::string& content) { std::ofstream(file, std::ios::binary) << content; }

class FileAttacks : public testing::Test {
protected:
    FileAttacks() {
        fs::create_directories(root());
        fs::create_directories(dir_.path() / "ws-evil");
        put(secret(), kSecret);
        put(dir_.path() / "ws-evil/file", kSecret);
        workspace_ = Workspace::open(root(), Workspace::Access::read_write, {}).value();
    }
    fs::path root() const { return dir_.path() / "ws"; }
    fs::path secret() const { return dir_.path() / "secret"; }
    std::string read(const std::string& path) const { return workspace_->read(path, 1 << 20).value_or(""); }
    Code code(const std::string& path) const { return workspace_->read(path, 1 << 20).error().code; }

    // What many tools do: resolve, compare the text of the path, open by path.
    std::string naive_read(const std::string& path) const {
        std::error_code failed;
        const fs::path whole = fs::canonical(root() / path, failed);
        if (failed || !whole.string().starts_with(root().string())) return "";
        std::ifstream in(root() / path);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    support::TempDir dir_;
    std::unique_ptr<Workspace> workspace_;
};

// A folder and a link to the outside change places while the path is read.
TEST_F(FileAttacks, SwapRace) {
    fs::create_directories(root() / "d");
    put(root() / "d/secret", "harmless");
    fs::create_directory_symlink(dir_.path(), root() / "link");
    std::atomic<bool> done{false};
    std::thread swapper([&] {
        while (!done) syscall(SYS_renameat2, AT_FDCWD, (root() / "d").c_str(), AT_FDCWD, (root() / "link").c_str(), RENAME_EXCHANGE);
    });
    int naive = 0, ours = 0, harmless = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (naive == 0 && std::chrono::steady_clock::now() < end) naive += naive_read("d/secret") == kSecret;
    for (int i = 0; i < kRaceTries; ++i) {
        const std::string got = read("d/secret");
        ours += got == kSecret;
        harmless += got == "harmless";
    }
    done = true;
    swapper.join();
    EXPECT_GT(naive, 0) << "the race was never lost by the naive reader: nothing is proved";
    EXPECT_GT(harmless, 0);
    EXPECT_EQ(ours, 0) << "escapes in " << kRaceTries << " tries";
}

TEST_F(FileAttacks, OddPathsAreTypedErrors) {
    std::ifstream naive(root() / "../secret");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(naive), {}), kSecret);
    EXPECT_EQ(code("../secret"), Code::permission_denied);
    EXPECT_EQ(code("a/../../secret"), Code::permission_denied);
    EXPECT_EQ(code(secret()), Code::permission_denied);
    EXPECT_EQ(code(root().string() + "/../secret"), Code::permission_denied);
    EXPECT_EQ(code("%2e%2e/secret"), Code::not_found);
    EXPECT_EQ(code("\uFF0E\uFF0E/secret"), Code::not_found);  // full-width dots are only dots after NFKC
    EXPECT_EQ(code(std::string("a\0/../../secret", 15)), Code::invalid_argument);
    EXPECT_EQ(code("\xff\xfe"), Code::invalid_argument);
    EXPECT_EQ(code(std::string(300, 'n')), Code::invalid_argument);
    for (const char* path : {"../x", "/x", "\xff"}) EXPECT_FALSE(workspace_->write(path, "x").ok()) << path;
}

TEST_F(FileAttacks, SiblingThatSharesThePrefix) {
    EXPECT_EQ(naive_read("../ws-evil/file"), kSecret);  // by text, /…/ws-evil begins like /…/ws
    EXPECT_EQ(code("../ws-evil/file"), Code::permission_denied);
    EXPECT_EQ(code((dir_.path() / "ws-evil/file").string()), Code::permission_denied);
}

TEST_F(FileAttacks, PlantedLinks) {
    fs::create_symlink(secret(), root() / "notes.txt");
    fs::create_directory_symlink(dir_.path(), root() / "up");
    std::ifstream followed(root() / "notes.txt");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(followed), {}), kSecret);
    for (const char* path : {"notes.txt", "up/secret"}) {
        EXPECT_EQ(code(path), Code::permission_denied) << path;
        EXPECT_EQ(workspace_->write(path, "overwritten").error().code, Code::permission_denied) << path;
    }
    EXPECT_FALSE(workspace_->list("up").ok());
    EXPECT_EQ(support::read_text(secret()), kSecret);
}

TEST_F(FileAttacks, WritingThroughAHardLink) {
    fs::create_hard_link(secret(), root() / "same");
    std::ofstream(root() / "same", std::ios::app) << "!";
    EXPECT_EQ(support::read_text(secret()), std::string(kSecret) + "!");
    EXPECT_EQ(workspace_->write("same", "overwritten").error().code, Code::permission_denied);
    EXPECT_EQ(support::read_text(secret()), std::string(kSecret) + "!");
}

TEST_F(FileAttacks, FilesThatNeverEnd) {
    ASSERT_EQ(mkfifo((root() / "pipe").c_str(), 0600), 0);
    const bool root_user = geteuid() == 0;
    if (root_user) { ASSERT_EQ(mknod((root() / "zero").c_str(), S_IFCHR | 0666, makedev(1, 5)), 0); }
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(code("pipe"), Code::invalid_argument);
    if (root_user) { EXPECT_EQ(code("zero"), Code::invalid_argument); }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
    std::atomic<bool> through{false};
    std::thread naive([&] { std::ifstream in(root() / "pipe"); through = true; });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(through) << "a plain open was expected to hang";
    { const int writer = open((root() / "pipe").c_str(), O_WRONLY | O_NONBLOCK); naive.join(); close(writer); }
}

// The kernel's log: whoever reads it waits for the next line.
TEST_F(FileAttacks, TheKernelsLog) {
    fs::create_symlink("/proc/kmsg", root() / "kmsg");
    const int naive = open((root() / "kmsg").c_str(), O_RDONLY | O_NONBLOCK);
    const auto start = std::chrono::steady_clock::now();
    for (const char* path : {"kmsg", "/proc/kmsg", "../../../../proc/kmsg"}) EXPECT_EQ(code(path), Code::permission_denied) << path;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
    if (naive < 0) GTEST_SKIP() << "refused, but not shown to be real: this user may not open /proc/kmsg at all";
    close(naive);
}

// A file that holds what others obey is not written even where it does not exist yet.
TEST_F(FileAttacks, FilesThatOthersObey) {
    for (const char* path : {".git/hooks/pre-commit", ".git/config", "sub/.git/hooks/x", "./.git//config", ".bashrc", ".mcp.json", "hearth.yaml", ".git/commondir"}) {
        EXPECT_EQ(workspace_->write(path, "x").error().code, Code::permission_denied) << path;
        EXPECT_EQ(workspace_->write((root() / path).string(), "x").error().code, Code::permission_denied) << path;
    }
    EXPECT_TRUE(fs::is_empty(root()));
}

}  // namespace
