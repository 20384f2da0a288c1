#include "app/qr.h"

#include <qrencode.h>

#include <memory>

namespace app {
namespace {

constexpr int kMargin = 2;  // modules; four by the standard, of which cameras need half

}  // namespace

std::string qr_code(const std::string& text) {
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L), QRcode_free);
    if (!code) return {};
    const int width = code->width;
    const auto dark = [&](int x, int y) { return x >= 0 && y >= 0 && x < width && y < width && (code->data[y * width + x] & 1) != 0; };
    std::string out;
    for (int y = -kMargin; y < width + kMargin; y += 2) {
        out += "\033[30;107m";
        for (int x = -kMargin; x < width + kMargin; ++x) out += dark(x, y) ? (dark(x, y + 1) ? "█" : "▀") : dark(x, y + 1) ? "▄" : " ";
        out += "\033[0m\n";
    }
    return out;
}

}  // namespace app
