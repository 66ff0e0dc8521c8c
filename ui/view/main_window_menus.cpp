#include "ui/view/main_window.h"

#include "ui/view/ask_options_dialog.h"
#include "ui/view/banner.h"
#include "ui/view/chat_panel.h"
#include "ui/view/composer.h"
#include "ui/view/icons.h"
#include "ui/view/library_panel.h"
#include "ui/view/model_chip.h"
#include "ui/view/theme.h"
#include "ui/view/tile_strip.h"
#include "ui/view/viewport.h"

#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QDesktopServices>
#include <QDialog>
#include <QDockWidget>
#include <QFileInfo>
#include <QGridLayout>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QPushButton>
#include <QToolBar>
#include <QUrl>
#include <QVBoxLayout>

/// Menus, the toolbar and the small windows they open.
namespace ui {

namespace {

struct ToolRow {
    Tool tool;
    const char* icon;
    const char* text;
    const char* key;
};

const QList<ToolRow>& toolRows()
{
    static const QList<ToolRow> rows{
        {Tool::Select, "edit-select", QT_TRANSLATE_NOOP("ui::MainWindow", "Select"), "S"},
        {Tool::Window, "contrast", QT_TRANSLATE_NOOP("ui::MainWindow", "Window and level"), "W"},
        {Tool::Pan, "transform-move", QT_TRANSLATE_NOOP("ui::MainWindow", "Pan"), "P"},
        {Tool::Zoom, "zoom-in", QT_TRANSLATE_NOOP("ui::MainWindow", "Zoom"), "Z"},
        {Tool::Measure, "measure", QT_TRANSLATE_NOOP("ui::MainWindow", "Measure"), "M"},
        {Tool::Region, "select-rectangular", QT_TRANSLATE_NOOP("ui::MainWindow", "Region"), "R"},
    };
    return rows;
}

// Single letters belong to the picture, so that they can be typed elsewhere: they are shown as keys
// but are no shortcuts of the window.
QString withKey(const QString& text, const char* key)
{
    return text + QLatin1Char('\t') + QLatin1String(key);
}

}  // namespace

QAction* MainWindow::addTo(QMenu* menu, const QString& iconName, const QString& text,
                           const QKeySequence& keys, const std::function<void()>& run)
{
    QAction* action = menu->addAction(icon(iconName), text);
    action->setShortcut(keys);
    connect(action, &QAction::triggered, this, [run] { run(); });
    return action;
}

void MainWindow::buildToolBar()
{
    auto* bar = new QToolBar(tr("Tools"));
    bar->setObjectName("toolBar");
    bar->setMovable(false);
    bar->setIconSize({22, 22});
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    addToolBar(bar);
    connect(bar->addAction(icon("document-open"), tr("Open files… (Ctrl+O)")), &QAction::triggered,
            this, [this] { openDialog(false); });
    connect(bar->addAction(icon("document-open-folder"), tr("Open a folder… (Ctrl+Shift+O)")),
            &QAction::triggered, this, [this] { openDialog(true); });
    bar->addSeparator();
    m_toolActions = new QActionGroup(this);
    for (const ToolRow& row : toolRows()) {
        QAction* action = bar->addAction(icon(row.icon), tr(row.text));
        action->setToolTip(QStringLiteral("%1 (%2)").arg(tr(row.text), QLatin1String(row.key)));
        action->setCheckable(true);
        action->setData(int(row.tool));
        m_toolActions->addAction(action);
    }
    connect(m_toolActions, &QActionGroup::triggered, this, [this](QAction* action) {
        m_viewport->setTool(Tool(action->data().toInt()));
        m_viewport->view()->setFocus();
    });
    bar->addSeparator();
    QAction* fit = bar->addAction(icon("zoom-fit-best"), tr("Fit the picture (F)"));
    connect(fit, &QAction::triggered, this, [this] { m_viewport->view()->fit(); });
    m_actionInvert = bar->addAction(icon("color-mode-invert-image"), tr("Invert black and white"));
    m_actionInvert->setToolTip(tr("Invert black and white (I)"));
    m_actionInvert->setCheckable(true);
    connect(m_actionInvert, &QAction::triggered, m_viewport, &Viewport::setInverted);
    m_actionGrid = bar->addAction(icon("kvl-tiles"), tr("Tile grid"));
    m_actionGrid->setToolTip(tr("Tile grid: where the model's tiles lie (T)"));
    m_actionGrid->setCheckable(true);
    connect(m_actionGrid, &QAction::triggered, m_viewport, &Viewport::setTileGridVisible);
    auto* spacer = new QWidget;
    spacer->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(spacer);
    auto* chip = new ModelChip(m_services.engine);
    connect(chip, &QToolButton::clicked, this, [this] { showModelPanel(); });
    bar->addWidget(chip);
    chip->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
}

void MainWindow::buildMenus()
{
    QMenu* file = menuBar()->addMenu(tr("&File"));
    addTo(file, "document-open", tr("&Open files…"), QKeySequence::Open,
          [this] { openDialog(false); });
    addTo(file, "document-open-folder", tr("Open a &folder…"), QKeySequence(tr("Ctrl+Shift+O")),
          [this] { openDialog(true); });
    addTo(file, "edit-paste", tr("&Paste a picture"), QKeySequence::Paste, [this] { paste(); });
    m_recentMenu = file->addMenu(icon("document-open-recent"), tr("&Recent"));
    file->addSeparator();
    m_actionReport = addTo(file, "document-export", tr("&Save a report…"), QKeySequence::Save,
                           [this] { showReportDialog(); });
    file->addSeparator();
    m_actionClose = addTo(file, "window-close", tr("&Close"), QKeySequence(tr("Ctrl+W")),
                          [this] { closeDocument(m_viewport->document()); });
    addTo(file, "application-exit", tr("&Quit"), QKeySequence(tr("Ctrl+Q")), [this] { close(); });

    QMenu* edit = menuBar()->addMenu(tr("&Edit"));
    addTo(edit, "edit-copy", tr("Copy the last &answer"), QKeySequence(tr("Ctrl+Shift+C")), [this] {
        const auto& turns = m_services.conversation.session().turns;
        if (!turns.isEmpty()) {
            QGuiApplication::clipboard()->setText(turns.last().answer);
        }
    });
    addTo(edit, "document-edit", tr("&Write a question"), QKeySequence(tr("Ctrl+E")),
          [this] { Q_EMIT m_viewport->composeRequested(); });
    addTo(edit, "list-add", tr("&Add the picture to the question"), QKeySequence(tr("Ctrl+D")),
          [this] { m_chat->composer()->keepCurrent(); });

    QMenu* view = menuBar()->addMenu(tr("&View"));
    const auto toggle = [&](QDockWidget* dock, const char* keys) {
        QAction* action = dock->toggleViewAction();
        action->setShortcut(QKeySequence(QLatin1String(keys)));
        view->addAction(action);
    };
    toggle(m_libraryDock, "F2");
    toggle(m_chatDock, "F3");
    QAction* strip = addTo(view, {}, tr("&Tile strip"), QKeySequence(tr("F4")), [] {});
    strip->setCheckable(true);
    strip->setChecked(m_services.settings.tileStrip());
    connect(strip, &QAction::toggled, this, [this](bool on) {
        m_services.settings.setTileStrip(on);
        m_tiles->setVisible(on && m_viewport->document());
    });
    toggle(m_propertiesDock, "F6");
    connect(m_propertiesDock->toggleViewAction(), &QAction::triggered, this, [this](bool on) {
        if (on) {
            showProperties(m_viewport->document());
        }
    });
    addTo(view, {}, tr("&Swap sides"), {}, [this] {
        const auto left = dockWidgetArea(m_libraryDock);
        const auto right = dockWidgetArea(m_chatDock);
        addDockWidget(right, m_libraryDock);
        addDockWidget(left, m_chatDock);
    });
    view->addSeparator();
    m_actionCorner = addTo(view, {}, tr("&Corner text"), QKeySequence(tr("Ctrl+H")), [] {});
    m_actionCorner->setCheckable(true);
    connect(m_actionCorner, &QAction::triggered, this, [this](bool on) {
        m_viewport->setCornerTextVisible(on);
        m_services.settings.setOverlays(on);
    });
    QAction* grid = view->addAction(withKey(tr("Tile &grid"), "T"));
    grid->setCheckable(true);
    connect(grid, &QAction::triggered, m_viewport, &Viewport::setTileGridVisible);
    connect(m_viewport, &Viewport::tileGridVisibleChanged, grid, &QAction::setChecked);
    view->addSeparator();
    m_themeActions = new QActionGroup(this);
    const QHash<QString, QString> names{
        {"dark", tr("&Dark")}, {"light", tr("&Light")}, {"contrast", tr("&High contrast")}};
    for (const Theme& one : themes()) {
        QAction* action = view->addAction(names.value(one.name, one.name));
        action->setCheckable(true);
        action->setData(one.name);
        action->setChecked(one.name == currentTheme().name);
        m_themeActions->addAction(action);
    }
    connect(m_themeActions, &QActionGroup::triggered, this,
            [this](QAction* action) { setThemeName(action->data().toString()); });
    view->addSeparator();
    m_actionFullScreen = addTo(view, "view-fullscreen", tr("&Full screen"), QKeySequence(tr("F11")),
                               [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });

    m_imageMenu = menuBar()->addMenu(tr("&Image"));
    m_actionAsShown = new QAction(tr("&Give the model the picture as shown"), this);
    m_actionAsShown->setCheckable(true);
    m_actionAsShown->setToolTip(tr("Upright, blended and windowed as on the screen, instead of as "
                                   "the reference reads the file"));
    connect(m_actionAsShown, &QAction::triggered, this, [this](bool on) {
        FrameOptions options = m_viewport->options();
        options.asShown = on;
        m_viewport->setOptions(options);
    });

    QMenu* question = menuBar()->addMenu(tr("&Question"));
    m_actionAskRegion =
        addTo(question, "kvl-evidence", tr("&Ask about the picture or its region"),
              QKeySequence(tr("Ctrl+Return")), [this] { m_chat->askAboutRegion(); });
    m_actionStop = addTo(question, "media-playback-stop", tr("&Stop"), QKeySequence(tr("Ctrl+.")),
                         [this] { m_services.conversation.stop(); });
    m_actionRegenerate = addTo(question, "view-refresh", tr("Ask a&gain"),
                               QKeySequence(tr("Ctrl+R")), [this] { m_chat->regenerate(); });
    question->addSeparator();
    addTo(question, "document-new", tr("&New session"), QKeySequence::New,
          [this] { m_services.conversation.startNew(); });
    addTo(question, "document-open-recent", tr("S&tored sessions"),
          QKeySequence(tr("Ctrl+Shift+S")), [this] {
              m_chatDock->show();
              m_chat->showSessions(true);
          });
    question->addSeparator();
    addTo(question, "configure", tr("System message and sa&mpling…"), {},
          [this] { showAskOptions(); });

    QMenu* model = menuBar()->addMenu(tr("&Model"));
    addTo(model, "document-import", tr("&Load a model…"), QKeySequence(tr("Ctrl+L")),
          [this] { showModelPanel(); });
    m_recentModelsMenu = model->addMenu(tr("&Recent models"));
    connect(m_recentModelsMenu, &QMenu::aboutToShow, this, &MainWindow::fillRecent);
    m_actionUnload = addTo(model, {}, tr("&Unload"), {}, [this] { m_services.engine.unload(); });

    QMenu* help = menuBar()->addMenu(tr("&Help"));
    addTo(help, "help-keybord-shortcuts", tr("&Keys"), QKeySequence(tr("F1")),
          [this] { showKeys(); });
    help->setToolTipsVisible(true);
    m_actionVerify = addTo(help, {}, tr("&Verify engine…"), {}, [this] { showVerifyDialog(); });
    m_actionVerify->setObjectName("verifyEngine");
    addTo(help, {}, tr("Open the &log"), {},
          [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(m_services.logFile)); });
    addTo(help, {}, tr("Open the &data folder"), {},
          [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(m_services.dataFolder)); });
    help->addSeparator();
    addTo(help, "help-about", tr("&About KVL Workbench"), {}, [this] { showAbout(); });
    fillRecent();
    fillImageMenu();
}

