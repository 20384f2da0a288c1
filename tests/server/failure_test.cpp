// What clients are told when the database or its disk fails.
#include "server/failure.h"

#include <gmock/gmock.h>

#include "routes_harness.h"

namespace server::testing {
namespace {

using ::testing::HasSubstr;
using store::DbError;

class Failure : public Routes {
protected:
    base::Error told(std::exception_ptr failure) { return explain(failure, "a request", *services); }
};

TEST_F(Failure, ALostDatabaseIsNamedWithItsReason) {
    services->database_trouble = [] { return std::string("PostgreSQL was stopped (hearth db start starts it)"); };
    const auto error = told(std::make_exception_ptr(DbError(DbError::Kind::connection, "secret host")));
    EXPECT_EQ(error.code, base::Code::unavailable);
    EXPECT_THAT(error.message, HasSubstr("hearth db start"));
    EXPECT_THAT(error.text(), ::testing::Not(HasSubstr("secret")));
    const Response health = call("GET", "/health");
    EXPECT_EQ(health.status, 503);
    EXPECT_EQ(json(health)["status"], "down");
}

TEST_F(Failure, AFullDiskIsNamed) {
    const auto error = told(std::make_exception_ptr(DbError(DbError::Kind::disk_full, "could not extend file")));
    EXPECT_EQ(error.code, base::Code::unavailable);
    EXPECT_THAT(error.message, HasSubstr("disk of the database is full"));
    EXPECT_THAT(error.remedy, HasSubstr("free some space"));
}

TEST_F(Failure, AnythingElseIsInternalAndStaysInTheLog) {
    const auto error = told(std::make_exception_ptr(std::runtime_error("secret detail")));
    EXPECT_EQ(error.code, base::Code::internal);
    EXPECT_THAT(error.text(), ::testing::Not(HasSubstr("secret")));
}

TEST_F(Failure, ANearlyFullDiskTakesNothingNewInAndStillShowsWhatThereIs) {
    services->may_accept = [] { return base::Result<void>(base::error(base::Code::resource_exhausted, "the disk of /s has 3 MiB left", "free some space")); };
    for (const char* path : {"/v1/chat/completions", "/v0/dev/chat", "/v1/keys"}) {
        const Response refused = call("POST", path, bare());
        EXPECT_EQ(refused.status, 503) << path;
        EXPECT_EQ(json(refused)["error"]["code"], "disk_full") << path;
        EXPECT_THAT(json(refused)["error"]["message"].get<std::string>(), HasSubstr("3 MiB left")) << path;
    }
    EXPECT_EQ(call("GET", "/v1/runs").status, 200);
    services->may_accept = [] { return base::Result<void>(); };
    says("hello");
    EXPECT_EQ(call("POST", "/v1/chat/completions", bare()).status, 200);
}

}  // namespace
}  // namespace server::testing
