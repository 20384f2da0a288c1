// What WhatsApp delivers is taken apart and read as what it is.
#include "server/bridges/whatsapp_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

using base::Json;
using Kind = server::bridges::Arrival::Kind;
using server::bridges::read_whatsapp_part;
using server::bridges::whatsapp_parts;

namespace {

Json delivery(Json value) { return {{"object", "whatsapp_business_account"}, {"entry", {{{"id", "1"}, {"changes", {{{"field", "messages"}, {"value", std::move(value)}}}}}}}}; }

Json value(Json messages, Json statuses = Json::array()) {
    return {{"metadata", {{"phone_number_id", "77"}}}, {"contacts", {{{"wa_id", "42"}, {"profile", {{"name", "Ada"}}}}}}, {"messages", std::move(messages)}, {"statuses", std::move(statuses)}};
}

server::bridges::WhatsAppArrival only(const Json& message) {
    const auto parts = whatsapp_parts(base::dump(delivery(value(Json::array({message})))));
    EXPECT_EQ(parts.value().size(), 1u);
    auto read = read_whatsapp_part(parts.value().at(0).body);
    EXPECT_TRUE(read) << read.error().text();
    return read.value();
}

}  // namespace

TEST(WhatsAppUpdate, SaysWhoSaidWhatWhenAndWhere) {
    const auto [said, number] = only({{"from", "42"}, {"id", "wamid.1"}, {"timestamp", "1750000000"}, {"type", "text"}, {"text", {{"body", "Good morning"}}}});
    EXPECT_EQ(number, "77");
    EXPECT_EQ(said.kind, Kind::message);
    EXPECT_EQ(said.update, "wamid.1");
    EXPECT_EQ(said.sender, "42");
    EXPECT_EQ(said.sender_name, "Ada");
    EXPECT_EQ(said.chat, "42");
    EXPECT_TRUE(said.alone);
    EXPECT_EQ(said.text, "Good morning");
    EXPECT_EQ(said.said, base::TimePoint(std::chrono::seconds(1750000000)));
}

TEST(WhatsAppUpdate, TellsWhatWasHandedOn) {
    for (const char* how : {"forwarded", "frequently_forwarded"}) EXPECT_TRUE(only({{"from", "42"}, {"id", "w"}, {"context", {{how, true}}}, {"type", "text"}, {"text", {{"body", "x"}}}}).arrival.forwarded) << how;
    for (const Json& context : {Json::object(), Json{{"forwarded", false}}, Json{{"forwarded", "true"}}, Json{{"id", "wamid.1"}}})
        EXPECT_FALSE(only({{"from", "42"}, {"id", "w"}, {"context", context}, {"type", "text"}, {"text", {{"body", "x"}}}}).arrival.forwarded) << context;
}

TEST(WhatsAppUpdate, TellsWhichMessageIsAnswered) {
    const auto answer = [](Json context) { return only({{"from", "42"}, {"id", "w"}, {"context", std::move(context)}, {"type", "text"}, {"text", {{"body", "x"}}}}).arrival.quoted.message; };
    EXPECT_EQ(answer({{"from", "77"}, {"id", "wamid.1"}}), "wamid.1");
    EXPECT_EQ(answer({{"forwarded", true}, {"id", "wamid.1"}}), "");
    for (const Json& none : {Json(nullptr), Json("wamid.1"), Json::object(), Json{{"id", 5}}}) EXPECT_EQ(answer(none), "") << none;
}

TEST(WhatsAppUpdate, WhatIsNoTextIsToldInWords) {
    const Json place = {{"latitude", 48.1}, {"longitude", 11.5}, {"name", "Bakery"}, {"address", "Main Street 5"}};
    EXPECT_EQ(only({{"from", "42"}, {"id", "w"}, {"type", "location"}, {"location", place}}).arrival.says.text, "Bakery, Main Street 5, latitude 48.1, longitude 11.5");
    const auto own = [](Json at) { return only({{"from", "42"}, {"id", "w"}, {"type", "location"}, {"location", std::move(at)}}).arrival.says.own; };
    EXPECT_FALSE(own(place)) << "its name is of somebody's writing";
    EXPECT_TRUE(own({{"latitude", 48.1}, {"longitude", 11.5}}));
    const Json cards = Json::array({{{"name", {{"formatted_name", "Bob"}}}, {"phones", Json::array({{{"phone", "+49 1"}}, {{"phone", "+49 2"}}})}, {"emails", Json::array({{{"email", "b@example.org"}}})}}, {{"name", {{"formatted_name", "Eve"}}}}});
    const auto told = only({{"from", "42"}, {"id", "w"}, {"type", "contacts"}, {"contacts", cards}}).arrival;
    EXPECT_EQ(told.says.text, "Bob, +49 1, +49 2, b@example.org\nEve");
    EXPECT_EQ(told.media, "contacts");
    for (const Json& odd : {Json(5), Json::array({5}), Json::array({{{"name", 5}, {"phones", 5}}})}) EXPECT_EQ(only({{"from", "42"}, {"id", "w"}, {"type", "contacts"}, {"contacts", odd}}).arrival.says.text, "") << odd;
    EXPECT_EQ(only({{"from", "42"}, {"id", "w"}, {"type", "image"}, {"image", {{"id", "7"}}}}).arrival.says.text, "");
}

