#include "router/gateway.h"

#include <algorithm>
#include <utility>

#include "router/gateway_call.h"

namespace router {
namespace {

using base::Code;

// Whether it lies with the backend and not with what it was asked.
bool is_own(Code code) {
    switch (code) {
        case Code::unavailable:
        case Code::permission_denied:  // a key that is not taken
        case Code::not_found:          // an address or a model that is not there
        case Code::corrupt:
        case Code::io:
        case Code::internal: return true;
        default: return false;
    }
}

// Bytes of a token at the least, in languages of many tokens: for what must be known before the model has counted.
constexpr std::size_t kBytesPerToken = 3;
int rough_tokens(std::size_t bytes) { return int(bytes / kBytesPerToken) + 1; }

int rough_prompt(const ModelRequest& request) {
    std::size_t bytes = 0;
    for (const auto& message : request.messages) {
        bytes += message.reasoning.size() + 16;
        for (const auto& part : message.parts) bytes += part.text.size();
        for (const auto& call : message.tool_calls) bytes += call.name.size() + call.arguments.size();
    }
    for (const auto& tool : request.tools) bytes += tool.name.size() + tool.description.size() + base::dump(base::Json(tool.parameters)).size();
    return rough_tokens(bytes);
}

int rough_prompt(const EmbeddingRequest& request) {
    int tokens = 0;
    for (const auto& input : request.inputs) {
        const auto* text = std::get_if<std::string>(&input);
        tokens += text ? rough_tokens(text->size()) : int(std::get<1>(input).size());
    }
    return tokens;
}

int most_tokens(const ModelRequest& request) { return request.max_tokens; }
int most_tokens(const EmbeddingRequest&) { return 1; }

std::size_t bytes_of(const ModelReply& reply) { return reply.message.text().size() + reply.message.reasoning.size(); }
std::size_t bytes_of(const EmbeddingReply&) { return 0; }

// What a server elsewhere got wrong, or refuses this one, is no fault of whoever asks here, and nothing of theirs: it cannot serve.
base::Error told_of(const Backend& backend, base::Error error) {
    if (is_own(error.code) && !backend.is_local()) error.code = Code::unavailable;
    return error;
}

std::string listed(const std::vector<Fallback>& passed_over) {
    std::string out;
    for (const auto& f : passed_over) out += (out.empty() ? "" : "; ") + f.backend + ": " + f.reason;
    return out;
}

}  // namespace

// One call of one backend, from the look at breaker and budgets to its outcome. Destroyed without one, it tells nothing.
class Gateway::Attempt {
public:
    Attempt(Gateway& gateway, Link& link, Breaker::Ticket ticket, Budgets::Hold hold)
        : gateway_(gateway), link_(link), ticket_(ticket), hold_(std::move(hold)) {}
    ~Attempt() {
        if (!std::exchange(noted_, true)) abandon();
        settle({});
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    int max_tokens() const { return hold_.max_tokens; }
    void succeeded() {
        noted_ = true;
        gateway_.note(link_, ticket_, nullptr);
    }
    void failed(const base::Error& error) {
        noted_ = is_own(error.code);
        if (noted_) gateway_.note(link_, ticket_, &error);
    }
    void settle(const Amount& spent) {
        if (std::exchange(settled_, true)) return;
        const std::lock_guard lock(gateway_.mutex_);
        gateway_.budgets_.settle(hold_, spent, gateway_.clock_.now());
    }

private:
    void abandon() {
        const std::lock_guard lock(gateway_.mutex_);
        link_.breaker.abandoned(ticket_);
    }

    Gateway& gateway_;
    Link& link_;
    const Breaker::Ticket ticket_;
    const Budgets::Hold hold_;
    bool noted_ = false, settled_ = false;
};

Gateway::Link* Gateway::Table::find(const std::string& id) const {
    for (const auto& link : links)
        if (link->backend->id() == id) return link.get();
    return nullptr;
}

const Alias* Gateway::Table::alias(const std::string& name) const {
    const auto found = std::find_if(aliases.begin(), aliases.end(), [&](const Alias& a) { return a.name == name; });
    return found == aliases.end() ? nullptr : &*found;
}

Gateway::Gateway(std::vector<std::unique_ptr<Backend>> backends, std::vector<Alias> aliases, const base::Clock& clock, base::Log& log,
                 base::Metrics& metrics)
    : clock_(clock), log_(log), metrics_(metrics), fixed_(backends.size()) {
    auto table = std::make_shared<Table>();
    for (auto& backend : backends) table->links.push_back(std::make_shared<Link>(Link{std::move(backend)}));
    table->aliases = std::move(aliases);
    table_ = std::move(table);
}

void Gateway::change(Roster roster) {
    auto next = std::make_shared<Table>();
    const std::lock_guard lock(mutex_);
    next->links.assign(table_->links.begin(), table_->links.begin() + std::ptrdiff_t(fixed_));
    for (auto& backend : roster.backends) next->links.push_back(std::make_shared<Link>(Link{std::move(backend)}));
    next->aliases = std::move(roster.aliases);
    next->person = roster.person;
    table_ = std::move(next);
}

std::shared_ptr<const Gateway::Table> Gateway::table() const {
    const std::lock_guard lock(mutex_);
    return table_;
}

std::string Gateway::refusal(const Link& link, base::SteadyPoint now) const {
    if (std::string why = not_ready(link.backend->status()); !why.empty() || link.backend->is_local()) return why;
    const std::lock_guard lock(mutex_);
    if (link.breaker.state(now) != Breaker::State::open) return {};
    return "left alone for " + std::to_string(link.breaker.seconds_left(now)) + " s" + (link.failure ? ": " + link.failure->message : "");
}

base::Error Gateway::unknown(const std::string& alias, const Table& table) const {
    std::string known;
    for (const auto& row : table.aliases) known += (known.empty() ? "" : ", ") + row.name;
    return base::error(Code::not_found, "there is no model '" + alias + "'", "use one of: " + known);
}

void Gateway::note(Link& link, Breaker::Ticket ticket, const base::Error* error) {
    const auto now = clock_.steady();
    const std::lock_guard lock(mutex_);
    const auto before = link.breaker.state(now);
    if (error) {
        link.failure = Failure{error->text(), now};
        link.breaker.failed(ticket, now, link.backend->not_before());
    } else {
        link.failure.reset();
        link.breaker.succeeded();
    }
    const auto after = link.breaker.state(now);
    if (after == before || link.backend->is_local()) return;
    metrics_.set("hearth_backend_circuit_open", after == Breaker::State::closed ? 0 : 1, {{"backend", link.backend->id()}});
    log_.warn(after == Breaker::State::open ? "backend is left alone" : "backend is called again",
              {{"backend", link.backend->id()}, {"seconds", link.breaker.seconds_left(now)}});
}

template <class Request>
std::vector<BudgetClaim> Gateway::claims(const Call<Request>& call) const {
    const OnBehalf& who = call.request.on_behalf;
    std::vector<BudgetClaim> out;
    if (call.row->budget.limits()) out.push_back({{who.tenant, "alias " + call.row->name}, call.row->budget, "the model '" + call.row->name + "'"});
    if (call.table->person.limits() && !who.person.is_nil()) out.push_back({{who.tenant, "person " + who.person.text()}, call.table->person, "this person"});
    return out;
}

net::Task<base::Result<ModelReply>> Gateway::ask(Backend& backend, const Call<ModelRequest>& call, Delivered& delivered, int max_tokens) {
    ModelRequest request = call.request;
    request.begun = delivered.content;
    request.max_tokens = max_tokens;
    if (!request.begun.empty()) request.max_tokens = std::max(1, max_tokens - rough_tokens(request.begun.size()));
    const std::string begun = delivered.content, thoughts = delivered.reasoning;
    DeltaSink forward;
    if (call.sink)
        forward = [&](const ModelDelta& delta) {
            delivered.take(delta);
            call.sink(delta);
        };
    auto reply = co_await backend.generate(std::move(request), forward);
    if (reply && !begun.empty()) reply->message.parts.insert(reply->message.parts.begin(), {Part::Kind::text, begun, {}, {}});
    if (reply) reply->message.reasoning.insert(0, thoughts);
    co_return reply;
}

net::Task<base::Result<EmbeddingReply>> Gateway::ask(Backend& backend, const Call<EmbeddingRequest>& call, Delivered&, int) {
    co_return co_await backend.embed(call.request);
}

// The circuit and the budgets let the call be made, or `refused` tells why not.
std::unique_ptr<Gateway::Attempt> Gateway::begin(Link& link, const std::vector<BudgetClaim>& claims, const Budgets::Wish& wish, base::Error& refused) {
    const std::lock_guard lock(mutex_);
    const auto ticket = link.backend->is_local() ? Breaker::Ticket{} : link.breaker.admit(clock_.steady());
    if (!ticket) {
        refused = base::error(Code::unavailable, "another request is trying whether it answers again");
        return nullptr;
    }
    auto hold = budgets_.hold(claims, wish, clock_.now());
    if (hold) return std::make_unique<Attempt>(*this, link, *ticket, *std::move(hold));
    link.breaker.abandoned(*ticket);
    refused = std::move(hold).error();
    return nullptr;
}

// Why a link of the chain is not called; empty when it may be.
std::string Gateway::passed_by(const Link* link, const Delivered& delivered) const {
    if (!link) return "not configured";
    if (std::string why = refusal(*link, clock_.steady()); !why.empty()) return why;
    const bool can_go_on = !delivered.calls && link->backend->capabilities().continues;
    return delivered.begun() && !can_go_on ? "cannot go on from an answer that has begun" : "";
}

// The reply's usage with its cost. Of an upstream that does not count, budgets take what can be guessed.
template <class Reply>
void Gateway::settle(Attempt& attempt, Reply& reply, const Budgets::Wish& wish, const std::string& purpose) {
    if (is_answer(reply)) attempt.succeeded();
    Usage counted = reply.usage;
    if (counted.prompt_tokens == 0) counted.prompt_tokens = wish.prompt_tokens;
    if (counted.output_tokens == 0 && bytes_of(reply) > 0) counted.output_tokens = rough_tokens(bytes_of(reply));
    reply.usage.cost = wish.prices.of(counted);
    attempt.settle({std::int64_t(counted.prompt_tokens) + counted.output_tokens, reply.usage.cost});
    const base::Labels labels = {{"backend", reply.backend}, {"purpose", purpose}};
    metrics_.add("hearth_model_calls_total", 1, labels);
    metrics_.add("hearth_prompt_tokens_total", reply.usage.prompt_tokens, labels);
    metrics_.add("hearth_cached_tokens_total", reply.usage.cached_tokens, labels);
    metrics_.add("hearth_output_tokens_total", reply.usage.output_tokens, labels);
    if (reply.usage.forced_tokens > 0) metrics_.add("hearth_forced_tokens_total", reply.usage.forced_tokens, labels);
    if (reply.usage.cost > 0) metrics_.add("hearth_model_cost_total", reply.usage.cost, labels);
    // To compute a long prompt takes longest of all, and agents' prompts are laid out so that their beginnings are known.
    constexpr int much = 8192;
    if (const int fresh = reply.usage.prompt_tokens - reply.usage.cached_tokens; fresh > much) {
        metrics_.add("hearth_long_new_prompts_total", 1, labels);
        log_.warn("a long prompt was new to the model", {{"backend", reply.backend}, {"purpose", purpose}, {"tokens", fresh}, {"of", reply.usage.prompt_tokens}});
    }
}

// Of a call that failed: what came of its answer was paid for.
void Gateway::settle(Attempt& attempt, const base::Error& error, const Budgets::Wish& wish, std::size_t bytes) {
    attempt.failed(error);
    if (bytes == 0) return;
    Usage begun;
    begun.prompt_tokens = wish.prompt_tokens;
    begun.output_tokens = rough_tokens(bytes);
    attempt.settle({std::int64_t(begun.prompt_tokens) + begun.output_tokens, wish.prices.of(begun)});
}

template <class Reply, class Request>
net::Task<base::Result<Reply>> Gateway::first_answer(Call<Request>& call, Delivered& delivered) {
    const auto claims = this->claims(call);
    Budgets::Wish wish{claims.empty() ? 0 : rough_prompt(call.request), most_tokens(call.request), {}};
    std::vector<Fallback> passed_over;
    std::optional<base::Error> over_budget, unsupported, failure;
    std::size_t unable = 0;  // said that they cannot do what is asked
    for (const auto& id : call.row->chain) {
        Link* link = call.table->find(id);
        if (std::string why = passed_by(link, delivered); !why.empty()) {
            passed_over.push_back({id, why});
            continue;
        }
        wish.prices = link->backend->prices();
        base::Error error;
        const auto attempt = begin(*link, claims, wish, error);
        if (!attempt) {
            if (error.code == Code::resource_exhausted) over_budget = error;
            passed_over.push_back({id, error.message});
            continue;
        }
        const bool goes_on = delivered.begun();
        const std::size_t before = delivered.bytes();
        base::Result<Reply> reply = co_await ask(*link->backend, call, delivered, attempt->max_tokens());
        if (reply) {
            settle(*attempt, *reply, wish, call.request.purpose);
            reply->fallbacks = std::move(passed_over);
            co_return reply;
        }
        error = std::move(reply).error();
        settle(*attempt, error, wish, delivered.bytes() - before);
        metrics_.add("hearth_model_failures_total", 1, {{"backend", id}, {"reason", std::string(base::name(error.code))}});
        // What refuses to go on from another's answer need not find anything wrong with the request itself.
        const bool cannot = error.code == Code::unsupported;
        if (!is_own(error.code) && !cannot && !goes_on) co_return error;
        if (cannot) unsupported = error, ++unable;
        if (error.code != Code::unavailable) failure = told_of(*link->backend, error);
        log_.warn("backend passed over", {{"backend", id}, {"reason", error.message}});
        passed_over.push_back({id, error.message});
    }
    const std::string& name = call.row->name;
    if (delivered.begun())
        co_return base::error(Code::unavailable, "the answer broke off after " + std::to_string(delivered.content.size()) + " bytes, and no backend of '" + name + "' could go on from there: " + listed(passed_over),
                              "ask again for a whole answer");
    // Of a chain of one, what it said says more than that nobody could.
    if (failure && passed_over.size() == 1) co_return *failure;
    if (unsupported && unable == passed_over.size()) co_return *unsupported;
    if (over_budget) co_return base::error(Code::resource_exhausted, over_budget->message + (passed_over.size() > 1 ? " (" + listed(passed_over) + ")" : ""), over_budget->remedy);
    co_return base::error(Code::unavailable, "no backend can serve '" + name + "': " + listed(passed_over), "try again shortly, or see hearth doctor");
}

template net::Task<base::Result<ModelReply>> Gateway::first_answer<ModelReply>(Call<ModelRequest>&, Delivered&);
template net::Task<base::Result<EmbeddingReply>> Gateway::first_answer<EmbeddingReply>(Call<EmbeddingRequest>&, Delivered&);

net::Task<void> Gateway::look_at(std::shared_ptr<Link> link) {
    const base::Result<void> seen = co_await link->backend->look();
    const auto now = clock_.steady();
    const std::lock_guard lock(mutex_);
    if (!seen) {
        if (const auto ticket = link->breaker.admit(now)) link->breaker.failed(*ticket, now);
        link->failure = Failure{seen.error().text(), now};
        link->unseen = true;
    } else if (std::exchange(link->unseen, false)) {
        link->failure.reset();  // that of a call stays until a call is answered
    }
}

net::Task<void> Gateway::look() {
    const auto table = this->table();
    for (const auto& link : table->links)
        if (!link->backend->is_local()) co_await look_at(link);
}

std::vector<Alias> Gateway::aliases() const { return table()->aliases; }

bool Gateway::has(const std::string& alias) const { return table()->alias(alias) != nullptr; }

base::Result<void> Gateway::ready(const std::string& alias) const {
    const auto table = this->table();
    const Alias* row = table->alias(alias);
    if (!row) return unknown(alias, *table);
    std::vector<Fallback> reasons;
    for (const auto& id : row->chain) {
        const Link* link = table->find(id);
        const std::string why = link ? refusal(*link, clock_.steady()) : "not configured";
        if (why.empty()) return {};
        reasons.push_back({id, why});
    }
    return base::error(Code::unavailable, "no backend can serve '" + alias + "': " + listed(reasons), "try again shortly, or see hearth doctor");
}

Capabilities Gateway::capabilities(const std::string& alias) const {
    const auto table = this->table();
    const Alias* row = table->alias(alias);
    if (!row) return {};
    for (const auto& id : row->chain)
        if (const Link* link = table->find(id); link && refusal(*link, clock_.steady()).empty()) return link->backend->capabilities();
    return {};
}

}  // namespace router
