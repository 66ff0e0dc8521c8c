#include "dicom/frame.h"

#include <algorithm>
#include <cmath>

namespace dicom {

namespace {

constexpr std::size_t longestTable = 1 << 16;

/// PS3.3 C.11.2.1.2 with an output of 0..255; not a number is black.
class Mapping {
public:
    Mapping(const Window& window)
        : m_window(window)
    {
        const double width = window.width;
        switch (window.function) {
        case Window::Function::Linear:
            if (width >= 1) {  // C.11.2.1.2.1
                m_low = window.center - 0.5 - (width - 1) / 2;
                m_high = window.center - 0.5 + (width - 1) / 2;
                m_middle = window.center - 0.5;
                m_span = width - 1;
                break;
            }
            [[fallthrough]];  // a width below 1 has no meaning there; normalised images have one
                              // all the same
        case Window::Function::LinearExact:  // C.11.2.1.3.2
            m_low = window.center - width / 2;
            m_high = window.center + width / 2;
            m_middle = window.center;
            m_span = width;
            break;
        case Window::Function::Sigmoid:
            break;
        }
    }

    std::uint8_t operator()(double value) const
    {
        if (!m_window.table.empty()) {
            const double last = static_cast<double>(m_window.table.size() - 1);
            const double at = value - m_window.tableStart;
            return round(
                static_cast<double>(
                    m_window.table[static_cast<std::size_t>(at > 0 ? std::min(at, last) : 0)]) *
                255);
        }
        if (m_window.function == Window::Function::Sigmoid) {  // C.11.2.1.3.1
            return std::isnan(value)
                ? 0
                : round(255 / (1 + std::exp(-4 * (value - m_window.center) / m_window.width)));
        }
        if (!(value > m_low)) {
            return 0;
        }
        return value > m_high ? 255 : round(((value - m_middle) / m_span + 0.5) * 255);
    }

private:
    static std::uint8_t round(double value)
    {
        return static_cast<std::uint8_t>(std::min(value + 0.5, 255.0));
    }

    const Window& m_window;
    double m_low = 0, m_high = 0, m_middle = 0, m_span = 1;
};

/// True where a table of all whole numbers between minimum and maximum is worth it. `low` and
/// `high` are of all values, padding too.
bool isWhole(const std::vector<float>& gray, float& low, float& high)
{
    low = high = gray.front();
    bool whole = true;
    for (const float value : gray) {
        low = std::min(low, value);
        high = std::max(high, value);
        // the first test keeps the conversion defined; a NaN fails it
        whole &= std::abs(value) < 8e6F &&
            static_cast<float>(static_cast<std::int32_t>(std::abs(value) < 8e6F ? value : 0)) ==
                value;
    }
    return whole &&
        static_cast<double>(high) - static_cast<double>(low) < static_cast<double>(longestTable);
}

}  // namespace

std::vector<std::uint8_t> render(const Frame& frame, const Window& window)
{
    if (!frame.rgb.empty() || frame.gray.empty()) {
        return frame.rgb;
    }
    const Mapping mapping(window);
    const std::uint8_t flip = frame.inverted ? 0xFF : 0;
    std::vector<std::uint8_t> rgb(frame.gray.size() * 3);
    std::uint8_t* to = rgb.data();
    const auto write = [&](std::uint8_t level) {
        to[0] = to[1] = to[2] = level;
        to += 3;
    };
    float low = 0, high = 0;
    if (isWhole(frame.gray, low, high)) {
        std::vector<std::uint8_t> table(static_cast<std::size_t>(high - low) + 1);
        for (std::size_t i = 0; i < table.size(); ++i) {
            table[i] = mapping(static_cast<double>(low) + static_cast<double>(i)) ^ flip;
        }
        const auto start = static_cast<std::int32_t>(low);
        for (const float value : frame.gray) {
            write(table[static_cast<std::size_t>(static_cast<std::int32_t>(value) - start)]);
        }
    } else {
        for (const float value : frame.gray) {
            write(mapping(static_cast<double>(value)) ^ flip);
        }
    }
    return rgb;
}

}  // namespace dicom
