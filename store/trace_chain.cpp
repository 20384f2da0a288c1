#include "store/trace_chain.h"

#include <algorithm>
#include <set>

#include "store/digest.h"
#include "store/uuid_array.h"

namespace store {
namespace {

// "3:" is over the digest of error and attributes, "2:" over these themselves; without a mark neither place nor people are in it.
constexpr std::string_view kMark = "3:", kOlderMark = "2:";

std::string hash_of(const std::string& previous, const StoredSpan& stored, std::int64_t position, std::string_view mark) {
    const base::Span& s = stored.span;
    base::Json fields = {previous, s.id.text(), s.parent.text(), s.run.text(), s.kind, s.name, micros_of(s.started), s.duration.count()};
    if (mark == kMark) fields.push_back(stored.details_digest);
    else for (const std::string& detail : {s.error, stored.attributes}) fields.push_back(detail);
    fields.push_back(stored.body_digest);
    if (mark.empty()) return sha256_hex(base::dump(fields));
    for (const auto& more : {s.tenant.text(), s.person.text(), stored.node.text(), std::to_string(position)}) fields.push_back(more);
    return std::string(mark) + sha256_hex(base::dump(fields));
}

std::string_view mark_of(const StoredSpan& s) {
    for (const std::string_view mark : {kMark, kOlderMark})
        if (s.hash.starts_with(mark)) return mark;
    return {};
}

bool follows(const std::string& previous, const StoredSpan& s, std::int64_t position) {
    return hash_of(previous, s, position, mark_of(s)) == s.hash;
}

}  // namespace

bool StoredSpan::erased() const {
    static const std::string none = sha256_hex("{}");
    return !body && body_digest != none;
}

bool StoredSpan::details_erased() const { return !details_digest.empty() && attributes == kErasedDetails && (span.error.empty() || span.error == kErasedError); }

std::string details_digest(const std::string& error, const std::string& attributes) { return sha256_hex(base::dump(base::Json{error, attributes})); }

std::string chain_hash(const std::string& previous, const StoredSpan& s) { return hash_of(previous, s, s.position, kMark); }

std::vector<StoredSpan> read_spans(Tx& tx, const std::vector<base::RunId>& runs) {
    std::vector<StoredSpan> out;
    for (const Row& row : tx.exec("select s.id, s.parent_id, s.kind, s.name, s.started_us, s.duration_us, s.error, s.attributes, b.body,"
                                  " s.body_digest, s.hash, s.position, s.tenant_id, s.audience_id, s.node_id, s.run_id, coalesce(s.details_digest, '')"
                                  " from unnest($1::uuid[]) with ordinality wanted(id, place) join span s on s.run_id = wanted.id"
                                  " left join span_body b on b.span_id = s.id order by wanted.place, s.position", {uuid_array(runs)})) {
        StoredSpan s;
        s.span.id = row.id<base::SpanId>(0);
        s.span.parent = row.id<base::SpanId>(1);
        s.span.run = row.id<base::RunId>(15);
        s.span.tenant = row.id<base::TenantId>(12);
        s.span.person = row.id<base::PersonId>(13);
        s.span.kind = row.text(2);
        s.span.name = row.text(3);
        s.span.started = row.time(4);
        s.span.duration = std::chrono::microseconds(row.integer(5));
        s.span.error = row.text(6);
        s.position = row.integer(11);
        s.node = row.id<base::NodeId>(14);
        s.attributes = row.text(7);
        if (!row.null(8)) s.body = row.text(8);
        s.body_digest = row.text(9);
        s.hash = row.text(10);
        s.details_digest = row.text(16);
        out.push_back(std::move(s));
    }
    return out;
}

std::optional<std::string> missing_root(base::RunId run, std::string_view state, bool has_root, std::size_t spans) {
    if (has_root || state.empty() || state.starts_with("waiting_")) return std::nullopt;
    return "run " + run.text() + " has ended, and its trace has no root: spans from position " + std::to_string(spans) + " on are gone";
}

std::optional<ChainFault> find_fault(base::RunId run, std::span<const StoredSpan> spans) {
    std::string previous;
    std::set<base::SpanId> ids;
    bool complete = false;
    const auto named = [&](const StoredSpan& s) { return "span " + s.span.id.text() + " of run " + run.text(); };
    for (std::int64_t i = 0; i < std::int64_t(spans.size()); ++i) {
        const StoredSpan& s = spans[std::size_t(i)];
        const bool fits = follows(previous, s, i);
        const auto elsewhere = std::find_if(spans.begin(), spans.end(), [&](const StoredSpan& o) { return !fits && &o != &s && follows(previous, o, i); });
        if (elsewhere != spans.end())
            return ChainFault{i, elsewhere->span.id, named(*elsewhere) + " stands at position " + std::to_string(elsewhere->position) + " and belongs to position " + std::to_string(i) + ": they were reordered"};
        if (s.position != i) return ChainFault{i, {}, "a span before " + named(s) + " is missing, at position " + std::to_string(i)};
        if (!fits) return ChainFault{i, s.span.id, named(s) + " was changed, or one before it was taken out"};
        if (mark_of(s) == kMark && !s.details_erased() && details_digest(s.span.error, s.attributes) != s.details_digest) return ChainFault{i, s.span.id, "the attributes or the error of " + named(s) + " were changed"};
        if (s.body && sha256_hex(*s.body) != s.body_digest) return ChainFault{i, s.span.id, "the body of " + named(s) + " was changed"};
        previous = s.hash;
        ids.insert(s.span.id);
        complete |= is_root(s.span);
    }
    // A span is written when it ends, its parent after it: until the root is there, some may still come.
    for (const StoredSpan& s : spans)
        if (complete && !is_root(s.span) && !ids.count(s.span.parent)) return ChainFault{s.position, s.span.id, "the parent of " + named(s) + " is missing"};
    return std::nullopt;
}

}  // namespace store
