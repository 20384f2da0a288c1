#include "memory/recall.h"

#include <algorithm>

namespace memory {
namespace {

std::string day(base::TimePoint t) { return base::rfc3339(t).substr(0, 10); }

}  // namespace

std::vector<RecalledFact> pack(std::vector<RecalledFact> facts, std::size_t max_bytes) {
    std::vector<RecalledFact> out;
    std::size_t used = 0;
    for (RecalledFact& one : facts) {
        const bool known = std::any_of(out.begin(), out.end(), [&](const RecalledFact& other) { return other.fact.body == one.fact.body; });
        if (known || used + one.fact.body.size() > max_bytes) continue;
        used += one.fact.body.size();
        out.push_back(std::move(one));
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.fact.created < b.fact.created; });
    return out;
}

std::string told(const store::Fact& fact) {
    return fact.body + (fact.trusted ? " (told on " + day(fact.created) + ")" : " (noted on " + day(fact.created) + " from a text, not said by the person)");
}

base::Json source_of(const RecalledFact& recalled) {
    const store::Fact& fact = recalled.fact;
    return {{"fact", fact.id.text()}, {"run", fact.source.is_nil() ? base::Json(nullptr) : base::Json(fact.source.text())}, {"told", base::rfc3339(fact.created)}, {"why", recalled.why}};
}

}  // namespace memory
