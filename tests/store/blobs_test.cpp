// What comes with messages is wanted once, kept whole or not at all, seen by its person alone, and gone from the disk when no row counts on it.
#include "store/blobs.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "made_run.h"
#include "on_database.h"
#include "store/digest.h"

namespace {

using base::Code;
using namespace store;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace fs = std::filesystem;

constexpr BlobCaps kCaps{1 << 20, 3 << 20};

struct Blobs : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from blob; delete from document; delete from fact");
    }
    BlobFiles files(BlobCaps caps = kCaps) {
        auto opened = BlobFiles::open(folder.path(), caps);
        if (!opened) throw std::runtime_error(opened.error().text());
        return *std::move(opened);
    }
    Blob want(const Identity& who, const std::string& source, std::int64_t bytes = 5, std::chrono::seconds claimed = {}) {
        NewBlob wanted{"telegram", "7", "12", source, false, true, "photo", "", "image/jpeg", bytes, claimed};
        return as(who, [&](Tx& tx) { return want_blob(tx, wanted, kCaps); });
    }
    base::Result<bool> keep(const Identity& who, BlobId id, const std::string& bytes, BlobCaps caps = kCaps) {
        const BlobFiles to = files(caps);
        return as(who, [&](Tx& tx) { return to.keep(tx, id, bytes); });
    }
    Blob kept(const Identity& who, const std::string& source, const std::string& bytes) {
        const Blob blob = want(who, source);
        EXPECT_TRUE(keep(who, blob.id, bytes));
        return as(who, [&](Tx& tx) { return find_blob(tx, blob.id).value(); });
    }
    base::Result<std::string> read(const Identity& who, const Blob& blob) {
        const BlobFiles from = files();
        return as(who, [&](Tx& tx) { return from.read(tx, blob); });
    }
    std::vector<WantedBlob> take(bool also_held = false) {
        return as(house(), [&](Tx& tx) { return take_wanted_blobs(tx, {"telegram", "file"}, 8, 60s, also_held); });
    }
    int sweep(const Identity& who) {
        const BlobFiles of = files();
        return as(who, [&](Tx& tx) { return of.sweep(tx, who.person.text()); });
    }
    Identity house() const { return {world->owner().tenant, {}}; }
    fs::path path(const Identity& who, const Blob& blob) const { return folder.path() / "blobs" / who.person.text() / blob.digest; }
    support::TempDir folder;
};

TEST_F(Blobs, IsWantedOnceAndSeenByItsPersonAlone) {
    const Blob first = want(world->owner(), "f1"), again = want(world->owner(), "f1"), other = want(world->owner(), "f2");
    EXPECT_EQ(first.id, again.id);
    EXPECT_NE(first.id, other.id);
    EXPECT_EQ(first.state, "wanted");
    const auto list = [](Tx& tx) { return list_blobs(tx, 10, std::nullopt, std::nullopt); };
    EXPECT_THAT(as(world->owner(), list), SizeIs(2));
    EXPECT_THAT(as(world->member(), list), IsEmpty());
    EXPECT_THAT(as(house(), list), IsEmpty());
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return find_blob(tx, first.id).has_value(); }));
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return forget_blob(tx, first.id); }));
    EXPECT_THAT(as(world->owner(), [&](Tx& tx) { return list_blobs(tx, 10, other.id, std::nullopt); }), SizeIs(1));
}

TEST_F(Blobs, IsHeldByWhoFetchesItAndTriedAgainWhenThatFailed) {
    const Blob blob = want(world->member(), "f1"), claimed = want(world->member(), "f2", 5, 60s);
    const auto taken = take();
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken[0].id, blob.id);
    EXPECT_EQ(taken[0].person, world->member().person);
    EXPECT_EQ(taken[0].source, "f1");
    EXPECT_EQ(taken[0].attempts, 1);
    EXPECT_TRUE(taken[0].tells);
    EXPECT_THAT(take(), IsEmpty()) << "both are held";
    EXPECT_THAT(take(true), SizeIs(2)) << "whoever holds them may be gone";
    as(world->member(), [&](Tx& tx) { blob_failed(tx, blob.id, "the line broke", 0s); });
    EXPECT_THAT(take(), SizeIs(1));
    as(world->member(), [&](Tx& tx) { blob_failed(tx, blob.id, "the line broke", 3600s); });
    EXPECT_THAT(take(true), SizeIs(1)) << "what is to wait is not taken, whoever asks";
    as(world->member(), [&](Tx& tx) { blob_failed(tx, blob.id, "gone", std::nullopt); });
    const Blob ended = as(world->member(), [&](Tx& tx) { return find_blob(tx, blob.id).value(); });
    EXPECT_EQ(ended.state, "failed");
    EXPECT_EQ(ended.error, "gone");
    EXPECT_THAT(read(world->member(), ended).error().message, HasSubstr("gone"));
    EXPECT_EQ(read(world->member(), claimed).error().code, Code::conflict) << "it is still to be fetched";
}

