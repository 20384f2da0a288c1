// The model's own Jinja chat template, rendered as Python's jinja2 would under the settings of HF
// transformers (trim_blocks, lstrip_blocks, loop controls, sandboxed, tojson without ASCII escapes).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/guard.h"
#include "text/tokenizer.h"

namespace text {

struct RenderInput {
    base::OrderedJson messages = base::OrderedJson::array();  // OpenAI shape
    base::OrderedJson tools;                                  // null when there are none
    bool add_generation_prompt = true;
    base::OrderedJson extra = base::OrderedJson::object();    // enable_thinking, documents, …
    std::string bos_token, eos_token;
    std::int64_t now = 0;                                     // Unix seconds, for strftime_now (UTC)
};

// A prompt with the guard's marks, as Guard::pieces cuts it.
struct Rendered {
    std::string text;
    std::size_t turn = 0;  // where in `text` begins what opens the turn that the model is to write
};

class ChatTemplate {
public:
    // Fails with line and column. Parsing and rendering are bounded in time, memory, depth and output size.
    static base::Result<std::shared_ptr<const ChatTemplate>> parse(std::string_view source);
    virtual ~ChatTemplate() = default;

    // Text only, byte-exact with the reference. A template's raise_exception becomes
    // Error{invalid_argument} with its message.
    virtual base::Result<std::string> render(const base::OrderedJson& variables, std::int64_t now) const = 0;

    // The prompt for `guard` to cut into pieces: values that came from message contents, tool descriptions and tool results are
    // untrusted, the template's own text is trusted. The guard knows the vocabulary's control tokens, which untrusted text must
    // not form.
    virtual base::Result<Rendered> render_guarded(const RenderInput& input, const Guard& guard) const = 0;
    virtual const std::string& source() const = 0;
};

}  // namespace text
