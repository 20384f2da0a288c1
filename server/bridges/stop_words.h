// Whether a message is nothing but the wish that what works stops. Pure: it is acted on before queue, policy and model.
#pragma once

#include <string_view>

namespace server::bridges {

// "stop", "/stop", "Stopp!", "arrête" and the like, in the languages that replies are spoken in.
bool is_stop(std::string_view text);

}  // namespace server::bridges
