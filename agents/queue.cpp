// Runs that are taken in now and begun later, and those that begin where another one was.
#include <algorithm>
#include <charconv>

#include "agents/agents_impl.h"
#include "agents/passages.h"
#include "agents/threads.h"
#include "store/conversations.h"
#include "store/run_inputs.h"
#include "store/run_queue.h"

namespace agents {
namespace {

using base::Code;
using base::Json;

constexpr std::size_t kMostOfQuestion = 300;  // bytes

std::string question_of(const std::vector<Json>& messages) {
    auto message = router::message_from_json(base::OrderedJson(messages.back()), messages.size() - 1);
    std::string text = message ? message->text() : std::string();
    std::erase(text, '\0');
    return shortened(text, kMostOfQuestion);
}

}  // namespace

base::Error key_taken(const std::string& key, base::RunId run) {
    return base::error(Code::conflict, "the Idempotency-Key '" + key + "' came with another request before: it began the run " + run.text(), "send another key with another request");
}

base::Result<Submitted> accept_queued(store::Tx& tx, const Options& options, const Submission& submission, base::RunId run, base::ConversationId fresh) {
    const ChatRequest& request = submission.chat;
    if (!submission.key.empty())
        if (const auto known = store::claim_key(tx, submission.key, submission.digest, run)) {
            if (!known->same) return key_taken(submission.key, known->run);
            return Submitted{known->run, true, false, {}};
        }
    if (store::queued_runs(tx) >= Agents::kMostQueued)
        return base::error(Code::unavailable, std::to_string(Agents::kMostQueued) + " of your runs wait to be begun already", "send this one again when some have");
    const bool is_new = request.conversation.is_nil();
    const auto workspace = enter_conversation(tx, request, fresh);  // no turn may begin in it that does not see this run
    if (!workspace) return workspace.error();
    const auto conversation = is_new ? fresh : request.conversation;
    Entry entry;
    if (!is_new) {
        auto entered = enter_thread(tx, request);
        if (!entered) return std::move(entered).error();
        entry = *std::move(entered);
    }
    if (entry.way == Way::join) {
        if (!submission.key.empty()) store::move_key(tx, submission.key, entry.run);
        return Submitted{entry.run, false, true, {}};
    }
    if (auto fits = fit_messages(tx, request, conversation, is_new); !fits) return std::move(fits).error();
    Beginning beginning;
    beginning.at = base::SystemClock().now();
    beginning.root = base::SpanId::make(beginning.at);
    Json kept = to_json(request, beginning);
    kept["messages"] = request.messages;
    // Before it begins a run without files of its own is bound to no node.
    const bool bound = (!is_new || !workspace->empty()) && is_pinned(options, *workspace);
    store::queue_run(tx, {run, conversation, request.alias, std::move(kept), bound, question_of(request.messages), submission.metadata});
    if (submission.within)
        if (auto fine = submission.within(tx, run); !fine) return std::move(fine).error();
    return Submitted{run, false, false, std::move(entry.stopping)};
}

base::Result<Accepted> begin_queued(store::Tx& tx, const Options& options, const store::Run& run, Kept& kept) {
    store::lock_conversation(tx, run.conversation);
    if (const auto other = store::working_beside(tx, run.conversation, run.id); !other.is_nil())
        return base::error(Code::conflict, "the run " + other.text() + " works in the conversation");
    Accepted out;
    out.conversation = run.conversation;
    out.workspace = store::conversation_workspace(tx, run.conversation).value_or("");
    const auto input = take_messages(tx, options, kept.request, false, run.id, out);
    if (!input) {
        // The conversation has changed since: the run ends with that.
        out.beginning = std::move(kept.beginning);
        out.opening = input.error();
        return out;
    }
    kept.request.messages.clear();
    store::begin_run(tx, run.id, run.epoch, *input, to_json(kept.request, out.beginning), is_pinned(options, out.workspace));
    store::adopt_inputs(tx, run.conversation, run.id);
    return out;
}

net::Task<base::Result<Submitted>> Agents::Impl::submit(Submission submission) {
    if (auto fine = check(submission.chat); !fine) co_return std::move(fine).error();
    co_await note_company(submission.chat);
    const auto now = parts.clock.now();
    const auto run = base::RunId::make(now);
    const auto fresh = base::ConversationId::make(now);
    const auto accept = [&](store::Tx& tx) { return accept_queued(tx, options, submission, run, fresh); };
    auto submitted = co_await parts.db.run(identity_of(submission.chat.principal), accept);
    if (submitted) tell_running(submitted->stopping, submitted->joined ? submitted->run : base::RunId{});
    co_return submitted;
}

net::Task<bool> Agents::amend(policy::Principal who, base::RunId run, std::vector<Json> messages) {
    const auto checked = checked_messages(messages);
    if (!checked) co_return false;
    const auto amend = [&](store::Tx& tx) {
        Json kept = store::run_request(tx, run);
        if (!kept.is_object()) return false;
        kept["messages"] = *checked;
        return store::amend_queued(tx, run, kept, question_of(*checked));
    };
    co_return co_await impl_->parts.db.run(identity_of(who), amend);
}

net::Task<base::Result<Submitted>> Agents::submit(Submission submission) { return impl_->submit(std::move(submission)); }

namespace {

base::Result<store::Step> step_of(const std::vector<store::Step>& steps, const std::string& wanted) {
    std::int64_t position = -1;
    const auto [end, failed] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), position);
    const bool counted = failed == std::errc{} && end == wanted.data() + wanted.size();
    for (const auto& step : steps) {
        if (step.state == "intent") return base::error(Code::conflict, "the step " + step.effect_key + " has no outcome yet");
        if (step.id.text() == wanted || (counted && step.position == position)) return step;
    }
    return base::error(Code::invalid_argument, "the run has no step '" + wanted + "'", "GET /v1/runs/{id} lists its steps; an id or a position from 0 names one");
}