TEST_F(Blobs, LiesSealedForItsPersonUnderItsDigest) {
    const std::string bytes("JPEG\0\xff of the garden", 20);
    const Blob blob = kept(world->owner(), "f1", bytes);
    EXPECT_EQ(blob.digest, sha256_hex(bytes));
    EXPECT_EQ(blob.bytes, 20);
    EXPECT_EQ(blob.state, "kept");
    struct stat info {};
    ASSERT_EQ(::stat(path(world->owner(), blob).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    std::ifstream in(path(world->owner(), blob), std::ios::binary);
    const std::string sealed{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(sealed, testing::Not(HasSubstr("garden")));
    EXPECT_EQ(read(world->owner(), blob).value(), bytes);
    fs::create_directories(path(world->member(), blob).parent_path());
    fs::copy_file(path(world->owner(), blob), path(world->member(), blob));
    EXPECT_EQ(read(world->member(), blob).error().code, Code::corrupt) << "it was sealed for another person";
    std::ofstream(path(world->owner(), blob)) << "broken";
    EXPECT_EQ(read(world->owner(), blob).error().code, Code::corrupt);
    fs::remove(path(world->owner(), blob));
    EXPECT_THAT(read(world->owner(), blob).error().message, HasSubstr(blob.digest));
}

TEST_F(Blobs, WhatIsLargerThanACapIsRefusedByItsName) {
    const Blob declared = want(world->owner(), "f1", (1 << 20) + 1);
    EXPECT_EQ(declared.state, "failed");
    EXPECT_THAT(declared.error, HasSubstr("blobs.most_mib"));
    EXPECT_THAT(take(), IsEmpty());
    const Blob lying = want(world->owner(), "f2", 1);
    EXPECT_THAT(keep(world->owner(), lying.id, std::string((1 << 20) + 1, 'x')).error().message, HasSubstr("blobs.most_mib"));
    for (const char* source : {"a", "b", "c"}) EXPECT_TRUE(keep(world->owner(), want(world->owner(), source).id, std::string((1 << 20) - 1, source[0])));
    const auto over = keep(world->owner(), want(world->owner(), "d").id, std::string(100, 'd'));
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::resource_exhausted);
    EXPECT_THAT(over.error().message, HasSubstr("blobs.person_mib"));
    EXPECT_TRUE(keep(world->owner(), want(world->owner(), "e").id, std::string((1 << 20) - 1, 'a'))) << "the same bytes take no more room";
    EXPECT_TRUE(keep(world->member(), want(world->member(), "f").id, "x")) << "another person's room";
}

TEST_F(Blobs, TheFileGoesWithTheLastRow) {
    const Blob one = kept(world->owner(), "f1", "the same"), two = kept(world->owner(), "f2", "the same"), theirs = kept(world->member(), "f1", "the same");
    const auto forget = [&](const Blob& blob) { return as(world->owner(), [&](Tx& tx) { return forget_blob(tx, blob.id); }); };
    EXPECT_TRUE(forget(one));
    EXPECT_EQ(sweep(world->owner()), 0);
    EXPECT_TRUE(fs::exists(path(world->owner(), two)));
    EXPECT_TRUE(forget(two));
    EXPECT_FALSE(forget(two));
    EXPECT_EQ(sweep(world->owner()), 1);
    EXPECT_FALSE(fs::exists(path(world->owner(), two)));
    EXPECT_TRUE(fs::exists(path(world->member(), theirs)));
    EXPECT_FALSE(keep(world->owner(), two.id, "late").value()) << "what is fetched after it was forgotten is not kept";
    EXPECT_FALSE(fs::exists(path(world->owner(), two).parent_path() / sha256_hex("late")));
}

TEST_F(Blobs, ASweepRemovesWhatNobodyCountsOnAndNamesWhatIsMissed) {
    const Blob stays = kept(world->owner(), "f1", "stays"), lost = kept(world->member(), "f2", "lost");
    const fs::path stray = folder.path() / "blobs" / world->owner().person.text() / std::string(64, 'a');
    for (const fs::path& one : {stray, fs::path(path(world->owner(), stays).string() + ".part")}) std::ofstream(one) << "x";
    fs::remove(path(world->member(), lost));
    const BlobFiles of = files();
    const auto swept = as(house(), [&](Tx& tx) { return of.sweep_all(tx); });
    EXPECT_EQ(swept.removed, 2);
    EXPECT_FALSE(fs::exists(stray));
    EXPECT_TRUE(fs::exists(path(world->owner(), stays)));
    EXPECT_THAT(swept.lost, ElementsAre(world->member().person.text() + "/" + lost.digest));
}

// A writing that is rolled back, as by a kill before its commit: no row says that there is a file.
TEST_F(Blobs, WhatIsNotCommittedIsNotKept) {
    const Blob blob = want(world->owner(), "f1");
    const BlobFiles to = files();
    const auto broken = [&](Tx& tx) {
        EXPECT_TRUE(to.keep(tx, blob.id, "half"));
        throw std::runtime_error("killed");
    };
    EXPECT_THROW(as(world->owner(), broken), std::runtime_error);
    EXPECT_THAT(take(), SizeIs(1)) << "it is fetched again";
    EXPECT_EQ(sweep(world->owner()), 1);
}

TEST_F(Blobs, GoesWithTheFactThatItsMessageTold) {
    const auto told = make_run(world->db(), world->owner()), other = make_run(world->db(), world->owner());
    kept(world->owner(), "f1", "one");
    as(world->owner(), [&](Tx& tx) { note_blob_run(tx, "telegram", "7", "12", told.run); });
    const auto fact = as(world->owner(), [&](Tx& tx) { return remember(tx, "the key lies under the pot", told.run); });
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return list_blobs(tx, 10, std::nullopt, told.conversation); }).size(), 1u);
    EXPECT_THAT(as(world->owner(), [&](Tx& tx) { return list_blobs(tx, 10, std::nullopt, other.conversation); }), IsEmpty());
    const auto blobs = [&](bool really) {
        for (const auto& [kind, number] : as(world->owner(), [&](Tx& tx) { return forget_facts(tx, {fact}, really); }))
            if (kind == "blobs") return int(number);
        return -1;
    };
    EXPECT_EQ(blobs(false), 0) << "its run goes on";
    world->sql("update run set state = 'answered' where id = '" + told.run.text() + "'");
    EXPECT_EQ(as(world->member(), [&](Tx& tx) { return forget_blobs_of(tx, std::vector{fact}, true); }), 0);
    EXPECT_EQ(blobs(false), 1);
    EXPECT_EQ(blobs(true), 1);
    EXPECT_EQ(sweep(world->owner()), 1);
}

