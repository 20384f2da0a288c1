// What Telegram delivers is read as what it is: by hand-made updates, and by those of other programs' tests.
#include "server/bridges/telegram_update.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "support/fixtures.h"

using base::Json;
using server::bridges::Arrival;
using server::bridges::read_telegram_update;
using server::bridges::telegram_update_number;

namespace {

Arrival read(const Json& update) {
    auto arrival = read_telegram_update(base::dump(update));
    EXPECT_TRUE(arrival) << arrival.error().text();
    return arrival.value_or(Arrival{});
}

Json message(const Json& more) {
    Json out = {{"message_id", 7}, {"date", 1}, {"from", {{"id", 42}, {"is_bot", false}, {"first_name", "Ada"}, {"last_name", "L"}}}, {"chat", {{"id", 42}, {"type", "private"}}}};
    out.update(more);
    return out;
}

Arrival said_in_group(const std::string& text, Json entities, const Json& more = Json::object()) {
    Json body = {{"text", text}, {"chat", {{"id", -100}, {"type", "group"}}}, {"entities", std::move(entities)}};
    body.update(more);
    auto arrival = read_telegram_update(base::dump(Json{{"update_id", 1}, {"message", message(body)}}), {"7000000001", "Hearth_bot"});
    EXPECT_TRUE(arrival) << arrival.error().text();
    return arrival.value_or(Arrival{});
}

Json entity_over(const char* type, int offset, int length) { return {{"type", type}, {"offset", offset}, {"length", length}}; }

}  // namespace

TEST(TelegramUpdate, SaysWhoSaidWhatAndWhere) {
    const Arrival said = read({{"update_id", 9}, {"message", message({{"text", "Good morning"}})}});
    EXPECT_EQ(said.kind, Arrival::Kind::message);
    EXPECT_EQ(said.update, "9");
    EXPECT_EQ(said.sender, "42");
    EXPECT_EQ(said.sender_name, "Ada L");
    EXPECT_EQ(said.chat, "42");
    EXPECT_TRUE(said.alone);
    EXPECT_FALSE(said.from_program);
    EXPECT_EQ(said.text, "Good morning");
    EXPECT_EQ(said.media, "");
}

TEST(TelegramUpdate, TellsAGroupAnEditAPictureAndAProgram) {
    const Json group = {{"chat", {{"id", -1001234567890}, {"type", "supergroup"}}}};
    const Arrival said = read({{"update_id", 1}, {"message", message(group)}});
    EXPECT_EQ(said.chat, "-1001234567890");
    EXPECT_FALSE(said.alone);
    EXPECT_EQ(read({{"update_id", 1}, {"edited_message", message({{"text", "x"}})}}).kind, Arrival::Kind::edit);
    const Json sizes = Json::array({{{"file_id", "small"}}, {{"file_id", "large"}, {"file_size", 99}}});
    const Arrival picture = read({{"update_id", 1}, {"message", message({{"photo", sizes}, {"caption", "the garden"}})}});
    EXPECT_EQ(picture.file.id, "large");
    EXPECT_EQ(picture.file.bytes, 99);
    const Arrival notes = read({{"update_id", 1}, {"message", message({{"document", {{"file_id", "x"}, {"file_name", "a.txt"}, {"mime_type", "text/plain"}}}})}});
    EXPECT_EQ(notes.media + notes.file.id + notes.file.name + notes.file.type, "documentxa.txttext/plain");
    EXPECT_EQ(read({{"update_id", 1}, {"message", message({{"photo", Json::array()}})}}).media, "photo");
    EXPECT_EQ(picture.media, "photo");
    EXPECT_EQ(picture.text, "the garden");
    EXPECT_TRUE(read({{"update_id", 1}, {"message", message({{"from", {{"id", 1}, {"is_bot", true}}}})}}).from_program);
}

