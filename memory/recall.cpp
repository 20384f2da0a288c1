#include "memory/recall.h"

#include <algorithm>

namespace memory {

std::vector<std::string> pack(std::vector<store::Fact> facts, std::size_t max_bytes) {
    std::stable_sort(facts.begin(), facts.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    std::vector<std::string> out;
    std::size_t used = 0;
    for (store::Fact& fact : facts) {
        if (fact.score < kRecallScore) break;
        if (used + fact.body.size() > max_bytes || std::find(out.begin(), out.end(), fact.body) != out.end()) continue;
        used += fact.body.size();
        out.push_back(std::move(fact.body));
    }
    return out;
}

}  // namespace memory
