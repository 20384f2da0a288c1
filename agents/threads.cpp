#include "agents/threads.h"

#include <algorithm>

#include "agents/resume.h"
#include "agents/session.h"
#include "store/run_inputs.h"
#include "store/stops.h"

namespace agents {
namespace {

using base::Code;
using base::error;

// The new messages, where a run that works can read them: what a person says, in text alone.
base::Result<std::vector<std::string>> words_of(store::Tx& tx, const ChatRequest& request) {
    const auto stored = fit_messages(tx, request, request.conversation, false);
    if (!stored) return stored.error();
    std::vector<std::string> out;
    for (std::size_t i = *stored; i < request.messages.size(); ++i) {
        auto message = router::message_from_json(base::OrderedJson(request.messages[i]), i);
        if (!message) return std::move(message).error();
        const auto is_text = [](const router::Part& part) { return part.kind == router::Part::Kind::text; };
        std::string text = message->text();
        std::erase(text, '\0');
        const bool plain = message->role == router::MessageRole::user && std::all_of(message->parts.begin(), message->parts.end(), is_text);
        if (!plain || text.empty()) return std::vector<std::string>{};
        out.push_back(std::move(text));
    }
    return out;
}

// Whether the request asks for what the run was not asked with: its words would be read under the run's leave and not under its own.
bool asks_for_its_own(const ChatRequest& request, const base::Json& run) {
    const base::Json asked = to_json(request, {}), nothing = to_json(ChatRequest{}, {});
    for (const char* field : {"instructions", "workspace", "client_tools", "sampling", "max_tokens", "deadline_s", "class"}) {
        const base::Json one = asked.value(field, base::Json());
        if (one != nothing.value(field, base::Json()) && one != run.value(field, base::Json())) return true;
    }
    for (const char* leave : {"read_only", "write_tier"})
        if (asked[leave] != run.value(leave, nothing[leave])) return true;
    return !request.joins || !request.prompts.empty();
}

base::Error closed(const store::Thread& thread) {
    return error(Code::conflict, "the thread " + thread.id.text() + " takes no message any more: it is " + thread.state, "begin another one: send the message without the id");
}

base::Error refused(const store::Thread& thread, base::RunId run) {
    return error(Code::conflict, "the thread " + thread.id.text() + " takes no message while a run works in it (its rule is refuse), and the run " + run.text() + " does",
                 "wait for its end, stop it by POST /v1/runs/" + run.text() + "/stop, or begin another thread");
}

}  // namespace

Way way_of(store::Rule rule, const Standing& standing, bool words) {
    if (standing.closed) return Way::refuse;
    if (!standing.works) return Way::begin;
    switch (rule) {
        case store::Rule::queue: return Way::wait;
        case store::Rule::steer: return words && !standing.stopping ? Way::join : Way::wait;
        case store::Rule::interrupt: return Way::interrupt;
        case store::Rule::refuse: return Way::refuse;
    }
    return Way::wait;
}

base::Result<Allowance> carve(const Allowance& left, const Wish& wish) {
    const auto lacks = [](const std::string& what) { return error(Code::resource_exhausted, what, "do this part yourself, or ask for less"); };
    if (left.depth < 1) return lacks("a thread this far down may spawn none");
    if (left.threads < 1) return lacks("no further thread may be spawned: all that were allowed have been");
    if (wish.threads > left.threads - 1) return lacks("of " + std::to_string(left.threads) + " threads that may still be spawned this one cannot have " + std::to_string(wish.threads) + " below it");
    const int free = left.tokens - kKeptTokens;
    const int tokens = wish.tokens > 0 ? wish.tokens : free / 2;
    if (tokens < 1 || tokens > free) return lacks(std::to_string(std::max(0, free)) + " output tokens are left for threads, " + std::to_string(tokens) + " were asked for");
    const auto latest = left.time - kKeptTime;
    const auto time = wish.time.count() > 0 ? wish.time : std::min(kUsualTime, latest);
    if (time.count() < 1 || time > latest)
        return lacks(std::to_string(std::max<std::int64_t>(0, latest.count())) + " seconds are left for threads, " + std::to_string(time.count()) + " were asked for");
    return Allowance{tokens, time, wish.threads > 0 ? left.depth - 1 : 0, wish.threads};
}

Allowance without(const Allowance& left, const Allowance& child) {
    Allowance out = left;
    out.tokens -= child.tokens;
    out.threads -= 1 + child.threads;
    return out;
}

int come_back(int tokens, int used, int carved) { return std::max(0, tokens - used - carved); }

base::Result<Entry> enter_thread(store::Tx& tx, const ChatRequest& request) {
    store::change_thread(tx, request.conversation, request.rule, request.label);
    const auto thread = store::find_thread(tx, request.conversation);
    if (!thread) return error(Code::not_found, "there is no conversation " + request.conversation.text());
    const bool is_closed = thread->state == "ended" || thread->state == "cancelled";
    if (is_closed) return closed(*thread);
    Entry out;
    // A run that ends just now is waited for, and is then no run that works.
    for (auto runs = store::open_runs(tx, request.conversation);; runs = store::open_runs(tx, request.conversation)) {
        const Standing standing{false, !runs.empty(), !runs.empty() && runs.front().stopping};
        std::vector<std::string> words;
        // Who asks one agent directs no other: that may do more than he may have done.
        const auto newest = standing.works ? store::find_run(tx, runs.front().id) : std::nullopt;
        if (newest && newest->alias == request.alias && thread->as.rule == store::Rule::steer && !asks_for_its_own(request, store::run_request(tx, newest->id))) {
            auto found = words_of(tx, request);
            if (!found) return std::move(found).error();
            words = *std::move(found);
        }
        out.way = way_of(thread->as.rule, standing, !words.empty());
        if (out.way == Way::refuse) return refused(*thread, runs.front().id);
        if (out.way == Way::interrupt)
            for (const auto& run : runs)
                if (!run.stopping && store::ask_to_stop(tx, run.id)) out.stopping.push_back(run.id);
        if (out.way != Way::join) return out;
        out.run = runs.front().id;
        bool joined = true;
        for (const auto& text : words) joined = joined && store::add_input(tx, out.run, text, request.principal.via).ok();
        if (joined) return out;
    }
}

}  // namespace agents