TEST(TelegramUpdate, AmongOthersWhatNamesTheBotOrAnswersItIsForIt) {
    // Offsets are in UTF-16: the smile is two.
    const Arrival named = said_in_group("\xf0\x9f\x99\x82 @hearth_BOT good morning", {entity_over("mention", 3, 11)});
    EXPECT_TRUE(named.addressed);
    EXPECT_EQ(named.text, "\xf0\x9f\x99\x82  good morning");
    EXPECT_FALSE(said_in_group("@hearth_bot2 hi", {entity_over("mention", 0, 12)}).addressed);
    EXPECT_FALSE(said_in_group("@hearth_bot hi", Json::array()).addressed) << "no entity: part of an address, or of code";
    EXPECT_EQ(said_in_group("/stop@hearth_bot", {entity_over("bot_command", 0, 16)}).text, "/stop");
    EXPECT_FALSE(said_in_group("/stop", {entity_over("bot_command", 0, 5)}).addressed) << "of which bot it does not say";
    Json by_name = entity_over("text_mention", 0, 6);
    by_name["user"] = {{"id", 7000000001}, {"is_bot", true}};
    EXPECT_EQ(said_in_group("Hearth, hello", {by_name}).text, ", hello");
    by_name["user"]["id"] = 5;
    EXPECT_FALSE(said_in_group("Hearth, hello", {by_name}).addressed);
    const Json earlier = {{"reply_to_message", {{"message_id", 3}, {"from", {{"id", 7000000001}, {"first_name", "Hearth"}}}, {"text", "At ten."}}}};
    const Arrival answer = said_in_group("Why?", Json::array(), earlier);
    EXPECT_TRUE(answer.addressed);
    EXPECT_EQ(answer.quoted.text + answer.quoted.sender_name + answer.quoted.message, "At ten.Hearth3");
    Json part = earlier;
    part["quote"] = {{"text", "ten"}, {"position", 3}};
    EXPECT_EQ(said_in_group("Why?", Json::array(), part).quoted.text, "ten");
    for (const auto& [offset, length] : {std::pair{-1, 3}, {0, -5}, {0, 0}, {500, 900}, {2000000000, 2000000000}}) EXPECT_FALSE(said_in_group("@hearth_bot", {entity_over("mention", offset, length)}).addressed);
    EXPECT_FALSE(said_in_group("@hearth_bot", {Json(5), Json{{"type", 5}}, Json{{"type", "mention"}, {"offset", "x"}, {"length", 11}}}).addressed);
    EXPECT_EQ(said_in_group("", Json::array(), {{"migrate_to_chat_id", -100777}}).moved_to, "-100777");
}

TEST(TelegramUpdate, TellsWhoseWordsAreHandedOn) {
    const auto handed_on = [](const Json& origin) { return said_in_group("@hearth_bot open the door", {entity_over("mention", 0, 11)}, {{"forward_origin", origin}}); };
    const std::pair<Json, const char*> origins[] = {
        {{{"type", "user"}, {"sender_user", {{"id", 77}, {"is_bot", false}, {"first_name", "Mallory"}}}}, "Mallory"},
        {{{"type", "hidden_user"}, {"sender_user_name", "Mallory"}}, "Mallory"},
        {{{"type", "channel"}, {"chat", {{"id", -1005}, {"title", "News"}}}}, "News"},
        {{{"type", "of the future"}}, ""},
    };
    for (const auto& [origin, author] : origins) {
        const Arrival arrival = handed_on(origin);
        EXPECT_TRUE(arrival.forwarded) << origin;
        EXPECT_EQ(arrival.author, author);
        EXPECT_FALSE(arrival.addressed) << "whoever wrote it named the bot, not who hands it on";
    }
    const Json own = {{"type", "user"}, {"sender_user", {{"id", 42}, {"is_bot", false}, {"first_name", "Ada"}}}};
    EXPECT_FALSE(handed_on(own).forwarded);
    const auto answered = [](const Json& origin) {
        const Json earlier = {{"message_id", 3}, {"from", {{"id", 42}, {"first_name", "Ada"}}}, {"forward_origin", origin}, {"text", "open the door"}};
        return said_in_group("do it", Json::array(), {{"reply_to_message", earlier}}).quoted;
    };
    for (const auto& [origin, author] : origins) {
        EXPECT_EQ(answered(origin).sender, "") << "an answer to it does not make it Ada's: " << origin;
        EXPECT_EQ(answered(origin).sender_name, author);
        EXPECT_EQ(answered(origin).text, "open the door");
    }
    EXPECT_EQ(answered(own).sender, "42");
    EXPECT_FALSE(read_telegram_update(R"({"update_id": 1, "message": {"chat": {"id": 1}, "forward_origin": 5}})"));
}

TEST(TelegramUpdate, TellsWhatWasPressedByWhomAndWhere) {
    const Json query = {{"id", "77"}, {"from", {{"id", 42}, {"is_bot", false}, {"first_name", "Ada"}}}, {"message", {{"message_id", 5}, {"date", 0}, {"chat", {{"id", -100}, {"type", "group"}}}}}, {"data", "approval:x:grant"}};
    const Arrival pressed = read({{"update_id", 9}, {"callback_query", query}});
    EXPECT_EQ(pressed.kind, Arrival::Kind::choice);
    EXPECT_EQ(pressed.sender, "42");
    EXPECT_EQ(pressed.chat, "-100");
    EXPECT_EQ(pressed.message, "5");
    EXPECT_EQ(pressed.choice, "approval:x:grant");
    EXPECT_EQ(pressed.press, "77");
    EXPECT_FALSE(read_telegram_update(R"({"update_id": 1, "callback_query": {"id": 5}})"));
    EXPECT_EQ(read({{"update_id", 9}, {"callback_query", {{"id", "1"}}}}).chat, "") << "the message is too old";
}

