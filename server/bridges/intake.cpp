#include "server/bridges/intake.h"

#include <algorithm>
#include <utility>

#include "server/bridges/questions.h"
#include "server/bridges/stop_words.h"
#include "server/bridges/words.h"
#include "store/digest.h"
#include "store/runs.h"

namespace server::bridges {
namespace {

using base::Code;
using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 1s, kBetweenSweeps = 5s;
constexpr int kMostAtOnce = 16;
constexpr auto kHold = 10s;             // that no other process acts on the same
constexpr auto kBetweenActivity = 4s;   // channels show it for five

// Why nothing comes of it; empty: something does.
std::string why_ignored(const Arrival& arrival) {
    if (arrival.kind == Arrival::Kind::edit) return "ignored: an edit";
    if (arrival.kind == Arrival::Kind::other) return "ignored: " + arrival.what.substr(0, 64);
    if (arrival.sender.empty()) return "ignored: no sender";
    if (arrival.from_program) return "ignored: a program";
    if (arrival.kind == Arrival::Kind::choice) return "";
    if (!arrival.alone) return "ignored: a group";
    return arrival.text.empty() && arrival.media.empty() ? "ignored: nothing said" : "";
}

std::string key_of(const std::string& bridge, const std::string& update) { return bridge + ":" + update; }

}  // namespace

Transport* Intake::transport(const std::string& name) const {
    const auto found = std::find_if(parts_.transports.begin(), parts_.transports.end(), [&](const Transport* one) { return one->name() == name; });
    return found == parts_.transports.end() ? nullptr : *found;
}

policy::Principal Intake::principal_of(const std::string& bridge, base::PersonId person, const std::string& role) const {
    return {parts_.owner.tenant, person, policy::parse_role(role).value_or(policy::Role::guest), bridge, false};
}

net::Task<policy::House> Intake::house_of(policy::Principal who) {
    co_return co_await house_for(parts_.rules, parts_.db, std::move(who), parts_.clock.now());
}

net::Task<void> Intake::keep(std::vector<store::Arrived> arrived) {
    const auto write = [&](store::Tx& tx) {
        for (const auto& one : arrived) store::keep_arrival(tx, one);
    };
    co_await parts_.db.run(house_, write);
    wake();
}

void Intake::wake() {
    if (const auto ear = ear_.lock()) ear->wake();
}

net::Task<void> Intake::watch() {
    executor_ = co_await boost::asio::this_coro::executor;
    const auto ear = std::make_shared<agents::EventHub::Ear>(executor_);
    ear_ = ear;
    auto next_sweep = std::chrono::steady_clock::now();
    for (;;) {
        std::string trouble;
        try {
            while (co_await act_on_some()) continue;
            if (std::chrono::steady_clock::now() >= next_sweep) {
                co_await follow_all();
                next_sweep = std::chrono::steady_clock::now() + kBetweenSweeps;
            }
        } catch (const std::exception& e) {
            trouble = e.what();
        }
        if (trouble != trouble_ && !trouble.empty()) parts_.log.warn("what channels have delivered is not acted on", {{"reason", trouble}});
        trouble_ = trouble;
        co_await ear->wait(std::chrono::steady_clock::now() + kBetweenLooks);
    }
}

net::Task<bool> Intake::act_on_some() {
    const auto take = [](store::Tx& tx) { return store::take_arrivals(tx, kMostAtOnce, kHold); };
    const std::vector<store::Arrived> taken = co_await parts_.db.run(house_, take);
    for (const store::Arrived& one : taken) {
        std::string failed;  // one that cannot be acted on keeps none of the others waiting
        try {
            co_await act(one);
        } catch (const std::exception& e) {
            failed = e.what();
        }
        if (!failed.empty()) parts_.log.warn("what a channel has delivered was not acted on; it is tried again", {{"bridge", one.bridge}, {"update", one.update}, {"reason", failed}});
    }
    co_return !taken.empty();
}

net::Task<void> Intake::act(store::Arrived arrived) {
    Transport* const by = transport(arrived.bridge);
    if (!by) co_return;  // another process may have it
    auto arrival = by->read(arrived.body);
    if (arrival && arrival->kind == Arrival::Kind::receipt) {
        co_await note_receipt(arrived.bridge, arrived.update, *std::move(arrival));
        co_return;
    }
    std::string ignored = arrival ? why_ignored(*arrival) : "unreadable";
    if (!ignored.empty()) {
        parts_.log.debug("nothing comes of what a channel delivered", {{"bridge", arrived.bridge}, {"update", arrived.update}, {"outcome", ignored}});
        co_await settle(arrived.bridge, arrived.update, std::move(ignored));
        co_return;
    }
    const auto find = [&](store::Tx& tx) {
        store::note_heard(tx, arrived.bridge, arrival->chat, arrival->said);
        return store::find_sender(tx, arrived.bridge, arrival->sender);
    };
    auto person = co_await parts_.db.run(parts_.owner, find);
    if (person) co_await answer(*by, *std::move(arrival), *std::move(person));
    else if (arrival->kind == Arrival::Kind::choice) co_await settle(arrived.bridge, arrived.update, "unknown sender");
    else co_await pair(*by, *std::move(arrival));
}

net::Task<void> Intake::settle(std::string bridge, std::string update, std::string outcome) {
    const auto write = [&](store::Tx& tx) { store::settle_arrival(tx, bridge, update, outcome); };
    co_await parts_.db.run(house_, write);
}

net::Task<void> Intake::note_receipt(std::string bridge, std::string update, Arrival receipt) {
    const auto write = [&](store::Tx& tx) {
        const bool known = store::note_receipt(tx, bridge, {receipt.message, store::OutboxId::parse(receipt.ours), receipt.what, receipt.text});
        store::settle_arrival(tx, bridge, update, known ? receipt.what : "ignored: of no message of ours");
    };
    co_await parts_.db.run(house_, write);
}

// What a stranger has said is read by nobody: neither kept nor shown to a model.
net::Task<void> Intake::pair(Transport& by, Arrival arrival) {
    policy::Principal stranger = principal_of(by.name(), {}, "guest");
    const policy::House house = co_await house_of(stranger);
    const store::Sender sender{by.name(), arrival.sender, arrival.chat, arrival.sender_name};
    const auto ask = [&](store::Tx& tx) {
        const auto code = store::ask_pairing(tx, sender);
        if (code) {
            store::Reply reply{by.name(), arrival.chat, key_of(by.name(), arrival.update), by.pieces(pairing_words(*code))};
            reply.lifetime = store::kPairingTime;
            store::write_reply(tx, stranger, house, reply);
        }
        store::settle_arrival(tx, by.name(), arrival.update, "unknown sender");
        return code.has_value();
    };
    if (co_await parts_.db.run(parts_.owner, ask)) parts_.log.info("somebody unknown has written; hearth pair list shows the code", {{"bridge", by.name()}, {"sender", arrival.sender}});
    parts_.outbound.wake();
}

net::Task<void> Intake::answer(Transport& by, Arrival arrival, store::Person person) {
    policy::Principal who = principal_of(by.name(), person.id, person.role);
    if (arrival.kind == Arrival::Kind::choice) co_await decide(by, std::move(arrival), std::move(who));
    else if (is_stop(arrival.text)) co_await stop(by, std::move(arrival), std::move(who));
    else if (arrival.text.empty()) {
        std::string words = text_alone_words(arrival.media);
        co_await say(by, std::move(arrival), std::move(who), std::move(words), "no text");
    } else co_await begin(by, std::move(arrival), std::move(who));
}

// In one transaction with the end of the arrival: it is said once.
net::Task<void> Intake::say(Transport& by, Arrival arrival, policy::Principal who, std::string text, std::string outcome) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) {
        const store::Reply reply{by.name(), arrival.chat, key_of(by.name(), arrival.update), by.pieces(text)};
        store::write_reply(tx, who, house, reply);
        store::settle_arrival(tx, by.name(), arrival.update, outcome);
    };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
}

