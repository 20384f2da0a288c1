// A Response as it grows, and the events that tell of it: OpenAI's shapes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "router/types.h"
#include "store/responses.h"

namespace server::api {

class ResponseObject {
public:
    using Tell = std::function<void(const std::string& type, const base::Json& event)>;

    // `echo`: what the request makes of it. Nothing is told before begin().
    ResponseObject(base::Json echo, store::ResponseId id, base::TimePoint now, Tell tell = {});
    void rename(store::ResponseId id);  // before begin()
    void begin();                       // once; later calls do nothing
    bool begun() const { return begun_; }

    void delta(const router::ModelDelta& delta);
    // What was said so far went along with work: an answer is still to come.
    void comment();
    // What of the whole reply was not told yet.
    void complete(const std::string& text, const std::string& reasoning, const std::vector<router::ToolCall>& calls);
    // Sets the end, which end() then tells: between them it can be stored as it is told. Items that are still open end with it.
    void settle(router::FinishReason reason, const router::Usage& usage, base::TimePoint now);
    void fail(const base::Error& error);
    void end();

    store::ResponseId id() const { return id_; }
    base::Json& json() { return response_; }

private:
    void tell(const std::string& type, base::Json event);
    void add_text(const char* kind, const std::string& text);
    void add_call(const router::ModelDelta& delta);
    void add_arguments(std::size_t item, const std::string& text);
    std::size_t open(base::Json item, const std::string& prefix);
    void close(std::size_t item, const char* status);
    void close_all(const char* status, bool also_unfinished_calls);
    base::Json at(std::size_t item) const;
    std::string told(const char* kind) const;  // of the answer

    base::Json response_;
    store::ResponseId id_;
    Tell tell_;
    std::vector<std::size_t> calls_;  // items by the call's index
    std::size_t answer_ = 0;          // the answer's first item
    std::int64_t sequence_ = 0;
    bool begun_ = false;
};

// An `error` event's fields, for what fails before there is a response.
base::Json error_event(const base::Error& error, const base::Json& param);

}  // namespace server::api
