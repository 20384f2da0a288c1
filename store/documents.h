// Documents that people have given to be remembered, and their sections. A document comes in whole; a job makes its sections and then lets go of the text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/facts.h"

namespace store {

using DocumentId = base::Id<struct DocumentTag>;

struct Document {
    DocumentId id;
    std::string name;
    std::int64_t bytes = 0;
    std::optional<int> sections;     // none: they are not made yet
    base::TimePoint added{};
};
// Once, however often the same text is added: the document that holds it already. `file`: the SHA-256 of the file that says it, where that is not the text itself.
Document add_document(Tx& tx, const std::string& name, const std::string& text, const std::string& file = {});
std::optional<Document> find_document(Tx& tx, DocumentId id);
std::vector<Document> list_documents(Tx& tx, int limit, std::optional<DocumentId> before);  // the newest first

// A document of the person's whose sections are to be made, with its text; locked until the transaction's end, one that another process has locked is
// passed over.
struct OpenDocument {
    DocumentId id;
    std::string name, text;
};
std::optional<OpenDocument> next_open_document(Tx& tx);
struct NewSection {
    std::string heading, body;
};
// All of them at once, after which the text is gone from the document.
void keep_sections(Tx& tx, DocumentId document, const std::vector<NewSection>& sections);

struct DocumentSection {
    SectionId id;
    DocumentId document;
    std::string name, heading, body; // name: of the document
    base::TimePoint added{};
    MemoryPlace place{};
};
// As facts_behind and facts_by_id.
std::vector<DocumentSection> sections_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most);
std::vector<DocumentSection> sections_by_id(Tx& tx, const std::vector<SectionId>& ids);

// The next of the person's sections, in a row of one document, that have not been read for facts; none: there are none beside the documents of `passed_over`.
std::vector<DocumentSection> next_unread_sections(Tx& tx, int most, const std::vector<DocumentId>& passed_over);
// As mark_read of segments.
bool mark_read(Tx& tx, const std::vector<SectionId>& sections);

// With the facts that were read out of it alone. As forget_facts; see hearth_forget_document_and_facts.
std::vector<Forgotten> forget_document(Tx& tx, DocumentId id, bool really);

}  // namespace store
