#include "store/outbox.h"

#include "store/storable.h"

namespace store {
namespace {

const char* state_of(Sending::End end) {
    switch (end) {
        case Sending::End::delivered: return "delivered";
        case Sending::End::failed: return "failed";
        case Sending::End::again: return "queued";
        case Sending::End::held: return "prepared";
        case Sending::End::unknown: break;
    }
    return "unknown";
}

// Null: a text and nothing else.
Param form_of(const Reply& reply, bool first, bool last) {
    base::Json form = base::Json::object();
    if (first && !reply.answers.empty()) form["answers"] = reply.answers;
    if (reply.markdown) form["markdown"] = true;
    if (!reply.replaces.empty()) form["replaces"] = reply.replaces;
    if (last)
        for (const Choice& choice : reply.choices) form["choices"].push_back({{"id", choice.id}, {"label", choice.label}});
    return form.empty() ? Param(nullptr) : Param(form);
}

void read_form(Tx& tx, Outgoing& letter) {
    const Row row = tx.exec("select form, there from hearth_outgoing_form($1)", {letter.id}).at(0);
    if (row.null(0)) return;
    if (!row.null(1)) letter.replaces = row.text(1);
    const base::Json form = row.json(0);
    letter.markdown = form.value("markdown", false);
    letter.answers = form.value("answers", "");
    for (const base::Json& choice : form.value("choices", base::Json::array())) letter.choices.push_back({choice.value("id", ""), choice.value("label", "")});
}

}  // namespace

policy::Decision write_reply(Tx& tx, const policy::Principal& to, const policy::House& house, const Reply& reply) {
    policy::Decision decision = policy::decide_reply(to, reply.label, house);
    const char* const state = decision.verdict == policy::Verdict::allow ? "queued" : decision.verdict == policy::Verdict::ask ? "prepared" : "failed";
    for (std::size_t part = 0; part < reply.parts.size(); ++part)
        tx.send("insert into outbox (id, bridge, chat, emitter, part, content, role, label, rule, state, error, expires_at, form, secret)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp() + make_interval(secs => $12), $13, $14) on conflict (tenant_id, emitter, part) do nothing",
                {OutboxId::make(base::SystemClock().now()), reply.bridge, reply.chat, reply.emitter, std::int64_t(part), tx.redactor().redacted(storable(reply.parts[part])),
                 policy::name(to.role), policy::name(reply.label), decision.rule, state, decision.message, std::int64_t(reply.lifetime.count()),
                 form_of(reply, part == 0, part + 1 == reply.parts.size()), reply.secret});
    return decision;
}

std::vector<Outgoing> take_outgoing(Tx& tx, const std::string& bridge, int most, std::chrono::seconds hold, const OutboxCaps& caps) {
    std::vector<Outgoing> out;
    for (const Row& row : tx.exec("select id, person_id, chat, emitter, content, role, label, attempts, heard_us, released from hearth_take_outgoing($1, $2, $3, $4, $5)",
                                  {bridge, most, std::int64_t(hold.count()), caps.messages_per_minute, caps.chats_per_hour})) {
        Outgoing one;
        one.id = row.id<OutboxId>(0);
        one.to = {tx.identity().tenant, row.id<base::PersonId>(1), policy::parse_role(row.text(5)).value_or(policy::Role::guest), bridge, false};
        one.chat = row.text(2);
        one.emitter = row.text(3);
        one.content = row.text(4);
        one.label = policy::parse_integrity(row.text(6));
        one.attempts = int(row.integer(7));
        read_form(tx, one);
        if (!row.null(8)) one.heard = row.time(8);
        one.released = row.boolean(9);
        out.push_back(std::move(one));
    }
    return out;
}

bool settle_outgoing(Tx& tx, OutboxId id, const Sending& sending) {
    const double wait = std::chrono::duration<double>(sending.wait).count();
    return tx.exec("select hearth_settle_outgoing($1, $2, $3, $4, $5)", {id, state_of(sending.end), tx.redactor().redacted(storable(sending.why)), wait, sending.there}).at(0).boolean(0);
}

std::optional<policy::Integrity> label_sent(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& there) {
    const auto rows = tx.exec("select label from outbox where bridge = $1 and chat = $2 and told_as = $3 and told_as <> '' limit 1", {bridge, chat, there});
    return rows.empty() ? std::nullopt : std::optional(policy::parse_integrity(rows[0].text(0)));
}

std::optional<std::string> text_sent(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& there) {
    const auto rows = tx.exec("select content from outbox where bridge = $1 and chat = $2 and told_as = $3 and told_as <> '' and content <> '' limit 1", {bridge, chat, there});
    return rows.empty() ? std::nullopt : std::optional(rows[0].text(0));
}

std::optional<base::RunId> others_answer(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& there) {
    const auto rows = tx.exec("select run from hearth_others_answer($1, $2, $3) run where run is not null", {bridge, chat, there});
    return rows.empty() ? std::nullopt : std::optional(rows[0].id<base::RunId>(0));
}

std::optional<OutboxId> find_reply(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& emitter) {
    const auto rows = tx.exec("select id from outbox where bridge = $1 and chat = $2 and emitter = $3 order by part desc limit 1", {bridge, chat, emitter});
    return rows.empty() ? std::nullopt : std::optional(rows[0].id<OutboxId>(0));
}

std::vector<std::string> emitters_in_chat(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& beginning) {
    std::vector<std::string> out;
    for (const Row& row : tx.exec("select emitter from outbox where bridge = $1 and chat = $2 and part = 0 and starts_with(emitter, $3) order by number desc limit 100", {bridge, chat, beginning})) out.push_back(row.text(0));
    return out;
}

bool note_receipt(Tx& tx, const std::string& bridge, const Receipt& receipt) {
    return tx.exec("select hearth_note_receipt($1, $2, $3, $4, $5)", {bridge, receipt.ours, storable(receipt.there), receipt.state, tx.redactor().redacted(storable(receipt.why))}).at(0).boolean(0);
}

void note_heard(Tx& tx, const std::string& bridge, const std::string& chat, std::optional<base::TimePoint> at) {
    tx.send("select hearth_heard($1, $2, $3)", {bridge, chat, micros_of(at.value_or(base::SystemClock().now()))});
}

std::vector<OutboxRow> list_outbox(Tx& tx, int most) {
    std::vector<OutboxRow> out;
    for (const Row& row : tx.exec("select id, person_id, bridge, chat, emitter, part, content, rule, state, error, attempts, created_us, receipt, waits, digest, told, told_by from hearth_outbox_log($1)", {most})) {
        OutboxRow one;
        one.id = row.id<OutboxId>(0);
        one.person = row.id<base::PersonId>(1);
        one.bridge = row.text(2);
        one.chat = row.text(3);
        one.emitter = row.text(4);
        one.part = int(row.integer(5));
        if (!row.null(6)) one.content = row.text(6);
        one.rule = row.text(7);
        one.state = row.text(8);
        one.error = row.text(9);
        one.attempts = int(row.integer(10));
        one.created = row.time(11);
        one.receipt = row.text(12);
        one.waits = row.text(13);
        one.digest = row.text(14);
        one.told = row.text(15);
        one.told_by = row.text(16);
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace store
