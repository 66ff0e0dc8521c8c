#include "ui/view/tile_strip.h"

#include "inference/tiles.h"
#include "ui/model/pool.h"
#include "ui/model/to_inference_image.h"
#include "ui/view/theme.h"
#include "ui/view/tile_grid.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QScreen>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSlider>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {

constexpr QChar kTimes(0xd7);
constexpr QChar kNoBreak(0xa0);

QLocale locale()
{
    // the C locale has no thousands separator, and its users read English
    const QLocale system;
    return system.language() == QLocale::C ? QLocale(QLocale::English) : system;
}

QString sizeText(int width, int height)
{
    return QStringLiteral("%1 %2 %3").arg(width).arg(kTimes).arg(height);
}

QString factorText(double factor)
{
    QString text = locale().toString(factor, 'f', 1);
    if (text.endsWith(u'0')) {
        text.chop(2);
    }
    return text;
}

/// Lines break between the parts of a caption, not within them.
QString breakable(const QString& caption)
{
    QString text = caption;
    text.replace(u' ', kNoBreak);
    const QString joint = QString(kNoBreak) + u'·' + kNoBreak;
    text.replace(joint, QString(kNoBreak) + QStringLiteral("· "));
    const QString from = QStringLiteral("from");
    text.replace(kNoBreak + from, u' ' + from);
    return text.replace(QString(kNoBreak) + u'(', QStringLiteral(" ("));
}

}  // namespace

QString tileCaption(const inference::TileLayout& layout, const QSize& from)
{
    QString text = sizeText(layout.grid.columns, layout.grid.rows);
    if (layout.thumbnail) {
        text += TileStrip::tr(" + thumbnail");
    }
    text += QStringLiteral(" · ") +
        (layout.tiles == 1 ? TileStrip::tr("1 tile")
                           : TileStrip::tr("%1 tiles").arg(locale().toString(layout.tiles)));
    text +=
        QStringLiteral(" · ") + TileStrip::tr("%1 tokens").arg(locale().toString(layout.tokens));
    text += QStringLiteral(" · ") +
        TileStrip::tr("%1 from %2")
            .arg(sizeText(layout.width, layout.height), sizeText(from.width(), from.height()));
    // The sides may be scaled differently; the larger factor says whether pixels are made up.
    const double factor =
        std::max(double(layout.width) / from.width(), double(layout.height) / from.height());
    if (factor >= 1.05) {
        text += TileStrip::tr(" (enlarged %1 ×)").arg(factorText(factor));
    } else if (factor <= 1 / 1.05) {
        text += TileStrip::tr(" (reduced %1 ×)").arg(factorText(1 / factor));
    }
    return text;
}

TileStrip::TileStrip(QWidget* parent)
    : QWidget(parent)
    , m_grid(new TileGridWidget)
    , m_scroll(new QScrollArea(this))
    , m_caption(new QLabel(this))
    , m_noteLabel(new QLabel(this))
    , m_slider(new QSlider(Qt::Horizontal, this))
    , m_sliderValue(new QLabel(this))
{
    setAccessibleName(tr("Tile strip"));
    setAttribute(Qt::WA_StyledBackground);
    setProperty("kvlRole", "pane");

    m_scroll->setWidget(m_grid);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    m_scroll->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    m_scroll->viewport()->setAutoFillBackground(false);
    m_grid->setAutoFillBackground(false);
    m_scroll->viewport()->installEventFilter(this);

    m_caption->setWordWrap(true);
    m_caption->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_caption->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_noteLabel->setProperty("kvlRole", "warning");
    m_noteLabel->setWordWrap(true);
    m_noteLabel->setTextFormat(Qt::PlainText);
    QFont small = font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    m_noteLabel->setFont(small);
    m_noteLabel->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_noteLabel->hide();

    auto* sliderLabel = new QLabel(tr("Max tiles"), this);
    sliderLabel->setProperty("kvlRole", "secondary");
    sliderLabel->setBuddy(m_slider);
    m_slider->setRange(1, 12);
    m_slider->setValue(m_options.maxTiles);
    m_slider->setPageStep(1);
    m_slider->setAccessibleName(tr("Max tiles"));
    m_slider->setToolTip(
        tr("More tiles show the model finer detail and cost more tokens and time"));
    m_sliderValue->setText(QString::number(m_options.maxTiles));
    m_sliderValue->setMinimumWidth(
        m_sliderValue->fontMetrics().horizontalAdvance(QStringLiteral("00")));
    connect(m_slider, &QSlider::valueChanged, this, &TileStrip::setMaxTiles);

    auto* sliderRow = new QHBoxLayout;
    sliderRow->setSpacing(8);
    sliderRow->addWidget(sliderLabel);
    sliderRow->addWidget(m_slider, 1);
    sliderRow->addWidget(m_sliderValue);

    m_column = new QWidget(this);
    auto* column = new QVBoxLayout(m_column);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    column->addWidget(m_caption, 1);
    column->addWidget(m_noteLabel);
    column->addLayout(sliderRow);

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 6, 12, 6);
    row->setSpacing(16);
    m_empty = new QLabel(tr("The tiles that the model gets of a picture are shown here"), this);
    m_empty->setProperty("kvlRole", "secondary");
    m_empty->setWordWrap(true);
    row->addWidget(m_empty, 1);
    row->addWidget(m_scroll, 1);
    row->addWidget(m_column);

    connect(m_grid, &TileGridWidget::hovered, this, [this](int tile) {
        Q_EMIT tileHovered(tile >= 0 && m_grid->isThumbnail(tile) ? -1 : tile);
    });
    connect(m_grid, &TileGridWidget::chosen, this, &TileStrip::openTile);
    updateTexts();
}

