#include "night.h"

#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstring>
#include <map>

#include "kill_point.h"
#include "memory/archive.h"
#include "process.h"
#include "store/conversations.h"
#include "store/documents.h"
#include "store/memory_health.h"
#include "support/listed_tools.h"
#include "support/scripted_agents.h"

namespace kill_matrix {
namespace {

using base::Json;

constexpr const char* kDog = "my dog is called Rex";
constexpr const char* kPump = "The pressure must read 1.8 bar";

struct NoTools final : support::ListedTools {};

Json night_fact(const char* quote, const char* text) { return {{"quote", quote}, {"text", text}, {"about", ""}}; }

// The same of every text: what does not stand in one is dropped.
router::ScriptedReply night_reply(const router::ModelRequest& request) {
    router::ScriptedReply out;
    if (request.purpose == "consolidate") out.text = Json({{"summary", "They spoke of a dog."}, {"keywords", {"dog"}}}).dump();
    else out.text = Json({{"facts", {night_fact(kDog, "The person's dog is called Rex."), night_fact(kPump, "The pressure of the pump must read 1.8 bar.")}}}).dump();
    return out;
}

router::ScriptedReply away(const router::ModelRequest&) {
    router::ScriptedReply out;
    out.error = base::error(base::Code::unavailable, "the model is away");
    return out;
}

class Nights {
public:
    Nights(support::TestDatabase& database, std::filesystem::path folder) : database_(database), folder_(std::move(folder)) {}

    int run() {
        const Json whole = undisturbed();
        if (whole["facts"].size() != 2 || whole["open"] != 0) fault("an undisturbed night: " + whole.dump());
        std::map<std::string, int> writes;
        for (int i = 0; i < record_->labels; ++i)
            if (std::strcmp(record_->seen[i].label, "other") != 0) writes[record_->seen[i].label] = record_->seen[i].times;
        if (writes.size() < 5) fault("a night has other writes");
        for (const auto& [label, times] : writes)
            for (int n = 0; n < times; ++n)
                for (const Moment moment : {Moment::before, Moment::sent, Moment::answered}) killed(label, n, moment, whole);
        without_model(whole);
        std::printf("nights: %d kills at %zu kinds of writes, %d faults\n", kills_, writes.size(), faults_);
        return faults_;
    }

private:
    void fault(const std::string& what) {
        ++faults_;
        std::fprintf(stderr, "FAULT (%s): %s\n", at_.c_str(), what.c_str());
    }
    template <class F>
    auto in_tx(F work) {
        return database_.db().run_blocking(who_, work);
    }

    // Somebody of his own, who has talked and given a document; all of it a day ago.
    void new_person() {
        const auto now = base::SystemClock().now();
        who_ = {database_.foundation().tenant, base::PersonId::make(now)};
        const std::string id = who_.person.text();
        database_.sql("insert into person (id, tenant_id, name, role) values ('" + id + "', '" + who_.tenant.text() + "', '" + id + "', 'member')");
        in_tx([&](store::Tx& tx) {
            for (const char* asked : {"By the way, my dog is called Rex. What does he eat?", "What is the weather?"}) {
                const auto talk = base::ConversationId::make(now);
                const auto run = base::RunId::make(now);
                store::create_conversation(tx, talk, "api", "");
                store::append_message(tx, talk, run, {{"role", "user"}, {"content", asked}});
                store::append_message(tx, talk, run, {{"role", "assistant"}, {"content", "Fine."}});
                store::keep_segments(tx, talk, run, true);
            }
            store::add_document(tx, "pump.md", "# Pump\n\nThe pressure must read 1.8 bar.\n\n# Service\n\nOnce a year.\n");
            return 0;
        });
        database_.sql("update segment set said_at = said_at - interval '1 day' where audience_id = '" + id + "'");
    }

