// What binds an answer, in all the ways in which clients ask for it: OpenAI's response_format, vLLM's structured_outputs and
// guided_…, llama.cpp's grammar and json_schema.
#pragma once

#include "server/api/chat_request.h"

namespace server::api {

// Sets out.names to what the request calls it. Two at once are refused.
void read_answer_form(FieldReader& r, const base::OrderedJson& json, ChatBody& out);

// The top-level fields of it.
inline constexpr const char* kAnswerForms[] = {"response_format", "structured_outputs", "guided_json", "guided_regex", "guided_grammar", "guided_choice", "grammar", "json_schema"};

}  // namespace server::api
