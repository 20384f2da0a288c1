#include "store/senders.h"

#include <cctype>

#include "base/utf8.h"
#include "store/conversations.h"
#include "store/digest.h"
#include "store/storable.h"

namespace store {
namespace {

// Without those that are taken for one another.
constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
constexpr std::size_t kCodeLetters = 8;
constexpr std::size_t kLongestLabel = 100, kLongestLanguage = 35;  // bytes

// As "ABCD-EFGH": 40 random bits, for the one hour that it holds and the owner alone to approve.
std::string new_code() {
    std::string out;
    for (const char byte : random_bytes(kCodeLetters)) {
        if (out.size() == kCodeLetters / 2) out += '-';
        out += kLetters[static_cast<unsigned char>(byte) % kLetters.size()];
    }
    return out;
}

// As it was told, however it is typed.
std::string tidy(const std::string& typed) {
    std::string letters;
    for (const char c : typed)
        if (std::isalnum(static_cast<unsigned char>(c))) letters += char(std::toupper(static_cast<unsigned char>(c)));
    return letters.size() == kCodeLetters ? letters.insert(kCodeLetters / 2, "-") : letters;
}

std::string language_tag(const std::string& said) { return storable(base::beginning(said, kLongestLanguage)); }

const std::string& pairing_columns() {
    static const std::string all = "bridge, sender, chat, label, language, code, " + micros("expires_at");
    return all;
}

Pairing pairing_of(const Row& row) { return {{row.text(0), row.text(1), row.text(2), row.text(3), row.text(4)}, row.text(5), row.time(6)}; }

}  // namespace

std::optional<Person> find_sender(Tx& tx, const std::string& bridge, const std::string& id) {
    const auto rows = tx.exec("select p.id, p.name, p.role from channel_identity c join person p on p.id = c.person_id where c.bridge = $1 and c.sender = $2", {bridge, id});
    if (rows.empty()) return std::nullopt;
    Person person;
    person.id = rows[0].id<base::PersonId>(0);
    person.name = rows[0].text(1);
    person.role = rows[0].text(2);
    return person;
}

void note_language(Tx& tx, const std::string& bridge, const std::string& id, const std::string& language) {
    if (!language.empty()) tx.send("update channel_identity set language = $3 where bridge = $1 and sender = $2 and language <> $3", {bridge, id, language_tag(language)});
}

std::string language_in(Tx& tx, base::PersonId person, const std::string& bridge) {
    const Row row = tx.exec("select coalesce(hearth_spoken_language($1, $2), '')", {person, bridge}).at(0);
    return row.text(0);
}

std::optional<std::string> ask_pairing(Tx& tx, const Sender& sender) {
    tx.send("delete from pairing where expires_at <= clock_timestamp()");
    const auto open = tx.exec("select count(*), count(*) filter (where bridge = $1 and sender = $2) from pairing", {sender.bridge, sender.id}).at(0);
    if (open.integer(0) >= kMostPairings && open.integer(1) == 0) return std::nullopt;
    const auto told = tx.exec("insert into pairing (bridge, sender, chat, label, code, expires_at, told_at, language)"
                              " values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(mins => $6), clock_timestamp(), $8)"
                              " on conflict (tenant_id, bridge, sender) do update set chat = excluded.chat, label = excluded.label, language = excluded.language, told_at = clock_timestamp()"
                              " where pairing.told_at < clock_timestamp() - make_interval(mins => $7) returning code",
                              {sender.bridge, sender.id, sender.chat, storable(base::beginning(sender.label, kLongestLabel)), new_code(), std::int64_t(kPairingTime.count()), std::int64_t(kPairingPause.count()), language_tag(sender.language)});
    return told.empty() ? std::nullopt : std::optional(told[0].text(0));
}

std::vector<Pairing> open_pairings(Tx& tx) {
    std::vector<Pairing> out;
    for (const Row& row : tx.exec("select " + pairing_columns() + " from pairing where expires_at > clock_timestamp() order by asked_at")) out.push_back(pairing_of(row));
    return out;
}

base::Result<Pairing> approve_pairing(Tx& tx, const std::string& code, const Person& person) {
    const auto rows = tx.exec("delete from pairing where code = $1 and expires_at > clock_timestamp() returning " + pairing_columns(), {tidy(code)});
    if (rows.empty())
        return base::error(base::Code::not_found, "there is no code '" + code + "', or it has expired", "hearth pair list shows those that wait; whoever writes again is told one");
    Pairing pairing = pairing_of(rows[0]);
    tx.exec("insert into channel_identity (bridge, sender, person_id, label, language) values ($1, $2, $3, $4, $5)"
            " on conflict (tenant_id, bridge, sender) do update set person_id = excluded.person_id, label = excluded.label, language = excluded.language",
            {pairing.sender.bridge, pairing.sender.id, person.id, pairing.sender.label, pairing.sender.language});
    return pairing;
}

std::vector<KnownSender> known_senders(Tx& tx) {
    std::vector<KnownSender> out;
    for (const Row& row : tx.exec("select c.bridge, c.sender, c.label, p.id, p.name, p.role, p.language, c.language from channel_identity c join person p on p.id = c.person_id order by c.added_at")) {
        out.push_back({row.text(0), row.text(1), row.text(2), {}});
        out.back().person.id = row.id<base::PersonId>(3);
        out.back().person.name = row.text(4);
        out.back().person.role = row.text(5);
        out.back().person.language = row.text(6);
        out.back().language = row.text(7);
    }
    return out;
}

bool forget_sender(Tx& tx, const std::string& bridge, const std::string& id) {
    return !tx.exec("delete from channel_identity where bridge = $1 and sender = $2 returning 1", {bridge, id}).empty();
}

base::ConversationId conversation_in_chat(Tx& tx, const std::string& bridge, const std::string& chat, bool in_company) {
    const auto rows = tx.exec("select c.conversation_id from channel_conversation c join thread t on t.id = c.conversation_id"
                              " where c.bridge = $1 and c.chat = $2 and t.state is null",
                              {bridge, chat});
    if (!rows.empty()) return rows[0].id<base::ConversationId>(0);
    const auto fresh = base::ConversationId::make(base::SystemClock().now());
    create_conversation(tx, fresh, bridge, "");
    // Of two messages at once in a chat that is new, one makes it.
    tx.exec("insert into channel_conversation (bridge, chat, conversation_id, in_company) values ($1, $2, $3, $4) on conflict (tenant_id, audience_id, bridge, chat)"
            " do update set conversation_id = excluded.conversation_id, in_company = channel_conversation.in_company or excluded.in_company",
            {bridge, chat, fresh, in_company});
    return fresh;
}

bool is_in_company(Tx& tx, base::ConversationId conversation) {
    return tx.exec("select exists (select from channel_conversation where conversation_id = $1 and in_company)", {conversation}).at(0).boolean(0);
}

ChatPlace place_in_chat(Tx& tx, const std::string& bridge, const std::string& chat) {
    const auto rows = tx.exec("select in_company, left_at is not null from channel_conversation where bridge = $1 and chat = $2 and audience_id = hearth_person()", {bridge, chat});
    return rows.empty() ? ChatPlace{} : ChatPlace{rows[0].boolean(0), rows[0].boolean(1)};
}

std::string channel_of_run(Tx& tx, base::RunId run) {
    const auto rows = tx.exec("select c.channel from run r join conversation c on c.id = r.conversation_id where r.id = $1", {run});
    return rows.empty() ? "" : rows[0].text(0);
}

}  // namespace store
