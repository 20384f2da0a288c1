// The hash chain of a run's spans: how a span is hashed, and what does not hold of those that are stored.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/trace.h"
#include "store/db.h"

namespace store {

// The span of the whole run, which is the last.
inline bool is_root(const base::Span& span) { return span.parent.is_nil(); }
// What is wrong with so many spans of a run in that final state (empty: none), with or without a root: where the run cannot go on any more, it is there.
std::optional<std::string> missing_root(base::RunId run, std::string_view state, bool has_root, std::size_t spans);

// What stands for the attributes of a span that were forgotten, and for its error where it had one, as hearth_erase_details leaves them.
inline constexpr const char *kErasedDetails = R"({"forgotten":true})", *kErasedError = "[forgotten]";

// A span as its row has it: what the chain is computed over.
struct StoredSpan {
    base::Span span;               // without attributes and body
    std::int64_t position = 0;     // in its run, from 0
    base::NodeId node;
    std::string attributes;        // JSON as it was hashed, or kErasedDetails
    std::string details_digest;    // of the error and the attributes; empty: the chain is over these themselves
    std::optional<std::string> body;  // none: erased, or there was none
    std::string body_digest, hash;

    bool erased() const;           // it had a body once
    bool details_erased() const;   // error and attributes were forgotten
};

std::string details_digest(const std::string& error, const std::string& attributes);

// Of a span that follows one with the hash `previous` ("" for the first): over every stored field but the body, and error and attributes, which
// their digests stand for.
std::string chain_hash(const std::string& previous, const StoredSpan& s);

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
