#include "agents/resume.h"

#include "agents/agents_impl.h"
#include "agents/journal.h"
#include "agents/loading.h"
#include "router/gateway.h"
#include "store/approvals.h"
#include "store/conversations.h"
#include "store/runs.h"
#include "store/stops.h"

namespace agents {
namespace {

using base::Code;
using base::Json;

constexpr std::size_t kMostAtOnce = 32;  // runs that are gone on with; the others wait for their turn

template <class T>
void put(Json& to, const char* field, const std::optional<T>& value) {
    if (value) to[field] = *value;
}
Json sampling_to_json(const router::SamplingRequest& s) {
    Json out = Json::object();
    for (const auto& [field, value] : {std::pair{"temperature", s.temperature}, {"top_p", s.top_p}, {"min_p", s.min_p},
                                       {"repetition_penalty", s.repetition_penalty}, {"presence_penalty", s.presence_penalty},
                                       {"frequency_penalty", s.frequency_penalty}})
        put(out, field, value);
    put(out, "top_k", s.top_k);
    put(out, "seed", s.seed);
    for (const auto& [token, bias] : s.logit_bias) out["logit_bias"].push_back({token, bias});
    return out;
}

// Schemas as text: what a model reads of them depends on the order of their keys.
Json schemas_to_json(const std::vector<router::ToolSchema>& tools) {
    Json out = Json::array();
    for (const auto& tool : tools) {
        out.push_back({{"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters.dump()}});
        put(out.back(), "strict", tool.strict);
    }
    return out;
}

base::Result<std::vector<router::ToolSchema>> schemas_from_json(const Json& json) {
    std::vector<router::ToolSchema> out;
    for (const Json& one : json) {
        auto parameters = base::parse_ordered_json(one.at("parameters").get<std::string>());
        if (!parameters) return std::move(parameters).error();
        out.push_back({one.at("name").get<std::string>(), one.at("description").get<std::string>(), *std::move(parameters)});
        take(one, "strict", out.back().strict);
    }
    return out;
}

template <class Id>
Id id_of(const Json& json, const char* field) {
    return Id::parse(json.at(field).get<std::string>()).value_or(Id{});
}

Json principal_to_json(const policy::Principal& principal) {
    return {{"role", policy::name(principal.role)}, {"via", principal.via}, {"can_ask", principal.can_ask}};
}

}  // namespace

Json to_json(const ChatRequest& request, const Beginning& beginning) {
    const bool read_only = request.workspace ? request.workspace->access() == sandbox::Workspace::Access::read_only : request.workspace_read_only;
    Json out = {{"principal", principal_to_json(request.principal)},
            {"alias", request.alias},
            {"channel", request.channel},
            {"instructions", request.instructions},
            {"workspace", request.workspace ? request.workspace->root().string() : request.workspace_path},
            {"folder", request.workspace ? identity_of(*request.workspace) : ""},
            {"read_only", read_only},
            {"write_tier", name(request.write_tier)},
            {"may_name_folders", request.may_name_folders},
            {"before_others", request.before_others},
            {"client_tools", schemas_to_json(request.client_tools)},
            {"sampling", sampling_to_json(request.sampling)},
            {"max_tokens", request.max_tokens},
            {"ends_with_client", request.ends_with_client},
            {"began_us", store::micros_of(beginning.at)},
            {"root", beginning.root.text()},
            {"prompts", beginning.prompts},
            {"standing", to_json(beginning.standing)},
            {"zone", beginning.zone},
            {"company", beginning.company.is_nil() ? "" : beginning.company.text()},
            {"deadline_s", request.deadline.count()},
            {"time_limit_ms", beginning.time_limit.count()}};
    if (request.execution) out["class"] = router::name(*request.execution);
    if (request.child)
        out["child"] = {{"of", request.child->parent.text()}, {"level", request.child->level}, {"depth", request.child->depth}, {"threads", request.child->threads}, {"untrusted", request.child->untrusted}};
    if (!request.forked_from.is_nil()) out["fork"] = {{"run", request.forked_from.text()}, {"step", request.forked_step.text()}};
    if (!request.folder_of.is_nil()) out["folder_of"] = request.folder_of.text();
    return out;
}

base::Result<Kept> kept_from_json(const Json& json) {
    Kept out;
    try {
        const Json& principal = json.at("principal");
        const auto role = policy::parse_role(principal.at("role").get<std::string>());
        const auto root = base::SpanId::parse(json.at("root").get<std::string>());
        if (!role || !root) return base::error(Code::corrupt, "the stored request names an unknown role, or no root");
        out.request.principal.role = *role;
        out.request.principal.via = principal.value("via", "");
        out.request.principal.can_ask = principal.value("can_ask", false);
        out.request.alias = json.at("alias").get<std::string>();
        out.request.channel = json.value("channel", "");
        out.request.instructions = json.value("instructions", "");
        out.request.workspace_path = json.value("workspace", "");
        out.request.workspace_identity = json.value("folder", "");
        out.request.workspace_read_only = json.value("read_only", false);
        out.request.write_tier = parse_write_tier(json.value("write_tier", "code")).value_or(WriteTier::prompts);
        out.request.may_name_folders = json.value("may_name_folders", false);
        out.request.before_others = json.value("before_others", false);
        auto tools = schemas_from_json(json.value("client_tools", Json::array()));
        if (!tools) return std::move(tools).error();
        out.request.client_tools = *std::move(tools);
        const Json sampling = json.value("sampling", Json::object());
        out.request.sampling = sampling_from_json(sampling);
        for (const Json& one : sampling.value("logit_bias", Json::array())) out.request.sampling.logit_bias[one.at(0).get<int>()] = one.at(1).get<double>();
        out.request.max_tokens = json.value("max_tokens", 0);
        out.request.ends_with_client = json.value("ends_with_client", false);
        out.request.messages = json.value("messages", std::vector<Json>{});
        out.request.deadline = std::chrono::seconds(json.value("deadline_s", std::int64_t(0)));
        if (json.contains("class")) out.request.execution = parse_class(json["class"].get<std::string>());
        if (const auto fork = json.find("fork"); fork != json.end()) {
            out.request.forked_from = id_of<base::RunId>(*fork, "run");
            out.request.forked_step = id_of<base::StepId>(*fork, "step");
            if (fork->contains("folder")) out.request.folder_of = id_of<base::ConversationId>(*fork, "folder");  // as rows of 0.1.0 have it
        }
        if (json.contains("folder_of")) out.request.folder_of = id_of<base::ConversationId>(json, "folder_of");
        if (const auto child = json.find("child"); child != json.end())
            out.request.child = ChatRequest::Child{id_of<base::RunId>(*child, "of"), child->value("level", 1), child->value("depth", 0), child->value("threads", 0), child->value("untrusted", true)};
        out.beginning.at = base::TimePoint(std::chrono::microseconds(json.at("began_us").get<std::int64_t>()));
        out.beginning.root = *root;
        out.beginning.time_limit = std::chrono::milliseconds(json.value("time_limit_ms", std::int64_t(0)));
        out.beginning.prompts = json.value("prompts", std::map<std::string, int>{});
        out.beginning.standing = standing_orders_from_json(json.value("standing", Json::object()));
        out.beginning.company = base::AudienceId::parse(json.value("company", "")).value_or(base::AudienceId{});
        out.beginning.zone = json.value("zone", "UTC");  // of runs that began before it was kept
    } catch (const Json::exception& e) {
        return base::error(Code::corrupt, std::string("the stored request cannot be read: ") + e.what());
    }
    return out;
}

base::Result<TakenOver> read_taken_over(store::Tx& tx, const Options& options, base::RunId id) {
    const auto run = store::find_run(tx, id);
    if (!run || run->status != "running") return base::error(Code::conflict, "the run " + id.text() + " has ended");
    auto kept = kept_from_json(store::run_request(tx, id));
    if (!kept) return std::move(kept).error();
    if (!options.cast->find(run->alias)) return base::error(Code::not_found, "the run " + id.text() + " is of the agent " + run->alias + ", which there is no more");
    kept->request.principal.tenant = tx.identity().tenant;
    kept->request.principal.person = tx.identity().person;
    kept->request.conversation = run->conversation;
    TakenOver out;
    out.inputs = store::list_inputs(tx, id);
    out.stop_asked = store::stop_asked(tx, id);
    // A client's connection ends when its run comes to rest: from then on it is the person's word that the run goes on by.
    if (kept->request.ends_with_client) kept->request.ends_with_client = store::approvals_of(tx, id).empty();
    if (run->input.is_nil()) {
        auto begun = begin_queued(tx, options, *run, *kept);
        if (!begun) return std::move(begun).error();
        out.accepted = *std::move(begun);
        out.request = std::move(kept->request);
        out.begins = true;
        return out;
    }
    out.request = std::move(kept->request);
    out.accepted.conversation = run->conversation;
    out.accepted.workspace = store::conversation_workspace(tx, run->conversation).value_or("");
    if (run->turn.is_object() && !run->turn.empty()) {
        auto turn = turn_from_json(run->turn);
        if (!turn) return std::move(turn).error();
        out.turn = *std::move(turn);
    }
    out.journal = store::list_steps(tx, id);
    out.worked = store::time_worked(tx, id);
    auto prompts = store::prompts_of(tx, prompt_names(*options.cast, out.request.alias), kept->beginning.prompts);
    out.accepted.beginning = std::move(kept->beginning);
    if (!prompts) {
        out.accepted.opening = std::move(prompts).error();
        return out;
    }
    auto history = read_history(tx, run->conversation, run->input);
    if (history)
        out.accepted.opening = Opening{*std::move(prompts), *std::move(history), store::this_person(tx)};
    else
        out.accepted.opening = std::move(history).error();
    return out;
}

namespace {

// Gives the place of a run up that is gone on with.
template <class Impl>
struct Place {
    Impl& impl;
    base::RunId run;
    ~Place() {
        const std::lock_guard lock(impl.mutex);
        impl.resuming.erase(run);
    }
};

// Of those who look for runs in this process, one does.
template <class Impl>
struct Look {
    Impl& impl;
    ~Look() {
        const std::lock_guard lock(impl.mutex);
        impl.looking = impl.look_again = false;
    }
    bool again() const {
        const std::lock_guard lock(impl.mutex);
        return std::exchange(impl.look_again, false);
    }
};

}  // namespace

bool Agents::Impl::reserve(base::RunId run) {
    const std::lock_guard lock(mutex);
    // A run of this process may have lost its lock for a moment.
    if (leaving || running.contains(run)) return false;
    crowded |= resuming.size() >= kMostAtOnce;
    if (resuming.size() >= kMostAtOnce) return false;
    return resuming.insert(run).second;
}

// No place at the turnstile is wanted: as long as the run waits to be taken up, no turn is taken in after it (see
// store::busy_run), whoever has the place.
net::Task<void> Agents::Impl::resume(store::Interrupted interrupted) {
    const Place<Impl> place{*this, interrupted.run};
    const auto take = [&] { return store::acquire_lease(parts.db, interrupted.who, interrupted.run); };
    auto lease = co_await net::on_pool(parts.blocking, take);
    if (!lease) co_return;  // another process was faster
    const auto held = released_on(parts.blocking, *std::move(lease));
    const auto read = [&](store::Tx& tx) { return read_taken_over(tx, options, interrupted.run); };
    auto taken = co_await parts.db.run(interrupted.who, read);
    if (!taken) {
        if (taken.error().code != Code::conflict)
            parts.log.error("a run cannot be taken up again", {{"run", interrupted.run.text()}, {"error", taken.error().text()}});
        co_return;
    }
    const bool first = taken->begins || held->epoch() == 1;
    parts.log.info(first ? "run begins" : "run is taken up again", {{"run", interrupted.run.text()}, {"epoch", held->epoch()}, {"phase", name(taken->turn.phase)}});
    if (taken->request.child && taken->request.child->untrusted) taken->turn.label = policy::Integrity::untrusted;
    auto entry = running_of(taken->request, taken->accepted.beginning, taken->worked);
    if (taken->request.ends_with_client || taken->stop_asked) entry->stop.request_stop();
    Frame frame = frame_of(taken->request, taken->accepted, *held, *entry, std::move(taken->journal));
    if (!first) frame.told_before = taken->turn.told;
    frame.inputs->first_step = taken->turn.first_step;
    frame.inputs->more = true;  // somebody may have added something since
    for (auto& input : taken->inputs) frame.inputs->known.push_back({std::move(input), {}});
    enter(frame, std::move(entry));
    co_await run(frame, taken->request, std::move(taken->accepted), std::move(taken->turn));
    co_await leave(frame);
    bool waited = false;
    {
        const std::lock_guard lock(mutex);
        waited = std::exchange(crowded, false);
    }
    // Another one has waited for its place, or for its turn in the conversation.
    if (!waited && !first) co_return;
    const auto executor = co_await boost::asio::this_coro::executor;
    net::spawn(executor, resume_interrupted(), {});
}

net::Task<void> Agents::Impl::resume_interrupted() {
    {
        const std::lock_guard lock(mutex);
        if (std::exchange(looking, true)) {
            look_again = true;
            co_return;
        }
    }
    const Look<Impl> look{*this};
    do {
        co_await look_for_runs();
    } while (look.again());
}

net::Task<void> Agents::Impl::look_for_runs() {
    const auto write = [this] { write_stops(); };  // before anybody goes on with what was stopped
    co_await net::on_pool(parts.blocking, write);
    if (!may_begin(parts.gateway, options.model)) co_return;
    const auto list = [&] { return store::list_interrupted(parts.db); };
    const std::vector<store::Interrupted> found = co_await net::on_pool(parts.blocking, list);
    const auto executor = co_await boost::asio::this_coro::executor;
    for (const store::Interrupted& one : found) {
        if (!reserve(one.run)) continue;
        const auto failed = [this, run = one.run](std::exception_ptr why) {
            try {
                std::rethrow_exception(why);
            } catch (const std::exception& e) {
                parts.log.warn("taking a run up again broke off", {{"run", run.text()}, {"error", e.what()}});
            }
        };
        net::spawn(executor, resume(one), failed);
    }
}

net::Task<void> Agents::resume_interrupted() { return impl_->resume_interrupted(); }

}  // namespace agents
