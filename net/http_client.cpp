#include "net/http_client.h"

#include <algorithm>
#include <thread>

#include "net/http_transfer.h"

namespace net {
namespace {

using base::Code;
using TransferPtr = std::shared_ptr<HttpTransfer>;

constexpr std::chrono::milliseconds kLongestWait{1000};

// libcurl asks for this before any CPU thread uses it; it is never undone, as others may use it too.
void init_curl() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) throw std::runtime_error(std::string("libcurl does not start: ") + curl_easy_strerror(code));
}

}  // namespace

std::string host_of(const std::string& url) {
    CURLU* parsed = curl_url();
    char* found = nullptr;
    std::string host;
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK && curl_url_get(parsed, CURLUPART_HOST, &found, 0) == CURLUE_OK) host = found;
    curl_free(found);
    curl_url_cleanup(parsed);
    std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return host;
}

std::string HttpResponse::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return {};
}

class HttpClient::Loop {
public:
    Loop() {
        init_curl();
        multi_ = curl_multi_init();
        if (!multi_) throw std::bad_alloc();
        thread_ = std::thread([this] { run(); });
    }
    ~Loop() { curl_multi_cleanup(multi_); }
    void shut() {
        ending_ = true;
        wake();
        thread_.join();
    }
    void start(TransferPtr transfer) {
        {
            std::lock_guard lock(mutex_);
            arrived_.push_back(std::move(transfer));
        }
        wake();
    }
    void wake() { curl_multi_wakeup(multi_); }

private:
    void run() {
        while (!ending_) {
            admit();
            attend();
            int running = 0;
            curl_multi_perform(multi_, &running);
            reap();
            curl_multi_poll(multi_, nullptr, 0, end_silent(), nullptr);
        }
        admit();
        while (!active_.empty()) end(active_.back(), shut_down());
    }

    static base::Error shut_down() { return base::error(Code::unavailable, "the HTTP client is shutting down"); }

    void admit() {
        std::vector<TransferPtr> arrived;
        {
            std::lock_guard lock(mutex_);
            arrived.swap(arrived_);
        }
        for (auto& transfer : arrived) {
            auto handle = transfer->open();
            if (!handle) {
                transfer->fail(std::move(handle).error());
                continue;
            }
            curl_multi_add_handle(multi_, *handle);
            active_.push_back(std::move(transfer));
        }
    }

    // What callers asked for meanwhile: to end, or to go on after a pause.
    void attend() {
        for (const auto& transfer : std::vector(active_)) {
            if (transfer->cancel) end(transfer, base::error(Code::cancelled, "the request was given up"));
            else if (transfer->resume.exchange(false)) transfer->go_on();
        }
    }

    // Those from which nothing has come for too long; milliseconds until the next one might be.
    int end_silent() {
        auto next = kLongestWait;
        for (const auto& transfer : std::vector(active_)) {
            const auto at = transfer->silent_at();
            if (!at) continue;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*at - HttpTransfer::Time::now());
            if (left.count() <= 0) end(transfer, transfer->silence());
            else next = std::min(next, left);
        }
        return int(next.count());
    }

    void reap() {
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            const CURLcode code = message->data.result;
            const auto it = std::find_if(active_.begin(), active_.end(),
                                         [&](const auto& t) { return t->handle() == message->easy_handle; });
            if (it == active_.end()) continue;
            const TransferPtr transfer = *it;
            remove(transfer);
            transfer->finish(code);
        }
    }

    void end(TransferPtr transfer, base::Error error) {
        remove(transfer);
        transfer->fail(std::move(error));
    }

    void remove(const TransferPtr& transfer) {
        curl_multi_remove_handle(multi_, transfer->handle());
        std::erase(active_, TransferPtr(transfer));
    }

    CURLM* multi_ = nullptr;
    std::atomic<bool> ending_{false};
    std::mutex mutex_;
    std::vector<TransferPtr> arrived_;  // under mutex_
    std::vector<TransferPtr> active_;   // of the CPU thread
    std::thread thread_;
};

HttpClient::HttpClient() : loop_(std::make_shared<Loop>()) {}
HttpClient::~HttpClient() { loop_->shut(); }

Task<base::Result<HttpResponse>> HttpClient::fetch(HttpRequest request, BodySink sink) {
    if (request.stop.stopped()) co_return request.stop.error("the request to " + request.url);
    const base::StopToken stop = request.stop;
    const auto loop = loop_;
    const auto executor = co_await asio::this_coro::executor;
    const auto transfer = std::make_shared<HttpTransfer>(std::move(request), bool(sink), executor);
    // However this frame ends, the transfer ends with it and forgets the executor.
    struct Hold {
        Loop& loop;
        TransferPtr transfer;
        bool done = false;
        ~Hold() {
            transfer->abandon();
            if (done) return;
            transfer->cancel = true;
            loop.wake();
        }
    } hold{*loop, transfer};
    const auto guard = stop.on_stop([loop, transfer] {
        transfer->cancel = true;
        loop->wake();
    });
    loop->start(transfer);
    for (;;) {
        co_await transfer->signal().async_receive(asio::use_awaitable);
        const auto drained = transfer->drain();
        for (const auto& piece : drained.pieces) sink(piece);
        if (drained.outcome) {
            hold.done = true;
            co_return *drained.outcome;
        }
        if (drained.resume) {
            transfer->resume = true;
            loop->wake();
        }
    }
}

}  // namespace net
