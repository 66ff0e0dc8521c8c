#include "ui/view/viewport.h"

#include "ui/view/busy_line.h"
#include "ui/view/theme.h"

#include <QEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSlider>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

namespace {

constexpr int kLateMilliseconds = 120;  // no line for what is there at once
const QColor kText(0xe6, 0xe8, 0xea), kQuiet(0x9a, 0xa1, 0xa9);
constexpr int kArrow = 48;  // px an arrow key pans where there is one frame

}  // namespace

Viewport::Viewport(QWidget* parent)
    : QWidget(parent)
    , m_view(new ImageView(this))
    , m_frames(new QWidget(this))
    , m_slider(new QSlider(Qt::Horizontal, m_frames))
    , m_count(new QLabel(m_frames))
    , m_message(new QLabel(m_view))
    , m_busy(new BusyLine(m_view))
{
    setFocusProxy(m_view);

    m_slider->setAccessibleName(tr("Frame"));
    m_count->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* row = new QHBoxLayout(m_frames);
    row->setContentsMargins(12, 4, 12, 4);
    row->setSpacing(12);
    row->addWidget(m_slider, 1);
    row->addWidget(m_count);
    m_frames->hide();

    m_message->setWordWrap(true);
    m_message->setAlignment(Qt::AlignCenter);
    m_message->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_message->setTextFormat(Qt::PlainText);
    m_message->hide();
    m_busy->setObjectName(QStringLiteral("busyLine"));
    m_busy->hide();

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_view, 1);
    column->addWidget(m_frames);
    m_view->installEventFilter(this);

    m_late.setSingleShot(true);
    m_late.setInterval(kLateMilliseconds);
    connect(&m_late, &QTimer::timeout, m_busy, &QWidget::show);
    connect(m_slider, &QSlider::valueChanged, this, &Viewport::setCurrentIndex);
    connect(m_view, &ImageView::stepRequested, this,
            [this](int by) { setCurrentIndex(m_index + by); });
    connect(m_view, &ImageView::windowRequested, this,
            [this](const WindowLevel& window) { setWindow(window); });
    connect(m_view, &ImageView::menuRequested, this, &Viewport::showMenu);
    connect(m_view, &ImageView::regionChanged, this, &Viewport::regionChanged);
    connect(m_view, &ImageView::tileHovered, this, &Viewport::tileHovered);
    connect(m_view, &ImageView::boxHovered, this, &Viewport::boxHovered);
    connect(m_view, &ImageView::boxClicked, this, &Viewport::boxClicked);
    updateControls();
}

Viewport::~Viewport() = default;

void Viewport::setDocument(OpenDocument* document)
{
    if (document == m_document) {
        return;
    }
    keepState();
    if (m_document) {
        disconnect(m_document, nullptr, this, nullptr);
    }
    m_view->clear();
    m_document = document;
    m_error.clear();
    m_waiting = false;
    m_asked.clear();
    const State state = m_states.value(document);
    m_index = state.index;
    m_options = state.options;
    m_wantedView = state.view;
    m_wantedRegion = state.region;
    m_first = true;
    m_view->setTitle(document ? document->title() : QString());
    if (document) {
        if (!m_states.contains(document)) {
            m_states.insert(document, state);
            connect(document, &QObject::destroyed, this, [this, document] {
                m_states.remove(document);
                if (!m_document) {
                    clear();
                }
            });
        }
        connect(document, &OpenDocument::frameReady, this, &Viewport::take);
        connect(document, &OpenDocument::failed, this, &Viewport::fail);
    }
    updateControls();
    Q_EMIT documentChanged(document);
    Q_EMIT frameShown(m_view->frame());
    if (document) {
        Q_EMIT indexChanged(m_index);
        Q_EMIT optionsChanged(m_options);
        request();
    }
}

void Viewport::clear()
{
    if (m_document) {
        setDocument(nullptr);
        return;
    }
    // also where the document went by itself
    const bool shown = m_view->hasPicture() || !m_error.isEmpty() || m_waiting;
    m_view->clear();
    m_view->setTitle({});
    m_error.clear();
    m_waiting = false;
    updateControls();
    if (shown) {
        Q_EMIT documentChanged(nullptr);
        Q_EMIT frameShown(m_view->frame());
    }
}

void Viewport::keepState()
{
    if (!m_document || !m_states.contains(m_document)) {
        return;
    }
    State& state = m_states[m_document];
    state.index = m_index;
    state.options = m_options;
    if (m_view->hasPicture()) {
        state.region = m_view->region();
        state.view = m_view->isFitted() ? std::nullopt : std::optional(m_view->view());
    }
}

void Viewport::setCurrentIndex(int index)
{
    if (!m_document) {
        return;
    }
    const int held = std::clamp(index, 0, std::max(0, m_document->frameCount() - 1));
    if (held == m_index) {
        return;
    }
    m_index = held;
    updateControls();
    Q_EMIT indexChanged(held);
    request();
}

void Viewport::setOptions(const FrameOptions& options)
{
    if (options == m_options) {
        return;
    }
    const bool otherWindow = options.window != m_options.window;
    m_options = options;
    if (m_view->hasPicture()) {
        m_view->setShownWindow(options.window && frame().window ? options.window : frame().window,
                               options.inverted);
    }
    Q_EMIT optionsChanged(options);
    if (otherWindow) {
        Q_EMIT windowChanged(options.window);
    }
    if (m_document) {
        request();
    }
}

void Viewport::setWindow(const std::optional<WindowLevel>& window)
{
    FrameOptions options = m_options;
    options.window = window;
    setOptions(options);
}