void TileStrip::setPicture(const QImage& rgb888, const QRect& region, const QString& note)
{
    if (rgb888.cacheKey() == m_picture.cacheKey() && region == m_region && note == m_note) {
        return;
    }
    m_picture = rgb888;
    m_region = region;
    m_note = note;
    recut();
}

void TileStrip::setModel(int tileSize, int tokensPerTile)
{
    inference::TilingOptions options = m_options;
    options.tileSize = tileSize;
    options.tokensPerTile = tokensPerTile;
    setOptions(options);
}

void TileStrip::setOptions(const inference::TilingOptions& options)
{
    const bool otherCount = options.maxTiles != m_options.maxTiles;
    m_options = options;
    {
        const QSignalBlocker blocker(m_slider);
        m_slider->setMaximum(std::max(m_slider->maximum(), options.maxTiles));
        m_slider->setValue(options.maxTiles);
    }
    m_sliderValue->setText(QString::number(options.maxTiles));
    recut();
    if (otherCount) {
        Q_EMIT maxTilesChanged(options.maxTiles);
    }
}

void TileStrip::setMaxTiles(int count)
{
    if (count != m_options.maxTiles && count >= 1) {
        inference::TilingOptions options = m_options;
        options.maxTiles = count;
        options.minTiles = std::min(options.minTiles, count);
        setOptions(options);
    }
}

void TileStrip::setMaxTilesLimit(int count)
{
    m_slider->setMaximum(std::clamp(count, 1, 1024));
}

QString TileStrip::caption() const
{
    if (!m_failure.isEmpty()) {
        return m_failure;
    }
    return m_from.isEmpty() ? QString() : tileCaption(m_layout, m_from);
}

int TileStrip::hoveredTile() const
{
    return m_grid->lit();
}

void TileStrip::setHoveredTile(int tile)
{
    m_grid->setLit(tile);
    if (tile >= 0 && m_grid->count() > 0) {
        const QRect rect = m_grid->tileRect(tile);
        m_scroll->ensureVisible(rect.center().x(), rect.center().y(), rect.width(), rect.height());
    }
}

void TileStrip::recut()
{
    m_tiles.clear();
    m_failure.clear();
    const QRect whole = m_picture.rect();
    const QRect given = m_region.isNull() ? whole : m_region & whole;
    if (m_picture.isNull() || given.isEmpty()) {
        ++m_current;  // what runs is for nothing now
        m_from = {};
        m_layout = {};
        m_layout.tiles = 0;
        m_again = false;
        m_grid->setTiles(m_layout, {});
    } else {
        m_from = given.size();
        try {
            m_layout = inference::layoutTiles(given.width(), given.height(), m_options);
            start();
        } catch (const std::exception& error) {
            ++m_current;
            m_failure = QString::fromUtf8(error.what());
        }
    }
    updateTexts();
    Q_EMIT layoutChanged(m_layout);
}

