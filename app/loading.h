// Waiting for a server whose model is still being loaded.
#pragma once

#include <string>

namespace app {

// Returns when the server at the socket says anything else than that it loads, or nothing, or when the person
// interrupts (app/client.h); tells on standard error how far it is.
void wait_while_loading(const std::string& socket);

}  // namespace app
