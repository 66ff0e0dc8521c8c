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
    QColor track;            // the empty part of a bar
    QColor outline;          // edges of fields and buttons, at least 3:1 on every ground
    QList<QColor> findings;  // boxes and regions, in order; for pictures and dark grounds
    QString styleSheet;      // what a palette can't say
};

const QList<Theme>& themes();
/// The one by name, dark where there is none.
const Theme& theme(const QString& name);
/// The theme applied last.
const Theme& currentTheme();
/// Sets style, palette, style sheet and icon colours for the whole program.
void applyTheme(QApplication& application, const Theme& theme);

/// WCAG 2 contrast ratio, 1..21.
double contrastRatio(const QColor& a, const QColor& b);
/// The finding colour of a box, made dark enough to be read as text on the current theme's panes.
QColor findingTextColor(int index);
/// The finding colour of a box on a picture.
QColor findingColor(int index);

}  // namespace ui
