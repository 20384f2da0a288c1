// Runs whose process goes away: at every moment of two runs, and then some.
#include "agents/resume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "lives.h"
#include "support/transcript.h"

namespace agents::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kHeavy = "Compare a.txt with b.txt and explain step by step which one is better for us.";
constexpr const char* kDev = "Do all of it in the folder.";

struct Case {
    const char* alias;
    const char* question;
};
constexpr std::size_t kMiddle = 10;  // things that either run does before it is half through
constexpr Case kPipeline{"hearth", kHeavy}, kCoder{"hearth/dev", kDev}, kAsking{"hearth/dev", "Ask where the key is, and do the rest."};

class Resume : public LivesTest {
protected:
    ChatRequest request(const Case& one) const {
        ChatRequest out;
        out.principal = owner();
        out.alias = one.alias;
        out.messages = {user(one.question)};
        return out;
    }

    std::optional<store::Run> newest() {
        auto runs = in_tx([](store::Tx& tx) { return store::list_runs(tx, 1, std::nullopt); });
        return runs.empty() ? std::nullopt : std::optional(runs[0]);
    }

    Json transcript(base::RunId id) {
        return in_tx([&](store::Tx& tx) { return support::transcript_of(tx, id); });
    }

    // Of the root span; the trace has one, and all else hangs from it.
    Json root_attributes(base::RunId id) {
        const auto trace = in_tx([&](store::Tx& tx) { return store::read_trace(tx, id); });
        EXPECT_TRUE(trace.chain) << trace.chain.error().message;
        std::set<base::SpanId> ids;
        Json root;
        int roots = 0;
        for (const auto& span : trace.spans) {
            EXPECT_TRUE(ids.insert(span.id).second) << "twice: " << span.name;
            if (span.parent.is_nil()) root = span.attributes, ++roots;
        }
        for (const auto& span : trace.spans) EXPECT_TRUE(span.parent.is_nil() || ids.contains(span.parent)) << "an orphan: " << span.kind << " " << span.name;
        EXPECT_EQ(roots, 1);
        return root;
    }

    // Begins a run and kills its process after so many things; false: it ended before.
    bool killed_after(std::size_t things, const Case& one) {
        database->sql("delete from fact");  // so that no run recalls another's
        Process first(folder.path());
        first.ask(request(one));
        return first.live(things);
    }
    // The lease of a process that was killed is free as soon as PostgreSQL notices.
    void go_on(base::RunId id, std::size_t things = 100000) {
        for (int i = 0; i < 200 && run(id).finished.time_since_epoch().count() == 0; ++i) {
            Process next(folder.path());
            next.resume(things);
            if (things < 100000) return;
        }
    }
    Json uninterrupted(const Case& one) {
        EXPECT_FALSE(killed_after(100000, one));
        whole = effects;
        return transcript(newest()->id);
    }

    void expect_goes_on_as_if_nothing_happened(const Json& expected, base::RunId id);
    int kill_at_every_moment(const Case& one, const Json& expected, const std::function<void(base::RunId)>& also);

    support::TempDir folder;
    std::map<std::string, int> whole;  // the effects of a run that nothing interrupts
};

void Resume::expect_goes_on_as_if_nothing_happened(const Json& expected, base::RunId id) {
    const Json found = transcript(id);
    for (const auto& [effect, times] : effects) EXPECT_TRUE(times <= 1 || effect == "same") << effect << " took place " << times << " times";  // that one is idempotent
    if (run(id).epoch > 1) {
        EXPECT_THAT(root_attributes(id)["taken_over"]["differing"], IsEmpty());
    }
    const bool doubtful = found["state"] == "unknown_effect";
    if (!doubtful) {
        EXPECT_EQ(found, expected) << Json::diff(expected, found).dump(1);
        return;
    }
    int unknown = 0;
    ASSERT_EQ(found["steps"].size(), expected["steps"].size());
    for (std::size_t i = 0; i < found["steps"].size(); ++i) {
        const Json& step = found["steps"][i];
        if (step[3] == "unknown") {
            ++unknown;
            EXPECT_EQ(step[1], "bash");
            EXPECT_THAT(step[5]["text"].get<std::string>(), HasSubstr("Do not repeat it by yourself. To find out, look at the list of effects."));
        } else {
            for (int k = 0; k < 4; ++k) EXPECT_EQ(step[k], expected["steps"][i][k]);  // what the model read and took is not the same any more
        }
    }
    EXPECT_GE(unknown, 1);
    ASSERT_THAT(found["messages"], SizeIs(2)) << "the question and the answer, once";
    EXPECT_THAT(found["messages"][1]["content"].get<std::string>(), ::testing::StartsWith("All of it is done.\n\nIt is not known whether this took effect, and it was not repeated: bash "));
}

