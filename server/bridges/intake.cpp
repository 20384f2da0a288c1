#include "server/bridges/intake.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "server/bridges/help_words.h"
#include "server/bridges/link_words.h"
#include "server/bridges/media_words.h"
#include "server/bridges/questions.h"
#include "server/bridges/stop_words.h"
#include "server/bridges/words.h"
#include "store/digest.h"
#include "store/groups.h"
#include "store/runs.h"
#include "store/sign_in.h"

namespace server::bridges {
namespace {

using base::Code;
using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 1s, kBetweenSweeps = 5s;
constexpr int kMostAtOnce = 16;
constexpr std::size_t kMostAlbums = 1024;
constexpr auto kStartTime = 10min;      // that it is news
constexpr auto kHold = 10s;             // that no other process acts on the same

// Why nothing comes of it; empty: something does.
std::string why_ignored(const Arrival& arrival) {
    if (arrival.kind == Arrival::Kind::other) return "ignored: " + arrival.what.substr(0, 64);
    if (arrival.kind == Arrival::Kind::moved) return "";
    if (arrival.sender.empty()) return "ignored: no sender";
    if (arrival.from_program) return "ignored: a program";
    if (arrival.kind == Arrival::Kind::left) return "";
    if (arrival.kind == Arrival::Kind::choice) return "";
    if (arrival.kind == Arrival::Kind::edit && !arrival.text.empty()) return "";  // it may be of what was said to us
    if (!arrival.alone && !arrival.addressed) return "ignored: said to others";
    const bool called = !arrival.alone && arrival.kind == Arrival::Kind::message;  // by its name alone
    return arrival.text.empty() && arrival.media.empty() && arrival.quoted.text.empty() && !called ? "ignored: nothing said" : "";
}

// Among others, and nothing else is said.
bool is_only_called(const Arrival& arrival) { return !arrival.alone && arrival.text.empty() && arrival.media.empty() && arrival.quoted.text.empty() && arrival.quoted.media.empty(); }

bool holds_no_words(const Arrival& arrival) { return arrival.text.empty() && !arrival.media.empty() && arrival.says.text.empty() && !is_readable(arrival.media, arrival.file); }

bool reads_a_file(const Arrival& arrival) { return is_readable(arrival.media, arrival.file) || is_readable(arrival.quoted.media, arrival.quoted.file); }

std::string digest_of(const Arrival& arrival) { return store::sha256_hex(arrival.text); }

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
            if (!greeted_) co_await greet();
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

// Where a person is answered alone the chat is called as he is.
net::Task<void> Intake::greet() {
    const std::vector<store::KnownSender> known = co_await parts_.db.read(parts_.owner, store::known_senders);
    for (const store::KnownSender& one : known) {
        Transport* const by = transport(one.bridge);
        if (!by || !by->tells_starts() || one.person.role != "owner") continue;
        const policy::Principal who = principal_of(one.bridge, one.person.id, one.person.role);
        const policy::House house = co_await house_of(who);
        store::Reply reply{one.bridge, one.id, "start:" + start_ + ":" + one.id, by->pieces(said(language_of(one.person.language == "auto" ? one.language : one.person.language), Saying::start))};
        reply.lifetime = kStartTime;
        const auto write = [&](store::Tx& tx) { store::write_reply(tx, who, house, reply); };
        co_await parts_.db.run(agents::identity_of(who), write);
    }
    greeted_ = true;
    parts_.outbound.wake();
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
    if (arrival && !arrival->alone && !by->knows_itself()) {
        const std::string trouble = co_await by->learn_itself();
        if (!trouble.empty()) throw std::runtime_error(trouble);
        arrival = by->read(arrived.body);
    }
    if (arrival) arrival->update = arrived.update;  // not every body says how it was kept
    std::string ignored = arrival ? why_ignored(*arrival) : "unreadable";
    if (!ignored.empty()) {
        parts_.log.debug("nothing comes of what a channel delivered", {{"bridge", arrived.bridge}, {"update", arrived.update}, {"outcome", ignored}});
        co_await settle(arrived.bridge, arrived.update, std::move(ignored));
        co_return;
    }
    if (arrival->kind == Arrival::Kind::moved) {
        co_await move(arrived.bridge, *std::move(arrival));
        co_return;
    }
    const std::string told = arrival->language;
    const auto find = [&](store::Tx& tx) {
        if (arrival->kind != Arrival::Kind::left) store::note_heard(tx, arrived.bridge, arrival->chat, arrival->said);
        auto person = store::find_sender(tx, arrived.bridge, arrival->sender);
        if (person) store::note_language(tx, arrived.bridge, arrival->sender, told);
        if (person) arrival->language = store::language_in(tx, person->id, arrived.bridge);
        return person;
    };
    auto person = co_await parts_.db.run(parts_.owner, find);
    // A code is for whoever asks by himself, and not for a group to read.
    const bool may_pair = arrival->kind == Arrival::Kind::message && arrival->alone;
    if (person) co_await answer(*by, *std::move(arrival), *std::move(person));
    else if (may_pair) co_await pair(*by, *std::move(arrival));
    else co_await settle(arrived.bridge, arrived.update, "unknown sender");
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
    const store::Sender sender{by.name(), arrival.sender, arrival.chat, arrival.sender_name, arrival.language};
    const auto ask = [&](store::Tx& tx) {
        const auto code = store::ask_pairing(tx, sender);
        if (code) {
            store::Reply reply{by.name(), arrival.chat, key_of(by.name(), arrival.update), by.pieces(said(language_of(arrival.language), Saying::pairing, *code))};
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
    std::string lane = key_of(by.name(), arrival.chat);
    const std::string own = arrival.forwarded ? std::string() : arrival.text;  // what another wrote orders nothing
    const auto typed = arrival.kind == Arrival::Kind::choice ? std::nullopt : typed_word(own);
    const bool at_once = arrival.kind == Arrival::Kind::choice || typed || (arrival.kind == Arrival::Kind::message && stop_word(own));
    if (const auto fetches = fetching_.find(lane); fetches != fetching_.end() && !at_once) {
        fetches->second.behind.push_back({std::move(arrival), std::move(person)});
        co_return;
    }
    if (arrival.kind == Arrival::Kind::left) co_await leave(by, std::move(arrival), std::move(who));
    else if (arrival.kind == Arrival::Kind::choice) co_await decide(by, std::move(arrival), std::move(who));
    else if (typed) co_await take_code(by, std::move(arrival), std::move(who), *typed);
    else if (arrival.kind == Arrival::Kind::edit) co_await edit(by, std::move(arrival), std::move(who));
    else if (stop_word(own)) co_await stop(by, std::move(arrival), std::move(who));
    else if (asks_for_link(own) && arrival.media.empty()) co_await open(by, std::move(arrival), std::move(who));
    else if (asks_for_help(own) || is_only_called(arrival)) co_await help(by, std::move(arrival), std::move(who), std::move(person.name));
    else if (holds_no_words(arrival)) co_await keep_alone(by, std::move(arrival), std::move(who));
    else if (reads_a_file(arrival)) {
        const auto failed = [this](std::exception_ptr) { parts_.log.warn("what came behind a file is not acted on; it is tried again"); };
        fetching_.emplace(lane, Lane{arrival.text.empty() ? arrival.media : arrival.text});
        net::spawn(executor_, begin_with_file(by, std::move(arrival), std::move(who), std::move(lane)), failed);
    } else co_await begin(by, std::move(arrival), std::move(who));
}

// Its parts come within moments of each other: that of an old one something is said again is less than a list without end.
bool Intake::note_album(const Transport& by, const Arrival& arrival) {
    if (albums_.size() >= kMostAlbums) albums_.clear();
    return albums_.insert(store::sha256_hex(key_of(by.name(), arrival.chat) + ":" + arrival.album)).second;
}

// There is nothing to ask a model; what can be fetched is kept.
net::Task<void> Intake::keep_alone(Transport& by, Arrival arrival, policy::Principal who) {
    const bool can_fetch = !arrival.file.id.empty();
    const bool tells = arrival.album.empty() || note_album(by, arrival);  // of an album once
    std::string why;
    if (can_fetch) why = co_await parts_.enclosures.keep_alone(by, arrival, who, tells);
    if (can_fetch && why.empty()) co_return;
    const Language language = language_of(arrival.language);
    std::string words = said(language, can_fetch ? Saying::not_kept : Saying::no_words, media_word(language, arrival.media), why);
    co_await say(by, std::move(arrival), std::move(who), std::move(words), "no text");
}

net::Task<void> Intake::begin_with_file(Transport& by, Arrival arrival, policy::Principal who, std::string lane) {
    std::string failed;
    try {
        co_await begin(by, std::move(arrival), std::move(who));
    } catch (const std::exception& e) {
        failed = e.what();
    }
    if (!failed.empty()) parts_.log.warn("a message with a file was not acted on; it is tried again", {{"bridge", by.name()}, {"reason", failed}});
    std::vector<Behind> behind = std::move(fetching_[lane].behind);
    fetching_.erase(lane);
    for (Behind& next : behind) co_await answer(by, std::move(next.arrival), std::move(next.person));
}

// In one transaction with the end of the arrival: it is said once.
net::Task<void> Intake::say(Transport& by, Arrival arrival, policy::Principal who, std::string text, std::string outcome, std::chrono::seconds secret_for) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) {
        store::Reply reply{by.name(), arrival.chat, key_of(by.name(), arrival.update), by.pieces(text)};
        if (!arrival.alone) reply.answers = arrival.message;
        reply.secret = secret_for.count() > 0;
        if (reply.secret) reply.lifetime = secret_for;
        store::write_reply(tx, who, house, reply);
        store::settle_arrival(tx, by.name(), arrival.update, outcome);
    };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
}

net::Task<void> Intake::stop(Transport& by, Arrival arrival, policy::Principal who) {
    std::vector<std::string> ending;  // a stop was asked for before
    const auto find = [&](store::Tx& tx) {
        std::vector<store::Run> out;
        ending.clear();
        for (const auto& open : store::open_runs(tx, store::conversation_in_chat(tx, by.name(), arrival.chat, !arrival.alone))) {
            auto run = store::find_run(tx, open.id);
            if (run && open.stopping) ending.push_back(run->question);
            else if (run) out.push_back(*std::move(run));
        }
        return out;
    };
    const std::vector<store::Run> open = co_await parts_.db.run(agents::identity_of(who), find);
    std::vector<std::string> stopped = co_await stop_fetching(by, key_of(by.name(), arrival.chat));
    for (const store::Run& run : open) {
        const bool asked = co_await parts_.agents.stop(who, run.id);
        if (asked) stopped.push_back(run.question);
    }
    const auto word = stop_word(arrival.text);
    std::string words = stopped_words(word && word->language ? *word->language : language_of(arrival.language), stopped, ending);
    co_await say(by, std::move(arrival), std::move(who), std::move(words), "stop");
}

// A link that lies about longer than it is good for is not sent any more.
net::Task<void> Intake::open(Transport& by, Arrival arrival, policy::Principal who) {
    const std::string address = parts_.address ? parts_.address() : std::string();
    const Language language = language_of(arrival.language);
    std::optional<Saying> refused;
    if (!arrival.alone) refused = Saying::link_before_others;
    else if (who.role != policy::Role::owner && who.role != policy::Role::member) refused = Saying::link_for_guests;
    else if (address.empty()) refused = Saying::link_unreachable;
    std::string words = refused ? said(language, *refused) : "";
    if (!refused) {
        const auto make = [&](store::Tx& tx) { return store::make_link(tx, who.person); };
        const auto secret = co_await parts_.db.run(agents::identity_of(who), make);
        words = secret ? said(language, Saying::link, address + "/#link=" + *secret) : said(language, Saying::refused, secret.error().text());
    }
    std::string outcome = refused ? "no link" : "link";
    const std::chrono::seconds secret_for = refused ? 0s : std::chrono::seconds(store::kLinkTime);
    co_await say(by, std::move(arrival), std::move(who), std::move(words), std::move(outcome), secret_for);
}

net::Task<void> Intake::help(Transport& by, Arrival arrival, policy::Principal who, std::string name) {
    std::string words = said(language_of(arrival.language), Saying::help, name);
    co_await say(by, std::move(arrival), std::move(who), std::move(words), "help");
}

// What has not begun since a file is fetched; what it was.
net::Task<std::vector<std::string>> Intake::stop_fetching(Transport& by, std::string lane) {
    std::vector<std::string> out;
    const auto fetches = fetching_.find(lane);
    if (fetches == fetching_.end() || fetches->second.stopped) co_return out;
    fetches->second.stopped = true;
    out.push_back(fetches->second.question);
    const std::vector<Behind> behind = std::exchange(fetches->second.behind, {});
    for (const Behind& one : behind) {
        out.push_back(one.arrival.text);
        co_await settle(by.name(), one.arrival.update, "stopped");
    }
    co_return out;
}

net::Task<void> Intake::edit(Transport& by, Arrival arrival, policy::Principal who) {
    const auto find = [&](store::Tx& tx) {
        auto noted = store::find_noted(tx, by.name(), arrival.chat, arrival.message);
        auto run = noted ? store::find_run(tx, noted->run) : std::nullopt;
        return std::pair(std::move(noted), std::move(run));
    };
    const auto found = co_await parts_.db.read(agents::identity_of(who), find);
    const auto& [noted, run] = found;
    if (noted && noted->waits) co_return;  // behind what it changes
    const std::string digest = digest_of(arrival);
    if (!noted || !run || noted->digest == digest) {
        co_await settle(by.name(), arrival.update, "ignored: an edit of nothing that was answered");
        co_return;
    }
    Question asked = co_await question_of(by, arrival, who);
    const auto tell = [&](store::Tx& tx) { store::note_told(tx, run->id, asked.told); };  // before it stands there
    if (!asked.told.empty()) co_await parts_.db.run(agents::identity_of(who), tell);
    const bool in_time = co_await parts_.agents.amend(who, run->id, std::move(asked.messages));
    const auto note = [&](store::Tx& tx) {
        store::redigest_arrival(tx, by.name(), noted->update, digest);
        if (in_time) store::settle_arrival(tx, by.name(), arrival.update, "edited");
    };
    co_await parts_.db.run(house_, note);
    if (in_time) co_return;
    std::string words = edited_words(language_of(arrival.language), run->question, !run->ended());
    co_await say(by, std::move(arrival), std::move(who), std::move(words), "an edit that came too late");
}

net::Task<void> Intake::decide(Transport& by, Arrival arrival, policy::Principal who) {
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) { store::settle_arrival(tx, by.name(), arrival.update, take_word(tx, who, house, by, arrival)); };
    co_await parts_.db.run(agents::identity_of(who), write);
    parts_.outbound.wake();
    const auto unseen = [](std::exception_ptr) {};  // it is a courtesy
    net::spawn(executor_, parts_.outbound.acknowledge(by, std::move(who), std::move(arrival.press)), unseen);
}

// No model reads it, right or wrong.
net::Task<void> Intake::take_code(Transport& by, Arrival arrival, policy::Principal who, TypedWord typed) {
    const std::string whose = key_of(by.name(), arrival.chat) + ":" + arrival.sender;
    const auto wait = codes_.take(whose, std::chrono::steady_clock::now());
    if (wait.count() > 0) {
        std::string words = said(language_of(arrival.language), Saying::many_codes, std::to_string(wait.count()));
        co_await say(by, std::move(arrival), std::move(who), std::move(words), "a code too many");
        co_return;
    }
    const policy::House house = co_await house_of(who);
    const auto write = [&](store::Tx& tx) {
        Given given = take_typed(tx, who, house, by, arrival.chat, typed);
        if (given.counts) store::settle_arrival(tx, by.name(), arrival.update, given.outcome);
        return given;
    };
    Given given = co_await parts_.db.run(agents::identity_of(who), write);
    if (given.known) codes_.forget(whose);
    if (given.counts) parts_.outbound.wake();
    else co_await say(by, std::move(arrival), std::move(who), std::move(given.answer), std::move(given.outcome));
}

net::Task<void> Intake::begin(Transport& by, Arrival arrival, policy::Principal who) {
    if (!arrival.album.empty()) note_album(by, arrival);
    const store::ArrivalNote note{by.name(), arrival.update, arrival.chat, arrival.message, digest_of(arrival), !arrival.alone};
    const auto find = [&](store::Tx& tx) {
        store::note_arrival(tx, note);
        store::return_to_chat(tx, note.bridge, note.chat);
        return store::conversation_in_chat(tx, by.name(), arrival.chat, note.in_company);
    };
    agents::Submission order;
    order.chat.principal = who;
    order.chat.principal.can_ask = by.offers_choices();
    order.chat.alias = "hearth";
    order.chat.channel = by.name();
    order.chat.before_others = note.in_company;
    order.chat.conversation = co_await parts_.db.run(agents::identity_of(who), find);
    Question asked = co_await question_of(by, arrival, who);
    const bool tells = !asked.notice.empty();
    order.chat.messages = std::move(asked.messages);
    if (const auto lane = fetching_.find(key_of(by.name(), arrival.chat)); lane != fetching_.end() && lane->second.stopped) {
        co_await settle(by.name(), arrival.update, "stopped");
        co_return;
    }
    if (tells && !asked.read && arrival.text.empty()) {
        co_await say(by, std::move(arrival), std::move(who), std::move(asked.notice), "a file that cannot be read");
        co_return;
    }
    store::Reply notice{by.name(), arrival.chat, "file:" + key_of(by.name(), arrival.update), by.pieces(asked.notice)};
    if (note.in_company) notice.answers = arrival.message;
    policy::House house;
    if (tells) house = co_await house_of(who);
    order.within = [told = std::move(asked.told), notice, who, house](store::Tx& tx, base::RunId run) -> base::Result<void> {
        store::note_told(tx, run, told);
        store::write_reply(tx, who, house, notice);  // of no piece: nothing
        return {};
    };
    order.key = key_of(by.name(), arrival.update);  // after a crash it is the same run
    order.digest = note.digest;
    const auto taken = co_await parts_.agents.submit(std::move(order));
    if (!taken && (taken.error().code == Code::unavailable || taken.error().code == Code::resource_exhausted)) {
        parts_.log.warn("a message waits to be taken in", {{"bridge", by.name()}, {"update", arrival.update}, {"reason", taken.error().text()}});
        co_return;  // taken up again when nobody holds it any more
    }
    if (!taken) {
        std::string words = said(language_of(arrival.language), Saying::refused, taken.error().text());
        co_await say(by, std::move(arrival), std::move(who), std::move(words), "refused");
        co_return;
    }
    if (tells) parts_.outbound.wake();
    co_await parts_.enclosures.note_run(by, arrival, who, taken->run);
    const store::WorkingArrival working{by.name(), arrival.update, arrival.chat, who.person, std::string(policy::name(who.role)), taken->run, arrival.message, note.in_company};
    const auto write = [&](store::Tx& tx) { store::arrival_works(tx, working); };
    co_await parts_.db.run(house_, write);
    follow(working);
}

}  // namespace server::bridges
