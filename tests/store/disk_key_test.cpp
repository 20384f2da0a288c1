#include "store/disk_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/fixtures.h"

namespace store {
namespace {

DiskKey open(const std::filesystem::path& file) {
    auto key = DiskKey::open(file, "nothing is lost");
    if (!key) throw std::runtime_error(key.error().text());
    return *std::move(key);
}

TEST(DiskKey, OpensWhatItSealed) {
    const support::TempDir folder;
    const auto file = folder.path() / "kv.key";
    const std::string plain("keys\0and values", 15), sealed = open(file).seal("anna", plain, "part 1");
    EXPECT_EQ(sealed.find("values"), std::string::npos);
    EXPECT_NE(sealed, open(file).seal("anna", plain, "part 1"));
    const auto back = open(file).unseal("anna", sealed, "part 1");
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, plain);
    EXPECT_FALSE(open(file).unseal("bert", sealed, "part 1"));
    EXPECT_FALSE(open(file).unseal("anna", sealed, "part 2"));
    EXPECT_FALSE(open(folder.path() / "another.key").unseal("anna", sealed, "part 1"));
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        std::string broken = sealed;
        broken[at] = char(broken[at] ^ 1);
        EXPECT_FALSE(open(file).unseal("anna", broken, "part 1")) << at;
        EXPECT_FALSE(open(file).unseal("anna", sealed.substr(0, at), "part 1")) << at;
    }
}

TEST(DiskKey, IsItsOwnersAlone) {
    const support::TempDir folder;
    const auto file = folder.path() / "kv.key";
    open(file);
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    ::chmod(file.c_str(), 0644);
    const auto refused = DiskKey::open(file, "it is lost");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find(file.string()), std::string::npos);
    EXPECT_NE(refused.error().remedy.find("it is lost"), std::string::npos);
    ::chmod(file.c_str(), 0600);
    std::ofstream(file) << "short";
    EXPECT_FALSE(DiskKey::open(file, "it is lost"));
    EXPECT_FALSE(DiskKey::open(folder.path() / "none" / "kv.key", ""));
}

}  // namespace
}  // namespace store
