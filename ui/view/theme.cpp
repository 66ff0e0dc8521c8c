#include "ui/view/theme.h"

#include <QApplication>
#include <QIcon>
#include <QStandardPaths>
#include <QStyleFactory>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {

QString g_current = QStringLiteral("dark");

// @names are replaced by the theme's colours.
const char* const kStyleSheet = R"(
QToolTip { background: @raised; color: @text; border: 1px solid @outline; padding: 4px; }
QToolBar { background: @window; border: none; border-bottom: 1px solid @separator; padding: 4px 8px; spacing: 4px; }
QToolBar::separator { background: @separator; width: 1px; margin: 4px 4px; }
QMenuBar { background: @window; }
QStatusBar { background: @window; border-top: 1px solid @separator; }
QStatusBar::item { border: none; }
QMainWindow::separator { background: @separator; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @accent; }
QDockWidget { color: @secondary; }
QDockWidget::title { background: @window; padding: 4px 8px; border-bottom: 1px solid @separator; }
QSplitter::handle { background: @separator; }
QToolButton { border: 1px solid transparent; border-radius: 6px; padding: 4px; background: transparent; }
QToolButton:hover { background: @raised; border-color: @hoverEdge; }
QToolButton:pressed { background: @separator; }
QToolButton:checked { background: @accentGround; border-color: @accent; }
QToolButton:focus { border-color: @accent; }
QToolButton::menu-indicator { image: none; }
QPushButton { border: 1px solid @outline; border-radius: 6px; padding: 4px 12px; background: @raised; min-height: 18px; }
QPushButton:hover { border-color: @accent; }
QPushButton:focus { border-color: @accent; }
QPushButton:pressed { background: @separator; }
QPushButton:default { background: @accent; color: @onAccent; border-color: @accent; }
QPushButton:disabled { color: @disabled; border-color: @separator; background: transparent; }
QPushButton[flat="true"] { border-color: transparent; background: transparent; color: @link; padding: 4px; text-align: left; }
QPushButton[flat="true"]:hover { color: @text; }
QPushButton[flat="true"]:focus { border-color: @accent; }
QLineEdit { border: 1px solid @outline; border-radius: 6px; padding: 4px 8px; background: @raised; }
QLineEdit:focus { border-color: @accent; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid @outline; border-radius: 3px; background: @raised; }
QCheckBox::indicator:hover, QCheckBox::indicator:focus { border-color: @accent; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url(:/icons/kvl-check-@ink.svg); }
QComboBox { border: 1px solid @outline; border-radius: 6px; padding: 3px 8px; background: @raised; min-height: 18px; }
QComboBox:hover, QComboBox:focus { border-color: @accent; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: url(:/icons/kvl-down-@shade.svg); width: 12px; height: 12px; }
QComboBox QLineEdit { border: none; padding: 0; background: transparent; }
QComboBox QAbstractItemView { background: @raised; border: 1px solid @outline; selection-background-color: @accent; selection-color: @onAccent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @scroll; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: @outline; }
QScrollBar::handle:disabled { background: transparent; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { border: none; border-radius: 3px; background: @track; max-height: 6px; min-height: 6px; text-align: right; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
*[kvlRole="pane"] { background: @pane; }
QFrame[kvlRole="raised"] { background: @raised; border: 1px solid @raisedEdge; border-radius: 6px; }
QFrame[kvlRole="raised"][kvlFocus="true"] { border-color: @accent; }
QFrame[kvlRole="field"] { background: @raised; border: 1px solid @outline; border-radius: 6px; }
QFrame[kvlRole="field"][kvlFocus="true"] { border-color: @accent; }
QFrame[kvlRole="card"] { background: @pane; border: 1px solid @separator; border-radius: 6px; }
QFrame[kvlRole="line"] { background: @separator; border: none; }
QFrame[kvlRole="banner-error"] { background: @raised; border: 1px solid @error; border-radius: 6px; }
QFrame[kvlRole="banner-warning"] { background: @raised; border: 1px solid @warning; border-radius: 6px; }
QFrame[kvlRole="banner-info"] { background: @raised; border: 1px solid @accent; border-radius: 6px; }
QLabel[kvlRole="secondary"], QToolButton[kvlRole="secondary"] { color: @secondary; }
QLabel[kvlRole="error"] { color: @error; }
QLabel[kvlRole="warning"] { color: @warning; }
)";

QString mixed(const QColor& over, const QColor& ground, double share)
{
    const auto channel = [share](int a, int b) {
        return int(std::lround(a * share + b * (1 - share)));
    };
    return QColor(channel(over.red(), ground.red()), channel(over.green(), ground.green()),
                  channel(over.blue(), ground.blue()))
        .name();
}

QString filledStyleSheet(const Theme& theme, const QColor& text, bool contrast)
{
    const QPalette& p = theme.palette;
    const QList<QPair<QString, QString>> names{
        // Ink lies on the accent, shade on the raised ground.
        {"@ink", p.color(QPalette::HighlightedText).lightness() > 128 ? "light" : "dark"},
        {"@shade", text.lightness() > 128 ? "light" : "dark"},
        {"@raisedEdge", contrast ? "#ffffff" : theme.raised.name()},
        {"@raised", theme.raised.name()},
        {"@hoverEdge", contrast ? "#ffffff" : theme.raised.name()},
        {"@text", text.name()},
        {"@track", theme.track.name()},
        {"@outline", theme.outline.name()},
        {"@window", p.color(QPalette::Window).name()},
        {"@separator", theme.separator.name()},
        {"@secondary", theme.secondaryText.name()},
        {"@scroll", contrast ? "#ffffff" : mixed(theme.outline, theme.pane, 0.6)},
        {"@accentGround", mixed(theme.accent, p.color(QPalette::Window), 0.22)},
        {"@accent", theme.accent.name()},
        {"@onAccent", p.color(QPalette::HighlightedText).name()},
        {"@disabled", p.color(QPalette::Disabled, QPalette::ButtonText).name()},
        {"@link", p.color(QPalette::Link).name()},
        {"@pane", theme.pane.name()},
        {"@error", theme.error.name()},
        {"@warning", theme.warning.name()},
    };
    QString sheet = QString::fromLatin1(kStyleSheet);
    for (const auto& [name, value] : names) {
        sheet.replace(name, value);
    }
    return sheet;
}

struct Colours {
    const char *name, *window, *pane, *raised, *text, *secondary, *accent, *onAccent, *outline,
        *separator;
    const char *warning, *error, *good, *disabled;
    QList<QColor> findings;
};

Theme makeTheme(const Colours& c)
{
    Theme t;
    t.name = QString::fromLatin1(c.name);
    t.viewport = Qt::black;
    t.pane = c.pane;
    t.raised = c.raised;
    t.secondaryText = c.secondary;
    t.separator = c.separator;
    t.accent = c.accent;
    t.warning = c.warning;
    t.error = c.error;
    t.good = c.good;
    t.outline = c.outline;
    t.findings = c.findings;
    t.track = t.name == "contrast" ? QColor("#404040") : t.separator;

    const QColor window(c.window), text(c.text), onAccent(c.onAccent), disabled(c.disabled);
    QPalette& p = t.palette;
    p.setColor(QPalette::Window, window);
    p.setColor(QPalette::WindowText, text);
    p.setColor(QPalette::Base, t.pane);
    p.setColor(QPalette::AlternateBase, t.raised);
    p.setColor(QPalette::Text, text);
    p.setColor(QPalette::Button, t.raised);
    p.setColor(QPalette::ButtonText, text);
    p.setColor(QPalette::BrightText, t.error);
    p.setColor(QPalette::ToolTipBase, t.raised);
    p.setColor(QPalette::ToolTipText, text);
    p.setColor(QPalette::PlaceholderText, t.secondaryText);
    p.setColor(QPalette::Highlight, t.accent);
    p.setColor(QPalette::HighlightedText, onAccent);
    p.setColor(QPalette::Link, t.accent);
    p.setColor(QPalette::LinkVisited, t.accent);
    p.setColor(QPalette::Light, t.outline);
    p.setColor(QPalette::Midlight, t.separator);
    p.setColor(QPalette::Mid, t.separator);
    p.setColor(QPalette::Dark, t.separator);
    p.setColor(QPalette::Shadow, window);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        p.setColor(QPalette::Disabled, role, disabled);
    }
    p.setColor(QPalette::Disabled, QPalette::Highlight, t.separator);
    p.setColor(QPalette::Disabled, QPalette::HighlightedText, text);
    t.styleSheet = filledStyleSheet(t, text, t.name == "contrast");
    return t;
}

}  // namespace

