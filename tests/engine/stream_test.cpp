#include "engine/stream.h"

#include <gtest/gtest.h>

#include <thread>

using namespace engine;

TEST(Stream, EventsComeInOrderAndTheLastAlwaysFits) {
    int wakes = 0;
    Stream stream([&] { ++wakes; }, 0);
    EXPECT_FALSE(stream.poll());
    int pushed = 0;
    for (; !stream.full(); ++pushed) stream.push(pushed, std::to_string(pushed), {});
    stream.finish(Finish::cancelled, "rest");
    stream.finish(Finish::failed, "", "too late");  // the first reason stays
    for (int i = 0; i < pushed; ++i) EXPECT_EQ(stream.next()->id, i);
    EXPECT_EQ(wakes, 1);  // only the read that made room
    const auto last = stream.next();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->finish, Finish::cancelled);
    EXPECT_EQ(last->text, "rest");
    EXPECT_FALSE(stream.next());
    EXPECT_FALSE(stream.poll());
}

TEST(Stream, TellsWhoAsked) {
    Stream stream([] {}, 0);
    int told = 0;
    stream.push(1, "a", {});
    stream.on_event([&] { ++told; });
    EXPECT_EQ(told, 1);  // something was there already
    stream.push(2, "b", {});
    stream.finish(Finish::stop, "");
    EXPECT_EQ(told, 3);
    stream.on_event({});
}

TEST(Stream, AReaderAndAWriterOnTwoThreadsLoseNothing) {
    Stream stream([] {}, 1);
    constexpr int kEvents = 20000;
    std::thread writer([&] {
        for (int i = 0; i < kEvents; ++i) {
            while (stream.full()) std::this_thread::yield();
            stream.push(i, std::to_string(i), {{i, -1.0f}});
        }
        stream.finish(Finish::length, "");
    });
    int next = 0;
    while (auto event = stream.next()) {
        if (event->finish != Finish::none) break;
        ASSERT_EQ(event->id, next);
        ASSERT_EQ(event->text, std::to_string(next));
        ASSERT_EQ(event->top.at(0).id, next++);
    }
    writer.join();
    EXPECT_EQ(next, kEvents);
}
