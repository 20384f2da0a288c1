#include "app/kv_disk.h"

#include "store/disk_key.h"

namespace app {
namespace {

class Cipher final : public engine::KvCipher {
public:
    explicit Cipher(store::DiskKey key) : key_(std::move(key)) {}
    base::Result<std::string> seal(const std::string& audience, std::string_view plain, std::string_view bound) const override { return key_.seal(audience, plain, bound); }
    base::Result<std::string> open(const std::string& audience, std::string_view sealed, std::string_view bound) const override { return key_.unseal(audience, sealed, bound); }

private:
    const store::DiskKey key_;
};

}  // namespace

engine::KvStoreOptions kv_store_options(const Settings& settings, base::Log& log) {
    if (settings.model.kv_disk_mib == 0) return {};
    auto key = store::DiskKey::open(settings.state_folder / "kv.key", "what it sealed is computed anew");
    if (!key) {
        log.warn("conversations are not kept on disk", {{"error", key.error().text()}});
        return {};
    }
    return {.folder = settings.state_folder / "kv", .most_bytes = std::uint64_t(settings.model.kv_disk_mib) << 20, .cipher = std::make_shared<Cipher>(*std::move(key))};
}

}  // namespace app
