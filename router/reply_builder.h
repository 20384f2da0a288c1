// Grows a reply out of an upstream's pieces and hands them on as they come; what every dialect's reader ends in.
#pragma once

#include <string>

#include "router/types.h"

namespace router {

// Lenient reads of an upstream's JSON: "" and 0 for what is absent or of another type.
std::string text_of(const base::Json& object, const char* field);
int count_of(const base::Json& object, const char* field);

class ReplyBuilder {
public:
    static constexpr std::size_t kMostCalls = 128;

    explicit ReplyBuilder(DeltaSink sink) : sink_(std::move(sink)) {}

    void content(const std::string& text);
    void reasoning(const std::string& text);
    // A call with an id of its own where the upstream gives none. Error{corrupt}: without a name, or one too many.
    base::Result<std::size_t> begin_call(std::string id, std::string name);
    void arguments(std::size_t call, const std::string& text);

    std::size_t calls() const { return calls_.size(); }
    bool empty() const { return content_.empty() && reasoning_.empty() && calls_.empty(); }
    void model(const std::string& name) { model_ = name; }
    void finish(FinishReason reason) { finish_ = reason; }
    Usage& usage() { return usage_; }

    // With finish tool_calls where there are calls and nothing else ended it, and "{}" for arguments that never came.
    ModelReply reply() &&;

private:
    void send(ModelDelta::Kind kind, const std::string& text, int index = -1, const std::string& id = {});

    DeltaSink sink_;
    std::string content_, reasoning_, model_;
    std::vector<ToolCall> calls_;
    FinishReason finish_ = FinishReason::stop;
    Usage usage_;
};

}  // namespace router
