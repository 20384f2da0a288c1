#include "store/traces.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <thread>

#include "store/digest.h"
#include "store/storable.h"
#include "store/trace_chain.h"

namespace store {
namespace {

constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kFirstPause{50}, kLongestPause{1000}, kLongestFlush{2000};

// The entries of one transaction. A run's chain is looked up once, and nobody else adds to it meanwhile.
class Writing {
public:
    explicit Writing(Tx& tx) : tx_(tx) {}

    void operator()(base::Span s) {
        const base::Redactor& redactor = tx_.redactor();
        s.name = storable(redactor.redacted(std::move(s.name)));  // the chain is over what is stored
        s.error = storable(redactor.redacted(std::move(s.error)));
        s.attributes = redactor.redacted(std::move(s.attributes));
        s.body = redactor.redacted(std::move(s.body));
        ChainEnd& end = end_of(s.run);
        if (end.taken_over && !tx_.exec("select 1 from span where id = $1", {s.id}).empty()) return;
        const std::string body = base::dump(s.body);
        StoredSpan stored{s, end.position + 1, tx_.node(), base::dump(s.attributes), {}, std::nullopt, sha256_hex(body), {}};
        stored.details_digest = details_digest(s.error, stored.attributes);
        stored.span.tenant = tx_.identity().tenant;  // as the row's defaults fill them in
        stored.span.person = tx_.identity().person;
        stored.hash = chain_hash(end.hash, stored);
        end = {stored.position, stored.hash, end.taken_over};
        static const std::string span = "insert into span (id, parent_id, run_id, position, kind, name, started_us, duration_us, error, attributes, details_digest, body_digest, hash)"
                                        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        static const std::string with_body = "with written as (" + span + " returning id) insert into span_body (span_id, body) select id, $14 from written";
        std::vector<Param> values = {s.id, s.parent, s.run, end.position, s.kind, s.name, micros_of(s.started), std::int64_t(s.duration.count()), s.error, stored.attributes, stored.details_digest, stored.body_digest, end.hash};
        const bool has_body = !s.body.empty();
        if (has_body) values.emplace_back(body);
        tx_.send(has_body ? with_body : span, std::move(values));
        written_.push_back(std::move(s));
    }

    void operator()(const TelemetryEvent& e) {
        tx_.send("insert into telemetry_event (event, node_id, latency_ms, error, run_id, status, class) values ($1, $2, $3, $4, $5, $6, $7)",
                 {e.event, e.node, e.latency_ms, tx_.redactor().redacted(e.error), e.run, e.status, e.execution});
    }

    void operator()(const ModelCall& call) { insert_call(tx_, call); }
    void operator()(const ShadowCall& call) { insert_shadow(tx_, call); }

    std::vector<base::Span> written() { return std::move(written_); }

    void know(base::RunId run, ChainEnd end) { ends_[run] = std::move(end); }
    std::optional<ChainEnd> known(base::RunId run) const {
        const auto found = ends_.find(run);
        return found == ends_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    ChainEnd& end_of(base::RunId run) {
        const auto [place, fresh] = ends_.try_emplace(run);
        if (!fresh) return place->second;
        tx_.send("select pg_advisory_xact_lock(hashtextextended($1, 9))", {run.text()});
        const auto last = tx_.exec("select r.epoch > 1, s.position, s.hash from run r left join lateral"
                                   " (select position, hash from span where run_id = r.id order by position desc limit 1) s on true where r.id = $1", {run});
        if (last.empty()) return place->second;
        place->second.taken_over = last[0].boolean(0);
        if (!last[0].null(1)) place->second.position = last[0].integer(1), place->second.hash = last[0].text(2);
        return place->second;
    }

    Tx& tx_;
    std::map<base::RunId, ChainEnd> ends_;
    std::vector<base::Span> written_;
};

}  // namespace

// The queue and the CPU thread that writes it.
struct TraceSink::Queue {
    struct Entry {
        Identity who;
        TraceRecord record;
    };

    Queue(Db& d, base::Log& l, base::SpanSink* a, std::size_t c) : db(d), log(l), also(a), capacity(c), writer([this] { work(); }) {}
    ~Queue() {
        {
            std::lock_guard lock(mutex);
            ending = true;
        }
        changed.notify_all();
        writer.join();
    }

