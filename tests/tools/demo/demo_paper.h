#pragma once

#include "tools/demo/demo_pictures.h"

#include <QRect>

#include <filesystem>
#include <vector>

namespace demo {

/// Where a figure lies: page from 0, pixels of the page as the workbench draws it.
struct Figure {
    int page = 0;
    QRect place;
};

/// Writes a paper of two pages with three charts. Throws std::runtime_error.
std::vector<Figure> writePaper(const std::vector<Picture>& charts,
                               const std::filesystem::path& file);

}  // namespace demo
