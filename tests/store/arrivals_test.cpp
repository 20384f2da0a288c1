// What channels deliver is kept once and acted on once, and who sends it becomes known by a code alone.
#include "store/arrivals.h"

#include <gmock/gmock.h>

#include "on_database.h"
#include "store/conversations.h"
#include "store/runs.h"
#include "store/senders.h"
#include "store/threads.h"

namespace {

using base::Code;
using store::Arrived;
using store::Sender;
using store::Tx;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Arrivals : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from arrival; delete from bridge_poll; delete from pairing; delete from channel_identity; delete from channel_conversation");
    }
    store::Identity house() const { return {world->owner().tenant, {}}; }
    bool keep(const std::string& update, const std::string& body = "{}") {
        return as(house(), [&](Tx& tx) { return store::keep_arrival(tx, {"telegram", update, body}); });
    }
    std::vector<std::string> take(std::chrono::seconds hold = 60s) {
        std::vector<std::string> out;
        for (const Arrived& one : as(house(), [&](Tx& tx) { return store::take_arrivals(tx, 8, hold); })) out.push_back(one.update + one.body);
        return out;
    }
    void settle(const std::string& update) {
        as(house(), [&](Tx& tx) { store::settle_arrival(tx, "telegram", update, "done with"); });
    }
    std::optional<std::string> ask(const Sender& sender) {
        return as(world->owner(), [&](Tx& tx) { return store::ask_pairing(tx, sender); });
    }
    base::Result<store::Pairing> approve(const std::string& code) {
        return as(world->owner(), [&](Tx& tx) -> base::Result<store::Pairing> {
            auto person = store::find_person(tx, world->member().person.text());
            return store::approve_pairing(tx, code, *person);
        });
    }
    std::optional<store::Person> find(const std::string& id) {
        return as(world->owner(), [&](Tx& tx) { return store::find_sender(tx, "telegram", id); });
    }
};

TEST_F(Arrivals, AreKeptOnceHoweverOftenTheyCome) {
    EXPECT_TRUE(keep("1", "first"));
    EXPECT_FALSE(keep("1", "again"));
    EXPECT_TRUE(keep("2", "second"));
    EXPECT_THAT(take(), ElementsAre("1first", "2second"));
    EXPECT_THAT(take(), IsEmpty()) << "somebody acts on them";
    settle("1");
    EXPECT_FALSE(keep("1")) << "also when it was acted on";
    EXPECT_EQ(world->sql("select body || outcome from arrival where update_id = '1'"), "done with") << "and what it said is gone";
    EXPECT_TRUE(as(house(), [](Tx& tx) { return store::keep_arrival(tx, {"whatsapp", "1", "{}"}); })) << "of another channel it is another";
}

TEST_F(Arrivals, OfWhoeverIsGoneAreTakenByTheNext) {
    keep("1");
    EXPECT_THAT(take(0s), ElementsAre("1{}"));
    EXPECT_THAT(take(), ElementsAre("1{}"));
    world->sql("update arrival set arrived_at = arrived_at - interval '31 days', state = 'done', body = ''");
    keep("2");
    EXPECT_EQ(world->sql("select string_agg(update_id, ',') from arrival"), "2") << "the old ones are forgotten";
}

TEST_F(Arrivals, ThatWorkAreFoundUntilTheyAreSettled) {
    keep("1");
    const auto run = base::RunId::make(base::SystemClock().now());
    as(world->member(), [&](Tx& tx) {
        const auto conversation = store::conversation_in_chat(tx, "telegram", "42");
        auto lease = store::lease_new_run(world->db(), run);
        const auto input = store::append_message(tx, conversation, run, {{"role", "user"}, {"content", "x"}});
        store::create_run(tx, *lease, conversation, input, "hearth");
    });
    const store::WorkingArrival working{"telegram", "1", "42", world->member().person, "member", run, "7", true};
    as(house(), [&](Tx& tx) { store::arrival_works(tx, working); });
    EXPECT_THAT(take(), IsEmpty());
    const auto found = as(house(), [](Tx& tx) { return store::working_arrivals(tx); });
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].person, world->member().person);
    EXPECT_EQ(found[0].role, "member");
    EXPECT_EQ(found[0].run, run);
    EXPECT_EQ(found[0].chat, "42");
    EXPECT_EQ(found[0].message, "") << "nothing was noted";
    settle("1");
    EXPECT_THAT(as(house(), [](Tx& tx) { return store::working_arrivals(tx); }), IsEmpty());
    as(house(), [&](Tx& tx) { store::arrival_works(tx, working); });
    EXPECT_THAT(as(house(), [](Tx& tx) { return store::working_arrivals(tx); }), IsEmpty()) << "settled is settled";
}

