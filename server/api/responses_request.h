// Reading what /v1/responses is asked with.
#pragma once

#include "server/api/chat_request.h"
#include "store/responses.h"

namespace server::api {

struct ResponsesBody {
    ChatBody chat;                           // without its messages: they are made of what came before and of `input`
    base::Json input = base::Json::array();  // items
    std::string instructions;                // of this request alone
    std::string previous;                    // previous_response_id as it was sent; empty: none
    bool store = true;
    base::Json echo;                         // the Response as far as the request makes it
};

// `param` of the error envelope is filled with the field's name on failure. Items are looked at by ItemReader only.
base::Result<ResponsesBody> read_responses_body(const std::string& text, std::string& param);

}  // namespace server::api
