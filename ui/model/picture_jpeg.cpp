#include "ui/model/picture.h"

#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>

#include <cstring>

namespace ui {
namespace {

struct ErrorHandler {
    jpeg_error_mgr base;  // first: libjpeg hands us a pointer to it
    std::jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
};

void fail(j_common_ptr info)
{
    auto* handler = reinterpret_cast<ErrorHandler*>(info->err);
    info->err->format_message(info, handler->message);
    std::longjmp(handler->jump, 1);
}

void ignore(j_common_ptr, int) { }

/// libjpeg's own source makes up an end for a file cut short; PIL refuses such a file.
boolean atEnd(j_decompress_ptr info)
{
    auto* handler = reinterpret_cast<ErrorHandler*>(info->err);
    std::strcpy(handler->message, "the file ends too early");
    std::longjmp(handler->jump, 1);
}

struct Decoded {
    QSize size;
    int components = 0;
    int orientation = 1;
    QImage rgb;
    QByteArray row;  // one row of CMYK
};

class JpegPicture : public PictureReader {
public:
    explicit JpegPicture(const QString& path)
        : m_path(path)
        , m_bytes(readWholeFile(path))
    {
        Decoded header;
        decode(header, false);
        m_size = header.size;
        checkPictureSize(path, m_size);
    }

    QString format() const override { return QStringLiteral("JPEG"); }
    int count() const override { return 1; }
    QSize size(int) const override { return m_size; }

    Picture read(int) override
    {
        Decoded decoded;
        decoded.rgb = newImage(m_path, m_size, QImage::Format_RGB888);
        decoded.row.resize(qsizetype(m_size.width()) * 4);
        decode(decoded, true);
        Picture picture;
        picture.rgb = decoded.rgb;
        picture.orientation = decoded.orientation;
        return picture;
    }

private:
    /// All that owns memory lies in `out`, because libjpeg reports errors by longjmp.
    void decode(Decoded& out, bool pixels) const
    {
        jpeg_decompress_struct info;
        ErrorHandler handler;
        info.err = jpeg_std_error(&handler.base);
        handler.base.error_exit = fail;
        handler.base.emit_message = ignore;
        handler.message[0] = '\0';
        if (setjmp(handler.jump)) {
            jpeg_destroy_decompress(&info);
            throw damagedPicture(m_path, QStringLiteral("JPEG"),
                                 QString::fromLatin1(handler.message));
        }
        jpeg_create_decompress(&info);
        info.mem->max_memory_to_use = 0;
        jpeg_mem_src(&info, reinterpret_cast<const uchar*>(m_bytes.constData()),
                     static_cast<unsigned long>(m_bytes.size()));
        info.src->fill_input_buffer = atEnd;
        jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
        jpeg_read_header(&info, TRUE);
        out.size = QSize(int(info.image_width), int(info.image_height));
        out.components = info.num_components;
        for (auto* marker = info.marker_list; marker; marker = marker->next) {
            if (marker->data_length > 6 && std::memcmp(marker->data, "Exif\0\0", 6) == 0) {
                out.orientation =
                    exifOrientation(marker->data + 6, qsizetype(marker->data_length) - 6);
                break;
            }
        }
        if (pixels) {
            readRows(info, out);
        }
        jpeg_destroy_decompress(&info);
    }

    void readRows(jpeg_decompress_struct& info, Decoded& out) const
    {
        // libjpeg's defaults are PIL's: accurate integer IDCT, fancy upsampling.
        info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            uchar* rgb = out.rgb.scanLine(int(info.output_scanline));
            if (info.num_components != 4) {
                jpeg_read_scanlines(&info, &rgb, 1);
                continue;
            }
            auto* cmyk = reinterpret_cast<uchar*>(out.row.data());
            jpeg_read_scanlines(&info, &cmyk, 1);
            for (int x = 0; x < out.size.width(); ++x, cmyk += 4, rgb += 3) {
                // Stored inverted, as Adobe's programs do; PIL takes every file so.
                const uchar ink[4] = {uchar(255 - cmyk[0]), uchar(255 - cmyk[1]),
                                      uchar(255 - cmyk[2]), uchar(255 - cmyk[3])};
                cmykToRgb(ink, rgb);
            }
        }
    }

    QString m_path;
    QByteArray m_bytes;
    QSize m_size;
};

}  // namespace

std::unique_ptr<PictureReader> openJpeg(const QString& path)
{
    return std::make_unique<JpegPicture>(path);
}

}  // namespace ui
