// What channels deliver, read as the server reads it, for another reader to judge (tests/e2e/arrivals_test.py).
//
//   arrivals_of telegram|whatsapp < BODIES > ARRIVALS
//
// A body a line is read; for each a line is written: what was read, or {"refused": WHY}; of WhatsApp, whose deliveries hold several, a list.
#include <cstdio>
#include <iostream>
#include <string>

#include "base/json.h"
#include "server/bridges/telegram_update.h"
#include "server/bridges/whatsapp_update.h"

namespace {

using base::Json;
using server::bridges::Arrival;

const char* name_of(Arrival::Kind kind) {
    switch (kind) {
        case Arrival::Kind::message: return "message";
        case Arrival::Kind::edit: return "edit";
        case Arrival::Kind::choice: return "choice";
        case Arrival::Kind::receipt: return "receipt";
        case Arrival::Kind::moved: return "moved";
        case Arrival::Kind::left: return "left";
        case Arrival::Kind::other: break;
    }
    return "other";
}

Json shown(const Arrival& one) {
    return {{"update", one.update}, {"kind", name_of(one.kind)}, {"sender", one.sender}, {"name", one.sender_name}, {"chat", one.chat}, {"alone", one.alone}, {"program", one.from_program}, {"text", one.text}, {"message", one.message}, {"choice", one.choice}};
}

Json of_telegram(const std::string& body) {
    const auto one = server::bridges::read_telegram_update(body);
    if (!one) return {{"refused", one.error().message}};
    Json out = shown(*one);
    out.update({{"quoted", one->quoted.text}, {"moved_to", one->moved_to}});
    return out;
}

Json of_whatsapp(const std::string& body) {
    const auto parts = server::bridges::whatsapp_parts(body);
    if (!parts) return {{"refused", parts.error().message}};
    Json out = Json::array();
    for (const auto& part : *parts) {
        const auto one = server::bridges::read_whatsapp_part(part.body);
        Json item = one ? shown(one->arrival) : Json{{"refused", one.error().message}};
        if (one) item.update({{"number", one->number}, {"media", one->arrival.media}, {"what", one->arrival.what}, {"kept_as", part.update}});
        out.push_back(std::move(item));
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string channel = argc == 2 ? argv[1] : "";
    if (channel != "telegram" && channel != "whatsapp") {
        std::fprintf(stderr, "usage: arrivals_of telegram|whatsapp\n");
        return 2;
    }
    for (std::string line; std::getline(std::cin, line);) std::cout << base::dump(channel == "telegram" ? of_telegram(line) : of_whatsapp(line)) << '\n';
}
