#pragma once

#include <QColor>
#include <QList>
#include <QPalette>
#include <QString>

class QApplication;

namespace ui {

/// The colours of ui.md's table that a palette has no role for.
struct Theme {
    QString name;  // "dark", "light", "contrast"
    QPalette palette;
    QColor viewport, pane, raised, secondaryText, separator, accent, warning, error, good;
    QList<QColor> findings;  // boxes and regions, in order
    QString styleSheet;      // what a palette can't say
};

const QList<Theme>& themes();
/// The one by name, dark where there is none.
const Theme& theme(const QString& name);
/// The theme applied last.
const Theme& currentTheme();
/// Sets style, palette, style sheet and icon colours for the whole program.
void applyTheme(QApplication& application, const Theme& theme);

}  // namespace ui
