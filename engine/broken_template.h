// A chat template that does not parse: the model still loads and completes text; rendering says why.
#pragma once

#include "text/chat_template.h"

namespace engine {

class BrokenTemplate final : public text::ChatTemplate {
public:
    BrokenTemplate(std::string source, base::Error error) : source_(std::move(source)), error_(std::move(error)) {}
    base::Result<std::string> render(const base::OrderedJson&, std::int64_t) const override { return error_; }
    base::Result<text::Rendered> render_guarded(const text::RenderInput&, const text::Guard&) const override { return error_; }
    const std::string& source() const override { return source_; }

private:
    std::string source_;
    base::Error error_;
};

}  // namespace engine
