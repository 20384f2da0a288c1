// OpenAI's chat dialect as a client speaks it: the request's body, and the reply out of its chunks.
#pragma once

#include <string>

#include "router/reply_builder.h"

namespace router {

// As the body has them: also which are strict, where a tool says so.
base::OrderedJson tools_and_strictness(const ToolMenu& tools);
base::OrderedJson chat_body(const ModelRequest& request, const std::string& model);

class ChatStream {
public:
    explicit ChatStream(DeltaSink sink) : builder_(std::move(sink)) {}

    // The data of one event, or a whole completion. Errors: {corrupt} no chunk of a chat completion; else the upstream
    // reports a failure of its own inside the stream.
    base::Result<void> take(std::string_view data);
    // A finish reason or [DONE] was seen: the reply is whole.
    bool finished() const { return done_ || has_finish_; }
    bool started() const { return chunks_ > 0; }
    ModelReply reply() &&;

private:
    base::Result<void> take_choice(const base::Json& choice);
    base::Result<void> take_call(const base::Json& call, std::size_t position);
    void take_usage(const base::Json& usage);

    ReplyBuilder builder_;
    bool done_ = false, has_finish_ = false;
    int chunks_ = 0;
};

}  // namespace router
