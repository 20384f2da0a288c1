#include "agents/nightly.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <set>

#include "agents/agents_impl.h"
#include "agents/nightly_steps.h"
#include "agents/yielding.h"
#include "store/run_writer.h"

namespace agents {
namespace {

using namespace std::chrono_literals;
using base::Code;
using base::Json;

constexpr const char* kAlias = "nightly";
constexpr auto kBetweenLooks = 20s;
constexpr auto kBetweenAsks = 100ms;      // of whether a batch has its answer
constexpr auto kWaitedFor = std::chrono::seconds(120);  // each of the steps that callers wait for
constexpr auto kReadAhead = std::chrono::seconds(60);   // of one of them

net::Task<void> nap(std::chrono::milliseconds time) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(time);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

NightlyDue nightly_due(base::TimePoint now, const Zone& zone, std::chrono::minutes at) {
    auto day = std::chrono::floor<std::chrono::days>(zone.local(now));
    while (zone.first(LocalTime(day + at)) > now) day -= std::chrono::days(1);
    return {store::Day(day.time_since_epoch()), zone.first(LocalTime(day + at))};
}

struct Nightly::Impl : std::enable_shared_from_this<Nightly::Impl> {
    Impl(NightlyParts p, NightlyOptions o) : parts(std::move(p)), options(std::move(o)) { make_waited_for(); }

    NightlyParts parts;
    NightlyOptions options;
    std::vector<NightlyStep> waited_for;  // by callers
    base::StopSource left;
    std::atomic<int> working{0};
    mutable std::mutex mutex;
    std::optional<store::Day> warm_of;  // the night that the registry is of
    std::string broken;                 // the last batch of this process, where it has failed

    struct Held {
        store::NightlyBatch batch;
        std::shared_ptr<store::RunLease> lease;  // null: another one works on it, or it needs no more
    };

    void make_waited_for();
    using MakeRows = Json (*)(store::Tx&, store::Day, const std::string& zone);
    net::Task<base::Result<Json>> make_rows(MakeRows make, store::Day day);
    net::Task<base::Result<Json>> analyse(store::Day day);
    net::Task<base::Result<Json>> warm(base::StopToken stop);
    Json warm_up();
    store::Day today() const { return store::Day(std::chrono::floor<std::chrono::days>(options.zone.local(parts.clock.now())).time_since_epoch()); }

