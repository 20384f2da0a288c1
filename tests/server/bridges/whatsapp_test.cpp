// What the answers of WhatsApp's API mean for a message that must not arrive twice, and what proves a delivery.
#include "server/bridges/whatsapp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/bridges/whatsapp_webhook.h"

using End = store::Sending::End;
using server::bridges::is_signature;
using server::bridges::parse_whatsapp_template;
using server::bridges::sending_of;
using server::bridges::WhatsAppAnswer;
using namespace std::chrono_literals;

namespace {

WhatsAppAnswer answer(int status, const char* body) {
    WhatsAppAnswer out;
    out.status = status;
    if (auto json = base::parse_json(body)) out.body = *json;
    return out;
}

}  // namespace

TEST(WhatsAppSending, IsTriedAgainOnlyWhereItCannotHaveArrived) {
    const auto taken = sending_of(answer(200, R"({"messaging_product": "whatsapp", "messages": [{"id": "wamid.x"}]})"));
    EXPECT_EQ(taken.end, End::delivered);
    EXPECT_EQ(taken.there, "wamid.x");
    const auto busy = sending_of(answer(400, R"({"error": {"message": "(#131056) Pair rate limit hit", "code": 131056}})"));
    EXPECT_EQ(busy.end, End::again);
    EXPECT_EQ(busy.wait, 6s);
    for (const auto& [status, body] : {std::pair{429, ""}, {400, R"({"error": {"code": 130429}})"}, {401, R"({"error": {"code": 190}})"}, {400, R"({"error": {"code": 190}})"}, {403, R"({"error": {"code": 200}})"}, {404, "{}"}})
        EXPECT_EQ(sending_of(answer(status, body)).end, End::again) << status << body;
    const auto refused = sending_of(answer(400, R"({"error": {"message": "(#131026) Message undeliverable", "code": 131026, "error_data": {"details": "No such recipient."}}})"));
    EXPECT_EQ(refused.end, End::failed);
    EXPECT_EQ(refused.why, "WhatsApp says: No such recipient. (131026)");
    for (const auto& [status, body] : {std::pair{500, R"({"error": {"code": 131000}})"}, {502, "<html>"}, {200, "<html>"}, {200, R"({"messages": []})"}, {200, R"({"messages": [{}]})"}, {200, "[]"}, {302, ""}})
        EXPECT_EQ(sending_of(answer(status, body)).end, End::unknown) << status << body;
    WhatsAppAnswer none;
    none.trouble = "it broke";
    EXPECT_EQ(sending_of(none).end, End::unknown);
    EXPECT_EQ(sending_of(none).why, "it broke");
    none.left = false;
    EXPECT_EQ(sending_of(none).end, End::again) << "nobody was reached";
}

TEST(WhatsAppTemplate, IsANameAndALanguage) {
    EXPECT_EQ(parse_whatsapp_template("hearth_message/en_US")->language, "en_US");
    for (const char* wrong : {"", "hello", "/en", "hello/", "hello/en/US", "he llo/en", "hello/en-US"}) EXPECT_FALSE(parse_whatsapp_template(wrong)) << wrong;
}

TEST(WhatsAppFiles, AreFetchedWhereMetaKeepsThemAlone) {
    const std::string api = "https://graph.facebook.com/v23.0";
    using server::bridges::hands_out_files;
    for (const char* url : {"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", "https://graph.facebook.com/x"}) EXPECT_TRUE(hands_out_files(api, url)) << url;
    for (const char* url : {"", "lookaside.fbsbx.com", "http://lookaside.fbsbx.com/", "http://graph.facebook.com/", "https://fbsbx.com.evil.example/", "https://evilfbsbx.com/", "https://evil.example/?.fbsbx.com", "ftp://graph.facebook.com/"})
        EXPECT_FALSE(hands_out_files(api, url)) << url;
    EXPECT_TRUE(hands_out_files("http://127.0.0.1:80/v23.0", "http://127.0.0.1:80/media/1"));
}

// RFC 4231, test cases 2, 3 and 6; the last key is longer than a block.
TEST(WhatsAppSignature, IsTheHmacOfTheBytes) {
    EXPECT_TRUE(is_signature("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "what do ya want for nothing?", "Jefe"));
    EXPECT_TRUE(is_signature("sha256=773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe", std::string(50, '\xdd'), std::string(20, '\xaa')));
    EXPECT_TRUE(is_signature("sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "Test Using Larger Than Block-Size Key - Hash Key First", std::string(131, '\xaa')));
    for (const char* wrong : {"", "sha256=", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3842",
                              "sha256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec38430"})
        EXPECT_FALSE(is_signature(wrong, "what do ya want for nothing?", "Jefe")) << wrong;
    EXPECT_FALSE(is_signature("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "what do ya want for nothing? ", "Jefe"));
}
