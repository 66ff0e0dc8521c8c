#include "ui/view/main_window.h"

#include "ui/model/pool.h"
#include "ui/view/banner.h"
#include "ui/view/chat_panel.h"
#include "ui/view/composer.h"
#include "ui/view/icons.h"
#include "ui/view/library_panel.h"
#include "ui/view/message_view.h"
#include "ui/view/model_panel.h"
#include "ui/view/properties_panel.h"
#include "ui/view/report_dialog.h"
#include "ui/view/status_bar.h"
#include "ui/view/theme.h"
#include "ui/view/tile_strip.h"
#include "ui/view/verify_dialog.h"
#include "ui/view/viewport.h"

#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QDesktopServices>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QMenuBar>
#include <QMimeData>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QTabBar>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

MainWindow::MainWindow(const Services& services, QWidget* parent)
    : QMainWindow(parent)
    , m_services(services)
{
    setObjectName("mainWindow");
    setWindowTitle(QStringLiteral("KVL Workbench"));
    setWindowIcon(icon("kvl-workbench"));
    setAcceptDrops(true);
    setDockNestingEnabled(true);
    setMinimumSize(720, 480);
    buildCentre();
    buildDocks();
    m_status = new StatusBar(services.engine);
    setStatusBar(m_status);
    buildToolBar();
    buildMenus();
    joinPicture();
    joinChat();

    connect(&m_opener, &DocumentOpener::opened, this, &MainWindow::addDocument);
    connect(&m_opener, &DocumentOpener::failed, this,
            [this](const QString&, const QString& sentence) {
                m_banners->show(Banner::Kind::Error, sentence);
            });
    connect(&m_opener, &DocumentOpener::passwordNeeded, this, &MainWindow::askPassword);
    connect(&m_opener, &DocumentOpener::busyChanged, this, [this](bool busy, const QString& what) {
        if (busy) {
            m_status->begin("open", what.isEmpty() ? tr("Opening") : what,
                            [this] { m_opener.cancel(); });
        } else {
            m_status->end("open");
        }
    });
    connect(&services.writer, &SessionWriter::failed, this,
            [this](const QString& sentence) { m_banners->show(Banner::Kind::Error, sentence); });
    connect(&services.engine, &EngineThread::stateChanged, this, &MainWindow::takeEngine);
    connect(&services.engine, &EngineThread::verified, this,
            [this](const inference::VerifyReport& report) {
                m_services.settings.addVerification(makeVerification(report));
                m_chat->setVerifications(m_services.settings.verifications());
            });
    m_chat->setVerifications(services.settings.verifications());

    resize(1440, 900);
    restoreGeometry(services.settings.windowGeometry());
    restoreState(services.settings.windowState());
    m_viewport->setCornerTextVisible(services.settings.overlays());
    m_viewport->setTileGridVisible(services.settings.tileGrid());
    takeOptions(services.settings.askOptions());
    takeEngine();
    showDocument(nullptr);
    updateActions();
    arrangeForWidth();
}

MainWindow::~MainWindow()
{
    m_stopReport.request_stop();
}

void MainWindow::buildCentre()
{
    auto* centre = new QWidget;
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_tabs = new QTabBar;
    m_tabs->setObjectName("narrowTabs");
    m_tabs->addTab(tr("Picture"));
    m_tabs->addTab(tr("Chat"));
    m_tabs->setExpanding(false);
    m_tabs->hide();
    column->addWidget(m_tabs);
    m_pages = new QStackedWidget;
    column->addWidget(m_pages, 1);

    m_picturePage = new QWidget;
    auto* pictureColumn = new QVBoxLayout(m_picturePage);
    pictureColumn->setContentsMargins(0, 0, 0, 0);
    pictureColumn->setSpacing(0);
    m_banners = new BannerArea;
    pictureColumn->addWidget(m_banners);
    m_viewport = new Viewport;
    m_viewport->setObjectName("viewport");
    m_centre = new QStackedWidget;
    m_centre->addWidget(makeEmptyState());
    m_centre->addWidget(m_viewport);
    m_tiles = new TileStrip;
    m_tiles->setObjectName("tileStrip");
    m_splitter = new QSplitter(Qt::Vertical);
    m_splitter->setHandleWidth(1);
    m_splitter->addWidget(m_centre);
    m_splitter->addWidget(m_tiles);
    m_splitter->setStretchFactor(0, 1);
    m_splitter->setStretchFactor(1, 0);
    m_splitter->setCollapsible(0, false);
    m_splitter->setSizes({700, 112});
    pictureColumn->addWidget(m_splitter, 1);
    m_pages->addWidget(m_picturePage);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int page) {
        if (page < m_pages->count()) {
            m_pages->setCurrentIndex(page);
            page == 0 ? m_viewport->view()->setFocus() : m_chat->composer()->focusText();
        }
    });
    setCentralWidget(centre);
}