TEST(WhatsAppUpdate, ATimeThatIsNoneIsNoTime) {
    for (const Json& time : {Json("soon"), Json(""), Json(-1), Json("99999999999999999999"), Json(1e300), Json(nullptr), Json(253402300800)})
        EXPECT_FALSE(only({{"from", "42"}, {"id", "w"}, {"timestamp", time}, {"type", "text"}, {"text", {{"body", "x"}}}}).arrival.said) << time;
    EXPECT_TRUE(only({{"from", "42"}, {"id", "w"}, {"timestamp", 1750000000}, {"type", "text"}}).arrival.said);
}

TEST(WhatsAppUpdate, AButtonOfOursIsAChoiceAndTheirsAreWords) {
    const auto ours = only({{"from", "42"}, {"id", "w"}, {"context", {{"id", "wamid.ours"}}}, {"type", "interactive"}, {"interactive", {{"type", "button_reply"}, {"button_reply", {{"id", "a:1"}, {"title", "Deny"}}}}}}).arrival;
    EXPECT_EQ(ours.kind, Kind::choice);
    EXPECT_EQ(ours.choice, "a:1");
    EXPECT_EQ(ours.text, "Deny");
    EXPECT_EQ(ours.message, "wamid.ours");
    const auto theirs = only({{"from", "42"}, {"id", "w"}, {"type", "button"}, {"button", {{"payload", "a:1"}, {"text", "Yes"}}}}).arrival;
    EXPECT_EQ(theirs.kind, Kind::message);
    EXPECT_EQ(theirs.choice, "");
    EXPECT_EQ(theirs.text, "Yes");
}

TEST(WhatsAppUpdate, AGroupIsNobodyAloneAndWhoHasNoNumberHasAnId) {
    const auto group = only({{"from", "42"}, {"group_id", "g"}, {"id", "w"}, {"type", "text"}, {"text", {{"body", "x"}}}}).arrival;
    EXPECT_FALSE(group.alone);
    EXPECT_EQ(group.chat, "g");
    EXPECT_EQ(only({{"from_user_id", "DE.1"}, {"id", "w"}, {"type", "text"}, {"text", {{"body", "x"}}}}).arrival.sender, "DE.1");
}

TEST(WhatsAppUpdate, ReceiptsAreKeptByWhatTheySay) {
    const Json statuses = {{{"id", "wamid.1"}, {"status", "sent"}}, {{"id", "wamid.1"}, {"status", "played"}, {"biz_opaque_callback_data", "ours"}}, {{"id", "wamid.1"}, {"status", "failed"}}};
    const auto parts = whatsapp_parts(base::dump(delivery(value(Json::array(), statuses)))).value();
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(parts[1].update, "wamid.1/played");
    EXPECT_EQ(read_whatsapp_part(parts[0].body)->arrival.kind, Kind::other);
    const auto read = read_whatsapp_part(parts[1].body)->arrival;
    EXPECT_EQ(read.kind, Kind::receipt);
    EXPECT_EQ(read.what, "read");
    EXPECT_EQ(read.ours, "ours");
    EXPECT_THAT(read_whatsapp_part(parts[2].body)->arrival.text, testing::HasSubstr("does not say why"));
}

TEST(WhatsAppUpdate, WhatIsNoDeliveryIsRefused) {
    for (const char* body : {"", "{", "[]", "5", "{}", R"({"entry": {}})"}) EXPECT_FALSE(whatsapp_parts(body)) << body;
    EXPECT_TRUE(whatsapp_parts(R"({"entry": []})")->empty());
    for (const char* part : {"", "[]", "{}", R"({"message": 5})", R"({"message": {"from": 5}})", R"({"status": {"id": {}}})"}) EXPECT_FALSE(read_whatsapp_part(part)) << part;
}