TEST(TelegramUpdate, TellsWhoLeavesAGroup) {
    const Json bob = {{"id", 43}, {"is_bot", false}, {"first_name", "Bob"}}, group = {{"id", -100}, {"type", "group"}};
    const Arrival said = read({{"update_id", 1}, {"message", message({{"chat", group}, {"left_chat_member", bob}})}});
    EXPECT_EQ(said.kind, Arrival::Kind::left);
    EXPECT_EQ(said.sender, "43") << "who has left, and not who has put him out";
    EXPECT_EQ(said.chat, "-100");
    EXPECT_FALSE(said.alone);
    const auto change = [&](const char* status, const Json& more = Json::object()) {
        Json now = {{"status", status}, {"user", bob}};
        now.update(more);
        return read({{"update_id", 1}, {"chat_member", {{"chat", group}, {"from", {{"id", 42}}}, {"date", 1}, {"new_chat_member", now}}}});
    };
    for (const char* status : {"left", "kicked"}) EXPECT_EQ(change(status).kind, Arrival::Kind::left) << status;
    EXPECT_EQ(change("left").sender + change("left").chat, "43-100");
    EXPECT_EQ(change("restricted", {{"is_member", false}}).kind, Arrival::Kind::left);
    for (const char* status : {"member", "administrator", "creator", "restricted", "of the future"}) EXPECT_EQ(change(status, {{"is_member", true}}).kind, Arrival::Kind::other) << status;
    EXPECT_EQ(change("member").what, "chat_member");
    EXPECT_EQ(read({{"update_id", 1}, {"chat_member", Json::object()}}).kind, Arrival::Kind::other);
    EXPECT_EQ(said_in_group("", Json::array(), {{"left_chat_member", {{"id", 7000000001}, {"is_bot", true}}}}).kind, Arrival::Kind::other) << "the bot itself: they are all still there";
    EXPECT_FALSE(read_telegram_update(R"({"update_id": 1, "message": {"chat": {"id": 1}, "left_chat_member": {}}})"));
}

TEST(TelegramUpdate, WhatIsNoTextIsToldInWords) {
    const Json place = {{"latitude", 48.1}, {"longitude", -11.5}};
    const struct {
        const char *media, *says;
        Json thing;
    } rows[] = {
        {"location", "latitude 48.1, longitude -11.5", place},
        {"location", "latitude 48.1, longitude -11.5, as it is now", {{"latitude", 48.1}, {"longitude", -11.5}, {"live_period", 60}}},
        {"location", "", Json::object()},
        {"venue", "Bakery, Main Street 5, latitude 48.1, longitude -11.5", {{"location", place}, {"title", "Bakery"}, {"address", "Main Street 5"}}},
        {"contact", "Bob Miller, +49 151 1", {{"phone_number", "+49 151 1"}, {"first_name", "Bob"}, {"last_name", "Miller"}, {"vcard", "BEGIN:VCARD"}}},
        {"poll", "Pizza?\n- yes (2)\n- no", {{"question", "Pizza?"}, {"options", Json::array({{{"text", "yes"}, {"voter_count", 2}}, {{"text", "no"}, {"voter_count", 0}}})}}},
        {"checklist", "Trip\n- tent (done)\n- map", {{"title", "Trip"}, {"tasks", Json::array({{{"id", 1}, {"text", "tent"}, {"completion_date", 5}}, {{"id", 2}, {"text", "map"}}})}}},
        {"sticker", "\xf0\x9f\x91\x8d", {{"file_id", "s"}, {"emoji", "\xf0\x9f\x91\x8d"}}},
        {"dice", "\xf0\x9f\x8e\xb2 4", {{"emoji", "\xf0\x9f\x8e\xb2"}, {"value", 4}}},
        {"voice", "", {{"file_id", "v"}}},
        {"contact", "", Json::array({1})},
    };
    for (const auto& row : rows) {
        const Json of = message({{row.media, row.thing}});
        const Arrival told = read({{"update_id", 1}, {"message", of}});
        EXPECT_EQ(told.media, row.media);
        EXPECT_EQ(told.says.text, row.says) << row.thing;
        EXPECT_EQ(read({{"update_id", 1}, {"message", message({{"text", "What is it?"}, {"reply_to_message", of}})}}).quoted.says.text, row.says);
    }
    const Arrival named = read({{"update_id", 1}, {"message", message({{"location", place}, {"venue", {{"location", place}, {"title", "Bakery"}}}})}});
    EXPECT_EQ(named.media, "venue") << "the API sends both";
    EXPECT_FALSE(named.says.own) << "its name is of somebody's writing";
    EXPECT_TRUE(read({{"update_id", 1}, {"message", message({{"location", place}})}}).says.own);
}

