#include "server/bridges/questions.h"

#include <algorithm>

#include "server/bridges/words.h"
#include "store/schedules.h"
#include "store/senders.h"

namespace server::bridges {
namespace {

using State = store::Approval::State;

constexpr std::string_view kApproval = "approval:", kGrant = ":grant", kDeny = ":deny";

Language language_for(store::Tx& tx, const policy::Principal& who, const Transport& by) { return language_of(store::language_in(tx, who.person, by.name())); }

std::string emitter_of(store::ApprovalId id) { return std::string(kApproval) + id.text(); }

store::Reply reply_for(const Transport& by, const std::string& chat, const store::Run& run) {
    store::Reply reply{by.name(), chat, "", {}};
    reply.label = policy::parse_integrity(run.turn.is_object() ? run.turn.value("label", "") : "");
    return reply;
}

void ask(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, store::Reply reply, const store::Approval& asked) {
    const Language language = language_for(tx, who, by);
    reply.emitter = emitter_of(asked.id);
    reply.parts = by.pieces_with_choices(question_words(language, asked, agents::Zone::known(store::household_zone(tx))));
    reply.choices = {{reply.emitter + std::string(kGrant), said(language, Saying::allow_once)}, {reply.emitter + std::string(kDeny), said(language, Saying::deny)}};
    reply.lifetime = std::max(std::chrono::seconds(1), std::chrono::duration_cast<std::chrono::seconds>(asked.expires - asked.asked));
    store::write_reply(tx, who, house, reply);
}

// Of a question in several messages the last one, which has the choices, is replaced.
void tell(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, store::Reply reply, const store::Approval& asked) {
    reply.replaces = emitter_of(asked.id);
    reply.emitter = reply.replaces + ":end";
    reply.parts = by.pieces(decided_words(language_for(tx, who, by), asked));
    reply.parts.erase(reply.parts.begin(), reply.parts.end() - 1);
    store::write_reply(tx, who, house, reply);
}

}  // namespace

std::optional<Word> word_of(std::string_view choice) {
    if (!choice.starts_with(kApproval)) return std::nullopt;
    choice.remove_prefix(kApproval.size());
    const bool grant = choice.ends_with(kGrant);
    if (!grant && !choice.ends_with(kDeny)) return std::nullopt;
    choice.remove_suffix(grant ? kGrant.size() : kDeny.size());
    const auto id = store::ApprovalId::parse(std::string(choice));
    return id ? std::optional(Word{*id, grant}) : std::nullopt;
}

void write_questions(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, const std::string& chat, const store::Run& run) {
    for (const store::Approval& asked : store::approvals_of(tx, run.id)) {
        const bool waits = asked.state == State::open && !run.ended();
        if (waits) ask(tx, who, house, by, reply_for(by, chat, run), asked);
        else if (store::find_reply(tx, by.name(), chat, emitter_of(asked.id))) tell(tx, who, house, by, reply_for(by, chat, run), asked);
    }
}

namespace {

Given give(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, const std::string& chat, const Word& word) {
    const auto decided = store::decide_approval(tx, word.approval, word.grant, by.name());
    if (!decided && decided.error().code != base::Code::conflict) return {"ignored: " + decided.error().message};
    const auto asked = store::find_approval(tx, word.approval);
    const auto run = asked ? store::find_run(tx, asked->request.run) : std::nullopt;
    if (run) write_questions(tx, who, house, by, chat, *run);
    if (!decided) return {"came too late", false, asked ? decided_words(language_for(tx, who, by), *asked) : ""};
    return {word.grant ? "granted" : "denied", true};
}

}  // namespace

std::string take_word(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, const Arrival& pressed) {
    const auto word = word_of(pressed.choice);
    if (!word) return "ignored: an unknown choice";
    const auto question = store::find_reply(tx, by.name(), pressed.chat, emitter_of(word->approval));
    if (!question) return "ignored: not theirs to decide";
    // Whoever presses it has it, also where its sender never heard that it had arrived.
    const store::Sending arrived{store::Sending::End::delivered, "", std::chrono::milliseconds(0), pressed.message};
    store::settle_outgoing(tx, *question, arrived);
    return give(tx, who, house, by, pressed.chat, *word).outcome;
}

Given take_typed(store::Tx& tx, const policy::Principal& who, const policy::House& house, const Transport& by, const std::string& chat, const TypedWord& typed) {
    std::vector<store::ApprovalId> meant;
    for (const std::string& emitter : store::emitters_in_chat(tx, by.name(), chat, std::string(kApproval)))
        if (const auto id = store::ApprovalId::parse(emitter.substr(kApproval.size())); id && code_of(*id) == typed.code) meant.push_back(*id);
    if (meant.size() != 1) return {"a code of nothing that was asked", false, said(language_for(tx, who, by), Saying::wrong_code, typed.code), false};
    return give(tx, who, house, by, chat, {meant[0], typed.grant});
}

}  // namespace server::bridges