    void live(const Plan& plan, const router::Script& script) {
        static NoTools tools;
        auto* const on = new support::ScriptedAgents(store::Db::open({store::app_url(database_.cluster()) + " application_name='" + kNight + "'", 1, database_.foundation().node}).value(), tools, script, folder_);
        watch(*record_, plan);
        static boost::asio::io_context io;
        net::spawn(io.get_executor(), night(*on), [this](std::exception_ptr) { record_->crashed = true; });
        io.run();
    }
    net::Task<void> night(support::ScriptedAgents& on) {
        const base::StopToken never;
        co_await on.agents->consolidate(who_, never);
        const auto kept = co_await memory::archive(*on.db, who_, archive(), never);
        record_->ended = kept.ok();
    }
    std::filesystem::path archive() const { return folder_ / "archive"; }

    int live_once(const Plan& plan, const router::Script& script = night_reply) {
        *record_ = Record{};
        const int status = in_a_process(*record_, kLongestNight, [&] { live(plan, script); });
        if (!wait_for_backends(database_.db(), who_, kNight)) fault("PostgreSQL does not notice that a process is gone");
        return status;
    }
    void live_to_the_end() {
        const int status = live_once({});
        if (status != 0 || !record_->ended || record_->crashed) fault("a night that nobody disturbs does not end: " + std::to_string(status));
    }

    Json found() {
        return in_tx([&](store::Tx& tx) {
            const store::MemoryHealth health = store::memory_health(tx);
            Json out = {{"facts", Json::array()}, {"segments", health.segments}, {"episodes", health.episodes}, {"sections", health.sections}, {"archived", health.archived},
                        {"open", health.unsummed + health.open_documents + health.unread_sections + health.unarchived + tx.exec("select count(*) from segment where audience_id = hearth_person() and read_at is null").at(0).integer(0)}};
            for (const store::FactRecord& one : store::list_facts(tx, 100, std::nullopt, true)) {
                const auto whole = store::find_fact(tx, one.fact.id).value();
                out["facts"].push_back({whole.fact.body, whole.seen, whole.sightings.size(), whole.fact.trusted});
            }
            std::sort(out["facts"].begin(), out["facts"].end());
            for (const char* kind : {"segment", "episode"})
                for (const store::Row& row : tx.exec(std::string("select id from ") + kind + " where audience_id = hearth_person()")) {
                    const auto text = memory::archived_text(tx, archive(), row.id<store::SegmentId>(0).value);
                    if (!text) fault(std::string("the archive has lost the ") + kind + ": " + text.error().text());
                }
            return out;
        });
    }

    Json undisturbed() {
        at_ = "without a kill";
        new_person();
        live_to_the_end();
        return found();
    }

    void killed(const std::string& label, int occurrence, Moment moment, const Json& whole) {
        at_ = label + " " + std::to_string(occurrence) + " " + kMoments[int(moment)];
        new_person();
        Plan plan;
        std::strncpy(plan.label, label.c_str(), kLabelSize - 1);
        plan.occurrence = occurrence;
        plan.moment = moment;
        plan.delay_us = 300 * (occurrence + 1);
        const int status = live_once(plan);
        if (!WIFSIGNALED(status) || !record_->hit) return fault("nothing was killed there");
        ++kills_;
        live_to_the_end();
        judge(whole);
    }

    void without_model(const Json& whole) {
        at_ = "without a model";
        new_person();
        if (live_once({}, away) != 0 || record_->crashed) fault("the night breaks off");
        const Json left = found();
        if (left["segments"] != whole["segments"] || left["sections"] != whole["sections"] || !left["facts"].empty() || left["episodes"] != 0) fault("what is left: " + left.dump());
        live_to_the_end();
        judge(whole);
    }

    void judge(const Json& whole) {
        const Json now = found();
        if (now != whole) fault("what is remembered differs: " + Json::diff(whole, now).dump());
    }

    static constexpr const char* kNight = "a night";
    static constexpr std::chrono::minutes kLongestNight{2};
    support::TestDatabase& database_;
    const std::filesystem::path folder_;
    store::Identity who_;
    Record* const record_ = shared_memory<Record>();
    std::string at_;
    int kills_ = 0, faults_ = 0;
};

}  // namespace

int kill_nights(support::TestDatabase& database, const std::filesystem::path& folder) { return Nights(database, folder).run(); }

}  // namespace kill_matrix
