// A text as a QR code for terminals.
#pragma once

#include <string>

namespace app {

// Black on white whatever the terminal's colours are, two modules a character, with the margin that cameras look for. Empty: the text is
// longer than such a code takes.
std::string qr_code(const std::string& text);

}  // namespace app
