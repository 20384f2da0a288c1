#include "store/traces.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <variant>

#include "store/digest.h"

namespace store {
namespace {

using Item = std::variant<base::Span, TelemetryEvent, ModelCall>;

constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kFirstPause{50}, kLongestPause{1000}, kLongestFlush{2000};

// What the chain covers: every stored field but the body, which its digest stands for.
std::string chain_hash(const std::string& previous, const base::Span& s, const std::string& attributes, const std::string& body_digest) {
    base::Json fields = {previous,       s.id.text(), s.parent.text(), s.run.text(), s.kind,     s.name,
                         micros_of(s.started), s.duration.count(), s.error, attributes, body_digest};
    return sha256_hex(base::dump(fields));
}

// Where the chain of a run ends.
struct ChainEnd {
    std::int64_t position = -1;
    std::string hash;
    bool taken_over = false;  // a phase may have been recorded already by who held the run before
};

// The entries of one transaction. A run's chain is looked up once, and nobody else adds to it meanwhile.
class Writing {
public:
    explicit Writing(Tx& tx) : tx_(tx) {}

    void operator()(base::Span s) {
        const base::Redactor& redactor = tx_.redactor();
        s.name = redactor.redacted(std::move(s.name));
        s.error = redactor.redacted(std::move(s.error));
        s.attributes = redactor.redacted(std::move(s.attributes));
        s.body = redactor.redacted(std::move(s.body));
        ChainEnd& end = end_of(s.run);
        if (end.taken_over && !tx_.exec("select 1 from span where id = $1", {s.id}).empty()) return;
        const std::string attributes = base::dump(s.attributes), body = base::dump(s.body), digest = sha256_hex(body);
        end = {end.position + 1, chain_hash(end.hash, s, attributes, digest), end.taken_over};
        tx_.send("insert into span (id, parent_id, run_id, position, kind, name, started_us, duration_us, error, attributes, body_digest, hash)"
                 " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                 {s.id, s.parent, s.run, end.position, s.kind, s.name, micros_of(s.started), std::int64_t(s.duration.count()), s.error, attributes, digest, end.hash});
        if (!s.body.empty()) tx_.send("insert into span_body (span_id, body) values ($1, $2)", {s.id, body});
    }

    void operator()(const TelemetryEvent& e) {
        tx_.send("insert into telemetry_event (event, node_id, latency_ms, error, run_id) values ($1, $2, $3, $4, $5)",
                 {e.event, e.node, e.latency_ms, tx_.redactor().redacted(e.error), e.run});
    }

    void operator()(const ModelCall& call) { insert_call(tx_, call); }

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
};

}  // namespace

// The queue and the CPU thread that writes it.
struct TraceSink::Queue {
    struct Entry {
        Identity who;
        Item item;
    };

    Queue(Db& d, base::Log& l, std::size_t c) : db(d), log(l), capacity(c), writer([this] { work(); }) {}
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

    void write(const Identity& who, const std::vector<Entry>& batch) {
        auto all = [&](Tx& tx) {
            Writing writing(tx);
            for (const auto& entry : batch) std::visit(writing, entry.item);
        };
        for (int attempt = 1;; ++attempt) {
            try {
                db.run_blocking(who, all);
                return;
            } catch (const DbError& e) {
                // A database that is away or full comes back; what it refuses, it refuses again.
                const bool passes = e.kind == DbError::Kind::connection || e.kind == DbError::Kind::disk_full;
                if (attempt == 1) log.warn("trace not written", {{"error", e.what()}, {"entries", batch.size()}, {"later", passes}});
                if (!passes && attempt >= kAttempts) break;
            } catch (const std::exception& e) {
                log.warn("trace not written", {{"error", e.what()}, {"entries", batch.size()}});
                break;
            }
            std::unique_lock lock(mutex);
            if (changed.wait_for(lock, std::min(kFirstPause * (1 << std::min(attempt, 5)), kLongestPause), [&] { return ending; })) break;
        }
        std::lock_guard lock(mutex);
        dropped += batch.size();
    }

    Db& db;
    base::Log& log;
    const std::size_t capacity;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Entry> entries;
    std::uint64_t pushed = 0, written = 0, dropped = 0;
    bool ending = false;
    std::thread writer;  // last: it uses the others
};

TraceSink::TraceSink(Db& db, base::Log& log, std::size_t capacity) : queue_(std::make_unique<Queue>(db, log, capacity)) {}
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

namespace {

// How a stored span fails to follow the one whose hash is `previous`; `digest`, `hash`: as they are stored.
base::Result<void> check_link(const std::string& previous, const base::Span& s, const std::string& attributes, const std::optional<std::string>& body,
                              const std::string& digest, const std::string& hash) {
    const std::string where = "span " + s.id.text() + " of run " + s.run.text();
    if (body && sha256_hex(*body) != digest) return base::error(base::Code::corrupt, "the body of " + where + " was changed");
    if (chain_hash(previous, s, attributes, digest) != hash) return base::error(base::Code::corrupt, where + " was changed, or one before it");
    return {};
}

}  // namespace

Trace read_trace(Tx& tx, base::RunId run) {
    Trace out;
    std::string previous;
    for (const Row& row : tx.exec("select s.id, s.parent_id, s.kind, s.name, s.started_us, s.duration_us, s.error, s.attributes, b.body,"
                                  " s.body_digest, s.hash, s.position from span s left join span_body b on b.span_id = s.id"
                                  " where s.run_id = $1 order by s.position", {run})) {
        base::Span s;
        s.id = row.id<base::SpanId>(0);
        s.parent = row.id<base::SpanId>(1);
        s.run = run;
        s.tenant = tx.identity().tenant;
        s.person = tx.identity().person;
        s.kind = row.text(2);
        s.name = row.text(3);
        s.started = row.time(4);
        s.duration = std::chrono::microseconds(row.integer(5));
        s.error = row.text(6);
        if (out.chain && row.integer(11) != std::int64_t(out.spans.size()))
            out.chain = base::error(base::Code::corrupt, "a span before span " + s.id.text() + " of run " + run.text() + " is missing");
        if (out.chain) out.chain = check_link(previous, s, row.text(7), row.null(8) ? std::nullopt : std::optional(row.text(8)), row.text(9), row.text(10));
        previous = row.text(10);
        s.attributes = row.json(7);
        if (!row.null(8)) s.body = row.json(8);
        out.spans.push_back(std::move(s));
    }
    return out;
}

std::vector<TelemetryEvent> list_events(Tx& tx, base::RunId run) {
    std::vector<TelemetryEvent> out;
    for (const Row& row : tx.exec("select event, node_id, latency_ms, error, tenant_id from telemetry_event where run_id = $1"
                                  " order by created_at, id", {run}))
        out.push_back({row.text(0), row.text(1), row.real(2), row.text(3), row.id<base::TenantId>(4), run, tx.identity().person});
    return out;
}

}  // namespace store
