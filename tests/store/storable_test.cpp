// Texts from outside on their way into PostgreSQL, and records that it refuses.
#include "store/storable.h"

#include "made_run.h"
#include "on_database.h"
#include "store/traces.h"

namespace {

using base::Json;
using store::Tx;

TEST(Storable, IsUtf8WithoutZero) {
    EXPECT_TRUE(store::is_storable(""));
    EXPECT_TRUE(store::is_storable("ä€🜁\n"));
    for (const std::string_view text : {std::string_view("a\0", 2), std::string_view("\xfc"), std::string_view("x\xc3")}) {
        EXPECT_FALSE(store::is_storable(text));
        EXPECT_TRUE(store::is_storable(store::storable(text)));
    }
    EXPECT_EQ(store::storable("ä\xfcö"), "ä\uFFFDö");
}

struct StorableTest : OnDatabase {
    base::NullLog log;

    base::RunId make_run() { return ::make_run(world->db(), world->owner()).run; }

    base::Span span_of(base::RunId run, std::string name, std::string error = {}) const {
        base::Span span;
        span.id = base::SpanId::make(base::SystemClock().now());
        span.run = run;
        span.tenant = world->owner().tenant;
        span.person = world->owner().person;
        span.kind = "tool";
        span.name = std::move(name);
        span.error = std::move(error);
        span.started = base::SystemClock().now();
        return span;
    }
    store::Trace trace(base::RunId run) {
        return as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, run); });
    }
};

TEST_F(StorableTest, NoTextEndsATransaction) {
    const std::string latin = "Gateway nicht verf\xfcgbar", zero("a\0b", 3), fine = "ä€🜁";
    as(world->owner(), [&](Tx& tx) {
        EXPECT_EQ(tx.exec("select $1::text", {latin}).at(0).text(0), "Gateway nicht verf\uFFFDgbar");
        EXPECT_EQ(tx.exec("select $1::text", {zero}).at(0).text(0), "a\uFFFDb");
        EXPECT_EQ(tx.exec("select $1::json ->> 'x'", {Json{{"x", latin}}}).at(0).text(0), "Gateway nicht verf\uFFFDgbar");
        EXPECT_EQ(tx.exec("select $1::text", {fine}).at(0).text(0), fine);
    });
}

TEST_F(StorableTest, ATraceOfAnyTextIsWrittenAndHolds) {
    const base::RunId run = make_run();
    store::TraceSink sink(world->db(), log);
    sink.emit(span_of(run, std::string("na\0me", 5), "the pattern \"x\xc3"));
    sink.flush();
    EXPECT_EQ(sink.dropped(), 0u);
    const store::Trace written = trace(run);
    ASSERT_EQ(written.spans.size(), 1u);
    EXPECT_EQ(written.spans[0].name, "na\uFFFDme");
    EXPECT_EQ(written.spans[0].error, "the pattern \"x\uFFFD");
    EXPECT_TRUE(written.chain);
}

TEST_F(StorableTest, ARecordThatIsRefusedTakesNoOtherWithIt) {
    const base::RunId run = make_run(), nowhere = base::RunId::make(base::SystemClock().now());
    store::TraceSink sink(world->db(), log);
    for (int i = 0; i < 60; ++i) sink.emit(span_of(i == 30 ? nowhere : run, "step " + std::to_string(i)));
    sink.flush();
    EXPECT_EQ(sink.dropped(), 1u);
    const store::Trace written = trace(run);
    EXPECT_EQ(written.spans.size(), 59u);
    EXPECT_TRUE(written.chain);
}

}  // namespace
