#pragma once

#include <QString>

namespace ui {

/// Passwords that opened a file, kept in memory until the program ends, so that a report and a
/// conversation that goes on can read the same pages again. Never written. Any thread.
void rememberPassword(const QString& path, const QString& password);
/// Empty where none is known.
QString rememberedPassword(const QString& path);

}  // namespace ui
