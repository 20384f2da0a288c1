// The steps of tokenizer.json around its model. Internal to tokenizer_json.
#pragma once

#include "text/json_node.h"
#include "text/tokenizer.h"

namespace text {

void read_normalizer(const JsonNode& node, std::vector<NormalizerStep>& steps);
// Fills splitter and normalizer; true: words are spelled in bytes (ByteLevel).
bool read_pre_tokenizer(const JsonNode& node, Vocabulary& vocabulary);
void read_decoder(const JsonNode& node, Vocabulary& vocabulary);
// Which tokens the file itself puts around a text.
void read_post_processor(const JsonNode& node, Vocabulary& vocabulary);

}  // namespace text
