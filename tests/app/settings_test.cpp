#include "app/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "support/fixtures.h"

namespace {

struct SettingsTest : testing::Test {
    support::TempDir folder;
    std::filesystem::path file = folder.path() / "hearth.yaml";

    void SetUp() override { setenv("XDG_STATE_HOME", folder.path().c_str(), 1); }
    void TearDown() override {
        unsetenv("HEARTH_SERVER_PORT");
        unsetenv("XDG_STATE_HOME");
    }
    void write(const std::string& text) { std::ofstream(file) << text; }
};

}  // namespace

TEST_F(SettingsTest, FileThenEnvironmentThenFlags) {
    write("server:\n  port: 1111\n  host: 0.0.0.0\nlog: {level: debug}\n");
    auto loaded = app::load_settings(file, {});
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->settings.server.port, 1111);
    EXPECT_EQ(loaded->origins.at("server.port").source, file.string());
    EXPECT_EQ(loaded->origins.at("log.format").source, "default");
    setenv("HEARTH_SERVER_PORT", "2222", 1);
    EXPECT_EQ(app::load_settings(file, {})->settings.server.port, 2222);
    EXPECT_EQ(app::load_settings(file, {{"server.port", "3333"}})->settings.server.port, 3333);
}

TEST_F(SettingsTest, DefaultsLieUnderTheStateFolder) {
    write("state: {folder: /srv/hearth}\n");
    auto loaded = app::load_settings(file, {});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->settings.workspace_root, "/srv/hearth/workspaces");
    EXPECT_EQ(loaded->settings.server.socket, "/srv/hearth/run/hearth.sock");
}

TEST_F(SettingsTest, ABadValueNamesSettingValueSourceAndBounds) {
    write("server: {port: eighty}\n");
    EXPECT_EQ(app::load_settings(file, {}).error().message,
              "setting server.port is 'eighty' (from " + file.string() + ") but must be a whole number from 0 to 65535");
    write("model: {profile: quick}\n");
    EXPECT_EQ(app::load_settings(file, {}).error().message,
              "setting model.profile is 'quick' (from " + file.string() + ") but must be one of fast,exact");
}

TEST_F(SettingsTest, ASecretIsNamedAndAValueInItsPlaceIsNotRepeated) {
    write("upstream: {key: \"secret:openai\"}\n");
    EXPECT_EQ(app::load_settings(file, {})->settings.upstream.key, "secret:openai");
    EXPECT_FALSE(app::load_settings(file, {{"upstream.key", "secret:"}}));
    for (const char* value : {"sk-the-key-itself", "secret:no name"}) {
        const auto refused = app::load_settings(file, {{"upstream.key", value}});
        ASSERT_FALSE(refused) << value;
        EXPECT_EQ(refused.error().message.find(value), std::string::npos) << refused.error().message;
        EXPECT_NE(refused.error().message.find("upstream.key (from the command line)"), std::string::npos) << refused.error().message;
    }
}

TEST_F(SettingsTest, AMistypedNameIsRefusedWithTheNearest) {
    write("server: {prt: 80}\n");
    EXPECT_EQ(app::load_settings(file, {}).error().text(),
              "unknown setting 'server.prt' in " + file.string() + " (did you mean 'server.port'?)");
    EXPECT_FALSE(app::load_settings({}, {{"no.such.thing.at.all", "1"}}));
}

TEST_F(SettingsTest, TheRosterIsReadFromTheSameFile) {
    const std::string upstream = "server: {port: 80}\nupstreams:\n  box: {url: 'http://box/v1', model: m}\n";
    write(upstream + "roster:\n  oscar: {chain: [box]}\n");
    const auto loaded = app::load_settings(file, {});
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->settings.server.port, 80);
    EXPECT_EQ(loaded->settings.roster.upstreams.at(0).url, "http://box/v1");
    EXPECT_EQ(loaded->settings.roster.rows.at(0).alias.name, "oscar");
    EXPECT_EQ(loaded->settings.file, file);
    write(upstream + "roster:\n  embedding: {chain: [box]}\n");
    EXPECT_NE(app::load_settings(file, {}).error().message.find("line 5: a model of the roster is called 'embedding'"), std::string::npos);
    const auto without = app::load_settings(file, {}, app::FileUse::places);
    ASSERT_TRUE(without);
    EXPECT_NE(without->roster_fault.value().message.find("line 5"), std::string::npos);
    EXPECT_TRUE(without->settings.roster.rows.empty());
    EXPECT_EQ(without->settings.server.port, 80) << "which leads to the server";
    write(upstream + "rosters: {oscar: {chain: [box]}}\n");
    EXPECT_FALSE(app::load_settings(file, {})) << "a section that is mistyped is no section";
}

