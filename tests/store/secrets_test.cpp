// Secrets against a real PostgreSQL: who opens what, and what a changed row or key gives.
#include "store/secrets.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include "on_database.h"
#include "store/conversations.h"
#include "store/facts.h"
#include "store/ledger.h"
#include "store/runs.h"
#include "store/traces.h"
#include "support/fixtures.h"

namespace {

using base::Code;
using base::Json;
using base::SecretValue;
using store::SecretOwner;
using store::Tx;
using testing::HasSubstr;

const std::string kValue = "correct horse battery staple";

struct SecretsTest : OnDatabase {
    support::TempDir folder;
    std::string state = folder.path();

    void TearDown() override {
        if (world) world->sql("delete from secret");
    }
    template <class F>
    auto with_keys(const store::Identity& who, F work) {
        return as(who, [&](Tx& tx) {
            auto keys = store::master_keys(tx, state);
            using Out = decltype(work(tx, *keys));
            return keys ? work(tx, *keys) : Out(keys.error());
        });
    }
    base::Result<store::SecretInfo> set(const store::Identity& who, const std::string& name, std::string value = kValue, SecretOwner owner = SecretOwner::person, const std::string& host = "") {
        const SecretValue secret = SecretValue::take(value);
        return with_keys(who, [&](Tx& tx, const store::MasterKeys& keys) { return store::set_secret(tx, keys, owner, name, host, secret); });
    }
    // Its value, or the error's code.
    std::string open(const store::Identity& who, const std::string& name, const std::string& host = "") {
        const auto value = with_keys(who, [&](Tx& tx, const store::MasterKeys& keys) { return store::open_secret(tx, keys, name, host); });
        return value ? std::string(value->reveal()) : std::string(base::name(value.error().code));
    }
    std::vector<std::string> names(const store::Identity& who) {
        std::vector<std::string> out;
        for (const auto& info : as(who, [](Tx& tx) { return store::list_secrets(tx); })) out.push_back(info.name);
        return out;
    }
    std::string key_file() const { return state + "/master.key"; }
    std::string key_text() const {
        std::ifstream in(key_file());
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

}  // namespace

TEST_F(SecretsTest, IsKeptSealedAndOpens) {
    const auto first = set(world->owner(), "openai");
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ(first->version, 1);
    EXPECT_EQ(open(world->owner(), "openai"), kValue);
    const std::string before = world->sql("select wrapped_key || sealed from secret");
    EXPECT_EQ(set(world->owner(), "openai", "another value")->version, 2);
    EXPECT_EQ(open(world->owner(), "openai"), "another value");
    EXPECT_EQ(set(world->owner(), "openai")->version, 3);
    EXPECT_NE(world->sql("select wrapped_key || sealed from secret"), before);  // a data key of its own
    EXPECT_EQ(world->sql("select count(*) from secret where secret::text like '%horse%'"), "0");
    EXPECT_EQ(open(world->owner(), "other"), "not_found");
    EXPECT_TRUE(as(world->owner(), [](Tx& tx) { return store::remove_secret(tx, SecretOwner::person, "openai"); }));
    EXPECT_EQ(open(world->owner(), "openai"), "not_found");
    EXPECT_FALSE(as(world->owner(), [](Tx& tx) { return store::remove_secret(tx, SecretOwner::person, "openai"); }));
}

TEST_F(SecretsTest, AnotherPersonsNeitherListsNorOpensNorChanges) {
    ASSERT_TRUE(set(world->owner(), "mine"));
    ASSERT_TRUE(set(world->member(), "theirs", "the member's value"));
    EXPECT_THAT(names(world->owner()), testing::ElementsAre("mine"));
    EXPECT_THAT(names(world->member()), testing::ElementsAre("theirs"));
    EXPECT_THAT(names({world->owner().tenant, {}}), testing::IsEmpty());
    EXPECT_EQ(open(world->member(), "mine"), "not_found");
    EXPECT_EQ(open(world->owner(), "theirs"), "not_found");
    EXPECT_FALSE(as(world->member(), [](Tx& tx) { return store::remove_secret(tx, SecretOwner::person, "mine"); }));
    EXPECT_EQ(open(world->owner(), "mine"), kValue);
}

TEST_F(SecretsTest, TheHouseholdsIsEverybodysToUseAndTheOwnersToChange) {
    ASSERT_TRUE(set(world->owner(), "wifi", kValue, SecretOwner::tenant));
    EXPECT_EQ(open(world->member(), "wifi"), kValue);
    EXPECT_THAT(names(world->member()), testing::ElementsAre("wifi"));
    EXPECT_EQ(set(world->member(), "wifi", "another value", SecretOwner::tenant).error().code, Code::permission_denied);
    EXPECT_EQ(set(world->member(), "new", "another value", SecretOwner::tenant).error().code, Code::permission_denied);
    EXPECT_FALSE(as(world->member(), [](Tx& tx) { return store::remove_secret(tx, SecretOwner::tenant, "wifi"); }));
    const auto rotated = with_keys(world->member(), [](Tx& tx, const store::MasterKeys& keys) { return store::rotate_secrets(tx, keys, ""); });
    ASSERT_TRUE(rotated);
    EXPECT_TRUE(rotated->empty());
    ASSERT_TRUE(set(world->member(), "wifi", "my own value"));
    EXPECT_EQ(open(world->member(), "wifi"), "my own value");  // one's own comes first
    EXPECT_EQ(open(world->owner(), "wifi"), kValue);
}

TEST_F(SecretsTest, AMovedOrChangedRowDoesNotOpen) {
    const std::string member = world->member().person.text(), owner = world->owner().person.text(), tenant = world->owner().tenant.text();
    const std::string changes[] = {
        "audience_id = '" + member + "'", "audience_id = '" + tenant + "'", "name = 'other'", "version = 2", "host = 'evil.example'",
        "sealed = (select sealed from secret where name = 'second')", "wrapped_key = (select wrapped_key from secret where name = 'second')",
        "(sealed, wrapped_key) = (select sealed, wrapped_key from secret where name = 'second')",
        "sealed = overlay(sealed placing 'AAAA' from 60)", "sealed = ''", "wrapped_key = 'no base64!'", "master_key = '0000000000000000'",
    };
    for (const auto& change : changes) {
        SCOPED_TRACE(change);
        ASSERT_TRUE(set(world->owner(), "openai"));
        ASSERT_TRUE(set(world->owner(), "second", "the second value"));
        EXPECT_EQ(open(world->owner(), "openai"), kValue);
        world->sql("update secret set " + change + " where name = 'openai'");
        for (const auto& who : {world->owner(), world->member()})
            for (const char* name : {"openai", "other"}) EXPECT_THAT(open(who, name, "evil.example"), testing::AnyOf("corrupt", "not_found"));
        world->sql("delete from secret");
    }
}

TEST_F(SecretsTest, GoesToItsHostAlone) {
    ASSERT_TRUE(set(world->owner(), "openai", kValue, SecretOwner::person, "api.openai.com"));
    EXPECT_EQ(open(world->owner(), "openai", "api.openai.com"), kValue);
    EXPECT_EQ(open(world->owner(), "openai", "api.openai.com.evil.example"), "permission_denied");
    EXPECT_EQ(open(world->owner(), "openai", ""), "permission_denied");
}

TEST_F(SecretsTest, GoesToCallsOfItsToolsAlone) {
    const auto set_for = [&](const store::Identity& who, const std::string& name, std::vector<std::string> tools, const std::string& host = "") {
        std::string text = kValue;
        const SecretValue value = SecretValue::take(text);
        return with_keys(who, [&](Tx& tx, const store::MasterKeys& keys) { return store::set_secret(tx, keys, SecretOwner::person, name, host, value, tools); });
    };
    const auto open_for = [&](const store::Identity& who, const std::string& name, const std::string& tool) {
        const auto may = as(who, [&](Tx& tx) { return store::may_open_secret_for(tx, name, tool); });
        const auto value = with_keys(who, [&](Tx& tx, const store::MasterKeys& keys) { return store::open_secret_for(tx, keys, name, tool); });
        if (!value && value.error().code != Code::corrupt) {
            EXPECT_EQ(may.error().text(), value.error().text());
            EXPECT_THAT(may.error().text(), testing::AllOf(HasSubstr("secret:" + name), HasSubstr("hearth secret set " + name + " --for " + tool)));
        }
        return value ? std::string(value->reveal()) : std::string(base::name(value.error().code));
    };
    const store::Identity owner = world->owner();
    const auto made = set_for(owner, "github", {"send", "bash", "bash"});
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_THAT(made->tools, testing::ElementsAre("bash", "send"));
    EXPECT_THAT(as(owner, [](Tx& tx) { return store::list_secrets(tx); }).at(0).tools, testing::ElementsAre("bash", "send"));
    EXPECT_EQ(open_for(owner, "github", "bash"), kValue);
    EXPECT_EQ(open_for(owner, "github", "send"), kValue);
    EXPECT_EQ(open_for(owner, "github", "bas"), "permission_denied");
    EXPECT_EQ(open_for(owner, "github", ""), "permission_denied");
    EXPECT_EQ(open_for(world->member(), "github", "bash"), "not_found");
    EXPECT_EQ(open(owner, "github", "api.github.com"), "permission_denied") << "no upstream gets it";
    ASSERT_TRUE(set(owner, "openai"));
    EXPECT_EQ(open_for(owner, "openai", "bash"), "permission_denied") << "it is for upstreams";
    EXPECT_EQ(set_for(owner, "both", {"bash"}, "api.github.com").error().code, Code::invalid_argument);
    ASSERT_TRUE(with_keys(owner, [](Tx& tx, const store::MasterKeys& keys) { return store::rotate_secrets(tx, keys, ""); }));
    ASSERT_TRUE(store::rotate_master_key(world->db(), owner, state));
    EXPECT_EQ(open_for(owner, "github", "bash"), kValue);
    // Whoever can write the table widens nothing.
    world->sql("update secret set tools = 'bash'");
    EXPECT_EQ(open_for(owner, "github", "bash"), "corrupt");
    EXPECT_EQ(open_for(owner, "openai", "bash"), "corrupt");
    world->sql("update secret set tools = ''");
    EXPECT_EQ(open(owner, "github"), "corrupt");
}

TEST_F(SecretsTest, RefusesWhatCouldNotBeKeptOutOfLogs) {
    EXPECT_EQ(set(world->owner(), "short", "1234567").error().code, Code::invalid_argument);
    EXPECT_EQ(set(world->owner(), "binary", std::string("abcdefgh\0i", 10)).error().code, Code::invalid_argument);
    EXPECT_EQ(set(world->owner(), "latin", "abcdefgh\xe4").error().code, Code::invalid_argument);
    EXPECT_EQ(set(world->owner(), "long", std::string((64 << 10) + 1, 'x')).error().code, Code::invalid_argument);
    EXPECT_TRUE(set(world->owner(), "longest", std::string(64 << 10, 'x')));
    for (const char* name : {"", "1st", "a b", "a/b", "secret:x", "n\xc3\xa4me"}) EXPECT_FALSE(set(world->owner(), name)) << name;
    const auto raw = store::secret_name("sk-this-is-the-key-itself");
    ASSERT_FALSE(raw);
    EXPECT_THAT(raw.error().text(), testing::Not(HasSubstr("itself")));
    EXPECT_EQ(*store::secret_name("secret:openai"), "openai");
}

TEST_F(SecretsTest, TheMasterKeyIsItsOwnersAloneAndNeverMadeTwice) {
    ASSERT_TRUE(set(world->owner(), "openai"));
    struct stat info {};
    ASSERT_EQ(stat(key_file().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    const std::string text = key_text();
    for (const unsigned mode : {0640u, 0604u, 0660u}) {
        chmod(key_file().c_str(), mode);
        EXPECT_EQ(open(world->owner(), "openai"), "permission_denied");
        EXPECT_EQ(set(world->owner(), "more").error().code, Code::permission_denied);
    }
    chmod(key_file().c_str(), 0600);
    EXPECT_EQ(open(world->owner(), "openai"), kValue);

    std::filesystem::rename(key_file(), state + "/away");
    const auto lost = set(world->owner(), "more");
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Code::not_found);
    EXPECT_THAT(lost.error().message, HasSubstr("holds 1 secrets"));
    EXPECT_FALSE(std::filesystem::exists(key_file()));
    std::filesystem::create_symlink(state + "/away", key_file());
    EXPECT_EQ(open(world->owner(), "openai"), "permission_denied");
    std::filesystem::remove(key_file());
    std::filesystem::rename(state + "/away", key_file());
    EXPECT_EQ(open(world->owner(), "openai"), kValue);

    for (const std::string& damaged : {std::string(), text.substr(0, 20), text + "x", std::string(44, '!') + "\n"}) {
        std::ofstream(key_file(), std::ios::trunc) << damaged;
        EXPECT_EQ(open(world->owner(), "openai"), "corrupt") << damaged;
    }
    // Another one is told apart from damage.
    std::filesystem::remove(key_file());
    ASSERT_TRUE(store::MasterKeys::make(state));
    EXPECT_EQ(store::MasterKeys::make(state).error().code, Code::conflict);
    const auto foreign = with_keys(world->owner(), [&](Tx& tx, const store::MasterKeys& keys) { return store::open_secret(tx, keys, "openai", ""); });
    EXPECT_THAT(foreign.error().message, HasSubstr("under another master key"));
}

TEST_F(SecretsTest, AWrongMasterKeyIsNamedBeforeAnySecretIsWanted) {
    const auto check = [&] { return as(store::Identity{}, [&](Tx& tx) { return store::check_secrets(tx, state); }); };
    EXPECT_TRUE(check()) << "no secret, no key";
    ASSERT_TRUE(set(world->owner(), "openai"));
    ASSERT_TRUE(set(world->member(), "theirs"));
    EXPECT_TRUE(check());
    const std::string kept = key_text();
    std::filesystem::remove(key_file());
    EXPECT_THAT(check().error().text(), HasSubstr("2 secrets that only it opens"));
    ASSERT_TRUE(store::MasterKeys::make(state));
    EXPECT_THAT(check().error().text(), testing::AllOf(HasSubstr("of 2 secrets 2 do not open"), HasSubstr("openai, theirs"), HasSubstr("master.key from a backup")));
    ASSERT_TRUE(set(world->owner(), "openai"));
    EXPECT_THAT(check().error().text(), testing::AllOf(HasSubstr("of 2 secrets 1 do not open"), HasSubstr("theirs"))) << "one was set again";
    EXPECT_EQ(check().error().code, Code::conflict);
    std::ofstream(key_file(), std::ios::trunc) << "no key";
    EXPECT_EQ(check().error().code, Code::corrupt);
    std::ofstream(key_file(), std::ios::trunc) << kept;
    EXPECT_THAT(check().error().text(), HasSubstr("openai"));
}

TEST_F(SecretsTest, WhatWasKnownStaysKnownWhenTheSecretsChange) {
    base::Redactor redactor;
    std::string learnt;
    redactor.add(redactor.forms_of("a key of a file"));
    const auto learn = [&] { as(store::Identity{}, [&](Tx& tx) { store::learn_secrets(tx, state, redactor, learnt); }); };
    for (const char* value : {"the first secret", "the second secret"}) {
        ASSERT_TRUE(set(world->owner(), "s", value));
        learn();
    }
    world->sql("delete from secret");
    learn();
    EXPECT_EQ(redactor.without_known(std::string("a key of a file, the first secret, the second secret")), "[redacted: secret], [redacted: secret], [redacted: secret]");
}

TEST_F(SecretsTest, RotationChangesKeysAndNoValue) {
    ASSERT_TRUE(set(world->owner(), "openai"));
    ASSERT_TRUE(set(world->member(), "theirs", "the member's value"));
    const auto rows = [&] { return world->sql("select string_agg(master_key || wrapped_key || sealed, ' ' order by name) from secret"); };
    const std::string before = rows();
    const auto rotated = with_keys(world->owner(), [](Tx& tx, const store::MasterKeys& keys) { return store::rotate_secrets(tx, keys, "openai"); });
    ASSERT_TRUE(rotated);
    EXPECT_EQ(rotated->at(0).version, 2);
    EXPECT_NE(rows(), before);
    EXPECT_EQ(open(world->owner(), "openai"), kValue);

    const std::string old_key = key_text(), old_rows = rows();
    const auto count = store::rotate_master_key(world->db(), world->owner(), state);
    ASSERT_TRUE(count) << count.error().text();
    EXPECT_EQ(*count, 2);
    EXPECT_EQ(key_text().size(), old_key.size());  // the old one is gone
    EXPECT_NE(key_text(), old_key);
    EXPECT_NE(rows(), old_rows);
    EXPECT_EQ(open(world->owner(), "openai"), kValue);
    EXPECT_EQ(open(world->member(), "theirs"), "the member's value");

    // One that was cut off after its key was added, before any row was written: all opens, and the next finishes it.
    auto keys = store::MasterKeys::read(state);
    ASSERT_TRUE(keys->add(state));
    EXPECT_EQ(open(world->owner(), "openai"), kValue);
    ASSERT_TRUE(store::rotate_master_key(world->db(), world->owner(), state));
    EXPECT_EQ(store::MasterKeys::read(state)->size(), 1u);
    EXPECT_EQ(open(world->member(), "theirs"), "the member's value");
}

TEST_F(SecretsTest, WhatIsSetDuringARotationOpensAfterIt) {
    ASSERT_TRUE(set(world->owner(), "first"));
    std::atomic<bool> ending = false;
    std::thread rotating([&] {
        while (!ending) EXPECT_TRUE(store::rotate_master_key(world->db(), world->owner(), state));
    });
    for (int i = 0; i < 30; ++i) {
        const std::string name = "s" + std::to_string(i);
        EXPECT_TRUE(set(world->owner(), name, kValue + name));
        EXPECT_EQ(open(world->owner(), name), kValue + name);
    }
    ending = true;
    rotating.join();
    for (int i = 0; i < 30; ++i) EXPECT_EQ(open(world->owner(), "s" + std::to_string(i)), kValue + "s" + std::to_string(i));
}

// Whatever writes down what people, models and programs say: the database never holds a registered value.
TEST_F(SecretsTest, ARegisteredValueNeverReachesTheDatabase) {
    const auto redactor = std::make_shared<base::Redactor>();
    auto db = store::Db::open({store::app_url(world->cluster()), 2, world->foundation().node, redactor});
    ASSERT_TRUE(db);
    const auto owner = world->owner();
    const auto write = [&](auto work) { return (*db)->run_blocking(owner, work); };
    std::mt19937 random(11);
    std::string learnt;
    for (int round = 0; round < 12; ++round) {
        std::string value = "v" + std::to_string(random()) + (round % 3 == 0 ? "\"\\\n" : "-") + std::to_string(random());
        const std::string kept = value;
        ASSERT_TRUE(set(round % 2 ? owner : world->member(), "s", value, SecretOwner::person));  // another's too
        write([&](Tx& tx) { store::learn_secrets(tx, state, *redactor, learnt); return 0; });
        const Json said = {{"text", "it is " + kept + "."}, {kept, {{"arguments", Json{{"a", kept}}.dump()}}}};
        const auto run = base::RunId::make(base::SystemClock().now());
        const auto conversation = base::ConversationId::make(base::SystemClock().now());
        {
            const auto lease = store::lease_new_run(**db, run);
            base::NullLog log;
            store::TraceSink sink(**db, log);
            write([&](Tx& tx) {
                store::create_conversation(tx, conversation, "api", "");
                store::create_run(tx, *lease, conversation, store::append_message(tx, conversation, {}, {{"role", "user"}, {"content", kept}}), "hearth");
                store::remember(tx, "they said " + kept, run);
                return 0;
            });
            store::StepIntent intent{run, 1, "tool", "bash", "pure", "c1", said};
            const auto step = write([&](Tx& tx) { return store::write_intent(tx, intent); });
            write([&](Tx& tx) { store::write_outcome(tx, intent, step, "done", said); return 0; });
            write([&](Tx& tx) { store::save_turn(tx, run, 1, said); return 0; });
            base::Span span;
            span.id = base::SpanId::make(base::SystemClock().now());
            span.run = run;
            span.tenant = owner.tenant;
            span.person = owner.person;
            span.kind = "tool";
            span.name = span.error = "failed with " + kept;
            span.attributes = span.body = said;
            sink.emit(span);
            store::ModelCall call;
            call.id = span.id;
            call.tenant = owner.tenant;
            call.person = owner.person;
            call.error = "key " + kept + " was refused";
            call.fallbacks = Json::array({{{"backend", "up"}, {"reason", kept}}});
            sink.emit(call);
            sink.emit(store::TelemetryEvent{"GRAPH_NODE_DONE", "copilot", 1, "because " + kept, owner.tenant, run, owner.person});
            sink.flush();
            EXPECT_EQ(sink.dropped(), 0u);
            write([&](Tx& tx) { store::finish_run(tx, run, 1, "failed", "because " + kept, Json::object(), said); return 0; });
            // What was said is recognised when a client tells it again.
            const std::vector<Json> told = {{{"role", "user"}, {"content", kept}}, {{"role", "user"}, {"content", "and now?"}}};
            EXPECT_EQ(write([&](Tx& tx) { return store::match_history(tx, conversation, told); }).value(), 1u);
        }
        const std::string inside = Json(kept).dump().substr(1, Json(kept).dump().size() - 2);
        const std::string tables = world->sql("select string_agg(format('select %L where exists (select from %I t where position(%L in t::text) > 0 or position(%L in replace(t::text, ''\"\"'', ''\"'')) > 0)', relname, relname, '" + kept +
                                              "', '" + inside + "'), ' union all ') from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'");
        EXPECT_EQ(world->sql("select coalesce(string_agg(found, ','), '') from (" + tables + ") t(found)"), "") << kept;
    }
    EXPECT_GT(std::stoi(world->sql("select count(*) from step where outcome::text like '%[redacted: secret]%'")), 0);
}
