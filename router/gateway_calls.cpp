// What the gateway is asked for: calls of aliases, drills of backends, shadow calls.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "router/gateway_call.h"

namespace router {

using base::Code;

// Counts a call while it lives: what runs here and nobody waits for ends for it. A call that gives way is itself such a one, and not
// counted: it may be made while no other is under way, and ends as soon as one is.
class Gateway::Underway {
public:
    Underway(Gateway& gateway, bool gives_way, const base::StopToken& stop) : gateway_(gateway), gives_way_(gives_way), idle_(stop) {
        std::optional<RunningShadow> other;
        {
            const std::lock_guard lock(gateway_.mutex_);
            if (gives_way_) {
                admitted_ = !gateway_.shadow_ && gateway_.underway_ == 0;
                if (admitted_) gateway_.shadow_ = RunningShadow{idle_, true};
                return;
            }
            ++gateway_.underway_;
            other = gateway_.shadow_;
        }
        if (other && other->here) other->stop.request_stop();
    }
    ~Underway() {
        const std::lock_guard lock(gateway_.mutex_);
        if (!gives_way_) --gateway_.underway_;
        else if (admitted_) gateway_.shadow_.reset();
    }
    Underway(const Underway&) = delete;
    Underway& operator=(const Underway&) = delete;

    bool admitted() const { return admitted_; }
    base::StopToken stop() const { return idle_.token(); }

private:
    Gateway& gateway_;
    const bool gives_way_;
    base::StopSource idle_;  // the call's, also when the caller stops it
    bool admitted_ = true;
};

namespace {

// Of the phases' calls, those that nobody waits for.
bool gives_way(const ModelRequest& request) {
    constexpr std::string_view purposes[] = {"critic", "consolidate", "facts", "read_ahead"};
    return std::find(std::begin(purposes), std::end(purposes), request.purpose) != std::end(purposes);
}

ModelRequest shadowed(const ModelRequest& request, const std::string& model) {
    ModelRequest out = request;
    out.alias = model;
    out.purpose = "shadow";
    out.on_behalf.person = {};  // no person pays for it
    out.loose.reset();
    return out;
}

}  // namespace

bool Gateway::wants_shadow(const Call<ModelRequest>& call) {
    const ShadowRow& row = call.row->shadow;
    if (row.share <= 0 || !shadow_listener_ || !call.table->alias(row.model)) return false;
    const std::lock_guard lock(mutex_);
    return !shadow_ && underway_ == 1 && shadow_choices_[call.row->name].next(row.share);
}

net::Task<void> Gateway::shadow(Call<ModelRequest> call, ModelReply was, std::chrono::microseconds took) {
    // The answer that is waited for goes out first.
    co_await boost::asio::post(boost::asio::use_awaitable);
    const Alias* row = call.table->alias(call.row->shadow.model);
    const bool here = std::any_of(row->chain.begin(), row->chain.end(), [&](const std::string& id) {
        const Link* link = call.table->find(id);
        return link && link->backend->is_local();
    });
    RunningShadow running{base::StopSource(), here};
    {
        const std::lock_guard lock(mutex_);
        if (shadow_ || (here && underway_ > 0)) co_return;
        shadow_ = running;
    }
    struct Ended {
        Gateway& gateway;
        ~Ended() {
            const std::lock_guard lock(gateway.mutex_);
            gateway.shadow_.reset();
        }
    } const ended{*this};
    ShadowDelta delta;
    delta.who = call.request.on_behalf;
    delta.alias = call.row->name;
    delta.shadow = row->name;
    delta.purpose = call.request.purpose;
    delta.was = was.usage;
    delta.took = took;
    const auto began = clock_.steady();
    Call<ModelRequest> again{call.table, row, shaped(shadowed(call.request, row->name), *row), {}};
    again.request.stop = running.stop.token();
    Delivered nothing(again.request.on_behalf);
    const auto now = co_await first_answer<ModelReply>(again, nothing);
    if (running.stop.token().stopped() || (now && !is_answer(*now))) co_return;
    delta.took_now = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - began);
    if (now) compare(delta, was, *now);
    else delta.error = now.error().text();
    shadow_listener_(delta);
}

