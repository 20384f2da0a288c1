// What a task comes to that needs no server.
#pragma once

#include <boost/asio/io_context.hpp>

#include "net/task.h"

namespace agents::testing {

template <class Out, class Make>
Out waited(Make make) {
    boost::asio::io_context io;
    Out out{};
    const auto task = [&]() -> net::Task<void> { out = co_await make(); };
    net::spawn(io.get_executor(), task(), [](std::exception_ptr) {});
    io.run();
    return out;
}

}  // namespace agents::testing
