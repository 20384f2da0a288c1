// Task<T>, on_pool and spawn: the only coroutine idioms of the project.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>

namespace net {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

// Runs `work` on `pool`; the caller resumes on its own executor with the value or the exception.
// `work` is a named lvalue: a lambda built inside a co_await argument is destroyed twice by GCC 12.
template <class F>
Task<std::invoke_result_t<F&>> on_pool(asio::thread_pool& pool, F& work) {
    using T = std::invoke_result_t<F&>;
    const auto home = co_await asio::this_coro::executor;
    std::exception_ptr error;
    if constexpr (std::is_void_v<T>) {
        co_await asio::post(asio::bind_executor(pool.get_executor(), asio::use_awaitable));
        try {
            work();
        } catch (...) {
            error = std::current_exception();
        }
        co_await asio::post(asio::bind_executor(home, asio::use_awaitable));
        if (error) std::rethrow_exception(error);
    } else {
        std::optional<T> out;
        co_await asio::post(asio::bind_executor(pool.get_executor(), asio::use_awaitable));
        try {
            out.emplace(work());
        } catch (...) {
            error = std::current_exception();
        }
        co_await asio::post(asio::bind_executor(home, asio::use_awaitable));
        if (error) std::rethrow_exception(error);
        co_return std::move(*out);
    }
}

// Starts `task` on `executor`; an exception that leaves it goes to `failed`.
inline void spawn(asio::any_io_executor executor, Task<void> task, std::function<void(std::exception_ptr)> failed) {
    asio::co_spawn(executor, std::move(task), [failed = std::move(failed)](std::exception_ptr e) {
        if (e && failed) failed(e);
    });
}

}  // namespace net