QWidget* MainWindow::makeEmptyState()
{
    auto* empty = new QWidget;
    empty->setObjectName("emptyState");
    empty->setAutoFillBackground(true);
    QPalette black = empty->palette();
    black.setColor(QPalette::Window, currentTheme().viewport);
    empty->setPalette(black);
    auto* column = new QVBoxLayout(empty);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(12);
    column->addStretch(3);
    const auto line = [&](const QString& text, double scale, const QColor& colour) {
        auto* label = new QLabel(text);
        label->setAlignment(Qt::AlignCenter);
        label->setWordWrap(true);
        QFont font = label->font();
        font.setPointSizeF(font.pointSizeF() * scale);
        label->setFont(font);
        label->setStyleSheet(
            QStringLiteral("color: %1").arg(colour.name()));  // on black in every theme
        column->addWidget(label);
        return label;
    };
    line(tr("Drop a picture, a study or a paper here"), 1.4,
         theme("dark").palette.color(QPalette::Text));
    line(tr("DICOM files and folders · PNG, JPEG, TIFF, WebP · MP4, WebM · PDF"), 1,
         theme("dark").secondaryText);
    column->addSpacing(4);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addStretch(1);
    const auto button = [&](const char* name, const QString& iconName, const QString& text,
                            const std::function<void()>& run) {
        auto* made = new QPushButton(icon(iconName), text);
        made->setObjectName(name);
        connect(made, &QPushButton::clicked, this, run);
        row->addWidget(made);
    };
    button("emptyOpen", "document-open", tr("Open files…"), [this] { openDialog(false); });
    button("emptyOpenFolder", "document-open-folder", tr("Open a folder…"),
           [this] { openDialog(true); });
    button("emptyLoadModel", "document-import", tr("Load a model…"), [this] { showModelPanel(); });
    if (!m_services.demo.isEmpty()) {
        button("emptyOpenDemo", "help-hint", tr("Open the demo study"), [this] { openDemo(); });
    }
    row->addStretch(1);
    column->addLayout(row);
    column->addStretch(4);
    return empty;
}

void MainWindow::buildDocks()
{
    const auto dock = [this](const char* name, const QString& title, QWidget* inside,
                             Qt::DockWidgetArea area) {
        auto* made = new QDockWidget(title);
        made->setObjectName(name);
        made->setWidget(inside);
        made->setAcceptDrops(true);  // detached, it is a window of its own
        made->installEventFilter(this);
        addDockWidget(area, made);
        return made;
    };
    m_library = new LibraryPanel;
    m_library->setObjectName("library");
    m_libraryDock = dock("libraryDock", tr("Library"), m_library, Qt::LeftDockWidgetArea);
    m_properties = new PropertiesPanel;
    m_propertiesDock =
        dock("propertiesDock", tr("Properties"), m_properties, Qt::LeftDockWidgetArea);
    m_propertiesDock->hide();
    m_chat = new ChatPanel(m_services.conversation, m_services.engine, m_services.writer);
    m_chatDock = dock("chatDock", tr("Chat"), m_chat, Qt::RightDockWidgetArea);
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    resizeDocks({m_libraryDock, m_chatDock}, {220, 420}, Qt::Horizontal);
}

