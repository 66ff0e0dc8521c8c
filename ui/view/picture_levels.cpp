#include "ui/view/picture_levels.h"

#include "ui/model/pool.h"

#include <algorithm>

namespace ui {

namespace {

constexpr qint64 kInlinePixels = 3'000'000;  // halved on the GUI thread in under 10 ms
constexpr int kSmallestSide = 256;           // no level has a longer side below it

bool wantsHalf(const QSize& size)
{
    return std::max(size.width(), size.height()) >= 2 * kSmallestSide &&
        std::min(size.width(), size.height()) >= 2;
}

QVector<QImage> levelsBelow(const QImage& picture)
{
    QVector<QImage> levels;
    QImage image = picture;
    while (wantsHalf(image.size())) {
        image = PictureLevels::halved(image);
        if (image.isNull()) {  // out of memory: the larger ones serve
            break;
        }
        levels.append(image);
    }
    return levels;
}

}  // namespace

PictureLevels::PictureLevels()
    : m_generation(std::make_shared<int>(0))
{
}

PictureLevels::~PictureLevels()
{
    ++*m_generation;
}

void PictureLevels::setPicture(const QImage& picture, std::function<void()> onReady)
{
    const int generation = ++*m_generation;
    m_levels.clear();
    if (picture.isNull()) {
        return;
    }
    const bool known =
        picture.format() == QImage::Format_RGB888 || picture.format() == QImage::Format_RGB32;
    m_levels.append(known ? picture : picture.convertToFormat(QImage::Format_RGB32));
    if (qint64(picture.width()) * picture.height() <= kInlinePixels) {
        // drawn fastest as RGB32, and 12 MB at the most
        m_levels.first() = m_levels.first().convertToFormat(QImage::Format_RGB32);
        m_levels += levelsBelow(m_levels.first());
        return;
    }
    // The generation is read and written on the GUI thread only; while it is the same, this object
    // is alive.
    runOnPool([this, generation, current = m_generation, onReady, first = m_levels.first()] {
        const QVector<QImage> below = levelsBelow(first);
        const auto deliver = [this, generation, current, onReady, below] {
            if (*current == generation) {
                m_levels += below;
                onReady();
            }
        };
        runOnGui(deliver);
    });
}

PictureLevels::Level PictureLevels::levelFor(double zoom) const
{
    if (m_levels.isEmpty()) {
        return {m_none, 1, false};
    }
    int level = 0;
    double scale = 1;
    while (zoom * scale * 2 <= 1) {
        if (level + 1 >= m_levels.size()) {
            const bool pending = m_levels.size() == 1 && wantsHalf(m_levels.first().size());
            return {m_levels[level], scale, pending};
        }
        ++level;
        scale *= 2;
    }
    return {m_levels[level], scale, false};
}

QImage PictureLevels::halved(const QImage& image)
{
    const int width = (image.width() + 1) / 2, height = (image.height() + 1) / 2;
    QImage out(width, height, QImage::Format_RGB32);
    if (out.isNull()) {
        return out;
    }
    const bool packed = image.format() == QImage::Format_RGB888;
    const int step = packed ? 3 : 4;
    for (int y = 0; y < height; ++y) {
        const uchar* upper = image.constScanLine(2 * y);
        const uchar* lower = image.constScanLine(std::min(2 * y + 1, image.height() - 1));
        QRgb* to = reinterpret_cast<QRgb*>(out.scanLine(y));
        for (int x = 0; x < width; ++x) {
            const int left = 2 * x * step;
            const int right = std::min(2 * x + 1, image.width() - 1) * step;
            if (packed) {
                const auto mean = [&](int c) {
                    return (upper[left + c] + upper[right + c] + lower[left + c] +
                            lower[right + c] + 2) /
                        4;
                };
                to[x] = qRgb(mean(0), mean(1), mean(2));
            } else {
                const auto at = [](const uchar* row, int offset) {
                    return *reinterpret_cast<const QRgb*>(row + offset);
                };
                const QRgb a = at(upper, left), b = at(upper, right);
                const QRgb c = at(lower, left), d = at(lower, right);
                to[x] = qRgb((qRed(a) + qRed(b) + qRed(c) + qRed(d) + 2) / 4,
                             (qGreen(a) + qGreen(b) + qGreen(c) + qGreen(d) + 2) / 4,
                             (qBlue(a) + qBlue(b) + qBlue(c) + qBlue(d) + 2) / 4);
            }
        }
    }
    return out;
}

}  // namespace ui
