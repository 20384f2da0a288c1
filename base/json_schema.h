// JSON Schema, drafts 2020-12 and 7: every keyword of the required vocabulary; `format` and
// `content…` are annotations and are not asserted.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace base {

class SchemaIndex;

// Immutable, cheap to copy, shareable between CPU threads.
class Schema {
public:
    // Fails on malformed keywords and on references that lead nowhere, naming the place in the schema.
    // `documents`: other schemas by their absolute URI; nothing is ever fetched.
    static Result<Schema> parse(Json schema, const std::map<std::string, Json>& documents = {});

    // The error begins with the JSON pointer of the value at fault ("" is the whole), then says what was
    // found there and what the schema expects: `/age: found "x", expected integer`.
    Result<void> validate(const Json& value) const;

    const Json& source() const;

private:
    explicit Schema(std::shared_ptr<const SchemaIndex> index) : index_(std::move(index)) {}
    std::shared_ptr<const SchemaIndex> index_;
};

}  // namespace base
