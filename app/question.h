// What hearth chat asks: its argument, and the text that is piped into it.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace app {

// Everything up to the end of the descriptor, or up to an interruption (app/client.h). One that is closed is
// empty. `waiting`, where there is one, is called once when nothing has come for two seconds: who left a pipe
// open by accident is not to wonder.
base::Result<std::string> read_input(int fd, const std::function<void()>& waiting);

// The argument, an empty line, the piped text; blank text adds nothing.
std::string joined_question(const std::string& argument, const std::string& piped);

}  // namespace app