    void push(Entry entry) {
        {
            std::lock_guard lock(mutex);
            if (entries.size() >= capacity) {
                ++dropped;
                return;
            }
            entries.push_back(std::move(entry));
            ++pushed;
        }
        changed.notify_all();
    }

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [&] { return ending || !entries.empty(); });
            if (entries.empty()) return;
            // A batch is one person's, since a transaction has one identity.
            std::vector<Entry> batch;
            const Identity who = entries.front().who;
            while (!entries.empty() && batch.size() < 64 && entries.front().who.person == who.person) {
                batch.push_back(std::move(entries.front()));
                entries.pop_front();
            }
            lock.unlock();
            write(who, batch);
            lock.lock();
            written += batch.size();
            changed.notify_all();
        }
    }

    // One that is refused takes no other with it.
    void write(const Identity& who, std::span<const Entry> batch, int attempts = kAttempts) {
        const Outcome outcome = try_writing(who, batch, attempts);
        if (outcome == Outcome::written) return;
        if (outcome == Outcome::refused && batch.size() > 1) {
            for (const Entry& entry : batch) write(who, {&entry, 1}, 1);
            return;
        }
        std::lock_guard lock(mutex);
        dropped += batch.size();
    }

    enum class Outcome { written, refused, given_up };
    Outcome try_writing(const Identity& who, std::span<const Entry> entries, int attempts) {
        auto all = [&](Tx& tx) {
            Writing writing(tx);
            for (const auto& entry : entries) std::visit(writing, entry.record);
            return writing.written();
        };
        for (int attempt = 1;; ++attempt) {
            try {
                auto written = db.run_blocking(who, all);
                for (auto& span : written)
                    if (also) also->emit(std::move(span));
                return Outcome::written;
            } catch (const DbError& e) {
                // A database that is away or full comes back; what it refuses, it refuses again.
                const bool passes = e.kind == DbError::Kind::connection || e.kind == DbError::Kind::disk_full;
                if (attempt == 1) log.warn("trace not written", {{"error", e.what()}, {"entries", entries.size()}, {"later", passes || entries.size() > 1}});
                if (!passes && attempt >= attempts) return Outcome::refused;
            } catch (const std::exception& e) {
                log.warn("trace not written", {{"error", e.what()}, {"entries", entries.size()}});
                return Outcome::refused;
            }
            std::unique_lock lock(mutex);
            if (changed.wait_for(lock, std::min(kFirstPause * (1 << std::min(attempt, 5)), kLongestPause), [&] { return ending; })) return Outcome::given_up;
        }
    }

    Db& db;
    base::Log& log;
    base::SpanSink* const also;
    const std::size_t capacity;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Entry> entries;
    std::uint64_t pushed = 0, written = 0, dropped = 0;
    bool ending = false;
    std::thread writer;  // last: it uses the others
};

TraceSink::TraceSink(Db& db, base::Log& log, base::SpanSink* also, std::size_t capacity)
    : queue_(std::make_unique<Queue>(db, log, also, capacity)) {}
TraceSink::~TraceSink() = default;

void TraceSink::emit(base::Span span) {
    const Identity who{span.tenant, span.person};
    queue_->push({who, std::move(span)});
}

void TraceSink::emit(TelemetryEvent event) {
    const Identity who{event.tenant, event.person};
    queue_->push({who, std::move(event)});
}

void TraceSink::emit(ModelCall call) {
    const Identity who{call.tenant, call.person};
    queue_->push({who, std::move(call)});
}

void TraceSink::emit(ShadowCall call) {
    const Identity who{call.tenant, call.person};
    queue_->push({who, std::move(call)});
}

void TraceSink::emit(TraceRecord record) {
    std::visit([this](auto& one) { emit(std::move(one)); }, record);
}

void TraceSink::committed(base::Span span) {
    if (queue_->also) queue_->also->emit(std::move(span));
}

std::vector<base::Span> write_records(Tx& tx, base::RunId run, const std::vector<TraceRecord>& records, std::optional<ChainEnd>& end) {
    Writing writing(tx);
    if (end) writing.know(run, *end);
    for (const TraceRecord& record : records) std::visit(writing, record);
    end = writing.known(run);
    return writing.written();
}

void TraceSink::flush() {
    std::unique_lock lock(queue_->mutex);
    const std::uint64_t target = queue_->pushed;
    queue_->changed.wait_for(lock, kLongestFlush, [&] { return queue_->written >= target; });
}

std::uint64_t TraceSink::dropped() const {
    std::lock_guard lock(queue_->mutex);
    return queue_->dropped;
}

bool TraceSink::flushed() const {
    const std::lock_guard lock(queue_->mutex);
    return queue_->written >= queue_->pushed;
}

Trace read_trace(Tx& tx, base::RunId run) {
    Trace out;
    std::vector<StoredSpan> stored = read_spans(tx, {run});
    if (const auto fault = find_fault(run, stored)) out.chain = base::error(base::Code::corrupt, fault->what);
    for (auto& s : stored) {
        s.span.attributes = base::parse_json(s.attributes).value();
        if (s.body) s.span.body = base::parse_json(*s.body).value();
        out.spans.push_back(std::move(s.span));
    }
    return out;
}

std::vector<TelemetryEvent> list_events(Tx& tx, base::RunId run) {
    std::vector<TelemetryEvent> out;
    for (const Row& row : tx.exec("select event, node_id, latency_ms, error, tenant_id, coalesce(status, ''), class from telemetry_event where run_id = $1"
                                  " order by created_at, id", {run}))
        out.push_back({row.text(0), row.text(1), row.real(2), row.text(3), row.id<base::TenantId>(4), run, tx.identity().person, row.text(5), row.text(6)});
    return out;
}

}  // namespace store
