#include "memory/extract.h"

#include <algorithm>

#include "base/ascii.h"

namespace memory {
namespace {

struct TypeRow {
    std::string_view type;     // of a media type, or the beginning of several
    Kind kind;
    const char* what = "";     // it is, or why it is not read: of Kind::none
    const char* program = "";  // that makes it text
};
constexpr const char* kOffice = "soffice --convert-to pdf FILE";
constexpr TypeRow kTypeRows[] = {
    {"text/html", Kind::html},
    {"application/xhtml+xml", Kind::html},
    {"text/rtf", Kind::rtf},
    {"text/", Kind::text},
    {"application/json", Kind::text},
    {"application/xml", Kind::text},
    {"application/yaml", Kind::text},
    {"application/x-yaml", Kind::text},
    {"application/toml", Kind::text},
    {"application/pdf", Kind::pdf},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", Kind::packed},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Kind::packed},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", Kind::packed},
    {"application/vnd.oasis.opendocument.text", Kind::packed},
    {"application/vnd.oasis.opendocument.spreadsheet", Kind::packed},
    {"application/vnd.oasis.opendocument.presentation", Kind::packed},
    {"application/rtf", Kind::rtf},
    {"application/epub+zip", Kind::packed},
    {"application/zip", Kind::none, "is an archive: what is in it can be sent by itself"},
    {"application/vnd.openxmlformats-officedocument.", Kind::none, "is an office document", kOffice},
    {"application/vnd.oasis.opendocument.", Kind::none, "is an office document", kOffice},
    {"application/vnd.ms-", Kind::none, "is an office document", kOffice},
    {"application/msword", Kind::none, "is an office document", kOffice},
    {"image/", Kind::none, "is a picture, and no model here sees"},
    {"audio/", Kind::none, "is sound, and no model here hears"},
    {"video/", Kind::none, "is a film, and no model here sees"},
    {"", Kind::none, "is of a type that nothing here reads"},
};

constexpr std::pair<std::string_view, std::string_view> kNameEndings[] = {
    {".pdf", "application/pdf"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {".rtf", "application/rtf"},
    {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {".odp", "application/vnd.oasis.opendocument.presentation"},
    {".odt", "application/vnd.oasis.opendocument.text"},
    {".epub", "application/epub+zip"},
    {".html", "text/html"},
    {".htm", "text/html"},
    {".txt", "text/plain"},
    {".md", "text/markdown"},
    {".markdown", "text/markdown"},
    {".csv", "text/csv"},
};

const TypeRow& row_of(std::string_view type) {
    return *std::find_if(std::begin(kTypeRows), std::end(kTypeRows), [&](const TypeRow& one) { return type.starts_with(one.type); });
}

}  // namespace

std::string_view name(Kind kind) {
    constexpr std::string_view names[] = {"none", "text", "html", "packed", "pdf", "rtf"};
    return names[std::size_t(kind)];
}

Kind kind_of(std::string_view type) { return row_of(type).kind; }

base::Error why_unread(std::string_view type, const std::string& file) {
    const TypeRow& row = row_of(type);
    std::string remedy = row.program;
    if (const auto at = remedy.find("FILE"); at != remedy.npos) remedy = "make it text, or a PDF: " + remedy.replace(at, 4, file);
    return base::error(base::Code::unsupported, file + " " + row.what, remedy);
}

std::string_view type_of_name(std::string_view name) {
    const std::string small = base::ascii_lower(name);
    const auto* const found = std::find_if(std::begin(kNameEndings), std::end(kNameEndings), [&](const auto& one) { return small.size() > one.first.size() && small.ends_with(one.first); });
    return found == std::end(kNameEndings) ? std::string_view() : found->second;
}

std::string_view type_of(std::string_view name, std::string_view bytes) {
    if (bytes.starts_with("%PDF-")) return "application/pdf";
    if (const auto by_name = type_of_name(name); !by_name.empty()) return by_name;
    return bytes.starts_with("PK") ? "application/zip" : "text/plain";
}

}  // namespace memory