struct ForkOrder {
    policy::Principal principal;
    base::RunId from, id;
    base::ConversationId conversation;
    std::string step, text;
};

// The turn that the step is of, as a fork begins with it.
base::Result<store::RunTurn> turn_of(store::Tx& tx, const store::Run& run, const store::Step& step, const std::vector<store::RunInput>& inputs) {
    store::RunTurn out{0, 0, run.input};
    const auto turns = store::list_turns(tx, run.id);
    const bool several = std::any_of(inputs.begin(), inputs.end(), [](const auto& input) { return input.taken_by == kTakenByTurn; });
    if (turns.empty() && several) return base::error(Code::conflict, "the run has answered more than one message, and how it began each was not kept then", "begin a run in the same conversation");
    for (const auto& turn : turns)
        if (turn.first_step <= step.position) out = turn;
    if (out.turn.empty()) return out;
    auto turn = turn_from_json(out.turn);
    if (!turn) return std::move(turn).error();
    turn->told = {};  // of the run's own events, of which the fork has none
    out.turn = to_json(*turn);
    return out;
}

// What steps of the turn had read by then is in the conversation, behind the message that the turn answers.
void append_read(store::Tx& tx, const ForkOrder& order, const store::Step& upto, const store::RunTurn& turn, const std::vector<store::Step>& steps, const std::vector<store::RunInput>& inputs) {
    for (const auto& input : inputs) {
        const auto reads = [&](const store::Step& step) { return step.effect_key == input.taken_by && step.position >= turn.first_step && step.position <= upto.position; };
        if (std::any_of(steps.begin(), steps.end(), reads)) store::append_message(tx, order.conversation, order.id, message_of(input));
    }
}

base::Result<base::RunId> fork_in(store::Tx& tx, const ForkOrder& order) {
    const auto run = store::find_run(tx, order.from);
    if (!run) return base::error(Code::not_found, "there is no run " + order.from.text());
    if (run->input.is_nil()) return base::error(Code::conflict, "the run has not begun");
    auto kept = kept_from_json(store::run_request(tx, order.from));
    if (!kept) return base::error(Code::conflict, "nothing was kept of what the run was asked");
    const auto steps = store::list_steps(tx, order.from);
    const auto step = step_of(steps, order.step);
    if (!step) return step.error();
    const auto inputs = store::list_inputs(tx, order.from);
    const auto turn = turn_of(tx, *run, *step, inputs);
    if (!turn) return turn.error();
    if (kept->request.folder_of.is_nil()) kept->request.folder_of = run->conversation;
    kept->request.principal = order.principal;
    if (kept->request.child) kept->request.child->parent = {};  // it reports to nobody
    kept->request.forked_from = order.from;
    kept->request.forked_step = step->id;
    kept->beginning.at = base::SystemClock().now();
    kept->beginning.root = base::SpanId::make(kept->beginning.at);
    store::create_conversation(tx, order.conversation, kept->request.channel, store::conversation_workspace(tx, run->conversation).value_or(""));
    store::fork_run(tx, {order.id, order.from, order.conversation, base::MessageId::make(kept->beginning.at), to_json(kept->request, kept->beginning), *step, *turn});
    append_read(tx, order, *step, *turn, steps, inputs);
    if (order.text.empty()) return order.id;
    auto added = store::add_input(tx, order.id, order.text, order.principal.via);
    if (!added) return std::move(added).error();
    return order.id;
}

}  // namespace

net::Task<base::Result<base::RunId>> Agents::fork(policy::Principal who, base::RunId run, std::string step, std::string text) {
    const auto now = impl_->parts.clock.now();
    const ForkOrder order{who, run, base::RunId::make(now), base::ConversationId::make(now), std::move(step), std::move(text)};
    const auto fork = [&](store::Tx& tx) { return fork_in(tx, order); };
    co_return co_await impl_->parts.db.run(identity_of(who), fork);
}

net::Task<std::unique_ptr<EventReader>> Agents::listen(policy::Principal who, base::RunId run, store::EventId after, base::StopToken gone) {
    return open_reader(impl_->hub, impl_->parts.db, identity_of(who), run, after, std::move(gone));
}

}  // namespace agents
