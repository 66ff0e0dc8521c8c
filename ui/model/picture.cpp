#include "ui/model/picture.h"

#include <QFile>
#include <QFileInfo>
#include <QTransform>

#include <algorithm>
#include <cstring>

namespace ui {
namespace {

struct Format {
    const char* name;
    std::unique_ptr<PictureReader> (*open)(const QString&);
    bool (*recognises)(const QByteArray& head);
};

std::uint32_t little32(const QByteArray& head, int at)
{
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) {
        value = value << 8 | uchar(head[at + i]);
    }
    return value;
}

bool isTiff(const QByteArray& head)
{
    // Classic and BigTIFF in both byte orders. A DICOM file may carry a TIFF in its preamble.
    const QByteArray magic = head.left(4);
    return (magic == QByteArray("II*\0", 4) || magic == QByteArray("MM\0*", 4) ||
            magic == QByteArray("II+\0", 4) || magic == QByteArray("MM\0+", 4)) &&
        head.mid(128, 4) != "DICM";
}

bool isBmp(const QByteArray& head)
{
    if (head.size() < 26 || !head.startsWith("BM")) {
        return false;
    }
    const std::uint32_t header = little32(head, 14);
    return header == 12 || header == 40 || header == 52 || header == 56 || header == 64 ||
        header == 108 || header == 124;
}

const Format formats[] = {
    {"PNG", openPng, [](const QByteArray& head) { return head.startsWith("\x89PNG\r\n\x1a\n"); }},
    {"JPEG", openJpeg, [](const QByteArray& head) { return head.startsWith("\xff\xd8\xff"); }},
    {"TIFF", openTiff, isTiff},
    {"WebP", openWebp,
     [](const QByteArray& head) { return head.startsWith("RIFF") && head.mid(8, 4) == "WEBP"; }},
    {"GIF", openGif,
     [](const QByteArray& head) { return head.startsWith("GIF87a") || head.startsWith("GIF89a"); }},
    {"BMP", openBmp, isBmp},
};

}  // namespace

QString pictureFormat(const QByteArray& head)
{
    for (const Format& format : formats) {
        if (format.recognises(head)) {
            return QString::fromLatin1(format.name);
        }
    }
    return {};
}

std::unique_ptr<PictureReader> openPicture(const QString& path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        throw DocumentError(QStringLiteral("%1 can't be read: %2.").arg(path, file.errorString()));
    }
    const QByteArray head = file.read(4096);
    for (const Format& format : formats) {
        if (format.recognises(head)) {
            return format.open(path);
        }
    }
    throw DocumentError(
        QStringLiteral("%1 is not a PNG, JPEG, TIFF, WebP, BMP or GIF picture.").arg(path));
}

QByteArray readWholeFile(const QString& path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        throw DocumentError(QStringLiteral("%1 can't be read: %2.").arg(path, file.errorString()));
    }
    if (file.size() >= qint64(2) << 30) {
        throw DocumentError(
            QStringLiteral("%1 has %2 GB; pictures of this kind are read up to 2 GB.")
                .arg(path)
                .arg(double(file.size()) / 1e9, 0, 'f', 1));
    }
    QByteArray bytes = file.readAll();
    if (file.error() != QFileDevice::NoError) {
        throw DocumentError(QStringLiteral("%1 can't be read: %2.").arg(path, file.errorString()));
    }
    return bytes;
}

void checkPictureSize(const QString& path, QSize size)
{
    if (size.isEmpty()) {
        throw DocumentError(QStringLiteral("%1 has no pixels (%2 × %3); the file is damaged.")
                                .arg(path)
                                .arg(size.width())
                                .arg(size.height()));
    }
    if (qint64(size.width()) * size.height() > maxPicturePixels) {
        throw DocumentError(
            QStringLiteral("%1 has %2 × %3 pixels; pictures open up to %4 megapixels. Save a "
                           "smaller copy or a part of it.")
                .arg(path)
                .arg(size.width())
                .arg(size.height())
                .arg(maxPicturePixels / 1'000'000));
    }
}

QImage newImage(const QString& path, QSize size, QImage::Format format)
{
    checkPictureSize(path, size);
    QImage image(size, format);
    if (image.isNull()) {
        throw DocumentError(
            QStringLiteral("There is not enough memory for the %1 × %2 pixels of %3.")
                .arg(size.width())
                .arg(size.height())
                .arg(path));
    }
    return image;
}

DocumentError damagedPicture(const QString& path, const QString& format, const QString& detail)
{
    const QString tail = detail.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(detail);
    return DocumentError(
        QStringLiteral("%1 is a damaged or incomplete %2 file%3.").arg(path, format, tail));
}

int exifOrientation(const uchar* data, qsizetype size)
{
    if (size < 8) {
        return 1;
    }
    const bool big = data[0] == 'M' && data[1] == 'M';
    if (!big && !(data[0] == 'I' && data[1] == 'I')) {
        return 1;
    }
    const auto number = [&](qsizetype at, int bytes) {
        std::uint32_t value = 0;
        for (int i = 0; i < bytes; ++i) {
            value = value << 8 | data[at + (big ? i : bytes - 1 - i)];
        }
        return value;
    };
    const qsizetype directory = number(4, 4);
    if (directory + 2 > size) {
        return 1;
    }
    const int entries = int(number(directory, 2));
    for (int i = 0; i < entries; ++i) {
        const qsizetype entry = directory + 2 + qsizetype(i) * 12;
        if (entry + 12 > size) {
            return 1;
        }
        if (number(entry, 2) == 0x0112) {
            const std::uint32_t value = number(entry + 8, 2);
            return value >= 1 && value <= 8 ? int(value) : 1;
        }
    }
    return 1;
}

void cmykToRgb(const uchar* cmyk, uchar* rgb)
{
    const int paper = 255 - cmyk[3];
    for (int i = 0; i < 3; ++i) {
        const int t = cmyk[i] * paper + 128;
        rgb[i] = uchar(std::clamp(paper - (((t >> 8) + t) >> 8), 0, 255));
    }
}

QImage turned(const QImage& image, int orientation)
{
    switch (orientation) {
    case 2:
        return image.mirrored(true, false);
    case 3:
        return image.mirrored(true, true);
    case 4:
        return image.mirrored(false, true);
    case 5:
        return image.transformed(QTransform().rotate(90)).mirrored(true, false);
    case 6:
        return image.transformed(QTransform().rotate(90));
    case 7:
        return image.transformed(QTransform().rotate(270)).mirrored(true, false);
    case 8:
        return image.transformed(QTransform().rotate(270));
    default:
        return image;
    }
}

QTransform turnedCoordinates(QSize size, int orientation)
{
    const qreal w = size.width(), h = size.height();
    switch (orientation) {  // x' = m11 x + m21 y + dx, y' = m12 x + m22 y + dy
    case 2:
        return {-1, 0, 0, 1, w, 0};
    case 3:
        return {-1, 0, 0, -1, w, h};
    case 4:
        return {1, 0, 0, -1, 0, h};
    case 5:
        return {0, 1, 1, 0, 0, 0};
    case 6:
        return {0, 1, -1, 0, h, 0};
    case 7:
        return {0, -1, -1, 0, h, w};
    case 8:
        return {0, -1, 1, 0, 0, w};
    default:
        return {};
    }
}

}  // namespace ui