void MainWindow::fillRecent()
{
    m_recentMenu->clear();
    const QStringList files = m_services.settings.recentFiles();
    for (const QString& path : files) {
        QAction* action = m_recentMenu->addAction(QFileInfo(path).fileName().replace('&', "&&"));
        action->setToolTip(path);
        connect(action, &QAction::triggered, this, [this, path] { open({path}); });
    }
    m_recentMenu->setToolTipsVisible(true);
    if (!files.isEmpty()) {
        m_recentMenu->addSeparator();
        connect(m_recentMenu->addAction(tr("Forget these")), &QAction::triggered, this, [this] {
            m_services.settings.clearRecentFiles();
            fillRecent();
        });
    }
    m_recentMenu->setEnabled(!files.isEmpty());

    m_recentModelsMenu->clear();
    const QStringList models = m_services.settings.recentModels();
    for (const QString& folder : models) {
        QAction* action =
            m_recentModelsMenu->addAction(QFileInfo(folder).fileName().replace('&', "&&"));
        action->setToolTip(folder);
        connect(action, &QAction::triggered, this, [this, folder] {
            const inference::LoadOptions options = m_services.settings.modelIn(folder);
            m_services.settings.setModel(options);
            loadModel(options);
        });
    }
    if (const QString folder = m_services.bundledModel; !folder.isEmpty()) {
        QAction* action = m_recentModelsMenu->addAction(tr("Demonstration model"));
        action->setToolTip(folder);
        // not remembered: the next start loads the user's own again
        connect(action, &QAction::triggered, this,
                [this, folder] { loadModel(m_services.settings.modelIn(folder)); });
    }
    m_recentModelsMenu->setToolTipsVisible(true);
}