void Viewport::setInverted(bool inverted)
{
    FrameOptions options = m_options;
    options.inverted = inverted;
    setOptions(options);
}

void Viewport::showFrame(int index, const FrameOptions& options, const QRect& region)
{
    if (!m_document) {
        return;
    }
    const int held = std::clamp(index, 0, std::max(0, m_document->frameCount() - 1));
    const bool same = held == m_index && options == m_options && m_view->hasPicture() && !m_waiting;
    if (same) {
        setRegion(region);
        return;
    }
    m_wantedRegion = region;
    m_first = true;
    m_wantedView = m_view->isFitted() ? std::nullopt : std::optional(m_view->view());
    setCurrentIndex(held);
    setOptions(options);
}

std::optional<AttachedFrame> Viewport::attachment() const
{
    if (!m_view->hasPicture()) {
        return std::nullopt;
    }
    QString title = QFileInfo(frame().ref.file).fileName();
    if (title.isEmpty() && m_document) {
        title = m_document->title();
    }
    if (!frame().label.isEmpty()) {
        title += QStringLiteral(" · ") + frame().label;
    }
    return AttachedFrame{frame(), m_frameOptions, region(), title};
}

void Viewport::setTool(Tool tool)
{
    if (tool != m_view->tool()) {
        m_view->setTool(tool);
        Q_EMIT toolChanged(tool);
    }
}

void Viewport::setTileGridVisible(bool visible)
{
    if (visible != m_view->isTileGridVisible()) {
        m_view->setTileGridVisible(visible);
        Q_EMIT tileGridVisibleChanged(visible);
    }
}

void Viewport::setMaxTiles(int count)
{
    inference::TilingOptions tiling = m_view->tiling();
    tiling.maxTiles = std::max(count, tiling.minTiles);
    m_view->setTiling(tiling);
}

void Viewport::setCornerTextVisible(bool visible)
{
    m_view->setCornerTextVisible(visible);
}

void Viewport::request()
{
    m_waiting = true;
    if (!m_busy->isVisible() && !m_late.isActive()) {
        m_late.start();
    }
    // Superseded requests may go unanswered, so the list is held short.
    if (m_asked.size() >= 64) {
        m_asked.removeFirst();
    }
    m_asked.append({m_index, m_options});
    m_document->requestFrame(m_index, m_options);
}

void Viewport::take(int index, const FrameOptions& options, const Frame& frame)
{
    // Frames on the way are shown too, so that a long drag is seen to move. What others asked the
    // document for is not for us.
    const auto asked = std::find(m_asked.begin(), m_asked.end(), Asked{index, options});
    if (asked == m_asked.end()) {
        return;
    }
    m_asked.erase(m_asked.begin(), asked + 1);
    const bool latest = index == m_index && options == m_options;
    if (latest) {
        m_waiting = false;
        m_asked.clear();
    } else {
        m_busy->hide();  // not late as long as frames flow
        m_late.start();
    }
    m_error.clear();
    m_frameOptions = options;
    m_view->setFrame(frame, index);
    m_view->setShownWindow(m_options.window && frame.window ? m_options.window : frame.window,
                           m_options.inverted);
    if (latest && std::exchange(m_first, false)) {
        m_view->setRegion(m_wantedRegion);
        if (m_wantedView) {
            m_view->setView(*m_wantedView);
        }
    }
    updateControls();
    Q_EMIT frameShown(m_view->frame());
}

void Viewport::fail(int index, const QString& sentence)
{
    if (index != m_index || !m_waiting) {
        return;
    }
    m_waiting = false;
    m_asked.clear();
    m_error = sentence;
    m_view->setFrame({}, index);  // another frame's picture beside the sentence would mislead
    updateControls();
    Q_EMIT frameShown(m_view->frame());
}

void Viewport::updateControls()
{
    const int count = m_document ? m_document->frameCount() : 0;
    m_view->setStepping(count > 1);
    m_frames->setVisible(count > 1);
    if (count > 1) {
        const QSignalBlocker blocker(m_slider);
        m_slider->setRange(0, count - 1);
        m_slider->setPageStep(framesOfAPage());
        m_slider->setValue(m_index);
        const QString most = QStringLiteral("%1 / %1").arg(count);
        m_count->setMinimumWidth(m_count->fontMetrics().horizontalAdvance(most));
        m_count->setText(QStringLiteral("%1 / %2").arg(m_index + 1).arg(count));
        m_slider->setAccessibleName(m_document->frameNoun());
        m_slider->setAccessibleDescription(m_count->text());
    }
    if (!m_waiting) {
        m_late.stop();
        m_busy->hide();
    }
    const QString message = !m_error.isEmpty() ? m_error
        : m_document                           ? QString()
                     : tr("Drop a DICOM file, a picture, a video or a paper here");
    QPalette onBlack;  // the viewport is black in every theme
    onBlack.setColor(QPalette::WindowText, m_error.isEmpty() ? kQuiet : kText);
    m_message->setPalette(onBlack);
    m_message->setText(message);
    m_message->setVisible(!message.isEmpty());
    if (!m_error.isEmpty()) {
        m_view->setAccessibleDescription(m_error);
    }
    placeOverlays();
}

void Viewport::placeOverlays()
{
    m_busy->setGeometry(0, m_view->height() - m_busy->height(), m_view->width(), m_busy->height());
    const int width = std::min(480, m_view->width() - 48);
    const int height = std::min(m_message->heightForWidth(width), m_view->height() - 48);
    m_message->setGeometry((m_view->width() - width) / 2, (m_view->height() - height) / 2, width,
                           height);
}

bool Viewport::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_view && event->type() == QEvent::Resize) {
        placeOverlays();
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace ui
