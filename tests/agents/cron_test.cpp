// Cron expressions against what independent implementations make of them, and daylight saving time by hand.
#include "agents/cron.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "support/fixtures.h"

namespace {

using agents::Cron;
using agents::Zone;
using base::Json;
using base::TimePoint;
using testing::HasSubstr;

// "2021-03-28T02:00:00+02:00", "…Z", or without an offset as UTC.
TimePoint time_of(const std::string& text) {
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, used = 0, oh = 0, om = 0;
    if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d%n", &y, &mo, &d, &h, &mi, &s, &used) < 6) ADD_FAILURE() << text;
    const std::string rest = text.substr(std::size_t(used));
    int sign = 0;
    if (rest.size() >= 6 && std::sscanf(rest.c_str() + rest.size() - 5, "%d:%d", &oh, &om) == 2) sign = rest[rest.size() - 6] == '-' ? -1 : 1;
    const std::chrono::year_month_day date{std::chrono::year(y), std::chrono::month(unsigned(mo)), std::chrono::day(unsigned(d))};
    return std::chrono::sys_days(date) + std::chrono::hours(h) + std::chrono::minutes(mi) + std::chrono::seconds(s) - sign * (std::chrono::hours(oh) + std::chrono::minutes(om));
}

std::string text_of(std::optional<TimePoint> t) { return t ? base::rfc3339(*t).substr(0, 19) : "never"; }

Zone zone_of(std::string name) {
    if (const auto at = name.find("zoneinfo/"); at != name.npos) name = name.substr(at + 9);
    return Zone::find(name).value();
}

std::size_t fields(const std::string& expression) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < expression.size(); ++i) out += expression[i] != ' ' && (i == 0 || expression[i - 1] == ' ');
    return out;
}

// A step over all days beside a restricted other field of days: both must hold here, as for Debian's cron and cronsim; croniter and
// robfig take either.
bool is_disputed(const std::string& expression) {
    std::istringstream in(expression);
    std::string minute, hour, day, month, weekday;
    in >> minute >> hour >> day >> month >> weekday;
    return (day.starts_with("*/") && weekday != "*") || (weekday.starts_with("*/") && day != "*");
}

bool is_day_to_itself(const std::string& expression) {
    const std::string last = expression.substr(expression.rfind(' ') + 1);
    const std::size_t dash = last.find('-');
    return dash != last.npos && last.substr(0, dash) == last.substr(dash + 1);
}

std::vector<Json> lines(const std::string& file) {
    std::vector<Json> out;
    std::ifstream in(*support::vectors_dir() / "cron" / file);
    for (std::string line; std::getline(in, line);) out.push_back(Json::parse(line));
    return out;
}

struct CronVectors : testing::Test {
    void SetUp() override {
        if (!support::vectors_dir()) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    }
};

TEST_F(CronVectors, IsDueWhereTwoImplementationsAgree) {
    const Json all = Json::parse(support::read_text(*support::vectors_dir() / "cron/crosscheck_tz.json"));
    ASSERT_GT(all["agree"].size(), 1400u);
    for (const Json& one : all["agree"]) {
        SCOPED_TRACE(one["expr"].get<std::string>() + " in " + one["tz"].get<std::string>() + " from " + one["start"].get<std::string>());
        const Cron cron = Cron::parse(one["expr"].get<std::string>()).value();
        const Zone zone = zone_of(one["tz"]);
        std::optional<TimePoint> at = time_of(one["start"]);
        for (const Json& next : one["next_utc"]) {
            at = cron.next(*at, zone);
            ASSERT_EQ(text_of(at), next.get<std::string>().substr(0, 19));
        }
    }
}

// Where they differ over daylight saving time, as Debian's cron.
TEST_F(CronVectors, GoesByDebiansRuleWhereTheyDiffer) {
    const Json all = Json::parse(support::read_text(*support::vectors_dir() / "cron/crosscheck_tz.json"));
    ASSERT_GT(all["disagree"].size(), 50u);
    for (const Json& one : all["disagree"]) {
        SCOPED_TRACE(one["expr"].get<std::string>() + " in " + one["tz"].get<std::string>() + " from " + one["start"].get<std::string>());
        const Cron cron = Cron::parse(one["expr"].get<std::string>()).value();
        std::optional<TimePoint> at = time_of(one["start"]);
        for (const Json& next : one["cronsim"]) {
            at = cron.next(*at, zone_of(one["tz"]));
            ASSERT_EQ(text_of(at), text_of(time_of(next)));
        }
    }
}

