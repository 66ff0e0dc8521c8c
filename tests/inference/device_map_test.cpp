#include "inference/device_map.h"
#include "inference/error.h"
#include "support/test.h"

using namespace inference;

TEST(devicesAreNamesPerhapsWithLayers)
{
    const std::vector<AskedDevice> all = parseDevices("cuda:0=24,cuda:1,cpu");
    CHECK_EQUAL(all.size(), std::size_t(3));
    CHECK_EQUAL(all[0].name, "cuda:0");
    CHECK_EQUAL(all[0].layers, 24);
    CHECK_EQUAL(all[1].layers, -1);
    CHECK_EQUAL(all[2].name, "cpu");
}

TEST(devicesWithoutMeaningAreNamed)
{
    CHECK_THROWS(Error, parseDevices("cuda:0,"), "empty name");
    CHECK_THROWS(Error, parseDevices(""), "empty name");
    CHECK_THROWS(Error, parseDevices("cuda:0=x,cpu"), "\"cuda:0=x\"");
    CHECK_THROWS(Error, parseDevices("cuda:0=-1,cpu"), "\"cuda:0=-1\"");
    CHECK_THROWS(Error, parseDevices("auto,cpu"), "auto among others");
    CHECK_THROWS(Error, parseDevices("cpu,auto"), "auto among others");
    CHECK_THROWS(Error, parseDevices("cpu,cpu"), "names cpu twice");
    CHECK_THROWS(Error, parseDevices("cpux"), "\"cpux\" is not known");
    CHECK_THROWS(Error, parseDevices("cpu:"), "\"cpu:\" is not known");
}

TEST(theLastLayerIsOnTheFirstDevice)
{
    const DeviceMap map = mapOf({"cuda:0", "cuda:1", "cpu"}, {3, 4, 2});
    CHECK_EQUAL(map.layers, (std::vector<int>{0, 0, 1, 1, 1, 1, 2, 2, 0}));
    CHECK_EQUAL(map.text(), "cuda:0=3,cuda:1=4,cpu=2");
    const DeviceMap one = mapOf({"cpu"}, {3});
    CHECK_EQUAL(one.layers, (std::vector<int>{0, 0, 0}));
    CHECK_EQUAL(one.text(), "cpu");
    // what the text says is understood again
    CHECK_EQUAL(parseDevices(map.text())[1].layers, 4);
}

TEST(onlyLayersOfTheDecoderAreSpread)
{
    CHECK_EQUAL(decoderLayer("language_model.model.layers.17.mlp.up_proj.weight"), 17);
    CHECK_EQUAL(decoderLayer("language_model.model.layers.0.attention.wqkv.weight"), 0);
    CHECK_EQUAL(decoderLayer("vision_model.encoder.layers.3.ls1"), -1);
    CHECK_EQUAL(decoderLayer("language_model.model.embed_tokens.weight"), -1);
    CHECK_EQUAL(decoderLayer("language_model.lm_head.weight"), -1);
    CHECK_EQUAL(decoderLayer("mlp1.3.bias"), -1);
}

KVL_TEST_MAIN
