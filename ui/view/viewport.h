#pragma once

#include "ui/model/conversation.h"
#include "ui/model/frame_loader.h"
#include "ui/view/image_view.h"

#include <QHash>
#include <QPointer>
#include <QTimer>
#include <QWidget>

class QLabel;
class QMenu;
class QSlider;

namespace ui {

class BusyLine;

/// One document on the screen: its picture with the tools, a slider for its frames, a line while a
/// frame is late and a sentence where one fails. Remembers frame, window, region and zoom of each
/// document it has shown. Keys are those of ui.md; the ones the window answers come as signals.
class Viewport : public QWidget {
    Q_OBJECT
public:
    explicit Viewport(QWidget* parent = nullptr);
    ~Viewport() override;

    OpenDocument* document() const { return m_document; }
    void setDocument(OpenDocument* document);  // not owned; null: clear()
    void clear();

    int currentIndex() const { return m_index; }
    void setCurrentIndex(int index);  // held within the document
    const FrameOptions& options() const { return m_options; }
    const FrameOptions& shownOptions() const { return m_frameOptions; }  // frame()'s
    void setOptions(const FrameOptions& options);
    void setWindow(const std::optional<WindowLevel>& window);  // none: the file's own
    void setInverted(bool inverted);
    /// Frame, options and region at once, as an attachment names them.
    void showFrame(int index, const FrameOptions& options, const QRect& region);

    /// The last good frame; its pixels are null before the first and where the current one failed.
    const Frame& frame() const { return m_view->frame(); }
    /// The frame as a question takes it, where there is one.
    std::optional<AttachedFrame> attachment() const;
    QString errorSentence() const { return m_error; }
    bool isWaiting() const { return m_waiting; }

    QRect region() const { return m_view->region(); }
    void setRegion(const QRect& region) { m_view->setRegion(region); }
    Tool tool() const { return m_view->tool(); }
    void setTool(Tool tool);

    bool isTileGridVisible() const { return m_view->isTileGridVisible(); }
    void setTileGridVisible(bool visible);
    void setTiling(const inference::TilingOptions& options) { m_view->setTiling(options); }
    void setMaxTiles(int count);
    void highlightTile(int tile) { m_view->highlightTile(tile); }
    /// Boxes of answers about the frame that is shown, in its pixels; gone when another is shown.
    void setBoxes(const QList<OverlayBox>& boxes) { m_view->setBoxes(boxes); }
    void flashBox(int index) { m_view->flashBox(index); }
    bool isCornerTextVisible() const { return m_view->isCornerTextVisible(); }
    void setCornerTextVisible(bool visible);

    ImageView* view() const { return m_view; }

Q_SIGNALS:
    /// Null pixels: nothing is shown any more, or the frame failed.
    void frameShown(const ui::Frame& frame);
    void documentChanged(ui::OpenDocument* document);
    void regionChanged(const QRect& region);
    void indexChanged(int index);
    void optionsChanged(const ui::FrameOptions& options);
    void windowChanged(const std::optional<ui::WindowLevel>& window);
    void toolChanged(ui::Tool tool);
    void tileGridVisibleChanged(bool visible);
    void tileHovered(int tile);
    void boxHovered(int box);
    void boxClicked(int box);
    void askRequested();      // Ctrl+Enter
    void composeRequested();  // Enter
    void nextRequested();     // Space: next unread series
    void stopRequested();     // Ctrl+.
    /// Before the context menu opens; receivers may add to it.
    void menuAboutToShow(QMenu* menu);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct State {
        int index = 0;
        FrameOptions options;
        QRect region;
        std::optional<ViewTransform> view;  // none: fitted
    };

    struct Asked {
        int index = 0;
        FrameOptions options;
        bool operator==(const Asked&) const = default;
    };

    void request();
    void take(int index, const FrameOptions& options, const Frame& frame);
    void fail(int index, const QString& sentence);
    void showMenu(const QPoint& globalPosition);
    void usePreset(int number);  // 1 …; 0: the file's own
    int framesOfAPage() const;   // of PgUp and PgDn
    void updateControls();
    void placeOverlays();
    void keepState();
    void copyPicture();

    ImageView* m_view;
    QWidget* m_frames;  // slider and count
    QSlider* m_slider;
    QLabel* m_count;
    QLabel* m_message;
    BusyLine* m_busy;
    QTimer m_late;

    QPointer<OpenDocument> m_document;
    QHash<OpenDocument*, State> m_states;
    int m_index = 0;
    FrameOptions m_options, m_frameOptions;  // wanted; of the frame that is shown
    std::optional<ViewTransform> m_wantedView;
    QRect m_wantedRegion;
    bool m_first = false;  // the next frame is the document's first since setDocument
    bool m_waiting = false;
    QList<Asked> m_asked;  // and not answered yet, oldest first
    QString m_error;
};

}  // namespace ui
