#include "base/result.h"

namespace base {

std::string_view name(Code code) {
    switch (code) {
        case Code::invalid_argument: return "invalid_argument";
        case Code::not_found: return "not_found";
        case Code::permission_denied: return "permission_denied";
        case Code::conflict: return "conflict";
        case Code::resource_exhausted: return "resource_exhausted";
        case Code::unavailable: return "unavailable";
        case Code::cancelled: return "cancelled";
        case Code::deadline: return "deadline";
        case Code::unsupported: return "unsupported";
        case Code::corrupt: return "corrupt";
        case Code::io: return "io";
        case Code::context_length_exceeded: return "context_length_exceeded";
        case Code::internal: return "internal";
    }
    return "internal";
}

}  // namespace base
