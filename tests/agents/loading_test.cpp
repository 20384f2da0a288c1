// Runs that were taken in while the model here still loads, behind an upstream that does not answer.
#include "agents/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lives.h"
#include "support/run_task.h"

namespace agents::testing {
namespace {

using State = router::BackendStatus::State;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Behind : Process {
    explicit Behind(const std::filesystem::path& folder) : Process(folder) {
        auto made = std::make_unique<router::ScriptedBackend>("up", std::vector<router::ScriptedReply>{}, [](const router::ModelRequest&) {
            router::ScriptedReply reply;
            reply.error = base::error(base::Code::unavailable, "it answered 503");
            return reply;
        });
        upstream = made.get();
        upstream->set_local(false);
        router::Gateway::Roster roster;
        roster.backends.push_back(std::move(made));
        roster.aliases = {{"default", {"up", "scripted"}}};
        gateway->change(std::move(roster));
        model->set_status({State::loading, "weights", 0.2, {}});
    }
    // As another process has seen it.
    void upstream_has_worked() { gateway->learn_exercises({{"up", router::Traffic::plain, clock.now(), clock.now()}}); }
    void after(std::chrono::milliseconds wait, std::function<void()> what) {
        timer.expires_after(wait);
        timer.async_wait([what = std::move(what)](const boost::system::error_code& failed) {
            if (!failed) what();
        });
    }
    base::RunId submit(const policy::Principal& who) {
        Submission order;
        order.chat.principal = who;
        order.chat.alias = "hearth/dev";
        order.chat.messages = {user("Do all of it in the folder.")};
        return support::run_task(agents->submit(std::move(order))).value().run;
    }

    router::ScriptedBackend* upstream = nullptr;
    boost::asio::steady_timer timer{io};
};

class Loading : public LivesTest {
protected:
    support::TempDir folder;
};

TEST_F(Loading, ARunIsBegunOnceSomethingOfItsChainCanAnswer) {
    Behind server(folder.path());
    const auto id = server.submit(owner());
    ASSERT_TRUE(server.resume());
    EXPECT_THAT(server.upstream->requests(), IsEmpty());
    EXPECT_EQ(run(id).status, "queued");
    server.model->set_status({State::ready, {}, 1, {}});
    ASSERT_TRUE(server.resume());
    EXPECT_EQ(run(id).status, "answered") << run(id).error;
    EXPECT_THAT(server.upstream->requests(), Not(IsEmpty()));
}

TEST_F(Loading, ARunWhoseUpstreamFailsMeanwhileWaitsForTheModel) {
    Behind server(folder.path());
    server.upstream_has_worked();
    const auto id = server.submit(owner());
    bool waited = false;
    server.after(std::chrono::milliseconds(250), [&] {
        waited = run(id).status == "running" && !server.upstream->requests().empty() && server.model->requests().empty();
        server.model->set_status({State::ready, {}, 1, {}});
    });
    ASSERT_TRUE(server.resume());
    EXPECT_TRUE(waited);
    EXPECT_EQ(run(id).status, "answered") << run(id).error;
}

TEST_F(Loading, ARunThatIsStoppedWaitsNoLonger) {
    Behind server(folder.path());
    server.upstream_has_worked();
    const auto id = server.submit(owner());
    server.after(std::chrono::milliseconds(250), [&] { EXPECT_TRUE(support::run_task(server.agents->stop(owner(), id))); });
    ASSERT_TRUE(server.resume());
    EXPECT_EQ(run(id).status, "cancelled") << run(id).error;
    EXPECT_THAT(server.model->requests(), IsEmpty());
}

TEST_F(Loading, AModelThatCannotBeLoadedIsWaitedForNoLonger) {
    Behind server(folder.path());
    server.upstream_has_worked();
    const auto id = server.submit(owner());
    server.after(std::chrono::milliseconds(250), [&] { server.model->set_status({State::down, {}, 0, "the file is damaged"}); });
    ASSERT_TRUE(server.resume());
    EXPECT_EQ(run(id).status, "no_backend");
    EXPECT_THAT(run(id).error, HasSubstr("the file is damaged"));
}

TEST_F(Loading, WhoeverWaitsAtAConnectionHearsAtOnce) {
    Behind server(folder.path());
    ChatRequest request;
    request.principal = owner();
    request.alias = "hearth/dev";
    request.messages = {user("Do all of it in the folder.")};
    server.ask(std::move(request));
    ASSERT_FALSE(server.live(100000));
    ASSERT_TRUE(server.result && *server.result);
    EXPECT_EQ((*server.result)->final_state, "no_backend");
    EXPECT_THAT((*server.result)->error.message, HasSubstr("loading"));
}

}  // namespace
}  // namespace agents::testing