TEST(TelegramUpdate, WhatIsNotKnownIsSomethingElse) {
    const Arrival other = read({{"update_id", 1}, {"message_of_the_future", {{"text", "x"}}}});
    EXPECT_EQ(other.kind, Arrival::Kind::other);
    EXPECT_EQ(other.what, "message_of_the_future");
    EXPECT_EQ(read({{"update_id", 1}}).kind, Arrival::Kind::other);
    EXPECT_EQ(read({{"update_id", 1}, {"message", {{"message_id", 1}}}}).what, "message without a chat");
    EXPECT_EQ(read({{"update_id", 1}, {"message", message({{"unknown", {{"x", 1}}}})}}).text, "");
}

TEST(TelegramUpdate, WhatIsNoUpdateIsRefusedByName) {
    const std::pair<std::string, std::string> wrong[] = {
        {"", "JSON"}, {"[1]", "no JSON object"}, {"{}", "update_id"}, {R"({"update_id": "1"})", "update_id"}, {R"({"update_id": 1.5})", "update_id"},
        {R"({"update_id": 1, "message": [1]})", "message"}, {R"({"update_id": 1, "message": {"chat": 5}})", "chat"},
        {R"({"update_id": 1, "message": {"chat": {"id": "x"}}})", "id"}, {R"({"update_id": 1, "message": {"chat": {"id": 1}, "text": 5}})", "text"},
        {R"({"update_id": 1, "message": {"chat": {"id": 1}, "from": "me"}})", "from"}, {std::string(100, '['), ""},
    };
    for (const auto& [body, names] : wrong) {
        const auto arrival = read_telegram_update(body);
        ASSERT_FALSE(arrival) << body;
        EXPECT_NE(arrival.error().message.find(names), std::string::npos) << body << ": " << arrival.error().message;
    }
    EXPECT_FALSE(telegram_update_number("{}"));
    EXPECT_EQ(telegram_update_number(R"({"update_id": 8, "message": [1]})").value(), "8") << "it can be taken in, and never read";
}

// 181 updates and messages out of other libraries' tests: none is refused, and those with something said say it.
TEST(TelegramUpdate, ReadsWhatOthersTestWith) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    std::ifstream in(*vectors / "webhooks/telegram/updates.jsonl");
    int messages = 0, edits = 0, others = 0;
    for (std::string line; std::getline(in, line);) {
        const Json given = Json::parse(line);
        SCOPED_TRACE(given["id"].get<std::string>());
        const bool bare = given["kind"] == "message";
        const Json update = bare ? Json{{"update_id", 5}, {"message", given["payload"]}} : given["payload"];
        const Arrival arrival = read(update);
        const std::string type = bare ? "message" : given["update_type"].get<std::string>();
        EXPECT_EQ(arrival.update, std::to_string(update["update_id"].get<std::int64_t>()));
        messages += arrival.kind == Arrival::Kind::message;
        edits += arrival.kind == Arrival::Kind::edit;
        others += arrival.kind == Arrival::Kind::other || arrival.kind == Arrival::Kind::choice;
        const bool nowhere = update.contains("message") && !update["message"].contains("chat");
        if (type == "callback_query") {
            EXPECT_EQ(arrival.kind, Arrival::Kind::choice);
            continue;
        }
        const Json& said = update.contains("message") ? update["message"] : Json::object();
        if (said.value("migrate_to_chat_id", Json()).is_number() && said["migrate_to_chat_id"] != 0) {
            EXPECT_EQ(arrival.kind, Arrival::Kind::moved);
            continue;
        }
        if (arrival.kind == Arrival::Kind::left) {  // by whom and where: tests/e2e/arrivals_test.py
            EXPECT_TRUE(said.contains("left_chat_member") || type == "chat_member");
            continue;
        }
        EXPECT_EQ(arrival.kind, nowhere ? Arrival::Kind::other : type == "message" ? Arrival::Kind::message : type == "edited_message" ? Arrival::Kind::edit : Arrival::Kind::other);
    }
    EXPECT_GT(messages, 100);
    EXPECT_GT(edits, 20);
    EXPECT_GT(others, 20);
}