net::Task<void> Intake::stop(Transport& by, Arrival arrival, policy::Principal who) {
    const auto find = [&](store::Tx& tx) {
        std::vector<store::Run> out;
        for (const auto& open : store::open_runs(tx, store::conversation_in_chat(tx, by.name(), arrival.chat)))
            if (auto run = store::find_run(tx, open.id)) out.push_back(*std::move(run));
        return out;
    };
    const std::vector<store::Run> open = co_await parts_.db.run(agents::identity_of(who), find);
    std::vector<std::string> stopped;
    for (const store::Run& run : open) {
        const bool asked = co_await parts_.agents.stop(who, run.id);
        if (asked) stopped.push_back(run.question);
    }
    std::string words = stopped_words(stopped);
    co_await say(by, std::move(arrival), std::move(who), std::move(words), "stop");
}

net::Task<void> Intake::decide(Transport& by, Arrival arrival, policy::Principal who) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) { store::settle_arrival(tx, by.name(), arrival.update, take_word(tx, who, house, by, arrival)); };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
    co_await parts_.outbound.acknowledge(by, std::move(who), std::move(arrival.press));
}

net::Task<void> Intake::begin(Transport& by, Arrival arrival, policy::Principal who) {
    const auto find = [&](store::Tx& tx) { return store::conversation_in_chat(tx, by.name(), arrival.chat); };
    agents::Submission order;
    order.chat.principal = who;
    order.chat.principal.can_ask = by.offers_choices();
    order.chat.alias = "hearth";
    order.chat.channel = by.name();
    order.chat.conversation = co_await parts_.db.run(agents::identity_of(who), find);
    order.chat.messages.push_back({{"role", "user"}, {"content", said_with(arrival)}});
    order.key = key_of(by.name(), arrival.update);  // after a crash it is the same run
    order.digest = store::sha256_hex(arrival.text);
    const auto taken = co_await parts_.agents.submit(std::move(order));
    if (!taken && (taken.error().code == Code::unavailable || taken.error().code == Code::resource_exhausted)) {
        parts_.log.warn("a message waits to be taken in", {{"bridge", by.name()}, {"update", arrival.update}, {"reason", taken.error().text()}});
        co_return;  // taken up again when nobody holds it any more
    }
    if (!taken) {
        std::string words = refused_words(taken.error());
        co_await say(by, std::move(arrival), std::move(who), std::move(words), "refused");
        co_return;
    }
    const store::WorkingArrival working{by.name(), arrival.update, arrival.chat, who.person, std::string(policy::name(who.role)), taken->run};
    const auto write = [&](store::Tx& tx) { store::arrival_works(tx, working); };
    co_await parts_.db.run(house_, write);
    follow(working);
}

