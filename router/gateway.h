// The single way to any model: alias → chain of backends, fallback with reasons, circuit breakers, budgets, usage.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "router/backend.h"
#include "router/breaker.h"
#include "router/budget.h"
#include "router/exercise.h"
#include "router/roster.h"
#include "router/shadow.h"

namespace router {

// Of a backend, not of what it was asked: the next request would meet it too.
struct Failure {
    std::string message;
    base::SteadyPoint at;
};

// What is known of a backend without asking it.
struct BackendState {
    BackendStatus status;
    bool local = false;
    std::optional<Failure> failure = {};  // of the last call or look; none after one that went well
    Breaker::State circuit = Breaker::State::closed;
    std::int64_t seconds_left_alone = 0;  // while the circuit is open
};

class Gateway {
public:
    // The clock outlives the gateway.
    Gateway(std::vector<std::unique_ptr<Backend>> backends, std::vector<Alias> aliases, const base::Clock& clock, base::Log& log,
            base::Metrics& metrics);

    // What the settings let change while requests go on.
    struct Roster {
        std::vector<std::unique_ptr<Backend>> backends;  // beside the constructor's, which stay
        std::vector<Alias> aliases;                      // in place of all others
        Budget person = {};                              // of each person
    };
    // Calls under way end as they began.
    void change(Roster roster);

    // Error{not_found} for an unknown alias, {unavailable} naming every backend's reason when none answers,
    // {resource_exhausted} for a budget. A backend's own failure leads to the next of the chain: silently as long as the sink got
    // nothing of the answer; else the next one writes on from what it got, and where none can, the error says so.
    net::Task<base::Result<ModelReply>> generate(ModelRequest request, DeltaSink sink = {});
    net::Task<base::Result<EmbeddingReply>> embed(EmbeddingRequest request);
    net::Task<base::Result<int>> count(ModelRequest request);
    // Asks that backend alone for a few tokens, and whether they are what such traffic wants; under the person's budget. Error{not_found}
    // for no such backend, {unsupported} where it makes no text; else what is wrong with it.
    net::Task<base::Result<ModelReply>> drill(std::string backend, Traffic traffic, OnBehalf who, base::StopToken stop);
    // Hears what shadow calls gave; before the first request. They run one at a time, while no other call does, on the executor of the call
    // that they shadow, and one that a backend of this process serves ends as soon as somebody else calls. No person's budget pays for them.
    void on_shadow(std::function<void(const ShadowDelta&)> listener) { shadow_listener_ = std::move(listener); }
    // Asks every backend beyond this process whether it can be reached, without calling a model.
    net::Task<void> look();

    // Begins to load a model of this process, or to unload it, and gives the backend's id; `name` is that, or an alias that it serves.
    // Error{not_found}: no such name. See Backend::load.
    base::Result<std::string> set_loaded(const std::string& name, bool loaded);
    // Erases what backends keep on disk of that audience's conversations.
    void forget(const std::string& audience);

    std::vector<Alias> aliases() const;
    bool has(const std::string& alias) const;
    // Whether some backend of the alias can take a request now; else Error{unavailable} with reasons.
    base::Result<void> ready(const std::string& alias) const;
    Capabilities capabilities(const std::string& alias) const;
    std::map<std::string, BackendState> backends() const;  // by id
    base::Probes probes() const;

    // What of their traffic the backends of chains have shown to work. `within`: what is older makes a probe fail; 0: none does.
    std::vector<Exercise> exercises();
    base::Probes exercise_probes(std::chrono::hours within);
    // To be kept for the next start.
    std::vector<Exercise> take_unsaved_exercises();
    void learn_exercises(const std::vector<Exercise>& others);

    // Those that bind a person's calls, of aliases and of the person.
    struct BudgetState {
        std::string of;  // "model default", "person"
        Budget budget;
        Amount spent;    // today
        std::string begins_anew;
    };
    std::vector<BudgetState> budgets(const OnBehalf& who) const;
    // What was spent, to be shared with other processes; see Budgets.
    std::vector<Budgets::Entry> take_unsaved_spending(bool also_nothing);
    void learn_spending(const std::vector<Budgets::Entry>& totals);
    void give_back_spending(const std::vector<Budgets::Entry>& entries);

private:
    struct Link {
        std::shared_ptr<Backend> backend;
        Breaker breaker{};  // this and what follows: under mutex_
        std::optional<Failure> failure{};
        bool unseen = false;  // the failure is that of a look
    };
    struct Table {
        std::vector<std::shared_ptr<Link>> links;
        std::vector<Alias> aliases;
        Budget person;

        Link* find(const std::string& id) const;
        const Alias* alias(const std::string& name) const;
    };
    struct Delivered;
    class Attempt;
    template <class Request>
    struct Call;

    std::shared_ptr<const Table> table() const;
    void see_backends();  // under mutex_
    // Why a backend cannot take a request now; empty when it can.
    std::string refusal(const Link& link, base::SteadyPoint now) const;
    std::string passed_by(const Link* link, const Delivered& delivered) const;
    base::Error unknown(const std::string& alias, const Table& table) const;
    template <class Request>
    std::vector<BudgetClaim> claims(const Call<Request>& call) const;
    std::unique_ptr<Attempt> begin(Link& link, const std::vector<BudgetClaim>& claims, const Budgets::Wish& wish, base::Error& refused);
    template <class Reply, class Request>
    net::Task<base::Result<Reply>> first_answer(Call<Request>& call, Delivered& delivered);
    net::Task<base::Result<ModelReply>> ask(Backend& backend, const Call<ModelRequest>& call, Delivered& delivered, int max_tokens);
    net::Task<base::Result<EmbeddingReply>> ask(Backend& backend, const Call<EmbeddingRequest>& call, Delivered& delivered, int max_tokens);
    template <class Reply>
    void settle(Attempt& attempt, Reply& reply, const Budgets::Wish& wish, const std::string& purpose);
    void settle(Attempt& attempt, const base::Error& error, const Budgets::Wish& wish, std::size_t bytes);
    void note(Link& link, Breaker::Ticket ticket, const base::Error* error);
    net::Task<void> look_at(std::shared_ptr<Link> link);
    class Underway;
    bool wants_shadow(const Call<ModelRequest>& call);
    net::Task<void> shadow(Call<ModelRequest> call, ModelReply was, std::chrono::microseconds took);

    const base::Clock& clock_;
    base::Log& log_;
    base::Metrics& metrics_;
    mutable std::mutex mutex_;
    std::size_t fixed_ = 0;  // the constructor's backends, first of the table's
    std::shared_ptr<const Table> table_;
    Budgets budgets_;
    Exercises exercises_;
    std::function<void(const ShadowDelta&)> shadow_listener_;
    std::map<std::string, ShadowChoice> shadow_choices_;  // by alias
    struct RunningShadow {
        base::StopSource stop;
        bool here = false;  // in this process: it would hold others up
    };
    std::optional<RunningShadow> shadow_;
    int underway_ = 0;  // calls, but for the shadow's
};

}  // namespace router
