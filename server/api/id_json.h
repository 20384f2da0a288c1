// Ids in answers.
#pragma once

#include "base/id.h"
#include "base/json.h"

namespace server::api {

// Null where there is none.
template <class Tag>
base::Json id_json(const base::Id<Tag>& id) {
    return id.is_nil() ? base::Json(nullptr) : base::Json(id.text());
}

}  // namespace server::api
