#include "net/http_transfer.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/trim.h"
#include "base/utf8.h"

namespace net {
namespace {

using base::Code;

constexpr std::size_t max_waiting_bytes = std::size_t(1) << 20;  // undelivered, before a transfer pauses

bool is_loopback(std::string_view url) {
    for (const std::string_view host : {"://127.0.0.1", "://localhost", "://[::1]"})
        if (url.find(host) != url.npos && url.find(host) <= 5) return true;
    return false;
}

// Of the request's own limit and its token's deadline, the nearer; 0: none.
long timeout_ms(const HttpRequest& request) {
    long limit = long(request.total_timeout.count());
    if (const auto deadline = request.stop.deadline()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
        const long bounded = std::max<long>(1, long(left.count()));
        limit = limit ? std::min(limit, bounded) : bounded;
    }
    return limit;
}

std::string full_url(const HttpRequest& request) {
    constexpr std::string_view place = "{secret}";
    const auto at = request.url_secret ? request.url.find(place) : request.url.npos;
    if (at == request.url.npos) return request.url;
    std::string url;
    url.reserve(request.url.size() + request.url_secret->size());  // one piece of memory, to be wiped
    url.append(request.url, 0, at).append(request.url_secret->reveal()).append(request.url, at + place.size());
    return url;
}

void allow_http_only(CURL* handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

}  // namespace

HttpTransfer::HttpTransfer(HttpRequest request, bool streamed, asio::any_io_executor executor)
    : request_(std::move(request)), streamed_(streamed), signal_(std::make_unique<Signal>(executor, 1)) {}

HttpTransfer::~HttpTransfer() {
    if (handle_) curl_easy_cleanup(handle_);
    for (curl_slist* line = request_.secret_headers.empty() ? nullptr : header_list_; line; line = line->next) explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(header_list_);
}

base::Result<void> HttpTransfer::add_header(const std::string& name, const std::string& line) {
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos)
        return base::error(Code::invalid_argument, "header '" + name + "' has a line break in its value");
    header_list_ = curl_slist_append(header_list_, line.c_str());
    return {};
}

base::Result<CURL*> HttpTransfer::open() {
    handle_ = curl_easy_init();
    if (!handle_) return base::error(Code::resource_exhausted, "no memory for a request to " + request_.url);
    const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(handle_, option, value); };
    std::string url = full_url(request_);
    set(CURLOPT_URL, url.c_str());  // libcurl keeps a copy
    if (request_.url_secret) base::wipe(url);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_ERRORBUFFER, detail_);
    set(CURLOPT_CONNECTTIMEOUT_MS, long(request_.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, timeout_ms(request_));
    if (request_.left) set(CURLOPT_FRESH_CONNECT, 1L);
    if (is_loopback(request_.url)) set(CURLOPT_PROXY, "");
    allow_http_only(handle_);
    for (const auto& [name, value] : request_.headers)
        if (auto added = add_header(name, name + ": " + value); !added) return std::move(added).error();
    for (const auto& header : request_.secret_headers) {
        const std::string_view value = header.value->reveal();
        std::string line;
        line.reserve(header.name.size() + header.prefix.size() + value.size() + 2);  // one piece of memory, to be wiped
        line.append(header.name).append(": ").append(header.prefix).append(value);
        auto added = add_header(header.name, line);
        base::wipe(line);
        if (!added) return std::move(added).error();
    }
    header_list_ = curl_slist_append(header_list_, "Expect:");  // no waiting for "100 Continue"
    set(CURLOPT_HTTPHEADER, header_list_);
    if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
        set(CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request_.body.size()));
        set(CURLOPT_POSTFIELDS, request_.body.data());
    }
    if (request_.method != "HEAD") set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    set(CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    heard_ = Time::now();
    return handle_;
}

