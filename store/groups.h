// Groups of people, who share what is remembered for them. The owner says who is in one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/people.h"

namespace store {

struct Group {
    base::AudienceId id;
    std::string name;
    std::vector<Person> members;  // by name
};
std::vector<Group> list_groups(Tx& tx);  // by name

// Its members from now on are these, and no others; a group that is not there yet is made. By the owner alone: Error{permission_denied}; {invalid_argument}: the
// name is none, or somebody is a guest.
base::Result<Group> set_group(Tx& tx, const std::string& name, const std::vector<Person>& members);

// The group of those who write to the assistant in the chat of that conversation, which the person is in from now on; nothing: it is in no chat, or he is a guest.
std::optional<base::AudienceId> enter_chat_group(Tx& tx, base::ConversationId conversation);
// He has left that chat, and with it its group, until he writes there again (return_to_chat).
void leave_chat(Tx& tx, const std::string& bridge, const std::string& chat);
void return_to_chat(Tx& tx, const std::string& bridge, const std::string& chat);
// Of those that the transaction's person is in.
std::optional<base::AudienceId> own_group(Tx& tx, const std::string& name);

}  // namespace store
