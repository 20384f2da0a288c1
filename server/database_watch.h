// Whether the database answers, asked at most once a second however often people want to know: /health
// must neither load the database nor hang with it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "net/task.h"
#include "store/db.h"

namespace server {

// Lives on one executor; the Db outlives it.
class DatabaseWatch {
public:
    DatabaseWatch(boost::asio::any_io_executor executor, store::Db& db) : state_(std::make_shared<State>(executor, db)) {}

    // False too when no answer came within half a second.
    net::Task<bool> answers();

private:
    struct State {
        State(boost::asio::any_io_executor executor, store::Db& d) : db(d), done(executor) {}
        store::Db& db;
        boost::asio::steady_timer done;
        std::chrono::steady_clock::time_point asked{};
        bool asking = false, fine = false;
    };
    static net::Task<void> ask(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;
};

}  // namespace server
