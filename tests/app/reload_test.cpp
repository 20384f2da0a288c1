#include "app/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "router/scripted_backend.h"
#include "support/fixtures.h"

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ReloadTest : testing::Test {
    support::TempDir folder;
    base::NullLog log;
    base::NullMetrics metrics;
    base::SystemClock clock;
    net::HttpClient client;
    const std::filesystem::path file = folder.path() / "hearth.yaml";
    const std::vector<router::Alias> own = {{"default", {"scripted"}}};
    std::unique_ptr<router::Gateway> gateway;
    std::unique_ptr<Reload> reload;

    base::Result<LoadedSettings> load() { return load_settings(file, {{"state.folder", folder.path() / "state"}}); }
    void write(const std::string& text) { std::ofstream(file) << text; }
    void start(const std::string& text) {
        write(text);
        std::vector<std::unique_ptr<router::Backend>> backends;
        backends.push_back(std::make_unique<router::ScriptedBackend>("scripted"));
        gateway = std::make_unique<router::Gateway>(std::move(backends), own, clock, log, metrics);
        auto loaded = load();
        ASSERT_TRUE(loaded) << loaded.error().text();
        gateway->change(make_roster(loaded->settings, own, client).value());
        reload = std::make_unique<Reload>(*loaded, [this] { return load(); }, std::vector<std::filesystem::path>{folder.path() / "keys"}, own, *gateway, client, log);
    }
    void change(const std::string& text) {
        write(text);
        reload->now();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& alias : gateway->aliases()) out.push_back(alias.name);
        return out;
    }
};

const std::string kUpstream = "upstreams:\n  box: {url: 'http://127.0.0.1:1/v1', model: m}\n";

TEST_F(ReloadTest, ARosterTakesEffectWithoutARestart) {
    start(kUpstream + "roster:\n  oscar: {chain: [box]}\n");
    EXPECT_THAT(names(), ElementsAre("default", "oscar"));
    EXPECT_THAT(gateway->aliases()[1].chain, ElementsAre("box", "scripted")) << "every chain ends here";
    change(kUpstream + "roster:\n  merlin: {chain: [box], local_end: false}\n  default: {chain: [box], character: calm}\n");
    EXPECT_THAT(names(), ElementsAre("default", "merlin"));
    EXPECT_THAT(gateway->aliases()[0].chain, ElementsAre("box", "scripted")) << "the default model is one row";
    EXPECT_EQ(gateway->aliases()[0].character, "calm");
    EXPECT_THAT(gateway->aliases()[1].chain, ElementsAre("box"));
    EXPECT_EQ(reload->probe().health, base::Health::ok);
    change("");
    EXPECT_THAT(names(), ElementsAre("default"));
    EXPECT_FALSE(gateway->backends().contains("box"));
}

TEST_F(ReloadTest, AWrongRosterLeavesTheOldOneAndIsToldOf) {
    start(kUpstream + "roster:\n  oscar: {chain: [box]}\n");
    for (const auto& [text, said] : {std::pair<std::string, const char*>{kUpstream + "roster:\n  oscar: {chain: [bax]}\n", "hearth.yaml, line 4: roster.oscar.chain names 'bax'"},
                                     {kUpstream + "roster:\n  oscar: {chain: [], local_end: [}\n", "line "},
                                     {"server: {port: none}\n", "server.port is 'none'"},
                                     {"upstreams:\n  box: {url: 'http://h/v1', model: m, key_file: /no/such}\n", "key_file"},
                                     {"roster:\n  oscar: {chain: [upstream], local_end: no}\n", "local_end is 'no'"},
                                     {"roster:\n  knowledge: {character: wise}\n", "would be asked as the agent hearth/knowledge is"}}) {
        change(text);
        EXPECT_THAT(names(), ElementsAre("default", "oscar")) << text;
        EXPECT_EQ(reload->probe().health, base::Health::warning);
        EXPECT_THAT(reload->probe().found, HasSubstr("is refused, and what it said before goes on"));
        EXPECT_THAT(reload->probe().found, HasSubstr(said));
    }
    change(kUpstream);
    EXPECT_EQ(reload->probe().health, base::Health::ok);
    EXPECT_THAT(names(), ElementsAre("default"));
}

TEST_F(ReloadTest, OtherSettingsWaitForARestartAndAreNamed) {
    start("server: {port: 1000}\n");
    change("server: {port: 2000}\nlog: {level: debug}\nroster:\n  oscar: {chain: [scripted]}\n");
    EXPECT_THAT(names(), ElementsAre("default", "oscar")) << "the roster does not wait with them";
    EXPECT_THAT(reload->probe().found, HasSubstr("log.level, server.port"));
    EXPECT_EQ(reload->probe().remedy, "restart hearth");
}

TEST_F(ReloadTest, AKeyThatASandboxCouldReadIsNotTakenInBetween) {
    std::filesystem::create_directories(folder.path() / "keys");
    for (const char* name : {"keys/box", "open"}) std::ofstream(folder.path() / name) << "sk-1\n";
    start("");
    const auto with = [&](const char* name) { return "upstreams:\n  box: {url: 'http://h/v1', model: m, key_file: " + (folder.path() / name).string() + "}\n"; };
    change(with("open"));
    EXPECT_THAT(reload->probe().found, HasSubstr("could read until the next start"));
    EXPECT_FALSE(gateway->backends().contains("box"));
    change(with("keys/box"));
    EXPECT_EQ(reload->probe().health, base::Health::ok);
    EXPECT_TRUE(gateway->backends().contains("box"));
}

}  // namespace
}  // namespace app