void MainWindow::joinPicture()
{
    m_attach.setSingleShot(true);
    m_attach.setInterval(60);  // a dragged region or window makes one chip, not hundreds
    connect(&m_attach, &QTimer::timeout, this, [this] {
        const OpenDocument* document = m_viewport->document();
        m_chat->setCurrent(m_viewport->attachment(), document ? document->path() : QString());
        showSuggestions();
    });
    connect(m_library, &LibraryPanel::currentChanged, this, &MainWindow::showDocument);
    connect(m_library, &LibraryPanel::activated, m_viewport,
            [this] { m_viewport->view()->setFocus(); });
    connect(m_library, &LibraryPanel::closeRequested, this, &MainWindow::closeDocument);
    connect(m_library, &LibraryPanel::closeAllRequested, this, [this] {
        const auto all = m_library->documents();
        for (OpenDocument* document : all) {
            closeDocument(document);
        }
    });
    connect(m_library, &LibraryPanel::propertiesRequested, this, &MainWindow::showProperties);
    connect(m_library, &LibraryPanel::openRequested, this, [this] { openDialog(false); });

    connect(m_viewport, &Viewport::frameShown, this, &MainWindow::showPicture);
    connect(m_viewport, &Viewport::regionChanged, this, &MainWindow::showPicture);
    connect(m_viewport, &Viewport::indexChanged, this, [this] {
        m_attach.start();
        if (m_propertiesDock->isVisible()) {
            m_properties->setDocument(m_viewport->document(), m_viewport->currentIndex());
        }
    });
    connect(m_viewport, &Viewport::optionsChanged, this, [this] {
        m_attach.start();
        updateActions();
    });
    connect(m_viewport, &Viewport::toolChanged, this, &MainWindow::updateActions);
    connect(m_viewport, &Viewport::tileGridVisibleChanged, this, [this](bool on) {
        m_services.settings.setTileGrid(on);
        updateActions();
    });
    connect(m_viewport, &Viewport::tileHovered, m_tiles, &TileStrip::setHoveredTile);
    connect(m_tiles, &TileStrip::tileHovered, m_viewport, &Viewport::highlightTile);
    connect(m_tiles, &TileStrip::maxTilesChanged, this, [this](int count) {
        AskOptions options = m_services.conversation.options();
        if (options.maxTiles != count) {
            options.maxTiles = count;
            takeOptions(options);
        }
    });
    connect(m_viewport, &Viewport::composeRequested, this, [this] {
        if (m_narrow) {
            m_tabs->setCurrentIndex(1);
        } else {
            m_chatDock->show();
        }
        m_chat->composer()->focusText();
    });
    connect(m_viewport, &Viewport::askRequested, m_chat, &ChatPanel::askAboutRegion);
    connect(m_viewport, &Viewport::stopRequested, &m_services.conversation, &Conversation::stop);
    connect(m_viewport, &Viewport::nextRequested, this, [this] {
        if (OpenDocument* next = m_library->nextUnread()) {
            m_library->setCurrent(next);
        }
    });
    connect(m_viewport, &Viewport::menuAboutToShow, this, [this](QMenu* menu) {
        menu->addSeparator();
        menu->addAction(m_actionAskRegion);
        menu->addAction(m_actionAsShown);
    });
}

void MainWindow::joinChat()
{
    connect(m_chat, &ChatPanel::attachmentActivated, this, &MainWindow::showAttachment);
    connect(m_chat, &ChatPanel::boxActivated, this, &MainWindow::activateBox);
    connect(m_chat, &ChatPanel::optionsChanged, this, &MainWindow::takeOptions);
    connect(m_chat, &ChatPanel::reportRequested, this, &MainWindow::showReportDialog);
    connect(m_chat, &ChatPanel::loadModelRequested, this, [this] { showModelPanel(); });
    connect(m_chat, &ChatPanel::suggestionChosen, this, [this](int index) {
        if (index < m_suggested.size() && !m_suggested[index].region.isNull()) {
            m_viewport->setRegion(m_suggested[index].region);
        }
    });
    connect(m_chat->composer(), &Composer::pictureNeeded, this, &MainWindow::paste);
    connect(m_chat, &ChatPanel::leaveRequested, this, [this] {
        m_tabs->setCurrentIndex(0);
        m_viewport->view()->setFocus();
    });
    Conversation& conversation = m_services.conversation;
    connect(&conversation, &Conversation::turnAdded, this, [this](int row) {
        m_boxTurn = row;
        showBoxes();
        updateActions();
    });
    connect(&conversation, &Conversation::turnChanged, this, [this](int row) {
        if (row == m_boxTurn) {
            showBoxes();
        }
        updateActions();
    });
    connect(&conversation, &Conversation::sessionChanged, this, [this] {
        m_boxTurn = int(m_services.conversation.session().turns.size()) - 1;
        showBoxes();
        updateActions();
    });
    connect(&conversation, &Conversation::busyChanged, this, &MainWindow::updateActions);
}

