// Files of keys and values: found by the conversation's beginning, whole or not there, gone when told so.
#include "engine/kv_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/fixtures.h"

using namespace engine;
namespace fs = std::filesystem;

namespace {

constexpr int kBlock = 32;

std::vector<text::TokenId> conversation(int n, int from = 0) {
    std::vector<text::TokenId> out;
    for (int i = 0; i < n; ++i) out.push_back(from + i);
    return out;
}

KvPiece piece(const std::vector<text::TokenId>& tokens, int first, std::string state = {}) {
    KvPiece out{tokens, first, 0.5, {}, std::move(state)};
    for (int at = first; at < int(tokens.size()); at += kBlock) out.blocks.push_back("block at " + std::to_string(at));
    return out;
}

std::unique_ptr<KvStore> open(const fs::path& folder, std::uint64_t most = 1 << 20, std::uint64_t model = 7, std::shared_ptr<const KvCipher> cipher = {}) {
    auto store = KvStore::open({.folder = folder, .most_bytes = most, .cipher = std::move(cipher)}, model, kBlock);
    if (!store) throw std::runtime_error(store.error().text());
    return *std::move(store);
}

std::vector<fs::path> files(const fs::path& folder) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) out.push_back(entry.path());
    return out;
}

// Shifts letters by the audience's length: sealed for one, it does not open for another.
struct Shift : KvCipher {
    static std::string shifted(std::string_view text, int by) {
        std::string out(text);
        for (char& c : out) c = char(c + by);
        return out;
    }
    base::Result<std::string> seal(const std::string& audience, std::string_view plain, std::string_view bound) const override {
        return shifted(plain, int(audience.size())) + "|" + audience + "|" + std::string(bound);
    }
    base::Result<std::string> open(const std::string& audience, std::string_view sealed, std::string_view bound) const override {
        const std::string end = "|" + audience + "|" + std::string(bound);
        if (!sealed.ends_with(end)) return base::error(base::Code::corrupt, "sealed for somebody else");
        return shifted(sealed.substr(0, sealed.size() - end.size()), -int(audience.size()));
    }
};

}  // namespace

TEST(KvStore, BringsAConversationBackAfterARestart) {
    const support::TempDir folder;
    const auto tokens = conversation(200);
    ASSERT_TRUE(open(folder.path())->write("anna", piece(conversation(96), 0)));
    ASSERT_TRUE(open(folder.path())->write("anna", piece(conversation(192), 96)));
    const auto store = open(folder.path());
    EXPECT_TRUE(store->holds("anna"));
    const auto found = store->find("anna", tokens, 0, false);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].end, 96);
    EXPECT_EQ(found[1].from, 96);
    EXPECT_EQ(found[1].end, 192);
    const auto back = store->read("anna", found[1], 1e9);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(back->tokens, conversation(192));
    EXPECT_EQ(back->first, 96);
    EXPECT_EQ(back->blocks, piece(conversation(192), 96).blocks);
    EXPECT_EQ(store->find("anna", tokens, 192, false).size(), 0u);  // nothing beyond what the cache has
    ASSERT_EQ(store->find("anna", tokens, 128, false).size(), 1u);
    EXPECT_EQ(store->read("anna", store->find("anna", tokens, 128, false)[0], 1e9)->blocks, (std::vector<std::string>{"block at 128", "block at 160"}));
    EXPECT_TRUE(store->find("bert", tokens, 0, false).empty());
}

TEST(KvStore, AnEditInTheMiddleKeepsWhatIsBeforeIt) {
    const support::TempDir folder;
    const auto store = open(folder.path());
    ASSERT_TRUE(store->write("anna", piece(conversation(192), 0)));
    auto edited = conversation(192);
    edited[100] = -1;
    const auto found = store->find("anna", edited, 0, false);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].end, 96);
    const auto back = store->read("anna", found[0], 1e9);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->tokens, conversation(96));
    EXPECT_EQ(back->blocks.size(), 3u);
    edited[0] = -1;
    EXPECT_TRUE(store->find("anna", edited, 0, false).empty());
}

// A recurrent model goes on only from where its state is.
TEST(KvStore, AStateIsOfJustItsTokens) {
    const support::TempDir folder;
    const auto store = open(folder.path());
    ASSERT_TRUE(store->write("anna", piece(conversation(100), 0, "state at 100")));
    ASSERT_TRUE(store->write("anna", piece(conversation(150), 96, "state at 150")));
    auto found = store->find("anna", conversation(200), 0, true);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found.back().end, 150);
    EXPECT_EQ(store->read("anna", found.back(), 1e9)->state, "state at 150");
    found = store->find("anna", conversation(149), 0, true);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(store->read("anna", found[0], 1e9)->state, "state at 100");
    EXPECT_TRUE(store->find("anna", conversation(99), 0, true).empty());
}

TEST(KvStore, ReadingThatIsSlowerThanComputingEnds) {
    const support::TempDir folder;
    const auto store = open(folder.path());
    ASSERT_TRUE(store->write("anna", piece(conversation(320), 0)));
    const auto back = store->read("anna", store->find("anna", conversation(320), 0, false)[0], 0);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->blocks.size(), 1u);
    EXPECT_EQ(back->tokens.size(), std::size_t(kBlock));
}

// Another model's files stay, and are not read.
TEST(KvStore, IsOfOneModel) {
    const support::TempDir folder;
    ASSERT_TRUE(open(folder.path(), 1 << 20, 7)->write("anna", piece(conversation(64), 0)));
    EXPECT_TRUE(open(folder.path(), 1 << 20, 8)->find("anna", conversation(64), 0, false).empty());
    EXPECT_EQ(open(folder.path(), 1 << 20, 7)->find("anna", conversation(64), 0, false).size(), 1u);
}

