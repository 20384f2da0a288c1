#include "server/bridges/link_words.h"

#include "base/ascii.h"
#include "base/trim.h"

namespace server::bridges {

bool asks_for_link(std::string_view text) {
    const std::string words = base::ascii_lower(base::trimmed(text));
    return words == "/open" || words == "/dashboard" || words == "dashboard";
}

std::string link_words(const std::string& url) { return "The dashboard, signed in as you: " + url + "\nGood for once, for a quarter of an hour. Whoever opens it first is signed in: hand it to nobody."; }

std::string others_read_words() { return "Such a link is for you alone, and others read here. Write \"/open\" to me alone."; }

std::string unreachable_words() { return "The dashboard is reached only from the machine that I run on: there, \"hearth open\" makes a link. Once server.host and server.public_host name an address in your network, I can send one."; }

std::string guest_words() { return "Guests sign in nowhere. The owner of this house can make you a member of it."; }

}  // namespace server::bridges
