// Requests that try out versions of prompts which are not live.
#include "site_test.h"
#include "store/prompts.h"

namespace server::testing {
namespace {

class PromptsField : public SiteTest {
protected:
    // A draft of the coder's prompt, once for all tests.
    static int draft(Site& site) {
        auto save = [](store::Tx& tx) { return store::save_prompt(tx, "dev_system", "You are a parrot."); };
        return site.database->db().run_blocking(site.database->owner(), save).value();
    }
    static Json asked(const char* path, Json prompts) {
        Json body = {{"messages", {user("hi")}}, {"prompts", std::move(prompts)}};
        if (std::string(path) != kDev) body["model"] = "hearth/dev";
        return body;
    }
    static constexpr const char* kDev = "/v0/dev/chat";
    static constexpr const char* kChat = "/v1/chat/completions";
};

TEST_F(PromptsField, ReadsTheNamedVersionInPlaceOfTheLiveOne) {
    Site site({says("a"), says("b"), says("c")});
    const int version = draft(site);
    for (const char* path : {kDev, kChat}) {
        const Reply reply = site.ask("POST", path, asked(path, {{"dev_system", version}}));
        ASSERT_EQ(reply.status, 200) << reply.body;
        EXPECT_TRUE(site.model->requests().back().messages.at(0).text().ends_with("\nYou are a parrot."));
        EXPECT_EQ(reply.headers.count("x-hearth-ignored-fields"), 0u);
        const Json run = site.ask("GET", "/v1/runs/" + reply.headers.at("x-hearth-run")).json();
        for (const Json& span : run["spans"]) {
            if (span["parent"].is_null()) { EXPECT_EQ(span["attributes"]["prompts"]["dev_system"], version); }
        }
    }
    ASSERT_EQ(site.ask("POST", kDev, {{"messages", {user("hi")}}}).status, 200);
    EXPECT_FALSE(site.model->requests().back().messages.at(0).text().ends_with("\nYou are a parrot.")) << "nothing went live";
}

TEST_F(PromptsField, IsForWhoeverMayRelease) {
    Site site({says("a")});
    const int version = draft(site);
    const std::string key = site.make_key({"chat", "dev"});
    for (const char* path : {kDev, kChat}) {
        const Reply reply = site.ask_as(key, "POST", path, base::dump(asked(path, {{"dev_system", version}})));
        EXPECT_EQ(reply.status, 403);
        EXPECT_EQ(reply.param(), "prompts");
    }
    EXPECT_TRUE(site.model->requests().empty());
    EXPECT_EQ(site.ask_as(key, "POST", kDev, base::dump(asked(kDev, Json::object()))).status, 200);
}

TEST_F(PromptsField, WhatIsNotThereIsRefusedBeforeAnythingIsStored) {
    Site site({says("a")});
    const Json before = site.ask("GET", "/v1/runs").json();
    for (const char* path : {kDev, kChat})
        for (const auto& [prompts, said] : std::initializer_list<std::pair<Json, std::string>>{
                 {{{"dev_system", 9999}}, "version 9999 of 'dev_system'"}, {{{"no_prompt", 1}}, "'no_prompt'"}, {{{"dev_system", 0}}, "object of names to versions"},
                 {{{"dev_system", "draft"}}, "object of names to versions"}, {Json::array({1}), "object of names to versions"}}) {
            const Reply reply = site.ask("POST", path, asked(path, prompts));
            EXPECT_EQ(reply.status, 400) << prompts;
            EXPECT_NE(reply.message().find(said), std::string::npos) << reply.message();
        }
    EXPECT_EQ(site.ask("GET", "/v1/runs").json(), before);
}

TEST_F(PromptsField, ABareModelReadsNone) {
    Site site({says("a")});
    const Reply reply = site.ask("POST", kChat, {{"model", "default"}, {"messages", {user("hi")}}, {"prompts", {{"dev_system", 1}}}});
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.param(), "prompts");
    EXPECT_TRUE(site.model->requests().empty());
}

}  // namespace
}  // namespace server::testing
