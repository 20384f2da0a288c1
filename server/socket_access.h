// Who may reach a Unix socket: its mode lets its owner and group in; this lets in one user more.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace server {

// Gives `uid` the right to connect to the socket and to pass the folder it lies in, and folders above of
// the same owner, by access control entries: the modes stay as they are. Error{unsupported} where the
// file system has none.
base::Result<void> admit_user(const std::filesystem::path& socket, unsigned uid);

}  // namespace server
