#include "ui/model/image_document.h"

#include <QFileInfo>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

/// From the smallest to the largest value.
WindowLevel fullWindow(const std::vector<float>& gray)
{
    float low = INFINITY, high = -INFINITY;
    for (const float value : gray) {
        if (std::isfinite(value)) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    if (!(low < high)) {
        return {std::isfinite(low) ? low : 0.0, 1};
    }
    return {(double(low) + high) / 2, double(high) - low};
}

QImage windowed(const Picture& picture, const WindowLevel& window)
{
    QImage out(picture.rgb.size(), QImage::Format_RGB888);
    const float scale = float(255 / std::max(window.width, 1e-9));
    const float low = float(window.center - window.width / 2);
    const float* gray = picture.gray.data();
    for (int y = 0; y < out.height(); ++y) {
        uchar* row = out.scanLine(y);
        for (int x = 0; x < out.width(); ++x, row += 3) {
            const float value = (*gray++ - low) * scale + 0.5F;
            row[0] = row[1] = row[2] = uchar(value > 0 ? std::min(value, 255.0F) : 0.0F);
        }
    }
    return out;
}

void blendOnWhite(QImage& image, const QImage& alpha)
{
    for (int y = 0; y < image.height(); ++y) {
        uchar* row = image.scanLine(y);
        const uchar* opacity = alpha.constScanLine(y);
        for (int x = 0; x < image.width(); ++x) {
            for (int i = 0; i < 3; ++i, ++row) {
                *row = uchar((*row * opacity[x] + 255 * (255 - opacity[x]) + 127) / 255);
            }
        }
    }
}

bool isOpaque(const QImage& alpha)
{
    for (int y = 0; y < alpha.height(); ++y) {
        const uchar* row = alpha.constScanLine(y);
        if (std::any_of(row, row + alpha.width(), [](uchar value) { return value != 255; })) {
            return false;
        }
    }
    return true;
}

QString sizeText(QSize size)
{
    return QStringLiteral("%1 × %2").arg(size.width()).arg(size.height());
}

}  // namespace

ImageDocument::ImageDocument(const QString& path)
    : m_path(path)
    , m_title(QFileInfo(path).fileName())
    , m_reader(openPicture(path))
{
}

ImageDocument::ImageDocument(Picture picture, const QString& title)
    : m_title(title)
    , m_picture(std::move(picture))
    , m_index(0)
{
}

QString ImageDocument::title() const
{
    return m_title;
}

QString ImageDocument::subtitle() const
{
    const QSize size = m_reader ? m_reader->size(0) : m_picture.rgb.size();
    QString text = (m_reader ? m_reader->format() : QStringLiteral("Picture")) +
        QStringLiteral(" · ") + sizeText(size);
    if (frameCount() > 1) {
        text += QStringLiteral(" · %1 %2s").arg(frameCount()).arg(frameNoun());
    }
    return text;
}

QString ImageDocument::frameNoun() const
{
    if (frameCount() == 1) {
        return QStringLiteral("picture");
    }
    return m_reader->format() == u"TIFF" ? QStringLiteral("page") : QStringLiteral("frame");
}

int ImageDocument::frameCount() const
{
    return m_reader ? m_reader->count() : 1;
}

const Picture& ImageDocument::picture(int index)
{
    if (index < 0 || index >= frameCount()) {
        throw DocumentError(QStringLiteral("%1 has no %2 %3; it has %4.")
                                .arg(m_title, frameNoun())
                                .arg(index + 1)
                                .arg(frameCount()));
    }
    if (index != m_index) {
        m_index = -1;
        m_picture = {};
        m_picture = m_reader->read(index);
        if (!m_picture.alpha.isNull() && isOpaque(m_picture.alpha)) {
            m_picture.alpha = {};
        }
        m_index = index;
    }
    return m_picture;
}

