// PNG and BMP through Qt's readers, which hand out the stored samples; the conversions to RGB are
// done here because Qt's own round 16-bit samples and blend alpha.

#include "ui/model/picture.h"

#include <QFile>
#include <QImageReader>
#include <QtEndian>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace ui {
namespace {

struct PngHeader {
    int bitDepth = 0, colorType = -1;
    int orientation = 1;
    QString damage;  // the first, what libpng would say on standard error; else empty
};

quint32 crcOf(quint32 crc, const QByteArray& bytes)
{
    static const std::array<quint32, 256> table = [] {
        std::array<quint32, 256> made{};
        for (quint32 i = 0; i < 256; ++i) {
            quint32 value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = value & 1 ? 0xedb88320U ^ value >> 1 : value >> 1;
            }
            made[i] = value;
        }
        return made;
    }();
    for (const char byte : bytes) {
        crc = table[(crc ^ uchar(byte)) & 0xff] ^ crc >> 8;
    }
    return crc;
}

/// Reads the chunk's data and its checksum (PNG 5.5); false where they do not belong together.
bool hasGoodChecksum(QFile& file, const QByteArray& type, qint64 length)
{
    quint32 crc = crcOf(0xffffffffU, type);
    while (length > 0) {
        const QByteArray part = file.read(std::min<qint64>(length, 65'536));
        if (part.isEmpty()) {
            return true;  // the file is cut, which is said elsewhere
        }
        crc = crcOf(crc, part);
        length -= part.size();
    }
    const QByteArray stored = file.read(4);
    return stored.size() < 4 || qFromBigEndian<quint32>(stored.constData()) == (crc ^ 0xffffffffU);
}

/// IHDR, whether all is there and whole, and the orientation of an eXIf chunk, which Qt does not
/// read.
PngHeader pngHeader(QFile& file)
{
    PngHeader header;
    file.seek(8);
    for (int chunks = 0; chunks < 1'000'000; ++chunks) {
        const QByteArray start = file.read(8);
        if (start.size() < 8) {
            header.damage = QStringLiteral("the file ends too early");
            break;
        }
        const qint64 length = qFromBigEndian<quint32>(start.constData());
        const QByteArray type = start.mid(4);
        const qint64 begin = file.pos(), next = begin + length + 4;
        const bool named = std::all_of(type.begin(), type.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        });
        if (!named) {
            header.damage = QStringLiteral("where the name of a chunk should be is none");
            break;
        }
        const bool critical = type[0] >= 'A' && type[0] <= 'Z';  // can't be left out
        if (critical && !hasGoodChecksum(file, type, length)) {
            header.damage = QStringLiteral("the checksum of its %1 chunk is wrong, so some of its "
                                           "bytes are not those that were written")
                                .arg(QString::fromLatin1(type));
            break;
        }
        file.seek(begin);
        if (type == "IHDR" || type == "eXIf") {
            const QByteArray data = file.read(std::min<qint64>(length, 65'536));
            if (type == "eXIf") {
                header.orientation =
                    exifOrientation(reinterpret_cast<const uchar*>(data.constData()), data.size());
            } else if (data.size() >= 13) {
                header.bitDepth = uchar(data[8]);
                header.colorType = uchar(data[9]);
            }
        } else if (type == "IEND") {
            break;
        }
        if (!file.seek(next)) {
            break;
        }
    }
    file.seek(0);
    return header;
}

/// 16 bits a sample, colour or grey with alpha: the high byte of each.
Picture fromWide(const QImage& image, const QString& path)
{
    const QImage wide = image.convertToFormat(QImage::Format_RGBA64);
    Picture picture;
    picture.rgb = newImage(path, wide.size(), QImage::Format_RGB888);
    if (image.hasAlphaChannel()) {
        picture.alpha = newImage(path, wide.size(), QImage::Format_Grayscale8);
    }
    for (int y = 0; y < wide.height(); ++y) {
        const auto* in = reinterpret_cast<const QRgba64*>(wide.constScanLine(y));
        uchar* out = picture.rgb.scanLine(y);
        uchar* alpha = picture.alpha.isNull() ? nullptr : picture.alpha.scanLine(y);
        for (int x = 0; x < wide.width(); ++x) {
            *out++ = uchar(in[x].red() >> 8);
            *out++ = uchar(in[x].green() >> 8);
            *out++ = uchar(in[x].blue() >> 8);
            if (alpha) {
                alpha[x] = uchar(in[x].alpha() >> 8);
            }
        }
    }
    return picture;
}

/// 16-bit grey: values above 255 saturate.
Picture fromGray16(const QImage& image, const QString& path)
{
    Picture picture;
    picture.rgb = newImage(path, image.size(), QImage::Format_RGB888);
    picture.gray.resize(size_t(image.width()) * size_t(image.height()));
    const bool plain = image.format() == QImage::Format_Grayscale16;
    // A grey file with a transparent value comes as RGBA64; its grey is in each channel.
    const QImage source = plain ? image : image.convertToFormat(QImage::Format_RGBA64);
    float* gray = picture.gray.data();
    for (int y = 0; y < image.height(); ++y) {
        const auto* in = reinterpret_cast<const quint16*>(source.constScanLine(y));
        uchar* out = picture.rgb.scanLine(y);
        for (int x = 0; x < image.width(); ++x) {
            const quint16 value = in[plain ? x : 4 * x];
            *gray++ = value;
            out = std::fill_n(out, 3, uchar(std::min<int>(value, 255)));
        }
    }
    return picture;
}

/// Up to 8 bits a sample. Colours under transparent pixels stay as they are stored.
Picture fromNarrow(const QImage& image, const QString& path, bool gray)
{
    const bool indexed = image.colorCount() > 0;
    QImage plain = image;
    if (!indexed && image.format() != QImage::Format_Grayscale8) {
        plain = image.convertToFormat(image.hasAlphaChannel() ? QImage::Format_ARGB32
                                                              : QImage::Format_RGB32);
    }
    Picture picture;
    picture.rgb = newImage(path, plain.size(), QImage::Format_RGB888);
    if (plain.hasAlphaChannel()) {
        picture.alpha = newImage(path, plain.size(), QImage::Format_Grayscale8);
    }
    QList<QRgb> table = plain.colorTable();
    const int colors = int(table.size());
    if (indexed) {
        table.resize(256, 0xff000000);
    }
    // Qt paints the transparent value of a grey PNG black in the table, and inverts single bits.
    for (int i = 0; gray && i < colors; ++i) {
        const int value = colors == 2 ? 255 - 255 * i : i * 255 / (colors - 1);
        table[i] = qRgba(value, value, value, qAlpha(table[i]));
    }
    for (int y = 0; y < plain.height(); ++y) {
        uchar* out = picture.rgb.scanLine(y);
        uchar* alpha = picture.alpha.isNull() ? nullptr : picture.alpha.scanLine(y);
        const uchar* bytes = plain.constScanLine(y);
        const auto* direct = reinterpret_cast<const QRgb*>(bytes);
        for (int x = 0; x < plain.width(); ++x) {
            const QRgb color = plain.format() == QImage::Format_Grayscale8
                ? qRgb(bytes[x], bytes[x], bytes[x])
                : plain.format() == QImage::Format_Indexed8 ? table[bytes[x]]
                : indexed                                   ? table[plain.pixelIndex(x, y) & 255]
                                                            : direct[x];
            *out++ = uchar(qRed(color));
            *out++ = uchar(qGreen(color));
            *out++ = uchar(qBlue(color));
            if (alpha) {
                alpha[x] = uchar(qAlpha(color));
            }
        }
    }
    return picture;
}

/// 16 bits a pixel (5-5-5 or 5-6-5), whose samples PIL scales by 255 / 31 without rounding and Qt
/// does not. Null where the file is of another depth.
QImage narrowBmp(const QString& path)
{
    const QByteArray bytes = readWholeFile(path);
    const auto number = [&](qsizetype at, int size) {
        quint32 value = 0;
        for (int i = size - 1; i >= 0; --i) {
            value = value << 8 | (at + i < bytes.size() ? uchar(bytes[at + i]) : 0u);
        }
        return value;
    };
    const quint32 compression = number(30, 4), greenMask = number(58, 4);
    if (number(14, 4) < 40 || number(28, 2) != 16 || (compression != 0 && compression != 3)) {
        return {};
    }
    const bool sixGreens = compression == 3 && greenMask == 0x7e0;
    if (compression == 3 && !sixGreens && greenMask != 0x3e0) {
        return {};
    }
    const int width = qint32(number(18, 4)), rows = qint32(number(22, 4));
    QImage image = newImage(path, QSize(width, std::abs(rows)), QImage::Format_RGB888);
    const qsizetype pitch = (qsizetype(width) * 2 + 3) / 4 * 4, start = number(10, 4);
    if (start + pitch * image.height() > bytes.size()) {
        throw damagedPicture(path, QStringLiteral("BMP"),
                             QStringLiteral("the file ends too early"));
    }
    for (int y = 0; y < image.height(); ++y) {
        const qsizetype row = start + pitch * (rows > 0 ? image.height() - 1 - y : y);
        uchar* out = image.scanLine(y);
        for (int x = 0; x < width; ++x) {
            const quint32 pixel = number(row + qsizetype(2) * x, 2);
            *out++ = uchar((pixel >> (sixGreens ? 11 : 10) & 31) * 255 / 31);
            *out++ = uchar(sixGreens ? (pixel >> 5 & 63) * 255 / 63 : (pixel >> 5 & 31) * 255 / 31);
            *out++ = uchar((pixel & 31) * 255 / 31);
        }
    }
    return image;
}

class QtPicture : public PictureReader {
public:
    QtPicture(const QString& path, const char* format)
        : m_path(path)
        , m_format(QString::fromLatin1(format))
    {
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly)) {
            throw DocumentError(
                QStringLiteral("%1 can't be read: %2.").arg(path, file.errorString()));
        }
        if (m_format == u"PNG") {
            m_png = pngHeader(file);
        }
        if (!m_png.damage.isEmpty()) {
            throw damagedPicture(path, m_format, m_png.damage);
        }
        QImageReader reader(&file, m_format.toLatin1().toLower());
        m_size = reader.size();
        if (!m_size.isValid()) {
            throw damagedPicture(path, m_format, reader.errorString());
        }
        checkPictureSize(path, m_size);
    }

    QString format() const override { return m_format; }
    int count() const override { return 1; }
    QSize size(int) const override { return m_size; }

    Picture read(int) override
    {
        if (m_format == u"BMP") {
            Picture narrow;
            narrow.rgb = narrowBmp(m_path);
            if (!narrow.rgb.isNull()) {
                return narrow;
            }
        }
        // The size was checked above; Qt's own limit of 256 MB is lower than that.
        static const bool unlimited = (QImageReader::setAllocationLimit(0), true);
        Q_UNUSED(unlimited);
        QImageReader reader(m_path, m_format.toLatin1().toLower());
        reader.setAutoTransform(false);
        const QImage image = reader.read();
        if (image.isNull()) {
            throw damagedPicture(m_path, m_format, reader.errorString());
        }
        Picture picture = m_png.bitDepth != 16 ? fromNarrow(image, m_path, m_png.colorType == 0)
            : m_png.colorType == 0             ? fromGray16(image, m_path)
                                               : fromWide(image, m_path);
        picture.orientation = m_png.orientation;
        return picture;
    }

private:
    QString m_path, m_format;
    QSize m_size;
    PngHeader m_png;
};

}  // namespace

std::unique_ptr<PictureReader> openPng(const QString& path)
{
    return std::make_unique<QtPicture>(path, "PNG");
}

std::unique_ptr<PictureReader> openBmp(const QString& path)
{
    return std::make_unique<QtPicture>(path, "BMP");
}

}  // namespace ui
