#include "text/call_heads.h"

#include <algorithm>

#include "text/call_dialects.h"
#include "text/masks.h"

namespace text {

base::Result<std::shared_ptr<const CallHeads>> CallHeads::create(std::string_view rules, std::string_view dialect, bool reasoning_open) {
    const auto parsed = parse_ebnf(rules);
    if (!parsed) return parsed.error();
    auto machine = Machine::build(*parsed);
    if (!machine) return std::move(machine).error();
    auto out = std::make_shared<CallHeads>();
    out->machine_ = *std::move(machine);
    const CallDialect* const known = find_dialect(dialect);
    for (const Thoughts& t : known ? known->thoughts : plain_thoughts()) out->thoughts_.emplace_back(t.open, t.close);
    out->reasoning_open_ = reasoning_open && !out->thoughts_.empty();
    return std::shared_ptr<const CallHeads>(std::move(out));
}

HeadWatch::HeadWatch(std::shared_ptr<const CallHeads> heads) : heads_(std::move(heads)), places_(heads_->machine_) {
    if (heads_->reasoning_open_) think();
    else begin();
}

void HeadWatch::think() {
    at_.place = -1;
    at_.inside = true;
    at_.matched.assign(heads_->thoughts_.size(), 0);
}

HeadWatch::Step HeadWatch::begin() {
    at_ = {places_.begin()};
    return Step::begun;
}

HeadWatch::Step HeadWatch::take_thought(char byte) {
    for (std::size_t i = 0; i < at_.matched.size(); ++i) {
        const std::string& close = heads_->thoughts_[i].second;
        at_.matched[i] = advance_match(close, at_.matched[i], byte);
        if (at_.matched[i] == close.size()) return begin();
    }
    return Step::none;
}

HeadWatch::Step HeadWatch::take(char byte) {
    if (at_.inside) return take_thought(byte);
    if (at_.place >= 0) at_.place = places_.next(at_.place, std::uint8_t(byte));
    if (at_.place >= 0 && places_.ends(at_.place)) {
        at_.place = -1;
        at_.may_open = false;
        return Step::whole;
    }
    if (at_.may_open && !(at_.lead.empty() && calls::blank(byte))) {
        at_.lead += byte;
        const auto& thoughts = heads_->thoughts_;
        const auto opens = [&](const auto& thought) { return thought.first == at_.lead; };
        const auto may_open = [&](const auto& thought) { return thought.first.starts_with(at_.lead); };
        if (std::any_of(thoughts.begin(), thoughts.end(), opens)) return think(), Step::none;
        at_.may_open = std::any_of(thoughts.begin(), thoughts.end(), may_open);
    }
    return at_.place >= 0 ? Step::on : Step::none;
}

}  // namespace text
