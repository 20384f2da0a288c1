#include "store/url.h"

#include <gtest/gtest.h>

using store::with_timeout;
using store::without_password;

TEST(DatabaseUrl, PasswordsAreHiddenWhereverTheyStand) {
    EXPECT_EQ(without_password("postgresql://anna:s3cret@host:5432/db?sslmode=require"), "postgresql://anna:***@host:5432/db?sslmode=require");
    EXPECT_EQ(without_password("postgres://anna:p@ss:w@host/db"), "postgres://anna:***@host/db");
    EXPECT_EQ(without_password("host=a user=b password=s3cret dbname=c"), "host=a user=b password=*** dbname=c");
    EXPECT_EQ(without_password("password = 'two \\' words' host=a"), "password = *** host=a");
    EXPECT_EQ(without_password("password='open"), "password=***");
    EXPECT_EQ(without_password("postgresql://host/db?user=a&password=s3cret&x=y"), "postgresql://host/db?user=a&password=***&x=y");
    EXPECT_EQ(without_password("cannot open \"postgres://a:b@c\" and \"postgres://d:e@f\""), "cannot open \"postgres://a:***@c\" and \"postgres://d:***@f\"");
    for (const char* plain : {"postgresql://anna@host/db", "postgresql://host:5432/db", "password authentication failed for user \"anna\"", "", "password="})
        EXPECT_EQ(without_password(plain), plain);
}

TEST(DatabaseUrl, ConnectingHasATimeLimit) {
    EXPECT_EQ(with_timeout("host=a"), "host=a connect_timeout=10");
    EXPECT_EQ(with_timeout("postgresql://host/db"), "postgresql://host/db?connect_timeout=10");
    EXPECT_EQ(with_timeout("postgres://host/db?sslmode=require"), "postgres://host/db?sslmode=require&connect_timeout=10");
    EXPECT_EQ(with_timeout("host=a connect_timeout=3"), "host=a connect_timeout=3");
}
