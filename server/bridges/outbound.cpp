#include "server/bridges/outbound.h"

#include <algorithm>

#include "store/arrivals.h"

namespace server::bridges {
namespace {

using store::Sending;
using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 1s;
constexpr auto kBetweenErasings = 1min;
constexpr int kMostAtOnce = 8;
constexpr auto kHold = 30s;  // longer than any attempt takes
constexpr auto kLongestWait = 5min;  // between attempts, unless the channel wants more

const char* name_of(Sending::End end) {
    switch (end) {
        case Sending::End::delivered: return "delivered";
        case Sending::End::failed: return "failed";
        case Sending::End::again: return "again";
        case Sending::End::held: return "held";
        case Sending::End::unknown: break;
    }
    return "unknown";
}

}  // namespace

net::Task<policy::House> house_for(const tools::RuleBook& rules, store::Db& db, policy::Principal to, base::TimePoint now) {
    const std::string reply = policy::kReply;
    std::optional<tools::CallCount> counted;  // replies are no calls
    co_return co_await tools::house_of(&rules, db, to, reply, now, counted);
}

net::Task<void> Outbound::watch() {
    const auto ear = std::make_shared<agents::EventHub::Ear>(co_await boost::asio::this_coro::executor);
    ear_ = ear;
    while (!closed_) {
        std::string trouble;
        try {
            co_await look_at_silence();
            for (Transport* const transport : parts_.transports) co_await send_some(*transport);
            co_await erase_old();
        } catch (const std::exception& e) {
            trouble = e.what();
        }
        if (trouble != trouble_ && !trouble.empty()) parts_.log.warn("the outbox is not looked at", {{"reason", trouble}});
        trouble_ = trouble;
        co_await ear->wait(std::chrono::steady_clock::now() + kBetweenLooks);
    }
}

void Outbound::wake() {
    if (const auto ear = ear_.lock()) ear->wake();
}

std::optional<std::vector<std::string>> Outbound::pieces(const std::string& bridge, const std::string& text) const {
    for (const Transport* const transport : parts_.transports)
        if (transport->name() == bridge) return transport->pieces(text);
    return std::nullopt;
}

net::Task<void> Outbound::send_some(Transport& transport) {
    const int room = kMostAtOnce - under_way_;
    if (room <= 0) co_return;
    const auto take = [&](store::Tx& tx) { return store::take_outgoing(tx, transport.name(), room, kHold, parts_.caps); };
    const std::vector<store::Outgoing> taken = co_await parts_.db.run(parts_.house, take);
    const auto executor = co_await boost::asio::this_coro::executor;
    for (const store::Outgoing& letter : taken) {
        const auto failed = [this, id = letter.id](std::exception_ptr) { parts_.log.warn("how a message left could not be written down", {{"outbox", id.text()}}); };
        net::spawn(executor, deliver(transport, letter), failed);
    }
}

net::Task<policy::Decision> Outbound::decide(policy::Principal to, policy::Integrity label) {
    const policy::House house = co_await house_for(parts_.rules, parts_.db, to, parts_.clock.now());
    co_return policy::decide_reply(to, label, house);
}

net::Task<void> Outbound::deliver(Transport& transport, store::Outgoing letter) {
    struct Count {
        int& n;
        explicit Count(int& counted) : n(++counted) {}
        ~Count() { --n; }
    } count(under_way_);
    const policy::Decision decision = co_await decide(letter.to, letter.label);
    Sending sending;
    const bool asks = decision.verdict == policy::Verdict::ask;
    sending.end = asks ? Sending::End::held : Sending::End::failed;
    sending.why = decision.message;
    if (decision.verdict == policy::Verdict::allow || (asks && letter.released)) sending = co_await transport.send(letter);
    if (sending.end == Sending::End::again) sending.wait = std::clamp<std::chrono::milliseconds>(sending.wait * letter.attempts, sending.wait, std::max<std::chrono::milliseconds>(sending.wait, kLongestWait));
    parts_.metrics.add("hearth_outbox_total", 1, {{"bridge", transport.name()}, {"state", name_of(sending.end)}});
    if (sending.end != Sending::End::delivered)
        parts_.log.warn("a message did not arrive for sure", {{"outbox", letter.id.text()}, {"bridge", transport.name()}, {"state", name_of(sending.end)}, {"reason", sending.why}, {"attempts", letter.attempts}});
    const auto settle = [&](store::Tx& tx) {
        if (!sending.moved_to.empty()) store::move_chat(tx, transport.name(), letter.chat, sending.moved_to);
        return store::settle_outgoing(tx, letter.id, sending);
    };
    co_await parts_.db.run(parts_.house, settle);
    wake();
}

// No row says so, but it leaves all the same.
net::Task<bool> Outbound::may_show(policy::Principal to, policy::Integrity label) {
    co_await look_at_silence();
    const policy::Decision decision = co_await decide(to, label);
    const std::lock_guard lock(mutex_);
    co_return decision.verdict == policy::Verdict::allow && !closed_ && !silence_;
}

net::Task<void> Outbound::look_at_silence() {
    const auto read = [](store::Tx& tx) { return store::silence_of_outbox(tx); };
    auto silence = co_await parts_.db.read(parts_.house, read);
    const std::lock_guard lock(mutex_);
    silence_ = std::move(silence);
}

net::Task<void> Outbound::erase_old() {
    if (std::chrono::steady_clock::now() < next_erasing_) co_return;
    next_erasing_ = std::chrono::steady_clock::now() + kBetweenErasings;
    const auto erase = [&](store::Tx& tx) { return store::erase_outbox(tx, parts_.keep_days); };
    const int erased = co_await parts_.db.run(parts_.house, erase);
    if (erased > 0) parts_.log.info("the outbox has forgotten what old messages said", {{"messages", erased}});
}

base::Probe Outbound::probe() const {
    const std::lock_guard lock(mutex_);
    if (!silence_) return {"outbox", base::Health::ok, "messages leave", ""};
    return {"outbox", base::Health::warning, "nothing leaves" + (silence_->until ? " until " + base::rfc3339(*silence_->until) : std::string(", as the owner wants it")), "hearth outbox resume ends the silence"};
}

net::Task<void> Outbound::show_activity(Transport& transport, policy::Principal to, std::string chat, std::string update) {
    const bool may = co_await may_show(to, policy::Integrity::trusted);
    if (may) co_await transport.show_activity(std::move(chat), std::move(update));
}

// What it is made from is not known before it ends.
net::Task<void> Outbound::show_draft(Transport& transport, policy::Principal to, std::string chat, std::int64_t number, std::string text) {
    const bool may = co_await may_show(to, policy::Integrity::untrusted);
    if (may) co_await transport.show_draft(std::move(chat), number, parts_.db.redactor().redacted(std::move(text)));
}

net::Task<void> Outbound::acknowledge(Transport& transport, policy::Principal to, std::string press) {
    const bool may = co_await may_show(to, policy::Integrity::trusted);
    if (may) co_await transport.acknowledge(std::move(press));
}

}  // namespace server::bridges
