// Who listens on a TCP port of this machine, as far as /proc tells.
#pragma once

#include <filesystem>
#include <string>

#include "server/http.h"

namespace app {

// "postgres (pid 71)"; "a program of uid 1000" where its descriptors are hidden from us; empty when nobody
// listens at `host` (an IP address or localhost) or at every address. `proc`: tests give their own.
std::string listener_at(const std::string& host, int port, const std::filesystem::path& proc = "/proc");

// Whether HTTP and the Unix socket can be listened on now; the error names who holds the port, and what to do
// when that is a hearth.
base::Result<void> check_listening(const server::HttpOptions& options);

}  // namespace app
