#include "app/arguments.h"
#include "app/commands.h"
#include "app/pictures.h"
#include "inference/error.h"
#include "inference/tiles.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>

namespace app {

const char* const tilesHelp =
    R"(kvl tiles FILE --out DIR [options]

Writes the exact RGB tiles the model receives as tile-00.png, tile-01.png, ..., row by row; the
thumbnail of the whole picture comes last where there is more than one tile.

  --out DIR           made where it is missing
  --frame N           frame, slice or page, counted from 0
  --window C/W        window centre and width, in the frame's units
  --region x,y,w,h    part of the picture, in pixels from the top left
  --password TEXT     of an encrypted PDF; - asks for it without showing it, or takes a line of
                      standard input
  --as-shown          what a viewer shows: upright, blended, windowed 16-bit grey
  --max-tiles N       tiles without the thumbnail, 1 to 40 (12)
  --tile-size N       side of a tile in pixels (448)
  --no-thumbnail      leave the thumbnail out
  --json              print one JSON object about them
)";

int tiles(const std::vector<std::string>& words, const std::stop_token& stop)
{
    using Json = nlohmann::ordered_json;
    const Arguments arguments(words,
                              {{"--out"},
                               {"--frame"},
                               {"--window"},
                               {"--region"},
                               {"--as-shown", false},
                               {"--password"},
                               {"--max-tiles"},
                               {"--tile-size"},
                               {"--no-thumbnail", false},
                               {"--json", false}});
    const std::vector<std::string> files = arguments.positional();
    if (files.size() != 1) {
        throw UsageError(files.empty() ? "the picture is missing"
                                       : "more than one picture is given");
    }
    if (!arguments.has("--out")) {
        throw UsageError("--out is missing: the folder for the tiles");
    }
    const std::filesystem::path out = *arguments.value("--out");

    const auto pictureSystem = startPictures();
    PictureChoice choice;
    choice.file = files[0];
    for (const Arguments::Item& item : arguments.items()) {
        applyChoice(choice, item);
    }
    inference::TilingOptions tiling;
    tiling.maxTiles =
        static_cast<int>(wholeNumber("--max-tiles", arguments.value("--max-tiles", "12"), 1, 40));
    tiling.tileSize = static_cast<int>(
        wholeNumber("--tile-size", arguments.value("--tile-size", "448"), 28, 1792));
    tiling.tokensPerTile = (tiling.tileSize / 28) * (tiling.tileSize / 28);
    tiling.thumbnail = !arguments.has("--no-thumbnail");

    const Picture picture = openPicture(choice);
    const inference::TileLayout layout =
        inference::layoutTiles(picture.image.width, picture.image.height, tiling);
    const std::vector<inference::Image> cut = inference::cutTiles(picture.image, tiling);
    const auto rects = inference::tileRects(layout.grid, picture.image.width, picture.image.height);
    std::error_code error;
    std::filesystem::create_directories(out, error);
    if (error) {
        throw std::runtime_error(out.string() + " can't be made: " + error.message());
    }

    Json list = Json::array();
    for (std::size_t i = 0; i < cut.size(); ++i) {
        if (stop.stop_requested()) {
            throw inference::Cancelled();
        }
        char name[32];
        std::snprintf(name, sizeof name, "tile-%02zu.png", i);
        const std::string file = (out / name).string();
        writePng(cut[i], file);
        const bool thumbnail = i >= rects.size();
        const inference::TileRect whole{0, 0, double(picture.image.width),
                                        double(picture.image.height)};
        const inference::TileRect& rect = thumbnail ? whole : rects[i];
        list.push_back({{"file", file},
                        {"thumbnail", thumbnail},
                        {"x", rect.x},
                        {"y", rect.y},
                        {"width", rect.width},
                        {"height", rect.height}});
    }
    if (arguments.has("--json")) {
        const Json result = {{"file", choice.file},
                             {"frame", choice.frame},
                             {"width", picture.image.width},
                             {"height", picture.image.height},
                             {"grid", {layout.grid.columns, layout.grid.rows}},
                             {"tiles", layout.tiles},
                             {"tokens", layout.tokens},
                             {"note", picture.note},
                             {"files", list}};
        std::puts(result.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
        std::printf("%d × %d%s · %d %s · %d tokens · %d × %d from %d × %d\n", layout.grid.columns,
                    layout.grid.rows, layout.thumbnail ? " + thumbnail" : "", layout.tiles,
                    layout.tiles == 1 ? "tile" : "tiles", layout.tokens, layout.width,
                    layout.height, picture.image.width, picture.image.height);
        if (!picture.note.empty()) {
            std::printf("%s\n", picture.note.c_str());
        }
    }
    return exitDone;
}

}  // namespace app