TEST_F(CronVectors, IsWhatCronsimSays) {
    int compared = 0, refused = 0;
    for (const Json& one : lines("cronsim_recorded.jsonl")) {
        const std::string expression = one["expr"];
        SCOPED_TRACE(one["id"].get<std::string>() + " " + expression);
        const auto cron = Cron::parse(expression);
        if (one.contains("error")) {
            EXPECT_FALSE(cron);
            ++refused;
            continue;
        }
        if (fields(expression) != 5 || one["reverse"].get<bool>()) continue;
        ASSERT_TRUE(cron) << cron.error().text();
        std::optional<TimePoint> at = time_of(one["start"]["iso"]);
        for (const Json& next : one["next"]) {
            at = cron->next(*at, zone_of(one["start"].value("tz", "UTC")));
            ASSERT_EQ(text_of(at), next == "StopIteration" ? "never" : text_of(time_of(next["iso"])));
        }
        ++compared;
    }
    EXPECT_GT(compared, 130);
    EXPECT_GT(refused, 220);
}

// What croniter takes beyond five plain fields is not taken here; a range from a day to the same day is that day here, the week there.
TEST_F(CronVectors, IsWhatCroniterSays) {
    int compared = 0;
    for (const Json& one : lines("croniter_recorded.jsonl")) {
        if (!one.contains("calls") || one["options"] != Json::object() || one["start"].is_null()) continue;
        const std::string expression = one["expr"];
        const auto cron = Cron::parse(expression);
        if (!cron || one["start"].contains("tz") || is_disputed(expression) || is_day_to_itself(expression)) continue;
        if (!one["start"].contains("iso")) continue;
        SCOPED_TRACE(one["id"].get<std::string>() + " " + expression);
        std::optional<TimePoint> at = time_of(one["start"]["iso"]);
        for (const Json& call : one["calls"]) {
            if (call["call"] != "get_next" || !call.contains("result") || !call["result"].contains("iso")) break;
            at = cron->next(*at, Zone::utc());
            ASSERT_EQ(text_of(at), text_of(time_of(call["result"]["iso"])));
            ++compared;
        }
    }
    EXPECT_GT(compared, 500);
}

// Of robfig's cases those that are due to the minute.
TEST_F(CronVectors, IsWhatRobfigSays) {
    const Json all = Json::parse(support::read_text(*support::vectors_dir() / "cron/robfig_spec.json"));
    int compared = 0;
    for (const Json& one : all["activation"]) {
        SCOPED_TRACE(one.dump());
        const auto cron = Cron::parse(one["spec"].get<std::string>());
        if (!cron || is_disputed(one["spec"])) continue;
        char day[8], month[8];
        int d = 0, h = 0, m = 0, y = 0;
        ASSERT_EQ(std::sscanf(one["time"].get<std::string>().c_str(), "%7s %7s %d %d:%d %d", day, month, &d, &h, &m, &y), 6);
        const unsigned number = unsigned(std::string("JanFebMarAprMayJunJulAugSepOctNovDec").find(month)) / 3 + 1;
        const TimePoint at = std::chrono::sys_days(std::chrono::year(y) / std::chrono::month(number) / d) + std::chrono::hours(h) + std::chrono::minutes(m);
        EXPECT_EQ(cron->next(at - std::chrono::minutes(1), Zone::utc()) == at, one["fires"].get<bool>());
        ++compared;
    }
    EXPECT_GT(compared, 20);
}

std::vector<std::string> due(const std::string& expression, const std::string& zone, const std::string& from, int count) {
    const Cron cron = Cron::parse(expression).value();
    std::vector<std::string> out;
    std::optional<TimePoint> at = time_of(from);
    for (int i = 0; i < count && at; ++i) out.push_back(text_of(at = cron.next(*at, zone_of(zone))));
    return out;
}

// In Paris 02:00 to 03:00 is left out on 28 March 2027, and comes twice on 31 October.
TEST(Cron, NamedMinutesAreDueOnceADayWhateverTheClockDoes) {
    EXPECT_THAT(due("30 2 * * *", "Europe/Paris", "2027-03-27T12:00:00", 2), testing::ElementsAre("2027-03-28T01:00:00", "2027-03-29T00:30:00"));
    EXPECT_THAT(due("0,30 2 * * *", "Europe/Paris", "2027-03-28T00:30:00", 2), testing::ElementsAre("2027-03-28T01:00:00", "2027-03-29T00:00:00"));
    EXPECT_THAT(due("30 2 * * *", "Europe/Paris", "2027-10-30T12:00:00", 2), testing::ElementsAre("2027-10-31T00:30:00", "2027-11-01T01:30:00"));
    EXPECT_THAT(due("30 2 * * *", "Europe/Paris", "2027-10-31T00:31:00", 1), testing::ElementsAre("2027-11-01T01:30:00")) << "not in the hour that comes again";
    EXPECT_THAT(due("30 * * * *", "Europe/Paris", "2027-10-31T00:00:00", 3), testing::ElementsAre("2027-10-31T00:30:00", "2027-10-31T01:30:00", "2027-10-31T02:30:00"));
    EXPECT_THAT(due("0 8 * * *", "Australia/Lord_Howe", "2027-04-03T12:00:00", 1), testing::ElementsAre("2027-04-03T21:30:00")) << "half an hour";
}

