#include "store/documents.h"

#include "store/blobs.h"
#include "store/digest.h"
#include "store/segments.h"
#include "store/uuid_array.h"

namespace store {
namespace {

const std::string& columns() {
    static const std::string all = "d.id, d.name, d.bytes, d.sections, " + micros("d.added_at");
    return all;
}
const std::string& section_columns() {
    static const std::string all = "s.id, s.document_id, d.name, s.heading, s.body, " + micros("d.added_at") + ", s.written";
    return all;
}
// Of the table that is called so in the statement.
std::string mine(const std::string& table) {
    return "(" + table + ".audience_id = hearth_person() or " + table + ".audience_id in (select group_id from membership where person_id = hearth_person()))";
}

Document document_of(const Row& row) {
    Document out{row.id<DocumentId>(0), row.text(1), row.integer(2), std::nullopt, row.time(4)};
    if (!row.null(3)) out.sections = int(row.integer(3));
    return out;
}

std::vector<DocumentSection> sections_of(const std::vector<Row>& rows) {
    std::vector<DocumentSection> out;
    for (const Row& row : rows)
        out.push_back({row.id<SectionId>(0), row.id<DocumentId>(1), row.text(2), row.text(3), row.text(4), row.time(5), {row.integer(6), row.id<SectionId>(0).value}});
    return out;
}

}  // namespace

Document add_document(Tx& tx, const std::string& name, const std::string& text, const std::string& file) {
    const std::string clean = tx.redactor().without_known(text), digest = sha256_hex(clean);
    tx.send("insert into document as d (id, name, digest, bytes, body, file_digest) values ($1, $2, $3, $4, $5, nullif($6, ''))"
            " on conflict (audience_id, digest) do update set file_digest = coalesce(excluded.file_digest, d.file_digest)",
            {DocumentId::make(base::SystemClock().now()), tx.redactor().without_known(name), digest, std::int64_t(clean.size()), clean, file});
    return document_of(tx.exec("select " + columns() + " from document d where d.audience_id = hearth_person() and d.digest = $1", {digest}).at(0));
}

std::optional<Document> find_document(Tx& tx, DocumentId id) {
    const auto rows = tx.exec("select " + columns() + " from document d where d.id = $1 and " + mine("d"), {id});
    return rows.empty() ? std::nullopt : std::optional(document_of(rows[0]));
}

std::vector<Document> list_documents(Tx& tx, int limit, std::optional<DocumentId> before) {
    std::vector<Document> out;
    for (const Row& row : tx.exec("select " + columns() + " from document d where " + mine("d") + " and ($1::uuid is null or d.id < $1::uuid) order by d.id desc limit $2", {before, limit}))
        out.push_back(document_of(row));
    return out;
}

std::optional<OpenDocument> next_open_document(Tx& tx) {
    const auto rows = tx.exec("select d.id, d.name, d.body from document d where d.sections is null and d.audience_id = hearth_person() order by d.id limit 1 for update skip locked");
    if (rows.empty()) return std::nullopt;
    return OpenDocument{rows[0].id<DocumentId>(0), rows[0].text(1), rows[0].text(2)};
}

void keep_sections(Tx& tx, DocumentId document, const std::vector<NewSection>& sections) {
    for (std::size_t i = 0; i < sections.size(); ++i)
        tx.send("insert into section (id, document_id, position, heading, body) values ($1, $2, $3, $4, $5)",
                {SectionId::make(base::SystemClock().now()), document, int(i), sections[i].heading, sections[i].body});
    tx.send("update document set body = '', sections = $2 where id = $1", {document, int(sections.size())});
}

std::vector<DocumentSection> sections_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most) {
    return sections_of(tx.exec("select " + section_columns() + " from section s join document d on d.id = s.document_id where s.audience_id = $1 and (s.written, s.id) > ($2::bigint, $3::uuid)"
                               " order by s.written, s.id limit $4", {audience, place.written, place.id.text(), most}));
}

std::vector<DocumentSection> sections_by_id(Tx& tx, const std::vector<SectionId>& ids) {
    if (ids.empty()) return {};
    return sections_of(tx.exec("select " + section_columns() + " from section s join document d on d.id = s.document_id where s.id = any($1::uuid[]) and " + mine("s"), {uuid_array(ids)}));
}

std::vector<DocumentSection> next_unread_sections(Tx& tx, int most, const std::vector<DocumentId>& passed_over) {
    return sections_of(tx.exec("select " + section_columns() + " from section s join document d on d.id = s.document_id where s.audience_id = hearth_person() and s.read_at is null"
                               " and s.document_id = (select o.document_id from section o where o.audience_id = hearth_person() and o.read_at is null and o.document_id <> all($2::uuid[]) order by o.document_id limit 1)"
                               " order by s.position limit $1", {most, uuid_array(passed_over)}));
}

bool mark_read(Tx& tx, const std::vector<SectionId>& sections) { return mark_rows_read(tx, "section", uuid_array(sections), sections.size()); }

std::vector<Forgotten> forget_document(Tx& tx, DocumentId id, bool really) {
    std::vector<Forgotten> out;
    const std::int64_t blobs = forget_blobs_of(tx, id, really);
    for (const Row& row : tx.exec("select kind, number from hearth_forget_document_and_facts($1, $2, $3)", {id, really, kLeastSoughtText})) out.push_back({row.text(0), row.integer(1)});
    if (!out.empty()) out.push_back({"blobs", blobs});
    return out;
}

}  // namespace store
