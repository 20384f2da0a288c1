// A delivery of WhatsApp's: each part of it has an id to be kept by, and is read, if it is, as what has that id.
#include "fuzz.h"
#include "server/bridges/whatsapp_update.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fuzz::require;
    using server::bridges::Arrival;
    const auto parts = server::bridges::whatsapp_parts(fuzz::text_of(data, size));
    if (!parts) {
        require(!parts.error().message.empty(), "a refusal says why");
        return 0;
    }
    for (const auto& part : *parts) {
        require(!part.update.empty() && part.update.size() <= 256, "what is kept has an id");
        const auto read = server::bridges::read_whatsapp_part(part.body);
        if (!read) continue;
        const Arrival& arrival = read->arrival;
        require(arrival.update == part.update, "what is read is what was kept");
        require(arrival.alone || arrival.kind == Arrival::Kind::receipt || arrival.kind == Arrival::Kind::other || !arrival.chat.empty(), "a group has an id");
        require(!arrival.alone || arrival.chat == arrival.sender, "who is alone is answered");
        require(arrival.kind == Arrival::Kind::choice || arrival.choice.empty(), "a choice is one");
    }
    return 0;
}