void MainWindow::open(const QStringList& paths)
{
    if (paths.isEmpty()) {
        return;
    }
    // Whether a folder is a checkpoint is seen in its files: not on this thread.
    using Sorted = QPair<QStringList, QStringList>;
    runOnPool(
        this,
        [paths]() -> Sorted {
            Sorted sorted;
            for (const QString& path : paths) {
                const bool checkpoint =
                    QFileInfo(path).isDir() && inference::looksLikeCheckpoint(path.toStdString());
                (checkpoint ? sorted.second : sorted.first) << path;
            }
            return sorted;
        },
        [this, paths](const PoolResult<Sorted>& result) {
            const Sorted sorted = result.value.value_or(Sorted{paths, {}});
            openFound(sorted.first, sorted.second);
        });
}

void MainWindow::openFound(const QStringList& files, const QStringList& checkpoints)
{
    if (!files.isEmpty()) {
        m_makeNextCurrent = true;
        m_services.settings.setFolder("open", QFileInfo(files.first()).absolutePath());
        m_opener.open(files);
    }
    for (const QString& folder : checkpoints) {
        Banner* banner = m_banners->show(Banner::Kind::Info,
                                         tr("%1 holds a model.").arg(QFileInfo(folder).fileName()));
        banner->addButton(tr("Load it"), [this, folder] {
            const inference::LoadOptions options = m_services.settings.modelIn(folder);
            m_services.settings.addRecentModel(folder);
            m_services.settings.setModel(options);
            loadModel(options);
        });
        banner->addButton(tr("Look at it…"), [this, folder] { showModelPanel(folder); });
    }
}

void MainWindow::loadModel(const inference::LoadOptions& options)
{
    m_services.engine.load(options);
}

void MainWindow::openDemo()
{
    m_makeNextCurrent = true;
    m_opener.open(m_services.demo.files);
}

/// What can be asked of a picture of the demonstration study.
void MainWindow::showSuggestions()
{
    const std::optional<AttachedFrame> shown = m_viewport->attachment();
    m_suggested = shown ? m_services.demo.questionsFor(shown->frame.ref) : QList<DemoQuestion>();
    QStringList texts;
    for (const DemoQuestion& one : m_suggested) {
        texts << one.text;
    }
    m_chat->setSuggestions(texts);
}

