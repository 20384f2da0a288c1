// The hash chain of a run's spans: how a span is hashed, and what does not hold of those that are stored.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/trace.h"
#include "store/db.h"

namespace store {

// A span as its row has it: what the chain is computed over.
struct StoredSpan {
    base::Span span;               // without attributes and body
    std::int64_t position = 0;     // in its run, from 0
    base::NodeId node;
    std::string attributes;        // JSON as it was hashed
    std::optional<std::string> body;  // none: erased, or there was none
    std::string body_digest, hash;

    bool erased() const;           // it had a body once
};

// Of a span that follows one with the hash `previous` ("" for the first): over every stored field but the body, which
// its digest stands for.
std::string chain_hash(const std::string& previous, const StoredSpan& s);

std::string uuid_array(const std::vector<base::RunId>& runs);  // as a parameter $1::uuid[]

// In order, run after run as they are named. Of another person's run: none.
std::vector<StoredSpan> read_spans(Tx& tx, const std::vector<base::RunId>& runs);

// The first that does not hold.
struct ChainFault {
    std::int64_t position = 0;
    base::SpanId span;             // nil where one is missing
    std::string what;              // "the body of span … of run … was changed"
};
std::optional<ChainFault> find_fault(base::RunId run, std::span<const StoredSpan> spans);

}  // namespace store
