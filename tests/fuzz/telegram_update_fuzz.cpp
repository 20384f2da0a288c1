// An update of Telegram's: whatever is read can be taken in by its number, and says where it came from when it says something.
#include "fuzz.h"
#include "server/bridges/telegram_update.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fuzz::require;
    using server::bridges::Arrival;
    const std::string_view input = fuzz::text_of(data, size);
    const auto number = server::bridges::telegram_update_number(input);
    const auto arrival = server::bridges::read_telegram_update(input);
    const auto to_us = server::bridges::read_telegram_update(input, {"7", "hearth_bot"});  // names are cut out of the text
    require(to_us.ok() == arrival.ok(), "who we are does not make it readable");
    if (!arrival) {
        require(!arrival.error().message.empty(), "a refusal says why");
        return 0;
    }
    require(number.ok() && *number == arrival->update, "what is read has its number");
    const auto is_number = [](const std::string& text) { return text.find_first_not_of("-0123456789") == text.npos; };
    require(to_us->text.size() <= arrival->text.size(), "nothing is added");
    require(!arrival->update.empty() && is_number(arrival->update), "a number is one");
    require(is_number(arrival->sender) && is_number(arrival->chat), "who and where are numbers");
    require(arrival->kind == Arrival::Kind::other || arrival->kind == Arrival::Kind::choice || !arrival->chat.empty(), "what was said was said somewhere");
    return 0;
}