void MainWindow::openDialog(bool folder)
{
    auto* dialog = new QFileDialog(this, folder ? tr("Open a folder") : tr("Open files"),
                                   m_services.settings.folder("open"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    if (folder) {
        dialog->setFileMode(QFileDialog::Directory);
        dialog->setOption(QFileDialog::ShowDirsOnly);
    } else {
        dialog->setFileMode(QFileDialog::ExistingFiles);
        dialog->setNameFilters(openDialogFilter().split(";;"));
    }
    connect(dialog, &QFileDialog::filesSelected, this, &MainWindow::open);
    dialog->open();
}

void MainWindow::addDocument(OpenDocument* document)
{
    document->setParent(this);
    m_library->add(document);
    if (!document->path().isEmpty() && QFileInfo::exists(document->path()) &&
        !m_services.demo.holds(document->path())) {
        m_services.settings.addRecentFile(document->path());
    }
    fillRecent();
    connect(document, &OpenDocument::failed, this,
            [this, document](int index, const QString& sentence) {
                if (index < 0) {
                    m_banners->show(Banner::Kind::Error,
                                    document->title() + QStringLiteral(": ") + sentence);
                }
            });
    if (m_wanted && document->indexOf(m_wanted->ref) >= 0) {
        const Wanted wanted = *std::exchange(m_wanted, std::nullopt);
        m_makeNextCurrent = false;
        showAttachment(wanted.ref, wanted.options, wanted.region);
    } else if (m_makeNextCurrent || !m_library->current()) {
        m_makeNextCurrent = false;
        m_library->setCurrent(document);
    }
}

void MainWindow::closeDocument(OpenDocument* document)
{
    if (!document) {
        return;
    }
    m_library->remove(document);
    if (m_viewport->document() == document) {
        showDocument(m_library->current());
    }
    document->deleteLater();
}

void MainWindow::askPassword(const QString& path, const QString& sentence)
{
    Banner* banner = m_banners->show(Banner::Kind::Warning, sentence);
    banner->addPassword(tr("Open"), [this, path](const QString& password) {
        m_makeNextCurrent = true;
        m_opener.open(path, password);
    });
    banner->setFocus();
}

void MainWindow::paste()
{
    openMime(QGuiApplication::clipboard()->mimeData());
}

void MainWindow::openMime(const QMimeData* mime)
{
    if (!mime) {
        return;
    }
    QStringList paths;
    const QList<QUrl> urls = mime->urls();
    for (const QUrl& url : urls) {
        if (url.isLocalFile()) {
            paths << url.toLocalFile();
        }
    }
    if (!paths.isEmpty()) {
        open(paths);
    } else if (mime->hasImage()) {
        openImage(qvariant_cast<QImage>(mime->imageData()),
                  tr("Pasted picture %1").arg(++m_pasted));
    } else if (!urls.isEmpty()) {
        m_banners->show(
            Banner::Kind::Error,
            tr("%1 is not on this computer; only files here are opened, nothing is fetched.")
                .arg(urls.first().toDisplayString()));
    } else {
        m_banners->show(Banner::Kind::Info,
                        tr("There is no picture and no file in the clipboard."));
    }
}

void MainWindow::openImage(const QImage& image, const QString& title)
{
    try {
        m_makeNextCurrent = true;
        addDocument(new OpenDocument(documentFromImage(image, title)));
    } catch (const DocumentError& error) {
        m_banners->show(Banner::Kind::Error, error.sentence());
    }
}

void MainWindow::showDocument(OpenDocument* document)
{
    m_viewport->setDocument(document);
    m_centre->setCurrentIndex(document ? 1 : 0);
    m_tiles->setVisible(document && m_services.settings.tileStrip());
    setWindowTitle(document ? tr("%1 – KVL Workbench").arg(document->title())
                            : QStringLiteral("KVL Workbench"));
    if (m_propertiesDock->isVisible()) {
        m_properties->setDocument(document, m_viewport->currentIndex());
    }
    if (!document) {
        m_tiles->clear();
        m_attach.start();
    }
    fillImageMenu();
    updateActions();
}

void MainWindow::showPicture()
{
    const Frame& frame = m_viewport->frame();
    m_tiles->setPicture(frame.pixels, m_viewport->region(), frame.note);
    m_attach.start();
    showBoxes();
}

/// Whether the picture's pixels lie where the attachment's did: windowed as one likes, but a
/// picture "as shown" may be turned.
bool MainWindow::isShown(const Attachment& attachment) const
{
    const Frame& frame = m_viewport->frame();
    return attachment.frame == frame.ref && attachment.frameSize == frame.pixels.size() &&
        attachment.options.asShown == m_viewport->shownOptions().asShown;
}

void MainWindow::showBoxes()
{
    m_drawnBoxes.clear();
    QList<OverlayBox> drawn;
    const Session& session = m_services.conversation.session();
    if (m_boxTurn >= 0 && m_boxTurn < session.turns.size()) {
        const auto attachments = session.attachments();
        const auto& boxes = session.turns[m_boxTurn].boxes;
        for (int i = 0; i < boxes.size(); ++i) {
            const int picture = boxes[i].attachment;
            if (picture >= 0 && picture < attachments.size() && isShown(attachments[picture])) {
                drawn.append({boxes[i].label, boxes[i].rect, i, i + 1});
                m_drawnBoxes.append(i);
            }
        }
    }
    m_viewport->setBoxes(drawn);
    if (const auto at = m_drawnBoxes.indexOf(m_flash); m_flash >= 0 && at >= 0) {
        m_flash = -1;
        m_viewport->flashBox(int(at));
    }
}

void MainWindow::showAttachment(const FrameRef& ref, const FrameOptions& options,
                                const QRect& region)
{
    const auto documents = m_library->documents();
    for (OpenDocument* document : documents) {
        if (const int index = document->indexOf(ref); index >= 0) {
            m_library->setCurrent(document);
            if (m_viewport->document() != document) {
                showDocument(document);
            }
            m_viewport->showFrame(index, options, region);
            m_tabs->setCurrentIndex(0);
            return;
        }
    }
    if (QFileInfo::exists(ref.file)) {
        m_wanted = {ref, options, region};
        m_opener.open(QStringList{ref.file});
    } else {
        m_banners->show(
            Banner::Kind::Warning,
            ref.file.isEmpty()
                ? tr("This picture was pasted and is no file, so it can't be shown again.")
                : tr("%1 is gone from its place, so the picture can't be shown again.")
                      .arg(ref.file));
    }
}

void MainWindow::activateBox(int row, int box, bool flash)
{
    const Session& session = m_services.conversation.session();
    if (row < 0 || row >= session.turns.size()) {
        return;
    }
    if (box < 0 || box >= session.turns[row].boxes.size()) {
        return;
    }
    const auto attachments = session.attachments();
    const int picture = session.turns[row].boxes[box].attachment;
    if (picture < 0 || picture >= attachments.size()) {
        return;
    }
    m_boxTurn = row;
    const Attachment& attachment = attachments[picture];
    const bool shown = isShown(attachment);
    if (!shown && !flash) {
        return;  // a hover does not turn pages
    }
    m_flash = box;
    if (shown) {
        showBoxes();
    } else {
        showAttachment(attachment.frame, attachment.options, attachment.region);
    }
}

void MainWindow::showModelPanel(const QString& folder)
{
    if (!m_modelPanel) {
        m_modelPanel = new ModelPanel(m_services.engine, m_services.settings, this);
        m_modelPanel->setAttribute(Qt::WA_DeleteOnClose);
        if (m_modelPanel->folder().isEmpty() && !m_services.bundledModel.isEmpty()) {
            m_modelPanel->setFolder(m_services.bundledModel);
        }
    }
    if (!folder.isEmpty()) {
        m_modelPanel->setFolder(folder);
    }
    m_modelPanel->show();
    m_modelPanel->raise();
    m_modelPanel->activateWindow();
}

void MainWindow::showVerifyDialog()
{
    if (!m_verifyDialog) {
        m_verifyDialog = new VerifyDialog(m_services.engine, m_services.settings, this);
        m_verifyDialog->setAttribute(Qt::WA_DeleteOnClose);
    }
    m_verifyDialog->show();
    m_verifyDialog->raise();
    m_verifyDialog->activateWindow();
}

void MainWindow::showReportDialog()
{
    if (m_services.conversation.session().turns.isEmpty()) {
        m_banners->show(Banner::Kind::Info,
                        tr("There is nothing to report yet: ask a question first."));
        return;
    }
    auto* dialog = new ReportDialog(m_services.conversation.session(), m_services.settings, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &ReportDialog::saveRequested, this, &MainWindow::saveReport);
    dialog->show();
}

void MainWindow::saveReport(const Session& session, ReportOptions options, const QString& file)
{
    options.verifications = m_services.settings.verifications();
    m_stopReport.request_stop();
    m_stopReport = std::stop_source();
    const std::stop_token stop = m_stopReport.get_token();
    m_status->begin("report", tr("Saving %1").arg(QFileInfo(file).fileName()),
                    [this] { m_stopReport.request_stop(); });
    runOnPool(
        this,
        [session, options, file, stop] {
            writeReport(makeReport(session, options, stop), file);
            return file;
        },
        [this, stop](const PoolResult<QString>& result) {
            m_status->end("report");
            if (stop.stop_requested() && !result.value) {
                return;
            }
            if (!result.value) {
                m_banners->show(Banner::Kind::Error, result.failure);
                return;
            }
            const QString saved = *result.value;
            Banner* banner =
                m_banners->show(Banner::Kind::Info, tr("The report is saved as %1.").arg(saved));
            banner->addButton(tr("Open"),
                              [saved] { QDesktopServices::openUrl(QUrl::fromLocalFile(saved)); });
            banner->addButton(tr("Show in folder"), [saved] {
                QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(saved).absolutePath()));
            });
        });
}