    base::Result<Held> accept(store::Tx& tx, store::Day day, bool again, std::shared_ptr<store::RunLease>& lease) const;
    net::Task<base::Result<Held>> hold(store::Day day, bool again);
    net::Task<base::Result<Held>> take_over(store::NightlyBatch batch);
    net::Task<void> work(Held held);
    net::Task<void> go_through(store::RunWriter& writer, const Held& held, const Json& request);
    using WithIt = std::function<void(const base::Result<Json>& result)>;  // called before the outcome is committed
    net::Task<void> step(store::RunWriter& writer, const store::NightlyBatch& batch, const NightlyStep& step, bool waited, base::SpanId root, const WithIt& with_it);
    net::Task<base::Result<Json>> outcome(const NightlyStep& step, store::Day day);
    void spawn(Held held);
    net::Task<void> look();
};

Nightly::Nightly(NightlyParts parts, NightlyOptions options) : impl_(std::make_shared<Impl>(std::move(parts), std::move(options))) {}
Nightly::~Nightly() = default;

void Nightly::Impl::make_waited_for() {
    waited_for = {{"daily", kWaitedFor, [this](store::Day day, base::StopToken) { return make_rows(make_daily, day); }},
                  {"weekly", kWaitedFor, [this](store::Day day, base::StopToken) { return make_rows(make_weekly, day); }},
                  {"pipeline", kWaitedFor, [this](store::Day day, base::StopToken) { return analyse(day); }},
                  {"warmup", kWaitedFor, [this](store::Day, base::StopToken stop) { return warm(stop); }}};
}

net::Task<base::Result<Json>> Nightly::Impl::make_rows(MakeRows make, store::Day day) {
    const std::string zone = options.zone.name();
    const auto job = [&](store::Tx& tx) { return make(tx, day, zone); };
    const Json made = co_await parts.db.run(options.owner, job);
    co_return made;
}

net::Task<base::Result<Json>> Nightly::Impl::analyse(store::Day day) {
    std::map<std::string, store::NodeSetting> settings;
    const auto read = [&](store::Tx& tx) {
        settings = store::node_settings(tx);
        return store::list_daily(tx, day - std::chrono::days(kHistoryDays), day - std::chrono::days(1));
    };
    const auto rows = co_await parts.db.read(options.owner, read);
    const auto compute = [&] { return analyse_night(options.owner.tenant.text(), rows, settings, day); };
    const store::NightRow night = co_await net::on_pool(parts.blocking, compute);
    const auto write = [&](store::Tx& tx) { store::save_night(tx, night); };
    co_await parts.db.run(options.owner, write);
    const auto analysed = std::count_if(night.nodes.begin(), night.nodes.end(), [](const auto& node) { return node.events > 0; });
    const Json out = {{"status", night.regime == "insufficient_data" ? night.regime : "ok"}, {"nodes_analyzed", analysed}};
    co_return out;
}

Json Nightly::Impl::warm_up() {
    const store::Day now = today();
    std::optional<store::Day> newest;
    const auto read = [&](store::Tx& tx) {
        const auto night = store::newest_night(tx);
        if (night) newest = night->day;
        return node_histories(tx, now, options.zone.name());
    };
    const auto histories = parts.db.run_blocking(options.owner, read, store::Db::Access::read);
    const auto loaded = parts.nodes.load(histories);
    const std::lock_guard lock(mutex);
    warm_of = newest;
    return {{"samples", loaded.samples}, {"nodes", loaded.nodes}};
}

net::Task<base::Result<Json>> Nightly::Impl::warm(base::StopToken stop) {
    const auto job = [this] { return warm_up(); };
    Json loaded = co_await net::on_pool(parts.blocking, job);
    if (options.read_ahead) {
        const base::StopSource patience(stop, parts.clock.steady() + kReadAhead);
        const auto read = co_await options.read_ahead(patience.token());
        if (read) loaded.update(*read);
    }
    co_return loaded;
}

void Nightly::warm_up() { impl_->warm_up(); }
store::Day Nightly::today() const { return impl_->today(); }
std::vector<router::NodeMetrics::State> Nightly::states() const { return impl_->parts.nodes.states(impl_->parts.clock.now()); }
base::Probe Nightly::probe() const {
    std::string drifting;
    for (const auto& state : states())
        if (state.drift > 1) drifting += (drifting.empty() ? "" : ", ") + state.node;
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->broken.empty()) return {"nights", base::Health::warning, impl_->broken, "hearth nightly goes on with it"};
    if (!drifting.empty()) return {"nights", base::Health::warning, "slower, wider or failing more often than usual: " + drifting, "hearth mathcore show; hearth mathcore accept NODE where it is to stay so"};
    return {"nights", base::Health::ok, "no phase of the pipeline drifts", ""};
}
int Nightly::working() const { return impl_->working; }
void Nightly::leave() { impl_->left.request_stop(); }

base::Result<Nightly::Impl::Held> Nightly::Impl::accept(store::Tx& tx, store::Day day, bool again, std::shared_ptr<store::RunLease>& lease) const {
    const auto found = store::find_batch(tx, day);
    if (found && !(again && found->state == "failed")) return Held{*found, nullptr};
    if (!lease) lease = released_on(parts.blocking, store::lease_new_run(parts.db, base::RunId::make(parts.clock.now())));
    store::NightlyBatch batch{day, lease->run(), found ? found->conversation : base::ConversationId::make(parts.clock.now()), options.owner.person, "running", nullptr, found ? found->attempts + 1 : 1,
                              parts.clock.now()};
    if (!found) store::create_conversation(tx, batch.conversation, kAlias, "");
    const base::MessageId input = store::append_message(tx, batch.conversation, batch.run, {{"role", "user"}, {"content", store::batch_id(day)}});
    const Json request = {{"nightly", store::day_text(day)}, {"root", base::SpanId::make(batch.started).text()}, {"began_us", store::micros_of(batch.started)}};
    store::create_run(tx, *lease, batch.conversation, input, kAlias, {request, false});
    if (found ? !store::begin_batch_again(tx, day, batch.run) : !store::begin_batch(tx, day, batch.run, batch.conversation))
        return base::error(Code::conflict, "another one has begun " + store::batch_id(day));
    return Held{std::move(batch), lease};
}

net::Task<base::Result<Nightly::Impl::Held>> Nightly::Impl::hold(store::Day day, bool again) {
    std::shared_ptr<store::RunLease> lease;
    const auto job = [&](store::Tx& tx) { return accept(tx, day, again, lease); };
    co_return co_await parts.db.run(options.owner, job);
}

// Of a batch that nobody works on. A run that was given up, as after a day without a server, has failed with all that it was to do.
net::Task<base::Result<Nightly::Impl::Held>> Nightly::Impl::take_over(store::NightlyBatch batch) {
    const auto settle = [&](store::Tx& tx) { return store::settle_batch(tx, batch); };
    const bool ended = co_await parts.db.run(options.owner, settle);
    if (ended) co_return Held{std::move(batch), nullptr};
    const auto take = [&] { return store::acquire_lease(parts.db, options.owner, batch.run); };
    auto lease = co_await net::on_pool(parts.blocking, take);
    if (!lease) co_return std::move(lease).error();
    co_return Held{std::move(batch), released_on(parts.blocking, *std::move(lease))};
}

void Nightly::Impl::spawn(Held held) {
    ++working;
    const auto self = shared_from_this();
    const std::string id = store::batch_id(held.batch.day);
    const auto ended = [self, id](std::exception_ptr why) {
        try {
            std::rethrow_exception(why);
        } catch (const store::RunLeft&) {
        } catch (const std::exception& e) {
            self->parts.log.warn("a nightly batch broke off; it is gone on with later", {{"batch", id}, {"error", e.what()}});
        }
    };
    net::spawn(parts.executor, work(std::move(held)), ended);
}

net::Task<void> Nightly::Impl::work(Held held) {
    const auto self = shared_from_this();
    struct Counted {
        std::atomic<int>& count;
        ~Counted() { --count; }
    } counted{working};
    std::vector<store::Step> journal;
    Json request;
    const auto read = [&](store::Tx& tx) {
        journal = store::list_steps(tx, held.batch.run);
        request = store::run_request(tx, held.batch.run);
    };
    co_await parts.db.read(options.owner, read);
    store::RunWriter writer(parts.db, options.owner, held.batch.run, held.lease->epoch(), std::move(journal), left.token(), &parts.traces);
    parts.log.info(held.lease->epoch() == 1 ? "nightly batch begins" : "nightly batch is taken up again", {{"batch", store::batch_id(held.batch.day)}, {"run", held.batch.run.text()}});
    bool stopped = false;
    try {
        co_await go_through(writer, held, request);
    } catch (const store::RunStopped&) {
        stopped = true;
    }
    if (!stopped) co_return;
    const std::function<bool(store::Tx&)> ends;
    const std::string why = "the run was stopped";
    const std::function<void(store::Tx&)> with_it = [&](store::Tx& tx) { store::break_off_batch(tx, held.batch, why); };
    co_await writer.finish("cancelled", why, Json::object(), Json::object(), ends, with_it);
}

namespace {

// What callers are told: each part's own words, then the run.
Json answer_of(const store::NightlyBatch& batch, const std::vector<std::pair<std::string, base::Result<Json>>>& parts, const std::vector<NightlyStep>& steps) {
    Json out = {{"batch_id", store::batch_id(batch.day)}, {"run_id", batch.run.text()}};
    for (const auto& [name, result] : parts) {
        if (result) {
            out[name] = *result;
            continue;
        }
        out[name] = {{"status", "failed"}, {"error", result.error().text()}};
        out["error"] = "the step " + name + " failed: " + result.error().text();
    }
    for (const NightlyStep& step : steps)
        if (!out.contains(step.name)) out[step.name] = {{"status", "skipped"}};
    return out;
}

std::string summary_of(const Json& answer, const std::vector<std::pair<std::string, base::Result<Json>>>& further) {
    std::string out = answer.contains("error") ? answer["error"].get<std::string>()
                                               : std::to_string(answer["daily"].value("events_processed", 0)) + " events of " + std::to_string(answer["daily"].value("node_count", 0)) + " nodes; " +
                                                     "MathCore: " + answer["pipeline"].value("status", "");
    for (const auto& [name, result] : further) out += "; " + name + ": " + (result ? base::dump(*result) : "failed, " + result.error().text());
    return out;
}

}  // namespace

net::Task<void> Nightly::Impl::go_through(store::RunWriter& writer, const Held& held, const Json& request) {
    const store::NightlyBatch& batch = held.batch;
    const auto root_id = base::SpanId::parse(request.value("root", "")).value_or(base::SpanId::make(batch.started));
    std::vector<std::pair<std::string, base::Result<Json>>> core, others;
    Json answer;
    bool failed = false;
    for (std::size_t i = 0; i < waited_for.size() && !failed; ++i) {
        const bool last = i + 1 == waited_for.size();
        // What callers wait for is committed with the outcome that completes it.
        const WithIt with_it = [&](const base::Result<Json>& result) {
            core.emplace_back(waited_for[i].name, result);
            failed = !result;
            if (!failed && !last) return;
            answer = answer_of(batch, core, waited_for);
            writer.defer([day = batch.day, answer](store::Tx& tx) { store::answer_batch(tx, day, answer); });
        };
        co_await step(writer, batch, waited_for[i], true, root_id, with_it);
    }
    for (const NightlyStep& one : options.further) {
        const WithIt with_it = [&](const base::Result<Json>& result) { others.emplace_back(one.name, result); };
        co_await step(writer, batch, one, false, root_id, with_it);
    }
    const bool partial = std::any_of(others.begin(), others.end(), [](const auto& one) { return !one.second.ok(); });
    const std::string state = failed ? "failed" : partial ? "partial" : "answered", error = failed ? answer["error"].get<std::string>() : "";
    const std::string summary = summary_of(answer, others);
    base::Span root;
    root.id = root_id;
    root.run = batch.run;
    root.kind = "run";
    root.name = kAlias;
    root.started = base::TimePoint(std::chrono::microseconds(request.value("began_us", store::micros_of(batch.started))));
    root.duration = parts.clock.now() - root.started;
    root.error = error;
    root.attributes = {{"final_state", state}, {"batch_id", store::batch_id(batch.day)}};
    root.body = {{"answer", answer}};
    writer.emit(std::move(root));
    const std::function<bool(store::Tx&)> ends;
    const std::function<void(store::Tx&)> with_it = [&](store::Tx& tx) {
        store::append_message(tx, batch.conversation, batch.run, {{"role", "assistant"}, {"content", summary}});
        store::end_batch(tx, batch.day, failed);
    };
    co_await writer.finish(state, error, Json::object(), Json::object(), ends, with_it);
    {
        const std::lock_guard lock(mutex);
        broken = failed ? store::batch_id(batch.day) + ": " + error : "";
    }
    parts.log.info("nightly batch ends", {{"batch", store::batch_id(batch.day)}, {"state", state}, {"summary", summary}});
}

net::Task<void> Nightly::Impl::step(store::RunWriter& writer, const store::NightlyBatch& batch, const NightlyStep& step, bool waited, base::SpanId root, const WithIt& with_it) {
    store::StepIntent intent;
    intent.kind = "tool";
    intent.name = "nightly." + step.name;
    intent.effect = "transactional";  // the outcome is committed at once: the next process begins behind it
    intent.effect_key = intent.name;
    intent.input = {{"day", store::day_text(batch.day)}};
    if (const store::Step* before = writer.recorded(intent.effect_key); before && before->state != "intent") {
        base::Result<Json> known = before->state == "done" ? base::Result<Json>(before->outcome.value("result", Json())) : base::error(Code::internal, before->outcome.value("error", ""));
        with_it(known);
        co_return;
    }
    if (!waited) {
        const base::StopSource patience(left.token(), parts.clock.steady() + step.deadline);
        co_await let_people_first(options.busy, patience.token());
    }
    const base::StepId id = co_await writer.begin(intent);
    base::Span span;
    span.id = base::SpanId::make(parts.clock.now());
    span.parent = root;
    span.run = batch.run;
    span.kind = "tool";
    span.name = intent.name;
    span.started = parts.clock.now();
    base::Result<Json> result = co_await outcome(step, batch.day);
    if (writer.left()) throw store::RunLeft();
    span.duration = parts.clock.now() - span.started;
    if (!result) span.error = result.error().text();
    span.attributes = {{"state", result ? "done" : "failed"}};
    span.body = {{"arguments", intent.input}, {"result", result ? base::dump(*result) : span.error}};
    writer.emit(std::move(span));
    with_it(result);
    const Json kept = result ? Json{{"result", *result}} : Json{{"error", result.error().text()}};
    const std::string state = result ? "done" : "failed";
    co_await writer.end(std::move(intent), id, state, kept);
}

// A lost database ends the batch for now; what else breaks is the step's failure.
net::Task<base::Result<Json>> Nightly::Impl::outcome(const NightlyStep& step, store::Day day) {
    const base::StopSource stop(left.token(), parts.clock.steady() + step.deadline);
    std::string broke;
    try {
        co_return co_await step.run(day, stop.token());
    } catch (const store::DbError& e) {
        if (store::interrupts(e)) throw;
        broke = e.what();
    } catch (const std::exception& e) {
        broke = e.what();
    }
    co_return base::error(Code::internal, broke);
}

net::Task<base::Result<store::NightlyBatch>> Nightly::batch(store::Day day, base::StopToken stop) {
    const std::shared_ptr<Impl> impl = impl_;
    if (day > impl->today())
        co_return base::error(Code::invalid_argument, "the day " + store::day_text(day) + " has not come", "the batch of today, " + store::day_text(impl->today()) + ", is of the days before it");
    for (bool again = true;; again = false) {
        auto held = co_await impl->hold(day, again);
        if (!held && held.error().code != Code::conflict) co_return std::move(held).error();
        if (held && !held->lease && !held->batch.answer.is_null()) co_return std::move(held->batch);
        if (held && !held->lease) {
            auto taken = co_await impl->take_over(held->batch);
            if (taken) held = std::move(taken);
        }
        if (held && held->lease) impl->spawn(*std::move(held));
        if (stop.stopped()) co_return stop.error("waiting for " + store::batch_id(day));
        co_await nap(kBetweenAsks);
    }
}

// Once: what other processes did, what they left, what is due.
net::Task<void> Nightly::Impl::look() {
    std::vector<store::NightlyBatch> open;
    std::optional<store::Day> newest;
    base::TimePoint made{};
    const auto read = [&](store::Tx& tx) {
        open = store::open_batches(tx);
        made = store::tenant_made(tx);
        if (const auto night = store::newest_night(tx)) newest = night->day;
    };
    co_await parts.db.read(options.owner, read);
    bool stale = false;
    {
        const std::lock_guard lock(mutex);
        stale = newest && newest != warm_of;
    }
    const auto warm_again = [this] { warm_up(); };
    if (stale) co_await net::on_pool(parts.blocking, warm_again);
    for (const store::NightlyBatch& one : open) {
        auto taken = co_await take_over(one);
        if (taken && taken->lease) spawn(*std::move(taken));
    }
    if (!options.at) co_return;
    const NightlyDue due = nightly_due(parts.clock.now(), options.zone, *options.at);
    if (due.since <= made) co_return;
    auto held = co_await hold(due.day, false);
    if (held && held->lease) spawn(*std::move(held));
}

net::Task<void> Nightly::watch() {
    const std::shared_ptr<Impl> impl = impl_;
    std::string failing;
    while (!impl->left.token().stopped()) {
        std::string failure;
        try {
            co_await impl->look();
        } catch (const std::exception& e) {
            failure = e.what();
        }
        if (!failure.empty() && failure != failing) impl->parts.log.warn("nightly batches are not looked after; the next look follows", {{"reason", failure}});
        failing = failure;
        co_await nap(kBetweenLooks);
    }
}

}  // namespace agents
