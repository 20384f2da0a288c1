// Reading a chat request in OpenAI's shape. What /v1/responses is asked with becomes the same (responses_request.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "router/types.h"
#include "server/api/request_fields.h"
#include "server/api/workspace_field.h"

namespace server::api {

struct ChatBody {
    router::ModelRequest model;          // alias, messages, tools, sampling, …
    std::vector<base::Json> messages;    // as sent, for the agents
    bool stream = false, include_usage = false;
    bool include_reasoning = true;       // false: reasoning_content is left out
    std::string thinking_field;          // which of reasoning_effort and enable_thinking was given
    bool limited = false;                // a limit of tokens was given
    WorkspaceField workspace;            // of hearth/dev alone
    std::map<std::string, int> prompts;  // of agents alone
    const FieldNames* names = &kChatFields;
    std::vector<std::string> ignored;    // unknown fields, and words in schemas of tools, for the header X-Hearth-Ignored-Fields
};

// The fields of a kind of request: that mean something here, nothing, or something that is not done.
struct KnownFields {
    std::span<const char* const> read, harmless, refused, bind = {};  // bind: what the answer is; read too
};
// Refuses and names what is to be, and reads the folder of hearth/dev; the alias is read before.
void look_over_fields(FieldReader& r, const KnownFields& known, ChatBody& out);

// `param` of the error envelope is filled with the field's name on failure.
base::Result<ChatBody> read_chat_body(const std::string& text, std::string& param);

}  // namespace server::api
