// Requests and responses as plain values, and the server that carries them. Only server/http_*.cpp
// see Beast.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/stop.h"
#include "net/task.h"
#include "sandbox/workspace.h"

namespace server {

// Who is at the other end of a connection.
struct Peer {
    bool unix_socket = false;
    unsigned uid = 0;                        // of a Unix socket's peer
    std::string address;                     // of a TCP peer
    std::shared_ptr<sandbox::Fd> workspace;  // a folder handed over on the Unix socket
};

struct Request {
    std::string method, path, query;         // path decoded, without the query
    std::string raw_path;                    // the path as it was sent
    std::map<std::string, std::string> headers;     // names in lower case
    std::map<std::string, std::string> parameters;  // {id} of the route
    std::string body;
    Peer peer;
    base::StopToken gone;                    // stops when the client disconnects while it is answered

    const std::string& header(const std::string& lower_case_name) const;  // "" when absent
    std::string query_value(const std::string& name) const;               // "" when absent
    // A whole number within its bounds, `otherwise` when it is absent or empty; else Error{invalid_argument}.
    base::Result<int> query_number(const std::string& name, int otherwise, int least, int most) const;
};

// "%20" → " ", in a query also "+"; what is no escape stays.
std::string percent_decoded(std::string_view text, bool plus_is_blank);

// Writes a streamed body piece by piece. False when the client is gone.
class BodyWriter {
public:
    virtual ~BodyWriter() = default;
    virtual net::Task<bool> write(std::string piece) = 0;
};
using StreamedBody = std::function<net::Task<void>(BodyWriter&)>;

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::map<std::string, std::string> headers;
    std::string body;
    StreamedBody stream;                     // when set, the body comes from it, chunked
};

// The answer to a request; never throws what is the client's fault.
using Handler = std::function<net::Task<Response>(Request)>;
// The answer to a request that its head alone has refused; its body is then not read.
using Gate = std::function<net::Task<std::optional<Response>>(Request)>;

// {"object": "list", "data": …}, as every list of the API is.
Response list_response(base::Json data);
Response json_response(const base::Json& body, int status = 200);
int status_of(base::Code code);
// OpenAI's envelope: {"error": {"message", "type", "param", "code"}}.
Response error_response(const base::Error& error, const std::string& param = {});
Response error_response(int status, const std::string& message, const std::string& code = {}, const std::string& param = {});
// Lists paths of a body in a header; one that does not fit into headers is left out.
void name_fields(Response& response, const char* header, const std::vector<std::string>& fields);
// Names the fields of a body that were ignored in the header X-Hearth-Ignored-Fields.
void name_ignored(Response& response, const std::vector<std::string>& fields);

// Whether only this machine can reach a server at that address; false too for what is no address.
bool is_loopback(const std::string& host);

struct HttpOptions {
    std::string host = "127.0.0.1";
    int port = 8080;                         // 0: a free one
    std::string certificate, key;            // PEM files: TCP then speaks TLS only
    std::string socket;                      // path of the Unix socket; empty: none
    std::vector<unsigned> socket_users;      // uids that may connect there, beside owner and group
    int max_connections = 256;
    std::size_t body_bytes = 8 << 20, header_bytes = 16 << 10;
    Gate gate;                               // asked before a body is read that is larger than the headers may be; unset: all are read
    bool gates_all = false;                  // asked before every body, however small
    const char* settings = "server";         // the section of host and port, for remedies
    // Of a request's headers from its first byte, of its body, of one write, of a connection between requests.
    std::chrono::milliseconds header_deadline{10000}, body_deadline{30000}, write_deadline{60000}, idle_deadline{75000};
};

class HttpServer {
public:
    // Whether both could be listened on now: for a start that is to fail before it does anything else.
    // A port that somebody holds is Error{conflict}.
    static base::Result<void> check(const HttpOptions& options);
    // Whether the host is an address of this machine, whoever holds the port.
    static base::Result<void> check_host(const HttpOptions& options);
    // Listens at once. A taken port, an unusable socket path, and an address beyond loopback without a
    // certificate are errors with their remedy.
    static base::Result<std::unique_ptr<HttpServer>> start(boost::asio::any_io_executor executor, HttpOptions options,
                                                           Handler handler, base::Log& log, base::Metrics& metrics);
    virtual ~HttpServer() = default;
    virtual int port() const = 0;
    // No new connections; idle ones end at once, the others after their current request. Call on the executor.
    virtual void stop() = 0;
    virtual int connections() const = 0;
};

}  // namespace server
