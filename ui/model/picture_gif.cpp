// GIF89a. Own reader: Qt's forgets the colours of transparent pixels, which the reference keeps.

#include "ui/model/picture.h"

#include <array>

namespace ui {
namespace {

using Palette = std::array<uchar, 768>;

struct GifFrame {
    int left = 0, top = 0, width = 0, height = 0;
    int transparent = -1;  // palette index
    int disposal = 0;      // 2: clear to transparent, 3: as before this frame
    bool interlaced = false;
    int palette = -1;  // offset of a local palette, -1: the global one
    int paletteColors = 0;
    qsizetype data = 0;  // offset of the LZW minimum code size
};

class GifPicture : public PictureReader {
public:
    explicit GifPicture(const QString& path)
        : m_path(path)
        , m_bytes(readWholeFile(path))
    {
        scan();
        if (m_frames.empty()) {
            throw damagedPicture(path, format(), QStringLiteral("it has no complete picture"));
        }
        checkPictureSize(path, m_size);
    }

    QString format() const override { return QStringLiteral("GIF"); }
    int count() const override { return int(m_frames.size()); }
    QSize size(int) const override { return m_size; }

    Picture read(int index) override
    {
        if (index < m_next || m_canvas.rgb.isNull()) {
            m_next = 0;
        }
        while (m_next <= index) {
            try {
                compose(m_next);
            } catch (...) {
                m_canvas = {};
                throw;
            }
            ++m_next;
        }
        Picture picture = m_canvas;
        if (!m_hasAlpha) {
            picture.alpha = {};
        }
        return picture;
    }

private:
    int byte(qsizetype at) const
    {
        if (at < 0 || at >= m_bytes.size()) {
            throw damagedPicture(m_path, format(), QStringLiteral("the file ends too early"));
        }
        return uchar(m_bytes[at]);
    }
    int word(qsizetype at) const { return byte(at) | byte(at + 1) << 8; }

    qsizetype skipBlocks(qsizetype at) const
    {
        while (const int length = byte(at)) {
            at += length + 1;
        }
        return at + 1;
    }

    void scan()
    {
        qsizetype at = 13;
        m_size = QSize(word(6), word(8));
        const int flags = byte(10);
        if (flags & 0x80) {
            m_globalPalette = 13;
            m_globalColors = 2 << (flags & 7);
            at += m_globalColors * 3;
        }
        try {
            scanBlocks(at);
        } catch (const DocumentError&) {
            // Frames that came whole are shown; read() reports the first one if it is cut.
        }
    }

    void scanBlocks(qsizetype at)
    {
        GifFrame frame;
        while (m_frames.size() < 100'000) {
            const int introducer = byte(at);
            if (introducer == 0x21) {
                if (byte(at + 1) == 0xf9 && byte(at + 2) >= 4) {
                    frame.disposal = byte(at + 3) >> 2 & 7;
                    frame.transparent = byte(at + 3) & 1 ? byte(at + 6) : -1;
                }
                at = skipBlocks(at + 2);
            } else if (introducer == 0x2c) {
                frame.left = word(at + 1);
                frame.top = word(at + 3);
                frame.width = word(at + 5);
                frame.height = word(at + 7);
                const int flags = byte(at + 9);
                frame.interlaced = flags & 0x40;
                at += 10;
                if (flags & 0x80) {
                    frame.palette = int(at);
                    frame.paletteColors = 2 << (flags & 7);
                    at += frame.paletteColors * 3;
                }
                frame.data = at;
                const bool first = m_frames.empty();
                if (first) {  // like PIL, the screen grows to hold its first picture
                    m_size =
                        m_size.expandedTo({frame.left + frame.width, frame.top + frame.height});
                    m_frames.push_back(frame);
                }
                at = skipBlocks(at + 1);
                if (!first) {
                    m_frames.push_back(frame);
                }
                frame = {};
            } else {
                return;  // 0x3b, the trailer, or noise after the last picture
            }
        }
    }

    Palette palette(const GifFrame& frame) const
    {
        Palette colors{};
        const qsizetype at = frame.palette >= 0 ? frame.palette : m_globalPalette;
        const int count = frame.palette >= 0 ? frame.paletteColors : m_globalColors;
        for (int i = 0; i < count * 3; ++i) {
            colors[size_t(i)] = uchar(byte(at + i));
        }
        if (count == 0) {
            for (int i = 0; i < 768; ++i) {
                colors[size_t(i)] = uchar(i / 3);
            }
        }
        return colors;
    }