void MainWindow::fillImageMenu()
{
    m_imageMenu->clear();
    const OpenDocument* document = m_viewport->document();
    QMenu* windows = m_imageMenu->addMenu(icon("contrast"), tr("&Window"));
    QAction* own = windows->addAction(withKey(tr("The file's own"), "0"));
    connect(own, &QAction::triggered, this, [this] { m_viewport->setWindow(std::nullopt); });
    const auto presets = document ? document->windowPresets() : QList<WindowPreset>();
    int number = 0;
    for (const WindowPreset& preset : presets) {
        ++number;
        const QString text = tr("%1 (C %2 W %3)")
                                 .arg(preset.name)
                                 .arg(preset.window.center)
                                 .arg(preset.window.width);
        QAction* action = windows->addAction(
            number <= 9 ? text + QLatin1Char('\t') + QString::number(number) : text);
        connect(action, &QAction::triggered, this,
                [this, window = preset.window] { m_viewport->setWindow(window); });
    }
    windows->setEnabled(!presets.isEmpty());
    connect(m_imageMenu->addAction(icon("color-mode-invert-image"), withKey(tr("&Invert"), "I")),
            &QAction::triggered, this,
            [this] { m_viewport->setInverted(!m_viewport->options().inverted); });
    connect(m_imageMenu->addAction(icon("zoom-fit-best"), withKey(tr("&Fit"), "F")),
            &QAction::triggered, this, [this] { m_viewport->view()->fit(); });
    m_imageMenu->addSeparator();
    for (const ToolRow& row : toolRows()) {
        connect(m_imageMenu->addAction(icon(row.icon), withKey(tr(row.text), row.key)),
                &QAction::triggered, this, [this, tool = row.tool] { m_viewport->setTool(tool); });
    }
    m_imageMenu->addSeparator();
    connect(m_imageMenu->addAction(tr("&No region")), &QAction::triggered, this,
            [this] { m_viewport->setRegion({}); });
    m_imageMenu->addAction(m_actionAsShown);
    m_imageMenu->setEnabled(document);
}

