// A loopback HTTP server that answers from a script and remembers what it was asked.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace support {

struct StubRequest {
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string header(const std::string& name) const;         // "" when absent
};

struct StubReply {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::string> chunks;            // the body; chunked unless `sized`
    std::chrono::milliseconds delay{0};         // before the status line
    std::chrono::milliseconds chunk_delay{0};   // before each chunk but the first
    bool sized = false;                         // with Content-Length instead
    bool drop = false;                          // cut the connection before the end of the body
};

// Each connection carries one request.
class StubServer {
public:
    using Script = std::function<StubReply(const StubRequest&)>;
    explicit StubServer(Script script);
    ~StubServer();

    std::string url(const std::string& target = "/") const;  // http://127.0.0.1:PORT/…
    std::vector<StubRequest> requests() const;
    int broken() const;  // replies whose client left before the end

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace support
