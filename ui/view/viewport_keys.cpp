#include "ui/view/viewport.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>
#include <QMenu>

#include <algorithm>

/// Keys and the context menu of the picture.
namespace ui {

namespace {

constexpr int kArrow = 48;  // px an arrow key pans where there is one frame

}  // namespace

void Viewport::usePreset(int number)
{
    if (number == 0) {
        setWindow(std::nullopt);
    } else if (m_document && number <= m_document->windowPresets().size()) {
        setWindow(m_document->windowPresets()[number - 1].window);
    }
}

int Viewport::framesOfAPage() const
{
    // A paper is leafed through; of a short series no slice should be out of reach.
    if (!m_document || m_document->frameNoun() == QLatin1String("page")) {
        return 1;
    }
    return std::clamp(m_document->frameCount() / 3, 1, 10);
}

void Viewport::keyPressEvent(QKeyEvent* event)
{
    const bool control = event->modifiers().testFlag(Qt::ControlModifier);
    const bool plain = !(event->modifiers() & ~(Qt::KeypadModifier | Qt::ShiftModifier));
    const bool several = m_document && m_document->frameCount() > 1;
    const auto step = [&](int by, const QPointF& pan) {
        if (several) {
            setCurrentIndex(m_index + by);
        } else if (m_view->hasPicture() && !m_view->isFitted()) {
            ViewTransform view = m_view->view();
            view.pan(pan);
            m_view->setView(view);
        }
    };
    if (control) {
        switch (event->key()) {
        case Qt::Key_Return:
        case Qt::Key_Enter:
            Q_EMIT askRequested();
            return;
        case Qt::Key_Period:
            Q_EMIT stopRequested();
            return;
        case Qt::Key_H:
            setCornerTextVisible(!isCornerTextVisible());
            return;
        case Qt::Key_C:
            copyPicture();
            return;
        default:
            break;
        }
    }
    if (!plain) {
        QWidget::keyPressEvent(event);
        return;
    }
    switch (event->key()) {
    case Qt::Key_Left:
        return step(-1, {kArrow, 0});
    case Qt::Key_Up:
        return step(-1, {0, kArrow});
    case Qt::Key_Right:
        return step(1, {-kArrow, 0});
    case Qt::Key_Down:
        return step(1, {0, -kArrow});
    case Qt::Key_PageUp:
        return step(-framesOfAPage(), {0, m_view->height() * 0.8});
    case Qt::Key_PageDown:
        return step(framesOfAPage(), {0, -m_view->height() * 0.8});
    case Qt::Key_Home:
        return setCurrentIndex(0);
    case Qt::Key_End:
        return setCurrentIndex(m_document ? m_document->frameCount() - 1 : 0);
    case Qt::Key_S:
        return setTool(Tool::Select);
    case Qt::Key_W:
        return setTool(Tool::Window);
    case Qt::Key_P:
        return setTool(Tool::Pan);
    case Qt::Key_Z:
        return setTool(Tool::Zoom);
    case Qt::Key_M:
        return setTool(Tool::Measure);
    case Qt::Key_R:
        return setTool(Tool::Region);
    case Qt::Key_I:
        return setInverted(!m_options.inverted);
    case Qt::Key_F:
        return m_view->fit();
    case Qt::Key_T:
        return setTileGridVisible(!isTileGridVisible());
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return m_view->zoomBy(1.2, QRectF(m_view->rect()).center());
    case Qt::Key_Minus:
        return m_view->zoomBy(1 / 1.2, QRectF(m_view->rect()).center());
    case Qt::Key_Escape:
        if (!m_view->cancelDrag()) {
            if (!region().isNull()) {
                setRegion({});
            } else {
                m_view->clearMeasurements();
            }
        }
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        Q_EMIT composeRequested();
        return;
    case Qt::Key_Space:
        Q_EMIT nextRequested();
        return;
    default:
        if (event->key() >= Qt::Key_0 && event->key() <= Qt::Key_9) {
            return usePreset(event->key() - Qt::Key_0);
        }
        QWidget::keyPressEvent(event);
    }
}

void Viewport::copyPicture()
{
    if (m_view->hasPicture()) {
        const QRect part = region().isNull() ? frame().pixels.rect() : region();
        QApplication::clipboard()->setImage(frame().pixels.copy(part));
    }
}

void Viewport::showMenu(const QPoint& globalPosition)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const bool picture = m_view->hasPicture();
    const auto add = [&](const QString& text, const QString& key, auto run) {
        // the key is named, not bound: the picture has it only while it has the focus
        QAction* action = menu->addAction(key.isEmpty() ? text : text + u'\t' + key);
        connect(action, &QAction::triggered, this, run);
        action->setEnabled(picture);
        return action;
    };
    if (!region().isNull()) {
        add(tr("Ask about the region"), tr("Ctrl+Enter"), [this] { Q_EMIT askRequested(); });
        add(tr("Clear region"), tr("Esc"), [this] { setRegion({}); });
        menu->addSeparator();
    }
    add(tr("Fit"), QStringLiteral("F"), [this] { m_view->fit(); });
    add(tr("Every pixel once (100 %)"), {}, [this] { m_view->setZoom(1); });
    menu->addSeparator();
    if (frame().window || m_options.window) {
        add(tr("Window of the file"), QStringLiteral("0"), [this] { usePreset(0); });
        int number = 0;
        for (const WindowPreset& preset : m_document->windowPresets()) {
            ++number;
            const QString text = QStringLiteral("%1  C %2 W %3")
                                     .arg(preset.name)
                                     .arg(preset.window.center)
                                     .arg(preset.window.width);
            QAction* action = add(text, number <= 9 ? QString::number(number) : QString(),
                                  [this, number] { usePreset(number); });
            action->setCheckable(true);
            action->setChecked(m_options.window == preset.window);
        }
    }
    QAction* invert =
        add(tr("Invert"), QStringLiteral("I"), [this] { setInverted(!m_options.inverted); });
    invert->setCheckable(true);
    invert->setChecked(m_options.inverted);
    menu->addSeparator();
    QAction* grid = add(tr("Tile grid"), QStringLiteral("T"),
                        [this] { setTileGridVisible(!isTileGridVisible()); });
    grid->setCheckable(true);
    grid->setChecked(isTileGridVisible());
    QAction* corner = add(tr("Corner text"), tr("Ctrl+H"),
                          [this] { setCornerTextVisible(!isCornerTextVisible()); });
    corner->setCheckable(true);
    corner->setChecked(isCornerTextVisible());
    if (!m_view->measurements().isEmpty()) {
        add(tr("Clear measurements"), {}, [this] { m_view->clearMeasurements(); });
    }
    menu->addSeparator();
    add(region().isNull() ? tr("Copy picture") : tr("Copy region"), tr("Ctrl+C"),
        [this] { copyPicture(); });
    Q_EMIT menuAboutToShow(menu);
    menu->popup(globalPosition);
}

}  // namespace ui