void MainWindow::setThemeName(const QString& name)
{
    applyTheme(*qApp, theme(name));
    m_services.settings.setTheme(name);
}

void MainWindow::updateActions()
{
    const bool picture = m_viewport->document();
    const bool ready = m_services.engine.state() == EngineThread::State::Ready;
    const bool busy = m_services.conversation.isBusy();
    const bool asked = !m_services.conversation.session().turns.isEmpty();
    m_actionClose->setEnabled(picture);
    m_actionReport->setEnabled(asked);
    m_actionAskRegion->setEnabled(picture && ready && !busy);
    m_actionStop->setEnabled(busy);
    m_actionRegenerate->setEnabled(asked && ready && !busy);
    m_actionUnload->setEnabled(ready);
    m_actionVerify->setEnabled(ready);
    m_actionVerify->setToolTip(
        ready ? tr("Hold the engine against its references on this machine")
              : tr("No model is loaded; the checks run on the loaded model, its device and dtype"));
    m_actionInvert->setEnabled(picture);
    m_actionInvert->setChecked(m_viewport->options().inverted);
    m_actionAsShown->setChecked(m_viewport->options().asShown);
    m_actionGrid->setEnabled(picture);
    m_actionGrid->setChecked(m_viewport->isTileGridVisible());
    m_actionCorner->setChecked(m_viewport->isCornerTextVisible());
    m_toolActions->setEnabled(picture);
    const auto tools = m_toolActions->actions();
    for (QAction* action : tools) {
        action->setChecked(action->data().toInt() == int(m_viewport->tool()));
    }
}

