// "/open": whoever is known asks, where nobody else reads, for a link to the dashboard that signs them in. Pure.
#pragma once

#include <string_view>

namespace server::bridges {

bool asks_for_link(std::string_view text);

}  // namespace server::bridges
