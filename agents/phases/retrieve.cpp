#include <algorithm>

#include "agents/clock_words.h"
#include "agents/known_answer.h"
#include "agents/phases/phases.h"
#include "agents/provenance.h"
#include "memory/recall.h"

namespace agents::phases {
namespace {

constexpr std::size_t kLookedAt = 12;       // of what was said: some of it may stand in the prompt anyway
constexpr std::size_t kComparedBytes = 200;
constexpr std::size_t kEpisodes = 2;

struct Found {
    std::vector<memory::RecalledFact> facts;
    std::vector<memory::RecalledEpisode> episodes;
    std::vector<memory::RecalledSegment> said;
    std::vector<memory::RecalledSection> sections;
};

// What the window still holds is not told again.
bool is_shown(const std::vector<router::Message>& prompt, const store::Segment& segment) {
    const std::string asked = segment.asked.substr(0, kComparedBytes);
    const auto holds = [&](const router::Message& message) { return message.role == router::MessageRole::user && message.text().find(asked) != std::string::npos; };
    return !asked.empty() && std::any_of(prompt.begin(), prompt.end(), holds);
}

// Of what is shown, which goes by its age, the one that recall ranked first among what a person has told and that holds.
int best_of(const std::vector<memory::RecalledFact>& ranked, const std::vector<memory::RecalledFact>& shown) {
    for (const memory::RecalledFact& one : ranked) {
        if (!one.fact.trusted || one.fact.until) continue;
        const auto found = std::find_if(shown.begin(), shown.end(), [&](const memory::RecalledFact& other) { return other.fact.id == one.fact.id; });
        if (found != shown.end()) return int(found - shown.begin());
    }
    return -1;
}

net::Task<base::Result<Phase>> answer_where_from(Turn& turn, const Frame& frame, reply::Language language) {
    const auto read = [&](store::Tx& tx) { tell_where_from(tx, frame, turn, language); };
    co_await frame.parts.db.read(frame.who, read);
    ChatEvent event;
    event.text = turn.answer;
    frame.emit(std::move(event));
    co_return Phase::write_memory;
}

// What the person has said in this conversation before the request.
std::vector<std::string> said_before(const std::vector<router::Message>& thread) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i + 1 < thread.size(); ++i)
        if (thread[i].role == router::MessageRole::user) out.push_back(thread[i].text());
    return out;
}

// Without a model.
Phase tell(Turn& turn, const Frame& frame, std::string answer) {
    turn.answer = std::move(answer);
    ChatEvent event;
    event.text = turn.answer;
    frame.emit(std::move(event));
    return Phase::write_memory;
}

// Said back as it was told: of several things the newest first, with their days.
Phase tell_known(Turn& turn, const Frame& frame, const std::vector<memory::RecalledFact>& known) {
    std::string answer;
    turn.facts.clear();
    turn.sources = base::Json::array();
    for (const memory::RecalledFact& one : known) {
        turn.facts.push_back(memory::told(one.fact));
        turn.sources.push_back(memory::source_of(one));
        std::string from = one.fact.teller;
        if (known.size() > 1) from += (from.empty() ? "" : ", ") + date_text(std::chrono::floor<std::chrono::days>(household_clock(frame).local(one.fact.created)));
        answer += (answer.empty() ? "“" : "\n“") + one.fact.body + "”" + (from.empty() ? "" : " (" + from + ")");
    }
    return tell(turn, frame, std::move(answer));
}

}  // namespace

net::Task<base::Result<Phase>> retrieve(Turn& turn, PhaseContext& context) {
    const Frame& frame = context.frame;
    if (const auto language = asks_where_from(turn.request)) co_return co_await answer_where_from(turn, frame, *language);
    if (const auto language = asks_for_time(turn.request); language && context.layout.discipline == ToolDiscipline::guided) co_return tell(turn, frame, time_words(*language, frame.parts.clock.now(), household_clock(frame)));
    if (!frame.memory && !frame.company) co_return after_retrieve(turn);
    memory::PersonIndexes& indexes = frame.memory ? *frame.memory : frame.company->memory;
    const auto window = std::size_t(recall_window(turn.execution));
    const auto meaning = co_await indexes.meaning_of(turn.request, frame.who, frame.stop);
    const memory::Asked asked(turn.request, meaning);
    const auto read = [&](store::Tx& tx) {
        const base::TimePoint now = frame.parts.clock.now();
        if (!frame.memory) return Found{indexes.recall(tx, asked, now, window, frame.company->group), {}, {}, {}};
        return Found{indexes.recall(tx, asked, now, window), indexes.recall_episodes(tx, turn.request, now, kEpisodes), indexes.recall_said(tx, asked, now, kLookedAt, frame.conversation),
                     indexes.recall_sections(tx, turn.request, now, std::size_t(section_window(turn.execution)))};
    };
    const Found found = co_await frame.parts.db.read(frame.who, read);
    const bool plain = context.layout.discipline == ToolDiscipline::guided && turn.execution != router::ExecutionClass::heavy;
    const std::chrono::sys_days today(std::chrono::floor<std::chrono::days>(household_clock(frame).local(frame.parts.clock.now())).time_since_epoch());
    const auto known = plain ? known_answers(turn.request, found.facts, today, said_before(context.layout.shared)) : std::vector<memory::RecalledFact>();
    if (!known.empty()) co_return tell_known(turn, frame, known);
    turn.facts.clear();
    turn.sources = base::Json::array();
    const std::vector<memory::RecalledFact> shown = memory::pack(found.facts, memory::kRecallBytes);
    turn.best_fact = best_of(found.facts, shown);
    for (const memory::RecalledFact& one : shown) {
        turn.facts.push_back(memory::told(one.fact));
        turn.sources.push_back(memory::source_of(one));
        if (!one.fact.trusted) turn.label = policy::Integrity::untrusted;
    }
    for (const memory::RecalledEpisode& one : found.episodes) {
        turn.facts.push_back(memory::told(one));
        turn.sources.push_back(memory::source_of(one));
        if (!one.episode.trusted) turn.label = policy::Integrity::untrusted;
    }
    const std::size_t facts = turn.facts.size(), most = facts + std::size_t(segment_window(turn.execution));
    for (const memory::RecalledSegment& one : found.said) {
        if (turn.facts.size() == most) break;
        if (is_shown(context.layout.shared, one.segment)) continue;
        turn.facts.push_back(memory::told(one));
        turn.sources.push_back(memory::source_of(one));
        if (!one.segment.trusted) turn.label = policy::Integrity::untrusted;
    }
    for (const memory::RecalledSection& one : found.sections) {
        turn.facts.push_back(memory::told(one));
        turn.sources.push_back(memory::source_of(one));
        turn.label = policy::Integrity::untrusted;
    }
    co_return after_retrieve(turn);
}

}  // namespace agents::phases