void MainWindow::showAskOptions()
{
    auto* dialog = new AskOptionsDialog(m_services.conversation.options(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &AskOptionsDialog::changed, this, [this](AskOptions options) {
        options.maxTiles = m_services.conversation.options().maxTiles;  // the tile strip's
        takeOptions(options);
    });
    dialog->show();
}

void MainWindow::showKeys()
{
    static const QList<QPair<const char*, const char*>> rows{
        {"↑ ↓, PgUp PgDn", QT_TR_NOOP("slices, frames, pages")},
        {"Home, End", QT_TR_NOOP("first and last")},
        {"Wheel", QT_TR_NOOP("slices; zoom where there is one picture")},
        {"Ctrl + wheel", QT_TR_NOOP("zoom to the cursor")},
        {"Right drag", QT_TR_NOOP("window and level")},
        {"Middle drag", QT_TR_NOOP("pan")},
        {"Double click, F", QT_TR_NOOP("fit and back")},
        {"0, 1 – 9", QT_TR_NOOP("the file's window, window presets")},
        {"S W P Z M R", QT_TR_NOOP("select, window, pan, zoom, measure, region")},
        {"I", QT_TR_NOOP("invert")},
        {"T", QT_TR_NOOP("tile grid")},
        {"Space", QT_TR_NOOP("next unread document")},
        {"Enter, Esc", QT_TR_NOOP("into the composer and back to the picture")},
        {"Ctrl + Enter", QT_TR_NOOP("ask about the picture or its region")},
        {"Ctrl + .", QT_TR_NOOP("stop the answer")},
        {"Ctrl + R", QT_TR_NOOP("ask again")},
        {"Shift + Enter", QT_TR_NOOP("a new line in the question")},
        {"↑", QT_TR_NOOP("the last question, where nothing is written")},
        {"F2, F3, F4, F6", QT_TR_NOOP("library, chat, tile strip, properties")},
        {"Ctrl + H, F11", QT_TR_NOOP("corner text, full screen")},
    };
    auto* dialog = new QDialog(this);
    dialog->setObjectName("keysDialog");
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Keys"));
    auto* grid = new QGridLayout(dialog);
    grid->setContentsMargins(16, 16, 16, 16);
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(4);
    for (int row = 0; row < rows.size(); ++row) {
        auto* key = new QLabel(QString::fromUtf8(rows[row].first));
        auto* what = new QLabel(tr(rows[row].second));
        what->setProperty("kvlRole", "secondary");
        grid->addWidget(key, row, 0);
        grid->addWidget(what, row, 1);
    }
    dialog->show();
}

void MainWindow::showAbout()
{
    auto* dialog = new QDialog(this);
    dialog->setObjectName("aboutDialog");
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("About KVL Workbench"));
    auto* row = new QHBoxLayout(dialog);
    row->setContentsMargins(24, 24, 24, 24);
    row->setSpacing(24);
    auto* sign = new QLabel;
    sign->setPixmap(icon("kvl-workbench").pixmap(64, 64));
    row->addWidget(sign, 0, Qt::AlignTop);
    auto* column = new QVBoxLayout;
    column->setSpacing(8);
    const auto line = [&](const QString& text, double scale, const char* role) {
        auto* label = new QLabel(text);
        label->setTextFormat(Qt::PlainText);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setProperty("kvlRole", role);
        QFont font = label->font();
        font.setPointSizeF(font.pointSizeF() * scale);
        label->setFont(font);
        column->addWidget(label);
    };
    line(tr("KVL Workbench"), 1.4, "");
    line(tr("Ask questions about clinical and scientific images on your own machine. Nothing "
            "leaves it."),
         1, "");
    line(tr("Not for clinical use. The answers of a model can be wrong in ways that look right; "
            "nobody's care may rest on them."),
         1, "warning");
    line(m_services.about, 0.85, "secondary");
    line(tr("Sessions and settings: %1").arg(m_services.dataFolder), 0.85, "secondary");
    row->addLayout(column, 1);
    dialog->setMinimumWidth(480);
    dialog->show();
}

}  // namespace ui
