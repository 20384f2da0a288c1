#include "app/wire.h"

#include <gmock/gmock.h>

namespace {

TEST(Wire, NoWorkspaceShowsStateSettingsOrKeys) {
    app::Settings settings;
    settings.state_folder = "/var/lib/hearth";
    settings.upstream.key_file = "/home/ann/upstream.key";
    EXPECT_THAT(app::masked_paths(settings), testing::IsSupersetOf({"/var/lib/hearth", "/etc/hearth", "/home/ann/upstream.key"}));
    settings.server.certificate_key = "tls.pem";
    EXPECT_THAT(app::masked_paths(settings), testing::Contains(std::filesystem::current_path() / "tls.pem"));
}

}  // namespace
