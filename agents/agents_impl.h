// What service.cpp (requests) and resume.cpp (runs that are taken over) share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "agents/critic.h"
#include "agents/embed_memory.h"
#include "agents/events.h"
#include "agents/pipeline.h"
#include "agents/resume.h"
#include "agents/service.h"
#include "agents/steer.h"
#include "agents/threads.h"
#include "agents/turnstile.h"
#include "memory/person_indexes.h"

namespace agents {

struct Agents::Impl {
    Impl(Parts p, Options o) : parts(p), options(std::move(o)), critic(parts, options) { memory.embed_with(embedder(parts.gateway, options.embedding)); }

    // The three ways in which a run is told to end.
    struct Running {
        Running(const ChatRequest& request, base::SteadyPoint until)
            : stop(request.stop, until), cut(stop.token()), who(identity_of(request.principal)), parent(request.child ? request.child->parent : base::RunId{}) {}
        // The run is to go on later: what can be made again ends at once, what may take effect only once is waited for.
        void leave() {
            left.request_stop();
            cut.request_stop();
        }
        base::StopSource stop, left, cut;
        store::Identity who;
        base::RunId parent;  // that spawned it, if any
        std::shared_ptr<Inputs> inputs = std::make_shared<Inputs>();
    };

    Parts parts;
    Options options;
    Critic critic;
    Turnstile turnstile;
    EventHub hub;
    memory::PersonIndexes memory;
    std::mutex mutex;
    std::map<base::RunId, std::shared_ptr<Running>> running;
    std::map<base::RunId, store::Identity> unwritten_stops;  // asked for while the database was away
    std::set<base::RunId> resuming;
    bool leaving = false;
    bool looking = false, look_again = false;  // for runs that nobody holds
    bool crowded = false;                      // some had to wait for a place

    base::Result<void> check(ChatRequest& request) const;
    net::Task<void> note_company(ChatRequest& request);  // a conversation that is held before others stays so, wherever it is gone on with
    std::shared_ptr<Running> running_of(const ChatRequest& request, const Beginning& beginning, std::chrono::microseconds worked = {}) const;
    net::Task<base::Result<ChatResult>> chat(ChatRequest request, EventSink sink);
    Frame frame_of(const ChatRequest& request, const Accepted& accepted, const store::RunLease& lease, const Running& entry, std::vector<store::Step> journal);
    void enter(const Frame& frame, std::shared_ptr<Running> entry);
    net::Task<void> leave(const Frame& frame);  // what waits for the critic is judged from then on
    net::Task<base::Result<Accepted>> take_in(const ChatRequest& request, base::ConversationId fresh, std::shared_ptr<store::RunLease>& lease, base::SteadyPoint until);
    // From here on nothing is an Error: what breaks is told as the run's state.
    net::Task<ChatResult> run(Frame& frame, const ChatRequest& request, Accepted accepted, Turn turn);
    net::Task<void> execute(Frame& frame, Turn& turn, const ChatRequest& request, const Accepted& accepted);
    net::Task<void> run_loop(Frame& frame, const Layout& layout, Turn& turn);
    // False: the run goes on with the turn that `turn` is now.
    net::Task<bool> finish(Frame& frame, Turn& turn, Accepted& accepted, base::Span root, base::SteadyPoint start);
    net::Task<void> give_back(Frame& frame);
    bool stop_here(const store::Identity& who, base::RunId run);  // with what it has spawned; false: this process has no such run of that person
    void write_stops();                                           // those that could not be written
    void stop_those_asked_for();

    // What a message to a thread comes to, before it waits for its turn.
    net::Task<base::Result<Entry>> arrive(const ChatRequest& request);
    // The result of a run that works already, of which a message became an input.
    net::Task<base::Result<ChatResult>> follow(const ChatRequest& request, base::RunId joined, EventSink sink);
    // At once, those of this process: the others hear it from the database.
    void tell_running(const std::vector<base::RunId>& stopping, base::RunId input);

    net::Task<base::Result<Submitted>> submit(Submission submission);
    net::Task<void> resume_interrupted();
    net::Task<void> look_for_runs();
    bool reserve(base::RunId run);
    net::Task<void> resume(store::Interrupted interrupted);
};

// Whoever lets go of it last does not wait for the database.
std::shared_ptr<store::RunLease> released_on(boost::asio::thread_pool& pool, std::unique_ptr<store::RunLease> lease);

}  // namespace agents
