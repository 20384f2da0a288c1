// Runs a coroutine of the project to its end on this CPU thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>

#include "net/task.h"

namespace support {

template <class T>
net::Task<void> keep_outcome(net::Task<T> task, std::optional<T>& out) {
    out.emplace(co_await std::move(task));
}

template <class T>
T run_task(net::Task<T> task) {
    boost::asio::io_context io;
    std::optional<T> out;
    std::exception_ptr error;
    boost::asio::co_spawn(io, keep_outcome(std::move(task), out), [&](std::exception_ptr e) { error = e; });
    io.run();
    if (error) std::rethrow_exception(error);
    return std::move(*out);
}

inline void run_task(net::Task<void> task) {
    boost::asio::io_context io;
    std::exception_ptr error;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) { error = e; });
    io.run();
    if (error) std::rethrow_exception(error);
}

}  // namespace support