const QList<Theme>& themes()
{
    static const QList<QColor> onPictures{"#ffb454", "#7fd962", "#d2a6ff", "#f07178", "#39bae6"};
    static const QList<QColor> strong{"#ffff00", "#00ff66", "#ff9cff", "#ff8080", "#00d0ff"};
    static const QList<Theme> all{
        makeTheme({"dark", "#17191c", "#1e2125", "#282c31", "#e6e8ea", "#9aa1a9", "#5aa9e6",
                   "#0c1216", "#7d858e", "#33383e", "#e6b450", "#f26d6d", "#7fd962", "#737a82",
                   onPictures}),
        makeTheme({"light", "#f5f6f7", "#ffffff", "#eceef0", "#1b1e22", "#5b636c", "#1666a8",
                   "#ffffff", "#7b838b", "#d5d9dd", "#8a5a00", "#b3261e", "#2b7a1f", "#7f868d",
                   onPictures}),
        makeTheme({"contrast", "#000000", "#000000", "#000000", "#ffffff", "#ffffff", "#00d0ff",
                   "#000000", "#ffffff", "#ffffff", "#ffff00", "#ff6060", "#00ff66", "#a0a0a0",
                   strong}),
    };
    return all;
}

const Theme& theme(const QString& name)
{
    const auto& all = themes();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Theme& t) { return t.name == name; });
    return found == all.end() ? all.front() : *found;
}