TEST_F(Blobs, GoesWithTheDocumentThatSaysTheSame) {
    kept(world->owner(), "f1", "milk and bread");
    kept(world->owner(), "f2", "another");
    const Document document = as(world->owner(), [](Tx& tx) { return add_document(tx, "list.txt", "milk and bread"); });
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return forget_document(tx, document.id, false); }).back().number, 1);
    EXPECT_THAT(as(world->owner(), [](Tx& tx) { return list_blobs(tx, 10, std::nullopt, std::nullopt); }), SizeIs(2));
    as(world->owner(), [&](Tx& tx) { return forget_document(tx, document.id, true); });
    EXPECT_THAT(as(world->owner(), [](Tx& tx) { return list_blobs(tx, 10, std::nullopt, std::nullopt); }), SizeIs(1));
}

TEST_F(Blobs, GoesWithTheDocumentThatWasReadOutOfIt) {
    const Blob file = kept(world->owner(), "f1", "%PDF-1.7 milk");
    const auto add = [](const std::string& digest) { return [digest](Tx& tx) { return add_document(tx, "list.pdf", "milk", digest).id; }; };
    const DocumentId document = as(world->owner(), add(file.digest));
    EXPECT_EQ(as(world->owner(), add("")), document) << "the same text, of no file";
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return forget_document(tx, document, false); }).back().number, 1);
    as(world->owner(), [&](Tx& tx) { return forget_document(tx, document, true); });
    EXPECT_THAT(as(world->owner(), [](Tx& tx) { return list_blobs(tx, 10, std::nullopt, std::nullopt); }), IsEmpty());
}

}  // namespace
