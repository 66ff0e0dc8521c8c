#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/error.h"
#include "inference/preprocess.h"
#include "inference/sha256.h"
#include "support/seeded_image.h"
#include "support/test.h"

using namespace inference;

TEST(everyValueInBf16IsTorchvisions)
{
    // a picture of 16 x 16 whose pixel i is (i, i, i)
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    for (int i = 0; i < 256; ++i) {
        bytes->insert(bytes->end(), 3, std::uint8_t(i));
    }
    const Image image{16, 16, 48, std::shared_ptr<const std::uint8_t>(bytes, bytes->data())};
    const at::Tensor table = toTensor({image}).to(at::kBFloat16).contiguous();
    Sha256 sum;
    sum.add(table.const_data_ptr(), std::size_t(table.numel()) * 2);
    CHECK_EQUAL(
        sum.hex(),
        "19b7eb14dcab35896f490a5134e99d841ab26c6aa477586b654470784ae64fb4");  // model
                                                                              // specification 5.6
}

TEST(tilesAreChannelsFirstAndRowsMayBePadded)
{
    const Image whole = test::seededImage(7, 4);
    const Image left{4, 4, whole.stride, whole.pixels};  // its left 4 columns
    const at::Tensor pixels = toTensor({left, left});
    CHECK_EQUAL(pixels.sizes().vec(), (std::vector<std::int64_t>{2, 3, 4, 4}));
    const float expected = (float(left.row(2)[3 * 1 + 2]) / 255.0F - 0.406F) / 0.225F;
    CHECK_EQUAL(pixels[1][2][2][1].item<float>(), expected);
}

TEST(tilesOfUnequalSizesAreRefused)
{
    CHECK_THROWS(Error, toTensor({test::seededImage(4, 4), test::seededImage(4, 5)}), "4 x 5");
}

KVL_TEST_MAIN
