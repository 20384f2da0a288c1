// The names of base/unicode.h, which this module uses everywhere.
#pragma once

#include "base/unicode.h"

namespace text {

using base::append_utf8;
using base::Category;
using base::category;
using base::Class;
using base::classes;
using base::decode_utf8;
using base::is_space;
using base::no_char;
using base::to_lower;
using base::to_nfc;
using base::to_nfd;
using base::to_nfkc;
using base::to_nfkd;
using base::to_upper;
using base::utf8;

}  // namespace text
