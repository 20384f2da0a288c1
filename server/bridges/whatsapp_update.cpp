#include "server/bridges/whatsapp_update.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "server/bridges/foreign_json.h"
#include "server/bridges/foreign_words.h"

namespace server::bridges {
namespace {

using base::Json;
using base::Result;

constexpr const char* kMedia[] = {"image", "video", "audio", "document", "sticker", "location", "contacts", "order"};
constexpr int kMostDepth = 64;
constexpr std::size_t kLongestId = 256;  // bytes: what is longer is no id of theirs

base::Error wrong(const std::string& what) { return base::error(base::Code::invalid_argument, "the delivery of WhatsApp " + what); }

// The member of that name and type; null where there is none.
const Json* member(const Json& in, const char* field, Json::value_t type) {
    if (!in.is_object()) return nullptr;
    const auto found = in.find(field);
    return found != in.end() && found->type() == type ? &*found : nullptr;
}
const Json* object_in(const Json& in, const char* field) { return member(in, field, Json::value_t::object); }
const Json* array_in(const Json& in, const char* field) { return member(in, field, Json::value_t::array); }

std::string text_in(const Json& in, const char* field) {
    const Json* const found = member(in, field, Json::value_t::string);
    return found ? found->get<std::string>() : std::string();
}

// By the id, or alone where no list says who it is.
std::string name_of(const Json& value, const std::string& sender) {
    const Json* const contacts = array_in(value, "contacts");
    if (!contacts) return {};
    for (const Json& contact : *contacts) {
        const bool is_his = contacts->size() == 1 || text_in(contact, "wa_id") == sender || text_in(contact, "user_id") == sender;
        if (const Json* const profile = object_in(contact, "profile"); is_his && profile) return text_in(*profile, "name");
    }
    return {};
}

std::string sender_of(const Json& message) {
    const std::string number = text_in(message, "from");
    return number.empty() ? text_in(message, "from_user_id") : number;
}

void add(std::vector<WhatsAppPart>& out, std::string update, Json part) {
    if (!update.empty() && update.size() <= kLongestId) out.push_back({std::move(update), base::dump(part)});
}

void add_parts(const Json& value, std::vector<WhatsAppPart>& out) {
    const Json* const metadata = object_in(value, "metadata");
    const std::string number = metadata ? text_in(*metadata, "phone_number_id") : "";
    if (const Json* const messages = array_in(value, "messages"))
        for (const Json& message : *messages) add(out, text_in(message, "id"), {{"message", message}, {"name", name_of(value, sender_of(message))}, {"number", number}});
    if (const Json* const statuses = array_in(value, "statuses"))
        for (const Json& status : *statuses) {
            const std::string id = text_in(status, "id");
            if (!id.empty()) add(out, id + "/" + text_in(status, "status"), {{"status", status}, {"number", number}});
        }
}

// Seconds since 1970, as a text or as a number.
std::optional<base::TimePoint> moment_of(const Json& message) {
    const auto found = message.find("timestamp");
    if (found == message.end()) return std::nullopt;
    std::int64_t seconds = 0;
    if (found->is_number_integer()) seconds = found->get<std::int64_t>();
    else if (found->is_string()) {
        const auto& text = found->get_ref<const std::string&>();
        if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec != std::errc()) return std::nullopt;
    }
    constexpr std::int64_t kLast = 253402300799;  // of year 9999
    if (seconds <= 0 || seconds > kLast) return std::nullopt;
    return base::TimePoint(std::chrono::seconds(seconds));
}

// Of what can be pressed, only a button_reply is of a message of ours; what else it is, its label is what they say.
void read_pressed(const Json& interactive, Arrival& out) {
    const Json *const button = object_in(interactive, "button_reply"), *const line = object_in(interactive, "list_reply");
    if (button) {
        out.kind = Arrival::Kind::choice;
        out.choice = text_in(*button, "id");
    }
    if (button || line) {
        out.text = text_in(button ? *button : *line, "title");
        return;
    }
    out.kind = Arrival::Kind::other;
    out.what = "interactive " + text_in(interactive, "type");
}

void read_content(const Json& message, Arrival& out) {
    const std::string type = text_in(message, "type");
    const Json* const content = object_in(message, type.c_str());
    if (type == "text" && content) {
        out.text = text_in(*content, "body");
    } else if (std::find(std::begin(kMedia), std::end(kMedia), type) != std::end(kMedia)) {
        out.media = type;
        out.says = whatsapp_media_words(message, type);
        if (content) out.text = text_in(*content, "caption");
        if (content) out.file = {text_in(*content, "id"), text_in(*content, "filename"), text_in(*content, "mime_type"), 0};
    } else if (type == "button" && content) {
        out.text = text_in(*content, "text");
    } else if (type == "interactive" && content) {
        read_pressed(*content, out);
    } else if (type == "unsupported" || type == "unknown") {
        out.media = "unsupported";
    } else {
        out.kind = Arrival::Kind::other;
        out.what = type.empty() ? "message without a type" : type;
    }
}

Result<void> read_message(const Json& message, Arrival& out) {
    for (const char* field : {"id", "from", "from_user_id", "group_id", "type"})
        if (auto text = base::optional_string(message, field); !text) return std::move(text).error();
    out.kind = Arrival::Kind::message;
    out.update = out.message = text_in(message, "id");
    out.sender = sender_of(message);
    const std::string group = text_in(message, "group_id");
    out.alone = group.empty();
    out.chat = group.empty() ? out.sender : group;
    out.said = moment_of(message);
    const Json* const edit = object_in(message, "edit");
    if (text_in(message, "type") != "edit" || !edit) {
        read_content(message, out);
        const Json* const context = object_in(message, "context");
        for (const char* field : {"forwarded", "frequently_forwarded"}) out.forwarded = out.forwarded || (context && context->value(field, Json()) == Json(true));
        const bool answers = context && out.kind == Arrival::Kind::message && !out.forwarded;
        if (answers) out.quoted.message = text_in(*context, "id");
        if (out.kind == Arrival::Kind::choice) out.message = context ? text_in(*context, "id") : "";
        return {};
    }
    if (const Json* const changed = object_in(*edit, "message")) read_content(*changed, out);
    out.kind = Arrival::Kind::edit;
    out.message = text_in(*edit, "original_message_id");
    return {};
}

// One error for a person: the words, and the number that their support asks for.
std::string why_of(const Json& status) {
    const Json* const errors = array_in(status, "errors");
    if (!errors || errors->empty()) return "WhatsApp could not deliver it, and does not say why";
    const Json& error = errors->front();
    const Json* const data = object_in(error, "error_data");
    std::string words = data ? text_in(*data, "details") : "";
    for (const char* field : {"message", "title", "details"})
        if (words.empty()) words = text_in(error, field);
    const auto code = base::integer_field(error, "code");
    return "WhatsApp says: " + words + (code ? " (" + std::to_string(*code) + ")" : "");
}

Result<void> read_status(const Json& status, Arrival& out) {
    for (const char* field : {"id", "status", "recipient_id", "biz_opaque_callback_data"})
        if (auto text = base::optional_string(status, field); !text) return std::move(text).error();
    const std::string what = text_in(status, "status");
    out.message = text_in(status, "id");
    out.update = out.message + "/" + what;
    out.chat = text_in(status, "recipient_id");
    out.ours = text_in(status, "biz_opaque_callback_data");
    out.what = what == "played" ? "read" : what;
    const bool tells = out.what == "delivered" || out.what == "read" || out.what == "failed";
    out.kind = tells ? Arrival::Kind::receipt : Arrival::Kind::other;
    if (out.what == "failed") out.text = why_of(status);
    return {};
}

}  // namespace

