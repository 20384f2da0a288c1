// A client that sends exactly the bytes it is told, over a real socket.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "base/json.h"

namespace support {

struct Reply {
    int status = 0;                              // 0: the connection ended before an answer
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;                            // of chunks joined

    base::Json json() const { return base::parse_json(body).value(); }
    // The error envelope's message, param and code, checked for its shape.
    std::string message() const { return error("message"); }
    std::string param() const { return error("param"); }
    std::string code() const { return error("code"); }

private:
    std::string error(const char* field) const;
};

class Client {
public:
    static Client tcp(int port);
    static Client local(const std::string& path);
    Client(Client&& other) noexcept;
    ~Client();

    void send(const std::string& bytes);
    void send_with_descriptor(const std::string& bytes, int fd);
    Reply read();                                // the next answer; waits at most 10 s
    std::string read_until(const std::string& text);  // raw bytes up to and with it, or all there is
    void end();                                  // sends no more, and still reads
    bool ended();                                // the server has closed; waits at most 5 s
    void leave();                                // closes at once

private:
    explicit Client(int fd) : fd_(fd) {}
    bool more(int timeout_ms);
    int fd_ = -1;
    std::string buffer_;
};

// "POST /path HTTP/1.1" with Host, the key when there is one, the body's length, and further headers.
std::string request_text(const std::string& method, const std::string& path, const std::string& body = {}, const std::string& key = {},
                         const std::string& headers = {});

}  // namespace support
