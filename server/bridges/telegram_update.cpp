#include "server/bridges/telegram_update.h"

#include "base/json.h"

namespace server::bridges {
namespace {

using base::Json;
using base::Result;

constexpr const char* kMedia[] = {"photo", "voice", "document", "audio", "video", "video_note", "animation", "sticker", "location", "venue", "contact", "poll", "dice"};
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

std::string media_of(const Json& message) {
    for (const char* kind : kMedia)
        if (message.contains(kind)) return kind;
    return {};
}

Result<void> read_sender(const Json& of, Arrival& out) {
    const auto from = object_in(of, "from");
    if (!from) return from.error();
    if (!*from) return {};
    const auto who = base::integer_field(**from, "id");
    if (!who) return who.error();
    out.sender = std::to_string(*who);
    out.sender_name = name_of(**from);
    const auto program = base::optional_bool(**from, "is_bot");
    if (!program) return program.error();
    out.from_program = program->value_or(false);
    return {};
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

Result<void> read_message(const Json& message, Arrival& out) {
    const auto placed = read_place(message, out);
    if (!placed) return placed.error();
    if (!*placed) {
        out.kind = Arrival::Kind::other;
        out.what = "message without a chat";
        return {};
    }
    if (auto sent = read_sender(message, out); !sent) return sent;
    const auto text = base::optional_string(message, "text"), caption = base::optional_string(message, "caption");
    if (!text) return text.error();
    if (!caption) return caption.error();
    out.text = text->value_or(caption->value_or(""));
    out.media = media_of(message);
    return {};
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
    const auto update = base::parse_json(body, kMostDepth);
    if (!update) return update.error();
    return number_of(*update);
}

Result<Arrival> read_telegram_update(std::string_view body) {
    const auto update = base::parse_json(body, kMostDepth);
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
        if (auto read = read_message(**message, out); !read) return std::move(read).error();
        return out;
    }
    const auto query = object_in(*update, "callback_query");
    if (!query) return query.error();
    if (*query) {
        out.kind = Arrival::Kind::choice;
        if (auto read = read_press(**query, out); !read) return std::move(read).error();
        return out;
    }
    for (const auto& [field, value] : update->items())
        if (field != "update_id") out.what = field;
    return out;
}

}  // namespace server::bridges
