// A list of ids as a parameter $1::uuid[].
#pragma once

#include <string>
#include <vector>

namespace store {

// Id: of base/id.h, or a Uuid.
template <class Id>
std::string uuid_array(const std::vector<Id>& ids) {
    std::string out = "{";
    for (const Id& id : ids) out += (out.size() > 1 ? "," : "") + id.text();
    return out + "}";
}

}  // namespace store