Result<std::vector<WhatsAppPart>> whatsapp_parts(std::string_view delivery) {
    const auto body = parse_foreign_json(delivery, kMostDepth);
    if (!body) return body.error();
    if (!body->is_object()) return wrong("is no JSON object");
    const Json* const entries = array_in(*body, "entry");
    if (!entries) return wrong("has no list as its entry");
    std::vector<WhatsAppPart> out;
    for (const Json& entry : *entries)
        if (const Json* const changes = array_in(entry, "changes"))
            for (const Json& change : *changes)
                if (const Json* const value = object_in(change, "value"); value && text_in(change, "field") == "messages") add_parts(*value, out);
    return out;
}

Result<WhatsAppArrival> read_whatsapp_part(std::string_view part) {
    const auto body = base::parse_json(part, kMostDepth);
    if (!body) return body.error();
    WhatsAppArrival out;
    out.number = text_in(*body, "number");
    if (const Json* const status = object_in(*body, "status")) {
        if (auto read = read_status(*status, out.arrival); !read) return std::move(read).error();
        return out;
    }
    const Json* const message = object_in(*body, "message");
    if (!message) return wrong("holds neither a message nor a receipt");
    out.arrival.sender_name = text_in(*body, "name");
    if (auto read = read_message(*message, out.arrival); !read) return std::move(read).error();
    return out;
}

}  // namespace server::bridges
