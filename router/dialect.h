// How upstreams are spoken to: one row of a table, and one file, a dialect.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/http_client.h"
#include "router/types.h"

namespace router {

// Reads one streamed answer; an upstream that does not stream sends it as one document, which is read too.
class ReplyReader {
public:
    virtual ~ReplyReader() = default;
    // The body's next bytes, split anywhere. Errors: {corrupt} it is no answer of this dialect; else the upstream reports a
    // failure of its own inside the stream (see kind_of_error).
    virtual base::Result<void> feed(std::string_view bytes) = 0;
    // The body's end.
    virtual base::Result<void> end() = 0;
    virtual bool started() const = 0;   // something of an answer was read
    virtual bool finished() const = 0;  // the reply is whole
    virtual ModelReply reply() && = 0;
};

struct DialectModel {
    std::string name;        // there
    int context = 0;         // tokens; 0: unknown
    bool continues = false;  // an assistant message at the end is written on from
};

struct Dialect {
    const char* name;
    const char* url_hint;    // what upstream URLs look like
    const char* chat;        // routes behind the upstream's URL
    const char* look;        // answers without calling a model
    const char* embeddings;  // "" where the dialect has none that is spoken here
    bool continues;          // of itself, see DialectModel
    struct KeyHeader {
        const char* name;
        const char* prefix;
    } key;              // the header that carries the API key
    net::HttpHeaders (*headers)();
    // Error{unsupported}: the dialect has no way to ask for this.
    base::Result<base::OrderedJson> (*body)(const ModelRequest& request, const DialectModel& model);
    std::unique_ptr<ReplyReader> (*reader)(const ModelRequest& request, DeltaSink sink);
};

// "openai", "anthropic", "ollama"; null for others.
const Dialect* find_dialect(std::string_view name);
std::string dialect_names();  // by comma

// Error{unsupported} naming the first message that holds more than text.
base::Result<void> only_text(const ModelRequest& request, const Dialect& dialect);

// Error{unsupported} where the answer must be of a language that no dialect has a field for.
base::Result<void> only_schemas(const ModelRequest& request, const Dialect& dialect);

// What the request sets of it, but for biases; `repetition` is the dialect's name of that penalty.
void add_sampling(base::OrderedJson& body, const SamplingRequest& sampling, const char* repetition);

// The rows.
extern const Dialect kOpenai, kAnthropic, kOllama;

}  // namespace router
