#include "agents/events.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <utility>

namespace agents {

using base::Json;
using store::EventId;

Json data_of(const ChatEvent& event) {
    Json out = event.data.is_object() ? event.data : Json::object();
    if (!event.name.empty()) out["name"] = event.name;
    if (!event.id.empty()) out["id"] = event.id;
    if (!event.text.empty()) out["text"] = event.text;
    if (event.kind == ChatEvent::Kind::tool_call) out = {{"name", event.name}, {"id", event.id}, {"arguments", event.data}};
    if (event.kind == ChatEvent::Kind::run_started) {
        out["run_id"] = event.run.text();
        out["conversation_id"] = event.conversation.text();
    }
    return out;
}

Json to_json(const Stretch& stretch) {
    Json out = {{"first", stretch.first}, {"last", stretch.last}, {"event", stretch.name}, {"data", stretch.data}};
    if (!stretch.cuts.empty()) out["cuts"] = stretch.cuts;
    return out;
}

Stretch stretch_from_json(const Json& json) {
    return {json.at("first").get<std::int64_t>(), json.at("last").get<std::int64_t>(), json.at("event").get<std::string>(), json.at("data"),
            json.value("cuts", std::vector<std::size_t>{})};
}

std::vector<ToldEvent> told_after(const Stretch& stretch, std::int64_t epoch, EventId after) {
    std::vector<ToldEvent> out;
    ToldEvent event{{epoch, stretch.last}, stretch.name, stretch.data};
    if (event.id <= after) return out;
    if (after >= EventId{epoch, stretch.first}) {
        const std::size_t piece = std::size_t(after.number - stretch.first);
        if (piece < stretch.cuts.size())
            event.data["text"] = stretch.data.at("text").get_ref<const std::string&>().substr(stretch.cuts[piece]);
        else
            out.push_back(ToldEvent{after, "resumed", {{"after", EventId{epoch, stretch.first - 1}.text()}}});
    }
    out.push_back(std::move(event));
    return out;
}

void LiveEvents::add(std::string name, Json data) {
    ++number_;
    stretches_.push_back({number_, number_, std::move(name), std::move(data), {}});
    open_ = false;
}

void LiveEvents::add_piece(std::string name, const std::string& text) {
    if (!open_ || stretches_.back().name != name) {
        add(std::move(name), {{"text", text}});
        open_ = true;
        return;
    }
    Stretch& stretch = stretches_.back();
    auto& all = stretch.data["text"].get_ref<std::string&>();
    stretch.cuts.push_back(all.size());
    all += text;
    stretch.last = ++number_;
}

void LiveEvents::tell(const ChatEvent& event) {
    {
        const std::lock_guard lock(mutex_);
        if (event.kind == ChatEvent::Kind::text || event.kind == ChatEvent::Kind::reasoning)
            add_piece(std::string(name(event.kind)), event.text);
        else
            add(std::string(name(event.kind)), data_of(event));
    }
    hub_.wake(run_);
}

void LiveEvents::resumes(EventId kept) {
    const std::lock_guard lock(mutex_);
    kept_ = kept;
    add("resumed", {{"after", kept.text()}, {"run_id", run_.text()}, {"conversation_id", conversation_.text()}});
}

EventId LiveEvents::last() {
    const std::lock_guard lock(mutex_);
    open_ = false;
    marks_.push_back(number_);
    return {epoch_, number_};
}

void LiveEvents::ends(const std::string& final_state, const std::string& error) {
    const std::lock_guard lock(mutex_);
    end_ = Stretch{number_ + 1, number_ + 1, "done", {{"final_state", final_state}, {"error", error}}, {}};
}

void LiveEvents::rests(const store::Approval& approval) {
    const std::lock_guard lock(mutex_);
    const auto& asked = approval.request;
    end_ = Stretch{number_ + 1, number_ + 1, "waiting",
                   {{"approval_id", approval.id.text()}, {"tool", asked.tool}, {"arguments", asked.arguments}, {"reason", asked.reason}, {"expires", base::rfc3339(approval.expires)}}, {}};
}

void LiveEvents::write(store::Tx& tx) {
    const std::lock_guard lock(mutex_);
    open_ = false;
    std::vector<Stretch> all = stretches_;
    if (end_) all.push_back(*std::exchange(end_, {}));
    writing_ = all.empty() ? stored_ : all.back().last;
    if (all.empty()) return;
    if (kept_) store::drop_events(tx, run_, *kept_, epoch_);
    for (auto from = all.begin(); from != all.end();) {
        const auto mark = std::find_if(marks_.begin(), marks_.end(), [&](std::int64_t at) { return at >= from->first; });
        const auto to = mark == marks_.end() ? all.end() : std::find_if(from, all.end(), [&](const Stretch& one) { return one.first > *mark; });
        store::EventRow row{{epoch_, from->first}, {epoch_, (to - 1)->last}, Json::array()};
        for (; from != to; ++from) {
            Json told = to_json(*from);
            Json data = tx.redactor().redacted(from->data);
            if (data != from->data) told.erase("cuts");  // they are places of another text
            told["data"] = std::move(data);
            row.body.push_back(std::move(told));
        }
        store::append_events(tx, run_, row);
    }
    store::tell_watchers(tx, run_);
}

void LiveEvents::written() {
    {
        const std::lock_guard lock(mutex_);
        stored_ = std::max(stored_, writing_);
        number_ = std::max(number_, stored_);
        std::erase_if(stretches_, [&](const Stretch& one) { return one.last <= stored_; });
        std::erase_if(marks_, [&](std::int64_t at) { return at <= stored_; });
        if (stored_ > 0) kept_.reset();
    }
    hub_.wake(run_);
}

EventId LiveEvents::stored() const {
    const std::lock_guard lock(mutex_);
    return {epoch_, stored_};
}

std::optional<std::vector<ToldEvent>> LiveEvents::after(EventId id) const {
    const std::lock_guard lock(mutex_);
    if (id < EventId{epoch_, stored_}) return std::nullopt;
    std::vector<ToldEvent> out;
    for (const Stretch& stretch : stretches_)
        for (ToldEvent& event : told_after(stretch, epoch_, id)) out.push_back(std::move(event));
    return out;
}

void EventHub::Ear::wake() {
    if (!woken_.exchange(true)) boost::asio::post(executor_, [self = shared_from_this()] { self->timer_.cancel(); });
}

net::Task<void> EventHub::Ear::wait(std::chrono::steady_clock::time_point until) {
    timer_.expires_at(until);
    boost::system::error_code woken;
    if (!woken_) co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    woken_ = false;
}

void EventHub::enter(std::shared_ptr<LiveEvents> events) {
    const base::RunId run = events->run();
    {
        const std::lock_guard lock(mutex_);
        live_.insert_or_assign(run, std::move(events));
    }
    wake(run);
}

void EventHub::leave(const LiveEvents& events) {
    const base::RunId run = events.run();
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = live_.find(run); found != live_.end() && found->second.get() == &events) live_.erase(found);
    }
    wake(run);
}

std::shared_ptr<LiveEvents> EventHub::find(base::RunId run) const {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(run);
    return found == live_.end() ? nullptr : found->second;
}

void EventHub::listen(base::RunId run, const std::shared_ptr<Ear>& ear) {
    const std::lock_guard lock(mutex_);
    std::erase_if(ears_, [](const auto& entry) { return entry.second.expired(); });
    ears_.emplace(run, ear);
}

namespace {

void rouse(const std::weak_ptr<EventHub::Ear>& listener) {
    if (const auto ear = listener.lock()) ear->wake();
}

}  // namespace

void EventHub::wake(base::RunId run) {
    const std::lock_guard lock(mutex_);
    const auto [from, to] = ears_.equal_range(run);
    for (auto it = from; it != to; ++it) rouse(it->second);
}

void EventHub::wake_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : ears_) rouse(entry.second);
}

void EventHub::close() {
    closed_ = true;
    wake_all();
}

}  // namespace agents
