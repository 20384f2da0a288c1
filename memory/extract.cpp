#include "memory/extract.h"

#include <algorithm>

#include "base/utf8.h"

namespace memory {
namespace {

using base::Code;

using Read = base::Result<std::string> (*)(const std::string& name, std::string bytes);

base::Result<std::string> as_text(const std::string& name, std::string bytes) {
    if (base::valid_utf8(bytes) != bytes) return base::error(Code::invalid_argument, name + " is no UTF-8 text", "make it some: iconv -t utf-8");
    if (bytes.find('\0') != bytes.npos) return base::error(Code::invalid_argument, name + " holds a NUL: it is no text", "make it one: pdftotext FILE -, or pandoc -t markdown FILE");
    return bytes;
}

struct Reader {
    std::string_view type;     // of a media type, or the beginning of several
    Read read;                 // null: nothing here reads it
    const char* what;          // it is, or why it is not read
    const char* program = "";  // that makes it text
};
constexpr const char *kPandoc = "pandoc -t markdown FILE -o document.md", *kOffice = "soffice --convert-to pdf FILE, and pdftotext of that";
constexpr Reader kReaders[] = {
    {"text/", as_text, ""},
    {"application/json", as_text, ""},
    {"application/xml", as_text, ""},
    {"application/yaml", as_text, ""},
    {"application/x-yaml", as_text, ""},
    {"application/toml", as_text, ""},
    {"application/pdf", nullptr, "is a PDF", "pdftotext FILE document.txt"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", nullptr, "is a packed document", kPandoc},
    {"application/vnd.oasis.opendocument.text", nullptr, "is a packed document", kPandoc},
    {"application/epub+zip", nullptr, "is a packed document", kPandoc},
    {"application/zip", nullptr, "is a packed document", kPandoc},
    {"application/rtf", nullptr, "is a document in RTF", kPandoc},
    {"application/vnd.openxmlformats-officedocument.", nullptr, "is an office document", kOffice},
    {"application/vnd.oasis.opendocument.", nullptr, "is an office document", kOffice},
    {"application/vnd.ms-", nullptr, "is an office document", kOffice},
    {"application/msword", nullptr, "is an office document", kOffice},
    {"image/", nullptr, "is a picture, and no model here sees"},
    {"audio/", nullptr, "is sound, and no model here hears"},
    {"video/", nullptr, "is a film, and no model here sees"},
    {"", nullptr, "is of a type that nothing here reads"},
};

const Reader& reader_of(std::string_view type) {
    return *std::find_if(std::begin(kReaders), std::end(kReaders), [&](const Reader& one) { return type.starts_with(one.type); });
}

}  // namespace

bool is_readable(std::string_view type) { return reader_of(type).read != nullptr; }

base::Result<std::string> text_of(std::string_view type, const std::string& name, std::string bytes) {
    const Reader& reader = reader_of(type);
    if (reader.read) return reader.read(name, std::move(bytes));
    std::string remedy = reader.program;
    if (const auto at = remedy.find("FILE"); at != remedy.npos) remedy = "make it text: " + remedy.replace(at, 4, name);
    return base::error(Code::unsupported, name + " " + reader.what, remedy);
}

std::string_view type_of(std::string_view bytes) {
    if (bytes.starts_with("%PDF-")) return "application/pdf";
    return bytes.starts_with("PK") ? "application/zip" : "text/plain";
}

}  // namespace memory
