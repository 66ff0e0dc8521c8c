#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inference {

/// Which device computes what. Vision tower, projector, embedding, final norm, head and the last
/// layer are on the first, as in the reference's split_model, so that what goes in and what comes
/// out is in one place.
struct DeviceMap {
    std::vector<std::string>
        devices;              // "cuda:0", "cpu", "cpu:1" (a second one for trying maps out)
    std::vector<int> layers;  // of the decoder: index into devices

    int count(int device) const;
    /// "cuda:0", or "cuda:0=22,cuda:1=18" with the layers of each.
    std::string text() const;
};

/// One of `device` as the user gives it: names joined by commas, each perhaps with "=LAYERS".
struct AskedDevice {
    std::string name;
    int layers = -1;  // -1: as memory allows
};
/// Throws Error where it makes no sense.
std::vector<AskedDevice> parseDevices(const std::string& text);

/// Layers one device after the other: counts[i] on device i, the last layer on the first.
DeviceMap mapOf(const std::vector<std::string>& devices, const std::vector<int>& counts);

/// The decoder layer that a tensor belongs to, from 0; -1 for what is on the first device.
int decoderLayer(std::string_view tensor);

}  // namespace inference
