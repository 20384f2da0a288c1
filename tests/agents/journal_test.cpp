#include "agents/journal.h"

#include <gtest/gtest.h>

namespace {

TEST(Journal, APromptIsTheSameOnceItsSecretsAreTakenOut) {
    base::Redactor redactor;
    redactor.add(redactor.forms_of("correct horse battery"));
    router::ModelRequest request;
    const auto digest_with = [&](const std::string& text) {
        request.messages = {router::Message::make(router::MessageRole::user, text)};
        return agents::digest_of(request, redactor);
    };
    const std::string whole = digest_with("It is correct horse battery.");
    EXPECT_EQ(whole, digest_with(redactor.redacted(std::string("It is correct horse battery."))));
    EXPECT_NE(whole, digest_with("It is another one."));
}

}  // namespace