std::optional<HttpTransfer::Time::time_point> HttpTransfer::silent_at() {
    if (request_.silence_timeout.count() == 0 || halted_) return std::nullopt;
    curl_off_t sent = 0;
    curl_easy_getinfo(handle_, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (std::exchange(sent_, sent) != sent) heard_ = Time::now();  // nobody answers a request that is still being sent
    return heard_ + request_.silence_timeout;
}

void HttpTransfer::go_on() {
    halted_ = false;
    heard_ = Time::now();
    curl_easy_pause(handle_, CURLPAUSE_CONT);
}

base::Error HttpTransfer::silence() const {
    return base::error(Code::deadline, fmt::format("{} sent nothing for {} s", request_.url, request_.silence_timeout.count()));
}

std::size_t HttpTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    HttpTransfer& transfer = *static_cast<HttpTransfer*>(self);
    HttpResponse& response = transfer.response_;
    transfer.heard_ = Time::now();
    const std::string_view line(data, size * count);
    if (line.starts_with("HTTP/")) {  // a later answer (after 1xx) replaces the earlier one
        response.headers.clear();
    } else if (const auto colon = line.find(':'); colon != line.npos) {
        std::string name(base::trimmed(line.substr(0, colon)));
        for (char& c : name) c = char(std::tolower(static_cast<unsigned char>(c)));
        response.headers.emplace_back(std::move(name), base::valid_utf8(base::trimmed(line.substr(colon + 1))));
    }
    return size * count;
}

std::size_t HttpTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<HttpTransfer*>(self)->take({data, size * count});
}

std::size_t HttpTransfer::take(std::string_view piece) {
    long status = 0;
    heard_ = Time::now();
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    if (received_ + piece.size() > request_.max_body_bytes) {
        too_large_ = true;
        return 0;
    }
    if (!streamed_ || status / 100 != 2) {
        received_ += piece.size();
        response_.body += piece;
        return piece.size();
    }
    std::lock_guard lock(mutex_);
    if (waiting_bytes_ >= max_waiting_bytes) {
        paused_ = halted_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    received_ += piece.size();
    waiting_bytes_ += piece.size();
    pieces_.emplace_back(piece);
    wake();
    return piece.size();
}

base::Error HttpTransfer::error_of(CURLcode code) const {
    if (request_.stop.stopped()) return request_.stop.error("the request to " + request_.url);
    const std::string detail = detail_[0] ? detail_ : curl_easy_strerror(code);
    if (too_large_)
        return base::error(Code::resource_exhausted, fmt::format("the answer of {} is larger than {} bytes", request_.url,
                                                                 request_.max_body_bytes));
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return base::error(Code::invalid_argument, fmt::format("'{}' is no http or https URL: {}", request_.url, detail));
    curl_off_t connected = 0;
    curl_easy_getinfo(handle_, CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (code == CURLE_OPERATION_TIMEDOUT && connected > 0)
        return base::error(Code::deadline, fmt::format("{} did not finish in time: {}", request_.url, detail));
    return base::error(Code::unavailable, fmt::format("no answer from {}: {}", request_.url, detail));
}

// A connection stands, with TLS where that is wanted, before the first byte of a request leaves.
void HttpTransfer::note_departure() {
    if (!request_.left) return;
    curl_off_t connected = 0;
    if (handle_) curl_easy_getinfo(handle_, CURLINFO_PRETRANSFER_TIME_T, &connected);
    *request_.left = connected > 0;
}

void HttpTransfer::finish(CURLcode code) {
    if (code != CURLE_OK) return fail(error_of(code));
    note_departure();
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = int(status);
    std::lock_guard lock(mutex_);
    outcome_ = std::move(response_);
    wake();
}

void HttpTransfer::fail(base::Error error) {
    if (request_.stop.stopped()) error = request_.stop.error("the request to " + request_.url);
    note_departure();
    std::lock_guard lock(mutex_);
    outcome_ = std::move(error);
    wake();
}

HttpTransfer::Drained HttpTransfer::drain() {
    std::lock_guard lock(mutex_);
    Drained out{std::move(pieces_), paused_, std::move(outcome_)};
    pieces_.clear();
    outcome_.reset();
    waiting_bytes_ = 0;
    paused_ = false;
    return out;
}

void HttpTransfer::abandon() {
    std::lock_guard lock(mutex_);
    signal_.reset();
}

void HttpTransfer::wake() {
    if (signal_) signal_->try_send(boost::system::error_code{});
}

}  // namespace net
