#include "ui/model/picture.h"

#include <webp/decode.h>
#include <webp/demux.h>

namespace ui {
namespace {

struct Delete {
    void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
    void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

class WebpPicture : public PictureReader {
public:
    explicit WebpPicture(const QString& path)
        : m_path(path)
        , m_bytes(readWholeFile(path))
    {
        const WebPData data{reinterpret_cast<const std::uint8_t*>(m_bytes.constData()),
                            size_t(m_bytes.size())};
        const std::unique_ptr<WebPDemuxer, Delete> demuxer(WebPDemux(&data));
        if (!demuxer) {
            throw damagedPicture(path, format());
        }
        m_size = QSize(int(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH)),
                       int(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT)));
        m_count = int(WebPDemuxGetI(demuxer.get(), WEBP_FF_FRAME_COUNT));
        checkPictureSize(path, m_size);
        WebPBitstreamFeatures features;
        m_alpha = WebPGetFeatures(data.bytes, data.size, &features) == VP8_STATUS_OK &&
            features.has_alpha != 0;
        readOrientation(*demuxer);
        WebPAnimDecoderOptions options;
        WebPAnimDecoderOptionsInit(&options);
        options.color_mode = MODE_RGBA;  // not premultiplied
        m_decoder.reset(WebPAnimDecoderNew(&data, &options));
        if (!m_decoder || m_count < 1) {
            throw damagedPicture(path, format());
        }
    }

    QString format() const override { return QStringLiteral("WebP"); }
    int count() const override { return m_count; }
    QSize size(int) const override { return m_size; }

    Picture read(int index) override
    {
        if (index < m_next) {
            WebPAnimDecoderReset(m_decoder.get());
            m_next = 0;
        }
        std::uint8_t* rgba = nullptr;
        for (; m_next <= index; ++m_next) {
            int milliseconds = 0;
            if (!WebPAnimDecoderGetNext(m_decoder.get(), &rgba, &milliseconds)) {
                WebPAnimDecoderReset(m_decoder.get());
                m_next = 0;
                throw damagedPicture(m_path, format());
            }
        }
        Picture picture;
        picture.orientation = m_orientation;
        picture.rgb = newImage(m_path, m_size, QImage::Format_RGB888);
        if (m_alpha) {
            picture.alpha = newImage(m_path, m_size, QImage::Format_Grayscale8);
        }
        for (int y = 0; y < m_size.height(); ++y) {
            uchar* out = picture.rgb.scanLine(y);
            uchar* alpha = m_alpha ? picture.alpha.scanLine(y) : nullptr;
            for (int x = 0; x < m_size.width(); ++x, rgba += 4) {
                *out++ = rgba[0];
                *out++ = rgba[1];
                *out++ = rgba[2];
                if (alpha) {
                    alpha[x] = rgba[3];
                }
            }
        }
        return picture;
    }

private:
    void readOrientation(const WebPDemuxer& demuxer)
    {
        WebPChunkIterator chunk;
        if (WebPDemuxGetChunk(&demuxer, "EXIF", 1, &chunk)) {
            const uchar* data = chunk.chunk.bytes;
            auto size = qsizetype(chunk.chunk.size);
            if (size > 6 && QByteArrayView(data, 6) == QByteArrayView("Exif\0\0", 6)) {
                data += 6;
                size -= 6;
            }
            m_orientation = exifOrientation(data, size);
            WebPDemuxReleaseChunkIterator(&chunk);
        }
    }

    QString m_path;
    QByteArray m_bytes;  // the decoder reads from it
    QSize m_size;
    int m_count = 0, m_next = 0, m_orientation = 1;
    bool m_alpha = false;
    std::unique_ptr<WebPAnimDecoder, Delete> m_decoder;
};

}  // namespace

std::unique_ptr<PictureReader> openWebp(const QString& path)
{
    return std::make_unique<WebpPicture>(path);
}

}  // namespace ui