// A run for each moment of it, killed there and gone on with; `also` looks at each. How many were killed before their end; broken off at the first failure.
int Resume::kill_at_every_moment(const Case& one, const Json& expected, const std::function<void(base::RunId)>& also) {
    int kills = 0;
    base::RunId last = newest()->id;
    effects.clear();
    for (std::size_t things = 1; killed_after(things, one) && !HasFailure(); ++things, effects.clear()) {
        SCOPED_TRACE("killed after " + std::to_string(things));
        const auto left = newest();
        if (left->id == last) continue;  // it was not accepted yet
        last = left->id;
        if (left->finished.time_since_epoch().count() == 0) {
            go_on(last);
            ++kills;
        }
        expect_goes_on_as_if_nothing_happened(expected, last);
        also(last);
    }
    return kills;
}

TEST_F(Resume, KilledAtAnyMomentAPipelineEndsAsIfNothingHadHappened) {
    const Json expected = uninterrupted(kPipeline);
    ASSERT_EQ(expected["state"], "answered") << expected.dump(1);
    ASSERT_THAT(expected["steps"], SizeIs(9));
    const int kills = kill_at_every_moment(kPipeline, expected, [&](base::RunId last) {
        EXPECT_EQ(in_tx([&](store::Tx& tx) { return tx.exec("select 1 from fact_sighting where run_id = $1", {last}).size(); }), 1u) << "a transaction is one";
    });
    EXPECT_GE(kills, 10) << "as many as it commits";
}

TEST_F(Resume, KilledAtAnyMomentAnEffectTakesPlaceAtMostOnce) {
    const Json expected = uninterrupted(kCoder);
    ASSERT_EQ(expected["state"], "answered") << expected.dump(1);
    ASSERT_EQ(whole, (std::map<std::string, int>{{"one", 1}, {"two", 1}, {"same", 1}}));
    int doubtful = 0;
    const int kills = kill_at_every_moment(kCoder, expected, [&](base::RunId last) { doubtful += run(last).status == "unknown_effect"; });
    EXPECT_GE(kills, 12);
    EXPECT_GE(doubtful, 4) << "two effects, each before and after it took place";
}

TEST_F(Resume, KilledWhileAnotherAgentIsAskedARunEndsAsIfNothingHadHappened) {
    const Json expected = uninterrupted(kAsking);
    ASSERT_EQ(expected["state"], "answered") << expected.dump(1);
    ASSERT_THAT(expected["steps"], SizeIs(9)) << "three calls of the coder's model, two of the other's, and four of tools";
    EXPECT_GE(kill_at_every_moment(kAsking, expected, [](base::RunId) {}), 12);
}

