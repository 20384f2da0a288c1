#include "memory/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>

#include "memory/git_store.h"
#include "store/conversations.h"
#include "support/database.h"
#include "support/run_task.h"

namespace memory {
namespace {

namespace fs = std::filesystem;
using base::Code;
using store::Tx;

class Archive : public testing::Test {
protected:
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        world->sql("delete from segment");
        world->sql("delete from archive_key");
    }

    template <class F>
    auto as(const store::Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    // A conversation in which the person says each of these; → the segments' ids.
    std::vector<std::string> say(const store::Identity& who, const std::vector<std::string>& said) {
        const auto conversation = base::ConversationId::make(base::SystemClock().now());
        as(who, [&](Tx& tx) {
            store::create_conversation(tx, conversation, "api", "");
            for (const std::string& one : said) {
                store::append_message(tx, conversation, {}, {{"role", "user"}, {"content", one}});
                store::append_message(tx, conversation, {}, {{"role", "assistant"}, {"content", "I see."}});
            }
            store::keep_segments(tx, conversation, {}, true);
        });
        std::stringstream ids(world->sql("select string_agg(id::text, ' ' order by first_position) from segment where conversation_id = '" + conversation.text() + "'"));
        return {std::istream_iterator<std::string>(ids), {}};
    }
    Archived archive(const store::Identity& who) {
        auto done = support::run_task(memory::archive(world->db(), who, folder.path(), base::StopToken()));
        EXPECT_TRUE(done.ok()) << done.error().text();
        return done.ok() ? *done : Archived{};
    }
    base::Result<ArchivedText> shown(const store::Identity& who, const std::string& id) {
        return as(who, [&](Tx& tx) { return archived_text(tx, folder.path(), *base::Uuid::parse(id)); });
    }
    std::string file_of(const store::Identity& who, const std::string& id) {
        const auto store = GitStore::open(folder.path() / (who.person.text() + ".git")).value();
        return store ? store->read("segments/" + id.substr(34) + "/" + id + ".md").value().value_or("") : "";
    }

    support::TestDatabase* world = support::TestDatabase::get();
    support::TempDir folder;
};

TEST_F(Archive, HoldsWhatWasSaidOnceAndRestoresItWithoutItsRow) {
    const auto ids = say(world->owner(), {"The boiler is blue", "It hums at night"});
    ASSERT_EQ(ids.size(), 2u);
    const Archived first = archive(world->owner());
    EXPECT_EQ(first.segments, 2);
    EXPECT_EQ(first.commits, 1);
    EXPECT_EQ(archive(world->owner()).segments, 0) << "each is archived once";
    const std::string file = file_of(world->owner(), ids[0]);
    EXPECT_THAT(file, testing::HasSubstr("id: " + ids[0]));
    EXPECT_THAT(file, testing::Not(testing::HasSubstr("boiler")));
    EXPECT_EQ((fs::status(folder.path() / (world->owner().person.text() + ".git")).permissions() & fs::perms::mask), fs::perms::owner_all);

    world->sql("delete from segment where id = '" + ids[0] + "'");
    const auto text = shown(world->owner(), ids[0]);
    ASSERT_TRUE(text.ok()) << text.error().text();
    EXPECT_EQ(text->text, "## Asked\n\nThe boiler is blue\n\n## Answered\n\nI see.\n");
    EXPECT_EQ(text->kind, "segment");
}

TEST_F(Archive, IsOfOnePersonAndOfNobodyElse) {
    const auto ids = say(world->owner(), {"The safe is behind the picture"});
    archive(world->owner());
    EXPECT_EQ(archive(world->member()).segments, 0);
    EXPECT_EQ(shown(world->member(), ids[0]).error().code, Code::not_found);
    // Not even with the other one's files.
    fs::copy(folder.path() / (world->owner().person.text() + ".git"), folder.path() / (world->member().person.text() + ".git"), fs::copy_options::recursive);
    EXPECT_EQ(shown(world->member(), ids[0]).error().code, Code::not_found);
}

TEST_F(Archive, SaysNothingOfWhatWasForgottenWhoeverKeepsItsHistory) {
    const auto ids = say(world->owner(), {"The cat is called Ada", "She is three"});
    archive(world->owner());
    world->sql("delete from archive_key");
    EXPECT_EQ(shown(world->owner(), ids[0]).error().code, Code::not_found);
    // What stays in the table is sealed anew, by another key; the earlier file stays unread.
    world->sql("delete from segment where id = '" + ids[0] + "'");
    world->sql("update segment set archived = false");
    EXPECT_EQ(archive(world->owner()).segments, 1);
    EXPECT_TRUE(shown(world->owner(), ids[1]).ok());
    EXPECT_EQ(shown(world->owner(), ids[0]).error().code, Code::not_found);
}

// A commit that was made, and rows that were not marked: the process was killed between.
TEST_F(Archive, MakesNoSecondCommitOfWhatAKilledProcessHasCommitted) {
    say(world->owner(), {"One", "Two", "Three"});
    EXPECT_EQ(archive(world->owner()).commits, 1);
    world->sql("update segment set archived = false");
    std::ofstream(folder.path() / (world->owner().person.text() + ".git") / "refs" / "heads" / "main.lock") << "left";
    const Archived again = archive(world->owner());
    EXPECT_EQ(again.segments, 3);
    EXPECT_EQ(again.commits, 0);
    say(world->owner(), {"Four"});
    std::ofstream(folder.path() / (world->owner().person.text() + ".git") / "refs" / "heads" / "main.lock") << "left";
    EXPECT_EQ(archive(world->owner()).commits, 1);
}

// A process of its own, killed at some moment while it writes; then another goes on, and each text is there, in one commit.
TEST_F(Archive, OutlastsKillsAtAnyMoment) {
    for (int round = 0; round < 12; ++round) {
        const auto ids = say(world->owner(), {"round " + std::to_string(round), "and more of it"});
        const pid_t child = fork();
        if (child == 0) {
            auto db = store::Db::open({store::app_url(world->cluster()), 1, world->db().node()});
            const auto done = support::run_task(memory::archive(**db, world->owner(), folder.path(), base::StopToken()));
            _exit(done ? 0 : 1);
        }
        usleep(useconds_t(3000 * round));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        archive(world->owner());
        for (const std::string& id : ids) ASSERT_TRUE(shown(world->owner(), id).ok()) << "round " << round;
    }
    EXPECT_EQ(world->sql("select count(*) from segment where not archived"), "0");
}

TEST(GitStore, NamesAFolderThatCannotBeWritten) {
    support::TempDir dir;
    std::ofstream(dir.path() / "file") << "x";
    const auto opened = GitStore::open_to_write(dir.path() / "file" / "a.git");
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(opened.error().message, testing::HasSubstr((dir.path() / "file" / "a.git").string()));
}

}  // namespace
}  // namespace memory