TEST_F(SettingsTest, OfAFileThatIsNoYamlACommandNeedsWhatItUses) {
    write("server: {port: 80}\nagents:\n  rounds: [3\nlog:\n  level: info\n");
    const auto whole = app::load_settings(file, {});
    ASSERT_FALSE(whole);
    const auto places = app::load_settings(file, {}, app::FileUse::places);
    ASSERT_TRUE(places) << places.error().text();
    EXPECT_EQ(places->settings.server.port, 80);
    EXPECT_EQ(places->file_fault.value().message, whole.error().message);
    EXPECT_EQ(whole.error().message.find(file.string() + ", line "), 0u) << whole.error().message;
    write("agents: {rounds: 3}\ndatabase:\n  url: [\nserver: {port: 80}\n");
    const auto refused = app::load_settings(file, {}, app::FileUse::places);
    ASSERT_FALSE(refused) << "nobody knows which database it names";
    EXPECT_EQ(refused.error().message.find(file.string() + ", line "), 0u) << refused.error().message;
    const auto none = app::load_settings(file, {}, app::FileUse::none);
    ASSERT_TRUE(none) << none.error().text();
    EXPECT_EQ(none->settings.server.port, 80);
    EXPECT_EQ(none->settings.agents.rounds, 3);
    EXPECT_TRUE(none->file_fault);
    write("not: one\n  of: ours\n");
    EXPECT_FALSE(app::load_settings(file, {}, app::FileUse::places)) << "it may have been any of them";
    EXPECT_TRUE(app::load_settings(file, {}, app::FileUse::none));
    EXPECT_FALSE(app::load_settings(folder.path(), {}, app::FileUse::places));
    EXPECT_TRUE(app::load_settings(folder.path(), {}, app::FileUse::none)) << "a folder in its place is told of by who looks at it";
    EXPECT_FALSE(app::load_settings(folder.path() / "absent.yaml", {}, app::FileUse::none));
}

TEST_F(SettingsTest, ASectionThatStandsTwiceStopsWhatNeedsIt) {
    write("server: {port: 80}\nroster:\n  oscar: {chain: [a]}\nlog: {level: info}\nroster:\n  default: {chain: [a]}\n");
    const auto whole = app::load_settings(file, {});
    ASSERT_FALSE(whole);
    EXPECT_EQ(whole.error().message, file.string() + ", line 5: 'roster' stands twice: it began in line 2 already");
    const auto places = app::load_settings(file, {}, app::FileUse::places);
    ASSERT_TRUE(places) << places.error().text();
    EXPECT_EQ(places->settings.server.port, 80);
    EXPECT_EQ(places->file_fault.value().message, whole.error().message);
    write("server: {port: 80}\nserver: {host: 0.0.0.0}\n");
    EXPECT_FALSE(app::load_settings(file, {}, app::FileUse::places));
    EXPECT_TRUE(app::load_settings(file, {}, app::FileUse::none));
}

TEST_F(SettingsTest, AMistypedVariableIsRefusedWithTheNearest) {
    setenv("HEARTH_SERVER_PROT", "80", 1);
    EXPECT_EQ(app::load_settings({}, {}).error().text(), "unknown setting HEARTH_SERVER_PROT in the environment (did you mean HEARTH_SERVER_PORT?)");
    unsetenv("HEARTH_SERVER_PROT");
    setenv("HEARTH_LOG_COLOUR", "blue", 1);  // a section of ours
    EXPECT_FALSE(app::load_settings({}, {}));
    unsetenv("HEARTH_LOG_COLOUR");
    setenv("HEARTH_GARDEN_HOSE", "long", 1);  // another program's
    EXPECT_TRUE(app::load_settings({}, {}));
    unsetenv("HEARTH_GARDEN_HOSE");
}

TEST_F(SettingsTest, AFileThatCannotBeReadIsNamed) {
    const auto loaded = app::load_settings(folder.path(), {});
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find(folder.path().string() + ": it is a folder"), std::string::npos) << loaded.error().message;
}

TEST_F(SettingsTest, PathsAreAbsoluteAndTheStateFolderIsNotEmpty) {
    const auto loaded = app::load_settings({}, {{"state.folder", "here/../there"}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->settings.state_folder, std::filesystem::current_path() / "there");
    EXPECT_EQ(loaded->settings.server.socket, (std::filesystem::current_path() / "there/run/hearth.sock").string());
    EXPECT_FALSE(app::load_settings({}, {{"state.folder", ""}}));
}

TEST_F(SettingsTest, BrokenYamlNamesTheLine) {
    write("server:\n  port: [1\n");
    auto loaded = app::load_settings(file, {});
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find("hearth.yaml, line "), std::string::npos) << loaded.error().message;
    EXPECT_FALSE(app::load_settings(folder.path() / "absent.yaml", {}));
}

TEST_F(SettingsTest, EveryDefaultIsValid) { EXPECT_TRUE(app::load_settings({}, {})); }
