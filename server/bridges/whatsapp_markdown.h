// Answers, which models write in Markdown, in the marks that WhatsApp shows. Pure.
#pragma once

#include <string>
#include <string_view>

namespace server::bridges {

// Bold, italic, struck and code by its own signs; what it cannot show stands without any, and an address beside its words.
std::string whatsapp_marked(std::string_view markdown);

}  // namespace server::bridges
