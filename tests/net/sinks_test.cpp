#include <gtest/gtest.h>

#include "net/log_sink.h"
#include "net/metrics_registry.h"

using base::Level;

TEST(LogSink, KeepsTheLastEntriesByLevel) {
    net::LogSink log(Level::info, true, 3);
    log.debug("not kept");
    for (int i = 0; i < 5; ++i) log.info("event", {{"n", i}});
    log.warn("careful");
    const auto all = log.recent(Level::debug, 10);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0]["fields"]["n"], 3);
    EXPECT_EQ(log.recent(Level::warn, 10).size(), 1u);
    EXPECT_EQ(log.recent(Level::debug, 1)[0]["event"], "careful");
}

TEST(LogSink, NeverHoldsAWholeKey) {
    net::LogSink log(Level::info, false);
    const std::string key = "hk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    log.info("sign-in", {{"header", "Bearer " + key}, {key, 1}});
    const std::string text = log.recent(Level::info, 1).dump();
    EXPECT_EQ(text.find(key), std::string::npos);
    EXPECT_NE(text.find("hk_01234[redacted: Hearth key]"), std::string::npos) << text;
}

TEST(LogSink, NeverHoldsAKnownSecret) {
    for (const bool json : {false, true}) {
        const auto redactor = std::make_shared<base::Redactor>();
        redactor->add(redactor->forms_of("correct horse \"battery\""));
        net::LogSink log(Level::info, json, 10, redactor);
        testing::internal::CaptureStderr();
        log.warn("said", {{"text", "it is correct horse \"battery\"."}});
        const std::string line = testing::internal::GetCapturedStderr(), kept = log.recent(Level::info, 1).dump();
        for (const auto& text : {line, kept}) {
            EXPECT_EQ(text.find("horse"), std::string::npos) << text;
            EXPECT_NE(text.find("it is [redacted: secret]."), std::string::npos) << text;
        }
    }
}

TEST(LogSink, ShowsWhatWouldActOnATerminal) {
    for (const bool json : {false, true}) {
        net::LogSink log(Level::info, json);
        testing::internal::CaptureStderr();
        log.info("said", {{"text", "a\x7f\u009b2J\u202Eb"}});
        const std::string line = testing::internal::GetCapturedStderr();
        EXPECT_NE(line.find("a\\u007f\\u009b2J\\u202eb"), std::string::npos) << line;
    }
}

TEST(Metrics, AreExposedAsText) {
    net::MetricsRegistry metrics;
    metrics.add("hearth_things_total", 2, {{"kind", "a"}});
    metrics.add("hearth_things_total", 1, {{"kind", "a"}});
    metrics.set("hearth_queue", 7, {});
    metrics.observe("hearth_wait_seconds", 0.3, {});
    const std::string text = metrics.text();
    EXPECT_NE(text.find("hearth_things_total{kind=\"a\"} 3"), std::string::npos) << text;
    EXPECT_NE(text.find("hearth_queue 7"), std::string::npos);
    EXPECT_NE(text.find("hearth_wait_seconds_bucket{le=\"0.5\"} 1"), std::string::npos);
}
