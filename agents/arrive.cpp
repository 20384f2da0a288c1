// How a message comes to a thread in which a run works already, and what its sender hears.
#include "agents/agents_impl.h"
#include "store/runs.h"

namespace agents {
namespace {

using base::Code;
using base::Json;

constexpr std::chrono::seconds kPatience{1};

}  // namespace

net::Task<base::Result<Entry>> Agents::Impl::arrive(const ChatRequest& request) {
    const auto enter = [&](store::Tx& tx) -> base::Result<Entry> {
        const auto workspace = enter_conversation(tx, request, {});
        if (!workspace) return workspace.error();
        return enter_thread(tx, request);
    };
    auto entry = co_await parts.db.run(identity_of(request.principal), enter);
    if (entry) tell_running(entry->stopping, entry->run);
    co_return entry;
}

net::Task<base::Result<ChatResult>> Agents::Impl::follow(const ChatRequest& request, base::RunId joined, EventSink sink) {
    const store::Identity who = identity_of(request.principal);
    ChatResult out;
    out.run = joined;
    out.conversation = request.conversation;
    const auto tell = [&](ChatEvent::Kind kind, std::string text, Json data) {
        ChatEvent event;
        event.kind = kind;
        event.text = std::move(text);
        event.data = std::move(data);
        event.run = out.run;
        event.conversation = out.conversation;
        if (sink) sink(event);
    };
    tell(ChatEvent::Kind::run_started, "", Json::object());
    const auto reader = co_await open_reader(hub, parts.db, who, joined, {}, request.stop);
    while (reader && !reader->over()) co_await reader->next(kPatience);
    const auto find = [&](store::Tx& tx) { return store::find_run(tx, joined); };
    const auto run = co_await parts.db.read(who, find);
    if (!run) co_return base::error(Code::not_found, "there is no run " + joined.text());
    out.final_state = run->finished.time_since_epoch().count() ? run->status : "interrupted";  // it goes on without this listener
    out.response = run->turn.value("answer", "");
    if (out.final_state != "answered") out.error = base::error(out.final_state == "interrupted" ? Code::unavailable : Code::cancelled, run->error);
    if (auto turn = turn_from_json(run->turn)) {
        out.usage = turn->sums.usage;
        out.tools_used = turn->sums.tools_used;
        out.model = turn->sums.model;
        out.finish = turn->finish;
        if (out.final_state != "answered") out.error.code = turn->code;
    }
    tell(ChatEvent::Kind::text, out.response, Json::object());
    tell(ChatEvent::Kind::done, "", {{"final_state", out.final_state}, {"error", out.error.message}});
    co_return out;
}

}  // namespace agents
