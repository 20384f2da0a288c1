#include "memory/ingest.h"

#include "memory/sections.h"
#include "store/documents.h"

namespace memory {
namespace {

bool ingest_next(store::Tx& tx) {
    const auto open = store::next_open_document(tx);
    if (!open) return false;
    std::vector<store::NewSection> sections;
    for (Section& one : sections_of(open->text, form_of(open->name))) sections.push_back({std::move(one.heading), std::move(one.body)});
    store::keep_sections(tx, open->id, sections);
    return true;
}

}  // namespace

net::Task<int> ingest(store::Db& db, store::Identity who, base::StopToken stop) {
    int done = 0;
    const auto next = [](store::Tx& tx) { return ingest_next(tx); };
    while (!stop.stopped()) {
        const bool found = co_await db.run(who, next);
        if (!found) break;
        ++done;
    }
    co_return done;
}

}  // namespace memory