void MainWindow::showProperties(OpenDocument* document)
{
    const bool current = document == m_viewport->document();
    m_properties->setDocument(document, current ? m_viewport->currentIndex() : 0);
    m_propertiesDock->show();
    m_propertiesDock->raise();
}

void MainWindow::takeOptions(AskOptions options)
{
    AskOptions kept = options;
    const auto& info = m_services.engine.info();
    if (m_services.engine.state() == EngineThread::State::Ready && info.demonstration) {
        // It knows no more tiles than it was trained with; what is set for other models stays.
        const int most = std::max(info.maxTiles, 1);
        if (options.maxTiles == most) {
            kept.maxTiles = std::max(most, m_services.settings.askOptions().maxTiles);
        }
        options.maxTiles = std::min(options.maxTiles, most);
    }
    m_services.settings.setAskOptions(kept);
    m_services.conversation.setOptions(options);
    m_tiles->setMaxTiles(options.maxTiles);
    m_viewport->setMaxTiles(options.maxTiles);
    m_chat->composer()->setAskOptions(options);
}

void MainWindow::takeEngine()
{
    if (m_services.engine.state() == EngineThread::State::Ready) {
        const auto& info = m_services.engine.info();
        inference::TilingOptions tiling = m_tiles->options();
        tiling.tileSize = info.tileSize > 0 ? info.tileSize : tiling.tileSize;
        tiling.tokensPerTile = info.tokensPerTile > 0 ? info.tokensPerTile : tiling.tokensPerTile;
        m_tiles->setOptions(tiling);
        m_viewport->setTiling(tiling);
        takeOptions(m_services.settings.askOptions());
    } else if (m_services.engine.state() == EngineThread::State::Failed) {
        Banner* banner = m_banners->show(Banner::Kind::Error, m_services.engine.failure());
        banner->addButton(tr("Model…"), [this] { showModelPanel(); });
    }
    updateActions();
}