TEST_F(Arrivals, AreFoundByTheMessageThatTheyAre) {
    keep("1");
    const auto find = [&](const std::string& message, const std::string& chat = "-42") { return as(house(), [&](Tx& tx) { return store::find_noted(tx, "telegram", chat, message); }); };
    EXPECT_FALSE(find("7"));
    as(house(), [&](Tx& tx) { store::note_arrival(tx, {"telegram", "1", "-42", "7", "digest", true}); });
    ASSERT_TRUE(find("7"));
    EXPECT_TRUE(find("7")->waits);
    EXPECT_FALSE(find("") || find("8") || find("7", "43"));
    const auto run = base::RunId::make(base::SystemClock().now());
    as(world->member(), [&](Tx& tx) {
        const auto conversation = store::conversation_in_chat(tx, "telegram", "-42");
        auto lease = store::lease_new_run(world->db(), run);
        store::create_run(tx, *lease, conversation, store::append_message(tx, conversation, run, {{"role", "user"}, {"content", "x"}}), "hearth");
    });
    as(house(), [&](Tx& tx) { store::arrival_works(tx, {"telegram", "1", "-42", world->member().person, "member", run}); });
    as(house(), [&](Tx& tx) { store::redigest_arrival(tx, "telegram", "1", "another"); });
    const auto noted = find("7");
    EXPECT_EQ(noted->run, run);
    EXPECT_FALSE(noted->waits);
    EXPECT_EQ(noted->update + noted->digest, "1another");
    const auto working = as(house(), [](Tx& tx) { return store::working_arrivals(tx); });
    ASSERT_EQ(working.size(), 1u);
    EXPECT_TRUE(working[0].in_company);
    EXPECT_EQ(working[0].message, "7");

    // The group becomes another one: what is to be answered there, and its conversation, go on in it.
    const auto in_chat = [&](const std::string& chat) { return as(world->member(), [&](Tx& tx) { return store::conversation_in_chat(tx, "telegram", chat); }); };
    const auto before = in_chat("-42");
    as(house(), [](Tx& tx) { store::move_chat(tx, "telegram", "-42", "-100"); });
    EXPECT_EQ(in_chat("-100"), before);
    EXPECT_TRUE(find("7", "-100"));
    as(house(), [](Tx& tx) { store::move_chat(tx, "telegram", "-42", "-100"); });
    const auto fresh = in_chat("-42");
    EXPECT_NE(fresh, before);
    as(house(), [](Tx& tx) { store::move_chat(tx, "telegram", "-42", "-100"); });
    EXPECT_EQ(in_chat("-100"), before) << "what goes on there stays";
}

TEST_F(Arrivals, AreNobodysToReadOrChange) {
    keep("1", "private words");
    EXPECT_ANY_THROW(as(world->owner(), [](Tx& tx) { return tx.exec("select body from arrival"); }));
    EXPECT_THAT(as(store::Identity{base::TenantId::make(base::SystemClock().now()), {}}, [](Tx& tx) { return store::take_arrivals(tx, 8, 60s); }), IsEmpty()) << "another house";
    EXPECT_THAT(take(), ElementsAre("1private words"));
}

TEST_F(Arrivals, AreAskedForByOneAtATime) {
    const auto hold = [&](base::RunId holder, std::chrono::seconds time) { return as(house(), [&](Tx& tx) { return store::hold_poll(tx, "telegram", holder, time); }); };
    const auto now = base::SystemClock().now();
    const base::RunId one = base::RunId::make(now), other = base::RunId::make(now);
    ASSERT_TRUE(world->db().try_lock(one) && world->db().try_lock(other));
    EXPECT_TRUE(hold(one, 60s));
    EXPECT_TRUE(hold(one, 60s)) << "goes on";
    EXPECT_FALSE(hold(other, 60s));
    EXPECT_TRUE(hold(one, -1s));
    EXPECT_TRUE(hold(other, 60s)) << "when the first has left";
    EXPECT_FALSE(hold(one, 60s));
    world->db().unlock(other);
    EXPECT_TRUE(hold(one, 60s)) << "when the process of the other has ended";
    world->db().unlock(one);
}

