#include "inference/device_map.h"

#include "inference/error.h"

#include <algorithm>
#include <charconv>

namespace inference {

int DeviceMap::count(int device) const
{
    return int(std::count(layers.begin(), layers.end(), device));
}

std::string DeviceMap::text() const
{
    if (devices.size() == 1) {
        return devices.front();
    }
    std::string all;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        all += (i > 0 ? "," : "") + devices[i] + "=" + std::to_string(count(int(i)));
    }
    return all;
}

std::vector<AskedDevice> parseDevices(const std::string& text)
{
    std::vector<AskedDevice> all;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        const std::string part = text.substr(from, to - from);
        from = to + 1;
        AskedDevice one;
        const std::size_t equals = part.find('=');
        one.name = part.substr(0, equals);
        if (equals != std::string::npos) {
            const char* const end = part.data() + part.size();
            const auto [stop, status] = std::from_chars(part.data() + equals + 1, end, one.layers);
            if (status != std::errc() || stop != end || one.layers < 0) {
                throw Error("The device \"" + part + "\" has no number of layers behind its =; " +
                            one.name + "=20 would be understood.");
            }
        }
        if (one.name.empty()) {
            throw Error("The device \"" + text +
                        "\" has an empty name; auto, cpu, cuda:N or such names joined by commas "
                        "are expected.");
        }
        if (one.name == "auto" && (all.size() + (to < text.size())) > 0) {
            throw Error("The device \"" + text + "\" has auto among others; it stands alone.");
        }
        const bool isCpu = one.name.starts_with("cpu");
        if (isCpu && one.name != "cpu" &&
            (one.name[3] != ':' || one.name.size() < 5 ||
             one.name.find_first_not_of("0123456789", 4) != std::string::npos)) {
            throw Error("The device \"" + one.name +
                        "\" is not known; auto, cpu or cuda:N is expected.");
        }
        const auto isSame = [&](const AskedDevice& other) { return other.name == one.name; };
        if (std::any_of(all.begin(), all.end(), isSame)) {
            throw Error("The device \"" + text + "\" names " + one.name + " twice.");
        }
        all.push_back(one);
    }
    return all;
}

DeviceMap mapOf(const std::vector<std::string>& devices, const std::vector<int>& counts)
{
    DeviceMap map{devices, {}};
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const int here = counts[i] - (i == 0 && devices.size() > 1 && counts[i] > 0 ? 1 : 0);
        map.layers.insert(map.layers.end(), std::size_t(here), int(i));
    }
    if (devices.size() > 1 && counts.front() > 0) {
        map.layers.push_back(0);
    }
    return map;
}

int decoderLayer(std::string_view tensor)
{
    constexpr std::string_view part = ".layers.";
    const std::size_t at = tensor.find(part);
    int layer = -1;
    if (tensor.find("language_model") == std::string_view::npos || at == std::string_view::npos) {
        return -1;
    }
    const std::string_view rest = tensor.substr(at + part.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), layer);
    return layer;
}

}  // namespace inference
