#include "dicom/transforms.h"

#include "dicom/text.h"

#include <algorithm>
#include <cmath>

namespace dicom {

namespace {

std::vector<std::string> split(const std::string& text)
{
    std::vector<std::string> parts;
    std::size_t at = 0;
    for (;;) {
        const std::size_t next = std::min(text.find('\\', at), text.size());
        std::string part = text.substr(at, next - at);
        part.erase(0, part.find_first_not_of(' '));
        parts.push_back(part.substr(0, part.find_last_not_of(' ') + 1));
        if (next == text.size()) {
            return parts;
        }
        at = next + 1;
    }
}

/// Specific Character Set stands at the top level only.
std::string textWithin(DcmItem& set, DcmItem& item, Tag tag)
{
    DcmElement* element = find(item, tag);
    return element ? textOf(*element, textIn(set, {0x0008, 0x0005})) : "";
}

/// A unit for people; "US" is DICOM's word for "unspecified".
std::string unitFromType(const std::string& type)
{
    return type == "US"                     ? ""
        : type == "MGML"                    ? "mg/ml"
        : type == "ZEFF" || type == "Z_EFF" ? "Zeff"
        : type == "ED"                      ? "10²³/ml"
        : type == "HU_MOD"                  ? "HU (modified)"
        : type == "PCT"                     ? "%"
                                            : type;
}

void addTables(DcmItem& set, DcmItem& item, bool isSigned, const std::string& name,
               std::vector<Window>& windows)
{
    for (unsigned long n = 0;; ++n) {
        DcmItem* lut = itemOf(item, {0x0028, 0x3010}, n);
        if (!lut) {
            return;
        }
        const LookupTable table =
            readLookupTable(*lut, {0x0028, 0x3002}, {0x0028, 0x3006}, isSigned, name, "VOI LUT");
        Window window;
        window.explanation = textWithin(set, *lut, {0x0028, 0x3003});
        window.tableStart = table.first;
        window.width = static_cast<double>(table.entries.size());
        window.center = table.first + window.width / 2;
        const float most = static_cast<float>((1 << table.bits) - 1);
        for (const std::uint16_t entry : table.entries) {
            window.table.push_back(std::min(static_cast<float>(entry) / most, 1.0F));
        }
        windows.push_back(std::move(window));
    }
}

void addWindows(DcmItem& set, DcmItem& item, std::vector<Window>& windows)
{
    const std::vector<double> centers = numbersIn(item, {0x0028, 0x1050}),
                              widths = numbersIn(item, {0x0028, 0x1051});
    const std::vector<std::string> explanations = split(textWithin(set, item, {0x0028, 0x1055}));
    const std::string function = textWithin(set, item, {0x0028, 0x1056});
    for (std::size_t i = 0; i < std::min(centers.size(), widths.size()); ++i) {
        Window window;
        window.center = centers[i];
        window.width = widths[i];
        window.explanation = i < explanations.size() ? explanations[i] : "";
        window.function = function == "SIGMOID" ? Window::Function::Sigmoid
            : function == "LINEAR_EXACT"        ? Window::Function::LinearExact
                                                : Window::Function::Linear;
        if (window.width > 0 && std::isfinite(window.center) && std::isfinite(window.width)) {
            windows.push_back(std::move(window));
        }
    }
}

std::optional<Spacing> spacingIn(DcmItem& item, Tag tag, const std::string& source)
{
    const std::vector<double> values = numbersIn(item, tag);
    if (values.size() < 2 || !(values[0] > 0) || !(values[1] > 0) || !std::isfinite(values[0]) ||
        !std::isfinite(values[1])) {
        return std::nullopt;
    }
    return Spacing{values[0], values[1], source};
}

/// One spacing where all two-dimensional regions in centimetres agree (PS3.3 C.8.5.5).
std::optional<Spacing> ultrasoundSpacing(DcmItem& set)
{
    std::optional<Spacing> spacing;
    for (unsigned long n = 0;; ++n) {
        DcmItem* region = itemOf(set, {0x0018, 0x6011}, n);
        if (!region) {
            return spacing;
        }
        constexpr double centimetres = 3, twoDimensional = 1;
        if (numberIn(*region, {0x0018, 0x6012}) != twoDimensional ||
            numberIn(*region, {0x0018, 0x6024}) != centimetres ||
            numberIn(*region, {0x0018, 0x6026}) != centimetres) {
            continue;
        }
        const double x = std::abs(numberIn(*region, {0x0018, 0x602C}).value_or(0)) * 10,
                     y = std::abs(numberIn(*region, {0x0018, 0x602E}).value_or(0)) * 10;
        if (!(x > 0) || !(y > 0) || (spacing && (spacing->column != x || spacing->row != y))) {
            return std::nullopt;
        }
        spacing = Spacing{y, x, "Sequence of Ultrasound Regions"};
    }
}

}  // namespace

DcmItem* functionalGroup(DcmItem& set, Tag macro, int index)
{
    if (DcmItem* frame = itemOf(set, {0x5200, 0x9230}, static_cast<unsigned long>(index))) {
        if (DcmItem* found = itemOf(*frame, macro)) {
            return found;
        }
    }
    DcmItem* shared = itemOf(set, {0x5200, 0x9229});
    return shared ? itemOf(*shared, macro) : nullptr;
}

Modality modalityOf(const Dataset& dataset, int index, bool isSigned)
{
    DcmItem& set = dataset.data().set;
    Modality modality;
    const std::string kind = textIn(set, {0x0008, 0x0060});
    DcmItem* group = functionalGroup(set, {0x0028, 0x9145}, index);
    if (DcmItem* lut = group ? nullptr : itemOf(set, {0x0028, 0x3000})) {
        modality.table = readLookupTable(*lut, {0x0028, 0x3002}, {0x0028, 0x3006}, isSigned,
                                         dataset.data().name, "Modality LUT");
        modality.unit = unitFromType(textIn(*lut, {0x0028, 0x3004}));
        return modality;
    }
    DcmItem& item = group ? *group : set;
    const auto slope = numberIn(item, {0x0028, 0x1053}),
               intercept = numberIn(item, {0x0028, 0x1052});
    if (slope && *slope != 0 && std::isfinite(*slope)) {
        modality.slope = *slope;
    }
    if (intercept && std::isfinite(*intercept)) {
        modality.intercept = *intercept;
    }
    const std::string type = textIn(item, {0x0028, 0x1054});
    modality.unit = unitFromType(type);
    if (type.empty() && kind == "CT" && slope && intercept) {
        modality.unit = "HU";  // the default for CT (PS3.3 C.11.1.1.2)
    }
    if (kind == "PT" && modality.unit.empty()) {
        const std::string units = textIn(set, {0x0054, 0x1001});
        modality.unit = units == "BQML" ? "Bq/ml"
            : units == "GML"            ? "g/ml"
            : units == "CNTS"           ? "counts"
                                        : units;
    }
    if (const auto scaling = numberIn(set, {0x3004, 0x000E});
        scaling && *scaling > 0 && std::isfinite(*scaling)) {
        modality.slope = *scaling;
        modality.intercept = 0;
        modality.unit = textIn(set, {0x3004, 0x0002}) == "GY" ? "Gy" : "";
    }
    return modality;
}

std::vector<Window> windowsOf(const Dataset& dataset, int index, bool hasNegativeValues)
{
    DcmItem& set = dataset.data().set;
    std::vector<Window> windows;
    if (DcmItem* group = functionalGroup(set, {0x0028, 0x9132}, index)) {
        addTables(set, *group, hasNegativeValues, dataset.data().name, windows);
        addWindows(set, *group, windows);
    }
    if (windows.empty()) {
        addTables(set, set, hasNegativeValues, dataset.data().name, windows);
        addWindows(set, set, windows);
    }
    return windows;
}

std::optional<Spacing> spacingOf(const Dataset& dataset, int index)
{
    DcmItem& set = dataset.data().set;
    if (DcmItem* group = functionalGroup(set, {0x0028, 0x9110}, index)) {
        if (auto spacing = spacingIn(*group, {0x0028, 0x0030}, "Pixel Spacing")) {
            return spacing;
        }
    }
    auto imager = spacingIn(set, {0x0018, 0x1164}, "Imager Pixel Spacing (detector plane)");
    if (auto spacing = spacingIn(set, {0x0028, 0x0030}, "Pixel Spacing")) {
        // Equal to the detector's: not corrected for magnification (PS3.3 10.7.1.3)
        if (imager && imager->row == spacing->row && imager->column == spacing->column) {
            spacing->source = "Pixel Spacing (detector plane)";
        }
        return spacing;
    }
    if (imager) {
        return imager;
    }
    if (auto spacing = spacingIn(set, {0x0018, 0x2010}, "Nominal Scanned Pixel Spacing")) {
        return spacing;
    }
    return ultrasoundSpacing(set);
}

}  // namespace dicom
