// A conversation with a model of the roster alone, which keeps none itself.
#pragma once

#include <string>
#include <vector>

#include "app/chat_turn.h"
#include "app/client.h"

namespace app {

class ModelTalk {
public:
    ModelTalk(std::string socket, std::string alias) : socket_(std::move(socket)), alias_(std::move(alias)) {}

    // The answer behind all that was said so far; shown unless `quiet`. A question without an answer is not kept.
    base::Result<Reply> ask(const std::string& question, bool quiet, Turn& turn);
    void begin_anew() { messages_.clear(); }

private:
    const std::string socket_, alias_;
    std::vector<base::Json> messages_;
};

}  // namespace app
