// "/open": whoever is known asks, where nobody else reads, for a link to the dashboard that signs them in. Pure.
#pragma once

#include <string>
#include <string_view>

namespace server::bridges {

bool asks_for_link(std::string_view text);
std::string link_words(const std::string& url);
// Why there is none.
std::string others_read_words();
std::string unreachable_words();
std::string guest_words();

}  // namespace server::bridges
