// What becomes of what a channel delivers: kept first, then acted on, in the order of its coming, by whichever process comes to it.
//
//   somebody unknown      is told a code, and nothing else comes of it
//   nothing but "stop"    stops what works in the chat, before queue, policy and model
//   nothing but "/open"   is answered with a link to the dashboard, where nobody else reads
//   a text                becomes a run of the person's; what that answers, or asks meanwhile, goes into the outbox
//   a choice, or its code  is the word that a run waits for
//   an edit               changes what a run is asked that nobody has begun; later its sender is told that it came too late
//
// Among others only what is said to us counts, and only of people who are known; nothing of what is remembered of them is told there.
//
// Nothing is sent from here but through the outbox. A process that goes away in the middle leaves rows that the next one goes on with.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agents/events.h"
#include "agents/service.h"
#include "base/id.h"
#include "server/bridges/enclosures.h"
#include "server/bridges/typed_words.h"
#include "server/tries.h"
#include "store/arrivals.h"
#include "store/senders.h"

namespace server::bridges {

class Intake {
public:
    struct Parts {  // all outlive it
        std::vector<Transport*> transports;
        agents::Agents& agents;
        Outbound& outbound;
        Enclosures& enclosures;
        store::Db& db;
        const tools::RuleBook& rules;
        const base::Clock& clock;
        base::Log& log;
        store::Identity owner;  // of the house; a channel is the household's
        std::function<std::string()> address{};  // where people's own devices find the dashboard; empty: nowhere
    };
    explicit Intake(Parts parts) : parts_(std::move(parts)), house_{parts_.owner.tenant, {}}, start_(base::Uuid::v7(parts_.clock.now()).text()) {}

    // Committed when it returns, for the first time or before; throws DbError when it cannot be.
    net::Task<void> keep(std::vector<store::Arrived> arrived);
    // Tells the owners that it is up, once; acts on what was kept, and sees to what works; on one executor.
    net::Task<void> watch();

private:
    void wake();
    net::Task<void> greet();
    net::Task<bool> act_on_some();
    net::Task<void> act(store::Arrived arrived);
    net::Task<void> answer(Transport& by, Arrival arrival, store::Person person);
    net::Task<void> pair(Transport& by, Arrival arrival);
    net::Task<void> stop(Transport& by, Arrival arrival, policy::Principal who);
    net::Task<void> open(Transport& by, Arrival arrival, policy::Principal who);
    net::Task<void> help(Transport& by, Arrival arrival, policy::Principal who, std::string name);
    net::Task<void> decide(Transport& by, Arrival arrival, policy::Principal who);
    net::Task<std::vector<std::string>> stop_fetching(Transport& by, std::string lane);
    bool note_album(const Transport& by, const Arrival& arrival);  // whether it is new
    net::Task<void> keep_alone(Transport& by, Arrival arrival, policy::Principal who);
    net::Task<void> begin_with_file(Transport& by, Arrival arrival, policy::Principal who, std::string lane);
    net::Task<void> begin(Transport& by, Arrival arrival, policy::Principal who);
    net::Task<void> take_code(Transport& by, Arrival arrival, policy::Principal who, TypedWord typed);
    net::Task<void> edit(Transport& by, Arrival arrival, policy::Principal who);
    net::Task<void> leave(Transport& by, Arrival arrival, policy::Principal who);
    net::Task<void> move(std::string bridge, Arrival arrival);
    struct Question {
        std::vector<base::Json> messages{};
        std::vector<store::ToldWords> told{};  // what of it others have said here
        std::string notice{};                  // that its sender is told of files, whatever is answered; empty: nothing
        bool read = false;                     // what a file says is among it
    };
    net::Task<Question> question_of(Transport& by, Arrival arrival, const policy::Principal& who);
    net::Task<void> note_receipt(std::string bridge, std::string update, Arrival receipt);
    net::Task<void> settle(std::string bridge, std::string update, std::string outcome);
    net::Task<void> say(Transport& by, Arrival arrival, policy::Principal who, std::string text, std::string outcome, std::chrono::seconds secret_for = {});
    net::Task<void> follow_all();
    void follow(store::WorkingArrival arrival);
    net::Task<void> follow_run(Transport& by, store::WorkingArrival arrival);
    net::Task<void> tell_questions(Transport& by, const store::WorkingArrival& arrival, const policy::Principal& who);
    net::Task<void> tell_end(Transport& by, store::WorkingArrival arrival, policy::Principal who);
    net::Task<policy::House> house_of(policy::Principal who);
    Transport* transport(const std::string& name) const;
    policy::Principal principal_of(const std::string& bridge, base::PersonId person, const std::string& role) const;

    Parts parts_;
    const store::Identity house_;
    const std::string start_;  // of this process
    bool greeted_ = false;
    std::weak_ptr<agents::EventHub::Ear> ear_;  // of watch()
    std::set<base::RunId> followed_;            // on watch()'s executor, as what follows
    // While a file is fetched, by its chat: what is acted on after it. Other chats go on meanwhile, and so do stops.
    struct Behind {
        Arrival arrival;
        store::Person person;
    };
    struct Lane {
        std::string question;  // that the file came with
        std::vector<Behind> behind{};
        bool stopped = false;
    };
    std::map<std::string, Lane> fetching_;
    std::set<std::string> albums_;  // digests of those of which something was said, lately
    Tries codes_;  // of each person in each chat, that were none
    boost::asio::any_io_executor executor_;
    std::string trouble_;
};

}  // namespace server::bridges
