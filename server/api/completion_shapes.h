// The JSON of OpenAI's chat completions: whole, and in chunks.
#pragma once

#include <string>

#include "agents/service.h"
#include "base/clock.h"
#include "base/json.h"
#include "router/types.h"

namespace server::api {

base::Json usage_json(const router::Usage& usage);
base::Json completion(const std::string& alias, const router::ModelReply& reply, base::TimePoint now);
std::string completion_id(const std::string& of);
base::Json completion(const std::string& alias, const agents::ChatResult& result, base::TimePoint now);
// What an agent adds to OpenAI's shape: run, conversation, state, tools used.
base::Json agent_facts(const agents::ChatResult& result);

class ChunkShapes {
public:
    // With `count_usage`, chunks have the member usage, null until the last.
    ChunkShapes(std::string id, std::string model, base::TimePoint now, bool count_usage);
    void rename(std::string id) { id_ = std::move(id); }
    base::Json begin() const;                                  // the role alone
    base::Json delta(const router::ModelDelta& delta) const;
    base::Json whole_call(const router::ToolCall& call, int index) const;
    base::Json finish(router::FinishReason reason) const;
    base::Json usage(const router::Usage& usage) const;        // no choices

private:
    base::Json chunk(base::Json delta, base::Json finish_reason) const;
    std::string id_, model_;
    std::int64_t created_;
    bool count_usage_;
};

}  // namespace server::api
