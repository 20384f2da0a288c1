#include "agents/journal.h"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace {

TEST(Journal, AUsageIsTheSameWhenItIsReadAgain) {
    router::Usage usage;
    usage.prompt_tokens = 1, usage.cached_tokens = 2, usage.output_tokens = 3, usage.forced_tokens = 4;
    usage.queued = 5us, usage.prefill = 6us, usage.decode = 7us;
    const base::Json json = agents::usage_to_json(usage);
    EXPECT_EQ(agents::usage_to_json(agents::usage_from_json(json)), json);
    usage += usage;
    EXPECT_EQ(agents::usage_to_json(usage)["forced_tokens"], 8);
}

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