net::Task<base::Result<ModelReply>> Gateway::generate(ModelRequest request, DeltaSink sink) {
    const auto table = this->table();
    const Alias* row = table->alias(request.alias);
    if (!row) co_return unknown(request.alias, *table);
    const Underway underway(*this, gives_way(request), request.stop);
    if (!underway.admitted()) co_return base::error(Code::cancelled, "others are answered first");
    request.stop = underway.stop();
    const auto began = clock_.steady();
    Call<ModelRequest> call{table, row, shaped(std::move(request), *row), std::move(sink)};
    Delivered delivered(call.request.on_behalf);
    auto reply = co_await first_answer<ModelReply>(call, delivered);
    if (!reply) co_return reply;
    {
        const std::lock_guard lock(mutex_);
        for (const Traffic traffic : exercised_by(*reply, bool(call.sink))) exercises_.worked(reply->backend, traffic, clock_.now());
    }
    if (is_answer(*reply) && wants_shadow(call)) {
        const auto executor = co_await boost::asio::this_coro::executor;
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - began);
        call.sink = {};
        net::spawn(executor, shadow(std::move(call), *reply, took), [this](std::exception_ptr) { log_.warn("a shadow call broke off", {}); });
    }
    co_return reply;
}

net::Task<base::Result<ModelReply>> Gateway::drill(std::string backend, Traffic traffic, OnBehalf who, base::StopToken stop) {
    const auto table = this->table();
    if (!table->find(backend)) co_return base::error(Code::not_found, "there is no backend '" + backend + "'", "hearth drill lists them");
    const Alias row{.name = "drill of " + backend, .chain = {backend}};
    std::string streamed;
    DeltaSink sink;
    if (traffic == Traffic::streamed)
        sink = [&](const ModelDelta& delta) {
            if (delta.kind == ModelDelta::Kind::content) streamed += delta.text;
        };
    Call<ModelRequest> call{table, &row, drill_request(traffic), std::move(sink)};
    call.request.on_behalf = who;
    call.request.stop = stop;
    Delivered delivered(call.request.on_behalf);
    auto reply = co_await first_answer<ModelReply>(call, delivered);
    if (reply && !is_answer(*reply)) co_return reply;  // stopped: it tells nothing
    if (reply)
        if (auto fine = drill_verdict(traffic, *reply, streamed); !fine) reply = std::move(fine).error();
    // What is over budget, or makes vectors alone, has not failed.
    if (!reply && (reply.error().code == Code::resource_exhausted || reply.error().code == Code::unsupported)) co_return reply;
    const std::lock_guard lock(mutex_);
    if (reply) exercises_.worked(backend, traffic, clock_.now());
    else exercises_.failed(backend, traffic, clock_.now(), reply.error().message);
    co_return reply;
}

net::Task<base::Result<EmbeddingReply>> Gateway::embed(EmbeddingRequest request) {
    const auto table = this->table();
    const Alias* row = table->alias(request.alias);
    if (!row) co_return unknown(request.alias, *table);
    Call<EmbeddingRequest> call{table, row, std::move(request), {}};
    Delivered nothing(call.request.on_behalf);
    co_return co_await first_answer<EmbeddingReply>(call, nothing);
}

net::Task<base::Result<int>> Gateway::count(ModelRequest request) {
    const auto table = this->table();
    const Alias* row = table->alias(request.alias);
    if (!row) co_return unknown(request.alias, *table);
    for (const auto& id : row->chain) {
        const Link* link = table->find(id);
        if (link && refusal(*link, clock_.steady()).empty()) co_return co_await link->backend->count(shaped(std::move(request), *row));
    }
    co_return base::error(Code::unavailable, "no backend can serve '" + request.alias + "' now");
}

}  // namespace router
