#include <unistd.h>

#include <cstdio>

#include "app/commands.h"
#include "app/terminal.h"

namespace app {

int complain(const base::Error& error) {
    std::fprintf(stderr, "hearth: %s\n", visible(error.message).c_str());
    if (!error.remedy.empty()) std::fprintf(stderr, "        → %s\n", visible(error.remedy).c_str());
    return 1;
}

bool on_terminal() { return isatty(STDOUT_FILENO) == 1; }

}  // namespace app
