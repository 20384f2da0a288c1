// Compiled grammars by what they were made from: requests that bring the same schema or the same tools
// share one, with all that has been found out about it.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/grammar.h"
#include "text/loose_tool.h"

namespace text {

struct BoundGrammar {
    std::shared_ptr<const Grammar> grammar;
    std::string trigger;                     // see GrammarState
    std::shared_ptr<const CallHeads> heads;  // the same
    std::vector<LooseTool> loose;            // of the tools that it binds
};

// For one vocabulary: grammars remember what they learn about the vocabulary that they were used with
// last. Shareable between CPU threads.
class GrammarCache {
public:
    struct Limits {
        std::size_t grammars = 64;
        std::size_t bytes = 64u << 20;  // of all grammars; the one used last stays even when it is larger
    };
    GrammarCache() : GrammarCache(Limits{}) {}
    explicit GrammarCache(Limits limits) : limits_(limits) {}

    // The grammar kept under `key`, which says everything that `make` depends on; else what `make` returns. Errors are not kept.
    base::Result<BoundGrammar> get(const std::string& key, const std::function<base::Result<BoundGrammar>()>& make);
    std::size_t size() const;

private:
    struct Entry {
        std::string key;
        BoundGrammar bound;
    };
    void shrink();

    const Limits limits_;
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // the one used last comes first
};

}  // namespace text
