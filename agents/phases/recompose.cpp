#include "agents/answer_parts.h"
#include "agents/honesty.h"
#include "agents/known_answer.h"
#include "agents/phases/phases.h"
#include "agents/reply/echo.h"
#include "agents/reply/inert.h"
#include "agents/reply/plain.h"
#include "agents/reply/silence.h"
#include "agents/run_agent.h"
#include "agents/sayings.h"
#include "agents/transcript.h"

namespace agents::phases {
namespace {

using router::Message;
using router::MessageRole;
using reply::SentenceGate;

constexpr std::size_t kLookedBack = 7;  // messages of the thread whose language is looked at, with the request

// Whether the thread spoke another language than `wanted`: a model goes on in it.
bool changes_language(const PhaseContext& context, reply::Language wanted) {
    const auto& thread = context.layout.shared;
    for (std::size_t i = thread.size() > kLookedBack ? thread.size() - kLookedBack : 0; i + 1 < thread.size(); ++i) {
        const auto spoken = thread[i].role == MessageRole::system ? reply::Language::none : reply::language_of(thread[i].text());
        if (spoken != reply::Language::none && spoken != wanted) return true;
    }
    return false;
}

// The language that a reply is held to. English, in which the prompts are, needs no watching in a thread that speaks it.
reply::Language language_held_to(const Turn& turn, const PhaseContext& context) {
    const auto wanted = reply::language_to_answer(turn.request);
    return wanted == reply::Language::english && !changes_language(context, wanted) ? reply::Language::none : wanted;
}

// How to answer: the person's own manner, and the language where the model would not choose it by itself. To name it always makes
// a small model say less.
base::Result<std::string> manner(const Turn& turn, const PhaseContext& context) {
    std::string out;
    if (context.frame.plain) {
        auto simple = prompt(context.frame, "plain");
        if (!simple) return simple;
        out = *std::move(simple);
    }
    const auto wanted = language_held_to(turn, context);
    if (wanted == reply::Language::none || !(turn.asked_language || changes_language(context, wanted))) return out;
    auto language = prompt(context.frame, "language", {{"language", std::string(reply::name(wanted))}});
    if (!language) return language;
    return out + (out.empty() ? "" : " ") + *language;
}

// Everything that the earlier phases found, and the instruction to answer. A fast turn gets the
// request, and how to answer where that needs saying.
base::Result<std::vector<Message>> instructed(const Turn& turn, const PhaseContext& context) {
    auto messages = context_of(context.layout.shared, turn, context);
    auto how = manner(turn, context);
    if (!how) return std::move(how).error();
    if (!messages) return messages;
    if (turn.execution == router::ExecutionClass::fast) return with_note(std::move(*messages), *how);
    if (!turn.thoughts.empty()) {
        auto thinking = prompt(context.frame, "thinking");
        if (!thinking) return std::move(thinking).error();
        *messages = with_note(std::move(*messages), *thinking);
        messages->push_back(Message::make(MessageRole::assistant, turn.thoughts));
    }
    auto style = prompt(context.frame, "machine_" + turn.machine);
    if (!style) return std::move(style).error();
    auto instruction = prompt(context.frame, context.row.prompt, {{"request", turn.request}, {"style", *style + (how->empty() ? "" : " ") + *how}});
    if (!instruction) return std::move(instruction).error();
    return with_note(std::move(*messages), *instruction);
}

// With the claim that the model is asked about, if there is one.
base::Result<std::vector<Message>> messages_for(const Turn& turn, const PhaseContext& context, const reply::Evidence& evidence) {
    auto messages = instructed(turn, context);
    const CheckedClaim* const claim = claim_in_question(turn.claims);
    if (!messages || !claim) return messages;
    auto note = claim_note(context.frame, "claim_answer", *claim, evidence);
    if (!note) return std::move(note).error();
    return with_note(std::move(*messages), *note);
}

// The answer on its way to the person. Where text from outside may have had a hand in it, nothing of it loads by itself.
class Delivery {
public:
    Delivery(Turn& turn, const Frame& frame) : turn_(turn), frame_(frame), guarded_(turn.label == policy::Integrity::untrusted), behind_(!turn.answer.empty()) {}

    void show(const std::string& text) { guard(frame_.plain ? plain_.take(text) : text); }
    void show_reasoning(const std::string& text) { tell(ChatEvent::Kind::reasoning, guarded_ ? inert_reasoning_.take(text) : text); }
    void end() {
        tell(ChatEvent::Kind::reasoning, inert_reasoning_.finish());
        guard(plain_.finish());
        tell(ChatEvent::Kind::text, inert_.finish());
    }
    bool guarded() const { return guarded_; }

private:
    void guard(const std::string& text) { tell(ChatEvent::Kind::text, guarded_ ? inert_.take(text) : text); }
    void tell(ChatEvent::Kind kind, std::string text) {
        if (text.empty()) return;
        ChatEvent event;
        event.kind = kind;
        if (kind == ChatEvent::Kind::text) {
            if (std::exchange(behind_, false)) text.insert(0, "\n\n");
            turn_.answer += text;
        }
        event.text = std::move(text);
        frame_.emit(std::move(event));
    }

