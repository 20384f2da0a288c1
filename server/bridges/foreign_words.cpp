#include "server/bridges/foreign_words.h"

namespace server::bridges {
namespace {

using base::Json;

const Json kNoField;

const Json& field_in(const Json& of, const char* field) {
    if (!of.is_object()) return kNoField;
    const auto found = of.find(field);
    return found == of.end() ? kNoField : *found;
}

// A text, or a number as it is written; else empty.
std::string word_in(const Json& of, const char* field) {
    const Json& found = field_in(of, field);
    if (found.is_string()) return found.get<std::string>();
    return found.is_number() ? found.dump() : std::string();
}

// Those that say something, with that between them.
std::string words_joined(std::initializer_list<std::string> words, const char* between) {
    std::string out;
    for (const std::string& one : words)
        if (!one.empty()) out += (out.empty() ? "" : between) + one;
    return out;
}

std::string place_of(const Json& location) {
    const std::string north = word_in(location, "latitude"), east = word_in(location, "longitude");
    return north.empty() || east.empty() ? std::string() : "latitude " + north + ", longitude " + east;
}

std::string location_words(const Json& location) {
    const bool live = field_in(location, "live_period").is_number();
    return words_joined({word_in(location, "name"), word_in(location, "address"), place_of(location) + (live ? ", as it is now" : "")}, ", ");
}

std::string venue_words(const Json& venue) { return words_joined({word_in(venue, "title"), word_in(venue, "address"), place_of(field_in(venue, "location"))}, ", "); }

std::string contact_words(const Json& contact) {
    return words_joined({words_joined({word_in(contact, "first_name"), word_in(contact, "last_name")}, " "), word_in(contact, "phone_number")}, ", ");
}

std::string list_words(const std::string& title, const Json& items, const char* ends_well, const char* counted) {
    std::string out = title;
    if (!items.is_array()) return out;
    for (const Json& item : items) {
        const std::string count = word_in(item, counted);
        const bool done = !field_in(item, ends_well).is_null();
        out += "\n- " + word_in(item, "text") + (count.empty() || count == "0" ? "" : " (" + count + ")") + (done ? " (done)" : "");
    }
    return out;
}

// WhatsApp's hold what a card of an address book does.
std::string card_words(const Json& card) {
    std::string out = word_in(field_in(card, "name"), "formatted_name");
    for (const auto& [list, field] : {std::pair{"phones", "phone"}, {"emails", "email"}}) {
        const Json& all = field_in(card, list);
        if (!all.is_array()) continue;
        for (const Json& one : all) out = words_joined({out, word_in(one, field)}, ", ");
    }
    return out;
}

}  // namespace

MediaWords telegram_media_words(const Json& message, const std::string& media) {
    const Json& thing = field_in(message, media.c_str());
    if (media == "location") return {location_words(thing), true};
    if (media == "venue") return {venue_words(thing)};
    if (media == "contact") return {contact_words(thing)};
    if (media == "poll") return {list_words(word_in(thing, "question"), field_in(thing, "options"), "", "voter_count")};
    if (media == "checklist") return {list_words(word_in(thing, "title"), field_in(thing, "tasks"), "completion_date", "")};
    if (media == "sticker" || media == "dice") return {words_joined({word_in(thing, "emoji"), word_in(thing, "value")}, " "), true};
    return {};
}

MediaWords whatsapp_media_words(const Json& message, const std::string& media) {
    const Json& place = field_in(message, "location");
    if (media == "location") return {location_words(place), field_in(place, "name").is_null() && field_in(place, "address").is_null()};
    const Json& cards = field_in(message, "contacts");
    if (media != "contacts" || !cards.is_array()) return {};
    MediaWords out;
    for (const Json& card : cards) out.text = words_joined({out.text, card_words(card)}, "\n");
    return out;
}

}  // namespace server::bridges