const Theme& currentTheme()
{
    return theme(g_current);
}

void applyTheme(QApplication& application, const Theme& theme)
{
    g_current = theme.name;
    const bool light = theme.palette.color(QPalette::Window).lightness() > 128;
    // Desktops name their icon folders; bare X servers and tests do not.
    QStringList places = QIcon::themeSearchPaths();
    for (const QString& folder :
         QStandardPaths::locateAll(QStandardPaths::GenericDataLocation, QStringLiteral("icons"),
                                   QStandardPaths::LocateDirectory)) {
        if (!places.contains(folder)) {
            places.append(folder);
        }
    }
    QIcon::setThemeSearchPaths(places);
    QIcon::setFallbackThemeName(QStringLiteral("breeze"));
    QIcon::setThemeName(light ? QStringLiteral("breeze") : QStringLiteral("breeze-dark"));
    // Once is enough: a style sheet wraps the style, and setting it again would polish everything
    // twice.
    if (application.property("kvlFusion").isNull()) {
        application.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
        application.setProperty("kvlFusion", true);
    }
    application.setPalette(theme.palette);
    application.setStyleSheet(theme.styleSheet);
}

double contrastRatio(const QColor& a, const QColor& b)
{
    const auto luminance = [](const QColor& colour) {
        const auto linear = [](double v) {
            return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
        };
        return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) +
            0.0722 * linear(colour.blueF());
    };
    const double one = luminance(a), other = luminance(b);
    return (std::max(one, other) + 0.05) / (std::min(one, other) + 0.05);
}

QColor findingColor(int index)
{
    const auto& colours = currentTheme().findings;
    return colours[std::max(0, index) % colours.size()];
}

QColor findingTextColor(int index)
{
    QColor colour = findingColor(index);
    for (int step = 0; step < 20 && contrastRatio(colour, currentTheme().raised) < 4.5; ++step) {
        colour = currentTheme().raised.lightness() > 128 ? colour.darker(112) : colour.lighter(112);
    }
    return colour;
}

}  // namespace ui
