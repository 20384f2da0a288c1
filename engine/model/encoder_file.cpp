#include "engine/model/encoder_file.h"

namespace engine {

bool is_encoder(const std::filesystem::path& path) {
    std::error_code unreadable;
    return std::filesystem::is_directory(path, unreadable) ? is_encoder_folder(path) : is_encoder_gguf(path);
}

base::Result<std::unique_ptr<EncoderFile>> open_encoder(const std::filesystem::path& path) {
    std::error_code unreadable;
    auto file = std::filesystem::is_directory(path, unreadable) ? open_encoder_folder(path) : open_encoder_gguf(path);
    if (!file) return file;
    text::Vocabulary& v = (*file)->vocabulary;
    // vocab.txt and files of older converters do not say that a text stands between [CLS] and [SEP].
    if (v.kind == text::Vocabulary::Kind::word_piece) v.add_bos = v.add_eos = true;
    if (auto usable = text::Tokenizer::check(v); !usable) {
        base::Error error = (*file)->error(usable.error().message, usable.error().code);
        error.remedy = usable.error().remedy.empty() ? error.remedy : usable.error().remedy;
        return error;
    }
    if (v.tokens.size() > std::size_t((*file)->config.vocabulary))
        return (*file)->error("has a tokenizer of " + std::to_string(v.tokens.size()) + " tokens but embeddings of only " + std::to_string((*file)->config.vocabulary));
    if ((v.add_bos && v.bos < 0) || (v.add_eos && v.eos < 0)) return (*file)->error("adds tokens around a text and does not say which");
    return file;
}

}  // namespace engine
