#include "net/download.h"

#include <curl/curl.h>

#include <cstdio>
#include <memory>

namespace net {
namespace {

using base::Code;

struct Transfer {
    std::FILE* out = nullptr;
    std::uint64_t begun_at = 0, written = 0;
    const DownloadOptions* options = nullptr;
    bool too_large = false;
};

std::size_t write(char* data, std::size_t size, std::size_t count, void* context) {
    auto& t = *static_cast<Transfer*>(context);
    const std::size_t bytes = size * count;
    if (t.options->most_bytes && t.begun_at + t.written + bytes > t.options->most_bytes) {
        t.too_large = true;
        return 0;
    }
    t.written += std::fwrite(data, 1, bytes, t.out);
    return std::ferror(t.out) ? 0 : bytes;
}

int tell(void* context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
    const auto& t = *static_cast<Transfer*>(context);
    if (t.options->progress && done > 0)
        t.options->progress(t.begun_at + std::uint64_t(done), total > 0 ? t.begun_at + std::uint64_t(total) : 0);
    return 0;
}

base::Error failure(const std::string& url, CURL* curl, CURLcode code, const Transfer& t) {
    if (t.too_large) return base::error(Code::corrupt, url + " is larger than the expected " + std::to_string(t.options->most_bytes) + " bytes");
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_HTTP_RETURNED_ERROR) return base::error(Code::unavailable, url + " answered HTTP " + std::to_string(status));
    if (code == CURLE_WRITE_ERROR) return base::error(Code::resource_exhausted, "cannot write what came from " + url, "free some disk space");
    return base::error(Code::unavailable, url + ": " + curl_easy_strerror(code));
}

// One attempt, from the present end of the file on; `restart`: the server has nothing to send from there.
base::Result<void> attempt(const std::string& url, const std::filesystem::path& file, const DownloadOptions& options, bool& restart) {
    std::error_code none;
    Transfer t;
    t.options = &options;
    t.begun_at = std::filesystem::exists(file, none) ? std::filesystem::file_size(file, none) : 0;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file.c_str(), "ab"), std::fclose);
    if (!out) return base::error(Code::io, "cannot write " + file.string());
    t.out = out.get();
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    if (!curl) return base::error(Code::internal, "libcurl cannot start");
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);  // hubs redirect to their storage
    curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https,http,file");
    curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, options.connect_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, options.stall_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "hearth");
    curl_easy_setopt(curl.get(), CURLOPT_RESUME_FROM_LARGE, curl_off_t(t.begun_at));
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, write);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, tell);
    curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &t);
    const CURLcode code = curl_easy_perform(curl.get());
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    restart = t.begun_at > 0 && (code == CURLE_RANGE_ERROR || status == 416);
    if (code != CURLE_OK) return failure(url, curl.get(), code, t);
    if (std::fflush(out.get()) != 0) return base::error(Code::resource_exhausted, "cannot write " + file.string(), "free some disk space");
    return {};
}

}  // namespace

base::Result<void> download(const std::string& url, const std::filesystem::path& file, const DownloadOptions& options) {
    bool restart = false;
    auto done = attempt(url, file, options, restart);
    if (!restart) return done;
    std::error_code none;
    std::filesystem::resize_file(file, 0, none);
    return attempt(url, file, options, restart);
}

}  // namespace net