// Also those that other processes have begun, which may be gone.
net::Task<void> Intake::follow_all() {
    const std::vector<store::WorkingArrival> all = co_await parts_.db.read(house_, store::working_arrivals);
    for (const store::WorkingArrival& one : all) follow(one);
}

void Intake::follow(store::WorkingArrival arrival) {
    Transport* const by = transport(arrival.bridge);
    const base::RunId run = arrival.run;
    if (!by || !followed_.insert(run).second) return;
    const auto failed = [this, run](std::exception_ptr) { parts_.log.warn("a run is no longer followed; the next look follows within seconds", {{"run", run.text()}}); };
    net::spawn(executor_, follow_run(*by, std::move(arrival)), failed);
}

net::Task<void> Intake::follow_run(Transport& by, store::WorkingArrival arrival) {
    struct Place {
        std::set<base::RunId>& all;
        base::RunId run;
        ~Place() { all.erase(run); }
    };
    const Place place{followed_, arrival.run};
    const policy::Principal who = principal_of(by.name(), arrival.person, arrival.role);
    const store::EventId beginning{};
    const base::StopToken never{};
    const auto reader = co_await parts_.agents.listen(who, arrival.run, beginning, never);
    auto next_sign = std::chrono::steady_clock::now();
    bool waits = false;  // for the person's word
    while (reader && !reader->over()) {
        if (!waits && std::chrono::steady_clock::now() >= next_sign) {
            next_sign = std::chrono::steady_clock::now() + kBetweenActivity;
            co_await parts_.outbound.show_activity(by, who, arrival.chat, arrival.update);
        }
        const std::vector<agents::ToldEvent> told = co_await reader->next(kBetweenActivity);
        bool asked = false;
        for (const agents::ToldEvent& event : told) {
            asked |= waits || event.name == "waiting";
            waits = event.name == "waiting";
        }
        if (asked) co_await tell_questions(by, arrival, who);
    }
    co_await tell_end(by, std::move(arrival), who);
}

net::Task<void> Intake::tell_questions(Transport& by, const store::WorkingArrival& arrival, const policy::Principal& who) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) {
        if (const auto run = store::find_run(tx, arrival.run)) write_questions(tx, who, house, by, arrival.chat, *run);
    };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
}

net::Task<void> Intake::tell_end(Transport& by, store::WorkingArrival arrival, policy::Principal who) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) {
        const auto run = store::find_run(tx, arrival.run);
        if (run && !run->ended()) return;  // this process ends, and the run goes on
        if (run) {
            write_questions(tx, who, house, by, arrival.chat, *run);
            store::Reply reply{by.name(), arrival.chat, "run:" + arrival.run.text(), by.pieces(end_words(*run))};
            reply.label = policy::parse_integrity(run->turn.value("label", ""));
            if (!reply.parts.empty()) store::write_reply(tx, who, house, reply);
        }
        store::settle_arrival(tx, by.name(), arrival.update, run ? run->status : "the run is gone");
    };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
}

}  // namespace server::bridges
