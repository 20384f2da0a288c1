#include "agents/schedule_tool.h"

#include "agents/schedule_orders.h"

namespace agents {
namespace {

using base::Code;
using base::Json;
using tools::ToolOutput;
using Output = base::Result<ToolOutput>;

ToolOutput told(std::string text, Json schedules = Json::array()) {
    ToolOutput out{std::move(text)};
    out.facts["schedules"] = std::move(schedules);
    out.integrity = policy::Integrity::trusted;
    return out;
}

std::string line_of(const store::Schedule& one) {
    const Json json = to_json(one);
    return json[json["words"].is_string() ? "words" : "when"].get<std::string>() + (json["next_there"].is_string() ? ", next on " + json["next_there"].get<std::string>() + " " + one.zone : "") + ": " + one.prompt;
}

// Also what was scheduled from elsewhere: its words may be anybody's.
ToolOutput listed(const std::vector<store::Schedule>& all) {
    if (all.empty()) return told("Nothing is scheduled.");
    std::string text;
    Json facts = Json::array();
    bool trusted = true;
    for (const auto& one : all) {
        text += one.id.text() + " " + line_of(one) + "\n";
        facts.push_back(one.id.text());
        trusted &= one.trusted;
    }
    ToolOutput out = told(std::move(text), std::move(facts));
    if (!trusted) out.integrity = policy::Integrity::untrusted;
    return out;
}

// Where the run's conversation is held, so that the answer comes there.
void answer_here(store::Tx& tx, base::ConversationId conversation, store::Schedule& schedule) {
    if (const auto chat = store::chat_with(tx, conversation)) schedule.bridge = chat->first, schedule.chat = chat->second;
}

// What was made elsewhere is the person's own, and others read here.
void keep_those_of_here(store::Tx& tx, base::ConversationId conversation, std::vector<store::Schedule>& schedules) {
    const auto here = store::chat_with(tx, conversation);
    std::erase_if(schedules, [&](const store::Schedule& one) { return !here || one.bridge != here->first || one.chat != here->second; });
}

net::Task<Output> add(Frame& frame, tools::Ports& ports, Json arguments, policy::Integrity label) {
    if (is_scheduled(frame.principal)) co_return base::error(Code::permission_denied, "what was scheduled schedules nothing itself", "do what it asks now");
    if (label == policy::Integrity::untrusted)
        co_return base::error(Code::permission_denied, "text from outside is in this conversation, and what is scheduled is acted on later, with nobody there", "tell the person, who can schedule it with hearth schedule add");
    ScheduleOrder order;
    order.when = arguments.value("when", "");
    order.prompt = arguments.value("task", "");
    order.agent = frame.row->name;
    order.zone = co_await ports.db.read(ports.who, store::household_zone);
    if (order.prompt.empty()) co_return base::error(Code::invalid_argument, "task is missing: say what is to be done then");
    if (order.when.empty()) co_return base::error(Code::invalid_argument, "when is missing", "ask the person when");
    auto made = schedule_of(order, ports.clock.now());
    if (!made) co_return std::move(made).error();
    if (const auto* const question = std::get_if<Question>(&*made)) co_return base::error(Code::invalid_argument, question->all(), "ask the person which, and schedule nothing before");
    store::Schedule& schedule = std::get<store::Schedule>(*made);
    std::string text = "Scheduled: " + line_of(schedule);
    ports.writes.push_back([schedule, conversation = frame.conversation](store::Tx& tx) mutable {
        answer_here(tx, conversation, schedule);
        if (const auto added = store::add_schedule(tx, schedule); !added) throw std::runtime_error(added.error().text());
    });
    co_return told(std::move(text), Json::array({to_json(schedule)}));
}

}  // namespace

net::Task<Output> schedule_call(Frame& frame, tools::Ports& ports, Json arguments, policy::Integrity label) {
    if (arguments.contains("when") || arguments.contains("task")) co_return co_await add(frame, ports, std::move(arguments), label);
    const std::string end = arguments.value("end", "");
    const bool alone = frame.memory;
    if (end.empty()) {
        const auto list = [&](store::Tx& tx) {
            auto all = store::list_schedules(tx, false);
            if (!alone) keep_those_of_here(tx, frame.conversation, all);
            return all;
        };
        const auto all = co_await ports.db.read(ports.who, list);
        co_return listed(all);
    }
    const auto find = [&](store::Tx& tx) -> base::Result<store::Schedule> {
        auto one = store::find_schedule(tx, end);
        if (!one || alone) return one;
        std::vector<store::Schedule> here{*one};
        keep_those_of_here(tx, frame.conversation, here);
        if (here.empty()) return base::error(Code::not_found, "there is no schedule '" + end + "' in this chat", "end it where nobody else reads");
        return one;
    };
    const auto found = co_await ports.db.read(ports.who, find);
    if (!found) co_return found.error();
    ports.writes.push_back([id = found->id](store::Tx& tx) { store::end_schedule(tx, id); });
    co_return told("Ended: " + line_of(*found), Json::array({found->id.text()}));
}

}  // namespace agents
