// A prompt in pieces, as a model gets one without turns of its own.
#pragma once

#include <string>
#include <vector>

#include "text/chat_template.h"

namespace support {

inline base::Result<std::vector<text::Piece>> pieces_of(const text::ChatTemplate& source, const text::RenderInput& input, const std::vector<std::string>& control_texts) {
    const text::Guard guard(control_texts);
    const auto rendered = source.render_guarded(input, guard);
    if (!rendered) return rendered.error();
    return guard.pieces(rendered->text);
}

}  // namespace support
