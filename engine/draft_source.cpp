#include "engine/draft_source.h"

#include <cmath>

namespace engine {

std::string names_of(const DraftCounts& counts, std::string_view between) {
    std::string out;
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i].there) out.append(out.empty() ? "" : between).append(kDraftSourceNames[i]);
    return out.empty() ? "off" : out;
}

base::Json to_json(const DraftCounts& counts) {
    base::Json out = base::Json::object();
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (const DraftCount& one = counts[i]; one.there)
            out[std::string(kDraftSourceNames[i])] = {{"guessed_tokens", one.guessed}, {"accepted_tokens", one.accepted}, {"saved_ms", std::llround(one.saved_seconds * 1000)}, {"off", one.off}};
    return out;
}

}  // namespace engine
