// What is asked for in plain words (agents/errand.h) is done here, and told in words of ours: no model has a part in it.
#include <algorithm>

#include "agents/phases/phases.h"
#include "agents/run_agent.h"
#include "agents/sayings.h"
#include "agents/schedule.h"
#include "store/schedules.h"
#include "tools/schedule.h"

namespace agents::phases {
namespace {

using router::Message;
using router::MessageRole;

constexpr const char* kRememberTool = "remember";
constexpr std::size_t kMostTimesAsked = 3;

// "At 20:00" behind "Remind me tomorrow at 8 to …" and the question which half of the day that is: the reminder with both.
// `request`: the person's own words of the last message, without what stands with them for the model.
std::optional<Errand> with_time_told(const std::vector<Message>& thread, const std::string& request) {
    std::string when;
    for (std::size_t at = thread.size(), asked = 0; at >= 1 && asked <= kMostTimesAsked; at -= 2, ++asked) {
        const Message& message = thread[at - 1];
        if (message.role != MessageRole::user || !message.trusted) return std::nullopt;
        const std::string words = at == thread.size() ? request : message.text();
        if (const auto time = time_alone(words)) {
            when = *time + (when.empty() ? "" : " ") + when;
            if (at < 3 || thread[at - 2].role != MessageRole::assistant || !thread[at - 2].text().ends_with('?')) return std::nullopt;
            continue;
        }
        auto errand = when.empty() ? std::nullopt : errand_of(words);
        if (!errand || errand->kind != Errand::Kind::remind) return std::nullopt;
        errand->when += (errand->when.empty() ? "" : " ") + when;
        return errand;
    }
    return std::nullopt;
}

const char* tool_for(const Errand& errand) { return errand.kind == Errand::Kind::remember ? kRememberTool : tools::kSchedule; }

router::ToolCall call_of(const Errand& errand, base::Language language) {
    base::Json arguments = errand.kind == Errand::Kind::remember ? base::Json{{"text", errand.text}} : base::Json{{"when", errand.when}, {"task", reminder_order(errand.text, language)}};
    return {"", tool_for(errand), base::dump(arguments)};
}

std::string reminder_words(const Errand& errand, base::Language language, const base::Json& facts) {
    const base::Json kept = facts.value("schedules", base::Json::array()).at(0);
    std::string next = kept["next_there"].is_string() ? kept["next_there"].get<std::string>() : kept["next"].get<std::string>();
    next.erase(0, next.find(' ') == next.rfind(' ') ? 0 : next.find(' ') + 1);  // without the day of the week, which is English
    if (kept["cron"].is_null()) return said(language, Saying::reminder_set, {next, errand.text});
    const std::string when = errand.spoken.empty() ? kept["when"].get<std::string>() : errand.spoken;
    return said(language, Saying::reminder_repeats, {when, next, errand.text});
}

// What there is to ask before it can be done; empty: nothing.
net::Task<std::string> missing_of(const Errand& errand, base::Language language, const Frame& frame) {
    if (errand.kind == Errand::Kind::remember) co_return std::string();
    if (errand.when.empty()) co_return said(language, Saying::when);
    ScheduleOrder order;
    order.when = errand.when;
    order.zone = co_await frame.parts.db.read(frame.who, store::household_zone);
    const auto made = schedule_of(order, frame.parts.clock.now());
    const Question* const question = made ? std::get_if<Question>(&*made) : nullptr;
    if (!question) co_return std::string();
    co_return errand.spoken.empty() ? question->text : said(language, Saying::when);
}

}  // namespace

std::optional<Errand> plain_errand(const Turn& turn, const PhaseContext& context) {
    const Frame& frame = context.frame;
    const auto& thread = context.layout.shared;
    if (context.layout.discipline != ToolDiscipline::guided || turn.resumes_client || !thread.back().trusted || names_collection(frame, turn.request)) return std::nullopt;
    if (is_scheduled(frame.principal)) return reminder_of(turn.request);
    auto errand = errand_of(turn.request);
    if (!errand) errand = with_time_told(thread, turn.request);
    if (!errand) return std::nullopt;
    const auto offered = frame.menu->list(frame.row->scope);
    return std::any_of(offered.begin(), offered.end(), [&](const tools::Tool* tool) { return tool->name == tool_for(*errand); }) ? errand : std::nullopt;
}

net::Task<base::Result<Phase>> fulfil(Turn& turn, PhaseContext& context) {
    Frame& frame = context.frame;
    const Errand& errand = *turn.errand;
    const base::Language language = errand.language.value_or(language_spoken(turn.request));
    if (is_scheduled(frame.principal)) {
        turn.confirmation = said(language, Saying::reminder, {errand.text});
        co_return Phase::recompose;
    }
    turn.confirmation = co_await missing_of(errand, language, frame);
    if (!turn.confirmation.empty()) co_return Phase::recompose;
    AgentTask task;
    task.answers = false;
    task.discipline = context.layout.discipline;
    task.label = policy::Integrity::trusted;  // it is in the person's own words, and no model that has read others' worded it
    task.stop = context.stop;
    task.parent = context.span;
    task.prefix = context.layout.shared;
    task.call = call_of(errand, language);
    LoopResult result = co_await run_agent(frame, std::move(task));
    turn.label = policy::meet(turn.label, result.label);
    const bool answered = result.end == LoopEnd::answered;
    const bool done = answered && !frame.sums.deeds.empty() && frame.sums.deeds.back().end == reply::Deed::End::done;
    // What was refused is told here: in later prompts a small model would say it again, whatever it is asked.
    if (done || !answered) turn.work.insert(turn.work.end(), std::make_move_iterator(result.work.begin()), std::make_move_iterator(result.work.end()));
    if (!answered) co_return std::move(result.error);
    if (!done) turn.confirmation = said(language, Saying::not_done, {result.told});
    else if (errand.kind == Errand::Kind::remember) turn.confirmation = said(language, Saying::noted, {errand.text});
    else turn.confirmation = reminder_words(errand, language, result.facts);
    co_return Phase::recompose;
}

}  // namespace agents::phases
