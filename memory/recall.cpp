#include "memory/recall.h"

#include <algorithm>

namespace memory {

std::vector<store::Fact> pack(std::vector<store::Fact> facts, std::size_t max_bytes) {
    std::stable_sort(facts.begin(), facts.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    std::vector<store::Fact> out;
    std::size_t used = 0;
    for (store::Fact& fact : facts) {
        if (fact.score < kRecallScore) break;
        const bool known = std::any_of(out.begin(), out.end(), [&](const store::Fact& one) { return one.body == fact.body; });
        if (known || used + fact.body.size() > max_bytes) continue;
        used += fact.body.size();
        out.push_back(std::move(fact));
    }
    return out;
}

std::string told(const store::Fact& fact) { return fact.trusted ? fact.body : fact.body + " (noted from a text, not said by the person)"; }

}  // namespace memory