    Turn& turn_;
    const Frame& frame_;
    const bool guarded_;
    reply::Plain plain_;
    reply::Inert inert_, inert_reasoning_;
    bool behind_;  // what an earlier reply said that broke off at a claim
};

// A claim that nothing holds up: the model may do it now, where that was asked for, or answer anew.
Phase ask_about(Turn& turn, const reply::Claim& claim, const PhaseContext& context) {
    turn.claims.push_back(asked_about(claim));
    if (turn.execution == router::ExecutionClass::fast)
        set_class(turn, "escalation", router::ExecutionClass::normal, "the reply claimed what no step had done: " + claim.sentence);
    const bool may_act = !context.layout.tools.empty() && reply::asks_for(claim.action, turn.request);
    return may_act ? Phase::copilot : Phase::recompose;
}

// Where the model only said the request again, the best of what was recalled is told: it was in front of it. To a bare figure it is added
// only where it is what the question is about: the result of a sum needs nothing beside it.
void tell_recalled(const Turn& turn, bool echoed, base::TimePoint now, Delivery& delivery) {
    const bool is_told = turn.best_fact >= 0 && std::size_t(turn.best_fact) < turn.facts.size();
    const std::string best = is_told ? turn.facts[std::size_t(turn.best_fact)] : std::string();
    const bool bare = !echoed && reply::is_wordless(turn.answer) && !reply::is_silent(turn.answer) && is_about(best, turn.request, std::chrono::floor<std::chrono::days>(now));
    if (!echoed && !bare) return;
    const base::Language language = language_spoken(turn.request);
    delivery.show((bare ? "\n\n" : "") + (best.empty() ? said(language, Saying::not_known) : said(language, Saying::known, {best})));
    delivery.end();
}

void conclude(Turn& turn, const router::ModelReply& reply, const PhaseContext& context, Delivery& delivery) {
    turn.reasoning = delivery.guarded() ? reply::inert(reply.message.reasoning) : reply.message.reasoning;
    turn.finish = reply.finish;
    if (reply.finish == router::FinishReason::cancelled)
        turn.state = "cancelled", turn.error = "the run was stopped";
    else if (reply.finish == router::FinishReason::deadline)
        turn.state = "partial", turn.error = context.frame.stop.stopped() ? "the time of the run was used up" : "the time for the answer was used up", turn.code = base::Code::deadline;
    else if (reply.finish == router::FinishReason::length)
        turn.state = "partial", turn.error = "the answer was cut after " + std::to_string(reply.usage.output_tokens) + " tokens";
    else if (reply::is_silent(turn.answer) && !turn.confirmation.empty())
        delivery.show(turn.confirmation), delivery.end();
    else if (reply::is_silent(turn.answer))
        turn.state = "failed", turn.error = "the model gave an empty answer";
}

}  // namespace

net::Task<base::Result<Phase>> recompose(Turn& turn, PhaseContext& context) {
    Frame& frame = context.frame;
    if (turn.errand) {
        Delivery words(turn, frame);
        words.show(turn.confirmation);
        words.end();
        co_return Phase::write_memory;
    }
    const reply::Evidence evidence = evidence_of(frame, turn.request, context.layout.shared);
    auto messages = messages_for(turn, context, evidence);
    if (!messages) co_return std::move(messages).error();
    SentenceGate gate(evidence, turn.claims.empty() ? SentenceGate::Then::stop : SentenceGate::Then::correct,
                      turn.asked_language ? reply::Language::none : language_held_to(turn, context));
    Delivery delivery(turn, frame);
    const bool guided = context.layout.discipline == ToolDiscipline::guided;
    reply::Echo echo(guided ? turn.request : "");
    base::StopSource enough(context.stop);
    const router::DeltaSink sink = [&](const router::ModelDelta& delta) {
        if (delta.kind == router::ModelDelta::Kind::content) {
            delivery.show(gate.take(echo.take(delta.text)));
            if (gate.stopped()) enough.request_stop();
        } else if (delta.kind == router::ModelDelta::Kind::reasoning) {
            delivery.show_reasoning(delta.text);
        }
    };
    router::ModelRequest request = request_of(context, std::move(*messages));
    request.stop = enough.token();
    if (guided) request.answer_rules = rules_of_parts({});
    const auto own = request.sampling.temperature;
    request.sampling = frame.sampling;
    if (!request.sampling.temperature) request.sampling.temperature = own;
    base::Result<router::ModelReply> reply = co_await model_step(frame, std::move(request), context.span, sink);
    if (reply && gate.taken() == 0 && !echo.holds()) delivery.show(gate.take(echo.take(reply->message.text())));  // out of the journal
    delivery.show(gate.take(echo.finish()));
    delivery.show(gate.finish());
    delivery.end();
    if (!reply) co_return std::move(reply).error();  // what was streamed is in the Turn already
    if (gate.foreign() && !context.stop.stopped()) {
        turn.asked_language = true;
        co_return Phase::recompose;
    }
    if (gate.stopped() && !context.stop.stopped()) co_return ask_about(turn, gate.caught().front(), context);
    settle_claims(turn.claims, gate.caught(), evidence);
    if (guided && reply->finish == router::FinishReason::stop) tell_recalled(turn, echo.echoed(), frame.parts.clock.now(), delivery);
    conclude(turn, *reply, context, delivery);
    if (reply->finish == router::FinishReason::deadline) say_cut(frame, turn);
    co_return Phase::write_memory;
}

}  // namespace agents::phases
