// What WhatsApp's Cloud API delivers, as values. Pure. A delivery holds messages and receipts of several chats; each is kept by itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/bridges/arrival.h"

namespace server::bridges {

struct WhatsAppPart {
    std::string update;  // the id that the message has there; of a receipt with its kind
    std::string body;    // for read_whatsapp_part
};
// All of a delivery that may say something, in its order; what has no id, and every other kind of event, is left out.
// Error{invalid_argument}: it is no delivery.
base::Result<std::vector<WhatsAppPart>> whatsapp_parts(std::string_view delivery);

struct WhatsAppArrival {
    Arrival arrival;
    std::string number;  // the id of the number that it came to
};
// Kinds that are not known here are Arrival::Kind::other. Error{invalid_argument}: its fields are not of the types that the API gives them.
base::Result<WhatsAppArrival> read_whatsapp_part(std::string_view part);

}  // namespace server::bridges
