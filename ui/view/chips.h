#pragma once

#include <QFrame>
#include <QImage>
#include <QList>
#include <QPushButton>

class QLabel;
class QToolButton;

namespace ui {

struct Attachment;
struct AnswerBox;
struct AttachedFrame;

/// A picture of a question: thumbnail, name and slice, below them window and region.
class PictureChip : public QFrame {
    Q_OBJECT
public:
    PictureChip(const QImage& thumbnail, const QString& title, const QString& details,
                bool removable, QWidget* parent = nullptr);

Q_SIGNALS:
    void clicked();
    void removed();

protected:
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
};

/// "C 40 W 400 · region 120 × 80"
QString attachmentDetails(const Attachment& attachment);
QString attachmentDetails(const AttachedFrame& frame);
/// At most 96 × 96, of what the model is given.
QImage attachmentThumbnail(const AttachedFrame& frame);

/// "① polyp" in the box's colour.
class BoxChip : public QPushButton {
    Q_OBJECT
public:
    BoxChip(int index, const AnswerBox& box, QWidget* parent = nullptr);

Q_SIGNALS:
    void hovered(bool on);

protected:
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void colour();
    int m_index;
    bool m_colouring = false;
};

/// Widgets side by side, wrapped where the row is full; as tall as it must be.
class ChipRow : public QWidget {
    Q_OBJECT
public:
    explicit ChipRow(Qt::Alignment alignment = Qt::AlignLeft, QWidget* parent = nullptr);
    void add(QWidget* chip);
    void clear();
    bool isEmpty() const { return m_chips.isEmpty(); }
    /// Width of all chips in one line.
    int naturalWidth() const;
    QSize sizeHint() const override;

protected:
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;

private:
    void arrange();
    Qt::Alignment m_alignment;
    QList<QWidget*> m_chips;
};

}  // namespace ui
