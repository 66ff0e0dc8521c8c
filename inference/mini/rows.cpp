#include "inference/mini/rows.h"

#include "inference/mini/canvas.h"

#include <nlohmann/json.hpp>

namespace inference::mini {

namespace {

using Json = nlohmann::ordered_json;

/// Hundredths of a percent are plenty; the same digits everywhere.
Json corners(const Extent& extent)
{
    const auto rounded = [](double percent) { return double(nearest(percent * 100)) / 100; };
    return {rounded(extent.left), rounded(extent.top), rounded(extent.right),
            rounded(extent.bottom)};
}

}  // namespace

std::string conversationRow(const Sample& sample, const Record& record, std::string_view image,
                            std::string_view id)
{
    Json boxes = Json::array(), objects = Json::array();
    for (const Extent& box : record.boxes) {
        boxes.push_back(corners(box));
    }
    for (const Object& object : sample.objects) {
        Json one = {{"thing", name(object.thing)}, {"box", corners(object.extent)}};
        if (object.colour >= 0) {
            one["colour"] = colourNames[std::size_t(object.colour)];
        }
        objects.push_back(std::move(one));
    }
    const Json row = {{"id", id},
                      {"image", image},
                      {"width", sample.image.width},
                      {"height", sample.image.height},
                      {"conversations",
                       {{{"from", "human"}, {"value", "<image>\n" + record.question}},
                        {{"from", "gpt"}, {"value", reply(record)}}}},
                      {"truth",
                       {{"scene", name(sample.scene)},
                        {"kind", record.kind},
                        {"answer", record.truth},
                        {"boxes", std::move(boxes)},
                        {"objects", std::move(objects)}}}};
    return row.dump();
}

}  // namespace inference::mini
