// What is left of a run that can be seen, for holding two runs of the same words against each other.
#pragma once

#include <algorithm>

#include "store/conversations.h"
#include "store/ledger.h"
#include "store/runs.h"

namespace support {

inline void drop_times(base::Json& usage) {
    for (const char* time : {"queued_us", "prefill_us", "decode_us"}) usage.erase(time);
}

// Without what no two runs have in common.
inline base::Json transcript_of(store::Tx& tx, base::RunId id) {
    const auto run = store::find_run(tx, id).value();
    base::Json out = {{"state", run.status}, {"error", run.error}, {"work", run.turn["work"]}, {"sums", run.turn["sums"]}};
    drop_times(out["sums"]["usage"]);
    for (const auto& message : store::list_messages(tx, run.conversation)) out["messages"].push_back(message.body);
    for (const auto& step : store::list_steps(tx, id)) {
        base::Json one = {step.kind, step.name, step.effect_key, step.state, step.input, step.outcome};
        one[4].erase("digest");
        one[5].erase("ms");
        if (step.kind == "model") drop_times(one[5]["usage"]);
        if (auto& facts = one[5]["facts"]; facts.is_object() && facts.contains("sums")) drop_times(facts["sums"]["usage"]);
        out["steps"].push_back(std::move(one));
    }
    std::string text = out.dump();
    const std::string tail = id.text().substr(24);
    for (std::size_t at; (at = text.find(tail)) != text.npos;) text.replace(at, tail.size(), "RUN");
    return base::Json::parse(text);
}

}  // namespace support