// Wherever a bit flips or a file ends, nothing false is read, and what is damaged is gone.
TEST(KvStore, DamageIsNoticed) {
    const support::TempDir folder;
    ASSERT_TRUE(open(folder.path())->write("anna", piece(conversation(64), 0, "state")));
    const fs::path file = files(folder.path()).at(0);
    const std::string whole = support::read_text(file);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string broken = whole;
        broken[at] = char(broken[at] ^ 16);
        for (const std::string& bytes : {broken, whole.substr(0, at)}) {
            std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
            const auto store = open(folder.path());
            const auto found = store->find("anna", conversation(64), 0, true);
            if (found.empty()) continue;
            const auto back = store->read("anna", found[0], 1e9);
            if (back) {
                EXPECT_EQ(back->blocks, piece(conversation(64), 0).blocks) << at;
                EXPECT_EQ(back->state, "state") << at;
            } else {
                EXPECT_FALSE(fs::exists(file));
            }
        }
    }
}

TEST(KvStore, TheLeastRecentlyUsedGoesFirst) {
    const support::TempDir folder;
    std::uint64_t one = 0;
    {
        const auto store = open(folder.path());
        ASSERT_TRUE(store->write("anna", piece(conversation(64, 1), 0)));
        one = store->bytes();
        ASSERT_TRUE(store->write("bert", piece(conversation(64, 2), 0)));
        ASSERT_TRUE(store->write("anna", piece(conversation(64, 3), 0)));
        store->touch("anna", store->find("anna", conversation(64, 1), 0, false)[0]);
    }
    const auto store = open(folder.path(), 3 * one);
    ASSERT_TRUE(store->write("anna", piece(conversation(64, 4), 0)));
    EXPECT_FALSE(store->holds("bert"));
    EXPECT_LE(store->bytes(), 3 * one);
    for (const int first : {1, 3, 4}) EXPECT_EQ(store->find("anna", conversation(64, first), 0, false).size(), 1u) << first;
    EXPECT_FALSE(open(folder.path(), 10)->write("anna", piece(conversation(64, 5), 0)));
    EXPECT_TRUE(files(folder.path()).empty());
}

TEST(KvStore, IsForgottenByAudience) {
    const support::TempDir folder;
    const auto store = open(folder.path());
    ASSERT_TRUE(store->write("anna", piece(conversation(64), 0)));
    ASSERT_TRUE(store->write("bert", piece(conversation(64), 0)));
    EXPECT_TRUE(store->erase("anna"));
    EXPECT_FALSE(store->holds("anna"));
    EXPECT_FALSE(fs::exists(folder.path() / "anna"));
    EXPECT_EQ(store->find("bert", conversation(64), 0, false).size(), 1u);
    EXPECT_TRUE(store->erase("../bert"));
    EXPECT_TRUE(store->holds("bert"));
}

TEST(KvStore, AudiencesAreNames) {
    for (const char* name : {"a", "019aa-Z_9", "0123456789012345678901234567890123456789012345678901234567890123"}) EXPECT_TRUE(is_audience(name)) << name;
    for (const char* name : {"", ".", "..", "a/b", "a b", "a.b", "ä", "01234567890123456789012345678901234567890123456789012345678901234"}) EXPECT_FALSE(is_audience(name)) << name;
    const support::TempDir folder;
    const auto refused = open(folder.path() / "kv")->write("../out", piece(conversation(64), 0));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("../out"), std::string::npos);
    EXPECT_FALSE(fs::exists(folder.path() / "out"));
}

TEST(KvStore, IsSealedForItsAudienceAndPlace) {
    const support::TempDir folder;
    const auto cipher = std::make_shared<Shift>();
    ASSERT_TRUE(open(folder.path(), 1 << 20, 7, cipher)->write("anna", piece(conversation(64), 0)));
    const fs::path file = files(folder.path()).at(0);
    EXPECT_EQ(support::read_text(file).find("block at"), std::string::npos);
    EXPECT_EQ(open(folder.path(), 1 << 20, 7, cipher)->find("anna", conversation(64), 0, false).size(), 1u);
    fs::create_directories(folder.path() / "bert");
    fs::copy_file(file, folder.path() / "bert" / file.filename());
    EXPECT_TRUE(open(folder.path(), 1 << 20, 7, cipher)->find("bert", conversation(64), 0, false).empty());
    fs::rename(file, file.parent_path() / "00.kv");
    EXPECT_TRUE(open(folder.path(), 1 << 20, 7, cipher)->find("anna", conversation(64), 0, false).empty());
}

TEST(KvStore, OnlyItsOwnerReadsIt) {
    const support::TempDir folder;
    const auto store = open(folder.path() / "kv");
    ASSERT_TRUE(store->write("anna", piece(conversation(64), 0)));
    const auto mode = [](const fs::path& path) {
        struct stat status{};
        ::stat(path.c_str(), &status);
        return status.st_mode & 0777;
    };
    EXPECT_EQ(mode(folder.path() / "kv"), 0700u);
    EXPECT_EQ(mode(folder.path() / "kv/anna"), 0700u);
    EXPECT_EQ(mode(files(folder.path()).at(0)), 0600u);
}

// What a crash left half-written is removed; a folder that cannot be made is told of.
TEST(KvStore, StartsOverACrash) {
    const support::TempDir folder;
    std::ofstream(folder.path() / "abc.kv.part") << "half";
    open(folder.path());
    EXPECT_TRUE(files(folder.path()).empty());
    std::ofstream(folder.path() / "file") << "x";
    EXPECT_FALSE(KvStore::open({.folder = folder.path() / "file"}, 7, kBlock));
}
