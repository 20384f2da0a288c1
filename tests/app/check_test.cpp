#include "app/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "net/certificate.h"
#include "support/fixtures.h"

namespace app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

struct CheckTest : testing::Test {
    support::TempDir folder;

    std::string path(const std::string& name) { return folder.path() / name; }
    std::string file(const std::string& name, const std::string& text) {
        std::ofstream(path(name)) << text;
        return path(name);
    }
    // What check_settings says, with its remedy; empty when it has nothing to say.
    std::string said(std::map<std::string, std::string> flags) {
        flags.emplace("state.folder", path("state"));
        auto loaded = load_settings(file("hearth.yaml", ""), flags);
        EXPECT_TRUE(loaded) << loaded.error().text();
        auto fine = check_settings(loaded->settings);
        EXPECT_FALSE(std::filesystem::exists(path("state"))) << "something was made";
        return fine ? "" : fine.error().text();
    }
};

TEST_F(CheckTest, TheDefaultsAreFine) {
    EXPECT_THAT(said({}), IsEmpty());
    for (const char* host : {"localhost", "0.0.0.0", "127.0.0.1"}) EXPECT_THAT(said({{"server.host", host}}), IsEmpty()) << host;
    EXPECT_THAT(said({{"server.public_host", "hearth.example,[fd00::1],10.0.0.2"}}), IsEmpty());
}

TEST_F(CheckTest, AnAddressThatIsNone) {
    EXPECT_THAT(said({{"server.host", "nonsense"}}), AllOf(HasSubstr("server.host is 'nonsense'"), HasSubstr("127.0.0.1")));
    EXPECT_THAT(said({{"server.host", "192.0.2.1"}, {"server.port", "8099"}}), AllOf(HasSubstr("192.0.2.1:8099"), HasSubstr("server.host to an address of this machine")));
    EXPECT_THAT(said({{"server.socket", "/" + std::string(120, 'x')}}), HasSubstr("server.socket"));
    EXPECT_THAT(said({{"server.public_host", "fine.example,two words"}}), HasSubstr("'two words'"));
}

TEST_F(CheckTest, ACertificateAndItsKeyBelongTogether) {
    const auto first = net::own_certificate(path("first"), {"localhost"}), second = net::own_certificate(path("second"), {"localhost"});
    ASSERT_TRUE(first && second);
    const std::string certificate = first->certificate, key = first->key;
    EXPECT_THAT(said({{"server.certificate", certificate}, {"server.certificate_key", key}}), IsEmpty());
    EXPECT_THAT(said({{"server.certificate", certificate}}), HasSubstr("set both"));
    EXPECT_THAT(said({{"server.certificate_key", key}}), HasSubstr("set both"));
    EXPECT_THAT(said({{"server.certificate", certificate}, {"server.certificate_key", path("absent")}}), HasSubstr(path("absent") + " (server.certificate_key)"));
    EXPECT_THAT(said({{"server.certificate", key}, {"server.certificate_key", key}}), HasSubstr("(server.certificate)"));
    EXPECT_THAT(said({{"server.certificate", certificate}, {"server.certificate_key", second->key}}), HasSubstr("belong together"));
}

TEST_F(CheckTest, TheDatabase) {
    EXPECT_THAT(said({{"database.owner_url", "postgresql://h"}}), HasSubstr("database.url is not"));
    EXPECT_THAT(said({{"database.binaries", "/nonexistent/bin"}}), HasSubstr("database.binaries"));
}

TEST_F(CheckTest, TheUpstream) {
    EXPECT_THAT(said({{"upstream.url", "ftp://x"}}), HasSubstr("upstream.url is 'ftp://x'"));
    EXPECT_THAT(said({{"upstream.url", "http://x/v1"}}), HasSubstr("upstream.model"));
    for (const char* endpoint : {"collector:4318", "ftp://x", "http://"}) EXPECT_THAT(said({{"traces.otlp_endpoint", endpoint}}), HasSubstr("traces.otlp_endpoint"));
    EXPECT_THAT(said({{"traces.otlp_endpoint", "http://127.0.0.1:4318"}}), IsEmpty());
    EXPECT_THAT(said({{"upstream.url", "http://x/v1"}, {"upstream.model", "m"}, {"upstream.key_file", path("absent")}}), HasSubstr("upstream.key_file: cannot read"));
    EXPECT_THAT(said({{"upstream.url", "http://x/v1"}, {"upstream.model", "m"}, {"upstream.key_file", file("key", "sk\n")}}), IsEmpty());
}

