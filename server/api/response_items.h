// Items of the Responses API, input or output, as the messages that a model reads.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "router/types.h"

namespace server::api {

class ItemReader {
public:
    // The next item. An error names the field at fault, which is `param()` from then on, after `place` ("input[0]").
    base::Result<void> read(const base::Json& item, const std::string& place);
    // All of a list that was read before, when it came in.
    base::Result<void> read_stored(const base::Json& items);
    // Error where a call has no output.
    base::Result<void> check_answered() const;

    const std::string& param() const { return param_; }
    std::size_t size() const { return messages_.size(); }
    std::vector<router::Message> take() && { return std::move(messages_); }

private:
    // What of the model's turn the last message holds: its parts come as items of their own.
    enum class Turn { none, reasoning, text, calls };

    base::Result<void> message(const base::Json& item, const std::string& place);
    base::Result<void> reasoning(const base::Json& item, const std::string& place);
    base::Result<void> call(const base::Json& item, const std::string& place);
    base::Result<void> output(const base::Json& item, const std::string& place);
    base::Result<std::vector<router::Part>> parts(const base::Json& content, const std::string& place);
    base::Result<std::string> text(const base::Json& item, const char* field, const std::string& place);
    base::Error wrong(const std::string& place, const std::string& what, base::Code code = base::Code::invalid_argument);

    std::vector<router::Message> messages_;
    Turn turn_ = Turn::none;
    bool comments_ = false;  // the last message went along with work: the turn's answer follows
    std::set<std::string> open_;  // call_ids that wait for their output
    std::string param_;
};

}  // namespace server::api
