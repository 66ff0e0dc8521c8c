#pragma once

#include <QIcon>
#include <QString>

namespace ui {

/// A Breeze icon by its freedesktop name, or one of our own (`kvl-tiles`, `kvl-evidence`,
/// `kvl-replay`, `kvl-workbench`), which follow the theme in force when they are painted.
QIcon icon(const QString& name);

}  // namespace ui