TEST_F(Arrivals, OfAStrangerGiveACodeThatTheOwnerApproves) {
    EXPECT_EQ(find("42"), std::nullopt);
    const auto code = ask({"telegram", "42", "42", "Clara"});
    ASSERT_TRUE(code);
    EXPECT_THAT(*code, testing::MatchesRegex("[A-Z2-9]{4}-[A-Z2-9]{4}"));
    EXPECT_EQ(ask({"telegram", "42", "42", "Clara"}), std::nullopt) << "he was told a moment ago";
    world->sql("update pairing set told_at = told_at - interval '11 minutes'");
    EXPECT_EQ(ask({"telegram", "42", "42", "Clara"}), code) << "the same one again";
    EXPECT_NE(ask({"telegram", "43", "43", "Clara"}), code);
    EXPECT_EQ(approve("AAAA-AAAA").error().code, Code::not_found);
    std::string typed = *code;
    for (char& c : typed) c = char(std::tolower(static_cast<unsigned char>(c)));
    typed.erase(4, 1);
    const auto paired = approve(" " + typed);
    ASSERT_TRUE(paired) << paired.error().text();
    EXPECT_EQ(paired->sender.chat, "42");
    ASSERT_TRUE(find("42"));
    EXPECT_EQ(find("42")->id, world->member().person);
    EXPECT_EQ(find("43"), std::nullopt);
    EXPECT_EQ(approve(*code).error().code, Code::not_found) << "it holds once";
    EXPECT_TRUE(as(world->owner(), [](Tx& tx) { return store::forget_sender(tx, "telegram", "42"); }));
    EXPECT_FALSE(as(world->owner(), [](Tx& tx) { return store::forget_sender(tx, "telegram", "42"); }));
    EXPECT_EQ(find("42"), std::nullopt);
}

TEST_F(Arrivals, ArePeoplesInTheLanguageThatIsSetElseThatOfTheChannel) {
    const base::PersonId member = world->member().person;
    const auto spoken = [&](const store::Identity& who) { return as(who, [&](Tx& tx) { return store::language_in(tx, member, "telegram"); }); };
    EXPECT_EQ(spoken(world->member()), "") << "nobody has said";
    ASSERT_TRUE(approve(ask({"telegram", "42", "42", "Clara", "fr-CA"}).value()));
    EXPECT_EQ(spoken(world->member()), "fr-CA");
    as(world->owner(), [](Tx& tx) { store::note_language(tx, "telegram", "42", ""); });
    EXPECT_EQ(spoken(world->owner()), "fr-CA");
    as(world->owner(), [](Tx& tx) { store::note_language(tx, "telegram", "42", "de"); });
    EXPECT_EQ(spoken(world->owner()), "de");
    world->sql("update person set language = 'it' where id = '" + member.text() + "'");
    EXPECT_EQ(spoken(world->member()), "it");
    EXPECT_EQ(as({world->owner().tenant, {}}, [&](Tx& tx) { return store::language_in(tx, member, "telegram"); }), "") << "of oneself, or as the owner";
    world->sql("update person set language = 'auto'");
}

TEST_F(Arrivals, OfStrangersAreNoFloodAndTheirCodesExpire) {
    for (int i = 0; i < store::kMostPairings; ++i) EXPECT_TRUE(ask({"telegram", std::to_string(i), "1", ""}));
    EXPECT_EQ(ask({"telegram", "one more", "1", ""}), std::nullopt);
    world->sql("update pairing set told_at = told_at - interval '11 minutes'");
    const auto known = ask({"telegram", "5", "1", ""});
    EXPECT_TRUE(known) << "who waits is told again";
    world->sql("update pairing set expires_at = clock_timestamp()");
    EXPECT_EQ(approve(*known).error().code, Code::not_found);
    EXPECT_THAT(as(world->owner(), [](Tx& tx) { return store::open_pairings(tx); }), IsEmpty());
    EXPECT_TRUE(ask({"telegram", "one more", "1", ""}));
}

TEST_F(Arrivals, AreThePersonsAlone) {
    const auto code = ask({"telegram", "42", "42", ""});
    EXPECT_THAT(as(world->member(), [](Tx& tx) { return store::open_pairings(tx); }), IsEmpty()) << "codes are the owner's to see";
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return store::approve_pairing(tx, *code, store::this_person(tx)); }));
    EXPECT_ANY_THROW(as(world->member(), [&](Tx& tx) { return tx.exec("insert into channel_identity (bridge, sender, person_id) values ('telegram', '42', hearth_person())"); }));
    const auto conversation = as(world->member(), [](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); });
    EXPECT_EQ(as(world->member(), [](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); }), conversation) << "it goes on";
    EXPECT_NE(as(world->owner(), [](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); }), conversation);
    EXPECT_NE(as(world->member(), [](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "43"); }), conversation);
    EXPECT_TRUE(as(world->member(), [&](Tx& tx) { return store::stop_thread(tx, conversation); }));
    EXPECT_NE(as(world->member(), [](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); }), conversation) << "one that has ended takes nothing in";
}

}  // namespace
