#pragma once

#include "ui/model/conversation.h"
#include "ui/model/demo_study.h"
#include "ui/model/frame_loader.h"
#include "ui/model/report.h"
#include "ui/model/session_store.h"
#include "ui/model/settings.h"

#include <QHash>
#include <QMainWindow>
#include <QPointer>
#include <QTimer>

#include <optional>
#include <stop_token>

class QActionGroup;
class QMenu;
class QMimeData;
class QSplitter;
class QStackedWidget;
class QTabBar;

namespace ui {

class BannerArea;
class ChatPanel;
class LibraryPanel;
class ModelPanel;
class VerifyDialog;
class PropertiesPanel;
class StatusBar;
class TileStrip;
class Viewport;

/// What the window shows; made by main() and outliving the window.
struct Services {
    EngineThread& engine;
    SessionWriter& writer;
    Conversation& conversation;
    Settings& settings;
    QString dataFolder, logFile;
    QString about;              // versions, one a line
    QString bundledModel = {};  // folder of the demonstration model; empty: did not come along
    DemoStudy demo = {};
};

/// Joins the library, the picture, its tiles and the chat. Nothing here waits: files, models and
/// reports are worked on elsewhere and come back by signal.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(const Services& services, QWidget* parent = nullptr);
    ~MainWindow() override;

    /// Files and folders; a checkpoint's folder is offered to be loaded.
    void open(const QStringList& paths);
    void loadModel(const inference::LoadOptions& options);
    void openDemo();

    Viewport* viewport() const { return m_viewport; }
    TileStrip* tileStrip() const { return m_tiles; }
    LibraryPanel* library() const { return m_library; }
    ChatPanel* chat() const { return m_chat; }
    BannerArea* banners() const { return m_banners; }

protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;  // of the docks

private:
    void buildCentre();
    void buildDocks();
    void buildMenus();
    void buildToolBar();
    void joinPicture();
    void joinChat();
    QWidget* makeEmptyState();
    QAction* addTo(QMenu* menu, const QString& iconName, const QString& text,
                   const QKeySequence& keys, const std::function<void()>& run);

    void openDialog(bool folder);
    void openFound(const QStringList& files, const QStringList& checkpoints);
    void addDocument(OpenDocument* document);
    void closeDocument(OpenDocument* document);
    void askPassword(const QString& path, const QString& sentence);
    void paste();
    void openMime(const QMimeData* mime);
    void openImage(const QImage& image, const QString& title);
    void showDocument(OpenDocument* document);
    void showPicture();
    bool isShown(const Attachment& attachment) const;
    void showBoxes();
    void showAttachment(const FrameRef& ref, const FrameOptions& options, const QRect& region);
    void activateBox(int row, int box, bool flash);
    void showModelPanel(const QString& folder = {});
    void showVerifyDialog();
    void showReportDialog();
    void saveReport(const Session& session, ReportOptions options, const QString& file);
    void showAskOptions();
    void showKeys();
    void showAbout();
    void showProperties(OpenDocument* document);
    void takeOptions(AskOptions options);
    void showSuggestions();
    void takeEngine();
    void fillRecent();
    void fillImageMenu();
    void setThemeName(const QString& name);
    void arrangeForWidth();
    void updateActions();

    Services m_services;
    DocumentOpener m_opener;

    QTabBar* m_tabs;
    QStackedWidget* m_pages;  // picture, chat where the window is narrow
    QWidget* m_picturePage;
    QStackedWidget* m_centre;  // empty state, viewport
    QSplitter* m_splitter;
    BannerArea* m_banners;
    Viewport* m_viewport;
    TileStrip* m_tiles;
    LibraryPanel* m_library;
    ChatPanel* m_chat;
    PropertiesPanel* m_properties;
    QDockWidget *m_libraryDock, *m_chatDock, *m_propertiesDock;
    StatusBar* m_status;
    QPointer<ModelPanel> m_modelPanel;
    QPointer<VerifyDialog> m_verifyDialog;

    QMenu *m_recentMenu, *m_imageMenu, *m_recentModelsMenu;
    QAction *m_actionReport, *m_actionClose, *m_actionAskRegion, *m_actionStop, *m_actionRegenerate,
        *m_actionUnload, *m_actionVerify;
    QAction *m_actionGrid, *m_actionCorner, *m_actionInvert, *m_actionAsShown, *m_actionFullScreen;
    QActionGroup *m_toolActions, *m_themeActions;

    bool m_narrow = false, m_chatWasVisible = true;
    bool m_makeNextCurrent = false;  // the first document of a batch is shown
    int m_boxTurn = -1;              // whose boxes are drawn
    QList<int> m_drawnBoxes;         // of that turn, in the order they are drawn
    int m_flash = -1;                // a box to flash once its frame is there
    struct Wanted {
        FrameRef ref;
        FrameOptions options;
        QRect region;
    };
    std::optional<Wanted> m_wanted;  // to show once its file is open
    QList<DemoQuestion> m_suggested;
    std::stop_source m_stopReport;
    QTimer m_attach;
    int m_pasted = 0;
};

}  // namespace ui
