// Whose a file is, and who may do what with it, outlives a change of its content.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fstream>

#include "sandbox/workspace.h"
#include "support/as_user.h"
#include "support/fixtures.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uid_t kAnn = 12345;
constexpr const char* kAccess = "system.posix_acl_access";
constexpr const char* kDefault = "system.posix_acl_default";

// The kernel's form: version 2, then tag, permissions and id of each entry.
struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
};
std::string access_list(const std::vector<Entry>& entries) {
    std::string out("\2\0\0\0", 4);
    for (const Entry& entry : entries) out.append(reinterpret_cast<const char*>(&entry), sizeof entry);
    return out;
}
// As `setfacl -m u:USER:rwX` leaves it.
std::string list_with(uid_t user, std::uint16_t others = 4) {
    return access_list({{0x01, 6, ~0u}, {0x02, 6, user}, {0x04, 4, ~0u}, {0x10, 6, ~0u}, {0x20, others, ~0u}});
}
std::string list_of(const fs::path& file, const char* name = kAccess) {
    char buffer[4096];
    const ssize_t n = getxattr(file.c_str(), name, buffer, sizeof buffer);
    return n < 0 ? "none" : std::string(buffer, std::size_t(n));
}

class ReplaceFile : public testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "only root can make files of several users";
        const passwd* found = getpwnam("hearth");
        if (!found) GTEST_SKIP() << "there is no user hearth";
        user_ = *found;
        ASSERT_EQ(chown(work().c_str(), kAnn, kAnn), 0);
        chmod(work().c_str(), 0755);
        if (setxattr(work().c_str(), kAccess, folder_list().data(), folder_list().size(), 0) != 0) GTEST_SKIP() << "this file system has no access lists";
    }
    std::string folder_list() const { return access_list({{0x01, 7, ~0u}, {0x02, 7, user_.pw_uid}, {0x04, 5, ~0u}, {0x10, 7, ~0u}, {0x20, 5, ~0u}}); }
    fs::path work() const { return dir_.path(); }
    fs::path put(const std::string& name, uid_t owner, unsigned mode) const {
        std::ofstream(work() / name) << "old content, longer than the new one";
        EXPECT_EQ(chown((work() / name).c_str(), owner, owner == user_.pw_uid ? user_.pw_gid : gid_t(owner)), 0);
        chmod((work() / name).c_str(), mode);
        return work() / name;
    }
    void give(const fs::path& file, const std::string& list) const { ASSERT_EQ(setxattr(file.c_str(), kAccess, list.data(), list.size(), 0), 0); }
    // As the user hearth; empty when it worked.
    std::string write_as(const std::string& name, const std::string& content) const {
        return support::said_as(user_, [&]() -> std::string { return write(name, content); });
    }
    std::string write(const std::string& name, const std::string& content) const {
        auto workspace = Workspace::open(work(), Workspace::Access::read_write, {});
        if (!workspace) return workspace.error().text();
        const auto done = (*workspace)->write(name, content);
        return done ? "" : done.error().text();
    }
    static struct stat about(const fs::path& file) {
        struct stat out{};
        EXPECT_EQ(stat(file.c_str(), &out), 0) << file;
        return out;
    }
    std::size_t entries() const { return std::size_t(std::distance(fs::directory_iterator(work()), fs::directory_iterator())); }

    support::TempDir dir_;
    passwd user_{};
};

TEST_F(ReplaceFile, AnothersFileStaysHis) {
    const fs::path file = put("notes", kAnn, 0640);
    give(file, list_with(user_.pw_uid));
    const std::string list = list_of(file);
    EXPECT_EQ(write_as("notes", "new"), "");
    EXPECT_EQ(support::read_text(file), "new");
    EXPECT_EQ(about(file).st_uid, kAnn);
    EXPECT_EQ(about(file).st_gid, kAnn);
    EXPECT_EQ(list_of(file), list);
    EXPECT_EQ(entries(), 1u);
}

TEST_F(ReplaceFile, AnothersFileThatMayNotBeWrittenIsRefused) {
    const fs::path file = put("notes", kAnn, 0644);
    EXPECT_THAT(write_as("notes", "new"), HasSubstr("closed to the user hearth"));
    EXPECT_THAT(support::read_text(file), HasSubstr("old content"));
    EXPECT_EQ(entries(), 1u);
}

TEST_F(ReplaceFile, OnesOwnFileIsReplacedAtOnceWithItsList) {
    const fs::path file = put("mine", user_.pw_uid, 0600);
    give(file, list_with(kAnn, 0));
    const std::string list = list_of(file);
    const ino_t before = about(file).st_ino;
    EXPECT_EQ(write_as("mine", "new"), "");
    EXPECT_NE(about(file).st_ino, before);
    EXPECT_EQ(list_of(file), list);
    EXPECT_EQ(about(file).st_uid, user_.pw_uid);
}

TEST_F(ReplaceFile, AFileWithoutAListGetsNoneFromItsFolder) {
    const std::string inherited = list_with(777);
    ASSERT_EQ(setxattr(work().c_str(), kDefault, inherited.data(), inherited.size(), 0), 0);
    const fs::path file = put("mine", user_.pw_uid, 0750);
    ASSERT_TRUE(removexattr(file.c_str(), kAccess) == 0 || errno == ENODATA);
    chmod(file.c_str(), 0750);
    EXPECT_EQ(write_as("mine", "new"), "");
    EXPECT_EQ(list_of(file), "none");
    EXPECT_EQ(about(file).st_mode & 0777, 0750u);
}

TEST_F(ReplaceFile, ANewFileGetsTheListOfItsFolder) {
    EXPECT_EQ(write_as("plain", "new"), "");
    EXPECT_EQ(about(work() / "plain").st_mode & 0777, 0644u);
    const std::string inherited = list_with(kAnn, 0);
    ASSERT_EQ(setxattr(work().c_str(), kDefault, inherited.data(), inherited.size(), 0), 0);
    EXPECT_EQ(write_as("shared", "new"), "");
    EXPECT_EQ(list_of(work() / "shared"), inherited) << "Ann may write it, others may not read it";
}

TEST_F(ReplaceFile, RootGivesAFileBackToWhomItBelongs) {
    const fs::path file = put("bobs", 23456, 0600);
    give(file, list_with(kAnn, 0));
    const std::string list = list_of(file);
    EXPECT_EQ(write("bobs", "new"), "");
    EXPECT_EQ(about(file).st_uid, 23456u);
    EXPECT_EQ(about(file).st_gid, 23456u);
    EXPECT_EQ(list_of(file), list);
    EXPECT_EQ(write("fresh", "new"), "");
    EXPECT_EQ(about(work() / "fresh").st_uid, kAnn);
}

}  // namespace
}  // namespace sandbox
