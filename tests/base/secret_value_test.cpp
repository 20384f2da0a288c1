#include "base/secret_value.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <ostream>
#include <sstream>
#include <type_traits>

#include "base/json.h"

namespace {

using base::SecretValue;

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

// Nothing but reveal() leads to the bytes.
static_assert(!std::is_copy_constructible_v<SecretValue> && !std::is_copy_assignable_v<SecretValue>);
static_assert(!std::is_convertible_v<SecretValue, std::string> && !std::is_constructible_v<std::string, SecretValue>);
static_assert(!std::is_convertible_v<SecretValue, std::string_view>);
static_assert(!std::is_constructible_v<base::Json, SecretValue>);
static_assert(!Printable<SecretValue> && Printable<std::string>);

std::string flags_of(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    std::string line;
    bool inside = false;
    while (std::getline(maps, line)) {
        unsigned long from = 0, to = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2 && line.find('-') < line.find(' '))
            inside = from <= reinterpret_cast<unsigned long>(address) && reinterpret_cast<unsigned long>(address) < to;
        else if (inside && line.starts_with("VmFlags:"))
            return line + " ";
    }
    return {};
}

}  // namespace

TEST(SecretValue, TakesATextAndLeavesNothingOfIt) {
    std::string text(64, 'x');
    text.replace(0, 20, "correct horse batter");
    const char* memory = text.data();
    const SecretValue value = SecretValue::take(text);
    EXPECT_EQ(value.reveal().substr(0, 20), "correct horse batter");
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(std::string_view(memory, 64), std::string(64, '\0'));
}

TEST(SecretValue, IsMovedAndThenGone) {
    SecretValue first(4);
    first.bytes()[0] = 'a';
    SecretValue second = std::move(first);
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(second.size(), 4u);
    second.shrink(1);
    EXPECT_EQ(second.reveal(), "a");
    second = SecretValue();
    EXPECT_TRUE(second.empty());
}

TEST(SecretValue, LiesInMemoryThatIsNeitherSwappedNorDumped) {
    const SecretValue value(10);
    const std::string flags = flags_of(value.reveal().data());
    ASSERT_NE(flags, "");
#ifndef __SANITIZE_ADDRESS__  // which locks nothing
    EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
#endif
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;  // left out of core dumps
    EXPECT_NE(flags.find(" wf "), std::string::npos) << flags;  // zeros in a forked child
}
