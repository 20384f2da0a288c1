// What a run is asked by a message: its words, what it answers, what came with it, and what others asked meanwhile.
#include "server/bridges/intake.h"
#include "server/bridges/words.h"
#include "store/runs.h"

namespace server::bridges {
namespace {

constexpr int kMostTalk = 6;  // exchanges of others that are told in a group

// The channel gives the id of what is answered, and leaves it to us to know what that said.
bool says_only_which(const Arrival::Quote& quoted) { return !quoted.message.empty() && quoted.text.empty() && quoted.media.empty(); }

// By what was sent there, or what this person asked there before.
void find_quoted(store::Tx& tx, const Transport& by, Arrival& arrival) {
    Arrival::Quote& quoted = arrival.quoted;
    if (auto sent = store::text_sent(tx, by.name(), arrival.chat, quoted.message)) {
        quoted.text = *std::move(sent);
        quoted.sender.clear();
        quoted.sender_name = "you";
        return;
    }
    const auto asked = store::find_noted(tx, by.name(), arrival.chat, quoted.message);
    const auto run = asked && asked->person == tx.identity().person ? store::find_run(tx, asked->run) : std::nullopt;
    if (!run) return;
    quoted.text = run->question;
    const bool trusted = run->turn.is_object() && policy::parse_integrity(run->turn.value("label", "")) == policy::Integrity::trusted;
    quoted.sender = trusted ? arrival.sender : std::string();  // he may have handed on there what others wrote
    quoted.sender_name = "I";
}

}  // namespace

// What others wrote has no authority: it is handed on as such. What we have sent counts as what it was made from.
net::Task<Intake::Question> Intake::question_of(Transport& by, Arrival arrival, const policy::Principal& who) {
    Question out;
    if (says_only_which(arrival.quoted)) {
        const auto look = [&](store::Tx& tx) { find_quoted(tx, by, arrival); };
        co_await parts_.db.read(agents::identity_of(who), look);
    }
    if (!arrival.alone) {
        const auto find = [&](store::Tx& tx) { return store::group_talk(tx, by.name(), arrival.chat, kMostTalk); };
        const std::vector<store::Exchange> meanwhile = co_await parts_.db.read(agents::identity_of(who), find);
        std::string talk = group_words(meanwhile);
        if (!meanwhile.empty()) out.told.push_back({talk});
        for (const store::Exchange& one : meanwhile) out.told.back().of.push_back(one.run);
        if (!talk.empty()) out.messages.push_back({{"role", "user"}, {"content", std::move(talk)}, {"trusted", false}});
    }
    std::string words = quoted_words(arrival);
    std::vector<base::RunId> others;  // in which somebody else has said what is quoted
    if (!words.empty() || !arrival.quoted.media.empty()) {
        const auto find = [&](store::Tx& tx) {
            others.clear();
            const auto theirs = store::find_noted(tx, by.name(), arrival.chat, arrival.quoted.message);
            if (theirs && theirs->person != who.person && !theirs->run.is_nil()) others.push_back(theirs->run);
            const auto answer = store::others_answer(tx, by.name(), arrival.chat, arrival.quoted.message);
            if (answer) others.push_back(*answer);
            return store::label_sent(tx, by.name(), arrival.chat, arrival.quoted.message);
        };
        const auto label = co_await parts_.db.read(agents::identity_of(who), find);
        const bool trusted = arrival.quoted.sender == arrival.sender || label == policy::Integrity::trusted;
        if (!words.empty() && !others.empty()) out.told.push_back({words, others});
        if (!words.empty()) out.messages.push_back({{"role", "user"}, {"content", std::move(words)}, {"trusted", trusted}});
    }
    for (const bool quoted : {true, false}) {
        const std::string& media = quoted ? arrival.quoted.media : arrival.media;
        if (media.empty()) continue;
        Enclosures::Told told = co_await parts_.enclosures.tell(by, arrival, quoted, who);
        if (told.notice) out.notice += (out.notice.empty() ? "" : "\n") + said(language_of(arrival.language), *told.notice, shown_name(media, quoted ? arrival.quoted.file : arrival.file));
        out.read = out.read || told.read;
        if (quoted && !others.empty()) out.told.push_back({told.words, others});
        out.messages.push_back({{"role", "user"}, {"content", std::move(told.words)}, {"trusted", told.ours}});
    }
    if (arrival.forwarded && !arrival.text.empty()) out.messages.push_back({{"role", "user"}, {"content", forwarded_words(arrival)}, {"trusted", false}});
    else if (!arrival.text.empty() || out.messages.empty()) out.messages.push_back({{"role", "user"}, {"content", arrival.text}});
    co_return out;
}

}  // namespace server::bridges
