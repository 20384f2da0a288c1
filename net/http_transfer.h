// One transfer of HttpClient: filled on the client's CPU thread, drained on the caller's executor.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "net/http_client.h"

namespace net {

class HttpTransfer {
public:
    using Time = std::chrono::steady_clock;
    using Signal = asio::experimental::concurrent_channel<void(boost::system::error_code)>;

    HttpTransfer(HttpRequest request, bool streamed, asio::any_io_executor executor);
    ~HttpTransfer();

    // On the client's CPU thread.
    base::Result<CURL*> open();
    void finish(CURLcode code);
    void fail(base::Error error);
    CURL* handle() const { return handle_; }
    // When it has been silent for too long, unless something comes until then; a paused transfer is not measured.
    std::optional<Time::time_point> silent_at();
    base::Error silence() const;
    void go_on();  // after a pause

    // On the caller's executor.
    struct Drained {
        std::deque<std::string> pieces;
        bool resume = false;  // the transfer had been paused
        std::optional<base::Result<HttpResponse>> outcome;
    };
    Drained drain();
    Signal& signal() { return *signal_; }
    void abandon();  // the caller is gone: nothing touches its executor any more

    std::atomic<bool> cancel{false}, resume{false};

private:
    void note_departure();
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    base::Result<void> add_header(const std::string& name, const std::string& line);
    std::size_t take(std::string_view piece);
    base::Error error_of(CURLcode code) const;
    void wake();  // with mutex_ held

    const HttpRequest request_;
    const bool streamed_;
    CURL* handle_ = nullptr;
    curl_slist* header_list_ = nullptr;
    char detail_[CURL_ERROR_SIZE] = {};
    HttpResponse response_;
    std::size_t received_ = 0;
    bool too_large_ = false, halted_ = false;
    Time::time_point heard_;  // when a byte of the answer came, or went on its way to the upstream
    curl_off_t sent_ = 0;

    std::mutex mutex_;  // of what follows
    std::unique_ptr<Signal> signal_;
    std::deque<std::string> pieces_;
    std::size_t waiting_bytes_ = 0;
    bool paused_ = false;
    std::optional<base::Result<HttpResponse>> outcome_;
};

}  // namespace net
