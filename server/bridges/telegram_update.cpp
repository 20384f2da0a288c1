#include "server/bridges/telegram_update.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/trim.h"
#include "server/bridges/foreign_json.h"
#include "server/bridges/foreign_words.h"
#include "server/bridges/pieces.h"

namespace server::bridges {
namespace {

using base::Json;
using base::Result;

// Of a place that has a name the API sends both, for those that do not know the former.
constexpr const char* kMedia[] = {"photo", "voice", "document", "audio", "video", "video_note", "animation", "sticker", "venue", "location", "contact", "poll", "dice", "story", "paid_media", "checklist", "game", "invoice"};
constexpr int kMostDepth = 64;  // of quoted messages in messages

base::Error wrong(const std::string& what) { return base::error(base::Code::invalid_argument, "the update of Telegram " + what); }

Result<std::string> number_of(const Json& update) {
    if (!update.is_object()) return wrong("is no JSON object");
    const auto number = base::integer_field(update, "update_id");
    if (!number) return number.error();
    return std::to_string(*number);
}

// The object of that name; nothing where there is none.
Result<const Json*> object_in(const Json& in, const char* field) {
    const auto found = in.find(field);
    if (found == in.end() || found->is_null()) return static_cast<const Json*>(nullptr);
    if (!found->is_object()) return wrong(std::string("has no object as its ") + field);
    return &*found;
}

std::string text_in(const Json& in, const char* field) {
    const auto found = in.find(field);
    return found != in.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string name_of(const Json& user) {
    std::string name = text_in(user, "first_name");
    const std::string last = text_in(user, "last_name"), handle = text_in(user, "username");
    if (!last.empty()) name += (name.empty() ? "" : " ") + last;
    return name.empty() ? handle : name;
}

// Its kind; empty where there is none.
std::string read_file(const Json& message, ArrivedFile& out) {
    for (const char* kind : kMedia) {
        const auto found = message.find(kind);
        if (found == message.end() || found->is_null()) continue;
        // Of a photo there are several sizes, the largest last.
        const Json& file = found->is_array() && !found->empty() ? found->back() : *found;
        if (!file.is_object()) return kind;
        out.id = text_in(file, "file_id");
        out.name = text_in(file, "file_name");
        out.type = text_in(file, "mime_type");
        const auto bytes = base::optional_integer(file, "file_size");
        if (bytes && *bytes) out.bytes = **bytes;
        return kind;
    }
    return {};
}

Result<void> read_user(const Json& user, Arrival& out) {
    const auto who = base::integer_field(user, "id");
    if (!who) return who.error();
    out.sender = std::to_string(*who);
    out.sender_name = name_of(user);
    out.language = text_in(user, "language_code");
    const auto program = base::optional_bool(user, "is_bot");
    if (!program) return program.error();
    out.from_program = program->value_or(false);
    return {};
}

Result<void> read_sender(const Json& of, Arrival& out) {
    const auto from = object_in(of, "from");
    if (!from) return from.error();
    return *from ? read_user(**from, out) : Result<void>();
}

// Where it was said. False: it does not say.
Result<bool> read_place(const Json& message, Arrival& out) {
    const auto chat = object_in(message, "chat");
    if (!chat) return chat.error();
    if (!*chat) return false;
    const auto where = base::integer_field(**chat, "id");
    if (!where) return where.error();
    out.chat = std::to_string(*where);
    out.alone = text_in(**chat, "type") == "private";
    const auto id = base::optional_integer(message, "message_id");
    if (!id) return id.error();
    if (*id) out.message = std::to_string(**id);
    return true;
}

// A number of the API's as text; empty where there is none.
std::string number_in(const Json& in, const char* field) {
    const auto found = in.find(field);
    return found != in.end() && found->is_number_integer() ? std::to_string(found->get<std::int64_t>()) : std::string();
}

bool same_name(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

// Whether the entity over those words names the bot: "@name", a name that stands for it, or a command that is for it.
bool names(const Json& entity, std::string_view words, const TelegramSelf& self) {
    const std::string type = text_in(entity, "type");
    if (type == "mention") return words.starts_with("@") && same_name(words.substr(1), self.username);
    const auto at = words.find('@');
    if (type == "bot_command") return at != words.npos && same_name(words.substr(at + 1), self.username);
    const auto user = type == "text_mention" ? entity.find("user") : entity.end();
    return user != entity.end() && user->is_object() && !self.id.empty() && number_in(*user, "id") == self.id;
}

// Of a message that names the bot: what is left of it without the name. A command keeps its word.
void read_mentions(const Json& message, const TelegramSelf& self, Arrival& out) {
    const auto entities = message.find(text_in(message, "text").empty() ? "caption_entities" : "entities");
    if (self.id.empty() || entities == message.end() || !entities->is_array()) return;
    std::vector<std::pair<std::size_t, std::size_t>> left_out;  // from, to; in bytes
    for (const Json& entity : *entities) {
        if (!entity.is_object()) continue;
        const auto offset = base::optional_integer(entity, "offset"), length = base::optional_integer(entity, "length");
        if (!offset || !length || !*offset || !*length || **offset < 0 || **length <= 0) continue;
        const std::size_t from = byte_at_unit(out.text, std::size_t(**offset)), to = byte_at_unit(out.text, std::size_t(**offset) + std::size_t(**length));
        const std::string_view words = std::string_view(out.text).substr(from, to - from);
        if (!names(entity, words, self)) continue;
        const bool command = words.starts_with("/");
        left_out.emplace_back(command ? from + words.find('@') : from, to);
    }
    out.addressed = out.addressed || !left_out.empty();
    std::sort(left_out.rbegin(), left_out.rend());
    for (const auto& [from, to] : left_out) out.text.erase(from, to - from);
    if (!left_out.empty()) out.text = std::string(base::trimmed(out.text));
}

// Whose words they are that its sender hands on, as far as the API says; nothing where they are his own.
Result<std::optional<std::string>> read_origin(const Json& message, const std::string& sender) {
    const auto origin = object_in(message, "forward_origin");
    if (!origin) return origin.error();
    if (!*origin) return std::optional<std::string>();
    std::string author;
    for (const char* field : {"sender_user", "sender_chat", "chat"}) {
        const auto found = object_in(**origin, field);
        if (!found) return found.error();
        if (!*found) continue;
        if (number_in(**found, "id") == sender) return std::optional<std::string>();
        author = text_in(**found, "title");
        if (author.empty()) author = name_of(**found);
    }
    if (author.empty()) author = text_in(**origin, "sender_user_name");
    return std::optional(std::move(author));
}

Result<void> read_quote(const Json& message, const TelegramSelf& self, Arrival& out) {
    const auto answered = object_in(message, "reply_to_message"), quote = object_in(message, "quote");
    if (!answered) return answered.error();
    if (!quote) return quote.error();
    if (*quote) out.quoted.text = text_in(**quote, "text");
    if (!*answered) return {};
    const Json& earlier = **answered;
    out.quoted.message = number_in(earlier, "message_id");
    for (const char* field : {"text", "caption"})
        if (out.quoted.text.empty()) out.quoted.text = text_in(earlier, field);
    out.quoted.media = read_file(earlier, out.quoted.file);
    out.quoted.says = telegram_media_words(earlier, out.quoted.media);
    const auto from = object_in(earlier, "from");
    if (!from) return from.error();
    if (!*from) return {};
    out.quoted.sender = number_in(**from, "id");
    out.quoted.sender_name = name_of(**from);
    out.addressed = out.addressed || (!self.id.empty() && out.quoted.sender == self.id);
    auto author = read_origin(earlier, out.quoted.sender);
    if (!author) return std::move(author).error();
    if (!*author) return {};
    // Whoever handed them on has not written them: they have no authority of his.
    out.quoted.sender.clear();
    out.quoted.sender_name = **std::move(author);
    return {};
}

// Somebody is in the chat no more. Where that is the bot itself nobody has left those who are there.
Result<void> read_leaving(const Json& user, const TelegramSelf& self, Arrival& out) {
    if (auto gone = read_user(user, out); !gone) return gone;
    out.kind = out.sender == self.id ? Arrival::Kind::other : Arrival::Kind::left;
    out.what = "the bot has left";
    return {};
}

Result<void> read_message(const Json& message, const TelegramSelf& self, Arrival& out) {
    const auto placed = read_place(message, out);
    if (!placed) return placed.error();
    if (!*placed) {
        out.kind = Arrival::Kind::other;
        out.what = "message without a chat";
        return {};
    }
    if (const std::string to = number_in(message, "migrate_to_chat_id"); !to.empty() && to != "0") {
        out.kind = Arrival::Kind::moved;
        out.moved_to = to;
        return {};
    }
    const auto gone = object_in(message, "left_chat_member");
    if (!gone) return gone.error();
    if (*gone) return read_leaving(**gone, self, out);
    if (auto sent = read_sender(message, out); !sent) return sent;
    const auto text = base::optional_string(message, "text"), caption = base::optional_string(message, "caption");
    if (!text) return text.error();
    if (!caption) return caption.error();
    out.text = text->value_or(caption->value_or(""));
    out.media = read_file(message, out.file);
    out.says = telegram_media_words(message, out.media);
    out.album = text_in(message, "media_group_id");
    auto author = read_origin(message, out.sender);
    if (!author) return std::move(author).error();
    out.forwarded = author->has_value();
    out.author = author->value_or("");
    if (!out.forwarded) read_mentions(message, self, out);
    return read_quote(message, self, out);
}

// What somebody is in a chat has changed, which the API tells those bots that look after it.
Result<void> read_member(const Json& change, const TelegramSelf& self, Arrival& out) {
    out.what = "chat_member";
    const auto now = object_in(change, "new_chat_member");
    if (!now) return now.error();
    if (!*now) return {};
    const auto user = object_in(**now, "user");
    if (!user) return user.error();
    const auto still = base::optional_bool(**now, "is_member");
    if (!still) return still.error();
    const std::string status = text_in(**now, "status");
    const bool gone = status == "left" || status == "kicked" || (status == "restricted" && !still->value_or(true));
    if (!*user || !gone) return {};
    const auto placed = read_place(change, out);
    if (!placed) return placed.error();
    return *placed ? read_leaving(**user, self, out) : Result<void>();
}

// A button was pressed. Of a message that is too old the API tells neither text nor place.
Result<void> read_press(const Json& query, Arrival& out) {
    if (auto sent = read_sender(query, out); !sent) return sent;
    const auto message = object_in(query, "message");
    if (!message) return message.error();
    if (*message)
        if (const auto placed = read_place(**message, out); !placed) return placed.error();
    const auto id = base::optional_string(query, "id"), data = base::optional_string(query, "data");
    if (!id) return id.error();
    if (!data) return data.error();
    out.press = id->value_or("");
    out.choice = data->value_or("");
    return {};
}

}  // namespace

Result<std::string> telegram_update_number(std::string_view body) {
    const auto update = parse_foreign_json(body, kMostDepth);
    if (!update) return update.error();
    return number_of(*update);
}

Result<Arrival> read_telegram_update(std::string_view body, const TelegramSelf& self) {
    const auto update = parse_foreign_json(body, kMostDepth);
    if (!update) return update.error();
    auto number = number_of(*update);
    if (!number) return std::move(number).error();
    Arrival out;
    out.update = *std::move(number);
    for (const auto& [field, kind] : {std::pair{"message", Arrival::Kind::message}, {"edited_message", Arrival::Kind::edit}}) {
        const auto message = object_in(*update, field);
        if (!message) return message.error();
        if (!*message) continue;
        out.kind = kind;
        if (auto read = read_message(**message, self, out); !read) return std::move(read).error();
        return out;
    }
    const auto query = object_in(*update, "callback_query");
    if (!query) return query.error();
    if (*query) {
        out.kind = Arrival::Kind::choice;
        if (auto read = read_press(**query, out); !read) return std::move(read).error();
        return out;
    }
    const auto member = object_in(*update, "chat_member");
    if (!member) return member.error();
    if (*member) {
        if (auto read = read_member(**member, self, out); !read) return std::move(read).error();
        return out;
    }
    for (const auto& [field, value] : update->items())
        if (field != "update_id") out.what = field;
    return out;
}

}  // namespace server::bridges