TEST_F(CheckTest, Channels) {
    EXPECT_THAT(said({{"telegram.token", "secret:bot"}, {"telegram.webhook_secret", "secret:hook"}, {"telegram.webhook_url", "https://hearth.example/telegram"}}), IsEmpty());
    EXPECT_THAT(said({{"telegram.token", "secret:bot"}, {"telegram.url", "http://127.0.0.1:8082"}}), IsEmpty());
    for (const char* url : {"http://api.telegram.org", "api.telegram.org", "ftp://127.0.0.1", ""}) EXPECT_THAT(said({{"telegram.url", url}}), HasSubstr("telegram.url is '" + std::string(url) + "'")) << url;
    EXPECT_THAT(said({{"telegram.webhook_secret", "secret:hook"}}), HasSubstr("telegram.token is not"));
    EXPECT_THAT(said({{"telegram.token", "secret:bot"}, {"telegram.webhook_url", "https://hearth.example"}}), HasSubstr("telegram.webhook_secret is not"));
    EXPECT_THAT(said({{"telegram.token", "secret:bot"}, {"telegram.webhook_secret", "secret:hook"}, {"telegram.webhook_url", "http://hearth.example"}}), HasSubstr("https alone"));
    const std::map<std::string, std::string> whole = {{"whatsapp.token", "secret:wa"}, {"whatsapp.number", "106540352242922"}, {"whatsapp.app_secret", "secret:app"}, {"whatsapp.verify_token", "secret:verify"}};
    const auto with = [&](const char* setting, const char* value) {
        auto changed = whole;
        changed[setting] = value;
        return said(changed);
    };
    EXPECT_THAT(said(whole), IsEmpty());
    EXPECT_THAT(with("whatsapp.template", "hearth_message/en_US"), IsEmpty());
    for (const auto& [missing, value] : whole) EXPECT_THAT(with(missing.c_str(), ""), HasSubstr(missing + " is not"));
    EXPECT_THAT(with("whatsapp.number", "+49 151"), HasSubstr("whatsapp.number is '+49 151'"));
    EXPECT_THAT(with("whatsapp.template", "hello"), HasSubstr("whatsapp.template is 'hello'"));
    EXPECT_THAT(with("whatsapp.url", "http://graph.facebook.com"), HasSubstr("whatsapp.url is 'http://graph.facebook.com'"));
}

TEST_F(CheckTest, ScriptAndModelFile) {
    EXPECT_THAT(said({{"backend.script", path("absent")}}), HasSubstr("backend.script"));
    EXPECT_THAT(said({{"backend.script", file("script", "not JSON\n")}}), HasSubstr("line 1"));
    EXPECT_THAT(said({{"model.path", path("absent.gguf")}}), HasSubstr("absent.gguf"));
}

TEST_F(CheckTest, AliasesOfPhasesAreKnownOnes) {
    for (const char* phase : {"intake", "copilot", "thinking", "recompose"})
        EXPECT_THAT(said({{std::string("backend.") + phase, "big"}}), AllOf(HasSubstr(std::string("backend.") + phase + " is 'big'"), HasSubstr("'default'")));
    EXPECT_THAT(said({{"backend.intake", "default"}}), IsEmpty());
    EXPECT_THAT(said({{"model.name", "big"}, {"backend.intake", "big"}}), IsEmpty());
}

TEST_F(CheckTest, AModelIsNotCalledAsAnAgentIs) {
    for (const char* name : {"hearth", "hearth/dev", ""}) EXPECT_THAT(said({{"model.name", name}}), HasSubstr("model.name is '" + std::string(name) + "'"));
}

}  // namespace
}  // namespace app
