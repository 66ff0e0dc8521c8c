#include "ui/model/picture.h"

#include <QFile>

#include <tiffio.h>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstring>
#include <utility>

namespace ui {
namespace {

struct Close {
    void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};

int keepMessage(TIFF*, void* message, const char*, const char* format, va_list arguments)
{
    auto* text = static_cast<QString*>(message);
    if (text->isEmpty()) {
        *text = QString::vasprintf(format, arguments);
    }
    return 1;  // libtiff prints nothing itself
}

int keepQuiet(TIFF*, void*, const char*, const char*, va_list)
{
    return 1;
}

struct Layout {
    std::uint32_t width = 0, height = 0;
    std::uint16_t bits = 1, samples = 1, photometric = 0, planar = PLANARCONFIG_CONTIG;
    std::uint16_t sampleFormat = SAMPLEFORMAT_UINT, compression = COMPRESSION_NONE;
    std::uint16_t orientation = 1, extraCount = 0, alphaKind = EXTRASAMPLE_UNSPECIFIED;

    size_t rowBytes() const { return (size_t(width) * samples * bits + 7) / 8; }
};

/// Samples of one page, native byte order, all samples of a pixel together.
using Samples = std::vector<uchar>;

class TiffPicture : public PictureReader {
public:
    explicit TiffPicture(const QString& path)
        : m_path(path)
    {
        TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
        TIFFOpenOptionsSetMaxSingleMemAlloc(options, tmsize_t(2) << 30);
        TIFFOpenOptionsSetErrorHandlerExtR(options, keepMessage, &m_message);
        TIFFOpenOptionsSetWarningHandlerExtR(options, keepQuiet, nullptr);
        m_tiff.reset(TIFFOpenExt(QFile::encodeName(path).constData(), "r", options));
        TIFFOpenOptionsFree(options);
        if (!m_tiff) {
            throw damagedPicture(path, format(), m_message);
        }
        // A reduced copy of a page (a pyramid level, a thumbnail) is not a page of its own.
        do {
            std::uint32_t kind = 0;
            TIFFGetFieldDefaulted(m_tiff.get(), TIFFTAG_SUBFILETYPE, &kind);
            const QSize size = currentSize();
            if (m_pages.empty() || (!(kind & FILETYPE_REDUCEDIMAGE) && !size.isEmpty())) {
                m_pages.push_back({TIFFCurrentDirectory(m_tiff.get()), size});
            }
        } while (m_pages.size() < 10'000 && TIFFReadDirectory(m_tiff.get()));
        checkPictureSize(path, m_pages.front().size);
    }

    QString format() const override { return QStringLiteral("TIFF"); }
    int count() const override { return int(m_pages.size()); }
    QSize size(int index) const override { return m_pages[size_t(index)].size; }

    Picture read(int index) override
    {
        m_message.clear();
        if (!TIFFSetDirectory(m_tiff.get(), m_pages[size_t(index)].directory)) {
            throw damagedPicture(m_path, format(), m_message);
        }
        checkPictureSize(m_path, size(index));
        Layout layout = currentLayout();
        Picture picture;
        if (layout.photometric == PHOTOMETRIC_YCBCR && layout.compression != COMPRESSION_JPEG) {
            picture = readRgba(layout);
        } else {
            if (layout.photometric == PHOTOMETRIC_YCBCR) {
                TIFFSetField(m_tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
                layout.photometric = PHOTOMETRIC_RGB;
            }
            picture =
                convert(layout,
                        layout.compression == COMPRESSION_JPEG ? readJpegSamples(layout, index)
                                                               : readSamples(layout));
        }
        // PIL turns a TIFF upright when it loads it, unlike every other kind.
        if (layout.orientation >= 2 && layout.orientation <= 8) {
            turn(picture, layout.orientation);
        }
        return picture;
    }

private:
    struct Page {
        tdir_t directory;
        QSize size;
    };

    QSize currentSize() const
    {
        std::uint32_t width = 0, height = 0;
        TIFFGetField(m_tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
        TIFFGetField(m_tiff.get(), TIFFTAG_IMAGELENGTH, &height);
        return {int(std::min(width, 0x7fffffffu)), int(std::min(height, 0x7fffffffu))};
    }

    Layout currentLayout() const
    {
        TIFF* tiff = m_tiff.get();
        Layout layout;
        TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout.width);
        TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout.height);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &layout.bits);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
        TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout.photometric);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout.planar);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &layout.sampleFormat);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &layout.compression);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &layout.orientation);
        std::uint16_t* extra = nullptr;
        if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &layout.extraCount, &extra) &&
            layout.extraCount > 0) {
            layout.alphaKind = extra[0];
        } else if (layout.photometric == PHOTOMETRIC_RGB && layout.samples == 4) {
            layout.alphaKind = EXTRASAMPLE_UNASSALPHA;  // PIL's reading of an unnamed fourth sample
        }
        return layout;
    }

    [[noreturn]] void refuse(const Layout& layout) const
    {
        throw DocumentError(
            QStringLiteral(
                "%1 is a TIFF with %2 samples of %3 bits a pixel and photometric "
                "interpretation %4; this program reads grey, palette, RGB, YCbCr and CMYK.")
                .arg(m_path)
                .arg(layout.samples)
                .arg(layout.bits)
                .arg(layout.photometric));
    }

    void checkRead(tmsize_t got, tmsize_t wanted) const
    {
        if (got < wanted) {
            throw damagedPicture(m_path, format(), m_message);
        }
    }

    /// Copies rows of one decoded strip or tile to where they belong.
    static void place(const Layout& layout, Samples& out, const std::vector<uchar>& part,
                      std::uint32_t left, std::uint32_t top, std::uint32_t width,
                      std::uint32_t height, int plane)
    {
        const std::uint32_t columns = std::min(width, layout.width - left);
        const std::uint32_t rows = std::min(height, layout.height - top);
        if (plane < 0) {
            const size_t pixelBits = size_t(layout.bits) * layout.samples;
            const size_t partRow = (width * pixelBits + 7) / 8;
            const size_t bytes = (columns * pixelBits + 7) / 8;
            for (std::uint32_t y = 0; y < rows; ++y) {
                std::memcpy(&out[(top + y) * layout.rowBytes() + left * pixelBits / 8],
                            &part[y * partRow], bytes);
            }
            return;
        }
        const size_t sample = layout.bits / 8;
        for (std::uint32_t y = 0; y < rows; ++y) {
            const uchar* in = &part[y * width * sample];
            uchar* to = &out[(top + y) * layout.rowBytes() +
                             (size_t(left) * layout.samples + size_t(plane)) * sample];
            for (std::uint32_t x = 0; x < columns;
                 ++x, in += sample, to += sample * layout.samples) {
                std::memcpy(to, in, sample);
            }
        }
    }

    Samples readSamples(const Layout& layout)
    {
        const bool separate = layout.planar == PLANARCONFIG_SEPARATE && layout.samples > 1;
        if (layout.samples < 1 || layout.samples > 32 || (separate && layout.bits % 8 != 0) ||
            layout.bits < 1 || layout.bits > 64) {
            refuse(layout);
        }
        const size_t total = layout.rowBytes() * layout.height;
        if (total > size_t(maxPicturePixels) * 8) {
            throw DocumentError(
                QStringLiteral("%1 needs %2 GB for one page; pages open up to 2.4 GB.")
                    .arg(m_path)
                    .arg(double(total) / 1e9, 0, 'f', 1));
        }
        TIFF* tiff = m_tiff.get();
        const bool tiled = TIFFIsTiled(tiff);
        std::uint32_t width = layout.width, height = layout.height;
        if (tiled) {
            TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
            TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
        } else {
            TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &height);
            height = std::min(height, layout.height);
        }
        const size_t partSamples = separate ? 1 : layout.samples;
        const size_t partRow = (size_t(width) * partSamples * layout.bits + 7) / 8;
        const tmsize_t announced = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
        if (width == 0 || height == 0 || announced <= 0 || announced > (tmsize_t(1) << 31) ||
            size_t(announced) != partRow * height ||
            (tiled && width * partSamples * layout.bits % 8)) {
            throw damagedPicture(m_path, format(), m_message);
        }
        Samples out(total);
        std::vector<uchar> part(static_cast<size_t>(announced));
        for (int plane = separate ? 0 : -1; plane < (separate ? int(layout.samples) : 0); ++plane) {
            const auto which = std::uint16_t(std::max(plane, 0));
            for (std::uint32_t top = 0; top < layout.height; top += height) {
                const std::uint32_t rows = tiled ? height : std::min(height, layout.height - top);
                for (std::uint32_t left = 0; left < layout.width; left += width) {
                    const tmsize_t wanted = tmsize_t(partRow) * tmsize_t(rows);
                    const tmsize_t got = tiled
                        ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, left, top, 0, which),
                                              part.data(), wanted)
                        : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, top, which),
                                               part.data(), wanted);
                    checkRead(got, wanted);
                    place(layout, out, part, left, top, width, rows, plane);
                }
            }
        }
        return out;
    }

    /// Some slide scanners' programs call their YCbCr JPEG tiles RGB; libtiff (and PIL with it)
    /// refuses them over the sampling factors. Read once more as what they are.
    Samples readJpegSamples(const Layout& layout, int index)
    {
        try {
            return readSamples(layout);
        } catch (const DocumentError&) {
            if (layout.photometric != PHOTOMETRIC_RGB || layout.samples != 3 || layout.bits != 8 ||
                !m_message.contains(QStringLiteral("sampling factors"))) {
                throw;
            }
        }
        m_message.clear();
        TIFFSetDirectory(m_tiff.get(), m_pages[size_t(index)].directory);
        TIFFSetField(m_tiff.get(), TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_YCBCR);
        TIFFSetField(m_tiff.get(), TIFFTAG_YCBCRSUBSAMPLING, 2, 2);
        TIFFSetField(m_tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        return readSamples(layout);
    }

    /// libtiff's own conversion, which PIL uses for YCbCr that is not JPEG.
    Picture readRgba(const Layout& layout)
    {
        const QSize size(int(layout.width), int(layout.height));
        std::vector<std::uint32_t> raster(size_t(layout.width) * layout.height);
        if (!TIFFReadRGBAImageOriented(m_tiff.get(), layout.width, layout.height, raster.data(),
                                       ORIENTATION_TOPLEFT, 1)) {
            throw damagedPicture(m_path, format(), m_message);
        }
        Picture picture;
        picture.rgb = newImage(m_path, size, QImage::Format_RGB888);
        const std::uint32_t* in = raster.data();
        for (int y = 0; y < size.height(); ++y) {
            uchar* out = picture.rgb.scanLine(y);
            for (int x = 0; x < size.width(); ++x, ++in) {
                *out++ = uchar(TIFFGetR(*in));
                *out++ = uchar(TIFFGetG(*in));
                *out++ = uchar(TIFFGetB(*in));
            }
        }
        return picture;
    }

    Picture convert(const Layout& layout, const Samples& samples)
    {
        switch (layout.photometric) {
        case PHOTOMETRIC_MINISWHITE:
        case PHOTOMETRIC_MINISBLACK:
            return layout.bits > 8 ? deepGray(layout, samples) : gray(layout, samples);
        case PHOTOMETRIC_PALETTE:
            return palette(layout, samples);
        case PHOTOMETRIC_RGB:
            return colors(layout, samples, 3);
        case PHOTOMETRIC_SEPARATED:
            return colors(layout, samples, 4);
        default:
            refuse(layout);
        }
    }

    /// Sample `index` of a row of 1, 2, 4 or 8 bits a sample.
    static int narrow(const uchar* row, size_t index, int bits)
    {
        const size_t bit = index * size_t(bits);
        return row[bit / 8] >> (8 - bits - int(bit % 8)) & ((1 << bits) - 1);
    }

    bool isNarrow(const Layout& layout) const
    {
        return (layout.bits == 1 || layout.bits == 2 || layout.bits == 4 || layout.bits == 8) &&
            (layout.samples == 1 || layout.bits == 8);
    }

    Picture gray(const Layout& layout, const Samples& samples)
    {
        if (!isNarrow(layout)) {
            refuse(layout);
        }
        const int top = (1 << layout.bits) - 1;
        Picture picture =
            empty(layout, layout.samples == 2 && layout.alphaKind != EXTRASAMPLE_UNSPECIFIED);
        for (int y = 0; y < picture.rgb.height(); ++y) {
            const uchar* row = &samples[size_t(y) * layout.rowBytes()];
            uchar* out = picture.rgb.scanLine(y);
            for (int x = 0; x < picture.rgb.width(); ++x, out += 3) {
                const size_t at = size_t(x) * layout.samples;
                int value = narrow(row, at, layout.bits) * 255 / top;
                if (layout.photometric == PHOTOMETRIC_MINISWHITE) {
                    value = 255 - value;
                }
                out[0] = out[1] = out[2] = uchar(value);
                if (!picture.alpha.isNull()) {
                    picture.alpha.scanLine(y)[x] = row[at + 1];
                }
            }
        }
        return picture;
    }

    /// 12, 16 or 32 bits, integer or float: cut to 0…255, never inverted (PIL's modes I and F).
    Picture deepGray(const Layout& layout, const Samples& samples)
    {
        const bool isFloat = layout.sampleFormat == SAMPLEFORMAT_IEEEFP;
        if (layout.samples != 1 || (layout.bits != 12 && layout.bits != 16 && layout.bits != 32) ||
            (isFloat && layout.bits != 32)) {
            refuse(layout);
        }
        Picture picture = empty(layout, false);
        picture.gray.resize(size_t(layout.width) * layout.height);
        float* gray = picture.gray.data();
        for (int y = 0; y < picture.rgb.height(); ++y) {
            const uchar* row = &samples[size_t(y) * layout.rowBytes()];
            uchar* out = picture.rgb.scanLine(y);
            for (int x = 0; x < picture.rgb.width(); ++x, out += 3) {
                const double value = deepValue(row, size_t(x), layout);
                *gray++ = float(value);
                out[0] = out[1] = out[2] = uchar(value > 0 ? std::min(value, 255.0) : 0.0);
            }
        }
        return picture;
    }

    static double deepValue(const uchar* row, size_t x, const Layout& layout)
    {
        const bool isSigned = layout.sampleFormat == SAMPLEFORMAT_INT;
        if (layout.bits == 12) {
            const uchar* pair = row + x / 2 * 3;
            return x % 2 ? (pair[1] & 15) << 8 | pair[2] : pair[0] << 4 | pair[1] >> 4;
        }
        const auto as = [&]<typename T>(T value) {
            std::memcpy(&value, row + x * sizeof(T), sizeof(T));
            return double(value);
        };
        if (layout.bits == 16) {
            return isSigned ? as(std::int16_t()) : as(std::uint16_t());
        }
        if (layout.sampleFormat == SAMPLEFORMAT_IEEEFP) {
            return as(float());
        }
        // PIL keeps 32-bit samples in a signed integer.
        return as(std::int32_t());
    }

    Picture palette(const Layout& layout, const Samples& samples)
    {
        std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
        if (!isNarrow(layout) ||
            !TIFFGetField(m_tiff.get(), TIFFTAG_COLORMAP, &red, &green, &blue)) {
            refuse(layout);
        }
        Picture picture =
            empty(layout, layout.samples == 2 && layout.alphaKind != EXTRASAMPLE_UNSPECIFIED);
        for (int y = 0; y < picture.rgb.height(); ++y) {
            const uchar* row = &samples[size_t(y) * layout.rowBytes()];
            uchar* out = picture.rgb.scanLine(y);
            for (int x = 0; x < picture.rgb.width(); ++x, out += 3) {
                const size_t at = size_t(x) * layout.samples;
                const int index = narrow(row, at, layout.bits);
                out[0] = uchar(red[index] >> 8);
                out[1] = uchar(green[index] >> 8);
                out[2] = uchar(blue[index] >> 8);
                if (!picture.alpha.isNull()) {
                    picture.alpha.scanLine(y)[x] = row[at + 1];
                }
            }
        }
        return picture;
    }

    /// RGB (3 colours) or CMYK (4) of 8 or 16 bits; of 16 the high byte counts.
    Picture colors(const Layout& layout, const Samples& samples, int count)
    {
        const bool wide = layout.bits == 16;
        if (layout.samples < count || (layout.bits != 8 && !wide) ||
            layout.sampleFormat == SAMPLEFORMAT_IEEEFP) {
            refuse(layout);
        }
        const bool alpha =
            count == 3 && layout.samples > 3 && layout.alphaKind != EXTRASAMPLE_UNSPECIFIED;
        const bool associated = alpha && layout.alphaKind == EXTRASAMPLE_ASSOCALPHA;
        Picture picture = empty(layout, alpha);
        for (int y = 0; y < picture.rgb.height(); ++y) {
            const uchar* in = &samples[size_t(y) * layout.rowBytes()];
            uchar* out = picture.rgb.scanLine(y);
            for (int x = 0; x < picture.rgb.width(); ++x, out += 3) {
                uchar value[4] = {0, 0, 0, 255};
                for (int i = 0; i < count + int(alpha); ++i) {
                    value[i] = wide ? highByte(in + 2 * i) : in[i];
                }
                in += size_t(layout.samples) * (wide ? 2 : 1);
                if (count == 4) {
                    cmykToRgb(value, out);
                    continue;
                }
                for (int i = 0; i < 3; ++i) {
                    out[i] = !associated ? value[i]
                        : value[3] == 0  ? uchar(0)
                                         : uchar(std::min(value[i] * 255 / value[3], 255));
                }
                if (alpha) {
                    picture.alpha.scanLine(y)[x] = value[3];
                }
            }
        }
        return picture;
    }

    static uchar highByte(const uchar* sample)
    {
        std::uint16_t value = 0;
        std::memcpy(&value, sample, 2);
        return uchar(value >> 8);
    }

    Picture empty(const Layout& layout, bool alpha) const
    {
        const QSize size(int(layout.width), int(layout.height));
        Picture picture;
        picture.rgb = newImage(m_path, size, QImage::Format_RGB888);
        if (alpha) {
            picture.alpha = newImage(m_path, size, QImage::Format_Grayscale8);
        }
        return picture;
    }

    static void turn(Picture& picture, int orientation)
    {
        const int width = picture.rgb.width(), height = picture.rgb.height();
        if (!picture.gray.empty()) {
            const QTransform map = turnedCoordinates({width, height}, orientation);
            const int newWidth = orientation >= 5 ? height : width;
            std::vector<float> to(picture.gray.size());
            for (int y = 0; y < height; ++y) {
                for (int x = 0; x < width; ++x) {
                    const QPointF centre = map.map(QPointF(x + 0.5, y + 0.5));
                    to[size_t(centre.y()) * size_t(newWidth) + size_t(centre.x())] =
                        picture.gray[size_t(y) * size_t(width) + size_t(x)];
                }
            }
            picture.gray = std::move(to);
        }
        picture.rgb = turned(picture.rgb, orientation).convertToFormat(QImage::Format_RGB888);
        if (!picture.alpha.isNull()) {
            picture.alpha =
                turned(picture.alpha, orientation).convertToFormat(QImage::Format_Grayscale8);
        }
    }

    QString m_path, m_message;
    std::unique_ptr<TIFF, Close> m_tiff;
    std::vector<Page> m_pages;
};

}  // namespace

std::unique_ptr<PictureReader> openTiff(const QString& path)
{
    return std::make_unique<TiffPicture>(path);
}

}  // namespace ui
