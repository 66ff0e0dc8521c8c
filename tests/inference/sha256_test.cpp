#include "inference/sha256.h"

#include "support/test.h"

using inference::Sha256;
using inference::sha256Hex;

// Expected values: FIPS 180-4's examples (NIST), the last by coreutils' sha256sum.

TEST(matchesPublishedVectors)
{
    CHECK_EQUAL(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_EQUAL(sha256Hex("abc"),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_EQUAL(sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK_EQUAL(sha256Hex(std::string(1000000, 'a')),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(partsOfAnyLengthGiveTheSameSum)
{
    std::string text;
    for (int i = 0; i < 300; ++i) {
        text += char(i);
    }
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string_view whole(text.data(), size);
        Sha256 sum;
        for (std::size_t at = 0, part = 1; at < size; at += part, part = part * 2 + 1) {
            sum.add(whole.substr(at, part));
        }
        CHECK_EQUAL(sum.hex(), sha256Hex(whole));
    }
}

KVL_TEST_MAIN
