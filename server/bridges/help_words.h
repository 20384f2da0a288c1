// "/start" and "/help": whoever is known asks what there is to do here. Telegram's programs send them by themselves. Pure.
#pragma once

#include <string_view>

namespace server::bridges {

bool asks_for_help(std::string_view text);

}  // namespace server::bridges
