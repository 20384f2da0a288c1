#include "net/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/fixtures.h"

namespace {

struct SettingsFile : testing::Test {
    support::TempDir folder;
    const std::filesystem::path file = folder.path() / "hearth.yaml";

    base::Result<std::map<std::string, std::string>> read(const std::string& text) {
        std::ofstream(file) << text;
        return net::read_yaml_settings(file, true);
    }
};

TEST_F(SettingsFile, GivesScalarsByDottedPath) {
    const auto settings = read("server: &s\n  port: 8080\n  list: [a, b]\nother: *s\nnone: ~\n");
    ASSERT_TRUE(settings) << settings.error().text();
    EXPECT_EQ(*settings, (std::map<std::string, std::string>{{"none", ""}, {"other.list", "a,b"}, {"other.port", "8080"}, {"server.list", "a,b"}, {"server.port", "8080"}}));
}

TEST_F(SettingsFile, LeavesOutWhatIsReadElsewhere) {
    std::ofstream(file) << "port: 1\nroster:\n  a: {b: [{c: d}]}\nmore: {roster: 2}\n";
    const auto settings = net::read_yaml_settings(file, true, {"roster"});
    ASSERT_TRUE(settings) << settings.error().text();
    EXPECT_EQ(*settings, (std::map<std::string, std::string>{{"port", "1"}, {"more.roster", "2"}}));
}

TEST_F(SettingsFile, GivesWhatCanBeReadSectionBySection) {
    std::ofstream(file) << "# mine\nport: 1\nlist:\n- a\n- b\nbad:\n  x: 1\n\ty: 2\nroster: [1\nlog.level: info\nport: 2\njust words\nfine: {x: 2}\n";
    const auto sections = net::read_yaml_sections(file, {"roster"});
    EXPECT_EQ(sections.values, (std::map<std::string, std::string>{{"fine.x", "2"}, {"list", "a,b"}, {"log.level", "info"}, {"port", "1"}}));
    std::map<std::string, std::string> faults;
    for (const auto& [name, error] : sections.faults) faults[name] = error.message.substr(file.string().size(), 9);
    EXPECT_EQ(faults, (std::map<std::string, std::string>{{"", ", line 12"}, {"bad", ", line 8:"}, {"port", ", line 11"}, {"roster", faults["roster"]}}));
    EXPECT_TRUE(net::read_yaml_sections(folder.path() / "absent", {}).faults.empty());
}

TEST_F(SettingsFile, ASectionThatStandsTwiceIsNamedWithBothLines) {
    for (const char* text : {"roster:\n  a: 1\nport: 1\nroster:\n  b: 1\n", "port:\n  a: 1\nlist: []\nport:\n  b: 1\n"}) {
        std::ofstream(file) << text;
        const auto settings = net::read_yaml_settings(file, true, {"roster"});
        ASSERT_FALSE(settings) << text;
        const std::string name = text[0] == 'r' ? "roster" : "port";
        EXPECT_EQ(settings.error().message, file.string() + ", line 4: '" + name + "' stands twice: it began in line 1 already");
        const auto sections = net::read_yaml_sections(file, {"roster"});
        ASSERT_EQ(sections.faults.size(), 1u) << text;
        EXPECT_EQ(sections.faults.begin()->first, name);
        EXPECT_EQ(sections.faults.begin()->second.message, settings.error().message);
    }
    const auto deeper = read("a:\n  b: {c: 1}\n  b: {d: 1}\n");
    ASSERT_FALSE(deeper);
    EXPECT_EQ(deeper.error().message, file.string() + ", line 3: 'a.b' stands twice: it began in line 2 already");
    EXPECT_TRUE(read("server.port: 1\nserver.host: x\nlog: {port: 1}\n")) << "none of these is there twice";
    EXPECT_TRUE(net::read_yaml_sections(file, {}).faults.empty());
}

TEST_F(SettingsFile, ASecondDocumentIsAnError) {
    const auto settings = read("a: 1\n---\nb: 2\n");
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().message.find(file.string() + ", line 3: a second document"), 0u) << settings.error().message;
    EXPECT_EQ(read("---\na: 1\n").value().size(), 1u);
    EXPECT_EQ(read("a: 1\n---\n# nothing\n").value().size(), 1u);
    EXPECT_FALSE(read("a: 1\n...\nb: 2\n"));
    EXPECT_FALSE(read("{a\n,"));  // which the library, asked for all documents, reads for ever
    EXPECT_TRUE(read("").value().empty());
}

TEST_F(SettingsFile, APipeIsRefusedAndNotWaitedFor) {
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    for (const bool required : {false, true}) {
        const auto settings = net::read_yaml_settings(file, required);
        ASSERT_FALSE(settings);
        EXPECT_EQ(settings.error().message, "cannot read the settings file " + file.string() + ": it is no regular file");
    }
    EXPECT_TRUE(net::read_yaml_sections(file, {}).values.empty());
}

TEST_F(SettingsFile, AnAliasOfItselfIsAnError) {
    const auto settings = read("a: &x\n  b: *x\n");
    ASSERT_FALSE(settings);
    EXPECT_NE(settings.error().message.find("nested too deep"), std::string::npos) << settings.error().message;
    EXPECT_EQ(settings.error().message.find(file.string() + ", line "), 0u) << settings.error().message;
}

TEST_F(SettingsFile, AliasesThatMultiplyAreAnError) {
    std::string text = "a0: &a0 {x: 1}\n";
    for (int level = 1; level < 7; ++level) {
        const std::string below = "*a" + std::to_string(level - 1), name = "a" + std::to_string(level);
        text += name + ": &" + name + " {";
        for (int i = 0; i < 9; ++i) text += (i ? ", k" : "k") + std::to_string(i) + ": " + below + " ";
        text += "}\n";
    }
    const auto settings = read(text);
    ASSERT_FALSE(settings);
    EXPECT_NE(settings.error().message.find("more than 10000 values"), std::string::npos) << settings.error().message;
}

}  // namespace