void MainWindow::arrangeForWidth()
{
    if (const bool compact = width() < 1100; compact != m_library->isCompact()) {
        m_library->setCompact(compact);
        resizeDocks({m_libraryDock}, {compact ? m_library->minimumSizeHint().width() : 220},
                    Qt::Horizontal);
    }
    const bool narrow = width() < 900;
    if (narrow == m_narrow) {
        return;
    }
    m_narrow = narrow;
    if (narrow) {
        m_chatWasVisible = m_chatDock->isVisible() || !isVisible();
        m_pages->addWidget(m_chat);
        m_chatDock->hide();
    } else {
        m_pages->removeWidget(m_chat);
        m_pages->setCurrentIndex(0);
        m_chatDock->setWidget(m_chat);
        m_chat->show();
        m_chatDock->setVisible(m_chatWasVisible);
    }
    m_tabs->setCurrentIndex(0);
    m_tabs->setVisible(narrow);
    m_chatDock->toggleViewAction()->setEnabled(!narrow);
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    arrangeForWidth();
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_narrow) {
        m_chatDock->setVisible(m_chatWasVisible);  // the state of a wide window is kept
    }
    m_services.settings.setWindow(saveGeometry(), saveState());
    m_stopReport.request_stop();
    m_opener.cancel();
    m_services.conversation.stop();
    QMainWindow::closeEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls() || event->mimeData()->hasImage()) {
        event->setDropAction(Qt::CopyAction);  // a file manager may propose to move the file
        event->accept();
    }
}

void MainWindow::dropEvent(QDropEvent* event)
{
    event->setDropAction(Qt::CopyAction);
    event->accept();
    openMime(event->mimeData());
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event)
{
    if (qobject_cast<QDockWidget*>(watched)) {
        if (event->type() == QEvent::DragEnter) {
            dragEnterEvent(static_cast<QDragEnterEvent*>(event));
            return event->isAccepted();
        }
        if (event->type() == QEvent::Drop) {
            dropEvent(static_cast<QDropEvent*>(event));
            return true;
        }
    }
    return QMainWindow::eventFilter(watched, event);
}

}  // namespace ui