    /// LZW (GIF89a appendix F) to width * height palette indices.
    std::vector<uchar> indices(const GifFrame& frame) const
    {
        const size_t wanted = size_t(frame.width) * size_t(frame.height);
        if (wanted > size_t(maxPicturePixels)) {
            throw damagedPicture(m_path, format(),
                                 QStringLiteral("a picture in it is larger than its screen"));
        }
        std::vector<uchar> out;
        out.reserve(wanted);
        const int minimum = byte(frame.data);
        if (minimum < 1 || minimum > 11) {
            throw damagedPicture(m_path, format(),
                                 QStringLiteral("its LZW code size is %1").arg(minimum));
        }
        const int clear = 1 << minimum, end = clear + 1;
        std::array<std::int16_t, 4096> prefix{};
        std::array<uchar, 4096> suffix{}, stack{};
        int next = end + 1, bits = minimum + 1, previous = -1;
        uchar first = 0;
        std::uint32_t buffer = 0;
        int available = 0;
        qsizetype at = frame.data + 1;
        int left = byte(at++);
        while (out.size() < wanted) {
            while (available < bits) {
                if (left == 0) {
                    throw damagedPicture(m_path, format(),
                                         QStringLiteral("a picture in it is cut short"));
                }
                buffer |= std::uint32_t(byte(at++)) << available;
                available += 8;
                if (--left == 0) {
                    left = byte(at++);
                }
            }
            int code = int(buffer & ((1u << bits) - 1));
            buffer >>= bits;
            available -= bits;
            if (code == clear) {
                next = end + 1;
                bits = minimum + 1;
                previous = -1;
                continue;
            }
            if (code == end) {
                throw damagedPicture(m_path, format(),
                                     QStringLiteral("a picture in it is cut short"));
            }
            if (code > next || (code == next && previous < 0) || (previous < 0 && code >= clear)) {
                throw damagedPicture(m_path, format(), QStringLiteral("bad LZW code"));
            }
            const int read = code;
            size_t depth = 0;
            if (code == next) {  // not in the table yet: the last string and its own first byte
                stack[depth++] = first;
                code = previous;
            }
            while (code >= clear) {
                stack[depth++] = suffix[size_t(code)];
                code = prefix[size_t(code)];
            }
            first = uchar(code);
            stack[depth++] = first;
            while (depth > 0 && out.size() < wanted) {
                out.push_back(stack[--depth]);
            }
            if (previous >= 0 && next < 4096) {
                prefix[size_t(next)] = std::int16_t(previous);
                suffix[size_t(next)] = first;
                ++next;
                if (next == 1 << bits && bits < 12) {
                    ++bits;
                }
            }
            previous = read;
        }
        return out;
    }

    /// The area of the screen a frame covers.
    QRect area(const GifFrame& frame) const
    {
        return QRect(frame.left, frame.top, frame.width, frame.height) &
            QRect(QPoint(0, 0), m_size);
    }

    void fill(const QRect& area, const uchar* color, uchar alpha)
    {
        for (int y = area.top(); y <= area.bottom(); ++y) {
            uchar* rgb = m_canvas.rgb.scanLine(y);
            uchar* opacity = m_canvas.alpha.scanLine(y);
            for (int x = area.left(); x <= area.right(); ++x) {
                std::copy_n(color, 3, rgb + 3 * x);
                opacity[x] = alpha;
            }
        }
        m_hasAlpha |= alpha == 0 && !area.isEmpty();
    }

    /// Draws frame `index` over what the one before it left.
    void compose(int index)
    {
        const GifFrame& frame = m_frames[size_t(index)];
        const Palette colors = palette(frame);
        const std::vector<uchar> pixels = indices(frame);
        if (index == 0) {
            m_hasAlpha = false;
            m_canvas.rgb = newImage(m_path, m_size, QImage::Format_RGB888);
            m_canvas.alpha = newImage(m_path, m_size, QImage::Format_Grayscale8);
            const int ground = std::max(frame.transparent, 0);
            const bool covered = area(frame) == QRect(QPoint(0, 0), m_size);
            fill(QRect(QPoint(0, 0), m_size), &colors[size_t(ground) * 3],
                 frame.transparent >= 0 && !covered ? 0 : 255);
        } else {
            dispose(m_frames[size_t(index) - 1]);
        }
        if (frame.disposal == 3) {
            m_before = m_canvas;
        }
        draw(frame, colors, pixels, index == 0);
    }

    void dispose(const GifFrame& last)
    {
        if (last.disposal == 3 && !m_before.rgb.isNull()) {
            m_canvas = std::exchange(m_before, {});
        } else if (last.disposal == 2) {
            const Palette colors = palette(last);
            fill(area(last), &colors[size_t(std::max(last.transparent, 0)) * 3], 0);
        }
    }

    void draw(const GifFrame& frame, const Palette& colors, const std::vector<uchar>& pixels,
              bool first)
    {
        static constexpr int start[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
        int pass = 0, row = 0;
        const QRect target = area(frame);
        for (int i = 0; i < frame.height; ++i) {
            const int y = frame.top + (frame.interlaced ? row : i);
            if (frame.interlaced) {
                row += step[pass];
                while (row >= frame.height && pass < 3) {
                    row = start[++pass];
                }
            }
            if (y >= m_size.height()) {
                continue;
            }
            uchar* rgb = m_canvas.rgb.scanLine(y);
            uchar* opacity = m_canvas.alpha.scanLine(y);
            const uchar* in = pixels.data() + size_t(i) * size_t(frame.width);
            for (int x = target.left(); x <= target.right(); ++x) {
                const int value = in[x - frame.left];
                const bool clear = value == frame.transparent;
                if (!clear || first) {
                    std::copy_n(&colors[size_t(value) * 3], 3, rgb + 3 * x);
                    opacity[x] = clear ? 0 : 255;
                    m_hasAlpha |= clear;
                }
            }
        }
    }

    QString m_path;
    QByteArray m_bytes;
    QSize m_size;
    int m_globalPalette = 0, m_globalColors = 0;
    std::vector<GifFrame> m_frames;
    int m_next = 0;  // the frame to draw next over m_canvas
    Picture m_canvas, m_before;
    bool m_hasAlpha = false;
};

}  // namespace

std::unique_ptr<PictureReader> openGif(const QString& path)
{
    return std::make_unique<GifPicture>(path);
}

}  // namespace ui