TEST_F(Resume, KilledAgainAndAgainARunComesToItsEnd) {
    const Case cases[] = {kPipeline, kCoder, kAsking};
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 chance(seed);
    for (const Case& one : cases) {
        effects.clear();
        const Json expected = uninterrupted(one);
        for (int n = 0; n < 6; ++n) {
            effects.clear();
            const base::RunId before = newest()->id;
            if (!killed_after(4 + chance() % 16, one)) continue;
            const auto left = newest();
            if (left->id == before || left->finished.time_since_epoch().count() != 0) continue;
            for (int again = 0; again < 2; ++again) go_on(left->id, 4 + chance() % 16);
            go_on(left->id);
            expect_goes_on_as_if_nothing_happened(expected, left->id);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_F(Resume, ARunThatCrashesWhoeverTakesItUpIsGivenUp) {
    ASSERT_TRUE(killed_after(kMiddle, kCoder));
    const base::RunId id = newest()->id;
    for (int attempt = 0; attempt < 3; ++attempt) {
        EXPECT_THAT(store::settle_interrupted(database->db()), ::testing::Not(::testing::Contains(id)));
        for (int i = 0; i < 100; ++i)
            if (store::acquire_lease(database->db(), database->owner(), id)) break;
    }
    for (const auto& one : store::list_interrupted(database->db())) EXPECT_NE(one.run, id);
    EXPECT_THAT(store::settle_interrupted(database->db()), ::testing::Contains(id));
    EXPECT_THAT(run(id).error, HasSubstr("interrupted: the server stopped each of the 3 times"));
}

TEST_F(Resume, AnOrderlyEndLeavesARunAndWaitsForWhatMayTakeEffectOnlyOnce) {
    base::RunId id;
    {
        Process first(folder.path());
        first.ask(request({"hearth/dev", "Do it slowly."}));
        while (!effects.contains("slowly")) ASSERT_TRUE(first.live(1));
        first.agents->leave_all();
        EXPECT_FALSE(first.live(100000));
        ASSERT_TRUE(first.result && *first.result);
        EXPECT_EQ((*first.result)->final_state, "interrupted");
        EXPECT_EQ((*first.result)->error.code, base::Code::unavailable);
        EXPECT_EQ(first.events.back().kind, ChatEvent::Kind::done);
        id = (*first.result)->run;
        EXPECT_THAT(run(id).status, ::testing::AnyOf("interrupted", "running"));
    }
    go_on(id);
    EXPECT_EQ(run(id).status, "answered");
    EXPECT_EQ(effects["slowly"], 1);
    EXPECT_EQ(transcript(id)["steps"][1][5]["text"], "done slowly");
    EXPECT_EQ(transcript(id)["messages"][1]["content"], "It was slow.");
}

TEST_F(Resume, AnOrderlyEndCostsNoAttempt) {
    ASSERT_TRUE(killed_after(kMiddle, kCoder));
    const base::RunId id = newest()->id;
    for (int again = 0; again < 5; ++again) {
        Process next(folder.path());
        next.resume(3);
        next.agents->leave_all();
        next.live(100000);
    }
    go_on(id);
    EXPECT_THAT(run(id).status, ::testing::AnyOf("answered", "unknown_effect"));
}

TEST_F(Resume, ARunThatEndsWithItsClientIsNotGoneOnWith) {
    {
        Process first(folder.path());
        auto asked = request(kCoder);
        asked.ends_with_client = true;
        first.ask(std::move(asked));
        ASSERT_TRUE(first.live(kMiddle));
    }
    const base::RunId id = newest()->id;
    effects.clear();
    go_on(id);
    EXPECT_EQ(run(id).status, "cancelled");
    EXPECT_TRUE(effects.empty());
}

TEST_F(Resume, TheTimeLimitDoesNotBeginAnew) {
    ASSERT_TRUE(killed_after(kMiddle, kCoder));
    const base::RunId id = newest()->id;
    database->sql("update run set worked = interval '1 hour' where id = '" + id.text() + "'");
    go_on(id);
    EXPECT_EQ(run(id).status, "partial");
    EXPECT_THAT(run(id).error, HasSubstr("time"));
}

TEST_F(Resume, ALaterTurnWaitsForTheOneThatWasInterrupted) {
    ASSERT_TRUE(killed_after(kMiddle, kCoder));
    const auto left = *newest();
    Process next(folder.path());
    auto later = request({"hearth/dev", "Do it slowly."});
    later.conversation = left.conversation;
    next.ask(std::move(later));
    next.live(5);
    for (int i = 0; i < 500 && !next.result; ++i) next.resume(100);
    ASSERT_TRUE(next.result && *next.result);
    EXPECT_EQ((*next.result)->final_state, "answered");
    const Json messages = transcript((*next.result)->run)["messages"];
    ASSERT_THAT(messages, SizeIs(4));
    EXPECT_THAT(messages[1]["content"].get<std::string>(), ::testing::StartsWith("All of it is done."));
    EXPECT_EQ(messages[3]["content"], "It was slow.");
}

TEST_F(Resume, WhatARunWasAskedWithIsKept) {
    ChatRequest asked = request(kPipeline);
    asked.principal.via = "key:abcd";
    asked.principal.can_ask = true;
    asked.workspace_path = "/srv/x";
    asked.workspace_read_only = asked.may_name_folders = asked.ends_with_client = true;
    asked.client_tools = {{"zeta", "z", base::OrderedJson::parse(R"({"type": "object", "properties": {"b": {}, "a": {}}})"), true}};
    asked.sampling.temperature = 0.25;
    asked.sampling.top_k = 7;
    asked.sampling.seed = 18446744073709551615u;
    asked.sampling.logit_bias = {{5, -100.0}};
    asked.max_tokens = 77;
    asked.folder_of = base::ConversationId::make(base::SystemClock().now());
    Beginning beginning;
    beginning.at = base::SystemClock().now();
    beginning.root = base::SpanId::make(beginning.at);
    beginning.prompts = {{"intake", 3}};
    beginning.time_limit = std::chrono::milliseconds(1234);
    const auto kept = kept_from_json(Json::parse(to_json(asked, beginning).dump()));
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_EQ(to_json(kept->request, kept->beginning), to_json(asked, beginning));
    EXPECT_EQ(kept->request.client_tools, asked.client_tools);
    EXPECT_EQ(kept->request.client_tools[0].parameters.dump(), asked.client_tools[0].parameters.dump()) << "the order of keys, too";
    EXPECT_EQ(kept->request.sampling.seed, asked.sampling.seed);
    EXPECT_EQ(kept->beginning.root, beginning.root);
    EXPECT_EQ(kept_from_json(nullptr).error().code, base::Code::corrupt);
}

}  // namespace
}  // namespace agents::testing
