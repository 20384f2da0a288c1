// Database URLs as text: "postgresql://user:password@host/name" or "host=… user=… password=…".
#pragma once

#include <string>

namespace store {

// With a time limit for connecting, unless it has one: libpq by itself waits for minutes.
std::string with_timeout(const std::string& url);
// Any text in which such a URL may stand, with "***" for the passwords.
std::string without_password(std::string text);

}  // namespace store