Frame ImageDocument::frame(int index, const FrameOptions& options)
{
    const Picture& source = picture(index);
    Frame frame;
    frame.ref = {m_path, index, {}};
    frame.pixels = source.rgb;
    if (frameCount() > 1) {
        frame.label =
            QStringLiteral("%1 %2 of %3").arg(frameNoun()).arg(index + 1).arg(frameCount());
    }
    QStringList changes;
    QImage shown;
    if (!source.gray.empty()) {
        frame.window = options.window.value_or(fullWindow(source.gray));
        shown = windowed(source, *frame.window);
        changes << QStringLiteral("values above 255 cut to white instead of this window");
    }
    if (!source.alpha.isNull()) {
        shown = shown.isNull() ? source.rgb.copy() : shown;
        blendOnWhite(shown, source.alpha);
        changes << QStringLiteral("the colours stored under transparent parts");
    }
    if (options.inverted) {
        shown = shown.isNull() ? source.rgb.copy() : shown;
        shown.invertPixels();
        changes << QStringLiteral("black and white as stored");
    }
    if (source.orientation != 1) {
        shown = turned(shown.isNull() ? source.rgb : shown, source.orientation);
        frame.toShown = turnedCoordinates(source.rgb.size(), source.orientation);
        changes << QStringLiteral("the picture as stored, not turned upright");
    }
    if (shown.isNull()) {
        return frame;
    }
    shown = std::move(shown).convertToFormat(QImage::Format_RGB888);
    if (options.asShown) {
        frame.pixels = shown;
        frame.toShown = {};
    } else {
        frame.shown = shown;
        frame.note = QStringLiteral("The model gets %1, as the reference preprocessing does.")
                         .arg(changes.join(QStringLiteral(", ")));
    }
    return frame;
}

QList<Property> ImageDocument::properties(int index)
{
    const Picture& source = picture(index);
    QList<Property> list;
    if (m_reader) {
        const QFileInfo info(m_path);
        list << Property{QStringLiteral("File"), info.fileName()}
             << Property{QStringLiteral("Folder"), info.absolutePath()}
             << Property{QStringLiteral("Bytes"), QLocale().toString(info.size())}
             << Property{QStringLiteral("Kind"), m_reader->format()};
    }
    list << Property{QStringLiteral("Pixels"), sizeText(source.rgb.size())};
    if (frameCount() > 1) {
        list << Property{QStringLiteral("Frames"), QString::number(frameCount())};
    }
    if (!source.gray.empty()) {
        const WindowLevel range = fullWindow(source.gray);
        list << Property{QStringLiteral("Values"),
                         QStringLiteral("grey, %1 to %2")
                             .arg(range.center - range.width / 2)
                             .arg(range.center + range.width / 2)};
    }
    list << Property{QStringLiteral("Transparency"),
                     source.alpha.isNull() ? QStringLiteral("none") : QStringLiteral("yes")};
    if (source.orientation != 1) {
        list << Property{QStringLiteral("Exif orientation"), QString::number(source.orientation)};
    }
    return list;
}

std::unique_ptr<Document> documentFromImage(const QImage& image, const QString& title)
{
    if (image.isNull()) {
        throw DocumentError(QStringLiteral("What was pasted or dropped holds no picture."));
    }
    checkPictureSize(title, image.size());
    Picture picture;
    // Not premultiplied, so that hidden colours stay what they were.
    picture.rgb = image.convertToFormat(image.hasAlphaChannel() ? QImage::Format_RGBA8888
                                                                : QImage::Format_RGBX8888);
    if (image.hasAlphaChannel()) {
        picture.alpha = image.convertToFormat(QImage::Format_Alpha8);
        picture.alpha.reinterpretAsFormat(QImage::Format_Grayscale8);
        if (isOpaque(picture.alpha)) {
            picture.alpha = {};
        }
        picture.rgb.reinterpretAsFormat(QImage::Format_RGBX8888);
    }
    picture.rgb = picture.rgb.convertToFormat(QImage::Format_RGB888);
    return std::make_unique<ImageDocument>(std::move(picture), title);
}

}  // namespace ui
