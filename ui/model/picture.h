#pragma once

#include "ui/model/error.h"

#include <QByteArray>
#include <QImage>
#include <QSize>
#include <QString>
#include <QTransform>

#include <memory>
#include <vector>

/// Decoding of picture files to the bytes of PIL's Image.open(file).convert("RGB"), which is what
/// the reference preprocessing starts from (model specification 5.2).
namespace ui {

/// One picture of a file as it is stored, before anything is decided for the eye.
struct Picture {
    QImage rgb;               // Format_RGB888, PIL's bytes
    QImage alpha;             // Format_Grayscale8 of the same size; null where opaque
    std::vector<float> gray;  // width * height values where grey has more than 8 bits, else empty
    int orientation = 1;      // Exif 1 to 8, still to be applied for the eye
};

class PictureReader {
public:
    virtual ~PictureReader() = default;
    virtual QString format() const = 0;  // "PNG"
    virtual int count() const = 0;       // pictures, pages or frames in the file, at least 1
    virtual QSize size(int index) const = 0;
    virtual Picture read(int index) = 0;
};

/// Pictures above this are refused before anything is allocated.
inline constexpr qint64 maxPicturePixels = 300'000'000;

/// "PNG", "JPEG", … by the first bytes, empty where they are none of ours.
QString pictureFormat(const QByteArray& head);
/// Reads what the header says. All throw DocumentError; `path` is also for their sentences.
std::unique_ptr<PictureReader> openPicture(const QString& path);

std::unique_ptr<PictureReader> openPng(const QString& path);
std::unique_ptr<PictureReader> openBmp(const QString& path);
std::unique_ptr<PictureReader> openJpeg(const QString& path);
std::unique_ptr<PictureReader> openTiff(const QString& path);
std::unique_ptr<PictureReader> openWebp(const QString& path);
std::unique_ptr<PictureReader> openGif(const QString& path);

// For the readers.

/// The whole file. Throws DocumentError where it can't be read or is larger than 2 GiB.
QByteArray readWholeFile(const QString& path);
/// Throws DocumentError where the size is empty or above maxPicturePixels.
void checkPictureSize(const QString& path, QSize size);
/// Throws DocumentError where there is not enough memory for it.
QImage newImage(const QString& path, QSize size, QImage::Format format);
DocumentError damagedPicture(const QString& path, const QString& format,
                             const QString& detail = {});
/// Orientation of an Exif block that starts with its TIFF header; 1 where it has none.
int exifOrientation(const uchar* data, qsizetype size);
/// CMYK ink (255 full) to RGB with PIL's integer formula.
void cmykToRgb(const uchar* cmyk, uchar* rgb);

/// `image` turned as an Exif orientation says, and the map of coordinates to there.
QImage turned(const QImage& image, int orientation);
QTransform turnedCoordinates(QSize size, int orientation);

}  // namespace ui