void TileStrip::start()
{
    ++m_current;
    if (m_running) {
        m_again = true;
        return;
    }
    m_running = true;
    m_again = false;
    struct Cut {
        std::vector<inference::Image> tiles;
        QList<QImage> pictures;
    };
    runOnPool(
        this,
        [picture = m_picture, options = m_options,
         given = m_region.isNull() ? m_picture.rect() : m_region & m_picture.rect()] {
            const bool all = given == picture.rect();
            Cut cut;
            cut.tiles =
                inference::cutTiles(toInferenceImage(all ? picture : picture.copy(given)), options);
            for (const inference::Image& tile : cut.tiles) {
                cut.pictures.append(toQImage(tile));
            }
            return cut;
        },
        [this, mark = m_current, layout = m_layout](const PoolResult<Cut>& result) {
            m_running = false;
            const Cut cut = result.value.value_or(Cut());
            if (m_current == mark) {
                m_tiles = cut.tiles;
                m_failure = result.failure;
                m_grid->setTiles(layout, cut.pictures);
                updateTexts();
                Q_EMIT tilesReady();
            } else if (m_again) {
                // seen on the way, so that a drag is followed; tiles() waits for the last
                m_grid->setTiles(layout, cut.pictures);
                start();
            }
        });
}

bool TileStrip::isBusy() const
{
    return m_running || m_again;
}

void TileStrip::updateTexts()
{
    const QString text = caption();
    m_caption->setText(breakable(text));
    m_empty->setVisible(text.isEmpty());
    m_scroll->setVisible(!text.isEmpty());
    m_grid->setAccessibleDescription(text);
    m_noteLabel->setVisible(!m_note.isEmpty() && !m_from.isEmpty());
    m_noteLabel->setToolTip(m_note);
    // two lines at most; the whole is in the tool tip
    m_noteLabel->setText(
        m_noteLabel->fontMetrics().elidedText(m_note, Qt::ElideRight, m_column->width() * 17 / 10));
}

void TileStrip::resizeEvent(QResizeEvent*)
{
    // the words take a third of a narrow strip and no more of a wide one than they need
    m_column->setFixedWidth(std::clamp(width() / 3, 176, 320));
    updateTexts();
}

bool TileStrip::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_scroll->viewport() && event->type() == QEvent::Resize) {
        // without the scroll bars: their coming and going must not change the tiles
        m_grid->setRoom(m_scroll->size());
    }
    return QWidget::eventFilter(watched, event);
}

void TileStrip::openTile(int tile)
{
    if (tile < 0 || tile >= int(m_tiles.size())) {
        return;
    }
    auto* popup = new TilePopup(this);
    popup->setProperty("tile", tile);
    const auto show = [this, popup](int number) {
        if (number < 0 || number >= int(m_tiles.size())) {
            return;
        }
        popup->setProperty("tile", number);
        const bool thumbnail = m_grid->isThumbnail(number);
        const int columns = m_layout.grid.columns;
        const QString text = thumbnail ? tr("Thumbnail of the whole picture")
                                       : tr("Tile %1 of %2 · row %3, column %4")
                                             .arg(number + 1)
                                             .arg(columns * m_layout.grid.rows)
                                             .arg(number / columns + 1)
                                             .arg(number % columns + 1);
        popup->showTile(toQImage(m_tiles[std::size_t(number)]), text);
        m_grid->setLit(number);
        Q_EMIT tileHovered(thumbnail ? -1 : number);
    };
    connect(popup, &TilePopup::stepRequested, this,
            [popup, show](int by) { show(popup->property("tile").toInt() + by); });
    connect(popup, &QObject::destroyed, this, [this] {
        m_grid->setLit(-1);
        Q_EMIT tileHovered(-1);
    });
    show(tile);
    popup->adjustSize();
    // above the tile, within the screen
    const QRect at(m_grid->mapToGlobal(m_grid->tileRect(tile).topLeft()),
                   m_grid->tileRect(tile).size());
    const QRect screen = this->screen()->availableGeometry();
    QRect place(QPoint(at.center().x() - popup->width() / 2, at.top() - popup->height() - 8),
                popup->size());
    place.moveLeft(std::clamp(place.left(), screen.left(),
                              std::max(screen.left(), screen.right() - place.width())));
    if (place.top() < screen.top()) {
        place.moveTop(
            std::min(at.bottom() + 8, std::max(screen.top(), screen.bottom() - place.height())));
    }
    popup->move(place.topLeft());
    popup->show();
}

}  // namespace ui
