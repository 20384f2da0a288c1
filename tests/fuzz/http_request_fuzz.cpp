// A request over HTTP, cut by the first byte, read as a connection reads it: the same requests come however it is cut,
// within the limits, and the answer to any of them is one well-formed response.
#include <boost/beast/http/parser.hpp>

#include "fuzz.h"
#include "server/http_message.h"

namespace {

using fuzz::require;
namespace http = boost::beast::http;

constexpr std::size_t most_header = 512, most_body = 1024;

struct Read {
    std::string shown;
    std::vector<server::Request> requests;
};

// As Connection::read does, the header first, then the whole.
bool advance(http::request_parser<http::string_body>& parser, std::string& buffer, std::string& header, bool whole, boost::system::error_code& failed) {
    parser.eager(whole);
    while (!(whole ? parser.is_done() : parser.is_header_done())) {
        if (buffer.empty()) return false;
        failed = {};
        const std::size_t taken = parser.put(boost::asio::buffer(buffer), failed);
        if (!whole) header.append(buffer, 0, taken);
        buffer.erase(0, taken);
        if (failed) return false;
    }
    return true;
}

// `pieces` arrive one by one; what has not arrived yet is waited for.
Read read(const std::vector<std::string_view>& pieces) {
    Read out;
    std::string buffer;
    std::size_t next = 0;
    for (;;) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(most_header);
        parser.body_limit(most_body);
        boost::system::error_code failed;
        std::string header;
        for (const bool whole : {false, true}) {
            while (!advance(parser, buffer, header, whole, failed)) {
                const bool ended = !failed || failed == http::error::need_more;
                if (!ended || next == pieces.size()) {
                    if (ended && !whole && !(header + buffer).empty()) failed = server::detail::fault_of_part(header + buffer, most_header);
                    if (failed == http::error::partial_message) failed = http::error::need_more;
                    out.shown += failed && failed != http::error::need_more ? "|" + failed.message() : "|short";
                    return out;
                }
                buffer += pieces[next++];
            }
            if (const auto wrong = server::detail::objection_to(parser.get()); wrong.status != 0) {
                out.shown += "|" + std::to_string(wrong.status) + wrong.why;
                return out;
            }
        }
        require(parser.get().body().size() <= most_body, "a body keeps to its limit");
        const bool keep = parser.get().keep_alive();
        out.requests.push_back(server::detail::request_of(parser.release(), {}));
        const server::Request& r = out.requests.back();
        out.shown += "|" + r.method + " " + r.path + "?" + r.query + " " + r.body;
        for (const auto& [name, value] : r.headers) out.shown += "\n" + name + ":" + value;
        if (!keep) return out;
    }
}

// One response, whatever of the request is told in it.
void check_answer(const server::Request& request) {
    auto response = server::error_response(400, "no " + request.path + " " + request.query, request.method, request.body);
    server::name_ignored(response, {request.path, request.body, request.query, request.query_value("a")});
    const std::string bytes = server::detail::bytes_of(server::detail::plain_response(response, 11, true));
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    boost::system::error_code failed;
    const std::size_t taken = parser.put(boost::asio::buffer(bytes), failed);
    require(!failed && parser.is_done() && taken == bytes.size(), "an answer is one response");
    require(parser.get().body() == response.body && std::distance(parser.get().begin(), parser.get().end()) <= 7, "an answer has its own headers alone");
}

void check_request(const server::Request& request) {
    for (const auto& [name, value] : request.headers) {
        require(std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c >= 127 || (c >= 'A' && c <= 'Z'); }), "names are lower-case tokens: " + name);
        require(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "a value is one line");
    }
    require(request.path.size() <= request.raw_path.size(), "decoding makes no path longer");
    require(server::percent_decoded(request.raw_path, false) == request.path, "the path is decoded once");
    const auto number = request.query_number("n", 5, 1, 9);
    require(!number || (*number >= 1 && *number <= 9), "a number keeps to its bounds");
    check_answer(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const unsigned seed = fuzz::take_byte(input);
    const Read whole = read({input}), pieces = read(fuzz::cut(input, seed));
    require(whole.shown == pieces.shown, "pieces give " + pieces.shown + ", the whole gives " + whole.shown);
    for (const auto& request : whole.requests) check_request(request);
    return 0;
}
