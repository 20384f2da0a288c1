#include "agents/read_ahead.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "agents/layout.h"
#include "agents/loading.h"
#include "agents/yielding.h"
#include "router/gateway.h"
#include "store/schedules.h"

namespace agents {
namespace {

constexpr auto kUntilReadAgain = std::chrono::seconds(1);

// A beginning of prompts, and the model that reads it.
struct FirstWords {
    std::string alias;
    std::vector<router::Message> messages;
    router::ToolMenu tools;

    bool operator==(const FirstWords& other) const {
        const auto same = [](const router::Message& a, const router::Message& b) { return a.role == b.role && a.text() == b.text(); };
        return alias == other.alias && tools == other.tools && std::equal(messages.begin(), messages.end(), other.messages.begin(), other.messages.end(), same);
    }
};

// With which the agent's first calls may begin, each once.
std::vector<FirstWords> first_words_of(const Options& options, const AgentRow& row, const Layout& layout) {
    const bool guided = layout.discipline == ToolDiscipline::guided;
    std::vector<FirstWords> out;
    const auto add = [&](const std::string& alias, const std::vector<router::Message>& messages, const router::ToolMenu& tools) {
        FirstWords one{alias, messages, tools};
        if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(std::move(one));
    };
    const router::ToolMenu answering = guided ? router::ToolMenu() : layout.tools;  // see phases::request_of
    if (row.machine == AgentRow::Machine::loop) {
        add(options.model, layout.calling, layout.tools);
        if (guided) add(options.model, layout.shared, answering);
        return out;
    }
    for (const Phase phase : {Phase::intake, Phase::recompose}) add(alias_of(options, phase), layout.shared, answering);
    add(alias_of(options, Phase::copilot), layout.calling, layout.tools);
    return out;
}

router::ModelRequest reading_of(const FirstWords& one, const store::Identity& who, const base::StopToken& stop) {
    router::ModelRequest request;
    request.alias = one.alias;
    request.purpose = "read_ahead";
    request.urgency = router::Urgency::night;
    request.messages = one.messages;
    request.tools = one.tools;
    request.tool_choice.kind = router::ToolChoice::Kind::none;
    request.sampling.temperature = 0;
    request.max_tokens = 1;
    request.cache_salt = who.person.text();
    request.on_behalf.tenant = who.tenant;  // and of no person: nobody's budget pays for it
    request.stop = stop;
    return request;
}

// What reading it took; however often somebody else comes between.
net::Task<base::Result<router::Usage>> read_words(router::Gateway& gateway, FirstWords words, store::Identity who, std::function<bool()> busy, base::StopToken stop) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        co_await let_people_first(busy, stop);
        if (stop.stopped()) co_return stop.error("reading ahead");
        router::ModelRequest request = reading_of(words, who, stop);
        const auto reply = co_await gateway.generate(std::move(request));
        if (reply && !gave_way(reply, stop)) co_return reply->usage;
        if (!gave_way(reply, stop)) co_return reply.error();
        timer.expires_after(kUntilReadAgain);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

// What a run of that person's would be told that begins then.
net::Task<base::Result<Layout>> layout_for(const Reader& reader, const AgentRow& row, store::Identity who, base::TimePoint when) {
    const Parts& parts = reader.parts;
    const Options& options = reader.options;
    Frame frame(parts, options, store::RunWriter(parts.db, who, base::RunId::make(parts.clock.now()), 0));
    frame.principal.tenant = who.tenant;
    frame.principal.person = who.person;
    frame.row = &row;
    frame.menu = menu_of(parts, options, row);
    frame.began = when;
    frame.memory = &reader.memory;
    History history;
    history.messages.push_back({base::MessageId{}, 0, base::RunId{}, "user", {{"role", "user"}, {"content", "."}}});
    const auto read = [&](store::Tx& tx) -> base::Result<void> {
        auto prompts = store::live_prompts(tx, prompt_names(*options.cast, row.name));
        if (!prompts) return std::move(prompts).error();
        frame.prompts = *std::move(prompts);
        frame.standing = read_standing_orders(tx, store::this_person(tx));
        history.at_hand.collections = store::list_collections(tx);
        frame.zone = store::household_zone(tx);
        return {};
    };
    auto opened = co_await parts.db.read(who, read);
    if (!opened) co_return std::move(opened).error();
    Turn turn;
    co_return lay_out_turn(frame, history, turn);
}

}  // namespace

net::Task<ReadAhead> read_ahead(Reader reader, std::vector<std::pair<store::Identity, std::string>> whom, base::TimePoint when, std::function<bool()> busy, base::StopToken stop) {
    ReadAhead out;
    int prompt_tokens = 0;
    for (const auto& [who, agent] : whom) {
        const AgentRow* const row = reader.options.cast->find(agent);
        if (!row) continue;
        const auto layout = co_await layout_for(reader, *row, who, when);
        if (!layout) continue;
        const auto all = first_words_of(reader.options, *row, *layout);
        for (const FirstWords& one : all) {
            if (prompt_tokens >= room_here(reader.parts.gateway, one.alias) / 2) co_return out;  // the rest is for what people say
            const auto usage = co_await read_words(reader.parts.gateway, one, who, busy, stop);
            if (!usage) co_return out;
            ++out.prompts;
            out.tokens += usage->prompt_tokens - usage->cached_tokens;
            prompt_tokens += usage->prompt_tokens;
        }
    }
    co_return out;
}

}  // namespace agents
