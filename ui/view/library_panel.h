#pragma once

#include "ui/model/frame_loader.h"

#include <QWidget>

class QListView;
class QMenu;
class QStackedWidget;

namespace ui {

class LibraryDelegate;
class LibraryModel;

/// The opened documents with their thumbnails; those of one folder or file stay together under its
/// name. Owns none of them: closing is asked for by signal.
class LibraryPanel : public QWidget {
    Q_OBJECT
public:
    explicit LibraryPanel(QWidget* parent = nullptr);
    ~LibraryPanel() override;

    void add(OpenDocument* document);  // not made current
    /// The neighbour becomes current where the current one goes.
    void remove(OpenDocument* document);
    QList<OpenDocument*> documents() const;  // in the order shown
    OpenDocument* current() const;
    void setCurrent(OpenDocument* document);
    /// The next one that has not been current yet, from the current one on; null: none is left.
    OpenDocument* nextUnread() const;

    bool isCompact() const { return m_compact; }
    /// Thumbnails only, for a narrow window.
    void setCompact(bool compact);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void currentChanged(ui::OpenDocument* document);
    void activated(ui::OpenDocument* document);  // a click, Enter or Esc: to the picture
    void closeRequested(ui::OpenDocument* document);
    void closeAllRequested();
    void propertiesRequested(ui::OpenDocument* document);
    void openRequested();
    /// Before the context menu opens; receivers may add to it.
    void menuAboutToShow(QMenu* menu, ui::OpenDocument* document);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void showMenu(const QPoint& position);

    LibraryModel* m_model;
    QListView* m_list;
    LibraryDelegate* m_delegate;
    QStackedWidget* m_stack;
    bool m_compact = false;
};

}  // namespace ui