TEST(Cron, CountsDaysAndWeeksFromADay) {
    EXPECT_THAT(due("0 8 * * * 2d@2027-03-27", "Europe/Paris", "2027-03-26T12:00:00", 3), testing::ElementsAre("2027-03-27T07:00:00", "2027-03-29T06:00:00", "2027-03-31T06:00:00")) << "over the end of the hour that is left out";
    EXPECT_THAT(due("0 8 * * * 2d@2027-03-27", "UTC", "2027-03-31T12:00:00", 2), testing::ElementsAre("2027-04-02T08:00:00", "2027-04-04T08:00:00")) << "and of the month";
    EXPECT_THAT(due("0 8 * * 1,5 2w@2027-03-04", "UTC", "2027-02-28T12:00:00", 4), testing::ElementsAre("2027-03-01T08:00:00", "2027-03-05T08:00:00", "2027-03-15T08:00:00", "2027-03-19T08:00:00"));
    EXPECT_THAT(due("0 8 * * * 3d@2027-03-27", "UTC", "2027-03-19T12:00:00", 2), testing::ElementsAre("2027-03-21T08:00:00", "2027-03-24T08:00:00")) << "before it, too";
    const auto kept = [](const std::string& text) { return Cron::parse(text).value().text(); };
    EXPECT_EQ(kept("0 8 * * * 2d@2027-03-27"), kept("0 8 * * * 2D@2027-03-29")) << "one spelling of one phase";
    EXPECT_NE(kept("0 8 * * * 2d@2027-03-27"), kept("0 8 * * * 2d@2027-03-28"));
    EXPECT_EQ(kept(kept("0 8 * * 1 3w@2027-03-27")), kept("0 8 * * 1 3w@2027-03-22"));
}

TEST(Cron, SaysWhatIsWrong) {
    const auto wrong = [](const std::string& text) { return Cron::parse(text).error().text(); };
    EXPECT_THAT(wrong("0 24 * * *"), HasSubstr("the hour '24'"));
    EXPECT_THAT(wrong("0 8 * * * *"), HasSubstr("has 6 fields"));
    for (const char* stride : {"2d@", "@2027-03-27", "0d@2027-03-27", "367d@2027-03-27", "2m@2027-03-27", "2d@2027-02-29", "2d@27-03-2027"}) EXPECT_THAT(wrong(std::string("0 8 * * * ") + stride), HasSubstr("the sixth field")) << stride;
    EXPECT_THAT(wrong("*/0 8 * * *"), HasSubstr("the minute '*/0'"));
    EXPECT_THAT(wrong("0 8 31 4 *"), HasSubstr("has a day '31'"));
    EXPECT_THAT(wrong("0 8 1,,2 * *"), HasSubstr("day of the month '1,,2'"));
}

TEST(Cron, FindsTheLastOneOfALongTime) {
    const Zone paris = zone_of("Europe/Paris");
    const auto last = [&](const std::string& text, const std::string& from, const std::string& until) { return text_of(Cron::parse(text).value().last(time_of(from), time_of(until), paris)); };
    EXPECT_EQ(last("* * * * *", "2020-01-01T00:00:00", "2027-03-28T12:00:30"), "2027-03-28T12:00:00");
    EXPECT_EQ(last("0 8 * * 1", "2020-01-01T00:00:00", "2027-03-28T12:00:00"), "2027-03-22T07:00:00");
    EXPECT_EQ(last("0 0 29 2 *", "2020-01-01T00:00:00", "2027-03-28T12:00:00"), "2024-02-28T23:00:00");
    EXPECT_EQ(last("0 0 29 2 *", "2025-01-01T00:00:00", "2027-03-28T12:00:00"), "never");
    EXPECT_EQ(last("0 8 * * *", "2027-03-28T06:00:00", "2027-03-28T06:00:00"), "2027-03-28T06:00:00") << "both ends are of it";
}

TEST(Zone, SaysWhichThereIsNot) {
    EXPECT_EQ(Zone::find("Europe/Lutetia").error().code, base::Code::not_found);
    EXPECT_THAT(Zone::find("../../etc/passwd").error().text(), HasSubstr("'../../etc/passwd'"));
    EXPECT_EQ(zone_of("Asia/Kathmandu").local(time_of("2026-01-01T00:00:00")).time_since_epoch() - time_of("2026-01-01T00:00:00").time_since_epoch(), std::chrono::minutes(345));
    EXPECT_EQ(agents::wall_text(zone_of("Europe/Paris").local(time_of("2026-03-09T07:00:00"))), "Mon 2026-03-09 08:00");
}

}  // namespace
